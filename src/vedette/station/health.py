"""Health of feeds: what each is doing, since when, and what of it could not be used.

Silence is never safety (law 2): a feed from which no sign of life came for longer than it should is
``deaf`` and is shown as not watched, whatever its connection says; one that lives under a quiet sky is
``watching``. What is wrong with a feed that gives data makes it ``degraded``, with the reason in words.
"""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec import Struct

from vedette.model.event import FeedState
from vedette.sense.clocks import SenderClock
from vedette.station.pace import Pace
from vedette.station.view import FeedView

DEAF_AFTER_S = 30.0
"""Without a sign of life, where the source has not said how often it gives one."""
RATE_S, WINDOW_S = 10.0, 60.0
LEAST_REFUSED, MOST_REFUSED_SHARE = 20, 0.5
CLOCK_AHEAD_S, CLOCK_BEHIND_S = 0.5, 1.5
"""Beyond these a clock is called wrong: no way explains that a time is ahead, and some ways are slow."""
SLOWEST_WAY_S = 120.0
"""No way from a sensor to here takes longer: beyond, it is the clock."""
ZONES_H = (*range(1, 15), 3.5, 4.5, 5.5, 5.75, 6.5, 8.75, 9.5, 10.5, 12.75)
"""How far civil times are from UTC, either way (IANA time zone database)."""
ZONE_SLACK_S = 30.0
MAX_REASONS = 50
MAX_FEEDS = 500
MOST_PARTS = 128
"""Of one feed that are shown. A new one takes the place of one that is gone, the shortest-lived first."""
TOLD_PER_S, TOLD_AT_ONCE = 1.0, 150
"""Changes of a feed and its parts that enter the record; what changes faster is told a little later."""
GONE: tuple[FeedState, ...] = ("deaf", "down", "ended")
_NOTHING: Mapping[str, tuple[str, ...]] = MappingProxyType({})
FLOODED = "flooded"
"""Reasons that begin so tell of what was shed unread."""


class _Second(Struct):
    at: float
    heard: int = 0
    refused: int = 0
    flooded: int = 0


