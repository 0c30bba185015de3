"""The peer for a team by radio, against a node on loopback and on a pseudo-terminal."""

import asyncio
import importlib.util
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from vedette.model import ConfigError
from vedette.model.event import Deliver
from vedette.station.config import FeedConfig, read_config
from vedette.station.peers import _lora_schedule, meshtastic
from vedette.station.peers._lora_words import short_id
from vedette.station.peers._meshtastic_link import connect_serial, connect_tcp
from vedette.station.peers.meshtastic import MeshtasticPeer, meshtastic_peer
from vedette.station.peers.registry import Keys, make_peer
from vedette.wire.lora import RadioAlert, RadioEnd, RadioLevel
from vedette.wire.meshtastic import (
    BROADCAST,
    PRIORITY_ALERT,
    PRIVATE_APP,
    Channel,
    LoraConfig,
    MyInfo,
    QueueStatus,
    Rebooted,
)


def _load(name: str, folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"vedette_test_{name}", folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HERE = Path(__file__).resolve().parent
mesh = _load("mesh_node", HERE)
hubs = _load("feed_hub", HERE.parent)
until = hubs.until

Talk = Callable[[MeshtasticPeer, object, object], Awaitable[None]]


def talk(
    folder: Path, then: Callable[..., Awaitable[None]], *, node=None, team=mesh.TEAM, speed: float = 1.0
) -> MeshtasticPeer:
    """Run a peer beside a node and ``then(peer, node, hub)``."""
    made: list[MeshtasticPeer] = []

    async def main() -> None:
        there = node or mesh.MeshNode()
        await there.listen()
        hub = hubs.FeedHub(speed=speed)
        peer = MeshtasticPeer(
            "radio",
            team,
            "the node",
            lambda: connect_tcp("127.0.0.1", there.port),
            folder / "alpha.counter",
            reconnect_s=(0.05, 0.1),
            greet_s=5.0,
        )
        made.append(peer)
        task = asyncio.create_task(peer.run(hub))
        try:
            await then(peer, there, hub)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await there.close()

    asyncio.run(main())
    return made[0]


async def reached(peer: MeshtasticPeer) -> None:
    await until(lambda: peer.reaches("UNIT-A"), "the node is there")


def facts(hub, fact: str) -> list[tuple[str, int, str, str | None]]:
    return [(r.alert, r.revision, r.recipient, r.by) for r in hub.receipts if r.fact == fact]


async def send(peer: MeshtasticPeer, message: Deliver) -> None:
    """As the postman does: a call for each recipient, at the same time."""
    await asyncio.gather(*(peer.deliver(message, recipient) for recipient in message.recipients))


def test_an_alert_goes_out_once_for_all_its_recipients(tmp_path: Path) -> None:
    async def then(peer, node, hub) -> None:
        await reached(peer)
        danger = mesh.alert(level="warning")
        await send(peer, mesh.deliver(danger, "LEAD", "UNIT-A", "UNIT-B"))
        await until(lambda: len(facts(hub, "accepted")) == 3, "all three are accepted")
        assert len(node.frames) == 1
        packet = node.heard[0]
        assert (packet.to, packet.channel, packet.port) == (BROADCAST, 1, PRIVATE_APP)
        assert (packet.hop_limit, packet.want_ack) == (3, True)
        assert len(packet.payload) <= 40
        header, said = mesh.Gateway().hear(packet.payload)
        assert (header.purpose, header.key_id, header.sender) == ("live", 3, 0)
        assert isinstance(said, RadioAlert)
        assert (said.alert, said.revision, said.level) == (short_id("AABCDEFGHIJ"), 1, "warning")
        assert said.subject == 2
        assert said.sound

    peer = talk(tmp_path, then)
    assert peer.counts["alert"] == 1


def test_it_is_polite_to_the_node(tmp_path: Path) -> None:
    async def then(peer, node, hub) -> None:
        await reached(peer)
        assert node.asked == [69420], "its memory of other nodes is not asked for"
        assert bytes(node.raw) == bytes.fromhex("94c3 0004 18ac9e04")
        assert hub.states("radio") == ["connecting", "watching"]
        assert not hub.troubles

    talk(tmp_path, then)


def test_late_recipients_are_told_by_the_frame_that_went_out(tmp_path: Path) -> None:
    async def then(peer, node, hub) -> None:
        await reached(peer)
        message = mesh.deliver(mesh.alert(), "LEAD", "UNIT-A")
        await peer.deliver(message, "LEAD")
        await peer.deliver(message, "UNIT-A")
        assert sorted(r for _, _, r, _ in facts(hub, "accepted")) == ["LEAD", "UNIT-A"]
        assert len(node.frames) == 1

    talk(tmp_path, then)


def test_imminent_is_repeated_until_the_gateway_acknowledges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_lora_schedule, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(_lora_schedule, "LONGEST_PAUSE_S", 0.05)
    monkeypatch.setattr(_lora_schedule, "AIRTIMES_BETWEEN", 1.0)

    async def then(peer, node, hub) -> None:
        await reached(peer)
        await send(peer, mesh.deliver(mesh.alert()))
        await until(lambda: len(node.frames) >= 3, "it is repeated")
        gateway = mesh.Gateway()
        heard = [gateway.hear(frame) for frame in node.frames]
        assert len({message for _, message in heard}) == 1, "the same alert and revision"
        counters = [header.counter for header, _ in heard]
        assert counters == sorted(set(counters)), "and never the same nonce"
        assert {packet.priority for packet in node.heard} == {PRIORITY_ALERT}
        node.from_mesh(gateway.say(heard[0][1]))
        await until(lambda: bool(facts(hub, "acknowledged")), "the acknowledgement")
        assert facts(hub, "acknowledged") == [("AABCDEFGHIJ", 1, "UNIT-A", "LEAD")]
        count = len(node.frames)
        await asyncio.sleep(0.4)
        assert len(node.frames) <= count + 1, "at most the one that was under way"

    talk(tmp_path, then)


def test_an_escalation_says_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lora_schedule, "RESEND_S", 0.1)

    async def then(peer, node, hub) -> None:
        await reached(peer)
        message = mesh.deliver(mesh.alert(level="warning"), "UNIT-A")
        await send(peer, message)
        await until(lambda: len(facts(hub, "accepted")) == 1, "accepted")
        await asyncio.sleep(0.2)
        await send(peer, message)
        await until(lambda: len(facts(hub, "accepted")) == 2, "accepted again")
        assert len(node.frames) == 2

    talk(tmp_path, then)


