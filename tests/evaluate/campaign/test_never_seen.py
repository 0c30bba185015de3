"""What is graded and was never tuned on: behaviours, ranges, seeds, recorded flights."""

import ast
import json
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

import pytest

import vedette
from vedette.assess.model import shipped
from vedette.evaluate.campaign.real_tracks import flights
from vedette.evaluate.campaign.sources import BASE, REAL
from vedette.simulate.encounters import COLLECTIONS, encounter
from vedette.simulate.encounters.ranges import FIRST_COLUMN, RANGES

TUNED = ("training", "calibration")
GRADED = ("grading", "gate")
HELD_BACK = {"masked-approach", "probe-then-attack", "swarm", "decoy"}
"""Attacks that only the graded collections hold; beside them flocks of birds."""
SORTS_OF_FLIGHTS = {
    "real-small-drone", "real-fpv-race", "real-ambulance", "real-glider", "real-surveillance", "real-survey",
}  # fmt: skip


def told(collection: str, numbers: Iterable[int]) -> list[tuple[str, str, int]]:
    labels = [(encounter(collection, n).label, encounter(collection, n).scenario.head.seed) for n in numbers]
    return [(label.behaviour, label.kind, seed) for label, seed in labels]


@pytest.fixture(scope="module")
def made() -> dict[str, list[tuple[str, str, int]]]:
    """Behaviour, kind and seed of some of each collection: enough for every family to come once."""
    return {name: told(name, range(35)) for name in COLLECTIONS}


def test_graded_collections_hold_behaviours_that_tuning_never_saw(
    made: dict[str, list[tuple[str, str, int]]],
) -> None:
    tuned = {behaviour for name in TUNED for behaviour, _, _ in made[name]}
    kinds = {kind for name in TUNED for _, kind, _ in made[name]}
    assert not tuned & HELD_BACK
    assert "flock" not in kinds
    for name in GRADED:
        assert {behaviour for behaviour, _, _ in made[name]} - tuned == HELD_BACK
        assert "flock" in {kind for _, kind, _ in made[name]}


def test_no_two_collections_share_a_seed(made: dict[str, list[tuple[str, str, int]]]) -> None:
    seeds = [seed for rows in made.values() for _, _, seed in rows]
    assert len(set(seeds)) == len(seeds)


def test_graded_ranges_reach_beyond_those_of_tuning_at_one_end_at_least() -> None:
    assert set(FIRST_COLUMN) == {"training"}
    for name, (tuned, graded) in RANGES.items():
        assert graded[0] <= tuned[0], name
        assert graded[1] >= tuned[1], name
        assert graded != tuned, name


def test_the_model_was_fitted_on_nothing_that_is_graded() -> None:
    """The file says what it was made from: neither a graded collection nor a recorded flight."""
    text = json.dumps(json.loads((resources.files("vedette.assess") / "model.json").read_bytes())["trained"])
    assert shipped().file.trained
    for name in (*GRADED, "tracks", REAL):
        assert name not in text.split(), f"{name} in {text}"
    assert BASE in GRADED


def test_tuning_cannot_reach_recorded_flights() -> None:
    """No module of `vedette fit` reads them, nor anything that does."""
    root = Path(vedette.__file__).parent
    sources = [*sorted((root / "evaluate" / "fitting").glob("*.py")), root / "cli" / "fitting.py"]
    assert len(sources) > 5
    for path in sources:
        names = [
            alias
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in (node.module, *(f"{node.module}.{one.name}" for one in node.names))
        ]
        assert not [name for name in names if "campaign" in name or "real_tracks" in name], path


@pytest.mark.field
def test_the_recorded_flights_that_are_graded(field_data: Path) -> None:
    found = {one.behaviour for one in flights(field_data / "tracks")}
    assert found == SORTS_OF_FLIGHTS
