"""How far off a body is of which only the direction is known: weights of ranges, by Bayes' rule.

Ranges are log-spaced, as in range-parameterised filters (Peach, "Bearings-only tracking using a set of
range-parameterised extended Kalman filters", IEE Proc. Control Theory and Applications 142(1), 1995), with
one filter of azimuth and rate for all of them: what tells the ranges apart is how much ground and which
heights lie there, how fast a body would fly across, and what other sensors saw or heard there, or did not.

Explicit loops in a fixed order, as in `kernels.kalman`.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vedette.fuse.kernels.crossing import share_left, toward, within
from vedette.fuse.kernels.kalman import F64
from vedette.fuse.kernels.listening import ELEVATION, ELEVATION_VAR, RATE, RR
from vedette.fuse.kernels.sight import TWO_PI, wrapped

SPEED, HEIGHT, HEIGHT_SIGMA, ODD, HEIGHTS_M = range(5)
"""Indices into the figures: sigma of a component of velocity (m/s); height prior (m), its sigma, the share of
bodies at other heights, and the mean of those."""


@njit(cache=True, error_model="numpy")
def edges(nearest: float, farthest: float, out: F64) -> None:
    """Borders (r + 1,) of r log-spaced cells of range."""
    cells = len(out) - 1
    for i in range(cells + 1):
        out[i] = nearest * (farthest / nearest) ** (i / cells)


@njit(cache=True, error_model="numpy")
def grounds(
    way: F64, origin: F64, borders: F64, height: float, origins: F64, rotations: F64, limits: F64, left: F64,
    out: F64,
) -> float:  # fmt: skip
    """Ground (m2 a radian) of each cell along a direction, less what searching sensors have found empty, into
    ``out`` (r,); returns the sum. ``way`` as in `crossing.toward`."""
    total = 0.0
    for i in range(len(out)):
        middle = math.sqrt(borders[i] * borders[i + 1])
        e, n = origin[0] + middle * way[0], origin[1] + middle * way[1]
        out[i] = 0.5 * (borders[i + 1] * borders[i + 1] - borders[i] * borders[i])
        out[i] *= share_left(e, n, height, origins, rotations, limits, left)
        total += out[i]
    return total


@njit(cache=True, error_model="numpy")
def new_along(
    way: F64, origin: F64, borders: F64, height: float, origins: F64, rotations: F64, limits: F64, left: F64,
    out: F64,
) -> None:  # fmt: skip
    """`grounds` of all cells together, along each of the directions ``way`` (k, 3), into ``out`` (k,)."""
    cells = np.empty(len(borders) - 1)
    for q in range(way.shape[0]):
        out[q] = grounds(way[q], origin, borders, height, origins, rotations, limits, left, cells)


@njit(cache=True, error_model="numpy")
def new_of(
    z: F64, use: NDArray[np.bool_], origin: F64, rotation: F64, borders: F64, height: float, origins: F64,
    rotations: F64, limits: F64, left: F64, density: float, out: F64,
) -> None:  # fmt: skip
    """How many bodies a radian a sensor hears for the first time along each bearing, into ``out`` (k,), if
    ``density`` (a square metre) is what it would where nobody else looks."""
    way = np.empty((z.shape[0], 3))
    toward(z, use, rotation, way)
    new_along(way, origin, borders, height, origins, rotations, limits, left, out)
    for q in range(len(out)):
        out[q] *= density


@njit(cache=True, error_model="numpy")
def by_motion(ray: F64, base: float, borders: F64, figures: F64, weight: F64) -> None:
    """Multiply by how well the azimuth's rate fits a body at that range, and its elevation a height at which
    drones fly."""
    for i in range(len(weight)):
        middle = math.sqrt(borders[i] * borders[i + 1])
        across = figures[SPEED] / middle
        variance = ray[RR] + across * across
        weight[i] *= math.exp(-0.5 * ray[RATE] * ray[RATE] / variance) / math.sqrt(TWO_PI * variance)
        if ray[ELEVATION_VAR] >= 0.0:
            rise = math.tan(ray[ELEVATION])
            sigma = math.sqrt(figures[HEIGHT_SIGMA] ** 2 + middle * middle * ray[ELEVATION_VAR])
            height = base + middle * rise
            off = (height - figures[HEIGHT]) / sigma
            usual = math.exp(-0.5 * off * off) / (sigma * math.sqrt(TWO_PI))
            odd = math.exp(-abs(height) / figures[HEIGHTS_M]) / figures[HEIGHTS_M]
            # The density of an elevation is that of a height times metres a radian.
            weight[i] *= middle * ((1.0 - figures[ODD]) * usual + figures[ODD] * odd)


@njit(cache=True, error_model="numpy")
def by_hearing(
    way: F64,
    origin: F64,
    borders: F64,
    height: float,
    other: F64,
    rotation: F64,
    limits: F64,
    sees: float,
    z: F64,
    var: F64,
    elsewhere: F64,
    weight: F64,
) -> None:
    """Multiply by how well what another sensor heard, or did not, fits a body in each cell: it would be heard
    with probability ``sees``, somewhere between the directions of the cell's borders."""
    for i in range(len(weight)):
        middle = math.sqrt(borders[i] * borders[i + 1])
        e, n = origin[0] + middle * way[0], origin[1] + middle * way[1]
        if not within(e, n, height, other, rotation, limits):
            continue
        near = _azimuth(origin[0] + borders[i] * way[0], origin[1] + borders[i] * way[1], other, rotation)
        far = _azimuth(
            origin[0] + borders[i + 1] * way[0], origin[1] + borders[i + 1] * way[1], other, rotation
        )
        half = 0.5 * wrapped(far - near)
        centre, half = near + half, abs(half)
        ratio = 1.0 - sees
        for q in range(z.shape[0]):
            width = half + 2.0 * math.sqrt(var[q, 0])
            if abs(wrapped(z[q, 0] - centre)) <= width:
                ratio += sees / (2.0 * width * elsewhere[q])
        weight[i] *= ratio


@njit(cache=True, error_model="numpy")
def _azimuth(e: float, n: float, origin: F64, rotation: F64) -> float:
    """In the sensor's frame, of a place on its level."""
    de, dn = e - origin[0], n - origin[1]
    return math.atan2(rotation[0, 0] * de + rotation[1, 0] * dn, rotation[0, 1] * de + rotation[1, 1] * dn)


@njit(cache=True, error_model="numpy")
def normalise(weight: F64) -> bool:
    """Make the sum one, in place; False, and all equal, where nothing is left."""
    total = 0.0
    for i in range(len(weight)):
        total += weight[i]
    good = total > 0.0 and total < math.inf
    for i in range(len(weight)):
        weight[i] = weight[i] / total if good else 1.0 / len(weight)
    return good


def no_eyes() -> tuple[F64, F64, F64, F64]:
    """Origins, rotations, limits and shares of no sensors."""
    return np.zeros((0, 3)), np.zeros((0, 3, 3)), np.zeros((0, 8)), np.zeros(0)
