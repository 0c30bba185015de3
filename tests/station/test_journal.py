"""The journal: a start after a crash continues where the log ends, whatever the log looks like."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from station_build import START, Hand, demo, scenario_bodies

from vedette.core import Core
from vedette.model import Event, Receipt
from vedette.model.event import Configure, Deliver, OperatorPosition, RecordStatus, Shed, Snapshot
from vedette.record import Keyring, Log, LogLocked, verify
from vedette.station.engine import Engine
from vedette.station.journal import Journal

SITE = demo().head.site
BODIES = list(scenario_bodies(demo()))


class Run:
    """One life of a station's engine and journal, without peers."""

    def __init__(self, folder: Path, settings: dict[str, object] | None = None) -> None:
        self.journal = Journal(folder, Configure(site=SITE, settings=settings or {}), ())
        self.hand = Hand(max(START, self.journal.at))
        self.decided: list[Event] = []
        self.statuses: list[RecordStatus] = []
        self.engine = Engine(
            self.journal.core,
            self.hand.now,
            self.journal.submit,
            self._effect,
            lambda event, error: pytest.fail(repr(error)),
            self.journal.seq,
            self.journal.at,
        )

    def _effect(self, event: Event) -> None:
        self.decided.append(event)
        self.journal.outbox.fold(event.body)

    async def play(self, first: int, last: int) -> None:
        self.journal.start(self.engine, self.statuses.append)
        for at, body in BODIES[first:last]:
            self.hand.at = max(self.hand.at, at)
            self.engine.enter(body)
        await self.journal.durable(self.engine.seq, 30.0)


def live(folder: Path, first: int, last: int, *, snapshot: bool = False, **options: object) -> Run:
    """Play a part of the demo, then end without a goodbye (the log is only closed)."""

    async def story() -> Run:
        run = Run(folder, **options)  # type: ignore[arg-type]
        await run.play(first, last)
        if snapshot:
            run.journal.snapshot(run.engine)
        await run.journal.close()
        return run

    return asyncio.run(story())


MIDDLE = next(n for n, (at, _) in enumerate(BODIES) if at > START + 130.0)


