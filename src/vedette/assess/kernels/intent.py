"""What a track means to do about a unit: nine hypotheses, a forward filter with switching.

The recursion is that of a hidden Markov model (L. R. Rabiner, "A tutorial on hidden Markov models",
Proceedings of the IEEE 77(2), 1989, equations 19 and 20): the intents of a moment ago, switched by the time
that has passed, times the likelihood of what is seen now. Errors of a tracker's velocity last for about a
second, so that a look counts as so much of an independent one as the seconds it stands for.

Likelihoods are densities of the velocity over ground (times 2 pi v, the same for all) and of the distance.
Every spread is widened by the uncertainty of the track's own state, so that a poor track says little.
The class that sensors believe in does not enter: the tracker has gathered it already, and to multiply it in
at every look would count it again and again. It weighs the posterior when that is told in words (`by_class`);
as features the intents say what the motion alone says, so that no label lowers a risk by a back door.

The figures of the hypotheses are set by hand from the field notes ("Kinematic envelopes") and order what is
seen; the risk is not read off them but off the fitted model, for which they are features.
"""

import math

import numpy as np
from numba import njit

from vedette.assess.kernels import motion
from vedette.assess.kernels.motion import F64

INTENTS = 9
ATTACK, DIVE, FOLLOW, ORBIT, DROP_RUN, PROBING, TRANSIT, BIRD, AUTHORISED = range(9)

PRIOR = np.array([0.08, 0.02, 0.06, 0.08, 0.04, 0.1, 0.27, 0.25, 0.1])
"""What a track that was just seen means to do about a unit within a few kilometres."""

_FAR = 1e9

#                  attack dive follow orbit  drop probe transit bird authorised
SPEED = np.array([[28.0, 30.0, 10.0, 11.0, 11.0, 14.0, 22.0, 12.0, 8.0],
                  [10.0, 10.0, _FAR, _FAR, 4.0, 7.0, 12.0, 4.5, 6.0]])  # fmt: skip
CLIMB = np.array([[-0.5, -10.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.3, 0.0],
                  [3.0, 6.0, 2.0, 2.0, 1.5, 2.5, 1.5, 1.8, 2.0]])  # fmt: skip
TURN_DPS = np.array([5.0, 5.0, 12.0, 12.0, 5.0, 10.0, 4.0, 18.0, 15.0])
"""Means and standard deviations: speed and climb in m/s, rate of turn in degrees/s (mean 0)."""

_RATES = np.array(
    [
        [0.0, 1 / 20, 1 / 300, 1 / 300, 1 / 300, 1 / 200, 1 / 300, 0.0, 0.0],
        [1 / 20, 0.0, 1 / 300, 1 / 300, 1 / 300, 1 / 100, 1 / 300, 0.0, 0.0],
        [1 / 120, 1 / 200, 0.0, 1 / 60, 1 / 200, 1 / 150, 1 / 200, 0.0, 1 / 600],
        [1 / 120, 1 / 200, 1 / 60, 0.0, 1 / 200, 1 / 150, 1 / 200, 1 / 600, 1 / 600],
        [1 / 200, 1 / 200, 1 / 100, 1 / 60, 0.0, 1 / 150, 1 / 200, 0.0, 1 / 600],
        [1 / 120, 1 / 300, 1 / 100, 1 / 60, 1 / 100, 0.0, 1 / 100, 0.0, 1 / 300],
        [1 / 300, 1 / 900, 1 / 300, 1 / 200, 1 / 300, 1 / 150, 0.0, 1 / 600, 1 / 600],
        [1 / 3000, 1 / 3000, 1 / 3000, 1 / 2000, 1 / 3000, 1 / 1000, 1 / 1000, 0.0, 1 / 3000],
        [1 / 600, 1 / 2000, 1 / 300, 1 / 200, 1 / 600, 1 / 150, 1 / 200, 1 / 2000, 0.0],
    ]
)
"""How often a second one intent (row) becomes another one (column)."""

