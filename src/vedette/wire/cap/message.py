"""A CAP 1.2 message as frozen structs. Field names follow the standard's data dictionary (clause 3.2).

Times are the standard's own text (``2026-01-31T12:00:00-00:00``), because a reference repeats the time of
another message to the letter; `times` makes them and reads them. Missing is None or empty.
"""

from typing import Literal, NamedTuple

from msgspec import Struct

Status = Literal["Actual", "Exercise", "System", "Test", "Draft"]
MsgType = Literal["Alert", "Update", "Cancel", "Ack", "Error"]
Scope = Literal["Public", "Restricted", "Private"]
Category = Literal[
    "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE",
    "Other",
]  # fmt: skip
ResponseType = Literal[
    "Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"
]
Urgency = Literal["Immediate", "Expected", "Future", "Past", "Unknown"]
Severity = Literal["Extreme", "Severe", "Moderate", "Minor", "Unknown"]
Certainty = Literal["Observed", "Likely", "Possible", "Unlikely", "Unknown"]


class Point(NamedTuple):
    """WGS-84, degrees."""

    lat_deg: float
    lon_deg: float


class Circle(NamedTuple):
    """Centre in degrees, radius in kilometres."""

    lat_deg: float
    lon_deg: float
    radius_km: float


class Reference(NamedTuple):
    """An earlier message: its three parts as they stood there."""

    sender: str
    identifier: str
    sent: str


class Named(NamedTuple):
    """``valueName`` and ``value``."""

    name: str
    value: str


class Resource(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file beside the text. ``deref_uri`` is its content in base64, ``digest`` its SHA-1 (hex)."""

    description: str
    mime_type: str
    size: int | None = None
    uri: str | None = None
    deref_uri: str | None = None
    digest: str | None = None


class Area(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where it holds. Polygons are closed: the last point is the first. Heights in feet over WGS-84's mean
    sea level, as the standard has them."""

    description: str
    polygons: tuple[tuple[Point, ...], ...] = ()
    circles: tuple[Circle, ...] = ()
    geocodes: tuple[Named, ...] = ()
    altitude_ft: float | None = None
    ceiling_ft: float | None = None


class Info(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a reader of one language is told."""

    categories: tuple[Category, ...]
    event: str
    urgency: Urgency
    severity: Severity
    certainty: Certainty
    language: str = "en-US"
    response_types: tuple[ResponseType, ...] = ()
    audience: str | None = None
    event_codes: tuple[Named, ...] = ()
    effective: str | None = None
    onset: str | None = None
    expires: str | None = None
    sender_name: str | None = None
    headline: str | None = None
    description: str | None = None
    instruction: str | None = None
    web: str | None = None
    contact: str | None = None
    parameters: tuple[Named, ...] = ()
    resources: tuple[Resource, ...] = ()
    areas: tuple[Area, ...] = ()


class CapAlert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message. ``signed``: it carries something in the name space of XML signatures, good or not."""

    identifier: str
    sender: str
    sent: str
    status: Status
    msg_type: MsgType
    scope: Scope
    source: str | None = None
    restriction: str | None = None
    addresses: str | None = None
    codes: tuple[str, ...] = ()
    note: str | None = None
    references: tuple[Reference, ...] = ()
    incidents: str | None = None
    infos: tuple[Info, ...] = ()
    signed: bool = False

    @property
    def reference(self) -> Reference:
        """By which a later message refers to this one."""
        return Reference(self.sender, self.identifier, self.sent)
