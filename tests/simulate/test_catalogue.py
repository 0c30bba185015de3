"""The scenarios that come with Vedette tell the stories that their descriptions promise."""

import math
from collections import Counter

import pytest

from vedette.model.errors import ConfigError
from vedette.simulate import Scenario, builtin_names, emissions, load_builtin, synthetic_load, truth

START = 1_800_000_000.0


def _ranges(scenario: Scenario, one: str, other: str) -> dict[float, float]:
    """Time -> distance (m) between two actors while both are there."""
    rows = list(truth(scenario, 0.0))
    places = {row.time: row.enu_m for row in rows if row.id == other}
    return {row.time: math.dist(row.enu_m, places[row.time]) for row in rows if row.id == one}


def test_the_names_are_known() -> None:
    assert builtin_names() == ("desert-run", "hover-near", "quiet-day")
    with pytest.raises(ConfigError, match="desert-run, hover-near, quiet-day"):
        load_builtin("desert")


@pytest.mark.parametrize("name", builtin_names())
def test_every_scenario_loads_and_runs(name: str) -> None:
    scenario = load_builtin(name)
    assert scenario.head.name == name
    assert scenario.head.description
    found = list(emissions(scenario, START))
    assert Counter(e.channel for e in found).keys() == {"remote-id", "cot"}
    assert found[-1].time - START < scenario.head.duration_s
    silent = [a.id for a in scenario.actors if a.remote_id is None and a.cot is None]
    assert all(a.kind == "bird" for a in scenario.actors if a.id in silent)


def test_desert_run_comes_from_afar_waits_and_runs() -> None:
    scenario = load_builtin("desert-run")
    assert scenario.head.loop
    ranges = _ranges(scenario, "runner", "bravo")
    assert min(ranges) == 20.0
    assert 2900.0 < ranges[20.0] < 3200.0
    speeds = [ranges[time] - ranges[time + 1.0] for time in range(40, 100)]
    assert 18.0 < min(speeds) < max(speeds) < 29.0
    assert all(abs(ranges[time] - 940.0) < 40.0 for time in range(108, 116))
    assert min(ranges.values()) < 30.0
    assert 140.0 < min(ranges, key=ranges.__getitem__) < 155.0
    assert ranges[max(ranges)] > 900.0


@pytest.mark.parametrize(("actor", "speed_mps"), [("runner", 40.0), ("bravo", 4.0), ("convoy", 10.0)])
def test_desert_run_can_loop_without_an_impossible_leap(actor: str, speed_mps: float) -> None:
    """Played again it must not look like an identity that is in two places at once."""
    scenario = load_builtin("desert-run")
    rows = [row for row in truth(scenario, 0.0) if row.id == actor]
    pause = scenario.head.duration_s - rows[-1].time + rows[0].time
    assert math.dist(rows[0].enu_m, rows[-1].enu_m) < max(pause, 5.0) * speed_mps


def test_desert_run_is_over_long_before_it_begins_again() -> None:
    scenario = load_builtin("desert-run")
    heard = [row.time for row in truth(scenario, 0.0) if row.id == "runner"]
    assert scenario.head.duration_s - heard[-1] + heard[0] > 60.0


def test_desert_run_leaves_the_others_alone() -> None:
    scenario = load_builtin("desert-run")
    for unit in ("bravo", "convoy"):
        assert min(_ranges(scenario, "hobby", unit).values()) > 3500.0
    assert 1900.0 < _ranges(scenario, "convoy", "bravo")[60.0] < 2700.0
    assert min(_ranges(scenario, "runner", "convoy").values()) > 1500.0


def test_quiet_day_has_no_drone_near_anyone() -> None:
    scenario = load_builtin("quiet-day")
    for unit in ("alpha", "bravo"):
        ranges = _ranges(scenario, "hobby", unit)
        assert min(ranges.values()) > 4500.0
    assert Counter(actor.kind for actor in scenario.actors)["bird"] == 2


def test_hover_near_stays_at_300_m() -> None:
    ranges = _ranges(load_builtin("hover-near"), "watcher", "bravo")
    hovering = [ranges[time] for time in range(100, 180)]
    assert 285.0 < min(hovering) < max(hovering) < 325.0
    assert min(ranges.values()) > 280.0


def test_a_synthetic_load_carries_what_it_says() -> None:
    found = list(emissions(synthetic_load(10, 40, duration_s=20.0), START))
    counts = Counter(emission.channel for emission in found)
    assert counts["cot"] == 40 * 4
    assert counts["remote-id"] == pytest.approx(10 * 4 * 20, rel=0.02)
    assert len({e.source for e in found if e.channel == "cot"}) == 40


def test_a_synthetic_load_has_attacks() -> None:
    scenario = synthetic_load(10, 40, duration_s=60.0)
    runners = [actor for actor in scenario.actors if actor.run_at is not None]
    assert len(runners) == 1
    ranges = _ranges(scenario, runners[0].id, runners[0].run_at.target)  # type: ignore[union-attr]
    assert ranges[max(ranges)] < ranges[21.0] - 500.0 or max(ranges) < 59.0


@pytest.mark.parametrize(("tracks", "units", "duration_s"), [(-1, 1, 60.0), (1, -1, 60.0), (1, 1, 0.0)])
def test_an_impossible_load_is_refused(tracks: int, units: int, duration_s: float) -> None:
    with pytest.raises(ConfigError):
        synthetic_load(tracks, units, duration_s=duration_s)


def test_a_load_of_nothing_is_empty() -> None:
    assert list(emissions(synthetic_load(0, 0, duration_s=5.0), START)) == []
