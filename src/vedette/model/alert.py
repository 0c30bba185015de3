"""Alerts, and the four separate facts of a receipt.

Alarm states follow OPC UA Part 9 (OPC 10000-9, clauses 3.1 and 5.8; the terms of ISA-18.2). An
alert's *state* is about the danger and the person who has it in hand; a *receipt* is about one
message to one recipient. The two never stand for each other.
"""

from typing import Literal

from msgspec import Struct

from vedette.model.threat import Behaviour, Level

AlarmState = Literal["active-unacked", "active-acked", "returned-unacked", "cleared"]

AlertStatus = Literal["actual", "exercise", "test"]
"""As in CAP 1.2, ``status``. What any real sensor saw is actual, whatever is being exercised beside it."""

AlertEvent = Literal[
    "raised", "upgraded", "further", "downgraded", "updated", "returned", "reactivated", "acknowledged",
    "confirmed", "lowered-by-desk", "escalated", "shelved", "unshelved", "grouped", "noted", "refused",
    "cleared", "cancelled", "expired",
]  # fmt: skip
"""What made a revision, or changed an alert without one. ``further``: another drone opened it again."""

Certainty = Literal["observed", "likely", "possible"]
"""As in CAP 1.2, clause 3.2.2: how sure it is that what a text says is so (`vedette.warn.certainty`)."""

Fact = Literal["accepted", "on-device", "shown", "acknowledged"]

FACT_RANK: dict[str, int] = {"accepted": 1, "on-device": 2, "shown": 3, "acknowledged": 4}


class Change(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The last thing that happened to an alert: what, when (Unix seconds), by whom, which way and for which
    unit. Why is the alert's ``reason``."""

    event: AlertEvent
    time: float
    by: str | None = None
    via: str | None = None
    unit: str | None = None


class Shelf(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """An alert put aside at one desk, and nowhere else (OPC 10000-9, 5.8.10). ``until``: Unix seconds;
    ``once``: until then or until the alarm opens again."""

    desk: str
    by: str
    reason: str
    until: float
    once: bool = False


class Alert(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One revision of one alert: danger to one unit. ``text`` maps a language to what the reader sees, in at
    most 90 characters, and ``long`` to the same with what is known and how surely, in at most 360 (CMAMtext
    and CMAMlongtext of IPAWS); both are in the GSM 7-bit alphabet. ``template`` names what they were made
    from, ``packs`` the version of each language's words.

    The id derives from content, so a restart repeats the same id. ``expires`` is Unix seconds.
    ``track``, behaviour and figures are those of the drone that leads: the worst, then the soonest.
    ``tracks`` are the ids of the drones that endanger the unit, the lead first, and ``levels`` their levels;
    ``count`` is how many there are in all. ``incident`` is shared by the alerts of units that the same drones
    endanger.
    ``bearing_deg``, ``range_m`` and ``time_to_impact_s`` are from the unit at risk; the range is absent, and
    ``bearing_sigma_deg`` there, for what is known by its direction only. ``attackers`` and ``axes_deg``: how
    many drones come at the unit at about the same time, and from where, if more than one.
    """

    time: float
    alert: str
    revision: int
    level: Level
    state: AlarmState
    units: tuple[str, ...]
    track: str
    behaviour: Behaviour
    text: dict[str, str]
    expires: float
    bearing_deg: float
    range_m: float | None = None
    bearing_sigma_deg: float | None = None
    attackers: int = 1
    axes_deg: tuple[float, ...] = ()
    reason: str | None = None
    time_to_impact_s: tuple[float, float] | None = None
    earliest_s: float | None = None
    evidence: tuple[tuple[str, float], ...] = ()
    acknowledged_by: str | None = None
    acknowledged_for: str | None = None
    """The unit for which somebody else acknowledged, by radio say."""
    status: AlertStatus = "actual"
    tracks: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    count: int = 1
    incident: str | None = None
    change: Change | None = None
    confirmed_by: str | None = None
    """Who saw that what had to be done is done: apart from the acknowledgement (OPC 10000-9, 5.8.3)."""
    desk_level: Level | None = None
    """What a person lowered it to, for desks and sound: never for who is in IMMINENT danger."""
    shelved: tuple[Shelf, ...] = ()
    suppressed: str | None = None
    """Why desks need not sound: its incident is in hand at this level. Never for IMMINENT."""
    out_of_service: str | None = None
    """Why a person took the unit out of service: it is told of IMMINENT only."""
    silenced: str | None = None
    """Why it makes no sound. Never for IMMINENT."""
    cancelled_by: str | None = None
    long: dict[str, str] = {}
    certainty: Certainty | None = None
    """How sure it is that what the text says is so; absent for what ended or is about somebody else."""
    template: str | None = None
    packs: dict[str, int] = {}


class Receipt(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One fact about one alert revision and one recipient; ``by`` is the person behind it."""

    time: float
    alert: str
    revision: int
    recipient: str
    channel: str
    fact: Fact
    by: str | None = None
