"""The real core driven through an encounter, and what could be seen of it from outside, second by second."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from vedette.assess import Assessor, Model
from vedette.evaluate.campaign.bodies import Sky
from vedette.evaluate.drive import Arrival, Case, Driver, merged
from vedette.fuse import Ground
from vedette.model import Alert, Detection, Frame, SensorProfile, Site, Threat, UnitReport
from vedette.model.event import Deliver, Tick
from vedette.model.threat import Level
from vedette.warn.alarm_states import is_active

TO_THE_UNIT = "unit-at-risk"
"""Rules of deliveries that say something new; those of an escalation repeat it."""
AFTER_S = 60.0
"""A harmless scene is watched for so long after its end: tracks coast, alerts die down."""


class Second(NamedTuple):
    """One assessment: who is threatened by what, what each track stands for, and which alerts are open.

    ``open``: (alert, unit, level, track) of each drone of each alert whose danger lasts.
    """

    time: float
    threats: tuple[Threat, ...]
    owners: dict[str, str]
    open: tuple[tuple[str, str, str, str], ...]
    frame: Frame


class Message(NamedTuple):
    """One delivery: when, and the alert as it was told. ``body``: what its lead stood for at that time, and
    ``bodies`` what each of its drones stood for, with its level."""

    at: float
    alert: Alert
    sounded: bool
    body: str | None
    bodies: tuple[tuple[str, Level], ...]


class Watched(NamedTuple):
    """All of one encounter. Times are Unix seconds."""

    seconds: tuple[Second, ...]
    messages: tuple[Message, ...]
    counts: dict[str, int]


class Told(NamedTuple):
    """What the station is given: its configuration and all that reaches it. ``model``: judges in place of
    the one of this version."""

    site: Site
    sensors: tuple[SensorProfile, ...]
    detections: Iterable[Detection]
    reports: Iterable[UnitReport]
    ground: Ground | None = None
    model: Model | None = None


def watch(told: Told, sky: Sky, start: float, until: float) -> Watched:
    """Drive the core from ``start`` to ``until``. The sky only names what the core found by itself."""
    case = Case(told.site, told.sensors, Path(), None, Counter(), told.ground)
    judge = None if told.model is None else Assessor(told.site, model=told.model)
    # Digests decide nothing, and would take more time than all else.
    driver = Driver(case, assessor=judge, digests=False)
    seconds: list[Second] = []
    messages: list[Message] = []
    for event in driver.run(_until(merged(told.detections, told.reports), until)):
        messages += _messages(driver, sky, event.at)
        if event.at >= start and (not seconds or math.floor(event.at) > math.floor(seconds[-1].time)):
            seconds.append(_second(driver, sky, event.at))
    return Watched(tuple(seconds), tuple(messages), driver.core.counts())


def _until(coming: Iterable[Arrival], until: float) -> Iterator[Arrival]:
    yield from takewhile(lambda arrival: arrival.at < until, coming)
    yield Arrival(until, 0, Tick())


def _messages(driver: Driver, sky: Sky, at: float) -> list[Message]:
    told = [one for one in driver.intents if isinstance(one, Deliver) and one.rule.startswith(TO_THE_UNIT)]
    if not told:
        return []
    owners = sky.owners(driver.core.awaited(at))
    return [_message(at, one, owners) for one in told]


def _message(at: float, told: Deliver, owners: dict[str, str]) -> Message:
    alert = told.alert
    drones = zip(alert.tracks, alert.levels, strict=True)
    bodies = tuple((owners[track], level) for track, level in drones if track in owners)
    return Message(at, alert, told.sound, owners.get(alert.track), bodies)


def _second(driver: Driver, sky: Sky, at: float) -> Second:
    frame = driver.core.awaited(at)
    opened = tuple(
        (alert.alert, alert.units[0], level, track)
        for alert in driver.core.alerts()
        if is_active(alert.state)
        for track, level in driver.core.drones(alert.alert)
    )
    return Second(at, driver.core.threats(), sky.owners(frame), opened, frame)
