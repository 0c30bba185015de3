"""What the ground hides, from the definitions with plain numpy and scipy.

Loaded by path from the tests of the kernels `coverage` and `negative`. A mask is (horizon (a, s), first_void
(a,), place (6,)) as `terrain.Mask` holds it: slopes of the horizon along a rays that begin north and go
round with the clock, at the ends of s steps.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Array = NDArray[np.float64]
Mask = tuple[NDArray[np.float32], NDArray[np.int32], Array]


def clearance(mask: Mask, point: Array) -> float:
    """Metres over the ground's horizon, NaN where that is not known."""
    horizon, first, (east, north, eye, step, bend, curve) = mask
    dx, dy = point[0] - east, point[1] - north
    d = math.hypot(dx, dy)
    if d > horizon.shape[1] * step:
        return math.nan
    k = max(math.ceil(d / step) - 1, 0)
    turn = math.atan2(dx, dy) / (2 * math.pi) * horizon.shape[0]
    a, share = math.floor(turn), turn - math.floor(turn)
    rays = np.array([a % horizon.shape[0], (a + 1) % horizon.shape[0]])
    limit = float(np.dot([1 - share, share], horizon[rays, k]))
    clear = point[2] + curve * (point[0] ** 2 + point[1] ** 2) - eye - bend * d * d - limit * d
    return math.nan if clear >= 0 and k >= first[rays].min() else float(clear)


def below(sigmas: Array | float) -> Any:
    """Share of a normal distribution up to so many sigmas over its mean; beyond six of them it is certain."""
    return np.where(np.abs(sigmas) > 6.0, np.greater(sigmas, 0.0), norm.cdf(np.nan_to_num(sigmas)))[()]


def sigma_points(mean: Array, spread: Array) -> tuple[Array, Array]:
    """Seven points (7, 3) of a place and their weights (Julier, Uhlmann 2004, equation 12, W0 = 1/3)."""
    columns = math.sqrt(4.5) * np.linalg.cholesky(spread).T
    order = np.array([0, 1, 4, 2, 5, 3, 6])
    points = np.vstack([mean, mean + columns, mean - columns])[order]
    return points, np.array([1 / 3] + [1 / 9] * 6)


def seen_for_sure(mask: Mask, points: Array, soft_m: float) -> Array:
    """Probability for each point (p, 3) that it is in view for sure; heights err by ``soft_m``."""
    over = np.array([clearance(mask, point) for point in points]) / soft_m
    return np.where(np.isnan(over), 0.0, below(over))


def away(x: Array, p: Array, sees: float, mask: Mask, soft_m: float) -> tuple[Array, Array, float]:
    """Mean, covariance and weight of a state (6,) that was missed: Bayes' rule at the sigma points of its
    place, and the velocity given the place, which is as it was (conditional normal distribution)."""
    points, weights = sigma_points(x[:3], p[:3, :3])
    weights = weights * (1.0 - sees * seen_for_sure(mask, points, soft_m))
    missed = float(weights.sum())
    weights = weights / missed
    place = weights @ points
    off = points - place
    spread = np.einsum("k,ki,kj->ij", weights, off, off)
    follows = p[3:, :3] @ np.linalg.inv(p[:3, :3])
    apart = p[3:, 3:] - follows @ p[:3, 3:]
    cross = follows @ spread
    mean = np.concatenate([place, x[3:] + follows @ (place - x[:3])])
    return mean, np.block([[spread, cross.T], [cross, apart + cross @ follows.T]]), missed
