"""What goes on the air next, and how often: one frame for each alert, whoever it is for.

A radio channel is one voice for a whole team. So all who are to be told of one revision share one frame,
a newer revision takes the place of an older one that waits, the worst and soonest goes first, and only
what could save somebody at once, an IMMINENT alert that nobody has acknowledged, is said again.
"""

import asyncio
import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from vedette.model.event import Clear, Deliver
from vedette.model.threat import LEVEL_RANK

MOST = 256
"""Alerts that wait or are repeated; beyond, the least urgent is shed."""
FIRST_PAUSE_S, LONGEST_PAUSE_S, GROWTH = 3.0, 15.0, 1.5
AIRTIMES_BETWEEN = 4.0
"""A repeat leaves the relays the time to have passed on what went before."""
RESEND_S = 3.0
"""Within this time after a frame nobody needs another one for the same revision."""
END_S = 60.0
HOUR_S = 3600.0
RESERVES = {"imminent": 0.1, "warning": 0.3, "advisory": 0.5, "info": 0.5}
"""Share of the hour's airtime that a level leaves to what is worse."""
END_RESERVE = 0.5


@dataclass(eq=False)
class Slot:
    """One alert on its way. ``asked``: who is to be told and has no receipt yet; ``told``: who has.
    ``before``: frames of earlier revisions that said the same alarm."""

    message: Deliver | Clear
    next_at: float
    before: int = 0
    asked: dict[str, None] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    times: int = 0
    sent_at: float = -math.inf
    accepted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def alert(self) -> str:
        """The alert's id."""
        return self.message.alert.alert

    @property
    def revision(self) -> int:
        """Of the alert."""
        return self.message.alert.revision

    @property
    def is_news(self) -> bool:
        """True if nothing was said of this alarm yet."""
        return self.times + self.before == 0

    @property
    def ends(self) -> bool:
        """True for the end of an alert."""
        return isinstance(self.message, Clear)

    @property
    def repeats(self) -> bool:
        """True for what is said until somebody answers."""
        alert = self.message.alert
        return not self.ends and alert.level == "imminent" and alert.state == "active-unacked"

    @property
    def expires(self) -> float:
        """Station time after which it is no longer news."""
        alert = self.message.alert
        return max(alert.expires, alert.time + END_S) if self.ends else alert.expires

    @property
    def reserve(self) -> float:
        """Share of the airtime that it leaves to what is worse."""
        return END_RESERVE if self.ends else RESERVES[self.message.alert.level]

    @property
    def urgency(self) -> tuple[int, bool, float, str]:
        """Sorts the worst first, what was never said before what was, then the soonest."""
        alert = self.message.alert
        rank = -1 if self.ends else LEVEL_RANK[alert.level]
        soonest = alert.time_to_impact_s[0] if alert.time_to_impact_s else math.inf
        return (-rank, not self.is_news, soonest, alert.alert)