@pytest.mark.parametrize("snapshot", [True, False])
def test_the_core_continues_to_the_bit(tmp_path: Path, snapshot: bool) -> None:
    whole = live(tmp_path / "whole", 0, MIDDLE)
    live(tmp_path / "cut", 0, MIDDLE // 2, snapshot=snapshot)
    rest = live(tmp_path / "cut", MIDDLE // 2, MIDDLE)
    assert rest.engine.core.snapshot() == whole.engine.core.snapshot()


def test_the_outbox_is_rebuilt_with_everybody_unacknowledged(tmp_path: Path) -> None:
    before = live(tmp_path, 0, MIDDLE)
    assert before.journal.outbox.entries
    for snapshot in (False, True):
        after = live(tmp_path, 0, 0, snapshot=snapshot)
        assert after.journal.outbox.entries.keys() == before.journal.outbox.entries.keys()
        assert all(not entry.sent for entry in after.journal.outbox.entries.values())


def test_decisions_that_a_crash_cut_off_are_written_and_performed(tmp_path: Path) -> None:
    live(tmp_path, 0, MIDDLE)
    path, keys = tmp_path / "events.log", Keyring(tmp_path / "keys")
    with Log.open(path, keys, readonly=True) as log:
        events = list(log.events())
    last = max(n for n, event in enumerate(events) if isinstance(event.body, Deliver))
    cut = tmp_path / "cut"
    cut.mkdir()
    (tmp_path / "keys").rename(cut / "keys")
    with Log.create(cut / "events.log", Keyring(cut / "keys")) as log:
        log.append(events[:last])
    again = live(cut, 0, 0)
    assert isinstance(again.decided[0].body, Deliver)
    assert again.decided[0].body == events[last].body
    assert again.decided[0].seq == events[last].seq


def test_a_snapshot_of_another_version_is_passed_over(tmp_path: Path) -> None:
    run = live(tmp_path, 0, MIDDLE)
    with Log.open(tmp_path / "events.log", Keyring(tmp_path / "keys")) as log:
        foreign = Snapshot(after=log.last.seq, state=msgspec.msgpack.encode({"format": 999}))
        log.append([Event(log.last.seq + 1, log.last.at, foreign)])
    again = live(tmp_path, 0, 0)
    assert again.engine.core.alerts() == run.engine.core.alerts()


def test_changed_settings_are_an_event_and_keep_the_alerts(tmp_path: Path) -> None:
    run = live(tmp_path, 0, MIDDLE)
    again = live(tmp_path, 0, 0, settings={"warn": {}})
    assert [alert.alert for alert in again.engine.core.alerts()] == [
        a.alert for a in run.engine.core.alerts()
    ]
    with Log.open(tmp_path / "events.log", Keyring(tmp_path / "keys"), readonly=True) as log:
        assert sum(isinstance(event.body, Configure) for event in log.events()) == 2


def test_a_damaged_log_is_set_aside_and_said(tmp_path: Path) -> None:
    (tmp_path / "events.log").write_bytes(b"not a log at all" * 100)
    run = live(tmp_path, 0, 50)
    assert (tmp_path / "events.log.damaged-1").read_bytes().startswith(b"not a log")
    assert run.statuses
    assert "events.log.damaged-1" in str(run.statuses[0].reason)
    again = live(tmp_path, 0, 0)
    assert again.journal.seq >= run.engine.seq


def test_two_stations_on_one_log_are_refused(tmp_path: Path) -> None:
    async def story() -> None:
        run = Run(tmp_path)
        run.journal.start(run.engine, run.statuses.append)
        with pytest.raises(LogLocked):
            Run(tmp_path)
        await run.journal.close()

    asyncio.run(story())


def test_operator_positions_are_beyond_reading_after_72_hours(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    place = OperatorPosition(time=START, sensor="odid", id="X", lat_deg=31.0, lon_deg=-110.0)

    async def story() -> Run:
        run = Run(tmp_path)
        run.journal.start(run.engine, run.statuses.append)
        run.engine.enter(place)
        run.engine.enter(Receipt(time=START, alert="A", revision=1, recipient="u", channel="c", fact="shown"))
        await run.journal.close()
        return run

    run = asyncio.run(story())
    day_start = START - START % 86_400.0
    run.journal.forget_operators(day_start + 71 * 3600.0)
    assert list(keys.glob("operator*.key"))
    run.journal.forget_operators(day_start + 72 * 3600.0 + 1.0)
    assert not list(keys.glob("operator*.key"))
    assert list(keys.glob("people*.key"))
    with Log.open(tmp_path / "events.log", Keyring(keys), readonly=True) as log:
        kept = list(log.events(skip_sealed=True))
    assert any(isinstance(event.body, Receipt) for event in kept)
    assert not any(isinstance(event.body, OperatorPosition) for event in kept)
    assert verify(tmp_path / "events.log").good


def test_a_decision_that_was_shed_is_not_made_again(tmp_path: Path) -> None:
    live(tmp_path, 0, MIDDLE)
    with Log.open(tmp_path / "events.log", Keyring(tmp_path / "keys"), readonly=True) as log:
        events = list(log.events())
    first = next(n for n, event in enumerate(events) if isinstance(event.body, Deliver))
    gone = Event(events[first].seq, events[first].at, Shed(what="record", count=1))
    other = tmp_path / "other"
    other.mkdir()
    with Log.create(other / "events.log", Keyring(other / "keys")) as log:
        log.append([*events[:first], gone, *events[first + 1 :]])
    again = live(other, 0, 0)
    assert again.decided == []


def test_a_damaged_log_takes_its_side_files_along(tmp_path: Path) -> None:
    for end in ("", "-wal"):
        (tmp_path / f"events.log{end}").write_bytes(b"not a log at all" * 100)
    live(tmp_path, 0, 50)
    assert verify(tmp_path / "events.log").good


def test_ints_in_the_configuration_replay_as_they_ran(tmp_path: Path) -> None:
    whole = msgspec.structs.replace(SITE, alt_m=1150, lat_deg=31)

    async def story(folder: Path) -> bytes:
        journal = Journal(folder, Configure(site=whole), ())
        engine = Engine(
            journal.core, lambda: START, journal.submit, lambda e: None, lambda e, x: None, journal.seq
        )
        journal.start(engine, lambda status: None)
        await journal.durable(engine.seq, 30.0)
        state = engine.core.snapshot()
        await journal.close()
        return state

    first = asyncio.run(story(tmp_path))
    assert Core.restore(first).snapshot() == first
    with Log.open(tmp_path / "events.log", Keyring(tmp_path / "keys"), readonly=True) as log:
        logged = next(event.body for event in log.events() if isinstance(event.body, Configure))
    assert Core(logged).snapshot() == first
