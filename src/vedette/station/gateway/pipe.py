"""What station and workers say to each other, and the pipe between: lengths and MessagePack on a socket pair.

A frame to many connections goes over once, with their numbers behind it in order of urgency.
"""

import asyncio
import contextlib
from array import array
from collections.abc import Callable
from typing import Generic, TypeVar, cast

import msgspec
from msgspec import Struct

from vedette.wire.gateway import AckFact

MOST_BYTES = 32 * 1024 * 1024
"""Of one message; and what may wait in a pipe before its other end counts as stuck."""
_LENGTH = 4


class Start(Struct, frozen=True, array_like=True, tag="start"):
    """To a worker, first: its TLS files and bounds. ``most``: connections; ``ping_s``: how often a phone must
    be heard; ``origins``: pages of other hosts that may connect; ``cookie``: that of a session."""

    certificate: str | None
    key: str | None
    authority: str | None
    revoked: str | None
    most: int
    ping_s: float
    hello_s: float
    origins: tuple[str, ...]
    cookie: str


class Admit(Struct, frozen=True, array_like=True, tag="admit"):
    """To a worker: this connection is let in, and reads ``frame``."""

    conn: int
    frame: bytes


class Refuse(Struct, frozen=True, array_like=True, tag="refuse"):
    """To a worker: this connection reads ``frame`` and ends. ``wrong``: it showed what is not good."""

    conn: int
    frame: bytes
    wrong: bool = False


class Send(Struct, frozen=True, array_like=True, tag="send"):
    """To a worker: a frame to many (`pack`). ``number`` 0 needs no answer."""

    number: int
    frame: bytes
    conns: bytes


class Stranger(Struct, frozen=True, array_like=True, tag="stranger"):
    """From a worker: somebody wants to be let in, and what they showed."""

    conn: int
    address: str
    session: str | None
    token: str | None
    certificate: bytes | None
    unit: str | None
    language: str
    seen: tuple[tuple[str, int, int], ...]


class Gone(Struct, frozen=True, array_like=True, tag="gone"):
    """From a worker: connections that were let in have ended (`pack`)."""

    conns: bytes


class Facts(Struct, frozen=True, array_like=True, tag="facts"):
    """From a worker: one fact about one revision, from many."""

    alert: str
    revision: int
    fact: AckFact
    conns: bytes


class Sent(Struct, frozen=True, array_like=True, tag="sent"):
    """From a worker: what was asked by ``number`` is with the sockets, but for ``missing`` (`pack`)."""

    number: int
    missing: bytes


class Beat(Struct, frozen=True, array_like=True, tag="beat"):
    """From a worker, once a second: it lives; what it refused and cut off since the last, by reason."""

    open: int
    counts: dict[str, int]


ToWorker = Start | Admit | Refuse | Send
FromWorker = Stranger | Gone | Facts | Sent | Beat

T = TypeVar("T")


def pack(numbers: list[int]) -> bytes:
    """Connection numbers, four bytes each."""
    return array("I", numbers).tobytes()


def unpack(data: bytes) -> "array[int]":
    """What `pack` made. Raises ValueError for bytes that are none."""
    numbers = array("I")
    numbers.frombytes(data)
    return numbers


class Pipe(asyncio.Protocol, Generic[T]):
    """One end. ``heard(message)`` for each message, ``lost()`` once when the other end is gone."""

    def __init__(self, kind: type[T] | object, heard: Callable[[T], None], lost: Callable[[], None]) -> None:
        self._decode: Callable[[memoryview], T] = msgspec.msgpack.Decoder(kind).decode
        self._encode = msgspec.msgpack.Encoder().encode
        self._heard, self._lost = heard, lost
        self._held = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The pipe is there."""
        # A cast: the transports of uvloop are no subclasses.
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The other end is gone."""
        self._transport = None
        self._lost()

    def data_received(self, data: bytes) -> None:
        """Hand on the messages that are whole; a pipe with anything else on it is closed."""
        self._held += data
        held, start = memoryview(self._held), 0
        try:
            while len(held) - start >= _LENGTH:
                end = start + _LENGTH + int.from_bytes(held[start : start + _LENGTH], "big")
                if end - start > MOST_BYTES:
                    raise ValueError("a message of impossible length")
                if end > len(held):
                    break
                message = self._decode(held[start + _LENGTH : end])
                start = end
                self._heard(message)
        except (msgspec.MsgspecError, ValueError):
            self.close()
        finally:
            held.release()
            del self._held[:start]

    def send(self, message: Struct) -> None:
        """Send. Raises ConnectionError: the other end is gone, or takes nothing any more."""
        data = self._encode(message)
        transport = self._transport
        if transport is None or transport.is_closing():
            raise ConnectionError("the other end of the pipe is gone")
        if transport.get_write_buffer_size() > MOST_BYTES:
            transport.abort()
            raise ConnectionError("the other end of the pipe takes nothing")
        transport.write(len(data).to_bytes(_LENGTH, "big"))
        transport.write(data)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            with contextlib.suppress(OSError):
                self._transport.close()
