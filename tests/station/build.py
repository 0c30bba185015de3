"""Small stations for tests: a core on a site, driven by a clock that the test moves."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from vedette.core import Core
from vedette.model import Event, RosterEntry, Site
from vedette.model.event import Body, Configure, DetectionBatch, UnitReport
from vedette.record import Keyring, Log, verify
from vedette.report.replay import Replay
from vedette.sense.remote_id import RemoteIdAdapter
from vedette.simulate import Scenario, emissions, load_builtin
from vedette.station.access.credentials import SESSION_COOKIE
from vedette.station.engine import Engine
from vedette.station.journal import Journal
from vedette.wire.capture import FrameBatch

SITE = Site(name="Test", lat_deg=31.45, lon_deg=-110.9, alt_m=1150.0, alt_datum="wgs84-ellipsoid")
START = 1_790_000_000.0


class Hand:
    """Station time, moved by the test."""

    def __init__(self, at: float = START) -> None:
        self.at = at

    def now(self) -> float:
        return self.at


class Recorder:
    """An engine without a disk: keeps every event and every decided intent."""

    def __init__(self, site: Site = SITE, core: Core | None = None, at: float = START) -> None:
        self.hand = Hand(at)
        self.events: list[Event] = []
        self.decided: list[Event] = []
        self.faults: list[Exception] = []
        self.engine = Engine(
            core or Core(Configure(site=site)),
            self.hand.now,
            self.events.extend,
            self.decided.append,
            lambda event, error: self.faults.append(error),
            at=at,
        )

    def enter(self, at: float, body: Body) -> None:
        self.hand.at = at
        self.engine.enter(body)


def scenario_bodies(scenario: Scenario, start: float = START) -> Iterator[tuple[float, Body]]:
    """What a scenario makes of itself through the real adapters: (station time, event body)."""
    adapters: dict[str, RemoteIdAdapter] = {}
    for emission in emissions(scenario, start):
        if emission.link_type is None:
            assert isinstance(emission.report, UnitReport)
            yield emission.time, emission.report
            continue
        adapter = adapters.setdefault(emission.source, RemoteIdAdapter(emission.source))
        frame = FrameBatch.single(emission.time, emission.link_type, emission.data)
        detections = tuple(adapter.detections(frame))
        if detections:
            yield emission.time, DetectionBatch(feed=emission.source, detections=detections)


def demo() -> Scenario:
    """The demo's scenario."""
    return load_builtin("desert-run")


def journal(folder: Path, site: Site = SITE, roster: tuple[RosterEntry, ...] = ()) -> Journal:
    """A journal in ``folder``, new or recovered."""
    return Journal(folder, Configure(site=site), roster)


RUN = "from vedette.cli.main import main; main()"


class StationProcess:
    """``vedette run`` in a process of its own; stopped by its id."""

    def __init__(self, config: Path, log: Path, environment: Mapping[str, str] | None = None) -> None:
        self._stderr = log.open("ab")
        self.log = log
        self.session: str | None = None
        """Of whoever looks at the page of a station with accounts."""
        self._before = len(self.said())
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from vedette.cli.main import main; main()",
                "run",
                "--config",
                str(config),
            ],
            stderr=self._stderr,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        )

    def said(self) -> str:
        return self.log.read_text()

    def page(self) -> str | None:
        found = re.findall(r"The page: (\S+)", self.said()[self._before :])
        return found[-1] if found else None

    def view(self) -> dict[str, object]:
        page = self.page()
        assert page is not None
        with urllib.request.urlopen(self.request(f"{page}api/v1/view"), timeout=10) as answer:
            seen: dict[str, object] = json.load(answer)
            return seen

    def request(self, address: str, body: bytes | None = None) -> urllib.request.Request:
        """A request of a browser on the page."""
        headers = {"origin": str(self.page()).rstrip("/")}
        if self.session is not None:
            headers["cookie"] = f"{SESSION_COOKIE}={self.session}"
        return urllib.request.Request(address, data=body, headers=headers)

    def kill(self) -> None:
        """As a power cut would: no goodbye."""
        self.process.kill()
        self.process.wait(timeout=60)
        self._stderr.close()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self._stderr.close()
        return code


def replay_is_equal(state: Path) -> list[Event]:
    """The log verifies, replays to the bit, and is returned."""
    assert verify(state / "events.log").good
    with Log.open(state / "events.log", Keyring(state / "keys"), readonly=True) as log:
        replay = Replay()
        events = list(replay.run(log.events()))
    assert replay.outcome.mismatch is None
    assert replay.outcome.exact
    return events
