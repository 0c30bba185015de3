"""Disk space set aside for the moment when there is none left."""

import os
from contextlib import suppress
from pathlib import Path

from vedette.record.durable import sync_folder

RESERVE_BYTES = 16 * 2**20


class ReserveFile:
    """``size`` bytes preallocated at ``path``, on the log's file system; given up so alerts still fit."""

    def __init__(self, path: Path, size: int = RESERVE_BYTES) -> None:
        self.path = path
        self.size = size

    @property
    def held(self) -> bool:
        """True while the space is really set aside (blocks, not only a length)."""
        try:
            status = self.path.stat()
        except OSError:
            return False
        return status.st_size >= self.size and status.st_blocks * 512 >= self.size

    def make(self) -> bool:
        """Set the space aside if it is not; False if the disk has no room for it."""
        if self.held:
            return True
        try:
            self._allocate()
        except OSError:
            self.release()
            return False
        return True

    def release(self) -> None:
        """Give the space back to the file system."""
        with suppress(OSError):
            self.path.unlink()
            sync_folder(self.path.parent)

    def _allocate(self) -> None:
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(handle, 0, self.size)
            os.fsync(handle)
        finally:
            os.close(handle)
