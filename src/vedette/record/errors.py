"""The errors of the record. Each says what, where and what to do.

LogError           exit 1: the log could not be written or read now; retrying may help
+-- LogFull        no space left: free some, what waits is written then
+-- LogBusy        another process holds SQLite's write lock: retry
+-- LogLocked      another station owns this log
+-- BadEvent       this one event can never be logged (``seq`` says which)
KeyDestroyed       the key of a sealed body is gone: nobody can read it any more
SealBroken         the key is there and the sealed body is not what was sealed with it
KeyHeld            a key under legal hold was to be destroyed
"""

from vedette.model.errors import VedetteError


class LogError(VedetteError):
    """The log could not be written or read; nothing of the refused transaction is in it."""


class LogFull(LogError):
    """The disk (or the file's page limit) is full."""


class LogBusy(LogError):
    """Another connection holds the write lock of the file."""


class LogLocked(LogError):
    """Another writer owns the log."""


class BadEvent(LogError):
    """An event that could not be read back, and so is not written. ``seq`` is its number."""

    def __init__(self, message: str, seq: int) -> None:
        super().__init__(message)
        self.seq = seq


class KeyDestroyed(VedetteError):
    """There is no key for a sealed body: destroyed, or not in this folder."""


class SealBroken(VedetteError):
    """A sealed body does not open under its key and header."""


class KeyHeld(VedetteError):
    """A key is under legal hold and stays."""