def test_the_worst_goes_first_and_old_news_not_at_all(tmp_path: Path) -> None:
    async def then(peer, node, hub) -> None:
        await reached(peer)
        node.result = None  # The node hangs on the first packet, so that the others wait.
        levels: tuple[RadioLevel, ...] = ("advisory", "advisory", "warning", "imminent")
        for number, level in enumerate(levels):
            await peer.deliver(mesh.deliver(mesh.alert(alert=f"A{number}", level=level)), "UNIT-A")
        newer = mesh.alert(alert="A1", revision=2, level="advisory")
        await peer.deliver(mesh.deliver(newer), "UNIT-A")
        await peer.deliver(mesh.deliver(mesh.alert(alert="A1", level="advisory")), "UNIT-A")
        node.result = 0
        await until(lambda: len({a for a, *_ in facts(hub, "accepted")}) == 4, "all are out")
        gateway = mesh.Gateway()
        order = [gateway.hear(frame)[1] for frame in node.frames]
        names = {short_id(f"A{number}"): f"A{number}" for number in range(4)}
        told = [(names[said.alert], said.revision) for said in order]
        assert told.index(("A3", 1)) < told.index(("A2", 1)) < told.index(("A1", 2))
        assert ("A1", 1) not in told

    talk(tmp_path, then)


def test_the_end_of_an_alert_is_told(tmp_path: Path) -> None:
    async def then(peer, node, hub) -> None:
        await reached(peer)
        danger = mesh.alert(level="warning")
        await send(peer, mesh.deliver(danger))
        await until(lambda: len(node.frames) == 1, "the alert")
        text = {"en": "Drone moved away 10:00:00 UTC, last NE 450 m. Stay alert 10 min."}
        over = mesh.alert(level="warning", revision=2, state="returned-unacked", text=text)
        await peer.clear(mesh.clear(over), "UNIT-A")
        await until(lambda: ("AABCDEFGHIJ", 2, "UNIT-A", None) in facts(hub, "accepted"), "the end")
        said = mesh.Gateway().hear(node.frames[-1])[1]
        assert isinstance(said, RadioEnd)
        assert (said.alert, said.revision) == (short_id("AABCDEFGHIJ"), 2)

    talk(tmp_path, then)


