"""A UDP port or multicast group: opened, kept, opened again, and what comes by it handed over together."""

import asyncio
from abc import ABC, abstractmethod

from vedette.station.peers._line_feed import Address, LineFeed, is_loopback
from vedette.station.peers._remote_id import Receiver
from vedette.station.peers._udp_socket import UdpInlet, is_group, open_udp
from vedette.station.ports import Hub

RETRY_S = 5.0
"""Before a port that could not be had is tried again."""

MOST_DATAGRAMS_PER_S = 10_000
"""A tenth of them at once: a large scan of a radar, a line a datagram."""
MOST_BYTES = 512 * 1024
"""That may wait: even nothing but line ends are soon read."""


class UdpPeer(Receiver, ABC):
    """Listens on one UDP port. ``port`` is the real one once it listens. A kind of feed says what a datagram
    is by `begin` and `take`."""

    def __init__(self, name: str, host: str, port: int, iface: str | None = None) -> None:
        super().__init__(name)
        self.host, self.port = host, port
        self._iface = iface
        self.inlet: UdpInlet | None = None

    @abstractmethod
    def begin(self, hub: Hub) -> None:
        """The port is open: tell what state that is."""

    @abstractmethod
    def take(self, hub: Hub, datagrams: list[bytes]) -> None:
        """Datagrams in the order they came."""

    async def run(self, hub: Hub) -> None:
        """Listen until cancelled; a port that cannot be had is tried again."""
        while True:
            try:
                await self._listen(hub)
            except OSError as error:
                hub.feed(self.name, "down", f"cannot listen on {self.where}: {error.strerror}")
            await asyncio.sleep(RETRY_S)

    @property
    def where(self) -> str:
        """The address, and who can reach it."""
        if is_group(self.host):
            reach = "a group: open to the network, without encryption or login"
        elif is_loopback(self.host):
            reach = "this machine only"
        else:
            reach = "open to the network, without encryption or login"
        return f"UDP {self.host}:{self.port} ({reach})"

    async def _listen(self, hub: Hub) -> None:
        self.inlet = await open_udp(
            self.host,
            self.port,
            group=is_group(self.host),
            iface=self._iface,
            take=lambda datagrams: self.take(hub, datagrams),
            shed=lambda lost: hub.counted(self.name, "flooded", lost),
            overflowed=lambda lost: hub.counted(self.name, "flooded-kernel", lost),
            most_per_s=MOST_DATAGRAMS_PER_S,
            most_bytes=MOST_BYTES,
        )
        try:
            self.port = self.inlet.port
            self.begin(hub)
            await self.inlet.broken()
        finally:
            self.inlet.close()


class DatagramPeer(UdpPeer):
    """Listens on one UDP port for detection lines, or for what becomes lines by `lines`."""

    def __init__(self, name: str, address: Address, sensors: tuple[str, ...] = ()) -> None:
        super().__init__(name, address.host, address.port, address.options.get("iface", [None])[-1])
        self._sensors = sensors
        self._feed: LineFeed | None = None
        self._watching = False

    def lines(self, hub: Hub, datagrams: list[bytes]) -> list[bytes]:
        """The lines in these datagrams."""
        return [line for datagram in datagrams for line in datagram.split(b"\n")]

    def begin(self, hub: Hub) -> None:
        """A port to which no detector has said anything watches nothing (law 2)."""
        self._feed = self._feed or LineFeed(hub, self.name, self._sensors)
        self._watching = False
        hub.feed(self.name, "connecting", f"listening on {self.where}, no detection yet")

    def take(self, hub: Hub, datagrams: list[bytes]) -> None:
        """Read the lines."""
        assert self._feed is not None
        if self._feed.take(self.lines(hub, datagrams)) and not self._watching:
            self._watching = True
            hub.feed(self.name, "watching", f"listening on {self.where}")
