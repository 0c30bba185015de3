"""Messages on a TCP stream: a little-endian unsigned 32-bit length, then that many bytes of protobuf.

There is no mark to find the next message by. A length beyond the limit therefore ends the stream for
good: what follows may be anything, and a reader that went on would take garbage for messages.
"""

import struct

from vedette.wire.errors import EncodeError
from vedette.wire.sapient.faults import SapientError
from vedette.wire.sapient.messages import SapientMessage, read_message, write_message

MAX_MESSAGE_BYTES = 1024 * 1024
"""The largest message without its length: the default of Dstl's Apex middleware (1024 kB)."""

_LENGTH = struct.Struct("<I")


def write_frame(message: SapientMessage, max_bytes: int = MAX_MESSAGE_BYTES) -> bytes:
    """``message`` behind its length. Raises EncodeError if it takes more than ``max_bytes``."""
    body = write_message(message)
    if len(body) > max_bytes:
        raise EncodeError("too-large", f"the message takes {len(body)} bytes, the limit is {max_bytes}")
    return _LENGTH.pack(len(body)) + body


class FrameSplitter:
    """Bytes in, the bytes of whole messages out, unread, so that a flood can be shed before it costs more.

    After a length beyond ``max_bytes``, kept in ``announced``, the splitter is ``broken``: it keeps
    nothing, counts what it is still fed in ``discarded_bytes``, and the connection has to be closed. It
    never holds more than one incomplete message.
    """

    def __init__(self, max_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self.announced: int | None = None
        self.discarded_bytes = 0
        self.max_bytes = max_bytes
        self._buffer = bytearray()

    @property
    def broken(self) -> bool:
        """True after a length beyond the limit."""
        return self.announced is not None

    @property
    def pending_bytes(self) -> int:
        """Bytes of a message that is not complete yet: what is lost if the sender dies now."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """The messages completed by ``data``, each without its length."""
        if self.broken:
            self.discarded_bytes += len(data)
            return []
        self._buffer += data
        found: list[bytes] = []
        at = 0
        while (end := self._frame_end(at)) is not None:
            found.append(bytes(self._buffer[at + _LENGTH.size : end]))
            at = end
        if self.broken:
            self.discarded_bytes += len(self._buffer) - at
            self._buffer.clear()
        else:
            del self._buffer[:at]
        return found

    def _frame_end(self, at: int) -> int | None:
        """Where the frame at ``at`` ends; None if it is not complete, or never will be."""
        if len(self._buffer) - at < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer, at)
        if length > self.max_bytes:
            self.announced = int(length)
            return None
        end = at + _LENGTH.size + int(length)
        return end if end <= len(self._buffer) else None


class SapientSplitter:
    """Bytes in, messages and errors out, in the order they were sent, wherever the stream was cut.

    A message that cannot be read is one SapientError, and the stream goes on behind it. A length beyond
    ``max_bytes`` is a last one: see `FrameSplitter`.
    """

    def __init__(self, max_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self._frames = FrameSplitter(max_bytes)

    @property
    def broken(self) -> bool:
        """True after a length beyond the limit."""
        return self._frames.broken

    @property
    def pending_bytes(self) -> int:
        """Bytes of a message that is not complete yet: what is lost if the sender dies now."""
        return self._frames.pending_bytes

    @property
    def discarded_bytes(self) -> int:
        """Bytes that could not be read any more."""
        return self._frames.discarded_bytes

    def feed(self, data: bytes) -> list[SapientMessage | SapientError]:
        """The messages completed by ``data``, and one SapientError for each that cannot be read."""
        if self.broken:
            self._frames.feed(data)
            return []
        found = [_read(body) for body in self._frames.feed(data)]
        announced = self._frames.announced
        if announced is not None:
            found.append(_too_large(announced, self._frames.max_bytes))
        return found


def _too_large(announced: int, limit: int) -> SapientError:
    text = f"a message of {announced} bytes is announced, the limit is {limit}: close the connection"
    return SapientError("too-large", text, data=_LENGTH.pack(announced))


def _read(body: bytes) -> SapientMessage | SapientError:
    try:
        return read_message(body)
    except SapientError as error:
        return error
