"""ADS-B receivers over real TCP: what they say becomes detections, what floods or hangs costs only itself."""

import asyncio
import contextlib
import math
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from station_feed_hub import SITE, FeedHub, beside, until

from vedette.geo import LocalFrame
from vedette.model import ConfigError, Detection, Position
from vedette.station.config import FeedConfig
from vedette.station.peers import adsb_feed, adsb_stream
from vedette.station.peers._line_feed import Address
from vedette.station.peers.adsb import SCHEMES, adsb_peer
from vedette.station.peers.adsb_feed import USELESS_BYTES, BeastFeed, SbsFeed
from vedette.station.peers.adsb_stream import (
    MOST_BYTES_PER_S,
    FreshestBytes,
    Patience,
    StreamClientPeer,
    StreamListenerPeer,
)
from vedette.wire.adsb import (
    TICKS_PER_S,
    AirbornePosition,
    BeastBatcher,
    BeastFrame,
    SbsSplitter,
    adsb,
    cpr,
    encode,
    encode_beast,
)

ICAO = 0x4B1812
LOCAL = Address("127.0.0.1", 0, {})
HASTE = Patience(connect_s=2.0, frame_s=0.3, idle_s=0.6)


def frame(odd: bool, address: int = ICAO, lat: float = 47.3) -> bytes:
    message = AirbornePosition(11, 0, False, 5000.0, False, odd, *cpr.encode(lat, 8.6, odd))
    return encode_beast(BeastFrame(1, 128, encode(adsb(address, message))))


def fix(address: int = ICAO) -> bytes:
    return b"".join(frame(odd, address) for odd in (False, True, False))


def sbs_line(address: int = ICAO) -> bytes:
    return b"MSG,3,1,1,%06X,1,,,,,,5000,,,47.3,8.6,,,,,,0\r\n" % address


def addresses(hub: FeedHub) -> list[str]:
    return [d.claim.id for d in hub.all() if d.claim]


class Server:
    """A receiver that listens and answers as ``serve`` says."""

    def __init__(self, serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]) -> None:
        self._serve = serve
        self.connections = 0

    async def __aenter__(self) -> "Server":
        self._tasks: set[asyncio.Task[Any]] = set()
        self._server = await asyncio.start_server(self._one, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError):
                await self._serve(reader, writer)
        finally:
            writer.transport.abort()


@contextlib.asynccontextmanager
async def running(peer: Any, hub: FeedHub) -> AsyncIterator[None]:
    task = asyncio.create_task(peer.run(hub))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def client(port: int, make: Any = BeastFeed, **options: Any) -> StreamClientPeer:
    options = {"patience": HASTE, "reconnect_s": (0.05, 0.2)} | options
    return StreamClientPeer("sky", Address("127.0.0.1", port, {}), make, **options)


async def listening(hub: FeedHub, peer: StreamListenerPeer) -> None:
    await until(lambda: "listening" in (hub.reason("sky") or ""), "it listens")
    assert peer.port


@contextlib.asynccontextmanager
async def pushing(port: int) -> AsyncIterator[asyncio.StreamWriter]:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield writer
    finally:
        writer.transport.abort()


# ---- the URL


def config(url: str) -> FeedConfig:
    return FeedConfig(name="sky", url=url)


def test_every_scheme_has_a_peer() -> None:
    urls = [
        "beast+tcp://127.0.0.1:30005", "beast+tcp-listen://:30104", "sbs+tcp://127.0.0.1:30003?every_s=2",
        "aircraft+http://127.0.0.1:8080/data/aircraft.json?period_s=0.5", "aircraft:/run/readsb?period_s=2",
        "beast:minute.beast?clock=gps", "sbs:-",
    ]  # fmt: skip
    assert {url.partition(":")[0] for url in urls} == set(SCHEMES)
    for url in urls:
        peer = adsb_peer(config(url))
        assert peer.senses == ("sky",)
        assert not peer.reaches("anybody")


@pytest.mark.parametrize(
    "url",
    [
        "beast+tcp://127.0.0.1", "beast+tcp://:30005", "beast+tcp://h:1/path", "beast+tcp://h:1?what=1",
        "beast+tcp://h:99999", "beast+tcp://h:1?every_s=0", "sbs+tcp://h:1?every_s=nan", "beast:", "sbs:",
        "beast:x?clock=sundial", "sbs:x?clock=gps", "aircraft:", "aircraft:x?period_s=0", "beast+udp://h:1",
        "aircraft+http://h:80", "aircraft+http:///data/aircraft.json", "aircraft+http://u:p@h/aircraft.json",
        "aircraft+http://h:99999/aircraft.json", "aircraft+http://h/a b", "aircraft+http://h/a?apikey=1",
    ],
)  # fmt: skip
def test_a_bad_address_is_told(url: str) -> None:
    with pytest.raises(ConfigError, match="sky"):
        adsb_peer(config(url))


