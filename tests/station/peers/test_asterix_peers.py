"""ASTERIX feeds over real sockets and from real recordings: who is heard, what is counted, what is told."""

import asyncio
import contextlib
import functools
import itertools
import math
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from station_feed_hub import FeedHub, beside, until

from vedette.model import Bearing, Claim, ConfigError, Detection, Position, RangeBearing
from vedette.model.event import FeedState
from vedette.station.config import FeedConfig
from vedette.station.health import Health
from vedette.station.peers._line_feed import Address
from vedette.station.peers.asterix import AsterixFilePeer, AsterixUdpPeer, asterix_peer
from vedette.station.peers.asterix_feed import (
    LARGEST_DATAGRAM,
    MOST_QUARANTINED,
    AsterixFeed,
    Options,
    Turns,
)
from vedette.wire.asterix import (
    DirectionReport,
    IncsReport,
    Message,
    RadarService,
    RadarTarget,
    UasIdentification,
    encode,
)
from vedette.wire.capture import PcapWriter, read_records
from vedette.wire.udp import ETHERNET, udp_datagram

LOOPBACK, GROUP = "127.0.0.1", "239.255.71.48"
RADAR = "radars/001-002"


def peer_of(url: str, name: str = "radars") -> AsterixUdpPeer:
    peer = asterix_peer(FeedConfig(name=name, url=url))
    assert isinstance(peer, AsterixUdpPeer)
    return peer


def file_peer(path: Path, query: str = "") -> AsterixFilePeer:
    peer = asterix_peer(FeedConfig(name="radars", url=f"asterix+pcap:{path}{query}"))
    assert isinstance(peer, AsterixFilePeer)
    return peer


def recording(field_data: Path, name: str) -> list[bytes]:
    records = read_records(field_data / "protocols" / "asterix" / name)
    return [udp_datagram(record.data, record.link_type).payload for record in records]


def tod(ahead_s: float = 0.0) -> float:
    """The time of day now."""
    return (time.time() + ahead_s) % 86_400.0


def plot(**fields: Any) -> RadarTarget:
    usual: dict[str, Any] = {"sac": 1, "sic": 2, "plot_type": 1, "range_m": 3000.0, "azimuth_deg": 45.0}
    return RadarTarget(**usual | {"time_of_day_s": tod()} | fields)


def marker(**fields: Any) -> RadarService:
    return RadarService(**{"sac": 1, "sic": 2, "message_type": 1, "time_of_day_s": tod()} | fields)


@contextlib.contextmanager
def sending(host: str, port: int) -> Iterator[Callable[[bytes], None]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOOPBACK))
        yield lambda data: out.sendto(data, (host, port)) and None


async def listening(hub: FeedHub, peer: AsterixUdpPeer) -> None:
    await until(lambda: "listening on" in (hub.reason(peer.name) or ""), "it listens")


def counted(peer: AsterixUdpPeer | AsterixFilePeer, reason: str) -> int:
    return peer.feed.counts.get(reason, 0) if peer.feed is not None else 0


def hear(peer: AsterixUdpPeer, hub: FeedHub, *messages: Message) -> None:
    """Send each message in a datagram of its own and wait until all are read."""

    async def then() -> None:
        await listening(hub, peer)
        with sending(LOOPBACK, peer.port) as send:
            for message in messages:
                send(encode([message]))
        read = functools.partial(sum_of_categories, peer)
        await until(lambda: read() == len(messages), "all were read")

    beside(peer.run(hub), then)


def sum_of_categories(peer: AsterixUdpPeer) -> int:
    counts = {} if peer.feed is None else peer.feed.counts
    return sum(count for reason, count in counts.items() if reason.startswith("cat") and len(reason) == 6)


async def play(send: Callable[[bytes], None], datagrams: list[bytes], read: Callable[[], bool]) -> None:
    """In a few portions, as a network would bring them: the feed's budget is 1,000 a second."""
    for start in range(0, len(datagrams), 20):
        for datagram in datagrams[start : start + 20]:
            send(datagram)
        await asyncio.sleep(0.05)
    await until(read, "the recording was read")


