"""Existence of all tracks between and after the looks of sensors, and what a look leaves in the table.

Explicit loops in a fixed order, as in `kernels.kalman`. Shapes: n tracks, k plots.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vedette.fuse.kernels.imm import combine
from vedette.fuse.kernels.kalman import F64, STATE, Mask, finite

I64 = NDArray[np.int64]

STAY, GRACE, CONSTANT = 0, 1, 2
"""Indices into the times (s) by which existence falls."""
CONFIRM, FORGET = 0, 1
"""Indices into the existences at which a track is shown, and shown no more."""

UNCHANGED, WEIGHED, MOVED, FAILED = 0, 1, 2, -1
"""What a look did to a track: nothing; to its existence alone; to its state too; its numbers failed."""

_LEAST_EMITS = 0.02
"""Neither is ever certain: a body may fall silent, or begin to send."""
HEARD = 0.995
"""Probability that a body still sends which was heard at the last look; a judgement. It decides how long one
that is known by directions alone is shown when nobody hears it any more: some seconds."""
MOST_BY_EAR = 0.995
_LEAST_HIT = 0.02
"""A plot that is a track's with less probability leaves it where it is."""


@njit(cache=True, error_model="numpy")
def fallen(existence: float, silence_s: float, watched: bool, times: F64) -> float:
    """Existence after ``silence_s`` without a detection. One that sensors watch stays for a mean time; of one
    that is known by its own reports alone nothing falls for a grace period, and then it falls faster."""
    if watched:
        return existence * math.exp(-max(silence_s, 0.0) / times[STAY])
    overdue = silence_s - times[GRACE]
    return existence if overdue <= 0.0 else existence * math.exp(-overdue / times[CONSTANT])


@njit(cache=True, error_model="numpy")
def fallen_all(
    n: int, now: float, heard: F64, existence: F64, independent: Mask, named: Mask, times: F64, out: F64
) -> None:
    """`fallen` of all tracks at ``now``."""
    for t in range(n):
        out[t] = fallen(existence[t], now - heard[t], independent[t] and not named[t], times)


@njit(cache=True, error_model="numpy")
def heard_or_silent(n: int, visible: Mask, sees: float, hit: F64, after: F64, emits: F64) -> None:
    """Whether each body sends or makes noise: a silent one must not be taken for one that has gone.

    Bayes over (exists, emits): what is not heard may be silent, and then its existence stands. ``after``
    (n,): existence after the look, of which ``hit`` is the part that was heard; ``emits`` is that of a body
    that exists, so that a track which is hardly believed is not taken for silent."""
    for t in range(n):
        if visible[t]:
            silent = emits[t] * (1.0 - sees) / (1.0 - emits[t] * sees)
            heard = min(hit[t] / max(after[t], 1e-12), 1.0)
            emits[t] = min(max(heard + (1.0 - heard) * silent, _LEAST_EMITS), 1.0 - _LEAST_EMITS)


@njit(cache=True, error_model="numpy")
def doubt(
    n: int,
    by_ear: Mask,
    visible: Mask,
    sees: float,
    before: F64,
    hit: F64,
    emitted: F64,
    after: F64,
    emits: F64,
) -> None:
    """Existence ``after`` a look, and ``emits``, of bodies that are known by directions alone; ``emitted``:
    the latter before the look.

    Bayes over (exists, emits) in full: that they were heard is all that speaks for them, so not to be heard
    speaks against them. And directions alone never make a body as certain as a sensor that sees it does:
    ghosts cross too."""
    for t in range(n):
        if not by_ear[t]:
            continue
        pd = sees * emitted[t] if visible[t] else 0.0
        missed = before[t] * (1.0 - pd) / (1.0 - before[t] * pd)
        after[t] = min(hit[t] + (1.0 - hit[t]) * missed, MOST_BY_EAR)
        silent = (emitted[t] - pd) / (1.0 - pd)
        emits[t] = min(max(hit[t] + (1.0 - hit[t]) * silent, _LEAST_EMITS), HEARD)


@njit(cache=True, error_model="numpy")
def settle(
    n: int,
    now: float,
    raised: Mask,
    x: F64,
    p: F64,
    mu: F64,
    known: Mask,
    before: F64,
    after: F64,
    hit: F64,
    best: I64,
    levels: F64,
    times_: F64,
    heard_: F64,
    x_: F64,
    p_: F64,
    xm_: F64,
    pm_: F64,
    mu_: F64,
    known_: Mask,
    existence_: F64,
    confirmed_: Mask,
    independent_: Mask,
    named_: Mask,
    outcome: I64,
) -> None:
    """Write a look's result into the table of tracks (names with _).

    ``x``, ``p``, ``mu``, ``known``: the models after the look; ``before``, ``after``: existence at the look
    (that in the table is of when the track was heard last, and may be near one already); ``raised``
    (k,): plots that measure a height. ``outcome`` (n,) says what was done to each track."""
    for t in range(n):
        outcome[t] = UNCHANGED
        if best[t] >= 0 and hit[t] > _LEAST_HIT:
            outcome[t] = MOVED
            times_[t], existence_[t] = now, after[t]
            for a in range(mu.shape[1]):
                mu_[t, a] = mu[t, a]
                for i in range(STATE):
                    xm_[t, a, i] = x[t, a, i]
                    for j in range(STATE):
                        pm_[t, a, i, j] = p[t, a, i, j]
            combine(x[t], p[t], mu[t], x_[t], p_[t])
            known_[t] = known[t]
            if hit[t] > 0.5:
                known_[t] |= raised[best[t]]
                heard_[t], independent_[t] = now, True
            if not finite(x_[t], p_[t]):
                outcome[t] = FAILED
        elif after[t] != before[t]:
            outcome[t] = WEIGHED
            existence_[t] = min(existence_[t] * after[t] / max(before[t], 1e-12), 1.0)
        if outcome[t] != UNCHANGED:
            if after[t] > levels[CONFIRM]:
                confirmed_[t] = True
            elif after[t] < levels[FORGET] and independent_[t] and not named_[t]:
                confirmed_[t] = False
