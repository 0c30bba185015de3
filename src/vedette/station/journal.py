"""The station's record: opens the log, recovers from it, writes to it, and never stands in the way.

A start after a crash is snapshot + replay: the core continues where the log ends, and the outbox
holds everybody who has not acknowledged. If there is no room for a log at all, the station warns
without a record and says so (law 2).
"""

import contextlib
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec
import structlog

from vedette.core import Core
from vedette.fuse import Grounds, no_ground
from vedette.model import Event, InputError, Intent, Roster, Site
from vedette.model.event import (
    INTENT_KINDS,
    Clear,
    Configure,
    Deliver,
    RecordStatus,
    Segment,
    Shed,
    Snapshot,
)
from vedette.model.unit import Duty, RosterEntry
from vedette.record import EventStream, Keyring, Log, LogError, LogLocked, Recovery, ReserveFile, recover
from vedette.record.fingerprint import fingerprint
from vedette.station.engine import Engine, exact
from vedette.station.log_writer import LogWriter
from vedette.station.outbox import Outbox

LOG_NAME = "events.log"
FORMAT = 1
OPERATOR_KEY_HOURS = 48.0
log = structlog.get_logger("journal")


class Journal:
    """``core``, ``outbox``, ``seq`` and ``at`` are where the log ends; ``continues`` the snapshot's event."""

    def __init__(
        self,
        folder: Path,
        configure: Configure,
        units: tuple[RosterEntry, ...],
        grounds: Grounds = no_ground,
        duty: tuple[Duty, ...] = (),
    ) -> None:
        self._grounds = grounds
        self.seq = 0
        self.at = 0.0
        self.outbox = Outbox()
        self.trouble: str | None = None
        self.warning: str | None = None
        as_logged = exact(configure)
        assert isinstance(as_logged, Configure)
        configure = self._configure = as_logged
        self._units, self._duty = units, duty
        self._folder = folder
        self._writer: LogWriter | None = None
        self._pending: deque[Intent] = deque()
        self._continues: int | None = None
        core: Core | None = None
        self._keyring = Keyring(folder / "keys")
        self._log = self._open()
        if self._log is not None:
            core = self._recovered(self._log)
        self._fresh = core is None
        self.core = core or Core(configure, grounds=grounds)

    @property
    def site(self) -> Site:
        """The site as configured now; a recovered core learns of it when the segment begins."""
        return self._configure.site

    @property
    def waiting(self) -> int:
        """Events that wait in memory for the disk."""
        return self._writer.status().waiting if self._writer else 0

    def start(self, engine: Engine, changed: Callable[[RecordStatus], None]) -> None:
        """Begin a segment: write what a crash cut off, the fingerprint, and configuration that changed."""
        if self._log is not None:
            reserve = ReserveFile(self._folder / "reserve")
            reserve.make()
            self._writer = LogWriter(self._log, reserve, lambda seq: None, changed)
        engine.resume(self._pending)
        engine.note(Segment(format=FORMAT, fingerprint=fingerprint(), continues=self._continues))
        if self._fresh:
            engine.note(self._configure)
        elif self.core.configure != self._configure:
            engine.enter(self._configure)
        roster = self.core.roster
        if (self._units, self._duty) != (roster.units, roster.duty):
            engine.enter(Roster(version=roster.version + 1, units=self._units, duty=self._duty))
        reason = self.trouble or self.warning
        if reason is not None:
            changed(RecordStatus(state="degraded", reason=reason))

    def forget_operators(self, now: float) -> None:
        """Destroy the keys of broadcast operator positions, so that none is kept longer than 72 hours.

        A key lasts a UTC day; counted from its end, 48 hours leave its oldest position 72.
        """
        gone = self._keyring.expire_operator_keys(now, hours=OPERATOR_KEY_HOURS)
        if gone:
            log.info("operator positions are beyond reading now", keys=gone)

    def submit(self, events: Sequence[Event]) -> None:
        """Hand events to the log; returns at once."""
        if self._writer is not None:
            self._writer.submit(events)

    async def durable(self, seq: int, timeout_s: float) -> bool:
        """Wait until an event is on the disk; False if that takes too long or there is no log."""
        return self._writer is not None and await self._writer.wait_durable(seq, timeout_s)

    async def on_disk(self, seq: int, timeout_s: float) -> bool:
        """The same, for what is not held up by it: a wait that ends early is no effect without a record."""
        return self._writer is not None and await self._writer.wait_durable(seq, timeout_s, effect=False)

    def snapshot(self, engine: Engine, under_way: Iterable[Deliver | Clear] = ()) -> None:
        """Write the state of core and outbox, so that the next start need not replay everything.

        ``under_way``: messages that were decided and are not in the outbox yet."""
        deliveries, clears = self.outbox.pending()
        deliveries += tuple(one for one in under_way if isinstance(one, Deliver))
        clears += tuple(one for one in under_way if isinstance(one, Clear))
        state = engine.core.snapshot()
        engine.note(Snapshot(after=engine.seq, state=state, deliveries=deliveries, clears=clears))

    async def close(self) -> None:
        """Write what waits and close the log."""
        if self._writer is None:
            return
        lost = await self._writer.close()
        if lost:
            log.error("the disk did not take the last events", lost=lost)

    def leave(self, name: str, figures: object) -> None:
        """Leave a small file beside the log; a disk that has no room for it loses nothing of worth."""
        with contextlib.suppress(OSError):
            (self._folder / name).write_bytes(msgspec.json.encode(figures))

    def _open(self) -> Log | None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / LOG_NAME
        keyring = self._keyring
        try:
            return Log.open(path, keyring) if path.exists() else Log.create(path, keyring)
        except LogLocked:
            raise
        except InputError as error:
            return self._set_aside(path, keyring, error)
        except LogError as error:
            self.trouble = f"no record is kept: {error}"
            return None

    def _set_aside(self, path: Path, keyring: Keyring, error: InputError) -> Log:
        """A damaged log is kept under another name, and warning goes on with a new one."""
        number = next(
            n for n in itertools.count(1) if not path.with_name(f"{path.name}.damaged-{n}").exists()
        )
        aside = path.with_name(f"{path.name}.damaged-{number}")
        for end in ("", "-wal", "-shm"):
            # SQLite's side files belong to the log; left behind, they would be taken for the new one's.
            part = path.with_name(path.name + end)
            if part.exists():
                part.rename(aside.with_name(aside.name + end))
        log.error("the log could not be read and was set aside", kept=str(aside), error=str(error))
        self.warning = f"the log before this one could not be used and is kept as {aside.name}: {error}"
        return Log.create(path, keyring)

    def _recovered(self, log: Log) -> Core | None:
        """The core as the log left it. A log whose ground is lost is kept under another name: a station that
        cannot go on from its record must warn all the same."""
        try:
            return self._recover(recover(log))
        except InputError as error:
            log.close()
            self._log = self._set_aside(self._folder / LOG_NAME, self._keyring, error)
        self.seq, self.at, self.outbox, self._continues = 0, 0.0, Outbox(), None
        self._pending.clear()
        return None

    def _recover(self, recovery: Recovery) -> Core | None:
        self.seq, self.at = recovery.last_seq, recovery.last_at
        core = self._restore(recovery)
        events = recovery.events if core is not None or recovery.snapshot is None else self._from_start()
        for event in events:
            core = self._again(core, event)
        if recovery.problem is not None:
            self.warning = f"the last snapshot could not be used, the log was replayed: {recovery.problem}"
        if events.skipped:
            self.warning = f"{events.skipped} events could not be read (their keys are gone)"
        self.outbox.forget_sent()
        return core

    def _restore(self, recovery: Recovery) -> Core | None:
        """The core and the outbox of the latest snapshot; None if there is none that can be used."""
        snapshot = recovery.snapshot
        if snapshot is None:
            return None
        try:
            core = Core.restore(snapshot.state, grounds=self._grounds)
        except InputError as error:
            log.warning("replaying the whole log", reason=str(error))
            return None
        self._continues = snapshot.after
        for delivery in snapshot.deliveries:
            self.outbox.fold(delivery)
        for clear in snapshot.clears:
            self.outbox.fold(clear)
        return core

    def _from_start(self) -> EventStream:
        assert self._log is not None
        return self._log.events(skip_sealed=True)

    def _again(self, core: Core | None, event: Event) -> Core | None:
        """One event of the log: the outbox folds it, the core takes it, its decisions are ticked off."""
        self.outbox.fold(event.body)
        if event.kind in INTENT_KINDS or _stands_for_an_intent(event):
            if self._pending:
                self._pending.popleft()
        elif core is None:
            return Core(event.body, grounds=self._grounds) if isinstance(event.body, Configure) else None
        else:
            try:
                self._pending.extend(core.step(event))
            except Exception as error:
                log.error("the core failed on an event again", seq=event.seq, error=type(error).__name__)
        return core


def _stands_for_an_intent(event: Event) -> bool:
    """A full memory shed an event and left its number; if a decision is due here, it was that one."""
    return isinstance(event.body, Shed) and event.body.what == "record"
