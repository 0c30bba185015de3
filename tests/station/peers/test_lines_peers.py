"""Feeds of detection lines over real sockets, pipes and files: what floods or lies costs only itself."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from vedette.model import ConfigError, Detection
from vedette.model.detection import Bearing
from vedette.sense.registry import Heard
from vedette.station.assemble import assemble
from vedette.station.clock import StationClock
from vedette.station.config import FeedConfig, StationConfig
from vedette.station.peers import _datagrams, lines_file
from vedette.station.peers._datagrams import DatagramPeer
from vedette.station.peers._line_feed import BURST, Address, Budget
from vedette.station.peers.lines import (
    MOST_USELESS,
    LinesClientPeer,
    LinesListenerPeer,
    Patience,
    lines_peer,
)
from vedette.station.peers.lines_file import LinesFilePeer
from vedette.station.peers.raw_udp import RawUdpPeer, raw_peer

HERE = Address("127.0.0.1", 0, {})
START = 1_700_000_000.0


class Hub:
    """Keeps what a feed tells the station."""

    def __init__(self, speed: float = 1.0) -> None:
        self.clock = StationClock(speed)
        self.taken: list[Detection] = []
        self.at: list[float] = []
        self.feeds: list[tuple[str, str | None]] = []
        self.counts: Counter[str] = Counter()
        self.live = 0

    def detections(self, feed: str, detections: Iterable[Detection]) -> None:
        self.taken += detections
        self.at += [self.clock.now()] * (len(self.taken) - len(self.at))

    def feed(self, feed: str, state: str, reason: str | None = None) -> None:
        self.feeds.append((state, reason))

    def counted(self, feed: str, reason: str, count: int) -> None:
        self.counts[reason] += count

    def quarantine(self, feed: str, reason: str, data: bytes) -> None:
        self.counts[reason] += 1

    def heard(
        self, feed: str, sent: float | None = None, *, due_s: float | None = None, count: int = 1
    ) -> None:
        self.live += count

    def states(self) -> list[str]:
        return [state for state, _ in self.feeds]


def line(number: int = 0, at: float | None = None, **changes: object) -> bytes:
    measure = {"kind": "bearing", "azimuth_deg": float(number % 360)}
    tree = {"time": time.time() if at is None else at, "sensor": "mast", "measure": measure, **changes}
    return json.dumps(tree).encode() + b"\n"


def numbers(hub: Hub) -> list[int]:
    return [int(d.measure.azimuth_deg) for d in hub.taken]


async def until(condition: Callable[[], bool], what: str) -> None:
    for _ in range(9000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"never happened: {what}")


def beside(work: Coroutine[Any, Any, None], then: Callable[[], Awaitable[None]]) -> None:
    """Run a peer beside ``then`` and cancel it as a station would."""

    async def both() -> None:
        task = asyncio.create_task(work)
        try:
            await then()
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    asyncio.run(both())


async def listening(hub: Hub) -> None:
    await until(lambda: any("listening" in (reason or "") for _, reason in hub.feeds), "it listens")


def send(port: int, *datagrams: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for datagram in datagrams:
            out.sendto(datagram, ("127.0.0.1", port))


def test_datagrams_of_lines() -> None:
    hub = Hub()
    peer = DatagramPeer("bench", HERE)

    async def then() -> None:
        await listening(hub)
        assert hub.states() == ["connecting"], "nothing has been heard: it does not say that it watches"
        send(peer.port, b"noise", line(1), line(2) + line(3).rstrip(), b"", b"\n\n", b"{}")
        await until(lambda: len(hub.taken) == 3 and hub.counts.total() == 2, "three detections, two refusals")

    beside(peer.run(hub), then)
    assert numbers(hub) == [1, 2, 3]
    assert hub.counts["not-json"] == 1
    assert hub.states() == ["connecting", "watching"]
    assert "this machine only" in hub.feeds[0][1]
    assert all(abs(d.time - d.received) < 5.0 for d in hub.taken)


def test_times_are_carried_over_to_station_time() -> None:
    hub = Hub(speed=10.0)
    peer = DatagramPeer("bench", HERE)

    async def then() -> None:
        await listening(hub)
        send(peer.port, line(1), line(2, at=time.time() - 60.0), line(3, received=5.0))
        await until(lambda: len(hub.taken) == 3, "all pass: the tracker decides")

    beside(peer.run(hub), then)
    fresh, old, third = hub.taken
    assert fresh.received - fresh.time < 20.0
    assert old.received - old.time == pytest.approx(600.0, abs=30.0)
    assert third.received == pytest.approx(hub.clock.now(), abs=600.0)
    assert hub.counts["clock-off"] >= 1


def test_a_flood_is_cut_to_its_budget_and_counted() -> None:
    clock = [10.2]
    budget = Budget(10, 3, lambda: clock[0])
    assert [budget.admits(2), budget.admits(3), budget.admits(1)] == [2, 1, 0]
    clock[0] += 0.21
    assert budget.admits(3) == 2
    clock[0] += 60.0
    assert budget.admits(10) == 3, "a pause saves up no more than a burst"

    hub = Hub()
    peer = DatagramPeer("bench", HERE)

    async def then() -> None:
        await listening(hub)
        noise = b"x\n" * 30_000
        for _ in range(10):
            send(peer.port, noise)
            await asyncio.sleep(0.01)
        await until(lambda: hub.counts["flooded"] > 30_000, "the flood is counted")
        await until(lambda: _sent(peer.port) and bool(hub.taken), "a second later it is heard again")

    beside(peer.run(hub), then)
    assert hub.counts["flooded"] + hub.counts["not-json"] <= 300_000
    assert hub.counts["flooded"] >= 300_000 - BURST - 20_000


def _sent(port: int) -> bool:
    send(port, line(7))
    return True


def test_of_a_flood_the_freshest_are_kept_in_order() -> None:
    hub = Hub()
    peer = DatagramPeer("bench", HERE)
    sent = 3 * BURST

    async def then() -> None:
        await listening(hub)
        send(peer.port, b"".join(line(number) for number in range(100)))
        send(peer.port, b"".join(line(number) for number in range(200)))
        send(peer.port, b"".join(line(number) for number in range(300, 300 + 240)))
        lines = [line(0, scan=number) for number in range(sent)]
        for start in range(0, sent, 400):
            send(peer.port, b"".join(lines[start : start + 400]))
        await until(lambda: bool(hub.taken) and hub.taken[-1].scan == sent - 1, "the last one is here")

    beside(peer.run(hub), then)
    scans = [d.scan for d in hub.taken if d.scan is not None]
    assert scans == sorted(scans)
    assert hub.counts["flooded"] == 540 + sent - len(hub.taken)
    assert hub.counts["flooded"] > 0


def test_a_taken_port_is_told() -> None:
    hubs = [Hub(), Hub()]
    with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for hub, taken, kind in zip(hubs, (tcp, udp), (LinesListenerPeer, DatagramPeer), strict=True):
            taken.bind(("127.0.0.1", 0))
            taken.listen() if taken is tcp else None
            peer = kind("bench", Address("127.0.0.1", taken.getsockname()[1], {}))

            async def then(hub: Hub = hub) -> None:
                await until(lambda: hub.states() == ["down"], "it says that the port is taken")

            beside(peer.run(hub), then)
            assert "cannot listen" in hub.feeds[0][1]


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port)


async def dropped(reader: asyncio.StreamReader) -> bool:
    """True once the station has closed the connection."""
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(reader.read(), 20.0) == b""
    return True


def test_detectors_connect_to_a_listener() -> None:
    hub = Hub()
    peer = LinesListenerPeer("bench", HERE, ("mast",))

    async def then() -> None:
        await listening(hub)
        _, first = await connect(peer.port)
        _, second = await connect(peer.port)
        await until(lambda: "2 connected" in hub.feeds[-1][1], "both are told")
        assert "watching" not in hub.states(), "neither has said anything"
        for part in (line(1)[:20], line(1)[20:] + b"noise\n" + line(2)[:-1]):
            first.write(part)
            await asyncio.sleep(0.02)
        second.write(line(3, sensor="roof"))
        await until(lambda: hub.counts.total() == 2, "two refusals")
        assert hub.feeds[-1][0] == "watching"
        first.close()
        second.close()
        await until(lambda: hub.feeds[-1][0] == "connecting", "with nobody connected nothing is watched")

    beside(peer.run(hub), then)
    assert numbers(hub) == [1, 2]
    assert hub.counts == {"not-json": 1, "sensor-not-allowed": 1}


def test_what_hangs_or_is_no_detector_is_dropped() -> None:
    hub = Hub()
    peer = LinesListenerPeer("bench", HERE, patience=Patience(line_s=0.3, idle_s=0.6))

    async def drip(writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)

    async def then() -> None:
        await listening(hub)
        slow, slow_writer = await connect(peer.port)
        dripping = asyncio.create_task(drip(slow_writer))
        assert await dropped(slow)
        quiet, quiet_writer = await connect(peer.port)
        assert await dropped(quiet)
        browser, browser_writer = await connect(peer.port)
        browser_writer.write(b"GET / HTTP/1.1\r\n" * (MOST_USELESS + 1))
        assert await dropped(browser)
        endless, endless_writer = await connect(peer.port)
        endless_writer.write(b"x" * 200_000)
        assert await dropped(endless)
        await dripping
        for writer in (slow_writer, quiet_writer, browser_writer, endless_writer):
            writer.close()
        _, good = await connect(peer.port)
        good.write(line(5))
        await until(lambda: numbers(hub) == [5], "a detector is heard all the same")
        good.close()

    beside(peer.run(hub), then)
    drops = {what: count for what, count in hub.counts.items() if what.startswith("connection")}
    assert drops == {
        "connection-dropped: a line was begun and not ended": 2,
        "connection-dropped: nothing heard for too long": 1,
        f"connection-dropped: more than {MOST_USELESS} lines and no detection in them": 1,
    }
    assert hub.counts["line-too-long"] == 1


def test_a_full_listener_keeps_what_works_and_makes_room_for_a_newcomer() -> None:
    hub = Hub()
    peer = LinesListenerPeer("bench", HERE, patience=Patience(line_s=0.2), most=2)

    async def then() -> None:
        await listening(hub)
        _, good = await connect(peer.port)
        good.write(line(1))
        await until(lambda: numbers(hub) == [1], "the detector is heard")
        squatter, squatting = await connect(peer.port)
        await until(lambda: "2 connected" in hub.feeds[-1][1], "it is full")
        refused, refused_writer = await connect(peer.port)
        assert await dropped(refused)
        await asyncio.sleep(0.3)
        _, newcomer = await connect(peer.port)
        newcomer.write(line(2))
        assert await dropped(squatter)
        await until(lambda: numbers(hub) == [1, 2], "the newcomer is heard")
        another, another_writer = await connect(peer.port)
        assert await dropped(another)
        good.write(line(3))
        await until(lambda: numbers(hub) == [1, 2, 3], "whoever works is never pushed out")
        for writer in (good, squatting, refused_writer, newcomer, another_writer):
            writer.close()

    beside(peer.run(hub), then)
    assert hub.counts == {
        "connection-refused: too many": 2,
        "connection-dropped: made room for another": 1,
    }


def test_a_client_connects_again() -> None:
    hub = Hub()
    served: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(len(served) + 1)
        writer.write(line(served[-1]))
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        peer = LinesClientPeer("bench", Address("127.0.0.1", port, {}), reconnect_s=(0.05, 0.1))
        task = asyncio.create_task(peer.run(hub))
        await until(lambda: len(hub.taken) >= 3, "three connections, three detections")
        server.close()
        await until(lambda: any("cannot connect" in (r or "") for _, r in hub.feeds), "its end is told")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert numbers(hub)[:3] == [1, 2, 3]
    assert hub.states()[:4] == ["connecting", "connecting", "watching", "down"]
    assert "the other side closed the connection; next attempt in" in hub.feeds[3][1]


def test_a_file_is_played_in_its_time(tmp_path: Path) -> None:
    path = tmp_path / "detections.jsonl"
    good = [line(n, at=START + n) for n in range(100)]
    path.write_bytes(b"".join([*good[:50], b"noise\n", line(200, at=START + 10.0), *good[50:]]).rstrip())
    hub = Hub(speed=100.0)
    asyncio.run(asyncio.wait_for(LinesFilePeer("bench", str(path)).run(hub), 60.0))
    assert numbers(hub) == [*range(50), 200, *range(50, 100)]
    assert all(at >= d.time - 1e-6 for at, d in zip(hub.at, hub.taken, strict=True)), "before it was due"
    assert hub.taken[-1].time - hub.taken[0].time == pytest.approx(99.0, abs=1e-3)
    received = [d.received for d in hub.taken]
    assert received == sorted(received), "a line out of order was received when it was read"
    assert hub.states() == ["connecting", "watching", "ended"]
    assert "101 detections read" in hub.feeds[-1][1]
    assert hub.counts == {"not-json": 1}


def test_one_wrong_year_does_not_hold_up_a_file(tmp_path: Path) -> None:
    path = tmp_path / "detections.jsonl"
    path.write_bytes(b"".join(line(n, at=START + n + (3e9 if n == 5 else 0.0)) for n in range(10)))
    hub = Hub(speed=100.0)
    asyncio.run(asyncio.wait_for(LinesFilePeer("bench", str(path)).run(hub), 60.0))
    assert numbers(hub) == list(range(10))
    assert hub.counts == {"time-jumped": 2}
    assert max(d.time for d in hub.taken) - hub.taken[0].time < 100.0


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    hub = Hub()
    asyncio.run(LinesFilePeer("bench", str(tmp_path / "none.jsonl")).run(hub))
    assert hub.feeds[-1] == ("down", f"{tmp_path / 'none.jsonl'}: No such file or directory")


def test_a_pipe_is_live_and_is_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_file, "AGAIN_S", 0.01)
    path = tmp_path / "pipe"
    os.mkfifo(path)
    hub = Hub()

    async def then() -> None:
        for number in (1, 2):
            pipe = await asyncio.to_thread(path.open, "wb", 0)
            pipe.write(line(number)[:9])
            await asyncio.sleep(0.02)
            pipe.write(line(number)[9:] + b"x" * 20_000 + b"\n")
            await until(lambda number=number: numbers(hub)[-1:] == [number], "a line while the pipe is open")
            assert hub.feeds[-1][0] == "watching"
            pipe.close()
            await until(lambda number=number: hub.states().count("ended") == number, "the end is told")

    async def run_and_release() -> None:
        try:
            await LinesFilePeer("bench", str(path)).run(hub)
        finally:
            os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))

    beside(run_and_release(), then)
    assert hub.counts == {"line-too-long": 2}
    assert all(abs(d.time - hub.clock.now()) < 60.0 for d in hub.taken)


def test_standard_input_is_live() -> None:
    program = "from vedette.cli.listen import listen; listen('lines:-?sensor=mast', 'bench')"
    sent = line(1) + b"noise\n" + line(2, sensor="roof") + line(3)[:-1]
    done = subprocess.run([sys.executable, "-c", program], input=sent, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    found = [json.loads(text) for text in done.stdout.splitlines()]
    assert [d["measure"]["azimuth_deg"] for d in found] == [1.0, 3.0]
    assert all(abs(d["time"] - time.time()) < 60.0 for d in found)
    assert b"not-json 1" in done.stderr
    assert b"sensor-not-allowed 1" in done.stderr


def test_a_port_that_was_lost_and_came_back_is_told_as_watched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_datagrams, "RETRY_S", 0.01)
    hub = Hub()
    peer = DatagramPeer("bench", HERE)

    async def then() -> None:
        for number in (1, 2):
            await until(lambda number=number: hub.states().count("connecting") == number, "it listens")
            send(peer.port, line(number))
            await until(lambda number=number: hub.states().count("watching") == number, "it watches")
            assert peer.inlet is not None
            peer.inlet._break(OSError(5, "Input/output error"))

    beside(peer.run(hub), then)
    assert numbers(hub) == [1, 2]
    assert "down" in hub.states()


class Odd:
    """An adapter as somebody may have written it: a byte of 1 is good, 2 a fault, 3 a NaN, 4 another's."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def detections(self, heard: Sequence[Heard]) -> list[Detection]:
        found = []
        for message in heard:
            kind = message.data[0]
            if kind == 2:
                raise IndexError("of the adapter")
            self.counts["useless"] += kind == 5
            sensor = "other" if kind == 4 else "mast"
            azimuth_deg = float("nan") if kind == 3 else 1.0
            measure = Bearing(azimuth_deg=azimuth_deg)
            if kind != 5:
                found.append(Detection(time=message.received, sensor=sensor, measure=measure))
        return found


