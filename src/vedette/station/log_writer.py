"""The log writer: a thread that owns the log, so that the disk never holds up the event loop.

Everything that waits when the disk is free goes into one transaction. An effect waits for its event
at most 50 ms and then goes out unlogged: nothing silences the warning (DESIGN section 2, law 2).
When the disk is full, events wait in memory and a reserve on the disk is given up, for the events up
to the last alert, receipt or action only; the rest is written when the reserve can be made again.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from vedette.model.errors import VedetteError
from vedette.model.event import Event, RecordStatus
from vedette.record import BadEvent, Log, LogBusy, LogError, LogFull, ReserveFile
from vedette.record.backlog import URGENT_KINDS, Backlog
from vedette.record.form import END_OF_TIME_S
from vedette.record.store import BUSY_TIMEOUT_S

MAX_WAIT_S = 0.05
"""How long an effect waits for the disk (DESIGN section 5)."""

RETRY_S = 0.5
STALL_S = 1.0
BACKLOG_LIMIT = 300_000
_BATCH = 2000
_TIGHT_BATCH = 200
"""Smaller transactions while the reserve is being used up: what fits of it is then used to the end."""


class LogWriter:
    """Writes a log from a thread of its own. All methods are for the event loop's thread.

    ``on_durable(seq)`` and ``on_status(RecordStatus)`` are called in ``loop`` (default: the running
    one): the first after each commit, the second when the record degrades or is good again. The
    thread runs from the start, and closes the log at its end.
    """

    def __init__(
        self,
        log: Log,
        reserve: ReserveFile,
        on_durable: Callable[[int], None],
        on_status: Callable[[RecordStatus], None],
        loop: asyncio.AbstractEventLoop | None = None,
        *,
        limit: int = BACKLOG_LIMIT,
        stall_s: float = STALL_S,
        retry_s: float = RETRY_S,
    ) -> None:
        head = log.last
        self.durable_seq = head.seq
        self._log = log
        self._reserve = reserve
        self._on_durable = on_durable
        self._on_status = on_status
        self._loop = loop or asyncio.get_running_loop()
        self._stall_s = stall_s
        self._retry_s = retry_s
        self._submitted = (head.seq, head.at)
        self._waiters: dict[asyncio.Future[None], int] = {}
        self._ended = self._loop.create_future()
        self._ready = threading.Condition()
        # Below: shared with the thread, under the lock of _ready.
        self._backlog = Backlog(limit)
        self._nudged = False
        self._close_by: float | None = None
        self._reason: str | None = None
        self._progress_at = time.monotonic()
        self._peak = 0
        self._unlogged = 0
        # Of the thread alone.
        self._reserve_tried_at = float("-inf")
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._watch_timer = self._loop.call_later(stall_s / 4, self._watch)
        self._thread.start()

    def submit(self, events: Sequence[Event]) -> None:
        """Hand over events, to be written in order; returns at once.

        Raises LogError if a number is not the next one, if ``at`` decreases, or after `close`.
        """
        if not events:
            return
        self._check_order(events)
        urgent = not URGENT_KINDS.isdisjoint([event.kind for event in events])
        with self._ready:
            if self._close_by is not None:
                raise LogError("the log writer is closing: no more events can be handed over")
            if not len(self._backlog):
                self._progress_at = time.monotonic()
            for event in events:
                self._backlog.add(event)
            self._peak = max(self._peak, len(self._backlog))
            self._nudged = self._nudged or urgent
            self._ready.notify()
        self._submitted = (events[-1].seq, events[-1].at)

    async def wait_durable(self, seq: int, timeout_s: float = MAX_WAIT_S, *, effect: bool = True) -> bool:
        """Wait until event ``seq`` is on the disk, at most ``timeout_s``.

        False means not yet: the effect goes out all the same, marked unlogged, and is counted; but what is
        no ``effect`` is not counted.
        """
        if seq <= self.durable_seq:
            return True
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiters[waiter] = seq
        try:
            async with asyncio.timeout(timeout_s):
                await waiter
        except TimeoutError:
            if seq > self.durable_seq:
                with self._ready:
                    self._unlogged += effect
                return False
        finally:
            self._waiters.pop(waiter, None)
        return True

    def status(self) -> RecordStatus:
        """The record now: its state and why, events waiting in memory, effects that went out unlogged."""
        with self._ready:
            return self._status(len(self._backlog))

    async def close(self, deadline_s: float = 5.0) -> int:
        """Write what waits, at most until the deadline, and close the log; returns the events lost.

        If the disk does not answer at all the thread is left behind; it ends with the process.
        """
        with self._ready:
            self._close_by = time.monotonic() + deadline_s
            self._ready.notify()
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline_s + BUSY_TIMEOUT_S + self._retry_s):
                await asyncio.shield(self._ended)
        self._watch_timer.cancel()
        with self._ready:
            return len(self._backlog)

    def _check_order(self, events: Sequence[Event]) -> None:
        seq, at = self._submitted
        for event in events:
            if event.seq != seq + 1 or not at <= event.at < END_OF_TIME_S:
                raise LogError(f"event {event.seq} at {event.at} cannot follow event {seq} at {at}")
            seq, at = event.seq, event.at

    # In the event loop, called by timer or by the thread.

    def _watch(self) -> None:
        """Notice a disk that does not answer: the thread itself then cannot say so."""
        with self._ready:
            silent_s = time.monotonic() - self._progress_at
            stalled = len(self._backlog) > 0 and silent_s > self._stall_s
            if stalled and self._reason is None:
                self._tell(f"stalled: no commit for {self._stall_s:g} s")
        self._watch_timer = self._loop.call_later(self._stall_s / 4, self._watch)

    def _committed(self, seq: int) -> None:
        for waiter, wanted in self._waiters.items():
            if wanted <= seq and not waiter.done():
                waiter.set_result(None)
        self._on_durable(seq)

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    # In the thread.

    def _run(self) -> None:
        try:
            while self._work_waits():
                self._attempt()
        finally:
            self._log.close()
            self._call(self._end)

    def _work_waits(self) -> bool:
        """Sleep until there is something to write; False when it is time to end."""
        with self._ready:
            # A degraded record that nothing waits for still has its reserve to make again.
            idle_s = None if self._reason is None else self._retry_s
            self._ready.wait_for(lambda: len(self._backlog) > 0 or self._close_by is not None, idle_s)
            if self._close_by is None:
                return True
            return len(self._backlog) > 0 and time.monotonic() < self._close_by

    def _attempt(self) -> None:
        """Write once; whatever goes wrong is said, and tried again."""
        try:
            self._write()
        except LogFull as error:
            self._degrade(str(error))
            if not self._give_up_reserve():
                self._pause()
        except LogBusy:
            # SQLite has waited already; the watch says so if it goes on.
            self._pause()
        except BadEvent as error:
            self._degrade(f"an event could not be recorded: {error}")
            with self._ready:
                self._backlog.bury(error.seq)
        except Exception as error:
            # A thread that died would end the record in silence.
            self._degrade(str(error) if isinstance(error, VedetteError) else f"I/O error: {error!r}")
            self._pause()

    def _write(self) -> None:
        roomy = self._has_reserve()
        on_disk = self._log.last.seq
        with self._ready:
            # A commit that seemed to fail may have reached the disk: those events are not written twice.
            self._backlog.drop_through(on_disk)
            through = None if roomy else self._backlog.last_urgent
            batch = self._backlog.take(_BATCH if roomy else _TIGHT_BATCH, through)
            rest = len(self._backlog) - len(batch)
            self._nudged = False
        if not batch and rest:
            size = self._reserve.size / 2**20
            raise LogFull(f"disk full: no room to set {size:g} MB aside at {self._reserve.path}")
        self._log.append(batch)
        self._commit(batch[-1].seq if batch else on_disk, all_written=roomy and not rest)

    def _commit(self, seq: int, *, all_written: bool) -> None:
        news = seq > self.durable_seq
        self.durable_seq = seq
        with self._ready:
            self._backlog.drop_through(seq)
            self._progress_at = time.monotonic()
            if all_written:
                self._tell(None)
                self._peak = len(self._backlog)
        if news:
            self._call(self._committed, seq)

    def _has_reserve(self) -> bool:
        """True while the reserve is set aside; makes it again when there is room, looking now and then."""
        if self._reserve.held:
            return True
        if time.monotonic() < self._reserve_tried_at + self._retry_s:
            return False
        self._reserve_tried_at = time.monotonic()
        return self._reserve.make()

    def _give_up_reserve(self) -> bool:
        with self._ready:
            urgent = self._backlog.last_urgent > 0
        if not urgent or not self._reserve.held:
            return False
        self._reserve.release()
        self._reserve_tried_at = time.monotonic()
        return True

    def _pause(self) -> None:
        """Wait before the next try, unless something urgent comes in or the deadline passes."""
        with self._ready:
            left_s = self._retry_s
            if self._close_by is not None:
                left_s = max(0.0, min(left_s, self._close_by - time.monotonic()))
            self._ready.wait_for(lambda: self._nudged, left_s)
            self._nudged = False

    def _degrade(self, reason: str) -> None:
        with self._ready:
            self._tell(reason)

    def _tell(self, reason: str | None) -> None:
        """Note why the record is degraded (None: it is good), and say so if that is news."""
        if reason == self._reason:
            return
        self._reason = reason
        # A record that is good again tells what it went through, and starts counting anew.
        self._call(self._on_status, self._status(self._peak if reason is None else len(self._backlog)))
        if reason is None:
            self._unlogged = 0

    def _status(self, waiting: int) -> RecordStatus:
        return RecordStatus(
            state="good" if self._reason is None else "degraded",
            reason=self._reason,
            waiting=waiting,
            unlogged=self._unlogged,
        )

    def _call(self, function: Callable[..., None], *args: object) -> None:
        # The loop may be closed before the thread has ended: there is nobody left to tell then.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *args)
