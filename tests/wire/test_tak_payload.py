"""Protobuf messages: the same rules and the same meaning as XML, and framing that is never guessed."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from takproto.proto import takmessage_pb2

from vedette.wire.cot import (
    Chat,
    CotError,
    CotEvent,
    Destination,
    Emergency,
    Link,
    Remarks,
    SensorView,
    Takv,
    read_event,
    write_event,
)
from vedette.wire.tak import (
    MAX_PAYLOAD_BYTES,
    Control,
    Message,
    common_version,
    read_datagram,
    read_payload,
    write_datagram,
    write_payload,
)
from vedette.wire.tak.framing import Incomplete, decode_varint, encode_varint

T = 1_795_000_000.0
TEXT = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs", "Cn"]), max_size=20
)
NAME = TEXT.filter(lambda text: text.isprintable() and text.strip())
METRES = st.none() | st.floats(1.0, 90_000.0)

EVENTS = st.builds(
    CotEvent,
    uid=NAME.map(str.strip),
    type=st.sampled_from(["a-f-G-U-C", "a-u-A-M-H-R", "b-t-f", "b-m-p-s-p-loc"]),
    time=st.floats(0.001, 2e9), start=st.just(0.001), stale=st.floats(1.0, 4e9),
    how=st.sampled_from(["m-g", "h-e"]),
    lat_deg=st.floats(-90, 90), lon_deg=st.floats(-180, 180),
    hae_m=METRES, ce_m=METRES, le_m=METRES,
    callsign=st.none() | NAME, endpoint=st.none() | st.just("*:-1:stcp"),
    team=st.none() | NAME, role=st.none() | NAME,
    takv=st.none() | st.builds(Takv, platform=TEXT, version=TEXT, device=TEXT, os=TEXT),
    course_deg=st.none() | st.floats(0, 360), speed_mps=st.none() | st.floats(0, 200),
    slope_deg=st.none() | st.floats(-90, 90),
    sensor=st.none()
    | st.builds(SensorView, azimuth_deg=st.floats(0, 360), fov_deg=st.floats(1, 359), range_m=METRES),
    links=st.lists(st.builds(Link, uid=NAME, relation=st.just("p-p")), max_size=2).map(tuple),
    destinations=st.lists(st.builds(Destination, callsign=NAME), max_size=2).map(tuple),
    chat=st.none() | st.builds(Chat, chatroom=TEXT, id=TEXT, uid0=NAME, receipt=st.booleans()),
    remarks=st.none() | st.builds(Remarks, text=TEXT, source=st.none() | NAME),
    emergency=st.none() | st.builds(Emergency, type=TEXT, cancel=st.booleans(), text=TEXT),
    force_delete=st.booleans(),
)  # fmt: skip


def message(**changes):
    """A good TakMessage, with fields of its event changed."""
    whole = takmessage_pb2.TakMessage()
    fields = {
        "uid": "UID-A", "type": "a-u-A-M-H-Q", "how": "m-g", "sendTime": 1_795_000_000_123,
        "startTime": 1_795_000_000_123, "staleTime": 1_795_000_060_000, "lat": 47.2, "lon": 8.5,
        "hae": 455.0, "ce": 4.0, "le": 9.0,
    } | changes  # fmt: skip
    for name, value in fields.items():
        setattr(whole.cotEvent, name, value)
    return whole


def refusal(data):
    with pytest.raises(CotError) as caught:
        read_payload(data)
    assert caught.value.data == data[:MAX_PAYLOAD_BYTES]
    return caught.value.reason


def test_a_plain_message_is_read_in_full():
    whole = message()
    whole.cotEvent.detail.contact.callsign = "ALPHA"
    whole.cotEvent.detail.track.course = 370.0
    whole.cotEvent.detail.track.speed = 12.5
    whole.cotEvent.detail.status.battery = 80
    whole.cotEvent.detail.xmlDetail = (
        '<remarks>seen &lt;twice&gt;</remarks><sensor azimuth="90" fov="40"/><x/>'
    )
    event = read_payload(whole.SerializeToString()).event
    assert event == CotEvent(
        uid="UID-A", type="a-u-A-M-H-Q", how="m-g", time=1_795_000_000.123, start=1_795_000_000.123,
        stale=1_795_000_060.0, lat_deg=47.2, lon_deg=8.5, hae_m=455.0, ce_m=4.0, le_m=9.0,
        callsign="ALPHA", course_deg=10.0, speed_mps=12.5, remarks=Remarks(text="seen <twice>"),
        sensor=SensorView(azimuth_deg=90.0, fov_deg=40.0), ignored=2,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"uid": ""}, "missing-uid"),
        ({"uid": "u" * 300}, "bad-uid"),
        ({"uid": "a\nb"}, "bad-uid"),
        ({"uid": "a\0b"}, "bad-text"),
        ({"type": ""}, "bad-type"),
        ({"type": "a f"}, "bad-type"),
        ({"sendTime": 0}, "bad-time"),
        ({"startTime": 0}, "bad-time"),
        ({"staleTime": 0}, "bad-time"),
        ({"sendTime": 2**64 - 1}, "bad-time"),
        ({"staleTime": 1_794_000_000_000}, "stale-before-start"),
        ({"lat": float("nan")}, "bad-position"),
        ({"lat": 90.1}, "bad-position"),
        ({"lon": float("inf")}, "bad-position"),
        ({"lon": -180.5}, "bad-position"),
        ({"hae": float("nan")}, "bad-point"),
        ({"ce": float("-inf")}, "bad-point"),
    ],
)
def test_what_is_refused(changes, reason):
    assert refusal(message(**changes).SerializeToString()) == reason


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        ("<remarks>", "not-xml"),
        ("</detail><detail>", "not-xml"),
        ("<a>&nothere;</a>", "not-xml"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]>", "document-type"),
        ("<a>" * 40 + "</a>" * 40, "too-deep"),
        ("<?xml version='1.0'?><a/>", "not-xml"),
    ],
)
def test_xml_within_is_held_to_the_limits_of_xml(xml, reason):
    whole = message()
    whole.cotEvent.detail.xmlDetail = xml
    assert refusal(whole.SerializeToString()) == reason


def test_an_element_in_xml_goes_before_its_message():
    whole = message()
    whole.cotEvent.detail.contact.callsign = "TYPED"
    whole.cotEvent.detail.xmlDetail = '<contact callsign="XML"/>'
    assert read_payload(whole.SerializeToString()).event.callsign == "XML"


@pytest.mark.parametrize("unknown", [9999999.0, 999999.0, 0.0])
def test_unknown_stays_unknown(unknown):
    event = read_payload(message(hae=unknown, ce=unknown, le=unknown).SerializeToString()).event
    assert (event.hae_m, event.ce_m, event.le_m) == (None, None, None)


@pytest.mark.parametrize("le", [0.0, 999999.0, 9999999.0])
def test_zero_without_an_error_is_no_height(le):
    assert read_payload(message(hae=0.0, le=le).SerializeToString()).event.hae_m is None


def test_sea_level_with_an_error_is_a_height():
    assert read_payload(message(hae=0.0, le=3.0).SerializeToString()).event.hae_m == 0.0


def test_damaged_payloads_are_refused():
    good = message().SerializeToString()
    assert refusal(good[:-3]) == "not-protobuf"
    assert refusal(b"\x12\xff") == "not-protobuf"
    assert refusal(b"") == "empty-message"
    assert refusal(b"\x12\x03\x2a\x01\xff") == "not-protobuf"
    assert refusal(b"\x12" * (MAX_PAYLOAD_BYTES + 1)) == "too-large"


@settings(deadline=None, max_examples=150)
@given(EVENTS)
def test_an_event_means_the_same_in_either_version(event):
    assert read_payload(write_payload(event)).event == read_event(write_event(event))


def test_a_track_with_a_slope_stays_whole():
    """detail.proto: no element is split between a message and XML."""
    event = read_payload(message().SerializeToString()).event
    climbing = msgspec.structs.replace(event, course_deg=90.0, speed_mps=10.0, slope_deg=30.0)
    sent = takmessage_pb2.TakMessage.FromString(write_payload(climbing)).cotEvent.detail
    assert not sent.HasField("track")
    assert 'slope="30.0"' in sent.xmlDetail
    assert read_payload(write_payload(climbing)).event == climbing


def test_what_cannot_be_written_is_refused():
    event = read_payload(message().SerializeToString()).event
    for changes in ({"uid": " "}, {"lat_deg": 91.0}, {"time": -1.0}, {"hae_m": float("nan")}, {"stale": 0.0}):
        with pytest.raises(CotError):
            write_payload(msgspec.structs.replace(event, **changes))
    with pytest.raises(CotError, match="bytes"):
        write_payload(msgspec.structs.replace(event, remarks=Remarks(text="x" * MAX_PAYLOAD_BYTES)))
    with pytest.raises(CotError, match="event or a control"):
        write_payload()


@given(st.integers(0, 2**63 - 1), st.binary(max_size=3))
def test_varints_round_trip(number, rest):
    data = encode_varint(number)
    assert decode_varint(b"\xbf" + data + rest, 1) == (number, 1 + len(data))
    with pytest.raises(Incomplete):
        decode_varint(data[:-1], 0)


def test_varints_that_cannot_be():
    assert decode_varint(b"\xff" * 10 + b"\x01", 0) is None
    with pytest.raises(ValueError, match="unsigned"):
        encode_varint(-1)


def test_datagrams_of_either_version():
    event = read_payload(message().SerializeToString()).event
    control = Control(min_version=1, max_version=2, contact_uid="UID-A")
    sent = write_datagram(event, control)
    assert sent[:3] == b"\xbf\x01\xbf"
    got = read_datagram(sent)
    assert (got.version, got.event, got.control) == (1, event, control)
    assert read_datagram(write_datagram(control=control)).event is None
    xml = write_datagram(event, version=0)
    for framed in (
        xml,
        b"<?xml version='1.0'?>\n" + xml + b"\n\0",
        b"\xef\xbb\xbf" + xml,
        b"\xbf\x00\xbf" + xml,
    ):
        assert (read_datagram(framed).version, read_datagram(framed).event) == (0, event)
    assert read_payload(write_payload(control=Control())) == Message(control=Control())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not-xml"),
        (b"\xbf", "bad-header"),
        (b"\xbf\x01", "bad-header"),
        (b"\xbf\x01\x12", "bad-header"),
        (b"\xbf" + b"\xff" * 11, "bad-header"),
        (b"\xbf\x02\xbf\x12\x00", "unknown-version"),
        (b"\xbf\x01\xbf", "empty-message"),
        (b"\xbf\x01\xbf<event/>", "not-protobuf"),
        (b"\xbf\x00\xbf<event/>", "missing-uid"),
    ],
)
def test_datagrams_that_are_refused(data, reason):
    with pytest.raises(CotError) as caught:
        read_datagram(data)
    assert caught.value.reason == reason


def test_version_that_everybody_can_read():
    assert common_version([]) == 1
    assert common_version([(1, 1), (1, 3)]) == 1
    assert common_version([(1, 1), (0, 0)]) == 0
    assert common_version([(2, 3)]) == 0
