"""Which alerts a parent node has still to be told: always the latest revision of each, worst first."""

from collections import Counter
from collections.abc import Iterable

from vedette.model import AlarmState, Alert, Level
from vedette.model.threat import LEVEL_RANK

MOST_WAITING = 4096

Mark = tuple[int, Level, AlarmState]
"""What makes a revision news: its number, or a change of level or state without a new message."""


def mark_of(alert: Alert) -> Mark:
    """Of this revision."""
    return alert.revision, alert.level, alert.state


class AlertLedger:
    """What waits, and what the parent's socket has taken. ``counts``: revisions that were replaced by a
    newer one before they went out (``superseded``), and those without room (``shed``); a shed one comes
    back with the next `note` while the station still holds it."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self.counts: Counter[str] = Counter()
        self._most = most
        self._waiting: dict[str, Alert] = {}
        self._told: dict[str, Mark] = {}
        self._order: list[str] | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def note(self, alerts: Iterable[Alert]) -> None:
        """All alerts that the station holds now, each in its latest revision."""
        held = set()
        for alert in alerts:
            held.add(alert.alert)
            if self._told.get(alert.alert) != mark_of(alert):
                self._wait(alert)
            elif alert.alert in self._waiting:
                self._drop(alert.alert)
        self._shed()
        for name in [name for name in self._told if name not in held and name not in self._waiting]:
            del self._told[name]

    def begin(self) -> None:
        """A new connection: a parent may have forgotten what is open, but an end is told once."""
        self._told = {name: mark for name, mark in self._told.items() if mark[2] == "cleared"}

    def next(self) -> Alert | None:
        """The most urgent that waits: the worst level first, ends last."""
        if self._order is None:
            self._order = sorted(self._waiting, key=self._urgency)
        return self._waiting[self._order[-1]] if self._order else None

    def took(self, alert: Alert) -> None:
        """The parent's socket has taken this revision."""
        self._told[alert.alert] = mark_of(alert)
        waiting = self._waiting.get(alert.alert)
        if waiting is not None and mark_of(waiting) == mark_of(alert):
            self._drop(alert.alert)

    def _wait(self, alert: Alert) -> None:
        before = self._waiting.get(alert.alert)
        if before is not None and mark_of(before) == mark_of(alert):
            return
        self.counts["superseded"] += before is not None
        self._waiting[alert.alert] = alert
        self._order = None

    def _shed(self) -> None:
        excess = len(self._waiting) - self._most
        if excess <= 0:
            return
        self.counts["shed"] += excess
        self._order = sorted(self._waiting, key=self._urgency)
        for name in self._order[:excess]:
            del self._waiting[name]
        del self._order[:excess]

    def _drop(self, name: str) -> None:
        del self._waiting[name]
        if self._order and self._order[-1] == name:
            self._order.pop()
        else:
            self._order = None

    def _urgency(self, name: str) -> tuple[int, str]:
        alert = self._waiting[name]
        return (-1 if alert.state == "cleared" else LEVEL_RANK[alert.level], name)
