"""Fuzz the SAPIENT codec: `python tests/fuzz/fuzz_sapient.py --seconds N [--seed S]`.

Invariants: the splitter raises nothing and holds at most one incomplete message; what it finds does
not depend on where the stream was cut; a message that was read can be written, reads back as the same
message and is judged the same; a message without faults has its mandatory fields, identifiers and
finite numbers; its places are read or refused with a reason; the JSON reader raises its own error only.
"""

import contextlib
import math
import random
import struct
from typing import Any

import harness

from vedette.wire.errors import DecodeError, EncodeError
from vedette.wire.sapient import (
    SapientError,
    SapientMessage,
    SapientSplitter,
    is_ulid,
    is_uuid4,
    judge_time,
    read_json,
    read_location,
    read_message,
    validate,
    write_frame,
    write_json,
    write_message,
)
from vedette.wire.sapient.faults import MAX_FAULTS

MAX_BYTES = 4096
PIECES = (
    b"\x00", b"\xff" * 4, b"\xff" * 9 + b"\x01", b"\x80" * 10, b"\x0b", b"\x0c", b"\xf8\x07\x05",
    b"\x01\x00\x00\x00", struct.pack("<d", math.nan), struct.pack("<d", math.inf), b"\x3a\x02\x22\x00",
    b"\x2a\x00", struct.pack("<I", MAX_BYTES + 1), b"\x22\x02\x22\x00" * 30, b"\xed\xa0\x80",
)  # fmt: skip
NUMBERS = (0, 1, 2, 5, 99, -1, 2**31 - 1, -(2**31))
FLOATS = (math.nan, math.inf, -math.inf, 0.0, -0.0, 8.5, 91.0, 1e300)
TEXTS = ("", "x", "01GGYFBAXGDG7AGAHRZ6XSNY12", "a8654cdf-4328-47de-81fa-c495589e30c8", "30U", "\0", "é")


def corpus() -> list[bytes]:
    """The seed streams, in the order of their names."""
    return [write_frame(read_json(data)) for data in harness.corpus("sapient")]


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Injure the stream, or some bytes in place, or the fields of its message."""
    match chance.randrange(3):
        case 0:
            return injure(data, chance)
        case 1 if len(data) > 4:
            bytes_ = bytearray(data)
            for _ in range(chance.randint(1, 3)):
                bytes_[chance.randrange(4, len(bytes_))] = chance.randrange(256)
            return bytes(bytes_)
        case _:
            try:
                message = read_message(data[4:])
            except SapientError:
                return injure(data, chance)
            for _ in range(chance.randint(1, 4)):
                change_field(message, chance)
            return write_frame(message) + data[: chance.randrange(len(data) + 1)]


def change_field(message: Any, chance: random.Random) -> None:
    """Go down to a random field that is set, and clear it or give it another value of its type."""
    fields = message.ListFields()
    if not fields:
        return
    field, value = chance.choice(fields)
    if field.is_repeated:
        value = value[chance.randrange(len(value))] if field.message_type is not None else None
    if field.message_type is not None and chance.random() < 0.9:
        change_field(value, chance)
    elif field.is_repeated or field.message_type is not None or chance.random() < 0.2:
        message.ClearField(field.name)
    elif isinstance(value, str):
        setattr(message, field.name, chance.choice(TEXTS))
    elif isinstance(value, float):
        setattr(message, field.name, chance.choice(FLOATS))
    elif isinstance(value, int) and not isinstance(value, bool):
        setattr(message, field.name, chance.choice(NUMBERS))


def injure(data: bytes, chance: random.Random) -> bytes:
    """One to six small injuries; half of the time the length is put right again behind them."""
    bytes_ = bytearray(harness.injure(data, chance, PIECES, 20))
    if chance.random() < 0.5:
        bytes_[:4] = struct.pack("<I", max(0, len(bytes_) - 4))
    return bytes(bytes_)


def split(data: bytes, cuts: list[int]) -> tuple[list[object], int, int]:
    """What a fresh splitter finds in ``data`` cut at ``cuts``, what it holds and what it threw away."""
    splitter, found = SapientSplitter(MAX_BYTES), []
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        for item in splitter.feed(data[start:end]):
            found.append(
                (item.reason, item.data) if isinstance(item, SapientError) else item.SerializeToString()
            )
        assert splitter.pending_bytes <= MAX_BYTES + 4, "the buffer is not bounded"
    return found, splitter.pending_bytes, splitter.discarded_bytes


def check(data: bytes, chance: random.Random) -> None:
    """All invariants on one stream."""
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.randint(1, 8)))
    assert split(data, cuts) == split(data, []), "what is found depends on the cuts"
    for item in SapientSplitter(MAX_BYTES).feed(data):
        if isinstance(item, SapientMessage):
            check_message(item)
    with contextlib.suppress(SapientError):
        read_json(data)


def check_message(message: SapientMessage) -> None:
    """Written and read back it is the same, is judged the same, and a good one is really good."""
    written, faults = write_message(message), validate(message)
    again = read_message(written)
    assert write_message(again) == written
    assert validate(again) == faults
    assert len(faults) <= MAX_FAULTS
    assert all(fault.path for fault in faults)
    judge_time(message, 1_795_000_000.0)
    if not faults:
        check_good(message)


def check_good(message: SapientMessage) -> None:
    """What a message that passed is relied upon for."""
    assert message.HasField("timestamp")
    assert is_uuid4(message.node_id)
    assert message.WhichOneof("content") is not None
    with contextlib.suppress(EncodeError):
        assert not validate(read_json(write_json(message)))
    if message.HasField("detection_report"):
        report = message.detection_report
        assert is_ulid(report.report_id)
        assert is_ulid(report.object_id)
        assert report.WhichOneof("location_oneof") is not None
        if report.HasField("location"):
            assert math.isfinite(report.location.x)
            assert math.isfinite(report.location.y)
            with contextlib.suppress(DecodeError):
                read_location(report.location)


if __name__ == "__main__":
    seeds = corpus()
    one = harness.each(lambda chance: mutate(chance.choice(seeds), chance), check)
    raise SystemExit(harness.main("sapient", one, check, mutate))
