"""Where sensors say that they stand, on the way into the log: each place at most every few seconds.

A sensor that moves (or one whose sender plays with its place) makes the tracker run its window again for
each new place; so the newest one waits for its turn, and all sensors together have a pace. Feeds have their
turns one after the other, so that one that invents sensors does not hold up those of another.

There are places for so many. A newcomer gets that of a sensor whose feed is gone, the youngest first: who
invents sensors and leaves takes the places of his own, and what has stood for long keeps its place.
"""

from collections.abc import Callable, Iterable

from vedette.model import SensorProfile
from vedette.model.event import SensorReport

EACH_S = 5.0
"""Between two places of one sensor."""
ALL_S = 1.0
"""Between two places of any."""
MOST_SENSORS = 256


class SensorPlaces:
    """``enter`` takes a report that is to be known from now on. The same profile again is no news.

    ``gone`` says whether a feed (``NAME/PART``) gives no data now. ``before``: ids of sensors that were known
    before the station started; nobody speaks for them until they do.
    """

    def __init__(
        self,
        enter: Callable[[SensorReport], None],
        gone: Callable[[str], bool] = lambda feed: False,
        before: Iterable[str] = (),
    ) -> None:
        self._enter, self._gone = enter, gone
        self._feeds: dict[str, str | None] = dict.fromkeys(before)
        self._known: dict[str, SensorProfile] = {}
        self._entered: dict[str, float] = {}
        self._waiting: dict[str, tuple[str, SensorProfile]] = {}
        self._served: dict[str, float] = {}
        self._last = float("-inf")

    def take(self, profile: SensorProfile, at: float, feed: str = "") -> bool:
        """A sensor's word at station time ``at``; the first one goes in at once, if none just did. False if
        there is no room for it."""
        name = profile.id
        if name in self._feeds:
            self._feeds[name] = feed
        if self._known.get(name) == profile:
            self._waiting.pop(name, None)
            return True
        if name not in self._waiting and len(self._waiting) >= MOST_SENSORS:
            self._forget_gone()
            if len(self._waiting) >= MOST_SENSORS:
                return False
        if not self._has_room(name):
            return False
        self._waiting[name] = (feed, profile)
        self.due(at)
        return True

    def due(self, at: float) -> None:
        """Enter one that waits, if its time has come."""
        if at - self._last < ALL_S or not self._waiting:
            return
        self._forget_gone()
        ready = [name for name in self._waiting if at - self._entered.get(name, float("-inf")) >= EACH_S]
        if ready:
            self._let_in(min(ready, key=self._served_at), at)

    def _let_in(self, name: str, at: float) -> None:
        feed, profile = self._waiting.pop(name)
        instead_of = None
        if name not in self._feeds and len(self._feeds) >= MOST_SENSORS:
            instead_of = self._youngest_gone()
            if instead_of is None:
                return
            for known in (self._feeds, self._known, self._entered):
                known.pop(instead_of, None)
        self._feeds[name], self._known[name], self._entered[name] = feed, profile, at
        self._last = self._served[_root(feed)] = at
        self._enter(SensorReport(profile=profile, instead_of=instead_of))

    def _served_at(self, name: str) -> float:
        return self._served.get(_root(self._waiting[name][0]), float("-inf"))

    def _has_room(self, name: str) -> bool:
        return name in self._feeds or len(self._feeds) < MOST_SENSORS or self._youngest_gone() is not None

    def _youngest_gone(self) -> str | None:
        gone = (name for name, feed in reversed(self._feeds.items()) if feed is None or self._gone(feed))
        return next(gone, None)

    def _forget_gone(self) -> None:
        """Who has left no longer waits for a place."""
        for name in [name for name, (feed, _) in self._waiting.items() if self._gone(feed)]:
            del self._waiting[name]


def _root(feed: str) -> str:
    return feed.partition("/")[0]
