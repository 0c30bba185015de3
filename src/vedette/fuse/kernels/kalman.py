"""The numerics of the tracker: constant-velocity Kalman filter over the state [e n u ve vn vu].

Explicit loops in a fixed order, no BLAS, no fastmath: the same input gives the same bits. Every kernel
is plain Python under ``.py_func``. Lengths in metres, times in seconds, angles in radians.

Rows of a measurement, in this order; a mask says which are given:
0 east, 1 north, 2 up, 3-5 their velocities, 6 range rate from the sensor's place.

Motion: white-noise acceleration, Bar-Shalom, Li, Kirubarajan, Estimation with Applications to Tracking
and Navigation (2001), section 6.2.2. Update: Joseph's form, section 5.2.3 there.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

STATE = 6
ROWS = 7
EARTH_RADIUS_M = 6371000.0
FAR = math.inf
_MARGIN = 1.0 + 1e-9

# Indices into the vector of motion parameters.
Q_H, Q_V, HEIGHT, HEIGHT_VAR, CLIMB_VAR = 0, 1, 2, 3, 4


@njit(cache=True)
def predict(x: F64, p: F64, dt: float, motion: F64, known: bool, xo: F64, po: F64) -> bool:
    """State and covariance ``dt`` later into ``xo`` and ``po``; returns whether the height is known.

    ``motion``: acceleration densities (horizontal, vertical), prior height, its variance and that of
    the climb rate. A height whose variance outgrew the prior's is forgotten: the prior stands in again.
    """
    for i in range(3):
        xo[i] = x[i] + dt * x[i + 3]
        xo[i + 3] = x[i + 3]
    for i in range(3):
        for j in range(3):
            vv = p[i + 3, j + 3]
            po[i, j] = p[i, j] + dt * (p[i, j + 3] + p[i + 3, j]) + dt * dt * vv
            po[i, j + 3] = p[i, j + 3] + dt * vv
            po[i + 3, j] = p[i + 3, j] + dt * vv
            po[i + 3, j + 3] = vv
    for i in range(3):
        q = motion[Q_V] if i == 2 else motion[Q_H]
        po[i, i] += q * dt * dt * dt / 3.0
        po[i, i + 3] += q * dt * dt / 2.0
        po[i + 3, i] += q * dt * dt / 2.0
        po[i + 3, i + 3] += q * dt
    if known and po[2, 2] <= motion[HEIGHT_VAR]:
        return True
    pin_height(xo, po, motion)
    return False


@njit(cache=True)
def pin_height(x: F64, p: F64, motion: F64) -> None:
    """Put the height prior in place of the vertical state, over a ground that curves with the Earth."""
    for i in range(STATE):
        p[2, i] = 0.0
        p[i, 2] = 0.0
        p[5, i] = 0.0
        p[i, 5] = 0.0
    x[2] = motion[HEIGHT] - (x[0] * x[0] + x[1] * x[1]) / (2.0 * EARTH_RADIUS_M)
    x[5] = 0.0
    p[2, 2] = motion[HEIGHT_VAR]
    p[5, 5] = motion[CLIMB_VAR]


@njit(cache=True)
def cholesky(s: F64, m: int) -> bool:
    """Lower Cholesky factor of the leading m x m block, in place; False if it is not positive."""
    for j in range(m):
        d = s[j, j]
        for k in range(j):
            d -= s[j, k] * s[j, k]
        if not d > 0.0 or not d < FAR:
            return False
        d = math.sqrt(d)
        s[j, j] = d
        for i in range(j + 1, m):
            v = s[i, j]
            for k in range(j):
                v -= s[i, k] * s[j, k]
            s[i, j] = v / d
    return True


@njit(cache=True)
def measurement_rows(x: F64, z: F64, use: Mask, origin: F64, h: F64, y: F64, index: NDArray[np.int64]) -> int:
    """Fill the rows ``h`` (m x 6), innovations ``y`` and source rows ``index``; returns m.

    The range rate is linearised at ``x``: d = (p - s).v / |p - s|.
    """
    m = 0
    for row in range(STATE):
        if use[row]:
            for i in range(STATE):
                h[m, i] = 0.0
            h[m, row] = 1.0
            y[m] = z[row] - x[row]
            index[m] = row
            m += 1
    if use[6]:
        re, rn, ru = x[0] - origin[0], x[1] - origin[1], x[2] - origin[2]
        r = max(math.sqrt(re * re + rn * rn + ru * ru), 1.0)
        rate = (re * x[3] + rn * x[4] + ru * x[5]) / r
        h[m, 0] = (x[3] - rate * re / r) / r
        h[m, 1] = (x[4] - rate * rn / r) / r
        h[m, 2] = (x[5] - rate * ru / r) / r
        h[m, 3], h[m, 4], h[m, 5] = re / r, rn / r, ru / r
        y[m] = z[6] - rate
        index[m] = 6
        m += 1
    return m


@njit(cache=True)
def innovation(p: F64, r: F64, h: F64, index: NDArray[np.int64], m: int, ph: F64, s: F64) -> None:
    """``ph`` = P H' (6 x m) and ``s`` = H P H' + R (m x m)."""
    for i in range(STATE):
        for a in range(m):
            v = 0.0
            for k in range(STATE):
                v += p[i, k] * h[a, k]
            ph[i, a] = v
    for a in range(m):
        for b in range(m):
            v = r[index[a], index[b]]
            for k in range(STATE):
                v += h[a, k] * ph[k, b]
            s[a, b] = v


@njit(cache=True)
def forward(s: F64, y: F64, m: int) -> None:
    """Solve L w = y in place, L the lower factor in ``s``."""
    for i in range(m):
        v = y[i]
        for k in range(i):
            v -= s[i, k] * y[k]
        y[i] = v / s[i, i]


@njit(cache=True)
def backward(s: F64, y: F64, m: int) -> None:
    """Solve L' w = y in place."""
    for i in range(m - 1, -1, -1):
        v = y[i]
        for k in range(i + 1, m):
            v -= s[k, i] * y[k]
        y[i] = v / s[i, i]