def test_a_listener_without_a_host_is_on_loopback() -> None:
    peer = adsb_peer(config("beast+tcp-listen://:30104"))
    assert isinstance(peer, StreamListenerPeer)
    assert peer._address.host == "127.0.0.1"


# ---- a receiver that listens


@pytest.mark.parametrize(("make", "data"), [(BeastFeed, fix()), (SbsFeed, sbs_line())], ids=["beast", "sbs"])
def test_frames_and_lines_become_detections(make: Any, data: bytes) -> None:
    hub = FeedHub()

    async def run() -> None:
        async def serve(_: object, writer: asyncio.StreamWriter) -> None:
            for i in range(0, len(data), 7):
                writer.write(data[i : i + 7])
                await writer.drain()
                await asyncio.sleep(0.001)
            await asyncio.sleep(60)

        async with Server(serve) as server, running(client(server.port, make), hub):
            await until(lambda: bool(hub.all()), "a detection")

    asyncio.run(run())
    detection = hub.all()[0]
    assert addresses(hub)[0] == "4b1812"
    assert detection.sensor == "sky"
    assert detection.time == detection.received
    assert hub.states("sky")[:4] == ["connecting", "connecting", "connecting", "watching"]
    assert "without encryption" in (hub.feeds[3][2] or "")
    assert hub.live["sky"] >= 1
    assert not hub.counts


def test_it_connects_again_and_says_why() -> None:
    hub = FeedHub()

    async def run() -> None:
        async def serve(_: object, writer: asyncio.StreamWriter) -> None:
            writer.write(fix())
            await writer.drain()

        async with Server(serve) as server, running(client(server.port), hub):
            await until(lambda: server.connections >= 3, "three connections")
        await asyncio.sleep(0)

    asyncio.run(run())
    assert hub.states("sky").count("down") >= 2
    assert any("closed the connection; next attempt in" in (reason or "") for _, _, reason in hub.feeds)


def test_nobody_there() -> None:
    hub = FeedHub()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        peer = client(taken.getsockname()[1])

        async def then() -> None:
            await until(lambda: hub.states("sky").count("down") >= 2, "two attempts")

        beside(peer.run(hub), then)
    assert "cannot connect" in (hub.reason("sky") or "")
    assert hub.live["sky"] == 0


@pytest.mark.parametrize(
    ("make", "sent", "words"),
    [
        (BeastFeed, b"\x1a3" + bytes(15), "no Beast frame ended"),
        (SbsFeed, b"MSG,3,1,1,4B1812", "no SBS line ended"),
        (BeastFeed, b"", "silent for too long"),
    ],
)
def test_what_hangs_is_dropped(make: Any, sent: bytes, words: str) -> None:
    """Slow-loris, and a half-open connection."""
    hub = FeedHub()

    async def run() -> None:
        async def drip(_: object, writer: asyncio.StreamWriter) -> None:
            for byte in sent:
                writer.write(bytes((byte,)))
                await asyncio.sleep(0.05)
            await asyncio.sleep(60)

        async with Server(drip) as server, running(client(server.port, make), hub):
            await until(lambda: "down" in hub.states("sky"), "it is dropped")

    asyncio.run(run())
    assert any(words in (reason or "") for _, state, reason in hub.feeds if state == "down")
    assert "watching" not in hub.states("sky")


def test_a_receiver_under_an_empty_sky_is_kept() -> None:
    """dump1090 sends an empty Mode A/C frame, or an empty line, each minute."""
    hubs = {BeastFeed: FeedHub(), SbsFeed: FeedHub()}
    beats = {BeastFeed: encode_beast(BeastFrame(0, 0, b"\0\0")), SbsFeed: b"\r\n"}

    async def run(make: Any) -> None:
        async def serve(_: object, writer: asyncio.StreamWriter) -> None:
            while True:
                writer.write(beats[make])
                await asyncio.sleep(0.2)

        async with Server(serve) as server, running(client(server.port, make), hubs[make]):
            await until(lambda: hubs[make].live["sky"] >= 8, "signs of life for longer than idle_s")
            assert server.connections == 1

    for make, hub in hubs.items():
        asyncio.run(run(make))
        assert "down" not in hub.states("sky")
        assert not hub.all()


