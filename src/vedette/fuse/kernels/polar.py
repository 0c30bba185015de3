"""Where in the site's frame a polar plot is, and the state that one such plot alone gives.

Unbiased conversion from polar coordinates (Longbin, Xiaoquan, Yiyu, Kang, Bar-Shalom, "Unbiased converted
measurements for tracking", IEEE TAES 34(3), 1998). Rows of polar plots as in `kernels.sight`, of
places as in `kernels.kalman`.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vedette.fuse.kernels.imm import SHARPEST
from vedette.fuse.kernels.kalman import F64, ROWS, STATE, Mask, pin_height

_LEAST_GROUND_M = 1.0
"""As in `kernels.sight`."""


@njit(cache=True)
def _add_outer(r: F64, east: float, north: float, up: float, variance: float) -> None:
    """Add the covariance of an error of this variance along a direction."""
    direction = (east, north, up)
    for i in range(3):
        for j in range(3):
            r[i, j] += direction[i] * direction[j] * variance


@njit(cache=True)
def place(
    values: F64, var: F64, given: Mask, origin: F64, rotation: F64, prior: F64, z: F64, r: F64, use: Mask
) -> None:
    """A plot of range, azimuth and perhaps elevation and range rate (6,), with variances (6,), as a place:
    ``z`` (7,), ``r`` (7, 7), ``use`` (7,).

    Without an elevation the height is taken from the ``prior`` (mean and sigma, m). It only shortens the
    ground range; what it is unsure of widens the range's sigma. The sensor's axes, which the Earth's curve
    turns by less than 0.01 within 50 km, are taken for the site's in the covariance, not in the place.
    """
    distance, sine, cosine = values[0], math.sin(values[1]), math.cos(values[1])
    use[:] = False
    z[:], r[:] = 0.0, 0.0
    use[0] = use[1] = True
    if given[2]:
        flat, up = math.cos(values[2]), math.sin(values[2])
        _add_outer(r, flat * sine, flat * cosine, up, var[0])
        # The means of the squares of the true distance and of the true ground range: near by, and overhead,
        # arcs are longer than what was measured would have them, and never nothing.
        lever2 = distance * distance + var[0]
        ground2 = lever2 * (flat * flat + up * up * var[2]) + _LEAST_GROUND_M * _LEAST_GROUND_M
        _add_outer(r, cosine, -sine, 0.0, ground2 * var[1])
        _add_outer(r, -up * sine, -up * cosine, flat, lever2 * var[2])
        height = distance * math.exp(0.5 * var[2])
        level = height * math.exp(0.5 * var[1]) * flat
        height *= up
        use[2] = True
    else:
        height = prior[0] - origin[2]
        ground = math.sqrt(max(distance * distance - height * height, 0.25 * distance * distance))
        spread = prior[1] * min(abs(height) / ground, 1.0)
        stretch = distance / ground
        along = stretch * stretch * var[0] + spread * spread
        _add_outer(r, sine, cosine, 0.0, along)
        _add_outer(r, cosine, -sine, 0.0, (ground * ground + along) * var[1])
        level = ground * math.exp(0.5 * var[1])
    for i in range(3):
        z[i] = origin[i] + rotation[i, 0] * level * sine + rotation[i, 1] * level * cosine
        z[i] += rotation[i, 2] * height
    if given[3]:
        z[6], r[6, 6], use[6] = values[3], var[3], True


@njit(cache=True)
def begin(z: F64, r: F64, use: Mask, origin: F64, unsure: F64, motion: F64, x: F64, p: F64) -> bool:
    """The state ``x`` (6,), ``p`` (6, 6) that one place gives, with velocities of sigma ``unsure`` (3,) where
    it gives none; returns whether the height is known."""
    for i in range(3):
        given = use[3 + i]
        x[i], x[3 + i] = z[i], z[3 + i] if given else 0.0
        for j in range(3):
            p[i, j] = r[i, j]
            p[3 + i, j] = p[i, 3 + j] = p[3 + i, 3 + j] = 0.0
        p[3 + i, 3 + i] = r[3 + i, 3 + i] if given else unsure[i] * unsure[i]
    known = bool(use[2])
    if not known:
        pin_height(x, p, motion)
    if use[6]:
        _add_rate(x, p, z[6], r[6, 6], origin)
        if not known:
            pin_height(x, p, motion)
    return known


@njit(cache=True, error_model="numpy")
def _add_rate(x: F64, p: F64, rate: float, variance: float, origin: F64) -> None:
    """Update a state with a range rate alone: what `kalman.update` does, without its scratch memory, for
    there are nearly as many births as false plots. No rate is sharper than `imm.SHARPEST` allows."""
    e, n, u = x[0] - origin[0], x[1] - origin[1], x[2] - origin[2]
    distance = max(math.sqrt(e * e + n * n + u * u), 1.0)
    e, n, u = e / distance, n / distance, u / distance
    told = e * x[3] + n * x[4] + u * x[5]
    row = ((x[3] - told * e) / distance, (x[4] - told * n) / distance, (x[5] - told * u) / distance, e, n, u)
    product = (
        _times(p, 0, row), _times(p, 1, row), _times(p, 2, row), _times(p, 3, row), _times(p, 4, row),
        _times(p, 5, row),
    )  # fmt: skip
    own, independent = 0.0, 0.0
    for i in range(STATE):
        own += row[i] * product[i]
        independent += row[i] * row[i] * p[i, i]
    spread = max(own, 0.0) + max(variance, SHARPEST * independent)
    for i in range(STATE):
        x[i] += product[i] / spread * (rate - told)
        for j in range(i + 1):
            p[i, j] -= product[i] / spread * product[j]
            p[j, i] = p[i, j]


@njit(cache=True, error_model="numpy")
def _times(p: F64, i: int, row: tuple[float, float, float, float, float, float]) -> float:
    """One component of P h'."""
    total = 0.0
    for j in range(STATE):
        total += p[i, j] * row[j]
    return total


@njit(cache=True, nogil=True)
def begin_all(
    slot: int,
    plots: NDArray[np.int64],
    values: F64,
    var: F64,
    given: Mask,
    origin: F64,
    rotation: F64,
    prior: F64,
    unsure: F64,
    motion: F64,
    first: F64,
    x: F64,
    p: F64,
    known: Mask,
    xm: F64,
    pm: F64,
    mu: F64,
) -> None:
    """States of tracks that some of a scan's ``plots`` found, from ``slot`` on; ``values``, ``var``,
    ``given``: of all plots (k, 6). Each model begins from the same, with the probabilities ``first``."""
    z, r, use = np.empty(ROWS), np.empty((ROWS, ROWS)), np.empty(ROWS, np.bool_)
    for number in range(len(plots)):
        q, t = plots[number], slot + number
        place(values[q], var[q], given[q], origin, rotation, prior, z, r, use)
        known[t] = begin(z, r, use, origin, unsure, motion, x[t], p[t])
        for a in range(len(first)):
            mu[t, a] = first[a]
            for i in range(STATE):
                xm[t, a, i] = x[t, i]
                for j in range(STATE):
                    pm[t, a, i, j] = p[t, i, j]
