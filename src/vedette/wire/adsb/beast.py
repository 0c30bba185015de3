"""Mode-S Beast binary: the frames of a receiver's TCP stream or recording, in both directions.

A frame is 0x1A, a type (``1`` Mode A/C, ``2`` short and ``3`` long Mode S), a 48-bit receiver clock, a
signal level and the message; every 0x1A inside is doubled. Source: the Mode-S Beast data output format
as published by its maker, and the receivers' own use of it (types beyond 3 are skipped and counted).

This is the plain reference; `kernel` does the same for whole reads at once.
"""

import math

import msgspec

from vedette.wire.adsb.parity import AdsbEncodeError

ESCAPE = 0x1A
PAYLOAD_BYTES = {0x31: 2, 0x32: 7, 0x33: 14}
HEADER_BYTES = 7
MAX_FRAME_BYTES = 2 + 2 * (HEADER_BYTES + 14)
"""The longest frame on the wire: every byte behind the type doubled."""

MLAT_RESULT_TICKS = 0xFF004D4C4154
"""The clock value that marks a message synthesised by a multilateration server: not received at all."""

TICKS_PER_S = 12_000_000
"""Rate of the free-running clock. Receivers with satellite time use seconds << 30 | nanoseconds instead."""


class BeastFrame(msgspec.Struct, frozen=True):
    """One frame: receiver clock (48 bits, 0 = not said), signal level 0..255 (0 = not said), message.

    The message is 2 bytes of Mode A/C or 7 or 14 bytes of Mode S.
    """

    ticks: int
    signal: int
    message: bytes


class BeastCounters(msgspec.Struct):
    """What a stream held beside its frames."""

    frames: int = 0
    broken: int = 0
    """Frames cut off by the beginning of another one."""
    other: int = 0
    """Frames of types that carry no message: receiver state, settings, heartbeats, receiver ids."""
    skipped_bytes: int = 0
    """Bytes that belong to no complete frame, those of broken and other frames included."""


def rssi_dbfs(signal: int) -> float | None:
    """Signal level of a frame -> decibels below full scale; None where it is not said."""
    return None if signal <= 0 else 20.0 * math.log10(signal / 255.0)


def encode_beast(frame: BeastFrame) -> bytes:
    """Bytes of one frame on the wire.

    Raises:
        AdsbEncodeError: the message is not 2, 7 or 14 bytes, or clock or signal do not fit their fields.
    """
    kinds = {size: kind for kind, size in PAYLOAD_BYTES.items()}
    if len(frame.message) not in kinds:
        raise AdsbEncodeError("length", f"a message has 2, 7 or 14 bytes, not {len(frame.message)}")
    if not 0 <= frame.ticks < 1 << 48 or not 0 <= frame.signal < 256:
        raise AdsbEncodeError("range", f"clock {frame.ticks} (48 bits) or signal {frame.signal} (8 bits)")
    body = frame.ticks.to_bytes(6, "big") + bytes((frame.signal,)) + frame.message
    return bytes((ESCAPE, kinds[len(frame.message)])) + body.replace(b"\x1a", b"\x1a\x1a")


class BeastSplitter:
    """Bytes in, frames out, however the stream is cut; never holds more than one incomplete frame."""

    def __init__(self) -> None:
        self.counters = BeastCounters()
        self._rest = b""

    def feed(self, data: bytes) -> list[BeastFrame]:
        """The frames completed by ``data``."""
        buffer = self._rest + data
        found: list[BeastFrame] = []
        at = 0
        while (start := self._seek(buffer, at)) is not None:
            end, body = _body(buffer, start)
            if end is None:
                break
            at = end
            if len(body) == HEADER_BYTES + PAYLOAD_BYTES[buffer[start + 1]]:
                found.append(BeastFrame(int.from_bytes(body[:6], "big"), body[6], bytes(body[7:])))
            else:
                self.counters.broken += 1
                self.counters.skipped_bytes += end - start
        self._rest = buffer[self._kept :]
        self.counters.frames += len(found)
        return found

    def _seek(self, buffer: bytes, at: int) -> int | None:
        """Where the next frame begins; None if no type byte is there yet. Sets where the rest begins."""
        while True:
            start = buffer.find(ESCAPE, at)
            self._kept = len(buffer) if start < 0 else start
            self.counters.skipped_bytes += self._kept - at
            if start < 0 or start + 1 == len(buffer):
                return None
            kind = buffer[start + 1]
            if kind in PAYLOAD_BYTES:
                return start
            self.counters.other += kind != ESCAPE
            self.counters.skipped_bytes += 2
            at = start + 2


def _body(buffer: bytes, start: int) -> tuple[int | None, bytearray]:
    """The unescaped bytes of the frame at ``start`` and where it ends; None if it is not complete.

    A frame that ends early, at the beginning of another one, comes back short.
    """
    body = bytearray()
    need = HEADER_BYTES + PAYLOAD_BYTES[buffer[start + 1]]
    at = start + 2
    while len(body) < need:
        if at >= len(buffer):
            return None, body
        if buffer[at] == ESCAPE:
            if at + 1 >= len(buffer):
                return None, body
            if buffer[at + 1] != ESCAPE:
                return at, body
            at += 1
        body.append(buffer[at])
        at += 1
    return at, body
