"""Lines on stdout, progress on stderr: shared by the file commands."""

import sys
from collections.abc import Iterable, Iterator
from typing import BinaryIO, TypeVar

from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from vedette.model.errors import VedetteError
from vedette.model.lines import dump_line

T = TypeVar("T")


def write(record: Struct) -> None:
    """One JSON line on stdout."""
    _stdout().write(dump_line(record))


def write_bytes(line: bytes) -> None:
    """One finished JSON line, without its end, on stdout."""
    _stdout().write(line + b"\n")


def flush() -> None:
    """Hand over what waits. Raises OSError while there is still somebody to tell."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _stdout() -> BinaryIO:
    """Python has no ``sys.stdout`` when the program was started with that descriptor closed."""
    if sys.stdout is None:
        raise VedetteError("standard output is closed: there is nowhere to write the lines to")
    return sys.stdout.buffer


def say(message: str) -> None:
    """One line for the person, on stderr."""
    print(message, file=sys.stderr)


def progress() -> Progress:
    """A progress display on stderr, shown only to a person at a terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def watched(items: Iterable[T], what: str, total: float | None) -> Iterator[T]:
    """``items`` with a bar that counts them against ``total``."""
    with progress() as bar:
        task = bar.add_task(what, total=total)
        for item in items:
            yield item
            bar.advance(task, 1)
