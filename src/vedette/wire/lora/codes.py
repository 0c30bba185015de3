"""Figures in one byte each, cut where a reader's text rounds them anyway.

A bearing, a distance and a time left are told in steps: eight directions, 10 m to 100 m, 1 s to 5 s. The
codes are no coarser than those steps and have their edges in the same places, so that a text made from
what was received reads as the text made from the figures themselves. A figure of the next code down is
never a longer time or, within the steps, another direction.
"""

import math

UNKNOWN = 0
"""Range code: the distance is not known."""

_BEARING_STEP_DEG = 360.0 / 256.0
_FINE_M, _MIDDLE_M, _COARSE_M = 10.0, 50.0, 100.0
_FINE_TO_M, _MIDDLE_TO_M = 200.0, 2000.0
_FINE_CODES = 20
"""10 m to 200 m in tens: codes 1 to 20."""
_COARSE_FROM = _FINE_CODES + 35 + 1
"""250 m to 1950 m in fifties are codes 21 to 55; 2.0 km is 56, and each step of 100 m one more."""
LARGEST_RANGE_M = _MIDDLE_TO_M + (255 - _COARSE_FROM) * _COARSE_M

_WHOLE_S, _FIVES_S, _MINUTES_S = 10, 5, 100.0
_FIVES_FROM = 10
_FIVES = 18
"""10 s to 95 s in fives: codes 10 to 27."""
_NEARLY = _FIVES_FROM + _FIVES
"""98 s to below 100 s, which a text rounds up to 100 s."""
_MINUTES_FROM = _NEARLY + 1
LARGEST_TIME_CODE = 254
NO_TIME = 255
"""Time code: no time left was given."""


def bearing_code(bearing_deg: float) -> int:
    """Degrees clockwise from north -> 0..255. The eight directions end where codes end (22.5 deg is 16)."""
    return int(bearing_deg % 360.0 // _BEARING_STEP_DEG) % 256


def bearing_deg(code: int) -> float:
    """The middle of the code's step, in degrees."""
    return (code + 0.5) * _BEARING_STEP_DEG


def octant_code(bearing_deg: float) -> int:
    """The nearest of the eight directions, 0 = north, clockwise."""
    return int((bearing_deg % 360.0 + 22.5) // 45.0) % 8


def range_code(range_m: float | None) -> int:
    """Metres -> 1..255, rounded as texts round; `UNKNOWN` for None. Beyond 21.9 km it stays there."""
    if range_m is None:
        return UNKNOWN
    grain = _FINE_M if range_m < _FINE_TO_M else _MIDDLE_M
    metres = max(_FINE_M, round(range_m / grain) * grain)
    if metres <= _FINE_TO_M:
        return round(metres / _FINE_M)
    if metres < _MIDDLE_TO_M:
        return _FINE_CODES + round((metres - _FINE_TO_M) / _MIDDLE_M)
    tenths = round(round(range_m / 1000.0, 1) * 10.0)
    return min(255, _COARSE_FROM + max(0, tenths - 20))


def range_m(code: int) -> float | None:
    """Metres of a range code; None if the distance is not known."""
    if code == UNKNOWN:
        return None
    if code <= _FINE_CODES:
        return code * _FINE_M
    if code < _COARSE_FROM:
        return _FINE_TO_M + (code - _FINE_CODES) * _MIDDLE_M
    return _MIDDLE_TO_M + (code - _COARSE_FROM) * _COARSE_M


def at_least_code(seconds: float) -> int:
    """A time that nobody may be told longer than it is: rounded down. Below 0 counts as none left."""
    if seconds >= _MINUTES_S:
        return _minutes_code(seconds)
    if seconds < _WHOLE_S:
        return max(0, math.floor(seconds))
    return _FIVES_FROM + math.floor(seconds / _FIVES_S) - 2


def at_least_s(code: int) -> float:
    """Seconds of a code of `at_least_code`; for whole minutes the middle of what they stand for."""
    if code >= _MINUTES_FROM:
        minutes = code - _MINUTES_FROM + 1
        return minutes * 60.0 + 30.0 if minutes > 1 else _MINUTES_S + 10.0
    return _short_s(code)


def about_code(seconds: float) -> int:
    """A time told to the nearest step."""
    if seconds >= _MINUTES_S:
        return _minutes_code(seconds + 30.0)
    grain = 1 if seconds < _WHOLE_S else _FIVES_S
    told = max(0, grain * math.floor(seconds / grain + 0.5))
    if told >= _MINUTES_S:
        return _NEARLY
    return told if told < _WHOLE_S else _FIVES_FROM + told // _FIVES_S - 2


def about_s(code: int) -> float:
    """Seconds of a code of `about_code`."""
    if code >= _MINUTES_FROM:
        return max(_MINUTES_S, (code - _MINUTES_FROM + 1) * 60.0)
    return _short_s(code)


def _short_s(code: int) -> float:
    if code < _FIVES_FROM:
        return float(code)
    return 99.0 if code == _NEARLY else float(_FIVES_S * (code - _FIVES_FROM + 2))


def _minutes_code(seconds: float) -> int:
    """Of whole minutes; more than 3.7 hours are told as that."""
    minutes = math.floor(min(seconds / 60.0, LARGEST_TIME_CODE))
    return min(LARGEST_TIME_CODE, _MINUTES_FROM + max(1, minutes) - 1)
