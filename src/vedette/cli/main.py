"""The ``vedette`` command: JSON Lines on stdout, logs and progress on stderr.

Exit codes: 0 good, 64 bad configuration or usage, 65 bad input data, 1 failure, 130 interrupted.
"""

import contextlib
import os
import sys

import typer
from typer.exceptions import TyperException

from vedette.cli import (
    access,
    bench,
    cap,
    diagnose,
    enrol,
    evaluations,
    files,
    fitting,
    logs,
    output,
    run,
    scenarios,
    team,
    wording,
)
from vedette.model.errors import VedetteError

USAGE = 64


app = typer.Typer(
    name="vedette",
    help="Early warning against drones, for the people in the field. Strictly defensive.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
run.register(app)
files.register(app)
scenarios.register(app)
logs.register(app)
diagnose.register(app)
bench.register(app)
evaluations.register(app)
fitting.register(app)
cap.register(app)
team.register(app)
access.register(app)
enrol.register(app)
wording.register(app)


def main() -> None:
    """Run the command; every error a person can mend is one line."""
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> int:
    """Run ``vedette ARGUMENTS`` and return the exit code."""
    try:
        result = app(arguments, standalone_mode=False, prog_name="vedette")
        output.flush()
    except VedetteError as error:
        return _say(str(error), error.exit_code)
    except TyperException as error:
        return _usage(error)
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        # The reader of our lines has gone; nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        # The machine failed us, not a program: a full disk, a device that went away.
        return _abandon(error)
    return result if isinstance(result, int) else 0


def _abandon(error: OSError) -> int:
    """One line for a failure of the machine. Lines that wait for stdout would fail again at exit."""
    with contextlib.suppress(OSError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _say(f"{error.filename or 'standard output'}: {error.strerror or error}", 1)


def _usage(error: BaseException) -> int:
    """A wrong command line in one line; a bare ``vedette`` gets the help."""
    words = getattr(error, "format_message", error.__str__)()
    message = words.rstrip(".")
    if "\n" in message or not message:
        if message:
            print(message, file=sys.stderr)
        return USAGE
    return _say(f"{message} (see vedette --help)", USAGE)


def _say(message: str, code: int) -> int:
    print(f"vedette: {message}", file=sys.stderr)
    return code
