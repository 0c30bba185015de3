"""Senders of CoT events whose clocks are off, and how a server's history is told from them.

Times of a wrong clock go on as ours do. A server that repeats to a newcomer what happened does it faster
than it happened, or once.
"""

from collections import OrderedDict

from msgspec import Struct

from vedette.sense.clocks import SenderClock, Timed

MOST_CLOCKS = 1000
CLOCK_KNOWN_S = 2.0
"""A series of events is at least this long before it says something of its sender's clock: a server that
repeats a whole history does it at once."""
CLOCK_FORGOTTEN_S = 30.0
STEADY_S, STEADY = 2.0, 0.1
"""How unevenly the times of a series may go on: in all, and as a part of what passes."""


class _Series(Struct):
    """Events of one sender whose clock is off: the first and the last as (stated, received)."""

    clock: SenderClock
    first: tuple[float, float]
    last: tuple[float, float]

    def note(self, time: float, received: float) -> None:
        """A further event. Times that stand still say nothing, and a series whose times do not go on as
        ours do is none: a server repeats its history faster than it happened."""
        if time <= self.last[0]:
            return
        passed = received - self.first[1]
        if abs((time - self.first[0]) - passed) > STEADY_S + STEADY * passed:
            self.clock, self.first = SenderClock(), (time, received)
        self.clock.note(time, received)
        self.last = (time, received)

    def behind_s(self) -> float | None:
        """How far the clock is behind, once the series is long enough to say."""
        return self.clock.behind_s if self.last[1] - self.first[1] >= CLOCK_KNOWN_S else None


class SenderClocks:
    """By uid, those that are off. Memory is bounded; times in seconds on station time."""

    def __init__(self) -> None:
        self._series: OrderedDict[str, _Series] = OrderedDict()

    def timed(self, uid: str, time: float, received: float, tolerated: tuple[float, float]) -> Timed | None:
        """When an event that states a ``time`` out of tolerance was made (`SenderClock.timed`); None if
        that cannot be told, or if it is older than one that was heard before."""
        series = self._noted(uid, time, received)
        if series.behind_s() is None or time < series.last[0]:
            return None
        return series.clock.timed(time, received, tolerated)

    def forget(self, uid: str) -> None:
        """Its clock is right."""
        self._series.pop(uid, None)

    def off(self, at: float) -> tuple[float, ...]:
        """How far each sender heard lately is behind, seconds, as far as that is known."""
        while self._series and at - next(iter(self._series.values())).last[1] > CLOCK_FORGOTTEN_S:
            self._series.popitem(last=False)
        known = (series.behind_s() for series in self._series.values())
        return tuple(behind for behind in known if behind is not None)

    def _noted(self, uid: str, time: float, received: float) -> _Series:
        series = self._series.get(uid)
        if series is None or received - series.last[1] > CLOCK_FORGOTTEN_S:
            series = self._series[uid] = _Series(SenderClock(), (time, received), (float("-inf"), received))
        series.note(time, received)
        self._series.move_to_end(uid)
        if len(self._series) > MOST_CLOCKS:
            self._series.popitem(last=False)
        return series
