"""Files that are wholly there or not at all, also after a power cut."""

import os
from contextlib import suppress
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_durably(file: Path, data: bytes, *, replace: bool) -> None:
    """Write ``file`` (mode 0600) so that it is complete on the disk when this returns.

    Raises FileExistsError if it is there and ``replace`` is False, OSError if it cannot be written.
    """
    fresh = file.with_name(f".{file.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        if replace:
            fresh.replace(file)
        else:
            os.link(fresh, file)
    finally:
        with suppress(FileNotFoundError):
            fresh.unlink()
    sync_folder(file.parent)