@njit(cache=True)
def update(x: F64, p: F64, z: F64, r: F64, use: Mask, origin: F64) -> float:
    """`update_scored` without the determinant."""
    return update_scored(x, p, z, r, use, origin)[0]


@njit(cache=True)
def update_scored(x: F64, p: F64, z: F64, r: F64, use: Mask, origin: F64) -> tuple[float, float]:
    """Kalman update of ``x`` and ``p`` in place; returns the squared Mahalanobis distance of the
    innovation and the logarithm of its covariance's determinant. The distance is -1 with nothing changed if
    that covariance is not positive, or -2 if the numbers overflowed and ``x`` and ``p`` must be thrown
    away."""
    h = np.empty((ROWS, STATE))
    y = np.empty(ROWS)
    index = np.empty(ROWS, np.int64)
    ph = np.empty((STATE, ROWS))
    s = np.empty((ROWS, ROWS))
    m = measurement_rows(x, z, use, origin, h, y, index)
    innovation(p, r, h, index, m, ph, s)
    if not cholesky(s, m):
        return -1.0, 0.0
    gain = np.empty((STATE, ROWS))
    for i in range(STATE):
        for a in range(m):
            gain[i, a] = ph[i, a]
        forward(s, gain[i], m)
        backward(s, gain[i], m)
    for i in range(STATE):
        for a in range(m):
            x[i] += gain[i, a] * y[a]
    joseph(p, gain, h, r, index, m)
    forward(s, y, m)
    d2, logdet = 0.0, 0.0
    for a in range(m):
        d2 += y[a] * y[a]
        logdet += 2.0 * math.log(s[a, a])
    return (d2 if finite(x, p) else -2.0), logdet


@njit(cache=True)
def finite(x: F64, p: F64) -> bool:
    """True if every number of a state and its covariance is finite."""
    for i in range(STATE):
        if not math.isfinite(x[i]):
            return False
        for j in range(STATE):
            if not math.isfinite(p[i, j]):
                return False
    return True


@njit(cache=True)
def joseph(p: F64, gain: F64, h: F64, r: F64, index: NDArray[np.int64], m: int) -> None:
    """P <- (I - K H) P (I - K H)' + K R K', exactly symmetric."""
    a = np.empty((STATE, STATE))
    ap = np.empty((STATE, STATE))
    for i in range(STATE):
        for j in range(STATE):
            v = 1.0 if i == j else 0.0
            for k in range(m):
                v -= gain[i, k] * h[k, j]
            a[i, j] = v
    for i in range(STATE):
        for j in range(STATE):
            v = 0.0
            for k in range(STATE):
                v += a[i, k] * p[k, j]
            ap[i, j] = v
    for i in range(STATE):
        for j in range(i, STATE):
            v = 0.0
            for k in range(STATE):
                v += ap[i, k] * a[j, k]
            for k in range(m):
                for n in range(m):
                    v += gain[i, k] * r[index[k], index[n]] * gain[j, n]
            p[i, j] = v
            p[j, i] = v


