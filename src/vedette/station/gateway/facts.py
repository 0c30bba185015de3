"""What phones say about alerts: checked, gathered, handed to the record, and confirmed when it is there."""

import asyncio
from array import array
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, NamedTuple

from vedette.model import Receipt
from vedette.model.alert import FACT_RANK
from vedette.station.gateway.pipe import Facts, Send, pack
from vedette.station.gateway.table import Reader, Table
from vedette.station.ports import BulkHub
from vedette.wire.gateway import AckFact, NotTaken, Taken, write

GATHER_S = 0.01
MOST_AT_ONCE = 2000
"""Receipts of one event."""
ACCEPTED_S = 0.5
"""A connection that took a message is told of so late, because its phone will have said more by then."""
PATIENCE_S = 5.0
MOST_TOLD = 200_000


class Telling(NamedTuple):
    """What one unit was told of one alert: the highest revision, and the highest fact of it that is known."""

    revision: int
    rank: int


class FactBook:
    """``tell(worker, Send)`` passes an answer on; ``spawn`` runs what waits for the disk."""

    def __init__(
        self,
        channel: str,
        hub: BulkHub,
        table: Table,
        tell: Callable[[int, Send], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._channel, self._hub, self._table = channel, hub, table
        self._tell, self._spawn = tell, spawn
        self._told: dict[tuple[str, str], Telling] = {}
        self._accepted: dict[tuple[str, str], tuple[float, int]] = {}
        self._out: list[Receipt] = []
        self._confirm: dict[tuple[int, str, int, AckFact], list[int]] = {}
        self._flushing = self._accepting = False

    def telling(self, alert: str, revision: int, readers: Iterable[Reader]) -> None:
        """These are being told: said before they are, for the answer of a phone may be faster than that of
        its worker."""
        told, fresh = self._told, Telling(revision, 0)
        for reader in readers:
            key = (alert, reader.unit)
            known = told.get(key)
            if known is None or known[0] < revision:
                told[key] = fresh
        while len(told) > MOST_TOLD:
            del told[next(iter(told))]

    def accepted(self, alert: str, revision: int, units: Iterable[str]) -> None:
        """The connections of these units took this revision."""
        at, rank, told = self._hub.clock.now(), FACT_RANK["accepted"], self._told
        fresh = Telling(revision, rank)
        for unit in units:
            key = (alert, unit)
            known = told.get(key)
            if known is None or known[0] < revision or (known[0] == revision and known[1] < rank):
                told[key] = fresh
                self._accepted[key] = (at, revision)
        if self._accepted and not self._accepting:
            self._accepting = True
            asyncio.get_running_loop().call_later(ACCEPTED_S, self._accept)

    def take(self, worker: int, facts: Facts, conns: "array[int]") -> int:
        """Facts of many; how many were refused. What is known already is confirmed once more."""
        at, rank, refused = self._hub.clock.now(), FACT_RANK[facts.fact], []
        alert, revision, fact = facts.alert, facts.revision, facts.fact
        personal, told, confirm = fact == "acknowledged", self._told, []
        for conn in conns:
            reader = self._table.at((worker, conn))
            if reader is None:
                continue
            key = (alert, reader.unit)
            known = told.get(key)
            if (personal and not reader.acknowledges) or not self._knows(reader.unit, facts, known):
                refused.append(conn)
                continue
            if known is None or known[0] != revision or known[1] < rank:
                self._accepted.pop(key, None)
                if known is None or known[0] <= revision:
                    told[key] = Telling(revision, rank)
                by = reader.who.actor if personal else None
                self._out.append(self._receipt(at, alert, revision, reader.unit, fact, by))
            confirm.append(conn)
        if personal and confirm:
            self._confirm.setdefault((worker, alert, revision, fact), []).extend(confirm)
        if refused:
            frame = write(NotTaken(alert, revision, fact, "this unit was told of no such alert"))
            self._tell(worker, Send(0, frame, pack(refused)))
        self._soon()
        return len(refused)

    def _knows(self, unit: str, facts: Facts, known: Telling | None) -> bool:
        """Whether the unit was told of it: by this gateway, or before the station started again."""
        if known is not None and 1 <= facts.revision <= known.revision:
            return True
        alert = self._hub.alert(facts.alert)
        return alert is not None and unit in alert.units and 1 <= facts.revision <= alert.revision

    def _receipt(self, at: float, alert: str, revision: int, unit: str, fact: str, by: str | None) -> Receipt:
        return Receipt(
            time=at,
            alert=alert,
            revision=revision,
            recipient=unit,
            channel=self._channel,
            fact=fact,  # type: ignore[arg-type]
            by=by,
        )

    def _accept(self) -> None:
        self._accepting = False
        for (alert, unit), (at, revision) in self._accepted.items():
            self._out.append(self._receipt(at, alert, revision, unit, "accepted", None))
        self._accepted.clear()
        self._soon()

    def _soon(self) -> None:
        if (self._out or self._confirm) and not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_later(GATHER_S, self._flush)

    def _flush(self) -> None:
        part, self._out = self._out[:MOST_AT_ONCE], self._out[MOST_AT_ONCE:]
        if part:
            self._hub.confirmed(part)
        if self._out:
            asyncio.get_running_loop().call_soon(self._flush)
            return
        self._flushing = False
        if self._confirm:
            confirm, self._confirm = self._confirm, {}
            self._spawn(self._confirmed(confirm))

    async def _confirmed(self, confirm: dict[tuple[int, str, int, AckFact], list[int]]) -> None:
        """Say so once the record has them. Where it has not, the phone says it again when it connects."""
        if not await self._hub.recorded(PATIENCE_S):
            return
        for (worker, alert, revision, fact), conns in confirm.items():
            self._tell(worker, Send(0, write(Taken(alert, revision, fact)), pack(conns)))
