"""A bound UDP socket that hears what it was asked to hear and nothing wider, and is emptied in few turns.

Unicast: one address, which nobody else on this machine may share. Multicast: one group, joined by one
interface. The socket is bound to the group's own address and the kernel is told to leave out what other
programs have joined (``IP_MULTICAST_ALL``, ip(7); ``IPV6_MULTICAST_ALL`` likewise), so that neither a
datagram to this machine's address nor one of the group by another interface comes in.

What is read goes through a `Freshest`. What the kernel had no room for never reaches it: the kernel counts
those (``SO_RXQ_OVFL``, socket(7)) and its count is told apart. With a full buffer the kernel drops the
newest, so the buffer is asked to be large and is emptied before anything is decoded.
"""

import asyncio
import contextlib
import errno
import os
import socket
import struct
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

from vedette.station.peers._freshest import MOST_BYTES, Freshest

RECEIVE_BYTES = 4 << 20
"""Asked of the kernel, which gives what ``net.core.rmem_max`` allows."""
AT_ONCE = 256
"""Datagrams read in one turn of the loop."""
LARGEST_DATAGRAM = 65_535

_SO_RXQ_OVFL, _IP_MULTICAST_ALL, _IPV6_MULTICAST_ALL = 40, 49, 29
"""Numbers of Linux that the `socket` module does not name."""
_COUNTER = struct.Struct("=I")
_ADDRESSES_V6 = Path("/proc/net/if_inet6")

Took = Callable[[list[bytes]], None]
Lost = Callable[[int], None]


class UdpInlet:
    """An open socket. ``port`` is the real one, also where 0 was asked for."""

    def __init__(self, bound: socket.socket, freshest: Freshest, overflowed: Lost) -> None:
        self.port: int = bound.getsockname()[1]
        self._loop = asyncio.get_running_loop()
        self._socket = bound
        self._freshest = freshest
        self._overflowed = overflowed
        self._buffer = bytearray(LARGEST_DATAGRAM)
        self._view = memoryview(self._buffer)
        self._dropped = 0
        self._broken: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(bound.fileno(), self._drain)

    async def broken(self) -> None:
        """Return only by OSError: when the socket has failed (an interface that went away)."""
        await asyncio.shield(self._broken)

    def close(self) -> None:
        """Hear nothing any more; what waits is dropped."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
        self._freshest.close()
        self._broken.cancel()

    def _drain(self) -> None:
        for _ in range(AT_ONCE):
            try:
                length, ancillary, _, _ = self._socket.recvmsg_into([self._buffer], socket.CMSG_SPACE(4))
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._break(error)
                return
            for level, kind, data in ancillary:
                if level == socket.SOL_SOCKET and kind == _SO_RXQ_OVFL:
                    self._note_dropped(*_COUNTER.unpack(data))
            self._freshest.put(bytes(self._view[:length]))

    def _note_dropped(self, total: int) -> None:
        """The kernel says how many it has dropped since the socket was made, modulo 2^32."""
        new = (total - self._dropped) % (1 << 32)
        if new:
            self._dropped = total
            self._overflowed(new)

    def _break(self, error: OSError) -> None:
        """Read no further: a socket that fails would be reported readable for ever."""
        self._loop.remove_reader(self._socket.fileno())
        if not self._broken.done():
            self._broken.set_exception(error)
            self._broken.exception()  # it is told by `broken`, whether somebody waits there or not


async def open_udp(
    host: str,
    port: int,
    *,
    group: bool,
    iface: str | None,
    take: Took,
    shed: Lost,
    most_per_s: int,
    overflowed: Lost | None = None,
    most_bytes: int = MOST_BYTES,
) -> UdpInlet:
    """Listen on ``host``:``port``; with ``group`` that is a multicast address, see `is_group`.

    ``iface``: the address or the name of the interface by which a group is joined; None = where this
    machine's routes lead. ``take`` and ``shed`` are those of `Freshest`, as are ``most_per_s``
    (datagrams) and ``most_bytes``; ``overflowed`` is told what the kernel dropped (None: ``shed`` is).
    Raises OSError, whose ``strerror`` says why.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    family, _, _, _, where = found[0]
    made = socket.socket(family, socket.SOCK_DGRAM)
    try:
        _prepare(made)
        if group:
            _bind_group(made, host, port, iface)
        else:
            made.bind(where)
        return UdpInlet(made, Freshest(most_per_s, take, shed, most_bytes), overflowed or shed)
    except BaseException:
        made.close()
        raise


def is_group(host: str) -> bool:
    """True if it is the address of a multicast group. A name never is: what it means may change."""
    try:
        return ip_address(host.partition("%")[0]).is_multicast
    except ValueError:
        return False


def interface_index(iface: str, family: int) -> int:
    """The index of the interface with that name, or with that IPv6 address. Raises OSError."""
    with contextlib.suppress(OSError):
        return socket.if_nametoindex(iface)
    if family == socket.AF_INET6:
        with contextlib.suppress(ValueError, OSError):
            wanted = ip_address(iface.partition("%")[0]).packed.hex()
            for line in _ADDRESSES_V6.read_text(encoding="ascii").splitlines():
                address, index, *_ = line.split()
                if address == wanted:
                    return int(index, 16)
    raise OSError(errno.ENODEV, f"no interface has the name or the address {iface}")


def _prepare(made: socket.socket) -> None:
    made.setblocking(False)
    if made.family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    with contextlib.suppress(OSError):
        made.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)


def _bind_group(made: socket.socket, host: str, port: int, iface: str | None) -> None:
    """Bind to the group itself and join it. Others on this machine may hear it too."""
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if made.family == socket.AF_INET6:
        _join_v6(made, host, port, iface)
    else:
        _join_v4(made, host, port, iface)


def _join_v4(made: socket.socket, host: str, port: int, iface: str | None) -> None:
    made.bind((host, port))
    made.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
    try:
        address, index = socket.inet_aton(ip_address(iface or "0.0.0.0").compressed), 0
    except (ValueError, OSError):
        address, index = bytes(4), interface_index(iface or "", socket.AF_INET)
    membership = socket.inet_aton(host) + address + struct.pack("@i", index)
    _join(made, socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership, iface)


def _join_v6(made: socket.socket, host: str, port: int, iface: str | None) -> None:
    name, _, zone = host.partition("%")
    chosen = iface or zone
    index = interface_index(chosen, socket.AF_INET6) if chosen else 0
    made.bind((name, port, 0, index))
    with contextlib.suppress(OSError):  # Linux before 4.20 does not know it
        made.setsockopt(socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, 0)
    membership = socket.inet_pton(socket.AF_INET6, name) + struct.pack("@I", index)
    _join(made, socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, membership, chosen)


def _join(made: socket.socket, level: int, option: int, membership: bytes, iface: str | None) -> None:
    try:
        made.setsockopt(level, option, membership)
    except OSError as error:
        by = f"by interface {iface}" if iface else "by the interface that the routes name: say iface=ADDRESS"
        said = os.strerror(error.errno or errno.EINVAL)
        raise OSError(error.errno, f"cannot join the group {by} ({said})") from None
