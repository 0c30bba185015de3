"""TAK without a server: real multicast on the loopback interface, and what must never be sent there."""

import asyncio
import contextlib
import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from station_feed_hub import FeedHub, until

from vedette.model import Alert, ConfigError, Frame, Track, UnitReport
from vedette.model.event import Clear, Deliver
from vedette.station.config import FeedConfig
from vedette.station.peers._tak_neighbours import CONTROL_COUNTS_S, FORGOTTEN_S, MOST, Neighbours
from vedette.station.peers.registry import Keys
from vedette.station.peers.tak_mesh import TakMeshPeer, tak_mesh_peer
from vedette.wire.cot import (
    Chat,
    CotEvent,
    Link,
    MessageId,
    Takv,
    format_message_id,
    message_token,
    write_event,
)
from vedette.wire.tak import Control, read_datagram, write_datagram

GROUP, LOOPBACK = "239.255.69.71", "127.0.0.1"
KEYS = Keys(receipts=b"the key of this station's tokens")
TRACK = Track(
    id="t17",
    enu_m=(300.0, 400.0, 60.0),
    velocity_mps=(-12.0, -16.0, 0.0),
    covariance=(25.0, 0, 0, 0, 0, 0, 25.0, 0, 0, 0, 0, 9.0, 0, 0, 0, 1.0, 0, 0, 1.0, 0, 1.0),
    existence=0.99,
    beliefs={"multirotor": 0.9, "unknown": 0.1},
)


def event(uid="drone-X", kind="a-u-A-M-H-R", **changes):
    now = time.time()
    fields = {
        "time": now, "start": now, "stale": now + 60.0, "how": "m-g", "lat_deg": 47.2, "lon_deg": 8.5,
        "hae_m": 520.0, "ce_m": 35.0,
    } | changes  # fmt: skip
    return CotEvent(uid=uid, type=kind, **fields)


def phone(uid="UID-A", **changes):
    return event(
        uid,
        "a-f-G-U-C",
        callsign="ALPHA",
        endpoint="192.0.2.7:4242:tcp",
        takv=Takv(platform="ATAK"),
        **changes,
    )


