"""Alerts, and the four separate facts of a receipt.

Alarm states follow OPC UA Part 9 (OPC 10000-9, clauses 3.1 and 5.8; the terms of ISA-18.2). An
alert's *state* is about the danger and the person who has it in hand; a *receipt* is about one
message to one recipient. The two never stand for each other.
"""

from typing import Literal

from msgspec import Struct

from vedette.model.threat import Behaviour, Level

AlarmState = Literal["active-unacked", "active-acked", "returned-unacked", "cleared"]

Fact = Literal["accepted", "on-device", "shown", "acknowledged"]

FACT_RANK: dict[str, int] = {"accepted": 1, "on-device": 2, "shown": 3, "acknowledged": 4}


class Alert(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One revision of one alert. ``text`` maps a language to what the reader sees.

    The id derives from content, so a restart repeats the same id. ``expires`` is Unix seconds.
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


class Receipt(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One fact about one alert revision and one recipient; ``by`` is the person behind it."""

    time: float
    alert: str
    revision: int
    recipient: str
    channel: str
    fact: Fact
    by: str | None = None
