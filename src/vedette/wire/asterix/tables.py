"""Which item of which category becomes which field, its unit and what is possible.

Limits are those of the category's own text (or of the Earth): a value outside them proves that the
record was written by another layout or made up, and nothing of its block is believed.
"""

import math
from collections.abc import Mapping

import msgspec

from vedette.wire.asterix.messages import (
    AsterixMessage,
    DirectionReport,
    IncsReport,
    RadarService,
    RadarTarget,
    SystemTrack,
)

NAUTICAL_MILE_M = 1852.0
FOOT_M = 0.3048
DAY_S = 86_400.0
MAX_RANGE_M = 512.0 * NAUTICAL_MILE_M
_FPM_MPS = FOOT_M / 60.0
_ALTITUDE_M = (-1_500.0 * FOOT_M, 150_000.0 * FOOT_M)
_FLIGHT_LEVEL = (-15.0, 1_500.0)
_FASTEST_MPS = 2.0 * NAUTICAL_MILE_M


class Field(msgspec.Struct, frozen=True):
    """One field of a message: ``path`` is item and sub-items, a number is sent value times ``scale``."""

    name: str
    path: str
    scale: float = 1.0
    low: float = -math.inf
    high: float = math.inf
    below: float = math.inf
    """Exclusive, where ``high`` is inclusive."""
    turn: bool = False
    """An angle that may be sent as 360 and is then 0."""
    flag: bool = False


class Category(msgspec.Struct, frozen=True):
    """One category in the edition that is read: the struct, its fields, and those that must be there."""

    message: type[AsterixMessage]
    edition: tuple[int, int]
    fields: tuple[Field, ...]
    required: tuple[str, ...]


def _flag(name: str, path: str) -> Field:
    return Field(name, path, flag=True)


def _azimuth(name: str, path: str) -> Field:
    return Field(name, path, low=0.0, high=360.0, turn=True)


def _source_and_time(time_item: str) -> tuple[Field, ...]:
    return (
        Field("sac", "010.SAC"),
        Field("sic", "010.SIC"),
        Field("time_of_day_s", time_item, low=0.0, below=DAY_S),
    )


def _latitude_longitude(item: str, latitude: str = "LAT", longitude: str = "LON") -> tuple[Field, ...]:
    return (
        Field("lat_deg", f"{item}.{latitude}", low=-90.0, high=90.0),
        Field("lon_deg", f"{item}.{longitude}", low=-180.0, high=180.0),
    )


def _cartesian(item: str, scale: float) -> tuple[Field, ...]:
    return (
        Field("x_east_m", f"{item}.X", scale, low=-MAX_RANGE_M, high=MAX_RANGE_M),
        Field("y_north_m", f"{item}.Y", scale, low=-MAX_RANGE_M, high=MAX_RANGE_M),
    )


_CAT048 = (
    *_source_and_time("140"),
    Field("plot_type", "020.TYP"),
    _flag("simulated", "020.SIM"),
    _flag("fixed_transponder", "020.RAB"),
    _flag("test_target", "020.TST"),
    Field("range_m", "040.RHO", NAUTICAL_MILE_M, low=0.0, high=MAX_RANGE_M),
    _azimuth("azimuth_deg", "040.THETA"),
    *_cartesian("042", NAUTICAL_MILE_M),
    Field("flight_level", "090.FL", low=_FLIGHT_LEVEL[0], high=_FLIGHT_LEVEL[1]),
    _flag("flight_level_not_validated", "090.V"),
    _flag("flight_level_garbled", "090.G"),
    Field("height_msl_m", "110.3DH", FOOT_M, low=_ALTITUDE_M[0], high=_ALTITUDE_M[1]),
    Field("doppler_mps", "120.CAL.CAL"),
    _flag("doppler_doubtful", "120.CAL.D"),
    Field("track_number", "161.TRN"),
    _flag("tentative", "170.CNF"),
    _flag("ghost", "170.GHO"),
    _flag("track_ends", "170.TRE"),
    Field("speed_mps", "200.GSP", NAUTICAL_MILE_M, high=_FASTEST_MPS),
    _azimuth("heading_deg", "200.HDG"),
    Field("address", "220"),
    Field("callsign", "240"),
    Field("conditions", "030"),
)

_CAT034 = (
    *_source_and_time("030"),
    Field("message_type", "000", low=1, high=7),
    _azimuth("sector_azimuth_deg", "020"),
    Field("rotation_period_s", "041"),
    _flag("not_operational", "050.COM.NOGO"),
    _flag("overloaded", "050.COM.OVLRDP"),
    _flag("time_source_invalid", "050.COM.TSV"),
    Field("height_m", "120.HGT", low=_ALTITUDE_M[0], high=_ALTITUDE_M[1]),
    *_latitude_longitude("120"),
)