@pytest.mark.field
def test_the_recording_of_2016_through_a_socket_is_counted_exactly(field_data: Path) -> None:
    hub, peer = FeedHub(), peer_of("asterix+udp://:0")
    datagrams = recording(field_data, "cat_034_048.pcap")
    assert len(datagrams) == 100

    async def then() -> None:
        await listening(hub, peer)
        assert hub.states("radars") == ["connecting", "connecting"]
        with sending(LOOPBACK, peer.port) as send:
            await play(send, datagrams, lambda: sum_of_categories(peer) == 162)

    beside(peer.run(hub), then)
    assert peer.feed is not None
    assert {key: value for key, value in peer.feed.counts.items() if key != "clock-off"} == {
        "cat048": 128,
        "cat034": 34,
        "duplicate": 81,
        "detections": 63,
        "service": 17,
        "no-detection": 1,
    }
    assert len(hub.all()) == 63
    assert sum(count for feed, count in hub.live.items() if "/" in feed) == 162
    assert hub.live["radars"] == 162
    assert sorted(feed for feed in hub.live if "/" in feed) == [
        f"radars/025-{sic:03d}" for sic in (11, 12, 13, 14, 201, 204, 205)
    ]
    assert hub.states("radars")[-1] == "watching"
    assert list(hub.sensors) == ["radars-025-012"]
    assert hub.due == {"radars/025-012": pytest.approx(2.5 * 4.9453125)}
    assert hub.counts[("radars", "duplicate")] == 81
    assert {reason for _, reason in hub.counts} <= {"duplicate", "clock-off"}


@pytest.mark.field
def test_the_pre_standard_recording_of_2008_is_refused_whole_through_a_socket(field_data: Path) -> None:
    hub, peer = FeedHub(), peer_of("asterix+udp://:0")

    async def then() -> None:
        await listening(hub, peer)
        with sending(LOOPBACK, peer.port) as send:
            await play(send, recording(field_data, "asterix.pcap"), lambda: sum(hub.counts.values()) == 100)

    beside(peer.run(hub), then)
    assert hub.counts == {("radars", "edition"): 52, ("radars", "range"): 48}
    assert (hub.all(), hub.live, hub.sensors) == ([], {}, {})
    assert set(hub.states("radars")) == {"connecting"}
    words = hub.reason("radars") or ""
    assert "all that comes is refused" in words
    assert "another edition" in words


@pytest.mark.field
def test_the_recording_of_2016_by_multicast(field_data: Path) -> None:
    hub, peer = FeedHub(), peer_of(f"asterix+udp://{GROUP}:{free_port()}?iface={LOOPBACK}")
    datagrams = recording(field_data, "cat_034_048.pcap")

    async def then() -> None:
        await until(lambda: len(hub.states("radars")) > 1, "it joined or failed")
        if hub.states("radars")[-1] == "down":
            pytest.skip(f"this machine's loopback joins no group: {hub.reason('radars')}")
        with sending(GROUP, peer.port) as send:
            try:
                await play(send, datagrams, lambda: sum_of_categories(peer) == 162)
            except OSError as error:
                pytest.skip(f"this machine's loopback carries no multicast: {error}")

    beside(peer.run(hub), then)
    assert len(hub.all()) == 63
    assert hub.reason("radars") == (
        f"listening on multicast group {GROUP}:{peer.port} by {LOOPBACK} (this machine only)"
    )


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def test_a_plot_becomes_a_detection_of_its_radar() -> None:
    hub, peer = FeedHub(), peer_of("asterix+udp://:0?sensor=hill&doppler=receding")
    hear(peer, hub, plot(doppler_mps=-20.0, address=0x3C660C))
    (found,) = hub.taken[RADAR]
    assert found.sensor == "hill-001-002"
    assert isinstance(found.measure, RangeBearing)
    assert found.measure.range_m == pytest.approx(3000.0, abs=4.0)
    assert found.measure.range_rate_mps == -20.0
    assert found.claim == Claim(scheme="icao", id="3c660c")
    assert found.received is not None
    assert abs(found.time - found.received) < 5.0
    assert hub.sent[RADAR] == [pytest.approx(found.time, abs=0.01)]
    assert hub.reason("radars") == f"listening on UDP {LOOPBACK}:{peer.port} (this machine only)"


