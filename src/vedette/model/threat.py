"""Threat: how much one track endangers one unit, when, and why."""

from typing import Literal

from msgspec import Struct

from vedette.model.detection import Probability

Level = Literal["imminent", "warning", "advisory", "info"]

LEVEL_RANK: dict[str, int] = {"info": 0, "advisory": 1, "warning": 2, "imminent": 3}
"""Order of urgency; a higher rank is worse."""

Behaviour = Literal[
    "direct-run", "closing", "near", "loiter", "receding", "unknown", "dive", "follow", "orbit", "drop-run",
    "probing", "transit", "bird", "authorised", "direction-only",
]  # fmt: skip


class Threat(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The threat of ``track`` to ``unit`` at ``time``.

    ``time_to_impact_s``: [p10, p50] of the time until the track could be at the unit, absent when
    it is not closing. ``earliest_s``: the worst-case envelope's arrival ("could be here in").
    ``bearing_deg`` and ``range_m`` are FROM the unit to the track, slant range if height is known. Of a
    body that is known by its direction only (``track`` is a wedge's id then) there is neither a range nor a
    closing speed, and the bearing is as doubtful as ``bearing_sigma_deg`` says.
    ``attackers``: how many drones come at the unit with this one, and ``axes_deg`` from which directions,
    where they are more than one.
    ``evidence``: all reasons in words with their weight in nats, the strongest first and last how often such
    a thing happens at all; the weights add up to the log-odds of ``risk`` (rounded to 0.001). Who displays
    it takes the first three. ``reach``: chances that it could be at the unit within 15, 30, 60 and 120 s,
    should it turn in now.
    """

    time: float
    track: str
    unit: str
    risk: Probability
    level: Level
    behaviour: Behaviour
    evidence: tuple[tuple[str, float], ...]
    bearing_deg: float
    range_m: float | None = None
    closing_mps: float | None = None
    bearing_sigma_deg: float | None = None
    attackers: int = 1
    axes_deg: tuple[float, ...] = ()
    time_to_impact_s: tuple[float, float] | None = None
    earliest_s: float | None = None
    height_m: float | None = None
    reach: tuple[Probability, Probability, Probability, Probability] | None = None
