"""Which sensors are off, if as few as possible are.

Plots of different sensors tell how far they are from each other; where that does not tell which of two is
turned, or whose clock is off, several explanations are left. Here each figure is either *small*, as in a
sensor that was set up well, or *large*; each way to explain what was seen by some large ones is weighed by
Bayes' rule (spike and slab: E. George, R. McCulloch, "Variable selection via Gibbs sampling", Journal of the
American Statistical Association 88(423), 1993), and the answer is their mixture. Ways are searched forwards:
of each number of large figures the best set is extended by every other figure.

Explicit loops in a fixed order. Shapes: m figures; mean (m,), cov (m, m).
"""

import math

import numpy as np
from numba import njit

from vedette.fuse.kernels.kalman import F64, Mask

_LEAST_GAIN = -12.0
"""A way less likely than the best by this (natural logarithm) is not extended."""


@njit(cache=True, error_model="numpy")
def held_small(mean: F64, cov: F64, large: Mask, wide: F64, narrow: F64, xo: F64, po: F64) -> float:
    """The figures ``xo``, ``po`` if all but the ``large`` ones are small; returns the logarithm of how much
    likelier what was seen is then. ``wide``, ``narrow`` (m,): variances of large and of small figures;
    ``mean``, ``cov``: the figures if all are large.

    That a figure is small is as good as a measurement of zero, with the variance 1 / (1/narrow - 1/wide)."""
    m, log = len(mean), 0.0
    product = np.empty(m)
    for i in range(m):
        xo[i] = mean[i]
        for j in range(m):
            po[i, j] = cov[i, j]
    for i in range(m):
        if large[i]:
            continue
        variance = 1.0 / (1.0 / narrow[i] - 1.0 / wide[i])
        s, off = po[i, i] + variance, xo[i]
        log += 0.5 * math.log(wide[i] / narrow[i] * variance / s) - 0.5 * off * off / s
        for j in range(m):
            product[j] = po[j, i]
        for j in range(m):
            xo[j] -= product[j] / s * off
            for k in range(j + 1):
                po[j, k] -= product[j] * product[k] / s
                po[k, j] = po[j, k]
    return log


@njit(cache=True, error_model="numpy")
def explain(
    mean: F64, cov: F64, wide: F64, narrow: F64, chance: float, xo: F64, vo: F64, large: F64
) -> float:
    """The figures ``xo`` (m,), their variances ``vo`` (m,) and the probability of each to be ``large`` (m,),
    over all ways to explain what was seen. ``chance``: of one figure to be large, before. Returns the
    probability that none is."""
    m = len(mean)
    odds = math.log(chance / (1.0 - chance))
    held = np.zeros(m, np.bool_)
    x, p = np.empty(m), np.empty((m, m))
    ways = 1 + m * (m + 1) // 2
    logs, means, variances = np.empty(ways), np.empty((ways, m)), np.empty((ways, m))
    sets = np.zeros((ways, m), np.bool_)
    count, top = 0, -math.inf
    for size in range(m + 1):
        best, best_i = -math.inf, -1
        for i in range(m):
            if size > 0 and held[i]:
                continue
            held[i] |= size > 0
            logs[count] = held_small(mean, cov, held, wide, narrow, x, p) + size * odds
            means[count] = x
            for j in range(m):
                variances[count, j] = max(p[j, j], 0.0)
            sets[count] = held
            if logs[count] > best:
                best, best_i = logs[count], i
            count += 1
            if size == 0:
                break
            held[i] = False
        top = max(top, best)
        if size > 0:
            held[best_i] = True
        if best < top + _LEAST_GAIN:
            break
    total = 0.0
    xo[:], vo[:], large[:] = 0.0, 0.0, 0.0
    for way in range(count):
        weight = math.exp(logs[way] - top)
        total += weight
        for j in range(m):
            xo[j] += weight * means[way, j]
            vo[j] += weight * (variances[way, j] + means[way, j] * means[way, j])
            large[j] += weight if sets[way, j] else 0.0
    for j in range(m):
        xo[j] /= total
        vo[j] = max(vo[j] / total - xo[j] * xo[j], 0.0)
        large[j] /= total
    none: float = math.exp(logs[0] - top) / total
    return none
