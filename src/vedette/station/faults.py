"""How a fault in the program is told."""

import traceback
from pathlib import Path

import structlog

log = structlog.get_logger("station")


def tell_fault(what: str, part: str, error: BaseException) -> None:
    """A fault on stderr: its kind and where it happened. Its message may hold a person's data."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    log.error(what, part=part, error=type(error).__name__, where=where)
