"""What one ASTERIX message says of the sky, as the parts of a Detection, or why it says nothing.

Choices, category by category; none of them rests on what a sender calls friend or foe.

- All azimuths are taken as clockwise from true north at the sensor, as EUROCONTROL's texts define them
  (I048/040, I015/627, I205/070). A radar that is aligned to magnetic or grid north is off by that much.
- CAT048 gives slant range and azimuth. An elevation is worked out where a 3D radar sends the height it
  measured (I048/110, above mean sea level) and the radar's own height over the same datum is known. A
  flight level is pressure, not a height: it stays in ``extra``.
- Doppler (I048/120, I015/626): no text at hand states which sign is which, so it is a range rate only
  where the feed's configuration says so. I015/625 is named a rate of the range: growing is positive.
- CAT015 ranges of multi-static radars are those of both legs: only their bearing and position are used.
- CAT062 is what a tracker believes. Its heights are used if geometric; coasted and ended tracks are not
  measured and not used.
- CAT205: a bearing of one finder belongs to that finder (I205/170), not to the system that sent it.
- CAT129, whose layout is our own reading: see `vedette.wire.asterix.cat129`.
"""

import math
import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from vedette.geo import convert_height
from vedette.model import Bearing, Claim, Position, RangeBearing, Sigma, Signal
from vedette.model.detection import AltitudeDatum, Measure, ObjectClass
from vedette.model.errors import DatumError
from vedette.wire.asterix import (
    DirectionReport,
    IncsReport,
    Message,
    RadarTarget,
    SystemTrack,
    UasIdentification,
)

EARTH_RADIUS_M = 6_371_008.8
CEP_SIGMAS = 1.1774
"""Radius that holds half of a circular normal distribution, in one-sigma of one axis."""

AIRCRAFT: dict[ObjectClass, float] = {"aircraft": 0.4, "fixed-wing": 0.1, "unknown": 0.5}
BIRD: dict[ObjectClass, float] = {"bird": 0.5, "unknown": 0.5}
UAS: dict[ObjectClass, float] = {"multirotor": 0.4, "fixed-wing": 0.2, "unknown": 0.4}
"""Weak on purpose: what answers like an airliner, is called a bird, or calls itself a drone."""

_BIRD_CODES = frozenset({19, 20})
_NO_DETECTION, _PRIMARY = 0, 1
_MONOSTATIC = 0
_INCS_ENDED, _RDF_ENDED, _RDF_SENSOR = 5, 4, 5
_MHZ = re.compile(r"\d{2,4}(\.\d{1,4})?", re.ASCII)
_MHZ_BAND = (1.0, 6000.0)


class Said(Struct, frozen=True, kw_only=True):
    """The parts of a detection. ``part``: the sensor within the source, where it has several.
    ``speed_mps``: over ground, if it was stated."""

    measure: Measure
    sigma: Sigma | None = None
    claim: Claim | None = None
    beliefs: dict[ObjectClass, float] | None = None
    frequency_mhz: float | None = None
    part: str = ""
    speed_mps: float | None = None
    extra: dict[str, Any] = {}

    @property
    def signal(self) -> Signal:
        """By which way it was heard."""
        return Signal(transport="asterix", frequency_mhz=self.frequency_mhz)


class Ways(Struct, frozen=True, kw_only=True):
    """How the messages of one source are to be read.

    ``doppler``: 1 if positive is receding, -1 if approaching, 0 = not known, not used. ``uas``: CAT129 is
    read. ``height_m``: of the radar above the WGS-84 ellipsoid, if it said so. ``geoid_m``: EGM96 above
    the ellipsoid here.
    """

    doppler: int = 0
    uas: bool = False
    height_m: float | None = None
    geoid_m: float | None = None


def said(message: Message, ways: Ways) -> Said | str:
    """What it says, or the reason why that is no detection: simulated, test-target, fixed-transponder,
    ghost, no-detection, coasting, ended, no-position, no-fix, cat129-off, not-a-target."""
    reader = _READERS.get(type(message))
    return "not-a-target" if reader is None else reader(message, ways)


