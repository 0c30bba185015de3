"""From a feed's URL to its peer, by scheme. Third parties add schemes through ``vedette.peers``.

An entry point's name is the scheme; its object is called with the `FeedConfig` and a `Keys`, and
returns a `Peer`.
"""

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from vedette.model.errors import ConfigError
from vedette.station.access import Doorkeeper
from vedette.station.config import FeedConfig
from vedette.station.gateway.peer import gateway_peer
from vedette.station.peers._line_feed import LOOPBACK
from vedette.station.peers.adsb import adsb_peer
from vedette.station.peers.asterix import asterix_peer
from vedette.station.peers.cap_folder import cap_folder_peer
from vedette.station.peers.lines import lines_peer
from vedette.station.peers.meshtastic import meshtastic_peer
from vedette.station.peers.mqtt import mqtt_peer
from vedette.station.peers.odid_capture import CapturePeer
from vedette.station.peers.odid_udp import OdidUdpPeer
from vedette.station.peers.raw_udp import raw_peer
from vedette.station.peers.sapient_fusion import sapient_fusion_peer
from vedette.station.peers.sapient_parent import sapient_parent_peer
from vedette.station.peers.sim import SimPeer, scenario_of
from vedette.station.peers.smtp import smtp_peer
from vedette.station.peers.tak_listener import TakListenerPeer
from vedette.station.peers.tak_mesh import tak_mesh_peer
from vedette.station.peers.tak_server import TakServerPeer
from vedette.station.peers.web_push import web_push_peer
from vedette.station.peers.webhook import webhook_peer
from vedette.station.ports import Peer

RADIOTAP = 127
LINK_TYPES = (105, RADIOTAP, 251, 256, 272)


class Keys(NamedTuple):
    """Secrets that outlive a restart. ``receipts`` makes the tokens by which receipts are told from
    forgeries: with a new one, receipts for messages sent before the restart would be refused. ``state``: the
    station's folder, for a peer that keeps something itself; none where a peer is made only to be checked."""

    receipts: bytes
    state: Path | None = None
    door: Doorkeeper | None = None
    """Who may come in by a certificate; None only where no station runs and no phone is let in."""


Factory = Callable[[FeedConfig, Keys], Peer]


def make_peer(feed: FeedConfig, keys: Keys) -> Peer:
    """The peer for a feed. Raises ConfigError for a scheme that nobody knows, or a bad URL."""
    scheme = feed.url.partition(":")[0]
    factory = FACTORIES.get(scheme) or _third_party(scheme)
    if factory is None:
        known = ", ".join(sorted({*FACTORIES, *(e.name for e in entry_points(group="vedette.peers"))}))
        raise ConfigError(f"feed {feed.name!r}: the scheme {scheme!r} is not known; there are {known}")
    return factory(feed, keys)


def _third_party(scheme: str) -> Factory | None:
    for entry in entry_points(group="vedette.peers", name=scheme):
        try:
            factory: Factory = entry.load()
        except Exception as error:
            raise ConfigError(f"the package that brings {scheme!r} cannot be loaded: {error!r}") from None
        return factory
    return None


def _capture(feed: FeedConfig, keys: Keys) -> Peer:
    path = feed.url.partition(":")[2]
    if not path:
        raise ConfigError(f"feed {feed.name!r}: odid+pcap: needs a file, or - for standard input")
    return CapturePeer(feed.name, path)


def _udp(feed: FeedConfig, keys: Keys) -> Peer:
    address = _address(feed.url)
    if address is None:
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r} is not odid+udp://HOST:PORT")
    host, port, query = address
    options = parse_qs(query, keep_blank_values=True)
    unknown = ", ".join(sorted(options.keys() - {"link", "iface"}))
    if unknown:
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r}: unknown {unknown}; there are link and iface")
    link = options.get("link", [str(RADIOTAP)])[-1]
    if not link.isdigit() or int(link) not in LINK_TYPES:
        raise ConfigError(f"feed {feed.name!r}: link={link}: one of {', '.join(map(str, LINK_TYPES))}")
    return OdidUdpPeer(feed.name, host, port, int(link), options.get("iface", [None])[-1])


