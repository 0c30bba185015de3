"""Random sessions of a station: everything that may enter a core, in an order nobody would plan.

A radar with scans, receivers of broadcasts, a sensor nobody described, units that move, jump and fall
silent, people who acknowledge, forged receipts, and configuration that changes on the way.
"""

import math
import random
from collections.abc import Iterator

from station_build import SITE, START, Recorder

from vedette.geo import LocalFrame
from vedette.model import (
    Claim,
    Detection,
    EmptyScan,
    Position,
    RangeBearing,
    Receipt,
    Roster,
    RosterEntry,
    SensorProfile,
    Sigma,
    UnitReport,
)
from vedette.model.detection import Signal
from vedette.model.event import Action, Body, ClockStep, Configure, DetectionBatch, FeedStatus, Shed
from vedette.model.site import SensorSigma

RADAR = SensorProfile(
    id="radar-1",
    type="radar-3d",
    lat_deg=SITE.lat_deg,
    lon_deg=SITE.lon_deg,
    alt_m=SITE.alt_m,
    alt_datum=SITE.alt_datum,
    period_s=1.0,
    detection_probability=0.9,
    clutter_per_scan=3.0,
    range_m=(50.0, 6000.0),
    elevation_deg=(-5.0, 60.0),
    sigma=SensorSigma(range_m=8.0, azimuth_deg=0.4, elevation_deg=0.6),
)
CONFIGURE = Configure(site=SITE, sensors=(RADAR,))
UNITS = ("alpha", "bravo", "charlie", "post ö")
_FRAME = LocalFrame(SITE.lat_deg, SITE.lon_deg, SITE.alt_m)


