"""The crowd of the benchmark is what it says: so many bodies, so dense, seen so often, always the same."""

import math

import numpy as np
import pytest

from vedette.evaluate.crowd import FALSE_SHARE, PER_KM2, SEES, crowd_of, scans_of, site_of
from vedette.model import RangeBearing


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
