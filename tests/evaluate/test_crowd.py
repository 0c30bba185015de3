"""The crowd of the benchmark is what it says: so many bodies, so dense, seen so often, always the same."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vedette.evaluate.bench_accuracy import bench_accuracy
from vedette.evaluate.crowd import FALSE_SHARE, PER_KM2, SEES, crowd_of, scans_of, site_of, write_case
from vedette.evaluate.drive import read_case
from vedette.evaluate.truth import read_truth
from vedette.model import RangeBearing
from vedette.model.lines import dump_line


def test_it_is_as_dense_whatever_their_number() -> None:
    for targets in (200, 5000):
        place = crowd_of(targets, np.random.default_rng(3)).place
        side_km = np.ptp(place[:, 0]) / 1000.0
        assert targets / side_km**2 == pytest.approx(PER_KM2, rel=0.1)
        radar = site_of(targets)[1]
        assert radar.range_m is not None
        assert np.hypot(place[:, 0], place[:, 1]).max() < radar.range_m[1]


def test_bodies_keep_their_speed_and_half_of_them_turn() -> None:
    crowd = crowd_of(1000, np.random.default_rng(4))
    later = crowd.moved(1.0)
    apart = np.linalg.norm(later.place - crowd.place, axis=1)
    np.testing.assert_allclose(apart, crowd.speed, rtol=1e-12)
    assert (later.place[:, 2] == crowd.place[:, 2]).all()
    assert 0.4 < float((later.course != crowd.course).mean()) < 0.6


def test_scans_hold_what_is_seen_and_what_is_not_there() -> None:
    scans = list(scans_of(1000, 5, 7))
    assert [time - scans[0][0] for time, _ in scans] == [0.0, 1.0, 2.0, 3.0, 4.0]
    expected = 1000 * (SEES + FALSE_SHARE)
    for number, (time, detections) in enumerate(scans):
        assert len(detections) == pytest.approx(expected, abs=6.0 * math.sqrt(expected))
        assert {(d.time, d.scan) for d in detections} == {(time, number)}
        measures = [d.measure for d in detections]
        assert all(isinstance(one, RangeBearing) and 0.0 <= one.azimuth_deg <= 360.0 for one in measures)


def test_the_same_seed_gives_the_same_plots() -> None:
    assert list(scans_of(50, 3, 1)) == list(scans_of(50, 3, 1))
    assert list(scans_of(50, 3, 1)) != list(scans_of(50, 3, 2))


def test_a_case_of_it_holds_its_plots_and_who_is_in_reach(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "case"
    number = write_case(folder, 20, 90, 3)
    plots = [one for _, some in scans_of(20, 90, 3) for one in some]
    assert number == len(plots)
    assert (folder / "detections.jsonl").read_bytes() == b"".join(map(dump_line, plots))
    case = read_case(folder)
    assert (case.site, *case.sensors) == site_of(20)
    reach = case.sensors[0].range_m
    assert reach is not None
    scored = read_truth(folder, case).scored
    there = [len(present.ids) for present in scored.values()]
    assert there[0] == 20 > there[-1] > 0, "some fly away"
    mast = np.array([0.0, 0.0, 10.0])
    assert max(np.linalg.norm(one.enu_m - mast, axis=1).max() for one in scored.values()) <= reach[1]


def test_a_case_of_it_is_tracked_and_scored(tmp_path: Path) -> None:
    write_case(tmp_path, 6, 15, 1)
    figures: Any = bench_accuracy([tmp_path])
    ours = figures["each"][0]["ours"]
    assert ours["gospa_m"] < 100.0 * math.sqrt(6.0)
    assert ours["completeness"] > 0.5
