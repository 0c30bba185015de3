"""Batches of detections: one event for at most 50 ms of a feed, the freshest kept if it must shed.

The first detection after a quiet time goes at once, so batching costs a lone drone nothing. Then a
batch lasts twice as long as the one before took to weigh, from 10 to 50 ms: a small picture is warned
of sooner, and a large one leaves the station time for the rest. A large scan is weighed in slices of
10 ms, between which the other feeds have their turn. A feed that floods (an attacker transmits) fills
only its own bounded queue, from which the oldest fall out and are counted, and has the longest pauses.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterable

from vedette.model import Detection
from vedette.model.event import DetectionBatch

BATCH_S = (0.01, 0.05)
SHARE = 2.0
MAX_WAITING = 2000
"""Detections of one feed that may wait for the end of their 50 ms."""
SLICE_S = 0.01
"""To weigh one batch of a feed, by what the last ones took, while the others wait."""
LEAST_SLICE = 20
FLOOD_S = 1.0
"""After it last shed, a feed counts as flooding for this long."""


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
        self._each_s = 0.0
        self._shed_at = -math.inf
        self._timer: asyncio.TimerHandle | None = None

    def add(self, detections: Iterable[Detection]) -> None:
        """Take detections; they go out at once after a quiet time, else with the running batch."""
        for detection in detections:
            self._lost += len(self._waiting) == MAX_WAITING
            self._waiting.append(detection)
        if self._timer is None and self._waiting:
            self._flush()

    @property
    def idle(self) -> bool:
        """True if nothing waits and nothing was just sent."""
        return self._timer is None and not self._waiting

    def close(self) -> None:
        """Send all that waits and stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._send(MAX_WAITING)

    def _flush(self) -> None:
        self._timer = None
        started = self._loop.time()
        if self._send(max(int(SLICE_S / self._each_s), LEAST_SLICE) if self._each_s else LEAST_SLICE):
            ended = self._loop.time()
            wait = min(max(SHARE * (ended - started), BATCH_S[0]), BATCH_S[1])
            flooding = ended - self._shed_at < FLOOD_S
            self._timer = self._loop.call_later(BATCH_S[1] if flooding else wait, self._flush)

    def _send(self, most: int) -> bool:
        if self._lost:
            self._shed(self._lost)
            self._lost, self._shed_at = 0, self._loop.time()
        count = min(most, len(self._waiting))
        if not count:
            return False
        taken = tuple(self._waiting.popleft() for _ in range(count))
        started = self._loop.time()
        self._emit(DetectionBatch(feed=self._feed, detections=taken))
        self._learn((self._loop.time() - started) / count)
        return True

    def _learn(self, each_s: float) -> None:
        """What one detection takes: a dearer one counts at once, a cheaper one by and by."""
        self._each_s = max(each_s, 0.9 * self._each_s + 0.1 * each_s)
