"""What the ASTERIX categories say, as frozen structs: only the items that a detection needs.

Metres, m/s, seconds, degrees; azimuth clockwise from true north at the sensor. ``None``: the item was
not sent, which is unknown, never zero. ``sac`` and ``sic`` name the data source, ``time_of_day_s`` is
seconds since midnight UTC (see `clock.unix_time`). Comments name the item, e.g. 040 for I048/040.
"""

from typing import ClassVar, TypeAlias

import msgspec


class AsterixMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What every category carries."""

    category: ClassVar[int]
    sac: int
    sic: int
    time_of_day_s: float | None = None


class RadarTarget(AsterixMessage, frozen=True, kw_only=True):
    """CAT048, monoradar target report: a plot or a track of one radar (SUR.ET1.ST05.2000-STD-04-01)."""

    category: ClassVar[int] = 48
    plot_type: int
    """020/TYP: 0 none (a coasted track), 1 PSR, 2 SSR, 3 SSR+PSR, 4 and 5 Mode S, 6 and 7 with PSR."""
    simulated: bool | None = None
    fixed_transponder: bool | None = None
    test_target: bool | None = None
    range_m: float | None = None
    """040/RHO, slant range."""
    azimuth_deg: float | None = None
    x_east_m: float | None = None
    y_north_m: float | None = None
    flight_level: float | None = None
    """090, hundreds of feet above the 1013.25 hPa surface."""
    flight_level_not_validated: bool | None = None
    flight_level_garbled: bool | None = None
    height_msl_m: float | None = None
    """110, measured by a 3D radar, above mean sea level."""
    doppler_mps: float | None = None
    """120/CAL with the sign as sent: which sign is receding belongs to the profile of the radar."""
    doppler_doubtful: bool | None = None
    track_number: int | None = None
    tentative: bool | None = None
    ghost: bool | None = None
    track_ends: bool | None = None
    speed_mps: float | None = None
    heading_deg: float | None = None
    address: int | None = None
    """220, the 24-bit Mode S address."""
    callsign: str | None = None
    conditions: tuple[int, ...] | None = None
    """030, warning and classification codes: 3 split plot, 5 angel, 7 fixed, 9 low quality, 13 clutter,
    19 birds, 20 flock, 23 wind turbine."""


class RadarService(AsterixMessage, frozen=True, kw_only=True):
    """CAT034, monoradar service message: the heartbeat of a radar, one per sector and per turn."""

    category: ClassVar[int] = 34
    message_type: int
    """000: 1 north marker, 2 sector crossing, 3 geographical filtering, 4 to 7 jamming and solar storm."""
    sector_azimuth_deg: float | None = None
    """020, where the sector that begins starts."""
    rotation_period_s: float | None = None
    not_operational: bool | None = None
    """050/COM/NOGO: the data shall be discarded by an operational system."""
    overloaded: bool | None = None
    time_source_invalid: bool | None = None
    height_m: float | None = None
    lat_deg: float | None = None
    lon_deg: float | None = None


class SystemTrack(AsterixMessage, frozen=True, kw_only=True):
    """CAT062, SDPS track message: what a multi-sensor tracker believes, not a measurement."""

    category: ClassVar[int] = 62
    track_number: int
    lat_deg: float | None = None
    lon_deg: float | None = None
    x_east_m: float | None = None
    y_north_m: float | None = None
    east_mps: float | None = None
    north_mps: float | None = None
    measured_flight_level: float | None = None
    altitude_msl_m: float | None = None
    """130, geometric, above mean sea level."""
    barometric_flight_level: float | None = None
    qnh_corrected: bool | None = None
    climb_mps: float | None = None
    tentative: bool | None = None
    simulated: bool | None = None
    track_ends: bool | None = None
    coasting: bool | None = None
    address: int | None = None
    callsign: str | None = None
    sigma_x_m: float | None = None
    sigma_y_m: float | None = None
    sigma_altitude_m: float | None = None


class IncsReport(AsterixMessage, frozen=True, kw_only=True):
    """CAT015, independent non-cooperative surveillance: multi-static and other non-rotating radars."""

    category: ClassVar[int] = 15
    message_type: int
    """000/MT: 1 measurement plot, 2 measurement track, 3 sensor plot, 4 sensor track, 5 track end."""
    arrangement: int | None = None
    """020/MOMU: 0 mono-static, 1 multi-static (``range_m`` is then bistatic), 2 other, 3 unknown."""
    taxonomy: int | None = None
    """020/TTAX: 0 actual, 1 reference, 2 synthetic, 3 simulated or replayed."""
    number: int | None = None
    tentative: bool | None = None
    coasting: bool | None = None
    classification: tuple[tuple[int, ...], ...] | None = None
    """300: pairs of class code and probability in per cent."""
    lat_deg: float | None = None
    lon_deg: float | None = None
    sigma_east_m: float | None = None
    sigma_north_m: float | None = None
    height_m: float | None = None
    """601/GH, above the WGS-84 ellipsoid."""
    sigma_height_m: float | None = None
    east_mps: float | None = None
    north_mps: float | None = None
    climb_mps: float | None = None
    range_m: float | None = None
    sigma_range_m: float | None = None
    range_rate_mps: float | None = None
    doppler_mps: float | None = None
    sigma_doppler_mps: float | None = None
    azimuth_deg: float | None = None
    sigma_azimuth_deg: float | None = None
    elevation_deg: float | None = None
    sigma_elevation_deg: float | None = None


class DirectionReport(AsterixMessage, frozen=True, kw_only=True):
    """CAT205, radio direction finder report: a bearing of one finder or a position of several."""

    category: ClassVar[int] = 205
    message_type: int
    """000: 1 position, 2 bearing, 3 position of a conflicting sender, 4 detection ended, 5 sensor data."""
    report_number: int | None = None
    channel: str | None = None
    lat_deg: float | None = None
    lon_deg: float | None = None
    x_east_m: float | None = None
    y_north_m: float | None = None
    azimuth_deg: float | None = None
    """070, the bearing that the sensor measured."""
    system_azimuth_deg: float | None = None
    """080, the bearing as seen from the reference point of the system."""
    elevation_deg: float | None = None
    quality: int | None = None
    """100, coded by the system's own interface document."""
    uncertainty_m: float | None = None
    track_number: int | None = None
    sensor: int | None = None
    signal_level_dbuv: float | None = None
    signal_quality: int | None = None


