"""A log, and events that look like a night at a site."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vedette.model import Alert, Detection, Event, Position, Receipt, UnitReport
from vedette.model.event import Deliver, DetectionBatch, OperatorPosition, Snapshot, Tick
from vedette.record import Keyring, Log

NOON_S = 1_795_348_800.0
"""2026-11-22 12:00 UTC."""


def _bodies(at: float) -> list[object]:
    alert = Alert(
        time=at,
        alert="a-1",
        revision=1,
        level="imminent",
        state="active-unacked",
        units=("patrol-1",),
        track="t-1",
        behaviour="direct-run",
        text={"en": "Drone from the north, 20 s. Take cover.", "uk": "Дрон з півночі"},
        expires=at + 60.0,
        bearing_deg=1.5,
        range_m=812.25,
    )
    return [
        DetectionBatch(
            feed="sniffer-1",
            detections=(Detection(time=at, sensor="rid-1", measure=Position(lat_deg=52.1, lon_deg=21.0)),),
        ),
        UnitReport(time=at, unit="patrol-1", lat_deg=52.11, lon_deg=21.01, sigma_m=5.0, mobility="foot"),
        OperatorPosition(time=at, sensor="rid-1", id="1581F", lat_deg=52.2, lon_deg=21.2),
        Tick(),
        Deliver(alert=alert, recipients=("patrol-1",), rule="at-risk", roster_version=3, sound=True),
        Receipt(time=at, alert="a-1", revision=1, recipient="patrol-1", channel="tak", fact="accepted"),
        Snapshot(after=1, state=bytes(range(256))),
    ]


@pytest.fixture
def night() -> Callable[..., list[Event]]:
    """``night(count, first=1, at=NOON_S)``: events of all sorts, 0.1 s apart."""

    def make(count: int, first: int = 1, at: float = NOON_S) -> list[Event]:
        times = [at + 0.1 * i for i in range(count)]
        bodies = [_bodies(time)[(first + i - 1) % 7] for i, time in enumerate(times)]
        return [
            Event(first + i, time, body)  # type: ignore[arg-type]
            for i, (time, body) in enumerate(zip(times, bodies, strict=True))
        ]

    return make


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    """An empty key folder beside the log."""
    return Keyring(tmp_path / "keys")


@pytest.fixture
def log(tmp_path: Path, keyring: Keyring) -> Iterator[Log]:
    """An empty log open for writing at ``tmp_path/site.log``."""
    with Log.create(tmp_path / "site.log", keyring) as opened:
        yield opened
