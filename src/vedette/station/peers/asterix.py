"""Radars, direction finders and trackers that speak ASTERIX over UDP, live or recorded.

``asterix+udp://HOST:PORT``                       unicast; without HOST on loopback
``asterix+udp://239.1.2.3:PORT?iface=ADDRESS``    a multicast group, joined by that interface
``asterix+pcap:FILE``                             a recorded capture, played in its time

``?sac-sic=25/201`` (it may be repeated) takes only those sources, ``sensor=NAME`` begins the ids of the
sensors (``NAME-025-201``) instead of the feed's name, ``doppler=receding`` or ``approaching`` says which
Doppler speeds are positive, ``cat129=1`` reads CAT129 by our own, unverified reading of its layout. A
recording may hold other traffic: ``port=8600`` takes what was sent to that port.

There is neither encryption nor login, and a group is open to its network: whoever can send there can be any
radar. Use a network that only radars are on, and name yours.
"""

import asyncio
import math
from pathlib import Path

from vedette.model import ConfigError
from vedette.station.config import FeedConfig
from vedette.station.peers._line_feed import Address, address_of, is_loopback, options_of
from vedette.station.peers._remote_id import Receiver
from vedette.station.peers._udp_socket import is_group, open_udp
from vedette.station.peers.asterix_feed import OPTIONS, AsterixFeed, Options, Turns, read_options
from vedette.station.ports import Hub, Peer
from vedette.wire.asterix import preload
from vedette.wire.capture import CaptureReader
from vedette.wire.errors import CaptureError, DecodeError
from vedette.wire.udp import udp_datagram

RETRY_S = 5.0
"""Before a port or a group that could not be had is tried again."""
MOST_PER_S = 1000
"""Datagrams of one feed that are decoded in a second."""

_UDP_OPTIONS = OPTIONS | {"iface"}
_FILE_OPTIONS = OPTIONS | {"port"}


def asterix_peer(feed: FeedConfig) -> Peer:
    """The peer for an ``asterix`` URL. Raises ConfigError."""
    scheme, _, rest = feed.url.partition(":")
    if scheme == "asterix+pcap":
        return _recorded(feed, rest)
    address = address_of(feed, _UDP_OPTIONS, listens=True)
    iface = address.options.get("iface", [None])[-1]
    if iface is not None and not is_group(address.host):
        raise ConfigError(
            f"feed {feed.name!r}: {feed.url!r}: iface is for multicast groups; HOST is where to listen"
        )
    if is_group(address.host) and address.port == 0:
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r}: a multicast group needs a port")
    return AsterixUdpPeer(feed.name, address, read_options(feed, address.options), iface)


def _recorded(feed: FeedConfig, rest: str) -> Peer:
    path, _, query = rest.partition("?")
    if not path or path == "-":
        raise ConfigError(f"feed {feed.name!r}: asterix+pcap: needs a file")
    options = options_of(feed, query, _FILE_OPTIONS)
    port = options.get("port", ["0"])[-1]
    if not (port.isascii() and port.isdigit() and int(port) <= 65_535):
        raise ConfigError(f"feed {feed.name!r}: port={port}: a number from 1 to 65535")
    return AsterixFilePeer(feed.name, Path(path), read_options(feed, options), int(port))


