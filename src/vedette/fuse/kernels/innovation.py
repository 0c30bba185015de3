"""How a plot updates a state, row by row.

For independent errors rows one after the other are the same as all at once (Bar-Shalom, Li, Kirubarajan
2001, 7.7), and no matrix is inverted. Most of it does not depend on what the plot says, only on its
variances: `fit` does that once for all plots of equal accuracy, and `innovate` the little that is left.
Together they are the factorisation S = L D L' of the innovation's covariance (Golub, Van Loan 1996, 4.1.2).

Explicit loops in a fixed order, as in `kernels.kalman`. Shapes: m models; rows in use r, numbered by
``index``; h (m, ROWS), jacobian (m, ROWS, 6), gain (m, ROWS, 6), low (m, ROWS, ROWS), s (m, ROWS).
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vedette.fuse.kernels.imm import SHARPEST
from vedette.fuse.kernels.kalman import F64, STATE, Mask
from vedette.fuse.kernels.sight import ANGLE, COUNT, ROWS, columns_of, turned

I64 = NDArray[np.int64]
Mask2 = NDArray[np.bool_]


@njit(cache=True, error_model="numpy")
def rows_in_use(kind: int, q: int, use: Mask2, index: I64) -> int:
    """The rows that plot ``q`` gives, into ``index``; returns how many."""
    rows = 0
    for row in range(COUNT[kind]):
        if use[q, row]:
            index[rows] = row
            rows += 1
    return rows


@njit(cache=True, inline="always")
def alike(kind: int, q: int, other: int, var: F64, use: Mask2) -> bool:
    """True if two plots give the same rows with the same variances."""
    for row in range(COUNT[kind]):
        if use[q, row] != use[other, row] or (use[q, row] and var[q, row] != var[other, row]):
            return False
    return True


@njit(cache=True, error_model="numpy")
def any_unlike(kind: int, var: F64, use: Mask2) -> bool:
    """Whether some plots are more accurate than others, or give other rows."""
    mixed = False
    for q in range(1, var.shape[0]):
        mixed |= not alike(kind, q, 0, var, use)
    return mixed


@njit(cache=True, error_model="numpy")
def any_raised(kind: int, use: Mask2) -> bool:
    """Whether any plot has an elevation."""
    raised = False
    for q in range(use.shape[0]):
        raised |= use[q, ANGLE[kind] + 1]
    return raised


@njit(cache=True, error_model="numpy")
def spread_of(kind: int, row: int, variance: float, t: int, jacobian: F64, p: F64, s: F64) -> None:
    """Variance of a row's innovation for each model of track ``t``, into ``s[:, 0]``: that of the state as
    the row shows it, and the plot's own."""
    for a in range(s.shape[0]):
        s[a, 0] = _spread(row, columns_of(kind, row), variance, t, a, jacobian, p)


@njit(cache=True, error_model="numpy")
def _spread(row: int, columns: int, variance: float, t: int, a: int, jacobian: F64, p: F64) -> float:
    """No plot is taken as sharper than `kernels.imm.SHARPEST` allows."""
    own, independent = 0.0, 0.0
    for i in range(columns):
        product = 0.0
        for j in range(columns):
            product += p[t, a, i, j] * jacobian[a, row, j]
        own += jacobian[a, row, i] * product
        independent += jacobian[a, row, i] * jacobian[a, row, i] * p[t, a, i, i]
    return max(own, 0.0) + max(variance, SHARPEST * independent)


