"""The mask a tracker asks: points of the site's frame, plain arrays for its kernels."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from vedette import geo, terrain
from vedette.model.errors import InputError
from vedette.terrain import Antenna, Fan, LocalGrid, kernels, lowest_bytes, mask, mask_of, sweep

Grids = Callable[..., LocalGrid]
Rough = Callable[..., Any]

MIDDLE = Antenna(east_m=905.0, north_m=893.0, mast_m=10.0)
FAN = Fan(range_m=800.0, azimuths=360, step_m=15.0)
LAT, LON = 31.35, -110.95


def desert_grid(alt_m: float = 600.0) -> LocalGrid:
    ground = terrain.synthesize("desert", seed=9, lat_deg=LAT, lon_deg=LON, half_extent_m=9000.0)
    return terrain.local_grid(ground, geo.LocalFrame(LAT, LON, alt_m), "egm96", radius_m=8800.0)


def test_visible_is_what_is_known_to_be_visible(grid_of: Grids) -> None:
    heights = np.zeros((61, 61), np.float32)
    heights[:, 45] = np.nan
    heights[:, 35] = 30.0
    seen = mask(grid_of(heights), MIDDLE, FAN)
    points = [[905.0, 893.0, 3.0], [950.0, 893.0, 5.0], [1200.0, 893.0, 5.0], [1500.0, 893.0, 500.0]]
    points += [[600.0, 893.0, 5.0], [5000.0, 893.0, 500.0], [math.nan, 0.0, 0.0], [600.0, 893.0, math.inf]]
    assert seen.states(points).tolist() == [1, 1, 0, -1, 1, -1, -1, -1]
    assert seen.visible(points).tolist() == [True, True, False, False, True, False, False, False]
    assert seen.visible(np.empty((0, 3))).shape == (0,)


@pytest.mark.parametrize("shape", [(3,), (2, 2), (1, 1, 3)])
def test_points_of_another_shape_are_an_error(grid_of: Grids, shape: tuple[int, ...]) -> None:
    seen = mask(grid_of(np.zeros((61, 61), np.float32)), MIDDLE, FAN)
    with pytest.raises(InputError, match="expected"):
        seen.states(np.zeros(shape))


def test_a_mask_needs_a_horizon(grid_of: Grids) -> None:
    grid = grid_of(np.zeros((61, 61), np.float32))
    with pytest.raises(InputError, match="bytes"):
        mask_of(grid, lowest_bytes(grid, MIDDLE, FAN))


def test_on_the_rays_the_mask_is_the_sweep(grid_of: Grids, rough: Rough) -> None:
    """At the sweep's own entries the mask turns visible at exactly the lowest visible height."""
    grid = grid_of(rough(6))
    swept = sweep(grid, MIDDLE, FAN)
    seen = mask_of(grid, swept)
    for a in range(0, 360, 7):
        for k in range(3, 53, 5):
            r = (k + 1) * swept.step_m
            east = MIDDLE.east_m + math.sin(math.radians(a)) * r
            north = MIDDLE.north_m + math.cos(math.radians(a)) * r
            ground = grid.ground_m(east, north)
            assert ground is not None
            down = 0.5 * (east * east + north * north) / grid.earth_radius_m
            up = ground + float(swept.lowest_m[a, k]) - down
            # Rounding may put a point beyond its own ring; half a millimetre nearer it is not.
            inner = 1.0 - 5e-4 / r
            point = [MIDDLE.east_m + inner * (east - MIDDLE.east_m), MIDDLE.north_m, up + 0.05]
            point[1] += inner * (north - MIDDLE.north_m)
            assert seen.visible([point])[0]
            if swept.lowest_m[a, k] > 0.1:
                assert not seen.visible([[point[0], point[1], up - 0.05]])[0]


