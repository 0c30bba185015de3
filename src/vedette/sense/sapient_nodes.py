"""Registration and StatusReport of a SAPIENT node -> what it is, where it stands, what is wrong with it.

Choices:

- A node with an effector among its types (KINETIC, JAMMER, CYBER, LDEW, RFDEW) is an effector, whatever
  else it is: present, never tasked. What it detects is used like anybody's.
- A profile says where a sensor stands, and that it checks what it sees for itself (unless its type is
  ``report``). It never has a range, for a node that registered itself must not make a track vanish by
  not seeing it; its detection probability is 0, "a miss says nothing". The standard's own figures of
  performance are free text.
- A passive receiver that reports positions in place of directions may only repeat what the aircraft
  broadcasts: it is a ``report``. So is a human, a fusion node, and whatever has no better name here.
- WGS84_G counts heights from "the geoid"; the standard names no model, EGM96 is taken.
- Text of strangers reaches the desk's words only, printable and cut; what is counted or named by a slug
  comes from the fixed lists below.
"""

import math
from collections.abc import Iterable
from typing import Any, Final

from msgspec import Struct
from sapient_msg.bsi_flex_335_v2_0 import range_bearing_pb2 as polar
from sapient_msg.bsi_flex_335_v2_0 import registration_pb2 as reg
from sapient_msg.bsi_flex_335_v2_0 import status_report_pb2 as sta
from sapient_msg.bsi_flex_335_v2_0 import velocity_pb2 as vel

from vedette.model import SensorProfile
from vedette.model.detection import AltitudeDatum
from vedette.model.site import Limits, SensorType
from vedette.sense.sapient_utm import utm_to_geodetic
from vedette.wire.sapient import Geographic, SapientMessage, Utm, read_location

EFFECTORS: Final = frozenset({"KINETIC", "JAMMER", "CYBER", "LDEW", "RFDEW"})
"""Types that act on a drone. No Task is ever made for a node that has one of them."""
SENSORS: Final = frozenset(
    {"RADAR", "LIDAR", "CAMERA", "SEISMIC", "ACOUSTIC", "PROXIMITY_SENSOR", "PASSIVE_RF"}
)
"""Types that only sense. A Task is made for nodes that have no other."""
_KINDS: Final[dict[str, SensorType]] = {
    "RADAR": "radar-2d",
    "LIDAR": "radar-2d",
    "CAMERA": "camera",
    "ACOUSTIC": "acoustic-array",
    "SEISMIC": "acoustic-array",
    "PASSIVE_RF": "direction-finder",
}
ALTITUDE_DATUM: Final[dict[str, AltitudeDatum]] = {"ellipsoid": "wgs84-ellipsoid", "geoid": "egm96"}

_SECONDS: Final = {
    reg.Registration.TIME_UNITS_NANOSECONDS: 1e-9,
    reg.Registration.TIME_UNITS_MICROSECONDS: 1e-6,
    reg.Registration.TIME_UNITS_MILLISECONDS: 1e-3,
    reg.Registration.TIME_UNITS_SECONDS: 1.0,
    reg.Registration.TIME_UNITS_MINUTES: 60.0,
    reg.Registration.TIME_UNITS_HOURS: 3600.0,
    reg.Registration.TIME_UNITS_DAYS: 86_400.0,
}
_MPS: Final = {vel.SPEED_UNITS_MS: 1.0, vel.SPEED_UNITS_KPH: 1.0 / 3.6}
_METRES: Final = frozenset({"m", "metre", "metres", "meter", "meters"})
_DEGREES: Final = frozenset({"deg", "degree", "degrees", "decimal degrees"})

LEAST_INTERVAL_S, MOST_INTERVAL_S = 0.1, 600.0
"""Heartbeats: a faster one is a flood, and a slower one proves nothing in between."""
MOST_NAME = 24
MOST_WORDS = 80
MOST_MODES = 64
_UNSEEN_M = 1.0
"""A sensor that has moved by less stands where it stood."""


class Unfit(ValueError):
    """A registration that conforms and still cannot be accepted; the text says why."""