@njit(cache=True, error_model="numpy")
def fit(
    kind: int,
    q: int,
    var: F64,
    rows: int,
    index: I64,
    t: int,
    jacobian: F64,
    p: F64,
    left: F64,
    gain: F64,
    low: F64,
    s: F64,
    logdet: F64,
) -> None:
    """All that plots as accurate as ``q`` do to the models of track ``t``, whatever they say: ``gain``, how
    each row's innovation moves the state; ``low``, how it moves the rows after it; ``s``, its variance;
    ``logdet`` (m,), the logarithm of the determinant; ``left`` (m, 6, 6), the lower half of the covariance
    that is left."""
    for a in range(s.shape[0]):
        logdet[a] = 0.0
        for r in range(rows):
            row = index[r]
            columns = columns_of(kind, row)
            for i in range(STATE):
                product = 0.0
                for j in range(columns):
                    product += (p[t, a, i, j] if r == 0 else left[a, i, j]) * jacobian[a, row, j]
                gain[a, r, i] = product
            own, independent = 0.0, 0.0
            for i in range(columns):
                slope = jacobian[a, row, i]
                own += slope * gain[a, r, i]
                independent += slope * slope * (p[t, a, i, i] if r == 0 else left[a, i, i])
            spread = max(own, 0.0) + max(var[q, row], SHARPEST * independent)
            s[a, r] = spread
            logdet[a] += math.log(spread)
            for c in range(r):
                low[a, r, c] = 0.0
                for i in range(columns):
                    low[a, r, c] += jacobian[a, row, i] * gain[a, c, i]
            for i in range(STATE):
                part = gain[a, r, i] / spread
                for j in range(i + 1):
                    left[a, i, j] = (p[t, a, i, j] if r == 0 else left[a, i, j]) - part * gain[a, r, j]
                    if r < rows - 1:
                        left[a, j, i] = left[a, i, j]
            for i in range(STATE):
                gain[a, r, i] /= spread


@njit(cache=True, error_model="numpy")
def innovate(
    kind: int, q: int, z: F64, rows: int, index: I64, h: F64, low: F64, s: F64, y: F64, d2: F64
) -> float:
    """What plot ``q`` says that each model did not foretell, into ``y`` (m, ROWS): each row less what the
    rows before it explain; ``d2`` (m,): the squared Mahalanobis distance, the least
    of which is returned. A state moves by the sum of gain * y."""
    least = math.inf
    for a in range(s.shape[0]):
        d2[a] = 0.0
        for r in range(rows):
            value = z[q, index[r]] - h[a, index[r]]
            if index[r] == ANGLE[kind]:
                value = turned(value)
            for c in range(r):
                value -= low[a, r, c] * y[a, c]
            y[a, r] = value
            d2[a] += value * value / s[a, r]
        least = min(least, d2[a])
    return least


@njit(cache=True, error_model="numpy")
def absorb(
    kind: int, z: F64, var: F64, use: Mask, h: F64, jacobian: F64, step: F64, p: F64, ph: F64
) -> tuple[float, float, int]:
    """Use one plot on one model. ``step`` (6,) gets the change of the state; ``p`` (6, 6) becomes the updated
    covariance; ``ph`` (6,) is scratch. Returns the squared Mahalanobis distance, the logarithm of the
    innovation's determinant, and how many rows were used."""
    left, gain = np.empty((1, STATE, STATE)), np.empty((1, ROWS, STATE))
    low, s, index = np.empty((1, ROWS, ROWS)), np.empty((1, ROWS)), np.empty(ROWS, np.int64)
    d2, logdet, y = np.empty(1), np.empty(1), ph.reshape(1, ROWS)
    jacobian_, p_ = jacobian.reshape(1, ROWS, STATE), p.reshape(1, 1, STATE, STATE)
    rows = rows_in_use(kind, 0, use.reshape(1, ROWS), index)
    fit(kind, 0, var.reshape(1, ROWS), rows, index, 0, jacobian_, p_, left, gain, low, s, logdet)
    innovate(kind, 0, z.reshape(1, ROWS), rows, index, h.reshape(1, ROWS), low, s, y, d2)
    for i in range(STATE):
        step[i] = 0.0
        for r in range(rows):
            step[i] += gain[0, r, i] * ph[r]
        for j in range(i + 1):
            if rows > 0:
                p[i, j] = p[j, i] = left[0, i, j]
    return d2[0], logdet[0], rows