class UasIdentification(AsterixMessage, frozen=True, kw_only=True):
    """CAT129, UAS identification report: what a drone says about itself. See `cat129` for how sure we are."""

    category: ClassVar[int] = 129
    manufacturer: str | None = None
    model: str | None = None
    serial: bytes | None = None
    """040, twelve bytes whose encoding no source at hand states."""
    country: str | None = None
    lat_deg: float | None = None
    lon_deg: float | None = None
    altitude_msl_m: float | None = None
    height_agl_m: float | None = None
    accuracy_m: float | None = None
    """110, radius of 50 % probability; a sent 0 means unknown and is given as ``None``."""
    east_mps: float | None = None
    north_mps: float | None = None
    climb_mps: float | None = None


Message: TypeAlias = (
    RadarTarget | RadarService | SystemTrack | IncsReport | DirectionReport | UasIdentification
)


class Rejection(msgspec.Struct, frozen=True):
    """A block (or rest of a datagram) that was not used, without its bytes; `AsterixError` lists reasons."""

    reason: str
    message: str
    offset: int
    length: int
    category: int | None = None


class Datagram(msgspec.Struct, frozen=True):
    """What a datagram held: the messages of its good blocks in order, and why others were refused."""

    messages: tuple[Message, ...]
    rejected: tuple[Rejection, ...]
