"""All pairs at once: features, and the sums of the model; then those pairs alone of which anything is told.

Most pairs of a track and a unit are far apart, and nothing is said of them. What may matter of the others is
handed on by name and not by place, so that what follows costs as much as there is to say.
"""

import math

import numpy as np
from numba import njit

from vedette.assess.kernels import additive, intent, motion, pairs
from vedette.assess.kernels.additive import I64
from vedette.assess.kernels.motion import F64
from vedette.assess.kernels.pairs import Mask

PLAIN, LABELS, NEUTRAL, WATCHED, VOUCHED, VOUCHED_WATCHED = range(6)
SUMS = 6
NO_RISK = -60.0
NOT_COMING = -1.0
"""Columns of the sums: the terms that no class belief enters, prior included; those that one does, by what
is believed and by what is believed of a body of which nothing is known; log-odds of being watched; and by
what is believed without doubtful words: the class terms, and the log-odds of being watched. `NOT_COMING`
stands for a time until which nothing is awaited."""

LEAST_LOGIT, WATCHED_LOGIT, AIM, NEAR_M, FAR_M, NOW = range(6)
ASKED = 6
"""What is asked for: log-odds of the risk and of being watched, the aim (`aim_10s`) and the distance, from
which on a pair is handed on; the distance beyond which there is no risk yet; and the time, up to which
pairs that were above INFO are handed on."""


@njit(cache=True, nogil=True, error_model="numpy")
def weigh(
    tracks: F64, units: F64, elapsed: F64, c: F64, track_memory: F64, pair_memory: F64,
    risk: additive.Arrays, watched: additive.Arrays, used: Mask, neutral: F64, asked: F64,
    news: Mask, level: F64, plain_level: F64, told_until: F64, last_nats: F64, until: F64,
    who: I64, sums: F64, kept: F64,
) -> int:  # fmt: skip
    """Weigh all pairs; both memories are brought up to date. Returns how many are handed on: ``who`` [n, 2],
    ``sums`` [n, 6] and the features ``kept`` [n, features] are filled so far. A pair that is not handed on
    is at INFO, and is so in ``level`` and ``plain_level`` [tracks, units]; if there is ``news`` [tracks] of
    the track, ``last_nats`` [tracks, units] is that of no risk, and ``until`` that of what does not come."""
    switched, gain = np.empty((intent.INTENTS, intent.INTENTS)), np.empty(5)
    rows = np.full((units.shape[0], pairs.FEATURE_COUNT), math.nan)
    sum_of, vouched = np.empty((SUMS, units.shape[0])), np.empty(5)
    may, some = np.empty(units.shape[0], np.bool_), np.empty(units.shape[0], np.int64)
    last, n = -1.0, 0
    for i in range(tracks.shape[0]):
        motion.step(tracks[i], track_memory[i], elapsed[i])
        passed = max(elapsed[i], 0.0)
        if passed != last:
            intent.switching(passed, switched)
            pairs.gains(passed, gain)
            last = passed
        pairs.of_track(tracks[i], track_memory[i], rows[0])
        pairs.of_one_track(tracks[i], units, passed, c, used, switched, gain, pair_memory[i], rows)
        count = 0
        for j in range(units.shape[0]):
            held = level[i, j] > 0.0 or plain_level[i, j] > 0.0 or told_until[i, j] >= asked[NOW]
            kept_in_mind = last_nats[i, j] > asked[LEAST_LOGIT] or until[i, j] >= asked[NOW]
            held = held or (not news[i] and kept_in_mind)
            may[j] = held or rows[j, pairs.F_AIM10] > asked[AIM] or rows[j, pairs.NEAREST_NOW] < asked[NEAR_M]
            if may[j] or rows[j, pairs.NEAREST_NOW] <= asked[FAR_M]:
                some[count] = j
                count += 1
                alone = rows[0, : pairs.UNIT_SPEED]
                pairs.later(tracks[i], units[j], c, used, pair_memory[i, j], alone, rows[j])
        pairs.among(rows, used, some[:count])
        for k in range(5):
            vouched[k] = pairs.log_belief(tracks[i, motion.V_FPV + k])
        _add_up(risk, watched, rows, some[:count], asked, neutral, vouched, may, sum_of)
        for j in range(units.shape[0]):
            if not may[j]:
                level[i, j] = plain_level[i, j] = 0.0
                if news[i]:
                    last_nats[i, j], until[i, j] = NO_RISK, NOT_COMING
                continue
            who[n, 0], who[n, 1] = i, j
            sums[n], kept[n] = sum_of[:, j], rows[j]
            n += 1
    return n


