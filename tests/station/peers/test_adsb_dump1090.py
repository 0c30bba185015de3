"""A real dump1090-mutability, fed real reception in its own time, drives all our peers at once."""

import asyncio
import contextlib
import functools
import http.server
import math
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from adsb_receiver import dump1090, feed, golden_places
from station_feed_hub import SITE, FeedHub, until

from vedette.geo import LocalFrame
from vedette.model import Position
from vedette.station.config import FeedConfig
from vedette.station.peers.adsb import adsb_peer

pytestmark = [pytest.mark.field, pytest.mark.counterpart]


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


def test_a_real_receiver_drives_every_peer(
    field_data: Path, tmp_path: Path, counterpart: Callable[[str], str]
) -> None:
    adsb = field_data / "protocols/adsb"
    capture = (adsb / "ulss7_60s.beast").read_bytes()
    golden = golden_places((adsb / "ulss7_60s.sbs.txt").read_bytes())
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
