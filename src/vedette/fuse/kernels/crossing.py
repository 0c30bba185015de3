"""Where the directions of two sensors cross, and how likely a body is there.

Of every pair of bearings: the place by least squares (Gauss, Newton; Bar-Shalom, Li, Kirubarajan 2001, 3.7),
its covariance, and the weight of "both are of one body that is not known yet" over "neither is":

    w = lambda pd_a pd_b  exp(-chi2 / 2) sqrt(det P) (2 pi)^(3/2) / prod sqrt(2 pi var)  / (c_a c_b),

which is the integral of the likelihood over all places (Laplace), and for two azimuths lambda pd_a pd_b
R_a R_b / sin(gamma) / (c_a c_b): the same as in S-dimensional assignment (Deb, Yeddanapudi, Pattipati,
Bar-Shalom, "A generalized S-D assignment algorithm for multisensor-multitarget state estimation", IEEE TAES
33(2), 1997), with a density of bodies in place of their cost.

Explicit loops in a fixed order, as in `kernels.kalman`.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vedette.fuse.kernels.kalman import F64, STATE, backward, cholesky, forward
from vedette.fuse.kernels.propagation import marginals
from vedette.fuse.kernels.sight import BEARING, ROWS, TWO_PI, sight, wrapped

I64 = NDArray[np.int64]
Mask2 = NDArray[np.bool_]
(
    DENSITY, ARRIVING, SEE, QUIET_A, QUIET_B, LEAST, STRAY_MPS, HEIGHT, HEIGHT_SIGMA, ODD_SIGMA, WIDEST,
    APART_S,
) = range(12)  # fmt: skip
"""Indices into the figures of `cross_all`: bodies a square metre, and those that came since the last looks;
probability that both sensors hear one; that neither has before; least weight of a pair; speed by which a body
may have moved between the looks (m/s); height prior (m), its sigma, and the one that stands beside a measured
elevation; widest horizontal sigma of a place (m); time between the looks (s)."""

_STEPS = 3
_LEAST_SINE = 0.05
"""Directions that are less apart than three degrees, or opposite, cross nowhere in particular."""
_LOG_TWO_PI = math.log(TWO_PI)


@njit(cache=True, error_model="numpy")
def toward(z: F64, use: Mask2, rotation: F64, way: F64) -> None:
    """Horizontal unit vectors (k, 2) of bearings, and how much they rise on a horizontal metre (k, 3)."""
    for q in range(z.shape[0]):
        rise = math.tan(z[q, 1]) if use[q, 1] else 0.0
        e, n = math.sin(z[q, 0]), math.cos(z[q, 0])
        x = rotation[0, 0] * e + rotation[0, 1] * n + rotation[0, 2] * rise
        y = rotation[1, 0] * e + rotation[1, 1] * n + rotation[1, 2] * rise
        up = rotation[2, 0] * e + rotation[2, 1] * n + rotation[2, 2] * rise
        flat = math.sqrt(x * x + y * y)
        way[q, 0], way[q, 1], way[q, 2] = x / flat, y / flat, up / flat


@njit(cache=True, error_model="numpy")
def within(e: float, n: float, u: float, origin: F64, rotation: F64, limits: F64) -> bool:
    """True where a sensor could see a body; limits as in `kalman.in_view`, without the rate."""
    de, dn, du = e - origin[0], n - origin[1], u - origin[2]
    distance = math.sqrt(de * de + dn * dn + du * du)
    if not limits[0] <= distance <= limits[1]:
        return False
    a = rotation[0, 0] * de + rotation[1, 0] * dn + rotation[2, 0] * du
    b = rotation[0, 1] * de + rotation[1, 1] * dn + rotation[2, 1] * du
    c = rotation[0, 2] * de + rotation[1, 2] * dn + rotation[2, 2] * du
    if limits[3] - limits[2] < 360.0:
        azimuth = math.degrees(math.atan2(a, b)) - limits[2]
        if azimuth - 360.0 * math.floor(azimuth / 360.0) > limits[3] - limits[2]:
            return False
    if limits[4] <= -90.0 and limits[5] >= 90.0:
        return True
    elevation = math.degrees(math.atan2(c, math.sqrt(a * a + b * b)))
    return bool(limits[4] <= elevation <= limits[5])


@njit(cache=True, error_model="numpy")
def share_left(e: float, n: float, u: float, origins: F64, rotations: F64, limits: F64, left: F64) -> float:
    """The share ``left`` (s,) of bodies there that each of s searching sensors has not found yet, all
    together."""
    share = 1.0
    for s in range(len(left)):
        if within(e, n, u, origins[s], rotations[s], limits[s]):
            share *= left[s]
    return share


@njit(cache=True, error_model="numpy")
def unborn(
    e: float, n: float, u: float, origins: F64, rotations: F64, limits: F64, quiet: F64, a: float, b: float
) -> float:
    """Probability that of a body there no two sensors have heard before: it would be known already. ``quiet``
    (s,): that one sensor has not, of the s others than the two that hear it now, of which ``a`` and ``b``
    are the probabilities."""
    none, one = a * b, a * (1.0 - b) + b * (1.0 - a)
    for s in range(len(quiet)):
        if within(e, n, u, origins[s], rotations[s], limits[s]):
            one = one * quiet[s] + none * (1.0 - quiet[s])
            none *= quiet[s]
    return none + one


@njit(cache=True, error_model="numpy")
def cross_all(
    za: F64, var_a: F64, use_a: Mask2, else_a: F64, origin_a: F64, rotation_a: F64, limits_a: F64,
    zb: F64, var_b: F64, use_b: Mask2, else_b: F64, origin_b: F64, rotation_b: F64, limits_b: F64,
    origins: F64, rotations: F64, limits: F64, left: F64,
    others: F64, other_rotations: F64, other_limits: F64, quiet: F64,
    figures: F64, first: I64, other: I64, weight: F64, place: F64, spread: F64,
) -> int:  # fmt: skip
    """All pairs of bearings a and b, sorted by a: ``first`` (ka + 1,), ``other`` (e,) the number of b,
    ``weight`` (e,), ``place`` (e, 3), ``spread`` (e, 3, 3). ``else_a``: as `state.Ear.else_`. Returns how
    many there are; those that there is no room for are left out."""
    ka, kb, found = za.shape[0], zb.shape[0], 0
    way_a, way_b = np.empty((ka, 3)), np.empty((kb, 3))
    toward(za, use_a, rotation_a, way_a)
    toward(zb, use_b, rotation_b, way_b)
    quiet_a, quiet_b, least, widest = figures[QUIET_A], figures[QUIET_B], figures[LEAST], figures[WIDEST]
    # No body is likelier to be new than if these two sensors were the only ones.
    newest = max(figures[DENSITY] * (quiet_a + quiet_b - quiet_a * quiet_b), figures[ARRIVING])
    apart, far = origin_b - origin_a, np.array([limits_a[1], limits_b[1]])
    near, guess = np.empty(kb, np.int64), np.empty((kb, 4))
    x, g, p = np.zeros(3), np.empty(3), np.empty((3, 3))
    for i in range(ka):
        first[i] = found
        met = _meetings(
            i, way_a, way_b, use_a, use_b, else_a, else_b, apart, far, newest, figures, near, guess
        )
        for c in range(met):
            if found == len(other):
                break
            j, along_a, along_b, area, odds = near[c], guess[c, 0], guess[c, 1], guess[c, 2], guess[c, 3]
            x[0] = origin_a[0] + along_a * way_a[i, 0]
            x[1] = origin_a[1] + along_a * way_a[i, 1]
            high_a, high_b = origin_a[2] + along_a * way_a[i, 2], origin_b[2] + along_b * way_b[j, 2]
            x[2] = _height(use_a[i, 1], use_b[j, 1], high_a, high_b, figures[HEIGHT])
            if not (
                within(x[0], x[1], x[2], origin_a, rotation_a, limits_a)
                and within(x[0], x[1], x[2], origin_b, rotation_b, limits_b)
            ):
                continue
            odds *= share_left(x[0], x[1], x[2], origins, rotations, limits, left)
            if area > 0.0 and odds * newest * area < least:
                continue
            new = unborn(
                x[0], x[1], x[2], others, other_rotations, other_limits, quiet, quiet_a, quiet_b
            )  # fmt: skip
            odds *= max(figures[DENSITY] * new, figures[ARRIVING])
            if area > 0.0 and odds * area < least:
                continue
            log = solve(
                x, g, p, za[i], var_a[i], use_a[i], origin_a, rotation_a, zb[j], var_b[j], use_b[j], origin_b,
                rotation_b, figures,
            )  # fmt: skip
            total = odds * math.exp(log) if math.isfinite(log) else 0.0
            if least <= total < math.inf and not max(p[0, 0], p[1, 1]) > widest * widest:
                other[found], weight[found] = j, total
                place[found], spread[found] = x, p
                found += 1
    first[ka] = found
    return found


@njit(cache=True, error_model="numpy")
def _meetings(
    i: int, way_a: F64, way_b: F64, use_a: Mask2, use_b: Mask2, else_a: F64, else_b: F64, apart: F64,
    far: F64, newest: float, figures: F64, near: I64, guess: F64,
) -> int:  # fmt: skip
    """The bearings of b that may be of one body with bearing ``i`` of a, into ``near`` (kb,), as far as a
    first guess says, ``guess`` (kb, 4): the ways to where they meet, the area in which their likelihood is as
    large as 1 (or 0 if an elevation was measured), and the odds but for the density of bodies. Returns how
    many. ``apart`` (3,): from a to b; ``far`` (2,): how far they see. Most pairs are refused here, in
    nanoseconds: a call of a function would cost several times as much."""
    east, north, see, least, met = apart[0], apart[1], figures[SEE], figures[LEAST], 0
    for j in range(way_b.shape[0]):
        sine = way_b[j, 0] * way_a[i, 1] - way_b[j, 1] * way_a[i, 0]
        if abs(sine) < _LEAST_SINE:
            continue
        along_a = (way_b[j, 0] * north - way_b[j, 1] * east) / sine
        along_b = (way_a[i, 0] * north - way_a[i, 1] * east) / sine
        if not (0.0 < along_a <= far[0] and 0.0 < along_b <= far[1]):
            continue
        area = 0.0 if use_a[i, 1] or use_b[j, 1] else along_a * along_b / abs(sine)
        odds = see / (else_a[i] * else_b[j])
        if area > 0.0 and odds * newest * area < least:
            continue
        near[met], guess[met, 0], guess[met, 1], guess[met, 2], guess[met, 3] = (
            j,
            along_a,
            along_b,
            area,
            odds,
        )
        met += 1
    return met


@njit(cache=True, error_model="numpy")
def _height(raised_a: bool, raised_b: bool, high_a: float, high_b: float, usual: float) -> float:
    if raised_a and raised_b:
        return 0.5 * (high_a + high_b)
    if raised_a:
        return high_a
    return high_b if raised_b else usual


@njit(cache=True, error_model="numpy")
def share(ka: int, kb: int, first: I64, other: I64, weight: F64, likely: F64) -> None:
    """Marginal probability ``likely`` (e,) of each pair: a bearing is of one body at most."""
    unclaimed = np.empty(kb)
    marginals(ka, kb, first, other, weight, np.ones(ka), np.zeros(ka, np.bool_), likely, unclaimed)
    for i in range(ka):
        whole = 1.0
        for edge in range(first[i], first[i + 1]):
            likely[edge] *= weight[edge]
            whole += likely[edge]
        for edge in range(first[i], first[i + 1]):
            likely[edge] /= whole


@njit(cache=True, error_model="numpy")
def solve(
    x: F64,
    g: F64,
    p: F64,
    za: F64,
    var_a: F64,
    use_a: NDArray[np.bool_],
    origin_a: F64,
    rotation_a: F64,
    zb: F64,
    var_b: F64,
    use_b: NDArray[np.bool_],
    origin_b: F64,
    rotation_b: F64,
    figures: F64,
) -> float:
    """The place ``x`` (3,) of two bearings from a first guess of it, and its covariance ``p``; returns the
    logarithm of the integral of their likelihood over all places, or nan if there is none. The second one was
    taken at another time: the body may have moved across it meanwhile."""
    factor = np.empty((3, 3))
    state, h, jacobian = np.zeros((1, 1, STATE)), np.empty((1, ROWS)), np.zeros((1, ROWS, STATE))
    log = math.nan
    raised = use_a[1] or use_b[1]
    sigma = figures[ODD_SIGMA] if raised else figures[HEIGHT_SIGMA]
    strayed = figures[STRAY_MPS] * figures[APART_S]
    for _ in range(_STEPS):
        for a in range(3):
            g[a] = 0.0
            for b in range(3):
                factor[a, b] = 0.0
        off = (figures[HEIGHT] - x[2]) / sigma
        factor[2, 2], g[2] = 1.0 / (sigma * sigma), off / sigma
        log = -0.5 * (off * off + _LOG_TWO_PI) - math.log(sigma)
        for a in range(3):
            state[0, 0, a] = x[a]
        sight(BEARING, use_a[1], 0, state, origin_a, rotation_a, h, jacobian)
        log += _add(g, factor, za, var_a, use_a, h, jacobian, 0.0)
        sight(BEARING, use_b[1], 0, state, origin_b, rotation_b, h, jacobian)
        log += _add(g, factor, zb, var_b, use_b, h, jacobian, strayed)
        if not cholesky(factor, 3):
            return math.nan
        forward(factor, g, 3)
        backward(factor, g, 3)
        for a in range(3):
            x[a] += g[a]
    _inverse(factor, p)
    log += 1.5 * _LOG_TWO_PI - math.log(factor[0, 0]) - math.log(factor[1, 1]) - math.log(factor[2, 2])
    return log


@njit(cache=True, error_model="numpy")
def _add(
    g: F64,
    information: F64,
    z: F64,
    var: F64,
    use: NDArray[np.bool_],
    h: F64,
    jacobian: F64,
    strayed: float,
) -> float:
    """Add a bearing's rows to the information on a place; returns the logarithm of its likelihood there.
    ``h`` (1, ROWS), ``jacobian`` (1, ROWS, 6): what would be measured of it, and the derivative."""
    log = 0.0
    for row in range(2):
        if not use[row]:
            continue
        y = wrapped(z[row] - h[0, row])
        variance = var[row]
        for a in range(2):
            variance += (strayed * jacobian[0, row, a]) * (strayed * jacobian[0, row, a])
        log -= 0.5 * (y * y / variance + _LOG_TWO_PI + math.log(variance))
        for a in range(3):
            g[a] += jacobian[0, row, a] * y / variance
            for b in range(3):
                information[a, b] += jacobian[0, row, a] * jacobian[0, row, b] / variance
    return log


@njit(cache=True, error_model="numpy")
def _inverse(factor: F64, out: F64) -> None:
    """The inverse of what `kalman.cholesky` made ``factor`` of (3 x 3)."""
    column = np.empty(3)
    for b in range(3):
        for a in range(3):
            column[a] = 1.0 if a == b else 0.0
        forward(factor, column, 3)
        backward(factor, column, 3)
        for a in range(3):
            out[a, b] = column[a]
    for a in range(3):
        for b in range(a):
            out[a, b] = out[b, a]
