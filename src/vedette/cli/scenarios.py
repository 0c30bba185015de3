"""``vedette simulate``: a scenario, or a collection of encounters, as files."""

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
    folder: Annotated[Path | None, typer.Option("-o", "--output", help="folder to write to")] = None,
    scenario: Annotated[str | None, typer.Argument(help="a built-in scenario or a scenario file")] = None,
    start: Annotated[float | None, typer.Option(help="when it starts (Unix seconds; default: now)")] = None,
    encounters: Annotated[
        str | None, typer.Option(metavar="COLLECTION", help="write encounters of this collection instead")
    ] = None,
    first: Annotated[int, typer.Option(help="number of the first encounter")] = 0,
    count: Annotated[int, typer.Option(help="how many encounters")] = 1,
    mix: Annotated[
        str | None, typer.Option(help="sensors that see the encounters (default: a tracker's feed)")
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="send each thing when it happens")] = False,
    to: Annotated[
        list[str] | None, typer.Option(metavar="LINE=HOST:PORT", help="where --live sends a line")
    ] = None,
    radars: Annotated[str, typer.Option(help="--live: radars speak asterix or sapient")] = "asterix",
) -> int:
    """Write a scenario as captures and CoT, with the truth in a file apart; or many encounters, one after
    another, with the answers in labels.jsonl; or play a scenario live."""
    if live:
        return _play(scenario, folder, encounters, to or [], radars)
    if folder is None:
        raise ConfigError("simulate needs a folder to write to: --output FOLDER; or --live")
    if (scenario is None) == (encounters is None):
        raise ConfigError("simulate needs a scenario, or --encounters COLLECTION: give one of the two")
    if encounters is not None:
        work = _encounters(encounters, first, count, start, mix)
    else:
        assert scenario is not None
        work = _scenario(scenario, start)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        counts = work(_creator(folder))
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written: {error.strerror}") from None
    for name, records in sorted(counts.items()):
        output.write(Written(file=name, records=records))
    return 0


def _play(
    scenario: str | None, folder: Path | None, encounters: str | None, to: list[str], radars: str
) -> int:
    from vedette.cli import live
    from vedette.station.peers.sim import scenario_of

    if scenario is None or folder is not None or encounters is not None:
        raise ConfigError("simulate --live plays one scenario and writes nothing: SCENARIO --live")
    return live.play(scenario_of(scenario), live.addresses(to), live.radars_of(radars))


Open = Callable[[str], AbstractContextManager[BinaryIO]]
Work = Callable[[Open], dict[str, int]]


def _scenario(name: str, start: float | None) -> Work:
    from vedette.simulate import emissions, to_files
    from vedette.station.peers.sim import scenario_of

    described = scenario_of(name)
    at = time.time() if start is None else start
    next(iter(emissions(described, at)), None)  # a start that cannot be is told before a file is made
    return lambda create: to_files(described, at, create)


def _encounters(collection: str, first: int, count: int, start: float | None, mix: str | None) -> Work:
    from vedette.simulate import MIXES
    from vedette.simulate.encounters import COLLECTIONS, write
    from vedette.simulate.encounters.writing import START

    if collection not in COLLECTIONS or first < 0 or count < 1:
        known = ", ".join(COLLECTIONS)
        raise ConfigError(
            f"--encounters {collection} --first {first} --count {count}: there are the collections {known}; "
            "their encounters are numbered from 0 on, and at least one is written"
        )

    if mix is not None and mix not in MIXES:
        raise ConfigError(f"--mix {mix}: there are {', '.join(MIXES)}")

    def work(create: Open) -> dict[str, int]:
        with output.progress() as bar:
            task = bar.add_task("encounters", total=count)
            return write(
                collection,
                first,
                count,
                create,
                start_time=START if start is None else start,
                mix=mix,
                done=lambda number: bar.update(task, completed=number),
            )

    return work


def _creator(folder: Path) -> Open:
    def create(name: str) -> AbstractContextManager[BinaryIO]:
        return (folder / name).open("wb")

    return create
