"""Lines on stdout, progress on stderr: shared by the file commands."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from vedette.model.lines import dump_line

T = TypeVar("T")


def write(record: Struct) -> None:
    """One JSON line on stdout."""
    sys.stdout.buffer.write(dump_line(record))


def write_bytes(line: bytes) -> None:
    """One finished JSON line, without its end, on stdout."""
    sys.stdout.buffer.write(line + b"\n")


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
