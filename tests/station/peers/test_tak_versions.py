"""TAK protocol version 1 on connections: agreed, refused, left open, forged; and streams that are hostile."""

import asyncio
import contextlib
import time

import pytest
from station_feed_hub import FeedHub, until

from vedette.express.cot import pong_event
from vedette.model import Alert, ConfigError, Frame, Track
from vedette.model.event import Deliver
from vedette.station.peers import _cot_stream
from vedette.station.peers._tak_agreement import OFFER_S
from vedette.station.peers.tak_listener import TakListenerPeer
from vedette.station.peers.tak_server import TakServerPeer
from vedette.wire.cot import CotEvent, CotSplitter, ProtocolControl, Takv, write_event
from vedette.wire.tak import TakSplitter, answer_request, offer, write_stream

QUICK = {"reconnect_s": (0.05, 0.2), "ping_s": 0.1, "presence_s": 0.2}
TRACK = Track(
    id="t17",
    enu_m=(300.0, 400.0, 60.0),
    velocity_mps=(-12.0, -16.0, 0.0),
    covariance=(25.0, 0, 0, 0, 0, 0, 25.0, 0, 0, 0, 0, 9.0, 0, 0, 0, 1.0, 0, 0, 1.0, 0, 1.0),
    existence=0.99,
    beliefs={"multirotor": 0.9, "unknown": 0.1},
)


def event(uid, kind="a-u-A", **changes):
    now = time.time()
    fields = {
        "time": now, "start": now, "stale": now + 60.0, "how": "m-g", "lat_deg": 47.201, "lon_deg": 8.501,
        "ce_m": 4.0,
    } | changes  # fmt: skip
    return CotEvent(uid=uid, type=kind, **fields)


def report(uid="UID-A"):
    return event(
        uid, "a-f-G-U-C", callsign=uid, endpoint="*:-1:stcp", takv=Takv(platform="ATAK-CIV", version="5.2")
    )


def delivery(hub, unit, name="a-1"):
    at = hub.clock.now()
    alert = Alert(
        time=at, alert=name, revision=1, level="imminent", state="active-unacked", units=(unit,),
        track="t17", behaviour="direct-run", expires=at + 60.0, bearing_deg=37.0, range_m=500.0,
        text={"en": f"Drone closing on {unit}."},
    )  # fmt: skip
    return Deliver(alert=alert, recipients=(unit,), rule="at-risk", roster_version=1)


def refusal(request):
    control = ProtocolControl(granted=False)
    return event(request.uid, "t-x-takp-r", protocol=control)


# A server that speaks version 1 -----------------------------------------------------------------


class Server:
    """One TAK server on loopback. ``answers`` gets each request and gives what to send back, or None;
    ``sessions`` holds, for each connection, all that came as (protobuf?, event)."""

    def __init__(self, answers, *, offers=True, speaks_v1=True, pongs=True):
        self.answers, self.offers, self.speaks_v1, self.pongs = answers, offers, speaks_v1, pongs
        self.sessions = []
        self.writers = []
        self.granted = []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error):
        self._server.close()
        for writer in self.writers:
            writer.transport.abort()
        await self._server.wait_closed()

    def say(self, said, session=-1):
        """Something that the server passes on from somebody."""
        v1 = self.granted[session] and self.speaks_v1
        self.writers[session].write(write_stream(said) if v1 else write_event(said))

    async def _serve(self, reader, writer):
        heard, splitter, index = [], TakSplitter(), len(self.sessions)
        self.sessions.append(heard)
        self.writers.append(writer)
        self.granted.append(False)
        if self.offers:
            writer.write(write_event(offer(f"offer-{index}", time.time())))
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                for byte in data:
                    before = splitter.messages
                    for item in splitter.feed(bytes([byte])):
                        heard.append((splitter.messages > before, item))
                        self._answer(item, index)
        writer.transport.abort()

    def _answer(self, item, index):
        if item.type == "t-x-takp-q":
            back = self.answers(item)
            if back is None:
                return
            self.writers[index].write(write_event(back))
            self.granted[index] = bool(back.protocol.granted)
        elif item.type == "t-x-c-t" and self.pongs:
            self.say(pong_event(time.time()), index)


def grant(request):
    return answer_request(request, request.uid, time.time())