def test_datagrams_through_an_adapter_that_fails() -> None:
    hub = Hub()
    peer = RawUdpPeer("bench", HERE, Odd(), "mast")

    async def then() -> None:
        await listening(hub)
        for kind in (2, 3, 4, 5, 1):
            send(peer.port, bytes([kind]))
            await asyncio.sleep(0.02)
        await until(lambda: len(hub.taken) == 1, "the good one passes")

    beside(peer.run(hub), then)
    assert hub.counts == {
        "adapter-failed: IndexError": 1,
        "malformed: Expected `float`, got `null` - at `$.measure.azimuth_deg`": 1,
        "sensor-not-allowed": 1,
        "useless": 1,
    }
    assert hub.states() == ["connecting", "watching"]
    assert abs(hub.taken[0].time - hub.clock.now()) < 60.0


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("lines+udp://127.0.0.1", "is not lines+udp://HOST:PORT"),
        ("lines+tcp://:4050", "is not lines+tcp://HOST:PORT"),
        ("lines+udp://127.0.0.1:99999", "is not an address"),
        ("lines+udp://127.0.0.1:4050/path", "is not lines+udp://HOST:PORT"),
        ("lines+udp://127.0.0.1:4050?sensr=a", "unknown sensr; there is only iface, sensor"),
        ("lines+udp://127.0.0.1:4050?sensor=", "sensor has no value"),
        ("lines:", "needs a file"),
        ("lines:a.jsonl?x=1", "unknown x"),
        ("raw+udp://127.0.0.1:4050", "must name one adapter"),
        ("raw+udp://127.0.0.1:4050?adapter=not-there", "'not-there' is not installed"),
    ],
)
def test_a_bad_url_is_said(url: str, said: str) -> None:
    make = raw_peer if url.startswith("raw") else lines_peer
    with pytest.raises(ConfigError) as caught:
        make(FeedConfig(name="bench", url=url))
    assert said in str(caught.value)
    assert "bench" in str(caught.value) or "adapter" in str(caught.value)


