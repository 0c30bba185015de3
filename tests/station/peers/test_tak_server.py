"""The TAK server peer against a real taky, over mutual TLS and in the clear."""

import asyncio
import contextlib
import ssl
import time

import pytest

from vedette.express.cot import pong_event
from vedette.model import Alert, ConfigError, Frame, Track
from vedette.model.event import Clear, Deliver
from vedette.station.peers.tak_server import TakServerPeer
from vedette.wire.cot import write_event

TRACK = Track(
    id="t17",
    enu_m=(300.0, 400.0, 60.0),
    velocity_mps=(-12.0, -16.0, 0.0),
    covariance=(25.0, 0, 0, 0, 0, 0, 25.0, 0, 0, 0, 0, 9.0, 0, 0, 0, 1.0, 0, 0, 1.0, 0, 1.0),
    existence=0.99,
    beliefs={"multirotor": 0.9, "unknown": 0.1},
)
QUICK = {"reconnect_s": (0.05, 0.2), "ping_s": 0.2, "presence_s": 0.4}


def alert(at: float, unit: str, revision: int = 1, name: str = "a-3f9c") -> Alert:
    return Alert(
        time=at, alert=name, revision=revision, level="imminent", state="active-unacked", units=(unit,),
        track="t17", behaviour="direct-run", expires=at + 60.0, bearing_deg=37.0, range_m=500.0,
        text={"en": "DRONE ATTACK LIKELY. From NE, 15-25 s.", "es": "ATAQUE DE DRON PROBABLE. Del NE."},
    )  # fmt: skip


def delivery(at: float, unit: str, revision: int = 1) -> Deliver:
    return Deliver(
        alert=alert(at, unit, revision), recipients=(unit,), rule="at-risk", roster_version=1, sound=True
    )


def tls_peer(server, client_files, **options):
    certificate, key = client_files("vedette")
    return TakServerPeer(
        "hq", server.url, cafile=server.cafile, certfile=certificate, keyfile=key, **{**QUICK, **options}
    )


async def stop(task, *clients):
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    for client in clients:
        await client.close()


@pytest.mark.counterpart
def test_an_alert_over_mutual_tls_reaches_its_unit_and_nobody_else(
    taky_tls, client_files, client_tls, hub, make_client, wait_until
):
    async def scenario():
        hub.tracks = (TRACK,)
        peer = tls_peer(taky_tls, client_files, publish_tracks=False)
        task = asyncio.create_task(peer.run(hub))
        alpha, bravo = make_client("UID-A", "ALPHA"), make_client("UID-B", "BRAVO")
        await alpha.connect("127.0.0.1", taky_tls.port, client_tls("alpha"))
        await bravo.connect("127.0.0.1", taky_tls.port, client_tls("bravo"))
        alpha.send(alpha.report())
        bravo.send(bravo.report(type="a-f-G-E-V-C"))
        await wait_until(lambda: peer.reaches("UID-A") and peer.reaches("UID-B"), "both units heard")

        at = hub.clock.now()
        await peer.deliver(delivery(at, "UID-A"), "UID-A")
        await wait_until(lambda: len(alpha.chats()) == 1, "the alert at its unit")
        await wait_until(lambda: "vedette.alert.a-3f9c.UID-A" in alpha.uids(), "the marker at its unit")
        chat = alpha.chats()[0]
        assert chat.remarks.text == "DRONE ATTACK LIKELY. From NE, 15-25 s."
        assert chat.stale == pytest.approx(time.time() + 60.0, abs=10.0)

        alpha.send(alpha.receipt(chat, "b-t-f-d"), alpha.receipt(chat, "b-t-f-r"))
        alpha.send(alpha.chat("VEDETTE-hq", "VEDETTE", "Roger, taking cover"))
        bravo.send(bravo.receipt(chat, "b-t-f-r"))
        await wait_until(lambda: len(hub.receipts) == 4, "all receipts")
        assert sorted(hub.facts(), key=str) == sorted(
            [
                ("a-3f9c", 1, "UID-A", "accepted", None),
                ("a-3f9c", 1, "UID-A", "on-device", None),
                ("a-3f9c", 1, "UID-A", "shown", "ALPHA"),
                ("a-3f9c", 1, "UID-A", "acknowledged", "ALPHA"),
            ],
            key=str,
        )
        await wait_until(lambda: ("hq", "receipt-forged") in [q[:2] for q in hub.quarantined], "forgery seen")

        clear = Clear(alert=alert(at, "UID-A", 2), recipients=("UID-A",))
        await peer.clear(clear, "UID-A")
        await wait_until(lambda: any(e.type == "t-x-d-d" for e in alpha.events), "the marker taken off")

        # The sentinel goes the same way, after everything else: what B has by then is all B ever gets.
        sentinel = Deliver(
            alert=alert(at, "UID-B", 1, "sentinel"), recipients=("UID-B",), rule="test", roster_version=1
        )
        await peer.deliver(sentinel, "UID-B")
        await wait_until(lambda: "vedette.alert.sentinel.UID-B" in bravo.uids(), "the sentinel at B")
        assert bravo.chats()[0].remarks.text.startswith("ATAQUE")
        for secret in (b"a-3f9c", b"DRONE ATTACK", b"vedette.alert.a-3f9c"):
            assert secret in bytes(alpha.raw)
            assert secret not in bytes(bravo.raw)
        assert b"ATAQUE" not in bytes(alpha.raw)
        await stop(task, alpha, bravo)

    asyncio.run(scenario())
    reports = {report.unit: report for report in hub.units}
    assert set(reports) == {"UID-A", "UID-B"}
    assert reports["UID-A"].mobility == "foot"
    assert reports["UID-B"].mobility == "vehicle"
    assert reports["UID-A"].source == "hq"
    assert reports["UID-A"].sigma_m == pytest.approx(4.0)
    assert reports["UID-A"].time == pytest.approx(hub.clock.now(), abs=60.0)


