"""Messages found in a stream that may be cut anywhere, end anywhere and announce anything."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.wire.errors import EncodeError
from vedette.wire.sapient import (
    MAX_MESSAGE_BYTES,
    FrameSplitter,
    SapientError,
    SapientMessage,
    SapientSplitter,
    read_message,
    write_frame,
    write_message,
)


def message(text="A"):
    return SapientMessage(node_id="a8654cdf-4328-47de-81fa-c495589e30c8", additional_information=text)


def outcome(items):
    return [
        item.additional_information if isinstance(item, SapientMessage) else item.reason for item in items
    ]


def test_length_is_little_endian():
    body = write_message(message())
    assert write_frame(message()) == len(body).to_bytes(4, "little") + body


@settings(deadline=None)
@given(st.lists(st.text(max_size=300), max_size=6), st.data())
def test_cuts_change_nothing(texts, data):
    stream = b"".join(write_frame(message(text)) for text in texts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    splitter, found = SapientSplitter(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += splitter.feed(stream[start:end])
    assert found == [message(text) for text in texts]
    assert (splitter.pending_bytes, splitter.discarded_bytes, splitter.broken) == (0, 0, False)


def test_byte_by_byte():
    splitter, found = SapientSplitter(), []
    for byte in write_frame(message("A")) + write_frame(message("B")):
        found += splitter.feed(bytes([byte]))
    assert outcome(found) == ["A", "B"]


def test_a_sender_that_dies_mid_message_leaves_pending_bytes():
    splitter = SapientSplitter()
    frame = write_frame(message("A"))
    assert outcome(splitter.feed(frame + frame[:-1])) == ["A"]
    assert splitter.pending_bytes == len(frame) - 1


def test_garbage_in_a_frame_costs_that_frame_only():
    splitter = SapientSplitter()
    garbage = b"\xff\xff\xff"
    found = splitter.feed(struct.pack("<I", 3) + garbage + write_frame(message("B")))
    assert outcome(found) == ["not-protobuf", "B"]
    assert found[0].data == garbage
    assert not splitter.broken


@pytest.mark.parametrize("length", [65, 2**31, 2**32 - 1])
def test_a_length_beyond_the_limit_ends_the_stream(length):
    splitter = SapientSplitter(max_bytes=64)
    stream = write_frame(message("A"), 64) + struct.pack("<I", length) + write_frame(message("B"))
    found = splitter.feed(stream)
    assert outcome(found) == ["A", "too-large"]
    assert "close the connection" in str(found[1])
    assert splitter.broken
    assert splitter.feed(write_frame(message("C"))) == []
    assert splitter.pending_bytes == 0
    assert splitter.discarded_bytes == len(stream) - len(write_frame(message("A"))) + len(
        write_frame(message("C"))
    )


def test_a_message_of_exactly_the_limit_passes_and_one_byte_more_does_not():
    body = len(write_message(message("A" * 200)))
    frame = write_frame(message("A" * 200), max_bytes=body)
    assert outcome(SapientSplitter(max_bytes=body).feed(frame)) == ["A" * 200]
    assert outcome(SapientSplitter(max_bytes=body - 1).feed(frame)) == ["too-large"]
    with pytest.raises(EncodeError, match=f"{body} bytes"):
        write_frame(message("A" * 200), max_bytes=body - 1)


def test_the_default_limit_is_a_mebibyte():
    assert MAX_MESSAGE_BYTES == 1 << 20
    assert outcome(SapientSplitter().feed(struct.pack("<I", (1 << 20) + 1))) == ["too-large"]
    assert outcome(SapientSplitter().feed(struct.pack("<I", 1 << 20))) == []


@settings(deadline=None)
@given(st.binary(max_size=400), st.data())
def test_any_bytes_are_survived_and_bounded(stream, data):
    cut = data.draw(st.integers(0, len(stream)))
    parts, whole = SapientSplitter(max_bytes=64), SapientSplitter(max_bytes=64)
    pieces = parts.feed(stream[:cut]) + parts.feed(stream[cut:])
    assert [str(item) for item in pieces] == [str(item) for item in whole.feed(stream)]
    assert parts.pending_bytes == whole.pending_bytes <= 68
    assert parts.discarded_bytes == whole.discarded_bytes


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_sapient_error(data):
    (item,) = SapientSplitter().feed(struct.pack("<I", len(data)) + data)
    if isinstance(item, SapientError):
        assert (item.reason, item.data) == ("not-protobuf", data)
    else:
        assert read_message(write_message(item)) == item


@given(st.lists(st.binary(max_size=60), max_size=6), st.data())
def test_raw_frames_are_not_read(bodies, data):
    stream = b"".join(len(body).to_bytes(4, "little") + body for body in bodies)
    cut = data.draw(st.integers(0, len(stream)))
    splitter = FrameSplitter(max_bytes=64)
    assert splitter.feed(stream[:cut]) + splitter.feed(stream[cut:]) == bodies
    assert (splitter.pending_bytes, splitter.broken) == (0, False)


def test_raw_frames_before_a_length_beyond_the_limit_still_come():
    splitter = FrameSplitter(max_bytes=64)
    assert splitter.feed(b"\x02\0\0\0ab" + struct.pack("<I", 65) + b"rest") == [b"ab"]
    assert (splitter.announced, splitter.broken, splitter.discarded_bytes) == (65, True, 8)
    assert splitter.feed(b"\x02\0\0\0ab") == []
    assert (splitter.pending_bytes, splitter.discarded_bytes) == (0, 14)


def test_nesting_without_end_is_refused():
    body = b""
    for _ in range(200):  # DetectionReport.SubClass.sub_class is field 4
        body = b"\x22" + _varint(len(body)) + body
    body = b"\x1a" + _varint(len(body)) + body
    body = b"\x5a" + _varint(len(body)) + body
    with pytest.raises(SapientError):
        read_message(b"\x3a" + _varint(len(body)) + body)


def _varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


@given(
    st.floats(-180.0, 180.0),
    st.floats(-90.0, 90.0),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.tuples(st.text(max_size=20), st.floats(0.0, 1.0, width=32)), max_size=4),
    st.integers(0, 2**31 - 1),
)
def test_a_detection_report_goes_there_and_back(lon, lat, height, classes, second):
    said = message()
    said.timestamp.seconds = second
    report = said.detection_report
    report.location.x, report.location.y = lon, lat
    if height is not None:
        report.location.z = height
    for kind, confidence in classes:
        report.classification.add(type=kind, confidence=confidence)
    (found,) = SapientSplitter().feed(write_frame(said))
    assert found == said
    assert (found.detection_report.location.x, found.detection_report.location.y) == (lon, lat)
    assert found.detection_report.location.HasField("z") == (height is not None)
    assert [(c.type, c.confidence) for c in found.detection_report.classification] == classes
