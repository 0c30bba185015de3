"""Every behaviour does what it is called for, within the limits of its kind, and never through the ground."""

import itertools
import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.simulate.behaviours.moment import Happening, Kinematics
from vedette.simulate.kinds import ENVELOPES
from vedette.simulate.parse import parse_scenario
from vedette.simulate.scenario import Scenario
from vedette.simulate.world import LEAST_AGL_M, STEP_S, World

Text = Callable[..., str]
History = list[tuple[float, Kinematics]]

BEHAVIOURS = {
    "direct-run": ("fpv", 'target = "alpha"\nspeed_mps = 30.0'),
    "one-way": ("fixed-wing", 'type = "direct-run"\ntarget = "alpha"\nspeed_mps = 45.0\ndive_deg = 40.0'),
    "run-at-convoy": ("fpv", 'type = "direct-run"\ntarget = "truck"\nspeed_mps = 30.0\nweave_deg = 8.0'),
    "pop-up": ("fpv", 'target = "alpha"\nspeed_mps = 28.0\npop_m = 250.0\npop_agl_m = 45.0'),
    "masked-approach": ("multirotor", 'target = "alpha"\nspeed_mps = 15.0\nseen_from = ["alpha"]'),
    "loiter-dive": (
        "multirotor",
        'target = "alpha"\nspeed_mps = 18.0\nover = { enu_m = [400.0, 300.0] }\nloiter_s = 40.0',
    ),
    "follow-attack": ("fpv", 'target = "truck"\nspeed_mps = 30.0\nwatch_mps = 14.0\nwatch_s = 40.0'),
    "probe": ("multirotor", 'target = "alpha"\nspeed_mps = 18.0\napproaches = 2\nturn_back_m = 300.0'),
    "decoy": ("fpv", 'target = "alpha"\nspeed_mps = 25.0\nbreak_m = 300.0'),
    "drop-run": ("hexacopter", 'target = "alpha"\nspeed_mps = 12.0\nhover_s = 10.0'),
    "orbit": ("multirotor", 'target = "alpha"\nspeed_mps = 12.0\nrange_m = 200.0'),
    "hover-watch": ("multirotor", 'target = "alpha"\nrange_m = 250.0'),
    "follow": ("multirotor", 'target = "truck"\nrange_m = 120.0\nspeed_mps = 15.0'),
    "circle": ("fixed-wing", "over = { enu_m = [0.0, 600.0] }\nspeed_mps = 16.0\nradius_m = 150.0"),
    "hobby": ("fpv", 'style = "freestyle"\nspeed_mps = 25.0'),
    "transit": ("fixed-wing", "to = { enu_m = [-900.0, -700.0] }\nspeed_mps = 20.0"),
    "racetrack": ("helicopter", "to = { enu_m = [-900.0, 900.0] }\nspeed_mps = 45.0"),
    "commute": ("bird", "heading_deg = 220.0"),
    "soar": ("bird", ""),
}

WORLD = """
[scenario]
name = "behaviours"
seed = {seed}
duration_s = {duration}
terrain = "{terrain}"
[scenario.weather]
wind_mps = {wind}
wind_from_deg = 250.0
gust_mps = {gust}
[scenario.site]
name = "Test site"
lat_deg = 31.45
lon_deg = -110.9
alt_m = 1150.0
alt_datum = "wgs84-ellipsoid"
[[actor]]
id = "alpha"
kind = "post"
path = [{{ at_s = 0.0, enu_m = [30.0, -20.0] }}]
[[actor]]
id = "truck"
kind = "vehicle"
path = [{{ at_s = 0.0, enu_m = [-900.0, 200.0] }}, {{ at_s = 300.0, enu_m = [900.0, 200.0] }}]
"""
ACTOR = """
[[actor]]
id = "{id}"
kind = "{kind}"
[actor.behaviour]
{type}
at_s = 3.0
enu_m = [900.0, 700.0]
agl_m = 60.0
{more}
"""


def _text(
    *names: str,
    seed: int = 5,
    terrain: str = "flat",
    wind: float = 0.0,
    gust: float = 0.0,
    duration: float = 200.0,
) -> str:
    text = WORLD.format(seed=seed, terrain=terrain, wind=wind, gust=gust, duration=duration)
    for name in names:
        kind, more = BEHAVIOURS[name]
        typed = "" if "type =" in more else f'type = "{name}"'
        text += ACTOR.format(id=name, kind=kind, type=typed, more=more)
    return text


