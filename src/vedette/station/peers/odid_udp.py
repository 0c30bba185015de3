"""``odid+udp://HOST:PORT?link=127``: each datagram is one captured frame of that pcap link type.

For receivers that forward raw frames (802.11 with radiotap: 127; Bluetooth LE: 251, 256 or nRF
sniffer 272). UDP carries no authentication: bind it to an address only your receivers can reach.
"""

from vedette.station.peers._datagrams import UdpPeer
from vedette.station.peers._remote_id import RemoteIdFrames
from vedette.station.ports import Hub
from vedette.wire.capture import FrameBatch, Record


class OdidUdpPeer(UdpPeer):
    """Listens on one UDP port. ``port`` is the real one once it listens."""

    kinds = ("remote-id",)

    def __init__(self, name: str, host: str, port: int, link_type: int, iface: str | None = None) -> None:
        super().__init__(name, host, port, iface)
        self._link_type = link_type
        self._frames: RemoteIdFrames | None = None

    def begin(self, hub: Hub) -> None:
        """A receiver that hears nothing at all is told from a quiet sky by the strangers' frames."""
        self._frames = self._frames or RemoteIdFrames(hub, self.name)
        hub.feed(self.name, "watching", f"listening on {self.where}")

    def take(self, hub: Hub, datagrams: list[bytes]) -> None:
        """Frames, captured now."""
        assert self._frames is not None
        now = hub.clock.now()
        self._frames.take(FrameBatch.of([Record(now, self._link_type, data) for data in datagrams]))
