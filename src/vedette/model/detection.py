"""Detection: what one sensor says it saw at one moment, with its claim, beliefs and integrity.

The JSON form is the contract of DESIGN section 5. Angles in degrees (azimuth clockwise from true
north, elevation up from the horizontal), metres, metres per second, seconds since the Unix epoch.
A key that is missing is unknown: never zero, never a perfect fix.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Latitude = Annotated[float, Meta(ge=-90.0, le=90.0)]
Longitude = Annotated[float, Meta(ge=-180.0, le=180.0)]
Azimuth = Annotated[float, Meta(ge=-360.0, le=360.0)]
Elevation = Annotated[float, Meta(ge=-90.0, le=90.0)]
NonNegative = Annotated[float, Meta(ge=0.0)]
Positive = Annotated[float, Meta(gt=0.0)]
Probability = Annotated[float, Meta(ge=0.0, le=1.0)]

AltitudeDatum = Literal["wgs84-ellipsoid", "egm96", "agl", "takeoff", "barometric"]
"""What a height is measured from. Heights of different datums are never mixed silently."""

ObjectClass = Literal["multirotor", "fpv", "fixed-wing", "bird", "aircraft", "unknown"]

ClaimScheme = Literal[
    "remote-id-serial", "remote-id-session", "caa-registration", "dji-serial", "icao", "mavlink"
]


class Position(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag_field="kind", tag="position"
):
    """A reported geodetic position; ``velocity_mps`` is east, north, up."""

    lat_deg: Latitude
    lon_deg: Longitude
    alt_m: float | None = None
    alt_datum: AltitudeDatum | None = None
    velocity_mps: tuple[float, float, float] | None = None


class RangeBearing(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag_field="kind", tag="range-bearing"
):
    """A radar plot in the sensor's polar frame."""

    range_m: Positive
    azimuth_deg: Azimuth
    elevation_deg: Elevation | None = None
    range_rate_mps: float | None = None


class Bearing(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag_field="kind", tag="bearing"
):
    """A direction without range, from a direction finder, acoustic array or camera."""

    azimuth_deg: Azimuth
    elevation_deg: Elevation | None = None


class Presence(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag_field="kind", tag="presence"
):
    """Something is there, within ``range_m`` of the sensor if that is known."""

    range_m: Positive | None = None


class EmptyScan(Struct, frozen=True, gc=False, kw_only=True, tag_field="kind", tag="empty-scan"):
    """A complete scan that saw nothing: evidence of watching, and of absence where Pd is known."""


Measure = Position | RangeBearing | Bearing | Presence | EmptyScan


class Sigma(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One-sigma accuracies as stated with the detection; missing = the sensor's own figure applies."""

    horizontal_m: Positive | None = None
    vertical_m: Positive | None = None
    velocity_mps: Positive | None = None
    range_m: Positive | None = None
    azimuth_deg: Positive | None = None
    elevation_deg: Positive | None = None
    range_rate_mps: Positive | None = None


class Claim(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """An identity that was broadcast: evidence, never a fact (law 3).

    ``operator_lat_deg`` and ``operator_lon_deg`` are a person's place: the station takes them out of
    the detection and keeps them sealed apart (``OperatorPosition``).
    """

    scheme: ClaimScheme
    id: str
    operator_lat_deg: Latitude | None = None
    operator_lon_deg: Longitude | None = None


class Signal(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """How the emission was received."""

    rssi_dbm: float | None = None
    frequency_mhz: Positive | None = None
    transport: str | None = None
    emitter: str | None = None


class Integrity(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What is known of the frame's integrity; missing = not known, never assumed good."""

    crc_ok: bool | None = None
    authenticated: bool | None = None


class Detection(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One detection of one sensor.

    ``time`` is the sensor's time of measurement, ``received`` when the station got it (both Unix
    seconds). ``scan`` groups detections of one sweep. ``extra`` keeps keys of a data line that the
    contract does not know, by dotted path.
    """

    time: float
    sensor: str
    measure: Measure
    received: float | None = None
    scan: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | str | None = None
    sigma: Sigma | None = None
    claim: Claim | None = None
    beliefs: dict[ObjectClass, Probability] | None = None
    signal: Signal | None = None
    integrity: Integrity | None = None
    extra: dict[str, Any] | None = None
