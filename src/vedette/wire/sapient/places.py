"""Where things are: the axes and datums of Location, in one place.

The standard's own samples put a latitude in x beside a UTM zone, so samples prove nothing here. The
comments of location.proto do: x is the longitude or the easting, y the latitude or the northing, z
the altitude; WGS84_E counts the altitude from the ellipsoid, WGS84_G from the geoid.
"""

import math
from typing import Final, Literal

from msgspec import Struct
from sapient_msg.bsi_flex_335_v2_0 import location_pb2 as proto

from vedette.wire.errors import DecodeError

ALTITUDE_ABOVE: Final[dict[int, Literal["ellipsoid", "geoid"]]] = {
    proto.LOCATION_DATUM_WGS84_E: "ellipsoid",
    proto.LOCATION_DATUM_WGS84_G: "geoid",
}
"""LocationDatum -> the surface from which z counts. The standard does not say which geoid model."""

_UTM_ZONES = range(1, 61)
_UTM_BANDS = "CDEFGHJKLMNPQRSTUVWX"
_UTM_EASTING_M = (100_000.0, 900_000.0)
_UTM_NORTHING_M = (0.0, 10_000_000.0)


class Geographic(Struct, frozen=True, kw_only=True):
    """A Location in latitude and longitude, degrees on WGS-84; altitude in metres or unknown.

    The errors are the sender's numbers as they came, in the unit of the coordinate they stand beside
    (degrees for ``x_error`` and ``y_error``, metres for ``z_error``); None where none was given.
    """

    longitude_deg: float
    latitude_deg: float
    altitude_m: float | None
    altitude_above: Literal["ellipsoid", "geoid"]
    x_error: float | None
    y_error: float | None
    z_error: float | None


class Utm(Struct, frozen=True, kw_only=True):
    """A Location in UTM on WGS-84, metres; ``band`` is the latitude band (C to X) of the zone."""

    easting_m: float
    northing_m: float
    zone: int
    band: str
    altitude_m: float | None
    altitude_above: Literal["ellipsoid", "geoid"]
    x_error: float | None
    y_error: float | None
    z_error: float | None


def read_location(location: proto.Location) -> Geographic | Utm:
    """The place of a Location that `validate` found no fault with.

    Raises DecodeError if it cannot be a place on Earth: a latitude of 91 degrees, an easting outside
    its zone, UTM without a zone; for a coordinate system or datum that is none, too.
    """
    above = ALTITUDE_ABOVE.get(location.datum)
    if above is None:
        raise DecodeError("unknown-datum", f"datum {location.datum} is neither WGS84_E nor WGS84_G")
    if not (location.HasField("x") and location.HasField("y")):
        raise DecodeError("missing", "a location needs x and y")
    if location.coordinate_system == proto.LOCATION_COORDINATE_SYSTEM_UTM_M:
        return _read_utm(location, above)
    return _read_geographic(location, above)


def _read_geographic(location: proto.Location, above: Literal["ellipsoid", "geoid"]) -> Geographic:
    scale = _degrees_per_unit(location.coordinate_system)
    longitude_deg, latitude_deg = location.x * scale, location.y * scale
    _check("x (longitude, degrees)", longitude_deg, (-180.0, 180.0))
    _check("y (latitude, degrees)", latitude_deg, (-90.0, 90.0))
    x_error, y_error = _given(location, "x_error"), _given(location, "y_error")
    return Geographic(
        longitude_deg=longitude_deg,
        latitude_deg=latitude_deg,
        altitude_m=_altitude_m(location),
        altitude_above=above,
        x_error=None if x_error is None else x_error * scale,
        y_error=None if y_error is None else y_error * scale,
        z_error=_given(location, "z_error"),
    )


def _degrees_per_unit(coordinate_system: int) -> float:
    if coordinate_system == proto.LOCATION_COORDINATE_SYSTEM_LAT_LNG_DEG_M:
        return 1.0
    if coordinate_system == proto.LOCATION_COORDINATE_SYSTEM_LAT_LNG_RAD_M:
        return math.degrees(1.0)
    text = f"coordinate system {coordinate_system} is none of LAT_LNG_DEG_M, LAT_LNG_RAD_M, UTM_M"
    raise DecodeError("unknown-coordinates", text)


def _read_utm(location: proto.Location, above: Literal["ellipsoid", "geoid"]) -> Utm:
    zone, band = _utm_zone(location.utm_zone)
    _check("x (easting, metres)", location.x, _UTM_EASTING_M)
    _check("y (northing, metres)", location.y, _UTM_NORTHING_M)
    return Utm(
        easting_m=location.x,
        northing_m=location.y,
        zone=zone,
        band=band,
        altitude_m=_altitude_m(location),
        altitude_above=above,
        x_error=_given(location, "x_error"),
        y_error=_given(location, "y_error"),
        z_error=_given(location, "z_error"),
    )


def _utm_zone(text: str) -> tuple[int, str]:
    """Zone and band of "30U". The band is needed: it alone tells north from south."""
    digits, band = text[:-1], text[-1:]
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 2 and int(digits) in _UTM_ZONES):
        raise DecodeError("bad-utm-zone", f"utm_zone {text[:8]!r} is no zone: expected such as 30U")
    if band not in _UTM_BANDS:
        raise DecodeError("bad-utm-zone", f"utm_zone {text[:8]!r} has no latitude band from C to X")
    return int(digits), band


def _altitude_m(location: proto.Location) -> float | None:
    altitude_m = _given(location, "z")
    if altitude_m is not None and not math.isfinite(altitude_m):
        raise DecodeError("out-of-range", "z (altitude, metres) is no finite number")
    return altitude_m


def _given(location: proto.Location, name: Literal["x_error", "y_error", "z", "z_error"]) -> float | None:
    return float(getattr(location, name)) if location.HasField(name) else None


def _check(what: str, value: float, limits: tuple[float, float]) -> None:
    if not limits[0] <= value <= limits[1]:
        raise DecodeError("out-of-range", f"{what} is {value}, expected {limits[0]} to {limits[1]}")
