"""How right the tracker is on cases whose truth is known, and how much of the error is association's."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from msgspec import Struct, structs

from vedette.evaluate.accuracy import CUTOFF_M, Accuracy, Nees, accuracy, nees
from vedette.evaluate.consistency import consistency
from vedette.evaluate.drive import Case, Driver, arrivals, read_case
from vedette.evaluate.perfect import perfect_frames
from vedette.evaluate.truth import read_truth
from vedette.fuse import warm
from vedette.model import ConfigError, Frame
from vedette.model.event import DetectionBatch


class Scored(Struct, frozen=True, kw_only=True):
    """One case: as ``vedette track`` tracks it, and by the same filter under perfect association."""

    case: str
    ours: Accuracy
    perfect: Accuracy | None
    nees: list[Nees]
    nees_perfect: list[Nees]


def bench_accuracy(
    folders: Sequence[Path], cutoff_m: float = CUTOFF_M, *, told: bool = True
) -> dict[str, object]:
    """Medians and ranges over cases, and each case. ``told``: also under perfect association.

    ``ratio``: GOSPA over that of perfect association, case by case. ``nees``: see
    `vedette.evaluate.consistency`; null for too few cases. Raises ConfigError or InputError that names
    the file for a folder that is no case with a truth.
    """
    warm()
    scored = [score_case(folder, cutoff_m, told=told) for folder in folders]
    return {"cases": len(scored), **summary(scored), "each": [_plain(one) for one in scored]}


def score_case(folder: Path, cutoff_m: float = CUTOFF_M, *, told: bool = True) -> Scored:
    """One folder with site.json, sensors.json, detections.jsonl and truth.jsonl."""
    case = read_case(folder)
    if not case.sensors:
        raise ConfigError(f"{folder}: sensors.json is missing; its first sensor's scans are scored")
    truth = read_truth(folder, case)
    frames = tracked_frames(case)
    perfect = list(perfect_frames(case, truth)) if told else []
    return Scored(
        case=folder.name,
        ours=accuracy(frames, truth, cutoff_m),
        perfect=accuracy(perfect, truth, cutoff_m) if told else None,
        nees=nees(frames, truth, cutoff_m),
        nees_perfect=nees(perfect, truth, cutoff_m),
    )


def tracked_frames(case: Case) -> list[Frame]:
    """What ``vedette track --at scans:SENSOR`` writes for the case's first sensor."""
    driver, sensor = Driver(case), case.sensors[0].id
    return [
        driver.core.frame(event.body.detections[0].time)
        for event in driver.run(arrivals(case))
        if isinstance(event.body, DetectionBatch) and event.body.feed == sensor
    ]


def summary(scored: Sequence[Scored]) -> dict[str, object]:
    """[median, lowest, highest] of each figure over the cases, and the consistency of all together."""
    out: dict[str, object] = {"ours": _ranges([one.ours for one in scored])}
    both = [(one.ours, one.perfect) for one in scored if one.perfect is not None]
    if both:
        out["perfect"] = _ranges([perfect for _, perfect in both])
        out["ratio"] = _range([ours.gospa_m / perfect.gospa_m for ours, perfect in both if perfect.gospa_m])
    for name, runs in (("nees", [one.nees for one in scored]), ("nees_perfect", _told(scored))):
        found = consistency(runs)
        out[name] = None if found is None else _rounded(structs.asdict(found))
    return out


def _told(scored: Sequence[Scored]) -> list[list[Nees]]:
    return [one.nees_perfect for one in scored if one.perfect is not None]


def _ranges(some: Sequence[Accuracy]) -> dict[str, object]:
    names = Accuracy.__struct_fields__
    return {name: _range([getattr(one, name) for one in some]) for name in names}


def _range(values: Sequence[float | None]) -> list[float] | None:
    known = [value for value in values if value is not None]
    return [round(value, 4) for value in (median(known), min(known), max(known))] if known else None


def _plain(one: Scored) -> dict[str, object]:
    perfect = None if one.perfect is None else _rounded(structs.asdict(one.perfect))
    return {"case": one.case, "ours": _rounded(structs.asdict(one.ours)), "perfect": perfect}


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: round(one, 4) if isinstance(one, float) else one for name, one in figures.items()}
