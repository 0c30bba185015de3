"""``vedette.toml``: one file, strictly read; every error names the line and the field.

An unknown key is an error. Paths are relative to the file. ``docs/install.md`` shows an example.
"""

import math
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

import msgspec

from vedette.core import Settings
from vedette.express.mail import is_address
from vedette.model.errors import ConfigError
from vedette.model.site import SensorProfile, Site
from vedette.model.strict import decode_toml, decode_tree
from vedette.model.unit import Duty, RosterEntry

FILE_SCHEMES = ("odid+pcap", "lines", "beast", "sbs", "aircraft", "asterix+pcap", "cap")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class ClockConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``speed`` other than 1 makes the station an exercise: time runs faster than the wall clock."""

    speed: float = 1.0


class ConsoleConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the page is served (``HOST:PORT``; empty = nowhere), and by which certificate of the site's
    authority: needed off this machine. ``demo_desk``: whoever opens it is the watch officer of a demo."""

    listen: str = "127.0.0.1:8470"
    cert_file: str | None = None
    key_file: str | None = None
    demo_desk: bool = False


class FeedConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One counterpart. The scheme of ``url`` chooses the peer; the other keys go to it."""

    name: str
    url: str
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    callsign: str = "VEDETTE"
    publish_tracks: bool = True
    team_file: str | None = None
    secret_file: str | None = None
    """What proves to a counterpart who we are (mode 0600): see the guide of the way out."""


class TerrainConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Elevation files round the site: GeoTIFF, SRTM .hgt or DTED, tiles of one product.

    ``vertical_datum``: what their heights are measured from, where the files do not say."""

    files: tuple[str, ...] = ()
    vertical_datum: str | None = None


class WordingConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``folder`` of the site's own packs of words, one file ``LANGUAGE.toml`` each (docs/wording.md)."""

    folder: str | None = None


class DutyConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``unit`` has the duty ``role`` in this time: TOML date-times with their offset."""

    role: str
    unit: str
    begins: Annotated[datetime, msgspec.Meta(tz=True)] = msgspec.field(name="from")
    until: Annotated[datetime, msgspec.Meta(tz=True)]
    person: str | None = None

    def duty(self) -> Duty:
        """As the core knows it."""
        return Duty(
            role=self.role,
            unit=self.unit,
            begins=self.begins.timestamp(),
            until=self.until.timestamp(),
            person=self.person,
        )


class StationConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of ``vedette.toml``."""

    site: Site
    state: str = "state"
    clock: ClockConfig = ClockConfig()
    console: ConsoleConfig = ConsoleConfig()
    feed: tuple[FeedConfig, ...] = ()
    sensor: tuple[SensorProfile, ...] = ()
    unit: tuple[RosterEntry, ...] = ()
    duty: tuple[DutyConfig, ...] = ()
    settings: dict[str, Any] = {}
    terrain: TerrainConfig = TerrainConfig()
    wording: WordingConfig = WordingConfig()


