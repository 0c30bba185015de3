"""What other TAK users say of the sky, on its way to the hub: at most so many a second, the freshest.

It is a feed of its own, ``NAME/tracks``. That a TAK connection lives does not mean that anybody on it
watches the sky: this feed is there once a track has come, and is deaf when none do any more (law 2).
"""

import asyncio
from collections.abc import Sequence

from vedette.model import Detection
from vedette.model.event import OperatorPosition
from vedette.sense.cot_tracks import CotTrackAdapter
from vedette.station.peers._line_feed import Budget
from vedette.station.ports import Hub
from vedette.wire.cot import CotEvent

MOST_PER_S = 200
"""Of one feed: a hundred drones at two reports a second. What floods beyond is counted and dropped."""
TOLD_EACH_S = 5.0
_TOLD = ("absurd-time", "expired", "too-old", "no-fix", "position-too-vague", "view-too-wide", "flooded")
"""What a technician should see of what became of drones; the rest is other traffic, and strangers'."""


class Sightings:
    """The tracks that come by ``feed``, all as detections of ``sensor``. ``counts``: as those of
    `CotTrackAdapter`, and ``flooded``."""

    def __init__(self, hub: Hub, feed: str, *, sensor: str, own_uid: str, views: bool) -> None:
        self._hub, self._feed = hub, feed
        self._adapter = CotTrackAdapter(sensor, own_uid=own_uid, views=views)
        self.counts = self._adapter.counts
        self._now = asyncio.get_running_loop().time
        self._budget = Budget(MOST_PER_S, MOST_PER_S, self._now)
        self._told: dict[str, int] = {}
        self._next_look = self._now()
        self._watching = False

    def take(self, events: Sequence[CotEvent]) -> int:
        """Events in the order they came; how many of them told of something in the air."""
        heard = [found for event in events if (found := self._hear(event)) is not None]
        if heard and not self._watching:
            self._watching = True
            self._hub.feed(self._feed, "watching", "tracks of other users")
        kept = self._freshest(heard)
        detections = [found for found in kept if isinstance(found, Detection)]
        if detections:
            self._hub.detections(self._feed, detections)
        for found in kept:
            if isinstance(found, OperatorPosition):
                self._hub.operator_position(found)
        self._tell()
        return len(heard)

    def lost(self, reason: str) -> None:
        """The connection is down."""
        if self._watching:
            self._watching = False
            self._hub.feed(self._feed, "down", reason)

    def _hear(self, event: CotEvent) -> Detection | OperatorPosition | None:
        clock = self._hub.clock
        time, stale = clock.from_wall(event.time), clock.from_wall(event.stale)
        found = self._adapter.take(event, time=time, received=clock.now(), stale=stale)
        if found is not None:
            self._hub.heard(self._feed)
        return found

    def _freshest(self, heard: list[Detection | OperatorPosition]) -> list[Detection | OperatorPosition]:
        kept: list[Detection | OperatorPosition] = []
        while len(kept) < len(heard) and self._budget.admits():
            kept.append(heard[-1 - len(kept)])
        self.counts["flooded"] += len(heard) - len(kept)
        return kept[::-1]

    def _tell(self) -> None:
        for reason in _TOLD:
            new = self.counts[reason] - self._told.get(reason, 0)
            if new:
                self._told[reason] = self.counts[reason]
                self._hub.counted(self._feed, reason, new)
        if self._now() >= self._next_look:
            self._next_look = self._now() + TOLD_EACH_S
            self._tell_clocks()

    def _tell_clocks(self) -> None:
        off = self._adapter.clocks_off(self._hub.clock.now())
        words = None
        if off:
            worst = max(off, key=abs)
            side = "behind" if worst > 0.0 else "ahead"
            words = f"the clocks of {len(off)} senders of tracks are wrong, one {abs(worst):.0f} s {side}"
        self._hub.trouble(self._feed, "sender-clocks", words)
