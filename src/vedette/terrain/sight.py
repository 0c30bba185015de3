"""Line of sight between two points over a curved Earth in air that bends rays.

A ray that is bent like a circle is straight over an Earth of another radius. For radio in the standard
atmosphere that is 4/3 of the true one (ITU-R P.310, effective radius of the Earth); for light it is
R / (1 - k), where k = 0.13 is Gauss's coefficient of refraction (Torge and Mueller, Geodesy, 4th edition,
2012, chapter 5). At distance d the ground then lies d^2 / (2 R') below the horizontal: 4.4 m at 10 km
for radio, 6.8 m for light, 7.8 m in no air at all.
"""

import math
from typing import Literal

import numpy as np
from msgspec import Struct

from vedette.model.errors import InputError
from vedette.terrain import kernels
from vedette.terrain.sampling import LocalGrid

Ray = Literal["radio", "optical", "straight"]

OPTICAL_K = 0.13
SAMPLES_PER_CELL = 8
RADIUS_FACTOR: dict[Ray, float] = {"radio": 4.0 / 3.0, "optical": 1.0 / (1.0 - OPTICAL_K), "straight": 1.0}
"""Effective radius of the Earth over the true one."""

State = Literal["visible", "hidden", "unknown"]
STATE_NAMES: dict[int, State] = {
    kernels.VISIBLE: "visible",
    kernels.HIDDEN: "hidden",
    kernels.UNKNOWN: "unknown",
}


class Point(Struct, frozen=True, kw_only=True):
    """A place of the site's frame and a height above the ground there, in metres."""

    east_m: float
    north_m: float
    above_ground_m: float


class Sight(Struct, frozen=True, kw_only=True):
    """Whether two points see each other.

    ``clearance_m``: how far the ray passes above the known ground where it is nearest to it, negative
    where ground stands in the way, None if no ground lies between; ``at_m``: how far from the first point
    that is. ``unknown``: the known ground leaves the ray free, and it crosses a void.
    """

    state: State
    clearance_m: float | None
    at_m: float | None


def bend(earth_radius_m: float, ray: Ray) -> float:
    """1 / (2 R'), in 1/m: what the kernels call ``bend``. Raises InputError for an unknown ray."""
    if ray not in RADIUS_FACTOR:
        raise InputError(f"no ray {ray!r}; choose one of {', '.join(RADIUS_FACTOR)}")
    return 0.5 / (earth_radius_m * RADIUS_FACTOR[ray])


def line_of_sight(grid: LocalGrid, first: Point, second: Point, *, ray: Ray = "radio") -> Sight:
    """Whether ``first`` sees ``second``; the same the other way round.

    The ground is sampled `SAMPLES_PER_CELL` times in each cell. Raises InputError for a point below the
    ground, outside the grid, or over a void, where a height above ground means nothing.
    """
    eye = _height(grid, first)
    target = _height(grid, second)
    x0, y0 = grid.cells(first.east_m, first.north_m)
    x1, y1 = grid.cells(second.east_m, second.north_m)
    distance = math.hypot(x1 - x0, y1 - y0) * grid.cell_m
    samples = max(math.ceil(SAMPLES_PER_CELL * distance / grid.cell_m), 1)
    found = np.empty(2)
    state = kernels.sight_line(
        grid.heights_m,
        np.array([x0, y0, x1, y1]),
        np.array([eye, target, distance]),
        bend(grid.earth_radius_m, ray),
        samples,
        found,
    )
    known = bool(math.isfinite(found[0]))
    return Sight(
        state=STATE_NAMES[int(state)],
        clearance_m=float(found[0]) if known else None,
        at_m=float(found[1]) if known else None,
    )


def _height(grid: LocalGrid, point: Point) -> float:
    return standing_height(grid, point.east_m, point.north_m, point.above_ground_m)


def standing_height(grid: LocalGrid, east_m: float, north_m: float, above_ground_m: float) -> float:
    """Height over the grid's datum of something that stands above the ground. Raises InputError if it
    would stand below it, or if the ground there is not known."""
    where = f"({east_m:.0f} m east, {north_m:.0f} m north)"
    if not (math.isfinite(above_ground_m) and above_ground_m >= 0.0):
        raise InputError(
            f"{above_ground_m} m above the ground at {where} lies below it or nowhere: give a height >= 0"
        )
    ground = grid.ground_m(east_m, north_m)
    if ground is None:
        raise InputError(
            f"the elevation model has no height at {where}: it lies outside or in a void; bring the tile "
            "that covers it, or move the point"
        )
    return ground + above_ground_m
