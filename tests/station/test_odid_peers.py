"""The Remote ID peers: captures played in time, pipes followed live, datagrams from anybody."""

import asyncio
import contextlib
import os
import random
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from station_build import SITE, START

from vedette.model import Detection
from vedette.simulate import load_builtin, to_files
from vedette.station.assemble import assemble
from vedette.station.clock import StationClock
from vedette.station.config import ClockConfig, FeedConfig, StationConfig
from vedette.station.peers import odid_capture
from vedette.station.peers.odid_capture import CapturePeer
from vedette.station.peers.odid_udp import OdidUdpPeer
from vedette.wire.capture import PcapWriter, Record, read_records

SERIAL = "1581FXDEMOWATCH00003"


class Hub:
    """Keeps what a receiver tells the station, and when."""

    def __init__(self, speed: float = 1.0) -> None:
        self.clock = StationClock(speed)
        self.taken: list[Detection] = []
        self.at: list[float] = []
        self.feeds: list[tuple[str, str | None]] = []
        self.counts: Counter[str] = Counter()
        self.live = 0

    def detections(self, feed: str, detections: list[Detection]) -> None:
        self.taken += detections
        self.at += [self.clock.now()] * len(detections)

    def feed(self, feed: str, state: str, reason: str | None = None) -> None:
        self.feeds.append((state, reason))

    def counted(self, feed: str, reason: str, count: int) -> None:
        self.counts[reason] += count

    def heard(
        self, feed: str, sent: float | None = None, *, due_s: float | None = None, count: int = 1
    ) -> None:
        self.live += count

    def states(self) -> list[str]:
        return [state for state, _ in self.feeds]


async def until(condition: Callable[[], bool], what: str) -> None:
    for _ in range(1500):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"never happened: {what}")


async def while_running(work: Coroutine[Any, Any, None], then: Callable[[], Awaitable[None]]) -> None:
    """Run a peer beside ``then`` and cancel it as a station would."""
    task = asyncio.create_task(work)
    try:
        await then()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    """The frames of a drone that hovers near."""
    folder = tmp_path_factory.mktemp("capture")
    to_files(load_builtin("hover-near"), START, lambda name: (folder / name).open("wb"))
    return list(read_records(folder / "remote-id.pcap"))


def capture(path: Path, records: list[Record], times: list[float] | None = None) -> Path:
    with PcapWriter(path, records[0].link_type) as writer:
        for number, record in enumerate(records):
            writer.write(record.time if times is None else times[number], record.data)
    return path


def play(path: Path, speed: float) -> tuple[Hub, CapturePeer]:
    hub = Hub(speed)
    peer = CapturePeer("rid", str(path))
    asyncio.run(peer.run(hub))
    return hub, peer


def test_a_capture_plays_in_order_at_the_stations_speed(records: list[Record], tmp_path: Path) -> None:
    hub, peer = play(capture(tmp_path / "a.pcap", records), 200.0)
    assert len(hub.taken) > 100
    received = [d.received for d in hub.taken]
    assert received == sorted(received)
    assert received[-1] - received[0] == pytest.approx(records[-1].time - records[0].time, abs=3.0)
    assert all(at >= stamp - 1e-6 for at, stamp in zip(hub.at, received, strict=True)), "before it was due"
    assert hub.states() == ["connecting", "watching", "ended"]
    assert f"{len(records)} frames read" in hub.feeds[-1][1]
    assert peer.frames.counts["frames"] == len(records)
    assert not hub.counts
    assert {d.claim.id for d in hub.taken if d.claim} == {SERIAL}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"noise" * 100, "not a capture"),
        (None, "cannot be read"),
        (b"\xd4\xc3\xb2\xa1", "not a"),
    ],
)
def test_a_bad_capture_is_a_feed_that_is_down(tmp_path: Path, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / "bad.pcap").write_bytes(content)
    hub, _ = play(tmp_path / "bad.pcap", 1.0)
    state, reason = hub.feeds[-1]
    assert state == "down"
    assert says in reason
    assert "bad.pcap" in reason
    assert "watching" not in hub.states()


