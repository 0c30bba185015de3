"""Batches of detections: one event for at most 50 ms of a feed, the freshest kept if it must shed.

The first detection after a quiet time goes at once, so batching costs a lone drone nothing. Then a
batch lasts twice as long as the one before took to weigh, from 10 to 50 ms: a small picture is warned
of sooner, and a large one leaves the station time for the rest. A feed that floods (an attacker
transmits) fills only its own bounded batch; what is shed is counted.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from vedette.model import Detection
from vedette.model.event import DetectionBatch

BATCH_S = (0.01, 0.05)
SHARE = 2.0
MAX_WAITING = 2000
"""Detections of one feed that may wait for the end of their 50 ms."""


class FeedIntake:
    """Collects one feed's detections; ``emit`` takes each finished batch, ``shed`` a number lost."""

    def __init__(
        self,
        feed: str,
        emit: Callable[[DetectionBatch], None],
        shed: Callable[[int], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._feed = feed
        self._emit = emit
        self._shed = shed
        self._loop = loop
        self._waiting: deque[Detection] = deque(maxlen=MAX_WAITING)
        self._lost = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, detections: Iterable[Detection]) -> None:
        """Take detections; they go out at once after a quiet time, else with the running batch."""
        for detection in detections:
            self._lost += len(self._waiting) == MAX_WAITING
            self._waiting.append(detection)
        if self._timer is None and self._waiting:
            self._flush()

    def close(self) -> None:
        """Send what waits and stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._send()

    def _flush(self) -> None:
        self._timer = None
        started = self._loop.time()
        if self._send():
            took = self._loop.time() - started
            wait = min(max(SHARE * took, BATCH_S[0]), BATCH_S[1])
            self._timer = self._loop.call_later(wait, self._flush)

    def _send(self) -> bool:
        if self._lost:
            self._shed(self._lost)
            self._lost = 0
        if not self._waiting:
            return False
        batch = DetectionBatch(feed=self._feed, detections=tuple(self._waiting))
        self._waiting.clear()
        self._emit(batch)
        return True
