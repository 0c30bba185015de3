"""Fuzz the CoT codec: `python tests/fuzz/fuzz_cot.py --seconds N [--seed S]`.

Invariants: the splitter raises nothing and keeps its buffer bounded; what it finds does not depend
on where the stream was cut; an event that was read can be written, and what was written reads back
as the same event; a good event behind any garbage that does not swallow it is found.
"""

import argparse
import contextlib
import random
import sys
import time
from pathlib import Path

import msgspec

from vedette.wire.cot import MAX_EVENT_BYTES, CotError, CotEvent, CotSplitter, read_event, write_event

CORPUS = Path(__file__).parent / "corpus" / "cot"
PIECES = (
    b"<", b">", b"/>", b"</", b"<event", b"</event>", b"<event ", b"<!--", b"-->", b"<![CDATA[", b"]]>",
    b"<?xml", b"?>", b"<!DOCTYPE", b"&", b"&lt;", b"&#0;", b"&#x110000;", b"\0", b"'", b'"', b"NaN", b"-0",
    b"1e999", b"9999999.0", b"<detail>", b"</detail>", b" uid=''", b"\xff\xfe", b"\xc3",
    b"2026-13-99T99:99:99Z",
)  # fmt: skip


def corpus() -> list[bytes]:
    """The seed inputs, in the order of their names."""
    return [path.read_bytes() for path in sorted(CORPUS.iterdir())]


def mutate(data: bytes, chance: random.Random) -> bytes:
    """One to six small injuries."""
    bytes_ = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(bytes_) + 1)
        match chance.randrange(5):
            case 0:
                bytes_[at:at] = chance.choice(PIECES)
            case 1:
                del bytes_[at : at + chance.randint(1, 40)]
            case 2:
                bytes_[at : at + 1] = bytes([chance.randrange(256)])
            case 3:
                start = chance.randrange(len(bytes_) + 1)
                bytes_[at:at] = bytes_[start : start + chance.randint(1, 200)]
            case _:
                bytes_[at : at + chance.randint(1, 8)] = chance.choice(PIECES)
    return bytes(bytes_)


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


def run(seconds: float, seed: int) -> int:
    """Fuzz for ``seconds``; returns how many inputs were tried. Any exception is a finding."""
    chance, seeds, tried = random.Random(seed), corpus(), 0
    until = time.monotonic() + seconds
    while tried == 0 or time.monotonic() < until:
        data = mutate(chance.choice(seeds), chance)
        try:
            check(data, chance)
        except BaseException:
            print(f"cot: input {tried} of seed {seed}: {data!r}", file=sys.stderr)
            raise
        tried += 1
    return tried


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Mutate the corpus, hold the invariants.")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=None, help="repeat a run (default: from the clock)")
    options = parser.parse_args()
    seed = time.time_ns() & 0xFFFFFFFF if options.seed is None else options.seed
    print(f"cot: seed {seed}", file=sys.stderr)
    print(f"cot: {run(options.seconds, seed)} inputs, no fault", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
