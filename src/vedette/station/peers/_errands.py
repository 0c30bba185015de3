"""Messages that take their time: one counterpart, several under way at once, each tried again until it is
taken, refused for good, or no longer news.

One message for each alert and recipient, always the freshest: an older one that was not taken yet is given
up for it, and one that is under way is waited for, so that nothing overtakes what came after it. The most
urgent go first. When there are too many, the least urgent are shed and counted.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable

from msgspec import Struct

from vedette.model import Receipt
from vedette.model.event import Clear, Deliver
from vedette.model.threat import LEVEL_RANK
from vedette.station.ports import Hub

MOST = 2_000
WORKERS = 8
ATTEMPT_S = 10.0
"""Longest time for one attempt, from connecting to the answer."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
END_S = 60.0
"""How long the end of an alert is news."""
LOOK_S = 1.0
Key = tuple[str, str]


class RefusedError(Exception):
    """The counterpart will never take this message; the text says why."""


class Errand(Struct, eq=False):
    """One message to one recipient, with how often it was tried and when it is due (station time)."""

    message: Deliver | Clear
    recipient: str
    due: float
    tries: int = 0
    done: set[str] = set()
    """Parts of it that were taken, for a way that has several: they are not carried again."""

    @property
    def key(self) -> Key:
        """What it replaces and is replaced by."""
        return self.message.alert.alert, self.recipient

    @property
    def expires(self) -> float:
        """Station time after which it is no longer news."""
        alert = self.message.alert
        return max(alert.expires, alert.time + END_S) if isinstance(self.message, Clear) else alert.expires

    @property
    def urgency(self) -> tuple[int, float, str]:
        """Sorts the worst and soonest first, ends last."""
        alert = self.message.alert
        rank = -1 if isinstance(self.message, Clear) else LEVEL_RANK[alert.level]
        soonest = alert.time_to_impact_s[0] if alert.time_to_impact_s else float("inf")
        return -rank, soonest, self.recipient


Carry = Callable[[Errand], Awaitable[None]]
"""Bring it there. Returns when it was taken; raises OSError or TimeoutError: not now; RefusedError: never."""


class Errands:
    """``carry`` is called for one message of a key at a time. ``counts``: what became of them."""

    def __init__(
        self,
        name: str,
        carry: Carry,
        *,
        workers: int = WORKERS,
        most: int = MOST,
        attempt_s: float = ATTEMPT_S,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._name, self._carry = name, carry
        self._workers, self._most, self._attempt_s = workers, most, attempt_s
        self._first_pause_s = first_pause_s
        self._waiting: dict[Key, Errand] = {}
        self._under_way: set[Key] = set()
        self._wake = asyncio.Event()
        self._hub: Hub | None = None

    @property
    def running(self) -> bool:
        """True once `run` has begun: before, nothing is taken."""
        return self._hub is not None

    @property
    def waiting(self) -> int:
        """How many are not taken yet."""
        return len(self._waiting)

    def put(self, message: Deliver | Clear, recipient: str) -> None:
        """Take a message. Raises ConnectionError if the errands do not run, or too much that is worse
        waits."""
        if self._hub is None:
            raise ConnectionError(f"peer {self._name} does not run yet")
        errand = Errand(message, recipient, self._hub.clock.now())
        held = self._waiting.get(errand.key)
        if held is not None and held.message.alert.revision < message.alert.revision:
            self.counts["replaced"] += 1
        self._waiting[errand.key] = errand
        if len(self._waiting) > self._most:
            self._shed(errand)
        self._wake.set()

    async def run(self, hub: Hub) -> None:
        """Carry what is put, until cancelled."""
        self._hub = hub
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                self._wake.clear()
                running = {task for task in running if not _done(task)}
                for errand in self._next(hub, self._workers - len(running)):
                    self._under_way.add(errand.key)
                    task = asyncio.create_task(self._attempt(hub, errand))
                    task.add_done_callback(lambda _: self._wake.set())
                    running.add(task)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._patience_s(hub)):
                        await self._wake.wait()
        finally:
            self._hub = None
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _next(self, hub: Hub, room: int) -> list[Errand]:
        """The most urgent that are due; what is no longer news is dropped."""
        at = hub.clock.now()
        for errand in [errand for errand in self._waiting.values() if errand.expires < at]:
            self._drop(errand)
            self.counts["expired"] += 1
        due = [e for e in self._waiting.values() if e.due <= at and e.key not in self._under_way]
        return sorted(due, key=lambda errand: errand.urgency)[: max(0, room)]

    def _patience_s(self, hub: Hub) -> float:
        """How long nothing becomes due by itself, in seconds of this machine."""
        at = hub.clock.now()
        later = [e.due - at for e in self._waiting.values() if e.due > at and e.key not in self._under_way]
        return min(LOOK_S, min(later, default=LOOK_S) / hub.clock.speed + 0.001)

    async def _attempt(self, hub: Hub, errand: Errand) -> None:
        errand.tries += 1
        try:
            async with asyncio.timeout(self._attempt_s):
                await self._carry(errand)
        except RefusedError as error:
            self._drop(errand)
            self.counts["refused"] += 1
            hub.trouble(self._name, "refused", f"a message was refused for good: {str(error)[:200]}")
        except (OSError, TimeoutError):
            self.counts["failed"] += 1
            pause_s = min(self._first_pause_s * 2.0 ** min(errand.tries - 1, 10), LONGEST_PAUSE_S)
            errand.due = hub.clock.now() + pause_s * random.uniform(0.8, 1.2) * hub.clock.speed
        except Exception:
            # A fault of the program: the peer is started again, and must not meet the same message.
            self._drop(errand)
            raise
        else:
            self._drop(errand)
            self.counts["accepted"] += 1
            hub.trouble(self._name, "refused", None)
            hub.receipt(self._receipt(hub, errand))
        finally:
            self._under_way.discard(errand.key)

    def _receipt(self, hub: Hub, errand: Errand) -> Receipt:
        alert = errand.message.alert
        return Receipt(
            time=hub.clock.now(),
            alert=alert.alert,
            revision=alert.revision,
            recipient=errand.recipient,
            channel=self._name,
            fact="accepted",
        )

    def _drop(self, errand: Errand) -> None:
        """Unless it has been replaced meanwhile."""
        if self._waiting.get(errand.key) is errand:
            del self._waiting[errand.key]

    def _shed(self, newest: Errand) -> None:
        worst_last = max(self._waiting.values(), key=lambda errand: errand.urgency)
        self._drop(worst_last)
        self.counts["shed"] += 1
        if worst_last is newest:
            raise ConnectionError(f"peer {self._name}: too much that is worse waits")


def _done(task: "asyncio.Task[None]") -> bool:
    """True if it has ended. Raises what it failed with, if that was a fault of the program."""
    if task.done():
        task.result()
    return task.done()
