"""Manned aircraft, from receivers of ADS-B.

``beast+tcp://HOST:PORT``           Beast output of readsb or dump1090 (30005): we check and decode ourselves
``beast+tcp-listen://HOST:PORT``    receivers that push their Beast output connect here
``sbs+tcp://HOST:PORT``             SBS (BaseStation) output (30003)
``aircraft+http://HOST:PORT/PATH``  aircraft.json of a receiver's web server
``aircraft:FILE``                   aircraft.json, or the folder in which a receiver writes it (--write-json)
``beast:FILE`` and ``sbs:FILE``     recordings, played in their time; ``-`` and pipes are live

``?every_s=1`` is the least time between two detections of an aircraft, ``?period_s=1`` how often a table
is asked for, ``?clock=gps`` says that a Beast recording's ticks are those of a receiver with satellite
time. A listener without HOST is on loopback.
"""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from vedette.model import ConfigError
from vedette.station.config import FeedConfig
from vedette.station.peers._line_feed import address_of, options_of
from vedette.station.peers.adsb_feed import BeastFeed, SbsFeed
from vedette.station.peers.adsb_recording import FREE, GPS, BeastPlayer, RecordingPeer, SbsPlayer
from vedette.station.peers.adsb_stream import StreamClientPeer, StreamListenerPeer
from vedette.station.peers.adsb_table import FileSource, HttpSource, TablePeer
from vedette.station.ports import Hub, Peer

SCHEMES = ("beast+tcp", "beast+tcp-listen", "sbs+tcp", "aircraft+http", "aircraft", "beast", "sbs")
_FEEDS: dict[str, Callable[[Hub, str, float], BeastFeed | SbsFeed]] = {"beast": BeastFeed, "sbs": SbsFeed}
_EVERY = frozenset({"every_s"})
_SHORTEST_S, _LONGEST_S = 0.1, 60.0


def adsb_peer(feed: FeedConfig) -> Peer:
    """The peer for one of `SCHEMES`. Raises ConfigError."""
    scheme = feed.url.partition(":")[0]
    if scheme not in SCHEMES:
        raise ConfigError(f"feed {feed.name!r}: {scheme!r} is none of {', '.join(SCHEMES)}")
    if scheme in ("aircraft", "aircraft+http"):
        return _table(feed, scheme)
    if scheme in _FEEDS:
        return _recording(feed, scheme)
    address = address_of(feed, _EVERY, listens=scheme == "beast+tcp-listen")
    kind = StreamListenerPeer if scheme == "beast+tcp-listen" else StreamClientPeer
    make = _FEEDS[scheme.partition("+")[0]]
    return kind(feed.name, address, make, _seconds(feed, address.options, "every_s"))


def _table(feed: FeedConfig, scheme: str) -> Peer:
    rest, query = _split(feed, scheme)
    options = options_of(feed, query, _EVERY | {"period_s"})
    source: FileSource | HttpSource
    if scheme == "aircraft":
        source = FileSource(Path(rest))
    else:
        source = HttpSource(_web_address(feed, f"http:{rest}"))
    every_s, period_s = _seconds(feed, options, "every_s"), _seconds(feed, options, "period_s")
    return TablePeer(feed.name, source, every_s, period_s=period_s)


def _recording(feed: FeedConfig, scheme: str) -> Peer:
    path, query = _split(feed, scheme)
    if scheme == "sbs":
        every_s = _seconds(feed, options_of(feed, query, _EVERY), "every_s")
        return RecordingPeer(feed.name, path, lambda hub: SbsPlayer(SbsFeed(hub, feed.name, every_s)))
    options = options_of(feed, query, _EVERY | {"clock"})
    every_s, clock = _seconds(feed, options, "every_s"), options.get("clock", [FREE])[-1]
    if clock not in (FREE, GPS):
        raise ConfigError(f"feed {feed.name!r}: clock={clock}: {FREE} or {GPS}")
    return RecordingPeer(feed.name, path, lambda hub: BeastPlayer(BeastFeed(hub, feed.name, every_s), clock))


def _split(feed: FeedConfig, scheme: str) -> tuple[str, str]:
    """What follows the scheme, and the query."""
    rest, _, query = feed.url.removeprefix(f"{scheme}:").partition("?")
    if not rest:
        raise ConfigError(f"feed {feed.name!r}: {scheme}: needs a file")
    return rest, query


def _web_address(feed: FeedConfig, url: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.hostname and parts.port != 0 and parts.username is None and parts.path not in ("", "/")
    except ValueError:
        good = False
    if not good or not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigError(
            f"feed {feed.name!r}: {feed.url!r} is not aircraft+http://HOST:PORT/data/aircraft.json"
        )
    return url


def _seconds(feed: FeedConfig, options: dict[str, list[str]], name: str) -> float:
    text = options.get(name, ["1"])[-1]
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not _SHORTEST_S <= seconds <= _LONGEST_S:
        raise ConfigError(f"feed {feed.name!r}: {name}={text}: {_SHORTEST_S} to {_LONGEST_S:g} seconds")
    return seconds
