"""Actors as a scenario states them: one way to move, what a kind can do, groups, replays of real flights."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.errors import ConfigError
from vedette.simulate import emissions
from vedette.simulate.behaviours.replay import Replay, Track
from vedette.simulate.groups import FlockPlan
from vedette.simulate.parse import check_scenario, parse_scenario
from vedette.simulate.scenario import Actor, Scenario
from vedette.simulate.world import World, story, truth

Text = Callable[..., str]

RUN = 'target = "bravo"\nspeed_mps = 20.0\n'
HUNTER = """
[[actor]]
id = "hunter"
kind = "{kind}"
[actor.behaviour]
type = "{type}"
at_s = 5.0
enu_m = [900.0, 700.0]
agl_m = 60.0
{more}
"""


def _with(scenario_text: Text, kind: str, behaviour: str, more: str) -> str:
    actor = HUNTER.format(kind=kind, type=behaviour, more=more)
    return scenario_text("wifi-beacon", "flat", actor)


@pytest.mark.parametrize(
    ("kind", "behaviour", "more", "field", "why"),
    [
        ("fpv", "kamikaze", "", "behaviour.type", "kamikaze"),
        ("fpv", "direct-run", 'target = "nobody"\nspeed_mps = 20.0', "behaviour.target", "no other actor"),
        ("fpv", "direct-run", 'target = "hunter"\nspeed_mps = 20.0', "behaviour.target", "no other actor"),
        ("fpv", "direct-run", RUN.replace("20", "80"), "behaviour.speed_mps", "more than a fpv can"),
        ("fpv", "direct-run", 'target = "bravo"', "behaviour", "speed_mps"),
        ("fpv", "direct-run", RUN + "loop = 1", "behaviour.loop", "unknown field"),
        ("fpv", "direct-run", RUN + "dive_deg = 90.0", "behaviour.dive_deg", "80"),
        ("fpv", "direct-run", RUN + "arrive_s = 4.0", "behaviour.arrive_s", "enters only at 5.0 s"),
        ("bird", "direct-run", RUN, "behaviour.type", "does not fly so"),
        ("fpv", "commute", "heading_deg = 10.0", "behaviour.type", "does not fly so"),
        ("patrol", "direct-run", 'target = "bravo"\nspeed_mps = 3.0', "behaviour", "give it a path"),
        ("fixed-wing", "hover-watch", 'target = "bravo"', "behaviour", "cannot stand in the air"),
        ("fixed-wing", "follow-attack", 'target = "bravo"\nspeed_mps = 30.0', "behaviour", "cannot stand"),
        ("fixed-wing", "circle", "over = { enu_m = [0.0, 0.0] }\nspeed_mps = 6.0",
         "behaviour.speed_mps", "too slow"),
        ("multirotor", "circle", "over = { lat_deg = 31.4 }", "behaviour.over", "together"),
        ("multirotor", "masked-approach", 'target = "bravo"\nspeed_mps = 9.0\nseen_from = ["bravo", "x"]',
         "behaviour.seen_from[1]", "no actor"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_with_its_line(
    scenario_text: Text, kind: str, behaviour: str, more: str, field: str, why: str
) -> None:
    text = _with(scenario_text, kind, behaviour, more)
    with pytest.raises(ConfigError) as caught:
        parse_scenario(text, "bad.toml")
    message = str(caught.value)
    line = int(message.split("line ")[1].split(":")[0])
    assert f"actor[2].{field}: " in message
    assert why in message
    shown = text.splitlines()[line - 1]
    key = field.split(".")[-1].split("[")[0]
    assert key in shown or "behaviour" in shown


def test_an_actor_moves_in_one_way(scenario_text: Text) -> None:
    both = _with(scenario_text, "fpv", "direct-run", RUN)
    both = both.replace('id = "hunter"', 'id = "hunter"\npath = [{ at_s = 0.0, enu_m = [0.0, 0.0] }]')
    with pytest.raises(ConfigError, match=r"actor\[2\]: an actor moves by one of path, behaviour and replay"):
        parse_scenario(both)
    with pytest.raises(ConfigError, match=r"actor\[2\]: an actor moves by one of"):
        parse_scenario(scenario_text("wifi-beacon", "flat", '[[actor]]\nid = "idle"\nkind = "fpv"\n'))


def test_a_behaviour_s_flier_transmits_like_any_other(scenario_text: Text) -> None:
    radio = '[actor.remote_id]\nserial = "1581FOWN1"\nmac = "60:60:1f:00:00:02"\nrate_hz = 4.0\n'
    text = _with(scenario_text, "fpv", "direct-run", RUN) + radio
    scenario = parse_scenario(text.replace('kind = "fpv"', 'kind = "fpv"\nown = true'))
    assert [actor.own for actor in scenario.actors] == [False, False, True]
    impact = next(fact for fact in story(scenario) if fact.what == "impact")
    frames = [e.time for e in emissions(scenario, 2e9) if e.data.find(b"1581FOWN1") >= 0]
    assert frames[0] - 2e9 == pytest.approx(5.5, abs=0.6)
    assert frames[-1] - 2e9 == pytest.approx(impact.time_s, abs=1.0)


SWARM = '[[swarm]]\nid = "{id}"\ncount = 4\ntarget = "{target}"\naxes_deg = [0.0, 90.0]\narrive_s = 60.0\n'


@pytest.mark.parametrize(
    ("swarm", "why"),
    [
        (SWARM.format(id="s", target="nobody"), r"swarm\[0\]\.target: no actor has the id 'nobody'"),
        (SWARM.format(id="s", target="bravo") + 'kind = "post"\n', r"swarm\[0\]\.kind: a post does not fly"),
        (SWARM.format(id="s", target="bravo") + "speed_mps = 90.0\n", r"swarm\[0\]\.speed_mps: 90\.0 m/s"),
        (
            SWARM.format(id="s", target="bravo").replace("60.0", "20.0"),
            r"arrive_s: 1500 m take 54 s",
        ),
        (SWARM.format(id="s", target="bravo") * 2, r"swarm\[1\]\.id: its member 's-1' would have the id"),
        (SWARM.format(id="s", target="bravo").replace("count = 4", "count = 1"), r"swarm\[0\]\.count.*>= 2"),
    ],
)
def test_an_impossible_swarm_is_told(scenario_text: Text, swarm: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        parse_scenario(scenario_text("wifi-beacon", "flat", swarm))


def test_groups_become_actors_once(scenario_text: Text) -> None:
    flock = '[[flock]]\nid = "geese"\ncount = 3\nat_s = 1.0\nenu_m = [0.0, 500.0]\nheading_deg = 0.0\n'
    swarm = SWARM.format(id="s", target="bravo")
    scenario = parse_scenario(scenario_text("wifi-beacon", "flat", flock, swarm))
    names = [actor.id for actor in scenario.actors[2:]]
    assert names == ["geese-1", "geese-2", "geese-3", "s-1", "s-2", "s-3", "s-4"]
    assert (scenario.flocks, scenario.swarms) == ((), ())
    assert check_scenario(scenario) == scenario


def test_a_world_takes_no_groups_that_are_not_yet_actors(scenario_text: Text) -> None:
    scenario = parse_scenario(scenario_text())
    flock = FlockPlan(id="f", count=3, at_s=0.0, enu_m=(0.0, 0.0), heading_deg=0.0)
    with pytest.raises(ConfigError, match="first become actors"):
        World(Scenario(head=scenario.head, actors=scenario.actors, flocks=(flock,)))


TIMES = st.lists(st.floats(0.1, 5.0), min_size=2, max_size=20)


@given(TIMES, st.integers(0, 1000))
def test_a_replay_passes_through_its_places(gaps: list[float], seed: int) -> None:
    times = np.cumsum(gaps)
    places = np.random.Generator(np.random.PCG64(seed)).normal(0.0, 100.0, (len(gaps), 3))
    plan = Replay(times_s=tuple(times.tolist()), enu_m=tuple(map(tuple, places.tolist())))  # type: ignore[arg-type]
    track = Track(plan)
    for time, place in zip(times.tolist(), places.tolist(), strict=True):
        assert track.at(time).enu_m == pytest.approx(place, abs=1e-6)
    middle = track.at((times[0] + times[1]) / 2.0)
    assert middle.enu_m == pytest.approx((places[0] + places[1]) / 2.0, abs=1e-6)


def _replayed(scenario_text: Text, **replay: object) -> Scenario:
    scenario = parse_scenario(scenario_text("wifi-beacon", "flat"))
    actor = Actor(id="real", kind="fixed-wing", replay=Replay(**replay))  # type: ignore[arg-type]
    return check_scenario(Scenario(head=scenario.head, actors=(*scenario.actors, actor)))


def test_a_replayed_flight_is_there_for_its_time_and_at_its_places(scenario_text: Text) -> None:
    places = ((0.0, 0.0, 50.0), (90.0, 0.0, 50.0), (90.0, 60.0, 20.0))
    scenario = _replayed(scenario_text, times_s=(5.0, 8.0, 9.5), enu_m=places)
    rows = {row.time: row.enu_m for row in truth(scenario, 0.0, 0.5) if row.id == "real"}
    assert (min(rows), max(rows)) == (5.0, 9.0)
    assert rows[8.0] == pytest.approx(places[1])
    assert rows[6.5] == pytest.approx((45.0, 0.0, 50.0))
    assert rows[9.0] == pytest.approx((90.0, 40.0, 30.0))


@pytest.mark.parametrize(
    ("times", "places", "why"),
    [
        ((1.0, 2.0, 2.0), ((0.0, 0.0, 5.0),) * 3, r"times_s\[2\]: times must follow each other"),
        ((1.0, 2.0), ((0.0, 0.0, 5.0),) * 3, "3 places for 2 times"),
        ((-1.0, 2.0), ((0.0, 0.0, 5.0),) * 2, "begins at the scenario's start"),
        ((1.0, 2.0), ((0.0, 0.0, 5.0), (0.0, 0.0, -2.0)), r"enu_m\[1\]: .*2\.0 m below the ground"),
    ],
)
def test_a_replay_that_cannot_be_is_told(
    scenario_text: Text, times: tuple[float, ...], places: tuple[tuple[float, ...], ...], why: str
) -> None:
    with pytest.raises(ConfigError, match=why):
        _replayed(scenario_text, times_s=times, enu_m=places)


@pytest.mark.field
def test_a_real_flight_is_replayed(scenario_text: Text, field_data: Path) -> None:
    """An instrumented fixed-wing drone, 965 fixes at 1 Hz (Stone Soup's UAV_Rot, MIT)."""
    with (field_data / "tracks" / "fixedwing_uav" / "UAV_Rot.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = ("latitude", "longitude", "altitude (m)")
    lat, lon, alt = (np.array([float(row[name]) for row in rows[:300]]) for name in names)
    east = (lon - lon[0]) * 111_320.0 * np.cos(np.radians(lat[0]))
    north = (lat - lat[0]) * 110_900.0
    places = tuple(zip(east.tolist(), north.tolist(), (alt - alt.min() + 20.0).tolist(), strict=True))
    scenario = _replayed(scenario_text, times_s=tuple(float(k) for k in range(300)), enu_m=places)
    rows_ = [row for row in truth(scenario, 0.0) if row.id == "real"]
    assert len(rows_) == 61
    assert rows_[30].enu_m == pytest.approx(places[30])
