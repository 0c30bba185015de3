"""The approach that the ground hides: the cheapest path by exposure, held against a plain reference."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.model.errors import ConfigError
from vedette.model.site import Site
from vedette.simulate.behaviours.masked import IN_SIGHT, Exposure, hidden_path
from vedette.simulate.elevated import ground_for
from vedette.simulate.ground import FlatGround
from vedette.simulate.plane import Pair
from vedette.simulate.scenario import Head

SITE = Site(name="t", lat_deg=31.45, lon_deg=-110.9, alt_m=900.0, alt_datum="wgs84-ellipsoid")
GOAL = (0.0, 0.0)


class _Screen:
    """Flat ground with a wall that hides all that lies west of it from all that lies east of it."""

    level = True

    def __init__(self, hidden: np.ndarray) -> None:
        self._hidden = hidden

    def height_m(self, east_m: np.ndarray, north_m: np.ndarray) -> np.ndarray:
        return np.zeros(np.broadcast(east_m, north_m).shape)

    def height_at(self, east_m: float, north_m: float) -> float:
        return 0.0

    def masks(self, one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
        row, column = int(one[1] // 50.0) % 16, int(one[0] // 50.0) % 16
        return bool(self._hidden[row, column])


def _cost(exposure: Exposure, way: tuple[Pair, ...]) -> float:
    return sum(
        math.dist(a, b) * (1.0 + IN_SIGHT * exposure.eyes_on(exposure.cell(b)))
        for a, b in itertools.pairwise(way)
    )


def _cheapest(exposure: Exposure, start: Pair, goal: Pair) -> float:
    """Bellman and Ford's relaxation until nothing changes: slow, and needs no queue."""
    cells = [(x, y) for x in range(exposure.columns) for y in range(exposure.rows)]
    best = dict.fromkeys(cells, math.inf)
    best[exposure.cell(start)] = 0.0
    changed = True
    while changed:
        changed = False
        for x, y in cells:
            for dx, dy in itertools.product((-1, 0, 1), repeat=2):
                near = (x + dx, y + dy)
                if (dx, dy) == (0, 0) or near not in best:
                    continue
                step = math.hypot(dx, dy) * exposure.cell_m * (1.0 + IN_SIGHT * exposure.eyes_on((x, y)))
                if best[near] + step < best[x, y] - 1e-9:
                    best[x, y] = best[near] + step
                    changed = True
    return best[exposure.cell(goal)]


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.floats(200.0, 450.0), st.floats(-300.0, 300.0))
def test_no_path_is_cheaper(seed: int, east: float, north: float) -> None:
    hidden = np.random.Generator(np.random.PCG64(seed)).random((16, 16)) < 0.5
    exposure = Exposure(_Screen(hidden), [(0.0, 0.0, 5.0)], (east, north), GOAL, 5.0)
    way = hidden_path(exposure, (east, north), GOAL)
    assert _cost(exposure, way) == pytest.approx(_cheapest(exposure, (east, north), GOAL))
    assert way[0] == exposure.middle(exposure.cell((east, north)))
    assert way[-1] == exposure.middle(exposure.cell(GOAL))


class _Island(FlatGround):
    """Known ground only within 130 m of a place."""

    def height_at(self, east_m: float, north_m: float) -> float:
        return 0.0 if math.hypot(east_m - 400.0, north_m) < 130.0 else math.nan


def test_no_way_over_unknown_ground_is_told() -> None:
    exposure = Exposure(_Island(), [(0.0, 0.0, 5.0)], (400.0, 0.0), GOAL, 5.0)
    with pytest.raises(ConfigError, match="leaves no way"):
        hidden_path(exposure, (400.0, 0.0), GOAL)


def test_where_nothing_hides_the_way_is_short() -> None:
    exposure = Exposure(FlatGround(), [(0.0, 0.0, 5.0)], (1200.0, 900.0), GOAL, 5.0)
    way = hidden_path(exposure, (1200.0, 900.0), GOAL)
    flown = sum(math.dist(a, b) for a, b in itertools.pairwise(way))
    assert flown < 1500.0 * 1.1
    assert all(exposure.eyes_on(exposure.cell(place)) == 1 for place in way[:-1])


def test_where_there_is_relief_the_way_is_seen_less_than_the_straight_one() -> None:
    """Over several canyons, together: in one of them the straight line may lie hidden by itself."""
    straight_seen, way_seen = 0.0, 0.0
    for seed in range(6):
        ground = ground_for(Head(name="t", seed=seed, duration_s=1.0, site=SITE, terrain="canyon"))
        eye = (0.0, 0.0, ground.height_at(0.0, 0.0) + 6.0)
        start = (1100.0, 500.0)
        exposure = Exposure(ground, [eye], start, GOAL, 6.0)
        way = hidden_path(exposure, start, GOAL)
        way_seen += _seen_m(exposure, way)
        parts = [(start[0] * (1 - k / 24), start[1] * (1 - k / 24)) for k in range(25)]
        straight_seen += _seen_m(exposure, tuple(parts))
    assert straight_seen > 300.0
    assert way_seen < 0.75 * straight_seen


def _seen_m(exposure: Exposure, way: tuple[Pair, ...]) -> float:
    return sum(math.dist(a, b) * exposure.eyes_on(exposure.cell(b)) for a, b in itertools.pairwise(way))
