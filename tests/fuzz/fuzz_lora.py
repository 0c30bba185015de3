"""Fuzz the radio alert and the node's client API: `python tests/fuzz/fuzz_lora.py --seconds N [--seed S]`.

Invariants: a frame that no key of the team has sealed is refused; a message that reads can be written, and
reads back as itself; the stream's splitter raises nothing, finds the same however it is cut, and holds one
message at most; what a node says reads, or is refused with one reason; a good frame behind damage is found.
"""

import contextlib
import random

import harness

from vedette.wire.errors import DecodeError
from vedette.wire.lora import Sealer, alert_key, decode_message, encode_message, read_header
from vedette.wire.meshtastic import (
    MAX_BYTES,
    PRIVATE_APP,
    ConfigComplete,
    FrameSplitter,
    MyInfo,
    Packet,
    QueueStatus,
    Routing,
    read_from_radio,
    read_to_radio,
    write_frame,
    write_from_radio,
)

SEALER = Sealer(alert_key(bytes(range(32))))
GOOD = write_frame(write_from_radio(QueueStatus(result=0, free=1, most=2, id=3)))
PIECES = (
    b"\x94\xc3", b"\x94\xc3\x02\x00", b"\x94\xc3\x00\x00", b"\x94", b"\xc3", b"\x12", b"\x22", b"\x0a\x04",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x08\x80\x02", b"\x0d", b"\x13", b"\x15", b"\x1e",
    b"\x28", b"\x48", b"\x60", bytes(8), b"\xff" * 8,
)  # fmt: skip


def corpus() -> list[bytes]:
    """The seed inputs, in the order of their names."""
    return harness.corpus("lora")


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Small injuries with pieces that mean something here."""
    return harness.injure(data, chance, PIECES)


def split(data: bytes, cuts: list[int]) -> tuple[list[bytes], int]:
    """What a fresh splitter finds in ``data`` cut at ``cuts``, and what it skipped."""
    splitter, found = FrameSplitter(), list[bytes]()
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        found += splitter.feed(data[start:end])
        assert len(splitter._buffer) <= MAX_BYTES + 4, "the buffer is not bounded"
    return found, splitter.skipped


def check(data: bytes, chance: random.Random) -> None:
    """All invariants on one input."""
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.randint(1, 8)))
    found, skipped = split(data, [])
    assert split(data, cuts) == (found, skipped), "what is found depends on the cuts"
    assert GOOD[4:] in split(data + bytes(MAX_BYTES + 4) + GOOD, [])[0], "a good frame is lost"
    for message in (data, *found):
        check_api(message)
        check_frame(message)


def check_api(message: bytes) -> None:
    """A node's word, and a client's."""
    with contextlib.suppress(DecodeError):
        read_to_radio(message)
    with contextlib.suppress(DecodeError):
        told = read_from_radio(message)
        if isinstance(told, QueueStatus | Routing | MyInfo | ConfigComplete):
            numbers = [getattr(told, name) for name in told.__struct_fields__]
            if all(number < 1 << 32 for number in numbers):
                assert read_from_radio(write_from_radio(told)) == told or not any(numbers)
        elif isinstance(told, Packet):
            assert told.port == PRIVATE_APP or told.payload == b"", "a stranger's words are kept"


def check_frame(frame: bytes) -> None:
    """Nothing opens; what would stand inside reads back as itself."""
    with contextlib.suppress(DecodeError):
        # A figure that nobody writes, such as a whole minute below 100 s, reads as its neighbour.
        once = decode_message(encode_message(decode_message(frame)))
        assert decode_message(encode_message(once)) == once
    try:
        header = read_header(frame)
        SEALER.open(header, frame)
    except DecodeError:
        return
    raise AssertionError("a frame that nobody sealed was opened")


if __name__ == "__main__":
    seeds = corpus()
    one = harness.each(lambda chance: mutate(chance.choice(seeds), chance), check)
    raise SystemExit(harness.main("lora", one, check, mutate))
