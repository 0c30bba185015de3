"""What is kept of a run: plain figures, the same to the byte wherever they were computed.

Times end in ``_s`` and count from the encounter's start, but leads, which count back from the impact.
"""

from typing import Literal

from msgspec import Struct

from vedette.evaluate.campaign.bodies import Cause
from vedette.evaluate.campaign.items import Item
from vedette.model.threat import Level

Sounding = Literal["advisory", "warning", "imminent"]
LEVELS: tuple[Sounding, ...] = ("advisory", "warning", "imminent")

RISK_EDGES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0)
"""Bins of the reliability table; the last one holds 1."""


class Told(Struct, frozen=True, kw_only=True):
    """The first message of one alert at one level, and what it was about."""

    at_s: float
    alert: str
    unit: str
    level: Level
    cause: Cause
    body: str | None = None
    sounded: bool = False


class Leads(Struct, frozen=True, kw_only=True):
    """Seconds from the target's own alert at this level or above to the impact; 0 where there was none."""

    advisory: float = 0.0
    warning: float = 0.0
    imminent: float = 0.0


class Stages(Struct, frozen=True, kw_only=True):
    """When the attacker (in a harmless scene the body that mattered most) was first ...; absent if never.

    ``detected_s`` is the sensor's own time, ``received_s`` when the station had it. All in simulated time:
    what the computing itself takes is measured by ``vedette bench latency``.
    """

    detected_s: float | None = None
    received_s: float | None = None
    tracked_s: float | None = None
    threat_s: float | None = None
    advisory_s: float | None = None
    warning_s: float | None = None


class Bin(Struct, frozen=True, array_like=True):
    """Seconds of (track, unit) pairs whose risk lay in one bin: how many, their risks added, how many of
    them were followed by an impact on that unit in time, and the squared errors added (Brier)."""

    count: int = 0
    risk: float = 0.0
    hits: int = 0
    squared: float = 0.0


class Result(Struct, frozen=True, kw_only=True):
    """What became of one encounter.

    ``steps``: (risk, lead) from high to low risk: with a bar at or above the risk, but below the one
    before, the target's alert leads the impact by so many seconds. ``false_alerts``: times at which a level
    of warning or above began about no attacker, with the cause; a pause of more than 30 s makes a new one.
    """

    item: Item
    scene: str
    behaviour: str
    kind: str
    hostile: bool
    duration_s: float
    units: int
    silent: bool | None = None
    """Of an attack: the attackers emit nothing that a receiver or a direction finder could hear."""
    target: str | None = None
    onset_s: float | None = None
    impact_s: float | None = None
    seen_s: float | None = None
    """Seconds before the impact at which a sensor first saw the attacker; absent if none did."""
    lost_s: float | None = None
    """Seconds before the impact at which a sensor last saw it: a convoy may be struck beyond all sensors."""
    seen_by: tuple[str, ...] = ()
    nearest_m: float | None = None
    """How near any of the bodies in question came to any unit, on the map."""
    leads: Leads | None = None
    steps: tuple[tuple[float, float], ...] = ()
    right_unit: bool | None = None
    """10 s before the impact the unit at the highest risk from the attacker was the target; absent if
    nobody was at risk from it."""
    units_warned: int | None = None
    peak_risk: float = 0.0
    peak_cause: Cause = "clutter"
    told: tuple[Told, ...] = ()
    false_alerts: tuple[tuple[float, Cause], ...] = ()
    stages: Stages = Stages()
    reliability: tuple[Bin, ...] = ()
    detections: dict[str, int] = {}
    not_used: dict[str, int] = {}
    """Input that the core could not use, by its own reasons."""
