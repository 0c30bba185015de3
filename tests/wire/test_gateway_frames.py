"""The gateway's frames: what a client may send is read strictly, and nothing breaks the reader."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.wire.errors import DecodeError
from vedette.wire.gateway import (
    MOST_BYTES,
    MOST_SEEN,
    Ack,
    AlertFrame,
    Hello,
    read_client,
    read_server,
    write,
)

NAMES = st.text(min_size=1, max_size=64)
NUMBERS = st.integers(0, 10**11)


def understood(data: bytes) -> bool:
    """Whether it is a frame of a client; anything but that and a reason is a fault of the reader."""
    try:
        return isinstance(read_client(data), Hello | Ack)
    except DecodeError as error:
        return not error.reason


@given(
    st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_any_bytes_are_a_frame_or_a_reason(data: bytes) -> None:
    assert not understood(data) or data.lstrip()[:1] == b"{"


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
        max_leaves=12,
    ),
    st.sampled_from(["hello", "ack", "alert", "", "HELLO"]),
)
def test_any_json_is_a_frame_or_a_reason(body: object, kind: str) -> None:
    whole = {**(body if isinstance(body, dict) else {"x": body}), "t": kind}
    assert not understood(json.dumps(whole).encode()) or kind in ("hello", "ack")


@given(NAMES, NUMBERS, st.sampled_from(["on-device", "shown", "acknowledged"]))
def test_an_ack_comes_back_as_it_was(name: str, revision: int, fact: str) -> None:
    ack = Ack(name, revision, fact)  # type: ignore[arg-type]
    assert read_client(write(ack)) == ack


@given(st.lists(st.tuples(NAMES, NUMBERS, NUMBERS), max_size=3), st.sampled_from(["en", "es-MX"]))
def test_a_hello_comes_back_as_it_was(seen: list[tuple[str, int, int]], language: str) -> None:
    hello = Hello(v=1, session="vds_x", lang=language, seen=tuple(seen))
    assert read_client(write(hello)) == hello


def test_keys_of_a_newer_client_are_passed_over() -> None:
    assert read_client(b'{"t":"hello","v":1,"battery":0.4}') == Hello(v=1)


@pytest.mark.parametrize(
    "frame",
    [
        b'{"t":"ack","id":"A","rev":1,"fact":"accepted"}',
        b'{"t":"ack","id":"","rev":1,"fact":"shown"}',
        b'{"t":"ack","id":"A","rev":-1,"fact":"shown"}',
        b'{"t":"ack","id":"A","rev":1e300,"fact":"shown"}',
        b'{"t":"hello","v":1,"session":""}',
        b'{"t":"hello","v":1,"seen":[["A",1]]}',
        b'{"t":"hello","v":1,"seen":' + json.dumps([["A", 1, 0]] * (MOST_SEEN + 1)).encode() + b"}",
    ],
)
def test_what_no_client_says_is_refused(frame: bytes) -> None:
    assert not understood(frame)


def test_a_frame_that_is_too_long_is_not_looked_at() -> None:
    with pytest.raises(DecodeError) as refused:
        read_client(b" " * (MOST_BYTES + 1))
    assert refused.value.reason == "too-long"


def test_an_alert_says_only_what_is_known() -> None:
    frame = AlertFrame(
        id="A", rev=1, level="warning", status="actual", state="active-unacked", text="x", at=1.0, expires=2.0
    )
    data = write(frame)
    assert b"bearing" not in data
    assert read_server(data) == frame
