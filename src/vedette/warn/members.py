"""The drones that endanger one unit: the worst of them, bounded, and which of them leads the alert.

Whoever transmits can invent thousands. What is kept of them is a few, the gravest first, and among those as
grave as each other what a sensor sees before what was only broadcast, so that no ghost takes its place.
"""

import heapq
import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from msgspec import Struct

from vedette.model.alert import AlertStatus
from vedette.model.detection import ObjectClass
from vedette.model.threat import LEVEL_RANK, Level, Threat

MOST = 16
"""Drones of one alert that are known by name; all are counted."""

Witness = Literal["aviation", "broadcast", "sensor"]
"""How a track is known, from the poorest to the best: by the word of aviation's radio alone, by any other
word that anybody can send, or by a sensor that the operator configured."""
WITNESS_RANK: dict[Witness, int] = {"aviation": 0, "broadcast": 1, "sensor": 2}


class Body(NamedTuple):
    """What is known of a track beside its threats. ``seen``: when it was last detected (Unix seconds), None
    = now; ``kind``: the class that it most likely is; ``existence``: how probable it is that it is there,
    None = not told; ``doubted``: sensors speak against what it says of itself; ``sources``: the kinds of what
    detected it (keys of a pack's ``sensor``); ``height_known``: None = not told."""

    seen: float | None = None
    witness: Witness = "broadcast"
    kind: ObjectClass = "unknown"
    status: AlertStatus = "actual"
    existence: float | None = None
    doubted: bool = False
    sources: tuple[str, ...] = ()
    height_known: bool | None = None


Bodies = Mapping[str, Body]
NOT_DESCRIBED = Body()


class Member(Struct):
    """One drone of ADVISORY or above. ``due``: when it may be there (Unix seconds, the median) and ``early``
    the time of one chance in ten, absent = it is not closing; ``missing``: since when it is not told of any
    more. The rest is as in `Body`."""

    track: str
    level: Level
    witness: Witness
    kind: ObjectClass
    bearing_deg: float
    due: float | None = None
    early: float | None = None
    missing: float | None = None
    existence: float | None = None
    doubted: bool = False
    sources: tuple[str, ...] = ()
    height_known: bool | None = None


def body_of(bodies: Bodies, track: str) -> Body:
    """What is known of ``track``."""
    return bodies.get(track, NOT_DESCRIBED)


def member_of(threat: Threat, body: Body) -> Member:
    """The drone behind ``threat``."""
    return Member(
        track=threat.track,
        level=threat.level,
        witness=body.witness,
        kind=body.kind,
        bearing_deg=threat.bearing_deg,
        due=due_of(threat),
        early=None if threat.time_to_impact_s is None else threat.time + threat.time_to_impact_s[0],
        existence=body.existence,
        doubted=body.doubted,
        sources=body.sources,
        height_known=body.height_known,
    )


def due_of(threat: Threat) -> float | None:
    """When it may be at the unit (Unix seconds, the median)."""
    impact = threat.time_to_impact_s
    return None if impact is None else threat.time + impact[1]


def rank(member: Member) -> tuple[int, int, float, str]:
    """Sorts the gravest first, then what is known best, then the soonest."""
    due = math.inf if member.due is None else member.due
    return -LEVEL_RANK[member.level], -WITNESS_RANK[member.witness], due, member.track


def worst(threats: Sequence[Threat], bodies: Bodies, lead: str | None) -> list[Threat]:
    """At most `MOST` of ``threats``, in the order of `rank`; the ``lead`` is always one of them."""

    def order(threat: Threat) -> tuple[int, int, float, str]:
        due = due_of(threat)
        witness = WITNESS_RANK[body_of(bodies, threat.track).witness]
        return -LEVEL_RANK[threat.level], -witness, math.inf if due is None else due, threat.track

    found = heapq.nsmallest(MOST, threats, key=order)
    if lead is not None and all(threat.track != lead for threat in found):
        found[MOST - 1 :] = [threat for threat in threats if threat.track == lead][:1] or found[MOST - 1 :]
    return found


def merged(
    held: Sequence[Member], now: Sequence[Member], at: float, keep_s: float, *, all_told: bool
) -> list[Member]:
    """Those that are told of now, then those that were until ``keep_s`` ago, each in the order of `rank`.

    ``all_told``: who is not in ``now`` is missing from now on; otherwise nothing is known of them.
    """
    told = {member.track for member in now}
    others = [member for member in held if member.track not in told]
    if all_told:
        for member in others:
            member.missing = at if member.missing is None else member.missing
    others = [member for member in others if member.missing is None or at - member.missing < keep_s]
    here = sorted([*now, *(member for member in others if member.missing is None)], key=rank)
    gone = sorted((member for member in others if member.missing is not None), key=rank)
    return [*here, *gone][:MOST]


def lead_of(members: Sequence[Member], lead: str, sooner_s: float) -> Member | None:
    """Who leads from now on. Another one takes the lead only if it is graver, known better, or sooner by
    ``sooner_s``, or if the lead is missing: a lead that changes with every scan tells nobody anything."""
    best = next((member for member in members if member.missing is None), None)
    own = next((member for member in members if member.track == lead), None)
    if best is None or own is None or best is own:
        return best or own
    gain = LEVEL_RANK[best.level] - LEVEL_RANK[own.level]
    if gain == 0 and own.missing is None:
        gain = WITNESS_RANK[best.witness] - WITNESS_RANK[own.witness]
        gain = gain or int(_due(best) <= _due(own) - sooner_s)
    elif gain == 0:
        gain = 1
    return best if gain > 0 else own


def _due(member: Member) -> float:
    return math.inf if member.due is None else member.due


def level_of(members: Sequence[Member]) -> Level:
    """The gravest of them, those included that have only just gone missing."""
    return max((member.level for member in members), key=LEVEL_RANK.__getitem__, default="info")