class Node(Struct, frozen=True, kw_only=True):
    """A node as it registered itself. ``name`` is cleaned, and may be empty. ``speed_units``: the factor to
    m/s of each mode's velocities, None where none is stated. ``error_unit``: "m" or "deg", as stated for
    the errors of positions. ``takes_requests``: it registered that it can be asked."""

    id: str
    name: str
    types: tuple[str, ...]
    kind: SensorType
    interval_s: float
    stated_interval_s: float
    speed_units: dict[str, float | None]
    error_unit: str | None
    takes_requests: bool
    dependents: tuple[str, ...]

    @property
    def effector(self) -> bool:
        """True if it can act on a drone."""
        return not EFFECTORS.isdisjoint(self.types)

    @property
    def only_senses(self) -> bool:
        """True if it can do nothing but sense."""
        return bool(self.types) and SENSORS.issuperset(self.types)

    @property
    def stands_somewhere(self) -> bool:
        """True if what it measures counts from its own place."""
        return self.kind != "report"

    def mps(self, mode: str | None) -> float | None:
        """Factor from its velocities to m/s in a mode; None if it did not say in what it measures."""
        stated = {factor for factor in self.speed_units.values() if factor is not None}
        if mode in self.speed_units and self.speed_units[mode] is not None:
            return self.speed_units[mode]
        return stated.pop() if len(stated) == 1 else None


class Place(Struct, frozen=True):
    """Where a node says that it stands; ``utm`` if it said so in UTM."""

    lat_deg: float
    lon_deg: float
    alt_m: float | None
    alt_datum: AltitudeDatum
    utm: Utm | None = None


def node_of(message: SapientMessage, most_dependents: int = 64) -> Node:
    """The node that a Registration without faults speaks of. Raises Unfit."""
    registration = message.registration
    types = tuple(dict.fromkeys(_type_name(d.node_type) for d in registration.node_definition))
    if len(registration.dependent_nodes) > most_dependents:
        raise Unfit(f"dependent_nodes: more than {most_dependents} nodes behind one node")
    stated_s = _duration_s(registration.status_definition.status_interval)
    if not 0.0 < stated_s < math.inf:
        raise Unfit("status_definition.status_interval: expected more than 0")
    modes = registration.mode_definition[:MOST_MODES]
    return Node(
        id=message.node_id,
        name=clean_name(registration.short_name or registration.name),
        types=types,
        kind=_kind(types, modes),
        interval_s=min(max(stated_s, LEAST_INTERVAL_S), MOST_INTERVAL_S),
        stated_interval_s=stated_s,
        speed_units={mode.mode_name[:200]: _speed_unit(mode) for mode in modes},
        error_unit=_error_unit(modes),
        takes_requests=any(
            command.type == reg.Registration.COMMAND_TYPE_REQUEST
            for mode in modes
            for command in mode.task.command
        ),
        dependents=tuple(registration.dependent_nodes),
    )


def place_of(location: Any) -> Place:
    """The place of a Location. Raises DecodeError if it is none on Earth."""
    read = read_location(location)
    datum = ALTITUDE_DATUM[read.altitude_above]
    if isinstance(read, Geographic):
        return Place(read.latitude_deg, read.longitude_deg, read.altitude_m, datum)
    lat_deg, lon_deg = utm_to_geodetic(read)
    return Place(lat_deg, lon_deg, read.altitude_m, datum, read)


def profile_of(
    sensor: str, node: Node, place: Place, *, raised: bool, coverage: Any = None
) -> SensorProfile | None:
    """What the tracker may know of a node's sensor; None while its height is unknown.

    ``raised``: it has measured elevations. ``coverage``: a LocationOrRangeBearing that it gave, or None.
    """
    if place.alt_m is None:
        return None
    azimuth, elevation = (None, None) if coverage is None else sector_of(coverage)
    return SensorProfile(
        id=sensor,
        type="radar-3d" if raised and node.kind == "radar-2d" else node.kind,
        lat_deg=place.lat_deg,
        lon_deg=place.lon_deg,
        alt_m=place.alt_m,
        alt_datum=place.alt_datum,
        period_s=1.0,
        detection_probability=0.0,
        azimuth_deg=azimuth,
        elevation_deg=elevation,
    )


