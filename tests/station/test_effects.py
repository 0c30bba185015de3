"""From a decision to the outbox: a message for many goes in parts, and a snapshot misses none of it."""

import asyncio
from pathlib import Path

from station_build import Hand, journal

from vedette.model import Alert, Event
from vedette.model.event import Deliver, RecordStatus
from vedette.station.effects import FIRST_PART, Effects
from vedette.station.engine import Engine
from vedette.station.postman import Postman
from vedette.station.stages import Stages

UNITS = tuple(f"U{number}" for number in range(5_000))


class Wakes(Postman):
    """Counts what was in the outbox each time."""

    def __init__(self) -> None:
        self.found: list[int] = []
        self.count = lambda: 0

    def wake(self, *, more: bool = False) -> None:
        self.found.append(self.count())


def test_parts_go_in_one_after_the_other_and_a_snapshot_holds_everybody(tmp_path: Path) -> None:
    async def scene() -> None:
        hand = Hand()
        kept = journal(tmp_path)
        decided: list[Event] = []
        engine = Engine(
            kept.core, hand.now, kept.submit, decided.append, lambda event, error: None, kept.seq, kept.at
        )
        statuses: list[RecordStatus] = []
        kept.start(engine, statuses.append)
        wakes = Wakes()
        wakes.count = lambda: len(kept.outbox.entries)
        effects = Effects(kept, kept.outbox, wakes, Stages(hand.now), lambda alert: None)
        engine.resume([Deliver(alert=warning(hand.at), recipients=UNITS, rule="r", roster_version=1)])
        work = asyncio.create_task(effects.perform(decided[0], None))
        while not kept.outbox.entries:
            await asyncio.sleep(0)
        assert 0 < len(kept.outbox.entries) < len(UNITS)
        kept.snapshot(engine, effects.under_way())
        await work
        assert wakes.found[0] == FIRST_PART
        assert wakes.found[-1] == len(UNITS)
        assert not effects.under_way()
        await kept.close()

    asyncio.run(scene())
    after = journal(tmp_path)
    assert {recipient for _, recipient in after.outbox.entries} == set(UNITS)
    assert after._log is not None
    after._log.close()


def warning(at: float) -> Alert:
    return Alert(
        time=at,
        alert="A1",
        revision=1,
        level="warning",
        state="active-unacked",
        units=("U0",),
        track="T1",
        behaviour="closing",
        text={"en": "x"},
        expires=at + 1000.0,
        bearing_deg=0.0,
    )
