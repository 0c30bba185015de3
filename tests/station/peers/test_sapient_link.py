"""SAPIENT frames over real sockets: cut anywhere, too long, never ended, never taken."""

import asyncio
import contextlib
import socket
import struct

import pytest

from vedette.station.peers._sapient_link import SapientLink
from vedette.wire.sapient import MAX_MESSAGE_BYTES, SapientMessage, read_message, write_frame, write_message

NODE = "a8654cdf-4328-47de-81fa-c495589e30c8"


def message(text="A"):
    return SapientMessage(node_id=NODE, additional_information=text)


async def pair(**limits):
    """A link, and the reader and writer of the counterpart."""
    arrived = asyncio.get_running_loop().create_future()

    async def accept(reader, writer):
        arrived.set_result((reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    reader, writer = await asyncio.open_connection(host, port)
    chosen = {"write_limit": 1 << 20, "send_timeout_s": 5.0, **limits}
    link = SapientLink(*(await arrived), **chosen)
    return server, link, reader, writer


def linked(test, **limits):
    """Run ``test(link, reader, writer)`` and close everything."""

    async def run():
        server, link, reader, writer = await pair(**limits)
        try:
            await test(link, reader, writer)
        finally:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            await link.close()
            server.close()
            await server.wait_closed()

    asyncio.run(run())


def test_frames_come_out_unread_and_in_order():
    async def test(link, reader, writer):
        writer.write(
            write_frame(message("A")) + struct.pack("<I", 3) + b"\xff\xff\xff" + struct.pack("<I", 0)
        )
        frames = await link.receive(5.0)
        while len(frames) < 3:
            frames += await link.receive(5.0)
        assert frames == [write_message(message("A")), b"\xff\xff\xff", b""]

    linked(test)


def test_a_frame_that_comes_byte_by_byte_is_whole():
    async def test(link, reader, writer):
        async def drip():
            for byte in write_frame(message("slow")):
                writer.write(bytes([byte]))
                await asyncio.sleep(0)

        dripping = asyncio.create_task(drip())
        (frame,) = await link.receive(5.0)
        await dripping
        assert read_message(frame).additional_information == "slow"
        assert link.pending_bytes == 0

    linked(test)


def test_what_is_sent_is_framed():
    async def test(link, reader, writer):
        await link.send(message("x" * 70_000))
        (length,) = struct.unpack("<I", await reader.readexactly(4))
        assert read_message(await reader.readexactly(length)).additional_information == "x" * 70_000
        assert link.backlog == 0

    linked(test)


def test_the_end_is_told_and_the_lost_bytes_counted():
    async def test(link, reader, writer):
        writer.write(write_frame(message("last")) + write_frame(message("cut"))[:9])
        writer.write_eof()
        assert [read_message(frame).additional_information for frame in await link.receive(5.0)] == ["last"]
        with pytest.raises(ConnectionError, match=r"closed the connection in the middle .* \(9 bytes lost\)"):
            await link.receive(5.0)
        assert link.pending_bytes == 9

    linked(test)


def test_an_end_between_two_frames_loses_nothing():
    async def test(link, reader, writer):
        writer.write_eof()
        with pytest.raises(ConnectionError, match=r"^the other side closed the connection$"):
            await link.receive(5.0)

    linked(test)


def test_silence_has_a_limit():
    async def test(link, reader, writer):
        with pytest.raises(ConnectionError, match=r"nothing heard for 0\.05 s"):
            await link.receive(0.05)

    linked(test)


def test_a_length_beyond_the_limit_ends_it_after_what_came_before():
    async def test(link, reader, writer):
        writer.write(write_frame(message("good")) + struct.pack("<I", MAX_MESSAGE_BYTES + 1) + b"x" * 100)
        frames = await link.receive(5.0)
        assert [read_message(frame).additional_information for frame in frames] == ["good"]
        with pytest.raises(ConnectionError, match=f"{MAX_MESSAGE_BYTES + 1} bytes is announced"):
            await link.receive(5.0)
        with pytest.raises(ConnectionError, match="announced"):
            await link.receive(5.0)

    linked(test)


def test_an_announced_length_costs_no_memory():
    async def test(link, reader, writer):
        writer.write(struct.pack("<I", 0xFFFF_FFFF) + b"x" * 10_000)
        with pytest.raises(ConnectionError, match="4294967295 bytes is announced"):
            await link.receive(5.0)
        assert link.pending_bytes == 0

    linked(test)


def test_a_frame_that_is_begun_has_to_end():
    """Bytes go on coming, so that it is no silence; the frame is never whole."""

    async def test(link, reader, writer):
        async def drip():
            writer.write(struct.pack("<I", 1000))
            while True:
                writer.write(b"x")
                await asyncio.sleep(0.005)

        dripping = asyncio.create_task(drip())
        with pytest.raises(ConnectionError, match=r"begun and not ended within 0\.1 s"):
            await link.receive(60.0)
        dripping.cancel()

    linked(test, frame_s=0.1)


def test_a_steady_sender_may_begin_frame_after_frame():
    """Each frame has its own time: many that are cut across reads are not one that never ends."""

    async def test(link, reader, writer):
        async def send():
            left = b""
            for number in range(60):
                data = left + write_frame(message(str(number)))
                writer.write(data[:-5])
                left = data[-5:]
                await asyncio.sleep(0.005)
            writer.write(left)

        sending = asyncio.create_task(send())
        seen = []
        while len(seen) < 60:
            seen += [read_message(frame).additional_information for frame in await link.receive(60.0)]
        await sending
        assert seen == [str(number) for number in range(60)]

    linked(test, frame_s=0.15)


def test_a_counterpart_that_takes_nothing_is_dropped():
    async def test(link, reader, writer):
        writer.transport.pause_reading()

        async def flood():
            while True:
                await link.send(message("x" * 100_000))

        with pytest.raises(ConnectionError, match=r"took nothing for 0\.1 s"):
            await flood()
        with pytest.raises(ConnectionError, match="closed"):
            await link.send(message())

    linked(test, send_timeout_s=0.1)


def test_what_piles_up_is_bounded():
    """Two that send at once: the second does not wait behind more than the limit."""

    async def test(link, reader, writer):
        writer.transport.pause_reading()
        big = message("x" * 1_000_000)

        async def flood():
            for _ in range(100):
                await link.send(big)

        floods = await asyncio.gather(flood(), flood(), flood(), return_exceptions=True)
        assert any("does not keep up: more than 1500000 bytes wait" in str(error) for error in floods)
        assert all(isinstance(error, ConnectionError) for error in floods)

    linked(test, write_limit=1_500_000)


def test_a_message_that_is_too_large_is_refused_and_the_connection_stays():
    async def test(link, reader, writer):
        with pytest.raises(ConnectionError, match="not sent"):
            await link.send(message("x" * 2000))
        await link.send(message("ok"))
        (length,) = struct.unpack("<I", await reader.readexactly(4))
        assert read_message(await reader.readexactly(length)).additional_information == "ok"

    linked(test, max_bytes=1000)


def test_finish_lets_the_last_word_through():
    """Unread bytes of the counterpart make a plain close a reset, which destroys what it had not read."""

    async def test(link, reader, writer):
        writer.write(b"\x00" * 200_000)
        await writer.drain()
        await link.send(message("goodbye"))
        finishing = asyncio.create_task(link.finish(5.0))
        (length,) = struct.unpack("<I", await reader.readexactly(4))
        assert read_message(await reader.readexactly(length)).additional_information == "goodbye"
        assert await reader.read() == b""
        writer.close()
        await finishing

    linked(test)


def test_finish_does_not_wait_for_ever():
    async def test(link, reader, writer):
        await asyncio.wait_for(link.finish(0.05), 10.0)
        with pytest.raises(ConnectionError):
            await link.send(message())

    linked(test)


def test_a_dead_connection_is_looked_for():
    async def test(link, reader, writer):
        connection = link._writer.get_extra_info("socket")
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 20
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 50_000

    linked(test)
