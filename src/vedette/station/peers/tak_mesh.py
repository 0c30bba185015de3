"""TAK devices without a server: ``cot+udp://239.2.3.1:6969?iface=ADDRESS``, the group of "SA multicast".

Whoever is on the network hears it and can send to it, in anybody's name. So no alert goes out by this
way (it would reach everybody; what a device states as its own address is a stranger's word), no
position of our people either, and the tracks only where ``publish_tracks`` allows it: without it this
peer sends nothing at all. People's positions are taken only with ``units=1``: a forged one would draw
warnings away from who needs them. Receipts need the token that went to their sender, and count.

``tracks=0`` leaves out what others see in the air, ``views=1`` takes where their sensors look for
bearings. An address that is no group is listened on and never sent to (gateways that send to one
station); without HOST that is this machine.

Both versions of the protocol are heard. Which one is sent follows from what the others can read.
"""

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

from vedette.model import ConfigError, Fact, Frame
from vedette.model.event import Clear, Deliver
from vedette.sense.cot import OWN_PREFIX, contact_of
from vedette.station.config import FeedConfig
from vedette.station.peers._cot_dialogue import Dialogue
from vedette.station.peers._cot_stream import switches
from vedette.station.peers._line_feed import Address, address_of
from vedette.station.peers._tak_neighbours import Neighbours
from vedette.station.peers._udp_socket import UdpInlet, interface_index, is_group, open_udp
from vedette.station.ports import Hub, Peer
from vedette.wire.cot import CotError, CotEvent
from vedette.wire.tak import Control, Datagram, read_datagram, write_datagram

if TYPE_CHECKING:
    from vedette.station.peers.registry import Keys

MOST_PER_S = 1000
"""Datagrams read in a second, 0.1 s of decoding; of a flood the freshest."""
MOST_TRACKS = 50
"""In one picture: a radio network shares its time among all."""
CONTROL_S = 30.0
"""Between two words on the versions that are read here; the protocol wants one a minute."""


def tak_mesh_peer(feed: FeedConfig, keys: "Keys") -> Peer:
    """The peer for a ``cot+udp`` URL. Raises ConfigError."""
    address = address_of(feed, frozenset({"iface", "units", "tracks", "views"}), listens=True)
    query = "&".join(f"{k}={v}" for k, values in address.options.items() if k != "iface" for v in values)
    chosen = switches(feed.name, feed.url, query, ("units", "tracks", "views"))
    ifaces = address.options.get("iface", [])
    if len(ifaces) > 1 or (ifaces and not is_group(address.host)):
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r}: iface names the interface of one group")
    return TakMeshPeer(
        feed.name,
        address,
        iface=ifaces[0] if ifaces else None,
        callsign=feed.callsign,
        publish_tracks=feed.publish_tracks,
        receipt_key=keys.receipts,
        units=chosen.get("units", False),
        tracks=chosen.get("tracks", True),
        views=chosen.get("views", False),
    )


