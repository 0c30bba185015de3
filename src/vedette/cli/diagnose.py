"""``vedette check-config`` and ``vedette doctor``: what is wrong, and why do I see nothing."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

from vedette.cli import output

if TYPE_CHECKING:
    # At run time these are imported late: they bring numba, which must find its cache folder settled.
    from rich.progress import Progress

    from vedette.station.doctor import Finding
    from vedette.station.doctor.ear import Ear
    from vedette.station.doctor.listen import Tell

ConfigPath = Annotated[Path, typer.Option("--config", help="vedette.toml of the site")]
ListenSeconds = Annotated[
    float, typer.Option("--listen", min=0.0, max=600.0, help="seconds to listen to the feeds; 0 = only look")
]
NAMED = 5
MARK = {"good": "good   ", "warning": "WARNING", "bad": "BAD    "}


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(name="check-config")(check_config)
    app.command()(doctor)


def check_config(config: Annotated[Path, typer.Argument(help="vedette.toml")]) -> int:
    """Read a configuration as the station would; exit 64 with file, line and field if it is wrong."""
    from vedette.station.config import read_config
    from vedette.station.grounds import read_ground
    from vedette.station.peers.registry import Keys, make_peer
    from vedette.station.words import check_folder

    settled = read_config(config)
    read_ground(settled)
    check_folder(None if settled.wording.folder is None else Path(settled.wording.folder))
    for feed in settled.feed:
        make_peer(feed, Keys(receipts=bytes(32)))
    feeds = len(settled.feed)
    output.say(f"{config}: good. Site {settled.site.name!r}, {feeds} feed{'' if feeds == 1 else 's'}.")
    return 0


def doctor(
    config: ConfigPath = Path("vedette.toml"),
    listen: ListenSeconds = 8.0,
    json: Annotated[bool, typer.Option("--json", help="one JSON line a finding")] = False,
) -> int:
    """Why do I see nothing? Looks at clock, disk, record, console and every feed, then listens to the feeds
    as the station would, unless it runs. Nobody is warned. Exit 1 if a finding is bad."""
    from vedette.cli.run import PROGRAM, keep_kernels
    from vedette.station.config import read_config

    settled = read_config(config)
    if listen > 0.0:
        _be_quiet()
        keep_kernels(Path(settled.state), PROGRAM)
    from vedette.station.doctor import examine

    bad = False
    with output.progress() as bar:
        for finding in examine(settled, listen, _status(bar, listen)):
            bad = bad or finding.verdict == "bad"
            _say(finding, json)
    return 1 if bad else 0


def _status(bar: "Progress", seconds: float) -> "Tell":
    """One line on stderr while it listens, for a person at a terminal."""
    task = bar.add_task("looking", total=None)

    def tell(left_s: float, ears: "Sequence[Ear]") -> None:
        heard = ", ".join(f"{ear.feed_name} {ear.detections_heard or ear.intact}" for ear in ears[:NAMED])
        ending = (
            f"{left_s:.0f} s left (Ctrl-C ends it)" if left_s > 0.0 else "looking at what was not understood"
        )
        words = f"listening, {ending}: {heard}"
        bar.update(task, description=words, total=seconds, completed=seconds - left_s)

    return tell


def _say(finding: "Finding", json: bool) -> None:
    if json:
        output.write(finding)
    else:
        advice = f"  -> {finding.advice}" if finding.advice else ""
        print(f"{MARK[finding.verdict]} {finding.check}: {finding.found}{advice}")
    output.flush()


def _be_quiet() -> None:
    """What the peers log is in the findings, in better words."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
