"""Interacting multiple models: one body's motion as a mixture of few simple ones.

A drone flies straight, turns hard, or hovers, and changes between them at times nobody knows. Each model
has a Kalman filter of its own over [e n u ve vn vu]; before each prediction the filters are mixed by the
probability that the body changed from one to the other meanwhile (Blom, Bar-Shalom, "The interacting
multiple model algorithm", IEEE TAC 33(8), 1988). The probability of change is one of the elapsed time,
1 - exp(-dt / sojourn), so that any interval between detections is right.

Explicit loops in a fixed order, as in `vedette.fuse.kernels`. Shapes: m models, x (m, 6), p (m, 6, 6),
mu (m,).
"""

import math

import numpy as np
from numba import njit

from vedette.fuse.kernels import F64, HEIGHT_VAR, STATE, Mask, cholesky, pin_height, update_scored

Q_HORIZONTAL, Q_VERTICAL, DECAY_S, SOJOURN_S = 0, 1, 2, 3
"""Columns of a table of models: acceleration densities (m^2/s^3), time constant by which the velocity
decays (0 = it does not), and mean time in the model."""

_LEAST_PROBABILITY = 1e-4
"""No model is ever ruled out: it would not come back in time."""
SHARPEST = 1e-10
"""No row of a measurement tells more than this share of the variance that it would have if the state's errors
were independent: beyond it, what is left of a covariance would be rounding."""


@njit(cache=True)
def mix(x: F64, p: F64, mu: F64, dt: float, models: F64, xo: F64, po: F64, muo: F64) -> None:
    """The states that each model starts from, ``dt`` later, into ``xo``, ``po``; ``muo``: its probability.

    Blom, Bar-Shalom 1988, equations 4 to 6."""
    m = len(mu)
    weight = np.empty((m, m))
    for b in range(m):
        muo[b] = 0.0
    for a in range(m):
        stay = math.exp(-dt / models[a, SOJOURN_S]) if m > 1 else 1.0
        for b in range(m):
            weight[a, b] = mu[a] * (stay if a == b else (1.0 - stay) / (m - 1))
            muo[b] += weight[a, b]
    for b in range(m):
        for i in range(STATE):
            mean = 0.0
            for a in range(m):
                mean += weight[a, b] * x[a, i]
            xo[b, i] = mean / muo[b]
        for i in range(STATE):
            for j in range(i + 1):
                total = 0.0
                for a in range(m):
                    total += weight[a, b] * (p[a, i, j] + (x[a, i] - xo[b, i]) * (x[a, j] - xo[b, j]))
                po[b, i, j] = total / muo[b]
                po[b, j, i] = po[b, i, j]


@njit(cache=True)
def advance(x: F64, p: F64, dt: float, model: F64) -> None:
    """One model's state and covariance ``dt`` later, in place.

    White-noise acceleration (Bar-Shalom, Li, Kirubarajan 2001, 6.2.2); with a decay the velocity falls off
    as in the Singer family (ibid. 8.2.3): f = exp(-dt / decay), way = decay (1 - f)."""
    if dt <= 0.0:
        return
    f, way = 1.0, dt
    if model[DECAY_S] > 0.0:
        f = math.exp(-dt / model[DECAY_S])
        way = model[DECAY_S] * (1.0 - f)
    for i in range(3):
        x[i] += way * x[i + 3]
        x[i + 3] *= f
    for i in range(3):
        for j in range(3):
            place = p[i, j] + way * (p[i, j + 3] + p[i + 3, j]) + way * way * p[i + 3, j + 3]
            cross = f * (p[i, j + 3] + way * p[i + 3, j + 3])
            p[i, j], p[i, j + 3] = place, cross
        for j in range(3):
            p[i + 3, j + 3] *= f * f
    for i in range(3):
        for j in range(3):
            p[j + 3, i] = p[i, j + 3]
    for i in range(3):
        q = model[Q_VERTICAL] if i == 2 else model[Q_HORIZONTAL]
        p[i, i] += q * dt * dt * dt / 3.0
        p[i, i + 3] += q * dt * dt / 2.0
        p[i + 3, i] += q * dt * dt / 2.0
        p[i + 3, i + 3] += q * dt


@njit(cache=True)
def predict(
    x: F64, p: F64, mu: F64, dt: float, models: F64, motion: F64, known: bool, xo: F64, po: F64, muo: F64
) -> bool:
    """All models ``dt`` later; returns whether the height is known. ``motion`` as in `kernels.predict`:
    a height whose variance outgrew the prior's is forgotten, and the prior stands in again."""
    mix(x, p, mu, dt, models, xo, po, muo)
    spread = 0.0
    for a in range(len(mu)):
        advance(xo[a], po[a], dt, models[a])
        spread += muo[a] * po[a, 2, 2]
    if known and spread <= motion[HEIGHT_VAR]:
        return True
    for a in range(len(mu)):
        pin_height(xo[a], po[a], motion)
    return False


@njit(cache=True)
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


@njit(cache=True)
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
    for t in range(count):
        dt = max(now - times[t], 0.0)
        ko[t] = predict(x[t], p[t], mu[t], dt, models, motion, known[t], xo[t], po[t], muo[t])


@njit(cache=True)
def combine_all(count: int, x: F64, p: F64, mu: F64, xo: F64, po: F64) -> None:
    """`combine` for every track."""
    for t in range(count):
        combine(x[t], p[t], mu[t], xo[t], po[t])


@njit(cache=True)
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


@njit(cache=True)
def update(x: F64, p: F64, mu: F64, z: F64, r: F64, use: Mask, origin: F64) -> float:
    """Update all models with one measurement in the rows of `vedette.fuse.kernels`, in place; returns the
    least squared Mahalanobis distance, or a negative number if any model's numbers failed (see
    `kernels.update_scored`; or its covariance came out not positive) and the track must be started anew."""
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
