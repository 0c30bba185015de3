"""Levels with hysteresis: up at once, down slowly.

IMMINENT  attack likely: the risk is above its bar, and it could be here within 30 s (p10), on a course
          that hits, and it is no aircraft that our own sensors see pass high above.
WARNING   the risk is above its bar, which is lower for what is nearly there; or slow and overhead, as a
          bomber is.
ADVISORY  a drone is near and stays or comes, watches the unit, or its risk is above the bar.
INFO      everything else that is reported: desk only.

The bars come with the model, which knows how often it is wrong (`model.Bars`), unless settings name others.
"""

import math

import numpy as np

from vedette.assess.columns import Bools, Floats, TrackFacts
from vedette.assess.courses import Course
from vedette.assess.kernels import pairs as kernel
from vedette.assess.memory import NOT_BELOW
from vedette.assess.model import Bars
from vedette.assess.pairs import HIGH_M, Pairs
from vedette.assess.rules import Weighed
from vedette.assess.settings import AssessSettings

INFO, ADVISORY, WARNING, IMMINENT = 0.0, 1.0, 2.0, 3.0


def bars_of(model: Bars, s: AssessSettings) -> Bars:
    """Those of the model, or of the settings where they say so."""
    return Bars(
        imminent_nats=model.imminent_nats if s.imminent_risk is None else logit(s.imminent_risk),
        warning_nats=model.warning_nats if s.warning_risk is None else logit(s.warning_risk),
        advisory_nats=model.advisory_nats if s.advisory_risk is None else logit(s.advisory_risk),
        watched_nats=model.watched_nats if s.watched_chance is None else logit(s.watched_chance),
        down_nats=model.down_nats,
        hold_s=s.hold_s if model.hold_s is None else model.hold_s,
    )


def logit(chance: float) -> float:
    """Log-odds; finite also where the chance is 0 or 1."""
    certain = min(max(chance, 1e-12), 1.0 - 1e-12)
    return math.log(certain / (1.0 - certain))


def rank(
    pairs: Pairs, facts: TrackFacts, course: Course, risk: Weighed, bars: Bars, s: AssessSettings, keep: bool
) -> Floats:
    """Level rank of every pair, [pairs]: to reach it, or (``keep``) to stay on it."""
    wide, lower = (s.hold_stretch, bars.down_nats) if keep else (1.0, 0.0)
    g = pairs
    doubt = 1.0 / (wide * wide)
    soon = np.where(_nearly_there(pairs, s, wide), s.near_nats, 0.0)
    likely = (risk.nats >= bars.warning_nats - soon - lower) & (risk.drone >= s.warning_drone * doubt)
    warning = likely | _overhead(pairs, course, risk, s, wide)
    coming = (g.closing > s.imminent_closing_mps / wide) & (g.p10 < s.imminent_p10_s * wide)
    # Far off the course is known so badly that the doubt alone would make anything a hit.
    doubted = np.where(g.p50 < s.imminent_p50_s * wide, g.miss_sigma, 0.0)
    aimed = g.miss < (s.collision_miss_m + doubted) * wide
    attack = (risk.nats >= bars.imminent_nats - lower) & (risk.drone >= s.imminent_drone * doubt)
    imminent = attack & warning & coming & aimed & ~_too_high(pairs, facts, s)
    is_drone = risk.drone >= s.advisory_drone * doubt
    watches = risk.watched >= bars.watched_nats - lower
    about = _stays(pairs, facts, course, s, wide) | _comes(pairs, facts, course, s, wide)
    advisory = is_drone & (about | watches | (risk.nats >= bars.advisory_nats - lower))
    level = np.where(advisory | warning, ADVISORY, INFO)
    level = np.where(warning, WARNING, level)
    return np.maximum(np.where(imminent, IMMINENT, level), risk.least)


def _nearly_there(pairs: Pairs, s: AssessSettings, wide: float) -> Bools:
    """What is seconds away on a course at the unit: to wait until it is as likely as farther off costs more
    than it saves."""
    comes = (pairs.closing > s.near_closing_mps / wide) & (pairs.p50 < s.near_p50_s * wide)
    return np.asarray(comes & (pairs.miss < s.near_miss_m * wide))


def _too_high(pairs: Pairs, facts: TrackFacts, s: AssessSettings) -> Bools:
    """What our own sensors measure to pass so high, or to be so fast, that it is no small drone about to hit:
    never by a word of its own (DESIGN, law 3)."""
    passes = pairs.up + np.minimum(facts.climb, 0.0) * pairs.p50 - 2.0 * facts.up_sigma
    return np.asarray(facts.measured & (facts.surely_fast | (passes > s.imminent_height_m)))


def _overhead(pairs: Pairs, course: Course, risk: Weighed, s: AssessSettings, wide: float) -> Bools:
    low = np.abs(pairs.up) <= HIGH_M
    over = low & (pairs.range < s.overhead_m * wide) & (risk.drone >= s.overhead_drone)
    slow = (pairs.speed < s.overhead_speed_mps * wide) & (course.speed < s.overhead_mean_mps * wide)
    return np.asarray(over & slow)


def _stays(pairs: Pairs, facts: TrackFacts, course: Course, s: AssessSettings, wide: float) -> Bools:
    """What hangs, loiters, goes round the unit, or is slow: surely, or so near that it need not be sure."""
    slow = s.advisory_speed_mps * wide
    hangs = (course.speed < s.advisory_hang_mps * wide) & (facts.age > s.advisory_hang_s)
    circles = facts.loiters & (pairs.features[:, kernel.GYRATION] < s.advisory_gyration_m * wide)
    wound, spread = pairs.features[:, kernel.F_WOUND], pairs.features[:, kernel.F_RANGE_CV]
    rounds = (wound > s.advisory_wound_turns / wide) & (spread < s.advisory_even * wide)
    lingers = hangs | circles | rounds | (pairs.speed + facts.speed_sigma < slow)
    close = (pairs.speed < slow) & (course.speed < s.advisory_mean_mps * wide)
    within = (pairs.nearest < s.advisory_range_m * wide) & lingers
    return np.asarray(within | (pairs.nearest < s.advisory_near_m * wide) & close)


def _comes(pairs: Pairs, facts: TrackFacts, course: Course, s: AssessSettings, wide: float) -> Bools:
    """What comes straight, is near, and has done so for seconds."""
    least = s.advisory_closing_mps / wide
    straight = (course.miss < s.collision_miss_m * wide) & (course.closing > least) & (pairs.closing > least)
    sure = pairs.features[:, kernel.F_AIM10] > s.advisory_aim_nats / wide
    return np.asarray((pairs.nearest < s.danger_radius_m * wide) & straight & sure)


def held(
    level: Floats, since: Floats, enter: Floats, stay: Floats, at: float, hold_s: float, awaited: Bools
) -> tuple[Floats, Floats]:
    """The level after hysteresis, and since when it is below: a held level and its time in, ``stay`` never
    below ``enter``. What is ``awaited`` keeps the level that it has."""
    up, supported = enter >= level, (stay >= level) | awaited
    since = np.where(up | supported, NOT_BELOW, since)
    since = np.where(~supported & ~up & (since == NOT_BELOW), at, since)
    lower = (since != NOT_BELOW) & (at - since >= hold_s)
    kept = np.where(up, enter, np.where(lower, np.maximum(enter, stay), level))
    return kept, np.where(lower, NOT_BELOW, since)
