"""Latency of the live station, from a receiver's bytes to the bytes on each phone's socket.

A real station runs in a process of its own; this one plays a generated load at it in real time:
Remote ID frames as datagrams, and one TCP connection a unit, as phones have. The stages inside the
station are its own figures (``station.stages``); ``delivered`` is measured here: from the moment the
first frame of the batch behind an alert was sent to the moment its chat arrived at the phone. Which
batch that was is read from the station's log afterwards. With ``flood_per_s`` another feed floods the
station meanwhile, from a process of its own.
"""

import asyncio
import json
import signal
import socket
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vedette.model import Detection, Event, Position
from vedette.model.event import Deliver, DetectionBatch
from vedette.record import Keyring, Log
from vedette.sense.remote_id import RemoteIdAdapter
from vedette.simulate import Emission, Scenario, emissions, synthetic_load
from vedette.wire.capture import FrameBatch
from vedette.wire.cot import CotEvent, CotSplitter, find_message_id

START_S = 3.0
"""Between the station's being ready and the first emission: phones connect."""
AFTER_S = 2.0
READY_S = 120.0

FrameKey = tuple[str, float, float]
"""What identifies a frame in a detection: emitter, latitude, longitude."""
Arrived = dict[tuple[str, int, str], float]
"""(alert, revision, unit) -> wall time at which the phone had it."""


def bench_latency(
    tracks: int = 50, units: int = 500, seconds: float = 60.0, flood_per_s: int = 0
) -> dict[str, object]:
    """Figures in milliseconds: p50/p95/p99 of each stage, and of ``delivered``; with a flood also how many
    of its lines were ``sent``, ``taken`` and ``shed``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scenario = synthetic_load(tracks, units, 1, seconds)
        ports = _free_port(socket.SOCK_DGRAM), _free_port(socket.SOCK_STREAM)
        flood = _Flood(flood_per_s) if flood_per_s else None
        (folder / "vedette.toml").write_text(
            _config(scenario, *ports) + (flood.config if flood else NO_CONSOLE)
        )
        load = _Load(scenario, *ports)
        stages = asyncio.run(_measure(folder, load, flood))
        delivered = _delivered(folder, load)
    figures = {**stages, "delivered": _percentiles(delivered)}
    return {
        "tracks": tracks,
        "units": units,
        "seconds": seconds,
        "frames": len(load.sent),
        "alerts_delivered": len(load.arrived),
        **{key: figures["delivered"].get(key) for key in ("p50_ms", "p95_ms", "p99_ms")},
        **({"flood": flood.figures} if flood else {}),
        "stages": figures,
    }


def _config(scenario: Scenario, udp: int, tcp: int) -> str:
    site = scenario.head.site
    return f"""
[site]
name = "{site.name}"
lat_deg = {site.lat_deg}
lon_deg = {site.lon_deg}
alt_m = {site.alt_m}
alt_datum = "{site.alt_datum}"

[[feed]]
name = "receiver"
url = "odid+udp://127.0.0.1:{udp}"

[[feed]]
name = "phones"
url = "cot+tcp-listen://127.0.0.1:{tcp}"
publish_tracks = false
"""


NO_CONSOLE = """
[console]
listen = ""
"""


class _Flood:
    """Another feed of the same station, and the process that floods it."""

    def __init__(self, per_s: int) -> None:
        self.figures: dict[str, float] = {}
        self._port, self._console = _free_port(socket.SOCK_DGRAM), _free_port(socket.SOCK_STREAM)
        self._per_s = per_s
        self._process: asyncio.subprocess.Process | None = None

    @property
    def config(self) -> str:
        """Its feed, and a console to ask what became of it."""
        return f"""
[[feed]]
name = "flooded"
url = "lines+udp://127.0.0.1:{self._port}"

