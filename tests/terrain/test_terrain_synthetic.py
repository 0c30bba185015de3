"""Synthetic ground: the same seed, the same ground; each kind is what it says."""

import numpy as np
import pytest

from vedette import geo, terrain
from vedette.model.errors import InputError

LAT, LON = 31.35, -110.95
KINDS = ("flat", "ridge", "canyon", "desert")


def ground(kind: str, seed: int = 1, **more: float) -> terrain.Elevation:
    return terrain.synthesize(kind, seed=seed, lat_deg=LAT, lon_deg=LON, half_extent_m=5000.0, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_decides_the_ground(kind: str) -> None:
    first, again, other = ground(kind), ground(kind), ground(kind, seed=2)
    assert np.array_equal(first.heights_m, again.heights_m)
    assert np.array_equal(first.heights_m, other.heights_m) == (kind == "flat")
    assert first.vertical_datum == "egm96"
    assert first.void_count == 0


def test_flat_is_flat_and_the_desert_rolls_as_asked() -> None:
    assert float(np.ptp(ground("flat").heights_m)) == 0.0
    spread = [float(ground("desert", seed=s, relief_m=200.0).heights_m.std()) for s in range(8)]
    assert np.mean(spread) == pytest.approx(50.0, rel=0.3)


def test_the_ridge_stands_and_the_canyon_lies_at_the_place() -> None:
    ridge, canyon = ground("ridge", relief_m=300.0), ground("canyon", relief_m=300.0)
    top = terrain.height_at(ridge, LAT, LON)
    floor = terrain.height_at(canyon, LAT, LON)
    assert top is not None
    assert floor is not None
    assert top > np.median(ridge.heights_m) + 200.0
    assert floor < np.median(canyon.heights_m) - 200.0


def test_void_patches_are_holes() -> None:
    holed = ground("desert", void_patches=5)
    assert 0 < holed.void_count < 0.1 * holed.void.size
    assert np.array_equal(holed.void, ground("desert", void_patches=5).void)


def test_ground_lies_round_the_place() -> None:
    grid = terrain.local_grid(ground("desert"), geo.LocalFrame(LAT, LON, 0.0), "egm96", radius_m=4900.0)
    assert grid.void_share == 0.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "sea"},
        {"half_extent_m": 10.0},
        {"half_extent_m": 1e7},
        {"spacing_deg": 0.0},
        {"lat_deg": 89.0},
    ],
)
def test_nonsense_is_refused(wrong: dict[str, object]) -> None:
    asked = {"kind": "flat", "seed": 1, "lat_deg": LAT, "lon_deg": LON} | wrong
    with pytest.raises(InputError, match="synthetic ground"):
        terrain.synthesize(**asked)  # type: ignore[arg-type]
