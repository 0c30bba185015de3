"""What other TAK users see in the air: through a real taky, from phones, and from nobody's own phone."""

import asyncio
import socket
import time

import pytest
from station_feed_hub import FeedHub, until

from vedette.model import Alert, Claim, Frame, Position, Track
from vedette.model.event import Clear, Deliver
from vedette.sense.cot_tracks import OWN_PREFIX
from vedette.station.peers._cot_sightings import MOST_PER_S, Sightings
from vedette.station.peers.tak_listener import TakListenerPeer
from vedette.station.peers.tak_server import TakServerPeer
from vedette.wire.cot import CotEvent, Remarks, SensorView, write_event

QUICK = {"reconnect_s": (0.05, 0.2), "ping_s": 0.2, "presence_s": 0.4}
SERIAL = "1581F5FH123456789012"
TRACK = Track(
    id="t17",
    enu_m=(300.0, 400.0, 60.0),
    velocity_mps=(-12.0, -16.0, 0.0),
    covariance=(25.0, 0, 0, 0, 0, 0, 25.0, 0, 0, 0, 0, 9.0, 0, 0, 0, 1.0, 0, 0, 1.0, 0, 1.0),
    existence=0.99,
    beliefs={"multirotor": 0.9, "unknown": 0.1},
)


def event(uid, kind, **changes):
    now = time.time()
    fields = {
        "time": now, "start": now, "stale": now + 60.0, "how": "m-g", "lat_deg": 47.21, "lon_deg": 8.51,
        "hae_m": 520.0, "ce_m": 35.0,
    } | changes  # fmt: skip
    return CotEvent(uid=uid, type=kind, **fields)


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1e6):06d}Z"


def dragonsync(uid, kind, remarks, *, hae="520.0", track='course="0.0" speed="0.0"', ce="35.0"):
    """The XML of that gateway: a declaration before each event, elements of its own in the detail."""
    now = time.time()
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        f'<event version="2.0" uid="{uid}" type="{kind}" time="{iso(now)}" start="{iso(now)}" '
        f'stale="{iso(now + 60)}" how="m-g">\n  <point lat="47.2105" lon="8.5105" hae="{hae}" ce="{ce}" '
        f'le="999999"/>\n  <detail><contact callsign="{uid}"/>'
        '<precisionlocation geopointsrc="gps" altsrc="gps"/>'
        f'<track {track}/><remarks>{remarks}</remarks><color argb="-256"/><rid make="DJI"/>'
        "</detail>\n</event>\n"
    ).encode()


def drone():
    words = (
        "MAC: 60:60:1f:00:00:01, RSSI: -70dBm; ID Type: Serial Number (ANSI/CTA-2063-A); UA Type: Helicopter "
        "(or Multirotor) (2); Operator ID: N/A; Speed: 7.5 m/s; SeenBy: kit-1"
    )
    return dragonsync(f"drone-{SERIAL}", "a-u-A-M-H-R", words)


def aircraft():
    words = "ADS-B hex=3C6444 flight=DLH4AB alt=2500ft gs=110.0kt track=90.0 src=adsb"
    return dragonsync("adsb-3c6444", "a-f-A", words, hae="2500.0", track='course="90.0" speed="110.0"')


def not_of_the_sky():
    return (
        dragonsync("wardragon-1", "a-f-G-E-S", "CPU Usage: 3%")
        + dragonsync("kismet-aa", "b-m-p-s-s", "ssid=home src=kismet mac=60:60:1f:00:00:02")
        + dragonsync(f"pilot-{SERIAL}", "b-m-p-s-m", f"Pilot location for drone drone-{SERIAL}")
    )


def alert_for(hub, unit):
    at = hub.clock.now()
    return Alert(
        time=at, alert="a-1", revision=1, level="imminent", state="active-unacked", units=(unit,),
        track="t17", behaviour="direct-run", expires=at + 60.0, bearing_deg=37.0, range_m=500.0,
        text={"en": "DRONE."},
    )  # fmt: skip


