"""The site (ENU origin) and its sensors: `site.json` and `sensors.json` of DESIGN section 5."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from vedette.model.detection import AltitudeDatum, Latitude, Longitude, NonNegative, Positive, Probability

SensorType = Literal["radar-3d", "radar-2d", "direction-finder", "acoustic-array", "camera", "report"]

Limits = tuple[float, float]


class Site(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Origin of the local ENU frame.

    ``geoid_height_m`` is the geoid's height above the ellipsoid here (EGM96): with it heights of the
    datums `egm96` and `wgs84-ellipsoid` convert into each other; without it they never mix.
    """

    name: Annotated[str, Meta(min_length=1)]
    lat_deg: Latitude
    lon_deg: Longitude
    alt_m: float
    alt_datum: AltitudeDatum
    format: Literal[1] = 1
    geoid_height_m: float | None = None


class ClutterRegion(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Where a sensor's false plots lie, if not the whole of its limits."""

    range_m: Limits | None = None
    azimuth_deg: Limits | None = None
    elevation_deg: Limits | None = None
    range_rate_mps: Limits | None = None


class SensorSigma(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """The sensor's own one-sigma accuracies."""

    horizontal_m: Positive | None = None
    vertical_m: Positive | None = None
    velocity_mps: Positive | None = None
    range_m: Positive | None = None
    azimuth_deg: Positive | None = None
    elevation_deg: Positive | None = None
    range_rate_mps: Positive | None = None


class SensorProfile(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Where a sensor stands and what it can detect; the limits are where targets can be detected."""

    id: Annotated[str, Meta(min_length=1)]
    type: SensorType
    lat_deg: Latitude
    lon_deg: Longitude
    alt_m: float
    alt_datum: AltitudeDatum
    period_s: Positive
    detection_probability: Probability
    clutter_per_scan: NonNegative = 0.0
    range_m: Limits | None = None
    azimuth_deg: Limits | None = None
    elevation_deg: Limits | None = None
    range_rate_mps: Limits | None = None
    clutter_region: ClutterRegion | None = None
    sigma: SensorSigma = SensorSigma()
