"""The form of the log on disk, exact to the byte: header, hash chain and tables. See docs/record.md.

header  = seq (unsigned 64 bit, big endian) || at (IEEE 754 double, big endian)
          || length of kind (unsigned 16 bit, big endian) || kind (UTF-8)
          || length of sealed (unsigned 16 bit, big endian) || sealed (UTF-8; length 0 if NULL)
hash    = SHA-256(hash of the event before || header || body as stored)
genesis = SHA-256("vedette event log 1" LF || log id), the hash before event 1
"""

import struct
from functools import lru_cache
from hashlib import sha256

FORMAT = 1
APPLICATION_ID = 0x56445445
"""SQLite's application id of a log, "VDTE": how a file says that it is a log before a table is read."""

GENESIS_TEXT = b"vedette event log 1\n"
LOG_ID_BYTES = 32
MAX_SEQ = 2**63 - 1
END_OF_TIME_S = 253_402_300_800.0
"""First second of the year 10000 (Unix seconds): the calendar that names the keys ends there."""

SCHEMA = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE event(
  seq INTEGER PRIMARY KEY,
  at REAL NOT NULL,
  kind TEXT NOT NULL,
  sealed TEXT CHECK (sealed <> ''),
  body BLOB NOT NULL,
  hash BLOB NOT NULL
) STRICT;
CREATE INDEX snapshot ON event(seq) WHERE kind = 'snapshot';
CREATE TRIGGER event_is_the_next BEFORE INSERT ON event
  WHEN NEW.seq <> 1 + (SELECT ifnull(max(seq), 0) FROM event)
  BEGIN SELECT RAISE(ABORT, 'the log is append-only: an event is the next or none'); END;
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
  BEGIN SELECT RAISE(ABORT, 'the log is append-only: an event is never changed'); END;
CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event
  BEGIN SELECT RAISE(ABORT, 'the log is append-only: an event is never removed'); END;
CREATE TRIGGER meta_is_never_changed BEFORE UPDATE ON meta
  BEGIN SELECT RAISE(ABORT, 'the log is append-only: its identity is never changed'); END;
CREATE TRIGGER meta_is_never_removed BEFORE DELETE ON meta
  BEGIN SELECT RAISE(ABORT, 'the log is append-only: its identity is never removed'); END;
"""

COLUMNS = "seq, at, kind, sealed, body, hash"

Row = tuple[int, float, str, str | None, bytes, bytes]
"""One stored event, in the order of `COLUMNS`."""

_FIXED = struct.Struct(">Qd")
_LENGTH = struct.Struct(">H")


@lru_cache(maxsize=512)
def _names(kind: str, sealed: str | None) -> bytes:
    parts = [kind.encode(), (sealed or "").encode()]
    return b"".join(_LENGTH.pack(len(part)) + part for part in parts)


def header(seq: int, at: float, kind: str, sealed: str | None) -> bytes:
    """The canonical header of one event. Raises struct.error if a number or name does not fit."""
    return _FIXED.pack(seq, at) + _names(kind, sealed)


def genesis(log_id: bytes) -> bytes:
    """The hash that stands before event 1 (32 bytes)."""
    return sha256(GENESIS_TEXT + log_id).digest()


def link(previous: bytes, head: bytes, body: bytes) -> bytes:
    """The hash of an event (32 bytes) from the hash before it, its header and its stored body."""
    return sha256(previous + head + body).digest()
