"""``vedette bench NAME``: one JSON object of figures. No test asserts them; the machine decides."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from vedette.evaluate.bench_decode import FORMATS

DECODED = f"one of {', '.join(FORMATS)}"

bench = typer.Typer(help="Measure: one JSON object on stdout, rates per CPU second.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the group of benchmarks."""
    app.add_typer(bench, name="bench")


@bench.command()
def decode(
    form: Annotated[str, typer.Option("--format", help=DECODED)] = "odid",
    frames: Annotated[
        int | None, typer.Option(min=1, help="distinct frames (default: a steady figure)")
    ] = None,
) -> int:
    """Frames a CPU second from bytes to detections, or to checked messages where the codec alone is meant."""
    from vedette.evaluate.bench_decode import bench_decode

    return _print(bench_decode(form, frames))


@bench.command()
def log(
    events: Annotated[int, typer.Option(min=1, help="detection events")] = 200_000,
    folder: Annotated[Path | None, typer.Option(help="where (default: a temporary folder)")] = None,
) -> int:
    """Events a second appended in batches of 500, chain on, and verified."""
    from vedette.evaluate.bench_log import bench_log

    return _print(bench_log(events, folder))


@bench.command()
def latency(
    tracks: Annotated[int, typer.Option(help="drones in the air")] = 50,
    units: Annotated[int, typer.Option(help="units on the ground")] = 500,
    seconds: Annotated[float, typer.Option(help="how long")] = 60.0,
    flood: Annotated[int, typer.Option(min=0, help="lines a second of another feed that floods")] = 0,
) -> int:
    """Milliseconds from a receiver's bytes to the bytes on the phones' sockets, stage by stage."""
    from vedette.evaluate.bench_latency import bench_latency

    return _print(bench_latency(tracks, units, seconds, flood))


@bench.command()
def sweep(
    sweeps: Annotated[int, typer.Option(min=1, help="of each fan")] = 300,
    threads: Annotated[int, typer.Option(min=1, help="at once")] = 2,
) -> int:
    """Sweeps of terrain a second: the lowest height that is seen from a mast, 10 km around."""
    from vedette.evaluate.bench_sweep import bench_sweep

    return _print(bench_sweep(sweeps, threads))


def _print(figures: Mapping[str, object]) -> int:
    print(json.dumps(figures))
    return 0