def test_a_radar_is_called_watching_once_and_again_when_more_is_known_of_it() -> None:
    hub, peer = FeedHub(), peer_of("asterix+udp://:0")
    hear(peer, hub, *(plot(track_number=number) for number in range(5)), marker(), marker(message_type=2))
    assert hub.states(RADAR) == ["watching", "watching"]
    assert (hub.live[RADAR], hub.states("radars")) == (7, ["connecting", "connecting", "watching"])


def test_a_staring_radar_a_finder_and_a_uas_pass_through() -> None:
    hub, peer = FeedHub(), peer_of("asterix+udp://:0?cat129=1")
    hear(
        peer,
        hub,
        IncsReport(
            sac=1,
            sic=15,
            message_type=1,
            arrangement=0,
            taxonomy=0,
            range_m=2500.0,
            azimuth_deg=200.0,
            elevation_deg=5.0,
            time_of_day_s=tod(),
        ),
        DirectionReport(
            sac=1, sic=205, message_type=5, azimuth_deg=123.0, sensor=7, time_of_day_s=tod(), channel="433.92"
        ),
        UasIdentification(
            sac=1,
            sic=129,
            serial=b"1581F5BK0001",
            lat_deg=47.2,
            lon_deg=8.5,
            altitude_msl_m=520.0,
            time_of_day_s=tod(),
        ),
    )
    (staring,), (finder,), (uas,) = (hub.taken[f"radars/001-{sic:03d}"] for sic in (15, 205, 129))
    assert isinstance(staring.measure, RangeBearing)
    assert staring.measure.elevation_deg == pytest.approx(5.0, abs=0.01)
    assert (finder.measure, finder.sensor) == (Bearing(azimuth_deg=123.0), "radars-001-205-007")
    assert isinstance(uas.measure, Position)
    assert (uas.measure.lat_deg, uas.measure.alt_m) == (pytest.approx(47.2, abs=1e-6), pytest.approx(520.0))
    assert uas.claim == Claim(scheme="remote-id-serial", id="1581F5BK0001")


def test_a_layout_that_nobody_has_verified_is_read_only_on_request() -> None:
    hub, peer = FeedHub(), peer_of("asterix+udp://:0")
    hear(peer, hub, UasIdentification(sac=1, sic=2, lat_deg=47.2, lon_deg=8.5, time_of_day_s=tod()))
    assert hub.all() == []
    assert hub.counts == {("radars", "cat129-off"): 1}


def test_only_named_sources_are_taken_and_missed() -> None:
    hub, peer = FeedHub(), peer_of("asterix+udp://:0?sac-sic=1/2&sac-sic=1/3")
    hear(peer, hub, plot(), plot(sic=9), marker(sic=9))
    assert len(hub.taken[RADAR]) == 1
    assert hub.counts[("radars", "other-source")] == 2
    assert hub.states(RADAR) == ["connecting", "watching"]
    assert hub.states("radars/001-003") == ["connecting"]
    assert hub.reason("radars/001-003") == "nothing heard of it yet"
    assert "radars/001-009" not in hub.live


def test_a_feed_of_other_sources_only_says_so() -> None:
    hub, peer = FeedHub(), peer_of("asterix+udp://:0?sac-sic=1/3")
    hear(peer, hub, *(plot(track_number=number) for number in range(12)))
    assert set(hub.states("radars")) == {"connecting"}
    assert "sources that the address does not allow" in (hub.reason("radars") or "")
    assert hub.live == {}


def test_what_a_radar_says_against_itself_comes_and_goes() -> None:
    hub, peer = FeedHub(), peer_of("asterix+udp://:0")
    hear(peer, hub, marker(not_operational=True), plot())
    assert list(hub.troubles) == [(RADAR, "not-operational")]
    assert hub.all() == []
    hub, peer = FeedHub(), peer_of("asterix+udp://:0")
    hear(peer, hub, marker(not_operational=True), marker(not_operational=False, message_type=2), plot())
    assert hub.troubles == {}
    assert len(hub.all()) == 1


def test_a_place_is_told_once_with_the_turn() -> None:
    hub, peer = FeedHub(), peer_of("asterix+udp://:0")
    where: dict[str, Any] = {"lat_deg": 47.2, "lon_deg": 8.5, "height_m": 480.0, "rotation_period_s": 2.5}
    hear(peer, hub, marker(**where), plot())
    profile = hub.sensors["radars-001-002"]
    assert (profile.type, profile.period_s, profile.alt_m) == ("radar-2d", 2.5, 480.0)
    assert hub.due == {RADAR: 6.25}
    assert hub.reason(RADAR) == "CAT034 and CAT048, one turn in 2.5 s, stands at 47.2000 8.5000"


