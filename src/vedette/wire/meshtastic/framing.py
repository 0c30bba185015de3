"""Messages on a stream: 0x94 0xC3, the length in two bytes (big-endian), then that many bytes.

Source: meshtastic.org, "Client API (Serial/TCP/BLE)", "Streaming version". On a serial line a node may print
text between the messages; lengths above 512 are damage, and the reader looks for the next mark.
"""

from vedette.wire.errors import EncodeError

MARK = b"\x94\xc3"
MAX_BYTES = 512
WAKE = MARK[1:] * 32
"""Sent first on a serial line: no message begins so, and it ends whatever the node was in the middle of."""
_HEADER_BYTES = 4


def write_frame(message: bytes) -> bytes:
    """``message`` behind its mark and length. Raises EncodeError if it is longer than a node takes."""
    if len(message) > MAX_BYTES:
        raise EncodeError("too-large", f"{len(message)} bytes; a node takes {MAX_BYTES} at most")
    return MARK + len(message).to_bytes(2, "big") + message


class FrameSplitter:
    """Bytes in, whole messages out. ``skipped`` counts bytes between messages."""

    def __init__(self) -> None:
        self.skipped = 0
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The messages completed by ``data``; never holds more than one incomplete message."""
        self._buffer += data
        found: list[bytes] = []
        while self._at_mark():
            length = int.from_bytes(self._buffer[2:4], "big")
            if length > MAX_BYTES:
                self._skip(1)
            elif len(self._buffer) >= _HEADER_BYTES + length:
                found.append(bytes(self._buffer[_HEADER_BYTES : _HEADER_BYTES + length]))
                del self._buffer[: _HEADER_BYTES + length]
            else:
                break
        return found

    def _at_mark(self) -> bool:
        """Drop what stands before the next mark; True if a whole header stands there."""
        at = self._buffer.find(MARK)
        if at < 0:
            self._skip(len(self._buffer) - self._buffer.endswith(MARK[:1]))
            return False
        self._skip(at)
        return len(self._buffer) >= _HEADER_BYTES

    def _skip(self, count: int) -> None:
        self.skipped += count
        del self._buffer[:count]
