"""Relative motion of every track and every unit, with the uncertainty of both.

Horizontal throughout, because a drone that flies level at a person's head and dives in the last
seconds is aimed at that person all the way; heights enter the slant range and the dive only. But what
flies higher than such drones do has the way down before it, and its times are those of the slant range.
"""

from dataclasses import dataclass

import numpy as np

from vedette.assess.columns import Bools, Floats, TrackColumns, UnitColumns

P10_NORMAL = 1.2816
"""Standard normal quantile of 0.9."""

_CLOSING_SPREAD = 0.15
"""Relative change of closing speed that a drone makes on its way, one sigma."""

HIGH_M = 500.0
"""Attack drones come in below this; an airliner 11 km overhead is not a second away."""

NEVER_S = 600.0
"""Times are not told apart beyond this."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """All arrays of shape [tracks, units]; metres, seconds, m/s.

    ``east``, ``north``: from the unit to the track. ``up`` likewise, 0 where a height is not known
    (``height_known``). ``closing``: positive when the horizontal range shrinks. ``miss``: distance at
    the closest point of approach, the range itself when not closing. ``concentration``: von Mises
    concentration of the course towards the unit, ``off_course``: 1 - cos of the course error.
    ``p50`` and ``p10``: time until the track is there at its closing speed, the way down included for
    what flies over `HIGH_M`. ``earliest``: the same at the speed of its envelope, the unit met half way.
    """

    east: Floats
    north: Floats
    up: Floats
    height_known: Bools
    range: Floats
    slant: Floats
    nearest: Floats
    closing: Floats
    speed: Floats
    drift_dps: Floats
    miss: Floats
    miss_sigma: Floats
    tcpa: Floats
    concentration: Floats
    off_course: Floats
    p50: Floats
    p10: Floats
    earliest: Floats


def relate(tracks: TrackColumns, units: UnitColumns, wobble_rad: float) -> Geometry:
    """Geometry of every pair. Closest point of approach as in every textbook of collision avoidance."""
    east, north = tracks.e - units.e, tracks.n - units.n
    height_known = tracks.height_known & units.height_known
    up = np.where(height_known, tracks.u - units.u, 0.0)
    square = east * east + north * north
    distance = np.sqrt(np.maximum(square, 1.0))
    slant = np.sqrt(np.maximum(square + up * up, 1.0))
    le, ln = east / distance, north / distance
    we, wn = tracks.ve - units.ve, tracks.vn - units.vn
    closing = -(le * we + ln * wn)
    across = np.abs(ln * we - le * wn)
    speed_square = we * we + wn * wn + 1e-6
    speed = np.sqrt(speed_square)
    approaching = np.maximum(closing, 0.0)
    tcpa = np.minimum(distance * approaching / speed_square, NEVER_S)
    pos_along, pos_across = _spread(tracks.pos_ee, tracks.pos_en, tracks.pos_nn, le, ln, units.var)
    vel_along, vel_across = _spread(tracks.vel_ee, tracks.vel_en, tracks.vel_nn, le, ln, units.vel_var)
    way = np.where(np.abs(up) > HIGH_M, slant, distance)
    p50 = np.minimum(way / np.maximum(closing, 0.1), NEVER_S)
    relative = pos_along / (distance * distance) + vel_along / np.maximum(closing * closing, 0.01)
    p10 = p50 * np.exp(-P10_NORMAL * np.sqrt(np.minimum(relative, 1.0) + _CLOSING_SPREAD**2))
    course_variance = wobble_rad**2 + vel_across / speed_square + pos_across / (distance * distance)
    nearest = np.maximum(slant - units.reach_m, 0.0)
    return Geometry(
        east=east,
        north=north,
        up=up,
        height_known=height_known,
        range=distance,
        slant=slant,
        nearest=nearest,
        closing=closing,
        speed=speed,
        drift_dps=across / distance * (180.0 / np.pi),
        miss=np.where(closing > 0.0, distance * across / speed, distance),
        miss_sigma=np.sqrt(pos_across + tcpa * tcpa * vel_across),
        tcpa=tcpa,
        concentration=1.0 / course_variance,
        off_course=1.0 - closing / speed,
        p50=p50,
        p10=p10,
        earliest=np.minimum(nearest / tracks.envelope_mps, NEVER_S),
    )


def _spread(
    ee: Floats, en: Floats, nn: Floats, le: Floats, ln: Floats, unit_var: Floats
) -> tuple[Floats, Floats]:
    """Variance along and across the line of sight (le, ln) of a horizontal covariance, plus the unit's."""
    ee_part, nn_part, mixed = le * le, ln * ln, 2.0 * le * ln * en
    along = ee_part * ee + nn_part * nn + mixed
    across = nn_part * ee + ee_part * nn - mixed
    return np.maximum(along, 0.0) + unit_var, np.maximum(across, 0.0) + unit_var
