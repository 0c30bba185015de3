"""A UDP port for detections: bound, kept, and emptied once a turn of the loop, the freshest kept."""

import asyncio
from collections import deque
from collections.abc import Callable

from vedette.station.peers._line_feed import Address, LineFeed
from vedette.station.peers._remote_id import Receiver
from vedette.station.ports import Hub

RETRY_S = 5.0
"""Before a port that could not be had is tried again."""

MAX_WAITING = 2000
"""Datagrams kept of one turn of the loop; of a flood the freshest are kept and the others counted."""


class Inlet(asyncio.DatagramProtocol):
    """Hands over the datagrams of one turn together. ``take`` gets them in order and how many were lost."""

    def __init__(self, take: Callable[[list[bytes], int], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self._take = take
        self._waiting: deque[bytes] = deque(maxlen=MAX_WAITING)
        self._lost = 0

    def datagram_received(self, data: bytes, address: object) -> None:
        """One datagram."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._lost += len(self._waiting) == MAX_WAITING
        self._waiting.append(data)

    def connection_lost(self, error: Exception | None) -> None:
        """The socket closed."""
        if not self.closed.done():
            self.closed.set_result(None)

    def _flush(self) -> None:
        waiting, lost = list(self._waiting), self._lost
        self._waiting.clear()
        self._lost = 0
        self._take(waiting, lost)


class DatagramPeer(Receiver):
    """Listens on one UDP port for detection lines, or for what becomes lines by `lines`. ``port`` is the
    real one once it listens."""

    def __init__(self, name: str, address: Address, sensors: tuple[str, ...] = ()) -> None:
        super().__init__(name)
        self.port = address.port
        self._address = address
        self._sensors = sensors
        self._watching = False

    def lines(self, hub: Hub, datagrams: list[bytes]) -> list[bytes]:
        """The lines in these datagrams."""
        return [line for datagram in datagrams for line in datagram.split(b"\n")]

    async def run(self, hub: Hub) -> None:
        """Listen until cancelled; a port that cannot be had is tried again."""
        feed = LineFeed(hub, self.name, self._sensors)

        def take(datagrams: list[bytes], lost: int) -> None:
            if lost:
                hub.counted(self.name, "flooded", lost)
            if feed.take(self.lines(hub, datagrams)) and not self._watching:
                self._watching = True
                hub.feed(self.name, "watching", f"listening on {self._where}")

        while True:
            try:
                await self._listen(hub, take)
            except OSError as error:
                hub.feed(self.name, "down", f"cannot listen on {self._where}: {error.strerror}")
            await asyncio.sleep(RETRY_S)

    @property
    def _where(self) -> str:
        return f"UDP {self._address.host}:{self.port} ({self._address.reach()})"

    async def _listen(self, hub: Hub, take: Callable[[list[bytes], int], None]) -> None:
        inlet = Inlet(take)
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: inlet, local_addr=(self._address.host, self._address.port)
        )
        try:
            self.port = transport.get_extra_info("sockname")[1]
            self._watching = False
            hub.feed(self.name, "connecting", f"listening on {self._where}, no detection yet")
            await inlet.closed
        finally:
            transport.close()