@pytest.mark.parametrize(("url", "reach"), [
    ("lines+udp://:4050", "this machine only"), ("lines+udp://[::1]:4050", "this machine only"),
    ("lines+tcp-listen://localhost:4050", "this machine only"),
    ("lines+udp://0.0.0.0:4050", "open to the network, without encryption or login"),
    ("lines+tcp-listen://[::]:4050", "open to the network, without encryption or login"),
])  # fmt: skip
def test_a_listener_says_who_can_reach_it(url: str, reach: str) -> None:
    peer = lines_peer(FeedConfig(name="bench", url=url))
    assert isinstance(peer, DatagramPeer | LinesListenerPeer)
    assert reach in (peer.where if isinstance(peer, DatagramPeer) else peer._where)
    assert peer.senses == ("bench",)
    assert not peer.reaches("anybody")


EXTREMES: tuple[Mapping[str, object], ...] = (
    {"kind": "range-bearing", "range_m": 1e308, "azimuth_deg": 0.0, "range_rate_mps": -1e308},
    {"kind": "range-bearing", "range_m": 5e-324, "azimuth_deg": -360.0, "elevation_deg": 90.0},
    {"kind": "position", "lat_deg": 90.0, "lon_deg": 180.0, "alt_m": 1e308, "alt_datum": "egm96"},
    {"kind": "position", "lat_deg": 31.45, "lon_deg": -110.9, "velocity_mps": [1e308, -1e308, 1e308]},
    {"kind": "presence", "range_m": 1e308},
    {"kind": "empty-scan"},
)


