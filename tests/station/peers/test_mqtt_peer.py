"""The way out to an MQTT broker: a real mosquitto, and brokers that mean harm."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiomqtt
import outward
import pytest
from station_feed_hub import FeedHub, beside, until

from vedette.model import ConfigError
from vedette.station.config import FeedConfig
from vedette.station.peers import _mqtt_link
from vedette.station.peers.mqtt import MqttPeer, mqtt_peer
from vedette.station.peers.registry import Keys, make_peer

TOPIC = "vedette/Testfield/unit/UID-A/alert/AQ7MZ2KXW3P"


def _counterparts():
    import importlib.util

    path = Path(__file__).resolve().parents[2] / "counterparts.py"
    spec = importlib.util.spec_from_file_location("vedette_test_counterparts_mqtt", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


counterparts = _counterparts()


@pytest.fixture
def broker(tmp_path: Path, counterpart: Callable[[str], str]):
    made = counterparts.Mosquitto(counterpart("mosquitto"), tmp_path)
    made.start()
    yield made
    made.stop()


def peer_to(broker, **changes: object) -> MqttPeer:
    from vedette.station.peers._secrets import Login

    fields: dict[str, object] = {
        "login": Login("vedette", "s3cret"), "reconnect_s": (0.1, 0.2), "look_s": 0.02,
    }  # fmt: skip
    return MqttPeer("mqtt", "127.0.0.1", broker.port, **{**fields, **changes})  # type: ignore[arg-type]


class Listener:
    """Somebody at the broker who hears everything: the retained messages first."""

    def __init__(self, broker) -> None:
        self.port = broker.port
        self.heard: list[tuple[str, bytes, bool]] = []

    def last(self, topic: str) -> bytes | None:
        return next((data for name, data, _ in reversed(self.heard) if name == topic), None)

    def on(self, topic: str) -> list[bytes]:
        return [data for name, data, _ in self.heard if name == topic]

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator["Listener"]:
        async with aiomqtt.Client("127.0.0.1", self.port, username="vedette", password="s3cret") as client:
            await client.subscribe("#", qos=1)
            task = asyncio.create_task(self._listen(client))
            try:
                yield self
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            self.heard.append((str(message.topic), message.payload, bool(message.retain)))


async def connected(peer: MqttPeer) -> None:
    await until(lambda: peer.reaches("UID-A"), "connected")


@pytest.mark.counterpart
def test_an_alert_is_retained_at_a_real_broker_until_it_ends(broker) -> None:
    hub, peer = outward.hub(), peer_to(broker)
    during, after = Listener(broker), Listener(broker)

    async def then() -> None:
        await connected(peer)
        assert not peer.reaches("UID-STRANGER")
        now = hub.clock.now()
        await peer.deliver(outward.deliver_at(now), "UID-A")
        async with during.listening():
            await until(lambda: during.last(TOPIC) is not None, "the retained alert")
            await peer.clear(outward.clear_at(now, revision=2), "UID-A")
            await until(lambda: during.last(TOPIC) == b"", "its end")
        async with after.listening():
            await until(lambda: after.last("vedette/Testfield/station") == b"online", "what is retained")

    beside(peer.run(hub), then)
    alert, end, gone = during.on(TOPIC)
    notice = json.loads(alert)
    assert (notice["level"], notice["status"], notice["recipient"], notice["sound"]) == (
        "imminent", "actual", "UID-A", True,
    )  # fmt: skip
    assert notice["text"]["en"] == "Drone attack likely. Take hard cover now. Split up."
    assert "figures" not in notice
    assert json.loads(end)["event"] == "end"
    assert gone == b""
    assert after.on(TOPIC) == []
    facts = [(r.alert, r.revision, r.recipient, r.channel, r.fact) for r in hub.receipts]
    assert facts == [
        ("AQ7MZ2KXW3P", 1, "UID-A", "mqtt", "accepted"),
        ("AQ7MZ2KXW3P", 2, "UID-A", "mqtt", "accepted"),
    ]
    assert {r.fact for r in hub.receipts} <= set(peer.receipt_facts)


@pytest.mark.counterpart
def test_a_siren_follows_what_nobody_has_in_hand(broker) -> None:
    hub, peer, listener = outward.hub(), peer_to(broker), Listener(broker)
    site, unit, other = (f"vedette/Testfield/{name}siren" for name in ("", "unit/UID-A/", "unit/UID-B/"))

    def say(**changes: object) -> None:
        hub.alarms["AQ7MZ2KXW3P"] = outward.alert_at(hub.clock.now(), **changes)

    async def sirens(wanted: bytes) -> None:
        await until(lambda: listener.last(site) == listener.last(unit) == wanted, f"sirens {wanted!r}")

    async def then() -> None:
        await connected(peer)
        async with listener.listening():
            await sirens(b"OFF")
            say()
            await sirens(b"ON")
            say(state="active-acked")
            await sirens(b"OFF")
            await until(
                lambda: b'"danger":"ON"' in (listener.last("vedette/Testfield/state") or b""), "danger"
            )
            say(status="exercise")
            shown = b'"exercise":"imminent"'
            await until(lambda: shown in (listener.last("vedette/Testfield/state") or b""), "the exercise")
            say(state="cleared")
            await until(lambda: shown not in (listener.last("vedette/Testfield/state") or b""), "its end")

    beside(peer.run(hub), then)
    assert set(listener.on(other)) == {b"OFF"}
    assert listener.on(site) == [b"OFF", b"ON", b"OFF"], "an exercise switches none"


@pytest.mark.counterpart
def test_the_broker_says_that_a_station_is_gone_and_a_station_that_it_stops(broker) -> None:
    hub, listener = outward.hub(), Listener(broker)
    first, second = peer_to(broker, reconnect_s=(3600.0, 3600.0)), peer_to(broker)

    async def lost() -> None:
        await connected(first)
        async with listener.listening():
            await until(lambda: listener.last("vedette/Testfield/station") == b"online", "online")
            assert first._link is not None
            first._link.abort()
            await until(lambda: listener.last("vedette/Testfield/station") == b"offline", "the will")

    beside(first.run(hub), lost)

    async def story() -> None:
        task = asyncio.create_task(second.run(hub))
        async with listener.listening():
            await until(lambda: listener.last("vedette/Testfield/station") == b"online", "online again")
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await until(lambda: listener.last("vedette/Testfield/station") == b"offline", "a goodbye")

    asyncio.run(story())


@pytest.mark.counterpart
def test_a_broker_that_restarts_is_told_everything_again(broker) -> None:
    hub, peer, listener = outward.hub(), peer_to(broker), Listener(broker)
    hub.alarms["AQ7MZ2KXW3P"] = outward.alert_at(hub.clock.now())

    async def then() -> None:
        await connected(peer)
        await asyncio.to_thread(broker.stop)
        await until(lambda: not peer.reaches("UID-A"), "it is gone")
        with pytest.raises(ConnectionError):
            await peer.deliver(outward.deliver_at(hub.clock.now()), "UID-A")
        await asyncio.to_thread(broker.start)
        await connected(peer)
        await peer.deliver(outward.deliver_at(hub.clock.now()), "UID-A")
        async with listener.listening():
            await until(lambda: listener.last("vedette/Testfield/siren") == b"ON", "the siren")
            await until(lambda: listener.last(TOPIC) is not None, "the alert")
        await until(lambda: hub.states("mqtt")[-1] == "watching", "watching again")

    beside(peer.run(hub), then)
    assert "down" in hub.states("mqtt")


@pytest.mark.counterpart
def test_home_assistant_finds_its_entities(broker) -> None:
    hub, peer, listener = outward.hub(), peer_to(broker), Listener(broker)

    async def then() -> None:
        await until(lambda: "watching" in hub.states("mqtt"), "everything said")
        async with listener.listening():
            await until(
                lambda: len([t for t, _, _ in listener.heard if t.endswith("/config")]) == 25, "entities"
            )

    beside(peer.run(hub), then)
    found = {topic: json.loads(data) for topic, data, _ in listener.heard if topic.endswith("/config")}
    topics = {topic for topic, _, _ in listener.heard}
    for topic, config in found.items():
        _, component, unique, _ = topic.split("/")
        assert component in ("binary_sensor", "sensor", "siren")
        assert config["unique_id"] == unique
        assert config["state_topic"] in topics
        if config["state_topic"] != "vedette/Testfield/station":
            assert config["availability_topic"] == "vedette/Testfield/station"
    assert all(retained for topic, _, retained in listener.heard if topic.endswith("/config"))


@pytest.mark.counterpart
def test_tls_and_password(tmp_path: Path, counterpart: Callable[[str], str]) -> None:
    files = outward.certificate(tmp_path)
    broker = counterparts.Mosquitto(counterpart("mosquitto"), tmp_path, tls=files)
    broker.start()
    try:
        login = outward.secret_file(tmp_path, "vedette\ns3cret\n")
        feed = FeedConfig(
            name="mqtt", url=f"mqtts://localhost:{broker.port}", ca_file=files[0], secret_file=login
        )
        hub, good = outward.hub(), make_peer(feed, Keys(receipts=bytes(32)))

        async def then() -> None:
            await until(lambda: good.reaches("UID-A"), "connected")
            await good.deliver(outward.deliver_at(hub.clock.now()), "UID-A")

        beside(good.run(hub), then)
        assert hub.receipts

        (tmp_path / "secret").write_text("vedette\nwrong\n")
        assert "password" in said_by(mqtt_peer(feed))
        others = tmp_path / "others"
        others.mkdir()
        strange = FeedConfig(name="mqtt", url=feed.url, ca_file=outward.certificate(others)[0])
        assert "its certificate was refused" in said_by(mqtt_peer(strange))
    finally:
        broker.stop()


def said_by(peer, hub: FeedHub | None = None) -> str:
    """Why it is down."""
    heard = hub or outward.hub()

    async def then() -> None:
        await until(lambda: "down" in heard.states("mqtt"), "down")

    beside(peer.run(heard), then)
    return next(reason or "" for _, state, reason in heard.feeds if state == "down")


# Brokers that mean harm ---------------------------------------------------------------------------

CONNACK = b"\x20\x03\x00\x00\x00"


async def read_connect(reader: asyncio.StreamReader) -> None:
    await reader.readexactly(1)
    size = (await reader.readexactly(1))[0]
    if size & 0x80:
        size = (size & 0x7F) | (await reader.readexactly(1))[0] << 7
    await reader.readexactly(size)


def saying(*parts: bytes, then_wait: bool = True, endless: bytes = b"") -> outward.Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_connect(reader)
        for part in parts:
            writer.write(part)
            await writer.drain()
        while endless:
            writer.write(endless)
            await writer.drain()
        if then_wait:
            await reader.read()

    return serve


@pytest.mark.parametrize(
    ("serve", "words"),
    [
        (saying(b"\x20\xff\xff\xff\x7f", endless=bytes(65536)), "more than 8192 bytes"),
        (saying(b"\x20\xff\xff\xff\xff\xff"), "more than 8192 bytes"),
        (saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "packet type 0x48"),
        (saying(b"", then_wait=False), "closed the connection"),
        (saying(b"\x20\x02\x00\x01"), "does not speak MQTT 5"),
        (saying(b"\x20\x03\x00\x87\x00"), "not authorised"),
        (saying(b"\x20\x05\x00\x00\x02\x24\x00"), "no QoS 1"),
        (saying(CONNACK + CONNACK), "a second CONNACK"),
        (saying(b"\xd0\x00"), "no CONNACK"),
        (saying(CONNACK, b"\x30\x07\x00\x01axxxx" * 2), "packet type 0x30"),
        (saying(CONNACK, b"\xe0\x01\x8e"), "another client"),
    ],
)  # fmt: skip
def test_a_hostile_broker_is_left(serve: outward.Serve, words: str) -> None:
    async def story() -> str:
        async with outward.served(serve) as port:
            peer, hub = MqttPeer("mqtt", "127.0.0.1", port), outward.hub()
            task = asyncio.create_task(peer.run(hub))
            await until(lambda: "down" in hub.states("mqtt"), "down")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return hub.reason("mqtt") or ""

    assert words in asyncio.run(story())


def test_a_broker_that_answers_nothing_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mqtt_link, "ANSWER_S", 0.3)

    async def story() -> None:
        async with outward.served(saying(CONNACK)) as port:
            peer, hub = MqttPeer("mqtt", "127.0.0.1", port, discovery_prefix=None), outward.hub()
            task = asyncio.create_task(peer.run(hub))
            await connected(peer)
            for _ in range(2 * _mqtt_link.MOST_WAITING):
                with contextlib.suppress(TimeoutError, ConnectionError):
                    async with asyncio.timeout(0.001):
                        await peer.deliver(outward.deliver_at(hub.clock.now()), "UID-A")
                assert peer._link is None or len(peer._link._waiting) <= _mqtt_link.MOST_WAITING
            await until(lambda: "has not answered" in (hub.reason("mqtt") or ""), "left")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert not hub.receipts

    asyncio.run(story())


def test_a_message_that_the_broker_refuses_is_not_accepted() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_connect(reader)
        writer.write(CONNACK)
        while head := await reader.readexactly(2):
            size = head[1]
            if size & 0x80:
                size = (size & 0x7F) | (await reader.readexactly(1))[0] << 7
            body = await reader.readexactly(size)
            if head[0] & 0xF0 == 0x30:
                topic = 2 + int.from_bytes(body[:2])
                reason = 0x87 if b"/alert/" in body[:topic] else 0
                writer.write(b"\x40\x03" + body[topic : topic + 2] + bytes((reason,)))

    async def story() -> None:
        async with outward.served(serve) as port:
            peer, hub = MqttPeer("mqtt", "127.0.0.1", port), outward.hub()
            task = asyncio.create_task(peer.run(hub))
            await connected(peer)
            with pytest.raises(ConnectionError, match="not authorised"):
                await peer.deliver(outward.deliver_at(hub.clock.now()), "UID-A")
            assert not hub.receipts
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())


def test_a_look_from_outside_says_nothing() -> None:
    said = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CONNACK)
        while data := await reader.read(4096):
            said.extend(data)

    async def story() -> None:
        async with outward.served(serve) as port:
            peer, hub = (
                mqtt_peer(FeedConfig(name="mqtt", url=f"mqtt://127.0.0.1:{port}", publish_tracks=False)),
                outward.hub(),
            )
            task = asyncio.create_task(peer.run(hub))
            await until(lambda: "watching" in hub.states("mqtt"), "connected")
            await asyncio.sleep(0.1)
            assert not peer.reaches("UID-A")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())
    assert said[0] == 0x10
    assert len(said) == said[1] + 2, "a CONNECT and no more"
    assert b"offline" not in said


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mqtt://", "is not mqtt://HOST:PORT"),
        ("mqtt://192.0.2.1", "must be on this machine"),
        ("mqtt://127.0.0.1:99999", "is not an address"),
        ("mqtt://user:password@127.0.0.1", "secret_file"),
        ("mqtt://127.0.0.1?position=yes", "must be 0 or 1"),
        ("mqtt://127.0.0.1?retain=1", "unknown retain"),
    ],
)
def test_a_wrong_address_is_told(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        mqtt_peer(FeedConfig(name="mqtt", url=url))


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ("user\npass\n", 0o644, "chmod 600"),
        ("user\n", 0o600, "password in the second"),
        ("x" * 5000, 0o600, "right file"),
    ],
)
def test_a_password_file_is_for_nobody_else(tmp_path: Path, text: str, mode: int, words: str) -> None:
    path = outward.secret_file(tmp_path, text, mode)
    with pytest.raises(ConfigError, match=words):
        mqtt_peer(FeedConfig(name="mqtt", url="mqtt://127.0.0.1", secret_file=path))


def test_plain_text_over_a_network_has_to_be_asked_for() -> None:
    assert mqtt_peer(FeedConfig(name="mqtt", url="mqtt://192.0.2.1?plain=1")).carries_position is False
    assert mqtt_peer(FeedConfig(name="mqtt", url="mqtt://127.0.0.1?position=1")).carries_position is True
