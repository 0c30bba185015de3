"""From what was watched to what became of the people: leads, false alerts, risks against outcomes.

The lead is that of `threat_bench.py`: from the start of the target's own alert, pauses up to 15 s bridged,
to the impact, provided that the alert was still up within 15 s of it. It counts alerts about an attacker
only: a warning of a bird that happens to be right is no warning.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from vedette.evaluate.attribution import Looks
from vedette.evaluate.campaign.bodies import Cause
from vedette.evaluate.campaign.items import Item
from vedette.evaluate.campaign.results import LEVELS, RISK_EDGES, Bin, Leads, Result, Stages, Told
from vedette.evaluate.campaign.stage import Scene, Stage
from vedette.evaluate.campaign.watch import Message, Second, Watched
from vedette.model import Detection, Threat
from vedette.model.threat import LEVEL_RANK

PAUSE_S = 15.0
NEW_ALERT_S = 30.0
DECISION_S = 10.0
"""Before the impact: when a person must know to reach cover, and when the right unit is asked for."""
HORIZON_S = 60.0
"""An impact within this time makes a risk come true (the assessor's own horizon)."""
DIGITS = 3
RISK_DIGITS = 6


def measure(item: Item, stage: Stage, watched: Watched, detections: Sequence[Detection]) -> Result:
    """The result of one run."""
    scene = stage.scene
    seen = _first_seen(stage, detections)
    steps = _steps(stage, watched)
    peak, cause = _peak(stage, watched)
    right, warned = _at_decision(stage, watched)
    return Result(
        item=item,
        scene=scene.name,
        behaviour=scene.behaviour,
        kind=scene.kind,
        hostile=scene.hostile,
        duration_s=round(scene.t1 - scene.t0, DIGITS),
        units=stage.units,
        silent=stage.silent if scene.hostile else None,
        target=scene.target,
        onset_s=_since(scene, scene.onset),
        impact_s=_since(scene, scene.impact),
        seen_s=_seen_before_impact(scene, seen),
        lost_s=_lost_before_impact(stage, detections),
        seen_by=tuple(sorted(seen)),
        nearest_m=_nearest_m(stage, watched),
        leads=_leads(stage, watched),
        steps=steps,
        right_unit=right,
        units_warned=warned,
        peak_risk=round(peak, RISK_DIGITS),
        peak_cause=cause,
        told=_told(stage, watched),
        false_alerts=_false_alerts(stage, watched),
        stages=_stages(stage, watched, seen),
        reliability=_reliability(stage, watched),
        detections=_counted(detections),
        not_used={name: count for name, count in sorted(watched.counts.items()) if count},
    )


def _since(scene: Scene, time: float | None) -> float | None:
    return None if time is None else round(time - scene.t0, DIGITS)


def _counted(detections: Iterable[Detection]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in detections:
        counts[one.sensor] = counts.get(one.sensor, 0) + (one.measure.__class__.__name__ != "EmptyScan")
    return dict(sorted(counts.items()))


def of_interest(stage: Stage) -> frozenset[str]:
    """The bodies that a run is about: the attackers, or whatever flies in a harmless scene."""
    return stage.attackers or frozenset(stage.sky.bodies)


def _first_seen(stage: Stage, detections: Iterable[Detection]) -> dict[str, Detection]:
    """The first detection of a body of interest by each sensor."""
    looks = Looks(stage.told.site, stage.told.sensors, stage.truth)
    bodies = of_interest(stage)
    first: dict[str, Detection] = {}
    for one in detections:
        if one.sensor not in first and looks.body(one) in bodies:
            first[one.sensor] = one
    return first


def _seen_before_impact(scene: Scene, seen: dict[str, Detection]) -> float | None:
    if scene.impact is None or not seen:
        return None
    first = min(_received(one) for one in seen.values())
    return round(scene.impact - first, DIGITS) if first <= scene.impact else None


def _lost_before_impact(stage: Stage, detections: Sequence[Detection]) -> float | None:
    impact = stage.scene.impact
    if impact is None:
        return None
    looks = Looks(stage.told.site, stage.told.sensors, stage.truth)
    for one in reversed(detections):
        if _received(one) <= impact and looks.body(one) in stage.attackers:
            return round(impact - _received(one), DIGITS)
    return None


def _nearest_m(stage: Stage, watched: Watched) -> float | None:
    bodies = [stage.truth.paths[name] for name in sorted(of_interest(stage)) if name in stage.truth.paths]
    units = [stage.truth.paths[name] for name in sorted(stage.actor_of.values())]
    nearest = math.inf
    for second in watched.seconds:
        there = [found[0] for path in bodies if (found := path.at(second.time)) is not None]
        here = [found[0] for path in units if there and (found := path.at(second.time)) is not None]
        for body in there:
            nearest = min([nearest, *(math.hypot(*(body - unit)[:2].tolist()) for unit in here)])
    return None if math.isinf(nearest) else round(nearest, 1)


def _received(detection: Detection) -> float:
    return detection.time if detection.received is None else detection.received


def in_scene(stage: Stage, watched: Watched) -> Iterable[Second]:
    """The seconds that are judged: an attack ends with the impact; after a harmless scene tracks coast on
    and are still told of."""
    scene = stage.scene
    return (second for second in watched.seconds if scene.impact is None or second.time < scene.impact)


def _about_attackers(stage: Stage, second: Second) -> Iterable[Threat]:
    return (one for one in second.threats if second.owners.get(one.track) in stage.attackers)


def _leads(stage: Stage, watched: Watched) -> Leads | None:
    if stage.scene.impact is None or stage.scene.target is None:
        return None
    return Leads(**{level: _lead(stage, watched, LEVEL_RANK[level]) for level in LEVELS})


def _lead(stage: Stage, watched: Watched, least: int) -> float:
    """Seconds of the target's alert at this rank or above; its start is when the message went out."""
    scene, target = stage.scene, stage.scene.target
    assert scene.impact is not None
    times = {
        message.at
        for message in watched.messages
        if target in message.alert.units
        and message.at <= scene.impact
        and any(body in stage.attackers and LEVEL_RANK[level] >= least for body, level in message.bodies)
    }
    for second in in_scene(stage, watched):
        if any(
            unit == target and LEVEL_RANK[level] >= least and second.owners.get(track) in stage.attackers
            for _, unit, level, track in second.open
        ):
            times.add(second.time)
    start = last_episode(sorted(times), scene.impact)
    return 0.0 if start is None else round(scene.impact - start, DIGITS)


def last_episode(times: Sequence[float], impact: float) -> float | None:
    """Start of the alert that is still up within `PAUSE_S` of the impact; None if there is none."""
    start = last = None
    for time in times:
        if last is None or time - last > PAUSE_S:
            start = time
        last = time
    return start if last is not None and last >= impact - PAUSE_S else None


def _steps(stage: Stage, watched: Watched) -> tuple[tuple[float, float], ...]:
    """The lead under every bar on the risk, as the steps of a staircase from high to low."""
    scene = stage.scene
    if scene.impact is None:
        return ()
    rows: list[tuple[float, float]] = []
    for second in in_scene(stage, watched):
        risks = [one.risk for one in _about_attackers(stage, second) if one.unit == scene.target]
        if risks:
            rows.append((second.time, round(max(risks), RISK_DIGITS)))
    steps: list[tuple[float, float]] = []
    for bar in sorted({risk for _, risk in rows}, reverse=True):
        start = last_episode([time for time, risk in rows if risk >= bar], scene.impact)
        lead = 0.0 if start is None else round(scene.impact - start, DIGITS)
        if lead > (steps[-1][1] if steps else 0.0):
            steps.append((bar, lead))
    return tuple(steps)


def _peak(stage: Stage, watched: Watched) -> tuple[float, Cause]:
    """The highest risk of all, and what it was about."""
    best: tuple[float, Cause] = (0.0, "clutter")
    for second in in_scene(stage, watched):
        for threat in second.threats:
            if threat.risk > best[0]:
                best = (threat.risk, _cause(stage, second.owners.get(threat.track)))
    return best


def _cause(stage: Stage, body: str | None) -> Cause:
    return "clutter" if body is None else stage.sky.bodies[body].cause


def _at_decision(stage: Stage, watched: Watched) -> tuple[bool | None, int | None]:
    """Whether the target was at the highest risk `DECISION_S` before the impact, and how many units were
    under a warning then."""
    scene = stage.scene
    if scene.impact is None:
        return None, None
    moment = scene.impact - DECISION_S
    late = [second for second in watched.seconds if moment - 3.0 <= second.time <= moment]
    if not late:
        return None, None
    second = late[-1]
    risks = {one.unit: 0.0 for one in _about_attackers(stage, second)}
    for threat in _about_attackers(stage, second):
        risks[threat.unit] = max(risks[threat.unit], threat.risk)
    warned = {unit for _, unit, level, _ in second.open if LEVEL_RANK[level] >= LEVEL_RANK["warning"]}
    first = min(risks, key=lambda unit: (-risks[unit], unit), default=None)
    return (None if first is None else first == scene.target), len(warned)


def _told(stage: Stage, watched: Watched) -> tuple[Told, ...]:
    """The first message of each alert at each level."""
    told: dict[tuple[str, str], Told] = {}
    for message in watched.messages:
        alert = message.alert
        known = told.get((alert.alert, alert.level))
        if known is None:
            told[alert.alert, alert.level] = _told_of(stage, message)
    return tuple(told.values())


def _told_of(stage: Stage, message: Message) -> Told:
    alert = message.alert
    return Told(
        at_s=round(message.at - stage.scene.t0, DIGITS),
        alert=alert.alert,
        unit=alert.units[0],
        level=alert.level,
        cause=_cause(stage, message.body),
        body=message.body,
        sounded=message.sounded,
    )


def _false_alerts(stage: Stage, watched: Watched) -> tuple[tuple[float, Cause], ...]:
    """Each time at which somebody came to be under a warning about no attacker."""
    begun: list[tuple[float, Cause]] = []
    last = -math.inf
    for second in in_scene(stage, watched):
        causes = [
            _cause(stage, second.owners.get(track))
            for _, _, level, track in second.open
            if LEVEL_RANK[level] >= LEVEL_RANK["warning"]
        ]
        false = sorted(cause for cause in causes if cause != "attacker")
        if false and not (stage.scene.hostile and "attacker" in causes):
            if second.time - last > NEW_ALERT_S:
                begun.append((round(second.time - stage.scene.t0, DIGITS), _true_cause(false)))
            last = second.time
    return tuple(begun)


def _true_cause(causes: Sequence[Cause]) -> Cause:
    """A track that has just strayed from its body is not clutter where something else is named."""
    named = [cause for cause in causes if cause != "clutter"]
    return named[0] if named else "clutter"


def _stages(stage: Stage, watched: Watched, seen: dict[str, Detection]) -> Stages:
    bodies = of_interest(stage)
    at: dict[str, float] = {}
    if seen:
        at["detected_s"] = min(one.time for one in seen.values())
        at["received_s"] = min(_received(one) for one in seen.values())
    for second in watched.seconds:
        owned = {track for track, body in second.owners.items() if body in bodies}
        if owned:
            at.setdefault("tracked_s", second.time)
        if any(threat.track in owned for threat in second.threats):
            at.setdefault("threat_s", second.time)
    for message in watched.messages:
        for level in LEVELS[:2]:
            least = LEVEL_RANK[level]
            if any(body in bodies and LEVEL_RANK[reached] >= least for body, reached in message.bodies):
                at.setdefault(f"{level}_s", message.at)
    return Stages(**{name: round(time - stage.scene.t0, DIGITS) for name, time in at.items()})


def _reliability(stage: Stage, watched: Watched) -> tuple[Bin, ...]:
    """Each second of each threatened pair, by its risk, against what came."""
    count = [0] * (len(RISK_EDGES) - 1)
    risk, hits, squared = [0.0] * len(count), list(count), [0.0] * len(count)
    for second in in_scene(stage, watched):
        for threat in second.threats:
            row = min(bisect_right(RISK_EDGES, threat.risk), len(count)) - 1
            came = _comes_true(stage, second, threat)
            count[row] += 1
            risk[row] += threat.risk
            hits[row] += came
            squared[row] += (threat.risk - came) ** 2
    rows = zip(count, risk, hits, squared, strict=True)
    return tuple(Bin(n, round(r, RISK_DIGITS), h, round(s, RISK_DIGITS)) for n, r, h, s in rows)


def _comes_true(stage: Stage, second: Second, threat: Threat) -> bool:
    scene = stage.scene
    if scene.impact is None or threat.unit != scene.target:
        return False
    return second.owners.get(threat.track) in stage.attackers and scene.impact - second.time <= HORIZON_S
