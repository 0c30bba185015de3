"""How much of where a body may be a sensor sees: its limits, and the ground that stands in the way.

A body is not at a point, so a limit is not a step: of a quantity with mean v and sigma s the share between
lo and hi is Phi((hi - v) / s) - Phi((lo - v) / s). Range, azimuth, elevation and range rate are taken as
independent, with the sigmas that the covariance gives along each. What the ground hides is asked at seven
sigma points (Julier, Uhlmann, "Unscented filtering and nonlinear estimation", Proceedings of the IEEE 92(3),
2004), each with a soft edge, for elevation models err by metres.

Explicit loops in a fixed order, as in `kernels.kalman`. Shapes: n tracks, m models; x (n, m, 6),
p (n, m, 6, 6), mu (n, m).
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vedette.fuse.kernels.kalman import F64, Mask
from vedette.fuse.kernels.sight import BEARING, POLAR, TWO_PI, wrapped
from vedette.terrain.kernels import BEND, CURVE, EAST, EYE, NORTH, STEP

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]

RANGE, AZIMUTH, ELEVATION, RATE = 0, 2, 4, 6
"""Indices into a sensor's limits: lowest and highest of each (m, degrees, degrees, m/s)."""
POINTS = 7
_FAR = 6.0
"""Sigmas beyond which the share is 0 or 1 for all purposes."""
_LEAST_GROUND_M = 1.0
_LEAST_SIGMA = 1e-9
_CENTRE = 1.0 / 3.0
"""Weight of the middle sigma point; the other six share the rest, and lie so far out that mean and covariance
are kept: sqrt(3 / (1 - 1/3)) sigma."""
_REACH = math.sqrt(3.0 / (1.0 - _CENTRE))
_HIDDEN = 10.0
"""A tenth of its place out of view is enough to explain why a body is not seen: a judgement."""
LEAST_SIGHTED = 1e-3
_ROOT_HALF = math.sqrt(0.5)


@njit(cache=True, error_model="numpy")
def below(value: float, mean: float, sigma: float) -> float:
    """Share of a normal distribution below ``value``."""
    off = (value - mean) / max(sigma, _LEAST_SIGMA)
    if off > _FAR:
        return 1.0
    if off < -_FAR:
        return 0.0
    return 0.5 * (1.0 + math.erf(off * _ROOT_HALF))


@njit(cache=True, error_model="numpy")
def within(low: float, high: float, mean: float, sigma: float) -> float:
    """Share between two limits."""
    return below(high, mean, sigma) - below(low, mean, sigma)


@njit(cache=True, error_model="numpy")
def within_sector(low_deg: float, high_deg: float, azimuth: float, sigma: float) -> float:
    """The same of an azimuth (radians) and a sector, which may run through north; all round it is 1."""
    if high_deg - low_deg >= 360.0:
        return 1.0
    half = 0.5 * math.radians(high_deg - low_deg)
    off = wrapped(azimuth - math.radians(low_deg) - half)
    share = 0.0
    for turn in range(-1, 2):
        share += within(-half, half, off + TWO_PI * turn, sigma)
    return min(share, 1.0)


@njit(cache=True, error_model="numpy")
def mixture(t: int, x: F64, p: F64, mu: F64, mean: F64, spread: F64) -> None:
    """Mean (6,) of track ``t`` over its models, and the covariance (3, 3) of its place."""
    m = x.shape[1]
    for i in range(6):
        mean[i] = 0.0
        for a in range(m):
            mean[i] += mu[t, a] * x[t, a, i]
    for i in range(3):
        for j in range(i + 1):
            total = 0.0
            for a in range(m):
                off = (x[t, a, i] - mean[i]) * (x[t, a, j] - mean[j])
                total += mu[t, a] * (p[t, a, i, j] + off)
            spread[i, j] = spread[j, i] = total


@njit(cache=True, error_model="numpy")
def _along(spread: F64, e: float, n: float, u: float) -> float:
    """Sigma of the place along a direction of the site's frame."""
    square = spread[0, 0] * e * e + spread[1, 1] * n * n + spread[2, 2] * u * u
    square += 2.0 * (spread[0, 1] * e * n + spread[0, 2] * e * u + spread[1, 2] * n * u)
    return math.sqrt(max(square, 0.0))


