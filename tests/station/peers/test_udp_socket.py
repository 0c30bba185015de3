"""A UDP inlet hears its own address or group, nothing wider, and counts what it and the kernel drop."""

import asyncio
import contextlib
import errno
import socket
import struct
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvloop
from station_feed_hub import until

from vedette.station.peers._udp_socket import UdpInlet, interface_index, is_group, open_udp

GROUP, OTHER_GROUP, LOOPBACK = "239.255.71.9", "239.255.71.10", "127.0.0.1"
LOOPS: tuple[Callable[[], asyncio.AbstractEventLoop], ...] = (
    asyncio.new_event_loop,
    uvloop.new_event_loop,
)


class Box:
    """What an inlet handed over."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.shed = 0
        self.dropped = 0

    def take(self, datagrams: list[bytes]) -> None:
        self.taken += datagrams

    def lose(self, count: int) -> None:
        self.shed += count

    def drop(self, count: int) -> None:
        self.dropped += count

    async def open(
        self,
        host: str = LOOPBACK,
        port: int = 0,
        *,
        group: bool = False,
        iface: str | None = None,
        most_per_s: int = 1000,
    ) -> UdpInlet:
        return await open_udp(
            host,
            port,
            group=group,
            iface=iface,
            take=self.take,
            shed=self.lose,
            most_per_s=most_per_s,
            overflowed=self.drop,
        )


@contextlib.contextmanager
def sender(family: int = socket.AF_INET) -> Iterator[socket.socket]:
    with socket.socket(family, socket.SOCK_DGRAM) as made:
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOOPBACK))
        yield made


def run(
    work: Callable[[], Coroutine[Any, Any, None]],
    loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(work())


@pytest.fixture(scope="module")
def multicast() -> None:
    """Skips where the loopback interface carries no multicast."""
    heard = False
    with (
        contextlib.suppress(OSError),
        sender() as out,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener,
    ):
        listener.bind((GROUP, 0))
        membership = socket.inet_aton(GROUP) + socket.inet_aton(LOOPBACK)
        listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        listener.settimeout(2.0)
        out.sendto(b"probe", listener.getsockname())
        heard = listener.recv(64) == b"probe"
    if not heard:
        pytest.skip("the loopback interface of this machine carries no multicast")


@pytest.mark.parametrize("loop", LOOPS)
def test_datagrams_come_whole_and_in_order(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def work() -> None:
        box = Box()
        inlet = await box.open()
        sent = [b"", b"a", bytes(range(256)), b"z" * 65_507]
        with sender() as out:
            for datagram in sent:
                out.sendto(datagram, (LOOPBACK, inlet.port))
        await until(lambda: len(box.taken) == len(sent), "all came")
        inlet.close()
        assert (box.taken, box.shed, box.dropped) == (sent, 0, 0)

    run(work, loop)


def test_a_port_belongs_to_one() -> None:
    async def work() -> None:
        inlet = await Box().open()
        with pytest.raises(OSError) as refused:
            await Box().open(port=inlet.port)
        assert refused.value.errno == errno.EADDRINUSE
        inlet.close()
        again = await Box().open(port=inlet.port)
        again.close()

    run(work)


def test_another_address_of_this_machine_is_not_heard() -> None:
    async def work() -> None:
        box = Box()
        inlet = await box.open()
        with sender() as out:
            out.sendto(b"to another", ("127.0.0.2", inlet.port))
            out.sendto(b"to me", (LOOPBACK, inlet.port))
        await until(lambda: bool(box.taken), "mine came")
        inlet.close()
        assert box.taken == [b"to me"]

    run(work)


@pytest.mark.parametrize("loop", LOOPS)
def test_every_datagram_of_a_flood_is_taken_or_counted(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """What the kernel had no room for shows with the next datagram that it had room for."""

    async def work() -> None:
        box, count = Box(), 30_000
        inlet = await box.open()
        with sender() as out:
            for number in range(count):
                out.sendto(number.to_bytes(4) + bytes(96), (LOOPBACK, inlet.port))
            await until(lambda: box.shed > 0, "the flood was read")
            await asyncio.sleep(0.2)
            out.sendto(b"last", (LOOPBACK, inlet.port))
            await until(lambda: bool(box.taken) and box.taken[-1] == b"last", "the last one came")
        inlet.close()
        assert box.dropped > 0
        assert len(box.taken) + box.shed + box.dropped == count + 1
        numbers = [int.from_bytes(datagram[:4]) for datagram in box.taken[:-1]]
        assert numbers == sorted(numbers)

    run(work, loop)


def test_without_a_listener_of_its_own_the_kernels_count_is_shed() -> None:
    async def work() -> None:
        box = Box()
        inlet = await open_udp(
            LOOPBACK, 0, group=False, iface=None, take=box.take, shed=box.lose, most_per_s=1000
        )
        count = 30_000
        with sender() as out:
            for _ in range(count):
                out.sendto(bytes(100), (LOOPBACK, inlet.port))
            await until(lambda: box.shed > 0, "the flood was read")
            await asyncio.sleep(0.2)
            out.sendto(b"last", (LOOPBACK, inlet.port))
            await until(lambda: len(box.taken) + box.shed == count + 1, "all are accounted for")
        inlet.close()

    run(work)


def test_nothing_is_heard_after_the_close() -> None:
    async def work() -> None:
        box, other = Box(), Box()
        inlet = await box.open()
        inlet.close()
        inlet.close()
        again = await other.open(port=inlet.port)
        with sender() as out:
            out.sendto(b"late", (LOOPBACK, inlet.port))
        await until(lambda: other.taken == [b"late"], "the next owner hears it")
        again.close()
        assert box.taken == []

    run(work)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_socket_that_fails_says_so_once(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """A peer that answers "port unreachable" is the failure that can be had without taking an interface
    away."""

    async def work() -> None:
        box = Box()
        inlet = await box.open()
        with sender() as gone:
            gone.bind((LOOPBACK, 0))
            closed = gone.getsockname()
        inlet._socket.connect(closed)
        inlet._socket.send(b"x")
        with pytest.raises(ConnectionRefusedError):
            await inlet.broken()
        inlet.close()

    run(work, loop)


@pytest.mark.usefixtures("multicast")
@pytest.mark.parametrize("iface", [LOOPBACK, "lo"])
@pytest.mark.parametrize("loop", LOOPS)
def test_a_group_is_heard_by_all_that_joined(
    loop: Callable[[], asyncio.AbstractEventLoop], iface: str
) -> None:
    async def work() -> None:
        one, two = Box(), Box()
        first = await one.open(GROUP, group=True, iface=iface)
        second = await two.open(GROUP, first.port, group=True, iface=iface)
        with sender() as out:
            out.sendto(b"to all", (GROUP, first.port))
        await until(lambda: one.taken == two.taken == [b"to all"], "both heard it")
        first.close()
        second.close()

    run(work, loop)


@pytest.mark.usefixtures("multicast")
def test_a_group_hears_neither_another_group_nor_this_machines_address() -> None:
    async def work() -> None:
        one, other = Box(), Box()
        inlet = await one.open(GROUP, group=True, iface=LOOPBACK)
        elsewhere = await other.open(OTHER_GROUP, inlet.port, group=True, iface=LOOPBACK)
        with sender() as out:
            out.sendto(b"to the other", (OTHER_GROUP, inlet.port))
            out.sendto(b"to the machine", (LOOPBACK, inlet.port))
            out.sendto(b"to the group", (GROUP, inlet.port))
        await until(lambda: bool(one.taken) and bool(other.taken), "each heard its own")
        inlet.close()
        elsewhere.close()
        assert (one.taken, other.taken) == ([b"to the group"], [b"to the other"])

    run(work)


@pytest.mark.usefixtures("multicast")
def test_what_others_joined_by_other_interfaces_stays_out() -> None:
    async def work() -> None:
        inlet = await Box().open(GROUP, group=True, iface=LOOPBACK)
        assert inlet._socket.getsockopt(socket.IPPROTO_IP, 49) == 0
        inlet.close()

    run(work)


@pytest.mark.parametrize(
    ("host", "iface", "said"),
    [
        (GROUP, "192.0.2.77", "cannot join the group by interface 192.0.2.77"),
        (GROUP, "no-such-if", "no interface has the name or the address no-such-if"),
        ("ff02::7109", "no-such-if", "no interface has the name or the address no-such-if"),
    ],
)
def test_an_interface_that_is_not_there_is_named(host: str, iface: str, said: str) -> None:
    async def work() -> None:
        with pytest.raises(OSError) as refused:
            await Box().open(host, group=True, iface=iface)
        assert refused.value.strerror is not None
        assert said in refused.value.strerror

    run(work)


def test_an_address_of_another_machine_is_refused() -> None:
    async def work() -> None:
        with pytest.raises(OSError) as refused:
            await Box().open("192.0.2.77")
        assert refused.value.errno == errno.EADDRNOTAVAIL

    run(work)


def test_ipv6_loopback_hears_its_own_family_alone() -> None:
    if not socket.has_ipv6:
        pytest.skip("this Python has no IPv6")

    async def work() -> None:
        box = Box()
        try:
            inlet = await box.open("::1")
        except OSError as error:
            pytest.skip(f"this machine has no IPv6 loopback: {error}")
        with sender(socket.AF_INET6) as out:
            out.sendto(b"six", ("::1", inlet.port))
        await until(lambda: box.taken == [b"six"], "it came")
        inlet.close()

    run(work)


def test_an_ipv6_group_is_heard_by_the_interface_that_it_was_joined_by() -> None:
    async def work() -> None:
        box = Box()
        try:
            index = interface_index("::1", socket.AF_INET6)
            inlet = await box.open("ff02::7109", group=True, iface="::1")
        except OSError as error:
            pytest.skip(f"this machine's loopback joins no IPv6 group: {error}")
        try:
            with sender(socket.AF_INET6) as out:
                out.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, struct.pack("@I", index))
                out.sendto(b"six", ("ff02::7109", inlet.port, 0, index))
            await until(lambda: box.taken == [b"six"], "it came")
        except OSError as error:
            pytest.skip(f"this machine's loopback carries no IPv6 multicast: {error}")
        finally:
            inlet.close()

    run(work)


def test_an_interface_is_found_by_name_and_by_ipv6_address() -> None:
    index = socket.if_nametoindex("lo")
    assert interface_index("lo", socket.AF_INET) == index
    with contextlib.suppress(OSError):  # without IPv6 there is no such address
        assert interface_index("::1", socket.AF_INET6) == index


@pytest.mark.parametrize(
    ("host", "group"),
    [
        ("239.2.3.1", True),
        ("224.0.0.1", True),
        ("ff02::1", True),
        ("ff02::1%lo", True),
        ("127.0.0.1", False),
        ("::1", False),
        ("255.255.255.255", False),
        ("radar.example.org", False),
        ("", False),
    ],
)
def test_groups_are_told_by_their_address(host: str, group: bool) -> None:
    assert is_group(host) is group
