"""Interacting multiple models: one body's motion as a mixture of few simple ones.

A drone flies straight, turns hard, or hovers, and changes between them at times nobody knows. Each model
has a Kalman filter of its own over [e n u ve vn vu]; before each prediction the filters are mixed by the
probability that the body changed from one to the other meanwhile (Blom, Bar-Shalom, "The interacting
multiple model algorithm", IEEE TAC 33(8), 1988). The probability of change is one of the elapsed time,
1 - exp(-dt / sojourn), so that any interval between detections is right.

Explicit loops in a fixed order, as in `kernels.kalman`. Shapes: m models, x (m, 6), p (m, 6, 6),
mu (m,).
"""

import math

import numpy as np
from numba import njit

from vedette.fuse.kernels.kalman import F64, HEIGHT_VAR, STATE, Mask, cholesky, pin_height, update_scored

Q_HORIZONTAL, Q_VERTICAL, DECAY_S, SOJOURN_S, CLIMB_DECAY_S = 0, 1, 2, 3, 4
"""Columns of a table of models: acceleration densities (m^2/s^3), time constant by which the horizontal
velocity decays (0 = it does not), mean time in the model, and time constant of the vertical velocity."""

STAY, LEVEL, CLIMB, COURSE = 0, 1, 6, 11
"""Columns of a table of what a time means to each model: the probability that a body still moves by it; then
for the horizontal, and for the vertical, ..."""
FALL, WAY, PLACE, BOTH, PACE = 0, 1, 2, 3, 4
"""... what becomes of a velocity, how far it carries, and of a unit of acceleration density the variance of
the place, the covariance of place and velocity, and the variance of the velocity: see `_drift`."""
SHARPEST = 1e-10
"""No row of a measurement tells more than this share of the variance that it would have if the state's errors
were independent: beyond it, what is left of a covariance would be rounding."""

_LEAST_PROBABILITY = 1e-4
"""No model is ever ruled out: it would not come back in time."""


@njit(cache=True, error_model="numpy")
def _drift(dt: float, decay: float, row: F64, at: int) -> None:
    """What ``dt`` does to a place and its velocity under a white acceleration, into ``row`` from ``at`` on.

    Without decay: Bar-Shalom, Li, Kirubarajan 2001, 6.2.2. With one, the velocity is a process of Uhlenbeck
    and Ornstein (Physical Review 36, 1930): the Singer model (ibid. 8.2.3) one derivative lower, integrated
    exactly. The difference that gives the variance of the place loses its digits for short times, where its
    power series takes over."""
    row[at + FALL], row[at + WAY] = 1.0, dt
    row[at + PLACE], row[at + BOTH], row[at + PACE] = dt * dt * dt / 3.0, dt * dt / 2.0, dt
    if not decay > 0.0:
        return
    a = dt / decay
    fall = math.exp(-a)
    way = -decay * math.expm1(-a)
    place = a + 2.0 * math.expm1(-a) - 0.5 * math.expm1(-2.0 * a)
    if a < 0.1:
        place = a * (62.0 / 5040.0 - a * (126.0 / 40320.0 - a * 254.0 / 362880.0))
        place = a * a * a * (1.0 / 3.0 - a * (0.25 - a * (7.0 / 60.0 - a * (30.0 / 720.0 - place))))
    row[at + FALL], row[at + WAY] = fall, way
    row[at + PLACE] = decay * decay * decay * place
    row[at + BOTH], row[at + PACE] = way * way / 2.0, way * (1.0 + fall) / 2.0


@njit(cache=True, error_model="numpy")
def _course(dt: float, models: F64, course: F64) -> None:
    """What ``dt`` means to each model, into ``course`` (m, COURSE)."""
    m = course.shape[0]
    for a in range(m):
        course[a, STAY] = math.exp(-dt / models[a, SOJOURN_S]) if m > 1 else 1.0
        _drift(dt, models[a, DECAY_S], course[a], LEVEL)
        _drift(dt, models[a, CLIMB_DECAY_S], course[a], CLIMB)


@njit(cache=True, error_model="numpy")
def _changes(t: int, mu: F64, course: F64, weight: F64, muo: F64) -> None:
    """``weight`` (m, m): probability that the body moved by one model and now does by the other."""
    m = mu.shape[1]
    for b in range(m):
        muo[t, b] = 0.0
    for a in range(m):
        stay = course[a, STAY]
        for b in range(m):
            weight[a, b] = mu[t, a] * (stay if a == b else (1.0 - stay) / (m - 1))
            muo[t, b] += weight[a, b]


@njit(cache=True, error_model="numpy")
def _mixed(t: int, x: F64, p: F64, weight: F64, muo: F64, xo: F64, po: F64) -> None:
    """The mixtures of track ``t`` by ``weight``; of the covariances the lower half."""
    m = muo.shape[1]
    for b in range(m):
        for i in range(STATE):
            mean = 0.0
            for a in range(m):
                mean += weight[a, b] * x[t, a, i]
            xo[t, b, i] = mean / muo[t, b]
        for i in range(STATE):
            for j in range(i + 1):
                total = 0.0
                for a in range(m):
                    apart = (x[t, a, i] - xo[t, b, i]) * (x[t, a, j] - xo[t, b, j])
                    total += weight[a, b] * (p[t, a, i, j] + apart)
                po[t, b, i, j] = total / muo[t, b]