def as_client(scenario, server, query="", **options):
    """Run ``scenario(hub, peer, server)`` with a peer connected to the server; returns the station."""
    hub = FeedHub()

    async def run():
        async with server:
            url = f"cot+tcp://127.0.0.1:{server.port}{query}"
            peer = TakServerPeer("hq", url, **QUICK | options)
            task = asyncio.create_task(peer.run(hub))
            try:
                await scenario(hub, peer, server)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    return hub


def kinds(session):
    return [item.type for _, item in session]


async def warned(hub, peer, server):
    """A unit reports itself through the server and an alert goes out to it; the session it went by."""
    await until(lambda: hub.states("hq")[-1:] == ["watching"], "connected")
    server.say(report())
    await until(lambda: peer.reaches("UID-A"), "the unit is reached")
    await peer.deliver(delivery(hub, "UID-A"), "UID-A")
    session = server.sessions[-1]
    await until(lambda: "b-t-f" in kinds(session), "the alert at the server")
    return session


def test_an_offer_is_taken_and_everything_after_the_answer_is_protobuf():
    async def scenario(hub, peer, server):
        await until(lambda: peer.version == 1, "agreed")
        session = await warned(hub, peer, server)
        await peer.publish(Frame(time=hub.clock.now(), tracks=(TRACK,)))
        await until(lambda: any(item.uid == "vedette.t17" for _, item in session), "the track")
        server.say(event("drone-A", "a-h-A-M-H-Q"))
        await until(lambda: len(hub.all()) == 1, "a track of another, in protobuf")
        asked = kinds(session).index("t-x-takp-q")
        assert not any(protobuf for protobuf, _ in session[: asked + 1])
        assert all(protobuf for protobuf, _ in session[asked + 1 :])
        assert len(server.sessions) == 1

    hub = as_client(scenario, Server(grant))
    assert "TAK protocol version 1" in hub.reason("hq")


def test_a_refusal_leaves_everything_in_xml():
    async def scenario(hub, peer, server):
        await until(lambda: "watching" in hub.states("hq"), "connected")
        session = await warned(hub, peer, server)
        assert kinds(session).count("t-x-takp-q") == 1
        assert not any(protobuf for protobuf, _ in session)
        assert (peer.version, len(server.sessions)) == (0, 1)

    as_client(scenario, Server(refusal))


def test_a_server_without_an_offer_is_never_asked():
    async def scenario(hub, peer, server):
        session = await warned(hub, peer, server)
        assert "t-x-takp-q" not in kinds(session)
        assert peer.version == 0

    as_client(scenario, Server(grant, offers=False))


def test_an_offer_can_be_left_alone():
    async def scenario(hub, peer, server):
        session = await warned(hub, peer, server)
        assert "t-x-takp-q" not in kinds(session)

    as_client(scenario, Server(grant), query="?protocol=0")


def test_a_question_left_open_costs_one_connection_and_then_it_is_xml():
    async def scenario(hub, peer, server):
        await until(lambda: bool(server.sessions) and "t-x-takp-q" in kinds(server.sessions[0]), "asked")
        server.say(report())
        await until(lambda: hub.units != [], "listened to meanwhile")
        assert not peer.reaches("UID-A")
        with pytest.raises(ConnectionError):
            await peer.deliver(delivery(hub, "UID-A", "held"), "UID-A")
        await peer.publish(Frame(time=hub.clock.now(), tracks=(TRACK,)))
        await until(lambda: len(server.sessions) == 2, "connected again at once")
        session = await warned(hub, peer, server)
        assert kinds(server.sessions[0])[-1] == "t-x-takp-q", "nothing is sent after the question"
        assert "t-x-takp-q" not in kinds(session)

    hub = as_client(scenario, Server(lambda request: None), agree_s=0.5, reconnect_s=(60.0, 60.0))
    assert any(
        "no agreement" in str(reason) or "was being agreed" in str(reason) for _, _, reason in hub.feeds
    )


def test_a_server_that_hangs_up_when_asked_is_talked_to_in_xml():
    async def scenario(hub, peer, server):
        session = await warned(hub, peer, server)
        assert len(server.sessions) == 2
        assert "t-x-takp-q" not in kinds(session)

    def hang_up(request):
        server.writers[-1].transport.abort()

    server = Server(hang_up)
    as_client(scenario, server, reconnect_s=(60.0, 60.0))