@given(st.floats(0.0, 800.0), st.floats(0.0, 360.0), st.floats(0.0, 200.0), st.floats(0.0, 100.0))
def test_rising_never_hides(
    grid_of: Grids, rough: Rough, r: float, azimuth: float, up: float, more: float
) -> None:
    seen = mask(grid_of(rough(6)), MIDDLE, FAN)
    east, north, _ = geo.polar_to_enu(r, azimuth, 0.0)
    at = [MIDDLE.east_m + east, MIDDLE.north_m + north]
    low, high = seen.states([[*at, up], [*at, up + more]])
    assert not (low == 1 and high == 0)


def test_the_tangent_plane_leaves_the_ground() -> None:
    """A point 8 km away at up = u stands 5 m higher over the ground than its up says."""
    grid = desert_grid()
    site = Antenna(east_m=0.0, north_m=0.0, mast_m=10.0)
    seen = mask(grid, site, Fan(range_m=8700.0, azimuths=720))
    lat, lon, _ = geo.LocalFrame(LAT, LON, 600.0).to_geodetic(0.0, 8000.0, 0.0)
    for alt in range(560, 900, 5):
        e, n, u = geo.LocalFrame(LAT, LON, 600.0).to_enu(lat, lon, float(alt))
        assert u == pytest.approx(alt - 600.0 - 8000.0**2 / 2.0 / 6.37e6, abs=0.05)
        ground = grid.ground_m(e, n)
        assert ground is not None
        if alt < ground:
            continue
        first = terrain.Point(east_m=0.0, north_m=0.0, above_ground_m=10.0)
        second = terrain.Point(east_m=e, north_m=n, above_ground_m=alt - ground)
        exact = terrain.line_of_sight(grid, first, second)
        if exact.clearance_m is not None and abs(exact.clearance_m) > 0.5:
            assert bool(seen.visible([[e, n, u]])[0]) == (exact.state == "visible")


def test_the_origin_s_height_does_not_matter() -> None:
    site = Antenna(east_m=100.0, north_m=-300.0, mast_m=10.0)
    fan = Fan(range_m=8000.0)
    chance = np.random.Generator(np.random.Philox(2))
    points = chance.uniform([-5000, -5000, -50], [5000, 5000, 200], (500, 3))
    low = mask(desert_grid(600.0), site, fan).states(points)
    high = mask(desert_grid(500.0), site, fan).states(points + np.array([0.0, 0.0, 100.0]))
    assert set(low.tolist()) == {0, 1}
    assert np.count_nonzero(low != high) <= 2


@njit(nogil=True)
def count_visible(horizon: Any, first_void: Any, place: Any, points: Any) -> int:
    """A kernel of another room that asks the mask point by point."""
    count = 0
    for p in range(points.shape[0]):
        state = kernels.mask_state(horizon, first_void, place, points[p, 0], points[p, 1], points[p, 2])
        count += state == kernels.VISIBLE
    return count


def test_kernels_elsewhere_use_the_plain_arrays(grid_of: Grids, rough: Rough) -> None:
    seen = mask(grid_of(rough(6)), MIDDLE, FAN)
    points = np.random.Generator(np.random.Philox(1)).uniform([200, 200, 0], [1600, 1600, 60], (300, 3))
    found = count_visible(seen.horizon, seen.first_void, seen.place, points)
    assert found == np.count_nonzero(seen.visible(points))
    assert 0 < found < 300


def test_the_kernel_equals_its_own_python(grid_of: Grids, rough: Rough) -> None:
    seen = mask(grid_of(rough(6, voids=0.003)), MIDDLE, FAN)
    points = np.random.Generator(np.random.Philox(1)).uniform([0, 0, -20], [1900, 1900, 90], (400, 3))
    plain = [
        kernels.mask_state.py_func(seen.horizon, seen.first_void, seen.place, *(float(v) for v in point))
        for point in points
    ]
    assert seen.states(points).tolist() == plain
    assert set(plain) == {-1, 0, 1}
