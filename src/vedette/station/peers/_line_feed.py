"""What all feeds of detection lines share: the address, the budget, and the way to the hub."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from vedette.model import ConfigError, Detection
from vedette.sense.lines import LineAdapter
from vedette.station.config import FeedConfig
from vedette.station.ports import Hub

LOOPBACK = "127.0.0.1"
MOST_PER_S = 2000
"""Lines of one feed that are read in a second; of what floods the freshest are kept, the rest counted."""
BURST = 1000
"""Lines that may come at once: a large scan of a radar."""


class Address(Struct, frozen=True):
    """Where a feed listens or connects; ``options`` are those of the URL's query."""

    host: str
    port: int
    options: dict[str, list[str]]

    def reach(self) -> str:
        """Who can reach a listener here, in words for the desk."""
        if is_loopback(self.host):
            return "this machine only"
        return "open to the network, without encryption or login"


def address_of(feed: FeedConfig, allowed: frozenset[str], *, listens: bool) -> Address:
    """``scheme://HOST:PORT?options``; a listener without HOST is on loopback. Raises ConfigError."""
    scheme = feed.url.partition(":")[0]
    try:
        parts = urlsplit(feed.url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r} is not an address ({error})") from None
    if host is None and listens:
        host = LOOPBACK
    if host is None or port is None or parts.path not in ("", "/"):
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r} is not {scheme}://HOST:PORT")
    return Address(host, port, options_of(feed, parts.query, allowed))


def options_of(feed: FeedConfig, query: str, allowed: frozenset[str]) -> dict[str, list[str]]:
    """The options of a URL's query. Raises ConfigError for one that is unknown or empty."""
    options = parse_qs(query, keep_blank_values=True)
    unknown = ", ".join(sorted(options.keys() - allowed))
    if unknown:
        there = ", ".join(sorted(allowed))
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r}: unknown {unknown}; there is only {there}")
    empty = ", ".join(sorted(key for key, values in options.items() if not all(values)))
    if empty:
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r}: {empty} has no value")
    return options


def is_loopback(host: str) -> bool:
    """True if nobody outside this machine can reach it."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Budget:
    """At most ``most_per_s`` a second by the loop's clock, and never more than ``burst`` at once: what
    passes is read in one go, and the other feeds wait meanwhile."""

    def __init__(self, most_per_s: int, burst: int, now: Callable[[], float]) -> None:
        self._most_per_s, self._burst = most_per_s, burst
        self._now = now
        self._left, self._at = float(burst), now()

    def admits(self, count: int = 1) -> int:
        """How many of ``count`` may pass now; they are counted."""
        now = self._now()
        self._left = min(self._left + (now - self._at) * self._most_per_s, self._burst)
        self._at = now
        passing = min(int(self._left), count)
        self._left -= passing
        return passing


class LineFeed:
    """One feed's lines on their way to the hub. ``good`` counts lines that became detections."""

    def __init__(self, hub: Hub, feed: str, sensors: Iterable[str]) -> None:
        self.good = 0
        self._hub = hub
        self._feed = feed
        self._adapter = LineAdapter(
            frozenset(sensors),
            lambda reason, line: hub.quarantine(feed, reason, line),
            lambda what: hub.counted(feed, what, 1),
        )
        self._budget = Budget(MOST_PER_S, BURST, asyncio.get_running_loop().time)

    def take(self, lines: Iterable[bytes]) -> int:
        """Live lines, received now; how many of them became detections. An empty one is no line."""
        clock = self._hub.clock
        now = clock.now()
        ahead = clock.from_wall(0.0)
        found: list[Detection] = []
        waiting = [line for line in lines if line]
        passing = self._budget.admits(len(waiting))
        if passing < len(waiting):
            self._hub.counted(self._feed, "flooded", len(waiting) - passing)
        for line in waiting[len(waiting) - passing :]:
            if (detection := self._adapter.detection(line)) is not None:
                time = detection.time * clock.speed + ahead
                self._hub.heard(self._feed, time)
                found.append(self._adapter.on_clock(detection, time, now))
        if found:
            self._hub.detections(self._feed, found)
        self.good += len(found)
        return len(found)

    def read(self, lines: Iterable[bytes]) -> Iterator[Detection]:
        """Recorded lines: their detections with the times of the recording, and no budget."""
        for line in lines:
            detection = self._adapter.detection(line)
            if detection is not None:
                self.good += 1
                yield detection

    def too_long(self, count: int) -> None:
        """Lines that a splitter has skipped."""
        if count:
            self._hub.counted(self._feed, "line-too-long", count)
