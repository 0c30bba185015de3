"""Any detector that can print a line of JSON: ``detections.jsonl`` of DESIGN section 5, live.

``lines+udp://HOST:PORT``          each datagram holds one or more lines
``lines+tcp-listen://HOST:PORT``   detectors connect here
``lines+tcp://HOST:PORT``          we connect to a detector, and connect again
``lines:-`` and ``lines:FILE``     standard input and named pipes are live, a file is played in its time

``?sensor=NAME`` (it may be repeated) restricts a feed to the sensors that it may speak for. A listener
without HOST is on loopback; where it is a multicast group, ``iface=ADDRESS`` says by which interface. There
is neither encryption nor login: bind to an address that only your detectors can reach.
"""

import asyncio
import random
from collections.abc import Callable
from typing import NamedTuple

from vedette.model import ConfigError
from vedette.sense.lines import LineSplitter
from vedette.station.config import FeedConfig
from vedette.station.peers._datagrams import RETRY_S, DatagramPeer
from vedette.station.peers._line_feed import Address, LineFeed, address_of, options_of
from vedette.station.peers._remote_id import Receiver
from vedette.station.peers._tcp import keep_alive
from vedette.station.peers.lines_file import LinesFilePeer
from vedette.station.ports import Hub, Peer

MOST_CONNECTIONS = 16
"""Detectors connected to one listener at a time."""
MOST_USELESS = 100
"""Lines without one good one after which a connection is taken for no detector of ours and dropped."""
READ_BYTES = 64 * 1024

_SENSOR = frozenset({"sensor"})


class Patience(NamedTuple):
    """Seconds that a connection may take to connect, to end a line it has begun, and between two lines."""

    connect_s: float = 10.0
    line_s: float = 10.0
    idle_s: float = 300.0


USUAL = Patience()


def lines_peer(feed: FeedConfig) -> Peer:
    """The peer for a ``lines`` URL. Raises ConfigError."""
    scheme = feed.url.partition(":")[0]
    if scheme == "lines":
        path, _, query = feed.url.partition(":")[2].partition("?")
        if not path:
            raise ConfigError(f"feed {feed.name!r}: lines: needs a file, or - for standard input")
        options = options_of(feed, query, _SENSOR)
        return LinesFilePeer(feed.name, path, tuple(options.get("sensor", ())))
    allowed = _SENSOR | {"iface"} if scheme == "lines+udp" else _SENSOR
    address = address_of(feed, allowed, listens=scheme != "lines+tcp")
    return _KINDS[scheme](feed.name, address, tuple(address.options.get("sensor", ())))


