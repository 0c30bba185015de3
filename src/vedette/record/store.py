"""The SQLite file under the log: making, opening, owning it, and what its errors mean.

WAL with synchronous=FULL: a transaction is on the disk when COMMIT returns, and after a kill -9 or
a power cut SQLite rolls the file to the last one that was (sqlite.org/wal.html, clause 2.1).
"""

import errno
import fcntl
import itertools
import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from vedette.model.errors import InputError
from vedette.record.durable import sync_folder
from vedette.record.errors import LogBusy, LogError, LogFull, LogLocked
from vedette.record.form import APPLICATION_ID, FORMAT, LOG_ID_BYTES, SCHEMA

BUSY_TIMEOUT_S = 0.5
_WAL_LIMIT_BYTES = 64 * 2**20
_PROBE_BYTES = 65_536

READ_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What reading a damaged file raises; SQLite's own message may quote bytes that are not UTF-8."""

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


def create_file(path: Path) -> None:
    """Make an empty log at ``path`` (mode 0600), complete or not at all. Raises LogError, LogFull.

    The write-ahead log of a file that was moved away is kept as ``NAME-wal.left-1`` (-2 ...).
    """
    if path.exists():
        raise LogError(f"{path} is there already: a log is never overwritten, choose another name")
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.unlink(missing_ok=True)
        os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _fill(fresh)
        _put_leftovers_aside(path)
        fresh.rename(path)
        sync_folder(path.parent)
    except (OSError, sqlite3.Error) as error:
        fresh.unlink(missing_ok=True)
        raise explained(error, path) from error


def _put_leftovers_aside(path: Path) -> None:
    # SQLite would take the pages of whatever write-ahead log it finds beside a file for that file's own.
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    wal = path.with_name(path.name + "-wal")
    if wal.exists():
        names = (wal.with_name(f"{wal.name}.left-{number}") for number in itertools.count(1))
        wal.rename(next(name for name in names if not name.exists()))


def _fill(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.executescript(f"BEGIN;{SCHEMA}")
        meta = [("format", str(FORMAT).encode()), ("log_id", os.urandom(LOG_ID_BYTES))]
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta)
        connection.execute("COMMIT")
    finally:
        connection.close()


def connect(path: Path, *, readonly: bool) -> sqlite3.Connection:
    """A connection to the log at ``path``. Raises InputError if it is not a log of this format."""
    if not path.is_file():
        raise InputError(f"{path} is not there or not a file: no log to open")
    connection = _connect(path, readonly=readonly)
    try:
        _check_form(connection, path)
        if not readonly:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"PRAGMA journal_size_limit={_WAL_LIMIT_BYTES}")
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(path: Path, *, readonly: bool) -> sqlite3.Connection:
    uri = path.resolve().as_uri() + ("?mode=ro" if readonly else "?mode=rw")
    if readonly and not _wal_of(path) and not os.access(path.parent, os.W_OK):
        # Evidence on a read-only medium: SQLite cannot make its index file beside it, and need not.
        uri += "&immutable=1"
    # A log belongs to one thread at a time, not for ever to the one that opened it.
    return sqlite3.connect(
        uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )


def _wal_of(path: Path) -> bool:
    wal = path.with_name(path.name + "-wal")
    return wal.exists() and wal.stat().st_size > 0


def _check_form(connection: sqlite3.Connection, path: Path) -> None:
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        if application != APPLICATION_ID:
            raise InputError(f"{path} is not a Vedette log: its application id is {application:#x}")
        meta = read_meta(connection)
    except READ_ERRORS as error:
        if _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise explained(error, path) from error
        raise InputError(f"{path} is not a Vedette log: {error}") from error
    if meta.get("format") != str(FORMAT).encode():
        found = meta.get("format", b"none").decode(errors="replace")
        raise InputError(f"{path} is a log of format {found}, this version reads format {FORMAT}")
    if len(meta.get("log_id", b"")) != LOG_ID_BYTES:
        raise InputError(f"{path} has no log id of {LOG_ID_BYTES} bytes: its table 'meta' was altered")


def read_meta(connection: sqlite3.Connection) -> dict[str, bytes]:
    """The log's own facts: ``format`` and ``log_id``. Raises sqlite3.Error."""
    rows = connection.execute("SELECT key, value FROM meta").fetchall()
    return {key: value for key, value in rows if isinstance(value, bytes)}


class WriterLock:
    """One writer a log. The lock dies with its process; it is a file of its own, because closing
    the log itself a second time would drop the locks SQLite holds on it (POSIX, fcntl)."""

    def __init__(self, path: Path) -> None:
        self._file = path.with_name(path.name + ".lock")
        try:
            self._handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise explained(error, path) from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._handle)
            raise LogLocked(
                f"{path} is being written by another station: stop it, or open to read"
            ) from error

    def release(self) -> None:
        """Let another writer in. A second call does nothing."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def explained(error: Exception, path: Path) -> LogError:
    """The typed error for what SQLite or the system said about the log at ``path``."""
    code = _code(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LogBusy(f"{path} is held by another process: {error}")
    if code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) in _NO_SPACE:
        return LogFull(f"disk full: {path.parent} has no room for the log")
    if code == sqlite3.SQLITE_IOERR and not _room(path.parent):
        return LogFull(f"disk full: {path.parent} has no room for the log ({error})")
    kind = "I/O error" if code == sqlite3.SQLITE_IOERR or isinstance(error, OSError) else "log error"
    return LogError(f"{kind}: {error} ({path})")


def _code(error: Exception) -> int | None:
    extended = getattr(error, "sqlite_errorcode", None)
    return None if extended is None else extended & 0xFF


def _room(folder: Path) -> bool:
    """False if the file system or the quota has no room: SQLite calls a full quota an I/O error."""
    probe = folder / f".room.{os.getpid()}"
    try:
        handle = os.open(probe, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        return error.errno not in _NO_SPACE
    try:
        os.posix_fallocate(handle, 0, _PROBE_BYTES)
    except OSError as error:
        return error.errno not in _NO_SPACE
    finally:
        os.close(handle)
        with suppress(OSError):
            probe.unlink()
    return True
