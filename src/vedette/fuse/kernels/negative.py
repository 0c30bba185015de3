"""That a sensor did not see a body says where it is not.

Given that it exists and was missed, the density of its place is the one foretold times 1 - pd(place),
normalised (W. Koch, "On 'negative' information in tracking and sensor data fusion", Proceedings of the 7th
International Conference on Information Fusion, 2004). With pd the share that the ground leaves open, this
moves what may be behind a hill to behind the hill. The moments are taken at the sigma points of
`kernels.coverage`; velocities follow by regression on the place.

Explicit loops in a fixed order, as in `kernels.kalman`. Shapes as in `kernels.coverage`.
"""

import numpy as np
from numba import njit

from vedette.fuse.kernels.coverage import F32, I32, POINTS, below, clearance, sigma_points, weight_of
from vedette.fuse.kernels.imm import combine
from vedette.fuse.kernels.kalman import F64, STATE, Mask

_LEAST_VIEW, _MOST_VIEW = 0.001, 0.9999
"""Where all is in view, or nothing, a miss does not tell one place from another."""
_LEAST_WEIGHT = 1e-6
_LEAST_PIVOT = 1e-9


@njit(cache=True, error_model="numpy")
def away(
    x: F64, p: F64, sees: float, horizon: F32, first_void: I32, place: F64, soft_m: float, points: F64
) -> float:
    """State ``x`` (6,), ``p`` (6, 6) after a miss, in place; returns the probability of the miss. ``points``
    (7, 3) is scratch."""
    sigma_points(x, p, points)
    weights = np.empty(POINTS)
    total = 0.0
    for number in range(POINTS):
        clear, known = clearance(
            horizon, first_void, place, points[number, 0], points[number, 1], points[number, 2]
        )
        open_ = below(clear, 0.0, soft_m) if known else 0.0
        weights[number] = weight_of(number) * (1.0 - sees * open_)
        total += weights[number]
    if not total > _LEAST_WEIGHT:
        return total
    off, change = np.zeros(3), np.empty((3, 3))
    for number in range(POINTS):
        for i in range(3):
            off[i] += weights[number] / total * (points[number, i] - x[i])
    for i in range(3):
        for j in range(3):
            change[i, j] = -p[i, j]
            for number in range(POINTS):
                left, right = points[number, i] - x[i] - off[i], points[number, j] - x[j] - off[j]
                change[i, j] += weights[number] / total * left * right
    gain = np.empty((STATE, 3))
    if regression(p, gain):
        shift(x, p, gain, off, change)
    return total


@njit(cache=True, error_model="numpy")
def regression(p: F64, gain: F64) -> bool:
    """``gain`` (6, 3): how the whole state follows the place, P[:, :3] inverse(P[:3, :3]), by Cholesky; False
    if the place is known without error."""
    low = np.zeros((3, 3))
    for i in range(3):
        for j in range(i + 1):
            total = p[i, j]
            for k in range(j):
                total -= low[i, k] * low[j, k]
            if i == j:
                if not total > _LEAST_PIVOT:
                    return False
                low[i, i] = np.sqrt(total)
            else:
                low[i, j] = total / low[j, j]
    for row in range(STATE):
        for i in range(3):
            gain[row, i] = p[row, i]
            for k in range(i):
                gain[row, i] -= gain[row, k] * low[i, k]
            gain[row, i] /= low[i, i]
        for i in range(2, -1, -1):
            for k in range(i + 1, 3):
                gain[row, i] -= gain[row, k] * low[k, i]
            gain[row, i] /= low[i, i]
    return True


@njit(cache=True, error_model="numpy")
def shift(x: F64, p: F64, gain: F64, off: F64, change: F64) -> None:
    """Move the place by ``off`` (3,) and its covariance by ``change`` (3, 3), and the rest with them."""
    product = np.empty((STATE, 3))
    for i in range(STATE):
        for j in range(3):
            x[i] += gain[i, j] * off[j]
            product[i, j] = 0.0
            for k in range(3):
                product[i, j] += gain[i, k] * change[k, j]
    for i in range(STATE):
        for j in range(i + 1):
            total = 0.0
            for k in range(3):
                total += product[i, k] * gain[j, k]
            p[i, j] += total
            p[j, i] = p[i, j]


@njit(cache=True, error_model="numpy")
def missed_behind(
    now: float,
    sees: float,
    view: F64,
    missed: Mask,
    x: F64,
    p: F64,
    mu: F64,
    horizon: F32,
    first_void: I32,
    place: F64,
    soft_m: float,
    times_: F64,
    x_: F64,
    p_: F64,
    xm_: F64,
    pm_: F64,
    mu_: F64,
) -> None:
    """`away` for the tracks that a look ``missed`` (n,) and that are in view in part, from the models at
    ``now`` into the table of tracks (names with _)."""
    points = np.empty((POINTS, 3))
    for t in range(x.shape[0]):
        if not missed[t] or now < times_[t] or not _LEAST_VIEW < view[t] < _MOST_VIEW:
            continue
        whole = 0.0
        for a in range(x.shape[1]):
            mu[t, a] *= away(x[t, a], p[t, a], sees, horizon, first_void, place, soft_m, points)
            whole += mu[t, a]
        if not whole > _LEAST_WEIGHT:
            continue
        times_[t] = now
        for a in range(x.shape[1]):
            mu_[t, a] = mu[t, a] / whole
            for i in range(STATE):
                xm_[t, a, i] = x[t, a, i]
                for j in range(STATE):
                    pm_[t, a, i, j] = p[t, a, i, j]
        combine(xm_[t], pm_[t], mu_[t], x_[t], p_[t])
