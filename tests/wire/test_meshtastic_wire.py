"""The node's client API: bytes as published, damaged streams, and Meshtastic's own library as the judge."""

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.wire.errors import DecodeError, EncodeError
from vedette.wire.meshtastic import (
    BROADCAST,
    MAX_BYTES,
    PRIORITY_ALERT,
    PRIORITY_HIGH,
    PRIVATE_APP,
    Channel,
    ConfigComplete,
    FrameSplitter,
    FromRadio,
    LoraConfig,
    MyInfo,
    Notice,
    Other,
    Packet,
    QueueStatus,
    Rebooted,
    Routing,
    disconnect,
    heartbeat,
    read_from_radio,
    read_to_radio,
    send_packet,
    want_config,
    write_frame,
    write_from_radio,
)
from vedette.wire.meshtastic.protobuf import embedded, fields, number, signed, varint

ORACLE = Path(__file__).resolve().parent / "meshtastic_oracle.py"
U32 = st.integers(0, 0xFFFFFFFF)
PACKETS = st.builds(
    Packet,
    sender=U32,
    to=U32,
    channel=st.integers(0, 7),
    id=U32,
    port=st.just(PRIVATE_APP),
    payload=st.binary(max_size=233),
    hop_limit=st.integers(0, 7),
    want_ack=st.booleans(),
    priority=st.sampled_from([0, 64, 100, 110]),
    via_mqtt=st.booleans(),
    snr_db=st.floats(-40, 40, width=32).map(lambda snr: snr + 0.0),
    rssi_dbm=st.integers(-200, 20),
    request=U32,
)
MESSAGES: st.SearchStrategy[FromRadio] = st.one_of(
    PACKETS,
    st.builds(MyInfo, U32),
    st.builds(
        LoraConfig,
        use_preset=st.booleans(),
        preset=st.integers(0, 13),
        bandwidth_khz=st.integers(0, 1625),
        spreading=st.integers(0, 12),
        coding=st.integers(0, 8),
        region=st.integers(0, 30),
        hop_limit=st.integers(0, 7),
        tx_enabled=st.booleans(),
    ),
    st.builds(
        Channel,
        index=st.integers(0, 7),
        role=st.integers(0, 2),
        name=st.text(max_size=11),
        key_bytes=st.sampled_from([0, 1, 16, 32]),
    ),
    st.builds(ConfigComplete, st.integers(1, 0xFFFFFFFF)),
    st.builds(
        QueueStatus,
        result=st.integers(-(2**31), 2**31 - 1),
        free=st.integers(0, 64),
        most=st.integers(0, 64),
        id=U32,
    ),
    st.builds(Routing, U32, st.integers(0, 39)),
    st.just(Rebooted()),
    st.builds(Notice, U32, st.integers(0, 50)),
)


def test_the_first_words_are_as_published() -> None:
    """want_config_id is field 3; a frame begins 0x94 0xC3 and has its length in two bytes, big-endian."""
    assert write_frame(want_config(69420)) == bytes.fromhex("94c30004 18ac9e04")
    assert write_frame(heartbeat()) == bytes.fromhex("94c30002 3a00")
    assert write_frame(disconnect()) == bytes.fromhex("94c30002 2001")


def test_a_packet_byte_by_byte() -> None:
    packet = Packet(
        channel=1, id=0x01020304, port=PRIVATE_APP, payload=b"AB", hop_limit=3, want_ack=True, priority=110
    )
    assert send_packet(packet) == bytes.fromhex(
        "0a 1b"  # ToRadio.packet
        "15 ffffffff"  # to
        "18 01"  # channel
        "22 07 0880021202 4142"  # decoded: portnum 256, payload
        "35 04030201"  # id
        "48 03 50 01 58 6e"  # hop_limit, want_ack, priority
    )


def test_too_much_for_a_packet_or_a_node() -> None:
    assert len(send_packet(Packet(payload=bytes(233), port=PRIVATE_APP))) > 233
    with pytest.raises(EncodeError, match="233"):
        send_packet(Packet(payload=bytes(234)))
    with pytest.raises(EncodeError, match="512"):
        write_frame(bytes(MAX_BYTES + 1))
    with pytest.raises(EncodeError):
        write_from_radio(Other(4))


@given(MESSAGES)
def test_what_a_node_says_reads_back(message: FromRadio) -> None:
    assert read_from_radio(write_from_radio(message)) == message


@given(PACKETS)
def test_what_a_client_says_reads_back(packet: Packet) -> None:
    assert read_to_radio(send_packet(packet)) == packet
    assert read_to_radio(want_config(packet.id or 1)) == (packet.id or 1)
    assert read_to_radio(heartbeat()) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_an_error(data: bytes) -> None:
    for read in (read_from_radio, read_to_radio):
        with contextlib.suppress(DecodeError):
            read(data)


@given(MESSAGES, st.data())
def test_injured_messages_are_messages_or_errors(message: FromRadio, data: st.DataObject) -> None:
    good = bytearray(write_from_radio(message))
    at = data.draw(st.integers(0, max(0, len(good) - 1)))
    if good:
        good[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DecodeError):
        read_from_radio(bytes(good))


def test_unknown_fields_are_stepped_over() -> None:
    known = write_from_radio(QueueStatus(result=0, free=3, most=16, id=5))
    strange = number(1, 77) + embedded(1000, b"news") + varint(2001 << 3 | 1) + bytes(8)
    assert read_from_radio(strange + known) == QueueStatus(result=0, free=3, most=16, id=5)
    assert read_from_radio(embedded(4, b"\x08\x01")) == Other(4)
    assert read_from_radio(b"") == Other(0)