def test_a_cut_and_a_spoiled_capture_are_told(records: list[Record], tmp_path: Path) -> None:
    path = capture(tmp_path / "a.pcap", records[:20])
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    assert play(path, 1000.0)[0].counts["truncated-record"] == 1
    path.write_bytes(whole + b"\xff" * 100)
    hub, _ = play(path, 1000.0)
    assert hub.counts["ended:absurd-length"] == 1
    assert hub.counts["lost-bytes"] == 100
    assert hub.states()[-1] == "ended"


def test_times_that_go_back_count_as_now(records: list[Record], tmp_path: Path) -> None:
    few = records[:30]
    times = [record.time for record in few]
    times[10:20] = [time - 5000.0 for time in times[10:20]]
    usual = len(play(capture(tmp_path / "usual.pcap", few), 100.0)[0].taken)
    hub, _ = play(capture(tmp_path / "a.pcap", few, times), 100.0)
    received = [d.received for d in hub.taken]
    assert received == sorted(received)
    assert received[-1] - received[0] < 60.0
    assert hub.counts["time-backwards"] == 10
    held = [stamp for stamp in received if abs(stamp - received[0] - (times[9] - times[0])) < 0.5]
    assert len(held) > 2, "those that went back are dated as the one before them"
    assert usual >= len(received) > usual // 2


def simple_packets(path: Path, records: list[Record]) -> Path:
    """A pcapng of simple packet blocks, which carry no time (draft-ietf-opsawg-pcapng, 4.4)."""

    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        size = (len(body) + 12).to_bytes(4, "little")
        return kind.to_bytes(4, "little") + size + body + size

    section = block(0x0A0D0D0A, (0x1A2B3C4D).to_bytes(4, "little") + b"\1\0\0\0" + b"\xff" * 8)
    interface = block(
        1, records[0].link_type.to_bytes(2, "little") + bytes(2) + (65_535).to_bytes(4, "little")
    )
    packets = [block(3, len(r.data).to_bytes(4, "little") + r.data) for r in records]
    path.write_bytes(section + interface + b"".join(packets))
    return path


def test_frames_without_any_time_happen_now(records: list[Record], tmp_path: Path) -> None:
    before = StationClock().now()
    hub, _ = play(simple_packets(tmp_path / "a.pcapng", records[:40]), 1.0)
    assert hub.taken
    assert all(before - 1.0 <= d.received <= hub.clock.now() for d in hub.taken)
    assert hub.counts["no-time"] == 40
    assert hub.states() == ["connecting", "watching", "ended"]


def test_a_pipe_is_live_and_is_opened_again(records: list[Record], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(odid_capture, "AGAIN_S", 0.01)
    path = tmp_path / "pipe"
    os.mkfifo(path)
    hub = Hub()

    def write(part: list[Record]) -> Callable[[], None]:
        """A receiver's program that stays connected until it is told to go."""
        pipe = path.open("wb")
        with PcapWriter(pipe, part[0].link_type) as writer:
            for record in part:
                writer.write(hub.clock.now(), record.data)
        return pipe.close

    async def scenario() -> None:
        go = await asyncio.to_thread(write, records[:30])
        await until(lambda: len(hub.taken) >= 10, "frames while the pipe is open")
        assert hub.states()[-1] == "watching"
        first = len(hub.taken)
        go()
        await until(lambda: hub.states()[-1] in ("ended", "connecting"), "the writer's end is told")
        go = await asyncio.to_thread(write, records[100:130])
        await until(lambda: len(hub.taken) > first, "frames of the next writer")
        go()
        await until(lambda: hub.states().count("ended") >= 2, "its end too")

    async def both() -> None:
        await while_running(CapturePeer("rid", str(path)).run(hub), scenario)
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))

    asyncio.run(both())
    assert all(abs(d.received - hub.clock.now()) < 60.0 for d in hub.taken)
    assert hub.states()[:2] == ["connecting", "watching"]
    assert hub.counts["old-frames"] == 0


