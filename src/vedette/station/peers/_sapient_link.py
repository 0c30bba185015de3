"""One TCP or TLS connection that carries SAPIENT messages.

Frames come out unparsed, so that a flood can be shed before a byte of it is decoded. Reading is
bounded: silence, an announced length beyond the limit, and a frame that is begun and never ended all
end the connection. Writing is bounded twice: a counterpart that lets more than ``write_limit`` bytes
pile up, or that takes nothing for ``send_timeout_s``, is dropped.
"""

import asyncio

from vedette.station.peers._tcp import keep_alive
from vedette.wire.errors import EncodeError
from vedette.wire.sapient import MAX_MESSAGE_BYTES, FrameSplitter, SapientMessage, write_frame

READ_BYTES = 64 * 1024
FRAME_S = 10.0
"""A frame that was begun has to be ended within this time; it need not be small, only steady."""


class SapientLink:
    """Messages in both directions over one connection; ``max_bytes`` bounds each of them."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        write_limit: int,
        send_timeout_s: float,
        frame_s: float = FRAME_S,
        max_bytes: int = MAX_MESSAGE_BYTES,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._write_limit, self._send_timeout_s = write_limit, send_timeout_s
        self._frame_s, self._max_bytes = frame_s, max_bytes
        self._splitter = FrameSplitter(max_bytes)
        self._now = asyncio.get_running_loop().time
        self._begun: float | None = None
        # So drain() returns only when the socket has taken everything. asyncio's TLS pauses at the high
        # mark itself, so that with a mark of 0 it would stay paused with nothing left to send.
        writer.transport.set_write_buffer_limits(high=1, low=0)
        keep_alive(writer)

    @property
    def backlog(self) -> int:
        """Bytes that the counterpart has not taken yet."""
        return self._writer.transport.get_write_buffer_size()

    @property
    def pending_bytes(self) -> int:
        """Bytes of a frame that is not complete: what is lost if the counterpart dies now."""
        return self._splitter.pending_bytes

    async def receive(self, timeout_s: float) -> list[bytes]:
        """The frames that the next reads complete, at least one, each without its length.

        Raises ConnectionError, in words, at the end of the stream, after ``timeout_s`` without a byte,
        for a length beyond the limit, and for a frame that is not ended in time. Frames that came
        before the fault are returned first.
        """
        frames: list[bytes] = []
        while not frames:
            if self._splitter.announced is not None:
                raise ConnectionError(
                    f"a message of {self._splitter.announced} bytes is announced,"
                    f" the limit is {self._splitter.max_bytes}"
                )
            frames = self._split(await self._read(timeout_s))
        return frames

    async def send(self, message: SapientMessage) -> None:
        """Return when the socket has taken the message; over TLS up to 64 kB may still wait behind the
        cipher. Raises ConnectionError, and drops the connection if the counterpart does not take it."""
        try:
            data = write_frame(message, self._max_bytes)
        except EncodeError as error:
            raise ConnectionError(f"not sent: {error}") from error
        if self._writer.transport.is_closing():
            raise ConnectionError("the connection is closed")
        if self.backlog + len(data) > self._write_limit:
            self.abort()
            raise ConnectionError(
                f"the other side does not keep up: more than {self._write_limit} bytes wait"
            )
        await self._write(data)

    async def finish(self, timeout_s: float) -> None:
        """Drop the connection, but let the counterpart read what was sent before: what it still sends
        is thrown away until it closes too, for at most ``timeout_s``."""
        try:
            async with asyncio.timeout(timeout_s):
                if self._writer.can_write_eof():
                    self._writer.write_eof()
                    while await self._reader.read(READ_BYTES):
                        continue
                else:
                    self._writer.close()
                    await self._writer.wait_closed()
        except (TimeoutError, OSError):
            self.abort()

    def abort(self) -> None:
        """Drop the connection at once; what was not taken is lost."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Drop the connection and wait until the transport is gone."""
        self.abort()
        try:
            async with asyncio.timeout(self._send_timeout_s):
                await self._writer.wait_closed()
        except (TimeoutError, OSError):
            return

    def _split(self, data: bytes) -> list[bytes]:
        frames = self._splitter.feed(data)
        if frames:
            self._begun = None
        if self._begun is None and self.pending_bytes:
            self._begun = self._now()
        return frames

    async def _read(self, timeout_s: float) -> bytes:
        wait_s = timeout_s
        if self._begun is not None:
            # A frame that is late because we were is read all the same: what has come needs no waiting.
            wait_s = min(timeout_s, max(self._begun + self._frame_s - self._now(), 0.0))
        try:
            async with asyncio.timeout(wait_s):
                data = await self._reader.read(READ_BYTES)
        except TimeoutError:
            if wait_s < timeout_s:
                raise self._unfinished() from None
            raise ConnectionError(f"nothing heard for {timeout_s:g} s") from None
        except OSError as error:
            raise ConnectionError(f"the connection broke: {error}") from error
        if not data:
            raise ConnectionError(self._end_words())
        return data

    def _unfinished(self) -> ConnectionError:
        return ConnectionError(f"a message was begun and not ended within {self._frame_s:g} s")

    def _end_words(self) -> str:
        words = "the other side closed the connection"
        lost = self.pending_bytes
        return f"{words} in the middle of a message ({lost} bytes lost)" if lost else words

    async def _write(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            async with asyncio.timeout(self._send_timeout_s):
                await self._writer.drain()
        except TimeoutError:
            self.abort()
            words = f"the other side took nothing for {self._send_timeout_s:g} s"
            raise ConnectionError(words) from None
        except OSError as error:
            self.abort()
            raise ConnectionError(f"the connection broke: {error}") from error