STAY_MPS, CIRCLING_MPS, CIRCLING_SPREAD = 4.0, 11.0, 4.0
"""Relative speed of what follows or hovers; speed of what circles, and its spread, m/s."""

NEAR_M, NEAR_SPREAD, ANYWHERE_M, ANYWHERE_SPREAD = 260.0, 0.6, 900.0, 1.1
"""Distance (m) and its spread (natural logarithm) at which a unit is watched, and that of anything else."""
_LOG_NEAR, _LOG_ANYWHERE = math.log(NEAR_M), math.log(ANYWHERE_M)
_LOG_SPREADS = math.log(ANYWHERE_SPREAD / NEAR_SPREAD)

LOOK_WEIGHT = 0.35
"""A look that stands for a second is worth so much of an independent one: a pilot's choice of speed and
height lasts for longer than that."""

LEAST = 1e-6
"""No intent is ever ruled out."""

LONGEST_S = 600.0
_SQUARINGS = 6
_TURNS = 8


@njit(cache=True, error_model="numpy")
def switching(dt: float, out: F64) -> None:
    """[9, 9] chances that one intent has become another one within ``dt`` seconds: exp(dt Q), by Taylor's
    series of exp(dt Q / 64), squared six times. After `LONGEST_S` nothing is left of what was known."""
    n = INTENTS
    rate, term, work = np.empty((n, n)), np.zeros((n, n)), np.empty((n, n))
    scale = min(dt, LONGEST_S) / 2.0**_SQUARINGS
    for i in range(n):
        leaving = 0.0
        for j in range(n):
            rate[i, j] = scale * _RATES[i, j]
            leaving += rate[i, j]
        rate[i, i] = -leaving
    for i in range(n):
        for j in range(n):
            out[i, j] = term[i, j] = 1.0 if i == j else 0.0
    for turn in range(1, _TURNS + 1):
        _times(term, rate, work)
        for i in range(n):
            for j in range(n):
                term[i, j] = work[i, j] / turn
                out[i, j] += term[i, j]
    for _ in range(_SQUARINGS):
        _times(out, out, work)
        out[:] = work


@njit(cache=True, error_model="numpy")
def _times(a: F64, b: F64, out: F64) -> None:
    for i in range(INTENTS):
        for j in range(INTENTS):
            total = 0.0
            for k in range(INTENTS):
                total += a[i, k] * b[k, j]
            out[i, j] = total


@njit(cache=True, error_model="numpy")
def by_motion(figures: F64, turn_dps: float, out: F64) -> None:
    """[9] log-likelihoods of what does not depend on the unit: speed (through the air if the wind is known),
    climb and rate of turn."""
    east, north = figures[motion.VE] - figures[motion.AIR_E], figures[motion.VN] - figures[motion.AIR_N]
    speed = math.sqrt(east * east + north * north)
    variance = 0.5 * (figures[motion.VEE] + figures[motion.VNN])
    turn_variance = variance / (max(speed, 3.0) * 3.0 * math.pi / 180.0) ** 2
    for h in range(INTENTS):
        out[h] = 0.0
        if SPEED[1, h] < _FAR:
            out[h] += _normal(speed - SPEED[0, h], SPEED[1, h] ** 2 + variance)
        out[h] += _normal(figures[motion.VU] - CLIMB[0, h], CLIMB[1, h] ** 2 + figures[motion.VUU])
        out[h] += _normal(turn_dps, TURN_DPS[h] ** 2 + turn_variance)


@njit(cache=True, error_model="numpy", inline="always")
def _normal(off: float, variance: float) -> float:
    return -0.5 * (off * off / variance + math.log(2.0 * math.pi * variance))