def elevation_deg(range_m: float, target_m: float, sensor_m: float) -> float | None:
    """Elevation at the sensor of what is ``range_m`` away in a straight line and ``target_m`` high, both
    heights over one datum; on a sphere. None where no such triangle exists."""
    sensor, target = EARTH_RADIUS_M + sensor_m, EARTH_RADIUS_M + target_m
    sine = (target * target - sensor * sensor - range_m * range_m) / (2.0 * range_m * sensor)
    return math.degrees(math.asin(sine)) if abs(sine) <= 1.0 else None


def _radar(target: RadarTarget, ways: Ways) -> Said | str:
    refused = _radar_refused(target)
    if refused is not None:
        return refused
    assert target.azimuth_deg is not None
    assert target.range_m is not None
    elevation = _radar_elevation(target, target.range_m, ways)
    rate = None if target.doppler_doubtful else _rate(target.doppler_mps, ways.doppler)
    return Said(
        measure=RangeBearing(
            range_m=target.range_m,
            azimuth_deg=target.azimuth_deg,
            elevation_deg=elevation,
            range_rate_mps=rate,
        ),
        claim=_icao(target.address),
        beliefs=_radar_beliefs(target),
        speed_mps=target.speed_mps,
        extra=_kept(
            category=target.category,
            track=target.track_number,
            tentative=target.tentative or None,
            callsign=target.callsign,
            flight_level=target.flight_level,
            height_msl_m=None if elevation is not None else target.height_msl_m,
            doppler_mps=None if rate is not None else target.doppler_mps,
            conditions=None if target.conditions is None else list(target.conditions),
        ),
    )


def _radar_refused(target: RadarTarget) -> str | None:
    found = (
        ("simulated", target.simulated),
        ("test-target", target.test_target),
        ("fixed-transponder", target.fixed_transponder),
        ("ghost", target.ghost),
        ("no-detection", target.plot_type == _NO_DETECTION),
        ("no-position", not target.range_m or target.azimuth_deg is None),
    )
    return next((reason for reason, true in found if true), None)


def _radar_elevation(target: RadarTarget, range_m: float, ways: Ways) -> float | None:
    if target.height_msl_m is None or ways.height_m is None:
        return None
    try:
        own_msl_m = convert_height(ways.height_m, "wgs84-ellipsoid", "egm96", geoid_height_m=ways.geoid_m)
    except DatumError:
        return None
    return elevation_deg(range_m, target.height_msl_m, own_msl_m)


def _radar_beliefs(target: RadarTarget) -> dict[ObjectClass, float] | None:
    if target.plot_type > _PRIMARY:
        return AIRCRAFT
    return BIRD if _BIRD_CODES.intersection(target.conditions or ()) else None


def _system(track: SystemTrack, ways: Ways) -> Said | str:
    found = (
        ("simulated", track.simulated),
        ("ended", track.track_ends),
        ("coasting", track.coasting),
    )
    refused = next((reason for reason, true in found if true), None) or _unplaced(
        track.lat_deg, track.lon_deg
    )
    if refused is not None:
        return refused
    measure = _position(
        track.lat_deg,
        track.lon_deg,
        _height((track.altitude_msl_m, "egm96")),
        (track.east_mps, track.north_mps, track.climb_mps),
    )
    return Said(
        measure=measure,
        sigma=_position_sigma((track.sigma_x_m, track.sigma_y_m), track.sigma_altitude_m, measure),
        claim=_icao(track.address),
        beliefs=AIRCRAFT if track.address else None,
        speed_mps=_speed(track.east_mps, track.north_mps),
        extra=_kept(
            category=track.category,
            track=track.track_number,
            tentative=track.tentative or None,
            callsign=track.callsign,
            flight_level=_first(track.measured_flight_level, track.barometric_flight_level),
            east_mps=track.east_mps if measure.velocity_mps is None else None,
            north_mps=track.north_mps if measure.velocity_mps is None else None,
        ),
    )


