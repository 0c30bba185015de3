"""Phones that connect to the station itself, in the clear on loopback and over mutual TLS."""

import asyncio
import contextlib
import socket
import time

import pytest

from vedette.model import Alert, ConfigError, Frame, Track
from vedette.model.event import Clear, Deliver
from vedette.station.peers.tak_listener import TakListenerPeer
from vedette.wire.cot import CotEvent, write_event

TRACK = Track(
    id="t17",
    enu_m=(300.0, 400.0, 60.0),
    velocity_mps=(-12.0, -16.0, 0.0),
    covariance=(25.0, 0, 0, 0, 0, 0, 25.0, 0, 0, 0, 0, 9.0, 0, 0, 0, 1.0, 0, 0, 1.0, 0, 1.0),
    existence=0.99,
    beliefs={"multirotor": 0.9, "unknown": 0.1},
)


def delivery(hub, unit, name="a-1", revision=1):
    at = hub.clock.now()
    alert = Alert(
        time=at, alert=name, revision=revision, level="warning", state="active-unacked", units=(unit,),
        track="t17", behaviour="closing", expires=at + 60.0, bearing_deg=37.0, range_m=500.0,
        text={"en": f"Drone closing on {unit}."},
    )  # fmt: skip
    return Deliver(alert=alert, recipients=(unit,), rule="at-risk", roster_version=1)


def plain(**options):
    return TakListenerPeer("phones", "cot+tcp-listen://127.0.0.1:0", **options)


def over_tls(server, **options):
    """The test authority's own server certificate serves the listener too."""
    certificate, key = server.server_files
    return TakListenerPeer(
        "phones",
        "cot+tls-listen://127.0.0.1:0",
        cafile=server.cafile,
        certfile=certificate,
        keyfile=key,
        **options,
    )


@contextlib.asynccontextmanager
async def listening(peer, hub, wait_until):
    task = asyncio.create_task(peer.run(hub))
    await wait_until(lambda: peer.port is not None, "listening")
    try:
        yield peer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_each_phone_gets_its_own_alerts_and_answers_for_itself(hub, make_client, wait_until):
    async def scenario():
        hub.tracks = (TRACK,)
        async with listening(plain(), hub, wait_until) as peer:
            alpha, bravo = make_client("UID-A", "ALPHA"), make_client("UID-B", "BRAVO")
            for phone in (alpha, bravo):
                await phone.connect("127.0.0.1", peer.port)
                phone.send(phone.report())
            await wait_until(lambda: peer.reaches("UID-A") and peer.reaches("UID-B"), "both heard")
            assert not peer.reaches("UID-C")
            await peer.deliver(delivery(hub, "UID-A"), "UID-A")
            await wait_until(lambda: len(alpha.chats()) == 1, "the alert")
            chat = alpha.chats()[0]
            # Bravo tries to answer in Alpha's name, which its connection does not allow.
            bravo.send(alpha.receipt(chat, "b-t-f-r"), alpha.chat("VEDETTE-phones", "VEDETTE", "ack"))
            await wait_until(lambda: len(hub.quarantined) == 2, "both refused")
            alpha.send(alpha.receipt(chat, "b-t-f-d"))
            alpha.send(alpha.chat("VEDETTE-phones", "VEDETTE", "Enterado"))
            await wait_until(lambda: len(hub.receipts) == 3, "the receipts")
            await peer.clear(Clear(alert=delivery(hub, "UID-A").alert, recipients=("UID-A",)), "UID-A")
            await wait_until(lambda: any(e.type == "t-x-d-d" for e in alpha.events), "the end")
            await peer.deliver(delivery(hub, "UID-B", "a-2"), "UID-B")
            await wait_until(lambda: len(bravo.chats()) == 1, "the sentinel")
            assert b"a-1" not in bytes(bravo.raw)
            assert b"UID-A" not in bytes(bravo.raw)
            for phone in (alpha, bravo):
                await phone.close()

    asyncio.run(scenario())
    assert {fact[3] for fact in hub.facts() if fact[0] == "a-1"} == {"accepted", "on-device", "acknowledged"}
    assert {q[1] for q in hub.quarantined} == {"not-its-own-unit"}


