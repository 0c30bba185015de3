"""Fuzz what an MQTT broker says: `python tests/fuzz/fuzz_mqtt.py --seconds N [--seed S]`.

Invariants: any bytes are packets or a DecodeError with a reason; the same however they are cut; no more than
one packet is held.
"""

import random

import harness

from vedette.wire.errors import DecodeError
from vedette.wire.mqtt import MOST_BYTES, Splitter

PIECES = (
    b"\x20",
    b"\x40",
    b"\xd0",
    b"\xe0",
    b"\x30",
    b"\x80\x80\x80",
    b"\xff\xff\xff\x7f",
    b"\x26",
    b"\x0b",
    b"\x00\x00",
)


def corpus() -> list[bytes]:
    """The seed inputs, in the order of their names."""
    return harness.corpus("mqtt")


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Small injuries with pieces that mean something here."""
    return harness.injure(data, chance, PIECES)


def check(data: bytes, chance: random.Random) -> None:
    """Raises AssertionError where an invariant is broken."""
    whole, how = _read([data])
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(4))
    parts = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert _read(parts) == (whole, how)


def _read(parts: list[bytes]) -> tuple[list[object], str | None]:
    splitter, found = Splitter(), list[object]()
    try:
        for part in parts:
            found += splitter.feed(part)
            assert len(splitter._held) <= MOST_BYTES + 5
    except DecodeError as error:
        return found, error.reason
    return found, None


if __name__ == "__main__":
    seeds = corpus()
    one = harness.each(lambda chance: mutate(chance.choice(seeds), chance), check)
    raise SystemExit(harness.main("mqtt", one, check, mutate))
