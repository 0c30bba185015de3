"""The world: limits hold, paths are followed, runs reach their target, actors do not touch each other."""

import itertools
import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.simulate.catalogue import load_builtin, synthetic_load
from vedette.simulate.kinds import ENVELOPES
from vedette.simulate.parse import parse_scenario
from vedette.simulate.scenario import Scenario
from vedette.simulate.world import STEP_S, Kinematics, Truth, World, truth

Text = Callable[..., str]


def _histories(scenario: Scenario) -> dict[str, list[tuple[float, Kinematics]]]:
    """Every actor's states at each step, from the world itself."""
    world = World(scenario)
    found: dict[str, list[tuple[float, Kinematics]]] = {actor.id: [] for actor in scenario.actors}
    while world.time_s < scenario.head.duration_s:
        for index, actor in enumerate(scenario.actors):
            if world.present(index):
                found[actor.id].append((world.time_s, world.at(index, world.time_s)))
        world.advance()
    return found


def _rows(scenario: Scenario, name: str) -> list[Truth]:
    return [row for row in truth(scenario, 0.0) if row.id == name]


@pytest.mark.parametrize("name", ["desert-run", "quiet-day", "hover-near", "load"])
def test_no_actor_leaves_its_envelope(name: str) -> None:
    scenario = synthetic_load(20, 30, duration_s=40.0) if name == "load" else load_builtin(name)
    kinds = {actor.id: actor.kind for actor in scenario.actors}
    for actor, history in _histories(scenario).items():
        envelope = ENVELOPES[kinds[actor]]
        assert history
        for (_, before), (_, after) in itertools.pairwise(history):
            speed = math.hypot(*after.velocity_mps[:2])
            push = math.dist(after.velocity_mps[:2], before.velocity_mps[:2]) / STEP_S
            climb_push = abs(after.velocity_mps[2] - before.velocity_mps[2]) / STEP_S
            assert speed <= envelope.speed_mps + 1e-6
            assert push <= envelope.acceleration_mps2 + 1e-6
            assert climb_push <= envelope.climb_acceleration_mps2 + 1e-6
            assert abs(after.velocity_mps[2]) <= envelope.climb_mps + 1e-6
            moved = math.dist(after.enu_m[:2], before.enu_m[:2]) / STEP_S
            assert moved <= envelope.speed_mps + 1e-6


@pytest.mark.parametrize("name", ["desert-run", "quiet-day", "hover-near"])
def test_walkers_are_on_the_ground_and_fliers_above_it(name: str) -> None:
    scenario = load_builtin(name)
    ground = World(scenario).ground
    for row in truth(scenario, 0.0):
        above = row.enu_m[2] - ground.height_at(row.enu_m[0], row.enu_m[1])
        if ENVELOPES[row.kind].airborne:  # type: ignore[index]
            assert above > 4.0, row
        else:
            assert abs(above) < 1e-9, row


def test_the_path_is_followed(scenario_text: Text) -> None:
    rows = _rows(parse_scenario(scenario_text()), "alpha")
    assert rows[0].time == 2.0
    assert math.dist(rows[0].enu_m[:2], (1500.0, 800.0)) < 1e-9
    middle = next(row for row in rows if row.time == 31.0)
    assert math.dist(middle.enu_m[:2], (1100.0, 550.0)) < 12.0
    assert math.dist(rows[-1].enu_m[:2], (700.0, 300.0)) < 12.0


def test_a_flier_keeps_its_height_above_rising_ground(scenario_text: Text) -> None:
    text = scenario_text().replace("agl_m = 60.0", "agl_m = 50.0").replace("agl_m = 40.0", "agl_m = 50.0")
    scenario = parse_scenario(text)
    ground = World(scenario).ground
    rows = _rows(scenario, "alpha")
    heights = [ground.height_at(*row.enu_m[:2]) for row in rows]
    assert max(heights) - min(heights) > 10.0
    above = [row.enu_m[2] - height for row, height in zip(rows, heights, strict=True)]
    assert max(abs(value - 50.0) for value in above[10:]) < 1.0


CROSSING = """
[[actor]]
id = "truck"
kind = "vehicle"
path = [
  { at_s = 0.0, enu_m = [-300.0, 900.0] },
  { at_s = 60.0, enu_m = [600.0, 900.0] },
]
[[actor]]
id = "hunter"
kind = "fpv"
path = [{ at_s = 0.0, enu_m = [0.0, 0.0], agl_m = 30.0 }]
[actor.run_at]
target = "truck"
at_s = 5.0
speed_mps = 30.0
"""


