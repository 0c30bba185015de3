"""What comes of the bytes of an ADS-B receiver: through its adapter to the hub, with what is amiss in words.

One `BeastFeed` or `SbsFeed` serves all connections of a peer: they hear one sky. Each connection has its
own stream, which cuts its bytes into frames or lines.
"""

import asyncio
from typing import Protocol

from vedette.model import Detection
from vedette.sense.adsb import BAD, BeastAdapter, SbsAdapter, TableAdapter
from vedette.station.ports import Hub
from vedette.wire.adsb import BeastBatch, BeastBatcher, Place, SbsMessage, SbsSplitter

NO_MODE_S_S = 120.0
"""A receiver that shows signs of life and no aircraft's transponder for so long is asked about."""
FAR_POSITIONS = 50
"""So many positions beyond reach and none within it say that the site or the receiver is elsewhere."""
USELESS_BYTES = 64 * 1024
"""Without one intact frame or line: this is no receiver of ours."""


class Handover:
    """Counts and detections of one adapter on their way to the hub."""

    def __init__(self, hub: Hub, feed: str, adapter: BeastAdapter | SbsAdapter | TableAdapter) -> None:
        self.hub, self.name = hub, feed
        self._adapter = adapter
        self._told: dict[str, int] = {}
        self._loop = asyncio.get_running_loop()
        self._seen = self._loop.time()
        self._troubled: set[str] = set()

    def hand_over(self, detections: list[Detection]) -> None:
        """Give the hub what the adapter found, and tell it what the adapter refused."""
        if detections:
            self.hub.detections(self.name, detections)
        for reason, count in self._adapter.counts.items():
            new = count - self._told.get(reason, 0)
            if new and reason.startswith(BAD):
                self.hub.counted(self.name, reason, new)
            self._told[reason] = count
        self._judge_place()

    def began(self) -> None:
        """A receiver connects: how long nothing was heard counts from now."""
        self._seen = self._loop.time()

    def saw(self, transponders: bool) -> None:
        """A sign of life; whether it came of an aircraft's transponder."""
        now = self._loop.time()
        if transponders:
            self._seen = now
        self._trouble(
            "no-mode-s",
            now - self._seen > NO_MODE_S_S,
            f"the receiver runs, but has heard no transponder for {NO_MODE_S_S:.0f} s: is its antenna on?",
        )

    def _judge_place(self) -> None:
        counts = self._adapter.counts
        self._trouble(
            "elsewhere",
            counts["beyond-reach"] > FAR_POSITIONS and not counts["detections"],
            "every aircraft is farther than 400 km from the site: is the site's position right?",
        )

    def _trouble(self, what: str, there: bool, words: str = "") -> None:
        """Tell the hub when a trouble begins and when it is over."""
        if there and what not in self._troubled:
            self._troubled.add(what)
            self.hub.trouble(self.name, what, words)
        elif not there and what in self._troubled:
            self._troubled.remove(what)
            self.hub.trouble(self.name, what, None)


class BeastFeed(Handover):
    """Frames of one sky."""

    def __init__(self, hub: Hub, feed: str, every_s: float = 1.0) -> None:
        self._beast = BeastAdapter(feed, place_of(hub), period_s=every_s)
        super().__init__(hub, feed, self._beast)

    def take(self, batch: BeastBatch, received: float) -> int:
        """Frames that came together; how many of them were intact as far as that can be known."""
        counts = self._beast.counts
        mode_s, mode_ac = counts["mode-s"], counts["mode-ac"]
        found = self._beast.take(batch, received)
        mode_s, mode_ac = counts["mode-s"] - mode_s, counts["mode-ac"] - mode_ac
        if mode_s or mode_ac:
            self.hub.heard(self.name, count=mode_s + mode_ac)
            self.saw(mode_s > 0)
        self.hand_over(found)
        return mode_s + mode_ac

    def stream(self) -> "BeastStream":
        """The frames of one more connection."""
        self.began()
        return BeastStream(self)