@njit(cache=True)
def score(
    count: int,
    times: F64,
    x: F64,
    p: F64,
    known: Mask,
    now: float,
    motion: F64,
    z: F64,
    r: F64,
    use: Mask,
    origin: F64,
    gate: float,
    d2: F64,
    cost: F64,
    density: F64,
) -> None:
    """How well one measurement fits each of ``count`` tracks at time ``now``.

    ``d2``: squared Mahalanobis distance, infinite beyond ``gate``; ``cost``: d2 + log det S, to compare
    tracks; ``density``: predicted density of the measured horizontal position, per square metre.
    """
    xo = np.empty(STATE)
    po = np.empty((STATE, STATE))
    h = np.empty((ROWS, STATE))
    y = np.empty(ROWS)
    index = np.empty(ROWS, np.int64)
    ph = np.empty((STATE, ROWS))
    s = np.empty((ROWS, ROWS))
    for t in range(count):
        d2[t] = FAR
        dt = max(now - times[t], 0.0)
        e = z[0] - x[t, 0] - dt * x[t, 3]
        n = z[1] - x[t, 1] - dt * x[t, 4]
        # d2 >= |y|^2 / trace(S), so most far tracks are refused before any matrix is touched.
        spread = r[0, 0] + r[1, 1] + 2.0 * motion[Q_H] * dt * dt * dt / 3.0
        for i in range(2):
            spread += p[t, i, i] + 2.0 * dt * p[t, i, i + 3] + dt * dt * p[t, i + 3, i + 3]
        if e * e + n * n > gate * spread:
            continue
        predict(x[t], p[t], dt, motion, known[t], xo, po)
        m = measurement_rows(xo, z, use, origin, h, y, index)
        innovation(po, r, h, index, m, ph, s)
        area = s[0, 0] * s[1, 1] - s[0, 1] * s[1, 0]
        flat = (s[1, 1] * e * e - 2.0 * s[0, 1] * e * n + s[0, 0] * n * n) / area
        if not cholesky(s, m):
            continue
        forward(s, y, m)
        total = 0.0
        logdet = 0.0
        for a in range(m):
            total += y[a] * y[a]
            logdet += 2.0 * math.log(s[a, a])
        if total <= gate:
            d2[t] = total
            cost[t] = total + logdet
            density[t] = math.exp(-0.5 * flat) / (2.0 * math.pi * math.sqrt(area))


@njit(cache=True)
def predict_all(
    count: int,
    times: F64,
    x: F64,
    p: F64,
    known: Mask,
    now: float,
    motion: F64,
    xo: F64,
    po: F64,
    ko: Mask,
) -> None:
    """All tracks at ``now``; a track that is ahead of ``now`` stays where it is."""
    for t in range(count):
        dt = max(now - times[t], 0.0)
        ko[t] = predict(x[t], p[t], dt, motion, known[t], xo[t], po[t])


@njit(cache=True)
def in_view(count: int, x: F64, origin: F64, rotation: F64, limits: F64, seen: Mask) -> None:
    """Which states lie inside a sensor's limits, as seen in the sensor's own frame.

    ``limits``: range lo, hi (m), azimuth lo, hi and elevation lo, hi (degrees), range rate lo, hi (m/s).
    An azimuth sector may run through north.
    """
    for t in range(count):
        de, dn, du = x[t, 0] - origin[0], x[t, 1] - origin[1], x[t, 2] - origin[2]
        e = rotation[0, 0] * de + rotation[1, 0] * dn + rotation[2, 0] * du
        n = rotation[0, 1] * de + rotation[1, 1] * dn + rotation[2, 1] * du
        u = rotation[0, 2] * de + rotation[1, 2] * dn + rotation[2, 2] * du
        distance = math.sqrt(e * e + n * n + u * u)
        azimuth = math.degrees(math.atan2(e, n)) - limits[2]
        azimuth -= 360.0 * math.floor(azimuth / 360.0)
        elevation = math.degrees(math.atan2(u, math.sqrt(e * e + n * n)))
        rate = (de * x[t, 3] + dn * x[t, 4] + du * x[t, 5]) / max(distance, 1.0)
        seen[t] = (
            limits[0] <= distance <= limits[1]
            and azimuth <= limits[3] - limits[2]
            and limits[4] <= elevation <= limits[5]
            and limits[6] <= rate <= limits[7]
        )