def test_a_grant_that_is_not_meant_does_not_swallow_alerts():
    """Any user of a server can send an offer and a grant; only the server can answer in protobuf."""

    async def scenario(hub, peer, server):
        await until(lambda: len(server.sessions) == 2, "given up")
        session = await warned(hub, peer, server)
        assert not any(protobuf for protobuf, _ in session)
        held = [item.type for protobuf, item in server.sessions[0] if protobuf]
        assert set(held) <= {"t-x-c-t", "a-f-G-U-C"}

    as_client(scenario, Server(grant, speaks_v1=False), agree_s=0.5, reconnect_s=(60.0, 60.0))


def test_once_an_alert_has_gone_out_the_protocol_stays():
    async def scenario(hub, peer, server):
        session = await warned(hub, peer, server)
        server.say(offer("late", time.time()))
        server.say(event("drone-A"))
        await until(lambda: len(hub.all()) == 1, "the sentinel")
        assert "t-x-takp-q" not in kinds(session)

    as_client(scenario, Server(grant, offers=False))


def test_an_offer_that_comes_late_is_not_taken(monkeypatch):
    monkeypatch.setattr("vedette.station.peers._tak_agreement.OFFER_S", -1.0)
    assert OFFER_S > 0.0

    async def scenario(hub, peer, server):
        session = await warned(hub, peer, server)
        assert "t-x-takp-q" not in kinds(session)

    as_client(scenario, Server(grant))


@pytest.mark.counterpart
def test_an_offer_forged_by_another_user_of_a_real_server_silences_nothing(taky_plain, make_client):
    """taky passes a stranger's offer and grant on to everybody, as any server does that knows neither."""
    hub = FeedHub()

    async def run():
        thief, alpha = make_client("UID-T", "THIEF"), make_client("UID-A", "ALPHA")
        for client in (thief, alpha):
            await client.connect("127.0.0.1", taky_plain.port)
            client.send(client.report())
        peer = TakServerPeer("hq", taky_plain.url, **QUICK, agree_s=1.0)
        task = asyncio.create_task(peer.run(hub))

        async def forge():
            while True:
                thief.send(offer("forged", time.time()))
                for said in thief.events:
                    if said.type == "t-x-takp-q":
                        thief.send(answer_request(said, "forged", time.time()))
                await asyncio.sleep(0.01)

        forging = asyncio.create_task(forge())
        try:
            await until(lambda: any(e.type == "t-x-takp-q" for e in thief.events), "the bait is taken")
            await until(lambda: "down" in hub.states("hq"), "given up")
            alpha.send(alpha.report())
            await until(lambda: peer.reaches("UID-A"), "the unit is reached")
            await peer.deliver(delivery(hub, "UID-A"), "UID-A")
            await until(lambda: len(alpha.chats()) == 1, "the alert at its unit")
            assert hub.states("hq").count("down") == 1
        finally:
            for work in (forging, task):
                work.cancel()
            await asyncio.gather(forging, task, return_exceptions=True)
            for client in (thief, alpha):
                await client.close()

    asyncio.run(run())


# Phones that speak version 1 --------------------------------------------------------------------


class Phone:
    """A client that hears both versions and sends in the one that was agreed on."""

    def __init__(self, uid="UID-A"):
        self.uid, self.v1 = uid, False
        self.events = []
        self.raw = bytearray()
        self.closed = asyncio.Event()
        self._splitter = TakSplitter()

    async def connect(self, port):
        reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        self._task = asyncio.create_task(self._listen(reader))

    async def _listen(self, reader):
        with contextlib.suppress(OSError):
            while data := await reader.read(1):
                self.raw += data
                self.events += self._splitter.feed(data)
        self.closed.set()

    def send(self, said):
        self.writer.write(write_stream(said) if self.v1 else write_event(said))

    async def ask(self, uid=None, version=1):
        await until(lambda: self.of("t-x-takp-v"), "the offer")
        uid = uid or self.of("t-x-takp-v")[0].uid
        self.send(event(uid, "t-x-takp-q", protocol=ProtocolControl(requested=version)))

    def of(self, kind):
        return [item for item in self.events if item.type == kind]

    async def close(self):
        self._task.cancel()
        self.writer.transport.abort()
        await asyncio.gather(self._task, return_exceptions=True)


def as_listener(scenario, query="", phones=1, **options):
    hub = FeedHub()

    async def run():
        peer = TakListenerPeer("phones", f"cot+tcp-listen://127.0.0.1:0{query}", **options)
        task = asyncio.create_task(peer.run(hub))
        await until(lambda: peer.port is not None, "listening")
        connected = [Phone(f"UID-{'ABC'[n]}") for n in range(phones)]
        for phone in connected:
            await phone.connect(peer.port)
        try:
            await scenario(hub, peer, *connected)
        finally:
            for phone in connected:
                await phone.close()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    return hub


