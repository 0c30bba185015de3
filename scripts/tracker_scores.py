#!/usr/bin/env python3
"""Vedette's tracker against Stone Soup on the same plots: `tracker_scores.py --tool tracker_bench.py WORK`.

Makes the sets of the shared benchmark tool in the folder WORK (or uses those that are there), tracks each
with `vedette track`, scores it with the tool, and prints JSON: medians and spread for each kind of set, and
ratios run by run to Stone Soup where WORK or --stone-soup holds its results (`<set>/ss.json`, the output of
the tool's `stonesoup`). --told: also beside perfect association, and NEES (`vedette bench accuracy`).
--variants: also late data, birds, crossings, Remote ID, no radar, a turned direction finder.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

Figures = dict[str, Any]

COMMAND = [sys.executable, "-c", "from vedette.cli.main import main; main()"]
PLAIN = ("10/10/60", "50/50/12", "1/10/60")
MORE = ("50/10/60", "3/100/60/--pd=0.6")
VARIANTS = (
    "10/10/60/--variant=late", "12/10/60/--variant=birds", "12/10/60/--variant=crossing",
    "10/10/60/--variant=remote-id", "4/0/60/--variant=passive", "10/10/60/--variant=bias",
)  # fmt: skip
TELLING = (
    "gospa", "rmse", "median_m", "missed", "false", "completeness", "switches", "spurious", "mean_latency_s",
    "birds_called_drone_at_8s", "drones_called_bird_at_8s", "pairs_changed",
)  # fmt: skip


class Kind(NamedTuple):
    """A kind of set: bodies, clutter a scan, seconds, and further options of the tool."""

    bodies: str
    clutter: str
    seconds: str
    options: tuple[str, ...]

    def folder(self, work: Path, seed: int) -> Path:
        """Where the set of this seed lies."""
        extra = "".join("_" + option.lstrip("-").replace("=", "-") for option in self.options)
        return work / f"d_{self.bodies}_{self.clutter}_{seed}_{self.seconds}{extra}"

    @property
    def reference(self) -> str:
        """The sensor at whose scans frames are written."""
        return "df-1" if "--variant=passive" in self.options else "radar-1"

    @property
    def cutoff_m(self) -> str:
        """GOSPA's: without a radar a wider one says more."""
        return "500" if "--variant=passive" in self.options else "100"


