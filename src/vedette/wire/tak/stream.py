"""Streams: BF, the payload's length as a varint, the payload; and XML, as long as nothing else is agreed.

Where a message begins, a magic byte is a header. After garbage it is one only if it does not continue
a character of UTF-8 (0xBF does), and in both cases only if a payload can follow: the first byte of a
``TakMessage`` is the tag of its control part or of its event. Anything else is garbage and counted.

A message that is too large is skipped by its length and never searched: what looks like an event
within it was put there by its author, in somebody else's name perhaps.
"""

from vedette.wire.cot import CotError, CotEvent, CotSplitter
from vedette.wire.cot.stream import START
from vedette.wire.tak.framing import MAGIC, MAX_PAYLOAD_BYTES, Incomplete, decode_varint, encode_varint
from vedette.wire.tak.payload import read_payload, write_payload

MAX_SKIPPED_BYTES = 16 * 1024 * 1024
"""No sender makes a message of this length: what says so is not a header."""

_FIRST_BYTES = frozenset({0x0A, 0x12})
_MAGIC = bytes([MAGIC])


def write_stream(event: CotEvent) -> bytes:
    """One event, ready for a stream that has changed over to version 1. Raises CotError."""
    payload = write_payload(event)
    return _MAGIC + encode_varint(len(payload)) + payload


class TakSplitter(CotSplitter):
    """Bytes in, events and errors out, in the order they were sent, whichever version they came in.

    ``messages`` counts protobuf messages that were whole, ``controls`` those that held no event.
    """

    def __init__(self) -> None:
        super().__init__()
        self.messages = 0
        self.controls = 0
        self._skip = 0
        self._before = 0
        """The last byte of garbage dropped, 0 where a message may begin."""

    @property
    def begun(self) -> bool:
        """True while something has begun that is not ended."""
        return super().begun or self._skip > 0

    def _seek(self, found: list[CotEvent | CotError]) -> bool:
        while self._skipped():
            magic = self._buffer.find(_MAGIC)
            if magic < 0 or START.search(self._buffer, 0, magic) is not None:
                return super()._seek(found)
            self._drop_noise(magic)
            try:
                self._take(found)
            except Incomplete:
                return False
        return False

    def _skipped(self) -> bool:
        """Drop what is left of a message that is too large; True when it is over."""
        dropped = min(self._skip, len(self._buffer))
        del self._buffer[:dropped]
        self._skip -= dropped
        return self._skip == 0

    def _take(self, found: list[CotEvent | CotError]) -> None:
        """Take the message at the start of the buffer, or count its magic byte as garbage."""
        header = None if self._before >= 0x80 else decode_varint(self._buffer, 1)
        if header is None or not 0 < header[0] <= MAX_SKIPPED_BYTES:
            self._drop_noise(1)
            return
        length, start = header
        if start >= len(self._buffer):
            raise Incomplete
        if self._buffer[start] not in _FIRST_BYTES:
            self._drop_noise(1)
        elif length > MAX_PAYLOAD_BYTES:
            found.append(CotError("too-large", f"a message of {length} bytes; {MAX_PAYLOAD_BYTES} are read"))
            self._skip = start + length
            self._before = 0
        elif start + length > len(self._buffer):
            raise Incomplete
        else:
            found.extend(self._read(bytes(self._buffer[start : start + length])))
            self._restart(start + length)

    def _read(self, payload: bytes) -> list[CotEvent | CotError]:
        try:
            event = read_payload(payload).event
        except CotError as error:
            return [error]
        self.messages += 1
        self.controls += event is None
        return [] if event is None else [event]

    def _drop_noise(self, end: int) -> None:
        if end:
            self._before = self._buffer[end - 1]
        super()._drop_noise(end)

    def _restart(self, at: int) -> None:
        super()._restart(at)
        self._before = 0
