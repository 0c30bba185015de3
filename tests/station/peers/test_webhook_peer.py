"""The signed webhook: a server that checks each signature, and servers that mean harm."""

import asyncio
import json
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import outward
import pytest
from hypothesis import given
from hypothesis import strategies as st
from station_feed_hub import until

from vedette.model import ConfigError
from vedette.station.config import FeedConfig
from vedette.station.peers.registry import Keys, make_peer
from vedette.station.peers.webhook import WebhookPeer, webhook_peer
from vedette.wire.errors import DecodeError
from vedette.wire.webhook import verify, write_secret

KEY = bytes(range(32))
SECRET = write_secret(KEY)
Receiver, status = outward.Receiver, outward.status


def posted(
    receiver: outward.Receiver, messages: list, enough: Callable[[WebhookPeer], bool], **options: object
) -> tuple[WebhookPeer, "outward.FeedHub"]:
    """Deliver ``messages`` (made from the station's time) and wait."""
    hub = outward.hub()

    async def story() -> WebhookPeer:
        async with receiver.serving():
            url = f"http://127.0.0.1:{receiver.port}/hook"
            peer = WebhookPeer("hook", url, KEY, **{"first_pause_s": 0.02, **options})  # type: ignore[arg-type]
            task = asyncio.create_task(peer.run(hub))
            await until(lambda: peer.reaches("UID-A"), "running")
            for make in messages:
                message = make(hub.clock.now())
                if hasattr(message, "rule"):
                    await peer.deliver(message, "UID-A")
                else:
                    await peer.clear(message, "UID-A")
            await until(lambda: enough(peer), "enough")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return peer

    return asyncio.run(story()), hub


def test_an_alert_is_posted_signed_and_accepted() -> None:
    receiver = Receiver()
    peer, hub = posted(receiver, [outward.deliver_at], lambda peer: peer.counts["accepted"] == 1)
    ((first, headers, body),) = receiver.requests
    assert first == "POST /hook HTTP/1.1"
    assert verify(KEY, headers, body, time.time()).startswith("AQ7MZ2KXW3P-1-")
    notice = json.loads(body)
    assert (notice["id"], notice["event"]) == (headers["webhook-id"], "alert")
    assert "figures" not in notice
    assert [(r.recipient, r.channel, r.fact) for r in hub.receipts] == [("UID-A", "hook", "accepted")]
    assert set(peer.receipt_facts) == {"accepted"}


def test_a_repetition_has_the_same_id_and_an_end_its_own() -> None:
    receiver = Receiver()
    one = lambda now: outward.deliver_at(now)  # noqa: E731
    hub = outward.hub()

    async def story() -> None:
        async with receiver.serving():
            peer = WebhookPeer("hook", f"http://127.0.0.1:{receiver.port}/", KEY)
            task = asyncio.create_task(peer.run(hub))
            await until(lambda: peer.reaches("UID-A"), "running")
            for number, message in enumerate((one, one, outward.clear_at), 1):
                made = message(hub.clock.now())
                await (peer.clear if message is outward.clear_at else peer.deliver)(made, "UID-A")
                await until(lambda: peer.counts["accepted"] == number, "accepted")  # noqa: B023
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())
    ids = [headers["webhook-id"] for _, headers, _ in receiver.requests]
    assert ids[0] == ids[1] != ids[2]
    assert "-end-" in ids[2]


@pytest.mark.parametrize("code", [500, 503, 429, 408])
def test_what_may_pass_is_tried_again(code: int) -> None:
    receiver = Receiver(lambda number: status(code) if number < 2 else status(200))
    _, hub = posted(receiver, [outward.deliver_at], lambda peer: peer.counts["accepted"] == 1)
    assert len(receiver.requests) == 3
    assert len({headers["webhook-id"] for _, headers, _ in receiver.requests}) == 1
    assert len(hub.receipts) == 1


