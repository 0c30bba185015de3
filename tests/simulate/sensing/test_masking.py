"""Ground in the way of a sensor."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.geo import LocalFrame
from vedette.simulate.elevated import PostGround
from vedette.simulate.ground import FlatGround, RollingDesert
from vedette.simulate.sensing.masking import edges
from vedette.terrain import Antenna, Fan, local_grid, mask, synthesize

GROUND = RollingDesert(3)
PLACES = st.floats(min_value=-4000.0, max_value=4000.0)


class _Wall:
    """Level ground with a wall 40 m high along north = 500."""

    level = False

    def height_m(self, east_m: np.ndarray, north_m: np.ndarray) -> np.ndarray:
        return np.where(np.abs(north_m - 500.0) < 20.0, 40.0, 0.0) + 0.0 * east_m

    def height_at(self, east_m: float, north_m: float) -> float:
        return 40.0 if abs(north_m - 500.0) < 20.0 else 0.0

    def masks(self, one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
        raise AssertionError("not asked here")


def test_level_ground_is_never_in_the_way() -> None:
    assert edges(FlatGround(), (0.0, 0.0, 2.0), np.array([[900.0, 0.0, 3.0]]), "radio").tolist() == [-np.inf]


def test_a_wall_hides_what_is_low_behind_it_by_as_much_as_it_is_high() -> None:
    points = np.array([[0.0, 1000.0, 10.0], [0.0, 1000.0, 200.0], [0.0, 400.0, 10.0]])
    low, high, before = edges(_Wall(), (0.0, 0.0, 10.0), points, "sound").tolist()
    assert low == pytest.approx(30.0 * np.sqrt(2.0 * (1.0 / 500.0 + 1.0 / 500.0)), rel=0.02)
    assert high < 0.0
    assert before < 0.0


@settings(max_examples=60, deadline=None)
@given(PLACES, PLACES, st.floats(min_value=2.0, max_value=80.0))
def test_agrees_with_the_line_of_sight_of_the_world(east: float, north: float, agl_m: float) -> None:
    eye = (0.0, 0.0, GROUND.height_at(0.0, 0.0) + 8.0)
    place = (east, north, GROUND.height_at(east, north) + agl_m)
    (edge,) = edges(GROUND, eye, np.array([place]), "sound").tolist()
    if abs(edge) > 0.05:  # The two look at the ground at different places of the way.
        assert (edge > 0.0) == GROUND.masks(eye, place)


@settings(max_examples=30, deadline=None)
@given(PLACES, PLACES)
def test_a_point_does_not_depend_on_its_company(east: float, north: float) -> None:
    eye = (50.0, -30.0, 12.0)
    points = np.array([[east, north, 40.0], [2000.0, 0.0, 15.0], [-10.0, 3000.0, 5.0]])
    together = edges(GROUND, eye, points, "radio").tolist()
    assert together == [edges(GROUND, eye, points[row : row + 1], "radio").item() for row in range(3)]


def test_agrees_with_the_sweep_of_the_terrain_room() -> None:
    """The same ground by other code: a sweep over its posts, and lines through its heights."""
    frame = LocalFrame(31.45, -110.9, 600.0)
    elevation = synthesize(
        "desert", seed=4, lat_deg=31.45, lon_deg=-110.9, half_extent_m=5000.0, relief_m=400.0
    )
    grid = local_grid(elevation, frame, "egm96", radius_m=4500.0)
    ground = PostGround(grid)
    generator = np.random.default_rng(9)
    points = generator.uniform(-2500.0, 2500.0, (800, 3))
    heights = ground.height_m(points[:, 0], points[:, 1])
    points[:, 2] = heights + generator.uniform(2.0, 60.0, 800)
    eye = (300.0, -200.0, ground.height_at(300.0, -200.0) + 10.0)
    swept = mask(grid, Antenna(east_m=300.0, north_m=-200.0, mast_m=10.0), Fan(range_m=4500.0))
    states = swept.states(points)
    hidden = edges(ground, eye, points, "radio") > 0.0
    known = states >= 0
    assert np.count_nonzero(known) > 700
    assert 0.15 < np.mean(hidden[known]) < 0.85
    assert np.mean(hidden[known] == (states[known] == 0)) > 0.97


def test_refraction_lifts_radio_over_the_ridge() -> None:
    eye, point = (0.0, 0.0, 5.0), np.array([[3000.0, 2500.0, 10.0]])
    radio, light, sound = (edges(GROUND, eye, point, ray).item() for ray in ("radio", "light", "sound"))
    assert radio < light < sound
