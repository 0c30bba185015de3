"""The loops of the fit: places between knots, values, gradients and curvature of an additive model.

A *place* on an axis is a real number: 2.25 lies a quarter of the way from the third knot to the fourth; a
value outside the knots is held at the last one, an unknown value is -1. Terms of one axis have one parameter
for each knot and one more for the unknown; terms of two axes likewise, row by row.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

NONE = -1
"""The second axis of a term that has one."""


@njit(cache=True)
def place(values: F32, knots: F64, out: F32) -> None:
    """Places [rows] of ``values`` on the axis ``knots``."""
    last = len(knots) - 1
    for i in range(len(values)):
        v = float(values[i])
        if v != v:
            out[i] = -1.0
        elif v <= knots[0]:
            out[i] = 0.0
        elif v >= knots[last]:
            out[i] = last
        else:
            low, high = 0, last
            while high - low > 1:
                middle = (low + high) // 2
                if knots[middle] <= v:
                    low = middle
                else:
                    high = middle
            out[i] = low + (v - knots[low]) / (knots[high] - knots[low])


@njit(cache=True)
def corners(
    places: F32, row: int, first: int, second: int, sizes: I64, offset: int, where: I64, share: F64
) -> int:
    """Parameters that one row touches in one term, and their shares; returns how many."""
    p = places[row, first]
    n = sizes[first]
    if second < 0:
        if p < 0.0:
            where[0], share[0] = offset + n, 1.0
            return 1
        k = min(int(p), n - 2)
        where[0], where[1] = offset + k, offset + k + 1
        share[1] = p - k
        share[0] = 1.0 - share[1]
        return 2
    q, m = places[row, second], sizes[second]
    if p < 0.0 or q < 0.0:
        where[0], share[0] = offset + n * m, 1.0
        return 1
    k, j = min(int(p), n - 2), min(int(q), m - 2)
    a, b = p - k, q - j
    at = offset + k * m + j
    where[0], where[1], where[2], where[3] = at, at + 1, at + m, at + m + 1
    share[0], share[1] = (1.0 - a) * (1.0 - b), (1.0 - a) * b
    share[2], share[3] = a * (1.0 - b), a * b
    return 4


@njit(cache=True)
def values(
    places: F32, first: I64, second: I64, sizes: I64, offsets: I64, nats: F64, prior: float, out: F64
) -> None:
    """Log-odds of every row."""
    where, share = np.empty(4, np.int64), np.empty(4)
    for i in range(len(places)):
        total = prior
        for t in range(len(first)):
            count = corners(places, i, first[t], second[t], sizes, offsets[t], where, share)
            for c in range(count):
                total += share[c] * nats[where[c]]
        out[i] = total


@njit(cache=True)
def gradient(
    places: F32, first: I64, second: I64, sizes: I64, offsets: I64, pull: F64, bend: F64,
    slope: F64, curve: F64,
) -> None:  # fmt: skip
    """Adds ``pull`` [rows] times each share to ``slope``, and ``bend`` times its square to ``curve``."""
    where, share = np.empty(4, np.int64), np.empty(4)
    for i in range(len(places)):
        for t in range(len(first)):
            count = corners(places, i, first[t], second[t], sizes, offsets[t], where, share)
            for c in range(count):
                slope[where[c]] += pull[i] * share[c]
                curve[where[c]] += bend[i] * share[c] * share[c]


@njit(cache=True)
def pair_gains(bins: U8, count: int, pull: F64, bend: F64, damping: float) -> F64:
    """How much each pair of features would lower the loss beyond the two alone, [features, features], the
    lower triangle: FAST of Lou, Caruana, Gehrke, Hooker, "Accurate intelligible models with pairwise
    interactions", KDD 2013, with a Newton step in every cell of a grid of ``count`` x ``count`` bins."""
    rows, features = bins.shape
    alone, out = np.zeros(features), np.zeros((features, features))
    g, h = np.zeros((count, count)), np.zeros((count, count))
    for a in range(features):
        g[0], h[0] = 0.0, 0.0
        for i in range(rows):
            g[0, bins[i, a]] += pull[i]
            h[0, bins[i, a]] += bend[i]
        for k in range(count):
            alone[a] += g[0, k] * g[0, k] / (h[0, k] + damping)
    for a in range(features):
        for b in range(a):
            g[:], h[:] = 0.0, 0.0
            for i in range(rows):
                g[bins[i, a], bins[i, b]] += pull[i]
                h[bins[i, a], bins[i, b]] += bend[i]
            total = 0.0
            for k in range(count):
                for j in range(count):
                    total += g[k, j] * g[k, j] / (h[k, j] + damping)
            out[a, b] = total - alone[a] - alone[b]
    return out


@njit(cache=True)
def step_in_cells(
    first: U8, second: U8, count: int, pull: F64, bend: F64, damping: float, rate: float, odds: F64
) -> None:
    """Moves ``odds`` [rows] by a share ``rate`` of the Newton step in every cell of one pair."""
    g, h = np.zeros((count, count)), np.zeros((count, count))
    for i in range(len(odds)):
        g[first[i], second[i]] += pull[i]
        h[first[i], second[i]] += bend[i]
    for i in range(len(odds)):
        odds[i] += rate * g[first[i], second[i]] / (h[first[i], second[i]] + damping)