def kind_of(text: str) -> Kind:
    """`BODIES/CLUTTER/SECONDS[/OPTION...]`."""
    bodies, clutter, seconds, *options = text.split("/")
    return Kind(bodies, clutter, seconds, tuple(options))


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    kinds = [kind_of(text) for text in arguments.kinds]
    seeds = range(arguments.seeds[0], arguments.seeds[1] + 1)
    table = {}
    for kind in kinds:
        runs = [_run(arguments, kind, seed) for seed in seeds]
        name = "/".join((kind.bodies, kind.clutter, kind.seconds, *kind.options))
        table[name] = _summary(runs)
        if arguments.told and not any("variant" in option for option in kind.options):
            folders = [str(kind.folder(arguments.work, seed)) for seed in seeds]
            figures = json.loads(_output([*arguments.vedette, "bench", "accuracy", *folders]))
            table[name] |= {what: figures[what] for what in ("ratio", "nees", "nees_perfect")}
            table[name]["perfect gospa"] = figures["perfect"]["gospa_m"]
        print(f"{name}: {json.dumps(table[name])}", file=sys.stderr)
    print(json.dumps(table, indent=1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("--tool", default=os.environ.get("VEDETTE_BENCH"), help="the shared tracker_bench.py")
    parser.add_argument("--seeds", type=int, nargs=2, default=(11, 30), metavar=("FIRST", "LAST"))
    parser.add_argument("--kinds", nargs="*", default=None, help="BODIES/CLUTTER/SECONDS[/OPTION...]")
    parser.add_argument("--variants", action="store_true")
    parser.add_argument("--stone-soup", type=Path, help="folder of sets with ss.json (default: WORK)")
    parser.add_argument("--told", action="store_true", help="also perfect association and NEES")
    parser.add_argument("--vedette", nargs="+", default=COMMAND, help="the command")
    arguments = parser.parse_args()
    if not arguments.tool:
        parser.error("say where the shared tracker_bench.py is: --tool, or VEDETTE_BENCH")
    if arguments.kinds is None:
        arguments.kinds = [*PLAIN, *MORE, *(VARIANTS if arguments.variants else ())]
    arguments.stone_soup = arguments.stone_soup or arguments.work
    return arguments


def _run(arguments: argparse.Namespace, kind: Kind, seed: int) -> Figures:
    """One set made, tracked and scored."""
    folder = kind.folder(arguments.work, seed)
    if not (folder / "truth.jsonl").exists():
        size = ("--n", kind.bodies, "--clutter", kind.clutter, "--seed", str(seed), "--secs", kind.seconds)
        _output([sys.executable, arguments.tool, "make", str(folder), *size, *kind.options])
    figures = _tracked(arguments, kind, folder)
    if "--variant=late" in kind.options:
        figures["in_order"] = _tracked(arguments, kind, _in_order(folder))["gospa"]
    if "--variant=bias" in kind.options:
        straight = kind._replace(options=tuple(o for o in kind.options if not o.startswith("--variant")))
        figures["unturned"] = _run(arguments, straight, seed)["gospa"]
    theirs = kind.folder(arguments.stone_soup, seed) / "ss.json"
    if theirs.exists() and theirs.stat().st_size:
        figures["stone_soup"] = json.loads(theirs.read_text())
    return figures


def _tracked(arguments: argparse.Namespace, kind: Kind, folder: Path) -> Figures:
    frames = folder / "frames.jsonl"
    frames.write_bytes(_output([*arguments.vedette, "track", str(folder), "--at", f"scans:{kind.reference}"]))
    scored = _output(
        [sys.executable, arguments.tool, "score", str(folder), str(frames), "--cutoff", kind.cutoff_m]
    )
    figures: Figures = json.loads(scored)
    return figures


def _in_order(folder: Path) -> Path:
    """The same plots in order of their time, each received when it was made."""
    other = folder.with_name(folder.name + "_in-order")
    other.mkdir(exist_ok=True)
    for name in ("site.json", "sensors.json", "truth.jsonl"):
        (other / name).write_bytes((folder / name).read_bytes())
    lines = [json.loads(line) for line in (folder / "detections.jsonl").read_text().splitlines()]
    for line in lines:
        line.pop("received", None)
    lines.sort(key=lambda line: line["time"])
    (other / "detections.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return other


def _output(command: Sequence[str]) -> bytes:
    done = subprocess.run(command, check=False, capture_output=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout


def _summary(runs: Sequence[Figures]) -> Figures:
    """[median, lowest, highest] over the runs of each figure, and of ratios run by run."""
    out: Figures = {"runs": len(runs)}
    for name in TELLING:
        out[name] = _range(run.get(name) for run in runs)
    for other in ("in_order", "unturned"):
        out[f"gospa/{other}"] = _range(_ratio(run["gospa"], run.get(other)) for run in runs)
    theirs = [run for run in runs if "stone_soup" in run]
    for name in ("gospa", "rmse", "mean_latency_s", "switches"):
        out[f"stone_soup {name}"] = _range(run["stone_soup"].get(name) for run in theirs)
    out["gospa/stone_soup"] = _range(_ratio(run["gospa"], run["stone_soup"]["gospa"]) for run in theirs)
    return {name: value for name, value in out.items() if value is not None}


def _ratio(one: float, other: float | None) -> float | None:
    return one / other if other else None


def _range(values: Iterable[float | None]) -> list[float] | None:
    known = [value for value in values if value is not None]
    return [round(value, 4) for value in (median(known), min(known), max(known))] if known else None


if __name__ == "__main__":
    main()
