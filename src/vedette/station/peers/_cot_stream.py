"""One TCP or TLS connection that carries CoT, in XML or as TAK protocol version 1, and the addresses
and certificates it needs.

Writes are bounded twice: a counterpart that lets more than ``write_limit`` bytes pile up, or that
takes nothing for ``send_timeout_s``, is dropped, so that one dead phone never holds up the next. Reads
are bounded by what comes whole: an event that is begun and never ended is silence, and so is a stream
of anything else.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from vedette.model import ConfigError
from vedette.station.peers._line_feed import LOOPBACK
from vedette.wire.cot import CotError, CotEvent, write_event
from vedette.wire.tak import TakSplitter, write_stream

READ_BYTES = 32 * 1024
"""About 70 events, 4 ms of decoding: then the other feeds have their turn."""
MOST_GARBAGE = 1024 * 1024
"""Bytes that belong to no event after which a counterpart is taken for something else."""
HANDSHAKE_S = 10.0

_PROBES = (("TCP_KEEPIDLE", 20), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 20_000))
"""When the kernel gives up a counterpart that lost its power, and one that takes nothing any more (ms)."""


class Endpoint(Struct, frozen=True):
    """Where to connect or listen, and what the URL's query chose: the version to agree on (1 or 0,
    ``protocol``), whether other users' tracks are read (``tracks``) and what sensors look at
    (``views``)."""

    host: str
    port: int
    tls: bool
    protocol: int = 1
    tracks: bool = True
    views: bool = False

    @property
    def is_loopback(self) -> bool:
        """True if nobody outside this machine can reach it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse_endpoint(name: str, url: str, *, plain: str, secure: str) -> Endpoint:
    """``scheme://host:port?options`` -> Endpoint. ``plain`` and ``secure`` are the two schemes that are
    meant; a listener without a host is on loopback. Raises ConfigError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"peer {name}: {url!r} is not an address ({error})") from None
    if host is None and plain.endswith("-listen"):
        host = LOOPBACK
    if parts.scheme not in (plain, secure) or not host or port is None or parts.path not in ("", "/"):
        raise ConfigError(f"peer {name}: {url!r} must be {plain}://HOST:PORT or {secure}://HOST:PORT")
    chosen = switches(name, url, parts.query, ("protocol", "tracks", "views"))
    return Endpoint(
        host,
        port,
        parts.scheme == secure,
        protocol=int(chosen.get("protocol", True)),
        tracks=chosen.get("tracks", True),
        views=chosen.get("views", False),
    )


def switches(name: str, url: str, query: str, allowed: Iterable[str]) -> dict[str, bool]:
    """The options of a URL's query that are on (1) or off (0). Raises ConfigError for any other."""
    given = parse_qs(query, keep_blank_values=True)
    for key, values in given.items():
        if key not in allowed:
            there = ", ".join(allowed)
            raise ConfigError(f"peer {name}: {url!r}: unknown {key}; there is only {there}")
        if len(values) != 1 or values[0] not in ("0", "1"):
            raise ConfigError(f"peer {name}: {url!r}: {key} must be 0 or 1, once")
    return {key: values[0] == "1" for key, values in given.items()}


class Certificates(Struct, frozen=True, kw_only=True):
    """PEM files: whom we believe, and who we are."""

    cafile: str | None = None
    certfile: str | None = None
    keyfile: str | None = None
    password: str | None = None


def client_context(name: str, files: Certificates, *, check_hostname: bool) -> ssl.SSLContext:
    """TLS towards a server that must present a certificate of ``cafile``. Raises ConfigError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = check_hostname
    return _loaded(name, context, files, need_own=False)


def server_context(name: str, files: Certificates) -> ssl.SSLContext:
    """TLS for clients that must present a certificate of ``cafile``. Raises ConfigError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    return _loaded(name, context, files, need_own=True)