def test_a_connection_speaks_for_one_unit_only(hub, make_client, wait_until):
    async def scenario():
        async with listening(plain(), hub, wait_until) as peer:
            phone = make_client("UID-A", "ALPHA")
            await phone.connect("127.0.0.1", peer.port)
            phone.send(phone.report(), phone.report(uid="UID-B", lat_deg=10.0))
            await wait_until(lambda: bool(hub.quarantined), "the second unit refused")
            await phone.close()

    asyncio.run(scenario())
    assert [report.unit for report in hub.units] == ["UID-A"]


def test_a_delivery_without_a_phone_fails(hub, make_client, wait_until):
    async def scenario():
        async with listening(plain(), hub, wait_until) as peer:
            with pytest.raises(ConnectionError, match="UID-A"):
                await peer.deliver(delivery(hub, "UID-A"), "UID-A")
            phone = make_client("UID-A", "ALPHA")
            await phone.connect("127.0.0.1", peer.port)
            phone.send(phone.report())
            await wait_until(lambda: peer.reaches("UID-A"), "heard")
            await phone.close()
            await wait_until(lambda: not peer.reaches("UID-A"), "gone")
            with pytest.raises(ConnectionError, match="UID-A"):
                await peer.deliver(delivery(hub, "UID-A"), "UID-A")

    asyncio.run(scenario())
    assert hub.receipts == []


def test_an_ok_never_acknowledges_what_did_not_go_out(hub, make_client, wait_until):
    async def scenario():
        async with listening(plain(), hub, wait_until) as peer:
            with pytest.raises(ConnectionError, match="UID-A"):
                await peer.deliver(delivery(hub, "UID-A", "unsent"), "UID-A")
            phone = make_client("UID-A", "ALPHA")
            await phone.connect("127.0.0.1", peer.port)
            phone.send(phone.report(), phone.chat("VEDETTE-phones", "VEDETTE", "ok"))
            await wait_until(lambda: peer.counts.get("nothing-to-acknowledge") == 1, "the early ok")
            await peer.deliver(delivery(hub, "UID-A", "sent"), "UID-A")
            phone.send(phone.chat("VEDETTE-phones", "VEDETTE", "ok"))
            await wait_until(lambda: len(hub.receipts) == 2, "the ok that counts")
            ended = Clear(alert=delivery(hub, "UID-A", "sent").alert, recipients=("UID-A",))
            await peer.clear(ended, "UID-A")
            phone.send(phone.chat("VEDETTE-phones", "VEDETTE", "ok"))
            await wait_until(lambda: peer.counts.get("nothing-to-acknowledge") == 2, "the late ok")
            await phone.close()

    asyncio.run(scenario())
    assert {fact[0] for fact in hub.facts()} == {"sent"}


def test_a_phone_that_reads_nothing_is_dropped_and_the_others_are_served(hub, make_client, wait_until):
    async def scenario():
        hub.tracks = (TRACK,)
        async with listening(plain(write_limit=100_000, send_timeout_s=0.3), hub, wait_until) as peer:
            stuck = socket.socket()
            stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stuck.setblocking(False)
            await asyncio.get_running_loop().sock_connect(stuck, ("127.0.0.1", peer.port))
            alpha, bravo = make_client("UID-A", "ALPHA"), make_client("UID-B", "BRAVO")
            await asyncio.get_running_loop().sock_sendall(stuck, write_event(alpha.report()))
            await bravo.connect("127.0.0.1", peer.port)
            bravo.send(bravo.report())
            await wait_until(lambda: peer.reaches("UID-A") and peer.reaches("UID-B"), "both heard")
            with contextlib.suppress(ConnectionError):
                while True:
                    await peer.deliver(delivery(hub, "UID-A"), "UID-A")
            await peer.deliver(delivery(hub, "UID-B", "a-2"), "UID-B")
            await wait_until(lambda: len(bravo.chats()) == 1, "the other's alert")
            assert not peer.reaches("UID-A")
            stuck.close()
            await bravo.close()

    asyncio.run(scenario())


