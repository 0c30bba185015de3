"""``vedette fit``: encounters of which the outcome is known -> the model of the risk."""

import json
from pathlib import Path
from typing import Annotated

import typer

from vedette.cli import output
from vedette.model import ConfigError

_STEPS = 7
"""What is said besides one line for each folder."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(fit)


def fit(
    folders: Annotated[
        list[Path],
        typer.Argument(help="folders with features.npz (vedette assess --features) and labels.jsonl"),
    ],
    held_out: Annotated[
        list[Path],
        typer.Option(help="a further such folder, or several: calibration and the bars of the levels"),
    ],
    out: Annotated[Path, typer.Option("-o", "--output", help="write the model here")],
    seed: Annotated[int, typer.Option(help="of the random draws of rows")] = 1,
    rows: Annotated[int, typer.Option(help="benign rows drawn from each folder", min=100)] = 16_000,
    pairs: Annotated[int, typer.Option(help="pairs of features that get a term, at most", min=0)] = 40,
    drills: Annotated[
        int, typer.Option(help="textbook attacks, and twice as many other flights, to add", min=0)
    ] = 320,
    share: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=X", help="a scene of this folder, or of the drills, counts so much; else 1"
        ),
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="leave out a feature, or all that begin so with a trailing *")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="what was measured, as one JSON line")] = False,
) -> int:
    """Fit the additive model of the risk; the same folders and seed give the same file on the same machine.
    How, and what is assumed: docs/threat-model.md."""
    from vedette.evaluate.fitting.fit import fit_folders
    from vedette.evaluate.fitting.model_file import encoded
    from vedette.evaluate.fitting.plan import LEFT_OUT, Plan

    for folder in held_out:
        if folder.resolve() in [other.resolve() for other in folders]:
            raise ConfigError(f"--held-out {folder}: is fitted on too; give one that is not")
    shares = dict(_share(text, {folder.name for folder in folders} | {"drills"}) for text in share or ())
    plan = Plan(
        seed=seed, benign_rows=rows, pairs=pairs, drills=drills, shares=shares,
        leave_out=(*LEFT_OUT, *(without or ())),
    )  # fmt: skip
    with output.progress() as bar:
        task = bar.add_task("fit", total=len(folders) + _STEPS)

        def say(message: str) -> None:
            bar.console.print(message, highlight=False)
            bar.advance(task)

        content = fit_folders(folders, held_out, plan, say)
    try:
        out.write_bytes(encoded(content))
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written: {error.strerror}") from None
    if as_json:
        output.write_bytes(json.dumps(content["trained"]["measured_on_held_out"]).encode())
    return 0


def _share(text: str, names: set[str]) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        share = float(number)
    except ValueError:
        share = -1.0
    if name not in names or not 0.0 <= share < 1e6:
        raise ConfigError(
            f"--share {text}: NAME=X, NAME one of {', '.join(sorted(names))}, X a number from 0 on"
        )
    return name, share