def test_an_acknowledgement_at_the_desk_ends_the_repeats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_lora_schedule, "FIRST_PAUSE_S", 0.3)

    async def then(peer, node, hub) -> None:
        await reached(peer)
        await send(peer, mesh.deliver(mesh.alert()))
        hub.alarms["AABCDEFGHIJ"] = mesh.alert(state="active-acked")
        await asyncio.sleep(0.8)
        assert len(node.frames) == 1

    talk(tmp_path, then)


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("replay", "replayed"),
        ("flip", "forged"),
        ("other-team", "forged"),
        ("other-key", "foreign"),
        ("member", "not-a-gateway"),
        ("own", "not-a-gateway"),
        ("short", "too-short"),
        ("version", "unknown-version"),
        ("unknown-alert", "fact-of-unknown-alert"),
        ("unknown-member", "fact-of-unknown-member"),
        ("not-told", "fact-of-unknown-member"),
        ("exercise", "fact-of-unknown-alert"),
        ("shown-by-all", "fact-of-unknown-member"),
    ],
)
def test_what_is_not_the_gateways_word_is_refused(tmp_path: Path, what: str, reason: str) -> None:
    async def then(peer, node, hub) -> None:
        await reached(peer)
        await send(peer, mesh.deliver(mesh.alert(level="warning")))
        await until(lambda: len(node.frames) == 1, "the alert")
        gateway = mesh.Gateway()
        _, said = gateway.hear(node.frames[0])
        good = gateway.say(said, fact="shown")
        before = 0
        if what == "replay":
            node.from_mesh(good)
            await until(lambda: bool(facts(hub, "shown")), "the first time it is good")
            before = len(hub.receipts)
        bad = {
            "replay": lambda: good,
            "flip": lambda: good[:-1] + bytes([good[-1] ^ 1]),
            "other-team": lambda: mesh.Gateway(secret=bytes(range(50, 82))).say(said),
            "other-key": lambda: mesh.Gateway(key_id=9).say(said),
            "member": lambda: mesh.Gateway(member=2).say(said),
            "own": lambda: node.frames[0],
            "short": lambda: good[:9],
            "version": lambda: bytes([good[0] ^ 0xF0]) + good[1:],
            "unknown-alert": lambda: gateway.say(msgspec.structs.replace(said, alert=7)),
            "unknown-member": lambda: gateway.say(said, member=77),
            "not-told": lambda: gateway.say(said, member=3),
            "exercise": lambda: gateway.say(said, purpose="exercise"),
            "shown-by-all": lambda: gateway.say(said, fact="shown", member=0),
        }[what]()  # fmt: skip
        before = before or len(hub.receipts)
        node.from_mesh(bad)
        await until(lambda: hub.counts["radio", reason] == 1, f"refused as {reason}")
        assert len(hub.receipts) == before

    talk(tmp_path, then)


def test_a_gateway_may_answer_for_the_whole_team(tmp_path: Path) -> None:
    async def then(peer, node, hub) -> None:
        await reached(peer)
        await send(peer, mesh.deliver(mesh.alert(level="warning"), "UNIT-A", "UNIT-B"))
        await until(lambda: len(facts(hub, "accepted")) == 2, "the alert")
        gateway = mesh.Gateway()
        node.from_mesh(gateway.say(gateway.hear(node.frames[0])[1], member=0))
        await until(lambda: len(facts(hub, "acknowledged")) == 2, "both")
        assert [r for *_, r, by in facts(hub, "acknowledged") if by == "LEAD"] == ["UNIT-A", "UNIT-B"]

    talk(tmp_path, then)


def test_an_answer_may_overtake_the_nodes_word(tmp_path: Path) -> None:
    """The queue's status and the gateway's answer in one read: neither is lost."""

    async def then(peer, node, hub) -> None:
        await reached(peer)
        node.result = None
        await peer.deliver(mesh.deliver(mesh.alert(level="warning")), "UNIT-A")
        await until(lambda: len(node.frames) == 1, "the alert")
        gateway = mesh.Gateway()
        node.from_mesh(gateway.say(gateway.hear(node.frames[0])[1]))
        node.tell(QueueStatus(free=15, most=16, id=node.heard[0].id))
        await until(lambda: len(hub.receipts) == 2, "both")
        assert sorted(r.fact for r in hub.receipts) == ["accepted", "acknowledged"]
        assert not hub.counts

    talk(tmp_path, then)


