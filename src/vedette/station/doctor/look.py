"""A feed looked at from outside: its address, its file, its certificates. Nothing is listened to here."""

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from vedette.model.errors import ConfigError
from vedette.station.config import FILE_SCHEMES, FeedConfig
from vedette.station.doctor import tls
from vedette.station.doctor.findings import Finding
from vedette.station.formats import WORDS, datagram_format, guess_format
from vedette.station.peers._udp_socket import is_group, open_udp
from vedette.station.peers.registry import Keys, make_peer
from vedette.wire.capture import CaptureReader, FrameBatch
from vedette.wire.errors import CaptureError

CONNECT_S = 5.0
FRAMES = 20_000
"""Of a capture that are looked at."""
REMOTE_ID_CHANNELS = (
    "Wi-Fi Remote ID is on channel 6 (2437 MHz, beacons and NAN) and 149 (5745 MHz): is the receiver there,"
    " and does its filter let beacons (0x80) and action frames (0xd0) through?"
)
FILES = {"beast": "beast", "sbs": "sbs", "aircraft": "aircraft-json", "lines": "lines"}
"""Scheme of a recording -> what the file should look like."""
LOOPBACK = "127.0.0.1"


class Address(NamedTuple):
    """What a URL says of the way: ``way`` is udp, tcp, tls, http or file; ``iface`` joins a group."""

    way: str
    listens: bool
    host: str
    port: int
    iface: str | None = None

    @property
    def place(self) -> tls.Place:
        return tls.Place(self.host, self.port)


def address_of(url: str) -> Address | None:
    """The address in a feed's URL; None for files, scenarios and what is no address."""
    scheme = url.partition(":")[0]
    way = scheme.partition("+")[2]
    listens = way.endswith("-listen") or way == "udp"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        query = parse_qs(parts.query)
    except ValueError:
        return None
    way = way.removesuffix("-listen")
    if way == "http" and port is None:
        port = 80
    if way not in ("udp", "tcp", "tls", "http") or port is None or (host is None and not listens):
        return None
    return Address(way, listens, host or LOOPBACK, port, query.get("iface", [None])[-1])


def look(feed: FeedConfig) -> Iterator[Finding]:
    """What can be said without listening. The last finding is about the feed as a whole."""
    name = f"feed {feed.name}"
    try:
        make_peer(feed, Keys(receipts=bytes(32)))
        worries = list(tls.certificates(feed))
        yield from worries
        if not any(worry.verdict == "bad" for worry in worries):
            yield _looked(feed)
    except ConfigError as error:
        yield Finding(check=name, verdict="bad", found=str(error), advice="correct it in the configuration")
    except CaptureError as error:
        yield Finding(check=name, verdict="bad", found=str(error), advice="check the file or the receiver")
    except tls.TlsFault as fault:
        yield Finding(check=name, verdict="bad", found=fault.found, advice=fault.advice)
    except OSError as error:
        found, advice = _words(error), _advice(error)
        yield Finding(check=name, verdict="bad", found=f"{feed.url}: {found}", advice=advice)


def _looked(feed: FeedConfig) -> Finding:
    name = f"feed {feed.name}"
    scheme, _, rest = feed.url.partition(":")
    path = Path(rest.partition("?")[0])
    if scheme == "odid+pcap" and rest != "-" and not (path.is_fifo() or path.is_char_device()):
        return _capture(name, path)
    if scheme == "cap":
        return _folder(name, path)
    address = address_of(feed.url)
    if address is None:
        if scheme in FILE_SCHEMES and rest.partition("?")[0] != "-" and not path.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        if "+" not in scheme and path.is_file():
            return _file(name, path, scheme)
        return Finding(check=name, verdict="good", found="nothing to look at from outside")
    found = asyncio.run(_bindable(address) if address.listens else _reachable(feed, address))
    return Finding(check=name, verdict="good", found=found)


def _folder(name: str, path: Path) -> Finding:
    """A folder that the station writes to, or will make when it starts."""
    there = next((folder for folder in (path, *path.absolute().parents) if folder.exists()), path)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        found = f"{there}: not a folder that this user may write to"
        return Finding(
            check=name, verdict="bad", found=found, advice="make it one, owned by the station's user"
        )
    new = "" if there == path else ", made when the station starts"
    return Finding(check=name, verdict="good", found=f"a folder for messages{new}")


