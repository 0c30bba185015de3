"""The postman: carries the outbox to the peers, most urgent first, one worker a channel.

A channel that hangs holds up nobody on another one. What a channel could not take is tried again
every second for as long as the outbox holds it.
"""

import asyncio
import contextlib
import itertools

import structlog

from vedette.model.event import Clear
from vedette.station.outbox import Entry, Outbox
from vedette.station.ports import Clock, Peer
from vedette.station.stages import Stages

SEND_S = 2.0
"""Longest time one message may take to leave before the channel counts as stuck."""
RETRY_S = 1.0
LOOK_AGAIN = 32
"""Messages after which a channel looks for something more urgent that became due meanwhile."""
AT_ONCE = 32
"""Messages of one channel that may be under way at once."""
log = structlog.get_logger("postman")


class Postman:
    """Sends what is due. ``wake`` tells it that something is."""

    def __init__(self, outbox: Outbox, clock: Clock, peers: tuple[Peer, ...], stages: Stages) -> None:
        self._outbox = outbox
        self._clock = clock
        self._peers = peers
        self._stages = stages
        self._wakes = {peer.name: asyncio.Event() for peer in peers}
        self.failures: dict[str, int] = {peer.name: 0 for peer in peers}

    def wake(self) -> None:
        """Something is due."""
        for wake in self._wakes.values():
            wake.set()

    async def run(self) -> None:
        """Serve all channels until cancelled."""
        async with asyncio.TaskGroup() as group:
            for peer in self._peers:
                group.create_task(self._channel(peer))

    async def _channel(self, peer: Peer) -> None:
        wake = self._wakes[peer.name]
        while True:
            wake.clear()
            failed = await self._round(peer)
            patience = RETRY_S if failed else 5 * RETRY_S
            # Not asyncio.wait_for: before Python 3.12 it can swallow a cancellation.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await wake.wait()

    async def _round(self, peer: Peer) -> bool:
        """Send everything that is due on one channel; True if something could not go out.

        Several messages are under way at once, so that a recipient who takes nothing holds up nobody.
        """
        tried: set[Entry] = set()
        slots = asyncio.Semaphore(AT_ONCE)
        failed: list[Entry] = []
        async with asyncio.TaskGroup() as group:
            while due := self._due(peer, tried):
                for entry in due:
                    await slots.acquire()
                    tried.add(entry)
                    group.create_task(self._carry(peer, entry, slots, failed))
        return bool(failed)

    def _due(self, peer: Peer, tried: set[Entry]) -> list[Entry]:
        """The next messages, most urgent first: a few, then it looks again for something worse."""
        waiting = self._outbox.due(peer.name, self._clock.now())
        ready = (entry for entry in waiting if entry not in tried and peer.reaches(entry.recipient))
        return list(itertools.islice(ready, LOOK_AGAIN))

    async def _carry(self, peer: Peer, entry: Entry, slots: asyncio.Semaphore, failed: list[Entry]) -> None:
        try:
            if self._outbox.holds(entry) and not await self._send(peer, entry):
                failed.append(entry)
        finally:
            slots.release()

    async def _send(self, peer: Peer, entry: Entry) -> bool:
        try:
            async with asyncio.timeout(SEND_S):
                if isinstance(entry.message, Clear):
                    await peer.clear(entry.message, entry.recipient)
                else:
                    await peer.deliver(entry.message, entry.recipient)
        except (ConnectionError, TimeoutError) as error:
            self.failures[peer.name] += 1
            log.warning("not sent", channel=peer.name, error=type(error).__name__)
            return False
        self._outbox.sent(entry, peer.name)
        self._stages.since(entry.cause, "sent")
        return True
