"""The messages of an ADS-B extended squitter as plain values. None is unknown, never zero.

Source: RTCA DO-260B, 2.2.3.2 (formats) and ICAO Doc 9871, appendix B. Units are the format's own: feet,
knots, feet per minute, degrees clockwise from true north unless a name says otherwise.
"""

from enum import StrEnum

import msgspec


class Source(StrEnum):
    """Who made a message (DF and, in DF 18, the CF field)."""

    ADSB = "ads-b"
    """The aircraft or vehicle itself."""
    TISB = "tis-b"
    """A ground station, from its radar."""
    ADSR = "ads-r"
    """A ground station, repeating another data link."""


class Identification(msgspec.Struct, frozen=True):
    """TC 1-4. ``callsign`` without trailing spaces, "" if blank, None if a code has no character.

    ``category`` is a letter A-D (by type code 4-1) and a digit 0-7, e.g. "A3"; B6 is an unmanned aircraft.
    """

    category: str
    callsign: str | None


class AirbornePosition(msgspec.Struct, frozen=True):
    """TC 9-18 (barometric altitude), 20-22 (height above the ellipsoid, same code) and 0 (no position).

    ``lat_cpr`` and ``lon_cpr`` are 17 bits of the grid that ``odd`` names; see `cpr` and `resolver`.
    Type code 0 carries no position: both are 0 and mean nothing.
    """

    type_code: int
    surveillance_status: int
    nic_b: bool
    altitude_ft: float | None
    time_synchronised: bool
    odd: bool
    lat_cpr: int
    lon_cpr: int


class SurfacePosition(msgspec.Struct, frozen=True):
    """TC 5-8. ``speed_kt`` is the lower edge of the coded step, 0 = stopped."""

    type_code: int
    speed_kt: float | None
    track_deg: float | None
    time_synchronised: bool
    odd: bool
    lat_cpr: int
    lon_cpr: int


class GroundVelocity(msgspec.Struct, frozen=True):
    """TC 19, subtypes 1 and 2 (supersonic: steps of 4 kt). A saturated field is unknown.

    ``vertical_is_barometric`` False = satellite. ``height_minus_baro_ft``: ellipsoid height minus
    barometric altitude. ``nac_v``: accuracy category, 0 = unknown or worse than 10 m/s.
    """

    supersonic: bool
    nac_v: int
    east_kt: float | None
    north_kt: float | None
    vertical_is_barometric: bool
    vertical_fpm: float | None
    height_minus_baro_ft: float | None


class AirVelocity(msgspec.Struct, frozen=True):
    """TC 19, subtypes 3 and 4: heading (magnetic or true, by the version and its own bit) and airspeed."""

    supersonic: bool
    nac_v: int
    heading_deg: float | None
    airspeed_is_true: bool
    airspeed_kt: float | None
    vertical_is_barometric: bool
    vertical_fpm: float | None
    height_minus_baro_ft: float | None


class OperationalStatus(msgspec.Struct, frozen=True):
    """TC 31, subtypes 0 (airborne) and 1 (surface). Version 0 says nothing more: the rest is then 0.

    ``nac_p``: position accuracy category. ``sil``: integrity level. ``nic_a``: NIC supplement A.
    """

    surface: bool
    version: int
    nic_a: bool
    nac_p: int
    sil: int


class Other(msgspec.Struct, frozen=True):
    """A message that is intact but of no use here (or of a reserved type)."""

    type_code: int


Message = (
    Identification
    | AirbornePosition
    | SurfacePosition
    | GroundVelocity
    | AirVelocity
    | OperationalStatus
    | Other
)


class Squitter(msgspec.Struct, frozen=True):
    """One DF 17 or DF 18 frame whose parity is good.

    ``control`` is CA (DF 17) or CF (DF 18), 0..7. ``address_is_icao`` None = the frame does not say.
    """

    df: int
    control: int
    address: int
    source: Source
    address_is_icao: bool | None
    message: Message


_NM = 1852.0
_RADIUS_M = {
    5: 7.5, 6: 25.0, 7: 0.1 * _NM,
    9: 7.5, 10: 25.0, 11: 0.1 * _NM, 12: 0.2 * _NM, 13: 0.6 * _NM, 14: _NM, 15: 2 * _NM,
    16: 10 * _NM, 17: 20 * _NM, 20: 0.1 * _NM, 21: 0.2 * _NM,
}  # fmt: skip
_ACCURACY_M = {
    11: 3.0, 10: 10.0, 9: 30.0, 8: 0.05 * _NM, 7: 0.1 * _NM, 6: 0.3 * _NM,
    5: 0.5 * _NM, 4: _NM, 3: 2 * _NM, 2: 4 * _NM, 1: 10 * _NM,
}  # fmt: skip


def containment_radius_m(type_code: int) -> float | None:
    """Radius the sender vouches for, metres: the largest that any version and NIC supplement gives the type.

    None = the type promises nothing. It is the sender's own claim (DO-260B, 2.2.3.2.3.1 and 2.2.3.2.4.1;
    the wider bounds are those of DO-260 and of the first version).
    """
    return _RADIUS_M.get(type_code)


def position_accuracy_m(nac_p: int) -> float | None:
    """95 % radius of a NACp category, metres; None = unknown (DO-260B, 2.2.3.2.7.2.7)."""
    return _ACCURACY_M.get(nac_p)