def test_a_recording_through_a_pipe_is_told_as_old(records: list[Record], tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    hub = Hub()

    async def scenario() -> None:
        old = [Record(1_600_000_000.0 + n, r.link_type, r.data) for n, r in enumerate(records[:20])]
        await asyncio.to_thread(lambda: capture(path, old))
        await until(lambda: hub.counts["old-frames"] == 20, "the frames are counted as old")

    asyncio.run(while_running(CapturePeer("rid", str(path)).run(hub), scenario))


def send(port: int, datagrams: list[bytes]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for datagram in datagrams:
            sender.sendto(datagram, ("127.0.0.1", port))


def test_datagrams_are_frames_captured_now(records: list[Record]) -> None:
    hub = Hub()
    peer = OdidUdpPeer("rid", "127.0.0.1", 0, records[0].link_type)

    async def scenario() -> None:
        await until(lambda: "watching" in hub.states(), "it listens")
        assert peer.port > 0
        for record in records[:60:2]:
            send(peer.port, [record.data])
            await asyncio.sleep(0.001)
        await until(lambda: len(hub.taken) >= 10, "detections")

    asyncio.run(while_running(peer.run(hub), scenario))
    assert {d.claim.id for d in hub.taken if d.claim} == {SERIAL}
    assert {d.sensor for d in hub.taken} == {"rid"}
    assert all(abs(d.received - hub.clock.now()) < 60.0 for d in hub.taken)


def test_a_taken_port_is_told_and_tried_again() -> None:
    hub = Hub()

    async def scenario() -> None:
        await until(lambda: "down" in hub.states(), "it says that the port is taken")

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        asyncio.run(while_running(OdidUdpPeer("rid", "127.0.0.1", port, 127).run(hub), scenario))
    assert f"UDP 127.0.0.1:{port}" in hub.feeds[0][1]


def station_of(folder: Path, *feeds: FeedConfig, speed: float = 1.0):
    """A real station with these feeds."""
    config = StationConfig(site=SITE, state=str(folder), clock=ClockConfig(speed=speed), feed=feeds)
    return assemble(config)


def test_a_flood_of_noise_leaves_the_drone_visible(records: list[Record], tmp_path: Path) -> None:
    station = station_of(tmp_path / "state", FeedConfig(name="rid", url="odid+udp://127.0.0.1:0?link=256"))
    (peer,) = station.peers
    noise = random.Random(7)

    async def scenario() -> None:
        await until(lambda: any(f.state == "watching" for f in station.view().feeds), "it listens")
        # While it hovers, or frames sent this fast would tell of a drone no faster track could follow.
        hovering = [r for r in records if 95.0 < r.time - START < 175.0]
        for record in hovering[:240:3]:
            send(peer.port, [noise.randbytes(noise.randrange(0, 400)) for _ in range(20)])
            send(peer.port, [record.data])
            await asyncio.sleep(0.01)
        await until(lambda: station.view().feeds[0].detections > 10, "detections")

    asyncio.run(while_running(station.run(), scenario))
    (feed,) = station.view().feeds
    assert feed.state in ("watching", "degraded"), "a sender of rubbish is told, the feed stays up"
    assert sum(feed.quarantined.values()) > 100, feed.quarantined
    assert all(
        reason.startswith(("malformed:", "bad-crc", "flooded", "clock-off")) for reason in feed.quarantined
    )
    assert SERIAL in {track.identity.id for track in station.view().tracks if track.identity}
    assert not station.faults


def test_a_station_outlives_a_bad_capture(records: list[Record], tmp_path: Path) -> None:
    (tmp_path / "bad.pcap").write_bytes(b"noise" * 100)
    good = capture(tmp_path / "good.pcap", records)
    feeds = [FeedConfig(name=path.stem, url=f"odid+pcap:{path}") for path in (tmp_path / "bad.pcap", good)]
    station = station_of(tmp_path / "state", *feeds, speed=20.0)

    async def scenario() -> None:
        await until(lambda: bool(station.view().tracks), "a track of the good capture")

    asyncio.run(while_running(station.run(), scenario))
    told = {feed.feed: feed for feed in station.view().feeds}
    assert told["bad"].state == "down"
    assert "not a capture" in told["bad"].reason
    assert told["good"].state == "watching"
    assert station.view().summary.startswith("Watching with 1 of 2 drone sensors.")
    assert not station.faults
