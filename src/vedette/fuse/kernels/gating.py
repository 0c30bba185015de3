"""Which plots a track may be of: those within its gate, and how likely each model makes them.

Plots are sorted by azimuth (places by east), so that a track looks at few of them; the first row, mostly a
range, refuses most of these, and the rest is fitted whole. Shapes as in `kernels.pmb`.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vedette.fuse.kernels.innovation import (
    alike,
    any_raised,
    any_unlike,
    fit,
    innovate,
    rows_in_use,
    spread_of,
)
from vedette.fuse.kernels.kalman import F64, STATE
from vedette.fuse.kernels.sight import ANGLE, PLACE, ROWS, TWO_PI, sight, turned

I64 = NDArray[np.int64]
Mask2 = NDArray[np.bool_]

_WIDER = 1.0 + 1e-9
"""No row alone is farther than all rows together, and rounding is less than this."""
_LOG_TWO_PI = math.log(TWO_PI)


@njit(cache=True, error_model="numpy")
def _at_least(keys: F64, value: float) -> int:
    """How many of the sorted keys are smaller than ``value``."""
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) // 2
        if keys[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, error_model="numpy")
def _window(kind: int, h: F64, s: F64, gate: float) -> tuple[float, float]:
    """Between which values of the sorted row, beside that of the first model, a plot of the track may lie;
    ``s[:, 0]``: variance of that row; ``gate``: largest squared Mahalanobis distance."""
    key = max(ANGLE[kind], 0)
    low, high = math.inf, -math.inf
    for a in range(h.shape[0]):
        half = math.sqrt(gate * s[a, 0])
        off = h[a, key] - h[0, key]
        if kind != PLACE:
            off = turned(off)
        low, high = min(low, off - half), max(high, off + half)
    if kind != PLACE:
        low, high = max(low, -math.pi), min(high, math.pi - 1e-12)
    return low, high


@njit(cache=True, error_model="numpy")
def _widest(kind: int, key: int, var: F64, use: Mask2, gates: F64, index: I64) -> tuple[float, float]:
    """The largest variance of the sorted row, and the largest gate, of any plot."""
    widest, gate = 0.0, 0.0
    for q in range(var.shape[0]):
        widest = max(widest, var[q, key])
        gate = max(gate, _WIDER * gates[rows_in_use(kind, q, use, index)])
    return widest, gate


@njit(cache=True, error_model="numpy")
def _candidates(kind: int, keys: F64, order: I64, base: float, begin: float, end: float, near: I64) -> int:
    """The plots between ``base + begin`` and ``base + end``, round the circle if they are azimuths, into
    ``near`` (k,) in the order of their keys; returns how many."""
    found, k = 0, len(keys)
    for turn in range(1 if kind == PLACE else 3):
        middle = base if kind == PLACE else base + TWO_PI * (turn - 1)
        if middle + begin > keys[k - 1] or middle + end < keys[0]:
            continue
        for place in range(_at_least(keys, middle + begin), k):
            if keys[place] > middle + end:
                break
            near[found] = order[place]
            found += 1
    return found


@njit(cache=True, inline="always")
def _by_first_row(angle: bool, row: int, q: int, z: F64, h: F64, s: F64, d2: F64) -> float:
    """Squared Mahalanobis distances of plot ``q`` from each model by its first row alone, into ``d2`` (m,);
    returns the least."""
    least = math.inf
    for a in range(len(d2)):
        residual = z[q, row] - h[a, row]
        if angle:
            residual = turned(residual)
        d2[a] = residual * residual / s[a, 0]
        least = min(least, d2[a])
    return least


@njit(cache=True, inline="always")
def _likely(t: int, edge: int, rows: int, mu: F64, d2: F64, logdet: F64, likelihood: F64) -> bool:
    """Densities of a plot under each model, into ``likelihood[edge]``; False if nothing is left of them."""
    total = 0.0
    for a in range(len(d2)):
        likelihood[edge, a] = math.exp(-0.5 * (d2[a] + logdet[a] + rows * _LOG_TWO_PI))
        total += mu[t, a] * likelihood[edge, a]
    return 0.0 < total < math.inf


@njit(cache=True, error_model="numpy")
def edges(
    n: int, kind: int, x: F64, p: F64, mu: F64, origin: F64, rotation: F64, z: F64, var: F64, use: Mask2,
    forbidden: Mask2, gates: F64, first: I64, plot: I64, likelihood: F64, h: F64,
) -> int:  # fmt: skip
    """The pairs of track and plot within each other's gate.

    ``first`` (n + 1,): where each track's edges begin; ``plot`` (e,), ``likelihood`` (e, m): density of the
    plot under each model; ``h`` (n, m, ROWS): what would be measured of each. ``forbidden`` (n, k): pairs
    that cannot be, or empty for none. Returns how many there are, or -1 if there is no room for all."""
    k, m, key = z.shape[0], mu.shape[1], max(ANGLE[kind], 0)
    order = np.argsort(z[:, key], kind="mergesort")
    keys, near = z[order, key], np.empty(k, np.int64)
    mixed, raised, barred = any_unlike(kind, var, use), any_raised(kind, use), forbidden.shape[0] > 0
    jacobian, index = np.zeros((m, ROWS, STATE)), np.empty(ROWS, np.int64)
    left, gain = np.empty((m, STATE, STATE)), np.empty((m, ROWS, STATE))
    low, s, y = np.empty((m, ROWS, ROWS)), np.empty((m, ROWS)), np.empty((m, ROWS))
    d2, logdet = np.empty(m), np.empty(m)
    widest, gate = _widest(kind, key, var, use, gates, index)
    found = 0
    for t in range(n):
        first[t] = found
        if k == 0:
            continue
        sight(kind, raised, t, x, origin, rotation, h[t], jacobian)
        spread_of(kind, key, widest, t, jacobian, p, s)
        begin, end = _window(kind, h[t], s, gate)
        held, rows, fitted = -1, 0, False
        for place in range(_candidates(kind, keys, order, h[t, 0, key], begin, end, near)):
            q = near[place]
            if barred and forbidden[t, q]:
                continue
            if held < 0 or (mixed and not alike(kind, q, held, var, use)):
                held, rows, fitted = q, rows_in_use(kind, q, use, index), False
                if mixed or index[0] != key:
                    spread_of(kind, index[0], var[q, index[0]], t, jacobian, p, s)
                for a in range(m):
                    logdet[a] = math.log(s[a, 0])
            least = _by_first_row(index[0] == ANGLE[kind], index[0], q, z, h[t], s, d2)
            if rows > 1 and least <= gates[rows]:
                if not fitted:
                    fit(kind, q, var, rows, index, t, jacobian, p, left, gain, low, s, logdet)
                    fitted = True
                least = innovate(kind, q, z, rows, index, h[t], low, s, y, d2)
            if not least <= gates[rows]:
                continue
            if found == len(plot):
                return -1
            if _likely(t, found, rows, mu, d2, logdet, likelihood):
                plot[found] = q
                found += 1
    first[n] = found
    return found
