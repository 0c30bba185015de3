"""Work for processes, which must find it by import: a drone that runs at a patrol, heard by a Remote ID
receiver, through the real core; and cheap work that kills its process."""

import os
import signal
import threading
from pathlib import Path

from vedette.evaluate.campaign.bodies import truth_of
from vedette.evaluate.campaign.items import Item
from vedette.evaluate.campaign.outcome import measure
from vedette.evaluate.campaign.results import Result
from vedette.evaluate.campaign.stage import START, Made, Scene, Stage, staged
from vedette.evaluate.campaign.story import Story, tell
from vedette.evaluate.campaign.work import Worker, watched_on
from vedette.model import Detection, Site, UnitReport
from vedette.sense.remote_id import RemoteIdAdapter
from vedette.simulate import Scenario, emissions, sensor_profiles, truth
from vedette.simulate.scenario import Actor, CotReports, Head, Receiver, RemoteId, RunAt, Waypoint
from vedette.wire.capture import FrameBatch

SITE = Site(name="Test", lat_deg=31.45, lon_deg=-110.9, alt_m=1150.0, alt_datum="wgs84-ellipsoid")
LASTS_S = 90.0


def scenario_of(index: int, hostile: bool) -> Scenario:
    """A drone 900 m out that runs at the patrol from 20 s on, or one that keeps passing by."""
    drone = Actor(
        id="drone",
        kind="fpv" if hostile else "multirotor",
        path=(
            Waypoint(at_s=0.0, enu_m=(900.0 + 40.0 * index, 300.0), agl_m=60.0),
            Waypoint(at_s=80.0, enu_m=(900.0 - 30.0 * index, -600.0), agl_m=60.0),
        ),
        run_at=RunAt(target="patrol", at_s=20.0, speed_mps=22.0) if hostile else None,
        remote_id=RemoteId(serial="1581FTEST0001", mac="62:60:1f:00:00:01", rate_hz=4.0),
    )
    patrol = Actor(
        id="patrol",
        kind="patrol",
        path=(Waypoint(at_s=0.0, enu_m=(0.0, 0.0)), Waypoint(at_s=LASTS_S, enu_m=(80.0, 40.0))),
        cot=CotReports(uid="UNIT-1", callsign="One", period_s=2.0),
    )
    return Scenario(
        head=Head(name="run", seed=100 + index, duration_s=LASTS_S, site=SITE),
        receivers=(Receiver(id="mast", kind="remote-id", enu_m=(0.0, 50.0), range_m=5000.0),),
        actors=(patrol, drone),
    )


def heard(scenario: Scenario) -> tuple[list[Detection], list[UnitReport]]:
    """What the real adapter makes of the receiver's frames, and the patrols' reports."""
    adapter = RemoteIdAdapter("mast")
    detections: list[Detection] = []
    reports: list[UnitReport] = []
    for emission in emissions(scenario, START):
        if emission.report is not None:
            reports.append(emission.report)
        elif emission.link_type is not None:
            frame = FrameBatch.single(emission.time, emission.link_type, emission.data)
            detections += adapter.detections(frame)
    return detections, reports


def stage_of(item: Item) -> tuple[Stage, list[Detection]]:
    """Even numbers are attacks."""
    hostile = item.index % 2 == 0
    scenario = scenario_of(item.index, hostile)
    ways = truth_of((row.time, row.id, row.kind, row.enu_m) for row in truth(scenario, START, 0.5))
    impact = float(ways.paths["drone"].times[-1]) if hostile else None
    scene = Scene(
        name=f"run-{item.index}",
        behaviour="direct-run" if hostile else "transit",
        kind="fpv",
        hostile=hostile,
        t0=START,
        t1=START + LASTS_S,
        target="UNIT-1" if hostile else None,
        impact=impact,
    )
    detections, reports = heard(scenario)
    said = (sensor_profiles(scenario), detections, reports)
    return staged(item, Made(scenario, scene, ways), said)


def run_one(item: Item) -> Result:
    """The work of the tests: picklable, and the real core."""
    stage, detections = stage_of(item)
    return measure(item, stage, watched_on(stage), detections)


def tell_one(item: Item) -> Story:
    """The same, told."""
    stage, detections = stage_of(item)
    return tell(item, stage, watched_on(stage), detections)


def numbered(item: Item) -> Result:
    """Work that is a pure function of its item and cheap."""
    return Result(
        item=item, scene=str(item.index), behaviour="b", kind="fpv", hostile=False, duration_s=1.0, units=1,
        peak_risk=item.index / 100.0,
    )  # fmt: skip


class SlowlyNumbered:
    """The same at the pace of work that a node can be lost in the middle of."""

    def __call__(self, item: Item) -> Result:
        threading.Event().wait(0.15)
        return numbered(item)


class DiesOnce:
    """Kills its own process at one item, the first time that it is run."""

    def __init__(self, marker: Path, at: int) -> None:
        self._marker = marker
        self._at = at

    def __call__(self, item: Item) -> Result:
        if item.index == self._at and not self._marker.exists():
            self._marker.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
        return numbered(item)


class DiesAtWork(DiesOnce):
    """The real work, whose process is killed with -9 at one item, the first time that it comes to it."""

    def __call__(self, item: Item) -> Result:
        super().__call__(item)
        return Worker()(item)


class DiesAlways(DiesOnce):
    """Kills its process at one item, every time; counts how often."""

    def __call__(self, item: Item) -> Result:
        if item.index == self._at:
            with self._marker.open("a") as marks:
                marks.write("x")
            os.kill(os.getpid(), signal.SIGKILL)
        return numbered(item)


def refuses(item: Item) -> Result:
    """Work with a fault of its own."""
    raise ValueError(f"no encounter {item.index}")
