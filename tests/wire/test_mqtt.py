"""The publisher's part of MQTT 5: what is written, and what of a broker is believed."""

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.wire.errors import DecodeError, EncodeError
from vedette.wire.mqtt import (
    MOST_BYTES,
    Connack,
    Disconnect,
    Message,
    Pingresp,
    Puback,
    Splitter,
    connect,
    publish,
    reason_words,
)

ANSWERS = bytes.fromhex("2003000000400200074004000887 00d000e000e00189".replace(" ", ""))
READ = [Connack(0), Puback(7, 0), Puback(8, 0x87), Pingresp(), Disconnect(0), Disconnect(0x89)]


def read(*parts: bytes) -> list[object]:
    splitter = Splitter()
    return [packet for part in parts for packet in splitter.feed(part)]


def test_answers_are_read() -> None:
    assert read(ANSWERS) == READ


@given(st.lists(st.integers(0, len(ANSWERS)), max_size=8))
def test_however_they_are_cut(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(ANSWERS)]
    assert read(*(ANSWERS[a:b] for a, b in itertools.pairwise(edges))) == READ


def test_what_a_broker_can_do_is_read() -> None:
    properties = bytes.fromhex("21000a27000003e82400250013001e1200036162632600016100016211000000")[:-4]
    body = b"\x00\x00" + bytes((len(properties),)) + properties
    (answer,) = read(b"\x20" + bytes((len(body),)) + body)
    assert answer == Connack(0, 10, 1000, 0, False, 30)


@given(st.binary(max_size=300))
def test_no_bytes_do_harm(data: bytes) -> None:
    splitter = Splitter()
    with contextlib.suppress(DecodeError):
        for byte in data:
            list(splitter.feed(bytes((byte,))))
            assert len(splitter._held) <= MOST_BYTES + 5


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("20ffffff7f", "too-large"), ("20808080808001", "length"), ("30020001", "unexpected"),
        ("2001", None),
        ("200100", "connack"),
        ("20050000057f00", "properties"), ("200400000321 ", "properties"), ("400100", "puback"),
        ("d00100", "pingresp"),
        ("90030001 00", "unexpected"), ("2006000003ff0000", "properties"),
    ],
)  # fmt: skip
def test_a_broker_that_is_none_is_refused(data: str, reason: str | None) -> None:
    if reason is None:
        assert read(bytes.fromhex(data)) == []
        return
    with pytest.raises(DecodeError) as caught:
        read(bytes.fromhex(data.replace(" ", "")))
    assert caught.value.reason == reason


def test_a_connect_with_a_will() -> None:
    """3.1, byte by byte."""
    will = Message("a/b", b"offline", retain=True)
    data = connect("me", keep_alive_s=10, will=will, user="u", password="p")
    assert data.hex() == (
        "102b" "00044d515454" "05" "ee" "000a" "05" "2700002000" "00026d65" "02" "0101"
        "0003612f62" "00076f66666c696e65"
        "000175" "000170"
    )  # fmt: skip


def test_a_publish_with_an_expiry() -> None:
    data = publish(Message("t", b"x", retain=True, expires_s=60), 9)
    assert data.hex() == "330e0001740009070101020000003c78"
    assert publish(Message("t", b"x"), 9, again=True)[0] == 0x3A


@given(st.binary(max_size=40_000))
def test_lengths_are_those_of_the_standard(payload: bytes) -> None:
    data = publish(Message("t", payload), 1)
    size = shift = 0
    place = 1
    while True:
        size |= (data[place] & 0x7F) << shift
        shift, place = shift + 7, place + 1
        if not data[place - 1] & 0x80:
            break
    assert len(data) == place + size
    assert data.endswith(payload)


@pytest.mark.parametrize("topic", ["", "a/+/b", "a/#", "a\0b", "x" * 65_536])
def test_a_topic_that_is_none_is_refused(topic: str) -> None:
    with pytest.raises(EncodeError):
        publish(Message(topic, b""), 1)


def test_reasons_have_words() -> None:
    assert reason_words(0x89) == "server busy"
    assert reason_words(0xFF) == "reason 0xFF"
