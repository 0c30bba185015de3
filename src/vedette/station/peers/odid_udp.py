"""``odid+udp://HOST:PORT?link=127``: each datagram is one captured frame of that pcap link type.

For receivers that forward raw frames (802.11 with radiotap: 127; Bluetooth LE: 251, 256 or nRF
sniffer 272). UDP carries no authentication: bind it to an address only your receivers can reach.
"""

import asyncio

from vedette.station.peers._remote_id import Receiver, RemoteIdFrames
from vedette.station.ports import Hub
from vedette.wire.capture import FrameBatch, Record

MAX_WAITING = 5000
"""Datagrams taken in one turn of the loop; what floods beyond is counted and dropped."""


class OdidUdpPeer(Receiver):
    """Listens on one UDP port. ``port`` is the real one once it listens."""

    def __init__(self, name: str, host: str, port: int, link_type: int) -> None:
        super().__init__(name)
        self.port = port
        self._host = host
        self._link_type = link_type

    async def run(self, hub: Hub) -> None:
        """Listen until cancelled; a port that cannot be had is tried again every 5 s."""
        while True:
            try:
                await self._listen(hub)
            except OSError as error:
                hub.feed(
                    self.name, "down", f"cannot listen on UDP {self._host}:{self.port}: {error.strerror}"
                )
                await asyncio.sleep(5.0)

    async def _listen(self, hub: Hub) -> None:
        loop = asyncio.get_running_loop()
        inlet = _Inlet(hub, self.name, self._link_type, loop)
        transport, _ = await loop.create_datagram_endpoint(lambda: inlet, local_addr=(self._host, self.port))
        try:
            self.port = transport.get_extra_info("sockname")[1]
            hub.feed(self.name, "watching", f"listening on UDP {self._host}:{self.port}")
            await inlet.closed
        finally:
            transport.close()


class _Inlet(asyncio.DatagramProtocol):
    """Collects the datagrams of one turn of the loop into one batch."""

    def __init__(self, hub: Hub, feed: str, link_type: int, loop: asyncio.AbstractEventLoop) -> None:
        self.closed: asyncio.Future[None] = loop.create_future()
        self._hub = hub
        self._feed = feed
        self._link_type = link_type
        self._loop = loop
        self._frames = RemoteIdFrames(hub, feed)
        self._waiting: list[Record] = []

    def datagram_received(self, data: bytes, address: object) -> None:
        """One frame, captured now."""
        if len(self._waiting) >= MAX_WAITING:
            self._hub.counted(self._feed, "flooded", 1)
            return
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(Record(self._hub.clock.now(), self._link_type, data))

    def connection_lost(self, error: Exception | None) -> None:
        """The socket closed."""
        if not self.closed.done():
            self.closed.set_result(None)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._frames.take(FrameBatch.of(waiting))
