"""Where things are: WGS-84, the site's local frame, height datums, MGRS and directions.

Scalar and pure: the same input gives the same bits on one machine. Latitudes and longitudes in
degrees, azimuths in degrees clockwise from true north, elevations in degrees up from the horizontal,
all lengths in metres. ECEF is the Earth-fixed frame of WGS-84 (NIMA TR8350.2, 3rd edition, clause 2);
ENU is the tangent frame east, north, up at an origin.

A height means nothing without its datum: `convert_height` is the only way from one to another and
raises `DatumError` while the offset between the two is not known.
"""

import math

import mgrs
from msgspec import Struct

from vedette.model.detection import AltitudeDatum
from vedette.model.errors import DatumError, InputError

SEMI_MAJOR_M = 6378137.0
"""WGS-84 equatorial radius (TR8350.2 table 3.1)."""
FLATTENING = 1.0 / 298.257223563
SEMI_MINOR_M = SEMI_MAJOR_M * (1.0 - FLATTENING)
ECCENTRICITY_SQ = FLATTENING * (2.0 - FLATTENING)
SECOND_ECCENTRICITY_SQ = ECCENTRICITY_SQ / (1.0 - ECCENTRICITY_SQ)

_BOWRING_ROUNDS = 4

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]

COMPASS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


def geodetic_to_ecef(lat_deg: float, lon_deg: float, alt_m: float) -> Vector:
    """Geodetic latitude, longitude and ellipsoidal height -> ECEF x, y, z in metres."""
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    sin_lat, cos_lat = math.sin(lat), math.cos(lat)
    prime_vertical = SEMI_MAJOR_M / math.sqrt(1.0 - ECCENTRICITY_SQ * sin_lat * sin_lat)
    across = (prime_vertical + alt_m) * cos_lat
    z = (prime_vertical * (1.0 - ECCENTRICITY_SQ) + alt_m) * sin_lat
    return across * math.cos(lon), across * math.sin(lon), z


def ecef_to_geodetic(x: float, y: float, z: float) -> Vector:
    """ECEF metres -> latitude, longitude (degrees) and ellipsoidal height (metres).

    Bowring's iteration on the parametric latitude (Survey Review 23 (181), 1976), four rounds, with
    sines and cosines normalised rather than tangents, so that the poles need no special case. Good to
    a micrometre from 100 km below the ellipsoid to the orbits of satellites.
    """
    across = math.hypot(x, y)
    sin_beta, cos_beta = _unit(z * SEMI_MAJOR_M, across * SEMI_MINOR_M)
    for _ in range(_BOWRING_ROUNDS):
        sin_lat, cos_lat = _unit(
            z + SECOND_ECCENTRICITY_SQ * SEMI_MINOR_M * sin_beta**3,
            across - ECCENTRICITY_SQ * SEMI_MAJOR_M * cos_beta**3,
        )
        sin_beta, cos_beta = _unit((1.0 - FLATTENING) * sin_lat, cos_lat)
    flattened = math.sqrt(1.0 - ECCENTRICITY_SQ * sin_lat * sin_lat)
    height = across * cos_lat + z * sin_lat - SEMI_MAJOR_M * flattened
    return math.degrees(math.atan2(sin_lat, cos_lat)), math.degrees(math.atan2(y, x)), height


def _unit(sine: float, cosine: float) -> tuple[float, float]:
    length = math.hypot(sine, cosine)
    if length == 0.0:
        raise InputError("the centre of the Earth has no latitude: check the coordinates of this position")
    return sine / length, cosine / length


class LocalFrame:
    """East, north, up at an origin (WGS-84 tangent frame).

    ``alt_m`` and the heights given to its methods must share one datum; with a datum other than the
    ellipsoid's the horizontal scale is off by the geoid's height over the Earth's radius, which is
    below 2e-5 anywhere. Raises InputError for an origin or a position that is not on Earth.
    """

    __slots__ = ("_axes", "_origin", "alt_m", "lat_deg", "lon_deg")

    def __init__(self, lat_deg: float, lon_deg: float, alt_m: float) -> None:
        _check_place(lat_deg, lon_deg, alt_m)
        self.lat_deg, self.lon_deg, self.alt_m = lat_deg, lon_deg, alt_m
        self._origin = geodetic_to_ecef(lat_deg, lon_deg, alt_m)
        self._axes = enu_axes(lat_deg, lon_deg)

    @property
    def axes(self) -> Matrix:
        """Unit vectors east, north, up in ECEF, one per row."""
        return self._axes

    def to_enu(self, lat_deg: float, lon_deg: float, alt_m: float) -> Vector:
        """Geodetic position -> east, north, up in metres."""
        _check_place(lat_deg, lon_deg, alt_m)
        x, y, z = geodetic_to_ecef(lat_deg, lon_deg, alt_m)
        ox, oy, oz = self._origin
        return rotate(self._axes, (x - ox, y - oy, z - oz))

    def to_geodetic(self, east_m: float, north_m: float, up_m: float) -> Vector:
        """East, north, up in metres -> latitude, longitude (degrees), height in the origin's datum."""
        if not (math.isfinite(east_m) and math.isfinite(north_m) and math.isfinite(up_m)):
            raise InputError(f"({east_m}, {north_m}, {up_m}) is no place: east, north, up must be finite")
        x, y, z = rotate_back(self._axes, (east_m, north_m, up_m))
        ox, oy, oz = self._origin
        return ecef_to_geodetic(ox + x, oy + y, oz + z)


