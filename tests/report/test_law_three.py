"""DESIGN, law 3, through the whole core: no word that anybody can send lowers or hides an alarm near a unit.

Each attack flies the same drone twice, alone and with the attacker's words beside it.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec import structs
from random_sessions import CONFIGURE, EYE, NODE, RADAR
from station_build import SITE, START, Recorder

from vedette.core import Core
from vedette.geo import LocalFrame
from vedette.model import Claim, Detection, Position, RangeBearing, Sigma, UnitReport
from vedette.model.detection import Signal
from vedette.model.event import Configure, Deliver, DetectionBatch, SensorReport
from vedette.model.threat import LEVEL_RANK

FRAME = LocalFrame(SITE.lat_deg, SITE.lon_deg, SITE.alt_m)
DANGER_M = 300.0
Enu = tuple[float, float, float]
Path = Callable[[float], Enu]
Attack = Callable[[float, Enu], list[Detection]]


def position(time: float, enu: Enu, sensor: str, **changes: Any) -> Detection:
    lat, lon, alt = FRAME.to_geodetic(*enu)
    velocity = changes.pop("velocity", None)
    sigma = changes.pop("sigma", Sigma(horizontal_m=10.0, vertical_m=15.0))
    measure = Position(
        lat_deg=lat, lon_deg=lon, alt_m=alt, alt_datum="wgs84-ellipsoid", velocity_mps=velocity
    )
    return Detection(time=START + time, sensor=sensor, measure=measure, sigma=sigma, **changes)


def plot(time: float, enu: Enu, sensor: str = "radar-1", **changes: Any) -> Detection:
    ground = math.hypot(enu[0], enu[1])
    measure = RangeBearing(
        range_m=math.hypot(ground, enu[2]),
        azimuth_deg=math.degrees(math.atan2(enu[0], enu[1])),
        elevation_deg=math.degrees(math.atan2(enu[2], ground)),
    )
    return Detection(time=START + time, sensor=sensor, scan=int(time), measure=measure, **changes)


def seen_by_radar(time: float, enu: Enu) -> list[Detection]:
    return [plot(time, enu)] if time == math.floor(time) else []


def heard_by_remote_id(time: float, enu: Enu) -> list[Detection]:
    return [position(time, enu, "rid-1", claim=Claim(scheme="remote-id-serial", id="DRONE"))]


def hovers(time: float) -> Enu:
    return (200.0, 30.0, 60.0)


def comes_slowly(time: float) -> Enu:
    return (max(420.0 - 8.0 * time, 70.0), 0.0, 60.0)


def comes_fast(time: float) -> Enu:
    return (max(900.0 - 25.0 * time, 40.0), 0.0, 60.0)


class Day:
    """One drone, one unit at the site, and what an attacker says beside; ``levels``: of each second, the
    worst of what stands where the drone is."""

    def __init__(
        self, path: Path, witness: Attack, attack: Attack | None, configure: Configure = CONFIGURE
    ) -> None:
        self.recorder = Recorder(core=Core(configure))
        self.levels: list[int] = []
        for profile in (NODE_HERE, EYE_HERE):
            self.recorder.enter(START, SensorReport(profile=profile))
        for quarter in range(4 * 36):
            time = 0.25 * quarter
            enu = path(time)
            if quarter % 20 == 0:
                self.recorder.enter(START + time, unit(time))
            found = witness(time, enu) + (attack(time, enu) if attack and time >= 4.0 else [])
            if found:
                self.recorder.enter(START + time + 0.03, DetectionBatch(feed="all", detections=tuple(found)))
            if quarter % 4 == 3:
                self.levels.append(self._worst_near(time, enu))
        assert not self.recorder.faults

    def _worst_near(self, time: float, enu: Enu) -> int:
        core = self.recorder.engine.core
        near = {
            track.id
            for track in core.frame(START + time).tracks
            if math.hypot(track.enu_m[0] - enu[0], track.enu_m[1] - enu[1]) < 60.0
        }
        return max((LEVEL_RANK[t.level] for t in core.threats() if t.track in near), default=0)

    def delivered(self, level: str) -> list[Deliver]:
        bodies = [event.body for event in self.recorder.decided]
        return [body for body in bodies if isinstance(body, Deliver) and body.alert.level == level]


def unit(time: float) -> UnitReport:
    return UnitReport(
        time=START + time, unit="alpha", lat_deg=SITE.lat_deg, lon_deg=SITE.lon_deg, sigma_m=5.0,
        mobility="post", alt_m=SITE.alt_m, alt_datum=SITE.alt_datum,
    )  # fmt: skip


NODE_HERE = structs.replace(NODE, lat_deg=SITE.lat_deg, type="radar-3d")
EYE_HERE = structs.replace(EYE, lat_deg=SITE.lat_deg)
BIRD: Any = {"bird": 0.99}
AIRCRAFT: Any = {"aircraft": 0.99}
ICAO = Claim(scheme="icao", id="4ca123")

LABELS: dict[str, Attack] = {
    "a node in the clear calls it a bird": lambda t, enu: [plot(t, enu, "node-1", beliefs=BIRD)],
    "a node in the clear calls it an aircraft": lambda t, enu: [plot(t, enu, "node-1", beliefs=AIRCRAFT)],
    "a camera that nobody configured calls it a bird": lambda t, enu: [
        position(t, enu, "eye-1", beliefs=BIRD)
    ],
    "another user calls it a bird": lambda t, enu: [position(t, enu, "tak-1", beliefs=BIRD)],
    "another user calls it an aircraft": lambda t, enu: [
        position(t, enu, "tak-1", claim=ICAO, beliefs=AIRCRAFT)
    ],
    "many users call it a bird": lambda t, enu: [
        position(t, enu, f"tak-{number}", beliefs=BIRD) for number in range(5)
    ],
}
"""What is said of the drone by others who see it where it is: held against the same without the label."""

WORDS: dict[str, Attack] = {
    "it says it is an aircraft": lambda t, enu: [
        position(t, enu, "adsb-1", claim=ICAO, beliefs=AIRCRAFT, signal=Signal(transport="1090es"))
    ],
    "it says it is an aircraft high above": lambda t, enu: [
        position(t, (enu[0], enu[1], 9000.0), "adsb-1", claim=ICAO, signal=Signal(transport="1090es"))
    ],
    "five hundred aircraft fly beside it": lambda t, enu: [
        position(t, (enu[0] + 5.0 * n, enu[1] - 3.0 * n, 60.0), "adsb-1", beliefs=AIRCRAFT,
                 claim=Claim(scheme="icao", id=f"{n:06x}"), signal=Signal(transport="1090es"))
        for n in range(0, 500, 4 if t % 1.0 else 1)
    ] if t < 8.0 else [],
    "its name flies elsewhere": lambda t, enu: [
        position(t, (-3000.0, 10.0 * t, 80.0), "rid-2", claim=Claim(scheme="remote-id-serial", id="DRONE"))
    ],
}  # fmt: skip


def inside(path: Path) -> list[int]:
    """The seconds in which the drone, which is known by then, is inside the danger radius."""
    return [second for second in range(4, 36) if math.hypot(*path(second + 0.75)) < DANGER_M]


def lowered(before: Day, after: Day, path: Path) -> dict[int, tuple[int, int]]:
    """Where the second day has a lower level than the first."""
    both = {second: (before.levels[second], after.levels[second]) for second in inside(path)}
    return {second: levels for second, levels in both.items() if levels[1] < levels[0]}


@pytest.mark.parametrize("witness", [seen_by_radar, heard_by_remote_id])
@pytest.mark.parametrize("path", [hovers, comes_slowly, comes_fast])
@pytest.mark.parametrize("name", LABELS)
def test_no_label_lowers_an_alarm_inside_the_danger_radius(name: str, path: Path, witness: Attack) -> None:
    def bare(time: float, enu: Enu) -> list[Detection]:
        return [structs.replace(detection, beliefs=None) for detection in LABELS[name](time, enu)]

    unlabelled = Day(path, witness, bare)
    assert len(inside(path)) > 8
    assert min(unlabelled.levels[second] for second in inside(path)) >= 1
    assert lowered(unlabelled, Day(path, witness, LABELS[name]), path) == {}


@pytest.mark.parametrize("witness", [seen_by_radar, heard_by_remote_id])
@pytest.mark.parametrize("path", [hovers, comes_slowly, comes_fast])
@pytest.mark.parametrize("name", WORDS)
def test_no_word_lowers_an_alarm_inside_the_danger_radius(name: str, path: Path, witness: Attack) -> None:
    assert lowered(alone_of(path, witness), Day(path, witness, WORDS[name]), path) == {}


def without_height(seen: Detection) -> Detection:
    return structs.replace(
        seen,
        measure=structs.replace(seen.measure, alt_m=None, alt_datum=None),
        sigma=Sigma(horizontal_m=10.0),
    )


@pytest.mark.parametrize("stated_m", [450.0, 900.0, 4000.0])
@pytest.mark.parametrize("witness", [seen_by_radar, heard_by_remote_id])
@pytest.mark.parametrize("path", [hovers, comes_slowly, comes_fast])
def test_no_height_of_a_stranger_lifts_a_drone_out_of_danger(
    path: Path, witness: Attack, stated_m: float
) -> None:
    """Held against the same stranger without his heights: that he sees where it is makes its course surer,
    and surer it may mean less, or more."""
    vague = Sigma(horizontal_m=10.0, vertical_m=600.0)

    def lifted(time: float, enu: Enu) -> list[Detection]:
        return [position(time, (enu[0], enu[1], stated_m), "eye-1", sigma=vague)]

    def level(time: float, enu: Enu) -> list[Detection]:
        return [without_height(detection) for detection in lifted(time, enu)]

    assert lowered(Day(path, witness, level), Day(path, witness, lifted), path) == {}


_ALONE: dict[tuple[Path, Attack], Day] = {}


def alone_of(path: Path, witness: Attack) -> Day:
    if (path, witness) not in _ALONE:
        _ALONE[path, witness] = Day(path, witness, None)
    return _ALONE[path, witness]


def test_a_bird_that_a_configured_radar_knows_is_no_alarm() -> None:
    def bird(time: float, enu: Enu) -> list[Detection]:
        return [structs.replace(seen, beliefs=BIRD) for seen in seen_by_radar(time, enu)]

    assert max(Day(comes_slowly, bird, None).levels) == 0
    # What hangs in the air for half a minute flies like no bird: the desk of the unit may hear of it.
    assert max(Day(hovers, bird, None).levels) <= 1


def ghosts(time: float) -> Iterator[Detection]:
    """Eight aircraft that hang about the unit: more than a unit has advisories for."""
    for number in range(8):
        angle = 0.01 * time + number
        enu = (250.0 * math.sin(angle), 250.0 * math.cos(angle), 120.0)
        claim = Claim(scheme="icao", id=f"adf{number:03x}")
        yield position(time, enu, "adsb-1", claim=claim, signal=Signal(transport="1090es"))


@pytest.mark.parametrize("witness", [seen_by_radar, heard_by_remote_id])
def test_ghosts_of_aircraft_take_no_drone_its_advisory(witness: Attack) -> None:
    """They were here first, and the unit has been told of them."""

    def late(time: float, enu: Enu) -> list[Detection]:
        return witness(time, enu) if time >= 10.0 else []

    day = Day(hovers, late, lambda time, enu: list(ghosts(time)))
    core = day.recorder.engine.core
    (alert,) = core.alerts()
    drones = [track for track, _ in core.drones(alert.alert)]
    assert sum(track.startswith("A") for track in drones) >= 5
    assert drones[0].startswith("T"), "what is known better leads"
    told = [deliver.alert for deliver in day.delivered("advisory")]
    assert told[0].track.startswith("A")
    assert [one.track for one in told if one.track.startswith("T")]


def test_a_refused_configuration_leaves_the_old_one_in_force() -> None:
    """Half of one would make a core that its own snapshot cannot bring back."""
    recorder = Recorder(core=Core(CONFIGURE))
    recorder.enter(START + 1.0, DetectionBatch(feed="all", detections=(plot(1.0, (500.0, 0.0, 60.0)),)))
    before = recorder.engine.core.snapshot()
    recorder.enter(
        recorder.hand.at, Configure(site=SITE, sensors=(structs.replace(RADAR, alt_datum="takeoff"),))
    )
    assert len(recorder.faults) == 1
    assert recorder.engine.core.snapshot() == before
    assert Core.restore(before).snapshot() == before