def _flown(scenario: Scenario) -> tuple[dict[str, History], list[Happening], World]:
    world = World(scenario)
    found: dict[str, History] = {actor.id: [] for actor in scenario.actors}
    while world.time_s < scenario.head.duration_s:
        for index, actor in enumerate(scenario.actors):
            if world.present(index):
                found[actor.id].append((world.time_s, world.at(index, world.time_s)))
        world.advance()
    return found, world.story, world


def _one(name: str, **more: float | str | int) -> tuple[History, History, list[Happening], World]:
    """The history of one behaviour, that of its target or of the post, the story, the world."""
    found, story, world = _flown(parse_scenario(_text(name, **more)))  # type: ignore[arg-type]
    target = "truck" if '"truck"' in BEHAVIOURS[name][1] else "alpha"
    return found[name], found[target], story, world


def _gaps(history: History, others: History) -> list[tuple[float, float]]:
    there = dict(others)
    return [(time, math.dist(state.enu_m[:2], there[time].enu_m[:2])) for time, state in history]


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(sorted(BEHAVIOURS)),
    st.sampled_from(["flat", "rolling-desert", "ridge", "canyon"]),
    st.integers(0, 3),
    st.sampled_from([0.0, 8.0]),
)
def test_no_behaviour_outflies_its_kind_or_meets_the_ground(
    name: str, terrain: str, seed: int, wind: float
) -> None:
    scenario = parse_scenario(_text(name, seed=seed, terrain=terrain, wind=wind, duration=90.0))
    found, _, world = _flown(scenario)
    envelope = ENVELOPES[BEHAVIOURS[name][0]]  # type: ignore[index]
    air = scenario.head.weather.wind
    assert found[name]
    for (_, before), (_, after) in itertools.pairwise(found[name]):
        through = math.hypot(after.velocity_mps[0] - air[0], after.velocity_mps[1] - air[1])
        push = math.dist(after.velocity_mps[:2], before.velocity_mps[:2]) / STEP_S
        assert through <= envelope.speed_mps + 1e-6
        assert push <= envelope.acceleration_mps2 + 1e-6
        assert -envelope.sink_mps - 1e-6 <= after.velocity_mps[2] <= envelope.climb_mps + 1e-6
        ground = world.ground.height_at(after.enu_m[0], after.enu_m[1])
        assert after.enu_m[2] >= ground + LEAST_AGL_M - 1e-6


@pytest.mark.parametrize(
    "name",
    ["direct-run", "one-way", "run-at-convoy", "pop-up", "masked-approach", "loiter-dive", "follow-attack"],
)
@pytest.mark.parametrize("terrain", ["flat", "rolling-desert"])
def test_attacks_meet_their_target(name: str, terrain: str) -> None:
    flown, target, story, _ = _one(name, terrain=terrain)
    told = {fact.what: fact for fact in story}
    assert (told["impact"].miss_m or 0.0) < 4.0
    assert told["strike"].time_s < told["impact"].time_s
    last_s, last = flown[-1]
    assert 0.0 <= told["impact"].time_s - last_s <= 2 * STEP_S
    assert math.dist(last.enu_m, dict(target)[last_s].enu_m) < 8.0


def test_a_pop_up_is_low_then_high_then_down() -> None:
    flown, post, _, _ = _one("pop-up", wind=0.0)
    gaps = dict(_gaps(flown, post))
    near = [state.enu_m[2] for time, state in flown if 40.0 < gaps[time] < 220.0]
    far = [state.enu_m[2] for time, state in flown if 500.0 < gaps[time] < 900.0]
    assert max(far) < 62.0
    assert flown[-1][1].enu_m[2] < 4.0
    assert near


