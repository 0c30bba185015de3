"""The synthetic ground: seeded, gentle, the same by array and by number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.simulate.ground import FlatGround, RollingDesert

PLACES = st.floats(-20_000, 20_000)


def test_flat_ground_is_flat() -> None:
    ground = FlatGround()
    assert ground.level
    assert ground.height_at(12.0, -7.0) == 0.0
    assert not ground.masks((0.0, 0.0, -5.0), (100.0, 0.0, -5.0))


@given(PLACES, PLACES, st.integers(0, 2**32))
def test_array_and_number_agree_to_the_bit(east: float, north: float, seed: int) -> None:
    ground = RollingDesert(seed)
    many = ground.height_m(np.array([0.0, east, 5.0]), np.array([1.0, north, 5.0]))
    assert float(many[1]) == ground.height_at(east, north)


def test_the_origin_is_at_the_site_height() -> None:
    assert RollingDesert(3).height_at(0.0, 0.0) == 0.0


def test_the_seed_shapes_the_ground() -> None:
    assert RollingDesert(1).height_at(900.0, 100.0) != RollingDesert(2).height_at(900.0, 100.0)
    assert RollingDesert(1).height_at(900.0, 100.0) == RollingDesert(1).height_at(900.0, 100.0)


@pytest.mark.parametrize("seed", range(5))
def test_slopes_are_gentle_and_the_ground_is_not_flat(seed: int) -> None:
    along = np.arange(-8000.0, 8000.0, 5.0)
    heights = RollingDesert(seed).height_m(along, 0.4 * along)
    assert float(np.ptp(heights)) > 5.0
    assert float(np.max(np.abs(np.diff(heights)))) / 5.0 < 0.16


def test_a_hill_masks_what_is_behind_it() -> None:
    ground = RollingDesert(11)
    along = np.arange(-8000.0, 8000.0, 10.0)
    heights = ground.height_m(along, np.zeros_like(along))
    top = int(np.argmax(heights[100:-100])) + 100
    left, right = float(along[top - 60]), float(along[top + 60])
    low = (left, 0.0, ground.height_at(left, 0.0) + 0.5)
    other = (right, 0.0, ground.height_at(right, 0.0) + 0.5)
    assert ground.masks(low, other)
    assert ground.masks(other, low)
    assert not ground.masks((*low[:2], low[2] + 300.0), (*other[:2], other[2] + 300.0))
