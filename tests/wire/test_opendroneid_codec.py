"""Open Drone ID messages: round trips, unknown values, and what must be refused."""

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.wire.errors import DecodeError, EncodeError
from vedette.wire.opendroneid import (
    AuthPage,
    BasicId,
    Location,
    MessagePack,
    OperatorId,
    SelfId,
    Single,
    System,
    decode,
    decode_single,
    encode,
    pack,
    pack_entries,
    unpack,
)
from vedette.wire.opendroneid import tables as t

nibble = st.integers(0, 15)
version = st.integers(0, 15)


def text(size: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=size)


def place() -> st.SearchStrategy[tuple[float | None, float | None]]:
    raw = st.tuples(st.integers(-900_000_000, 900_000_000), st.integers(-1_800_000_000, 1_800_000_000))
    known = raw.filter(lambda p: p != (0, 0)).map(lambda p: (p[0] / 1e7, p[1] / 1e7))
    return st.one_of(st.just((None, None)), known)


height = st.one_of(st.none(), st.integers(1, 65535).map(lambda raw: raw * 0.5 - 1000.0))
speed = st.one_of(
    st.none(),
    st.integers(0, 255).map(lambda raw: raw * 0.25),
    st.integers(1, 254).map(lambda raw: raw * 0.75 + 63.75),
)
basic_ids = st.builds(
    BasicId, uas_id=text(20), id_type=st.sampled_from([0, 1, 2, 5, 9]), ua_type=nibble, version=version
)
binary_ids = st.builds(
    BasicId,
    uas_id=st.binary(min_size=15, max_size=15).map(lambda body: "80" + body.hex()),
    id_type=st.just(3),
    ua_type=nibble,
)
locations = st.builds(
    lambda place, **rest: Location(lat_deg=place[0], lon_deg=place[1], **rest),
    place=place(),
    status=nibble,
    alt_geodetic_m=height,
    alt_barometric_m=height,
    height_m=height,
    height_type=st.sampled_from(["takeoff", "agl"]),
    direction_deg=st.one_of(st.none(), st.integers(0, 359).map(float)),
    speed_mps=speed,
    vertical_speed_mps=st.one_of(st.none(), st.integers(-124, 124).map(lambda raw: raw * 0.5)),
    horizontal_accuracy_m=st.sampled_from(t.HORIZONTAL_ACCURACY_M),
    vertical_accuracy_m=st.sampled_from(t.VERTICAL_ACCURACY_M),
    barometric_accuracy_m=st.sampled_from(t.VERTICAL_ACCURACY_M),
    speed_accuracy_mps=st.sampled_from(t.SPEED_ACCURACY_MPS),
    timestamp_s=st.one_of(st.none(), st.integers(0, 36000).map(lambda raw: raw / 10)),
    timestamp_accuracy_s=st.sampled_from(t.TIMESTAMP_ACCURACY_S),
    version=version,
)
times = st.one_of(st.none(), st.integers(t.BROADCAST_EPOCH_S + 1, t.BROADCAST_EPOCH_S + 0xFFFFFFFF))
systems = st.builds(
    lambda place, **rest: System(operator_lat_deg=place[0], operator_lon_deg=place[1], **rest),
    place=place(),
    operator_alt_m=height,
    operator_location_type=st.integers(0, 3),
    classification_type=st.integers(0, 7),
    category_eu=nibble,
    class_eu=nibble,
    area_count=st.integers(0, 65535),
    area_radius_m=st.integers(0, 255).map(lambda raw: raw * 10),
    area_ceiling_m=height,
    area_floor_m=height,
    time=times,
    version=version,
)
first_pages = st.builds(
    AuthPage,
    auth_type=nibble,
    page=st.just(0),
    data=st.binary(min_size=17, max_size=17),
    last_page=st.integers(0, 15),
    length_bytes=st.integers(0, 255),
    time=times,
    version=version,
)
next_pages = st.builds(
    AuthPage,
    auth_type=nibble,
    page=st.integers(1, 15),
    data=st.binary(min_size=23, max_size=23),
    version=version,
)
singles = st.one_of(
    basic_ids,
    binary_ids,
    locations,
    systems,
    first_pages,
    next_pages,
    st.builds(SelfId, description=text(23), description_type=st.integers(0, 255), version=version),
    st.builds(OperatorId, operator_id=text(20), operator_id_type=st.integers(0, 255), version=version),
)


@settings(deadline=None)
@given(singles)
def test_every_message_survives_the_wire(message: Single) -> None:
    data = encode(message)
    assert len(data) == 25
    assert decode(data) == message


