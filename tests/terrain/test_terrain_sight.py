"""Line of sight: curvature, refraction, obstacles, voids."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.errors import InputError
from vedette.terrain import LocalGrid, Point, line_of_sight
from vedette.terrain.sight import RADIUS_FACTOR, bend

Grids = Callable[..., LocalGrid]
Rough = Callable[..., Any]


def point(east: float, north: float, height: float) -> Point:
    return Point(east_m=east, north_m=north, above_ground_m=height)


def test_the_drop_at_ten_kilometres() -> None:
    drop = {ray: 1e8 * bend(6_371_000.0, ray) for ray in RADIUS_FACTOR}
    assert drop["straight"] == pytest.approx(7.848, abs=1e-3)
    assert drop["radio"] == pytest.approx(5.886, abs=1e-3)
    assert drop["optical"] == pytest.approx(6.828, abs=1e-3)


def test_the_horizon_of_a_smooth_earth(grid_of: Grids) -> None:
    """Two points at height h see each other up to 2 sqrt(2 R' h)."""
    flat = grid_of(np.zeros((3, 2001), np.float32))
    for ray, factor in RADIUS_FACTOR.items():
        reach = 2.0 * math.sqrt(2.0 * 6_371_000.0 * factor * 5.0)
        for share, state in ((0.99, "visible"), (1.01, "hidden")):
            ends = point(300.0, 30.0, 5.0), point(300.0 + share * reach, 30.0, 5.0)
            assert line_of_sight(flat, *ends, ray=ray).state == state


def test_a_wall_hides_what_is_lower_and_is_named(grid_of: Grids) -> None:
    heights = np.zeros((41, 41), np.float32)
    heights[:, 20] = 50.0
    grid = grid_of(heights)
    low = line_of_sight(grid, point(300.0, 600.0, 10.0), point(900.0, 600.0, 10.0))
    high = line_of_sight(grid, point(300.0, 600.0, 10.0), point(900.0, 600.0, 91.0))
    assert (low.state, high.state) == ("hidden", "visible")
    assert low.at_m == pytest.approx(300.0)
    assert low.clearance_m == pytest.approx(-40.0, abs=0.02)
    assert high.clearance_m == pytest.approx(0.5, abs=0.02)


def test_a_void_makes_sight_unknown_but_not_a_wall(grid_of: Grids) -> None:
    heights = np.zeros((41, 41), np.float32)
    heights[:, 25] = np.nan
    ends = point(300.0, 600.0, 10.0), point(1050.0, 600.0, 10.0)
    assert line_of_sight(grid_of(heights), *ends).state == "unknown"
    heights[:, 15] = 50.0
    assert line_of_sight(grid_of(heights), *ends).state == "hidden"


def test_neighbours_have_no_ground_between(grid_of: Grids) -> None:
    grid = grid_of(np.zeros((5, 5), np.float32))
    seen = line_of_sight(grid, point(60.0, 60.0, 1.0), point(61.0, 60.0, 1.0))
    assert (seen.state, seen.clearance_m, seen.at_m) == ("visible", None, None)
    assert line_of_sight(grid, point(60.0, 60.0, 1.0), point(60.0, 60.0, 9.0)).state == "visible"


PLACE = st.tuples(st.floats(0.0, 1800.0), st.floats(0.0, 1800.0), st.floats(0.0, 60.0))


@given(st.integers(0, 50), PLACE, PLACE)
def test_sight_is_mutual_and_never_lost_by_rising(
    grid_of: Grids, rough: Rough, seed: int, a: tuple[float, ...], b: tuple[float, ...]
) -> None:
    grid = grid_of(rough(seed))
    there = line_of_sight(grid, point(*a), point(*b))
    back = line_of_sight(grid, point(*b), point(*a))
    if there.clearance_m is not None and abs(there.clearance_m) > 1e-6:
        assert there.state == back.state
        assert there.clearance_m == pytest.approx(back.clearance_m or 0.0, abs=1e-6)
    if there.state == "visible":
        assert line_of_sight(grid, point(*a), point(b[0], b[1], b[2] + 1.0)).state == "visible"


@pytest.mark.parametrize("height", [-0.1, math.nan, math.inf])
def test_a_point_below_the_ground_is_an_error(grid_of: Grids, height: float) -> None:
    grid = grid_of(np.zeros((5, 5), np.float32))
    with pytest.raises(InputError, match="above the ground"):
        line_of_sight(grid, point(60.0, 60.0, height), point(30.0, 30.0, 1.0))


def test_a_point_outside_or_over_a_void_and_an_unknown_ray_are_errors(grid_of: Grids) -> None:
    heights = np.zeros((5, 5), np.float32)
    heights[3, 3] = np.nan
    grid = grid_of(heights)
    for east, north in ((90.0, 90.0), (-1.0, 60.0), (math.nan, 60.0)):
        with pytest.raises(InputError, match="no height at"):
            line_of_sight(grid, point(60.0, 60.0, 1.0), point(east, north, 1.0))
    with pytest.raises(InputError, match="no ray"):
        line_of_sight(grid, point(0.0, 0.0, 1.0), point(30.0, 30.0, 1.0), ray="laser")  # type: ignore[arg-type]
