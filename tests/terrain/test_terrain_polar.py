"""The polar sweep: against its numpy reference, against line of sight, and against geometry."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.errors import InputError
from vedette.terrain import (
    Antenna,
    Fan,
    LocalGrid,
    Point,
    kernels,
    line_of_sight,
    lowest_bytes,
    reference,
    sweep_work,
    warm,
)
from vedette.terrain import sweep as sweep_antenna
from vedette.terrain.sight import bend

Grids = Callable[..., LocalGrid]
Rough = Callable[..., Any]

MIDDLE = Antenna(east_m=905.0, north_m=893.0, mast_m=10.0)
FAN = Fan(range_m=800.0, azimuths=72, step_m=20.0)


def tables(heights: Any, x: float, y: float, eye: float, k: float, shape: tuple[int, int]) -> tuple[Any, ...]:
    lowest, horizon = np.empty(shape), np.empty(shape)
    first_void = np.empty(shape[0], np.int32)
    kernels.sweep(heights, x, y, 30.0, eye, 20.0, k, lowest, horizon, first_void)
    return lowest, horizon, first_void


@given(
    st.integers(0, 1000),
    st.sampled_from([0.0, 0.01, 0.2]),
    st.floats(0.0, 60.0),
    st.floats(0.0, 60.0),
    st.floats(0.0, 100.0),
    st.sampled_from([(4, 1), (7, 30), (72, 50)]),
)
def test_the_kernel_equals_the_reference(
    rough: Rough, seed: int, voids: float, x: float, y: float, eye: float, shape: tuple[int, int]
) -> None:
    heights = rough(seed, voids=voids)
    lowest, horizon, first_void = tables(heights, x, y, eye, 6e-8, shape)
    want = reference.sweep(heights, x, y, 30.0, eye, 20.0, 6e-8, shape)
    np.testing.assert_allclose(lowest, want[0], rtol=0.0, atol=1e-9)
    np.testing.assert_allclose(horizon, want[1], rtol=0.0, atol=1e-9)
    assert np.array_equal(first_void, want[2])


def test_the_kernel_repeats_itself_bit_for_bit(rough: Rough) -> None:
    first = tables(rough(4, voids=0.01), 30.3, 29.7, 50.0, 6e-8, (360, 60))
    again = tables(rough(4, voids=0.01), 30.3, 29.7, 50.0, 6e-8, (360, 60))
    assert [a.tobytes() for a in first] == [b.tobytes() for b in again]


def test_flat_ground_hides_nothing_but_by_curvature(grid_of: Grids) -> None:
    """Beyond the horizon at sqrt(2 R' h) the least height grows as (d - horizon)^2 / (2 R')."""
    flat = grid_of(np.zeros((3001, 3), np.float32))
    swept = sweep_antenna(
        flat, Antenna(east_m=30.0, north_m=0.0, mast_m=8.0), Fan(range_m=80_000.0, azimuths=4, step_m=60.0)
    )
    k = bend(flat.earth_radius_m, "radio")
    horizon = math.sqrt(8.0 / k)
    distance = 60.0 * np.arange(1, swept.lowest_m.shape[1] + 1)
    want = np.where(distance > horizon, k * (distance - horizon) ** 2, 0.0)
    np.testing.assert_allclose(swept.lowest_m[0], want, atol=0.02)
    assert np.isnan(swept.lowest_m[1, 2:]).all()


def test_a_wall_casts_its_shadow(grid_of: Grids) -> None:
    """Behind a wall w metres above the eye at distance d the least height is eye + w r / d."""
    heights = np.zeros((61, 61), np.float32)
    heights[:, 40] = 50.0
    swept = sweep_antenna(
        grid_of(heights),
        Antenna(east_m=900.0, north_m=900.0, mast_m=10.0),
        Fan(range_m=600.0, azimuths=4, step_m=30.0, ray="straight"),
    )
    east = swept.lowest_m[1]
    assert east[9] == pytest.approx(0.0)
    assert east[19] == pytest.approx(10.0 + 40.0 * 600.0 / 300.0, abs=0.05)
    assert float(swept.lowest_m[3].max()) < 0.1


@given(st.integers(0, 200), st.floats(0.0, 100.0), st.floats(0.1, 50.0))
def test_a_higher_mast_never_sees_less(
    grid_of: Grids, rough: Rough, seed: int, mast: float, more: float
) -> None:
    grid = grid_of(rough(seed))
    low = sweep_antenna(grid, Antenna(east_m=905.0, north_m=893.0, mast_m=mast), FAN)
    high = sweep_antenna(grid, Antenna(east_m=905.0, north_m=893.0, mast_m=mast + more), FAN)
    assert (high.lowest_m <= low.lowest_m + 1e-3).all()


def test_an_entry_is_where_line_of_sight_changes(grid_of: Grids, rough: Rough) -> None:
    """The finest sweep and the ray to one point agree about that point but for their sampling."""
    grid = grid_of(rough(8, relief=20.0))
    swept = sweep_antenna(grid, MIDDLE, Fan(range_m=800.0, azimuths=360, step_m=1.0))
    eye = Point(east_m=MIDDLE.east_m, north_m=MIDDLE.north_m, above_ground_m=MIDDLE.mast_m)
    wrong = total = 0
    for a in range(0, 360, 10):
        for k in range(99, 800, 100):
            east = MIDDLE.east_m + math.sin(math.radians(a)) * (k + 1)
            north = MIDDLE.north_m + math.cos(math.radians(a)) * (k + 1)
            for off, state in ((-2.0, "hidden"), (2.0, "visible")):
                height = float(swept.lowest_m[a, k]) + off
                if height >= 0.0:
                    target = Point(east_m=east, north_m=north, above_ground_m=height)
                    wrong += line_of_sight(grid, eye, target).state != state
                    total += 1
    assert total > 400
    assert wrong <= 0.03 * total


def test_behind_a_void_nothing_is_visible_and_what_is_hidden_stays_hidden(grid_of: Grids) -> None:
    heights = np.zeros((61, 61), np.float32)
    heights[:, 45] = np.nan
    heights[:, 35] = 30.0
    swept = sweep_antenna(grid_of(heights), Antenna(east_m=900.0, north_m=900.0, mast_m=10.0), FAN)
    assert swept.states([100.0, 300.0, 600.0, 600.0], 90.0, [5.0, 5.0, 5.0, 500.0]).tolist() == [1, 0, 0, -1]
    assert swept.states([100.0, 300.0, 600.0, 600.0], 270.0, [5.0, 5.0, 5.0, 500.0]).tolist() == [1, 1, 1, 1]
    assert swept.known_share < 1.0


def test_what_is_asked_beyond_reason_is_unknown(grid_of: Grids, rough: Rough) -> None:
    swept = sweep_antenna(grid_of(rough(1)), MIDDLE, FAN)
    asked = [(801.0, 0.0, 50.0), (100.0, math.nan, 50.0), (100.0, 0.0, math.inf), (-1.0, 0.0, 50.0)]
    asked += [(math.nan, 0.0, 50.0), (100.0, 0.0, -1.0)]
    assert swept.states(*zip(*asked, strict=True)).tolist() == [-1] * len(asked)
    assert swept.states(0.0, 0.0, 5.0).shape == ()
    assert swept.states([800.0], [-1e300], [1e6]).tolist() == [1]
    assert swept.states([[400.0, 400.0]], [[45.0, 405.0]], 20.0)[0].tolist() in ([1, 1], [0, 0])


def test_bytes_are_the_floats_rounded_up(grid_of: Grids, rough: Rough) -> None:
    heights = rough(2, relief=300.0, voids=0.003)
    # A wall beside the mast: entries of more than 254 m.
    heights[:, 32] = 280.0
    heights[29:31, 29:32] = 10.0
    grid = grid_of(heights)
    floats, packed = sweep_antenna(grid, MIDDLE, FAN), lowest_bytes(grid, MIDDLE, FAN)
    void = np.isnan(floats.lowest_m)
    assert packed.lowest_m.dtype == np.uint8
    assert packed.horizon is None
    assert (packed.lowest_m[void] == 255).all()
    want = np.minimum(np.ceil(floats.lowest_m[~void]), 254)
    assert np.abs(packed.lowest_m[~void] - want).max() <= 1
    assert (packed.lowest_m[~void] == 254).any()
    assert np.array_equal(packed.first_void, floats.first_void)


@given(st.floats(0.0, 800.0), st.floats(-400.0, 800.0), st.floats(0.0, 400.0))
def test_bytes_never_promise_more_than_floats(
    grid_of: Grids, rough: Rough, r: float, azimuth: float, height: float
) -> None:
    grid = grid_of(rough(2, relief=300.0, voids=0.003))
    floats, packed = sweep_antenna(grid, MIDDLE, FAN), lowest_bytes(grid, MIDDLE, FAN)
    if packed.states(r, azimuth, height) == 1:
        assert floats.states(r, azimuth, height) == 1


def test_a_place_beside_an_unseen_place_is_blended(grid_of: Grids) -> None:
    swept = sweep_antenna(grid_of(np.zeros((61, 61), np.float32)), MIDDLE, FAN)
    swept.lowest_m[:] = 0.0
    swept.lowest_m[0, 9] = 40.0
    at = {(200.0, 0.0): 40.0, (210.0, 0.0): 20.0, (200.0, 2.5): 20.0, (190.0, -2.5): 10.0, (230.0, 0.0): 0.0}
    for (r, azimuth), limit in at.items():
        assert swept.states(r, azimuth, limit + 0.01) == 1
        if limit:
            assert swept.states(r, azimuth, limit - 0.01) == 0


@pytest.mark.parametrize("mast", [-1.0, math.nan, math.inf])
def test_an_antenna_below_the_ground_is_an_error(grid_of: Grids, rough: Rough, mast: float) -> None:
    with pytest.raises(InputError, match="above the ground"):
        sweep_antenna(grid_of(rough(1)), Antenna(east_m=905.0, north_m=893.0, mast_m=mast), FAN)


def test_an_antenna_outside_or_in_a_void_is_an_error(grid_of: Grids, rough: Rough) -> None:
    heights = rough(1)
    heights[30, 30] = np.nan
    for east in (905.0, -5.0, 1e9):
        with pytest.raises(InputError, match="no height at"):
            lowest_bytes(grid_of(heights), Antenna(east_m=east, north_m=893.0, mast_m=5.0), FAN)


@pytest.mark.parametrize(
    "fan",
    [
        Fan(range_m=0.0),
        Fan(range_m=math.inf),
        Fan(step_m=0.0),
        Fan(step_m=math.nan),
        Fan(range_m=10.0, step_m=20.0),
        Fan(azimuths=3),
        Fan(azimuths=10_000_000),
    ],
)
def test_a_fan_that_is_no_table_is_an_error(grid_of: Grids, rough: Rough, fan: Fan) -> None:
    with pytest.raises(InputError, match="fan"):
        sweep_antenna(grid_of(rough(1)), MIDDLE, fan)


def test_sites_may_be_swept_in_threads(grid_of: Grids, rough: Rough) -> None:
    grid = grid_of(rough(3))
    antennas = [Antenna(east_m=100.0 * n, north_m=893.0, mast_m=5.0) for n in range(1, 17)]
    alone = [lowest_bytes(grid, antenna, FAN).lowest_m for antenna in antennas]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda antenna: lowest_bytes(grid, antenna, FAN).lowest_m, antennas))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_the_benchmark_sweeps_known_ground() -> None:
    work = sweep_work(Fan(range_m=600.0, azimuths=36, step_m=60.0))
    assert [work(n) for n in range(3)] == [360, 360, 360]


def test_warming_compiles_what_a_station_calls() -> None:
    warm()
    called = [
        kernels.sweep,
        kernels.sweep_bytes,
        kernels.polar_states,
        kernels.mask_states,
        kernels.sight_line,
    ]
    assert all(kernel.signatures for kernel in called)
