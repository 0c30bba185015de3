"""``odid+pcap:FILE`` plays a capture on the station's clock; ``odid+pcap:-`` reads one live.

A file is moved to station time: its first frame happens when the feed starts, and time then passes
as recorded (times the station's speed). From standard input or a named pipe, frames are live: they
happened when they were captured. A named pipe whose writer went away is opened again, so that a
receiver's program may be restarted.
"""

import asyncio
import math
import stat
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from vedette.station.peers._remote_id import Receiver, RemoteIdFrames
from vedette.station.ports import Hub
from vedette.wire.capture import CaptureReader, FrameBatch
from vedette.wire.capture.batch import Float64
from vedette.wire.errors import CaptureError

AGAIN_S = 5.0
"""How long to wait before a named pipe is opened again."""
OLD_S = 10.0
"""A live frame older than this (s) says that a clock is off, or that the pipe carries a recording."""
AHEAD = 2
"""Batches that may wait between the reading thread and the station."""

STANDARD_INPUT = Path("/dev/stdin")


class CapturePeer(Receiver):
    """Plays or follows one capture. ``frames`` counts what became of each frame, once it runs."""

    kinds = ("remote-id",)

    def __init__(self, name: str, path: str) -> None:
        super().__init__(name)
        self._path = STANDARD_INPUT if path == "-" else Path(path)
        self.frames: RemoteIdFrames | None = None

    async def run(self, hub: Hub) -> None:
        """Read to the end; a capture that cannot be read is reported, and the station goes on."""
        self.frames = RemoteIdFrames(hub, self.name)
        again = self._path != STANDARD_INPUT and _is_pipe(self._path)
        await self._once(hub, self.frames)
        while again:
            await asyncio.sleep(AGAIN_S)
            await self._once(hub, self.frames)

    async def _once(self, hub: Hub, frames: RemoteIdFrames) -> None:
        live = _is_pipe(self._path)
        reader = CaptureReader(self._path)
        hub.feed(self.name, "connecting", "waiting for the first frame" if live else None)
        try:
            await self._read(hub, reader, frames, live)
        except CaptureError as error:
            hub.feed(self.name, "down", str(error))
        else:
            hub.feed(self.name, "ended", f"the capture has ended: {reader.counts['records']} frames read")
        for reason, count in reader.counts.items():
            if reason != "records":
                hub.counted(self.name, reason, count)

    async def _read(self, hub: Hub, reader: CaptureReader, frames: RemoteIdFrames, live: bool) -> None:
        pace = _Pace(hub)
        async for batch in _in_thread(reader):
            if not live:
                await pace.play(batch, frames, self.name)
                continue
            if reader.counts["records"] == len(batch):
                hub.feed(self.name, "watching", None)
            frames.take(_on_clock(batch, hub, self.name))


class _Pace:
    """Plays batches on the station's clock."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._shift: float | None = None
        self._latest = -math.inf

    async def play(self, batch: FrameBatch, frames: RemoteIdFrames, feed: str) -> None:
        """Hand over each frame when it is due. A time that is missing or goes back counts as 'now'."""
        if not len(batch):
            return
        if self._shift is None:
            self._start(batch.times)
            self._hub.feed(feed, "watching", None)
        assert self._shift is not None
        known = np.isfinite(batch.times)
        times = np.where(known, batch.times, -math.inf)
        times = np.maximum(np.maximum.accumulate(times), self._latest)
        _tell(self._hub, feed, "no-time", ~known)
        _tell(self._hub, feed, "time-backwards", batch.times < times)
        batch = msgspec.structs.replace(batch, times=times)
        self._latest = float(times[-1])
        start = 0
        while start < len(times):
            await self._hub.clock.sleep_until(float(times[start]) + self._shift)
            now = self._hub.clock.now() - self._shift
            stop = max(start + 1, int(np.searchsorted(times, now, side="right")))
            frames.take(_part(batch, start, stop), self._shift)
            start = stop
            await asyncio.sleep(0)

    def _start(self, times: Float64) -> None:
        """The first frame that has a time happens now; a recording without times begins at 'now' too."""
        now = self._hub.clock.now()
        known = times[np.isfinite(times)]
        self._latest = float(known[0]) if len(known) else now
        self._shift = now - self._latest


def _part(batch: FrameBatch, start: int, stop: int) -> FrameBatch:
    part = slice(start, stop)
    return FrameBatch(
        batch.data, batch.offsets[part], batch.lengths[part], batch.times[part], batch.link_types[part]
    )


def _on_clock(batch: FrameBatch, hub: Hub, feed: str) -> FrameBatch:
    """Live frames: wall-clock times -> station time; a frame without time happened now.

    Old ones are counted: they are too late to warn of, and the receiver's clock may be off.
    """
    now = hub.clock.now()
    shift = hub.clock.from_wall(0.0)
    moved = batch.times * hub.clock.speed + shift
    _tell(hub, feed, "old-frames", moved < now - OLD_S)
    return msgspec.structs.replace(batch, times=np.minimum(np.nan_to_num(moved, nan=now), now))


def _tell(hub: Hub, feed: str, reason: str, which: npt.NDArray[np.bool_]) -> None:
    count = int(np.count_nonzero(which))
    if count:
        hub.counted(feed, reason, count)


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
