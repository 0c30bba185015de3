"""``vedette team``: the file of a team that is reached by radio, and the keys for its members' devices."""

import os
import secrets
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from vedette.cli import output
from vedette.model.errors import ConfigError

TeamPath = Annotated[Path, typer.Argument(help="the team's file")]
team = typer.Typer(help="Teams that are reached by radio (LoRa).", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(team, name="team")


@team.command()
def new(
    file: TeamPath,
    name: Annotated[str, typer.Option("--name", help="what the team is called")],
    member: Annotated[list[str], typer.Option("--member", help="a unit of the team; once for each")],
    gateway: Annotated[list[str], typer.Option("--gateway", help="a member whose device may answer")] = [],  # noqa: B006
    channel: Annotated[int, typer.Option(min=0, max=7, help="the node's channel")] = 1,
) -> int:
    """Write a new team's file with a fresh key, readable by you alone. A file that is there stays."""
    strangers = ", ".join(sorted(set(gateway) - set(member)))
    if strangers:
        raise ConfigError(f"--gateway {strangers}: not a --member")
    text = "\n".join(
        [
            f"team = {_quoted(name)}",
            f"channel = {channel}",
            "hops = 3",
            "duty = 0.1",
            *(_member(number, unit, unit in gateway) for number, unit in enumerate(member, 1)),
            "",
            "[[key]]",
            "id = 1",
            f'secret = "{secrets.token_hex(32)}"',
            "",
        ]
    )
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(f"{file}: is there already; its key would be lost") from None
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
    _checked(file)
    output.say(f"{file}: team {name!r}, {len(member)} members. Name it as team_file of a meshtastic feed.")
    return 0


@team.command()
def keys(file: TeamPath, number: Annotated[int, typer.Option("--member", help="the member's number")]) -> int:
    """The keys for one member's device, as one JSON line. Hand them over by cable, never by radio."""
    from vedette.station.peers._lora_team import read_team

    held = read_team(file)
    told = {"team": held.team, "member": number, "key_id": held.key[0].id, **held.handouts(number)}
    output.write_bytes(msgspec.json.encode(told))
    return 0


def _checked(file: Path) -> None:
    """The station reads it; what it would refuse is not left behind."""
    from vedette.station.peers._lora_team import read_team

    try:
        read_team(file)
    except ConfigError:
        file.unlink()
        raise


def _member(number: int, unit: str, gateway: bool) -> str:
    lines = ["", "[[member]]", f"number = {number}", f"unit = {_quoted(unit)}"]
    return "\n".join([*lines, "gateway = true"] if gateway else lines)


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are among TOML's."""
    return msgspec.json.encode(text).decode()