def detections(seed: int, seconds: float) -> list[Detection]:
    """What the sensors measured, in order of time: two drones that come in, one that passes, clutter."""
    rng = random.Random(seed)
    made: list[Detection] = []
    for k in range(int(seconds * 4)):
        time = START + 0.25 * k + rng.choice((0.0, 0.0, rng.random() * 0.2))
        for body in range(3):
            enu = _place(body, 0.25 * k, rng)
            if rng.random() < 0.6:
                made.append(_report(rng, time, body, enu))
            if k % 4 == 0 and rng.random() < 0.9:
                made.append(_plot(rng, time, k // 4, enu))
        if k % 4 == 0:
            made += [_clutter(rng, time, k // 4) for _ in range(rng.randrange(3))]
        if rng.random() < 0.05:
            made.append(Detection(time=time, sensor="radar-1", measure=EmptyScan(), scan=f"s{k}"))
    return sorted(made, key=lambda detection: detection.time)


def arrivals(found: list[Detection], seed: int, most_late_s: float) -> list[tuple[float, DetectionBatch]]:
    """The same detections as a network brings them: delayed, mixed, some of them twice."""
    rng = random.Random(f"network {seed}")
    slots: dict[int, list[Detection]] = {}
    for detection in found:
        for _ in range(2 if rng.random() < 0.05 else 1):
            due = detection.time - START + rng.random() * rng.choice((0.05, most_late_s))
            slots.setdefault(math.ceil(due / 0.05), []).append(detection)
    made = []
    for slot, batch in sorted(slots.items()):
        rng.shuffle(batch)
        made.append((START + slot * 0.05, DetectionBatch(feed=f"feed-{slot % 3}", detections=tuple(batch))))
    return made


def play(recorder: Recorder, seed: int, seconds: float = 16.0) -> Iterator[None]:
    """Feed one session to ``recorder``; yields after each event that entered."""
    rng = random.Random(f"session {seed}")
    waiting = arrivals(detections(seed, seconds), seed, 6.0)
    for at, batch in waiting:
        recorder.enter(at, batch)
        yield
        for body in _beside(rng, recorder, at):
            recorder.enter(at, body)
            yield
    recorder.hand.at += 12.0
    recorder.engine.tick()


def _beside(rng: random.Random, recorder: Recorder, at: float) -> Iterator[Body]:
    """What else may happen in the same 50 ms."""
    if rng.random() < 0.25:
        yield _unit(rng, at)
    known = [event.body.alert for event in recorder.decided if event.kind in ("deliver", "alert", "clear")]
    if known and rng.random() < 0.1:
        alert = rng.choice(known)
        yield Receipt(
            time=at - rng.random(),
            alert=rng.choice((alert.alert, alert.alert, "Aforged")),
            revision=alert.revision + rng.choice((0, 0, 1, -1)),
            recipient=rng.choice((*alert.units, "nobody")),
            channel="radio",
            fact=rng.choice(("accepted", "on-device", "shown", "acknowledged")),
        )
    if known and rng.random() < 0.03:
        yield Action(
            actor=rng.choice(("desk", "")), action="acknowledge", via="console", alert=known[-1].alert
        )
    if rng.random() < 0.04:
        yield rng.choice((_roster(rng), _configure(rng), *_NOISE))


_NOISE: tuple[Body, ...] = (
    FeedStatus(feed="radar-1", state="deaf", reason="no data for 30 s"),
    ClockStep(step_s=-3.5),
    Shed(what="detections of rid-1", count=7),
)


def _place(body: int, t: float, rng: random.Random) -> tuple[float, float, float]:
    course = ((-28.0, -3.0), (-20.0, 18.0), (15.0, 0.0))[body]
    start = ((480.0, 90.0), (420.0, -350.0), (-600.0, 900.0))[body]
    up = max(5.0, 60.0 - 2.0 * t)
    return (
        start[0] + course[0] * t + rng.gauss(0.0, 3.0),
        start[1] + course[1] * t + rng.gauss(0.0, 3.0),
        up + rng.gauss(0.0, 4.0),
    )


def _report(rng: random.Random, time: float, body: int, enu: tuple[float, float, float]) -> Detection:
    if body == 1 and rng.random() < 0.04:
        enu = (enu[0] + 5000.0, enu[1], enu[2])
    lat, lon, alt = _FRAME.to_geodetic(*enu)
    high = {"alt_m": alt, "alt_datum": "wgs84-ellipsoid"} if rng.random() < 0.7 else {}
    return Detection(
        time=time,
        sensor=rng.choice(("rid-1", "rid-1", "rid-2", "never-described")),
        measure=Position(lat_deg=lat, lon_deg=lon, **high),  # type: ignore[arg-type]
        sigma=Sigma(horizontal_m=6.0, vertical_m=10.0) if rng.random() < 0.5 else None,
        claim=Claim(scheme="remote-id-serial", id=f"DRONE{body}") if body < 2 else None,
        beliefs={"fpv": 0.5, "multirotor": 0.3} if rng.random() < 0.3 else None,
        signal=Signal(emitter=f"02:00:00:00:00:0{body}", rssi_dbm=-60.0),
        scan=None,
    )


def _plot(rng: random.Random, time: float, scan: int, enu: tuple[float, float, float]) -> Detection:
    east, north, up = enu
    ground = math.hypot(east, north)
    return Detection(
        time=time,
        sensor="radar-1",
        scan=scan,
        measure=RangeBearing(
            range_m=math.hypot(ground, up),
            azimuth_deg=math.degrees(math.atan2(east, north)) % 360.0,
            elevation_deg=math.degrees(math.atan2(up, ground)) if rng.random() < 0.8 else None,
            range_rate_mps=rng.choice((None, -20.0)),
        ),
    )


def _clutter(rng: random.Random, time: float, scan: int) -> Detection:
    place = RangeBearing(range_m=rng.uniform(100.0, 5000.0), azimuth_deg=rng.uniform(0.0, 360.0))
    return Detection(time=time, sensor="radar-1", scan=scan, measure=place)


def _unit(rng: random.Random, at: float) -> UnitReport:
    name = rng.choice(UNITS)
    place = (UNITS.index(name) * 60.0 - 90.0 + rng.gauss(0.0, 4.0), rng.gauss(0.0, 40.0), 0.0)
    if rng.random() < 0.03:
        place = (9000.0, 0.0, 0.0)
    lat, lon, alt = _FRAME.to_geodetic(*place)
    return UnitReport(
        time=at + rng.choice((-0.2, -0.2, -20.0, 5.0)),
        unit=name,
        lat_deg=lat,
        lon_deg=lon,
        sigma_m=8.0,
        mobility="post" if name.startswith("post") else rng.choice(("foot", "vehicle")),
        alt_m=rng.choice((None, alt)),
        alt_datum="wgs84-ellipsoid",
        callsign=name.title(),
    )


def _roster(rng: random.Random) -> Roster:
    names = rng.sample(UNITS, 2)
    return Roster(
        version=rng.randrange(1, 9), units=tuple(RosterEntry(unit=name, language="en") for name in names)
    )


def _configure(rng: random.Random) -> Configure:
    settings = {"warn": {"off_delay_s": 2}, "assess": {}, "fuse": {"replay_budget_per_s": 40}}
    moved = Configure(
        site=SITE.__class__(name="Moved", lat_deg=31.4501, lon_deg=-110.9, alt_m=1150, alt_datum="egm96")
    )
    choices = (
        CONFIGURE,
        Configure(site=SITE, sensors=(RADAR,), settings=settings),
        Configure(site=SITE),
        moved,
    )
    return rng.choice(choices)