@njit(cache=True, error_model="numpy")
def inside(mean: F64, spread: F64, origin: F64, rotation: F64, limits: F64) -> float:
    """Share of a body's place that lies inside a sensor's limits (`RANGE` and the next ones)."""
    de, dn, du = mean[0] - origin[0], mean[1] - origin[1], mean[2] - origin[2]
    e = rotation[0, 0] * de + rotation[1, 0] * dn + rotation[2, 0] * du
    n = rotation[0, 1] * de + rotation[1, 1] * dn + rotation[2, 1] * du
    u = rotation[0, 2] * de + rotation[1, 2] * dn + rotation[2, 2] * du
    distance = max(math.sqrt(e * e + n * n + u * u), _LEAST_GROUND_M)
    ground = max(math.sqrt(e * e + n * n), _LEAST_GROUND_M)
    share = 1.0
    if limits[RANGE] > 0.0 or limits[RANGE + 1] < math.inf:
        sigma = _along(spread, de / distance, dn / distance, du / distance)
        # A range is never below zero: what the normal distribution puts there is near.
        low = limits[RANGE] if limits[RANGE] > 0.0 else -math.inf
        share *= within(low, limits[RANGE + 1], distance, sigma)
    if share > 0.0 and limits[AZIMUTH + 1] - limits[AZIMUTH] < 360.0:
        ae, an = n / ground, -e / ground
        sigma = _turned(spread, rotation, ae, an, 0.0) / ground
        share *= within_sector(limits[AZIMUTH], limits[AZIMUTH + 1], math.atan2(e, n), sigma)
    if share > 0.0 and (limits[ELEVATION] > -90.0 or limits[ELEVATION + 1] < 90.0):
        flat = u / (distance * ground)
        sigma = _turned(spread, rotation, -e * flat, -n * flat, ground / distance) / distance
        low = math.radians(limits[ELEVATION]) if limits[ELEVATION] > -90.0 else -math.inf
        high = math.radians(limits[ELEVATION + 1]) if limits[ELEVATION + 1] < 90.0 else math.inf
        share *= within(low, high, math.atan2(u, ground), sigma)
    if share > 0.0 and (limits[RATE] > -math.inf or limits[RATE + 1] < math.inf):
        rate = (de * mean[3] + dn * mean[4] + du * mean[5]) / distance
        share *= 1.0 if limits[RATE] <= rate <= limits[RATE + 1] else 0.0
    return share


@njit(cache=True, error_model="numpy")
def _turned(spread: F64, rotation: F64, e: float, n: float, u: float) -> float:
    """`_along` for a direction of the sensor's frame."""
    return _along(
        spread,
        rotation[0, 0] * e + rotation[0, 1] * n + rotation[0, 2] * u,
        rotation[1, 0] * e + rotation[1, 1] * n + rotation[1, 2] * u,
        rotation[2, 0] * e + rotation[2, 1] * n + rotation[2, 2] * u,
    )


@njit(cache=True, error_model="numpy")
def clearance(horizon: F32, first_void: I32, place: F64, e: float, n: float, u: float) -> tuple[float, bool]:
    """Metres by which a point clears the ground that stands before it, negative where it is hidden; and
    whether that is known: beyond the sweep, and behind a void that hides nothing for sure, it is not.

    As `terrain.kernels.mask_state`, which only says on which side of zero this is."""
    azimuths, steps = horizon.shape
    east, north = e - place[EAST], n - place[NORTH]
    distance = math.sqrt(east * east + north * north)
    height = u + place[CURVE] * (e * e + n * n) - place[EYE]
    if not (distance <= steps * place[STEP] and math.isfinite(height)):
        return 0.0, False
    if distance == 0.0:
        return math.inf, True
    k = min(max(math.ceil(distance / place[STEP]) - 1, 0), steps - 1)
    turn = math.atan2(east, north) / TWO_PI * azimuths
    ray = math.floor(turn)
    share = turn - ray
    a = int(ray) % azimuths
    b = (a + 1) % azimuths
    limit = (1.0 - share) * horizon[a, k] + share * horizon[b, k]
    clear = height - place[BEND] * distance * distance - limit * distance
    return clear, clear < 0.0 or k < min(first_void[a], first_void[b])


