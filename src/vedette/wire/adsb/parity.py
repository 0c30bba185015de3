"""Mode S parity: the 24-bit cyclic redundancy check that closes every downlink frame.

Source: ICAO Annex 10 volume IV, 3.1.2.3.3 (generator polynomial 0x1FFF409). In an extended squitter
(DF 17 and 18) the remainder over the whole frame is zero; an all-call reply (DF 11) overlays the
interrogator's code on the low seven bits; the others overlay the aircraft's own address, so nothing
can be checked without knowing who is there.
"""

from enum import IntEnum

from vedette.wire.errors import DecodeError, EncodeError

GENERATOR = 0xFFF409
"""The polynomial without its highest bit."""

SHORT_BYTES, LONG_BYTES = 7, 14
_ADDRESSED = frozenset((0, 4, 5, 16, 20, 21, 24))


class Parity(IntEnum):
    """What the parity field of a frame says about it."""

    GOOD = 0
    BAD = 1
    UNSAID = 2
    """The aircraft's address lies over the remainder: neither good nor bad."""
    LENGTH = 3
    """The downlink format and the number of bytes contradict each other, or the format is not in use."""
    MODE_AC = 4
    """Two bytes of Mode A/C, which carry no parity at all."""


class AdsbError(DecodeError):
    """A Mode S or ADS-B message, line or document that breaks its format."""


class AdsbEncodeError(EncodeError):
    """A value that the ADS-B format cannot carry."""


def _table() -> tuple[int, ...]:
    entries = []
    for byte in range(256):
        value = byte << 16
        for _ in range(8):
            value = (value << 1 ^ GENERATOR) & 0xFFFFFF if value & 0x800000 else value << 1
        entries.append(value)
    return tuple(entries)


TABLE = _table()
"""Remainder of each byte value followed by 24 zero bits."""


def crc24(data: bytes) -> int:
    """Remainder of ``data`` followed by 24 zero bits: what a sender appends."""
    value = 0
    for byte in data:
        value = (value << 8 & 0xFFFFFF) ^ TABLE[value >> 16 ^ byte]
    return value


def remainder(frame: bytes) -> int:
    """Remainder over a whole frame of at least three bytes, its own parity field included."""
    return crc24(frame[:-3]) ^ int.from_bytes(frame[-3:], "big")


def downlink_format(first_byte: int) -> int:
    """DF of a frame by its first byte: 24 to 31 all mean 24 (the Comm-D format has two bits only)."""
    return min(first_byte >> 3, 24)


def judge(frame: bytes) -> Parity:
    """What can be said of a frame of 2, 7 or 14 bytes; any other length is `Parity.LENGTH`."""
    if len(frame) == 2:
        return Parity.MODE_AC
    if len(frame) not in (SHORT_BYTES, LONG_BYTES):
        return Parity.LENGTH
    df = downlink_format(frame[0])
    if (df >= 16) != (len(frame) == LONG_BYTES):
        return Parity.LENGTH
    if df in _ADDRESSED:
        return Parity.UNSAID
    if df in (17, 18):
        return Parity.GOOD if remainder(frame) == 0 else Parity.BAD
    if df == 11:
        return Parity.GOOD if remainder(frame) < 128 else Parity.BAD
    return Parity.LENGTH