def test_a_port_that_is_taken_is_told_and_tried_again() -> None:
    hub = FeedHub()
    holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    holder.bind((LOOPBACK, 0))
    port = holder.getsockname()[1]
    peer = AsterixUdpPeer("radars", Address(LOOPBACK, port, {}), Options("radars"), retry_s=0.01)

    async def then() -> None:
        try:
            await until(lambda: "down" in hub.states("radars"), "it cannot listen")
            assert f"cannot listen on UDP {LOOPBACK}:{port}" in (hub.reason("radars") or "")
        finally:
            holder.close()
        await listening(hub, peer)
        with sending(LOOPBACK, port) as send:
            send(encode([plot()]))
        await until(lambda: hub.states("radars")[-1] == "watching", "it watches")

    beside(peer.run(hub), then)


def test_an_interface_that_is_not_there_is_told() -> None:
    hub = FeedHub()
    peer = peer_of(f"asterix+udp://{GROUP}:8600?iface=192.0.2.77")

    async def then() -> None:
        await until(lambda: "down" in hub.states("radars"), "it cannot join")

    beside(peer.run(hub), then)
    words = hub.reason("radars") or ""
    assert "cannot join the group by interface 192.0.2.77" in words
    assert "open to the network" in words


def test_of_a_flood_every_datagram_is_read_or_counted() -> None:
    hub, count = FeedHub(), 20_000
    peer = AsterixUdpPeer("radars", Address(LOOPBACK, 0, {}), Options("radars"), most_per_s=500)
    datagrams = [encode([plot(track_number=number)]) for number in range(64)]

    def accounted() -> int:
        shed = sum(n for (_, reason), n in hub.counts.items() if reason.startswith("flooded"))
        return shed + sum_of_categories(peer)

    async def then() -> None:
        await listening(hub, peer)
        with sending(LOOPBACK, peer.port) as send:
            for _, datagram in zip(range(count), itertools.cycle(datagrams), strict=False):
                send(datagram)
            await until(lambda: hub.counts[("radars", "flooded")] > 0, "the flood was read")
            # The kernel's count comes with what it had room for.
            await asyncio.sleep(0.2)
            send(datagrams[0])
            await until(lambda: accounted() == count + 1, "all are accounted for")

    beside(peer.run(hub), then)
    assert hub.counts[("radars", "flooded-kernel")] > 0
    assert 0 < sum_of_categories(peer) < count


@pytest.fixture
def turns_of() -> Callable[..., tuple[list[int], int]]:
    """Run datagrams through `Turns`: how many were worked on between two turns of the loop, and how many
    were shed."""

    def run(count: int, work_s: float, work: Callable[[bytes], None] = lambda data: None) -> Any:
        done: list[bytes] = []
        portions: list[int] = []
        shed: list[int] = []

        def busy(data: bytes, received: float) -> None:
            done.append(data)
            until_s = time.perf_counter() + work_s
            while time.perf_counter() < until_s:
                pass
            work(data)

        async def main() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
            turns = Turns(busy, shed.append)
            with contextlib.suppress(ZeroDivisionError):
                turns.put([number.to_bytes(4) for number in range(count)], 0.0)
            before = 0
            while len(done) + sum(shed) < count:
                portions.append(len(done) - before)
                before = len(done)
                await asyncio.sleep(0)
            turns.close()

        asyncio.run(main())
        return portions, sum(shed), [int.from_bytes(data) for data in done]

    return run


def test_slow_work_leaves_the_loop_to_others(turns_of: Callable[..., Any]) -> None:
    """Twenty pieces of 5 ms: no turn of the loop takes more than fill 20 ms and the one that was begun."""
    portions, shed, done = turns_of(20, 0.005)
    assert max(portions) <= 5
    assert (shed, done) == (0, list(range(20)))


def test_of_what_waits_for_the_decoder_the_freshest_are_kept(turns_of: Callable[..., Any]) -> None:
    _, shed, done = turns_of(Turns.MOST_WAITING + 30, 0.0)
    assert (shed, done) == (30, list(range(30, Turns.MOST_WAITING + 30)))


