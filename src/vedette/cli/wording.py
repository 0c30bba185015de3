"""``vedette check-templates``: may these words be told to people whose lives depend on them?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vedette.cli import output
from vedette.model.errors import ConfigError, InputError

if TYPE_CHECKING:
    # At run time imported late, with the packs: no other command needs them before it starts.
    from vedette.warn.pack_check import Checked, PackFault


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(name="check-templates")(check_templates)


def check_templates(
    files: Annotated[
        list[Path] | None, typer.Argument(help="packs of your own; none: those that come with Vedette")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON line a finding")] = False,
) -> int:
    """Hold packs of words to all rules, by filling every text with every extreme. Exit 65 if one would not
    load; each finding names file, line and key, and what to do."""
    good = True
    for name, checked in _checked(files):
        good = good and checked.good
        for fault in checked.found:
            if json:
                output.write(fault)
            else:
                print(_line(fault))
        if not json:
            print(_verdict(name, checked))
    return 0 if good else InputError.exit_code


def _checked(files: list[Path] | None) -> "list[tuple[str, Checked]]":
    from vedette.warn.pack import shipped_texts
    from vedette.warn.pack_check import check_pack

    if not files:
        return [(name, check_pack(text, name, own=False)) for name, text in shipped_texts().items()]
    from vedette.station.words import check_own

    return [(str(file), check_own(file, _bytes(file))) for file in files]


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None


def _line(fault: "PackFault") -> str:
    return f"{'note ' if fault.note else 'fault'} {fault}"


def _verdict(name: str, checked: "Checked") -> str:
    if checked.good and checked.pack is not None:
        return f"{name}: good. {checked.pack.language} version {checked.pack.version}."
    count = len(checked.faults)
    return f"{name}: NOT GOOD, {count} fault{'' if count == 1 else 's'}: it would not load."
