"""Compact position reporting: 17 bits of latitude and longitude per message, two grids in turn.

Source: RTCA DO-260B, 2.2.3.2.3.7 and 2.2.3.2.4.7 with appendix A.1.7; J. Sun, "The 1090 Megahertz
Riddle", chapter 5. Angles in degrees on WGS-84. ``odd`` names the grid. A surface position repeats
every 90 degrees, so it always needs a reference.
"""

import math
from bisect import bisect_left
from typing import NamedTuple

SCALE = 1 << 17
_ZONES = 15
_AIRBORNE_DEG, _SURFACE_DEG = 360.0, 90.0


class Place(NamedTuple):
    """A position in degrees, longitude in [-180, 180)."""

    lat_deg: float
    lon_deg: float


def _transitions() -> tuple[float, ...]:
    """Latitudes where the number of longitude zones changes, ascending: from 59 zones down to 1."""
    top = 1.0 - math.cos(math.pi / (2 * _ZONES))
    edges = (
        math.degrees(math.acos(math.sqrt(top / (1.0 - math.cos(2.0 * math.pi / zones)))))
        for zones in range(4 * _ZONES - 1, 2, -1)
    )
    return (*edges, 87.0)


TRANSITIONS = _transitions()


def longitude_zones(lat_deg: float) -> int:
    """Number of longitude zones NL at a latitude: 59 at the equator, 1 beyond 87 degrees."""
    return 4 * _ZONES - 1 - bisect_left(TRANSITIONS, abs(lat_deg))


def wrap_lon(lon_deg: float) -> float:
    """The same longitude in [-180, 180)."""
    return (lon_deg + 180.0) % 360.0 - 180.0


def encode(lat_deg: float, lon_deg: float, odd: bool, surface: bool = False) -> tuple[int, int]:
    """Position -> the 17-bit latitude and longitude of one grid."""
    scale = SCALE * 4 if surface else SCALE
    dlat = 360.0 / (4 * _ZONES - odd)
    lat_bits = math.floor(scale * (lat_deg % dlat) / dlat + 0.5)
    recovered = dlat * (lat_bits / scale + math.floor(lat_deg / dlat))
    dlon = 360.0 / max(longitude_zones(recovered) - odd, 1)
    lon_bits = math.floor(scale * (lon_deg % dlon) / dlon + 0.5)
    return lat_bits % SCALE, lon_bits % SCALE


def decode_local(
    lat_cpr: int, lon_cpr: int, odd: bool, reference: Place, surface: bool = False
) -> Place | None:
    """The position nearest to ``reference``: right if it is within 180 NM (surface: 45 NM) of it.

    None if the result lies beyond a pole.
    """
    circle = _SURFACE_DEG if surface else _AIRBORNE_DEG
    dlat = circle / (4 * _ZONES - odd)
    lat = _nearest(lat_cpr, dlat, reference.lat_deg)
    if abs(lat) > 90.0:
        return None
    dlon = circle / max(longitude_zones(lat) - odd, 1)
    return Place(lat, wrap_lon(_nearest(lon_cpr, dlon, reference.lon_deg)))


def _nearest(bits: int, zone_deg: float, reference_deg: float) -> float:
    fraction = bits / SCALE
    zone = math.floor(0.5 + reference_deg / zone_deg - fraction)
    return zone_deg * (zone + fraction)


def decode_global(even: tuple[int, int], odd: tuple[int, int], newest_odd: bool) -> Place | None:
    """Airborne position from one message of each grid, at the time of the newer one.

    None if the two straddle a change of zones or do not belong together.
    """
    lats = _global_lats(even[0], odd[0], _AIRBORNE_DEG)
    lats = tuple(lat - 360.0 if lat >= 270.0 else lat for lat in lats)
    if max(abs(lat) for lat in lats) > 90.0:
        return None
    return _finish(lats, even[1], odd[1], newest_odd, _AIRBORNE_DEG)


def decode_global_surface(
    even: tuple[int, int], odd: tuple[int, int], newest_odd: bool, reference: Place
) -> Place | None:
    """Surface position from one message of each grid; ``reference`` picks the hemisphere and quadrant.

    None if the two straddle a change of zones or do not belong together.
    """
    lats = _global_lats(even[0], odd[0], _SURFACE_DEG)
    southern = tuple(lat - 90.0 for lat in lats)
    if abs(southern[newest_odd] - reference.lat_deg) < abs(lats[newest_odd] - reference.lat_deg):
        lats = southern
    if max(abs(lat) for lat in lats) > 90.0:
        return None
    found = _finish(lats, even[1], odd[1], newest_odd, _SURFACE_DEG)
    if found is None:
        return None
    quadrant = round((reference.lon_deg - found.lon_deg) / 90.0)
    return Place(found.lat_deg, wrap_lon(found.lon_deg + 90.0 * quadrant))


def _global_lats(even_lat: int, odd_lat: int, circle: float) -> tuple[float, ...]:
    yz = (even_lat / SCALE, odd_lat / SCALE)
    index = math.floor(59.0 * yz[0] - 60.0 * yz[1] + 0.5)
    return tuple(circle / (60 - i) * (index % (60 - i) + yz[i]) for i in (0, 1))


def _finish(
    lats: tuple[float, ...], even_lon: int, odd_lon: int, newest_odd: bool, circle: float
) -> Place | None:
    zones = longitude_zones(lats[0])
    if zones != longitude_zones(lats[1]):
        return None
    xz = (even_lon / SCALE, odd_lon / SCALE)
    index = math.floor(xz[0] * (zones - 1) - xz[1] * zones + 0.5)
    count = max(zones - newest_odd, 1)
    lon = circle / count * (index % count + xz[newest_odd])
    return Place(lats[newest_odd], wrap_lon(lon))
