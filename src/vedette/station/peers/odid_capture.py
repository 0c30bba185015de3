"""``odid+pcap:FILE`` plays a capture on the station's clock; ``odid+pcap:-`` reads one live.

A file is moved to station time: its first frame happens when the feed starts, and time then passes
as recorded (times the station's speed). From standard input or a named pipe, frames are live: they
happened when they were captured.
"""

import asyncio
import math
import stat
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import numpy as np

from vedette.station.peers._remote_id import Receiver, RemoteIdFrames
from vedette.station.ports import Hub
from vedette.wire.capture import CaptureReader, FrameBatch
from vedette.wire.errors import CaptureError

AHEAD = 2
"""Batches that may wait between the reading thread and the station."""


class CapturePeer(Receiver):
    """Plays or follows one capture. ``frames`` counts what became of each frame, once it runs."""

    def __init__(self, name: str, path: str) -> None:
        self.name = name
        self._path = Path("/dev/stdin") if path == "-" else Path(path)
        self.frames: RemoteIdFrames | None = None

    async def run(self, hub: Hub) -> None:
        """Read to the end; a capture that cannot be read is reported, and the station goes on."""
        self.frames = RemoteIdFrames(hub, self.name)
        live = _is_pipe(self._path)
        reader = CaptureReader(self._path)
        hub.feed(self.name, "watching" if live else "connecting", None)
        try:
            await self._read(hub, reader, live)
        except CaptureError as error:
            hub.feed(self.name, "down", str(error))
            return
        for reason, count in reader.counts.items():
            if reason != "records":
                hub.counted(self.name, reason, count)
        hub.feed(self.name, "ended", f"the capture has ended: {reader.counts['records']} frames read")

    async def _read(self, hub: Hub, reader: CaptureReader, live: bool) -> None:
        assert self.frames is not None
        pace = None if live else _Pace(hub)
        async for batch in _in_thread(reader):
            if pace is None:
                self.frames.take(_on_clock(batch, hub))
            else:
                await pace.play(batch, self.frames, self.name)


class _Pace:
    """Plays batches on the station's clock."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._shift: float | None = None
        self._latest = -math.inf

    async def play(self, batch: FrameBatch, frames: RemoteIdFrames, feed: str) -> None:
        """Hand over each frame when it is due. A time that is missing or goes back counts as 'now'."""
        times = np.maximum.accumulate(np.nan_to_num(batch.times, nan=-math.inf))
        times = np.maximum(times, self._latest)
        if not len(times) or not math.isfinite(times[-1]):
            frames.take(batch, 0.0 if self._shift is None else self._shift)
            return
        if self._shift is None:
            self._shift = self._hub.clock.now() - float(times[np.isfinite(times)][0])
            self._hub.feed(feed, "watching", None)
        self._latest = float(times[-1])
        start = 0
        while start < len(times):
            await self._hub.clock.sleep_until(float(times[start]) + self._shift)
            now = self._hub.clock.now() - self._shift
            stop = max(start + 1, int(np.searchsorted(times, now, side="right")))
            frames.take(_part(batch, start, stop), self._shift)
            start = stop
            await asyncio.sleep(0)


def _part(batch: FrameBatch, start: int, stop: int) -> FrameBatch:
    part = slice(start, stop)
    return FrameBatch(
        batch.data, batch.offsets[part], batch.lengths[part], batch.times[part], batch.link_types[part]
    )


def _on_clock(batch: FrameBatch, hub: Hub) -> FrameBatch:
    """Live frames: wall-clock times -> station time; a frame without time happened now."""
    now = hub.clock.now()
    shift = hub.clock.from_wall(0.0)
    moved = batch.times * hub.clock.speed + shift
    return msgspec.structs.replace(batch, times=np.minimum(np.nan_to_num(moved, nan=now), now))


def _is_pipe(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)


async def _in_thread(reader: CaptureReader) -> AsyncIterator[FrameBatch]:
    """The reader's batches, read in a thread of their own: a pipe may be silent for hours."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[FrameBatch | Exception | None] = asyncio.Queue()
    room = threading.Semaphore(AHEAD)

    def put(item: FrameBatch | Exception | None) -> None:
        loop.call_soon_threadsafe(queue.put_nowait, item)

    def read() -> None:
        try:
            for batch in reader.batches():
                room.acquire()
                put(batch)
            put(None)
        except RuntimeError:
            return  # the loop has closed: the station stopped while the pipe was silent
        except Exception as error:
            put(error)

    threading.Thread(target=read, name=f"read {reader.path}", daemon=True).start()
    while (item := await queue.get()) is not None:
        if isinstance(item, Exception):
            raise item
        room.release()
        yield item