def _check_place(lat_deg: float, lon_deg: float, alt_m: float) -> None:
    if not (abs(lat_deg) <= 90.0 and abs(lon_deg) <= 180.0 and math.isfinite(alt_m)):
        raise InputError(
            f"latitude {lat_deg}, longitude {lon_deg}, altitude {alt_m} is no place on Earth: "
            "latitude must lie in -90..90, longitude in -180..180, altitude must be finite"
        )


def enu_axes(lat_deg: float, lon_deg: float) -> Matrix:
    """Unit vectors east, north, up at a place, as rows in ECEF."""
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    sin_lat, cos_lat, sin_lon, cos_lon = math.sin(lat), math.cos(lat), math.sin(lon), math.cos(lon)
    return (
        (-sin_lon, cos_lon, 0.0),
        (-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat),
        (cos_lat * cos_lon, cos_lat * sin_lon, sin_lat),
    )


def rotate(rows: Matrix, v: Vector) -> Vector:
    """``rows`` times ``v``."""
    a, b, c = rows
    return (
        a[0] * v[0] + a[1] * v[1] + a[2] * v[2],
        b[0] * v[0] + b[1] * v[1] + b[2] * v[2],
        c[0] * v[0] + c[1] * v[1] + c[2] * v[2],
    )


def rotate_back(rows: Matrix, v: Vector) -> Vector:
    """The transpose of ``rows`` times ``v``."""
    a, b, c = rows
    return (
        a[0] * v[0] + b[0] * v[1] + c[0] * v[2],
        a[1] * v[0] + b[1] * v[1] + c[1] * v[2],
        a[2] * v[0] + b[2] * v[1] + c[2] * v[2],
    )


class SensorFrame:
    """A sensor's own east, north, up as seen from the site's frame.

    ``origin_enu_m``: the sensor in the site's ENU. ``rotation``: rows that turn a vector of the
    sensor's ENU into the site's. The two differ by the curvature of the Earth: 0.09 degrees at 10 km.
    """

    __slots__ = ("origin_enu_m", "rotation")

    def __init__(self, site: LocalFrame, lat_deg: float, lon_deg: float, alt_m: float) -> None:
        """``alt_m`` in the datum of the site's frame."""
        self.origin_enu_m = site.to_enu(lat_deg, lon_deg, alt_m)
        turned = tuple(rotate(site.axes, axis) for axis in enu_axes(lat_deg, lon_deg))
        east, north, up = turned
        self.rotation: Matrix = (
            (east[0], north[0], up[0]),
            (east[1], north[1], up[1]),
            (east[2], north[2], up[2]),
        )

    def polar_to_site(self, range_m: float, azimuth_deg: float, elevation_deg: float) -> Vector:
        """A polar measurement at the sensor -> the site's east, north, up in metres."""
        return self.vector_to_site(polar_to_enu(range_m, azimuth_deg, elevation_deg))

    def vector_to_site(self, enu_m: Vector) -> Vector:
        """A position in the sensor's ENU -> the site's ENU."""
        e, n, u = rotate(self.rotation, enu_m)
        return self.origin_enu_m[0] + e, self.origin_enu_m[1] + n, self.origin_enu_m[2] + u

    def site_to_polar(self, east_m: float, north_m: float, up_m: float) -> Vector:
        """The site's east, north, up -> range (m), azimuth (0..360) and elevation (degrees)."""
        oe, on, ou = self.origin_enu_m
        return enu_to_polar(*rotate_back(self.rotation, (east_m - oe, north_m - on, up_m - ou)))


def polar_to_enu(range_m: float, azimuth_deg: float, elevation_deg: float) -> Vector:
    """Slant range, azimuth and elevation -> east, north, up."""
    azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
    ground = range_m * math.cos(elevation)
    return ground * math.sin(azimuth), ground * math.cos(azimuth), range_m * math.sin(elevation)


def enu_to_polar(east_m: float, north_m: float, up_m: float) -> Vector:
    """East, north, up -> slant range (m), azimuth (0..360) and elevation (degrees)."""
    ground = math.hypot(east_m, north_m)
    elevation = math.degrees(math.atan2(up_m, ground))
    return math.hypot(ground, up_m), bearing_deg(east_m, north_m), elevation


