"""Push messages: a push service over real TLS, and what becomes of browsers that are gone."""

import asyncio
import json
import ssl
from collections.abc import Callable
from pathlib import Path

import outward
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from station_feed_hub import FeedHub, until

from vedette.express.push import PAYLOAD_BYTES, push_payload, push_topic
from vedette.model import ConfigError, InputError
from vedette.station.config import FeedConfig
from vedette.station.peers._subscriptions import MOST_OF_ONE, Subscription, Subscriptions
from vedette.station.peers.registry import Keys, make_peer
from vedette.station.peers.web_push import WebPushPeer, web_push_peer
from vedette.wire.web_push import decrypt, point_of, to_base64url

SECRET = bytes(range(16))
BROWSER = ec.generate_private_key(ec.SECP256R1())


def subscription(port: int, number: int = 0, **changes: object) -> Subscription:
    fields = {
        "unit": "UID-A", "endpoint": f"https://localhost:{port}/send/{number}",
        "p256dh": to_base64url(point_of(BROWSER)), "auth": to_base64url(SECRET), "language": "en",
    }  # fmt: skip
    return Subscription(**{**fields, **changes})  # type: ignore[arg-type]


class Service(outward.Receiver):
    """A push service on loopback, with a certificate of its own."""

    def __init__(self, folder: Path, answer: outward.Answer = lambda number: outward.status(201)) -> None:
        self.folder = folder
        self.ca_file, key = outward.certificate(folder)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.ca_file, key)
        super().__init__(answer, tls)

    def peer(self) -> WebPushPeer:
        url = f"webpush:mailto:ops@site.example?service=localhost:{self.port}"
        feed = FeedConfig(name="push", url=url, ca_file=self.ca_file)
        made = make_peer(feed, Keys(receipts=bytes(32), state=self.folder))
        assert isinstance(made, WebPushPeer)
        made._errands._first_pause_s = 0.05
        return made

    def said(self) -> list[dict[str, object]]:
        return [json.loads(decrypt(body, BROWSER, SECRET)) for _, _, body in self.requests]


def pushed(
    service: Service,
    enough: Callable[[WebPushPeer], bool],
    *messages: Callable[[float], object],
    browsers: int = 1,
) -> tuple[WebPushPeer, FeedHub]:
    hub = outward.hub()

    async def story() -> WebPushPeer:
        async with service.serving():
            peer = service.peer()
            for number in range(browsers):
                await peer.subscribe(subscription(service.port, number))
            task = asyncio.create_task(peer.run(hub))
            await until(lambda: peer.reaches("UID-A"), "running")
            for number, make in enumerate(messages or (outward.deliver_at,), 1):
                message = make(hub.clock.now())
                await (peer.deliver if hasattr(message, "rule") else peer.clear)(message, "UID-A")  # type: ignore[arg-type]
                await until(lambda: enough(peer) or sum(peer.counts.values()) >= number, "one of them")  # noqa: B023
            await until(lambda: enough(peer), "enough")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return peer

    return asyncio.run(story()), hub


def test_a_browser_gets_the_level_and_no_more(tmp_path: Path) -> None:
    service = Service(tmp_path)
    peer, hub = pushed(service, lambda peer: peer.counts["accepted"] == 1)
    ((first, headers, _),) = service.requests
    assert first == "POST /send/0 HTTP/1.1"
    assert (headers["urgency"], headers["topic"], headers["content-encoding"]) == (
        "high",
        "AQ7MZ2KXW3P",
        "aes128gcm",
    )
    assert 55 <= int(headers["ttl"]) <= 60
    assert headers["authorization"].startswith("vapid t=")
    assert headers["authorization"].endswith(f", k={peer.public_key}")
    assert service.said() == [
        {
            "format": 1, "event": "alert", "alert": "AQ7MZ2KXW3P", "revision": 1, "level": "imminent",
            "status": "actual", "sound": True, "title": "Drone attack likely", "body": "Open Vedette.",
        }
    ]  # fmt: skip
    assert b"imminent" not in service.raw
    assert [(r.recipient, r.channel, r.fact) for r in hub.receipts] == [("UID-A", "push", "accepted")]
    assert set(peer.receipt_facts) == {"accepted"}
    assert hub.reason("push") == "1 browsers"


def test_all_messages_have_one_length(tmp_path: Path) -> None:
    service = Service(tmp_path)
    levels = [lambda now, one=one: outward.deliver_at(now, level=one) for one in ("imminent", "advisory")]
    pushed(service, lambda peer: peer.counts["accepted"] == 3, *levels, outward.clear_at)
    assert len({len(body) for _, _, body in service.requests}) == 1
    assert [said["event"] for said in service.said()] == ["alert", "alert", "end"]
    assert service.requests[2][1]["urgency"] == "normal"
    # The same revision to the same browser is sealed anew each time.
    assert len({body[:16] for _, _, body in service.requests}) == 3


@pytest.mark.parametrize("status", ["exercise", "test"])
def test_what_is_not_real_says_so_first(tmp_path: Path, status: str) -> None:
    service = Service(tmp_path)
    pushed(
        service, lambda peer: peer.counts["accepted"] == 1, lambda now: outward.deliver_at(now, status=status)
    )
    (said,) = service.said()
    assert said["status"] == status
    assert str(said["title"]).startswith(f"{status.upper()}, not real: ")


