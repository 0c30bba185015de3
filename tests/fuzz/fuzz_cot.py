"""Fuzz the CoT codec: `python tests/fuzz/fuzz_cot.py --seconds N [--seed S]`.

Invariants: the splitter raises nothing and keeps its buffer bounded; what it finds does not depend
on where the stream was cut; an event that was read can be written, and what was written reads back
as the same event; a good event behind any garbage that does not swallow it is found.
"""

import contextlib
import random

import harness
import msgspec

from vedette.wire.cot import MAX_EVENT_BYTES, CotError, CotEvent, CotSplitter, read_event, write_event

PIECES = (
    b"<", b">", b"/>", b"</", b"<event", b"</event>", b"<event ", b"<!--", b"-->", b"<![CDATA[", b"]]>",
    b"<?xml", b"?>", b"<!DOCTYPE", b"&", b"&lt;", b"&#0;", b"&#x110000;", b"\0", b"'", b'"', b"NaN", b"-0",
    b"1e999", b"9999999.0", b"<detail>", b"</detail>", b" uid=''", b"\xff\xfe", b"\xc3",
    b"2026-13-99T99:99:99Z",
)  # fmt: skip


def corpus() -> list[bytes]:
    """The seed inputs, in the order of their names."""
    return harness.corpus("cot")


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Small injuries with pieces that mean something here."""
    return harness.injure(data, chance, PIECES)


def split(data: bytes, cuts: list[int]) -> tuple[list[object], int]:
    """What a fresh splitter finds in ``data`` cut at ``cuts``, and the garbage it counted."""
    splitter = CotSplitter()
    found: list[object] = []
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        for item in splitter.feed(data[start:end]):
            found.append(item if isinstance(item, CotEvent) else (item.reason, str(item)))
        assert len(splitter._buffer) <= 2 * MAX_EVENT_BYTES, "the buffer is not bounded"
    return found, splitter.garbage_bytes


def check(data: bytes, chance: random.Random) -> None:
    """All invariants on one input."""
    whole, garbage = split(data, [])
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.randint(1, 8)))
    assert split(data, cuts) == (whole, garbage), "what is found depends on the cuts"
    for item in whole:
        if isinstance(item, CotEvent):
            check_round_trip(item)
    with contextlib.suppress(CotError):
        check_round_trip(read_event(data))


def check_round_trip(event: CotEvent) -> None:
    """Written and read back, an event keeps its meaning; a second round changes nothing at all."""
    written = write_event(event)
    once = read_event(written)
    assert read_event(write_event(once)) == once
    for field in ("uid", "type", "callsign", "links", "destinations", "chat", "emergency"):
        assert getattr(once, field) == getattr(event, field), field
    assert abs(once.lat_deg - event.lat_deg) < 1e-6
    assert msgspec.json.encode(once)


if __name__ == "__main__":
    seeds = corpus()
    one = harness.each(lambda chance: mutate(chance.choice(seeds), chance), check)
    raise SystemExit(harness.main("cot", one, check, mutate))
