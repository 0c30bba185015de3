"""``raw+udp://HOST:PORT?adapter=NAME``: datagrams through an installed adapter (`vedette.sense.registry`).

The adapter belongs to somebody else: what it returns is held to the contract of a detection line, and
a fault in it costs the datagrams that it was given, never the station. ``&sensor=NAME`` names the
sensor; it is the feed's name otherwise. A listener without HOST is on loopback.
"""

from collections.abc import Mapping

import structlog

from vedette.model import ConfigError
from vedette.model.lines import dump_line
from vedette.sense.registry import Adapter, Heard, make_adapter
from vedette.station.config import FeedConfig
from vedette.station.peers._datagrams import DatagramPeer
from vedette.station.peers._line_feed import Address, address_of
from vedette.station.ports import Hub, Peer

log = structlog.get_logger("raw")


def raw_peer(feed: FeedConfig) -> Peer:
    """The peer for a ``raw+udp`` URL. Raises ConfigError, also for an adapter that is not installed."""
    address = address_of(feed, frozenset({"adapter", "sensor"}), listens=True)
    names = address.options.get("adapter", [])
    if len(names) != 1:
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r} must name one adapter: ?adapter=NAME")
    sensor = address.options.get("sensor", [feed.name])[-1]
    return RawUdpPeer(feed.name, address, make_adapter(names[0], sensor), sensor)


class RawUdpPeer(DatagramPeer):
    """Listens on one UDP port for one adapter, which speaks for ``sensor`` alone."""

    def __init__(self, name: str, address: Address, adapter: Adapter, sensor: str) -> None:
        super().__init__(name, address, (sensor,))
        self._adapter = adapter
        self._told: dict[str, int] = {}

    def lines(self, hub: Hub, datagrams: list[bytes]) -> list[bytes]:
        """Through the adapter, as lines: so a NaN or a wrong type of its making is refused as any other."""
        received = hub.clock.to_wall(hub.clock.now())
        heard = [Heard(received, data) for data in datagrams]
        try:
            lines = [dump_line(detection) for detection in self._adapter.detections(heard)]
            counts = dict(self._adapter.counts)
        except Exception as error:
            kind = type(error).__name__
            log.warning("an adapter failed", feed=self.name, error=kind)
            for data in datagrams:
                hub.quarantine(self.name, f"adapter-failed: {kind}", data)
            return []
        self._tell(hub, counts)
        return lines

    def _tell(self, hub: Hub, counts: Mapping[str, int]) -> None:
        for reason, count in counts.items():
            new = count - self._told.get(reason, 0)
            if new > 0:
                hub.counted(self.name, reason, new)
            self._told[reason] = count