class AsterixUdpPeer(Receiver):
    """Listens on one UDP port. ``port`` is the real one once it listens."""

    def __init__(
        self,
        name: str,
        address: Address,
        options: Options,
        iface: str | None = None,
        *,
        retry_s: float = RETRY_S,
        most_per_s: int = MOST_PER_S,
    ) -> None:
        super().__init__(name)
        self.port = address.port
        self.feed: AsterixFeed | None = None
        self._address = address
        self._options = options
        self._iface = iface
        self._group = is_group(address.host)
        self._retry_s, self._most_per_s = retry_s, most_per_s

    async def run(self, hub: Hub) -> None:
        """Listen until cancelled; a port that cannot be had is tried again."""
        hub.feed(self.name, "connecting", "loading the ASTERIX layouts")
        await asyncio.to_thread(preload)
        feed = AsterixFeed(hub, self.name, self._options, lambda: f"listening on {self._where}")
        turns = Turns(
            lambda data, received: feed.take(data, received, hub.clock.from_wall),
            lambda lost: hub.counted(self.name, "flooded", lost),
        )
        self.feed = feed
        while True:
            try:
                await self._listen(hub, feed, turns)
            except OSError as error:
                feed.stop("down", f"cannot listen on {self._where}: {error.strerror or error}")
            finally:
                turns.close()
            await asyncio.sleep(self._retry_s)

    @property
    def _where(self) -> str:
        host, port = self._address.host, self.port
        host = f"[{host}]" if ":" in host else host
        if not self._group:
            return f"UDP {host}:{port} ({self._address.reach()})"
        by = f" by {self._iface}" if self._iface else ""
        if self._iface is not None and is_loopback(self._iface):
            return f"multicast group {host}:{port}{by} (this machine only)"
        return f"multicast group {host}:{port}{by} (open to the network: anybody there can send to it)"

    async def _listen(self, hub: Hub, feed: AsterixFeed, turns: Turns) -> None:
        def take(datagrams: list[bytes]) -> None:
            turns.put(datagrams, hub.clock.to_wall(hub.clock.now()))

        inlet = await open_udp(
            self._address.host,
            self._address.port,
            group=self._group,
            iface=self._iface,
            take=take,
            shed=lambda lost: hub.counted(self.name, "flooded", lost),
            most_per_s=self._most_per_s,
            overflowed=lambda lost: hub.counted(self.name, "flooded-kernel", lost),
        )
        try:
            self.port = inlet.port
            feed.start()
            await inlet.broken()
        finally:
            inlet.close()


class AsterixFilePeer(Receiver):
    """Plays one capture on the station's clock: its first frame happens when the feed starts."""

    def __init__(self, name: str, path: Path, options: Options, port: int = 0) -> None:
        super().__init__(name)
        self.feed: AsterixFeed | None = None
        self._path, self._port = path, port
        self._options = options

    async def run(self, hub: Hub) -> None:
        """Play to the end; a capture that cannot be read is reported, and the station goes on."""
        hub.feed(self.name, "connecting", "loading the ASTERIX layouts")
        await asyncio.to_thread(preload)
        self.feed = AsterixFeed(hub, self.name, self._options, lambda: f"playing {self._path.name}")
        if not await asyncio.to_thread(self._path.is_file):
            self.feed.stop(
                "down", f"{self._path}: no such file (a pipe is none: asterix+udp is for live data)"
            )
            return
        self.feed.start()
        reader = CaptureReader(self._path)
        try:
            await self._play(hub, self.feed, reader)
        except CaptureError as error:
            self.feed.stop("down", str(error))
        else:
            self.feed.stop("ended", f"the capture has ended: {reader.counts['records']} frames read")
        for reason, count in reader.counts.items():
            if reason != "records":
                hub.counted(self.name, reason, count)

    async def _play(self, hub: Hub, feed: AsterixFeed, reader: CaptureReader) -> None:
        """A time that is missing or goes back counts as that of the frame before."""
        latest = shift = math.nan
        batches = reader.batches()
        while (batch := await asyncio.to_thread(next, batches, None)) is not None:
            for record in batch:
                if math.isnan(latest):
                    latest = record.time if math.isfinite(record.time) else hub.clock.now()
                    shift = hub.clock.now() - latest
                elif math.isfinite(record.time):
                    latest = max(latest, record.time)
                await hub.clock.sleep_until(latest + shift)
                payload = self._payload(hub, record.data, record.link_type)
                if payload is not None:
                    feed.take(payload, latest, shift.__add__)
                    await asyncio.sleep(0)

    def _payload(self, hub: Hub, frame: bytes, link_type: int) -> bytes | None:
        try:
            datagram = udp_datagram(frame, link_type)
        except DecodeError as error:
            hub.counted(self.name, f"frame: {error.reason}", 1)
            return None
        return datagram.payload if self._port in (0, datagram.destination_port) else None
