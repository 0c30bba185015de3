"""``vedette bench NAME``: one JSON object of figures. No test asserts them; the machine decides."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, cast

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
def fanout(
    clients: Annotated[int, typer.Option(min=1, help="phones, each a WebSocket connection")] = 30_000,
    tls: Annotated[bool, typer.Option("--tls", help="over TLS, by an authority made for it")] = False,
    processes: Annotated[int, typer.Option(min=1, help="that hold the phones")] = 2,
) -> int:
    """Milliseconds from the decision to each phone, and until every acknowledgement is in the record."""
    from vedette.cli.bench_accounts import enrol
    from vedette.evaluate.bench_fanout import bench_fanout

    return _print(bench_fanout(enrol, clients, tls=tls, processes=processes))


@bench.command()
def sweep(
    sweeps: Annotated[int, typer.Option(min=1, help="of each fan")] = 300,
    threads: Annotated[int, typer.Option(min=1, help="at once")] = 2,
) -> int:
    """Sweeps of terrain a second: the lowest height that is seen from a mast, 10 km around."""
    from vedette.evaluate.bench_sweep import bench_sweep

    return _print(bench_sweep(sweeps, threads))


@bench.command()
def tracker(
    folder: Annotated[
        Path | None, typer.Argument(help="folder with site.json, sensors.json, detections.jsonl")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="how often (the median counts)")] = 5,
    targets: Annotated[int | None, typer.Option(min=1, help="without a folder: so many bodies")] = None,
) -> int:
    """Plots a CPU second from a file's lines to tracks, and by the kernels alone; or CPU seconds a scan of a
    radar that sees many bodies."""
    from vedette.evaluate.bench_tracker import bench_crowd, bench_tracker

    if (folder is None) == (targets is None):
        raise typer.BadParameter("give a folder of detections, or --targets and how many")
    return _print(
        bench_crowd(targets) if targets is not None else bench_tracker(cast("Path", folder), rounds)
    )


@bench.command()
def assess(
    tracks: Annotated[int, typer.Option(min=1, help="in the air")] = 200,
    units: Annotated[int, typer.Option(min=1, help="on the ground")] = 500,
    seconds: Annotated[int, typer.Option(min=1, help="of whole assessments, one a second")] = 60,
) -> int:
    """Pairs of a track and a unit a CPU second, from tracks to threats in words."""
    from vedette.evaluate.bench_assess import bench_assess

    return _print(bench_assess(tracks, units, seconds))


@bench.command()
def case(
    folder: Annotated[Path, typer.Argument(help="where: site, sensors, detections and truth are written")],
    targets: Annotated[int, typer.Option(min=1, help="bodies in the air")] = 50,
    scans: Annotated[int, typer.Option(min=1, help="of a radar, one a second")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="another one is another sky")] = 1,
) -> int:
    """Make a case for `bench tracker`, `bench accuracy` and `track`: bodies, false plots, one radar."""
    from vedette.evaluate.crowd import write_case

    return _print({"case": str(folder), "plots": write_case(folder, targets, scans, seed)})


@bench.command()
def accuracy(
    folders: Annotated[list[Path], typer.Argument(help="cases with truth.jsonl, of like kind")],
    cutoff_m: Annotated[float, typer.Option("--cutoff", min=1.0, help="of GOSPA, metres")] = 100.0,
    told: Annotated[bool, typer.Option(help="also with perfect association")] = True,
) -> int:
    """GOSPA, identity, delay and NEES against the truth, beside the same filter told what is whose."""
    from vedette.evaluate.bench_accuracy import bench_accuracy

    return _print(bench_accuracy(folders, cutoff_m, told=told))


def _print(figures: Mapping[str, object]) -> int:
    print(json.dumps(figures))
    return 0
