"""Fuzz the CAP codec: `python tests/fuzz/fuzz_cap.py --seconds N [--seed S]`.

Invariants: examining and verifying raise nothing but their own errors; a message is good exactly if it has no
fault that is more than advice; what was read can be written and reads back as the same; a signature never
holds for a message whose signed content was injured.
"""

import contextlib
import datetime
import random

import harness
from msgspec.structs import replace

from vedette.wire.cap import CapError, examine, ipaws_faults, read_alert, verify_alert, write_alert

PIECES = (
    b"<", b">", b"/>", b"</", b"<info>", b"</info>", b"<area>", b"<polygon>1,1 1,2 2,2 1,1</polygon>",
    b"<!--",
    b"-->", b"<![CDATA[", b"]]>", b"<?xml", b"?>", b"<!DOCTYPE", b"&", b"&lt;", b"&#0;", b"&#x110000;", b"\0",
    b"'", b'"', b" xmlns=''", b"cap:1.1", b"\xff\xfe", b"\xc3", b"Z", b"+00:00", b"24:00:00", b"Restricted",
    b"Cancel", b"Exercise", b"nan", b"1e9", b",", b" ", b"=", b"==", b"URI=\"#a\"", b"sha1", b"#WithComments",
    b"<references>a,b,2026-01-31T12:00:00-00:00</references>", b"<note>n</note>", b" xsi:nil='true'",
)  # fmt: skip
AT = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)


def corpus() -> list[bytes]:
    """The seed inputs, in the order of their names."""
    return harness.corpus("cap")


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Small injuries with pieces that mean something here."""
    return harness.injure(data, chance, PIECES)


def check(data: bytes, chance: random.Random) -> None:
    """All invariants on one input."""
    examined = examine(data)
    assert examined.good == all(fault.advice for fault in examined.faults)
    assert all(fault.line >= 1 and fault.remedy for fault in examined.faults)
    ipaws_faults(data)
    with contextlib.suppress(CapError):
        verify_alert(data, at=AT, need_trust=False)
        assert signed_content(data) in SIGNED, "a signature holds for what nobody signed"
    if examined.alert is not None:
        once = replace(examined.alert, signed=False)
        written = write_alert(once)
        assert read_alert(written) == once
        assert write_alert(read_alert(written)) == written


def signed_content(data: bytes) -> object:
    """What a signature covers, as far as it means anything: the message, or None for what is none."""
    alert = examine(data).alert
    return None if alert is None else write_alert(replace(alert, signed=False))


SIGNED = {signed_content(seed) for seed in corpus()} | {None}

if __name__ == "__main__":
    seeds = corpus()
    one = harness.each(lambda chance: mutate(chance.choice(seeds), chance), check)
    raise SystemExit(harness.main("cap", one, check, mutate))