@njit(cache=True, error_model="numpy")
def by_class(figures: F64, out: F64) -> None:
    """[9] weights of what sensors believe the track to be, and of a name that they verified."""
    fpv, quad, wing = figures[motion.FPV], figures[motion.MULTIROTOR], figures[motion.FIXED_WING]
    bird, craft = figures[motion.BIRD], figures[motion.AIRCRAFT]
    other = max(0.0, 1.0 - fpv - quad - wing - bird - craft)
    drone = fpv + quad + wing + 0.5 * other
    out[ATTACK] = 0.05 + fpv + 0.7 * wing + 0.4 * quad + 0.5 * other
    out[DIVE] = out[ATTACK]
    out[FOLLOW] = out[ORBIT] = out[PROBING] = 0.05 + drone
    out[DROP_RUN] = 0.05 + quad + 0.3 * fpv + 0.1 * wing + 0.3 * other
    out[TRANSIT] = 0.05 + drone + craft
    out[BIRD] = 0.05 + 1.5 * bird + 0.4 * other
    out[AUTHORISED] = (0.05 + drone + craft) * (8.0 if figures[motion.TRUST] > 0.0 else 1.0)


@njit(cache=True, error_model="numpy")
def powers(alone: F64, seconds: float, out: F64) -> None:
    """[9] likelihoods of ``alone`` for a look that stands for so many seconds, the greatest being 1."""
    greatest = -math.inf
    for h in range(INTENTS):
        greatest = max(greatest, alone[h])
    for h in range(INTENTS):
        out[h] = math.exp(LOOK_WEIGHT * seconds * (alone[h] - greatest))


@njit(cache=True, error_model="numpy", inline="always")
def update(
    chances: F64, fresh: bool, switched: F64, alone: F64, speed: float, cosine: float, variance: float,
    aim: float, distance: float, weight: float, work: F64,
) -> None:  # fmt: skip
    """One look at one pair; ``chances`` [9] is changed.

    ``fresh``: the pair was never looked at. ``switched``: `switching`. ``alone``: `powers` of what does not
    depend on the unit. ``speed`` (m/s) relative to the unit, ``cosine`` of the course error, ``variance`` of
    a component of the relative velocity; ``aim``: log-likelihood ratio of the course, flown at the unit,
    against any; ``distance`` horizontal, m; ``weight`` of the look.
    """
    if fresh:
        for j in range(INTENTS):
            work[j] = PRIOR[j]
    else:
        for j in range(INTENTS):
            work[j] = 0.0
        for i in range(INTENTS):
            chance = chances[i]
            for j in range(INTENTS):
                work[j] += chance * switched[i, j]
    square = cosine * cosine
    r = math.log(max(distance, 20.0))
    far = (r - _LOG_ANYWHERE) / ANYWHERE_SPREAD
    near = 0.5 * far * far + _LOG_SPREADS
    off = (r - _LOG_NEAR) / NEAR_SPREAD
    near -= 0.5 * off * off
    staying = STAY_MPS * STAY_MPS + variance
    v = max(speed, 0.5)
    stay = v / staying * math.exp(-0.5 * speed * speed / staying)
    miss = speed - CIRCLING_MPS
    spread = CIRCLING_SPREAD * CIRCLING_SPREAD + variance
    sideways = 1.6 * (1.0 - square) * (1.0 - square) + 0.4
    circling = sideways * math.exp(-0.5 * miss * miss / spread) / math.sqrt(2.0 * math.pi * spread)
    toward = math.exp(weight * aim)
    for h in range(INTENTS):
        work[h] *= alone[h]
    work[ATTACK] *= toward
    work[DIVE] *= toward
    work[DROP_RUN] *= toward
    work[FOLLOW] *= math.exp(weight * (near + math.log(stay + LEAST)))
    work[ORBIT] *= math.exp(weight * (near + math.log(0.5 * stay + 0.5 * circling + LEAST)))
    work[PROBING] *= 1.0 + weight * (0.8 * square - 0.4)
    total = 0.0
    for h in range(INTENTS):
        total += work[h]
    floor = LEAST * total
    total = 0.0
    for h in range(INTENTS):
        chances[h] = max(work[h], floor)
        total += chances[h]
    for h in range(INTENTS):
        chances[h] /= total
