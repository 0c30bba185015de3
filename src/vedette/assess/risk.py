"""Risk of every pair: is it a drone, does it mean this unit, can it be there in time?

    risk = existence * P(drone) * P(intent | course, speed, nearness, loitering, dive, trust) * P(reach)

P(intent) is a sum of log-odds, so that each reason has a weight in nats that can be told to a person.
No term is clipped: two different geometries never tie. The course term is the log of a likelihood
ratio: course error of someone who flies at the unit (von Mises, Mardia & Jupp, Directional
Statistics, 3.5.4, with a share of outliers) against any course at all; its concentration falls with
the uncertainty of velocity and position, so a poor track is never strong evidence.
"""

import math
from dataclasses import dataclass

import numpy as np

from vedette.assess.columns import Bools, Floats, TrackColumns
from vedette.assess.geometry import NEVER_S, Geometry
from vedette.assess.memory import UNSEEN, PairMemory
from vedette.assess.settings import AssessSettings

_FIRST_LOOK = 0.4
"""Weight of the course evidence of a pair's first frame: one look is not yet a course."""


@dataclass(frozen=True, slots=True)
class Risk:
    """``risk`` and ``drone`` [tracks, units]; the terms of the intent in nats, broadcastable to that."""

    risk: Floats
    drone: Floats
    reach: Floats
    course: Floats
    speed: Floats
    near: Floats
    loiter: Floats
    dive: Floats
    trust: Floats


def course_evidence(geometry: Geometry, settings: AssessSettings) -> Floats:
    """Log-likelihood ratio (nats) of this one frame's course: flies at the unit, against any course.

    I0(k) exp(-k) is taken as 1 / sqrt(1 + 2 pi k): exact at both ends, and between them the ratio
    comes out too large by at most 0.28 nats (near k = 1), which errs on the side of the warning.
    """
    k = geometry.concentration
    aimed = np.sqrt(1.0 + 2.0 * math.pi * k) * np.exp(-k * geometry.off_course)
    return np.asarray(np.log((1.0 - settings.course_outlier) * aimed + settings.course_outlier))


def remember_course(memory: PairMemory, evidence: Floats, at: float, settings: AssessSettings) -> None:
    """Smooth the course evidence over ``course_memory_s`` up to ``at``; at the time of the last look
    nothing is counted twice."""
    passed = np.where(memory.weighed == UNSEEN, 0.0, np.maximum(at - memory.weighed, 0.0))
    share = -np.expm1(-passed / settings.course_memory_s)
    smoothed = memory.course + share * (evidence - memory.course)
    memory.course = np.where(memory.level == UNSEEN, _FIRST_LOOK * evidence, smoothed)


def weigh(
    tracks: TrackColumns, geometry: Geometry, memory: PairMemory, loiters: Floats, settings: AssessSettings
) -> Risk:
    """The risk of every pair, and what it is made of. ``loiters`` is 1 or 0, [tracks, 1]."""
    s = settings
    course = s.course_weight * memory.course
    speed = s.speed_nats * (_sigmoid((geometry.speed - s.speed_middle_mps) / s.speed_width_mps) - 0.7)
    near = s.near_nats * np.exp(-geometry.range / s.near_scale_m)
    loiter = s.loiter_nats * loiters * (geometry.range < s.loiter_range_m)
    dive = _dive(tracks, geometry, s)
    inside = geometry.nearest < s.danger_radius_m
    believed = np.where(near_for_sure(tracks, geometry, s), tracks.drone_near, tracks.drone)
    trust = np.where(tracks.contradicted, s.contradicted_nats, 0.0) + np.where(
        tracks.verified & ~inside, s.verified_nats, 0.0
    )
    intent = _sigmoid(s.prior_nats + course + speed + near + loiter + dive + trust)
    rushing = inside & (geometry.closing > s.danger_closing_mps)
    drone = np.where(rushing, np.maximum(believed, s.danger_drone_floor), believed)
    reach = _reach(geometry, s)
    risk = tracks.existence * drone * intent * reach
    return Risk(risk, drone, reach, course, speed, near, loiter, dive, trust)


def near_for_sure(tracks: TrackColumns, geometry: Geometry, s: AssessSettings) -> Bools:
    """Where a track may be inside the danger radius, its height being one sigma off at worst: the rough
    height of an aircraft takes nothing out of it that may be in it."""
    up = np.maximum(np.abs(geometry.up) - tracks.up_sigma, 0.0)
    reach = geometry.slant - geometry.nearest
    return np.asarray(np.sqrt(geometry.range**2 + up * up) - reach < s.danger_radius_m)


def _dive(tracks: TrackColumns, geometry: Geometry, s: AssessSettings) -> Floats:
    """Going down while coming in; nothing where the height is not known."""
    falling = np.maximum(-tracks.vu - s.dive_onset_mps, 0.0) * tracks.height_known
    depth = falling / (falling + s.dive_onset_mps)
    return s.dive_nats * depth * (geometry.closing > 0.8 * geometry.speed)


def _reach(geometry: Geometry, s: AssessSettings) -> Floats:
    """P(at the unit within the horizon): at the present closing speed, or turning in at full speed."""
    now = _sigmoid((s.horizon_s - geometry.p50) / s.horizon_softness_s)
    worst = _sigmoid((s.horizon_s - geometry.earliest) / s.horizon_softness_s)
    return (1.0 - s.turn_in_probability) * now + s.turn_in_probability * worst


def _sigmoid(x: Floats) -> Floats:
    """Logistic function; arguments here stay within +-`NEVER_S`, where exp does not overflow."""
    return 1.0 / (1.0 + np.exp(-np.minimum(np.maximum(x, -NEVER_S), NEVER_S)))
