"""Health of feeds: what each is doing, since when, and what of it could not be used.

Silence is never safety (law 2): a feed that said nothing for longer than it should is ``silent`` and
is shown as not watched, whatever its connection says.
"""

from collections import Counter
from collections.abc import Callable, Collection

from vedette.model.event import FeedState
from vedette.station.view import FeedView

SILENT_AFTER_S = 30.0
MAX_REASONS = 50


class FeedHealth:
    """One feed. ``state`` as its peer reports it, turned to ``silent`` when no data comes."""

    def __init__(
        self, feed: str, at: float, senses: bool = False, silent_after_s: float = SILENT_AFTER_S
    ) -> None:
        self.feed = feed
        self.senses = senses
        self.state: FeedState = "connecting"
        self.since = at
        self.reason: str | None = None
        self.last_data: float | None = None
        self.detections = 0
        self.quarantined: Counter[str] = Counter()
        self._silent_after_s = silent_after_s

    def data(self, count: int, at: float) -> bool:
        """Data came; True if that changed the state."""
        self.last_data = at
        self.detections += count
        return self.report("watching", None, at) if self.state == "silent" else False

    def report(self, state: FeedState, reason: str | None, at: float) -> bool:
        """The peer reports its state; True if it changed."""
        if (state, reason) == (self.state, self.reason):
            return False
        if state != self.state:
            self.since = at
        self.state, self.reason = state, reason
        return True

    def check(self, at: float) -> bool:
        """Turn to silent when nothing came for too long; True if that changed the state."""
        if self.state != "watching":
            return False
        quiet_s = at - max(self.since, self.last_data or self.since)
        if quiet_s < self._silent_after_s:
            return False
        return self.report("silent", f"connected, but no data for {quiet_s:.0f} s", at)

    def view(self) -> FeedView:
        """The feed as the console shows it."""
        return FeedView(
            feed=self.feed,
            state=self.state,
            since=self.since,
            detections=self.detections,
            quarantined=dict(self.quarantined),
            last_data=self.last_data,
            reason=self.reason,
            senses=self.senses,
        )


class Health:
    """All feeds, in the order in which they were first heard of; ``changed`` takes each change."""

    def __init__(
        self, now: Callable[[], float], changed: Callable[[FeedHealth], None], senses: Collection[str] = ()
    ) -> None:
        self._feeds: dict[str, FeedHealth] = {}
        self._senses = frozenset(senses)
        self._now = now
        self._changed = changed

    def data(self, feed: str, count: int) -> None:
        """``count`` detections or reports came from ``feed``."""
        self._tell(self._feed(feed), self._feed(feed).data(count, self._now()))

    def report(self, feed: str, state: FeedState, reason: str | None) -> None:
        """A peer reports its state."""
        self._tell(self._feed(feed), self._feed(feed).report(state, reason, self._now()))

    def quarantine(self, feed: str, reason: str, count: int = 1) -> None:
        """Bad input came from ``feed``; reasons beyond ``MAX_REASONS`` are counted together."""
        counts = self._feed(feed).quarantined
        known = reason in counts or len(counts) < MAX_REASONS
        counts[reason if known else "other reasons"] += count

    def check(self) -> None:
        """Look for feeds that fell silent."""
        for health in self._feeds.values():
            self._tell(health, health.check(self._now()))

    def views(self) -> tuple[FeedView, ...]:
        """All feeds for the console."""
        return tuple(health.view() for health in self._feeds.values())

    def watching(self) -> int:
        """How many feeds watch now."""
        return sum(health.state == "watching" for health in self._feeds.values())

    def _feed(self, feed: str) -> FeedHealth:
        if feed not in self._feeds:
            self._feeds[feed] = FeedHealth(feed, self._now(), feed in self._senses)
        return self._feeds[feed]

    def _tell(self, health: FeedHealth, changed: bool) -> None:
        if changed:
            self._changed(health)