class _Connection:
    """One detector's connection: read until it ends, and why it did."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.good = 0
        self.last_line = asyncio.get_running_loop().time()
        self._reader = reader
        self._splitter = LineSplitter()
        self._useless = 0
        keep_alive(writer)

    async def hear(self, feed: LineFeed, patience: Patience, first: Callable[[], None]) -> str:
        """Hand over lines until the connection ends; the reason in words. ``first`` is called after the
        first detection: only then is it known that a detector is on the other side."""
        loop = asyncio.get_running_loop()
        begun = None
        while True:
            waits_until = begun + patience.line_s if begun is not None else self.last_line + patience.idle_s
            try:
                async with asyncio.timeout_at(waits_until):
                    data = await self._reader.read(READ_BYTES)
            except TimeoutError:
                return "a line was begun and not ended" if begun is not None else "nothing heard for too long"
            except OSError as error:
                return f"the connection broke: {error.strerror or type(error).__name__}"
            lines, skipped = self._split(data)
            feed.too_long(skipped)
            if self._weigh(len(lines) + skipped, feed.take(lines)):
                first()
            if not data:
                return "the other side closed the connection"
            if self._useless > MOST_USELESS:
                return f"more than {MOST_USELESS} lines and no detection in them"
            if lines:
                self.last_line = loop.time()
            if not self._splitter.partial:
                begun = None
            elif begun is None or lines:
                begun = loop.time()
            await asyncio.sleep(0)

    def _split(self, data: bytes) -> tuple[list[bytes], int]:
        before = self._splitter.too_long
        lines = self._splitter.feed(data) if data else self._splitter.end()
        return lines, self._splitter.too_long - before

    def _weigh(self, heard: int, good: int) -> bool:
        """Count; True if the first good line is among these."""
        was, self.good = self.good, self.good + good
        self._useless = 0 if good else self._useless + heard
        return bool(good) and not was


class LinesListenerPeer(Receiver):
    """Detectors connect to one TCP port. ``port`` is the real one once it listens.

    When ``most`` are connected, a newcomer takes the place of one that never sent a detection and has
    been quiet for ``patience.line_s``; if there is none it is refused, so that nobody can push out a
    detector that works.
    """

    def __init__(
        self,
        name: str,
        address: Address,
        sensors: tuple[str, ...] = (),
        *,
        patience: Patience = USUAL,
        most: int = MOST_CONNECTIONS,
    ) -> None:
        super().__init__(name)
        self.port = address.port
        self._address = address
        self._sensors = sensors
        self._patience = patience
        self._most = most
        self._open: dict[_Connection, asyncio.Task[None]] = {}

    async def run(self, hub: Hub) -> None:
        """Listen until cancelled; a port that cannot be had is tried again."""
        feed = LineFeed(hub, self.name, self._sensors)
        while True:
            try:
                await self._listen(hub, feed)
            except OSError as error:
                hub.feed(self.name, "down", f"cannot listen on {self._where}: {error.strerror}")
            await asyncio.sleep(RETRY_S)

    @property
    def _where(self) -> str:
        return f"TCP {self._address.host}:{self.port} ({self._address.reach()})"

    async def _listen(self, hub: Hub, feed: LineFeed) -> None:
        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if not self._room(hub):
                hub.counted(self.name, "connection-refused: too many", 1)
                writer.transport.abort()
                return
            connection = _Connection(reader, writer)
            self._open[connection] = asyncio.create_task(self._serve(connection, hub, feed))
            self._tell(hub)

        server = await asyncio.start_server(
            connected, self._address.host, self._address.port, limit=READ_BYTES
        )
        try:
            self.port = server.sockets[0].getsockname()[1]
            self._tell(hub)
            await asyncio.get_running_loop().create_future()
        finally:
            server.close()
            tasks = list(self._open.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, connection: _Connection, hub: Hub, feed: LineFeed) -> None:
        try:
            reason = await connection.hear(feed, self._patience, lambda: self._tell(hub))
            if not reason.startswith("the other side"):
                hub.counted(self.name, f"connection-dropped: {reason}", 1)
        finally:
            connection.writer.transport.abort()
            self._open.pop(connection, None)
            self._tell(hub)

    def _room(self, hub: Hub) -> bool:
        if len(self._open) < self._most:
            return True
        quiet_since = asyncio.get_running_loop().time() - self._patience.line_s
        useless = [c for c in self._open if not c.good and c.last_line < quiet_since]
        if not useless:
            return False
        self._open.pop(min(useless, key=lambda c: c.last_line)).cancel()
        hub.counted(self.name, "connection-dropped: made room for another", 1)
        return True

    def _tell(self, hub: Hub) -> None:
        """A listener to which no detector has said anything watches nothing (law 2)."""
        count = len(self._open)
        connected = f"{count} connected" if count else "nobody is connected"
        if any(connection.good for connection in self._open):
            hub.feed(self.name, "watching", f"listening on {self._where}, {connected}")
        elif count:
            hub.feed(self.name, "connecting", f"listening on {self._where}, {connected}, no detection yet")
        else:
            hub.feed(self.name, "connecting", f"listening on {self._where}, {connected}")


class LinesClientPeer(Receiver):
    """Connects to a detector and stays connected. ``reconnect_s`` is the first and the longest pause
    between attempts; it doubles, varies by 20 %, and starts anew after a connection of ``stable_s``."""

    def __init__(
        self,
        name: str,
        address: Address,
        sensors: tuple[str, ...] = (),
        *,
        patience: Patience = USUAL,
        reconnect_s: tuple[float, float] = (5.0, 120.0),
        stable_s: float = 300.0,
    ) -> None:
        super().__init__(name)
        self._address = address
        self._sensors = sensors
        self._patience = patience
        self._reconnect_s, self._stable_s = reconnect_s, stable_s

    async def run(self, hub: Hub) -> None:
        """Connect, listen, reconnect, until cancelled."""
        feed = LineFeed(hub, self.name, self._sensors)
        where = f"detector {self._address.host}:{self._address.port}"
        pause_s = self._reconnect_s[0]
        while True:
            hub.feed(self.name, "connecting", f"connecting to {where}")
            began = asyncio.get_running_loop().time()
            reason = await self._session(hub, feed, where)
            if asyncio.get_running_loop().time() - began >= self._stable_s:
                pause_s = self._reconnect_s[0]
            wait_s = pause_s * random.uniform(0.8, 1.2)
            hub.feed(self.name, "down", f"{where}: {reason}; next attempt in {wait_s:.0f} s")
            await asyncio.sleep(wait_s)
            pause_s = min(2.0 * pause_s, self._reconnect_s[1])

    async def _session(self, hub: Hub, feed: LineFeed, where: str) -> str:
        """One connection from beginning to end; why it ended, in words."""
        try:
            async with asyncio.timeout(self._patience.connect_s):
                reader, writer = await asyncio.open_connection(
                    self._address.host, self._address.port, limit=READ_BYTES
                )
        except TimeoutError:
            return f"cannot connect (no answer in {self._patience.connect_s:g} s)"
        except OSError as error:
            return f"cannot connect ({error})"
        told = f"connected to {where}, without encryption"
        hub.feed(self.name, "connecting", f"{told}, no detection yet")
        try:
            return await _Connection(reader, writer).hear(
                feed, self._patience, lambda: hub.feed(self.name, "watching", told)
            )
        finally:
            writer.transport.abort()


_KINDS: dict[str, type[DatagramPeer] | type[LinesListenerPeer] | type[LinesClientPeer]] = {
    "lines+udp": DatagramPeer,
    "lines+tcp-listen": LinesListenerPeer,
    "lines+tcp": LinesClientPeer,
}
