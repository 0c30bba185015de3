"""ADS-B receivers on TCP: we connect to them, or those that push connect to us.

There is neither encryption nor login, and nothing that comes is authentic anyway: bind a listener to an
address that only your receivers can reach.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from vedette.sense import adsb
from vedette.station.peers._datagrams import RETRY_S
from vedette.station.peers._line_feed import Address
from vedette.station.peers._remote_id import Receiver
from vedette.station.peers._tcp import keep_alive
from vedette.station.peers.adsb_feed import USELESS_BYTES, BeastFeed, SbsFeed, Stream
from vedette.station.ports import Hub

READ_BYTES = 64 * 1024
PIECE_BYTES = 4 * 1024
"""What a flood is shed by; cuts go through frames, which the streams outlive."""
MOST_BYTES_PER_S = 250_000
"""Of one connection: 11,000 long frames a second, more than the channel at 1090 MHz can carry."""
MOST_TOGETHER_PER_S = 500_000
"""Of all connections of one listener, in equal shares."""
MOST_CONNECTIONS = 16
WAIT_S = 0.1
TURN_S = 0.01


class Patience(NamedTuple):
    """Seconds that a connection may take to connect, to bring a frame to its end, and between two. A
    receiver under an empty sky sends something each minute."""

    connect_s: float = 10.0
    frame_s: float = 10.0
    idle_s: float = 300.0


USUAL = Patience()


class FreshestBytes:
    """Between a socket and a stream: at most ``rate()`` bytes a second and a tenth of that at once, the
    freshest of a flood kept. ``shed`` takes how many frames or lines were dropped, about."""

    def __init__(self, stream: Stream, rate: Callable[[], float], shed: Callable[[int], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stream, self._rate, self._shed = stream, rate, shed
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._bytes = self._lost = 0
        self._gap = False
        self._left, self._at = rate() * WAIT_S, self._loop.time()
        self._handle: asyncio.Handle | None = None

    def put(self, data: bytes, received: float) -> None:
        """Bytes that were read at ``received``; they are decoded as soon as the rate allows."""
        self._waiting += (
            (received, data[start : start + PIECE_BYTES]) for start in range(0, len(data), PIECE_BYTES)
        )
        self._bytes += len(data)
        most = max(self._rate() * WAIT_S, PIECE_BYTES)
        while self._bytes > most:
            dropped = self._waiting.popleft()[1]
            self._bytes -= len(dropped)
            self._lost += self._stream.pieces(dropped)
            self._gap = True
        if self._handle is None:
            self._handle = self._loop.call_soon(self._flush)

    def close(self) -> None:
        """Decode nothing any more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._waiting.clear()
        self._bytes = 0

    def _flush(self) -> None:
        self._handle = None
        rate, now = self._rate(), self._loop.time()
        self._left = min(self._left + (now - self._at) * rate, max(rate * WAIT_S, PIECE_BYTES))
        self._at = now
        if self._gap:
            self._shed(self._lost)
            self._stream.cut()
            self._lost, self._gap = 0, False
        while self._waiting and len(self._waiting[0][1]) <= self._left:
            received, data = self._waiting.popleft()
            self._bytes -= len(data)
            self._left -= len(data)
            self._stream.take(data, received)
        if self._waiting and self._handle is None:
            self._handle = self._loop.call_later(TURN_S, self._flush)