_CAT062 = (
    *_source_and_time("070"),
    Field("track_number", "040"),
    *_latitude_longitude("105"),
    *_cartesian("100", 1.0),
    Field("east_mps", "185.VX", low=-_FASTEST_MPS, high=_FASTEST_MPS),
    Field("north_mps", "185.VY", low=-_FASTEST_MPS, high=_FASTEST_MPS),
    Field("measured_flight_level", "136", low=_FLIGHT_LEVEL[0], high=_FLIGHT_LEVEL[1]),
    Field("altitude_msl_m", "130", FOOT_M, low=_ALTITUDE_M[0], high=_ALTITUDE_M[1]),
    Field("barometric_flight_level", "135.CTB", low=_FLIGHT_LEVEL[0], high=_FLIGHT_LEVEL[1]),
    _flag("qnh_corrected", "135.QNH"),
    Field("climb_mps", "220", _FPM_MPS),
    _flag("tentative", "080.CNF"),
    _flag("simulated", "080.SIM"),
    _flag("track_ends", "080.TSE"),
    _flag("coasting", "080.CST"),
    Field("address", "380.ADR"),
    Field("callsign", "245.CHR"),
    Field("sigma_x_m", "500.APC.X"),
    Field("sigma_y_m", "500.APC.Y"),
    Field("sigma_altitude_m", "500.AGA", FOOT_M),
)

_CAT015 = (
    *_source_and_time("145"),
    Field("message_type", "000.MT", low=1, high=5),
    Field("arrangement", "020.MOMU"),
    Field("taxonomy", "020.TTAX"),
    Field("number", "161"),
    _flag("tentative", "170.CNF"),
    _flag("coasting", "170.CSTP"),
    Field("classification", "300"),
    *_latitude_longitude("600.P84", "LATITUDE", "LONGITUDE"),
    Field("sigma_east_m", "600.HPP.SDHPX"),
    Field("sigma_north_m", "600.HPP.SDHPY"),
    Field("height_m", "601.GH", low=_ALTITUDE_M[0], high=_ALTITUDE_M[1]),
    Field("sigma_height_m", "601.SDGH"),
    Field("east_mps", "602.HV.X", low=-_FASTEST_MPS, high=_FASTEST_MPS),
    Field("north_mps", "602.HV.Y", low=-_FASTEST_MPS, high=_FASTEST_MPS),
    Field("climb_mps", "604.VV", low=-_FASTEST_MPS, high=_FASTEST_MPS),
    # Twice the limit, since the range of a multi-static radar is that of both legs.
    Field("range_m", "625.R", low=0.0, high=2.0 * MAX_RANGE_M),
    Field("sigma_range_m", "625.SDR"),
    Field("range_rate_mps", "625.RR", low=-2.0 * _FASTEST_MPS, high=2.0 * _FASTEST_MPS),
    Field("doppler_mps", "626.DV", low=-2.0 * _FASTEST_MPS, high=2.0 * _FASTEST_MPS),
    Field("sigma_doppler_mps", "626.SDDV"),
    _azimuth("azimuth_deg", "627.AZ"),
    Field("sigma_azimuth_deg", "627.SDASZ"),
    Field("elevation_deg", "628.EL", low=-90.0, high=90.0),
    Field("sigma_elevation_deg", "628.SDEL"),
)

_CAT205 = (
    *_source_and_time("030"),
    Field("message_type", "000", low=1, high=5),
    Field("report_number", "040"),
    Field("channel", "090"),
    *_latitude_longitude("050"),
    *_cartesian("060", 1.0),
    _azimuth("azimuth_deg", "070"),
    _azimuth("system_azimuth_deg", "080"),
    Field("elevation_deg", "200", low=-90.0, high=90.0),
    Field("quality", "100"),
    Field("uncertainty_m", "110"),
    Field("track_number", "160"),
    Field("sensor", "170"),
    Field("signal_level_dbuv", "180"),
    Field("signal_quality", "190"),
)

CATEGORIES: Mapping[int, Category] = {
    15: Category(IncsReport, (1, 2), _CAT015, ("sac", "sic", "message_type")),
    34: Category(RadarService, (1, 29), _CAT034, ("sac", "sic", "message_type")),
    48: Category(RadarTarget, (1, 32), _CAT048, ("sac", "sic", "plot_type")),
    62: Category(SystemTrack, (1, 21), _CAT062, ("sac", "sic", "track_number")),
    205: Category(DirectionReport, (1, 0), _CAT205, ("sac", "sic", "message_type")),
}
"""By category number. Later editions only add to earlier ones here, so the newest known one is read."""