def _loaded(name: str, context: ssl.SSLContext, files: Certificates, *, need_own: bool) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.cafile is None:
        raise ConfigError(f"peer {name}: TLS needs cafile, the authority whose certificates are believed")
    if need_own and files.certfile is None:
        raise ConfigError(f"peer {name}: a TLS listener needs certfile and keyfile of its own")
    try:
        context.load_verify_locations(files.cafile)
        if files.certfile is not None:
            context.load_cert_chain(files.certfile, files.keyfile, files.password or _no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        paths = ", ".join(path for path in (files.cafile, files.certfile, files.keyfile) if path)
        raise ConfigError(f"peer {name}: cannot load the certificates {paths}: {error}") from None
    return context


def _no_password() -> str:
    """Without this OpenSSL would ask on the terminal and the station would hang."""
    raise ValueError("the key is encrypted and no password is configured")


def certificate_subject(writer: asyncio.StreamWriter) -> str | None:
    """The subject of the counterpart's verified certificate as one line, None without TLS."""
    certificate = writer.get_extra_info("peercert")
    if not certificate:
        return None
    return ",".join(f"{key}={value}" for part in certificate.get("subject", ()) for key, value in part)


class CotStream:
    """Events in both directions over one connection, heard in either version.

    ``version``: that in which they are sent, 0 (XML) until both sides have agreed on 1.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        write_limit: int,
        send_timeout_s: float,
    ) -> None:
        self.version = 0
        self._reader, self._writer = reader, writer
        self._write_limit, self._send_timeout_s = write_limit, send_timeout_s
        self._splitter = TakSplitter()
        self._garbage = 0
        # So drain() returns only when the socket has taken everything. asyncio's TLS pauses at the high
        # mark itself, so that with a mark of 0 it would stay paused with nothing left to send.
        writer.transport.set_write_buffer_limits(high=1, low=0)
        _probe(writer)

    @property
    def backlog(self) -> int:
        """Bytes that the counterpart has not taken yet."""
        return self._writer.transport.get_write_buffer_size()

    @property
    def begun(self) -> bool:
        """True while an event of the counterpart has begun and is not ended."""
        return self._splitter.begun

    @property
    def messages(self) -> int:
        """Protobuf messages heard so far that were whole."""
        return self._splitter.messages

    async def receive(self, timeout_s: float) -> list[CotEvent | CotError]:
        """The events, at least one, that the next reads complete, and what had to be given up.

        Raises ConnectionError at the end, if nothing is complete within ``timeout_s``, and if what comes
        is no CoT.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    if found := self._splitter.feed(await self._read()):
                        self._garbage = self._splitter.garbage_bytes
                        return found
                    if self._splitter.garbage_bytes - self._garbage > MOST_GARBAGE:
                        raise ConnectionError(f"more than {MOST_GARBAGE} bytes of what is no CoT")
        except TimeoutError:
            if self._splitter.begun:
                raise ConnectionError(f"an event was begun and not ended within {timeout_s:g} s") from None
            raise ConnectionError(f"nothing heard for {timeout_s:g} s") from None

    async def _read(self) -> bytes:
        # A reader that holds bytes already gives them without letting anybody else have a turn.
        await asyncio.sleep(0)
        try:
            data = await self._reader.read(READ_BYTES)
        except (TimeoutError, ConnectionError, ssl.SSLError, OSError) as error:
            raise ConnectionError(f"the connection broke: {error}") from error
        if not data:
            raise ConnectionError("the other side closed the connection")
        return data

    async def send(self, events: Iterable[CotEvent]) -> None:
        """Return when the socket has taken all of it; over TLS up to 64 kB may still wait behind the
        cipher. Raises ConnectionError and drops the connection if the counterpart does not take it."""
        self._write(self._bytes(events))
        await self._drain()

    async def change_over(self, last: CotEvent) -> None:
        """Send ``last`` in XML and everything after it as version 1."""
        self._write(self._bytes([last]))
        self.version = 1
        await self._drain()

    def _bytes(self, events: Iterable[CotEvent]) -> bytes:
        write = write_stream if self.version else write_event
        try:
            return b"".join(write(event) for event in events)
        except CotError as error:
            raise ConnectionError(f"not sent: {error}") from error

    def _write(self, data: bytes) -> None:
        if self._writer.transport.is_closing():
            raise ConnectionError("the connection is closed")
        if self.backlog + len(data) > self._write_limit:
            self.abort()
            raise ConnectionError(
                f"the other side does not keep up: more than {self._write_limit} bytes wait"
            )
        try:
            self._writer.write(data)
        except OSError as error:
            self.abort()
            raise ConnectionError(f"the connection broke: {error}") from error

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(self._send_timeout_s):
                await self._writer.drain()
        except (TimeoutError, OSError) as error:
            self.abort()
            raise ConnectionError(f"the other side took nothing for {self._send_timeout_s:g} s") from error

    def abort(self) -> None:
        """Drop the connection at once; what was not taken is lost."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Drop the connection and wait until the transport is gone."""
        self.abort()
        try:
            async with asyncio.timeout(self._send_timeout_s):
                await self._writer.wait_closed()
        except (TimeoutError, OSError):
            return


def _probe(writer: asyncio.StreamWriter) -> None:
    """Let the kernel ask a quiet counterpart whether it is there: one that lost its power never says so."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _PROBES:
        if hasattr(socket, option):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
