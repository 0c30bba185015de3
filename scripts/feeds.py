"""Write docs/feeds.md, the table of what each feed is worth, from what the adapters say of themselves.

    .venv/bin/python scripts/feeds.py                    the table, from the modules and docs/feeds.json
    .venv/bin/python scripts/feeds.py --measure [NAME..] measure first: all formats, or those named

Speeds are kept in docs/feeds.json with the command that made each, so that the table is the same
wherever it is written.
"""

import argparse
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from vedette.evaluate.bench_decode import FORMATS
from vedette.sense.quality import Quality, qualities

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "docs" / "feeds.md"
FIGURES = ROOT / "docs" / "feeds.json"
FUZZERS = ROOT / "tests" / "fuzz"
VEDETTE = Path(sys.executable).with_name("vedette")

WITHOUT_ROW = {
    "raw+udp": "datagrams for an adapter of another package, which says itself what it is worth",
    "cap": "a folder of CAP messages for those who pass warnings on: nothing is read there",
    "gateway": "phones and displays by WebSocket: they are warned, they detect nothing (`docs/gateway.md`)",
    "meshtastic+tcp": "a team by LoRa: it is warned, and brings no detections (`docs/lora.md`)",
    "meshtastic+serial": "the same on a serial line",
    "mqtt": "a broker for sirens, lights and Home Assistant: nothing is read there (`docs/ways-out.md`)",
    "mqtts": "the same with encryption",
    "webhook+https": "alerts as signed requests to one server (`docs/ways-out.md`)",
    "webhook+http": "the same to a program on this machine",
    "smtp": "alerts by mail (`docs/ways-out.md`)",
    "smtps": "the same with TLS from the first byte",
    "webpush": "a push message that says how grave it is and to open Vedette (`docs/ways-out.md`)",
    "sapient+tcp": "Vedette as a node of another SAPIENT fusion node: it is told, and brings no detections",
    "sapient+tls": "the same over TLS",
}
"""Schemes of the station that are in no row, and why."""

COLUMNS = (
    "feed",
    "standard",
    "addresses",
    "tested against",
    "we write",
    "fuzzed",
    "frames a CPU second",
    "not covered",
)

HEAD = """# What each feed is worth

`scripts/feeds.py` writes this page from what the adapters in `src/vedette/sense/` say of themselves, and a
test holds it to the code: do not edit it, edit the `QUALITY` of the adapter.

How to read it:

- **Standard**: which text and which edition is read. Another edition may be refused, and then says so.
- **Addresses**: the beginnings of the feed's address; `docs/install.md` has them in full.
- **Tested against**: real programs, recordings and corpora. What is simulated, or ours, is called so.
- **We write**: what of the format Vedette also sends, or the simulator speaks.
- **Fuzzed**: damaged input is tried at random each night. Nothing of it may stop a station or become a
  detection.
- **Frames a CPU second**: bytes to detections, or to checked messages where it says so. All frames are
  different; one core.
- **Not covered**: what you must not rely on. Unless a row says otherwise nobody is authenticated: what was
  broadcast is a claim.
"""


def guide(rows: tuple[Quality, ...], measured: dict[str, Any]) -> str:
    """The page."""
    return "\n".join([HEAD, *_table(rows, measured["figures"]), "", *_elsewhere(), *_speeds(measured)]) + "\n"


def _table(rows: tuple[Quality, ...], figures: dict[str, Any]) -> list[str]:
    return [_row(COLUMNS), _row(("---",) * len(COLUMNS)), *(_row(_cells(row, figures)) for row in rows)]


def _cells(row: Quality, figures: dict[str, Any]) -> tuple[str, ...]:
    return (
        f"**{_plain(row.name)}**",
        _plain(row.standard),
        _listed(f"`{scheme}:`" for scheme in row.schemes),
        _listed(map(_plain, row.tested)) or "nothing but our own encoder",
        _plain(row.encoder or "nothing"),
        "yes" if (FUZZERS / row.fuzzer).is_file() else "no",
        _speed(row.bench, figures),
        _listed(map(_plain, row.uncovered)),
    )


def _speed(name: str, figures: dict[str, Any]) -> str:
    if name not in figures:
        return "not measured"
    messages = "" if "detections" in figures[name] else " (messages)"
    return f"{_two_digits(figures[name]['frames_per_cpu_s']):,}{messages}"


def _two_digits(rate: int) -> int:
    """More would be noise: another run gives others."""
    return round(rate, 2 - len(str(rate)))


def _elsewhere() -> list[str]:
    rows = [f"- `{scheme}:` {why}." for scheme, why in WITHOUT_ROW.items()]
    return ["Addresses without a row:", "", *rows, ""]


def _speeds(measured: dict[str, Any]) -> list[str]:
    figures = measured["figures"]
    rows = [_row(_figures(name, figures)) for name in FORMATS if name in figures]
    head = f"Measured on one core ({measured['machine']}). Your machine will differ: measure it there."
    heads = ("format", "frames a CPU second", "memory", "command")
    table = [_row(heads), _row(("---",) * len(heads)), *rows]
    return ["## Speeds", "", head, "", *table]


def _figures(name: str, figures: dict[str, Any]) -> tuple[str, ...]:
    found = figures[name]
    return f"`{name}`", _speed(name, figures), f"{found['peak_rss_mb']:.0f} MB", f"`{found['command']}`"


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    return text.replace("|", "\\|")


def _listed(parts: Any) -> str:
    return "<br>".join(parts)


def measure(names: list[str]) -> dict[str, Any]:
    """Measure the formats, one process each; figures of formats that are not named stay. Raises
    CalledProcessError."""
    known = read_figures()["figures"] if FIGURES.exists() else {}
    for name in names:
        known[name] = _measured(name)
        print(f"{name}: {known[name]['frames_per_cpu_s']:,} frames a CPU second", file=sys.stderr)
    figures = {name: known[name] for name in FORMATS if name in known}
    return {"machine": f"{_processor()}, Python {platform.python_version()}", "figures": figures}


def _measured(name: str) -> dict[str, Any]:
    options = ["bench", "decode", "--format", name]
    said = subprocess.run([str(VEDETTE), *options], capture_output=True, check=True, text=True).stdout
    return {"command": " ".join(["vedette", *options])} | json.loads(said)


def _processor() -> str:
    """What the system calls its processor."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), platform.machine())


def read_figures() -> dict[str, Any]:
    """What was measured last."""
    kept: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8"))
    return kept


def main() -> int:
    """Measure if asked to, and write the page."""
    parser = argparse.ArgumentParser(description="Write docs/feeds.md.")
    parser.add_argument("--measure", nargs="*", metavar="NAME", choices=[*FORMATS, []])
    chosen = parser.parse_args().measure
    if chosen is not None:
        FIGURES.write_text(json.dumps(measure(chosen or list(FORMATS)), indent=1) + "\n", encoding="utf-8")
    GUIDE.write_text(guide(qualities(), read_figures()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
