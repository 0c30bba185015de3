"""The page of a station that runs: by which entrance it is opened, and to whom."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from vedette.cli import output
from vedette.model.errors import ConfigError, VedetteError

if TYPE_CHECKING:
    from vedette.console import Server, TlsFiles
    from vedette.station.access import Doorkeeper, Secret
    from vedette.station.config import StationConfig
    from vedette.station.station import Station


async def open_page(config: "StationConfig", station: "Station", door: "Doorkeeper") -> "Server | None":
    """Serve the console; None where none is wanted, or none can be had, which is said. Warning does not
    depend on a page: without one the officers are warned all the same."""
    if not config.console.listen:
        return None
    try:
        return await _open(config, station, door)
    except VedetteError as error:
        output.say(f"NO PAGE: {error}")
        return None


async def _open(config: "StationConfig", station: "Station", door: "Doorkeeper") -> "Server":
    from vedette.console import AccountEntrance, DemoEntrance, create_app, serve
    from vedette.console.guard import NAMES
    from vedette.station.access.local import make_local_token
    from vedette.station.config import is_loopback, listen_address
    from vedette.station.metrics import exposition

    console = config.console
    host, port = listen_address(console.listen)
    tls = _tls(config)
    names = NAMES if tls is None else _names(config, door)
    if not is_loopback(host) and not door.people.administrators():
        raise ConfigError(
            f"console.listen: {host!r} is not this machine, and nobody has an account yet: vedette user add"
            " NAME --role administrator --here, then start again"
        )
    entrance = DemoEntrance() if console.demo_desk else AccountEntrance(door, make_local_token(door.folder))
    app = create_app(
        station, entrance, metrics=lambda: exposition(station), names=names, secure=tls is not None
    )
    server = await serve(app, host, port, tls=tls, name=None if tls is None else names[0])
    if console.demo_desk:
        output.say("DEMO DESK: who opens the page on this machine is its watch officer, without an account.")
    else:
        await _invite(server, door)
    return server


async def _invite(server: "Server", door: "Doorkeeper") -> None:
    """The link for the first administrator, as long as there is none."""
    try:
        link: Secret | None = await door.soon(door.first_link, time.time())
    except VedetteError as error:
        output.say(f"No first administrator can be made now: {error}")
        return
    if link is not None:
        output.say(f"Nobody has an account yet. The first administrator: {server.url}first#{link.reveal()}")
        output.say("The link is good once, and for an hour. Then: vedette user add NAME --role watch-officer")


def _tls(config: "StationConfig") -> "TlsFiles | None":
    from vedette.console import TlsFiles

    console = config.console
    if console.cert_file is None or console.key_file is None:
        return None
    return TlsFiles(console.cert_file, console.key_file)


def _names(config: "StationConfig", door: "Doorkeeper") -> tuple[str, ...]:
    """The names that the certificate is for: under others the page is not opened."""
    from vedette.station.access.authority import FOLDER, Authority
    from vedette.station.access.tls import server_names

    certificate = Path(config.console.cert_file or "")
    names = server_names(Authority(door.folder / FOLDER), certificate, time.time())
    if not names:
        raise ConfigError(f"{certificate}: it is for no name; make one: vedette authority server NAME")
    return names
