"""The event log: append-only, chained, durable; written by one thread, read by anyone.

A transaction holds the events of one `Log.append`, all or none. When it returns they are on the
disk. What cannot be read back is never written: a log that cannot be replayed is no log.
"""

import math
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec

from vedette.model.errors import InputError
from vedette.model.event import KIND_OF, KINDS, SEALED_KINDS, Body, Event, Snapshot, decode_body, encode_body
from vedette.record.errors import BadEvent, KeyDestroyed, LogError
from vedette.record.form import COLUMNS, END_OF_TIME_S, MAX_SEQ, Row, genesis, header, link
from vedette.record.seal import OPERATOR_CLASS, Keyring
from vedette.record.store import READ_ERRORS, WriterLock, connect, create_file, explained, read_meta

_ROWS_A_STATEMENT = 500
_PAGE_ROWS = 1000


class Head(NamedTuple):
    """The last event of a log: its number (0 = none yet), station time, and hash (32 bytes)."""

    seq: int
    at: float
    hash: bytes


class Log:
    """One log file. It belongs to one thread at a time; another thread opens it for itself."""

    def __init__(
        self, path: Path, keyring: Keyring, connection: sqlite3.Connection, lock: WriterLock | None
    ) -> None:
        self.path = path
        self._keyring = keyring
        self._connection = connection
        self._lock = lock
        self.log_id = read_meta(connection)["log_id"]
        self._file = _identity(path)
        self._head = self._read_head()
        self._in_doubt = False

    @classmethod
    def create(cls, path: Path, keyring: Keyring, *, max_pages: int | None = None) -> Self:
        """Make an empty log and open it for writing. Raises LogError, LogFull."""
        create_file(path)
        return cls.open(path, keyring, max_pages=max_pages)

    @classmethod
    def open(
        cls, path: Path, keyring: Keyring, readonly: bool = False, *, max_pages: int | None = None
    ) -> Self:
        """Open a log; after a crash this is its recovery.

        ``max_pages`` limits the file's size in SQLite pages of 4096 bytes. Raises InputError if
        ``path`` is not a log or does not chain at its end, LogLocked if another writer owns it.
        """
        lock = None
        connection = None
        try:
            if not readonly and path.is_file():
                lock = WriterLock(path)
            connection = connect(path, readonly=readonly)
            if max_pages is not None:
                connection.execute(f"PRAGMA max_page_count={max_pages:d}")
            return cls(path, keyring, connection, lock)
        except BaseException as error:
            if connection is not None:
                connection.close()
            if lock is not None:
                lock.release()
            if isinstance(error, (*READ_ERRORS, OSError)):
                raise explained(error, path) from error
            raise

    @property
    def last(self) -> Head:
        """Head of the chain. Raises LogError if the file cannot be read after a failed append."""
        if self._in_doubt:
            # A COMMIT that failed may have reached the disk all the same: only the file knows.
            try:
                self._head = self._read_head()
            except READ_ERRORS as error:
                raise explained(error, self.path) from error
            self._in_doubt = False
        return self._head

    def append(self, events: Sequence[Event]) -> None:
        """Append events in one transaction: on the disk when this returns, none of them if it raises.

        The first must be number ``last.seq + 1`` and no ``at`` may decrease. Raises BadEvent for an
        event that could not be read back, LogFull without space, LogBusy while another process
        holds the file, LogError otherwise. After LogError (not BadEvent) read `last` before a retry.
        """
        if not events:
            return
        if self._lock is None:
            raise LogError(f"{self.path} was opened to be read only")
        rows, head = self._rows(events)
        try:
            self._check_same_file()
            self._write(rows)
        except (sqlite3.Error, OSError) as error:
            self._in_doubt = True
            raise explained(error, self.path) from error
        self._head = head

    def events(self, start: int = 1, stop: int | None = None, *, skip_sealed: bool = False) -> "EventStream":
        """Events ``start`` up to, not including, ``stop``, as a stream in bounded memory.

        Broadcast operator positions whose key is gone are passed over and counted in ``.skipped``: it
        is promised that they go, and nothing is computed from them. Any other sealed body without key
        raises KeyDestroyed, or is passed over too with ``skip_sealed``. Iterating also raises SealBroken
        for an altered body and InputError for an unreadable one.
        """
        return EventStream(self, start, stop, skip_sealed)

    def latest_snapshot(self, before: int | None = None) -> tuple[Snapshot, int] | None:
        """The last snapshot (numbered below ``before``) and its number, or None. Cheap: it has an index.

        Raises KeyDestroyed, SealBroken or InputError if it cannot be read.
        """
        seq = self.latest_snapshot_seq(before)
        if seq is None:
            return None
        (row,) = self._page(seq, seq + 1)
        event = self._event(row)
        assert isinstance(event.body, Snapshot)
        return event.body, seq

    def latest_snapshot_seq(self, before: int | None = None) -> int | None:
        """The number of the last snapshot (below ``before``), or None, without opening its seal."""
        query = "SELECT max(seq) FROM event WHERE kind = 'snapshot' AND seq < ?"
        try:
            row = self._connection.execute(query, (MAX_SEQ if before is None else before,)).fetchone()
        except READ_ERRORS as error:
            raise explained(error, self.path) from error
        return None if row[0] is None else int(row[0])

    def close(self) -> None:
        """Close the file and let another writer in. A second call does nothing."""
        self._connection.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _rows(self, events: Sequence[Event]) -> tuple[list[Any], Head]:
        """The stored form of ``events``, flat in the order of `COLUMNS`, and the head after them."""
        seq, at, previous = self.last
        flat: list[Any] = []
        for event in events:
            if event.seq != seq + 1:
                raise LogError(f"event {event.seq} cannot follow event {seq}: numbers have no gaps")
            if not at <= event.at < END_OF_TIME_S:
                raise LogError(
                    f"event {event.seq} is at {event.at}, the one before at {at}: time never goes back"
                )
            # SQLite stores -0.0 as 0.0: the hash must be of what is stored.
            seq, at = event.seq, event.at + 0.0
            kind = KIND_OF[type(event.body)]
            body = _readable_body(event, kind)
            sealed, head, body = self._sealed(seq, at, kind, body)
            previous = link(previous, head, body)
            flat += (seq, at, kind, sealed, body, previous)
        return flat, Head(seq, at, previous)

    def _sealed(self, seq: int, at: float, kind: str, body: bytes) -> tuple[str | None, bytes, bytes]:
        sealed_class = SEALED_KINDS.get(kind)
        if sealed_class is None:
            return None, header(seq, at, kind, None), body
        try:
            name = self._keyring.name(sealed_class, at)
            head = header(seq, at, kind, name)
            return name, head, self._keyring.seal(name, head, body)
        except OSError as error:
            raise explained(error, self._keyring.folder / "key") from error

    def _write(self, flat: list[Any]) -> None:
        # Many rows a statement: each statement gives the interpreter lock away once, and taking it
        # back from a busy event loop may cost 5 ms.
        width = _ROWS_A_STATEMENT * 6
        chunks = [flat[i : i + width] for i in range(0, len(flat), width)]
        execute = self._connection.execute
        if len(chunks) == 1:
            execute(_insert(len(flat) // 6), flat)
            return
        execute("BEGIN IMMEDIATE")
        try:
            for chunk in chunks:
                execute(_insert(len(chunk) // 6), chunk)
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise

    def _check_same_file(self) -> None:
        # SQLite goes on writing to a file that was deleted or replaced under it, and says nothing.
        if _identity(self.path) != self._file:
            raise OSError(f"{self.path} was removed or replaced while it was open: restart with a new log")

    def _read_head(self) -> Head:
        rows = self._select(f"SELECT {COLUMNS} FROM event ORDER BY seq DESC LIMIT 2", ())
        if not rows:
            return Head(0, 0.0, genesis(self.log_id))
        seq, at, kind, sealed, body, stored = rows[0]
        previous = rows[1][5] if len(rows) > 1 else genesis(self.log_id)
        try:
            chains = link(previous, header(seq, at, kind, sealed), body) == stored
        except (TypeError, AttributeError, ValueError, struct.error):
            chains = False
        if not chains:
            raise InputError(
                f"{self.path} does not chain at its last event {seq}: run 'vedette verify' on it"
            )
        return Head(seq, at, stored)

    def _select(self, query: str, values: tuple[Any, ...]) -> list[Row]:
        return self._connection.execute(query, values).fetchall()

    def _page(self, start: int, stop: int) -> list[Row]:
        query = f"SELECT {COLUMNS} FROM event WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT {_PAGE_ROWS}"
        try:
            return self._select(query, (start, stop))
        except READ_ERRORS as error:
            raise explained(error, self.path) from error

    def _event(self, row: Row) -> Event:
        seq, at, kind, sealed, body, _ = row
        if kind not in KINDS:
            raise InputError(f"{self.path}, event {seq}: unknown kind {kind!r}, written by a newer version?")
        try:
            if sealed is not None:
                body = self._keyring.open(sealed, header(seq, at, kind, sealed), body)
            return Event(seq, at, decode_body(kind, body))
        except (msgspec.DecodeError, TypeError, ValueError, RecursionError, struct.error) as error:
            raise InputError(f"{self.path}, event {seq} ({kind}): {error}") from error


class EventStream(Iterator[Event]):
    """A stream of a log's events; ``skipped`` counts those whose key is gone."""

    def __init__(self, log: Log, start: int, stop: int | None, skip_sealed: bool) -> None:
        self.skipped = 0
        self._log = log
        self._next = max(1, start)
        self._stop = MAX_SEQ if stop is None else stop
        self._skip_sealed = skip_sealed
        self._rows: Iterator[Row] = iter(())

    def __next__(self) -> Event:
        while True:
            event = self._read(self._row())
            if event is not None:
                return event
            self.skipped += 1

    def _row(self) -> Row:
        row = next(self._rows, None)
        if row is None:
            # Page by page, so that no reader keeps a transaction open and the WAL growing.
            self._rows = iter(self._log._page(self._next, self._stop))
            row = next(self._rows)
        if row[0] != self._next:
            # Also ends the walk in a damaged file, whose tree may lead back to where it came from.
            raise InputError(
                f"{self._log.path}: event {row[0]} stands where event {self._next} should: verify it"
            )
        self._next = row[0] + 1
        return row

    def _read(self, row: Row) -> Event | None:
        try:
            return self._log._event(row)
        except KeyDestroyed:
            if self._skip_sealed or SEALED_KINDS.get(row[2]) == OPERATOR_CLASS:
                return None
            raise


def _insert(rows: int) -> str:
    return f"INSERT INTO event({COLUMNS}) VALUES " + ",".join(["(?,?,?,?,?,?)"] * rows)


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _readable_body(event: Event, kind: str) -> bytes:
    """The body's bytes, if they read back. Raises BadEvent if not."""
    try:
        data = encode_body(event.body)
        decode_body(kind, data)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BadEvent(f"event {event.seq} ({kind}) could not be read back: {error}", event.seq) from error
    if b"null" in data and not _finite(event.body):
        raise BadEvent(f"event {event.seq} ({kind}) holds a number that is not finite", event.seq)
    return data


def _finite(body: Body) -> bool:
    """False if any number in ``body`` is not finite: JSON would write null, which reads back as unknown."""
    waiting: list[Any] = [msgspec.to_builtins(body)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list | tuple):
            waiting += value
        elif isinstance(value, float) and not math.isfinite(value):
            return False
    return True
