"""Which SAPIENT frames of a connection are decoded, and when: of a flood the freshest, the others unread.

As `_freshest`, but with two lanes: detections and all other messages have an allowance each, so that a
flood of detections costs a node neither its registration nor its heartbeat, which does not come again
for seconds. Which is which is seen from the tags of the outermost fields alone; large messages count as
several. What is not shed keeps its order, unless detections have to wait.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from vedette.station.peers._freshest import MOST_BYTES, TURN_S, WAIT_S

BYTES_OF_ONE = 1024
"""A message counts once for each of these that it begins: what it costs to read grows with its size."""

LONGEST_S = 2.0 * WAIT_S
"""What waits has its turn by its own allowance before; it is too old if others use up the shared one."""

_DETECTION_REPORT = 7
"""Field number of a DetectionReport in SapientMessage; the content fields are 4 to 12."""
_FIRST_CONTENT, _LAST_FIELD = 4, 15
_LENGTH_DELIMITED = 2


class Allowance:
    """So many messages a second, and as many at once; ``now``: loop time."""

    def __init__(self, per_s: int, now: Callable[[], float]) -> None:
        self.per_s = per_s
        self._now, self._left, self._at = now, float(per_s), now()

    def left(self) -> float:
        """How many may pass now."""
        now = self._now()
        self._left = min(self._left + (now - self._at) * self.per_s, self.per_s)
        self._at = now
        return self._left

    def spend(self, cost: float) -> None:
        """That many have passed."""
        self._left -= cost


class Allowances(NamedTuple):
    """What may be read of detections and of all other messages."""

    reports: Allowance
    others: Allowance


class _Waiting(NamedTuple):
    """A frame, its number in the order of all, and when it came."""

    number: int
    came: float
    frame: bytes


class _Lane:
    """Frames of one kind, of which none waits for longer than ``LONGEST_S``."""

    def __init__(self, own: Allowance, shared: Allowance) -> None:
        self.waiting: deque[_Waiting] = deque()
        self._budgets = (own, shared)
        self._hold = max(int(WAIT_S * own.per_s), 1)
        self._bytes = 0

    def put(self, waiting: _Waiting) -> None:
        """One more."""
        self.waiting.append(waiting)
        self._bytes += len(waiting.frame)

    def shed(self, now: float) -> int:
        """Drop the oldest of what neither passes now nor soon; how many."""
        before = len(self.waiting)
        most = self._hold + max(int(min(budget.left() for budget in self._budgets)), 0)
        while len(self.waiting) > most or (self._bytes > MOST_BYTES and len(self.waiting) > 1):
            self._pop()
        while self.waiting and now - self.waiting[0].came > LONGEST_S:
            self._pop()
        return before - len(self.waiting)

    def passing(self) -> list[_Waiting]:
        """The oldest of those that wait, as far as the allowances reach."""
        passed = []
        while self.waiting and self._admits(self.waiting[0].frame):
            passed.append(self._pop())
        return passed

    def _pop(self) -> _Waiting:
        popped = self.waiting.popleft()
        self._bytes -= len(popped.frame)
        return popped

    def _admits(self, frame: bytes) -> bool:
        """The largest message may pass when nothing else did, or none ever would."""
        cost = 1.0 + len(frame) // BYTES_OF_ONE
        if any(budget.left() < min(cost, budget.per_s) for budget in self._budgets):
            return False
        for budget in self._budgets:
            budget.spend(min(cost, budget.per_s))
        return True


class Sieve:
    """``take`` gets frames in order, no more of them in a second than ``own`` and ``shared`` allow, and all
    at once if they come so (a radar sends its objects together). ``shed`` gets how many were dropped."""

    def __init__(
        self,
        take: Callable[[list[bytes]], None],
        shed: Callable[[int], None],
        own: Allowances,
        shared: Allowances,
        now: Callable[[], float],
    ) -> None:
        self._take, self._shed, self._now = take, shed, now
        self._reports = _Lane(own.reports, shared.reports)
        self._others = _Lane(own.others, shared.others)
        self._loop = asyncio.get_running_loop()
        self._count = 0
        self._handle: asyncio.TimerHandle | None = None

    def put(self, frames: list[bytes]) -> int:
        """What one read of the socket brought; how many had to be shed."""
        now = self._now()
        for frame in frames:
            self._count += 1
            lane = self._reports if is_detection(frame) else self._others
            lane.put(_Waiting(self._count, now, frame))
        return self._flush()

    def close(self) -> None:
        """Nothing more comes: what still waits, a goodbye for one, is taken now."""
        if self._handle is not None:
            self._handle.cancel()
        rest = sorted([*self._reports.waiting, *self._others.waiting])
        self._reports.waiting.clear()
        self._others.waiting.clear()
        self._take([waiting.frame for waiting in rest])

    def _flush(self) -> int:
        now = self._now()
        lost = self._reports.shed(now) + self._others.shed(now)
        if lost:
            self._shed(lost)
        passed = sorted(self._reports.passing() + self._others.passing())
        if passed:
            self._take([waiting.frame for waiting in passed])
        if (self._reports.waiting or self._others.waiting) and self._handle is None:
            self._handle = self._loop.call_later(TURN_S, self._again)
        return lost

    def _again(self) -> None:
        self._handle = None
        self._flush()


def is_detection(frame: bytes) -> bool:
    """Whether the first content of a SapientMessage is a DetectionReport, by its tags alone (protobuf
    encoding: a tag is the field's number << 3 | its wire type)."""
    at = 0
    for _ in range(_FIRST_CONTENT):
        if at >= len(frame):
            return False
        number, kind = frame[at] >> 3, frame[at] & 7
        if kind != _LENGTH_DELIMITED or number > _LAST_FIELD:
            return False
        if number >= _FIRST_CONTENT:
            return number == _DETECTION_REPORT
        length, at = _varint(frame, at + 1)
        at += length
    return False


def _varint(frame: bytes, at: int) -> tuple[int, int]:
    """A number of at most five bytes, and where what follows it begins."""
    value = 0
    for shift in range(0, 35, 7):
        if at >= len(frame):
            break
        byte, at = frame[at], at + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    return value, at
