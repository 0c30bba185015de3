"""What a second of comparison is worth, and what it says for and against what was believed before it.

The plots of a second are not independent of those of the last one: the same bodies make the same turns, and
a plot that was taken for one of another body is so again. So a second counts for a share of what it would
count if all errors were independent: the covariance intersection of what was known before and after it
(S. Julier, J. Uhlmann, "A non-divergent estimation algorithm in the presence of unknown correlations",
American Control Conference 1997), which is never surer than it may be, however errors hang together.

Explicit loops in a fixed order. Shapes: m figures; mean (m,), cov (m, m).
"""

import math

import numpy as np
from numba import njit

from vedette.fuse.kernels.kalman import F64


@njit(cache=True, error_model="numpy")
def inverted(a: F64, out: F64) -> bool:
    """The inverse of the positive definite ``a`` (m, m), by Cholesky; False if it is none. ``a`` and ``out``
    may be one."""
    m = len(a)
    low, left = np.zeros((m, m)), np.zeros((m, m))
    for i in range(m):
        for j in range(i + 1):
            total = a[i, j]
            for k in range(j):
                total -= low[i, k] * low[j, k]
            if i != j:
                low[i, j] = total / low[j, j]
            elif not (total > 0.0 and math.isfinite(total)):
                return False
            else:
                low[i, i] = math.sqrt(total)
    for j in range(m):
        for i in range(j, m):
            total = 1.0 if i == j else 0.0
            for k in range(j, i):
                total -= low[i, k] * left[k, j]
            left[i, j] = total / low[i, i]
    for i in range(m):
        for j in range(i + 1):
            total = 0.0
            for k in range(i, m):
                total += left[k, i] * left[k, j]
            out[i, j] = out[j, i] = total
    return True


@njit(cache=True, error_model="numpy")
def temper(before: F64, known: F64, mean: F64, cov: F64, share: float, score: F64, gain: F64) -> bool:
    """Take a second for a ``share`` of what it says: ``mean``, ``cov`` after it, in place, and what it said:
    the logarithm of the likelihood of figures v is score' v - v' gain v / 2, but for a constant.
    ``before``, ``known``: mean and covariance before it. False if a covariance is none."""
    m = len(mean)
    old, new = np.empty((m, m)), np.empty((m, m))
    if not (inverted(known, old) and inverted(cov, new)):
        return False
    pull = np.zeros(m)
    for i in range(m):
        score[i] = 0.0
        for j in range(m):
            gain[i, j] = share * (new[i, j] - old[i, j])
            score[i] += share * (new[i, j] * mean[j] - old[i, j] * before[j])
            pull[i] += old[i, j] * before[j]
        pull[i] += score[i]
    for i in range(m):
        for j in range(m):
            new[i, j] = old[i, j] + gain[i, j]
    if not inverted(new, cov):
        return False
    for i in range(m):
        mean[i] = 0.0
        for j in range(m):
            mean[i] += cov[i, j] * pull[j]
    return True


@njit(cache=True, error_model="numpy")
def evidence(score: F64, gain: F64, believed: F64, ratio: F64) -> None:
    """How much likelier (natural logarithm, (m,) into ``ratio``) a second made each of the figures that were
    ``believed`` before it (m,) than that it is zero, the others as they are believed."""
    m = len(score)
    for i in range(m):
        rest = 0.0
        for j in range(m):
            rest += gain[i, j] * believed[j] if j != i else 0.0
        ratio[i] = believed[i] * (score[i] - rest - 0.5 * gain[i, i] * believed[i])