def sector_of(area: Any) -> tuple[Limits | None, Limits | None]:
    """Limits of azimuth and elevation (degrees) of a cone round true north; None where it gives none.

    The extents of a RangeBearingCone are in degrees whatever its other units (range_bearing.proto).
    """
    if area.WhichOneof("fov_oneof") != "range_bearing":
        return None, None
    cone = area.range_bearing
    scale = angle_scale(cone.coordinate_system)
    azimuth = elevation = None
    true_north = cone.datum == polar.RANGE_BEARING_DATUM_TRUE
    if true_north and cone.HasField("azimuth") and 0.0 < cone.horizontal_extent < 360.0:
        middle, half = cone.azimuth * scale, 0.5 * cone.horizontal_extent
        azimuth = ((middle - half) % 360.0, (middle + half) % 360.0)
    if cone.HasField("elevation") and 0.0 < cone.vertical_extent <= 180.0:
        middle, half = cone.elevation * scale, 0.5 * cone.vertical_extent
        elevation = (max(middle - half, -90.0), min(middle + half, 90.0))
    return azimuth, elevation if elevation is None or elevation[0] < elevation[1] else None


def angle_scale(coordinate_system: int) -> float:
    """Degrees for each unit of a RangeBearing's angles."""
    radians = (
        polar.RANGE_BEARING_COORDINATE_SYSTEM_RADIANS_M,
        polar.RANGE_BEARING_COORDINATE_SYSTEM_RADIANS_KM,
    )
    return math.degrees(1.0) if coordinate_system in radians else 1.0


def moved(before: SensorProfile, now: SensorProfile) -> bool:
    """True if a profile is news: another type, or a place more than a metre away."""
    north_m = (now.lat_deg - before.lat_deg) * 111_200.0
    east_m = (now.lon_deg - before.lon_deg) * 111_300.0 * math.cos(math.radians(now.lat_deg))
    far = math.hypot(east_m, north_m, now.alt_m - before.alt_m) > _UNSEEN_M
    return far or (before.type, before.alt_datum) != (now.type, now.alt_datum)


_SYSTEM: Final = {
    sta.StatusReport.SYSTEM_WARNING: "says that something may be wrong with it",
    sta.StatusReport.SYSTEM_ERROR: "says that something is wrong with it",
}
_FAULTS: Final = {
    sta.StatusReport.STATUS_TYPE_INTERNAL_FAULT: ("internal-fault", "a fault inside it"),
    sta.StatusReport.STATUS_TYPE_EXTERNAL_FAULT: ("external-fault", "a fault caused from outside"),
    sta.StatusReport.STATUS_TYPE_NOT_DETECTING: ("not-detecting", "it is not detecting"),
}
"""Faults whatever their level."""
_CONDITIONS: Final = {
    sta.StatusReport.STATUS_TYPE_ILLUMINATION: ("illumination", "illumination"),
    sta.StatusReport.STATUS_TYPE_WEATHER: ("weather", "weather"),
    sta.StatusReport.STATUS_TYPE_CLUTTER: ("clutter", "clutter"),
    sta.StatusReport.STATUS_TYPE_EXPOSURE: ("exposure", "exposure"),
    sta.StatusReport.STATUS_TYPE_MOTION_SENSITIVITY: ("motion-sensitivity", "motion sensitivity"),
    sta.StatusReport.STATUS_TYPE_PTZ_STATUS: ("ptz", "its pan, tilt and zoom"),
    sta.StatusReport.STATUS_TYPE_PD: ("detection-probability", "its probability of detection"),
    sta.StatusReport.STATUS_TYPE_FAR: ("false-alarms", "its false alarms"),
    sta.StatusReport.STATUS_TYPE_PLATFORM: ("platform", "its platform"),
    sta.StatusReport.STATUS_TYPE_OTHER: ("other-status", "something else"),
}
"""Trouble only where the node says that they hurt it (levels warning and error)."""
_LOW_BATTERY = 10
STATUS_TROUBLES: Final = (
    "system",
    "power",
    *(slug for slug, _ in _FAULTS.values()),
    *(slug for slug, _ in _CONDITIONS.values()),
)
"""Every slug that `troubles_of` may give."""