def _address(url: str) -> tuple[str, int, str] | None:
    """Host (loopback where none is named), port and query; None where the URL is none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    return None if port is None else (host or LOOPBACK, port, parts.query)


def _sim(feed: FeedConfig, keys: Keys) -> Peer:
    return SimPeer(feed.name, scenario_of(feed.url.partition(":")[2]))


def _lines(feed: FeedConfig, keys: Keys) -> Peer:
    return lines_peer(feed)


def _raw(feed: FeedConfig, keys: Keys) -> Peer:
    return raw_peer(feed)


def _cap(feed: FeedConfig, keys: Keys) -> Peer:
    return cap_folder_peer(feed)


def _gateway(feed: FeedConfig, keys: Keys) -> Peer:
    return gateway_peer(feed, keys.door)


def _tak_mesh(feed: FeedConfig, keys: Keys) -> Peer:
    return tak_mesh_peer(feed, keys)


def _adsb(feed: FeedConfig, keys: Keys) -> Peer:
    return adsb_peer(feed)


def _asterix(feed: FeedConfig, keys: Keys) -> Peer:
    return asterix_peer(feed)


def _meshtastic(feed: FeedConfig, keys: Keys) -> Peer:
    return meshtastic_peer(feed)


def _mqtt(feed: FeedConfig, keys: Keys) -> Peer:
    return mqtt_peer(feed)


def _webhook(feed: FeedConfig, keys: Keys) -> Peer:
    return webhook_peer(feed)


def _smtp(feed: FeedConfig, keys: Keys) -> Peer:
    return smtp_peer(feed)


def _web_push(feed: FeedConfig, keys: Keys) -> Peer:
    return web_push_peer(feed, keys.state)


def _sapient_fusion(feed: FeedConfig, keys: Keys) -> Peer:
    return sapient_fusion_peer(feed, keys.receipts)


def _sapient_parent(feed: FeedConfig, keys: Keys) -> Peer:
    return sapient_parent_peer(feed, keys.receipts)


def _tak_server(feed: FeedConfig, keys: Keys) -> Peer:
    return TakServerPeer(
        feed.name,
        feed.url,
        cafile=feed.ca_file,
        certfile=feed.cert_file,
        keyfile=feed.key_file,
        callsign=feed.callsign,
        publish_tracks=feed.publish_tracks,
        receipt_key=keys.receipts,
    )


def _tak_listener(feed: FeedConfig, keys: Keys) -> Peer:
    return TakListenerPeer(
        feed.name,
        feed.url,
        door=keys.door,
        cafile=feed.ca_file,
        certfile=feed.cert_file,
        keyfile=feed.key_file,
        callsign=feed.callsign,
        publish_tracks=feed.publish_tracks,
        receipt_key=keys.receipts,
    )


FACTORIES: dict[str, Factory] = {
    "odid+pcap": _capture,
    "odid+udp": _udp,
    "lines": _lines,
    "lines+udp": _lines,
    "lines+tcp": _lines,
    "lines+tcp-listen": _lines,
    "raw+udp": _raw,
    "sim": _sim,
    "beast": _adsb,
    "beast+tcp": _adsb,
    "beast+tcp-listen": _adsb,
    "sbs": _adsb,
    "sbs+tcp": _adsb,
    "aircraft": _adsb,
    "aircraft+http": _adsb,
    "asterix+udp": _asterix,
    "asterix+pcap": _asterix,
    "sapient+tcp-listen": _sapient_fusion,
    "sapient+tls-listen": _sapient_fusion,
    "sapient+tcp": _sapient_parent,
    "sapient+tls": _sapient_parent,
    "cap": _cap,
    "gateway": _gateway,
    "cot+tcp": _tak_server,
    "cot+tls": _tak_server,
    "cot+tcp-listen": _tak_listener,
    "cot+tls-listen": _tak_listener,
    "cot+udp": _tak_mesh,
    "meshtastic+tcp": _meshtastic,
    "meshtastic+serial": _meshtastic,
    "mqtt": _mqtt,
    "mqtts": _mqtt,
    "smtp": _smtp,
    "smtps": _smtp,
    "webpush": _web_push,
    "webhook+https": _webhook,
    "webhook+http": _webhook,
}
