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


class SapientSplitter:
    """Bytes in, messages and errors out, in the order they were sent, wherever the stream was cut.

    A message that cannot be read is one SapientError, and the stream goes on behind it. After a
    length beyond ``max_bytes`` the splitter is ``broken``: it keeps nothing, counts what it is still
    fed in ``discarded_bytes``, and the connection has to be closed. It never holds more than one
    incomplete message.
    """

    def __init__(self, max_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self.broken = False
        self.discarded_bytes = 0
        self._max_bytes = max_bytes
        self._buffer = bytearray()

    @property
    def pending_bytes(self) -> int:
        """Bytes of a message that is not complete yet: what is lost if the sender dies now."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[SapientMessage | SapientError]:
        """The messages completed by ``data``, and one SapientError for each that cannot be read."""
        if self.broken:
            self.discarded_bytes += len(data)
            return []
        self._buffer += data
        found: list[SapientMessage | SapientError] = []
        at = 0
        while (end := self._frame_end(at, found)) is not None:
            found.append(_read(bytes(self._buffer[at + _LENGTH.size : end])))
            at = end
        del self._buffer[:at]
        return found

    def _frame_end(self, at: int, found: list[SapientMessage | SapientError]) -> int | None:
        """Where the frame at ``at`` ends; None if it is not complete, or never will be."""
        if len(self._buffer) - at < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer, at)
        if length > self._max_bytes:
            found.append(self._break(at, length))
            return None
        end = at + _LENGTH.size + int(length)
        return end if end <= len(self._buffer) else None

    def _break(self, at: int, length: int) -> SapientError:
        self.broken = True
        self.discarded_bytes += len(self._buffer) - at
        head = bytes(self._buffer[at : at + _LENGTH.size])
        del self._buffer[at:]
        return SapientError(
            "too-large",
            f"a message of {length} bytes is announced, the limit is {self._max_bytes}: close the connection",
            data=head,
        )


def _read(body: bytes) -> SapientMessage | SapientError:
    try:
        return read_message(body)
    except SapientError as error:
        return error
