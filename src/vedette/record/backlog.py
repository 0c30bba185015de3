"""Events that wait for the disk: in order, in bounded memory, alerts never dropped.

While the log stalls, what arrives waits here. Past ``limit`` the events that a record can best do
without are shed as they arrive: first detections and what the core can compute again, past twice
the limit also ticks, unit positions and feed states. Alerts, receipts, actions and what explains
them are never shed. A shed event leaves its number and a `Shed` event in its place, so the log has
no gap and says where it is not complete; a replay is exact up to the first of them.
"""

from collections import deque
from dataclasses import dataclass

from vedette.model.event import DetectionBatch, Event, Shed, Snapshot

SHED_FIRST = frozenset({"detections", "operator-position", "snapshot", "digest"})
SHED_NEXT = frozenset({"tick", "unit", "feed"})
URGENT_KINDS = frozenset({"deliver", "alert", "escalate", "clear", "receipt", "receipts", "action"})
"""What was said to people and what they answered: the disk's reserve is given up for these."""

SHED_WHAT = "record"


@dataclass
class _Gap:
    """``count`` events from number ``first`` on were shed."""

    first: int
    at: float
    count: int


class Backlog:
    """A queue of consecutive events. ``limit`` counts events, a detection batch by its detections.

    Not thread-safe: the caller holds a lock.
    """

    def __init__(self, limit: int) -> None:
        self.shed = 0
        self._limit = limit
        self._entries: deque[Event | _Gap] = deque()
        self._urgent: deque[int] = deque()
        self._weight = 0
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def last_urgent(self) -> int:
        """Number of the last waiting event of `URGENT_KINDS`, 0 without one."""
        return self._urgent[-1] if self._urgent else 0

    def add(self, event: Event) -> None:
        """Queue an event, or shed it if memory is short and its kind may be shed."""
        self._length += 1
        kind = event.kind
        if self._must_shed(kind):
            self.shed += 1
            self._add_gap(event)
            return
        if kind in URGENT_KINDS:
            self._urgent.append(event.seq)
        self._weight += _weight(event)
        self._entries.append(event)

    def take(self, count: int, through: int | None = None) -> list[Event]:
        """Up to ``count`` of the oldest events, none numbered above ``through``. They stay queued."""
        taken: list[Event] = []
        for entry in self._entries:
            taken += _events(entry, count - len(taken))
            if len(taken) >= count:
                break
            if through is not None and taken[-1].seq >= through:
                break
        if through is not None:
            while taken and taken[-1].seq > through:
                taken.pop()
        return taken

    def drop_through(self, seq: int) -> None:
        """Forget the events up to and including ``seq``: they are on the disk."""
        entries = self._entries
        while entries and _last(entries[0]) <= seq:
            entry = entries.popleft()
            self._length -= 1 if isinstance(entry, Event) else entry.count
            self._weight -= _weight(entry) if isinstance(entry, Event) else 0
        if entries and isinstance(gap := entries[0], _Gap) and gap.first <= seq:
            written = seq + 1 - gap.first
            self._length -= written
            entries[0] = _Gap(seq + 1, gap.at, gap.count - written)
        while self._urgent and self._urgent[0] <= seq:
            self._urgent.popleft()

    def bury(self, seq: int) -> None:
        """Shed the one waiting event ``seq``, which can never be written."""
        for index, entry in enumerate(self._entries):
            if isinstance(entry, Event) and entry.seq == seq:
                self._entries[index] = _Gap(seq, entry.at, 1)
                self._weight -= _weight(entry)
                self.shed += 1
                break
        if seq in self._urgent:
            self._urgent.remove(seq)

    def _must_shed(self, kind: str) -> bool:
        if self._weight < self._limit:
            return False
        return kind in SHED_FIRST or (kind in SHED_NEXT and self._weight >= 2 * self._limit)

    def _add_gap(self, event: Event) -> None:
        last = self._entries[-1] if self._entries else None
        if isinstance(last, _Gap):
            last.count += 1
        else:
            self._entries.append(_Gap(event.seq, event.at, 1))


def _events(entry: Event | _Gap, room: int) -> list[Event]:
    if isinstance(entry, Event):
        return [entry]
    stop = entry.first + min(entry.count, room)
    return [Event(seq, entry.at, Shed(what=SHED_WHAT, count=1)) for seq in range(entry.first, stop)]


def _last(entry: Event | _Gap) -> int:
    return entry.seq if isinstance(entry, Event) else entry.first + entry.count - 1


def _weight(event: Event) -> int:
    body = event.body
    if isinstance(body, DetectionBatch):
        return 1 + len(body.detections)
    if isinstance(body, Snapshot):
        return 1 + len(body.state) // 1024
    return 1