@njit(cache=True, error_model="numpy")
def _mixed_of_three(t: int, x: F64, p: F64, weight: F64, muo: F64, xo: F64, po: F64) -> None:
    """The same to the bit for three models: most of all prediction is this, and without the inner loop it
    takes half the time."""
    for b in range(3):
        w0, w1, w2, whole = weight[0, b], weight[1, b], weight[2, b], muo[t, b]
        for i in range(STATE):
            xo[t, b, i] = (w0 * x[t, 0, i] + w1 * x[t, 1, i] + w2 * x[t, 2, i]) / whole
        for i in range(STATE):
            d0, d1, d2 = x[t, 0, i] - xo[t, b, i], x[t, 1, i] - xo[t, b, i], x[t, 2, i] - xo[t, b, i]
            for j in range(i + 1):
                total = w0 * (p[t, 0, i, j] + d0 * (x[t, 0, j] - xo[t, b, j]))
                total += w1 * (p[t, 1, i, j] + d1 * (x[t, 1, j] - xo[t, b, j]))
                total += w2 * (p[t, 2, i, j] + d2 * (x[t, 2, j] - xo[t, b, j]))
                po[t, b, i, j] = total / whole


@njit(cache=True, error_model="numpy")
def mix(x: F64, p: F64, mu: F64, dt: float, models: F64, xo: F64, po: F64, muo: F64) -> None:
    """The states that each model starts from, ``dt`` later, into ``xo``, ``po``; ``muo``: its probability.

    Blom, Bar-Shalom 1988, equations 4 to 6."""
    m = len(mu)
    course, weight = np.empty((m, COURSE)), np.empty((m, m))
    _course(dt, models, course)
    muo_ = muo.reshape(1, m)
    _changes(0, mu.reshape(1, m), course, weight, muo_)
    _mixed(
        0, x.reshape(1, m, STATE), p.reshape(1, m, STATE, STATE), weight, muo_, xo.reshape(1, m, STATE),
        po.reshape(1, m, STATE, STATE),
    )  # fmt: skip
    for a in range(m):
        _mirror(0, a, po.reshape(1, m, STATE, STATE))


@njit(cache=True, error_model="numpy")
def _mirror(t: int, a: int, p: F64) -> None:
    """The upper half of a covariance from the lower one."""
    for i in range(STATE):
        for j in range(i):
            p[t, a, j, i] = p[t, a, i, j]


@njit(cache=True, error_model="numpy")
def _advance(t: int, a: int, x: F64, p: F64, course: F64, models: F64) -> None:
    """Model ``a`` of track ``t`` later; reads the lower half of its covariance, writes both."""
    level, climb = course[a, LEVEL : LEVEL + PACE + 1], course[a, CLIMB : CLIMB + PACE + 1]
    falls, ways = (level[FALL], level[FALL], climb[FALL]), (level[WAY], level[WAY], climb[WAY])
    for i in range(3):
        x[t, a, i] += ways[i] * x[t, a, i + 3]
        x[t, a, i + 3] *= falls[i]
    for i in range(3):
        for j in range(i + 1):
            place = p[t, a, i, j] + ways[i] * p[t, a, i + 3, j] + ways[j] * p[t, a, j + 3, i]
            place += ways[i] * ways[j] * p[t, a, i + 3, j + 3]
            p[t, a, i, j] = p[t, a, j, i] = place
    for i in range(3):
        for j in range(3):
            moving = p[t, a, max(i, j) + 3, min(i, j) + 3]
            cross = falls[i] * (p[t, a, i + 3, j] + ways[j] * moving)
            p[t, a, i + 3, j] = p[t, a, j, i + 3] = cross
    for i in range(3):
        for j in range(i + 1):
            moving = p[t, a, i + 3, j + 3] * (falls[i] * falls[j])
            p[t, a, i + 3, j + 3] = p[t, a, j + 3, i + 3] = moving
    for i in range(3):
        q, noise = (models[a, Q_VERTICAL], climb) if i == 2 else (models[a, Q_HORIZONTAL], level)
        p[t, a, i, i] += q * noise[PLACE]
        p[t, a, i, i + 3] += q * noise[BOTH]
        p[t, a, i + 3, i] += q * noise[BOTH]
        p[t, a, i + 3, i + 3] += q * noise[PACE]


@njit(cache=True, error_model="numpy")
def advance(x: F64, p: F64, dt: float, model: F64) -> None:
    """One model's state and covariance ``dt`` later, in place: see `_drift`."""
    if dt <= 0.0:
        return
    course, models = np.empty((1, COURSE)), model.reshape(1, len(model))
    _course(dt, models, course)
    _advance(0, 0, x.reshape(1, 1, STATE), p.reshape(1, 1, STATE, STATE), course, models)


