"""Perfect association: plots get their bodies, and the filter is told nothing else."""

import json
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from vedette.evaluate.accuracy import accuracy
from vedette.evaluate.attribution import Labelled, attribute, shares
from vedette.evaluate.bench_accuracy import tracked_frames
from vedette.evaluate.drive import Case, read_case
from vedette.evaluate.perfect import perfect_frames
from vedette.evaluate.truth import Truth, read_truth
from vedette.fuse import Tracker
from vedette.model import Detection, EmptyScan
from vedette.model.lines import LineReader


@pytest.fixture
def case(case_folder: Path) -> Case:
    return read_case(case_folder)


@pytest.fixture
def truth(case_folder: Path, case: Case) -> Truth:
    return read_truth(case_folder, case)


def labels(scans: list[Labelled]) -> dict[tuple[float, str, str], str | None]:
    """By time, sensor and measure."""
    return {
        (d.time, d.sensor, repr(d.measure)): body
        for scan in scans
        for d, body in zip(scan.detections, scan.bodies, strict=True)
    }


def own_labels(case_folder: Path, scans: list[Labelled]) -> list[Labelled]:
    """The scans with the labels that the case was made with."""
    given = json.loads((case_folder / "labels.json").read_text())
    with (case_folder / "detections.jsonl").open("rb") as file:
        rows = list(LineReader(Detection, "lines").read(file))
    body = {(d.time, d.sensor, repr(d.measure)): one for d, one in zip(rows, given, strict=True)}
    return [
        scan._replace(bodies=tuple(body[d.time, d.sensor, repr(d.measure)] for d in scan.detections))
        for scan in scans
    ]


def test_plots_are_given_to_the_bodies_they_were_made_of(case_folder, case, truth) -> None:
    scans = attribute(case, truth)
    found, made = labels(scans), labels(own_labels(case_folder, scans))
    radar = [key for key in made if key[1] == "radar"]
    assert all(found[key] == made[key] for key in radar)
    assert sum(found[key] == made[key] for key in made) >= 0.97 * len(made)
    assert 0.5 < shares(scans)["radar"] < 0.65
    assert [scan.time for scan in scans] == sorted(scan.time for scan in scans)


def test_no_plot_is_given_twice_and_none_beyond_its_gate(case, truth) -> None:
    for scan in attribute(case, truth):
        bodies = [body for body in scan.bodies if body is not None]
        assert len(set(bodies)) == len(bodies)
    nobody = truth._replace(paths={})
    assert all(body is None for scan in attribute(case, nobody) for body in scan.bodies)


def test_told_what_is_whose_nothing_is_false_and_no_track_changes_hands(case, truth) -> None:
    told = accuracy(perfect_frames(case, truth), truth)
    free = accuracy(tracked_frames(case), truth)
    assert told.false == 0.0
    assert told.switches == 0
    assert told.never == 0
    assert told.completeness >= free.completeness
    assert told.gospa_m <= 1.02 * free.gospa_m
    assert told.scans == free.scans == 15


def test_each_body_is_one_track_though_it_is_told_that_another_flies_through_it(case, truth) -> None:
    """Two bodies on one path are two tracks, which association alone could not know."""
    scans = [
        scan._replace(
            detections=(*scan.detections, *(d for d, b in pairs(scan) if b == "d0")),
            bodies=(*scan.bodies, *("twin" for _, b in pairs(scan) if b == "d0")),
        )
        for scan in attribute(case, truth)
    ]
    moved = [
        scan._replace(
            detections=tuple(
                shifted(d) if b == "twin" else d for d, b in zip(scan.detections, scan.bodies, strict=True)
            )
        )
        for scan in scans
    ]
    last = list(perfect_frames(case, truth, scans=moved))[-1]
    assert len(last.tracks) == 4
    places = np.array([track.enu_m for track in last.tracks])
    assert sorted(np.linalg.norm(places[:, None] - places, axis=2).ravel())[4] < 20.0


def pairs(scan: Labelled):
    return zip(scan.detections, scan.bodies, strict=True)


def shifted(detection: Detection) -> Detection:
    azimuth = detection.measure.azimuth_deg + 0.2
    return structs.replace(detection, measure=structs.replace(detection.measure, azimuth_deg=azimuth))


def test_a_plot_far_off_is_still_its_bodys(case, truth) -> None:
    """No gate stands between a track and the plot that it is told is its own."""
    scans = attribute(case, truth)
    wild = [scan for scan in scans if scan.detections[0].sensor == "radar"][10]
    number = wild.bodies.index("d1")
    plot = wild.detections[number]
    far = structs.replace(plot, measure=structs.replace(plot.measure, range_m=plot.measure.range_m + 60.0))
    scans[scans.index(wild)] = wild._replace(
        detections=(*wild.detections[:number], far, *wild.detections[number + 1 :])
    )
    frames = [frame for frame in perfect_frames(case, truth, scans=scans) if frame.time == wild.time]
    assert len(frames[0].tracks) == 3
    usual = next(f for f in perfect_frames(case, truth) if f.time == wild.time)
    moved = [
        np.linalg.norm(np.subtract(a.enu_m, b.enu_m))
        for a, b in zip(frames[0].tracks, usual.tracks, strict=True)
    ]
    assert max(moved) > 5.0


def test_a_scan_of_nothing_but_clutter_is_told_as_empty(case, truth, monkeypatch) -> None:
    taken = []
    add = Tracker.add
    monkeypatch.setattr(Tracker, "add", lambda self, some, at: (taken.extend(some), add(self, some, at))[1])
    scans = [scan._replace(bodies=(None,) * len(scan.bodies)) for scan in attribute(case, truth)]
    frames = list(perfect_frames(case, truth, scans=scans))
    assert len(frames) == 20
    assert all(frame.tracks == () for frame in frames)
    assert all(isinstance(one.measure, EmptyScan) for one in taken)