def test_a_drop_run_passes_overhead_and_level() -> None:
    flown, _, story, _ = _one("drop-run")
    (impact,) = [fact for fact in story if fact.what == "impact"]
    above = [state for time, state in flown if abs(time - impact.time_s) < 5.0]
    assert all(state.enu_m[2] == pytest.approx(60.0, abs=2.0) for state in above)
    assert (impact.miss_m or 0.0) < 3.0
    waiting = [state for time, state in flown if 2.0 < time - impact.time_s < 9.0]
    assert all(math.dist(state.enu_m[:2], (30.0, -20.0)) < 25.0 for state in waiting)
    assert math.dist(flown[-1][1].enu_m[:2], (30.0, -20.0)) > 200.0


def test_an_orbit_winds_round_its_target_and_ends() -> None:
    flown, post, story, _ = _one("orbit", duration=230.0)
    (watch,) = [fact for fact in story if fact.what == "watch"]
    during = [(t, s) for t, s in flown if watch.time_s + 15.0 < t < watch.time_s + 115.0]
    assert all(150.0 < gap < 250.0 for _, gap in _gaps(during, post))
    angles = [math.atan2(s.enu_m[1] + 20.0, s.enu_m[0] - 30.0) for _, s in during]
    turned = sum((b - a + math.pi) % (2 * math.pi) - math.pi for a, b in itertools.pairwise(angles))
    assert turned > math.radians(270.0)
    assert _gaps(flown, post)[-1][1] > 280.0


def test_a_hovering_watcher_stands_off() -> None:
    flown, post, story, _ = _one("hover-watch")
    (watch,) = [fact for fact in story if fact.what == "watch"]
    during = [(t, s) for t, s in flown if watch.time_s + 20.0 < t < watch.time_s + 110.0]
    assert all(gap == pytest.approx(250.0, abs=20.0) for _, gap in _gaps(during, post))
    assert all(math.hypot(*s.velocity_mps[:2]) < 2.5 for _, s in during)


def test_a_follower_keeps_behind_a_moving_target() -> None:
    flown, truck, story, _ = _one("follow")
    (watch,) = [fact for fact in story if fact.what == "watch"]
    during = [(t, s) for t, s in flown if watch.time_s + 30.0 < t < watch.time_s + 110.0]
    there = dict(truck)
    assert during
    for time, state in during:
        assert state.enu_m[0] - there[time].enu_m[0] == pytest.approx(-120.0, abs=15.0)
        assert state.enu_m[1] == pytest.approx(200.0, abs=15.0)


def test_a_probe_turns_back_as_often_as_told_and_leaves() -> None:
    flown, post, story, _ = _one("probe", duration=400.0)
    turns = [fact.time_s for fact in story if fact.what == "turned-back"]
    gaps = dict(_gaps(flown, post))
    assert len(turns) == 2
    assert all(250.0 < min(g for t, g in gaps.items() if abs(t - turn) < 8.0) < 310.0 for turn in turns)
    assert max(g for t, g in gaps.items() if turns[0] < t < turns[1]) > 1100.0
    assert gaps[flown[-1][0]] > 1300.0
    assert not [fact for fact in story if fact.what in ("impact", "strike")]


def test_a_decoy_breaks_off() -> None:
    flown, post, story, _ = _one("decoy")
    assert [fact.what for fact in story] == ["broke-off"]
    gaps = _gaps(flown, post)
    assert 200.0 < min(gap for _, gap in gaps) < 310.0
    assert gaps[-1][1] > 800.0


def test_a_hobby_pilot_stays_about_his_place() -> None:
    flown, _, story, _ = _one("hobby")
    assert max(math.dist(state.enu_m[:2], (900.0, 700.0)) for _, state in flown) < 700.0
    assert len({round(state.enu_m[2] / 10.0) for _, state in flown}) > 3
    assert not story


def test_a_transit_goes_on_and_a_patrol_comes_back() -> None:
    transit, _, _, _ = _one("transit")
    assert transit[-1][1].enu_m[0] < -1400.0
    patrol, _, _, _ = _one("racetrack")
    norths = [state.enu_m[0] for _, state in patrol]
    turns = sum((b - a) * (c - b) < 0 for a, b, c in zip(norths, norths[10:], norths[20:], strict=False))
    assert turns >= 2
    assert min(norths) < -700.0
    assert max(norths) > 600.0


def test_a_transit_may_leave_at_its_place() -> None:
    text = _text("transit").replace("speed_mps = 20.0", 'speed_mps = 20.0\nthen = "leave"')
    found, _, _ = _flown(parse_scenario(text))
    assert math.dist(found["transit"][-1][1].enu_m[:2], (-900.0, -700.0)) < 25.0


