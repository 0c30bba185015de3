"""A station made of real view structs, and a console that serves it on a free port.

Loaded by path from the tests of the console and of the page.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from vedette.console import DemoEntrance, Server, create_app, serve
from vedette.console.assets import Asset
from vedette.console.entrance import Entrance
from vedette.model import Alert, InputError, Receipt
from vedette.model.event import Action
from vedette.station.view import AlertView, Ellipse, FeedView, RecordView, SiteView, TrackView, UnitView, View

AT = 1_790_000_000.0

TRACK = TrackView(
    id="T1",
    lat_deg=31.71,
    lon_deg=-106.45,
    course_deg=225.0,
    speed_mps=34.0,
    climb_mps=0.0,
    ellipse=Ellipse(semi_major_m=30.0, semi_minor_m=12.0, azimuth_deg=40.0),
    age_s=0.4,
    existence=0.99,
    sidc="10050100001103000000",
    beliefs={"multirotor": 0.8, "unknown": 0.2},
)

PATROL = UnitView(
    unit="patrol-b",
    mobility="foot",
    sidc="10031000001211000000",
    callsign="Patrol B",
    lat_deg=31.702369,
    lon_deg=-106.458966,
    sigma_m=8.0,
    age_s=2.0,
)
"""1200 m south-west of `TRACK`."""

ALERT = Alert(
    time=AT,
    alert="a-1",
    revision=1,
    level="imminent",
    state="active-unacked",
    units=("patrol-b",),
    track="T1",
    behaviour="direct-run",
    text={"en": "IMMINENT: drone from NE"},
    expires=AT + 60,
    bearing_deg=45.0,
    range_m=1200.0,
    time_to_impact_s=(15.0, 25.0),
)


def picture(at: float = AT, **changes: Any) -> View:
    """One drone, one patrol, one open alert."""
    view = View(
        at=at,
        speed=1.0,
        mode="live",
        site=SiteView(name="Post 7", lat_deg=31.70, lon_deg=-106.46),
        summary="Watching with 1 of 1 drone sensors.",
        tracks=(TRACK,),
        units=(PATROL,),
        alerts=(AlertView(alert=ALERT, raised=AT, worst=ALERT.level),),
        feeds=(FeedView(feed="rid", state="watching", since=AT, detections=7, quarantined={}, senses=True),),
        record=RecordView(state="good"),
        shed={},
    )
    return msgspec.structs.replace(view, **changes)


def shown(alert: Alert) -> AlertView:
    """An alert as the desk sees it before anybody has a receipt."""
    return AlertView(alert=alert, raised=alert.time, worst=alert.level)


class StationTime:
    """Station time of a desk: that of its view."""

    speed = 1.0

    def __init__(self, desk: "Desk") -> None:
        self._desk = desk

    def now(self) -> float:
        return self._desk.view().at

    def from_wall(self, wall_s: float) -> float:
        return wall_s

    def to_wall(self, at_s: float) -> float:
        return at_s

    async def sleep_until(self, at_s: float) -> None:
        raise AssertionError("the console does not wait for station time")


class Desk:
    """A source whose view the test sets, and which keeps what a person did.

    While ``running`` its time goes on from the view that was set, as a station's does.
    """

    def __init__(self, running: bool = False) -> None:
        self.now = picture()
        self.refuses = False
        self.running = running
        self.started = time.monotonic()
        self.actions: list[Action] = []
        self.receipts: list[Receipt] = []
        self.clock = StationTime(self)

    def view(self) -> View:
        passed = time.monotonic() - self.started if self.running else 0.0
        return msgspec.structs.replace(self.now, at=self.now.at + passed)

    def act(self, action: Action) -> None:
        if self.refuses:
            raise InputError("the record takes nothing more; look at the disk")
        self.actions.append(action)

    def receipt(self, receipt: Receipt) -> None:
        self.receipts.append(receipt)

    def alert(self, alert: str) -> Alert | None:
        return next((shown.alert for shown in self.now.alerts if shown.alert.alert == alert), None)


PAGE = {
    "index.html": Asset(b"<!doctype html><title>Vedette</title>", "text/html", "no-cache"),
    "app-ABCDEF12.mjs": Asset(b"export {}", "text/javascript", "public, immutable"),
}


@asynccontextmanager
async def running(
    desk: Desk,
    assets: dict[str, Asset] | None = PAGE,
    port: int = 0,
    entrance: Entrance | None = None,
) -> AsyncIterator[Server]:
    """The console of ``desk`` on a free port of this machine; ``assets`` None is the built page, and without
    an ``entrance`` it is a demo's."""
    app = create_app(desk, entrance or DemoEntrance(), metrics=lambda: b"vedette_up 1\n", assets=assets)
    server = await serve(app, port=port)
    try:
        yield server
    finally:
        await server.stop()