def test_a_phone_that_asks_gets_protobuf_and_the_one_beside_it_xml():
    async def scenario(hub, peer, new, old):
        await new.ask()
        await until(lambda: new.of("t-x-takp-r"), "the answer")
        assert new.of("t-x-takp-r")[0].protocol.granted is True
        changed_at = len(new.raw)
        new.v1 = True
        for phone in (new, old):
            phone.send(report(phone.uid))
            await until(lambda p=phone: peer.reaches(p.uid), "heard")
            await peer.deliver(delivery(hub, phone.uid), phone.uid)
            await until(lambda p=phone: p.of("b-t-f"), "the alert")
        await peer.publish(Frame(time=hub.clock.now(), tracks=(TRACK,)))
        await until(lambda: any(e.uid == "vedette.t17" for e in new.events), "the picture")
        new.send(event("ping", "t-x-c-t"))
        await until(lambda: new.of("t-x-c-t-r"), "the pong")
        assert CotSplitter().feed(bytes(new.raw[changed_at:])) == []
        assert new._splitter.messages > 0
        assert old._splitter.messages == 0
        new.send(event("drone-A", "a-h-A-M-H-Q"))
        await until(lambda: len(hub.all()) == 1, "its track")

    hub = as_listener(scenario, phones=2)
    assert {unit.unit for unit in hub.units} == {"UID-A", "UID-B"}


def test_what_was_not_offered_is_not_granted():
    async def scenario(hub, peer, phone):
        await phone.ask(uid="another")
        await phone.ask(version=2)
        await until(lambda: phone.of("t-x-takp-r"), "the answer to the second")
        assert [e.protocol.granted for e in phone.of("t-x-takp-r")] == [False]
        phone.send(report())
        await until(lambda: peer.reaches("UID-A"), "heard in XML")
        await peer.deliver(delivery(hub, "UID-A"), "UID-A")
        await until(lambda: phone.of("b-t-f"), "the alert in XML")
        assert phone._splitter.messages == 0
        await phone.ask()
        await until(lambda: len(phone.of("t-x-takp-r")) == 2, "granted after all")

    as_listener(scenario)


def test_an_offer_is_nobody_elses():
    async def scenario(hub, peer, one, other):
        await until(lambda: one.of("t-x-takp-v") and other.of("t-x-takp-v"), "both offers")
        assert one.of("t-x-takp-v")[0].uid != other.of("t-x-takp-v")[0].uid
        await other.ask(uid=one.of("t-x-takp-v")[0].uid)
        other.send(event("ping", "t-x-c-t"))
        await until(lambda: other.of("t-x-c-t-r"), "the sentinel")
        assert not other.of("t-x-takp-r")

    as_listener(scenario, phones=2)


def test_version_1_can_be_left_unoffered():
    async def scenario(hub, peer, phone):
        phone.send(event("ping", "t-x-c-t"))
        await until(lambda: phone.of("t-x-c-t-r"), "the sentinel")
        assert not phone.of("t-x-takp-v")
        phone.send(event("x", "t-x-takp-q", protocol=ProtocolControl(requested=1)))
        phone.send(event("ping", "t-x-c-t"))
        await until(lambda: len(phone.of("t-x-c-t-r")) == 2, "the second sentinel")
        assert not phone.of("t-x-takp-r")

    as_listener(scenario, query="?protocol=0")


# Hostile streams --------------------------------------------------------------------------------

BOMB = b"".join(
    [
        b"<?xml version='1.0'?><!DOCTYPE event [<!ENTITY a 'aaaaaaaaaaaaaaaa'>",
        b"<!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]>",
        b"<event uid='&c;' type='a-u-A'><!ENTITY d '&c;'></event>",
    ]
)


def drops(hub):
    """Why connections were given up, as the station counts it."""
    head = "connection-dropped: "
    return {r.removeprefix(head): n for (_, r), n in hub.counts.items() if r.startswith(head)}


