"""Fuzz detection lines: `python tests/fuzz/fuzz_lines.py --seconds N [--seed S]`.

Invariants: the splitter finds the same lines however the stream was cut, and holds at most one line; the
adapter raises nothing, refuses for one of few reasons, and what it lets through keeps the contract of a
detection, speaks for an allowed sensor, and carries no unknown key about people.
"""

import random
import re

import harness
import msgspec

from vedette.model import Detection
from vedette.sense.lines import LONGEST_EXTRA, LONGEST_LINE, LineAdapter, LineSplitter

PIECES = (
    b"\n", b"\r\n", b"{", b"}", b"[[[[", b'"', b"\\u0000", b"\\ud800", b"\xff", b"\xef\xbb\xbf", b":null",
    b":1e999", b":-0", b":NaN", b":9007199254740993", b':""', b",", b'"kind":"position"', b'"kind":"bearing"',
    b'"operator":{"lat_deg":1}', b'"sensor":"other"', b'"time":0', b'"pilot_name":"x",', b"true", b" " * 70,
    b"a" * LONGEST_LINE,
)  # fmt: skip
ALLOWED = ("radar-1", "ears-2")
REASON = re.compile(
    r"line-too-long|not-json|sensor-not-allowed|time-impossible: [\w ]+"
    r"|malformed: [\w \[\]().,:`$'<>=+|-]{1,160}",
    re.ASCII,
)
MOST_REASONS = 400


def split(data: bytes, cuts: list[int]) -> tuple[list[bytes], int]:
    """The lines of ``data`` cut at ``cuts``, and how many were too long."""
    splitter = LineSplitter()
    lines: list[bytes] = []
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        lines += splitter.feed(data[start:end])
        assert len(splitter._begun) <= LONGEST_LINE, "the buffer is not bounded"
    lines += splitter.end()
    return lines, splitter.too_long


def check(data: bytes, chance: random.Random) -> None:
    """All invariants on one input."""
    lines, too_long = split(data, [])
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.randint(1, 8)))
    assert split(data, cuts) == (lines, too_long), "what is found depends on the cuts"
    for line in lines:
        check_line(line)
    check_line(data)


reasons: set[str] = set()


def check_line(line: bytes) -> None:
    """One line through a new adapter."""
    refused: list[str] = []
    noted: list[str] = []
    adapter = LineAdapter(ALLOWED, lambda reason, _: refused.append(reason), noted.append)
    found = adapter.detection(line)
    assert len(refused) <= (found is None), "refused and used, or refused twice"
    for reason in refused:
        assert REASON.fullmatch(reason), f"a reason that a stranger chose: {reason!r}"
        reasons.add(reason)
        assert len(reasons) < MOST_REASONS, "reasons are not few"
    if found is not None:
        check_detection(adapter.on_clock(found, found.time, found.time + 1.0))


def check_detection(found: Detection) -> None:
    """One detection that was let through."""
    assert found.sensor in ALLOWED
    extra = msgspec.json.encode(found.extra or {})
    assert len(extra) <= LONGEST_EXTRA
    assert b"operator" not in extra.lower()
    assert b"pilot" not in extra.lower()
    bare = msgspec.structs.replace(found, extra=None)
    assert msgspec.json.decode(msgspec.json.encode(bare), type=Detection) == bare


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Small injuries with pieces that mean something here."""
    return harness.injure(data, chance, PIECES)


if __name__ == "__main__":
    seeds = harness.corpus("lines")
    one = harness.each(lambda chance: mutate(chance.choice(seeds), chance), check)
    raise SystemExit(harness.main("lines", one, check, mutate))