@njit(cache=True, error_model="numpy")
def _move(
    t: int, dt: float, course: F64, models: F64, motion: F64, known: bool, xo: F64, po: F64, muo: F64
) -> bool:
    """All models of a mixed track ``dt`` later, in place; returns whether the height is known."""
    spread = 0.0
    for a in range(muo.shape[1]):
        if dt > 0.0:
            _advance(t, a, xo, po, course, models)
        else:
            _mirror(t, a, po)
        spread += muo[t, a] * po[t, a, 2, 2]
    if known and spread <= motion[HEIGHT_VAR]:
        return True
    for a in range(muo.shape[1]):
        pin_height(xo[t, a], po[t, a], motion)
    return False


@njit(cache=True, error_model="numpy")
def predict(
    x: F64, p: F64, mu: F64, dt: float, models: F64, motion: F64, known: bool, xo: F64, po: F64, muo: F64
) -> bool:
    """All models ``dt`` later; returns whether the height is known. ``motion`` as in `kalman.predict`:
    a height whose variance outgrew the prior's is forgotten, and the prior stands in again."""
    m = len(mu)
    mix(x, p, mu, dt, models, xo, po, muo)
    course = np.empty((m, COURSE))
    _course(dt, models, course)
    return _move(
        0, dt, course, models, motion, known, xo.reshape(1, m, STATE), po.reshape(1, m, STATE, STATE),
        muo.reshape(1, m),
    )  # fmt: skip


@njit(cache=True, error_model="numpy")
def combine(x: F64, p: F64, mu: F64, xo: F64, po: F64) -> None:
    """The mixture as one mean and covariance (moment matching)."""
    m = len(mu)
    for i in range(STATE):
        xo[i] = 0.0
        for a in range(m):
            xo[i] += mu[a] * x[a, i]
    for i in range(STATE):
        for j in range(i + 1):
            total = 0.0
            for a in range(m):
                total += mu[a] * (p[a, i, j] + (x[a, i] - xo[i]) * (x[a, j] - xo[j]))
            po[i, j] = total
            po[j, i] = total


@njit(cache=True, nogil=True, error_model="numpy")
def predict_all(
    count: int,
    times: F64,
    x: F64,
    p: F64,
    mu: F64,
    known: Mask,
    now: float,
    models: F64,
    motion: F64,
    xo: F64,
    po: F64,
    muo: F64,
    ko: Mask,
) -> None:
    """The models of all tracks at ``now``; a track that is ahead of ``now`` stays where it is."""
    m = mu.shape[1]
    course, weight = np.empty((m, COURSE)), np.empty((m, m))
    held = -1.0
    for t in range(count):
        dt = max(now - times[t], 0.0)
        if dt != held:  # Most tracks were detected last in the same few scans.
            _course(dt, models, course)
            held = dt
        _changes(t, mu, course, weight, muo)
        if m == 3:
            _mixed_of_three(t, x, p, weight, muo, xo, po)
        else:
            _mixed(t, x, p, weight, muo, xo, po)
        ko[t] = _move(t, dt, course, models, motion, known[t], xo, po, muo)


@njit(cache=True, nogil=True, error_model="numpy")
def combine_all(count: int, x: F64, p: F64, mu: F64, xo: F64, po: F64) -> None:
    """`combine` for every track."""
    for t in range(count):
        combine(x[t], p[t], mu[t], xo[t], po[t])


@njit(cache=True, error_model="numpy")
def reweigh(mu: F64, likelihood: F64) -> None:
    """Probabilities of the models after an observation, in place; none falls to nothing."""
    total = 0.0
    for a in range(len(mu)):
        mu[a] *= likelihood[a]
        total += mu[a]
    if not total > 0.0:
        total = 1.0
        for a in range(len(mu)):
            mu[a] = 1.0 / len(mu)
    floored = 0.0
    for a in range(len(mu)):
        mu[a] = max(mu[a] / total, _LEAST_PROBABILITY)
        floored += mu[a]
    for a in range(len(mu)):
        mu[a] /= floored


@njit(cache=True, error_model="numpy")
def update(x: F64, p: F64, mu: F64, z: F64, r: F64, use: Mask, origin: F64) -> float:
    """Update all models with one measurement in the rows of `kernels.kalman`, in place; returns the
    least squared Mahalanobis distance, or a negative number if any model's numbers failed (see
    `kalman.update_scored`; or its covariance came out not positive) and the track must be started anew."""
    m = len(mu)
    logs, blunt = np.empty(m), r.copy()
    least = math.inf
    for a in range(m):
        for i in range(STATE):
            blunt[i, i] = max(r[i, i], SHARPEST * p[a, i, i])
        blunt[STATE, STATE] = max(r[STATE, STATE], SHARPEST * (p[a, 3, 3] + p[a, 4, 4] + p[a, 5, 5]))
        d2, logdet = update_scored(x[a], p[a], z, blunt, use, origin)
        if d2 < 0.0:
            return d2
        if not cholesky(p[a].copy(), STATE):
            return -1.0
        logs[a] = -0.5 * (d2 + logdet)
        least = min(least, d2)
    top = logs[0]
    for a in range(m):
        top = max(top, logs[a])
    for a in range(m):
        logs[a] = math.exp(logs[a] - top)
    reweigh(mu, logs)
    return least