class FeedHealth:
    """One feed. ``reported`` is what its peer says; ``state`` and ``reason`` what the evidence allows."""

    def __init__(
        self,
        feed: str,
        at: float,
        senses: bool = False,
        deaf_after_s: float = DEAF_AFTER_S,
        speed: float = 1.0,
    ) -> None:
        self.feed = feed
        self._speed = speed
        self.senses = senses
        self.kinds: tuple[str, ...] = ()
        self.state: FeedState = "connecting"
        self.since = self.began = at
        self.reason: str | None = None
        self.last_data: float | None = None
        self.last_heard: float | None = None
        self.detections = 0
        self.quarantined: Counter[str] = Counter()
        self.clock = SenderClock()
        self._reported: tuple[FeedState, str | None] = ("connecting", None)
        self._reported_at = at
        self._deaf_after_s = deaf_after_s
        self._seconds: deque[_Second] = deque()
        self._told: dict[str, str] = {}
        self._wrong: dict[str, str] = {}
        self._counts_life = False
        self._news: tuple[FeedState, object] = ("connecting", None)

    def report(self, state: FeedState, reason: str | None, at: float) -> bool:
        """The peer reports its state; True if the feed's state changed."""
        if state != self._reported[0]:
            self._reported_at = at
        self._reported = (state, reason)
        return self.check(at)

    def data(self, count: int, at: float) -> bool:
        """Detections or reports came; True if that changed the state."""
        self.last_data = at
        self.detections += count
        if not self._counts_life:
            self._second(at).heard += count
        return self._lives(at)

    def heard(self, at: float, sent: float | None = None, due_s: float | None = None, count: int = 1) -> bool:
        """A sign of life came; True if that changed the state."""
        self._counts_life = True
        self._second(at).heard += count
        if sent is not None:
            self.clock.note(sent / self._speed, at / self._speed)
        if due_s is not None:
            self._deaf_after_s = due_s * self._speed
        return self._lives(at)

    def refuse(self, reason: str, count: int, at: float) -> None:
        """Bad input, or (``flooded...``) input that was shed; further reasons are counted together."""
        known = reason in self.quarantined or len(self.quarantined) < MAX_REASONS
        self.quarantined[reason if known else "other reasons"] += count
        second = self._second(at)
        if reason.startswith(FLOODED):
            second.flooded += count
        else:
            second.refused += count

    def trouble(self, what: str, words: str | None, at: float) -> bool:
        """The peer tells what is wrong, or that it is over; True if that changed the state."""
        if words is None:
            self._told.pop(what, None)
        elif what in self._told or len(self._told) < MAX_REASONS:
            self._told[what] = words
        return self.check(at)

    def check(self, at: float) -> bool:
        """Weigh the evidence; True if there is news: another state, or other things that are wrong. Mere
        figures in the words are none."""
        self._wrong = self._told | self._found_wrong(at)
        state, self.reason = self._judge(at)
        if state != self.state:
            self.since = at
        self.state = state
        figures = {"degraded": tuple(self._wrong), "deaf": None}
        news = (state, figures.get(state, self.reason))
        changed, self._news = news != self._news, news
        return changed

    def view(self, at: float) -> FeedView:
        """The feed as the console shows it."""
        recent = [second.heard for second in self._seconds if at - second.at <= RATE_S]
        return FeedView(
            feed=self.feed,
            state=self.state,
            since=self.since,
            detections=self.detections,
            quarantined=dict(self.quarantined),
            last_data=self.last_data,
            last_heard=self.last_heard,
            heard_per_s=round(sum(recent) / RATE_S, 1),
            behind_s=self.clock.behind_s,
            troubles=tuple(self._wrong.values()),
            reason=self.reason,
            senses=self.senses,
            kinds=self.kinds,
        )

    def _lives(self, at: float) -> bool:
        self.last_heard = at
        return self.check(at) if self.state == "deaf" else False

    def _judge(self, at: float) -> tuple[FeedState, str | None]:
        state, reason = self._reported
        if state != "watching":
            return state, reason
        quiet_s = at - max(self._reported_at, self.last_heard or self._reported_at)
        if quiet_s >= self._deaf_after_s:
            refused = sum(second.refused for second in self._seconds)
            but = f", only {refused} damaged or foreign in the last minute" if refused else ""
            return "deaf", f"connected, but nothing heard for {quiet_s:.0f} s{but}"
        if self._wrong:
            return "degraded", "; ".join(self._wrong.values())
        return "watching", reason

    def _found_wrong(self, at: float) -> dict[str, str]:
        while self._seconds and at - self._seconds[0].at > WINDOW_S:
            self._seconds.popleft()
        heard = sum(second.heard for second in self._seconds)
        refused = sum(second.refused for second in self._seconds)
        flooded = sum(second.flooded for second in self._seconds)
        wrong: dict[str, str] = {}
        if refused >= LEAST_REFUSED and refused > MOST_REFUSED_SHARE * (heard + refused):
            most = max(self._grave(), key=lambda reason: self.quarantined[reason], default="?")
            wrong["refused"] = f"{refused} of {heard + refused} messages refused in the last minute ({most})"
        if flooded:
            wrong["flooded"] = f"more comes than can be read: {flooded} shed in the last minute"
        clock = clock_words(self.clock)
        if clock is not None:
            wrong["clock"] = clock
        return wrong

    def _grave(self) -> list[str]:
        return [reason for reason in self.quarantined if not reason.startswith(FLOODED)]

    def _second(self, at: float) -> _Second:
        if not self._seconds or at - self._seconds[-1].at >= 1.0:
            self._seconds.append(_Second(at))
        return self._seconds[-1]


def clock_words(clock: SenderClock) -> str | None:
    """What is wrong with a sender's clock, if anything is."""
    if clock.stuck:
        return "its messages go on and their times stand still: restart it"
    behind = clock.behind_s
    if behind is None or -CLOCK_AHEAD_S <= behind <= CLOCK_BEHIND_S:
        return None
    hours = next((zone for zone in ZONES_H if abs(abs(behind) - zone * 3600.0) <= ZONE_SLACK_S), None)
    if hours is not None:
        way = "behind" if behind > 0.0 else "ahead"
        return f"its clock is {hours:g} h {way}: is it set to local time instead of UTC?"
    if behind > SLOWEST_WAY_S:
        return f"its clock is {_span(behind)} behind"
    if behind > 0.0:
        return f"its times are {_span(behind)} behind: its clock, or a slow way to here"
    return f"its clock is {_span(-behind)} ahead"


