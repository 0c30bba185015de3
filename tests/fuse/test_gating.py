"""Angles and windows of the gate, against plain arithmetic."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vedette.fuse.kernels import gating, sight

ANGLE = st.floats(-math.pi, math.pi)


@settings(deadline=None)
@given(ANGLE, ANGLE)
@example(math.pi, -math.pi)
@example(-math.pi, math.pi)
@example(math.pi, 0.0)
def test_the_difference_of_two_angles_is_turned_as_any_angle_is(one: float, other: float) -> None:
    difference = sight.turned(one - other)
    assert -math.pi <= difference < math.pi
    apart = abs(difference - sight.wrapped(one - other))
    assert min(apart, 2.0 * math.pi - apart) <= 1e-15


@settings(max_examples=100, deadline=None)
@given(st.lists(ANGLE, min_size=1, max_size=40), ANGLE, st.floats(0.0, math.pi), st.floats(0.0, 3.1415926))
def test_candidates_are_the_plots_inside_the_window_round_the_circle(
    angles: list[float], base: float, before: float, after: float
) -> None:
    keys = np.sort(np.array(angles))
    order = np.argsort(-np.array(angles), kind="stable")[::-1].astype(np.int64)
    near = np.empty(len(keys), np.int64)
    found = gating._candidates(sight.BEARING, keys, order, base, -before, after, near)
    turns = [keys + 2.0 * math.pi * turn for turn in (-1, 0, 1)]
    inside = np.any([(base - before + 1e-9 < key) & (key < base + after - 1e-9) for key in turns], axis=0)
    beside = np.any([(base - before - 1e-9 < key) & (key < base + after + 1e-9) for key in turns], axis=0)
    taken = near[:found].tolist()
    assert len(set(taken)) == found
    assert set(order[inside].tolist()) <= set(taken) <= set(order[beside].tolist())


def test_places_are_not_turned_round_a_circle() -> None:
    keys, order, near = np.array([-4.0, 1.0, 2.0, 7.3]), np.arange(4), np.empty(4, np.int64)
    found = gating._candidates(sight.PLACE, keys, order, 1.5, -1.0, 1.0, near)
    assert near[:found].tolist() == [1, 2]


def test_a_difference_may_be_off_by_a_sensor_s_bias() -> None:
    assert sight.turned(2.0 * math.pi + 0.1) == pytest.approx(0.1)
    assert sight.turned(-2.0 * math.pi - 0.1) == pytest.approx(-0.1)