@pytest.mark.parametrize(
    "data",
    [b"\x80", b"\x08", b"\x0a\x05ab", b"\x0b", b"\x00\x01", b"\x0d\x01", b"\x08" + b"\xff" * 11, b"\x12\x7f"],
)
def test_broken_protobuf_is_told(data: bytes) -> None:
    with pytest.raises(DecodeError):
        list(fields(data))


def test_numbers_keep_their_sign() -> None:
    assert [signed(value) for _, value in fields(number(1, -1) + number(2, 5))] == [-1, 5]  # type: ignore[arg-type]


def test_strangers_words_are_not_kept() -> None:
    said = Packet(sender=5, port=1, payload=b"a stranger's words", id=7, rssi_dbm=-90)
    heard = read_from_radio(write_from_radio(said))
    assert heard == Packet(sender=5, port=1)


@given(st.lists(st.binary(max_size=MAX_BYTES), max_size=6), st.data())
def test_frames_are_found_however_the_stream_is_cut(messages: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(write_frame(message) for message in messages)
    splitter = FrameSplitter()
    found: list[bytes] = []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        found += splitter.feed(stream[:cut])
        stream = stream[cut:]
    assert found == messages
    assert splitter.skipped == 0


@given(st.text(alphabet=st.characters(max_codepoint=0x7F), max_size=300), st.binary(min_size=1, max_size=64))
def test_a_log_between_messages_is_skipped(log: str, message: bytes) -> None:
    splitter = FrameSplitter()
    assert splitter.feed(log.encode() + write_frame(message)) == [message]
    assert splitter.skipped == len(log)


def test_a_length_that_cannot_be_is_damage() -> None:
    splitter = FrameSplitter()
    assert splitter.feed(b"\x94\xc3\xff\xff\x94" + write_frame(b"good")) == [b"good"]


@given(st.lists(st.binary(max_size=700), max_size=20))
def test_the_buffer_is_bounded(pieces: list[bytes]) -> None:
    splitter = FrameSplitter()
    for piece in pieces:
        splitter.feed(piece)
        assert len(splitter._buffer) <= MAX_BYTES + 4 + len(piece)


@pytest.fixture(scope="module")
def library() -> str:
    """The Python that has Meshtastic's own library (GPL-3: a process of its own, here and nowhere else).

    It is no dependency, and no run is expected to have it: VEDETTE_MESHTASTIC_PYTHON names it, or the
    program ``meshtastic`` is installed.
    """
    if (named := os.environ.get("VEDETTE_MESHTASTIC_PYTHON")) is not None:
        return named
    program = shutil.which("meshtastic")
    first = Path(program).read_text().splitlines()[0] if program else ""
    if not first.startswith("#!"):
        pytest.skip(
            "Meshtastic's library is not installed: set VEDETTE_MESHTASTIC_PYTHON to a Python with it"
        )
    return first.removeprefix("#!").strip()


def ask(library: str, what: str, stdin: str = "") -> list[dict]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [library, str(ORACLE), what],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.counterpart
def test_the_library_reads_what_we_say(library: str) -> None:
    payload = bytes(range(37))
    said = [
        want_config(69420),
        heartbeat(),
        disconnect(),
        send_packet(
            Packet(
                channel=1, id=0xCAFEBABE, port=PRIVATE_APP, payload=payload, hop_limit=3, want_ack=True,
                priority=PRIORITY_ALERT,
            )
        ),
        send_packet(Packet(channel=7, id=1, port=PRIVATE_APP, payload=payload, priority=PRIORITY_HIGH)),
    ]  # fmt: skip
    read = ask(library, "parse", "\n".join(message.hex() for message in said))
    assert [item["kind"] for item in read] == [
        "want_config_id", "heartbeat", "disconnect", "packet", "packet",
    ]  # fmt: skip
    assert read[0]["want_config"] == 69420
    assert read[3] == {
        "kind": "packet", "want_config": 0, "to": BROADCAST, "channel": 1, "id": 0xCAFEBABE, "hops": 3,
        "want_ack": True, "priority": "ALERT", "port": "PRIVATE_APP", "payload": payload.hex(), "limit": 233,
    }  # fmt: skip
    assert (read[4]["priority"], read[4]["want_ack"], read[4]["channel"]) == ("HIGH", False, 7)


@pytest.mark.counterpart
def test_we_read_what_the_library_says(library: str) -> None:
    made = {item["name"]: read_from_radio(bytes.fromhex(item["hex"])) for item in ask(library, "make")}
    assert made == {
        "my-info": MyInfo(0x11223344),
        "lora": LoraConfig(use_preset=True, preset=4, region=3, hop_limit=3, tx_enabled=True),
        "device": Other(5),
        "channel": Channel(index=1, role=2, name="alpha", key_bytes=32),
        "node": Other(4),
        "complete": ConfigComplete(69420),
        "queue": QueueStatus(result=-1, free=15, most=16, id=0xDEADBEEF),
        "packet": Packet(
            sender=0x55667788, to=BROADCAST, channel=1, id=99, port=PRIVATE_APP, payload=b"sealed",
            hop_limit=2, via_mqtt=True, snr_db=-7.25, rssi_dbm=-118,
        ),
        "text": Packet(to=0, port=1),
        "routing": Routing(4711, 5),
        "relayed": Routing(4712, 0),
        "rebooted": Rebooted(),
        "log": Other(6),
    }  # fmt: skip