def _span(seconds: float) -> str:
    """``3.2 s``, ``4 min``, ``6 h 47 min``."""
    if seconds < SLOWEST_WAY_S:
        return f"{seconds:.1f} s"
    hours, minutes = divmod(round(seconds / 60.0), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


class Health:
    """All feeds, in the order in which they were first heard of; ``changed`` takes each change.

    ``senses``: the feeds that bring detections, and their kinds; a feed ``NAME/PART`` does what ``NAME``
    does, until `kind` says otherwise. The parts of a feed are bounded, as strangers may invent them: what
    one says that finds no place is counted at its feed, and moves nothing there. ``speed``: of station
    time; senders live in wall time, in which their clocks are told and their signs of life are due.
    """

    def __init__(
        self,
        now: Callable[[], float],
        changed: Callable[[FeedHealth], None],
        senses: Mapping[str, tuple[str, ...]] = _NOTHING,
        speed: float = 1.0,
    ) -> None:
        self._feeds: dict[str, FeedHealth] = {}
        self._senses = dict(senses)
        self._pace = Pace(TOLD_PER_S, TOLD_AT_ONCE)
        self._untold: dict[str, None] = {}
        self._now = now
        self._speed = speed
        self._changed = changed

    def data(self, feed: str, count: int) -> None:
        """``count`` detections or reports came from ``feed``."""
        health = self._feed(feed)
        self._tell(health, health.data(count, self._now()))

    def heard(self, feed: str, sent: float | None = None, due_s: float | None = None, count: int = 1) -> None:
        """A sign of life of ``feed``."""
        health = self._feed(feed)
        if health.feed != feed:
            sent = due_s = None
        self._tell(health, health.heard(self._now(), sent, due_s, count))

    def report(self, feed: str, state: FeedState, reason: str | None) -> None:
        """A peer reports its state."""
        health = self._own(feed)
        if health is not None:
            self._tell(health, health.report(state, reason, self._now()))

    def kind(self, feed: str, kinds: tuple[str, ...], senses: bool) -> None:
        """A peer tells what a part of it is."""
        health = self._own(feed)
        if health is not None:
            health.kinds, health.senses = kinds, senses

    def trouble(self, feed: str, what: str, words: str | None) -> None:
        """A peer tells what is wrong, or that it is over."""
        health = self._own(feed)
        if health is not None:
            self._tell(health, health.trouble(what, words, self._now()))

    def quarantine(self, feed: str, reason: str, count: int = 1) -> None:
        """Bad input came from ``feed``."""
        self._feed(feed).refuse(reason, count, self._now())

    def check(self) -> None:
        """Look for feeds that fell silent, flood, or have a wrong clock."""
        for health in self._feeds.values():
            self._tell(health, health.check(self._now()))
        for feed in list(self._untold):
            self._tell(self._feeds[feed], changed=False)

    def gone(self, feed: str) -> bool:
        """True if nothing comes by ``feed`` now, or it is not known."""
        health = self._feeds.get(feed)
        return health is None or health.state in GONE

    def views(self) -> tuple[FeedView, ...]:
        """All feeds for the console."""
        now = self._now()
        return tuple(health.view(now) for health in self._feeds.values())

    def watching(self) -> int:
        """How many feeds watch now."""
        return sum(health.state in ("watching", "degraded") for health in self._feeds.values())

    def _feed(self, feed: str) -> FeedHealth:
        """The feed; that of which it is a part, if there is no room for the part."""
        if feed not in self._feeds and "/" in feed and not self._room(_root(feed)):
            feed = _root(feed)
        if feed not in self._feeds:
            kinds = self._senses.get(feed, self._senses.get(_root(feed)))
            self._feeds[feed] = health = FeedHealth(feed, self._now(), kinds is not None, speed=self._speed)
            health.kinds = kinds or ()
        return self._feeds[feed]

    def _own(self, feed: str) -> FeedHealth | None:
        """The feed itself; None, which is counted, if there is no room for it."""
        health = self._feed(feed)
        if health.feed == feed:
            return health
        health.refuse("too many parts: not shown", 1, self._now())
        return None

    def _room(self, root: str) -> bool:
        parts = [feed for feed in self._feeds.values() if "/" in feed.feed]
        own = [feed for feed in parts if _root(feed.feed) == root]
        if len(own) < MOST_PARTS and len(self._feeds) < MAX_FEEDS:
            return True
        gone = [feed for feed in own if feed.state in GONE]
        if not gone:
            return False
        shortest = min(gone, key=_lived_s).feed
        del self._feeds[shortest]
        self._untold.pop(shortest, None)
        return True

    def _tell(self, health: FeedHealth, changed: bool) -> None:
        if changed:
            self._untold[health.feed] = None
        if health.feed in self._untold and self._pace.admits(_root(health.feed), self._now()):
            del self._untold[health.feed]
            self._changed(health)


def _root(feed: str) -> str:
    return feed.partition("/")[0]


def _lived_s(health: FeedHealth) -> float:
    return (health.last_heard or health.began) - health.began
