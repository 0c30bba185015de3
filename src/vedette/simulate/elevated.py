"""The ground that a scenario names, also the one made of posts: synthetic ridges and canyons, real places.

Heights of posts are rounded to 1/64 m, far below what they are good for, so that the last bits of a
machine's sines do not reach the places of bodies.
"""

import math
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vedette.geo import LocalFrame
from vedette.model.errors import ConfigError, DatumError, InputError
from vedette.model.site import Site
from vedette.simulate.ground import FlatGround, Ground, RollingDesert
from vedette.simulate.places import ellipsoid_height_m
from vedette.simulate.scenario import Dem, Head
from vedette.terrain import LocalGrid, height_at, local_grid, read, synthesize
from vedette.terrain import kernels as terrain_kernels
from vedette.terrain.sight import bend

Array = NDArray[np.float64]
Triple = tuple[float, float, float]

STEP_M = 1.0 / 64.0
SYNTHETIC_EXTENT_M = 9000.0
SYNTHETIC_RELIEF_M = 120.0


class PostGround:
    """Ground from a grid of posts on the site's frame, over a curved Earth; NaN where it is not known."""

    level = False

    def __init__(self, grid: LocalGrid, raised_m: float = 0.0) -> None:
        heights = np.round(grid.heights_m.astype(np.float64) / STEP_M) * STEP_M
        self._heights = np.ascontiguousarray(heights + raised_m - grid.origin_alt_m, np.float32)
        self._west, self._south, self._cell = grid.west_m, grid.south_m, grid.cell_m
        self._curve = 0.5 / grid.earth_radius_m
        self._bend = bend(grid.earth_radius_m, "radio")

    def height_m(self, east_m: Array, north_m: Array) -> Array:
        """Heights at places given as arrays of one shape."""
        east, north = np.broadcast_arrays(east_m, north_m)
        found = np.array(
            [self.height_at(e, n) for e, n in zip(east.ravel().tolist(), north.ravel().tolist(), strict=True)]
        )
        return found.reshape(east.shape)

    def height_at(self, east_m: float, north_m: float) -> float:
        """Height at one place: bilinear between posts, less the Earth's curve."""
        x, y = (east_m - self._west) / self._cell, (north_m - self._south) / self._cell
        height = terrain_kernels.bilinear(self._heights, x, y)
        return float(height) - self._curve * (east_m * east_m + north_m * north_m)

    def masks(self, one: Triple, other: Triple) -> bool:
        """True if known ground stands between two places, for radio that the air bends (ITU-R P.310)."""
        length = math.hypot(other[0] - one[0], other[1] - one[1])
        found = np.empty(2)
        line = np.array([*self._cells(one), *self._cells(other)])
        ends = np.array([self._over_datum(one), self._over_datum(other), length])
        samples = max(1, math.ceil(2.0 * length / self._cell))
        state = terrain_kernels.sight_line(self._heights, line, ends, self._bend, samples, found)
        return bool(state == terrain_kernels.HIDDEN)

    def _cells(self, place: Triple) -> tuple[float, float]:
        return (place[0] - self._west) / self._cell, (place[1] - self._south) / self._cell

    def _over_datum(self, place: Triple) -> float:
        return place[2] + self._curve * (place[0] * place[0] + place[1] * place[1])


def ground_for(head: Head) -> Ground:
    """The ground of a scenario. Raises ConfigError for a file that cannot be used."""
    if head.dem is not None:
        return _real(head.dem, head.site)
    if head.terrain == "flat":
        return FlatGround()
    return RollingDesert(head.seed) if head.terrain == "rolling-desert" else _synthetic(head.terrain, head)


def _synthetic(terrain: str, head: Head) -> Ground:
    return _posts("canyon" if terrain == "canyon" else "ridge", head.seed, head.site)


@lru_cache(maxsize=8)
def _posts(kind: Literal["ridge", "canyon"], seed: int, site: Site) -> Ground:
    elevation = synthesize(
        kind,
        seed=seed,
        lat_deg=site.lat_deg,
        lon_deg=site.lon_deg,
        half_extent_m=SYNTHETIC_EXTENT_M,
        relief_m=SYNTHETIC_RELIEF_M,
    )
    here = height_at(elevation, site.lat_deg, site.lon_deg)
    assert here is not None
    frame = LocalFrame(site.lat_deg, site.lon_deg, 0.0)
    grid = local_grid(elevation, frame, "wgs84-ellipsoid", radius_m=SYNTHETIC_EXTENT_M - 300.0, raise_m=-here)
    return PostGround(grid)


@lru_cache(maxsize=4)
def _real(dem: Dem, site: Site) -> Ground:
    frame = LocalFrame(site.lat_deg, site.lon_deg, ellipsoid_height_m(site))
    try:
        elevation = read(dem.path, vertical_datum=dem.vertical_datum)
        grid = local_grid(
            elevation,
            frame,
            "wgs84-ellipsoid",
            radius_m=dem.radius_m,
            cell_m=dem.cell_m,
            geoid_height_m=site.geoid_height_m,
            raise_m=dem.raise_m,
        )
    except (DatumError, InputError) as error:
        raise ConfigError(str(error)) from error
    return PostGround(grid)