@pytest.mark.parametrize("code", [301, 302, 307, 308, 400, 401, 404, 410])
def test_a_refusal_and_a_redirection_are_for_good_and_told(code: int) -> None:
    elsewhere = Receiver()
    receiver = Receiver(lambda number: status(code, "location: http://127.0.0.1:1/elsewhere\r\n"))
    peer, hub = posted(receiver, [outward.deliver_at], lambda peer: peer.counts["refused"] == 1)
    assert len(receiver.requests) == 1
    assert elsewhere.requests == []
    assert str(code) in hub.troubles["hook", "refused"]
    assert not hub.receipts
    assert peer.counts["accepted"] == 0


def test_what_is_no_longer_news_is_given_up() -> None:
    receiver = Receiver(lambda number: status(503))
    soon = lambda now: outward.deliver_at(now, expires=now + 1.0)  # noqa: E731
    peer, hub = posted(receiver, [soon], lambda peer: peer.counts["expired"] == 1)
    assert peer.counts["failed"] >= 2
    assert not hub.receipts


def test_only_the_newest_revision_waits() -> None:
    def answer(number: int) -> bytes:
        return status(503) if number == 0 else status(200)

    receiver = Receiver(answer)
    revisions = [lambda now, n=n: outward.deliver_at(now, revision=n) for n in (1, 2, 3)]
    posted(receiver, revisions, lambda peer: peer.counts["accepted"] == 1)
    assert [json.loads(body)["revision"] for _, _, body in receiver.requests][-1] == 3
    assert json.loads(receiver.requests[-1][2])["revision"] == 3


def test_a_server_that_is_away_is_told_and_gets_it_when_it_is_back() -> None:
    receiver, hub = Receiver(), outward.hub()

    async def story() -> None:
        async with receiver.serving():
            pass
        peer = WebhookPeer(
            "hook", f"http://127.0.0.1:{receiver.port}/", KEY, first_pause_s=0.02, check_s=0.05
        )
        task = asyncio.create_task(peer.run(hub))
        await until(lambda: "down" in hub.states("hook"), "down")
        await peer.deliver(outward.deliver_at(hub.clock.now()), "UID-A")
        await until(lambda: peer.counts["failed"] >= 2, "tried")
        async with receiver.serving():
            await until(lambda: len(hub.receipts) == 1, "accepted")
            await until(lambda: hub.states("hook")[-1] == "watching", "watching")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def endless(head: bytes, more: bytes) -> outward.Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(head)
        while more:
            writer.write(more)
            await writer.drain()
        await reader.read()

    return serve


@pytest.mark.parametrize(
    ("serve", "accepted"),
    [
        (endless(CHUNKED, b"ffff\r\n" + b"x" * 65535 + b"\r\n"), True),
        (endless(b"HTTP/1.1 200 OK\r\n", b"x: " + b"y" * 4000 + b"\r\n"), False),
        (endless(b"HTTP/1.1 200 OK\r\nx: ", b"y" * 65536), False),
        (endless(b"", b"HTTP/1.1 102 Processing\r\n\r\n"), False),
        (endless(b"\x16\x03\x01", b"\0" * 4096), False),
        (endless(b"HTTP/1.1 200", b""), False),
        (endless(b"", b""), False),
    ],
)  # fmt: skip
def test_a_hostile_server_is_left_in_time(serve: outward.Serve, accepted: bool) -> None:
    async def story() -> None:
        async with outward.served(serve) as port:
            hub = outward.hub()
            peer = WebhookPeer("hook", f"http://127.0.0.1:{port}/", KEY, attempt_s=0.5)
            task = asyncio.create_task(peer.run(hub))
            await until(lambda: peer.reaches("UID-A"), "running")
            await peer.deliver(outward.deliver_at(hub.clock.now()), "UID-A")
            await until(lambda: bool(peer.counts["accepted" if accepted else "failed"]), "an end of it")
            assert bool(hub.receipts) is accepted
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())