def test_a_receiver_without_an_antenna_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adsb_feed, "NO_MODE_S_S", 0.2)
    hub = FeedHub()

    async def run() -> None:
        feed = BeastFeed(hub, "sky")
        stream = feed.stream()
        beat = encode_beast(BeastFrame(0, 0, b"\0\0"))
        stream.take(beat, hub.clock.now())
        assert not hub.troubles
        await asyncio.sleep(0.3)
        stream.take(beat, hub.clock.now())
        assert "antenna" in hub.troubles["sky", "no-mode-s"]
        stream.take(fix(), hub.clock.now())
        assert not hub.troubles
        await asyncio.sleep(0.3)
        feed.stream().take(beat, hub.clock.now())
        assert not hub.troubles, "while nobody was connected nothing could be heard"

    asyncio.run(run())


def test_a_site_that_is_elsewhere_is_told() -> None:
    hub = FeedHub(site=msgspec.structs.replace(SITE, lat_deg=-33.0))

    async def run() -> None:
        stream = SbsFeed(hub, "sky").stream()
        for _ in range(60):
            stream.take(sbs_line(), hub.clock.now())

    asyncio.run(run())
    assert "site's position" in hub.troubles["sky", "elsewhere"]
    assert hub.counts["sky", "beyond-reach"] == 60
    assert not hub.all()


@pytest.mark.parametrize(("make", "what"), [(BeastFeed, "Beast frame"), (SbsFeed, "SBS line")])
def test_what_is_no_receiver_is_left(make: Any, what: str) -> None:
    hub = FeedHub()

    async def run() -> None:
        async def serve(_: object, writer: asyncio.StreamWriter) -> None:
            while True:
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\x1ax" * 200)
                await writer.drain()
                await asyncio.sleep(0.005)

        async with Server(serve) as server, running(client(server.port, make), hub):
            await until(lambda: "down" in hub.states("sky"), "it is left")

    asyncio.run(run())
    assert any(f"{USELESS_BYTES // 1024} kB and no {what}" in (reason or "") for _, _, reason in hub.feeds)
    assert hub.live["sky"] == 0


def test_damaged_frames_are_counted_and_are_no_sign_of_life() -> None:
    hub = FeedHub()
    bad = bytearray(encode(adsb(ICAO, AirbornePosition(11, 0, False, 5000.0, False, True, 1, 1))))
    bad[7] ^= 1

    async def run() -> None:
        stream = BeastFeed(hub, "sky").stream()
        cut = b"\x1a3\x00\x00\x00\x1a3"
        for data in (
            encode_beast(BeastFrame(1, 1, bytes(bad))),
            cut,
            encode_beast(BeastFrame(1, 1, bytes(14)))[9:],
        ):
            stream.take(data, hub.clock.now())
        assert hub.live["sky"] == 0
        assert stream.good == 0
        lines = SbsFeed(hub, "lines").stream()
        lines.take(b"MSG,3,1,1,XYZ\r\n", hub.clock.now())
        assert hub.live["lines"] == 0

    asyncio.run(run())
    assert hub.counts["sky", "bad-crc"] == 1
    assert hub.counts["sky", "malformed: frame cut off"] >= 1
    assert hub.counts["lines", "malformed: field-count"] == 1
    assert not hub.all()


# ---- floods


class Tape:
    """A stream that only keeps what it is given."""

    what = "piece"

    def __init__(self) -> None:
        self.good = self.ended = self.useless = 0
        self.taken: list[bytes] = []
        self.cuts: list[int] = []

    def take(self, data: bytes, received: float) -> None:
        self.taken.append(data)

    def cut(self) -> None:
        self.cuts.append(len(self.taken))

    def pieces(self, data: bytes) -> int:
        return data.count(b"|")