@pytest.mark.counterpart
def test_the_picture_goes_to_everybody_as_unknown_tracks(
    taky_tls, client_files, client_tls, hub, make_client, wait_until
):
    async def scenario():
        peer = tls_peer(taky_tls, client_files)
        task = asyncio.create_task(peer.run(hub))
        alpha = make_client("UID-A", "ALPHA")
        await alpha.connect("127.0.0.1", taky_tls.port, client_tls("alpha"))
        alpha.send(alpha.report())
        await wait_until(lambda: peer.reaches("UID-A"), "the unit heard")
        await peer.publish(Frame(time=hub.clock.now(), tracks=(TRACK,)))
        await wait_until(lambda: "vedette.t17" in alpha.uids(), "the track on the map")
        seen = next(event for event in alpha.events if event.uid == "vedette.t17")
        assert seen.type == "a-u-A-M-H-Q"
        assert seen.ce_m == pytest.approx(5.0)
        await stop(task, alpha)

    asyncio.run(scenario())


@pytest.mark.counterpart
def test_a_client_without_a_certificate_is_refused_by_the_server(taky_tls, hub, wait_until):
    async def scenario():
        peer = TakServerPeer("hq", taky_tls.url, cafile=taky_tls.cafile, **{**QUICK, "dead_after_s": 2.0})
        task = asyncio.create_task(peer.run(hub))
        await wait_until(lambda: "down" in hub.states(), "the refusal reported")
        assert "watching" not in hub.states()
        reason = next(reason for feed, state, reason in hub.feeds if (feed, state) == ("hq", "down"))
        assert "certificate" in reason.lower()
        await stop(task)

    asyncio.run(scenario())


@pytest.mark.counterpart
def test_a_server_of_another_authority_is_refused_by_us(
    taky_tls, client_files, hub, tmp_path, wait_until, counterpart
):
    async def scenario():
        certificate, key = client_files("vedette")
        peer = TakServerPeer(
            "hq", taky_tls.url, cafile=certificate, certfile=certificate, keyfile=key, **QUICK
        )
        task = asyncio.create_task(peer.run(hub))
        await wait_until(lambda: "down" in hub.states(), "the refusal reported")
        assert "watching" not in hub.states()
        reasons = [reason for feed, state, reason in hub.feeds if (feed, state) == ("hq", "down")]
        assert "certificate was refused" in reasons[0]
        with pytest.raises(ConnectionError):
            await peer.deliver(delivery(hub.clock.now(), "UID-A"), "UID-A")
        await stop(task)

    asyncio.run(scenario())
    assert hub.receipts == []


