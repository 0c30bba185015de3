"""Sealing of what holds people: one AES-256-GCM key a class and UTC day, each in a file of its own.

The body is sealed with a random 96-bit nonce (NIST SP 800-38D, clause 8.2.2) and the event's
canonical header as additional data, and stored as ``nonce || ciphertext || tag``. The hash chain
covers that, so destroying a key makes one day unreadable and leaves every proof standing.

A key is on the disk before anything sealed with it can be committed. A destroyed key leaves a
``.destroyed`` file with the reason; should its day still go on, a new generation takes over
("people/2026-11-22~2"), because nothing may keep a warning from being logged.
"""

import os
import re
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vedette.record.durable import sync_folder, write_durably
from vedette.record.errors import KeyDestroyed, KeyHeld, SealBroken

NONCE_BYTES = 12
KEY_BYTES = 32
HOLD = "HOLD"
"""A file of this name in the key folder is a legal hold: no key is destroyed while it is there."""

OPERATOR_CLASS = "operator"
"""The class of key whose days are promised to end: positions that drones broadcast of their operators."""

_DAY_S = 86_400
_NAME = re.compile(r"([a-z]{1,32})/(\d{4}-\d{2}-\d{2})(?:~([1-9]\d{0,5}))?", re.ASCII)


def day_of(at: float) -> str:
    """UTC day of a station time (Unix seconds), as ``2026-11-22``."""
    return datetime.fromtimestamp(at // _DAY_S * _DAY_S, UTC).strftime("%Y-%m-%d")


class Keyring:
    """The keys in ``folder``. Nothing is created before the first body is sealed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ciphers: dict[str, AESGCM] = {}
        self._names: dict[tuple[str, int], str] = {}

    def name(self, sealed_class: str, at: float) -> str:
        """Name of the key that seals this class on the day of ``at``; the key exists afterwards.

        Raises OSError if a new key cannot be made durable.
        """
        day_number = int(at // _DAY_S)
        name = self._names.get((sealed_class, day_number))
        if name is None or not self._file(name).exists():
            name = self._current(f"{sealed_class}/{day_of(at)}")
            self._names = {slot: kept for slot, kept in self._names.items() if slot[1] >= day_number - 1}
            self._names[sealed_class, day_number] = name
        return name

    def seal(self, name: str, header: bytes, body: bytes) -> bytes:
        """``nonce || ciphertext || tag`` of ``body`` under the key ``name``, bound to ``header``."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher(name).encrypt(nonce, body, header)

    def open(self, name: str, header: bytes, sealed: bytes) -> bytes:
        """The body that `seal` was given. Raises KeyDestroyed or SealBroken."""
        try:
            return self._cipher(name).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], header)
        except (InvalidTag, ValueError) as error:
            raise SealBroken(
                f"a body sealed with {name} does not open: it or its header was altered"
            ) from error

    def days(self, sealed_class: str) -> list[str]:
        """Names of the keys of one class that are still there, oldest first."""
        files = sorted(self.folder.glob(f"{sealed_class}_*.key")) if self.folder.is_dir() else []
        names = [file.stem.replace("_", "/", 1) for file in files]
        return [name for name in names if _NAME.fullmatch(name)]

    def destroy(self, sealed_class: str, day: str, reason: str) -> list[str]:
        """Destroy the keys of one class and day for good; returns their names.

        The file is overwritten and removed. That is as much as a program can do: a copying or
        journalling file system, a flash disk or a backup may keep the old bytes, so the folder
        belongs on an encrypted volume that is not backed up. Raises KeyHeld under legal hold.
        """
        if self.held():
            raise KeyHeld(f"{self.folder / HOLD} is there: keys under legal hold are not destroyed")
        names = [name for name in self.days(sealed_class) if _day_of_name(name) == day]
        for name in names:
            write_durably(self._tombstone(name), reason.encode(), replace=True)
            self._ciphers.pop(name, None)
            _shred(self._file(name))
        return names

    def held(self) -> bool:
        """True under legal hold."""
        return (self.folder / HOLD).exists()

    def expire_operator_keys(self, now: float, hours: float = 72.0, held: Collection[str] = ()) -> list[str]:
        """Destroy the operator keys of all days that ended ``hours`` before ``now`` (Unix seconds).

        Days named in ``held`` (``2026-11-22``) stay, and all stay while a `HOLD` file is there.
        Returns the names of the keys destroyed.
        """
        if self.held():
            return []
        days = sorted({_day_of_name(name) for name in self.days(OPERATOR_CLASS)} - set(held))
        old = [day for day in days if _end_of(day) + hours * 3600.0 <= now]
        return [
            name
            for day in old
            for name in self.destroy(OPERATOR_CLASS, day, f"kept {hours:g} hours, as promised")
        ]

    def _current(self, base: str) -> str:
        generation = 1
        while self._tombstone(name := base if generation == 1 else f"{base}~{generation}").exists():
            generation += 1
        if not self._file(name).exists():
            self._make(name)
        return name

    def _make(self, name: str) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_folder(self.folder.parent)
        # Whoever loses this race uses the winner's key: the file is never replaced.
        with suppress(FileExistsError):
            write_durably(self._file(name), os.urandom(KEY_BYTES), replace=False)

    def _cipher(self, name: str) -> AESGCM:
        file = self._file(name)
        cipher = self._ciphers.get(name)
        if cipher is not None and file.exists():
            return cipher
        self._ciphers.pop(name, None)
        return self._ciphers.setdefault(name, AESGCM(self._read(name, file)))

    def _read(self, name: str, file: Path) -> bytes:
        if self._tombstone(name).exists():
            reason = self._tombstone(name).read_text(errors="replace")
            raise KeyDestroyed(f"the key {name} was destroyed: {reason}")
        try:
            key = file.read_bytes()
        except FileNotFoundError:
            raise KeyDestroyed(f"there is no key {name} in {self.folder}") from None
        if len(key) != KEY_BYTES:
            raise SealBroken(f"{file} holds {len(key)} bytes, a key has {KEY_BYTES}: restore it from a copy")
        return key

    def _file(self, name: str) -> Path:
        return self.folder / f"{_file_stem(name)}.key"

    def _tombstone(self, name: str) -> Path:
        return self.folder / f"{_file_stem(name)}.destroyed"


def _file_stem(name: str) -> str:
    # A log may come from anyone: what it calls a key must not lead out of the folder.
    if not _NAME.fullmatch(name):
        raise SealBroken(f"{name!r} is not the name of a key: the log's 'sealed' column was altered")
    return name.replace("/", "_")


def _day_of_name(name: str) -> str:
    return name.partition("/")[2].partition("~")[0]


def _end_of(day: str) -> float:
    try:
        start = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return float("inf")
    return (start + timedelta(days=1)).timestamp()


def _shred(file: Path) -> None:
    with file.open("r+b") as handle:
        handle.write(os.urandom(KEY_BYTES))
        handle.flush()
        os.fsync(handle.fileno())
    file.unlink()
    sync_folder(file.parent)