def bearing_deg(east_m: float, north_m: float) -> float:
    """Direction of (east, north), degrees clockwise from true north in [0, 360)."""
    bearing = math.degrees(math.atan2(east_m, north_m)) % 360.0
    return 0.0 if bearing == 360.0 else bearing


def angle_between_deg(a_deg: float, b_deg: float) -> float:
    """Signed turn from ``b_deg`` to ``a_deg``, in [-180, 180)."""
    turn = (a_deg - b_deg + 180.0) % 360.0
    return (0.0 if turn == 360.0 else turn) - 180.0


def ground_range_m(east_m: float, north_m: float) -> float:
    """Horizontal distance."""
    return math.hypot(east_m, north_m)


def slant_range_m(east_m: float, north_m: float, up_m: float) -> float:
    """Distance in space."""
    return math.hypot(east_m, north_m, up_m)


def compass_point(azimuth_deg: float) -> str:
    """The nearest of the eight names N, NE, E, SE, S, SW, W, NW; a tie goes clockwise."""
    return COMPASS[math.floor((azimuth_deg % 360.0) / 45.0 + 0.5) % 8]


_CONVERTER = mgrs.MGRS()
MGRS_PRECISION = 5
"""Digits per axis that mean one metre."""
_HALF_A_METRE_DEG = 5e-6


def to_mgrs(lat_deg: float, lon_deg: float, precision: int = MGRS_PRECISION) -> str:
    """Geodetic -> MGRS with ``precision`` digits per axis (5 = 1 m ... 0 = 100 km); truncates, as MGRS
    does. Raises InputError for a place that is not on Earth or an unknown precision."""
    if not 0 <= precision <= MGRS_PRECISION:
        raise InputError(f"MGRS precision {precision} is not in 0..5 digits per axis")
    _check_place(lat_deg, lon_deg, 0.0)
    if -_HALF_A_METRE_DEG < lat_deg < 0.0:
        # The library rounds this to northing 10,000,000 of the southern hemisphere, which nothing reads.
        lat_deg = 0.0
    try:
        return str(_CONVERTER.toMGRS(lat_deg, lon_deg, MGRSPrecision=precision))
    except (ValueError, RuntimeError, mgrs.core.MGRSError) as error:
        raise InputError(f"no MGRS for latitude {lat_deg}, longitude {lon_deg}: {error}") from error


def from_mgrs(text: str) -> tuple[float, float]:
    """MGRS, spaces and lower case allowed -> latitude and longitude (degrees) of its south-west corner.

    Raises InputError for text that is no MGRS reference.
    """
    reference = "".join(text.split()).upper()
    if not (reference.isascii() and reference.isalnum() and len(reference) <= 15):
        raise InputError(f"{text!r} is no MGRS reference: expected one like 31UDQ4825111932")
    try:
        lat, lon = _CONVERTER.toLatLon(reference)
    except (ValueError, RuntimeError, mgrs.core.MGRSError) as error:
        raise InputError(
            f"{text!r} is no MGRS reference ({error}): expected one like 31UDQ4825111932"
        ) from error
    return float(lat), float(lon)


class Height(Struct, frozen=True):
    """A height and what it is measured from."""

    value_m: float
    datum: AltitudeDatum


def convert_height(
    value_m: float,
    frm: AltitudeDatum,
    to: AltitudeDatum,
    *,
    geoid_height_m: float | None = None,
    ground_alt_m: float | None = None,
    takeoff_alt_m: float | None = None,
) -> float:
    """A height over the datum ``frm`` -> the same height over ``to``.

    ``geoid_height_m``: EGM96 geoid over the WGS-84 ellipsoid at the place (NIMA TR8350.2 clause 6).
    ``ground_alt_m`` and ``takeoff_alt_m``: ellipsoidal heights of the ground below and of the take-off
    point. A barometric height has no fixed offset to any other datum, and two take-off or ground
    heights are comparable only for one place, which equal names cannot prove. Raises DatumError
    whenever the offset is not known.
    """
    if frm == to and frm in ("wgs84-ellipsoid", "egm96"):
        return value_m
    offsets = {
        "wgs84-ellipsoid": 0.0,
        "egm96": geoid_height_m,
        "agl": ground_alt_m,
        "takeoff": takeoff_alt_m,
    }
    lift, drop = offsets.get(frm), offsets.get(to)
    if lift is None or drop is None:
        unknown = frm if lift is None else to
        raise DatumError(
            f"a height over {frm} cannot become one over {to}: the offset of {unknown} is not known here; "
            + _REMEDY.get(unknown, "use a sensor that gives a geodetic height")
        )
    return value_m + lift - drop


_REMEDY: dict[str, str] = {
    "egm96": "give the site its geoid_height_m",
    "agl": "a ground height at that place is needed",
    "takeoff": "the take-off point's height is needed",
}
