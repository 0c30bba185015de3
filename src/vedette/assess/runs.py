"""A plain attack: what flies straight at a unit is warned of whatever a fitted model makes of it.

A model knows the attacks that it was fitted on. That something comes straight at a person, surely, and will
be there in seconds needs no model: nothing but its course, its speed, its distance and its height is asked.
Ways to be sure of a course:

- the velocities that the tracker states, their uncertainty weighed in (`aim_10s` of `kernels.pairs`): about
  ten seconds and more at the unit; for the slow, half a minute of it and near; for what strikes from close
  by, three seconds of a course that could not be surer;
- places alone (`vedette.assess.courses`), for tracks whose velocities are rough: faster than what watches or
  passes by, or slow and about to be overhead.

Figures and what they cost: docs/threat-model.md, "Rules".
"""

from dataclasses import dataclass

import numpy as np

from vedette.assess.columns import Bools, Floats, TrackFacts
from vedette.assess.courses import Course
from vedette.assess.kernels import pairs as kernel
from vedette.assess.pairs import Pairs
from vedette.assess.settings import AssessSettings


@dataclass(frozen=True, slots=True)
class Runs:
    """Of every pair, [pairs]: ``warns``: a plain attack is flown; ``strikes``: it is nearly there; ``aims``:
    it is one but for its being too far off yet, to be there in ``due`` seconds."""

    warns: Bools
    strikes: Bools
    aims: Bools
    due: Floats


def runs(pairs: Pairs, facts: TrackFacts, course: Course, s: AssessSettings) -> Runs:
    """Where a plain attack is flown."""
    comes = _comes_low(pairs, facts, s)
    likely = comes & (facts.drone_run >= s.run_drone)
    # An aircraft's word that nobody else confirms keeps WARNING open where it matters, and IMMINENT not.
    may = likely | comes & (pairs.slant < s.danger_radius_m) & (facts.drone_near >= s.aircraft_floor)
    long, places = _for_long(pairs, s), _by_places(pairs, facts, course, s)
    sure = long & (pairs.p50 < s.run_p50_s) | _suddenly(pairs, s)
    rough = places & (course.due < s.run_p50_s)
    soon = sure & (pairs.p50 < s.strike_p50_s) | rough & (course.due < s.strike_p50_s)
    return Runs(
        warns=may & (sure | rough | _about_overhead(pairs, facts, course, s)),
        strikes=likely & soon & ~(facts.measured & (_passes(pairs, facts) > s.strike_height_m)),
        aims=likely & (long | places),
        due=np.where(long, pairs.p50, course.due),
    )


def _comes_low(pairs: Pairs, facts: TrackFacts, s: AssessSettings) -> Bools:
    """What is no faster than drones are, and comes over the unit low enough."""
    slow = ~facts.surely_fast & (facts.speed < s.aircraft_speed_mps)
    return np.asarray(slow & (_passes(pairs, facts) < s.run_height_m))


def _passes(pairs: Pairs, facts: TrackFacts) -> Floats:
    """How high it comes over the unit at least, m."""
    return np.asarray(pairs.up + np.minimum(facts.climb, 0.0) * pairs.p50 - facts.up_sigma)


def _for_long(pairs: Pairs, s: AssessSettings) -> Bools:
    aim3, aim10, aim30 = (pairs.features[:, k] for k in (kernel.F_AIM3, kernel.F_AIM10, kernel.F_AIM30))
    lasts = (aim30 > s.run_long_aim_nats) & (aim3 > s.run_last_aim_nats)
    sure = (aim10 > s.run_aim_nats) | lasts & (pairs.slant < s.danger_radius_m)
    comes = (pairs.closing > s.run_closing_mps) & (pairs.miss < s.collision_miss_m)
    return np.asarray(sure & comes)


def _suddenly(pairs: Pairs, s: AssessSettings) -> Bools:
    sure = pairs.features[:, kernel.F_AIM3] > s.run_sudden_aim_nats
    comes = (pairs.closing > s.run_sudden_closing_mps) & (pairs.p50 < s.run_sudden_p50_s)
    return np.asarray(sure & comes & (pairs.miss < s.run_sudden_miss_m) & (pairs.slant < s.run_sudden_m))


def _by_places(pairs: Pairs, facts: TrackFacts, course: Course, s: AssessSettings) -> Bools:
    known = (facts.age > s.run_age_s) & (pairs.features[:, kernel.F_AIM10] > s.run_rough_aim_nats)
    comes = (course.closing > s.run_rough_closing_mps) & (course.miss < s.collision_miss_m)
    return np.asarray(known & comes & _still(pairs, course, s))


def _about_overhead(pairs: Pairs, facts: TrackFacts, course: Course, s: AssessSettings) -> Bools:
    known = (facts.age > s.run_age_s) & (pairs.features[:, kernel.F_AIM30] > s.run_overhead_aim_nats)
    comes = (course.closing > s.imminent_closing_mps) & (pairs.slant < s.run_overhead_m)
    return np.asarray(known & comes & _still(pairs, course, s) & (course.miss < s.run_overhead_miss_m))


def _still(pairs: Pairs, course: Course, s: AssessSettings) -> Bools:
    """Where it still comes as its mean course says."""
    return np.asarray(pairs.closing > s.run_still_share * course.closing)