@pytest.mark.parametrize("code", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(tmp_path: Path, code: int) -> None:
    service = Service(tmp_path, lambda number: outward.status(code))
    peer, hub = pushed(service, lambda peer: peer.counts["gone"] == 1)
    assert not hub.receipts
    assert not Subscriptions(tmp_path / "push.json").has("UID-A")
    assert not peer._subscriptions.has("UID-A")


def test_one_that_is_gone_keeps_no_other_waiting(tmp_path: Path) -> None:
    service = Service(tmp_path, lambda number: outward.status(410 if number == 0 else 201))
    _, hub = pushed(service, lambda peer: peer.counts["accepted"] == 1, browsers=3)
    assert len(service.requests) == 3
    assert len(hub.receipts) == 1
    assert len(Subscriptions(tmp_path / "push.json").of("UID-A")) == 2


def test_one_that_has_to_wait_is_written_to_again_and_the_others_not(tmp_path: Path) -> None:
    service = Service(tmp_path, lambda number: outward.status(503 if number == 0 else 201))
    _, hub = pushed(service, lambda peer: peer.counts["accepted"] == 1, browsers=2)
    assert len(service.requests) == 3
    assert len(hub.receipts) == 1


def test_the_key_and_the_subscriptions_outlive_a_restart_and_are_private(tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.port = 4433
    first = service.peer()
    asyncio.run(first.subscribe(subscription(4433)))
    second = service.peer()
    assert second.public_key == first.public_key
    assert second._subscriptions.of("UID-A") == (subscription(4433),)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("push.key", "push.json")] == [0o600, 0o600]
    assert asyncio.run(second.unsubscribe(subscription(4433).endpoint, "UID-B")) is False
    assert asyncio.run(second.unsubscribe(subscription(4433).endpoint, "UID-A")) is True
    assert not service.peer()._subscriptions.has("UID-A")


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://127.0.0.1/x", "http://fcm.googleapis.com/x", "https://fcm.googleapis.com.evil.example/x",
        "https://evilfcm.googleapis.com@10.0.0.1/x", "https://fcm.googleapis.com:22/x", "https://169.254.169.254/",
        "https://user@fcm.googleapis.com/", "file:///etc/passwd", "", "https://fcm.googleapis.com/\r\nx: y",
        "https://fcm.googleapis.com/" + "x" * 2000, "https://xfcm.googleapis.com/", "https://fcm.googleapis.com:x/",
    ],
)  # fmt: skip
def test_the_station_asks_for_no_address_that_somebody_invents(tmp_path: Path, endpoint: str) -> None:
    kept = Subscriptions(tmp_path / "push.json")
    with pytest.raises(InputError):
        kept.add(subscription(1, endpoint=endpoint))
    assert len(kept) == 0


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:def", "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
        "https://web.push.apple.com/QGuQ", "https://wns2-par02p.notify.windows.com/w/?token=BQ", "https://fcm.googleapis.com:443/a",
    ],
)  # fmt: skip
def test_the_known_services_are_taken(tmp_path: Path, endpoint: str) -> None:
    kept = Subscriptions(tmp_path / "push.json")
    kept.add(subscription(1, endpoint=endpoint))
    assert len(Subscriptions(tmp_path / "push.json")) == 1


@pytest.mark.parametrize("changes", [{"p256dh": "AAAA"}, {"auth": "AAAA"}, {"unit": ""}, {"p256dh": "ä"}])
def test_keys_that_are_none_are_refused(tmp_path: Path, changes: dict[str, str]) -> None:
    with pytest.raises(InputError):
        Subscriptions(tmp_path / "push.json").add(
            subscription(1, endpoint="https://web.push.apple.com/a", **changes)
        )


def test_nobody_fills_the_list(tmp_path: Path) -> None:
    kept = Subscriptions(tmp_path / "push.json")
    for number in range(MOST_OF_ONE + 3):
        kept.add(subscription(1, endpoint=f"https://web.push.apple.com/{number}"))
    kept.add(subscription(1, endpoint="https://web.push.apple.com/other", unit="UID-B"))
    ends = [one.endpoint.rpartition("/")[2] for one in kept.of("UID-A")]
    assert ends == [str(number) for number in range(3, MOST_OF_ONE + 3)]


def test_damaged_files_are_told(tmp_path: Path) -> None:
    feed = FeedConfig(name="push", url="webpush:mailto:ops@site.example")
    (tmp_path / "push.json").write_text("{")
    with pytest.raises(ConfigError, match=r"push\.json: damaged"):
        web_push_peer(feed, tmp_path)
    (tmp_path / "push.key").write_text("x")
    with pytest.raises(ConfigError, match=r"push\.key: damaged"):
        web_push_peer(feed, tmp_path)


@pytest.mark.parametrize(
    "url", ["webpush:", "webpush:ops", "webpush:mailto:ops", "webpush:mailto:a@b.example?x=1"]
)
def test_a_wrong_configuration_is_told(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError):
        web_push_peer(FeedConfig(name="push", url=url), None)
    assert (
        web_push_peer(FeedConfig(name="push", url="webpush:mailto:a@b.example"), None).reaches("U") is False
    )
    assert list(tmp_path.iterdir()) == [], "a check of the configuration makes no files"


def test_a_topic_is_always_one_that_a_service_takes() -> None:
    assert push_topic("AQ7MZ2KXW3P") == "AQ7MZ2KXW3P"
    long = push_topic("an alert of another kind/" * 9)
    assert len(long) == 32
    assert long.isalnum()


@pytest.mark.parametrize("language", ["en", "es", "fr"])
def test_a_payload_says_nothing_of_where_or_who(language: str) -> None:
    one = outward.deliver_at(5.0)
    other = outward.deliver_at(
        5.0, bearing_deg=3.0, range_m=77.0, time_to_impact_s=None, units=("UID-B",), text={}
    )
    assert push_payload(one, language) == push_payload(other, language)
    assert len(push_payload(one, language)) == PAYLOAD_BYTES
