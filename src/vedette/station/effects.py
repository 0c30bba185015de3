"""From a decision to the outbox: once the disk has it, or after 50 ms without (law 2)."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from vedette.model import Event
from vedette.model.event import Clear, Deliver
from vedette.station.journal import Journal
from vedette.station.outbox import Outbox
from vedette.station.postman import Postman
from vedette.station.stages import Stages

WAIT_S = 0.05
"""Longest time an effect waits for the disk."""
FIRST_PART, PART = 64, 2000
"""Recipients of one message that are put in the outbox at once; the first go out meanwhile."""
MOMENTS = 10_000
"""Messages of which is kept: event, wall clock (Unix seconds) when it was decided, how many it is for."""


class Effects:
    """Performs messages. ``unlogged(alert)`` is told of each that goes out before the disk has it."""

    def __init__(
        self,
        journal: Journal,
        outbox: Outbox,
        postman: Postman,
        stages: Stages,
        unlogged: Callable[[str], None],
    ) -> None:
        self._journal, self._outbox, self._postman, self._stages = journal, outbox, postman, stages
        self._unlogged = unlogged
        self._moments: deque[tuple[int, float, int]] = deque(maxlen=MOMENTS)
        self._under_way: dict[int, Deliver | Clear] = {}

    def under_way(self) -> Iterable[Deliver | Clear]:
        """What was decided and is not in the outbox as a whole yet: a snapshot must not miss it."""
        return self._under_way.values()

    def perform(self, event: Event, cause: float | None) -> Coroutine[Any, Any, None]:
        """One message, to be awaited; ``cause``: when the bytes behind it reached the station."""
        message = event.body
        assert isinstance(message, Deliver | Clear)
        self._under_way[event.seq] = message
        self._moments.append((event.seq, time.time(), len(message.recipients)))
        return self._perform(event.seq, message, cause)

    def leave(self) -> None:
        """Small files beside the log: how long each stage took, and when the last messages were decided."""
        self._journal.leave("latency.json", self._stages.percentiles())
        self._journal.leave("decided.json", list(self._moments))

    async def _perform(self, seq: int, message: Deliver | Clear, cause: float | None) -> None:
        logged = await self._journal.durable(seq, WAIT_S)
        self._stages.since(cause, "logged")
        if not logged:
            self._unlogged(message.alert.alert)
        for part in _in_parts(message.recipients):
            self._outbox.address(message, part, cause)
            if len(message.recipients) > FIRST_PART:
                self._postman.wake(more=True)
                await asyncio.sleep(0)
        self._postman.wake()
        del self._under_way[seq]


def _in_parts(recipients: Sequence[str]) -> Iterable[Sequence[str]]:
    """A small part first, so that the most endangered do not wait for the many."""
    yield recipients[:FIRST_PART]
    for start in range(FIRST_PART, len(recipients), PART):
        yield recipients[start : start + PART]
