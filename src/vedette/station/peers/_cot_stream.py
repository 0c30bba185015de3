"""One TCP or TLS connection that carries CoT XML, and the addresses and certificates it needs.

Writes are bounded twice: a counterpart that lets more than ``write_limit`` bytes pile up, or that
takes nothing for ``send_timeout_s``, is dropped, so that one dead phone never holds up the next.
"""

import asyncio
import ssl
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from msgspec import Struct

from vedette.model import ConfigError
from vedette.wire.cot import CotError, CotEvent, CotSplitter, write_event

READ_BYTES = 64 * 1024


class Endpoint(Struct, frozen=True):
    """Where to connect or listen."""

    host: str
    port: int
    tls: bool

    @property
    def is_loopback(self) -> bool:
        """True if nobody outside this machine can reach it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse_endpoint(name: str, url: str, *, plain: str, secure: str) -> Endpoint:
    """``scheme://host:port`` -> Endpoint. ``plain`` and ``secure`` are the two schemes that are meant.
    Raises ConfigError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"peer {name}: {url!r} is not an address ({error})") from None
    if parts.scheme not in (plain, secure) or not host or port is None:
        raise ConfigError(f"peer {name}: {url!r} must be {plain}://HOST:PORT or {secure}://HOST:PORT")
    return Endpoint(host, port, parts.scheme == secure)


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
    """Events in both directions over one connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        write_limit: int,
        send_timeout_s: float,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._write_limit, self._send_timeout_s = write_limit, send_timeout_s
        self._splitter = CotSplitter()
        # So drain() returns only when the socket has taken everything. asyncio's TLS pauses at the high
        # mark itself, so that with a mark of 0 it would stay paused with nothing left to send.
        writer.transport.set_write_buffer_limits(high=1, low=0)

    @property
    def backlog(self) -> int:
        """Bytes that the counterpart has not taken yet."""
        return self._writer.transport.get_write_buffer_size()

    async def receive(self, timeout_s: float) -> list[CotEvent | CotError]:
        """What the next read brings. Raises ConnectionError at the end or after ``timeout_s`` of silence."""
        try:
            async with asyncio.timeout(timeout_s):
                data = await self._reader.read(READ_BYTES)
        except TimeoutError:
            raise ConnectionError(f"nothing heard for {timeout_s:g} s") from None
        except OSError as error:
            raise ConnectionError(f"the connection broke: {error}") from error
        if not data:
            raise ConnectionError("the other side closed the connection")
        return self._splitter.feed(data)

    async def send(self, events: Iterable[CotEvent]) -> None:
        """Return when the socket has taken all of it; over TLS up to 64 kB may still wait behind the
        cipher. Raises ConnectionError and drops the connection if the counterpart does not take it."""
        try:
            data = b"".join(write_event(event) for event in events)
        except CotError as error:
            raise ConnectionError(f"not sent: {error}") from error
        if self._writer.transport.is_closing():
            raise ConnectionError("the connection is closed")
        if self.backlog + len(data) > self._write_limit:
            self.abort()
            raise ConnectionError(
                f"the other side does not keep up: more than {self._write_limit} bytes wait"
            )
        try:
            self._writer.write(data)
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
