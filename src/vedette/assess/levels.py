"""Levels with hysteresis: up at once, down slowly.

IMMINENT  attack likely: could be here within 30 s (p10), on a course that hits.
WARNING   closing, could be here within 60 s; or slow and overhead, as a bomber is.
ADVISORY  a drone is near: within 500 m, loitering in sight, or coming and able to be here within 60 s.
INFO      everything else that is reported: desk only.
"""

import numpy as np

from vedette.assess.columns import Floats
from vedette.assess.geometry import HIGH_M, Geometry
from vedette.assess.memory import NOT_BELOW, PairMemory
from vedette.assess.risk import Risk
from vedette.assess.settings import AssessSettings

INFO, ADVISORY, WARNING, IMMINENT = 0.0, 1.0, 2.0, 3.0


def rank(geometry: Geometry, risk: Risk, loiters: Floats, s: AssessSettings, keep: bool) -> Floats:
    """Level rank of every pair, [tracks, units]: to reach it, or (``keep``) to stay on it."""
    band = s.hold_risk_band if keep else 0.0
    wide = s.hold_stretch if keep else 1.0
    g = geometry
    is_drone = risk.drone >= s.advisory_drone / (wide * wide)
    coming = (g.closing > s.advisory_closing_mps / wide) & (g.earliest < s.horizon_s * wide)
    on_course = g.closing > 0.5 * g.speed
    near = (g.nearest < s.advisory_range_m * wide) | (loiters > 0) & (g.range < s.loiter_range_m * wide)
    low = np.abs(g.up) <= HIGH_M
    overhead = low & (g.range < s.overhead_m * wide) & (risk.drone >= s.overhead_drone)
    hovering = overhead & (g.speed < s.overhead_speed_mps * wide)
    closing = (g.closing > s.warning_closing_mps / wide) & (g.p10 < s.horizon_s * wide)
    aimed = g.miss < (s.collision_miss_m + g.miss_sigma) * wide
    warning = (risk.risk >= s.warning_risk - band) & closing | hovering
    imminent = (risk.risk >= s.imminent_risk - band) & closing & aimed & (g.p10 < s.imminent_p10_s * wide)
    advisory = is_drone & (near | coming & on_course) | warning
    level = np.where(advisory, ADVISORY, INFO)
    level = np.where(warning, WARNING, level)
    return np.where(imminent, IMMINENT, level)


def hold(memory: PairMemory, enter: Floats, stay: Floats, at: float, hold_s: float) -> Floats:
    """Level of every pair after hysteresis. ``stay`` is never below ``enter``; updates ``memory``."""
    memory.level, memory.below_since = _held(memory.level, memory.below_since, enter, stay, at, hold_s)
    return memory.level


def hold_plain(memory: PairMemory, enter: Floats, stay: Floats, at: float, hold_s: float) -> Floats:
    """The same for the level as if no aircraft had said a word."""
    memory.plain, memory.plain_since = _held(memory.plain, memory.plain_since, enter, stay, at, hold_s)
    return memory.plain


def _held(
    held: Floats, since: Floats, enter: Floats, stay: Floats, at: float, hold_s: float
) -> tuple[Floats, Floats]:
    up, supported = enter >= held, stay >= held
    since = np.where(up | supported, NOT_BELOW, since)
    since = np.where(~supported & ~up & (since == NOT_BELOW), at, since)
    lower = (since != NOT_BELOW) & (at - since >= hold_s)
    level = np.where(up, enter, np.where(lower, np.maximum(enter, stay), held))
    return level, np.where(lower, NOT_BELOW, since)