@njit(cache=True, error_model="numpy")
def weight_of(number: int) -> float:
    """Weight of a sigma point."""
    return _CENTRE if number == 0 else (1.0 - _CENTRE) / (POINTS - 1)


@njit(cache=True, error_model="numpy")
def sigma_points(mean: F64, spread: F64, points: F64) -> None:
    """Seven points (7, 3) that stand for a place: its mean, and three pairs along the columns of the
    Cholesky factor of its covariance."""
    low = np.zeros((3, 3))
    for i in range(3):
        for j in range(i + 1):
            total = spread[i, j]
            for k in range(j):
                total -= low[i, k] * low[j, k]
            if i == j:
                low[i, i] = math.sqrt(max(total, 0.0))
            else:
                low[i, j] = total / low[j, j] if low[j, j] > 0.0 else 0.0
    for i in range(3):
        points[0, i] = mean[i]
        for j in range(3):
            points[1 + 2 * j, i] = mean[i] + _REACH * low[i, j]
            points[2 + 2 * j, i] = mean[i] - _REACH * low[i, j]


@njit(cache=True, error_model="numpy")
def uncovered(
    mean: F64, spread: F64, horizon: F32, first_void: I32, place: F64, soft_m: float, points: F64
) -> tuple[float, float]:
    """Share of a body's place that the ground does not hide for sure, and the share of it that is seen for
    sure; between the two lies what is not known. ``soft_m``: error of heights, one sigma; ``points``
    (7, 3) is scratch."""
    sigma_points(mean, spread, points)
    open_, sure = 0.0, 0.0
    for number in range(POINTS):
        weight = weight_of(number)
        clear, known = clearance(
            horizon, first_void, place, points[number, 0], points[number, 1], points[number, 2]
        )
        if known:
            seen = weight * below(clear, 0.0, soft_m)
            open_ += seen
            sure += seen
        else:
            open_ += weight
    return open_, sure


@njit(cache=True, error_model="numpy")
def shares(
    x: F64,
    p: F64,
    mu: F64,
    origin: F64,
    rotation: F64,
    limits: F64,
    horizon: F32,
    first_void: I32,
    place: F64,
    soft_m: float,
    view: F64,
    sure: F64,
) -> None:
    """``view`` (n,): the share of each body's place that the sensor may see, and ``sure`` (n,): the share
    that it sees for sure. ``horizon`` is empty where no terrain is known."""
    mean, spread, points = np.empty(6), np.empty((3, 3)), np.empty((POINTS, 3))
    for t in range(x.shape[0]):
        mixture(t, x, p, mu, mean, spread)
        share = inside(mean, spread, origin, rotation, limits)
        seen = share
        if share > 0.0 and horizon.shape[0] > 0:
            open_, known = uncovered(mean, spread, horizon, first_void, place, soft_m, points)
            share, seen = share * open_, seen * known
        # Weights that add up to 1 but for rounding must not see more than there is.
        view[t], sure[t] = min(share, 1.0), min(seen, 1.0)


