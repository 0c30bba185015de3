"""The access store: one SQLite file in the state folder, readable by the station's user alone.

The station and the command line may have it open at the same time. Reading has a connection of its own and
never waits for a writer, nor for a disk that hangs: a station that asks who is there goes on warning.
Writing waits for the disk, and is not for the event loop (`Doorkeeper.soon`).

Nothing in it lets its reader in: passwords, sessions, tokens and links are hashes, and what must be read back
(the secrets of code generators) is sealed with a key that stands in another file, so that a copy of the one
is not enough.
"""

import contextlib
import hmac
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from vedette.model.errors import ConfigError, VedetteError
from vedette.station.access.migrations import STEPS

FILE, KEY_FILE = "access.db", "access.key"
MOST_HISTORY = 100_000
"""Entries kept; an attacker who fails all day must not fill the disk."""
PATIENCE_S = 5.0
"""How long a writer waits for another."""
_NONCE = 12


class Entry(Struct, frozen=True, kw_only=True):
    """One thing that happened to accounts and keys: who did what about whom. Never a secret."""

    at: float
    actor: str
    what: str
    about: str = ""
    words: str = ""


class Store:
    """The file, its migrations and its transactions. Raises ConfigError if it cannot be used."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        try:
            folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.mkdir(exist_ok=True, mode=0o700)
            _private(self.path)
            self._key = key_file(folder / KEY_FILE)
            self._writer, self._reader = _connect(self.path), _connect(self.path)
        except (OSError, sqlite3.Error) as error:
            raise _unusable(self.path, error) from None
        self._sealer = AESGCM(self.mark("seal", b""))
        self._write_lock, self._read_lock = threading.RLock(), threading.Lock()
        self._mine = threading.local()
        try:
            self._prepare()
        except (sqlite3.Error, VedetteError) as error:
            self.close()
            raise error if isinstance(error, ConfigError) else _unusable(self.path, error) from None

    def close(self) -> None:
        """Close the file."""
        with self._write_lock, self._read_lock:
            self._reader.close()
            self._writer.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; may be nested. Raises VedetteError if the disk does not take it."""
        if self._in_transaction:
            yield
            return
        with self._write_lock:
            self._run(self._writer, "BEGIN IMMEDIATE")
            self._mine.transaction = True
            try:
                yield
                self._run(self._writer, "COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._writer.execute("ROLLBACK")
                raise
            finally:
                self._mine.transaction = False

    def change(self, sql: str, *values: object) -> int:
        """Run one statement; how many rows it changed."""
        with self._write_lock:
            return self._run(self._writer, sql, *values).rowcount

    def insert(self, sql: str, *values: object) -> int:
        """Run one INSERT; the id of the new row."""
        with self._write_lock:
            return self._run(self._writer, sql, *values).lastrowid or 0

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query finds: as it stands on the disk, or in the transaction that this thread is in."""
        if self._in_transaction:
            return self._run(self._writer, sql, *values).fetchall()
        with self._read_lock:
            return self._run(self._reader, sql, *values).fetchall()

    def row(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        """The first row that a query finds."""
        found = self.rows(sql, *values)
        return found[0] if found else None

    def version(self) -> int:
        """Another number after any change by another connection, that of the writer and other programs'
        included (SQLite, ``PRAGMA data_version``)."""
        with self._read_lock:
            return int(self._run(self._reader, "PRAGMA data_version").fetchone()[0])

    @property
    def _in_transaction(self) -> bool:
        return bool(getattr(self._mine, "transaction", False))

    def note(self, entry: Entry) -> None:
        """Add to the history; the oldest entries beyond `MOST_HISTORY` go."""
        with self.transaction():
            last = self.insert(
                "INSERT INTO history (at, actor, what, about, words) VALUES (?, ?, ?, ?, ?)",
                entry.at,
                entry.actor,
                entry.what,
                entry.about,
                entry.words,
            )
            self.change("DELETE FROM history WHERE id <= ?", last - MOST_HISTORY)

    def history(self, most: int = 1000) -> tuple[Entry, ...]:
        """The newest entries, the newest first."""
        found = self.rows("SELECT at, actor, what, about, words FROM history ORDER BY id DESC LIMIT ?", most)
        return tuple(Entry(at=r[0], actor=r[1], what=r[2], about=r[3], words=r[4]) for r in found)

    def setting(self, key: str) -> str | None:
        """A remembered answer."""
        found = self.row("SELECT value FROM settings WHERE key = ?", key)
        return None if found is None else str(found[0])

    def remember(self, key: str, value: str) -> None:
        """Remember an answer."""
        self.change("INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)", key, value)

    def mark(self, purpose: str, data: bytes) -> bytes:
        """A mark (HMAC-SHA-256) by which this station knows its own bytes again, for one purpose."""
        return hmac.digest(self._key, purpose.encode() + b"\0" + data, "sha256")

    def seal(self, data: bytes, purpose: str) -> bytes:
        """Encrypt something that must be read back, for one purpose only."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._sealer.encrypt(nonce, data, purpose.encode())

    def unseal(self, data: bytes, purpose: str) -> bytes:
        """What `seal` encrypted. Raises ConfigError if the key file is not the one it was sealed with."""
        try:
            return self._sealer.decrypt(data[:_NONCE], data[_NONCE:], purpose.encode())
        except (InvalidTag, ValueError):
            raise ConfigError(
                f"{self.path.with_name(KEY_FILE)} is not the key that {self.path.name} was sealed with:"
                " restore the two together, or set up the code generators again (vedette user reset NAME)"
            ) from None

    def _run(self, connection: sqlite3.Connection, sql: str, *values: object) -> sqlite3.Cursor:
        try:
            return connection.execute(sql, values)
        except sqlite3.OperationalError as error:
            raise VedetteError(f"{self.path}: {error}") from None

    def _prepare(self) -> None:
        execute = self._writer.execute
        execute(f"PRAGMA busy_timeout = {int(PATIENCE_S * 1000)}")
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = FULL")
        execute("PRAGMA foreign_keys = ON")
        with self.transaction():
            (version,) = execute("PRAGMA user_version").fetchone()
            if version > len(STEPS):
                raise ConfigError(
                    f"{self.path} was made by a newer Vedette (step {version}, this one knows {len(STEPS)})"
                )
            for number, step in enumerate(STEPS[version:], version + 1):
                for statement in filter(str.strip, step.split(";")):
                    execute(statement)
                execute(f"PRAGMA user_version = {number}")
        self._reader.execute("PRAGMA query_only = ON")


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def key_file(path: Path, length: int = 32) -> bytes:
    """The random key in a file, made if there is none. Raises OSError, ConfigError if it is damaged."""
    with contextlib.suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(length))
            file.flush()
            os.fsync(file.fileno())
    held = path.read_bytes()
    if len(held) != length:
        raise ConfigError(f"{path}: damaged: {len(held)} bytes instead of {length}; restore it from a copy")
    return held


def _private(path: Path) -> None:
    """Make the file, or take from others what they may do with it, before anything is in it."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


def _unusable(path: Path, error: Exception) -> ConfigError:
    what = error.strerror if isinstance(error, OSError) else error
    return ConfigError(f"{path}: cannot be used: {what}; the station's user must be able to write there")
