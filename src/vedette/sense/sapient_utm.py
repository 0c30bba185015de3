"""UTM on WGS-84 -> latitude, longitude, and where the grid's north points.

The inverse transverse Mercator projection by Krueger's series in the third flattening, to the sixth
order (C. F. F. Karney, "Transverse Mercator with an accuracy of a few nanometers", Journal of Geodesy
85, 2011, equations 11, 15, 19 to 21 and 36). Zones, scale and false coordinates: NGA.SIG.0012, clause 7.
"""

import math

from vedette.geo import ECCENTRICITY_SQ, FLATTENING, SEMI_MAJOR_M, LocalFrame, bearing_deg
from vedette.wire.errors import DecodeError
from vedette.wire.sapient import Utm

_SCALE = 0.9996
_FALSE_EASTING_M = 500_000.0
_FALSE_NORTHING_SOUTH_M = 10_000_000.0
_BANDS = "CDEFGHJKLMNPQRSTUVWX"
_BAND_SLACK_DEG = 0.5
"""Places at the edge of a band are often written with its neighbour's letter."""

_N = FLATTENING / (2.0 - FLATTENING)
_RECTIFYING_M = SEMI_MAJOR_M / (1.0 + _N) * (1.0 + _N**2 / 4.0 + _N**4 / 64.0 + _N**6 / 256.0)
_BETA = (
    _N / 2 - 2 * _N**2 / 3 + 37 * _N**3 / 96 - _N**4 / 360 - 81 * _N**5 / 512 + 96199 * _N**6 / 604800,
    _N**2 / 48 + _N**3 / 15 - 437 * _N**4 / 1440 + 46 * _N**5 / 105 - 1118711 * _N**6 / 3870720,
    17 * _N**3 / 480 - 37 * _N**4 / 840 - 209 * _N**5 / 4480 + 5569 * _N**6 / 90720,
    4397 * _N**4 / 161280 - 11 * _N**5 / 504 - 830251 * _N**6 / 7257600,
    4583 * _N**5 / 161280 - 108847 * _N**6 / 3991680,
    20648693 * _N**6 / 638668800,
)
_ECCENTRICITY = math.sqrt(ECCENTRICITY_SQ)
_NEWTON_ROUNDS = 3


def utm_to_geodetic(place: Utm) -> tuple[float, float]:
    """Latitude and longitude (degrees) of a UTM place, better than a micrometre.

    Raises DecodeError where the latitude does not lie in the band that is written with the zone: then
    the letter means something else ("S" for south), and the place may be on the other hemisphere.
    """
    south = place.band < "N"
    northing_m = place.northing_m - (_FALSE_NORTHING_SOUTH_M if south else 0.0)
    lat_deg, from_meridian_deg = _inverse(place.easting_m - _FALSE_EASTING_M, northing_m)
    lowest, highest = _band_deg(place.band)
    if not lowest - _BAND_SLACK_DEG <= lat_deg <= highest + _BAND_SLACK_DEG:
        raise DecodeError(
            "utm-band", f"latitude {lat_deg:.2f} is not in band {place.band}: expected its letter, C to X"
        )
    lon_deg = 6.0 * place.zone - 183.0 + from_meridian_deg
    return lat_deg, (lon_deg + 180.0) % 360.0 - 180.0


def grid_north_deg(place: Utm) -> float:
    """Direction of the grid's north, degrees clockwise from true north, in [0, 360)."""
    lat_deg, lon_deg = utm_to_geodetic(place)
    south = place.band < "N"
    northing_m = place.northing_m - (_FALSE_NORTHING_SOUTH_M if south else 0.0)
    ahead_lat_deg, from_meridian_deg = _inverse(place.easting_m - _FALSE_EASTING_M, northing_m + 10.0)
    ahead_lon_deg = 6.0 * place.zone - 183.0 + from_meridian_deg
    ahead_lon_deg = (ahead_lon_deg + 180.0) % 360.0 - 180.0
    east_m, north_m, _ = LocalFrame(lat_deg, lon_deg, 0.0).to_enu(ahead_lat_deg, ahead_lon_deg, 0.0)
    return bearing_deg(east_m, north_m)


def _band_deg(band: str) -> tuple[float, float]:
    """Lowest and highest latitude of a band. N is also written for the whole northern hemisphere."""
    lowest = -80.0 + 8.0 * _BANDS.index(band)
    return lowest, 84.0 if band in "NX" else lowest + 8.0


def _inverse(x_m: float, y_m: float) -> tuple[float, float]:
    """Metres east and north of where the central meridian meets the equator -> latitude, and longitude
    from that meridian (degrees)."""
    xi, eta = y_m / (_SCALE * _RECTIFYING_M), x_m / (_SCALE * _RECTIFYING_M)
    xi_c, eta_c = xi, eta
    for j, beta in enumerate(_BETA, 1):
        xi_c -= beta * math.sin(2 * j * xi) * math.cosh(2 * j * eta)
        eta_c -= beta * math.cos(2 * j * xi) * math.sinh(2 * j * eta)
    across = math.sinh(eta_c)
    conformal = math.sin(xi_c) / math.hypot(across, math.cos(xi_c))
    return math.degrees(math.atan(_geographic(conformal))), math.degrees(math.atan2(across, math.cos(xi_c)))


def _geographic(conformal: float) -> float:
    """Tangent of the conformal latitude -> tangent of the geographic one, by Newton's method."""
    tau = conformal / (1.0 - ECCENTRICITY_SQ)
    for _ in range(_NEWTON_ROUNDS):
        secant = math.hypot(1.0, tau)
        sigma = math.sinh(_ECCENTRICITY * math.atanh(_ECCENTRICITY * tau / secant))
        there = tau * math.hypot(1.0, sigma) - sigma * secant
        steepness = (1.0 + (1.0 - ECCENTRICITY_SQ) * tau * tau) / ((1.0 - ECCENTRICITY_SQ) * secant)
        tau += (conformal - there) / math.hypot(1.0, there) * steepness
    return tau