def test_other_peoples_packets_are_neither_read_nor_kept(tmp_path: Path) -> None:
    async def then(peer, node, hub) -> None:
        await reached(peer)
        node.from_mesh(b"hello from a stranger", port=1)
        node.from_mesh(b"a place", port=3)
        node.from_mesh(b"another channel", channel=0)
        node.from_mesh(b"our own echo", sender=mesh.NODE)
        await until(lambda: peer.counts["not-for-us"] == 4, "four packets")
        assert not hub.counts
        assert not hub.units

    talk(tmp_path, then)


def test_an_exercise_is_sealed_as_one(tmp_path: Path) -> None:
    async def then(peer, node, hub) -> None:
        await reached(peer)
        now = hub.clock.now()
        await send(peer, mesh.deliver(mesh.alert(level="warning", time=now, expires=now + 600.0)))
        await until(lambda: len(node.frames) == 1, "the alert")
        header, _ = mesh.Gateway().hear(node.frames[0])
        assert header.purpose == "exercise"

    talk(tmp_path, then, speed=2.0)


def test_a_node_that_refuses_is_asked_again_and_the_desk_is_told(tmp_path: Path) -> None:
    async def then(peer, node, hub) -> None:
        await reached(peer)
        node.result = 33
        await peer.deliver(mesh.deliver(mesh.alert(level="warning")), "UNIT-A")
        await until(lambda: ("radio", "queue") in hub.troubles, "the desk is told")
        assert not hub.receipts
        node.result = 0
        await until(lambda: len(facts(hub, "accepted")) == 1, "then it is queued")
        assert ("radio", "queue") not in hub.troubles

    talk(tmp_path, then)


def test_a_silent_node_is_connected_to_again_and_nothing_is_lost(tmp_path: Path) -> None:
    async def then(peer, node, hub) -> None:
        await reached(peer)
        node.result = None
        await peer.deliver(mesh.deliver(mesh.alert(level="warning")), "UNIT-A")
        await until(lambda: "down" in hub.states("radio"), "given up")
        assert "what becomes of packets" in (hub.reason("radio") or "") or node.connections > 1
        node.result = 0
        await until(lambda: len(facts(hub, "accepted")) == 1, "told after all")

    talk(tmp_path, then)


@pytest.mark.parametrize("how", ["drop", "reboot"])
def test_a_node_that_goes_away_comes_back(tmp_path: Path, how: str) -> None:
    async def then(peer, node, hub) -> None:
        await reached(peer)
        if how == "drop":
            node.drop()
        else:
            node.tell(Rebooted())
        await until(lambda: node.connections == 2, "connected again")
        await reached(peer)
        await send(peer, mesh.deliver(mesh.alert()))
        assert len(facts(hub, "accepted")) == 1

    talk(tmp_path, then)


@pytest.mark.parametrize(("answers", "due_s"), [(True, meshtastic.ANSWER_S), (False, meshtastic.SILENCE_S)])
def test_a_quiet_mesh_is_no_deaf_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: bool, due_s: float
) -> None:
    monkeypatch.setattr(meshtastic, "HEARTBEAT_S", 0.02)

    async def then(peer, node, hub) -> None:
        node.answers = answers
        await reached(peer)
        await until(lambda: bytes(node.raw).count(bytes.fromhex("94c30002 3a00")) >= 3, "heartbeats")
        await until(lambda: hub.due.get("radio") == due_s, "what silence means")

    talk(tmp_path, then)


def test_without_a_node_nobody_is_reached(tmp_path: Path) -> None:
    async def main() -> None:
        hub = hubs.FeedHub()
        peer = MeshtasticPeer(
            "radio", mesh.TEAM, "the node", lambda: connect_tcp("127.0.0.1", 1), tmp_path / "c.counter"
        )
        task = asyncio.create_task(peer.run(hub))
        await until(lambda: "down" in hub.states("radio"), "down")
        assert not peer.reaches("UNIT-A")
        with pytest.raises(ConnectionError):
            await peer.deliver(mesh.deliver(mesh.alert()), "UNIT-A")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


