"""Fuzz the TAK protocol codec: `python tests/fuzz/fuzz_tak.py --seconds N [--seed S]`.

Invariants: readers raise nothing but CotError; the splitter keeps its buffer bounded and finds the same
however the stream was cut; an event that was read from protobuf means the same written in either
version; what is made of it as a detection never is our own event, and never breaks the contract.
"""

import contextlib
import random

import harness
import msgspec

from vedette.model import Detection
from vedette.sense.cot_tracks import sense
from vedette.wire.cot import MAX_EVENT_BYTES, CotError, CotEvent, read_event, write_event
from vedette.wire.tak import TakSplitter, read_datagram, read_payload, write_payload

PIECES = (
    b"\xbf", b"\xbf\x01\xbf", b"\xbf\x00\xbf", b"\xbf\x05\x12", b"\xbf\xff\xff\x7f\x0a", b"\x12", b"\x0a",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x00" * 8, b"\x00\x00\x00\x00\x00\x00\xf8\x7f", b"<event ",
    b"</detail>", b"<!DOCTYPE", b"&lt;", b"\0", b"\xef\xbb\xbf", b"\xc3\xbf", b"signal=fpv", b"drone-",
)  # fmt: skip


def corpus() -> list[bytes]:
    """The seed inputs, in the order of their names."""
    return harness.corpus("tak")


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Small injuries with pieces that mean something here."""
    return harness.injure(data, chance, PIECES, 20)


def split(data: bytes, cuts: list[int]) -> tuple[list[object], int]:
    """What a fresh splitter finds in ``data`` cut at ``cuts``, and the garbage it counted."""
    splitter = TakSplitter()
    found: list[object] = []
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        for item in splitter.feed(data[start:end]):
            found.append(item if isinstance(item, CotEvent) else (item.reason, str(item)))
        assert len(splitter._buffer) <= 2 * MAX_EVENT_BYTES + 16, "the buffer is not bounded"
    return found, splitter.garbage_bytes


def check(data: bytes, chance: random.Random) -> None:
    """All invariants on one input."""
    whole = split(data, [])
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.randint(1, 8)))
    assert split(data, cuts) == whole, "what is found depends on the cuts"
    events = [item for item in whole[0] if isinstance(item, CotEvent)]
    for start in (0, 2, 3):
        with contextlib.suppress(CotError):
            events.append(read_payload(data[start:]).event)  # type: ignore[arg-type]
    with contextlib.suppress(CotError):
        events.append(read_datagram(data).event)  # type: ignore[arg-type]
    for event in events:
        if event is not None:
            check_event(event)


def check_event(event: CotEvent) -> None:
    """One event that was read."""
    from_xml = read_event(write_event(event))
    from_protobuf = read_payload(write_payload(event)).event
    if from_xml.hae_m == 0.0 and from_xml.le_m is None:
        from_xml = msgspec.structs.replace(from_xml, hae_m=None)
    assert from_protobuf == from_xml, f"the versions disagree: {from_protobuf} {from_xml}"
    found = sense(event, "fuzz", time=event.time, received=event.time + 1.0, stale=event.stale)
    if isinstance(found, Detection):
        assert not event.uid.startswith("vedette.")
        assert msgspec.json.decode(msgspec.json.encode(found), type=Detection) == found


if __name__ == "__main__":
    seeds = corpus()
    one = harness.each(lambda chance: mutate(chance.choice(seeds), chance), check)
    raise SystemExit(harness.main("tak", one, check, mutate))
