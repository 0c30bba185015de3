"""The log writer on a healthy disk: group commit, waiting, order, closing."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from vedette.model import Event, Receipt, UnitReport
from vedette.model.event import RecordStatus, Tick
from vedette.record import Keyring, Log, LogError, ReserveFile, verify
from vedette.station.log_writer import LogWriter

LONG_S = 60.0
"""A wait that only a defect uses up."""

RECEIPT = Receipt(time=1.0, alert="a", revision=1, recipient="u", channel="tak", fact="shown")


class Desk:
    """A writer and what it reported."""

    def __init__(self, folder: Path) -> None:
        self.durable: list[int] = []
        self.statuses: list[RecordStatus] = []
        self.threads: set[str] = set()
        self.path = folder / "site.log"
        self.log = Log.create(self.path, Keyring(folder / "keys"))
        self.writer = LogWriter(
            self.log, ReserveFile(folder / "reserve", 1 << 20), self._note_durable, self._note_status
        )

    def _note_durable(self, seq: int) -> None:
        self.threads.add(threading.current_thread().name)
        self.durable.append(seq)

    def _note_status(self, status: RecordStatus) -> None:
        self.statuses.append(status)


def run(tmp_path: Path, story: Callable[[Desk], Awaitable[None]]) -> Desk:
    """Play ``story`` with a writer in a fresh event loop."""

    async def play() -> Desk:
        desk = Desk(tmp_path)
        try:
            await story(desk)
        finally:
            await desk.writer.close(LONG_S)
        return desk

    return asyncio.run(play())


def ticks(first: int, count: int) -> list[Event]:
    return [Event(first + i, 0.1 * (first + i), Tick()) for i in range(count)]


def read(desk: Desk) -> list[Event]:
    with Log.open(desk.path, Keyring(desk.path.parent / "keys"), readonly=True) as log:
        return list(log.events())


def test_submitted_events_are_on_the_disk_when_the_wait_ends(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        desk.writer.submit(ticks(1, 10))
        assert await desk.writer.wait_durable(10, LONG_S)
        assert verify(desk.path).last == 10
        assert desk.writer.durable_seq == 10

    desk = run(tmp_path, story)
    assert read(desk) == ticks(1, 10)
    assert desk.statuses == []


def test_what_waits_goes_into_one_transaction(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        with desk.writer._ready:
            for seq in range(1, 501):
                desk.writer.submit(ticks(seq, 1))
        assert await desk.writer.wait_durable(500, LONG_S)

    desk = run(tmp_path, story)
    assert desk.durable == [500]


def test_callbacks_come_in_the_loops_thread_and_only_forward(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        for seq in range(1, 40):
            desk.writer.submit(ticks(seq, 1))
            await asyncio.sleep(0)
        assert await desk.writer.wait_durable(39, LONG_S)

    desk = run(tmp_path, story)
    assert desk.threads == {threading.current_thread().name}
    assert desk.durable == sorted(set(desk.durable))
    assert desk.durable[-1] == 39


def test_many_waiters_are_woken_each_by_its_own_event(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        waits = [asyncio.ensure_future(desk.writer.wait_durable(seq, LONG_S)) for seq in range(1, 101)]
        await asyncio.sleep(0)
        desk.writer.submit(ticks(1, 60))
        assert all(await asyncio.gather(*waits[:60]))
        assert not any(wait.done() for wait in waits[60:])
        desk.writer.submit(ticks(61, 40))
        assert all(await asyncio.gather(*waits))

    run(tmp_path, story)


def test_an_event_that_never_comes_is_unlogged_and_counted(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        assert not await desk.writer.wait_durable(1)
        assert desk.writer.status() == RecordStatus(state="good", unlogged=1)
        desk.writer.submit(ticks(1, 1))
        assert await desk.writer.wait_durable(1, LONG_S)

    run(tmp_path, story)


def test_a_cancelled_wait_disturbs_nobody(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        wait = asyncio.ensure_future(desk.writer.wait_durable(1, LONG_S))
        await asyncio.sleep(0)
        wait.cancel()
        desk.writer.submit(ticks(1, 1))
        assert await desk.writer.wait_durable(1, LONG_S)
        assert wait.cancelled()

    run(tmp_path, story)


@pytest.mark.parametrize(
    "events",
    [ticks(2, 1), ticks(4, 1), [Event(3, 0.0, Tick())], [*ticks(3, 2), *ticks(4, 1)]],
    ids=["again", "gap", "time-goes-back", "again-inside"],
)
def test_events_out_of_order_are_refused_at_once(tmp_path: Path, events: list[Event]) -> None:
    async def story(desk: Desk) -> None:
        desk.writer.submit(ticks(1, 2))
        with pytest.raises(LogError, match="cannot follow event"):
            desk.writer.submit(events)
        desk.writer.submit(ticks(3, 1))
        assert await desk.writer.wait_durable(3, LONG_S)

    assert read(run(tmp_path, story)) == ticks(1, 3)


def test_closing_writes_everything_and_frees_the_log(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        desk.writer.submit(ticks(1, 20_000))
        assert await desk.writer.close(LONG_S) == 0
        with pytest.raises(LogError, match="closing"):
            desk.writer.submit(ticks(20_001, 1))

    desk = run(tmp_path, story)
    desk.writer._thread.join(LONG_S)
    assert not desk.writer._thread.is_alive()
    with Log.open(desk.path, Keyring(tmp_path / "keys")) as log:
        assert log.last.seq == 20_000
    assert verify(desk.path).good


def test_a_writer_goes_on_behind_what_the_log_holds(tmp_path: Path) -> None:
    async def first(desk: Desk) -> None:
        desk.writer.submit(ticks(1, 5))

    async def again() -> None:
        log = Log.open(tmp_path / "site.log", Keyring(tmp_path / "keys"))
        writer = LogWriter(log, ReserveFile(tmp_path / "reserve", 4096), print, print)
        assert writer.durable_seq == 5
        assert await writer.wait_durable(5)
        writer.submit(ticks(6, 5))
        assert await writer.close(LONG_S) == 0

    desk = run(tmp_path, first)
    asyncio.run(again())
    assert read(desk) == ticks(1, 10)


def test_an_event_that_cannot_be_recorded_is_named_and_the_rest_is_written(tmp_path: Path) -> None:
    nowhere = UnitReport(time=1.0, unit="u", lat_deg=999.0, lon_deg=0.0, sigma_m=1.0, mobility="foot")

    async def story(desk: Desk) -> None:
        desk.writer.submit([*ticks(1, 2), Event(3, 0.3, nowhere), Event(4, 0.4, RECEIPT)])
        assert await desk.writer.wait_durable(4, LONG_S)
        await asyncio.sleep(0)

    desk = run(tmp_path, story)
    assert [event.kind for event in read(desk)] == ["tick", "tick", "shed", "receipt"]
    degraded, good = desk.statuses
    assert degraded.state == "degraded"
    assert degraded.reason is not None
    assert "event 3 (unit) could not be read back" in degraded.reason
    assert good == RecordStatus(state="good", waiting=4)
