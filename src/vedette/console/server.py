"""Serving the console inside the station's own event loop, on this machine only."""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Iterator

import uvicorn
from litestar import Litestar

from vedette.model.errors import ConfigError

MAX_FRAME_BYTES = 1024
"""Longest WebSocket message that is read: clients have nothing to say on the live socket."""

LOOPBACK = ("127.0.0.1", "::1")

STOP_S = 2
"""How long open connections may take to end when the console stops."""


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the station decides when it stops."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Server:
    """A running console. ``port`` is the real one, also when 0 was asked for."""

    def __init__(self, server: uvicorn.Server, task: "asyncio.Task[None]", host: str, port: int) -> None:
        self._server = server
        self._task = task
        self.host = host
        self.port = port

    @property
    def url(self) -> str:
        """The page's address."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{name}:{self.port}/"

    async def stop(self) -> None:
        """Close all connections and the port. Raises what the server failed with, if it did."""
        self._server.should_exit = True
        await self._task


async def serve(app: Litestar, host: str = "127.0.0.1", port: int = 8080) -> Server:
    """Serve ``app`` in the current loop and return once it listens.

    Raises `ConfigError` if ``host`` is not this machine's loopback, or the port cannot be had.
    """
    address = _loopback(host)
    listener = _listen(address, port)
    server = _Server(_config(app))
    task = asyncio.create_task(server.serve(sockets=[listener]), name="console")
    while not server.started:
        if task.done():
            await task
            raise ConfigError("the console ended before it listened; see the log above")
        await asyncio.sleep(0.01)
    return Server(server, task, address, listener.getsockname()[1])


def _config(app: Litestar) -> uvicorn.Config:
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
    )


def _loopback(host: str) -> str:
    """``host`` as a loopback address. A name other than localhost is refused without asking DNS."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        address = None
    if address is None or str(address) not in LOOPBACK:
        raise ConfigError(
            f"console host {host!r}: the console has no logins yet and listens on this machine only; "
            "use 127.0.0.1 and reach it from elsewhere through an SSH tunnel"
        )
    return str(address)


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
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
