"""What the commands on accounts and certificates share: the store, secrets typed or shown, QR codes."""

import contextlib
import getpass
import importlib
import io
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vedette.cli import output
from vedette.model.errors import ConfigError

if TYPE_CHECKING:
    from vedette.station.access import Doorkeeper, Secret
    from vedette.station.access.authority import Authority, Issuer

ConfigPath = Annotated[Path, typer.Option("--config", help="vedette.toml of the site")]
PassphraseFile = Annotated[
    Path | None, typer.Option("--passphrase-file", help="first line: the passphrase of the root key")
]
PagePath = Annotated[
    str | None, typer.Option("--page", help="the page's address as others reach it, e.g. https://tak.example")
]
CONFIG = Path("vedette.toml")
PAGE = "page"
"""The setting that remembers the page's address."""


@contextlib.contextmanager
def door_of(config: Path) -> "Iterator[Doorkeeper]":
    """The access store of a site. Raises ConfigError."""
    from vedette.station.access import Doorkeeper
    from vedette.station.config import read_config

    settled = read_config(config)
    door = Doorkeeper(Path(settled.state), settled.site.name)
    try:
        yield door
    finally:
        door.close()


def actor() -> str:
    """Who is at the command line: the account of the machine, for no other proof is asked for here. Who can
    read the state folder can do anything in it."""
    try:
        return f"cli/{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"


def now() -> float:
    """Unix seconds: the one place where these commands read the clock."""
    return time.time()


def authority_of(door: "Doorkeeper") -> "Authority":
    """The site's authority. Raises ConfigError."""
    from vedette.station.access.authority import FOLDER, Authority

    return Authority(door.folder / FOLDER)


def issuer_of(authority: "Authority", file: Path | None) -> "Issuer":
    """The authority with its key; asks for the passphrase if it needs one. Raises ConfigError."""
    return authority.unlock(passphrase(file, "Passphrase of the root key") if authority.is_sealed else None)


def passphrase(file: Path | None, question: str) -> "Secret":
    """From the first line of a file, or typed. Raises ConfigError."""
    from vedette.station.access import Secret

    if file is None:
        return ask(question)
    try:
        return Secret(file.read_text(encoding="utf-8").partition("\n")[0])
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: the passphrase cannot be read from it: {error}") from None


def ask(question: str) -> "Secret":
    """Something secret, typed without being shown; from a pipe: the next line."""
    from vedette.station.access import Secret

    if sys.stdin.isatty():
        return Secret(getpass.getpass(f"{question}: ", stream=sys.stderr))
    line = sys.stdin.readline()
    if not line:
        raise ConfigError(f"{question}: nothing was given on standard input")
    return Secret(line.rstrip("\r\n"))


def ask_new(question: str) -> "Secret":
    """The same twice, so that a slip of the finger is found now. Raises ConfigError."""
    first = ask(question)
    if sys.stdin.isatty() and ask(f"{question}, once more") != first:
        raise ConfigError("the two are not the same; nothing was changed")
    return first


def page_link(door: "Doorkeeper", page: str | None, path: str, link: "Secret") -> "Secret":
    """The link as an address of the page, where it is known: as said now, or as said the last time. What
    follows the # is never sent to a server, and so stands in no log. Raises ConfigError."""
    from vedette.station.access import Secret

    if page is not None:
        if not page.startswith("https://") and not page.startswith(("http://127.0.0.1", "http://localhost")):
            raise ConfigError(f"--page {page}: an address of the page begins with https://")
        door.store.remember(PAGE, page.rstrip("/"))
    return Secret(f"{door.store.setting(PAGE) or ''}{path}#{link.reveal()}")


def qr_code(text: "Secret") -> Any | None:
    """The QR code, or None where the package segno is not installed."""
    try:
        segno = importlib.import_module("segno")
    except ImportError:
        return None
    return segno.make(text.reveal(), error="m", micro=False)


def show_qr(text: "Secret") -> None:
    """The QR code on the terminal, for a person at one."""
    code = qr_code(text) if sys.stderr.isatty() else None
    if code is not None:
        drawn = io.StringIO()
        code.terminal(out=drawn, compact=True)
        output.say(drawn.getvalue())


def qr_svg(text: "Secret") -> bytes | None:
    """The QR code as a picture to print, if it can be made."""
    code = qr_code(text)
    if code is None:
        return None
    drawn = io.BytesIO()
    code.save(drawn, kind="svg", scale=6, border=4, xmldecl=True)
    return drawn.getvalue()