@pytest.mark.counterpart
def test_a_server_reached_by_another_name_is_refused_unless_named(taky_tls, client_files, hub, wait_until):
    async def scenario():
        certificate, key = client_files("vedette")
        files = {"cafile": taky_tls.cafile, "certfile": certificate, "keyfile": key}
        url = f"cot+tls://127.0.0.1:{taky_tls.port}"
        stranger = TakServerPeer("stranger", url, **files, **QUICK)
        named = TakServerPeer("named", url, **files, server_hostname="localhost", **QUICK)
        unchecked = TakServerPeer("unchecked", url, **files, check_hostname=False, **QUICK)
        tasks = [asyncio.create_task(peer.run(hub)) for peer in (stranger, named, unchecked)]

        def reported(name, state):
            return any(feed[:2] == (name, state) for feed in hub.feeds)

        await wait_until(lambda: reported("named", "watching"), "connected by the name given")
        await wait_until(lambda: reported("unchecked", "watching"), "connected without a name check")
        await wait_until(lambda: reported("stranger", "down"), "the other name refused")
        assert not reported("stranger", "watching")
        for task in tasks:
            await stop(task)

    asyncio.run(scenario())


@pytest.mark.counterpart
def test_it_reconnects_after_the_server_was_away(taky_plain, hub, make_client, wait_until):
    async def scenario():
        peer = TakServerPeer("hq", taky_plain.url, **QUICK)
        task = asyncio.create_task(peer.run(hub))
        await wait_until(lambda: "watching" in hub.states(), "connected")
        taky_plain.stop()
        await wait_until(lambda: "down" in hub.states(), "the loss reported")
        with pytest.raises(ConnectionError):
            await peer.deliver(delivery(hub.clock.now(), "UID-A"), "UID-A")
        taky_plain.start()
        await wait_until(lambda: hub.states().count("watching") >= 2, "connected again")
        alpha = make_client("UID-A", "ALPHA")
        await alpha.connect("127.0.0.1", taky_plain.port)
        alpha.send(alpha.report())
        await wait_until(lambda: peer.reaches("UID-A"), "the unit heard after the loss")
        await peer.deliver(delivery(hub.clock.now(), "UID-A"), "UID-A")
        await wait_until(lambda: len(alpha.chats()) == 1, "the alert after the loss")
        await stop(task, alpha)

    asyncio.run(scenario())
    assert [fact[3] for fact in hub.facts()] == ["accepted"]


@pytest.mark.counterpart
def test_a_second_contact_with_the_same_callsign_gets_nothing(taky_plain, hub, make_client, wait_until):
    """taky routes markers by callsign: an eavesdropper who takes one must not receive a copy."""

    async def scenario():
        hub.tracks = (TRACK,)
        peer = TakServerPeer("hq", taky_plain.url, publish_tracks=False, **QUICK)
        task = asyncio.create_task(peer.run(hub))
        alpha, thief = make_client("UID-A", "ALPHA"), make_client("UID-T", "ALPHA")
        for client in (alpha, thief):
            await client.connect("127.0.0.1", taky_plain.port)
            client.send(client.report())
        await wait_until(lambda: peer.reaches("UID-A") and peer.reaches("UID-T"), "both heard")
        await peer.deliver(delivery(hub.clock.now(), "UID-A"), "UID-A")
        await wait_until(lambda: len(alpha.chats()) == 1, "the alert at its unit")
        sentinel = Deliver(
            alert=alert(hub.clock.now(), "UID-T", 1, "sentinel"),
            recipients=("UID-T",),
            rule="test",
            roster_version=1,
        )
        await peer.deliver(sentinel, "UID-T")
        await wait_until(lambda: len(thief.chats()) == 1, "the sentinel at the thief")
        assert b"a-3f9c" not in bytes(thief.raw)
        await stop(task, alpha, thief)

    asyncio.run(scenario())