class _Connection:
    """One receiver's connection: read until it ends, and why it did."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hub: Hub, stream: Stream
    ) -> None:
        self.writer, self.stream = writer, stream
        self.since = self._progress_at = asyncio.get_running_loop().time()
        self._begun: float | None = None
        self._good = self._ended = 0
        self._reader, self._hub = reader, hub
        keep_alive(writer)

    async def hear(
        self,
        patience: Patience,
        rate: Callable[[], float],
        shed: Callable[[int], None],
        first: Callable[[], None],
    ) -> str:
        """Hand over bytes until the connection ends; the reason in words. ``first`` is called after the
        first intact frame or line: only then is it known that a receiver is on the other side."""
        freshest = FreshestBytes(self.stream, rate, shed)
        try:
            return await self._hear(freshest, patience, first)
        finally:
            freshest.close()

    async def _hear(self, freshest: FreshestBytes, patience: Patience, first: Callable[[], None]) -> str:
        while True:
            idle_until = self._progress_at + patience.idle_s
            until = idle_until if self._begun is None else self._begun + patience.frame_s
            try:
                async with asyncio.timeout_at(until):
                    data = await self._reader.read(READ_BYTES)
            except TimeoutError:
                if self._progress(first):
                    continue
                return f"no {self.stream.what} ended" if self._begun is not None else "silent for too long"
            except OSError as error:
                return f"the connection broke: {error.strerror or type(error).__name__}"
            if not data:
                return "the other side closed the connection"
            freshest.put(data, self._hub.clock.now())
            await asyncio.sleep(0)
            if not self._progress(first) and self._begun is None:
                self._begun = asyncio.get_running_loop().time()
            if self.stream.useless > USELESS_BYTES:
                return f"{USELESS_BYTES // 1024} kB and no {self.stream.what} in them"

    def _progress(self, first: Callable[[], None]) -> bool:
        """Whether a frame or line has ended since this was last asked."""
        good, ended = self.stream.good, self.stream.ended
        if good and not self._good:
            first()
        progress = ended > self._ended
        self._good, self._ended = good, ended
        if progress:
            self._begun, self._progress_at = None, asyncio.get_running_loop().time()
        return progress


class StreamClientPeer(Receiver):
    """Connects to a receiver and stays connected. ``reconnect_s`` is the first and the longest pause
    between attempts; it doubles, varies by 20 %, and starts anew after a connection of ``stable_s``."""

    kinds = ("adsb",)

    def __init__(
        self,
        name: str,
        address: Address,
        make: Callable[[Hub, str, float], BeastFeed | SbsFeed],
        every_s: float = 1.0,
        *,
        patience: Patience = USUAL,
        reconnect_s: tuple[float, float] = (5.0, 120.0),
        stable_s: float = 300.0,
    ) -> None:
        super().__init__(name)
        self._address, self._make, self._every_s = address, make, every_s
        self._patience = patience
        self._reconnect_s, self._stable_s = reconnect_s, stable_s

    async def run(self, hub: Hub) -> None:
        """Connect, listen, reconnect, until cancelled."""
        where = f"receiver {self._address.host}:{self._address.port}"
        hub.feed(self.name, "connecting", f"connecting to {where}")
        await asyncio.to_thread(adsb.warm)
        feed = self._make(hub, self.name, self._every_s)
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

    async def _session(self, hub: Hub, feed: BeastFeed | SbsFeed, where: str) -> str:
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
        stream = feed.stream()
        told = f"connected to {where}, without encryption"
        hub.feed(self.name, "connecting", f"{told}, no {stream.what} yet")
        try:
            return await _Connection(reader, writer, hub, stream).hear(
                self._patience,
                lambda: MOST_BYTES_PER_S,
                lambda count: hub.counted(self.name, "flooded", count),
                lambda: hub.feed(self.name, "watching", told),
            )
        finally:
            writer.transport.abort()


class StreamListenerPeer(Receiver):
    """Receivers connect to one TCP port. ``port`` is the real one once it listens.

    When ``most`` are connected, a newcomer takes the place of one that never sent an intact frame and
    has been connected for ``patience.frame_s``; if there is none it is refused.
    """

    kinds = ("adsb",)

    def __init__(
        self,
        name: str,
        address: Address,
        make: Callable[[Hub, str, float], BeastFeed | SbsFeed],
        every_s: float = 1.0,
        *,
        patience: Patience = USUAL,
        most: int = MOST_CONNECTIONS,
    ) -> None:
        super().__init__(name)
        self.port = address.port
        self._address, self._make, self._every_s = address, make, every_s
        self._patience, self._most = patience, most
        self._open: dict[_Connection, asyncio.Task[None]] = {}

    async def run(self, hub: Hub) -> None:
        """Listen until cancelled; a port that cannot be had is tried again."""
        hub.feed(self.name, "connecting", "preparing the decoder")
        await asyncio.to_thread(adsb.warm)
        feed = self._make(hub, self.name, self._every_s)
        while True:
            try:
                await self._listen(hub, feed)
            except OSError as error:
                hub.feed(self.name, "down", f"cannot listen on {self._where}: {error.strerror}")
            await asyncio.sleep(RETRY_S)

    @property
    def _where(self) -> str:
        return f"TCP {self._address.host}:{self.port} ({self._address.reach()})"

    async def _listen(self, hub: Hub, feed: BeastFeed | SbsFeed) -> None:
        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if not self._room(hub):
                hub.counted(self.name, "connection-refused: too many", 1)
                writer.transport.abort()
                return
            connection = _Connection(reader, writer, hub, feed.stream())
            self._open[connection] = asyncio.create_task(self._serve(connection, hub))
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

    def _share(self) -> float:
        return min(MOST_BYTES_PER_S, MOST_TOGETHER_PER_S / max(len(self._open), 1))

    async def _serve(self, connection: _Connection, hub: Hub) -> None:
        try:
            reason = await connection.hear(
                self._patience,
                self._share,
                lambda count: hub.counted(self.name, "flooded", count),
                lambda: self._tell(hub),
            )
            if not reason.startswith("the other side"):
                hub.counted(self.name, f"connection-dropped: {reason}", 1)
        finally:
            connection.writer.transport.abort()
            self._open.pop(connection, None)
            self._tell(hub)

    def _room(self, hub: Hub) -> bool:
        if len(self._open) < self._most:
            return True
        quiet_since = asyncio.get_running_loop().time() - self._patience.frame_s
        useless = [c for c in self._open if not c.stream.good and c.since < quiet_since]
        if not useless:
            return False
        self._open.pop(min(useless, key=lambda c: c.since)).cancel()
        hub.counted(self.name, "connection-dropped: made room for another", 1)
        return True

    def _tell(self, hub: Hub) -> None:
        """A listener to which no receiver has said anything watches nothing (law 2)."""
        count = len(self._open)
        connected = f"{count} connected" if count else "nobody is connected"
        good = any(connection.stream.good for connection in self._open)
        silent = ", nothing intact yet" if count and not good else ""
        hub.feed(
            self.name,
            "watching" if good else "connecting",
            f"listening on {self._where}, {connected}{silent}",
        )