def test_a_raptor_climbs_in_circles_and_drifts_with_the_wind() -> None:
    flown, _, _, _ = _one("soar", wind=8.0)
    start, end = flown[0][1].enu_m, flown[-1][1].enu_m
    lasted = flown[-1][0] - flown[0][0]
    downwind = math.sin(math.radians(70.0)), math.cos(math.radians(70.0))
    drift = ((end[0] - start[0]) * downwind[0] + (end[1] - start[1]) * downwind[1]) / lasted
    assert 2.0 < drift < 14.0
    assert max(state.enu_m[2] for _, state in flown) > 90.0


def test_speeds_over_the_ground_are_the_pilots() -> None:
    """A drone keeps its track and pace in a cross wind; a bird is carried off."""
    flown, _, _, _ = _one("transit", wind=8.0)
    for _, state in flown[50:600]:
        assert math.hypot(*state.velocity_mps[:2]) == pytest.approx(20.0, abs=2.0)
        track = (state.enu_m[0] - 900.0) * (1400.0) - (state.enu_m[1] - 700.0) * (1800.0)
        assert abs(track) / math.hypot(1400.0, 1800.0) < 40.0


FLOCK = """
[[flock]]
id = "geese"
count = 14
at_s = 2.0
enu_m = [-600.0, 100.0]
agl_m = 50.0
heading_deg = 80.0
turn_s = 10.0
"""


def test_a_flock_keeps_together_and_turns_together() -> None:
    scenario = parse_scenario(_text(duration=120.0) + FLOCK)
    birds = [actor.id for actor in scenario.actors if actor.id.startswith("geese-")]
    assert len(birds) == 14
    found, _, _ = _flown(scenario)
    for step in range(300, 1100, 50):
        states = [found[bird][step][1] for bird in birds]
        middle = [sum(s.enu_m[axis] for s in states) / 14 for axis in range(3)]
        assert max(math.dist(s.enu_m, middle) for s in states) < 90.0
        mean = [sum(s.velocity_mps[axis] for s in states) for axis in range(2)]
        pace = sum(math.hypot(*s.velocity_mps[:2]) for s in states)
        assert math.hypot(*mean) / pace > 0.85
        nearest = min(math.dist(a.enu_m, b.enu_m) for a, b in itertools.combinations(states, 2))
        assert nearest > 0.5
    first, last = (found[birds[0]][k][1].velocity_mps for k in (100, 1100))
    assert math.dist(first, last) > 1.0


SWARM = """
[[swarm]]
id = "swarm"
count = 5
target = "alpha"
axes_deg = [20.0, 140.0, 260.0]
arrive_s = 70.0
distance_m = 1400.0
speed_mps = 28.0
"""


def test_a_swarm_comes_from_several_sides_and_arrives_together() -> None:
    scenario = parse_scenario(_text(duration=90.0) + SWARM)
    found, story, _ = _flown(scenario)
    impacts = [fact.time_s for fact in story if fact.what == "impact"]
    assert len(impacts) == 5
    assert max(impacts) - min(impacts) < 3.0
    assert all(68.0 < time < 75.0 for time in impacts)
    starts = [found[f"swarm-{n}"][0][1].enu_m for n in range(1, 6)]
    azimuths = sorted(round(math.degrees(math.atan2(e - 30.0, n + 20.0)) % 360.0) for e, n, _ in starts)
    for wanted in (20, 140, 260):
        assert min(abs(azimuth - wanted) for azimuth in azimuths) < 12


def test_a_pilot_flies_the_same_whoever_else_is_there() -> None:
    names = ("loiter-dive", "commute", "follow-attack", "hobby")
    crowd = parse_scenario(_text(*names, gust=1.0, wind=4.0, duration=80.0))
    backwards = Scenario(head=crowd.head, actors=crowd.actors[::-1])
    together, reversed_, _ = (*_flown(crowd)[:1], _flown(backwards)[0], None)
    for name in names:
        alone, _, _ = _flown(parse_scenario(_text(name, gust=1.0, wind=4.0, duration=80.0)))
        assert alone[name] == together[name] == reversed_[name]
