"""Polygons and circles as CAP writes them: ``lat,lon lat,lon ...`` and ``lat,lon radius`` (clause 3.2.4)."""

import math
import re
from collections.abc import Sequence

from vedette.wire.cap.message import Circle, Point

LEAST_POINTS = 4
"""Of a closed polygon: a triangle, and its first corner again."""
MOST_POINTS = 10_000
WHOLE_EARTH_KM = 20_038.0
"""Half the circumference: no circle on Earth is wider."""

_NUMBER = re.compile(r"[-+]?(?:\d{1,9}(?:\.\d{0,15})?|\.\d{1,15})", re.ASCII)


def read_polygon(text: str) -> tuple[Point, ...]:
    """The points. Raises ValueError with what is wrong."""
    words = text.split()
    if len(words) > MOST_POINTS:
        raise ValueError(f"has {len(words)} points; at most {MOST_POINTS} are read")
    points = tuple(_point(word) for word in words)
    if len(points) < LEAST_POINTS:
        raise ValueError(f"has {len(points)} points; it needs {LEAST_POINTS}, the last one being the first")
    if points[0] != points[-1]:
        raise ValueError(f"is not closed: it begins at {words[0][:40]} and ends at {words[-1][:40]}")
    if len(set(points)) < LEAST_POINTS - 1:
        raise ValueError("has no surface: fewer than three of its points differ")
    return points


def read_circle(text: str) -> Circle:
    """Centre and radius. Raises ValueError with what is wrong."""
    words = text.split()
    if len(words) != 2:
        raise ValueError(f"{text[:40]!r} is not 'lat,lon radius'")
    radius_km = _number(words[1])
    if not 0.0 <= radius_km <= WHOLE_EARTH_KM:
        raise ValueError(f"has a radius of {words[1][:20]} km, which is not on Earth")
    return Circle(*_point(words[0]), radius_km)


def polygon_text(points: Sequence[Point]) -> str:
    """The points, to the decimal place that they have (at least 1e-9 degrees)."""
    return " ".join(f"{_text(p.lat_deg)},{_text(p.lon_deg)}" for p in points)


def circle_text(circle: Circle) -> str:
    """Centre and radius."""
    return f"{_text(circle.lat_deg)},{_text(circle.lon_deg)} {_text(circle.radius_km)}"


def number_text(value: float) -> str:
    """A number without exponent, to nine decimal places. Raises ValueError if it is not finite."""
    return _text(value)


def _text(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value!r} is not a number that can be written")
    plain = f"{value:.9f}".rstrip("0").rstrip(".")
    return "0" if plain in ("-0", "") else plain


def _number(text: str) -> float:
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is not a number")
    return float(text)


def _point(word: str) -> Point:
    parts = word.split(",")
    if len(parts) != 2:
        raise ValueError(f"{word[:40]!r} is not 'lat,lon'")
    lat_deg, lon_deg = (_number(part) for part in parts)
    if abs(lat_deg) > 90.0 or abs(lon_deg) > 180.0:
        raise ValueError(f"{word[:40]!r} is not a place on Earth (latitude first)")
    return Point(lat_deg, lon_deg)
