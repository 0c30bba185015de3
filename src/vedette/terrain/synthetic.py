"""Ground that never was, for tests, demos and the simulator: the same seed gives the same ground.

Heights in metres (egm96), on posts of WGS 84, so that synthetic ground takes every path that a file takes.
"""

import math
from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from vedette.model.errors import InputError
from vedette.terrain.elevation import WGS84, Elevation, Transform
from vedette.terrain.places import earth_radius_m

F64 = NDArray[np.float64]
Kind = Literal["flat", "ridge", "canyon", "desert"]

ARC_SECOND_DEG = 1.0 / 3600.0
BASE_M = 600.0

_WAVES = 32
_SHORTEST_M, _LONGEST_M = 250.0, 8000.0


def synthesize(
    kind: Kind,
    *,
    seed: int,
    lat_deg: float,
    lon_deg: float,
    half_extent_m: float = 12_000.0,
    spacing_deg: float = ARC_SECOND_DEG,
    relief_m: float = 120.0,
    void_patches: int = 0,
) -> Elevation:
    """Ground of one kind round a place, from a seed (numpy's Philox; Salmon et al., SC 2011).

    ``flat``: one height. ``ridge``: a rough crest ``relief_m`` high through the place, its direction from
    the seed. ``canyon``: a winding trench ``relief_m`` deep through the place. ``desert``: rolling ground
    whose heights have the standard deviation ``relief_m`` / 4. ``void_patches``: round holes without
    heights, 100 to 400 m wide. Raises InputError for sizes that make no grid.
    """
    if kind not in get_args(Kind):
        raise InputError(f"no synthetic ground {kind!r}; choose one of {', '.join(get_args(Kind))}")
    if not (abs(lat_deg) <= 80.0 and abs(lon_deg) <= 180.0 and spacing_deg > 0.0 and relief_m >= 0.0):
        raise InputError(
            f"synthetic ground at {lat_deg}, {lon_deg}, spacing {spacing_deg}, relief {relief_m}: latitude "
            "must lie in -80..80, longitude in -180..180, spacing be positive, relief not negative"
        )
    east, north = _posts(lat_deg, half_extent_m, spacing_deg)
    chance = np.random.Generator(np.random.Philox(seed))
    heights = BASE_M + relief_m * _SHAPES[kind](chance, east[None, :], north[:, None])
    return Elevation(
        heights_m=heights.astype(np.float32),
        void=_holes(chance, east[None, :], north[:, None], void_patches),
        transform=Transform(
            west=lon_deg - 0.5 * east.size * spacing_deg,
            north=lat_deg + 0.5 * north.size * spacing_deg,
            dx=spacing_deg,
            dy=spacing_deg,
        ),
        crs=WGS84,
        vertical_datum="egm96",
        source=(f"synthetic {kind} {seed}",),
    )


def _posts(lat_deg: float, half_extent_m: float, spacing_deg: float) -> tuple[F64, F64]:
    """East of every column and north of every row (north to south), metres from the place."""
    degree_m = math.radians(1.0) * earth_radius_m(lat_deg)
    across_m = spacing_deg * degree_m * math.cos(math.radians(lat_deg))
    upward_m = spacing_deg * degree_m
    if not (2.0 * upward_m < half_extent_m < 4000.0 * across_m):
        raise InputError(
            f"synthetic ground of {half_extent_m} m with posts every {upward_m:.1f} m: "
            "give it between 2 and 4000 posts to each side"
        )
    columns, rows = math.ceil(half_extent_m / across_m), math.ceil(half_extent_m / upward_m)
    east: F64 = np.arange(-columns, columns + 1, dtype=np.float64) * across_m
    north: F64 = np.arange(rows, -rows - 1, -1, dtype=np.float64) * upward_m
    return east, north


def _rolling(chance: np.random.Generator, east: F64, north: F64) -> F64:
    """A sum of waves in random directions, amplitude in proportion to length; standard deviation 1/4."""
    length = _SHORTEST_M * (_LONGEST_M / _SHORTEST_M) ** chance.random(_WAVES)
    heading, phase = 2.0 * math.pi * chance.random((2, _WAVES))
    amplitude = 0.25 * length / math.sqrt(0.5 * float(np.sum(length * length)))
    total = np.zeros(np.broadcast_shapes(east.shape, north.shape))
    for k in range(_WAVES):
        along = east * math.sin(heading[k]) + north * math.cos(heading[k])
        total += amplitude[k] * np.sin(2.0 * math.pi * along / length[k] + phase[k])
    return total


def _flat(chance: np.random.Generator, east: F64, north: F64) -> F64:
    return np.zeros(np.broadcast_shapes(east.shape, north.shape))


def _ridge(chance: np.random.Generator, east: F64, north: F64) -> F64:
    heading = math.pi * chance.random()
    width = 300.0 + 300.0 * chance.random()
    across = east * math.cos(heading) - north * math.sin(heading)
    height: F64 = np.exp(-0.5 * (across / width) ** 2) + 0.1 * _rolling(chance, east, north)
    return height


def _canyon(chance: np.random.Generator, east: F64, north: F64) -> F64:
    heading, phase = math.pi * chance.random(2)
    along = east * math.sin(heading) + north * math.cos(heading)
    across = east * math.cos(heading) - north * math.sin(heading)
    bend = 400.0 * (np.sin(along / 900.0 + phase) - math.sin(phase))
    walls = np.clip((np.abs(across - bend) - 150.0) / 200.0, 0.0, 1.0)
    height: F64 = walls - 1.0 + 0.1 * _rolling(chance, east, north)
    return height


_SHAPES: dict[str, Callable[[np.random.Generator, F64, F64], F64]] = {
    "flat": _flat,
    "ridge": _ridge,
    "canyon": _canyon,
    "desert": _rolling,
}


def _holes(chance: np.random.Generator, east: F64, north: F64, patches: int) -> NDArray[np.bool_]:
    void = np.zeros(np.broadcast_shapes(east.shape, north.shape), np.bool_)
    for _ in range(patches):
        x = chance.uniform(east.min(), east.max())
        y = chance.uniform(north.min(), north.max())
        radius = chance.uniform(50.0, 200.0)
        void |= (east - x) ** 2 + (north - y) ** 2 < radius * radius
    return void