def _incs(report: IncsReport, ways: Ways) -> Said | str:
    if report.taxonomy:
        return "simulated"
    if report.message_type == _INCS_ENDED or report.coasting:
        return "ended" if report.message_type == _INCS_ENDED else "coasting"
    measure, sigma = _incs_place(report) if report.lat_deg is not None else _incs_polar(report, ways)
    if measure is None:
        return "no-position"
    return Said(
        measure=measure,
        sigma=sigma,
        speed_mps=_speed(report.east_mps, report.north_mps),
        extra=_kept(
            category=report.category,
            track=report.number,
            tentative=report.tentative or None,
            classification=None
            if report.classification is None
            else [list(pair) for pair in report.classification],
            doppler_mps=report.doppler_mps if ways.doppler == 0 else None,
        ),
    )


Placed = tuple[Measure | None, Sigma | None]


def _incs_place(report: IncsReport) -> Placed:
    if _unplaced(report.lat_deg, report.lon_deg):
        return None, None
    velocity = (report.east_mps, report.north_mps, report.climb_mps)
    height = _height((report.height_m, "wgs84-ellipsoid"))
    measure = _position(report.lat_deg, report.lon_deg, height, velocity)
    return measure, _position_sigma(
        (report.sigma_east_m, report.sigma_north_m), report.sigma_height_m, measure
    )


def _incs_polar(report: IncsReport, ways: Ways) -> Placed:
    azimuth, elevation = report.azimuth_deg, report.elevation_deg
    if azimuth is None:
        return None, None
    angles = {
        "azimuth_deg": _positive(report.sigma_azimuth_deg),
        "elevation_deg": _positive(report.sigma_elevation_deg) if elevation is not None else None,
    }
    if report.arrangement != _MONOSTATIC or not report.range_m:
        return Bearing(azimuth_deg=azimuth, elevation_deg=elevation), _sigma(**angles)
    rate = _first(report.range_rate_mps, _rate(report.doppler_mps, ways.doppler))
    by_doppler = report.range_rate_mps is None and rate is not None
    measure = RangeBearing(
        range_m=report.range_m, azimuth_deg=azimuth, elevation_deg=elevation, range_rate_mps=rate
    )
    return measure, _sigma(
        range_m=_positive(report.sigma_range_m),
        range_rate_mps=_positive(report.sigma_doppler_mps) if by_doppler else None,
        **angles,
    )


def _finder(report: DirectionReport, ways: Ways) -> Said | str:
    if report.message_type == _RDF_ENDED:
        return "ended"
    found = _finder_place(report)
    if isinstance(found, str):
        return found
    measure, sigma, part = found
    return Said(
        measure=measure,
        sigma=sigma,
        part=part,
        frequency_mhz=_frequency_mhz(report.channel),
        extra=_kept(
            category=report.category,
            track=report.track_number,
            channel=report.channel,
            quality=report.quality,
            level_dbuv=report.signal_level_dbuv,
            signal_quality=report.signal_quality,
        ),
    )


def _finder_place(report: DirectionReport) -> tuple[Measure, Sigma | None, str] | str:
    if report.message_type == _RDF_SENSOR and report.azimuth_deg is not None:
        part = "" if report.sensor is None else f"-{report.sensor:03d}"
        return Bearing(azimuth_deg=report.azimuth_deg, elevation_deg=report.elevation_deg), None, part
    if report.lat_deg is not None:
        unplaced = _unplaced(report.lat_deg, report.lon_deg)
        if unplaced is not None:
            return unplaced
        sigma = _sigma(horizontal_m=_positive(report.uncertainty_m))
        return _position(report.lat_deg, report.lon_deg, (None, None)), sigma, ""
    if report.system_azimuth_deg is not None:
        return Bearing(azimuth_deg=report.system_azimuth_deg, elevation_deg=report.elevation_deg), None, ""
    return "no-position"


