"""The words that scenarios are made of: names, numbers within limits, places and waypoints."""

from typing import Annotated

from msgspec import Meta, Struct

from vedette.model.detection import Latitude, Longitude, NonNegative

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Slug = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9_-]+$")]
Offset = Annotated[float, Meta(ge=-100_000.0, le=100_000.0)]
Height = Annotated[float, Meta(ge=0.0, le=10_000.0)]
Share = Annotated[float, Meta(gt=0.0, le=1.0)]
Bearing = Annotated[float, Meta(ge=-360.0, le=360.0)]
"""Degrees clockwise from true north."""
Speed = Annotated[float, Meta(gt=0.0, le=150.0)]
Span = Annotated[float, Meta(gt=0.0, le=86_400.0)]
"""A duration in seconds."""
Distance = Annotated[float, Meta(gt=0.0, le=100_000.0)]


class Place(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A place on the ground: ``enu_m`` (east, north of the site), or latitude and longitude."""

    enu_m: tuple[Offset, Offset] | None = None
    lat_deg: Latitude | None = None
    lon_deg: Longitude | None = None


class Waypoint(Place, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where an actor means to be ``at_s``; it flies or walks straight from one waypoint to the next."""

    at_s: NonNegative
    agl_m: Height = 0.0