[console]
listen = "127.0.0.1:{self._console}"
demo_desk = true
"""

    async def start(self) -> None:
        """Flood until `stop`."""
        arguments = [str(self._port), str(self._per_s)]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "vedette.evaluate.flooder",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )

    async def stop(self) -> None:
        """End it, and read from the station what it made of it."""
        assert self._process is not None
        out, _ = await self._process.communicate(b"\n")
        view = await asyncio.to_thread(self._view)
        feed = next(feed for feed in view["feeds"] if feed["feed"] == "flooded")
        shed = sum(count for reason, count in feed["quarantined"].items() if reason.startswith("flooded"))
        self.figures = {"sent": int(out), "taken": feed["detections"], "shed": shed}

    def _view(self) -> Any:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"http://127.0.0.1:{self._console}/api/v1/view", timeout=30.0) as answer:
            return json.load(answer)


class _Load:
    """The generated load: what is sent when, and what arrives."""

    def __init__(self, scenario: Scenario, udp: int, tcp: int) -> None:
        self.scenario = scenario
        self.udp, self.tcp = udp, tcp
        self.units = [actor.cot.uid for actor in scenario.actors if actor.cot is not None]
        self.sent: dict[FrameKey, float] = {}
        self.arrived: Arrived = {}
        self._adapter = RemoteIdAdapter("bench")
        self._phones: dict[str, asyncio.StreamWriter] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    async def connect(self) -> list[asyncio.Task[None]]:
        """One connection a unit."""
        listeners = []
        for unit in self.units:
            reader, writer = await _dial(self.tcp)
            self._phones[unit] = writer
            listeners.append(asyncio.create_task(self._listen(unit, reader)))
        return listeners

    async def play(self) -> None:
        """Everything at its time."""
        start = time.time() + START_S
        ready = [(emission, self._key(emission)) for emission in emissions(self.scenario, start)]
        for emission, key in ready:
            await asyncio.sleep(max(0.0, emission.time - time.time()))
            self._send(emission, key)

    def close(self) -> None:
        """Hang up."""
        for writer in self._phones.values():
            writer.close()
        self._socket.close()

    def _send(self, emission: Emission, key: FrameKey | None) -> None:
        if emission.channel == "cot":
            self._phones[emission.source].write(emission.data)
            return
        if key is not None:
            self.sent.setdefault(key, time.time())
        self._socket.sendto(emission.data, ("127.0.0.1", self.udp))

    def _key(self, emission: Emission) -> FrameKey | None:
        if emission.link_type is None:
            return None
        frame = FrameBatch.single(emission.time, emission.link_type, emission.data)
        return next((key for key in map(_frame_key, self._adapter.detections(frame)) if key), None)

    async def _listen(self, unit: str, reader: asyncio.StreamReader) -> None:
        splitter = CotSplitter()
        while data := await reader.read(65536):
            now = time.time()
            for item in splitter.feed(data):
                if isinstance(item, CotEvent) and item.chat is not None:
                    self._note(item, unit, now)

    def _note(self, event: CotEvent, unit: str, now: float) -> None:
        found = find_message_id(event.uid)
        if found is not None:
            self.arrived.setdefault((found.reference, found.revision, unit), now)


async def _measure(folder: Path, load: _Load, flood: _Flood | None) -> dict[str, dict[str, float]]:
    """Run the station, play the load, stop it; the station's own figures."""
    station = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from vedette.cli.main import main; main()",
        "run",
        "--config",
        str(folder / "vedette.toml"),
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        drain = asyncio.create_task(_drain(await _ready(station)))
        listeners = await load.connect()
        if flood:
            await flood.start()
        await load.play()
        if flood:
            await flood.stop()
        await asyncio.sleep(AFTER_S)
        load.close()
        await asyncio.gather(*listeners, return_exceptions=True)
    finally:
        if station.returncode is None:
            station.send_signal(signal.SIGTERM)
        await station.wait()
    await drain
    figures: dict[str, dict[str, float]] = json.loads((folder / "state" / "latency.json").read_text())
    return figures


async def _ready(station: asyncio.subprocess.Process) -> asyncio.StreamReader:
    """Wait until the station says that it watches; returns its stderr, which must be read on."""
    assert station.stderr is not None
    async with asyncio.timeout(READY_S):
        while b"is watching" not in (line := await station.stderr.readline()):
            if not line:
                raise RuntimeError("the station ended before it was ready; run 'vedette run' to see why")
    return station.stderr


async def _dial(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect; the listener opens a moment after the station has said that it watches."""
    async with asyncio.timeout(READY_S):
        while True:
            try:
                return await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.1)


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.readline():
        pass


def _delivered(folder: Path, load: _Load) -> list[float]:
    """Seconds from bytes in to bytes out, for every delivery that a batch of detections caused."""
    state = folder / "state"
    with Log.open(state / "events.log", Keyring(state / "keys"), readonly=True) as log:
        return list(_join(log.events(), load))


def _join(events: Iterator[Event], load: _Load) -> Iterator[float]:
    cause: float | None = None
    for event in events:
        if isinstance(event.body, DetectionBatch):
            keys = [_frame_key(detection) for detection in event.body.detections]
            cause = min((load.sent[key] for key in keys if key in load.sent), default=None)
        elif isinstance(event.body, Deliver):
            for unit in event.body.recipients:
                got = load.arrived.get((event.body.alert.alert, event.body.alert.revision, unit))
                if cause is not None and got is not None:
                    yield got - cause
        elif event.kind == "tick":
            cause = None


def _frame_key(detection: Detection) -> FrameKey | None:
    place = detection.measure
    if detection.signal is None or detection.signal.emitter is None or not isinstance(place, Position):
        return None
    return (detection.signal.emitter, place.lat_deg, place.lon_deg)


def _percentiles(seconds: list[float]) -> dict[str, float]:
    """Nearest-rank percentiles in milliseconds."""
    if not seconds:
        return {"count": 0}
    ordered = sorted(seconds)
    ranks = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99, "max_ms": 1.0}
    figures = {name: round(1000 * ordered[round(r * (len(ordered) - 1))], 3) for name, r in ranks.items()}
    return {"count": len(ordered), **figures}


def _free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