def read_config(path: Path) -> StationConfig:
    """Read and check a configuration file. Raises ConfigError with file, line and field."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start})") from None
    return check(decode_toml(text, StationConfig, str(path)), str(path), path.parent)


def check(config: StationConfig, source: str, folder: Path) -> StationConfig:
    """What the schema cannot say: names are unique, time runs, settings are known; paths resolved."""
    if not 0.0 < config.clock.speed < math.inf:
        raise ConfigError(f"{source}: clock.speed: must be above 0 and finite, not {config.clock.speed}")
    _unique(source, "feed", [feed.name for feed in config.feed])
    _unique(source, "sensor", [sensor.id for sensor in config.sensor])
    _unique(source, "unit", [unit.unit for unit in config.unit])
    _check_roster(config, source)
    decode_tree(config.settings, Settings, f"{source}: settings")
    if "packs" in config.settings.get("warn", {}):
        raise ConfigError(f"{source}: settings.warn.packs: name the folder of your packs under [wording]")
    console = _checked_console(config.console, source, folder)
    feeds = tuple(_resolved(feed, folder) for feed in config.feed)
    files = tuple(str(folder / name) for name in config.terrain.files)
    terrain = msgspec.structs.replace(config.terrain, files=files)
    own = config.wording.folder
    wording = WordingConfig(folder=None if own is None else str(folder / own))
    state = str(folder / config.state)
    return msgspec.structs.replace(
        config, state=state, console=console, feed=feeds, terrain=terrain, wording=wording
    )


def listen_address(listen: str) -> tuple[str, int]:
    """``host:port`` of the console. Raises ConfigError for what is no address."""
    host, _, port = listen.rpartition(":")
    if not port.isdigit() or not 0 <= int(port) <= 65535:
        raise ConfigError(f"console.listen: {listen!r} is not HOST:PORT")
    if host not in LOOPBACK and not _is_address(host):
        raise ConfigError(f"console.listen: {host!r} is no address; name one of this machine, or 127.0.0.1")
    return host.strip("[]"), int(port)


def is_loopback(host: str) -> bool:
    """Whether nobody outside this machine can reach what listens there."""
    return host == "localhost" or ip_address(host.strip("[]")).is_loopback


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _checked_console(console: ConsoleConfig, source: str, folder: Path) -> ConsoleConfig:
    """Nobody but this machine reaches a page without TLS, or one at which nobody shows who he is."""
    if (console.cert_file is None) is not (console.key_file is None):
        raise ConfigError(f"{source}: console: cert_file and key_file belong together")
    if console.listen:
        host, _ = listen_address(console.listen)
        if not is_loopback(host) and console.cert_file is None:
            raise ConfigError(
                f"{source}: console.listen: {host!r} is not this machine: it needs cert_file and key_file, a"
                " certificate of the site's authority (vedette authority server NAME -o certificates)"
            )
        if not is_loopback(host) and console.demo_desk:
            raise ConfigError(
                f"{source}: console.demo_desk: only on 127.0.0.1: whoever opens it could act unknown"
            )
    return msgspec.structs.replace(
        console,
        cert_file=str(folder / console.cert_file) if console.cert_file else None,
        key_file=str(folder / console.key_file) if console.key_file else None,
    )


def _unique(source: str, what: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if not name.strip():
            raise ConfigError(f"{source}: a {what} has an empty name")
        if name in seen:
            raise ConfigError(f"{source}: {what} {name!r} is named twice")
        seen.add(name)


def _check_roster(config: StationConfig, source: str) -> None:
    """Whoever is asked must be somebody, by a way that is there, at a time that passes."""
    units, feeds = {unit.unit for unit in config.unit}, {feed.name for feed in config.feed}
    for unit in config.unit:
        if unit.lead is not None and unit.lead not in units:
            raise ConfigError(f"{source}: unit {unit.unit!r}: its lead {unit.lead!r} is no [[unit]]")
        for channel in (*unit.channels, *unit.second):
            if channel not in feeds:
                raise ConfigError(f"{source}: unit {unit.unit!r}: there is no [[feed]] named {channel!r}")
        for address in unit.mail:
            if not is_address(address):
                raise ConfigError(f"{source}: unit {unit.unit!r}: {address!r} is no mail address")
        if unit.channels and set(unit.channels) <= set(unit.second):
            raise ConfigError(
                f"{source}: unit {unit.unit!r}: all its channels are 'second' ones: none is left to warn by"
            )
    for duty in config.duty:
        if duty.unit not in units:
            raise ConfigError(f"{source}: duty {duty.role!r}: {duty.unit!r} is no [[unit]]")
        if duty.until <= duty.begins:
            raise ConfigError(f"{source}: duty {duty.role!r} of {duty.unit!r}: it ends before it begins")


def _resolved(feed: FeedConfig, folder: Path) -> FeedConfig:
    """Certificates and the files of URLs relative to the configuration file."""

    def path(name: str | None) -> str | None:
        return str(folder / name) if name else None

    return msgspec.structs.replace(
        feed,
        url=_resolved_url(feed.url, folder),
        ca_file=path(feed.ca_file),
        cert_file=path(feed.cert_file),
        key_file=path(feed.key_file),
        team_file=path(feed.team_file),
        secret_file=path(feed.secret_file),
    )


def _resolved_url(url: str, folder: Path) -> str:
    """The schemes of `FILE_SCHEMES` and ``sim:FILE.toml`` name files; ``-`` and ``sim:NAME`` do not."""
    scheme, _, name = url.partition(":")
    file_scheme = scheme in FILE_SCHEMES and name.partition("?")[0] not in ("", "-")
    named = file_scheme or (scheme == "sim" and name.endswith(".toml"))
    return f"{scheme}:{folder / name}" if named else url