@njit(cache=True, error_model="numpy")
def plots_in_view(
    kind: int,
    z: F64,
    var: F64,
    use: NDArray[np.bool_],
    origin: F64,
    rotation: F64,
    horizon: F32,
    first_void: I32,
    place: F64,
    soft_m: float,
    view: F64,
) -> None:
    """How much of where each plot may be is not hidden by the ground, into ``view`` (k,): what looks as if it
    came from behind a hill is seldom a body. Plots as in `kernels.sight`; one without a height is in view."""
    for q in range(z.shape[0]):
        view[q] = 1.0
        if kind == BEARING or not use[q, 2]:
            continue
        e, n, u, sigma = z[q, 0], z[q, 1], z[q, 2], math.sqrt(var[q, 2])
        if kind == POLAR:
            flat, up = z[q, 0] * math.cos(z[q, 2]), z[q, 0] * math.sin(z[q, 2])
            east, north = flat * math.sin(z[q, 1]), flat * math.cos(z[q, 1])
            e = origin[0] + rotation[0, 0] * east + rotation[0, 1] * north + rotation[0, 2] * up
            n = origin[1] + rotation[1, 0] * east + rotation[1, 1] * north + rotation[1, 2] * up
            u = origin[2] + rotation[2, 0] * east + rotation[2, 1] * north + rotation[2, 2] * up
            sigma *= flat
        clear, known = clearance(horizon, first_void, place, e, n, u)
        if known:
            view[q] = below(clear, 0.0, math.sqrt(soft_m * soft_m + sigma * sigma))


@njit(cache=True, error_model="numpy")
def in_sight(share: float, sighted: float) -> float:
    """Probability that a body of whose place this share is in view is there, after the misses that made
    ``sighted`` of 1: Bayes on the odds of being in view."""
    seen = sighted * share
    rest = 1.0 - share
    return seen / (seen + rest) if seen + rest > 0.0 else 0.0


@njit(cache=True, error_model="numpy")
def expect(
    n: int,
    sees: float,
    elapsed_s: float,
    memory_s: float,
    view: F64,
    sure: F64,
    sighted: F64,
    pd: F64,
    counts: F64,
) -> None:
    """Probability ``pd`` (n,) that a searching sensor detects each body, and ``counts`` (n,), the one that a
    miss is held against.

    A body that may be in view by half and is missed look after look is in the other half: misses that are
    taken one by one would forget this and kill it. So they are remembered in ``sighted`` (n,), which fades
    to 1 with ``memory_s``, for bodies move; it is faded here by the time since the last look."""
    kept = math.exp(-max(elapsed_s, 0.0) / memory_s)
    for t in range(n):
        sighted[t] = 1.0 - (1.0 - sighted[t]) * kept
        pd[t] = sees * in_sight(view[t], sighted[t])
        counts[t] = sees * in_sight(sure[t], sighted[t])


@njit(cache=True, error_model="numpy")
def remember(n: int, sees: float, view: F64, looked: Mask, hit: F64, sighted: F64) -> None:
    """``sighted`` (n,) after a look at the tracks that were ``looked`` for (n,): 1 for what was seen, and
    less for what was missed, unless all of its place is in view: that it is hidden explains nothing then."""
    for t in range(n):
        if looked[t]:
            hidden = min(_HIDDEN * (1.0 - view[t]), 1.0)
            missed = sighted[t] * (1.0 - sees * hidden)
            sighted[t] = max(hit[t] + (1.0 - hit[t]) * missed, LEAST_SIGHTED)


@njit(cache=True, error_model="numpy")
def doubt(n: int, before: F64, sees: F64, counts: F64, hit: F64, after: F64) -> None:
    """Existence ``after`` (n,) a look of which not every miss counts in full: ``sees`` (n,): probability of
    detection that the look was weighed with, ``counts`` (n,): the one that a miss is held against."""
    for t in range(n):
        if counts[t] < sees[t]:
            after[t] = min(hit[t] + (1.0 - hit[t]) * missed(before[t], counts[t]), 1.0)


@njit(cache=True, error_model="numpy")
def missed(existence: float, sees: float) -> float:
    """Existence after a miss."""
    return existence * (1.0 - sees) / max(1.0 - existence * sees, 1e-12)


@njit(cache=True, error_model="numpy")
def overlooked(n: int, looked: Mask, counts: F64, now: F64, existence: F64, after: F64) -> None:
    """A scan is over: existence of the tracks that it ``looked`` for (n,) and did not see falls in the table
    of tracks; ``now``, ``after`` (n,): before and after, at the time of the scan."""
    for t in range(n):
        after[t] = now[t]
        if looked[t] and counts[t] > 0.0:
            after[t] = missed(now[t], counts[t])
            existence[t] *= after[t] / max(now[t], 1e-12)