def test_only_members_are_reached(tmp_path: Path) -> None:
    async def then(peer, node, hub) -> None:
        await reached(peer)
        assert not peer.reaches("STRANGER")
        with pytest.raises(ConnectionError):
            await peer.deliver(mesh.deliver(mesh.alert(), "STRANGER"), "STRANGER")

    talk(tmp_path, then)


@pytest.mark.parametrize(
    ("config", "what"),
    [
        ((MyInfo(1), LoraConfig(use_preset=True, preset=6, region=3), mesh.PRIVATE), "transmitter"),
        ((MyInfo(1), LoraConfig(use_preset=True, preset=6, tx_enabled=True), mesh.PRIVATE), "transmitter"),
        ((MyInfo(1), mesh.SHORT_FAST, Channel(index=1, role=2, key_bytes=1)), "channel"),
        (
            (MyInfo(1), LoraConfig(use_preset=True, preset=77, region=1, tx_enabled=True), mesh.PRIVATE),
            "modem",
        ),
        ((MyInfo(1), LoraConfig(region=1, tx_enabled=True), mesh.PRIVATE), "modem"),
    ],
)
def test_a_node_that_is_set_up_badly_is_told(tmp_path: Path, config: tuple, what: str) -> None:
    async def then(peer, node, hub) -> None:
        await reached(peer)
        assert [key for _, key in hub.troubles] == [what]

    talk(tmp_path, then, node=mesh.MeshNode(*config))


def test_a_node_without_the_teams_channel_reaches_nobody(tmp_path: Path) -> None:
    async def then(peer, node, hub) -> None:
        await until(lambda: "down" in hub.states("radio"), "down")
        assert "channel 1" in (hub.reason("radio") or "")
        assert not peer.reaches("UNIT-A")

    talk(tmp_path, then, node=mesh.MeshNode(MyInfo(1), mesh.SHORT_FAST, Channel(index=1, role=0)))


def test_garbage_from_a_node_stops_nothing(tmp_path: Path) -> None:
    async def then(peer, node, hub) -> None:
        await reached(peer)
        node.tell_bytes(b"log line\r\n\x94\xc3\xff\xff\x94\xc3\x00\x02\xff\xff\x94")
        node.tell_bytes(b"\xc3\x00\x03\x12\x05\x01")
        await until(lambda: hub.counts["radio", "not-protobuf"] == 2, "two messages are refused")
        await send(peer, mesh.deliver(mesh.alert()))
        assert len(facts(hub, "accepted")) == 1

    talk(tmp_path, then)


def test_what_became_of_a_frame_on_the_air_is_told(tmp_path: Path) -> None:
    async def then(peer, node, hub) -> None:
        await reached(peer)
        await send(peer, mesh.deliver(mesh.alert(level="warning")))
        await until(lambda: len(facts(hub, "accepted")) == 1, "accepted")
        node.fate(5)
        await until(lambda: ("radio", "air") in hub.troubles, "nobody relayed it")
        await peer.deliver(mesh.deliver(mesh.alert(alert="B", level="warning")), "UNIT-A")
        await until(lambda: len(node.frames) == 2, "the next one")
        node.tell(QueueStatus(id=4711))
        node.fate(0)
        await until(lambda: ("radio", "air") not in hub.troubles, "it was relayed")
        assert len(hub.receipts) == 2, "a relay is nobody who was told"

    talk(tmp_path, then)


def test_no_position_of_anybody_goes_out(tmp_path: Path) -> None:
    """A message has these figures and no others; wherever the site is, they are the same bytes."""

    async def then(peer, node, hub) -> None:
        await reached(peer)
        hub.site = places.pop()
        danger = mesh.alert(time=1_800_000_000.0, level="warning", expires=hub.clock.now() + 60.0)
        await send(peer, mesh.deliver(danger))
        await until(lambda: len(node.frames) == 1, "the alert")
        assert len(node.frames[0]) == 37
        said = mesh.Gateway().hear(node.frames[0])[1]
        assert set(said.__struct_fields__) == {
            "alert", "revision", "level", "time", "template", "pack", "subject", "bearing_deg", "range_m",
            "low_s", "high_s", "expires_s", "count", "octants", "sound",
        }  # fmt: skip
        told.append(mesh.encode_message(msgspec.structs.replace(said, expires_s=0)))

    told: list[bytes] = []
    places = [hubs.SITE, msgspec.structs.replace(hubs.SITE, lat_deg=-33.0, lon_deg=151.0)]
    assert talk(tmp_path, then).carries_position is False
    talk(tmp_path, then)
    assert told[0] == told[1]