def _file(name: str, path: Path, scheme: str) -> Finding:
    with path.open("rb") as file:
        head = file.read(4096)
    looks = guess_format(head)
    found = (
        "an empty file" if not head else f"a file; it looks like {WORDS[looks] if looks else 'nothing known'}"
    )
    others = [other for other, own in FILES.items() if own == looks and other != scheme]
    if others and scheme in FILES:
        advice = f"write {others[0]}: instead of {scheme}:, or name the right file"
        return Finding(
            check=name, verdict="bad", found=f"{found}, and the feed reads {scheme}", advice=advice
        )
    return Finding(
        check=name,
        verdict="good" if looks else "warning",
        found=found,
        advice="" if looks else "check that it is the right file",
    )


def _capture(name: str, path: Path) -> Finding:
    """A recorded capture: its first frames through the adapter that the station uses."""
    from vedette.sense.remote_id import RemoteIdAdapter

    records = list(islice(CaptureReader(path).records(), FRAMES))
    if not records:
        return Finding(check=name, verdict="good", found="a capture without frames")
    adapter = RemoteIdAdapter("doctor")
    adapter.detections(FrameBatch.of(records))
    ours = adapter.counts.get("odid-frames", 0)
    found = (
        f"a capture, link type {records[0].link_type}: {len(records)} frames looked at, {ours} with Remote ID"
    )
    if ours:
        return Finding(check=name, verdict="good", found=found)
    payloads = [
        words for words in (_payload(record.data, record.link_type) for record in records[:50]) if words
    ]
    if payloads:
        return Finding(
            check=name,
            verdict="bad",
            found=f"{found}; its datagrams look like {payloads[0]}",
            advice="that is another kind of feed: choose the scheme for it",
        )
    return Finding(check=name, verdict="warning", found=found, advice=REMOTE_ID_CHANNELS)


def _payload(frame: bytes, link_type: int) -> str | None:
    """What the UDP payload of a captured frame looks like, in words; None if it is none or looks like
    nothing known."""
    looks = datagram_format(frame, link_type)
    return WORDS[looks] if looks else None


def _words(error: OSError) -> str:
    """asyncio puts its own words over the system's, and a timeout has none."""
    if isinstance(error, TimeoutError):
        return str(error) or f"no answer within {CONNECT_S:.0f} s"
    if isinstance(error, ssl.SSLError | socket.gaierror) or error.errno is None:
        return error.strerror or str(error)
    own = error.strerror or ""
    return own if own.startswith("cannot join") else os.strerror(error.errno)


def _advice(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "is the path right? It counts from the folder of the configuration file"
    if error.errno == errno.EADDRINUSE:
        return "another program has this port: stop it, or choose another"
    if error.errno == errno.EADDRNOTAVAIL:
        return "no interface of this machine has that address: write one that it has (ip address)"
    if error.errno == errno.EACCES:
        return "ports below 1024 need a privilege: choose a higher one"
    if error.errno == errno.ENODEV or (error.strerror or "").startswith("cannot join"):
        return "name the interface that the sensor's network is on: ?iface=ADDRESS (ip address)"
    if isinstance(error, socket.gaierror):
        return "the name is not known here: check it, or write the number"
    if isinstance(error, ConnectionRefusedError):
        return (
            "that machine answers and nothing listens on the port: does the program run there, on this port?"
        )
    return "check the address, the cable, the firewall, and that the other side runs"


async def _bindable(address: Address) -> str:
    host, port = address.host, address.port
    if address.way == "udp" and is_group(host):
        inlet = await open_udp(
            host,
            port,
            group=True,
            iface=address.iface,
            take=lambda _: None,
            shed=lambda _: None,
            most_per_s=1,
        )
        inlet.close()
        return f"UDP group {host}:{port} can be joined"
    kind = socket.SOCK_DGRAM if address.way == "udp" else socket.SOCK_STREAM
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=kind)
    with socket.socket(found[0][0], kind) as probe:
        if kind == socket.SOCK_STREAM:
            # As servers do; connections that have just ended are no reason to find a port taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(found[0][4])
    name = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
    return f"{name} {host}:{port} can be listened on (no station has it now)"


async def _reachable(feed: FeedConfig, address: Address) -> str:
    where = f"{address.host}:{address.port}"
    async with asyncio.timeout(CONNECT_S):
        reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        if address.way != "tls":
            return f"{where} answers"
        try:
            async with asyncio.timeout(CONNECT_S):
                await tls.shake_hands(feed, address.place, writer, reader)
        except TimeoutError:
            raise tls.TlsFault(
                f"{where} takes connections and does not answer in TLS",
                "another port of that server may speak TLS, or it is a plain one: ask its administrator",
            ) from None
        return f"{where} answers over TLS"
    finally:
        writer.transport.abort()
