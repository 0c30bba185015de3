"""What all TCP connections need."""

import asyncio
import contextlib
import socket

_KEEPALIVE = (
    ("TCP_KEEPIDLE", 20),
    ("TCP_KEEPINTVL", 10),
    ("TCP_KEEPCNT", 3),
    ("TCP_USER_TIMEOUT", 50_000),
)
"""The last one in milliseconds, for what was sent and is not answered: the kernel would wait 15 minutes."""


def keep_alive(writer: asyncio.StreamWriter) -> None:
    """The kernel asks a quiet counterpart whether it is there: one that lost its power never says so."""
    connection: socket.socket | None = writer.get_extra_info("socket")
    if connection is None:
        return
    with contextlib.suppress(OSError):  # A socket that is dead already is found out at the next read.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE:
            if (option := getattr(socket, name, None)) is not None:
                connection.setsockopt(socket.IPPROTO_TCP, option, value)