class TakMeshPeer:
    """Listens to one group, or on one address. ``port`` is the real one once it listens."""

    receipt_facts: tuple[Fact, ...] = ("accepted", "on-device", "shown", "acknowledged")
    carries_position: bool = True
    """The map of those who may see each other."""

    def __init__(
        self,
        name: str,
        address: Address,
        *,
        iface: str | None = None,
        callsign: str = "VEDETTE",
        uid: str | None = None,
        publish_tracks: bool = False,
        receipt_key: bytes | None = None,
        units: bool = False,
        tracks: bool = True,
        views: bool = False,
        most_per_s: int = MOST_PER_S,
        look_s: float = 1.0,
        control_s: float = CONTROL_S,
        retry_s: float = 5.0,
    ) -> None:
        self.name = name
        self.port = address.port
        self._address, self._iface = address, iface
        self._group = is_group(address.host)
        self._uid = uid if uid is not None else f"VEDETTE-{name}".replace(".", "-")
        self._dialogue = Dialogue(
            name, callsign=callsign, uid=self._uid, heard_s=600.0, show_place=False, key=receipt_key,
            units=units, tracks=tracks, views=views,
        )  # fmt: skip
        self.senses = self._dialogue.senses
        self._sends = publish_tracks and self._group
        self._most_per_s, self._look_s = most_per_s, look_s
        self._control_s, self._retry_s = control_s, retry_s
        self._neighbours = Neighbours()
        self._sender: _Sender | None = None

    @property
    def counts(self) -> dict[str, int]:
        """What became of the events heard, by reason."""
        return self._dialogue.all_counts

    async def run(self, hub: Hub) -> None:
        """Listen, and listen again after a failure, until cancelled."""
        self._dialogue.open(hub)
        while True:
            try:
                await self._listen(hub)
            except OSError as error:
                reason = f"cannot listen on {self._where}: {error.strerror or error}"
                hub.feed(self.name, "down", f"{reason}; again in {self._retry_s:g} s")
                self._dialogue.lost(reason)
            await asyncio.sleep(self._retry_s)

    def reaches(self, unit: str) -> bool:
        """Nobody: what is sent here reaches everybody."""
        return False

    async def deliver(self, delivery: Deliver, recipient: str) -> None:
        """Never asked, since ``reaches`` is False."""
        raise ConnectionError(f"{self.name} cannot send to one unit alone")

    async def clear(self, clear: Clear, recipient: str) -> None:
        """Never asked, since ``reaches`` is False."""
        raise ConnectionError(f"{self.name} cannot send to one unit alone")

    async def publish(self, frame: Frame) -> None:
        """The nearest tracks, if they may be shown to everybody on the network."""
        if self._sender is None or not frame.tracks:
            return
        nearest = self._dialogue.picture(frame)
        self._dialogue.counts["tracks-beyond-the-picture"] += max(0, len(nearest) - MOST_TRACKS)
        version = self._version()
        for event in nearest[:MOST_TRACKS]:
            self._send(event, version=version)

    @property
    def _where(self) -> str:
        what = "group" if self._group else "UDP"
        by = f" by {self._iface}" if self._iface else ""
        return f"{what} {self._address.host}:{self.port}{by}"

    def _words(self) -> str:
        reach = "open to the network: anybody there can send" if self._group else self._address.reach()
        shown = "; the tracks are sent there for everybody to see" if self._sends else ""
        return f"listening to {self._where} ({reach}){shown}"

    async def _listen(self, hub: Hub) -> None:
        hub.feed(self.name, "connecting", f"opening {self._where}")
        inlet = await open_udp(
            self._address.host,
            self._address.port,
            group=self._group,
            iface=self._iface,
            take=self._take,
            shed=lambda count: hub.counted(self.name, "flooded", count),
            overflowed=lambda count: hub.counted(self.name, "flooded-kernel", count),
            most_per_s=self._most_per_s,
        )
        self.port = inlet.port
        try:
            await self._attend(hub, inlet)
        finally:
            inlet.close()

    async def _attend(self, hub: Hub, inlet: UdpInlet) -> None:
        """Until the socket breaks (OSError)."""
        if not self._sends:
            hub.feed(self.name, "watching", self._words())
            return await inlet.broken()
        self._sender = _Sender(self._address.host, self.port, self._iface)
        hub.feed(self.name, "watching", self._words())
        announcing = asyncio.create_task(self._announce())
        try:
            await inlet.broken()
        finally:
            announcing.cancel()
            await asyncio.gather(announcing, return_exceptions=True)
            self._sender.close()
            self._sender = None

    def _take(self, datagrams: list[bytes]) -> None:
        events: list[CotEvent] = []
        for data in datagrams:
            try:
                datagram = read_datagram(data)
            except CotError as error:
                self._dialogue.hear(error)
                continue
            if self._is_own(datagram):
                self._dialogue.counts["own-event"] += 1
                continue
            self._dialogue.alive()
            self._note(datagram)
            events += [] if datagram.event is None else [datagram.event]
        self._dialogue.take(events)

    def _is_own(self, datagram: Datagram) -> bool:
        """The group gives back to us what we send: that is no sign of life."""
        event, control = datagram.event, datagram.control
        if event is None:
            return control is not None and control.contact_uid == self._uid
        return event.uid == self._uid or event.uid.startswith(OWN_PREFIX)

    def _note(self, datagram: Datagram) -> None:
        uid = None if datagram.control is None else datagram.control.contact_uid
        if uid is None and datagram.event is not None:
            contact = contact_of(datagram.event)
            uid = None if contact is None else contact.uid
        if uid is not None:
            self._neighbours.note(uid, datagram.version, datagram.control, self._now())

    async def _announce(self) -> None:
        """Say what can be read here, on time and whenever the common version changes."""
        said, last = float("-inf"), -1
        while True:
            version = self._version()
            if version != last or self._now() - said >= self._control_s:
                said, last = self._now(), version
                self._present(version)
            await asyncio.sleep(self._look_s)

    def _present(self, version: int) -> None:
        (presence,) = self._dialogue.presence()
        control = Control(contact_uid=self._uid)
        if version:
            self._send(presence, control, version=version)
        else:
            self._send(presence, version=0)
            self._send(None, control, version=1)

    def _send(self, event: CotEvent | None, control: Control | None = None, *, version: int) -> None:
        if self._sender is None:
            return
        try:
            self._sender.send(write_datagram(event, control, version=version))
        except (CotError, OSError):
            self._dialogue.counts["not-sent"] += 1

    def _version(self) -> int:
        return self._neighbours.version(self._now())

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


class _Sender:
    """Sends to a group by one interface and no further than its network. Raises OSError."""

    def __init__(self, group: str, port: int, iface: str | None) -> None:
        family = socket.AF_INET6 if ":" in group else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._to = (group, port)
        try:
            self._socket.setblocking(False)
            if family == socket.AF_INET6:
                self._by_v6(iface or group.partition("%")[2])
            else:
                self._by_v4(iface)
        except BaseException:
            self._socket.close()
            raise

    def send(self, data: bytes) -> None:
        """One datagram; what the interface cannot take now is an OSError."""
        self._socket.sendto(data, self._to)

    def close(self) -> None:
        """Send nothing any more."""
        self._socket.close()

    def _by_v4(self, iface: str | None) -> None:
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        if iface is not None:
            address, index = bytes(4), 0
            try:
                address = socket.inet_aton(iface)
            except OSError:
                index = interface_index(iface, socket.AF_INET)
            chosen = bytes(4) + address + struct.pack("@i", index)  # struct ip_mreqn, ip(7)
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, chosen)

    def _by_v6(self, iface: str) -> None:
        self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
        if iface:
            index = interface_index(iface, socket.AF_INET6)
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
