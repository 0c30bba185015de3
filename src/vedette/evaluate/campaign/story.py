"""One encounter told from the first detection to the decision: who saw it, when it became a track, how the
risk to one unit rose and why, and what that unit was told."""

import math
from collections.abc import Iterable, Sequence

from msgspec import Struct

from vedette.evaluate.attribution import Looks
from vedette.evaluate.campaign.bodies import Cause
from vedette.evaluate.campaign.items import Item
from vedette.evaluate.campaign.outcome import in_scene, measure, of_interest
from vedette.evaluate.campaign.results import Result
from vedette.evaluate.campaign.stage import Stage
from vedette.evaluate.campaign.watch import Message, Second, Watched
from vedette.evaluate.campaign.ways import Way, ways_of
from vedette.model import Detection, EmptyScan, Threat
from vedette.model.threat import LEVEL_RANK

Evidence = tuple[tuple[str, float], ...]


class Hearing(Struct, frozen=True, kw_only=True):
    """What one sensor said, second by second: of the body in question, and of all else."""

    sensor: str
    of_body: tuple[tuple[int, int], ...]
    of_others: tuple[tuple[int, int], ...]


class Line(Struct, frozen=True, kw_only=True):
    """One track that stood for the body in question, from its first to its last second."""

    track: str
    first_s: float
    last_s: float


class Risk(Struct, frozen=True, kw_only=True):
    """The gravest threat to the unit in one second, and how far off its body really was (on the map)."""

    at_s: float
    risk: float
    level: str
    behaviour: str
    true_range_m: float | None = None


class Decision(Struct, frozen=True, kw_only=True):
    """A moment at which the level changed, with every reason and its weight; the weights add up to the
    logarithm of the odds (``nats``)."""

    at_s: float
    level: str
    risk: float
    nats: float
    evidence: Evidence


class Said(Struct, frozen=True, kw_only=True):
    """A message to the unit."""

    at_s: float
    level: str
    text: str
    sounded: bool
    cause: Cause


class Story(Struct, frozen=True, kw_only=True):
    """The whole of it, about one unit."""

    result: Result
    unit: str
    ends_s: float
    hearings: tuple[Hearing, ...]
    tracks: tuple[Line, ...]
    risks: tuple[Risk, ...]
    decisions: tuple[Decision, ...]
    said: tuple[Said, ...]
    ways: tuple[Way, ...] = ()


def tell(item: Item, stage: Stage, watched: Watched, detections: Sequence[Detection]) -> Story:
    """The story of one run."""
    result = measure(item, stage, watched, detections)
    unit = _unit(stage, watched)
    about = [(second, _gravest(second, unit)) for second in in_scene(stage, watched)]
    return Story(
        result=result,
        unit=unit,
        ends_s=round(watched.seconds[-1].time - stage.scene.t0, 3) if watched.seconds else 0.0,
        hearings=_hearings(stage, detections),
        tracks=_tracks(stage, watched.seconds),
        risks=tuple(_risk(stage, second, threat, unit) for second, threat in about if threat is not None),
        decisions=_decisions(stage, [threat for _, threat in about if threat is not None]),
        said=tuple(_said(stage, one) for one in watched.messages if unit in one.alert.units),
        ways=ways_of(stage, in_scene(stage, watched)),
    )


def _unit(stage: Stage, watched: Watched) -> str:
    """The target; without one, whoever was at the highest risk."""
    if stage.scene.target is not None:
        return stage.scene.target
    threats = [threat for second in watched.seconds for threat in second.threats]
    worst = max(threats, key=lambda one: (one.risk, one.unit), default=None)
    return "" if worst is None else worst.unit


def _gravest(second: Second, unit: str) -> Threat | None:
    mine = [one for one in second.threats if one.unit == unit]
    return max(mine, key=lambda one: (one.risk, one.track), default=None)


def _hearings(stage: Stage, detections: Iterable[Detection]) -> tuple[Hearing, ...]:
    looks = Looks(stage.told.site, stage.told.sensors, stage.truth)
    bodies = of_interest(stage)
    seconds: dict[str, tuple[dict[int, int], dict[int, int]]] = {
        one.id: ({}, {}) for one in stage.told.sensors
    }
    for one in detections:
        if isinstance(one.measure, EmptyScan):
            continue
        mine, other = seconds.setdefault(one.sensor, ({}, {}))
        counts = mine if looks.body(one) in bodies else other
        at = math.floor(one.time - stage.scene.t0)
        counts[at] = counts.get(at, 0) + 1
    return tuple(
        Hearing(sensor=name, of_body=tuple(sorted(mine.items())), of_others=tuple(sorted(other.items())))
        for name, (mine, other) in seconds.items()
    )


def _tracks(stage: Stage, seconds: Iterable[Second]) -> tuple[Line, ...]:
    bodies = of_interest(stage)
    spans: dict[str, tuple[float, float]] = {}
    for second in seconds:
        at = second.time - stage.scene.t0
        for track, body in second.owners.items():
            if body in bodies:
                spans[track] = (spans.get(track, (at, at))[0], at)
    return tuple(
        Line(track=track, first_s=round(first, 3), last_s=round(last, 3))
        for track, (first, last) in spans.items()
    )


def _risk(stage: Stage, second: Second, threat: Threat, unit: str) -> Risk:
    return Risk(
        at_s=round(second.time - stage.scene.t0, 3),
        risk=threat.risk,
        level=threat.level,
        behaviour=threat.behaviour,
        true_range_m=_true_range_m(stage, second, threat, unit),
    )


def _true_range_m(stage: Stage, second: Second, threat: Threat, unit: str) -> float | None:
    body, actor = second.owners.get(threat.track), stage.actor_of.get(unit)
    if body is None or actor is None:
        return None
    there, here = stage.truth.paths[body].at(second.time), stage.truth.paths[actor].at(second.time)
    if there is None or here is None:
        return None
    east, north, _ = (there[0] - here[0]).tolist()
    return round(math.hypot(east, north), 1)


def _decisions(stage: Stage, threats: Iterable[Threat]) -> tuple[Decision, ...]:
    """Each first time at a level, and the moment of the highest risk."""
    found: list[Threat] = []
    rank = 0
    highest: Threat | None = None
    for threat in threats:
        if LEVEL_RANK[threat.level] > rank:
            rank = LEVEL_RANK[threat.level]
            found.append(threat)
        if highest is None or threat.risk > highest.risk:
            highest = threat
    if highest is not None and highest not in found:
        found.append(highest)
    return tuple(_decision(stage, threat) for threat in sorted(found, key=lambda one: one.time))


def _decision(stage: Stage, threat: Threat) -> Decision:
    return Decision(
        at_s=round(threat.time - stage.scene.t0, 3),
        level=threat.level,
        risk=threat.risk,
        nats=round(logit(threat.risk), 3),
        evidence=threat.evidence,
    )


def logit(risk: float) -> float:
    """The logarithm of the odds, held within what a double can say."""
    held = min(max(risk, 1e-12), 1.0 - 1e-12)
    return math.log(held / (1.0 - held))


def _said(stage: Stage, message: Message) -> Said:
    alert = message.alert
    body = message.body
    return Said(
        at_s=round(message.at - stage.scene.t0, 3),
        level=alert.level,
        text=alert.text.get("en", next(iter(alert.text.values()), "")),
        sounded=message.sounded,
        cause="clutter" if body is None else stage.sky.bodies[body].cause,
    )
