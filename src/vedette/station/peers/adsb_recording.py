"""``beast:FILE`` and ``sbs:FILE``: recordings, played in their own time; from a pipe they are live.

Beast frames carry the ticks of their receiver's clock, SBS lines its wall clock: the first happens when
the feed starts. What is due together is handed over together, by the recording's time and not by how
fast this machine is, so that a recording always gives the same detections.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np

from vedette.sense import adsb
from vedette.station.peers._remote_id import Receiver
from vedette.station.peers.adsb_feed import BeastFeed, SbsFeed
from vedette.station.peers.lines_file import AGAIN_S, STANDARD_INPUT, chunks_of, is_live
from vedette.station.ports import Hub
from vedette.wire.adsb import (
    MLAT_RESULT_TICKS,
    TICKS_PER_S,
    BeastBatch,
    BeastBatcher,
    SbsMessage,
    SbsSplitter,
)

STEP_S = 0.05
"""What a recording has within this time is handed over together."""
LONGEST_PAUSE_S = 60.0
"""A time further than this from the one before starts the recording's clock anew."""
GPS, FREE = "gps", "12mhz"
"""What the ticks of a Beast recording count: seconds << 30 | nanoseconds of the day, or 1/12 us."""


class Player(Protocol):
    """Plays one kind of recording."""

    what: str
    end: bytes
    """What ends a last line that lacks its end."""

    def pieces(self, data: bytes) -> Iterator[tuple[float | None, Callable[[float], int]]]:
        """What these bytes complete, in pieces of one time: the recording's own time (None = not
        said), and what hands the piece over as received at a station time; it returns how many intact
        frames or messages that were."""
        ...


class BeastPlayer:
    """Frames by their ticks."""

    what = "frames"
    end = b""

    def __init__(self, feed: BeastFeed, clock: str = FREE) -> None:
        self._feed, self._gps = feed, clock == GPS
        self._batcher = BeastBatcher()
        self._last = math.nan

    def pieces(self, data: bytes) -> Iterator[tuple[float | None, Callable[[float], int]]]:
        """Frames of one `STEP_S` together."""
        batch = self._batcher.feed(data)
        times = self._times(batch)
        steps = np.floor(times / STEP_S)
        edges = [0, *(np.flatnonzero(np.diff(steps) != 0.0) + 1).tolist(), len(times)]
        for start, stop in pairwise(edges):
            if stop > start:
                time = float(times[stop - 1])
                ticks, signal, length, parity, message = batch
                here = slice(start, stop)
                part = BeastBatch(ticks[here], signal[here], length[here], parity[here], message[here])
                yield None if math.isnan(time) else time, partial(self._feed.take, part)

    def _times(self, batch: BeastBatch) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
        """Seconds by the receiver's clock; a frame that says none has that of the one before."""
        ticks = batch.ticks
        seconds = (ticks >> 30) + (ticks & 0x3FFFFFFF) * 1e-9 if self._gps else ticks / TICKS_PER_S
        said = (ticks != 0) & (ticks != MLAT_RESULT_TICKS)
        last = np.maximum.accumulate(np.where(said, np.arange(len(ticks)), -1))
        times = np.where(last >= 0, np.asarray(seconds, np.float64)[last], self._last)
        if len(times):
            self._last = float(times[-1])
        return times


class SbsPlayer:
    """Messages by the time at which the receiver made them, whatever its zone."""

    what = "messages"
    end = b"\n"

    def __init__(self, feed: SbsFeed) -> None:
        self._feed = feed
        self._splitter = SbsSplitter()
        self._told: dict[str, int] = {}
        self._last: float | None = None

    def pieces(self, data: bytes) -> Iterator[tuple[float | None, Callable[[float], int]]]:
        """Messages of one `STEP_S` together."""
        messages = self._splitter.feed(data)
        self._tell()
        group: list[SbsMessage] = []
        for message in messages:
            time = _seconds(message)
            time = self._last if time is None else time
            if group and not _together(self._last, time):
                yield self._last, partial(self._feed.take, group)
                group = []
            self._last = time
            group.append(message)
        if group:
            yield self._last, partial(self._feed.take, group)

    def _tell(self) -> None:
        for reason, count in self._splitter.counters.refused.items():
            new = count - self._told.get(reason, 0)
            if new:
                self._feed.hub.counted(self._feed.name, f"malformed: {reason}", new)
            self._told[reason] = count


