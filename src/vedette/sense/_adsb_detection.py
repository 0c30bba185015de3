"""From what an aircraft says of itself to a Detection: units, datums, accuracies, beliefs.

``sense/adsb.py`` says which choices were made and why.
"""

import math

from vedette.model import Claim, Detection, Integrity, Position, Sigma, Signal
from vedette.model.detection import AltitudeDatum, ObjectClass
from vedette.sense._adsb_sky import NOT_ICAO, Aircraft, Sighting
from vedette.wire.adsb import position_accuracy_m

FOOT_M = 0.3048
KNOT_MPS = 1852.0 / 3600.0
FPM_MPS = FOOT_M / 60.0

PLANE_95 = 2.45
"""Radius that holds 95 % of a circular normal distribution, in sigmas (Rayleigh)."""
UNSTATED_M = 30.0
UNSTATED_MPS = 30.0
"""Where a doubt of time widens an accuracy or multiplies a speed that nobody stated."""

_AEROPLANE: dict[ObjectClass, float] = {"aircraft": 0.85, "fixed-wing": 0.05, "unknown": 0.1}
_OBSTACLE: dict[ObjectClass, float] = {"aircraft": 0.05, "unknown": 0.95}
UNSAID: dict[ObjectClass, float] = {"aircraft": 0.7, "fixed-wing": 0.08, "multirotor": 0.04, "unknown": 0.18}
"""An aircraft that has not said its category, or "no information", or a reserved one."""

BELIEFS: dict[str, dict[ObjectClass, float]] = {
    **dict.fromkeys(("A1", "A2", "A3", "A4", "A5", "A6"), _AEROPLANE),
    "A7": {"aircraft": 0.8, "multirotor": 0.05, "unknown": 0.15},
    "B1": {"aircraft": 0.6, "fixed-wing": 0.2, "unknown": 0.2},
    "B2": {"aircraft": 0.5, "unknown": 0.5},
    "B3": {"aircraft": 0.2, "unknown": 0.8},
    "B4": {"aircraft": 0.6, "fixed-wing": 0.15, "multirotor": 0.05, "unknown": 0.2},
    "B6": {"multirotor": 0.4, "fixed-wing": 0.35, "fpv": 0.05, "aircraft": 0.02, "unknown": 0.18},
    "B7": {"aircraft": 0.6, "unknown": 0.4},
    **dict.fromkeys(("C1", "C2", "C3", "C4", "C5"), _OBSTACLE),
}
"""By emitter category (DO-260B, 2.2.3.2.5.2): A1-A6 aeroplanes, A7 rotorcraft, B1 glider, B2 lighter than
air, B3 parachutist, B4 ultralight, B6 unmanned, B7 space vehicle, C surface vehicles and obstacles. Never
near certainty: the category is self-declared, and whoever wants to pass for an airliner says A3."""


def beliefs_of(category: str | None) -> dict[ObjectClass, float]:
    """What a category, or its absence, lets believe."""
    return BELIEFS.get(category or "", UNSAID)


def velocity_mps(
    ground_speed_kt: float | None, track_deg: float | None, vertical_fpm: float | None
) -> tuple[float, float, float] | None:
    """East, north, up; None unless all three are known, for the contract's vector has no gaps."""
    if ground_speed_kt is None or track_deg is None or vertical_fpm is None:
        return None
    along, track = ground_speed_kt * KNOT_MPS, math.radians(track_deg)
    return along * math.sin(track), along * math.cos(track), vertical_fpm * FPM_MPS


def detection(
    sensor: str, aircraft: Aircraft, sighting: Sighting, *, crc_ok: bool | None, link: Signal
) -> Detection:
    """The detection of one sighting. ``crc_ok``: what we know of the frame ourselves. ``link``: the data
    link that it came by: by its name the tracker tells nameless aircraft from bodies."""
    is_icao, address = not aircraft.key & NOT_ICAO, f"{aircraft.key & 0xFFFFFF:06x}"
    velocity = aircraft.velocity(sighting.received)
    alt_m, datum = _height(aircraft, sighting)
    return Detection(
        time=sighting.time,
        received=sighting.received,
        sensor=sensor,
        measure=Position(
            lat_deg=sighting.lat_deg,
            lon_deg=sighting.lon_deg,
            alt_m=alt_m,
            alt_datum=datum,
            velocity_mps=velocity,
        ),
        sigma=_sigma(aircraft, sighting, velocity),
        claim=Claim(scheme="icao", id=address) if is_icao else None,
        beliefs=beliefs_of(aircraft.category),
        signal=_signal(link, None if is_icao else f"~{address}"),
        integrity=Integrity(crc_ok=crc_ok, authenticated=False),
        extra=_extra(aircraft, sighting),
    )


def _height(aircraft: Aircraft, sighting: Sighting) -> tuple[float | None, AltitudeDatum | None]:
    """Above the ellipsoid where the aircraft says so, else barometric: never one for the other."""
    if sighting.ellipsoid_ft is not None:
        return sighting.ellipsoid_ft * FOOT_M, "wgs84-ellipsoid"
    if sighting.baro_ft is None:
        return None, None
    difference = aircraft.difference(sighting.received)
    if difference is not None:
        return (sighting.baro_ft + difference) * FOOT_M, "wgs84-ellipsoid"
    return sighting.baro_ft * FOOT_M, "barometric"


def _sigma(
    aircraft: Aircraft, sighting: Sighting, velocity: tuple[float, float, float] | None
) -> Sigma | None:
    nac_p = aircraft.nac_p
    radius_m = (position_accuracy_m(nac_p) if nac_p is not None else None) or sighting.radius_m
    horizontal = radius_m / PLANE_95 if radius_m else None
    if sighting.doubt_s > 0.0:
        speed = UNSTATED_MPS if velocity is None else math.hypot(*velocity)
        horizontal = math.hypot(horizontal or UNSTATED_M, speed * sighting.doubt_s)
    return None if horizontal is None else Sigma(horizontal_m=horizontal)


def _signal(link: Signal, emitter: str | None) -> Signal:
    if emitter is None:
        return link
    return Signal(transport=link.transport, frequency_mhz=link.frequency_mhz, emitter=emitter)


def _extra(aircraft: Aircraft, sighting: Sighting) -> dict[str, str | float | bool] | None:
    """For the desk; what is not known is left out."""
    stated: dict[str, str | float | bool | None] = {
        "adsb.callsign": aircraft.callsign,
        "adsb.category": aircraft.category,
        "adsb.on_ground": True if sighting.on_ground else None,
        "adsb.rssi_dbfs": None if sighting.rssi_dbfs is None else round(sighting.rssi_dbfs, 1),
        "adsb.source": sighting.source,
        "adsb.squawk": aircraft.squawk,
    }
    return {name: value for name, value in stated.items() if value is not None} or None