def test_a_station_outlives_the_largest_and_smallest_numbers(tmp_path: Path) -> None:
    from station_build import SITE, replay_is_equal

    feed = FeedConfig(name="bench", url="lines+udp://127.0.0.1:0")
    station = assemble(StationConfig(site=SITE, state=str(tmp_path / "state"), feed=(feed,)))
    (peer,) = station.peers

    async def then() -> None:
        await until(lambda: bool(station.view().feeds), "it listens")
        await until(lambda: peer.port > 0, "it has a port")
        for turn in range(3):
            for measure in EXTREMES:
                for sigma in ({}, {"range_m": 5e-324, "horizontal_m": 5e-324}, {"azimuth_deg": 1e308}):
                    send(peer.port, line(turn, measure=measure, sigma=sigma, scan=2**63 - 1))
            await asyncio.sleep(0.1)
        await until(lambda: station.view().feeds[0].detections == 54, "all are taken")

    beside(station.run(), then)
    assert not station.faults
    replay_is_equal(tmp_path / "state")


def test_a_feed_that_floods_takes_nothing_from_another(tmp_path: Path) -> None:
    from station_build import SITE, replay_is_equal

    names = ("loud", "calm")
    feeds = tuple(FeedConfig(name=n, url=f"lines+udp://127.0.0.1:0?sensor={n}") for n in names)
    station = assemble(StationConfig(site=SITE, state=str(tmp_path / "state"), feed=feeds))
    loud, calm = station.peers

    def told() -> dict[str, Any]:
        return {view.feed: view for view in station.view().feeds}

    async def then() -> None:
        await until(lambda: len(told()) == 2 and loud.port > 0 and calm.port > 0, "both listen")
        for number in range(30):
            many = b"".join(line(n, sensor="loud") for n in range(250))
            send(loud.port, *[many] * 8)
            send(loud.port, line(number, sensor="calm"))
            send(calm.port, line(number, sensor="calm"))
            await asyncio.sleep(0.03)
        await until(lambda: told()["calm"].detections == 30, "every line of the calm feed")

    beside(station.run(), then)
    seen = told()
    assert seen["loud"].quarantined["flooded"] > 10_000
    assert 0 < seen["loud"].detections < 30 * 8 * 250 // 2
    assert seen["calm"].quarantined == {}
    assert not station.faults
    replay_is_equal(tmp_path / "state")
