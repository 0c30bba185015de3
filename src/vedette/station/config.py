"""``vedette.toml``: one file, strictly read; every error names the line and the field.

An unknown key is an error. Paths are relative to the file. ``docs/install.md`` shows an example.
"""

import math
from pathlib import Path
from typing import Any

import msgspec

from vedette.core import Settings
from vedette.model.errors import ConfigError
from vedette.model.site import SensorProfile, Site
from vedette.model.strict import decode_toml, decode_tree
from vedette.model.unit import RosterEntry

FILE_SCHEMES = ("odid+pcap", "lines", "beast", "sbs", "aircraft", "asterix+pcap")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class ClockConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``speed`` other than 1 makes the station an exercise: time runs faster than the wall clock."""

    speed: float = 1.0


class ConsoleConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the page is served: loopback only until there are logins. Empty = no console."""

    listen: str = "127.0.0.1:8470"


class FeedConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One counterpart. The scheme of ``url`` chooses the peer; the other keys go to it."""

    name: str
    url: str
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    callsign: str = "VEDETTE"
    publish_tracks: bool = True


class TerrainConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Elevation files round the site: GeoTIFF, SRTM .hgt or DTED, tiles of one product.

    ``vertical_datum``: what their heights are measured from, where the files do not say."""

    files: tuple[str, ...] = ()
    vertical_datum: str | None = None


class StationConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of ``vedette.toml``."""

    site: Site
    state: str = "state"
    clock: ClockConfig = ClockConfig()
    console: ConsoleConfig = ConsoleConfig()
    feed: tuple[FeedConfig, ...] = ()
    sensor: tuple[SensorProfile, ...] = ()
    unit: tuple[RosterEntry, ...] = ()
    settings: dict[str, Any] = {}
    terrain: TerrainConfig = TerrainConfig()


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
    decode_tree(config.settings, Settings, f"{source}: settings")
    if config.console.listen:
        listen_address(config.console.listen)
    feeds = tuple(_resolved(feed, folder) for feed in config.feed)
    files = tuple(str(folder / name) for name in config.terrain.files)
    terrain = msgspec.structs.replace(config.terrain, files=files)
    return msgspec.structs.replace(config, state=str(folder / config.state), feed=feeds, terrain=terrain)


def listen_address(listen: str) -> tuple[str, int]:
    """``host:port`` of the console. Raises ConfigError off loopback: there are no logins yet."""
    host, _, port = listen.rpartition(":")
    if not port.isdigit() or not 0 <= int(port) <= 65535:
        raise ConfigError(f"console.listen: {listen!r} is not HOST:PORT")
    if host not in LOOPBACK:
        raise ConfigError(
            f"console.listen: {host!r} is not this machine; the console has no logins yet and listens"
            " on 127.0.0.1 only (reach it through an SSH tunnel)"
        )
    return host.strip("[]"), int(port)


def _unique(source: str, what: str, names: list[str]) -> None:
    for name in names:
        if not name.strip():
            raise ConfigError(f"{source}: a {what} has an empty name")
        if names.count(name) > 1:
            raise ConfigError(f"{source}: {what} {name!r} is named twice")


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
    )


def _resolved_url(url: str, folder: Path) -> str:
    """The schemes of `FILE_SCHEMES` and ``sim:FILE.toml`` name files; ``-`` and ``sim:NAME`` do not."""
    scheme, _, name = url.partition(":")
    file_scheme = scheme in FILE_SCHEMES and name.partition("?")[0] not in ("", "-")
    named = file_scheme or (scheme == "sim" and name.endswith(".toml"))
    return f"{scheme}:{folder / name}" if named else url
