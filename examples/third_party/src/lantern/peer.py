"""``lantern-log:FILE``: follows the log that the Lantern's own program appends to.

A line is ``AZIMUTH ELEVATION`` in degrees. The log has no times: a line happened when it was written.
"""

import asyncio
from pathlib import Path

from vedette.model import ConfigError, Detection
from vedette.model.detection import Bearing, Sigma
from vedette.station.config import FeedConfig
from vedette.station.peers.registry import Keys
from vedette.station.ports import Hub

LOOK_S = 0.2
MOST_AT_ONCE = 64 * 1024
LONGEST_LINE = 1024
ACCURACY = Sigma(azimuth_deg=2.0, elevation_deg=2.0)


def make_peer(feed: FeedConfig, keys: Keys) -> "LanternLogPeer":
    """The peer for a feed whose URL begins with lantern-log. Raises ConfigError."""
    path = feed.url.partition(":")[2]
    if not path:
        raise ConfigError(f"feed {feed.name!r}: lantern-log: needs the path of the log")
    return LanternLogPeer(feed.name, Path(path))


class LanternLogPeer:
    """Implements `vedette.station.ports.Peer`: it brings detections and reaches nobody."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.senses: tuple[str, ...] = (name,)
        self._path = path

    async def run(self, hub: Hub) -> None:
        """Follow the log from its end until cancelled; look again every 5 s for one that is not there."""
        while True:
            try:
                with self._path.open("rb") as log:
                    log.seek(0, 2)
                    hub.feed(self.name, "watching", f"following {self._path}")
                    begun = b""
                    while True:
                        *lines, begun = (begun + log.read(MOST_AT_ONCE)).split(b"\n")
                        begun = begun[:LONGEST_LINE]
                        for line in lines:
                            self._hear(hub, line)
                        await asyncio.sleep(LOOK_S)
            except OSError as error:
                hub.feed(self.name, "down", f"{self._path}: {error.strerror}")
                await asyncio.sleep(5.0)

    def _hear(self, hub: Hub, line: bytes) -> None:
        now = hub.clock.now()
        try:
            azimuth_deg, elevation_deg = map(float, line.split())
            if not (0.0 <= azimuth_deg < 360.0 and -90.0 <= elevation_deg <= 90.0):
                raise ValueError(line)
        except ValueError:
            hub.quarantine(self.name, "not-a-direction", line)
            return
        measure = Bearing(azimuth_deg=azimuth_deg, elevation_deg=elevation_deg)
        found = Detection(time=now, received=now, sensor=self.name, measure=measure, sigma=ACCURACY)
        hub.detections(self.name, [found])

    def reaches(self, unit: str) -> bool:
        """A detector reaches nobody."""
        return False

    async def deliver(self, delivery: object, recipient: str) -> None:
        """Never asked, since ``reaches`` is False."""
        raise ConnectionError(f"{self.name} cannot send")

    async def clear(self, clear: object, recipient: str) -> None:
        """Never asked, since ``reaches`` is False."""
        raise ConnectionError(f"{self.name} cannot send")

    async def publish(self, frame: object) -> None:
        """A detector shows no tracks."""