def test_the_freshest_of_a_flood_is_kept_in_order() -> None:
    tape, shed = Tape(), []

    async def run() -> None:
        freshest = FreshestBytes(tape, lambda: 100_000.0, shed.append)
        data = b"".join(b"%07d|" % i for i in range(100_000))
        freshest.put(data, 0.0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        kept = b"".join(tape.taken)
        assert 4096 <= len(kept) <= 10_000 + 4096
        assert data.endswith(kept), "the last that came, uncut"
        assert tape.cuts == [0], "what was begun before the gap is given up"
        assert shed == [sum(1 for _ in range(100_000)) - len(kept) // 8]
        assert freshest._bytes == 0
        freshest.put(b"x" * 9_000, 0.0)
        await until(lambda: len(b"".join(tape.taken)) == len(kept) + 9_000, "the rest when the rate allows")
        freshest.put(b"y" * 9_000, 0.0)
        freshest.close()
        await asyncio.sleep(0.3)
        assert b"y" not in b"".join(tape.taken)

    asyncio.run(run())
    assert len(shed) == 1


def test_a_flood_of_frames_is_shed_and_the_loop_goes_on() -> None:
    """Ten times the budget and more: counted, the memory bounded, and frames behind the gap are read."""
    hub = FeedHub()
    turns = 0
    burst = b"".join(frame(i % 2 == 0, address=1 + i % 300) for i in range(3000))

    async def run() -> None:
        nonlocal turns

        async def serve(_: object, writer: asyncio.StreamWriter) -> None:
            for _ in range(60):
                writer.write(burst)
                await writer.drain()
            await asyncio.sleep(0.5)
            while True:
                writer.write(fix())
                await asyncio.sleep(0.1)

        async with Server(serve) as server, running(client(server.port), hub):
            while not ("4b1812" in addresses(hub) and hub.counts["sky", "flooded"] > 100_000):
                turns += 1
                await asyncio.sleep(0.001)
                assert turns < 60_000

    asyncio.run(run())
    assert turns > 50, "the loop had its turns"
    assert len([d for d in hub.all() if d.claim]) < 3000, "no aircraft more than once a second"
    assert "watching" in hub.states("sky")
    assert "down" not in hub.states("sky")


def test_after_a_gap_lines_begin_anew() -> None:
    hub = FeedHub()

    async def run() -> None:
        stream = SbsFeed(hub, "sky").stream()
        stream.take(sbs_line(1)[:30], 1.0)
        stream.cut()
        stream.take(sbs_line(2)[10:] + sbs_line(3), 1.0)
        beast = BeastFeed(hub, "frames").stream()
        beast.take(frame(False)[:12], 1.0)
        beast.cut()
        beast.take(frame(True)[12:] + fix(), 1.0)
        assert beast.good == 3

    asyncio.run(run())
    assert [d.claim.id for d in hub.taken["sky"] if d.claim] == ["000003"]
    assert not hub.counts


# ---- receivers that push


def test_two_receivers_of_one_sky_make_one_detection() -> None:
    hub = FeedHub()
    peer = StreamListenerPeer("sky", LOCAL, BeastFeed)

    async def then() -> None:
        await listening(hub, peer)
        assert hub.states("sky")[-1] == "connecting"
        assert "this machine only" in (hub.reason("sky") or "")
        async with pushing(peer.port) as one, pushing(peer.port) as other:
            await until(
                lambda: "2 connected, nothing intact yet" in (hub.reason("sky") or ""), "both are there"
            )
            one.write(frame(False))
            await until(lambda: hub.live["sky"] == 1, "the first half")
            other.write(frame(True) + frame(False))
            await until(lambda: bool(hub.all()), "a detection of what both heard")
            one.write(frame(True))
            await until(lambda: hub.live["sky"] >= 3, "heard again")
            assert hub.states("sky")[-1] == "watching"
        await until(lambda: "nobody is connected" in (hub.reason("sky") or ""), "both have left")
        assert hub.states("sky")[-1] == "connecting", "nobody watches"

    beside(peer.run(hub), then)
    assert len(hub.all()) == 1


def test_connections_are_bounded_and_a_receiver_that_works_stays() -> None:
    hub = FeedHub()
    peer = StreamListenerPeer("sky", LOCAL, BeastFeed, patience=Patience(frame_s=0.2, idle_s=60.0), most=2)

    async def then() -> None:
        await listening(hub, peer)
        async with pushing(peer.port) as good, pushing(peer.port):
            good.write(fix())
            await until(lambda: bool(hub.all()), "one works")
            async with pushing(peer.port):
                await until(
                    lambda: hub.counts["sky", "connection-refused: too many"] == 1, "too many at once"
                )
            await asyncio.sleep(0.3)
            async with pushing(peer.port) as newcomer:
                made_room = ("sky", "connection-dropped: made room for another")
                await until(lambda: hub.counts[made_room] == 1, "the mute one makes room")
                newcomer.write(fix(0x123456))
                await until(lambda: "123456" in addresses(hub), "the newcomer is heard")
                good.write(fix(0x654321))
                await until(lambda: "654321" in addresses(hub), "and so is the one that worked")

    beside(peer.run(hub), then)


def test_a_connection_that_dies_amid_a_frame_disturbs_no_other() -> None:
    hub = FeedHub()
    peer = StreamListenerPeer("sky", LOCAL, BeastFeed, patience=HASTE)

    async def then() -> None:
        await listening(hub, peer)
        async with pushing(peer.port) as other:
            async with pushing(peer.port) as one:
                one.write(frame(False)[:9])
                await one.drain()
                other.write(fix())
                await until(lambda: bool(hub.all()), "the other is heard")
            async with pushing(peer.port) as slow:
                slow.write(b"\x1a3")
                reason = ("sky", "connection-dropped: no Beast frame ended")
                for _ in range(200):
                    other.write(frame(True))
                    await asyncio.sleep(0.01)
                    if hub.counts[reason]:
                        break
                assert hub.counts[reason] == 1

    beside(peer.run(hub), then)


def test_a_flooder_leaves_the_others_their_share() -> None:
    hub = FeedHub()
    peer = StreamListenerPeer("sky", LOCAL, BeastFeed)
    burst = b"".join(frame(i % 2 == 0, address=1 + i % 300) for i in range(3000))

    async def then() -> None:
        await listening(hub, peer)
        async with pushing(peer.port) as flooder, pushing(peer.port) as good:

            async def flood() -> None:
                while True:
                    flooder.write(burst)
                    await flooder.drain()

            task = asyncio.create_task(flood())
            await until(lambda: hub.counts["sky", "flooded"] > 10_000, "the flood is counted")
            good.write(fix())
            await until(lambda: "4b1812" in addresses(hub), "the other is heard")
            assert peer._share() == pytest.approx(min(MOST_BYTES_PER_S, adsb_stream.MOST_TOGETHER_PER_S / 2))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    beside(peer.run(hub), then)


def test_a_taken_port_is_told() -> None:
    hub = FeedHub()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        peer = StreamListenerPeer("sky", Address("127.0.0.1", taken.getsockname()[1], {}), BeastFeed)

        async def then() -> None:
            await until(lambda: "down" in hub.states("sky"), "it is told")

        beside(peer.run(hub), then)
    assert "cannot listen" in (hub.reason("sky") or "")


# ---- a minute of real reception


@pytest.mark.field
def test_the_real_capture_over_tcp(field_data: Path) -> None:
    """Twenty times as fast, by the ticks of its frames: the golden aircraft, each within 30 m."""
    folder = field_data / "protocols/adsb"
    capture = (folder / "ulss7_60s.beast").read_bytes()
    golden = golden_places((folder / "ulss7_60s.sbs.txt").read_bytes())
    hub = FeedHub(speed=20.0, site=msgspec.structs.replace(SITE, lat_deg=59.9, lon_deg=30.3))

    async def run() -> None:
        async def serve(_: object, writer: asyncio.StreamWriter) -> None:
            await play(capture, writer, 20.0)
            await asyncio.sleep(60)

        expected = set(golden)
        async with Server(serve) as server, running(client(server.port), hub):
            await until(lambda: set(addresses(hub)) == expected and len(hub.all()) > 300, "all of them")

    asyncio.run(run())
    assert len(golden) == 11
    for detection in hub.all():
        assert farthest_from(golden, detection) < 30.0
    # A machine that pauses makes the playing catch up, and aircraft then seem to jump: no other refusals.
    assert {reason for _, reason in hub.counts} <= {"position-jumped"}


def golden_places(lines: bytes) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for message in SbsSplitter().feed(lines):
        if message.lat_deg is not None and message.lon_deg is not None:
            found.setdefault(f"{message.address:06x}", []).append((message.lat_deg, message.lon_deg))
    return found


def farthest_from(golden: dict[str, list[tuple[float, float]]], detection: Detection) -> float:
    """Metres from a detection to the nearest golden position of its aircraft."""
    measure = detection.measure
    assert isinstance(measure, Position)
    assert detection.claim is not None
    here = LocalFrame(measure.lat_deg, measure.lon_deg, 0.0)
    offsets = (here.to_enu(lat, lon, 0.0) for lat, lon in golden[detection.claim.id])
    return min(math.hypot(east, north) for east, north, _ in offsets)


async def play(capture: bytes, writer: asyncio.StreamWriter, speed: float) -> None:
    """Each frame's bytes when its ticks say, in steps of 10 ms, and never as many as a flood."""
    batch = BeastBatcher().feed(capture)
    loop = asyncio.get_running_loop()
    began, at = loop.time(), 0
    pieces = [
        encode_beast(BeastFrame(t, s, m[:n].tobytes()))
        for t, s, n, m in zip(
            batch.ticks.tolist(), batch.signal.tolist(), batch.length.tolist(), batch.message, strict=True
        )
    ]
    due = ((batch.ticks - batch.ticks[0]) / TICKS_PER_S / speed).tolist()
    while at < len(pieces):
        now = loop.time() - began
        start = at
        while at < min(len(pieces), start + 90) and due[at] <= now:
            at += 1
        writer.write(b"".join(pieces[start:at]))
        await writer.drain()
        await asyncio.sleep(0.01)