@njit(cache=True, nogil=True)
def close_pairs(count: int, x: F64, p: F64, gate: float, pairs: NDArray[np.int64]) -> int:
    """Pairs of states whose horizontal place and velocity differ by less than ``gate`` (squared
    Mahalanobis, covariances added, place and velocity each on their own), sorted; returns how many. If there
    is not room for all, the first ones.

    Two can only be close if their extents in east overlap; sorted by where these begin, each state meets
    those alone that begin before it ends."""
    begin, end = np.empty(count), np.empty(count)
    for a in range(count):
        half = math.sqrt(_MARGIN * gate * max(p[a, 0, 0], 0.0))
        begin[a], end[a] = x[a, 0] - half, x[a, 0] + half
    order, found = np.argsort(begin, kind="mergesort"), 0
    for i in range(count):
        for j in range(i + 1, count):
            if begin[order[j]] > end[order[i]]:
                break
            a, b = min(order[i], order[j]), max(order[i], order[j])
            if _close(x, p, a, b, gate):
                if found == pairs.shape[0]:
                    return _first_close_pairs(count, x, p, gate, pairs)
                pairs[found, 0], pairs[found, 1] = a, b
                found += 1
    pairs[:found] = pairs[:found][np.argsort(pairs[:found, 0] * count + pairs[:found, 1])]
    return found


@njit(cache=True)
def _first_close_pairs(count: int, x: F64, p: F64, gate: float, pairs: NDArray[np.int64]) -> int:
    """The same where there are more than there is room for: in order, until it is full."""
    found = 0
    for a in range(count):
        for b in range(a + 1, count):
            if _close(x, p, a, b, gate):
                if found == pairs.shape[0]:
                    return found
                pairs[found, 0], pairs[found, 1] = a, b
                found += 1
    return found


@njit(cache=True)
def _close(x: F64, p: F64, a: int, b: int, gate: float) -> bool:
    """No distance is less than that in one component, and most bodies are far apart."""
    e = x[a, 0] - x[b, 0]
    if e * e > _MARGIN * gate * (p[a, 0, 0] + p[b, 0, 0]):
        return False
    return bool(_apart(x, p, a, b, 0) < gate and _apart(x, p, a, b, 3) < gate)


@njit(cache=True)
def _apart(x: F64, p: F64, a: int, b: int, i: int) -> float:
    e, n = x[a, i] - x[b, i], x[a, i + 1] - x[b, i + 1]
    ee = p[a, i, i] + p[b, i, i]
    nn = p[a, i + 1, i + 1] + p[b, i + 1, i + 1]
    en = p[a, i, i + 1] + p[b, i, i + 1]
    distance: float = (nn * e * e - 2.0 * en * e * n + ee * n * n) / (ee * nn - en * en)
    return distance


def warm() -> None:
    """Compile every kernel, or load it from numba's cache. Takes some seconds on the first run."""
    x, p = np.zeros((2, STATE)), np.zeros((2, STATE, STATE))
    p[:] = np.eye(STATE)
    times, known, flags = np.zeros(2), np.ones(2, np.bool_), np.zeros(2, np.bool_)
    motion = np.array([1.0, 1.0, 80.0, 3600.0, 25.0])
    z, r, use, origin = np.ones(ROWS), np.eye(ROWS), np.ones(ROWS, np.bool_), np.zeros(3)
    d2, cost, density = np.empty(2), np.empty(2), np.empty(2)
    score(2, times, x, p, known, 1.0, motion, z, r, use, origin, 60.0, d2, cost, density)
    predict_all(2, times, x, p, known, 1.0, motion, x.copy(), p.copy(), flags)
    in_view(2, x, origin, np.eye(3), np.ones(8), flags)
    close_pairs(2, x, p, 4.0, np.empty((1, 2), np.int64))
    predict(x[0], p[0], 1.0, motion, True, x[1], p[1])
    pin_height(x[0], p[0], motion)
    update(x[0], p[0], z, r, use, origin)
