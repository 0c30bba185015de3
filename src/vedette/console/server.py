"""Serving the console inside the station's own event loop: on this machine, or by TLS to others."""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from typing import NamedTuple

import uvicorn
from litestar import Litestar

from vedette.model.errors import ConfigError

MAX_FRAME_BYTES = 1024
"""Longest WebSocket message that is read: clients have nothing to say on the live socket."""

LOOPBACK = ("127.0.0.1", "::1")

STOP_S = 2
"""How long open connections may take to end when the console stops."""


class TlsFiles(NamedTuple):
    """The server's certificate and key (PEM)."""

    certificate: str
    key: str


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the station decides when it stops."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Server:
    """A running console. ``port`` is the real one, also when 0 was asked for."""

    def __init__(
        self,
        server: uvicorn.Server,
        task: "asyncio.Task[None]",
        host: str,
        port: int,
        *,
        secure: bool = False,
        shown: str | None = None,
    ) -> None:
        self._server = server
        self._task = task
        self._secure, self._shown = secure, shown
        self.host = host
        self.port = port

    @property
    def url(self) -> str:
        """The page's address."""
        name = self._shown or (f"[{self.host}]" if ":" in self.host else self.host)
        return f"{'https' if self._secure else 'http'}://{name}:{self.port}/"

    async def stop(self) -> None:
        """Close all connections and the port. Raises what the server failed with, if it did."""
        self._server.should_exit = True
        await self._task


async def serve(
    app: Litestar,
    host: str = "127.0.0.1",
    port: int = 8080,
    *,
    tls: TlsFiles | None = None,
    name: str | None = None,
) -> Server:
    """Serve ``app`` in the current loop and return once it listens. ``name`` stands for the host in the
    address that is shown.

    Raises `ConfigError` if ``host`` is not this machine's loopback and there is no TLS, or the port cannot be
    had.
    """
    address = _address(host, tls)
    listener = _listen(address, port)
    try:
        config = _config(app, tls)
        config.load()
    except (OSError, ssl.SSLError) as error:
        listener.close()
        raise ConfigError(f"console: its certificate and key cannot be used: {error}") from None
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="console")
    while not server.started:
        if task.done():
            await task
            raise ConfigError("the console ended before it listened; see the log above")
        await asyncio.sleep(0.01)
    taken = listener.getsockname()[1]
    return Server(server, task, address, taken, secure=tls is not None, shown=name)


def _config(app: Litestar, tls: TlsFiles | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        ws="websockets-sansio",
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_S,
        ssl_certfile=None if tls is None else tls.certificate,
        ssl_keyfile=None if tls is None else tls.key,
    )


def _address(host: str, tls: TlsFiles | None) -> str:
    """``host`` as an address. A name other than localhost is refused without asking DNS."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        raise ConfigError(
            f"console host {host!r}: no address; the console listens on an address of this machine"
        ) from None
    if tls is None and str(address) not in LOOPBACK:
        raise ConfigError(
            f"console host {host!r}: without TLS the console listens on this machine only;"
            " give it cert_file and key_file (vedette authority server), or use 127.0.0.1"
        )
    return str(address)


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # Named, so that asyncio sends at once (TCP_NODELAY): else a short answer waits 40 ms for a late ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise ConfigError(
            f"console port {port}: cannot listen on {address}: {error}; choose another port"
        ) from error
    listener.setblocking(False)
    return listener