def test_tls_is_verified(tmp_path: Path) -> None:
    files = outward.certificate(tmp_path)
    (tmp_path / "others").mkdir()
    strange = outward.certificate(tmp_path / "others")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    receiver = Receiver(tls=context)
    secret = outward.secret_file(tmp_path, SECRET)

    async def story(ca_file: str, good: bool) -> None:
        hub = outward.hub()
        async with receiver.serving():
            url = f"webhook+https://localhost:{receiver.port}/hook"
            feed = FeedConfig(name="hook", url=url, ca_file=ca_file, secret_file=secret)
            peer = make_peer(feed, Keys(receipts=bytes(32)))
            assert isinstance(peer, WebhookPeer)

            async def then() -> None:
                await until(lambda: peer.reaches("UID-A"), "running")
                await peer.deliver(outward.deliver_at(hub.clock.now()), "UID-A")
                await until(lambda: bool(peer.counts["accepted" if good else "failed"]), "an end of it")
                await until(lambda: ("watching" if good else "down") in hub.states("hook"), "a check")

            task = asyncio.create_task(peer.run(hub))
            await then()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story(files[0], True))
    assert len(receiver.requests) == 1
    asyncio.run(story(strange[0], False))
    assert len(receiver.requests) == 1


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    receiver = Receiver()
    posted(receiver, [outward.deliver_at], lambda peer: peer.counts["accepted"] == 1)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("url", "secret", "words"),
    [
        ("webhook+http://192.0.2.1/", SECRET, "must be webhook\\+https"),
        ("webhook+https://", SECRET, "is not webhook\\+https://HOST/PATH"),
        ("webhook+https://u:p@site.example/", SECRET, "is not webhook\\+https://HOST/PATH"),
        ("webhook+https://site.example:0x1/", SECRET, "is not an address"),
        ("webhook+https://site.example/", "secret", "begins with whsec_"),
        ("webhook+https://site.example/", "whsec_AAAA", "3 bytes"),
        ("webhook+https://site.example/", None, "needs a secret_file"),
        ("webhook+https://site.example/?vedette-position=2", SECRET, "must be 0 or 1"),
    ],
)
def test_a_wrong_configuration_is_told(tmp_path: Path, url: str, secret: str | None, words: str) -> None:
    path = None if secret is None else outward.secret_file(tmp_path, secret)
    with pytest.raises(ConfigError, match=words):
        webhook_peer(FeedConfig(name="hook", url=url, secret_file=path))


def test_the_option_does_not_leave_the_station(tmp_path: Path) -> None:
    url = "webhook+https://site.example/hook?token=a%20b&vedette-position=1"
    made = webhook_peer(FeedConfig(name="hook", url=url, secret_file=outward.secret_file(tmp_path, SECRET)))
    assert isinstance(made, WebhookPeer)
    assert made.carries_position
    assert made._url == "https://site.example/hook?token=a+b"


def test_figures_are_told_only_where_they_may_be() -> None:
    receiver = Receiver()
    posted(receiver, [outward.deliver_at], lambda peer: peer.counts["accepted"] == 1, carries_position=True)
    notice = json.loads(receiver.requests[0][2])
    assert notice["figures"] == {"direction_deg": 47, "distance_m": 815, "time_left_s": [14, 22]}
    assert notice["text"]["en"] == "DRONE ATTACK LIKELY. From NE, 815 m."


@given(st.binary(max_size=200), st.integers(0, 3), st.integers(-100, 100))
def test_a_signature_holds_for_its_message_alone(body: bytes, what: int, offset: int) -> None:
    from vedette.wire.webhook import signed_headers

    headers = signed_headers(KEY, "alert-1", 1_790_000_000.7, body)
    now = 1_790_000_000.0 + offset
    assert verify(KEY, headers, body, now) == "alert-1"
    if what == 0:
        body += b"x"
    elif what == 1:
        headers["webhook-id"] = "alert-2"
    elif what == 2:
        headers["webhook-timestamp"] = "1790000001"
    else:
        now += 1000.0
    with pytest.raises(DecodeError):
        verify(KEY, headers, body, now)


def test_the_example_of_the_specification_holds() -> None:
    """The worked example of the Standard Webhooks reference libraries."""
    from vedette.wire.webhook import read_secret, signed_headers

    key = read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = signed_headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