class SbsFeed(Handover):
    """Lines about one sky."""

    def __init__(self, hub: Hub, feed: str, every_s: float = 1.0) -> None:
        self._sbs = SbsAdapter(feed, place_of(hub), period_s=every_s)
        super().__init__(hub, feed, self._sbs)

    def take(self, messages: list[SbsMessage], received: float, *, alive: bool = True) -> int:
        """Messages that came together, and whether anything intact came; how many messages."""
        if messages or alive:
            self.hub.heard(self.name, count=max(len(messages), 1))
            self.saw(bool(messages))
        self.hand_over(self._sbs.take(messages, received))
        return len(messages)

    def stream(self) -> "SbsStream":
        """The lines of one more connection."""
        self.began()
        return SbsStream(self)


class Stream(Protocol):
    """The bytes of one connection. ``good``: intact frames or messages so far; ``ended``: frames or lines
    that ended, good or not; ``useless``: bytes since the last good one."""

    good: int
    ended: int
    useless: int
    what: str

    def take(self, data: bytes, received: float) -> None:
        """The next bytes, heard at ``received``."""
        ...

    def cut(self) -> None:
        """What comes next does not continue what came before."""
        ...

    def pieces(self, data: bytes) -> int:
        """About how many frames or lines are in these bytes."""
        ...


class BeastStream:
    """Frames of one connection."""

    what = "Beast frame"

    def __init__(self, feed: BeastFeed) -> None:
        self.good = self.ended = self.useless = 0
        self._feed = feed
        self._batcher = BeastBatcher()

    def take(self, data: bytes, received: float) -> None:
        """Frames completed by these bytes go to the feed."""
        before = self._batcher.counters
        broken, other = before.broken, before.other
        batch = self._batcher.feed(data)
        after = self._batcher.counters
        good = self._feed.take(batch, received) if len(batch.ticks) else 0
        if after.broken > broken:
            self._feed.hub.counted(self._feed.name, "malformed: frame cut off", after.broken - broken)
        self.good += good
        self.ended += len(batch.ticks) + after.other - other
        self.useless = 0 if good else self.useless + len(data)

    def cut(self) -> None:
        """The frame that was begun will not end."""
        self._batcher = BeastBatcher()

    def pieces(self, data: bytes) -> int:
        """By their first two bytes; one that is cut in two counts with the part that has them."""
        return sum(data.count(head) for head in (b"\x1a1", b"\x1a2", b"\x1a3"))


class SbsStream:
    """Lines of one connection."""

    what = "SBS line"

    def __init__(self, feed: SbsFeed) -> None:
        self.good = self.ended = self.useless = 0
        self._feed = feed
        self._splitter = SbsSplitter()
        self._skipping = False
        self._told: dict[str, int] = {}

    def take(self, data: bytes, received: float) -> None:
        """Messages completed by these bytes go to the feed."""
        if self._skipping:
            _, end, data = data.partition(b"\n")
            self._skipping = not end
        if not data:
            return
        before = self._splitter.counters.display
        messages = self._splitter.feed(data)
        # Receivers send an empty line each minute when they have nothing to say.
        alive = not data.strip(b"\r\n") or self._splitter.counters.display > before
        self._feed.take(messages, received, alive=alive)
        self._tell()
        self.good += len(messages)
        self.ended += data.count(b"\n")
        self.useless = 0 if messages or alive else self.useless + len(data)

    def cut(self) -> None:
        """The line that was begun will not end, and what comes next begins within one."""
        self._tell()
        self._told.clear()
        self._splitter = SbsSplitter()
        self._skipping = True

    def pieces(self, data: bytes) -> int:
        """By their ends."""
        return data.count(b"\n")

    def _tell(self) -> None:
        for reason, count in self._splitter.counters.refused.items():
            new = count - self._told.get(reason, 0)
            if new:
                self._feed.hub.counted(self._feed.name, f"malformed: {reason}", new)
            self._told[reason] = count


def place_of(hub: Hub) -> Place:
    """Where the site is."""
    return Place(hub.site.lat_deg, hub.site.lon_deg)