@settings(deadline=None)
@given(st.lists(singles, min_size=1, max_size=9), version)
def test_a_pack_keeps_messages_order_and_version(messages: list[Single], number: int) -> None:
    data = pack(messages, number)
    assert len(data) == 3 + 25 * len(messages)
    assert decode(data) == MessagePack(messages=tuple(messages), version=number)
    assert unpack(data) == tuple(messages)
    assert pack_entries(data) == [encode(message) for message in messages]


@settings(deadline=None)
@given(st.binary(max_size=260))
def test_any_bytes_decode_or_raise_decode_error(data: bytes) -> None:
    try:
        messages = unpack(data)
    except DecodeError:
        return
    for message in messages:
        assert len(encode(message)) == 25


@settings(deadline=None)
@given(st.binary(min_size=25, max_size=25))
def test_what_was_decoded_decodes_to_itself_again(data: bytes) -> None:
    try:
        message = decode_single(data)
    except DecodeError:
        return
    assert decode_single(encode(message)) == message


def test_unknown_values_are_none() -> None:
    message = decode(encode(Location()))
    assert message == Location()
    raw = bytes([0x12, 0x03, 181, 255, 126]) + bytes(14) + b"\0\0\xff\xff\0\0"
    assert decode(raw) == Location()


def test_the_fast_range_of_speed_is_not_unknown_at_255_quarter_metres() -> None:
    raw = bytearray(encode(Location(speed_mps=63.75)))
    assert raw[3] == 255
    assert decode(bytes(raw)).speed_mps == 63.75  # type: ignore[union-attr]
    assert decode(encode(Location(speed_mps=500.0))).speed_mps == 254.25  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("metres", "code"), [(0.5, 12), (1.0, 12), (1.1, 11), (10.0, 10), (2e4, 0), (None, 0)]
)
def test_accuracy_takes_the_tightest_bound_that_holds(metres: float | None, code: int) -> None:
    assert t.accuracy_code(t.HORIZONTAL_ACCURACY_M, metres) == code


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "short-message"),
        (bytes(24), "short-message"),
        (b"\x62" + bytes(24), "message-type"),
        (b"\xf2\x19", "pack"),
        (b"\xf2\x18\x01" + bytes(25), "pack"),
        (b"\xf2\x19\x0a" + bytes(250), "pack"),
        (b"\xf2\x19\x02" + bytes(49), "pack"),
        (b"\xf2\x19\x01" + b"\xf2" + bytes(24), "message-type"),
        (b"\x02\x12AB\x07" + bytes(20), "text"),
        (b"\x02\x12AB\0CD" + bytes(18), "text"),
        (b"\x02\x12" + b"\xe9" * 20 + bytes(3), "text"),
        (b"\x12\x20\0\0\0" + b"\xff\xff\xff\x7f" + bytes(16), "position"),
        (b"\x22\x00\x10" + bytes(22), "auth"),
    ],
)
def test_what_breaks_the_format_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(data)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "message",
    [
        Location(lat_deg=91.0, lon_deg=0.0),
        Location(lat_deg=float("nan"), lon_deg=0.0),
        Location(direction_deg=-3.0),
        Location(speed_mps=-1.0),
        Location(alt_geodetic_m=40_000.0),
        Location(timestamp_s=3601.0),
        Location(status=16),
        BasicId(uas_id="X" * 21, id_type=1, ua_type=2),
        BasicId(uas_id="Ü", id_type=1, ua_type=2),
        BasicId(uas_id="z" * 32, id_type=3, ua_type=2),
        SelfId(description="tab\t"),
        System(area_count=70_000),
        System(time=5),
        AuthPage(auth_type=1, page=1, data=bytes(24)),
    ],
)
def test_what_does_not_fit_is_an_encode_error(message: Single) -> None:
    with pytest.raises(EncodeError):
        encode(message)


@pytest.mark.parametrize("count", [0, 10])
def test_a_pack_of_none_or_ten_is_not_made(count: int) -> None:
    with pytest.raises(EncodeError):
        pack([Location()] * count)


def test_an_empty_pack_is_read_since_real_transmitters_send_it() -> None:
    assert unpack(b"\xf0\x19\x00") == ()


@pytest.mark.field
def test_real_dronetag_frames(field_data: Path) -> None:
    folder = field_data / "protocols" / "opendroneid" / "dronetag-frames"

    def frame(name: str) -> bytes:
        return bytes(ast.literal_eval((folder / name).read_text()))[2:]

    assert decode(frame("bluetooth_basic_id_packet.txt")) == BasicId(
        uas_id="1787F04BM24010011039", id_type=1, ua_type=2
    )
    location = decode(frame("bluetooth_location_packet.txt"))
    assert isinstance(location, Location)
    assert (location.lat_deg, location.lon_deg) == (35.802579, -90.7109691)
    assert location.alt_geodetic_m == 68.0
    system = decode(frame("bluetooth_system_packet.txt"))
    assert isinstance(system, System)
    assert system.operator_lat_deg == 35.8025741
