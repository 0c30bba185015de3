"""Units: the people, patrols, vehicles and posts that Vedette protects."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from vedette.model.detection import AltitudeDatum, Latitude, Longitude, Positive

Mobility = Literal["foot", "vehicle", "post"]


class UnitReport(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Where a unit said it was at ``time`` (Unix seconds), with its one-sigma accuracy."""

    time: float
    unit: Annotated[str, Meta(min_length=1)]
    lat_deg: Latitude
    lon_deg: Longitude
    sigma_m: Positive
    mobility: Mobility
    alt_m: float | None = None
    alt_datum: AltitudeDatum | None = None
    callsign: str | None = None
    source: str | None = None
    """The peer the report came by, which is where an alert for the unit goes back."""


class RosterEntry(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A unit known beforehand; ``channels`` names the peers that reach it (none: wherever it was heard).

    ``second``: peers that are kept for the case that it does not answer, in the order of use. ``team``:
    whom it belongs with. ``lead``: the unit that is told second. ``mail``: addresses for the way out by mail.
    """

    unit: str
    callsign: str | None = None
    language: str = "en"
    mobility: Mobility = "foot"
    channels: tuple[str, ...] = ()
    second: tuple[str, ...] = ()
    team: str | None = None
    lead: str | None = None
    mail: tuple[str, ...] = ()


class Duty(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """``unit`` (and who carries it, ``person``) has the duty ``role`` from ``begins`` to ``until``, Unix
    seconds. Shifts may overlap: then both are told."""

    role: str
    unit: str
    begins: float
    until: float
    person: str | None = None


class Roster(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Who is protected and how they are reached; ``version`` is named by every delivery."""

    version: int
    units: tuple[RosterEntry, ...] = ()
    duty: tuple[Duty, ...] = ()
