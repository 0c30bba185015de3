"""The live socket: on connect, on change, a heartbeat, and never a queue."""

import asyncio
import base64
import os
import socket

import msgspec
import websockets

from vedette.console.live import HEARTBEAT_S, PERIOD_S, Picture, essence
from vedette.station.view import View


def _address(server):
    return f"ws://127.0.0.1:{server.port}/api/v1/live"


async def _next(client):
    return msgspec.json.decode(await client.recv(), type=View)


def test_the_view_comes_on_connect_and_on_change(stage, with_console):
    async def scenario(desk, server):
        async with websockets.connect(_address(server)) as client:
            assert await _next(client) == desk.now
            desk.now = stage.picture(stage.AT + 1, summary="Changed.")
            seen = await _next(client)
            while seen.summary != "Changed.":
                seen = await _next(client)

    with_console(scenario)


def test_a_quiet_sky_still_beats(stage, with_console):
    """Only time passes: messages come, but they are heartbeats, not changes."""

    async def scenario(desk, server):
        desk.views = 0
        async with websockets.connect(_address(server)) as client:
            times = []
            for step in range(4):
                times.append((await _next(client)).at)
                desk.now = stage.picture(stage.AT + step + 1)
        assert times == sorted(times)
        assert len(set(times)) >= 3

    with_console(scenario)


def test_the_version_changes_with_the_content_and_not_with_time(stage, desk):
    now = [0.0]
    shown = Picture(desk, clock=lambda: now[0])
    first, _ = shown.latest()
    now[0] += PERIOD_S
    desk.now = stage.picture(stage.AT + 5)
    second, frame = shown.latest()
    assert second == first
    assert msgspec.json.decode(frame, type=View).at == stage.AT + 5
    now[0] += PERIOD_S
    desk.now = stage.picture(stage.AT + 6, tracks=())
    assert shown.latest()[0] == first + 1


def test_the_station_is_asked_once_a_period_for_all_clients(stage, desk):
    now = [0.0]
    shown = Picture(desk, clock=lambda: now[0])
    frames = {shown.latest()[1]}
    desk.now = stage.picture(stage.AT + 5, summary="Later.")
    now[0] += PERIOD_S / 2
    frames.add(shown.latest()[1])
    assert len(frames) == 1


def test_an_age_is_time_and_a_place_is_content(stage):
    track = stage.TRACK
    older = msgspec.structs.replace(track, age_s=3.0)
    moved = msgspec.structs.replace(track, lat_deg=track.lat_deg + 1e-4)
    base = essence(stage.picture(tracks=(track,)))
    assert essence(stage.picture(stage.AT + 3, tracks=(older,))) == base
    assert essence(stage.picture(tracks=(moved,))) != base


def test_periods_keep_the_promise():
    assert 1 / PERIOD_S <= 5
    assert HEARTBEAT_S <= 1


async def _deaf_client(port):
    """A WebSocket client that opens and then does not read (RFC 6455, 4.1)."""
    loop = asyncio.get_running_loop()
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    await loop.sock_connect(raw, ("127.0.0.1", port))
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await loop.sock_sendall(raw, request.encode())
    return raw


def test_a_slow_client_gets_the_newest_view_and_no_queue(stage, with_console):
    """While it does not read, the station moves on by far more views than the socket can hold."""
    padding = "x" * 4_000_000

    async def scenario(desk, server):
        desk.now = stage.picture(stage.AT, summary=padding)
        raw = await _deaf_client(server.port)
        try:
            async with websockets.connect(_address(server), max_size=None) as keen:
                seen = 0
                while seen < 8:
                    before = (await _next(keen)).at
                    desk.now = stage.picture(stage.AT + seen + 1, summary=f"{seen}{padding}")
                    seen += before > stage.AT - 1
            ats = await asyncio.wait_for(_drain(raw, newest=desk.now.at), 20)
        finally:
            raw.close()
        assert ats[-1] == desk.now.at
        assert len(ats) <= 3

    with_console(scenario)


async def _drain(raw, newest):
    """Station times of the views that the deaf client finds once it reads, up to the newest."""
    reader, writer = await asyncio.open_connection(sock=raw, limit=1 << 26)
    try:
        await reader.readuntil(b"\r\n\r\n")
        ats = []
        while not ats or ats[-1] != newest:
            ats.append(msgspec.json.decode(await _frame(reader), type=View).at)
        return ats
    finally:
        writer.close()


async def _frame(reader):
    """One unmasked server frame's payload (RFC 6455, 5.2); pings are passed over."""
    while True:
        first, length = await reader.readexactly(2)
        if length == 126:
            length = int.from_bytes(await reader.readexactly(2), "big")
        elif length == 127:
            length = int.from_bytes(await reader.readexactly(8), "big")
        payload = await reader.readexactly(length)
        if first & 0x0F == 1:
            return payload


def test_what_a_client_says_means_nothing(with_console):
    async def scenario(desk, server):
        async with websockets.connect(_address(server)) as client:
            await client.send('{"actor": "mallory", "action": "acknowledge"}')
            assert await _next(client) == desk.now
        assert desk.actions == []

    with_console(scenario)


def test_stop_ends_open_sockets(stage, desk):
    async def main():
        async with stage.running(desk) as server:
            client = await websockets.connect(_address(server))
            await client.recv()
        await client.wait_closed()
        return client.close_code

    assert asyncio.run(main()) in (1001, 1012)


def test_a_failing_station_closes_the_socket_instead_of_freezing(stage, desk):
    async def main():
        def fail():
            raise RuntimeError("the picture is gone")

        async with stage.running(desk) as server, websockets.connect(_address(server)) as client:
            await client.recv()
            desk.view = fail
            while True:
                try:
                    await client.recv()
                except websockets.ConnectionClosed as closed:
                    return closed.rcvd.code if closed.rcvd else 1006

    assert asyncio.run(asyncio.wait_for(main(), 20)) != 1000
