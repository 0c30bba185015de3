"""The way to a node: a TCP connection or a serial line, framed; nothing of what it carries is known here."""

import asyncio
import contextlib
import os
import termios

from vedette.station.peers._tcp import keep_alive
from vedette.wire.meshtastic import WAKE, FrameSplitter, write_frame

READ_BYTES = 4096
WRITE_LIMIT = 8192
SEND_S = 2.0
_WAKE_PAUSE_S = 0.1


class Link:
    """A stream to a node. Raises ConnectionError once it is broken."""

    def __init__(self, reader: asyncio.StreamReader, writer: "asyncio.StreamWriter | SerialWriter") -> None:
        self._reader, self._writer = reader, writer
        self._splitter = FrameSplitter()

    @property
    def skipped(self) -> int:
        """Bytes between messages: a node's text, or damage."""
        return self._splitter.skipped

    async def send(self, message: bytes) -> None:
        """Write one message, within `SEND_S`."""
        try:
            self._writer.write(write_frame(message))
            async with asyncio.timeout(SEND_S):
                await self._writer.drain()
        except TimeoutError:
            raise ConnectionError(f"the node took nothing for {SEND_S:g} s") from None
        except OSError as error:
            raise ConnectionError(error.strerror or "the connection broke") from None

    async def receive(self) -> list[bytes]:
        """The messages that came with the next bytes; there may be none."""
        try:
            data = await self._reader.read(READ_BYTES)
        except OSError as error:
            raise ConnectionError(error.strerror or "the connection broke") from None
        if not data:
            raise ConnectionError("the node closed the connection")
        return self._splitter.feed(data)

    async def close(self) -> None:
        """Let go of it."""
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                await self._writer.wait_closed()


async def connect_tcp(host: str, port: int) -> Link:
    """Raises OSError."""
    reader, writer = await asyncio.open_connection(host, port)
    keep_alive(writer)
    return Link(reader, writer)


async def connect_serial(path: str) -> Link:
    """A node on a serial line, 115200 baud, eight bits, no parity. Raises OSError."""
    handle = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        _raw(handle)
    except termios.error as error:
        os.close(handle)
        raise OSError(error.args[0], "is not a serial line") from None
    reader = asyncio.StreamReader()
    writer = SerialWriter(handle, reader)
    writer.write(WAKE)
    await asyncio.sleep(_WAKE_PAUSE_S)
    return Link(reader, writer)


def _raw(handle: int) -> None:
    """Bytes as they are, one line to one reader."""
    settings = termios.tcgetattr(handle)
    settings[0] = settings[1] = settings[3] = 0
    settings[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
    settings[4] = settings[5] = termios.B115200
    settings[6][termios.VMIN], settings[6][termios.VTIME] = 1, 0
    termios.tcsetattr(handle, termios.TCSANOW, settings)


class SerialWriter:
    """The writing end of a device file, and what feeds its reader: as much of a StreamWriter as is used."""

    def __init__(self, handle: int, reader: asyncio.StreamReader) -> None:
        self._handle, self._reader = handle, reader
        self._loop = asyncio.get_running_loop()
        self._waiting = bytearray()
        self._empty = asyncio.Event()
        self._empty.set()
        self._closed = False
        self._loop.add_reader(handle, self._readable)

    def write(self, data: bytes) -> None:
        """Write, now or when the line takes it. Raises ConnectionError if it takes nothing any more."""
        if self._closed or len(self._waiting) > WRITE_LIMIT:
            raise ConnectionError("the serial line is gone" if self._closed else "the serial line is stuck")
        self._waiting += data
        self._flush()

    async def drain(self) -> None:
        """Return when all is written."""
        await self._empty.wait()
        if self._closed:
            raise ConnectionError("the serial line is gone")

    def close(self) -> None:
        """Give the device back."""
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._handle)
            self._loop.remove_writer(self._handle)
            self._empty.set()
            self._reader.feed_eof()
            os.close(self._handle)

    async def wait_closed(self) -> None:
        """Closed at once."""

    def _readable(self) -> None:
        try:
            data = os.read(self._handle, READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._reader.feed_data(data)
        else:
            self.close()

    def _flush(self) -> None:
        try:
            written = os.write(self._handle, self._waiting)
            del self._waiting[:written]
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        if self._waiting:
            self._empty.clear()
            self._loop.add_writer(self._handle, self._flush)
        else:
            self._loop.remove_writer(self._handle)
            self._empty.set()