def _uas(report: UasIdentification, ways: Ways) -> Said | str:
    if not ways.uas:
        return "cat129-off"
    refused = _unplaced(report.lat_deg, report.lon_deg)
    if refused is not None:
        return refused
    serial = _serial(report.serial)
    radius = report.accuracy_m
    return Said(
        measure=_position(
            report.lat_deg,
            report.lon_deg,
            _height((report.altitude_msl_m, "egm96"), (report.height_agl_m, "agl")),
            (report.east_mps, report.north_mps, report.climb_mps),
        ),
        sigma=_sigma(horizontal_m=None if radius is None else radius / CEP_SIGMAS),
        claim=None if serial is None else Claim(scheme="remote-id-serial", id=serial),
        beliefs=UAS,
        speed_mps=_speed(report.east_mps, report.north_mps),
        extra=_kept(
            category=report.category,
            manufacturer=report.manufacturer,
            model=report.model,
            country=report.country,
            serial_hex=None if serial is not None or not report.serial else report.serial.hex(),
        ),
    )


def _serial(data: bytes | None) -> str | None:
    """The serial number if it is text; other encodings of the twelve bytes are not guessed."""
    text = (data or b"").strip(b" \0")
    return text.decode("ascii") if text and all(0x21 <= byte < 0x7F for byte in text) else None


def _icao(address: int | None) -> Claim | None:
    return Claim(scheme="icao", id=f"{address:06x}") if address else None


def _unplaced(lat_deg: float | None, lon_deg: float | None) -> str | None:
    """0/0 is what a system writes that has no position; nothing in reach of a site is there."""
    if lat_deg is None or lon_deg is None:
        return "no-position"
    return "no-fix" if lat_deg == 0.0 and lon_deg == 0.0 else None


Height = tuple[float | None, AltitudeDatum | None]


def _height(*candidates: tuple[float | None, AltitudeDatum]) -> Height:
    """The first that is known."""
    return next(((value, datum) for value, datum in candidates if value is not None), (None, None))


def _position(
    lat_deg: float | None,
    lon_deg: float | None,
    height: Height,
    velocity: tuple[float | None, float | None, float | None] = (None, None, None),
) -> Position:
    """Velocity only if all of it is known: the contract's vector has no gaps."""
    assert lat_deg is not None
    assert lon_deg is not None
    east, north, up = velocity
    whole = (east, north, up) if east is not None and north is not None and up is not None else None
    return Position(
        lat_deg=lat_deg, lon_deg=lon_deg, alt_m=height[0], alt_datum=height[1], velocity_mps=whole
    )


def _position_sigma(
    horizontal: tuple[float | None, float | None], vertical: float | None, measure: Position
) -> Sigma | None:
    """One figure for the two axes: the larger, since the frame they are in need not be ours."""
    stated = [value for value in horizontal if value is not None and value > 0.0]
    return _sigma(
        horizontal_m=max(stated) if len(stated) == 2 else None,
        vertical_m=_positive(vertical) if measure.alt_m is not None else None,
    )


def _sigma(**stated: float | None) -> Sigma | None:
    known = {name: value for name, value in stated.items() if value is not None}
    return Sigma(**known) if known else None


def _positive(value: float | None) -> float | None:
    """A sigma of 0 is one that was not filled in."""
    return value if value is not None and value > 0.0 else None


def _rate(doppler_mps: float | None, sign: int) -> float | None:
    return None if doppler_mps is None or sign == 0 else sign * doppler_mps


def _speed(east_mps: float | None, north_mps: float | None) -> float | None:
    return None if east_mps is None or north_mps is None else math.hypot(east_mps, north_mps)


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _frequency_mhz(channel: str | None) -> float | None:
    """The frequency that a channel's name is, if it is one."""
    name = (channel or "").strip()
    value = float(name) if _MHZ.fullmatch(name) else 0.0
    return value if _MHZ_BAND[0] <= value <= _MHZ_BAND[1] else None


def _kept(**values: Any) -> dict[str, Any]:
    """For the desk, under names of their own; what was not sent is left out."""
    return {f"asterix.{name}": value for name, value in values.items() if value is not None}


_READERS: dict[type[Any], Callable[[Any, Ways], Said | str]] = {
    RadarTarget: _radar,
    SystemTrack: _system,
    IncsReport: _incs,
    DirectionReport: _finder,
    UasIdentification: _uas,
}