def test_a_run_leads_a_moving_target(scenario_text: Text) -> None:
    scenario = parse_scenario(scenario_text("wifi-beacon", "flat", CROSSING))
    rows = [row for row in truth(scenario, 0.0, STEP_S) if row.id == "hunter"]
    flown = sum(math.dist(before.enu_m[:2], after.enu_m[:2]) for before, after in itertools.pairwise(rows))
    straight = math.dist(rows[0].enu_m[:2], rows[-1].enu_m[:2])
    assert rows[-1].enu_m[1] == pytest.approx(900.0, abs=10.0)
    assert flown < straight * 1.01


def test_state_between_steps_joins_the_steps() -> None:
    world = World(load_builtin("desert-run"))
    for _ in range(400):
        world.advance()
    index = world.index_of("runner")
    end = world.at(index, world.time_s + STEP_S)
    world.advance()
    begin = world.at(index, world.time_s)
    assert end.enu_m == pytest.approx(begin.enu_m, abs=1e-9)
    assert end.velocity_mps == pytest.approx(begin.velocity_mps, abs=1e-9)


RUN = '[actor.run_at]\ntarget = "bravo"\nat_s = 4.0\nspeed_mps = 20.0\nagl_m = 3.0\nthen = "{then}"\n'
NEAR = ("1500.0, 800.0", "500.0, 300.0")


def _run(scenario_text: Text, then: str) -> Scenario:
    text = scenario_text().replace(*NEAR) + RUN.format(then=then)
    return parse_scenario(text.replace("{ at_s = 60.0, enu_m = [700.0, 300.0], agl_m = 40.0 },\n", ""))


def _ranges(scenario: Scenario) -> dict[float, float]:
    patrol = {row.time: row.enu_m for row in truth(scenario, 0.0, STEP_S) if row.id == "bravo"}
    drone = {row.time: row.enu_m for row in truth(scenario, 0.0, STEP_S) if row.id == "alpha"}
    return {time: math.dist(place, patrol[time]) for time, place in drone.items()}


def test_a_run_ends_at_its_target(scenario_text: Text) -> None:
    ranges = _ranges(_run(scenario_text, "end"))
    assert max(ranges) < 45.0
    assert ranges[max(ranges)] < 8.0


@pytest.mark.parametrize("then", ["fly-on", "return"])
def test_after_the_pass_the_drone_leaves(scenario_text: Text, then: str) -> None:
    scenario = _run(scenario_text, then)
    ranges = _ranges(scenario)
    assert min(ranges.values()) < 8.0
    assert ranges[max(ranges)] > 200.0
    last = _rows(scenario, "alpha")[-1].enu_m
    assert (last[0] > 100.0) == (then == "return")


def test_who_is_gone_stays_gone(scenario_text: Text) -> None:
    text = scenario_text().replace('kind = "multirotor"', 'kind = "multirotor"\nuntil_s = 30.0')
    assert _rows(parse_scenario(text), "alpha")[-1].time == 29.0


def test_what_cannot_hover_flies_on() -> None:
    rows = _rows(load_builtin("quiet-day"), "raven")
    last_leg = math.dist(rows[-1].enu_m[:2], (-600.0, 300.0))
    assert rows[-1].time == 300.0
    assert last_leg > 500.0


def test_an_actor_moves_the_same_whoever_else_is_there(scenario_text: Text, drone_text: Text) -> None:
    alone = parse_scenario(scenario_text())
    crowded = parse_scenario(
        scenario_text("wifi-beacon", "rolling-desert", drone_text("beta"), drone_text("gamma"))
    )
    backwards = Scenario(head=crowded.head, receivers=crowded.receivers, actors=crowded.actors[::-1])
    for name in ("bravo", "alpha"):
        rows = _rows(alone, name)
        assert rows == _rows(crowded, name) == _rows(backwards, name)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**63 - 1))
def test_the_seed_alone_decides(seed: int) -> None:
    first = list(truth(synthetic_load(3, 3, seed=seed, duration_s=5.0), 1e9))
    assert first == list(truth(synthetic_load(3, 3, seed=seed, duration_s=5.0), 1e9))
    assert first != list(truth(synthetic_load(3, 3, seed=seed ^ 1, duration_s=5.0), 1e9))


def test_a_world_without_actors_is_empty(scenario_text: Text) -> None:
    scenario = parse_scenario(scenario_text())
    empty = Scenario(head=scenario.head, receivers=scenario.receivers)
    assert list(truth(empty, 0.0)) == []
