"""Climbs and dives: the noise of a velocity that falls off, and how far behind a dive the track is."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.fuse.kernels import imm

AXES = [(0, 3), (1, 4), (2, 5)]


def spread(dt: float, decay: float, climb_decay: float) -> np.ndarray:
    """Covariance after ``dt`` of what was known exactly, for densities of one."""
    x, p = np.zeros(6), np.zeros((6, 6))
    imm.advance(x, p, dt, np.array([1.0, 1.0, decay, 5.0, climb_decay]))
    return p


@given(st.floats(-7, 4), st.floats(-1, 3))
@settings(deadline=None, max_examples=300, derandomize=True)
def test_noise_is_positive_and_correlated_as_it_must_be(magnitude: float, decay: float) -> None:
    p = spread(10.0**magnitude, 0.0, 10.0**decay)
    for i, j in AXES:
        assert p[i, i] > 0
        assert p[j, j] > 0
        assert 0 < p[i, j] <= math.sqrt(p[i, i] * p[j, j]) * (1 + 1e-12)


@given(st.floats(-4, 1.5), st.floats(-1, 2))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_two_halves_are_one_whole(magnitude: float, decay: float) -> None:
    """Exactly integrated noise does not depend on how often one predicts."""
    dt, model = 10.0**magnitude, np.array([3.0, 2.0, 0.0, 5.0, 10.0**decay])
    x, p = np.array([1.0, 2, 3, 4, 5, 6]), np.eye(6)
    y, q = x.copy(), p.copy()
    imm.advance(x, p, dt, model)
    imm.advance(y, q, 0.3 * dt, model)
    imm.advance(y, q, 0.7 * dt, model)
    np.testing.assert_allclose(y, x, rtol=1e-11)
    np.testing.assert_allclose(q, p, rtol=1e-9)


def test_a_velocity_that_falls_off_stays_within_its_sigma_and_one_that_does_not_does_not() -> None:
    p = spread(1e4, 0.0, 8.0)
    assert p[5, 5] == pytest.approx(8.0 / 2.0)
    assert p[3, 3] == pytest.approx(1e4)


def test_series_and_closed_form_meet() -> None:
    """On both sides of where the one takes over from the other."""
    for decay in (0.7, 20.0):
        below, above = (spread(decay * 0.1 * (1 + way), decay, decay)[0, 0] for way in (-1e-12, 1e-12))
        assert below == pytest.approx(above, rel=1e-9)


def test_a_slow_decay_is_none() -> None:
    np.testing.assert_allclose(spread(2.0, 1e9, 1e9), spread(2.0, 0.0, 0.0), rtol=1e-8)


def highest(world, rate_mps: float, **kept: tuple[float, ...]) -> float:
    """How much too high a track is at most, of a drone that flies level at 250 m for 20 s, then dives towards
    the radar; exact plots, once a second."""
    tracker, errors = world.tracker(world.radar, **kept), []
    for second in range(36):
        place = (400.0, 2000.0 - 25.0 * second, 250.0 - rate_mps * max(0, second - 20))
        tracker.add([world.plot(second, place, scan=second)], world.start + second)
        for track in tracker.frame(world.start + second).tracks:
            errors.append(track.enu_m[2] - place[2])
    assert len(errors) > 30
    return max(errors)


def test_a_dive_is_shown_little_too_high(world) -> None:
    """And with a shorter decay, which errs less with level flight, it would be shown far too high."""
    assert highest(world, 10.0) < 35.0
    assert highest(world, 5.0) < 20.0
    short = highest(world, 10.0, climb_decay_s=(5.0, 5.0, 5.0), straight_psd_m2ps3=(2.0, 0.3))
    assert short > highest(world, 10.0) + 15.0


def test_level_flight_is_shown_at_its_height(world) -> None:
    assert abs(highest(world, 0.0)) < 5.0
