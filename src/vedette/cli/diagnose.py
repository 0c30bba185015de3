"""``vedette check-config`` and ``vedette doctor``: what is wrong, and why do I see nothing."""

from pathlib import Path
from typing import Annotated

import typer

from vedette.cli import output

ConfigPath = Annotated[Path, typer.Option("--config", help="vedette.toml of the site")]
MARK = {"good": "good   ", "warning": "WARNING", "bad": "BAD    "}


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(name="check-config")(check_config)
    app.command()(doctor)


def check_config(config: Annotated[Path, typer.Argument(help="vedette.toml")]) -> int:
    """Read a configuration as the station would; exit 64 with file, line and field if it is wrong."""
    from vedette.station.config import read_config
    from vedette.station.peers.registry import Keys, make_peer

    settled = read_config(config)
    for feed in settled.feed:
        make_peer(feed, Keys(receipts=bytes(32)))
    feeds = len(settled.feed)
    output.say(f"{config}: good. Site {settled.site.name!r}, {feeds} feed{'' if feeds == 1 else 's'}.")
    return 0


def doctor(
    config: ConfigPath = Path("vedette.toml"),
    json: Annotated[bool, typer.Option("--json", help="one JSON line a finding")] = False,
) -> int:
    """Why do I see nothing? Looks at clock, disk, record, console and every feed. Exit 1 if one is bad."""
    from vedette.station.config import read_config
    from vedette.station.doctor import examine

    bad = False
    for finding in examine(read_config(config)):
        bad = bad or finding.verdict == "bad"
        if json:
            output.write(finding)
        else:
            advice = f"  -> {finding.advice}" if finding.advice else ""
            print(f"{MARK[finding.verdict]} {finding.check}: {finding.found}{advice}")
    return 1 if bad else 0
