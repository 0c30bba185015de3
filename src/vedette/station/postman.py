"""The postman: carries the outbox to the peers, most urgent first, one worker a channel.

A channel that hangs holds up nobody on another one. What a channel could not take is tried again
every second for as long as the outbox holds it. A channel that takes a message for many at once
(`BulkPeer`) is given it so.
"""

import asyncio
import contextlib
import itertools

import structlog

from vedette.model.event import Clear, Deliver
from vedette.station.outbox import Entry, Outbox
from vedette.station.ports import BulkPeer, Clock, Peer
from vedette.station.stages import Stages

SEND_S = 2.0
"""Longest time one message may take to leave before the channel counts as stuck."""
RETRY_S = 1.0
LOOK_AGAIN = 32
"""Messages after which a channel looks for something more urgent that became due meanwhile."""
AT_ONCE = 32
"""Messages of one channel that may be under way at once."""
BULK = 2000
"""Recipients after which a channel that takes many at once looks for something more urgent."""
BULKS_AT_ONCE = 4
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

    def wake(self, *, more: bool = False) -> None:
        """Something is due. ``more``: and more follows at once, so that only channels that take many at a
        time begin already."""
        for peer in self._peers:
            if not more or isinstance(peer, BulkPeer):
                self._wakes[peer.name].set()

    async def run(self) -> None:
        """Serve all channels until cancelled."""
        async with asyncio.TaskGroup() as group:
            for peer in self._peers:
                group.create_task(self._channel(peer))

    async def _channel(self, peer: Peer) -> None:
        wake = self._wakes[peer.name]
        while True:
            wake.clear()
            failed = await (self._bulk_round(peer) if isinstance(peer, BulkPeer) else self._round(peer))
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
            while due := self._due(peer, tried, LOOK_AGAIN):
                for entry in due:
                    await slots.acquire()
                    tried.add(entry)
                    group.create_task(self._carry(peer, entry, slots, failed))
        return bool(failed)

    async def _bulk_round(self, peer: BulkPeer) -> bool:
        """The same on a channel that takes one message for many at once."""
        tried: set[Entry] = set()
        slots = asyncio.Semaphore(BULKS_AT_ONCE)
        failed: list[Entry] = []
        async with asyncio.TaskGroup() as group:
            while due := self._due(peer, tried, BULK):
                tried.update(due)
                for entry in due:
                    self._outbox.handed(entry, peer.name)
                of_message: dict[int, list[Entry]] = {}
                for entry in due:
                    of_message.setdefault(id(entry.message), []).append(entry)
                for entries in of_message.values():
                    await slots.acquire()
                    group.create_task(self._carry_all(peer, entries, slots, failed))
        return bool(failed)

    def _due(self, peer: Peer, tried: set[Entry], most: int) -> list[Entry]:
        """The next messages, most urgent first: a few, then it looks again for something worse."""
        waiting = self._outbox.due(peer.name, self._clock.now(), peer.reaches)
        ready = (entry for entry in waiting if entry not in tried)
        return list(itertools.islice(ready, most))

    async def _carry(self, peer: Peer, entry: Entry, slots: asyncio.Semaphore, failed: list[Entry]) -> None:
        try:
            if self._outbox.holds(entry) and not await self._send(peer, entry):
                failed.append(entry)
        finally:
            slots.release()

    async def _carry_all(
        self, peer: BulkPeer, entries: list[Entry], slots: asyncio.Semaphore, failed: list[Entry]
    ) -> None:
        try:
            held = [entry for entry in entries if self._outbox.holds(entry)]
            if not held:
                return
            took = await self._send_all(peer, held[0].message, [entry.recipient for entry in held])
            for entry in held:
                if entry.recipient in took:
                    self._outbox.sent(entry, peer.name)
                else:
                    self._outbox.kept(entry, peer.name)
                    failed.append(entry)
            self._stages.since(held[0].cause, "sent")
        finally:
            slots.release()

    async def _send_all(
        self, peer: BulkPeer, message: Deliver | Clear, recipients: list[str]
    ) -> frozenset[str]:
        try:
            async with asyncio.timeout(SEND_S):
                return await peer.deliver_all(message, recipients)
        except (ConnectionError, TimeoutError) as error:
            self._note_failure(peer, error)
            return frozenset()

    async def _send(self, peer: Peer, entry: Entry) -> bool:
        try:
            async with asyncio.timeout(SEND_S):
                if isinstance(entry.message, Clear):
                    await peer.clear(entry.message, entry.recipient)
                else:
                    await peer.deliver(entry.message, entry.recipient)
        except (ConnectionError, TimeoutError) as error:
            self._note_failure(peer, error)
            return False
        self._outbox.sent(entry, peer.name)
        self._stages.since(entry.cause, "sent")
        return True

    def _note_failure(self, peer: Peer, error: Exception) -> None:
        self.failures[peer.name] += 1
        log.warning("not sent", channel=peer.name, error=type(error).__name__)