def test_bombs_and_giants_are_counted_and_what_follows_is_heard():
    async def scenario(hub, peer, phone):
        phone.writer.write(BOMB)
        phone.writer.write(b"<event uid='giant'>" + b"<x/>" * 40_000)
        phone.writer.write(b"</event>")
        phone.writer.write(b"\xbf\xff\xff\x7f\x0a" + bytes(2_097_150))
        phone.writer.write(b"<event>" + b"<deep>" * 100)
        phone.send(report())
        phone.send(event("drone-A", "a-h-A-M-H-Q"))
        await until(lambda: peer.reaches("UID-A") and len(hub.all()) == 1, "heard behind all of it")

    hub = as_listener(scenario)
    counted = {reason for feed, reason in hub.counts if feed == "phones"}
    assert {"document-type", "too-large", "too-deep"} <= counted


def test_an_event_that_never_ends_is_silence():
    async def scenario(hub, peer, phone):
        phone.send(report())
        await until(lambda: peer.reaches("UID-A"), "heard")
        phone.writer.write(b"<event uid='slow' note='")
        while not phone.closed.is_set():
            phone.writer.write(b"z")
            await asyncio.sleep(0.01)
        await until(lambda: not peer.reaches("UID-A"), "dropped")

    hub = as_listener(scenario, dead_after_s=0.3)
    assert drops(hub) == {"event not ended": 1}


def test_a_phone_that_says_nothing_more_is_dropped_and_counted():
    async def scenario(hub, peer, phone):
        phone.send(report())
        await until(lambda: peer.reaches("UID-A"), "heard")
        await until(phone.closed.is_set, "dropped")

    assert drops(as_listener(scenario, dead_after_s=0.3)) == {"silent": 1}


def test_a_phone_that_dies_in_the_middle_of_an_event_is_counted():
    async def scenario(hub, peer, phone):
        phone.send(report())
        await until(lambda: peer.reaches("UID-A"), "heard")
        phone.writer.write(write_event(event("drone-A", "a-h-A-M-H-Q"))[:-9])
        await phone.writer.drain()
        phone.writer.close()
        await until(lambda: not peer.reaches("UID-A"), "gone")

    hub = as_listener(scenario)
    assert drops(hub) == {"in the middle of an event": 1}
    assert hub.all() == []


def test_a_phone_that_goes_in_order_is_no_fault():
    async def scenario(hub, peer, phone):
        phone.send(report())
        await until(lambda: peer.reaches("UID-A"), "heard")
        phone.writer.close()
        await until(lambda: not peer.reaches("UID-A"), "gone")

    assert as_listener(scenario).counts == {}


def test_who_sends_anything_but_events_is_dropped(monkeypatch):
    monkeypatch.setattr(_cot_stream, "MOST_GARBAGE", 10_000)

    async def scenario(hub, peer, phone):
        phone.send(report())
        await until(lambda: peer.reaches("UID-A"), "heard")
        with contextlib.suppress(OSError):
            while not phone.closed.is_set():
                phone.writer.write(b"GET / HTTP/1.1\r\n" * 100)
                await phone.writer.drain()
                await asyncio.sleep(0.01)
        await until(lambda: not peer.reaches("UID-A"), "dropped")

    assert drops(as_listener(scenario)) == {"no CoT": 1}


def test_a_server_that_only_trickles_is_given_up():
    """The half of an event is no sign of life, however often a byte of it comes."""
    hub = FeedHub()

    async def trickle(reader, writer):
        with contextlib.suppress(OSError):
            writer.write(b"<event uid='")
            while not writer.is_closing():
                writer.write(b"z")
                await writer.drain()
                await asyncio.sleep(0.01)
        writer.transport.abort()

    async def run():
        server = await asyncio.start_server(trickle, "127.0.0.1", 0)
        url = f"cot+tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        task = asyncio.create_task(TakServerPeer("hq", url, **QUICK, dead_after_s=0.3).run(hub))
        await until(lambda: "down" in hub.states("hq"), "given up")
        assert "watching" not in hub.states("hq")
        assert "begun and not ended" in hub.reason("hq")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.05)

    asyncio.run(run())


@pytest.mark.parametrize("kind", [TakServerPeer, TakListenerPeer])
@pytest.mark.parametrize("query", ["?protocol=2", "?tracks=yes", "?trakcs=1", "?views=1&views=0", "?views="])
def test_wrong_options_are_refused(kind, query):
    scheme = "cot+tcp" if kind is TakServerPeer else "cot+tcp-listen"
    with pytest.raises(ConfigError, match="peer hq"):
        kind("hq", f"{scheme}://127.0.0.1:8087{query}")