class RecordingPeer(Receiver):
    """Plays or follows one file. ``-`` is standard input."""

    kinds = ("adsb",)

    def __init__(self, name: str, path: str, make: Callable[[Hub], Player]) -> None:
        super().__init__(name)
        self._path = STANDARD_INPUT if path == "-" else Path(path)
        self._make = make

    async def run(self, hub: Hub) -> None:
        """Read to the end; a file that cannot be read is reported, and the station goes on. A named
        pipe is opened again."""
        hub.feed(self.name, "connecting", "preparing the decoder")
        await asyncio.to_thread(adsb.warm)
        await self._once(hub)
        while self._path != STANDARD_INPUT and is_live(self._path):
            await asyncio.sleep(AGAIN_S)
            await self._once(hub)

    async def _once(self, hub: Hub) -> None:
        live, player = is_live(self._path), self._make(hub)
        pace = None if live else _Pace(hub, self.name)
        hub.feed(self.name, "connecting", f"waiting for the first {player.what}" if live else None)
        good = 0
        try:
            async with aclosing(_ended(self._path, player.end)) as chunks:
                async for data in chunks:
                    for time, hand_over in player.pieces(data):
                        at = hub.clock.now() if pace is None else await pace.due(time)
                        before, good = good, good + hand_over(at)
                        if good and not before:
                            hub.feed(self.name, "watching", None)
                    await asyncio.sleep(0)
        except OSError as error:
            hub.feed(self.name, "down", f"{self._path}: {error.strerror}")
        else:
            hub.feed(self.name, "ended", f"the recording has ended: {good} {player.what} read")


async def _ended(path: Path, end: bytes) -> AsyncGenerator[bytes, None]:
    async with aclosing(chunks_of(path)) as chunks:
        async for data in chunks:
            yield data
    yield end


class _Pace:
    """A recording's times on the station's clock."""

    def __init__(self, hub: Hub, feed: str) -> None:
        self._hub, self._feed = hub, feed
        self._shift: float | None = None
        self._latest = 0.0

    async def due(self, time: float | None) -> float:
        """Wait until what happened at ``time`` is due; its station time, which never goes back."""
        clock = self._hub.clock
        if self._shift is None:
            if time is None:
                return clock.now()
            self._anchor(time)
        elif time is not None and abs(time - self._latest) > LONGEST_PAUSE_S:
            self._hub.counted(self._feed, "time-jumped", 1)
            self._anchor(time)
        assert self._shift is not None
        self._latest = self._latest if time is None else max(self._latest, time)
        await clock.sleep_until(self._latest + self._shift)
        return self._latest + self._shift

    def _anchor(self, time: float) -> None:
        now = self._hub.clock.now()
        reached = now if self._shift is None else max(now, self._latest + self._shift)
        self._shift, self._latest = reached - time, time


def _seconds(message: SbsMessage) -> float | None:
    if message.generated is None:
        return None
    day, clock = message.generated
    try:
        whole = datetime.strptime(f"{day} {clock.partition('.')[0]}", "%Y/%m/%d %H:%M:%S")
    except ValueError:
        return None
    return whole.replace(tzinfo=UTC).timestamp() + float(f"0.{clock.partition('.')[2] or '0'}")


def _together(last: float | None, time: float | None) -> bool:
    if last is None or time is None:
        return last is time
    return math.floor(last / STEP_S) == math.floor(time / STEP_S)