class Device:
    """Somebody else on the network: hears the group and sends to it."""

    def __init__(self, port=0):
        self.heard = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOOPBACK))
        self.socket.bind((GROUP, port))
        membership = socket.inet_aton(GROUP) + socket.inet_aton(LOOPBACK)
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]

    def send(self, *datagrams):
        for data in datagrams:
            self.socket.sendto(data, (GROUP, self.port))

    def listen(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.heard.append(self.socket.recv(65535))
        return self.heard

    def said_by_us(self):
        """What the station sent: (version, uid or None, control) in order."""
        found = [(d[:3] == b"\xbf\x01\xbf", read_datagram(d)) for d in self.listen()]
        ours = []
        for v1, datagram in found:
            uid = None if datagram.event is None else datagram.event.uid
            contact = None if datagram.control is None else datagram.control.contact_uid
            if (uid or contact or "").lower().startswith("vedette"):
                ours.append((int(v1), uid, datagram.control))
        return ours


@contextlib.asynccontextmanager
async def mesh(hub, query="", **config):
    """(device, peer) on a group and port of their own."""
    try:
        device = Device()
    except OSError as error:
        pytest.skip(f"this machine allows no multicast on its loopback interface: {error}")
    url = f"cot+udp://{GROUP}:{device.port}?iface={LOOPBACK}{query}"
    peer = tak_mesh_peer(FeedConfig(name="mesh", url=url, **config), KEYS)
    peer._look_s = 0.02
    task = asyncio.create_task(peer.run(hub))
    await until(lambda: "watching" in hub.states("mesh"), "listening")
    try:
        yield device, peer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        device.socket.close()


def played(scenario, **options):
    """Run it against a fresh station; returns what that heard."""
    hub = FeedHub()

    async def run():
        async with mesh(hub, **options) as (device, peer):
            await scenario(hub, device, peer)

    asyncio.run(run())
    return hub


def test_tracks_of_both_versions_become_detections():
    async def scenario(hub, device, peer):
        device.send(write_event(event("drone-A")), write_datagram(event("drone-B", lat_deg=47.21)))
        device.send(b"\xef\xbb\xbf" + write_event(event("drone-C", lat_deg=47.22)) + b"\n")
        await until(lambda: len(hub.all()) == 3, "three tracks")

    hub = played(scenario)
    assert {d.signal.emitter for d in hub.taken["mesh/tracks"]} == {"drone-A", "drone-B", "drone-C"}
    assert {d.sensor for d in hub.all()} == {"mesh"}
    assert hub.live["mesh"] == 3
    assert hub.states("mesh/tracks") == ["watching"]
    assert "open to the network" in hub.reason("mesh")


def test_tracks_can_be_left_out():
    async def scenario(hub, device, peer):
        assert peer.senses == ()
        device.send(write_event(event("drone-A")))
        await until(lambda: hub.live["mesh"] == 1, "heard")

    assert played(scenario, query="&tracks=0").all() == []


def test_positions_of_people_are_taken_only_where_that_is_wanted():
    async def scenario(hub, device, peer):
        device.send(write_event(phone()), write_datagram(phone("UID-B")))
        await until(lambda: hub.live["mesh"] == 2, "heard")

    silent = played(scenario)
    assert silent.units == []
    hub = played(scenario, query="&units=1")
    assert [type(unit) for unit in hub.units] == [UnitReport, UnitReport]
    assert {unit.unit for unit in hub.units} == {"UID-A", "UID-B"}
    assert silent.all() == hub.all() == []


def receipt(token, kind="b-t-f-r"):
    identifier = format_message_id(MessageId("a-1", 2, token))
    return event(
        f"{identifier}.r", kind, how="h-g-i-g-o",
        links=(Link(uid="UID-A", type="a-f-G-U-C", relation="p-p"),),
        chat=Chat(
            chatroom="VEDETTE", id="VEDETTE-mesh", sender_callsign="ALPHA", message_id=identifier,
            uid0="UID-A", uid1="VEDETTE-mesh", receipt=True,
        ),
    )  # fmt: skip


def test_a_receipt_counts_with_its_token_only():
    async def scenario(hub, device, peer):
        device.send(write_event(receipt("0123456789abcdef")))
        device.send(write_datagram(receipt(message_token(KEYS.receipts, "a-1", 2, "UID-A"))))
        await until(lambda: bool(hub.receipts), "the receipt")

    hub = played(scenario)
    assert [(r.alert, r.recipient, r.fact) for r in hub.receipts] == [("a-1", "UID-A", "shown")]
    assert hub.counts["mesh", "receipt-forged"] == 1


def test_without_leave_to_publish_nothing_at_all_is_sent():
    async def scenario(hub, device, peer):
        device.send(write_event(phone()))
        await until(lambda: hub.live["mesh"] == 1, "heard")
        for _ in range(20):
            await peer.publish(Frame(time=hub.clock.now(), tracks=(TRACK,)))
            await asyncio.sleep(0.01)
        device.send(write_event(phone("UID-B")))
        await until(lambda: len(device.listen()) >= 2, "the sentinel")
        assert device.said_by_us() == []

    played(scenario, publish_tracks=False)


def test_tracks_are_published_and_never_come_back():
    async def scenario(hub, device, peer):
        for _ in range(3):
            await peer.publish(Frame(time=hub.clock.now(), tracks=(TRACK,)))
        await until(lambda: [s[1] for s in device.said_by_us()].count("vedette.t17") == 3, "published")
        await until(lambda: peer.counts.get("own-event", 0) >= 4, "heard ourselves")

    hub = played(scenario)
    assert hub.all() == hub.units == []
    assert hub.live["mesh"] == 0
    assert "for everybody to see" in hub.reason("mesh")


def test_nothing_of_our_people_and_no_place_of_ours_is_ever_sent():
    async def scenario(hub, device, peer):
        device.send(write_event(phone()))
        await until(lambda: bool(hub.units), "a unit is known")
        await peer.publish(Frame(time=hub.clock.now(), tracks=(TRACK,)))
        await until(lambda: len(device.said_by_us()) >= 3, "sent")
        ours = [d for d in device.listen() if b"VEDETTE" in d or b"vedette" in d]
        assert not any(b"UID-A" in d or b"ALPHA" in d for d in ours)
        told = [read_datagram(d).event for d in ours]
        assert all(
            (e.lat_deg, e.lon_deg) == (0.0, 0.0) for e in told if e is not None and e.uid == "VEDETTE-mesh"
        )

    played(scenario, query="&units=1")


def test_no_alert_goes_out_by_this_way():
    async def scenario(hub, device, peer):
        device.send(write_event(phone()))
        await until(lambda: bool(hub.units), "a unit is known")
        assert not peer.reaches("UID-A")
        at = hub.clock.now()
        alert = Alert(
            time=at, alert="a-1", revision=1, level="imminent", state="active-unacked", units=("UID-A",),
            track="t17", behaviour="direct-run", expires=at + 60.0, bearing_deg=37.0, range_m=500.0,
            text={"en": "x"},
        )  # fmt: skip
        delivery = Deliver(alert=alert, recipients=("UID-A",), rule="at-risk", roster_version=1)
        with pytest.raises(ConnectionError):
            await peer.deliver(delivery, "UID-A")
        with pytest.raises(ConnectionError):
            await peer.clear(Clear(alert=alert, recipients=("UID-A",)), "UID-A")
        assert not any(b"a-1" in d for d in device.listen())

    played(scenario, query="&units=1")


def test_the_version_follows_what_the_others_can_read():
    async def scenario(hub, device, peer):
        await until(lambda: bool(device.said_by_us()), "our first word")
        assert device.said_by_us()[0] == (1, "VEDETTE-mesh", Control(contact_uid="VEDETTE-mesh"))
        device.send(write_event(phone("UID-OLD")))
        await until(lambda: len(device.said_by_us()) >= 3, "the change to XML is told at once")
        assert device.said_by_us()[1:3] == [
            (0, "VEDETTE-mesh", None),
            (1, None, Control(contact_uid="VEDETTE-mesh")),
        ]
        await peer.publish(Frame(time=hub.clock.now(), tracks=(TRACK,)))
        await until(lambda: (0, "vedette.t17", None) in device.said_by_us(), "the track in XML")
        device.send(write_datagram(phone("UID-OLD"), Control(contact_uid="UID-OLD")))
        await until(lambda: device.said_by_us()[-1][:2] == (1, "VEDETTE-mesh"), "back to version 1")

    played(scenario)


def test_what_is_no_event_is_counted_and_the_next_is_heard():
    bomb = (
        b"<?xml version='1.0'?><!DOCTYPE e [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>"
        b"<event uid='&b;' type='a-u-A'/>"
    )

    async def scenario(hub, device, peer):
        device.send(bomb, b"\xbf\x01\xbf" + b"\xff" * 40, b"\xbf\x07\xbf\x0a", b"hello", b"")
        device.send(b"<event uid='x'>" + b" " * 60_000)
        device.send(b"\xbf\x01\xbf\x12\xff\xff\xff\xff\x0f")
        device.send(write_event(event("drone-A")))
        await until(lambda: len(hub.all()) == 1, "the track behind it")

    hub = played(scenario)
    reasons = {reason: n for (feed, reason), n in hub.counts.items() if feed == "mesh"}
    assert reasons["document-type"] == 1
    assert reasons["unknown-version"] == 1
    assert sum(reasons.values()) == 7
    assert hub.live["mesh"] == 1


def test_a_flood_is_shed_before_it_is_decoded():
    async def scenario(hub, device, peer):
        data = [write_event(event(f"drone-{n}", lat_deg=47.0 + n * 1e-4)) for n in range(50)]
        for n in range(3000):
            device.send(data[n % 50])
        await until(lambda: hub.counts["mesh", "flooded"] > 0, "shed")
        await asyncio.sleep(0.3)
        device.send(write_event(event("drone-last")))
        await until(lambda: any(d.signal.emitter == "drone-last" for d in hub.all()), "heard behind it")

    assert len(played(scenario).all()) < 300


def test_an_address_that_is_no_group_is_listened_on_and_never_sent_to():
    hub = FeedHub()

    async def run():
        peer = tak_mesh_peer(FeedConfig(name="mesh", url="cot+udp://:0"), KEYS)
        task = asyncio.create_task(peer.run(hub))
        await until(lambda: "watching" in hub.states("mesh"), "listening")
        assert peer._sender is None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gateway:
            gateway.sendto(write_event(event("drone-A")), (LOOPBACK, peer.port))
            await until(lambda: len(hub.all()) == 1, "the track")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert "this machine only" in hub.reason("mesh")


def test_a_port_that_cannot_be_had_is_told_and_tried_again():
    hub = FeedHub()

    async def run():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
            holder.bind((LOOPBACK, 0))
            feed = FeedConfig(name="mesh", url=f"cot+udp://{LOOPBACK}:{holder.getsockname()[1]}")
            peer = tak_mesh_peer(feed, KEYS)
            peer._retry_s = 0.02
            task = asyncio.create_task(peer.run(hub))
            await until(lambda: "down" in hub.states("mesh"), "told")
        await until(lambda: "watching" in hub.states("mesh"), "had after all")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


@pytest.mark.parametrize(
    "url",
    [
        "cot+udp://239.2.3.1",
        "cot+udp://239.2.3.1:99999",
        "cot+udp://239.2.3.1:6969?tracks=2",
        "cot+udp://239.2.3.1:6969?trakcs=1",
        "cot+udp://239.2.3.1:6969?iface=",
        "cot+udp://239.2.3.1:6969?iface=a&iface=b",
        "cot+udp://127.0.0.1:6969?iface=127.0.0.1",
        "cot+udp://239.2.3.1:6969/path",
    ],
)
def test_wrong_configuration_is_refused(url):
    with pytest.raises(ConfigError, match="mesh"):
        tak_mesh_peer(FeedConfig(name="mesh", url=url), KEYS)


def test_the_peer_keeps_the_contract():
    peer = tak_mesh_peer(FeedConfig(name="mesh", url="cot+udp://239.2.3.1:6969"), KEYS)
    assert isinstance(peer, TakMeshPeer)
    assert (peer.name, peer.senses) == ("mesh", ("mesh/tracks",))


def test_neighbours_follow_the_rules_of_the_protocol():
    found = Neighbours()
    assert found.version(0.0) == 1
    found.note("A", 1, None, 0.0)
    assert found.version(0.0) == 1
    found.note("B", 0, None, 0.0)
    assert found.version(1.0) == 0
    found.note("B", 0, Control(min_version=1, max_version=1), 2.0)
    assert found.version(2.0) == 1
    late = 2.0 + CONTROL_COUNTS_S + 1.0
    found.note("B", 0, None, late)
    assert found.version(late) == 0, "its word is too old: rule 3c"
    found.note("C", 1, Control(min_version=2, max_version=3), late)
    assert found.version(late + FORGOTTEN_S + 1.0) == 1, "nobody is left"


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from([0, 1]), st.booleans(), st.floats(0, 200))))
def test_xml_is_sent_exactly_while_somebody_can_read_nothing_else(words):
    found, now = Neighbours(), 0.0
    latest, stated = {}, {}
    for uid, version, control, step in words:
        now += step
        found.note(uid, version, Control() if control else None, now)
        latest[uid] = (version, now)
        if control:
            stated[uid] = now
        else:
            stated.setdefault(uid, float("-inf"))
        known = {u: v for u, (v, at) in latest.items() if now - at <= FORGOTTEN_S}
        stated = {u: at for u, at in stated.items() if u in known}
        latest = {u: latest[u] for u in known}
        old = [u for u, v in known.items() if v == 0 and now - stated[u] > CONTROL_COUNTS_S]
        assert found.version(now) == (0 if old else 1)


def test_neighbours_are_bounded():
    found = Neighbours()
    for number in range(MOST + 100):
        found.note(f"u{number}", 1, None, float(number) * 1e-3)
    assert len(found._known) == MOST