def test_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    counters: list[int] = []

    async def then(peer, node, hub) -> None:
        await reached(peer)
        await send(peer, mesh.deliver(mesh.alert()))
        counters.extend(mesh.Gateway().hear(frame)[0].counter for frame in node.frames)

    for _ in range(3):
        talk(tmp_path, then)
    assert len(set(counters)) == len(counters) >= 3
    assert counters == sorted(counters)


def test_two_feeds_do_not_share_a_team(tmp_path: Path) -> None:
    async def then(peer, node, hub) -> None:
        await reached(peer)
        other_hub = hubs.FeedHub()
        other = MeshtasticPeer(
            "second", mesh.TEAM, "it", lambda: connect_tcp("127.0.0.1", node.port), tmp_path / "alpha.counter"
        )
        task = asyncio.create_task(other.run(other_hub))
        await until(lambda: "down" in other_hub.states("second"), "refused")
        assert "sends for this team already" in (other_hub.reason("second") or "")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    talk(tmp_path, then)


def test_a_serial_line(tmp_path: Path) -> None:
    async def main() -> None:
        node, hub = mesh.MeshNode(), hubs.FeedHub()
        path = node.listen_serial()
        peer = MeshtasticPeer(
            "radio", mesh.TEAM, path, lambda: connect_serial(path), tmp_path / "alpha.counter"
        )
        task = asyncio.create_task(peer.run(hub))
        await reached(peer)
        assert bytes(node.raw[:32]) == b"\xc3" * 32, "it is woken first"
        node.tell_bytes(b"INFO  | a line of the node's own log\r\n")
        await send(peer, mesh.deliver(mesh.alert()))
        gateway = mesh.Gateway()
        node.from_mesh(gateway.say(gateway.hear(node.frames[0])[1]))
        await until(lambda: bool(facts(hub, "acknowledged")), "the acknowledgement")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await node.close()

    asyncio.run(main())


def test_a_file_that_is_no_serial_line_says_so(tmp_path: Path) -> None:
    file = tmp_path / "tty"
    file.write_bytes(b"")

    async def main() -> None:
        with pytest.raises(OSError, match="not a serial line"):
            await connect_serial(str(file))

    asyncio.run(main())


def test_a_configuration_makes_the_peer(tmp_path: Path) -> None:
    team = mesh.write_team(tmp_path)
    config = tmp_path / "vedette.toml"
    config.write_text(
        '[site]\nname = "s"\nlat_deg = 1.0\nlon_deg = 2.0\nalt_m = 3.0\nalt_datum = "wgs84-ellipsoid"\n'
        '[[feed]]\nname = "radio"\nurl = "meshtastic+tcp://192.0.2.7"\nteam_file = "alpha.toml"\n'
    )
    (feed,) = read_config(config).feed
    assert feed.team_file == str(team)
    peer = make_peer(feed, Keys(receipts=bytes(32)))
    assert isinstance(peer, MeshtasticPeer)
    assert not peer.reaches("UNIT-A")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("meshtastic+tcp:", "HOST"),
        ("meshtastic+tcp://h:x", "not an address"),
        ("meshtastic+tcp://h:1?x=1", "HOST"),
        ("meshtastic+serial:ttyUSB0", "/dev/NAME"),
    ],
)
def test_a_bad_address_is_told(tmp_path: Path, url: str, words: str) -> None:
    team = str(mesh.write_team(tmp_path))
    with pytest.raises(ConfigError, match=words):
        meshtastic_peer(FeedConfig(name="radio", url=url, team_file=team))


def test_a_feed_without_a_team_is_told() -> None:
    with pytest.raises(ConfigError, match="team_file"):
        meshtastic_peer(FeedConfig(name="radio", url="meshtastic+tcp://192.0.2.7"))


def test_a_disk_that_takes_nothing_silences_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "gone"

    async def then(peer, node, hub) -> None:
        await reached(peer)
        await until(lambda: ("radio", "counter") in hub.troubles, "the desk is told")
        await send(peer, mesh.deliver(mesh.alert()))
        assert len(facts(hub, "accepted")) == 1

    talk(folder, then)
    assert not os.path.exists(folder)  # noqa: PTH110