class Schedule:
    """Slots by alert. All times are station time; ``jitter`` gives a factor near 1 for each pause."""

    def __init__(self, jitter: Callable[[], float]) -> None:
        self.shed = 0
        self._slots: dict[str, Slot] = {}
        self._jitter = jitter

    def __len__(self) -> int:
        return len(self._slots)

    def put(self, message: Deliver | Clear, recipient: str, at: float) -> Slot | None:
        """Somebody is to be told. The slot it goes by; None if a newer revision has been heard of.

        A frame is for the whole team: who asks while one is fresh on the air (`RESEND_S`) is told by it.
        """
        slot = self._slots.get(message.alert.alert)
        if slot is not None and slot.revision > message.alert.revision:
            return None
        if slot is None or slot.revision < message.alert.revision or slot.ends != isinstance(message, Clear):
            slot = self._slots[message.alert.alert] = _slot_after(slot, message, at)
            self._make_room()
        if slot.accepted.is_set() and at - slot.sent_at < RESEND_S:
            slot.told.add(recipient)
        else:
            self._ask(slot, recipient, at)
        return slot

    def holds(self, slot: Slot) -> bool:
        """True while ``slot`` was not replaced, shed or dropped."""
        return self._slots.get(slot.alert) is slot

    def due(self, at: float) -> Slot | None:
        """The most urgent slot whose time has come."""
        self._expire(at)
        ready = [slot for slot in self._slots.values() if slot.next_at <= at]
        return min(ready, key=lambda slot: slot.urgency, default=None)

    def next_at(self) -> float:
        """When the next slot's time comes; infinite if none waits."""
        return min((slot.next_at for slot in self._slots.values()), default=math.inf)

    def went_out(self, slot: Slot, at: float, airtime_s: float) -> None:
        """The node has queued it. Who asked is told now."""
        slot.times += 1
        slot.sent_at = at
        slot.told |= slot.asked.keys()
        slot.asked.clear()
        slot.accepted.set()
        slot.next_at = math.inf
        if slot.repeats:
            pause_s = _pause_s(slot.before + slot.times)
            slot.next_at = at + max(pause_s, AIRTIMES_BETWEEN * airtime_s) * self._jitter()

    def wait(self, slot: Slot, until: float) -> None:
        """It may not, or could not, go out before ``until``."""
        slot.next_at = until

    def quiet(self, alert: str, revision: int) -> None:
        """Somebody has this revision in hand: it is not repeated. A later one is."""
        slot = self._slots.get(alert)
        if slot is not None and slot.revision <= revision and slot.times > 0 and not slot.ends:
            slot.next_at = math.inf

    def _ask(self, slot: Slot, recipient: str, at: float) -> None:
        """For what went out before, that is an escalation: it is said once more, to all."""
        slot.asked[recipient] = None
        if slot.accepted.is_set():
            slot.accepted.clear()
            slot.told.clear()
            slot.next_at = at

    def _expire(self, at: float) -> None:
        self._slots = {name: slot for name, slot in self._slots.items() if slot.expires >= at}

    def _make_room(self) -> None:
        for slot in heapq.nlargest(len(self._slots) - MOST, self._slots.values(), key=lambda s: s.urgency):
            self.shed += bool(slot.asked)
            del self._slots[slot.alert]


def _pause_s(frames: int) -> float:
    """After that many frames of one alarm."""
    return float(min(FIRST_PAUSE_S * GROWTH ** min(frames - 1, 50), LONGEST_PAUSE_S))


def _slot_after(before: Slot | None, message: Deliver | Clear, at: float) -> Slot:
    """A revision that raises nothing waits until the one before has had its time; another alarm does not."""
    if before is None or before.is_news or before.ends or isinstance(message, Clear):
        return Slot(message, next_at=at)
    was, now = before.message.alert, message.alert
    graver = LEVEL_RANK[now.level] > LEVEL_RANK[was.level]
    if graver or (now.state == "active-unacked" and was.state != "active-unacked"):
        return Slot(message, next_at=at)
    frames = before.before + before.times
    return Slot(
        message, next_at=max(at, before.sent_at + FIRST_PAUSE_S), before=frames, sent_at=before.sent_at
    )


class AirBudget:
    """A share ``duty`` of each hour on the air. The first word of an IMMINENT alarm is never held back."""

    def __init__(self, duty: float, at: float) -> None:
        self._duty, self._most = duty, duty * HOUR_S
        self._left, self._at = self._most, at

    @property
    def left(self) -> float:
        """Share of the hour's airtime that is left; below 0 after IMMINENT alerts overdrew it."""
        return self._left / self._most

    def wait_s(self, slot: Slot, cost_s: float, at: float) -> float:
        """Seconds until ``slot`` may take ``cost_s`` of airtime; 0: now."""
        self._refill(at)
        if slot.is_news and not slot.ends and slot.message.alert.level == "imminent":
            return 0.0
        missing = cost_s + slot.reserve * self._most - self._left
        return max(0.0, missing / self._duty)

    def spend(self, cost_s: float, at: float) -> None:
        """It went on the air."""
        self._refill(at)
        self._left = max(self._left - cost_s, -self._most)

    def _refill(self, at: float) -> None:
        self._left = min(self._most, self._left + max(0.0, at - self._at) * self._duty)
        self._at = max(at, self._at)
