"""Commands on a log: ``replay`` and ``verify``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vedette.cli import output
from vedette.model import ConfigError, VedetteError
from vedette.model.event import event_line

if TYPE_CHECKING:
    from vedette.core import Core
    from vedette.record import Log, Verdict
    from vedette.report.replay import Outcome
    from vedette.station.grounds import GroundFolder

LogPath = Annotated[Path, typer.Argument(help="the log, e.g. state/events.log")]
Keys = Annotated[Path | None, typer.Option(help="folder of the keys (default: 'keys' beside the log)")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(replay)
    app.command(name="verify")(verify_log)


def replay(
    log: LogPath,
    keys: Keys = None,
    snapshot: Annotated[
        int | None, typer.Option(help="start from the last snapshot before this event")
    ] = None,
    digests: Annotated[bool, typer.Option(help="print only the digests")] = False,
    quiet: Annotated[bool, typer.Option(help="print only the result")] = False,
) -> int:
    """Run a log through the core again: the same events, decisions and digests, or exit 1."""
    from vedette.record import Keyring, Log
    from vedette.report.replay import Replay
    from vedette.station.grounds import GroundFolder

    with Log.open(log, Keyring(keys or log.parent / "keys"), readonly=True) as held:
        grounds = GroundFolder(log.parent)
        core, start = _start(held, snapshot, grounds)
        replayer = Replay(core, grounds)
        total = held.last.seq - start + 1
        for event in output.watched(replayer.run(held.events(start)), "replay", total):
            if not quiet and (event.kind == "digest" or not digests):
                output.write_bytes(event_line(event))
    return _report(replayer.outcome)


def _start(log: "Log", before: int | None, grounds: "GroundFolder") -> "tuple[Core | None, int]":
    """The core to start with and the first event to feed it."""
    from vedette.core import Core

    if before is None:
        return None, 1
    found = log.latest_snapshot(before)
    if found is None:
        raise ConfigError(f"--snapshot {before}: the log has no snapshot before event {before}")
    state, _ = found
    return Core.restore(state.state, grounds=grounds), state.after + 1


def _report(outcome: "Outcome") -> int:
    if outcome.numerics:
        output.say(f"numerics differ ({outcome.numerics}): decisions were compared, digests were not")
    if outcome.mismatch is not None:
        raise VedetteError(
            f"replay differs at event {outcome.mismatch.seq}: {outcome.mismatch.what}; "
            "run 'vedette verify' on the log to see whether it was altered"
        )
    same = "equal to the bit" if outcome.exact else "equal in every decision"
    output.write(outcome)
    output.say(f"replayed {outcome.events} events: {same}")
    return 0


def verify_log(
    log: LogPath,
    head: Annotated[str | None, typer.Option(help="the head hash that was noted elsewhere (hex)")] = None,
) -> int:
    """Prove that a log is unaltered: recompute its chain. Needs no keys."""
    from vedette.record import verify

    verdict = verify(log, head)
    output.write(verdict)
    if not verdict.good:
        raise VedetteError(f"{log}: the record was altered: {_fault(verdict)}")
    return 0


def _fault(verdict: "Verdict") -> str:
    fault = verdict.fault
    if fault is None:
        return "for an unknown reason"
    return fault.what if fault.seq is None else f"{fault.what} (event {fault.seq})"
