"""A real dump1090-mutability, fed real reception in its own time, drives all our peers at once."""

import asyncio
import contextlib
import functools
import http.server
import math
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from station_feed_hub import SITE, FeedHub, until

from vedette.geo import LocalFrame
from vedette.model import Position
from vedette.station.config import FeedConfig
from vedette.station.peers.adsb import adsb_peer
from vedette.wire.adsb import TICKS_PER_S, BeastBatcher, BeastFrame, SbsSplitter, encode_beast

pytestmark = [pytest.mark.field, pytest.mark.counterpart]
SECONDS = 14.0
"""So much of the capture holds positions of all eleven aircraft. It is fed as fast as it was received: by
its own clock a receiver refuses what moves too fast."""


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextlib.contextmanager
def dump1090(program: str, folder: Path) -> Iterator[tuple[int, int, int]]:
    """Ports of a receiver without a radio: Beast in, SBS out, Beast out. It writes aircraft.json to
    ``folder`` each second."""
    into, sbs, out = free_ports(3)
    command = [
        program, "--net-only", "--quiet", "--net-bind-address", "127.0.0.1", "--net-ri-port", "0",
        "--net-ro-port", "0", "--net-bo-port", str(out), "--net-bi-port", str(into),
        "--net-sbs-port", str(sbs), "--write-json", str(folder), "--write-json-every", "1",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield into, sbs, out
        finally:
            process.terminate()


@contextlib.contextmanager
def served(folder: Path) -> Iterator[int]:
    """The port of a web server that serves what the receiver writes, as its packages set one up."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    handler = functools.partial(Handler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def feed(capture: bytes, port: int) -> None:
    """The first `SECONDS` of the capture into the receiver, as fast as they were received."""
    batch = BeastBatcher().feed(capture)
    due = (batch.ticks - batch.ticks[0]) / TICKS_PER_S
    loop = asyncio.get_running_loop()
    for _ in range(200):
        with contextlib.suppress(ConnectionRefusedError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            break
        await asyncio.sleep(0.05)
    began = loop.time()
    rows = zip(
        due.tolist(), batch.ticks.tolist(), batch.signal.tolist(), batch.length.tolist(), batch.message,
        strict=True,
    )  # fmt: skip
    for at, ticks, signal, length, message in rows:
        if at > SECONDS:
            break
        if at > loop.time() - began:
            await asyncio.sleep(max(at - loop.time() + began, 0.01))
        writer.write(encode_beast(BeastFrame(ticks, signal, message[:length].tobytes())))
    await writer.drain()
    await asyncio.sleep(3.0)
    writer.transport.abort()


def test_a_real_receiver_drives_every_peer(
    field_data: Path, tmp_path: Path, counterpart: Callable[[str], str]
) -> None:
    adsb = field_data / "protocols/adsb"
    capture = (adsb / "ulss7_60s.beast").read_bytes()
    golden: dict[str, list[tuple[float, float]]] = {}
    for message in SbsSplitter().feed((adsb / "ulss7_60s.sbs.txt").read_bytes()):
        if message.lat_deg is not None and message.lon_deg is not None:
            golden.setdefault(f"{message.address:06x}", []).append((message.lat_deg, message.lon_deg))
    hub = FeedHub(site=msgspec.structs.replace(SITE, lat_deg=59.9, lon_deg=30.3))
    with (
        dump1090(counterpart("dump1090-mutability"), tmp_path) as (into, sbs, out),
        served(tmp_path) as web,
    ):
        urls = {
            "sbs": f"sbs+tcp://127.0.0.1:{sbs}",
            "beast": f"beast+tcp://127.0.0.1:{out}",
            "file": f"aircraft:{tmp_path}?period_s=0.5",
            "web": f"aircraft+http://127.0.0.1:{web}/aircraft.json?period_s=0.5",
        }
        asyncio.run(all_at_once(urls, hub, capture, into, set(golden)))
    assert len(golden) == 11
    for name in urls:
        found = hub.taken[name]
        assert {d.claim.id for d in found if d.claim} == golden.keys(), name
        assert max(distance_m(golden[d.claim.id], d.measure) for d in found if d.claim) < 30.0, name
        assert "watching" in hub.states(name), name
        assert hub.live[name] >= 5, name
        assert not hub.troubles, name
        assert all(d.received is not None and 0.0 <= d.received - d.time < 8.0 for d in found), name
    assert {reason for _, reason in hub.counts} <= {"position-mismatched", "position-jumped"}


async def all_at_once(
    urls: dict[str, str], hub: FeedHub, capture: bytes, into: int, expected: set[str]
) -> None:
    for _ in range(200):
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", into)):
            break
        await asyncio.sleep(0.05)
    peers = [adsb_peer(FeedConfig(name=name, url=url)) for name, url in urls.items()]
    tasks = [asyncio.create_task(peer.run(hub)) for peer in peers]
    try:
        for name in ("sbs", "beast"):
            await until(lambda name=name: "connected to" in (hub.reason(name) or ""), f"{name} is connected")
        await feed(capture, into)

        def heard(name: str) -> set[str]:
            return {d.claim.id for d in hub.taken.get(name, ()) if d.claim}

        await until(lambda: all(heard(name) == expected for name in urls), "every aircraft by every way")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def distance_m(places: list[tuple[float, float]], measure: object) -> float:
    assert isinstance(measure, Position)
    here = LocalFrame(measure.lat_deg, measure.lon_deg, 0.0)
    return min(math.hypot(*here.to_enu(lat, lon, 0.0)[:2]) for lat, lon in places)
