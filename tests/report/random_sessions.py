"""Random sessions of a station: everything that may enter a core, in an order nobody would plan.

A radar with scans, sensors that say themselves where they stand (and move, and say what cannot be),
receivers of broadcasts, aircraft that report themselves and one that only says so, tracks of other users,
directions, a sensor nobody described, units that move, jump and fall silent, people who acknowledge,
forged receipts, and configuration that changes on the way.
"""

import math
import random
from collections.abc import Iterator
from typing import get_args

from msgspec import structs
from station_build import SITE, START, Recorder

from vedette.geo import LocalFrame
from vedette.model import (
    Bearing,
    Claim,
    Detection,
    EmptyScan,
    Position,
    Presence,
    RangeBearing,
    Receipt,
    Roster,
    RosterEntry,
    SensorProfile,
    Sigma,
    UnitReport,
)
from vedette.model.detection import Integrity, Signal
from vedette.model.event import (
    Action,
    ActionKind,
    Body,
    ClockStep,
    Configure,
    DetectionBatch,
    FeedStatus,
    SensorReport,
    Shed,
)
from vedette.model.site import SensorSigma
from vedette.model.unit import Duty

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
NODE = structs.replace(
    RADAR, id="node-1", type="radar-2d", lat_deg=SITE.lat_deg + 0.004, detection_probability=0.0, range_m=None
)
"""A radar that registers itself, and so has no range; its plots are refused until it says where it stands."""
EYE = structs.replace(NODE, id="eye-1", type="camera")
"""One that gives positions: a repeater of broadcasts until it says what it is."""
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
            if rng.random() < 0.2:
                made.append(_from_node(rng, time, enu))
            if rng.random() < 0.1:
                made.append(_vague(rng, time, enu))
        made += _aviation(rng, time, 0.25 * k)
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
    # Alerts end only when nothing has been seen for long: the quiet afterwards belongs to it.
    for _ in range(7):
        recorder.hand.at += 12.0
        recorder.engine.tick()
        yield


def _beside(rng: random.Random, recorder: Recorder, at: float) -> Iterator[Body]:
    """What else may happen in the same 50 ms."""
    if rng.random() < 0.25:
        yield _unit(rng, at)
    if rng.random() < 0.1:
        instead_of = rng.choice((None, None, None, "node-1", "eye-1", "nobody"))
        yield SensorReport(profile=rng.choice((NODE, EYE, _moved(rng), _moved(rng))), instead_of=instead_of)
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
    if known and rng.random() < 0.06:
        yield _act(rng, known[-1].alert)
    if rng.random() < 0.04:
        yield rng.choice((_roster(rng), _configure(rng), *_NOISE))


def _act(rng: random.Random, alert: str) -> Action:
    """Something a person does, often with what it needs, now and then with what it must not have."""
    return Action(
        actor=rng.choice(("desk", "desk", "")),
        action=rng.choice((*get_args(ActionKind), "acknowledge", "cancel", "cancel")),
        via="console",
        alert=rng.choice((alert, alert, None)),
        value=rng.choice((None, "1", "info", "once", "nobody")),
        reason=rng.choice((None, "seen by eye")),
        unit=rng.choice((None, *UNITS)),
        for_s=rng.choice((None, 3.0, 900.0)),
    )


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


def _from_node(rng: random.Random, time: float, enu: tuple[float, float, float]) -> Detection:
    """A sensor that may not have said yet where it stands, or a track that another user shares."""
    sensor = rng.choice(("node-1", "eye-1", "tak-1"))
    if sensor == "node-1":
        return structs.replace(_plot(rng, time, 0, enu), sensor=sensor, scan=None)
    lat, lon, alt = _FRAME.to_geodetic(*enu)
    named = rng.random() < 0.3
    return Detection(
        time=time,
        received=time + 0.1,
        sensor=sensor,
        measure=Position(lat_deg=lat, lon_deg=lon, alt_m=alt, alt_datum="wgs84-ellipsoid"),
        sigma=Sigma(horizontal_m=12.0, vertical_m=20.0),
        claim=Claim(scheme=rng.choice(("icao", "remote-id-serial")), id="4ca123") if named else None,
        beliefs=rng.choice((None, {"bird": 0.9}, {"aircraft": 0.4, "unknown": 0.6})),
    )


def _vague(rng: random.Random, time: float, enu: tuple[float, float, float]) -> Detection:
    """What is not fused, or damaged: it must be counted, and change nothing."""
    azimuth = math.degrees(math.atan2(enu[0], enu[1])) % 360.0
    return Detection(
        time=time,
        sensor=rng.choice(("df-1", "radar-1", "node-1")),
        measure=rng.choice((Bearing(azimuth_deg=azimuth), Presence(range_m=900.0), Presence())),
        integrity=Integrity(crc_ok=False) if rng.random() < 0.2 else None,
    )


def _aviation(rng: random.Random, time: float, t: float) -> list[Detection]:
    """An airliner, an address that goes with the first drone, one in two places, and a nameless target."""
    made = []
    drone = _place(0, t, rng)
    for name, enu, velocity in (
        ("4ca123", (-6000.0 + 210.0 * t, 900.0, 9000.0), (210.0, 0.0, 0.0)),
        ("adf001", drone, (-28.0, -3.0, -2.0)),
        ("adf002", (rng.choice((-3000.0, 3000.0)), 400.0, 300.0), (0.0, 30.0, 0.0)),
        (None, (900.0 - 40.0 * t, -800.0, 400.0), None),
    ):
        if rng.random() < 0.5:
            continue
        lat, lon, alt = _FRAME.to_geodetic(*enu)
        high = {"alt_m": alt, "alt_datum": rng.choice(("barometric", "wgs84-ellipsoid"))}
        made.append(
            Detection(
                time=time,
                sensor=rng.choice(("adsb-1", "adsb-2")),
                measure=Position(lat_deg=lat, lon_deg=lon, velocity_mps=velocity, **high),
                claim=None if name is None else Claim(scheme="icao", id=name),
                beliefs={"aircraft": 0.9},
                signal=Signal(transport="1090es"),
            )
        )
    return made


def words_of_sensors(seed: int, seconds: float) -> list[tuple[float, SensorReport]]:
    """When sensors say where they stand, in station time: first words, moves, and what cannot be."""
    rng = random.Random(f"sensors {seed}")
    said = [(START + 2.0, SensorReport(profile=NODE)), (START + 3.5, SensorReport(profile=EYE))]
    for _ in range(int(seconds / 2)):
        said.append((START + rng.uniform(2.0, seconds), SensorReport(profile=_moved(rng))))
    return sorted(said, key=lambda one: one[0])


def _moved(rng: random.Random) -> SensorProfile:
    profile = rng.choice((NODE, NODE, EYE))
    return rng.choice(
        (
            structs.replace(profile, lat_deg=profile.lat_deg + rng.uniform(-2e-5, 2e-5)),
            structs.replace(profile, type="report"),
            structs.replace(profile, alt_datum="takeoff"),
            structs.replace(RADAR, lat_deg=SITE.lat_deg + 0.01),
            structs.replace(profile, id="never-described"),
        )
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
        version=rng.randrange(1, 9),
        units=tuple(RosterEntry(unit=name, language="en", team=rng.choice((None, "one"))) for name in names),
        duty=(Duty(role="watch-officer", unit="desk", begins=START, until=START + 9.0),),
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