def test_a_fault_in_one_datagram_costs_that_one(turns_of: Callable[..., Any]) -> None:
    def fault(data: bytes) -> None:
        if int.from_bytes(data) % 3 == 0:
            raise ZeroDivisionError

    _, shed, done = turns_of(10, 0.0, fault)
    assert (shed, done) == (0, list(range(10)))


def feed_into(hub: FeedHub, options: Options | None = None) -> AsterixFeed:
    feed = AsterixFeed(hub, "radars", options or Options("radars"), lambda: "listening")
    feed.start()
    return feed


def as_it_is(at: float) -> float:
    return at


def test_a_datagram_that_no_radar_sends_is_not_decoded() -> None:
    hub = FeedHub()
    data = encode([plot(track_number=number) for number in range(900)])
    assert len(data) > LARGEST_DATAGRAM
    feed_into(hub).take(data, time.time(), as_it_is)
    assert hub.counts == {("radars", "datagram-too-large"): 1}
    assert hub.all() == []


def test_categories_that_are_not_read_are_counted_beside_the_others() -> None:
    hub = FeedHub()
    feed = feed_into(hub)
    feed.take(b"\x15\x00\x05\x80\x01" + encode([plot()]), time.time(), as_it_is)
    assert hub.counts == {("radars", "category-not-read"): 1}
    assert len(hub.all()) == 1


def test_many_bad_blocks_of_a_datagram_are_hashed_only_so_often() -> None:
    hashed: list[str] = []

    class Hub(FeedHub):
        def quarantine(self, feed: str, reason: str, data: bytes) -> None:
            hashed.append(reason)
            super().quarantine(feed, reason, data)

    hub = Hub()
    feed_into(hub).take(b"\x30\x00\x03" * 50, time.time(), as_it_is)
    assert hashed == ["empty-block"] * MOST_QUARANTINED
    assert hub.counts == {("radars", "empty-block"): 50}


