"""The example scenarios in `scenarios/`: each loads, says what it is, and tells the story it promises."""

import itertools
import math
from collections import Counter
from pathlib import Path

import pytest

from vedette.simulate import Scenario, emissions, parse_scenario, story, truth

FOLDER = Path(__file__).resolve().parents[2] / "scenarios"
FILES = sorted(FOLDER.glob("*.toml"))


def _load(name: str) -> Scenario:
    path = FOLDER / f"{name}.toml"
    return parse_scenario(path.read_bytes(), str(path))


def _told(name: str) -> list[tuple[str, str]]:
    return [(fact.actor, fact.what) for fact in story(_load(name))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_example_loads_and_says_what_it_is(path: Path) -> None:
    scenario = parse_scenario(path.read_bytes(), str(path))
    assert scenario.head.name == path.stem
    assert scenario.head.description
    assert path.read_text(encoding="utf-8").startswith("# ")
    assert "# Expected: " in path.read_text(encoding="utf-8")
    channels = Counter(e.channel for e in itertools.islice(emissions(scenario, 1.8e9), 40))
    assert channels["cot"] > 0


def test_there_are_some() -> None:
    assert len(FILES) >= 5


def test_watch_then_strike() -> None:
    facts = {fact.what: fact.time_s for fact in story(_load("watch-then-strike"))}
    assert facts["strike"] - facts["watch"] == pytest.approx(90.0, abs=0.2)
    assert 5.0 < facts["impact"] - facts["strike"] < 25.0


def test_ridge_approach() -> None:
    told = _told("ridge-approach")
    assert told.count(("decoy", "broke-off")) == 1
    assert told.count(("silent", "impact")) == 1


def test_swarm() -> None:
    hits = [fact for fact in story(_load("swarm")) if fact.what == "impact"]
    assert len({fact.actor for fact in hits}) == 5
    assert max(fact.time_s for fact in hits) - min(fact.time_s for fact in hits) < 4.0


def test_windy_birds() -> None:
    scenario = _load("windy-birds")
    assert not story(scenario)
    rows = [row for row in truth(scenario, 0.0) if row.id == "gull"]
    paces = [math.dist(a.enu_m[:2], b.enu_m[:2]) for a, b in itertools.pairwise(rows)]
    assert 36.0 < sum(paces) / len(paces) < 46.0


def test_busy_sky() -> None:
    told = Counter(_told("busy-sky"))
    assert told["prober", "turned-back"] == 3
    assert told["dropper", "impact"] == 1
    assert {actor for actor, _ in told} == {"prober", "dropper"}