@njit(cache=True, error_model="numpy")
def _add_up(
    risk: additive.Arrays, watched: additive.Arrays, rows: F64, some: I64, asked: F64, neutral: F64,
    vouched: F64, may: Mask, out: F64,
) -> None:  # fmt: skip
    """The sums [6, units] of ``some`` units of one track, for those that ``may`` [units] be handed on; who
    comes to what is asked for, may from here on. Terms of the track alone are looked up once, none for what
    is too far off, and no more than it takes to know that a pair cannot come to what is asked for."""
    first, none = pairs.L_FPV, neutral[:0]
    near, live, count = np.empty(len(some), np.int64), np.empty(len(some), np.int64), 0
    for j in some:
        out[:, j] = 0.0
        out[PLAIN, j] = out[WATCHED, j] = out[VOUCHED_WATCHED, j] = NO_RISK
        if rows[j, pairs.NEAREST_NOW] <= asked[FAR_M]:
            near[count] = j
            count += 1
    if count == 0:
        return
    near = near[:count]
    _watched(watched, rows, near, live, asked[WATCHED_LOGIT], vouched, may, out)
    only, again, alone = np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros((SUMS, 1))
    alone[PLAIN] = risk.prior
    additive.add(risk, risk.alone_plain, rows, only, first, none, alone[PLAIN])
    additive.add(risk, risk.alone_labels, rows, only, first, none, alone[LABELS])
    additive.add(risk, risk.alone_labels, rows, only, first, neutral, alone[NEUTRAL])
    additive.add(risk, risk.alone_labels, rows, only, first, vouched, alone[VOUCHED])
    called = max(alone[LABELS, 0], alone[NEUTRAL, 0], alone[VOUCHED, 0]) + risk.most_labels
    for j in near:
        out[PLAIN, j] = alone[PLAIN, 0]
        out[LABELS, j], out[NEUTRAL, j], out[VOUCHED, j] = (
            alone[LABELS, 0],
            alone[NEUTRAL, 0],
            alone[VOUCHED, 0],
        )
    left = additive.add_while(risk, rows, near, live, asked[LEAST_LOGIT] - called, may, out[PLAIN])
    some = live[:left]
    additive.add(risk, risk.labels, rows, some, first, none, out[LABELS])
    additive.add(risk, risk.labels, rows, some, first, neutral, out[NEUTRAL])
    additive.add(risk, risk.labels, rows, some, first, vouched, out[VOUCHED])
    for j in some:
        most = out[PLAIN, j] + max(out[LABELS, j], out[NEUTRAL, j], out[VOUCHED, j])
        may[j] = may[j] or most > asked[LEAST_LOGIT]
        only[0] = j
        if may[j] and out[WATCHED, j] <= NO_RISK:
            _watched(watched, rows, only, again, -math.inf, vouched, may, out)


@njit(cache=True, error_model="numpy")
def _watched(
    watched: additive.Arrays, rows: F64, some: I64, live: I64, least: float, vouched: F64, may: Mask, out: F64
) -> None:
    """The log-odds of being watched of ``some`` units of one track, with and without doubtful words;
    `NO_RISK` for those that cannot come to ``least``, unless they ``may`` be handed on. Who comes to it
    may."""
    first, none = pairs.L_FPV, vouched[:0]
    only, alone = np.zeros(1, np.int64), np.zeros((2, 1))
    alone[0] = watched.prior
    additive.add(watched, watched.alone_plain, rows, only, first, none, alone[0])
    alone[1] = alone[0]
    additive.add(watched, watched.alone_labels, rows, only, first, none, alone[0])
    additive.add(watched, watched.alone_labels, rows, only, first, vouched, alone[1])
    for j in some:
        out[WATCHED, j] = 0.0
    most = max(alone[0, 0], alone[1, 0]) + watched.most_labels
    left = additive.add_while(watched, rows, some, live, least - most, may, out[WATCHED])
    seen = live[:left]
    for j in some:
        out[VOUCHED_WATCHED, j] = NO_RISK
    for j in seen:
        out[VOUCHED_WATCHED, j] = alone[1, 0] + out[WATCHED, j]
        out[WATCHED, j] += alone[0, 0]
    additive.add(watched, watched.labels, rows, seen, first, none, out[WATCHED])
    additive.add(watched, watched.labels, rows, seen, first, vouched, out[VOUCHED_WATCHED])
    for j in some:
        if out[VOUCHED_WATCHED, j] == NO_RISK:
            out[WATCHED, j] = NO_RISK
        may[j] = may[j] or max(out[WATCHED, j], out[VOUCHED_WATCHED, j]) > least