def troubles_of(status: sta.StatusReport) -> dict[str, str]:
    """What a StatusReport says is wrong: slug of `STATUS_TROUBLES` -> words for the desk."""
    troubles: dict[str, str] = {}
    if status.system in _SYSTEM:
        troubles["system"] = _SYSTEM[status.system]
    power = _power(status)
    if power is not None:
        troubles["power"] = power
    for entry in status.status[:MOST_MODES]:
        named = _FAULTS.get(entry.status_type)
        hurts = entry.status_level in (
            sta.StatusReport.STATUS_LEVEL_WARNING_STATUS,
            sta.StatusReport.STATUS_LEVEL_ERROR_STATUS,
        )
        named = named or (_CONDITIONS.get(entry.status_type) if hurts else None)
        if named is not None:
            troubles[named[0]] = _with_text(named[1], entry.status_value)
    return troubles


def _power(status: sta.StatusReport) -> str | None:
    if not status.HasField("power"):
        return None
    if status.power.status == sta.StatusReport.POWERSTATUS_FAULT:
        return "a fault in its power supply"
    battery = status.power.source in (
        sta.StatusReport.POWERSOURCE_INTERNAL_BATTERY,
        sta.StatusReport.POWERSOURCE_EXTERNAL_BATTERY,
    )
    if battery and status.power.HasField("level") and 0 <= status.power.level <= _LOW_BATTERY:
        return f"its battery is at {status.power.level} %"
    return None


def _with_text(words: str, text: str) -> str:
    said = printable(text)
    return f"{words}: {said}" if said else words


def printable(text: str, most: int = MOST_WORDS) -> str:
    """A stranger's text for the desk: what can be printed of it, on one line, cut."""
    cut = text[: 4 * most]
    kept = "".join(letter if letter.isprintable() else " " for letter in cut)
    return " ".join(kept.split())[:most].rstrip()


def clean_name(text: str) -> str:
    """A node's name as part of a feed's name: letters, digits, blank, dot, dash, underscore; cut."""
    kept = (
        letter if letter.isascii() and (letter.isalnum() or letter in "._-") else " " for letter in text[:200]
    )
    return " ".join("".join(kept).split())[:MOST_NAME].strip(" .-_")


def _type_name(node_type: int) -> str:
    name: str = reg.Registration.NodeType.Name(node_type)
    return name.removeprefix("NODE_TYPE_")


def _kind(types: Iterable[str], modes: Iterable[Any]) -> SensorType:
    """The first type that has a kind; one that gives positions by radio alone only reports."""
    kind: SensorType = next((_KINDS[name] for name in types if name in _KINDS), "report")
    if kind != "direction-finder":
        return kind
    polar_only = [
        definition.location_type.WhichOneof("coordinates_oneof") == "range_bearing_units"
        for mode in modes
        for definition in mode.detection_definition
    ]
    return "direction-finder" if polar_only and all(polar_only) else "report"


def _duration_s(duration: Any) -> float:
    return float(duration.value) * _SECONDS.get(duration.units, math.nan)


def _speed_unit(mode: Any) -> float | None:
    """One factor for all three axes, or none."""
    factors = set()
    for definition in mode.detection_definition:
        if not definition.HasField("velocity_type"):
            continue
        units = definition.velocity_type.enu_velocity_units
        up = units.up_rate_units or units.east_north_rate_units
        factors |= {_MPS.get(units.east_north_rate_units), _MPS.get(up)}
    return factors.pop() if len(factors) == 1 else None


def _error_unit(modes: Iterable[Any]) -> str | None:
    """The unit of position errors, if all definitions that state one agree."""
    stated = {
        definition.geometric_error.units.strip().casefold()
        for mode in modes
        for definition in mode.detection_definition
        if definition.HasField("geometric_error")
    }
    if stated and stated <= _METRES:
        return "m"
    return "deg" if stated and stated <= _DEGREES else None
