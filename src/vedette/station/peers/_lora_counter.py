"""The counter of sealed frames: no number is ever used twice, whatever happens to the station.

Beside the team's file lies ``NAME.counter`` with the next number that nobody may have used, for each key.
Before numbers are used a block of them is reserved: the file is written anew, flushed to the disk and
renamed into place. A crash loses the rest of a block and repeats nothing.

A lost file would start again from the beginning, so a number is also never below four times the seconds
since 2025: more than any channel can carry. Repeating one takes a lost file *and* a clock set back. While
the disk takes nothing the warning goes out all the same, from that clock (law 2), and the desk is told.
"""

import fcntl
import os
from pathlib import Path

import msgspec

from vedette.model.errors import ConfigError
from vedette.wire.lora.seal import LARGEST_COUNTER

BLOCK = 256
PER_S = 4
EPOCH_S = 1_735_689_600.0
"""2025-01-01, UTC."""

_DECODER = msgspec.json.Decoder(dict[str, int])


class CounterFile:
    """Numbers for one key of one team. Blocks on the disk: `reserve` is for a thread."""

    def __init__(self, path: Path, key_id: int) -> None:
        self.trouble: str | None = None
        self._path, self._key = path, str(key_id)
        self._next = self._end = 0
        self._lock: int | None = None

    def open(self) -> None:
        """Keep every other station away from these numbers. Raises ConfigError if one has them."""
        try:
            lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            self.trouble = _words(self._path, error)
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise ConfigError(
                f"{self._path}: another station or feed sends for this team already:"
                " give each a team of its own"
            ) from None
        self._lock = lock

    def close(self) -> None:
        """Let go of the numbers."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        self._next = self._end

    @property
    def left(self) -> int:
        """Reserved numbers that are not used yet."""
        return self._end - self._next

    def reserve(self, now_wall: float) -> None:
        """Reserve a block. ``trouble`` says what is wrong with the disk, if anything is."""
        floor = int(max(0.0, now_wall - EPOCH_S) * PER_S)
        try:
            held = self._read()
            start = max(held.get(self._key, 0), floor, self._end)
            self._write(held | {self._key: start + BLOCK})
            self.trouble = None
        except (OSError, ConfigError) as error:
            start = max(floor, self._end)
            self.trouble = _words(self._path, error)
        self._next, self._end = start, min(start + BLOCK, LARGEST_COUNTER + 1)

    def take(self) -> int:
        """The next number. Raises ConnectionError if none is reserved: the key is used up."""
        if self._next >= self._end:
            raise ConnectionError(
                f"{self._path}: no number is left for key {self._key}: give the team a new one"
            )
        self._next += 1
        return self._next - 1

    def _read(self) -> dict[str, int]:
        try:
            return _DECODER.decode(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except msgspec.DecodeError:
            raise ConfigError("damaged; the clock stands in for it, and it is written anew") from None

    def _write(self, numbers: dict[str, int]) -> None:
        fresh = self._path.with_suffix(".new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(numbers))
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _words(path: Path, error: Exception) -> str:
    what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{path}: {what}; the counter of the radio's frames is not kept, the clock stands in for it"
