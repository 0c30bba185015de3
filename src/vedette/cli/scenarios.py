"""``vedette simulate``: a scenario as files."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from msgspec import Struct

from vedette.cli import output
from vedette.model import ConfigError


class Written(Struct, frozen=True, kw_only=True):
    """One file of a scenario: frames of a capture, lines of the others."""

    file: str
    records: int


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(simulate)


def simulate(
    scenario: Annotated[str, typer.Argument(help="a built-in scenario or a scenario file")],
    folder: Annotated[Path, typer.Option("-o", "--output", help="folder to write to")],
    start: Annotated[float | None, typer.Option(help="when it starts (Unix seconds; default: now)")] = None,
) -> int:
    """Write a scenario as captures and CoT, with the truth in a file apart."""
    from vedette.simulate import emissions, to_files
    from vedette.station.peers.sim import scenario_of

    described = scenario_of(scenario)
    at = time.time() if start is None else start
    next(iter(emissions(described, at)), None)  # a start that cannot be is told before a file is made
    try:
        folder.mkdir(parents=True, exist_ok=True)
        counts = to_files(described, at, _creator(folder))
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written: {error.strerror}") from None
    for name, records in sorted(counts.items()):
        output.write(Written(file=name, records=records))
    return 0


def _creator(folder: Path) -> Callable[[str], AbstractContextManager[BinaryIO]]:
    def create(name: str) -> AbstractContextManager[BinaryIO]:
        return (folder / name).open("wb")

    return create