class Doctor(FeedHub):
    """A hub whose feeds are judged as a station judges them, at times that the test sets."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 20_000 * 86_400.0 + 43_200.0
        self.health = Health(lambda: self.at, lambda feed: None, {"radars": ()})

    def feed(self, feed: str, state: FeedState, reason: str | None = None) -> None:
        super().feed(feed, state, reason)
        self.health.report(feed, state, reason)

    def heard(
        self, feed: str, sent: float | None = None, *, due_s: float | None = None, count: int = 1
    ) -> None:
        super().heard(feed, sent, due_s=due_s, count=count)
        self.health.heard(feed, sent, due_s, count)

    def trouble(self, feed: str, what: str, words: str | None) -> None:
        super().trouble(feed, what, words)
        self.health.trouble(feed, what, words)

    def found(self, feed: str) -> tuple[FeedState, str]:
        self.health.check()
        view = next(view for view in self.health.views() if view.feed == feed)
        return view.state, view.reason or ""


def turn(hub: Doctor, feed: AsterixFeed, turns: int, ahead_s: float = 0.0) -> None:
    """So many turns of 4 s, with markers and without plots."""
    for _ in range(turns):
        hub.at += 4.0
        time_of_day = math.floor((hub.at + ahead_s) * 128.0) / 128.0 % 86_400.0
        feed.take(encode([marker(rotation_period_s=4.0, time_of_day_s=time_of_day)]), hub.at + 0.05, as_it_is)


def test_a_radar_that_turns_and_sees_nothing_lives_and_one_that_stopped_is_deaf() -> None:
    hub = Doctor()
    feed = feed_into(hub)
    turn(hub, feed, 30)
    assert hub.found(RADAR)[0] == "watching"
    hub.at += 9.0
    assert hub.found(RADAR)[0] == "watching"
    hub.at += 2.0
    assert hub.found(RADAR)[0] == "deaf"
    turn(hub, feed, 1)
    assert hub.found(RADAR)[0] == "watching"


def test_a_radar_on_local_time_is_called_that() -> None:
    hub = Doctor()
    turn(hub, feed_into(hub), 10, ahead_s=7200.0)
    state, words = hub.found(RADAR)
    assert state == "degraded"
    assert "2 h ahead" in words
    assert "local time" in words


def test_a_radar_that_is_not_operational_is_degraded() -> None:
    hub = Doctor()
    feed = feed_into(hub)
    turn(hub, feed, 3)
    feed.take(encode([marker(not_operational=True, time_of_day_s=None)]), hub.at, as_it_is)
    assert hub.found(RADAR) == ("degraded", "it says that it is not operational: what it sends is not used")
    turn(hub, feed, 10)
    assert hub.found(RADAR)[0] == "watching"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=600))
def test_noise_is_counted_and_nothing_more(data: bytes) -> None:
    hub = FeedHub()
    feed_into(hub).take(data, time.time(), as_it_is)
    assert sum(hub.counts.values()) + sum(hub.live.values()) > 0


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damage_costs_the_block_that_has_it(data: st.DataObject) -> None:
    """A block is whole or nothing: a good block before the damaged one stays good."""
    first, second = encode([plot(sic=2)]), encode([marker(sic=3)])
    damaged = bytearray(second)
    place = data.draw(st.integers(0, len(second) - 1))
    damaged[place] ^= data.draw(st.integers(1, 255))
    hub = FeedHub()
    feed_into(hub).take(first + bytes(damaged), time.time(), as_it_is)
    assert len(hub.taken[RADAR]) == 1


# Recordings -------------------------------------------------------------------------------------------------


def played(hub: FeedHub, peer: AsterixFilePeer, then: Callable[[], Awaitable[None]] | None = None) -> None:
    async def ended() -> None:
        await until(lambda: hub.states("radars")[-1:] in (["ended"], ["down"]), "it ended")

    beside(peer.run(hub), then or ended)


@pytest.mark.field
def test_a_recording_is_played_in_its_time(field_data: Path) -> None:
    hub = FeedHub()
    path = field_data / "protocols" / "asterix" / "cat_034_048.pcap"
    peer = file_peer(path)
    began = hub.clock.now()
    played(hub, peer)
    assert counted(peer, "cat048") == 128
    assert counted(peer, "cat034") == 34
    assert "clock-off" not in (peer.feed.counts if peer.feed else {})
    found = hub.all()
    assert len(found) == 63
    received = [one.received for one in found if one.received is not None]
    assert len(received) == 63
    recorded = [record.time for record in read_records(path)]
    assert began <= min(received)
    assert max(received) - min(received) <= recorded[-1] - recorded[0] + 1e-3
    assert all(0.0 <= age <= 4.0 for age in (one.received - one.time for one in found if one.received))
    assert hub.states("radars") == ["connecting", "connecting", "watching", "ended"]
    assert hub.states("radars/025-012")[-1] == "ended"
    assert "100 frames read" in (hub.reason("radars") or "")


@pytest.mark.field
def test_a_recording_in_an_unknown_wrapper_is_refused(field_data: Path) -> None:
    hub = FeedHub()
    played(hub, file_peer(field_data / "protocols" / "asterix" / "cat_001_002.pcap"))
    assert (hub.all(), hub.live) == ([], {})
    assert hub.counts == {("radars", "block-length"): 1}


def frame(payload: bytes, port: int) -> bytes:
    """The datagram in UDP, IPv4 and Ethernet."""
    udp = (8600).to_bytes(2) + port.to_bytes(2) + (8 + len(payload)).to_bytes(2) + bytes(2) + payload
    addresses = bytes((127, 0, 0, 1)) * 2
    ip = b"\x45\x00" + (20 + len(udp)).to_bytes(2) + bytes(4) + b"\x40\x11\x00\x00" + addresses
    return bytes(12) + b"\x08\x00" + ip + udp


def capture(path: Path, frames: list[tuple[float, bytes]]) -> Path:
    with path.open("wb") as file:
        writer = PcapWriter(file, ETHERNET)
        for at, data in frames:
            writer.write(at, data)
    return path


DAY = 20_000 * 86_400.0


def at_second(second: float, **fields: Any) -> bytes:
    return encode([plot(time_of_day_s=second, **fields)])


def test_other_traffic_of_a_recording_is_left_out(tmp_path: Path) -> None:
    frames = [
        (DAY + 10.0, frame(at_second(9.5), 8600)),
        (DAY + 10.1, frame(b"a question for a name server", 53)),
        (DAY + 10.2, bytes(12) + b"\x08\x06" + bytes(28)),
    ]
    hub = FeedHub()
    played(hub, file_peer(capture(tmp_path / "mixed.pcap", frames), "?port=8600"))
    assert len(hub.all()) == 1
    assert hub.counts == {("radars", "frame: not-ip"): 1}


def test_a_recording_whose_times_go_back_is_played_on(tmp_path: Path) -> None:
    times = (10.0, 10.05, 3.0, 10.1)
    frames = [(DAY + at, frame(at_second(9.0, track_number=n), 8600)) for n, at in enumerate(times)]
    hub = FeedHub()
    played(hub, file_peer(capture(tmp_path / "back.pcap", frames)))
    received = [one.received for one in hub.all() if one.received is not None]
    assert len(received) == 4
    steps = [after - before for before, after in itertools.pairwise(received)]
    assert steps == pytest.approx([0.05, 0.0, 0.05], abs=1e-5)


def test_a_fast_station_plays_faster(tmp_path: Path) -> None:
    frames = [(DAY + at, frame(at_second(at, track_number=int(at)), 8600)) for at in range(0, 600, 60)]
    hub = FeedHub(speed=2000.0)
    played(hub, file_peer(capture(tmp_path / "long.pcap", frames)))
    found: list[Detection] = hub.all()
    assert [after.time - before.time for before, after in itertools.pairwise(found)] == pytest.approx(
        [60.0] * 9
    )


def test_a_recording_that_is_not_there_or_none_is_told(tmp_path: Path) -> None:
    hub = FeedHub()
    played(hub, file_peer(tmp_path / "nothing.pcap"))
    assert "no such file" in (hub.reason("radars") or "")
    (tmp_path / "text.pcap").write_text("this is no capture, whatever it is called\n")
    hub = FeedHub()
    played(hub, file_peer(tmp_path / "text.pcap"))
    assert hub.states("radars")[-1] == "down"
    assert hub.all() == []


# Addresses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("asterix+udp://127.0.0.1", "is not asterix+udp://HOST:PORT"),
        ("asterix+udp://:8600?sac-sic=1", "sac-sic=1: two numbers"),
        ("asterix+udp://:8600?sac-sic=1/256", "two numbers from 0 to 255"),
        ("asterix+udp://:8600?sac-sic=1/-2", "two numbers from 0 to 255"),
        ("asterix+udp://:8600?cat129=yes", "cat129=yes: 0 or 1"),
        ("asterix+udp://:8600?doppler=up", "doppler=up: receding or approaching"),
        ("asterix+udp://:8600?iface=127.0.0.1", "iface is for multicast groups"),
        ("asterix+udp://239.1.2.3:0", "needs a port"),
        ("asterix+udp://:8600?sensors=x", "unknown sensors"),
        ("asterix+udp://:8600?port=8600", "unknown port"),
        ("asterix+pcap:", "needs a file"),
        ("asterix+pcap:-", "needs a file"),
        ("asterix+pcap:radar.pcap?port=http", "port=http: a number"),
        ("asterix+pcap:radar.pcap?iface=lo", "unknown iface"),
    ],
)
def test_an_address_that_cannot_be_says_why(url: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        asterix_peer(FeedConfig(name="radars", url=url))
    assert said in str(refused.value)
    assert "'radars'" in str(refused.value)


@pytest.mark.parametrize(
    ("url", "reach"),
    [
        ("asterix+udp://:8600", "UDP 127.0.0.1:8600 (this machine only)"),
        ("asterix+udp://0.0.0.0:8600", "UDP 0.0.0.0:8600 (open to the network, without encryption or login)"),
        (
            "asterix+udp://239.1.2.3:8600",
            "multicast group 239.1.2.3:8600 (open to the network: anybody there can send to it)",
        ),
        (
            "asterix+udp://[ff15::48]:8600?iface=eth1",
            "multicast group [ff15::48]:8600 by eth1 (open to the network: anybody there can send to it)",
        ),
    ],
)
def test_a_feed_says_who_can_reach_it(url: str, reach: str) -> None:
    assert peer_of(url)._where == reach


def test_a_radar_is_a_feed_that_senses_and_reaches_nobody() -> None:
    peer = peer_of("asterix+udp://:0")
    assert peer.senses == ("radars",)
    assert peer.reaches("anyone") is False
