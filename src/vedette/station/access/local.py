"""The token by which a command on the same machine asks a station that runs how it is.

It is made anew at each start and stands in the state folder, for the station's user alone: who can read that
folder can read far more. It shows the picture without people, and lets nobody act.
"""

import os
from pathlib import Path

from vedette.station.access.secret import Secret, random_secret

FILE = "local.token"
_PREFIX = "vdm_"


def make_local_token(folder: Path) -> Secret | None:
    """A new token, written to the access folder; None if the disk does not take it: then no command can ask,
    and all else goes on."""
    token, path = random_secret(_PREFIX), folder / FILE
    fresh = path.with_suffix(".new")
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(token.reveal())
        fresh.rename(path)
    except OSError:
        return None
    return token


def local_token(folder: Path) -> Secret | None:
    """The token of the station that runs, or ran last, with this folder; None without one."""
    try:
        return Secret((folder / FILE).read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError):
        return None