@pytest.mark.counterpart
def test_a_callsign_that_is_a_chat_room_does_not_broadcast(taky_plain, hub, make_client, wait_until):
    async def scenario():
        peer = TakServerPeer("hq", taky_plain.url, publish_tracks=False, **QUICK)
        task = asyncio.create_task(peer.run(hub))
        trap, bravo = make_client("UID-A", "All Chat Rooms"), make_client("UID-B", "BRAVO")
        for client in (trap, bravo):
            await client.connect("127.0.0.1", taky_plain.port)
            client.send(client.report())
        await wait_until(lambda: peer.reaches("UID-A") and peer.reaches("UID-B"), "both heard")
        await peer.deliver(delivery(hub.clock.now(), "UID-A"), "UID-A")
        await wait_until(lambda: len(trap.chats()) == 1, "the alert at its unit")
        await peer.deliver(delivery(hub.clock.now(), "UID-B", 9), "UID-B")
        await wait_until(lambda: len(bravo.chats()) >= 1, "B's own alert")
        assert [e.chat.id for e in bravo.chats()] == ["UID-B"]
        await stop(task, trap, bravo)

    asyncio.run(scenario())


def test_a_server_that_says_nothing_is_given_up(hub, wait_until):
    async def scenario():
        async def mute(reader, writer):
            await reader.read(-1)
            writer.close()

        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        peer = TakServerPeer("hq", f"cot+tcp://127.0.0.1:{port}", **QUICK, dead_after_s=0.3)
        task = asyncio.create_task(peer.run(hub))
        await wait_until(lambda: "down" in hub.states(), "the silence noticed")
        assert "watching" not in hub.states()
        assert "nothing heard" in next(
            reason for feed, state, reason in hub.feeds if (feed, state) == ("hq", "down")
        )
        await stop(task)
        server.close()
        await server.wait_closed()

    asyncio.run(scenario())


def test_a_server_that_takes_nothing_is_dropped_and_the_delivery_fails(hub, wait_until):
    async def scenario():
        release = asyncio.Event()

        async def clogged(reader, writer):
            writer.write(write_event(pong_event(time.time())))
            writer.transport.pause_reading()
            await release.wait()
            writer.transport.abort()

        server = await asyncio.start_server(clogged, "127.0.0.1", 0, limit=1)
        port = server.sockets[0].getsockname()[1]
        peer = TakServerPeer(
            "hq", f"cot+tcp://127.0.0.1:{port}", **QUICK, send_timeout_s=0.3, write_limit=200_000
        )
        task = asyncio.create_task(peer.run(hub))
        await wait_until(lambda: "watching" in hub.states(), "connected")
        accepted = 0
        with contextlib.suppress(ConnectionError):
            while True:
                await peer.deliver(delivery(hub.clock.now(), "UID-A"), "UID-A")
                accepted += 1
        assert len(hub.receipts) == accepted
        await wait_until(lambda: "down" in hub.states(), "the drop reported")
        release.set()
        await stop(task)
        server.close()
        await server.wait_closed()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("tcp://127.0.0.1:8087", {}),
        ("cot+tcp://127.0.0.1", {}),
        ("cot+tcp://127.0.0.1:notaport", {}),
        ("cot+tls://127.0.0.1:8089", {}),
        ("cot+tls://127.0.0.1:8089", {"cafile": "/nonexistent/ca.crt"}),
        ("cot+tcp://127.0.0.1:8087", {"uid": "with.dots"}),
        ("cot+tcp://127.0.0.1:8087", {"uid": ""}),
    ],
)
def test_wrong_configuration_is_refused_at_once(url, options):
    with pytest.raises(ConfigError, match="peer hq"):
        TakServerPeer("hq", url, **options)


def test_an_encrypted_key_without_a_password_is_an_error_not_a_prompt(tmp_path):
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
    )

    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    path = tmp_path / "key.pem"
    path.write_bytes(key)
    with pytest.raises(ConfigError, match="cannot load"):
        TakServerPeer("hq", "cot+tls://x:1", cafile=str(path), certfile=str(path), keyfile=str(path))


def test_verification_is_never_off(taky_tls):
    peer = TakServerPeer("hq", taky_tls.url, cafile=taky_tls.cafile, check_hostname=False)
    assert peer._tls.verify_mode == ssl.CERT_REQUIRED