async def stop(*tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.counterpart
def test_other_users_tracks_come_through_a_real_server_with_mutual_tls(
    taky_tls, client_files, client_tls, make_client
):
    hub = FeedHub()

    async def scenario():
        certificate, key = client_files("vedette")
        peer = TakServerPeer(
            "hq", taky_tls.url, cafile=taky_tls.cafile, certfile=certificate, keyfile=key, **QUICK
        )
        assert peer.senses == ("hq/tracks",)
        task = asyncio.create_task(peer.run(hub))
        alpha, kit = make_client("UID-A", "ALPHA"), make_client("UID-K", "KIT")
        await alpha.connect("127.0.0.1", taky_tls.port, client_tls("alpha"))
        await kit.connect("127.0.0.1", taky_tls.port, client_tls("bravo"))
        # Nobody reports himself: the server is shared with tests that count who does.
        alpha.send(event("M-1", "a-h-A-M-H-Q", how="h-g-i-g-o", hae_m=None, ce_m=None))
        kit.writer.write(not_of_the_sky() + drone() + aircraft())
        await until(lambda: len(hub.all()) == 3 and hub.operators != [], "the tracks")
        await until(lambda: hub.sent.get("hq", []) != [], "the server's clock")
        await stop(task)
        for client in (alpha, kit):
            await client.close()

    asyncio.run(scenario())
    found = {d.signal.emitter: d for d in hub.taken["hq/tracks"]}
    assert set(found) == {"M-1", f"drone-{SERIAL}", "adsb-3c6444"}
    assert {d.sensor for d in found.values()} == {"hq"}
    assert found["M-1"].measure == Position(lat_deg=47.21, lon_deg=8.51)
    assert (found["M-1"].sigma, found["M-1"].claim) == (None, None)
    seen = found[f"drone-{SERIAL}"]
    assert seen.measure == Position(lat_deg=47.2105, lon_deg=8.5105, alt_m=520.0, alt_datum="wgs84-ellipsoid")
    assert seen.claim == Claim(scheme="remote-id-serial", id=SERIAL)
    assert found["adsb-3c6444"].measure == Position(lat_deg=47.2105, lon_deg=8.5105)
    assert found["adsb-3c6444"].claim == Claim(scheme="icao", id="3c6444")
    assert [o.id for o in hub.operators] == [SERIAL]
    assert all(abs(sent - hub.clock.now()) < 60.0 for sent in hub.sent["hq"])
    assert hub.counts == {}, "a stranger's phone is not even counted as bad input"
    assert hub.states("hq/tracks")[:2] == ["watching"]


@pytest.mark.counterpart
def test_what_we_said_never_comes_back_as_evidence(taky_plain, make_client):
    """Two peers of one station and another station, all on one server that passes everything on."""
    here, there = FeedHub(), FeedHub()

    async def scenario():
        here.tracks = there.tracks = (TRACK,)
        peers = [
            (TakServerPeer("one", taky_plain.url, **QUICK), here),
            (TakServerPeer("two", taky_plain.url, **QUICK), here),
            (TakServerPeer("one", taky_plain.url, uid="VEDETTE-other-site", **QUICK), there),
        ]
        tasks = [asyncio.create_task(peer.run(hub)) for peer, hub in peers]
        alpha = make_client("UID-A", "ALPHA")
        await alpha.connect("127.0.0.1", taky_plain.port)
        alpha.send(alpha.report())
        await until(lambda: all(peer.reaches("UID-A") for peer, _ in peers), "all connected")
        for peer, hub in peers:
            await peer.publish(Frame(time=hub.clock.now(), tracks=(TRACK,)))
            alert = alert_for(hub, "UID-A")
            await peer.deliver(
                Deliver(alert=alert, recipients=("UID-A",), rule="x", roster_version=1), "UID-A"
            )
            await peer.clear(Clear(alert=alert, recipients=("UID-A",)), "UID-A")
        await until(lambda: len(alpha.chats()) == 6, "all said")
        assert any(e.uid.startswith(OWN_PREFIX) for e in alpha.events)
        alpha.send(event("M-1", "a-h-A"))
        await until(lambda: len(here.all()) == 2 and len(there.all()) == 1, "the sentinel")
        await until(lambda: all(peer.counts.get("own-event", 0) >= 2 for peer, _ in peers), "echoes heard")
        await stop(*tasks)
        await alpha.close()

    asyncio.run(scenario())
    assert {d.signal.emitter for d in here.all() + there.all()} == {"M-1"}


def listening(scenario, query="", **options):
    """Run ``scenario(hub, peer)`` beside a listener on loopback; returns the station."""
    hub = FeedHub()

    async def run():
        peer = TakListenerPeer("phones", f"cot+tcp-listen://127.0.0.1:0{query}", **options)
        task = asyncio.create_task(peer.run(hub))
        await until(lambda: peer.port is not None, "listening")
        try:
            await scenario(hub, peer)
        finally:
            await stop(task)

    asyncio.run(run())
    return hub


def test_nobodys_own_phone_becomes_a_drone(make_client):
    async def scenario(hub, peer):
        alpha = make_client("UID-A", "ALPHA")
        await alpha.connect("127.0.0.1", peer.port)
        for kind in ("a-f-G-U-C", "a-f-G-E-V-C", "a-f-G", "a-f-A-M-H", "a-f-A", "a-f-S", "a-n-G", "a-h-G"):
            alpha.send(alpha.report(type=kind))
        alpha.send(event("F-1", "a-f-G-U-C"), event("M-1", "a-h-A"))
        await until(lambda: len(hub.all()) == 1, "the mark behind them")
        assert peer.counts["tracks: contact"] == 2
        await alpha.close()

    hub = listening(scenario)
    assert [d.signal.emitter for d in hub.all()] == ["M-1"]


@pytest.mark.parametrize(("query", "emitters"), [("", {"M-1"}), ("?tracks=0", set())])
def test_reading_of_tracks_can_be_switched_off(make_client, query, emitters):
    async def scenario(hub, peer):
        assert peer.senses == (() if query else ("phones/tracks",))
        alpha = make_client("UID-A", "ALPHA")
        await alpha.connect("127.0.0.1", peer.port)
        alpha.send(event("M-1", "a-h-A"), alpha.report())
        await until(lambda: hub.units != [], "the sentinel")
        await alpha.close()

    assert {d.signal.emitter for d in listening(scenario, query).all()} == emitters


@pytest.mark.parametrize(("query", "sensors"), [("", set()), ("?views=1", {"phones:CAM-1"})])
def test_views_are_read_only_where_that_is_wanted(make_client, query, sensors):
    async def scenario(hub, peer):
        alpha = make_client("UID-A", "ALPHA")
        await alpha.connect("127.0.0.1", peer.port)
        view = SensorView(azimuth_deg=90.0, fov_deg=40.0)
        alpha.send(event("CAM-1", "b-m-p-s-p-loc", sensor=view, how="h-e"), alpha.report())
        await until(lambda: hub.units != [], "the sentinel")
        await alpha.close()

    assert {d.sensor for d in listening(scenario, query).all()} == sensors


def test_a_flood_of_tracks_delays_no_unit_and_no_receipt(make_client):
    async def scenario(hub, peer):
        alpha, flooder = make_client("UID-A", "ALPHA"), make_client("UID-F", "F")
        for phone in (alpha, flooder):
            await phone.connect("127.0.0.1", peer.port)
        alpha.send(alpha.report())
        await until(lambda: peer.reaches("UID-A"), "heard")
        alert = alert_for(hub, "UID-A")
        await peer.deliver(Deliver(alert=alert, recipients=("UID-A",), rule="x", roster_version=1), "UID-A")
        await until(lambda: len(alpha.chats()) == 1, "the alert")
        for n in range(3000):
            flooder.send(event(f"fake-{n}", "a-h-A", lat_deg=47.0 + n * 1e-5))
        flooder.send(event("pilot-X", "b-m-p-s-m"), event("fake-last", "a-h-A"))
        alpha.send(alpha.receipt(alpha.chats()[0], "b-t-f-r"), alpha.chat("VEDETTE-phones", "V", "ok"))
        alpha.send(alpha.report(lat_deg=47.3))
        await until(lambda: len(hub.receipts) == 3 and len(hub.units) == 2, "told in spite of the flood")
        await until(lambda: peer.counts.get("tracks: detections", 0) == 3001, "all read")
        for phone in (alpha, flooder):
            await phone.close()

    hub = listening(scenario)
    shed = hub.counts["phones/tracks", "flooded"]
    assert shed + len(hub.all()) + len(hub.operators) == 3002
    assert shed > 1000
    assert len(hub.all()) >= MOST_PER_S


def test_of_a_flood_the_freshest_are_kept():
    hub = FeedHub()

    async def run():
        sightings = Sightings(hub, "x/tracks", sensor="x", own_uid="V", views=False)
        sightings.take([event(f"d-{n}", "a-u-A") for n in range(MOST_PER_S + 50)])

    asyncio.run(run())
    assert [d.signal.emitter for d in hub.all()] == [f"d-{n}" for n in range(50, MOST_PER_S + 50)]
    assert hub.counts["x/tracks", "flooded"] == 50


def test_the_kernel_asks_quiet_counterparts_whether_they_are_there(make_client):
    async def scenario(hub, peer):
        alpha = make_client("UID-A", "ALPHA")
        await alpha.connect("127.0.0.1", peer.port)
        await until(lambda: len(peer._phones) == 1, "accepted")
        (phone,) = peer._phones
        held = phone.stream._writer.get_extra_info("socket")
        assert held.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert 0 < held.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 60
        assert 0 < held.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 60_000
        await alpha.close()

    listening(scenario)


def test_a_gateway_that_brings_tracks_need_not_say_who_it_is(make_client):
    async def scenario(hub, peer):
        kit, nobody = make_client("UID-K", "KIT"), make_client("UID-N", "NOBODY")
        await kit.connect("127.0.0.1", peer.port)
        kit.writer.write(drone())
        await until(lambda: len(hub.all()) == 1, "its first track")
        await nobody.connect("127.0.0.1", peer.port)
        await until(nobody.closed.is_set, "who says nothing is dropped")
        kit.writer.write(drone().replace(b"47.2105", b"47.2106"))
        await until(lambda: len(hub.all()) == 2, "its next track, later")
        await peer.publish(Frame(time=hub.clock.now(), tracks=(TRACK,)))
        assert "vedette.t17" not in kit.uids()
        for client in (kit, nobody):
            await client.close()

    listening(scenario, identify_s=1.0)


def test_a_wrong_clock_of_a_sender_is_told_and_nobody_elses(make_client, monkeypatch):
    monkeypatch.setattr("vedette.station.peers._cot_sightings.TOLD_EACH_S", 0.05)
    monkeypatch.setattr("vedette.sense._cot_clocks.CLOCK_KNOWN_S", 0.2)

    async def scenario(hub, peer):
        kit = make_client("UID-K", "KIT")
        await kit.connect("127.0.0.1", peer.port)
        lat = 47.2

        def send():
            nonlocal lat
            lat += 1e-5
            wrong = time.time() - 3600.0
            kit.send(event("drone-A", "a-u-A", time=wrong, start=wrong, stale=wrong + 60.0, lat_deg=lat))
            return ("phones/tracks", "sender-clocks") in hub.troubles

        await until(send, "told")
        assert "3600 s behind" in hub.troubles["phones/tracks", "sender-clocks"]
        await kit.close()

    hub = listening(scenario)
    assert hub.all() != []
    assert "phones" not in hub.sent


def test_when_the_server_is_gone_nothing_is_watched(taky_plain, make_client):
    hub = FeedHub()

    async def scenario():
        task = asyncio.create_task(TakServerPeer("hq", taky_plain.url, **QUICK).run(hub))
        await until(lambda: "watching" in hub.states("hq"), "connected")
        alpha = make_client("UID-A", "ALPHA")
        await alpha.connect("127.0.0.1", taky_plain.port)
        alpha.writer.write(write_event(event("M-1", "a-h-A", remarks=Remarks(text="seen by eye"))))
        await until(lambda: "watching" in hub.states("hq/tracks"), "a track")
        taky_plain.stop()
        await until(lambda: "down" in hub.states("hq/tracks"), "told")
        await stop(task)
        await alpha.close()

    asyncio.run(scenario())