def test_pings_are_answered_and_the_picture_goes_to_identified_phones(hub, make_client, wait_until):
    async def scenario():
        async with listening(plain(), hub, wait_until) as peer:
            alpha, stranger = make_client("UID-A", "ALPHA"), make_client("UID-S", "STRANGER")
            for phone in (alpha, stranger):
                await phone.connect("127.0.0.1", peer.port)
            alpha.send(alpha.report())
            await wait_until(lambda: peer.reaches("UID-A"), "heard")
            await peer.publish(Frame(time=hub.clock.now(), tracks=(TRACK,)))
            await wait_until(lambda: "vedette.t17" in alpha.uids(), "the track")
            now = time.time()
            ping = CotEvent(
                uid="UID-S-ping", type="t-x-c-t", how="m-g", time=now, start=now, stale=now + 10,
                lat_deg=0.0, lon_deg=0.0,
            )  # fmt: skip
            stranger.send(ping)
            await wait_until(lambda: "takPong" in stranger.uids(), "the pong")
            assert "vedette.t17" not in stranger.uids()
            for phone in (alpha, stranger):
                await phone.close()

    asyncio.run(scenario())


def test_garbage_is_quarantined_and_the_connection_lives(hub, make_client, wait_until):
    async def scenario():
        async with listening(plain(), hub, wait_until) as peer:
            phone = make_client("UID-A", "ALPHA")
            await phone.connect("127.0.0.1", peer.port)
            phone.writer.write(b"GET / HTTP/1.1\r\n\r\n<event uid='x'/><event><point lat='abc'/></event>")
            phone.send(phone.report())
            await wait_until(lambda: peer.reaches("UID-A"), "heard all the same")
            await phone.close()

    asyncio.run(scenario())
    assert len(hub.quarantined) == 2
    assert len(hub.units) == 1


def test_who_does_not_say_who_he_is_is_dropped(hub, make_client, wait_until):
    async def scenario():
        async with listening(plain(identify_s=0.1), hub, wait_until) as peer:
            phone = make_client("UID-A", "ALPHA")
            await phone.connect("127.0.0.1", peer.port)
            await asyncio.wait_for(phone.closed.wait(), 30)
            await phone.close()

    asyncio.run(scenario())


def test_no_more_connections_than_allowed(hub, make_client, wait_until):
    async def scenario():
        async with listening(plain(max_connections=1), hub, wait_until) as peer:
            first, second = make_client("UID-A", "ALPHA"), make_client("UID-B", "BRAVO")
            await first.connect("127.0.0.1", peer.port)
            first.send(first.report())
            await wait_until(lambda: peer.reaches("UID-A"), "heard")
            await second.connect("127.0.0.1", peer.port)
            await asyncio.wait_for(second.closed.wait(), 30)
            assert peer.reaches("UID-A")
            for phone in (first, second):
                await phone.close()

    asyncio.run(scenario())
    assert [q[1] for q in hub.quarantined] == ["too-many-connections"]


def test_connections_that_say_nothing_keep_no_phone_out(hub, make_client, wait_until):
    async def scenario():
        async with listening(plain(max_connections=3), hub, wait_until) as peer:
            first, late = make_client("UID-A", "ALPHA"), make_client("UID-B", "BRAVO")
            await first.connect("127.0.0.1", peer.port)
            first.send(first.report())
            await wait_until(lambda: peer.reaches("UID-A"), "heard")
            silent = [await asyncio.open_connection("127.0.0.1", peer.port) for _ in range(2)]
            for reader, _ in silent:
                await reader.readuntil(b"</event>")
            await late.connect("127.0.0.1", peer.port)
            late.send(late.report())
            await wait_until(lambda: peer.reaches("UID-B"), "the late one is heard")
            assert peer.reaches("UID-A")
            for _, writer in silent:
                writer.close()
            for phone in (first, late):
                await phone.close()

    asyncio.run(scenario())
    assert [q[1] for q in hub.quarantined] == ["made-room-for-another"]


