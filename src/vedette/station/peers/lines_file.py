"""Detection lines from a file, a named pipe or standard input.

A file is moved to station time: its first detection happens when the feed starts, and time then passes
as recorded. From standard input or a pipe, lines are live. A named pipe whose writer went away is
opened again, so that a detector may be restarted.
"""

import asyncio
import os
import stat
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path

import msgspec

from vedette.model import Detection
from vedette.sense.lines import LineSplitter
from vedette.station.peers._line_feed import LineFeed
from vedette.station.peers._remote_id import Receiver
from vedette.station.ports import Hub

AGAIN_S = 5.0
"""How long to wait before a named pipe is opened again."""
LONGEST_PAUSE_S = 3600.0
"""A recorded time further than this from the one before starts the recording's clock anew: one line
with a wrong year must not hold up all that follow."""
CHUNK_BYTES = 64 * 1024
AHEAD = 2
"""Chunks that may wait between the reading thread and the station."""
STANDARD_INPUT = Path("/dev/stdin")


class LinesFilePeer(Receiver):
    """Plays or follows one file of lines."""

    def __init__(self, name: str, path: str, sensors: tuple[str, ...] = ()) -> None:
        super().__init__(name)
        self._path = STANDARD_INPUT if path == "-" else Path(path)
        self._sensors = sensors

    async def run(self, hub: Hub) -> None:
        """Read to the end; a file that cannot be read is reported, and the station goes on."""
        feed = LineFeed(hub, self.name, self._sensors)
        await self._once(hub, feed)
        while self._path != STANDARD_INPUT and is_live(self._path):
            await asyncio.sleep(AGAIN_S)
            await self._once(hub, feed)

    async def _once(self, hub: Hub, feed: LineFeed) -> None:
        live = is_live(self._path)
        hub.feed(self.name, "connecting", "waiting for the first line" if live else None)
        before = feed.good
        play = _Playing(hub, self.name)
        try:
            async with aclosing(chunks_of(self._path)) as chunks:
                async for lines in _lines(chunks, feed):
                    if not live:
                        await play.all(feed, lines)
                    elif feed.take(lines) and not play.started:
                        play.begin()
        except OSError as error:
            hub.feed(self.name, "down", f"{self._path}: {error.strerror}")
        else:
            hub.feed(self.name, "ended", f"the lines have ended: {feed.good - before} detections read")


class _Playing:
    """Plays recorded detections on the station's clock."""

    def __init__(self, hub: Hub, feed: str) -> None:
        self.started = False
        self._hub = hub
        self._feed = feed
        self._shift = 0.0
        self._latest = 0.0

    def begin(self) -> None:
        """The first detection came."""
        self.started = True
        self._hub.feed(self._feed, "watching", None)

    async def all(self, feed: LineFeed, lines: list[bytes]) -> None:
        """Hand over each detection when it is due."""
        for detection in feed.read(lines):
            await self._one(detection)
        await asyncio.sleep(0)

    async def _one(self, detection: Detection) -> None:
        clock = self._hub.clock
        if not self.started:
            self.begin()
            self._anchor(detection.time)
        elif abs(detection.time - self._latest) > LONGEST_PAUSE_S:
            self._hub.counted(self._feed, "time-jumped", 1)
            self._anchor(detection.time)
        self._latest = max(self._latest, detection.time)
        await clock.sleep_until(self._latest + self._shift)
        moved = msgspec.structs.replace(
            detection, time=detection.time + self._shift, received=self._latest + self._shift
        )
        self._hub.detections(self._feed, [moved])

    def _anchor(self, time: float) -> None:
        self._shift = self._hub.clock.now() - time
        self._latest = time


async def _lines(chunks: AsyncIterator[bytes], feed: LineFeed) -> AsyncIterator[list[bytes]]:
    """The lines of each chunk, and at the end a last one without its end."""
    splitter = LineSplitter()
    async for chunk in chunks:
        before = splitter.too_long
        yield splitter.feed(chunk)
        feed.too_long(splitter.too_long - before)
    yield splitter.end()


def is_live(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)


async def chunks_of(path: Path) -> AsyncGenerator[bytes, None]:
    """The file's bytes, read in a thread of their own: a pipe may be silent for hours. Raises OSError."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes | OSError] = asyncio.Queue()
    room = threading.Semaphore(AHEAD)
    left = threading.Event()

    def put(item: bytes | OSError) -> None:
        loop.call_soon_threadsafe(queue.put_nowait, item)

    def read() -> None:
        try:
            with path.open("rb", buffering=0) as file:
                while not left.is_set() and (data := os.read(file.fileno(), CHUNK_BYTES)):
                    put(data)
                    room.acquire()
            put(b"")
        except OSError as error:
            put(error)

    def guarded() -> None:
        try:
            read()
        except RuntimeError:
            return  # the loop has closed: the station stopped while the pipe was silent

    threading.Thread(target=guarded, name=f"read {path}", daemon=True).start()
    try:
        while item := await queue.get():
            if isinstance(item, OSError):
                raise item
            room.release()
            yield item
    finally:
        left.set()
        room.release()
