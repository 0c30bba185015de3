"""Proof that a log is unaltered, from the file alone: no key is needed, and none is read.

The chain shows any change, removal, insertion or exchange inside the log. It cannot show by itself
that the end was cut off, or that somebody wrote the whole log anew: for that, keep a head hash
somewhere else (print it, send it, sign it) and give it here.
"""

import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from vedette.model.errors import InputError
from vedette.record.form import COLUMNS, Row, genesis, header, link
from vedette.record.store import READ_ERRORS, connect, explained, read_meta


class Fault(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is wrong, in words, and at which event."""

    what: str
    seq: int | None = None


class Verdict(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The result of `verify`; ``good`` is True only if there is no fault at all.

    ``events`` were read, ``first`` and ``last`` are their numbers. ``head_hash`` (hex) is the hash of
    the last event as computed, the one to keep; ``broken`` counts the events that do not chain, and
    ``fault`` is the first one. ``anchored`` is the event that the expected head hash belongs to.
    """

    events: int
    good: bool
    head_hash: str
    log_id: str
    first: int | None = None
    last: int | None = None
    fault: Fault | None = None
    broken: int = 0
    anchored: int | None = None


class _Walk:
    """The walk along the chain, one row at a time."""

    def __init__(self, log_id: bytes, expected: bytes | None) -> None:
        self.previous = genesis(log_id)
        self.expected = expected
        self.anchored = 0 if expected == self.previous else None
        self.events = 0
        self.first: int | None = None
        self.last = 0
        self.at = 0.0
        self.fault: Fault | None = None
        self.broken = 0

    def step(self, row: Row) -> None:
        """Check one row against what came before it."""
        seq = row[0]
        self.events += 1
        self.first = seq if self.first is None else self.first
        what, computed = self._check(row)
        if what is not None:
            self.fail(what, seq)
        elif computed == self.expected:
            self.anchored = seq
        # Going on from the stored hash tells one altered event from a log that is altered to its end.
        stored = row[5]
        self.previous = stored if isinstance(stored, bytes) else b""
        self.last = seq

    def fail(self, what: str, seq: int | None) -> None:
        """Count a fault and keep the first."""
        self.broken += 1
        self.fault = self.fault or Fault(what=what, seq=seq)

    def _check(self, row: Row) -> tuple[str | None, bytes | None]:
        seq, at, kind, sealed, body, stored = row
        try:
            computed = link(self.previous, header(seq, at, kind, sealed), body)
        except (TypeError, AttributeError, ValueError, struct.error) as error:
            return f"event {seq} does not have the form of an event: {error}", None
        if seq != self.last + 1:
            missing = f"{self.last + 1} to {seq - 1}" if seq > self.last + 2 else f"{self.last + 1}"
            return f"missing before event {seq}: {missing}", computed
        if computed != stored:
            return (
                f"event {seq} does not match its hash: it, its order or what is before it was altered",
                computed,
            )
        if at < self.at:
            return f"time goes backwards at event {seq}: the log's writer never does that", computed
        self.at = at
        return None, computed


def verify(path: Path, expected_head: str | None = None) -> Verdict:
    """Recompute the chain of the log at ``path``, in bounded memory, also while it is being written.

    ``expected_head`` (64 hex digits) is a head hash kept from before; it must belong to an event of
    this log, and everything up to that event is then what it was. Raises InputError if ``path`` is
    no log or ``expected_head`` no hash.
    """
    expected = _hash(expected_head)
    connection = connect(path, readonly=True)
    try:
        log_id = read_meta(connection)["log_id"]
        walk = _Walk(log_id, expected)
        for row in _rows(connection, walk):
            walk.step(row)
    except READ_ERRORS as error:
        raise explained(error, path) from error
    finally:
        connection.close()
    if expected is not None and walk.anchored is None:
        walk.fail("no event has the expected head hash: the end was cut off or the log written anew", None)
    return _verdict(walk, log_id)


def _rows(connection: sqlite3.Connection, walk: _Walk) -> Iterator[Row]:
    """All rows in order; a file too damaged to be read is a fault of the log, not of the reader."""
    try:
        yield from connection.execute(f"SELECT {COLUMNS} FROM event ORDER BY seq")
    except READ_ERRORS as error:
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF == sqlite3.SQLITE_BUSY:
            raise
        walk.fail(f"the file is damaged after event {walk.last}: {error}", walk.last + 1)


def _verdict(walk: _Walk, log_id: bytes) -> Verdict:
    return Verdict(
        events=walk.events,
        good=walk.fault is None,
        head_hash=walk.previous.hex(),
        log_id=log_id.hex(),
        first=walk.first,
        last=walk.last or None,
        fault=walk.fault,
        broken=walk.broken,
        anchored=walk.anchored,
    )


def _hash(expected: str | None) -> bytes | None:
    if expected is None:
        return None
    try:
        value = bytes.fromhex(expected)
    except ValueError:
        value = b""
    if len(value) != 32:
        raise InputError(f"{expected!r} is not a head hash: 64 hexadecimal digits are expected")
    return value