def test_two_phones_of_one_unit_both_get_the_alert(hub, make_client, wait_until):
    async def scenario():
        async with listening(plain(), hub, wait_until) as peer:
            first, second = make_client("UID-A", "ALPHA"), make_client("UID-A", "ALPHA")
            for phone in (first, second):
                await phone.connect("127.0.0.1", peer.port)
                phone.send(phone.report())
            await wait_until(lambda: peer.counts.get("unit") == 2, "both heard")
            await peer.deliver(delivery(hub, "UID-A"), "UID-A")
            await wait_until(lambda: first.chats() and second.chats(), "both warned")
            assert peer.counts["second-connection"] == 1
            for phone in (first, second):
                await phone.close()

    asyncio.run(scenario())
    assert len(hub.receipts) == 1


@pytest.mark.counterpart
def test_over_tls_a_unit_belongs_to_the_certificate_that_claimed_it(
    taky_tls, client_tls, hub, make_client, wait_until
):
    async def scenario():
        async with listening(over_tls(taky_tls), hub, wait_until) as peer:
            alpha, thief = make_client("UID-A", "ALPHA"), make_client("UID-A", "ALPHA")
            await alpha.connect("127.0.0.1", peer.port, client_tls("alpha"))
            alpha.send(alpha.report())
            await wait_until(lambda: peer.reaches("UID-A"), "heard")
            await thief.connect("127.0.0.1", peer.port, client_tls("bravo"))
            thief.send(thief.report(lat_deg=1.0))
            await asyncio.wait_for(thief.closed.wait(), 30)
            await peer.deliver(delivery(hub, "UID-A"), "UID-A")
            await wait_until(lambda: len(alpha.chats()) == 1, "the alert at its owner")
            await alpha.close()
            await wait_until(lambda: not peer.reaches("UID-A"), "the owner gone")
            again = make_client("UID-A", "ALPHA")
            await again.connect("127.0.0.1", peer.port, client_tls("bravo"))
            again.send(again.report())
            await asyncio.wait_for(again.closed.wait(), 30)
            assert b"Drone closing" not in bytes(thief.raw + again.raw)
            for phone in (thief, again):
                await phone.close()

    asyncio.run(scenario())
    assert {q[1] for q in hub.quarantined} == {"unit-claimed-by-another"}
    assert [report.lat_deg for report in hub.units] == [47.201]


@pytest.mark.counterpart
def test_over_tls_a_phone_without_a_certificate_is_refused(
    taky_tls, client_tls, hub, make_client, wait_until
):
    async def scenario():
        async with listening(over_tls(taky_tls), hub, wait_until) as peer:
            phone = make_client("UID-A", "ALPHA")
            with contextlib.suppress(OSError):
                await phone.connect("127.0.0.1", peer.port, client_tls())
                with contextlib.suppress(OSError):
                    phone.send(phone.report())
                await asyncio.wait_for(phone.closed.wait(), 30)
                await phone.close()
            assert bytes(phone.raw) == b""

    asyncio.run(scenario())
    assert hub.units == []


def test_a_busy_port_is_reported_and_tried_again(hub, wait_until):
    async def scenario():
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            url = f"cot+tcp-listen://127.0.0.1:{holder.getsockname()[1]}"
            peer = TakListenerPeer("phones", url, retry_s=0.05)
            task = asyncio.create_task(peer.run(hub))
            await wait_until(lambda: "down" in hub.states(), "the busy port reported")
        await wait_until(lambda: "watching" in hub.states(), "listening after all")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("url", "options", "says"),
    [
        ("cot+tcp-listen://0.0.0.0:8087", {}, "unencrypted"),
        ("cot+tcp-listen://192.0.2.1:8087", {}, "unencrypted"),
        ("cot+tcp-listen://example.org:8087", {}, "unencrypted"),
        ("cot+tls-listen://127.0.0.1:8089", {}, "cafile"),
        ("cot+tls-listen://0.0.0.0:8089", {"cafile": "/nonexistent/ca.crt"}, "certfile"),
        ("cot+tcp://127.0.0.1:8087", {}, "must be"),
        ("cot+tcp-listen://127.0.0.1:8087", {"uid": "a.b"}, "dots"),
    ],
)
def test_unsafe_or_wrong_configuration_is_refused(url, options, says):
    with pytest.raises(ConfigError, match=says):
        TakListenerPeer("phones", url, **options)
