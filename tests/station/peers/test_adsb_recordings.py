"""Recordings of Beast frames and SBS lines: played in their time, always with the same result."""

import math
import os
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from station_feed_hub import SITE, FeedHub, beside, until

from vedette.geo import LocalFrame
from vedette.model import Detection, Position
from vedette.station.config import FeedConfig
from vedette.station.peers.adsb import adsb_peer
from vedette.wire.adsb import AirbornePosition, BeastFrame, SbsSplitter, adsb, cpr, encode, encode_beast

FAST = 200.0


def beast(seconds: float, odd: bool, gps: bool = False, lat: float = 47.3) -> bytes:
    ticks = round(seconds * 12e6)
    if gps:
        ticks = int(seconds) << 30 | round(seconds % 1 * 1e9)
    message = AirbornePosition(11, 0, False, 5000.0, False, odd, *cpr.encode(lat, 8.6, odd))
    return encode_beast(BeastFrame(ticks, 9, encode(adsb(0x4B1812, message))))


def sbs(second: float, lat: float = 47.3) -> bytes:
    clock = f"2026/11/22,23:{int(second) // 60:02d}:{second % 60:06.3f}"
    return f"MSG,3,1,1,4B1812,1,{clock},{clock},,5000,,,{lat},8.6,,,,,,0\r\n".encode()


def played(url: str, hub: FeedHub) -> list[Detection]:
    peer = adsb_peer(FeedConfig(name="sky", url=url))

    async def then() -> None:
        await until(lambda: hub.states("sky")[-1:] in (["ended"], ["down"]), "it ends")

    beside(peer.run(hub), then)
    return hub.all()


def spans(found: list[Detection]) -> list[float]:
    return [detection.time - found[0].time for detection in found]


@pytest.mark.parametrize("gps", [False, True])
def test_frames_in_their_time(tmp_path: Path, gps: bool) -> None:
    path, hub = tmp_path / "minute.beast", FeedHub(FAST)
    path.write_bytes(b"".join(beast(50_000.0 + 2.0 * i, i % 2 == 1, gps) for i in range(20)))
    before = hub.clock.now()
    found = played(f"beast:{path}{'?clock=gps' if gps else ''}", hub)
    assert spans(found) == pytest.approx([2.0 * i for i in range(18)], abs=1e-3)
    assert found[0].time >= before
    assert all(d.received == d.time <= hub.clock.now() for d in found)
    assert hub.states("sky") == ["connecting", "connecting", "watching", "ended"]
    assert "20 frames" in (hub.reason("sky") or "")
    assert hub.live["sky"] == 20


def test_lines_in_their_time(tmp_path: Path) -> None:
    path, hub = tmp_path / "minute.sbs", FeedHub(FAST)
    path.write_bytes(b"".join(sbs(1.5 * i) for i in range(20))[:-2])
    found = played(f"sbs:{path}", hub)
    assert spans(found) == pytest.approx([1.5 * i for i in range(20)], abs=1e-3)
    assert "20 messages" in (hub.reason("sky") or ""), "the last line lacks its end and counts"


def test_clocks_that_jump_or_say_nothing(tmp_path: Path) -> None:
    """A receiver was restarted in the middle: nothing waits for years, nothing goes back in time."""
    path, hub = tmp_path / "two.beast", FeedHub(FAST)
    parts = [(100.0 + 2 * i, i) for i in range(6)] + [(9e6 + 2 * i, i) for i in range(6)]
    parts += [(1.0 + 2 * i, i) for i in range(6)] + [(0.0, i) for i in range(4)]
    path.write_bytes(b"".join(beast(seconds, i % 2 == 1) for seconds, i in parts))
    found = played(f"beast:{path}", hub)
    times = [detection.time for detection in found]
    assert times == sorted(times)
    assert times[-1] - times[0] < 120.0
    assert hub.counts["sky", "time-jumped"] == 2
    assert hub.states("sky")[-1] == "ended"


def test_lines_without_a_time_and_damaged_ones(tmp_path: Path) -> None:
    path, hub = tmp_path / "odd.sbs", FeedHub(FAST)
    bare = b"MSG,3,1,1,4B1812,1,,,,,,5000,,,47.3,8.6,,,,,,0\r\n"
    false = sbs(1.0).replace(b"2026/11/22", b"2026/99/99")
    path.write_bytes(bare + false + b"noise\r\n" + sbs(5.0) + bare)
    found = played(f"sbs:{path}", hub)
    assert len(found) >= 1
    assert hub.counts["sky", "malformed: not-sbs"] == 1
    assert hub.states("sky")[-1] == "ended"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    hub = FeedHub()
    assert played(f"beast:{tmp_path / 'none'}", hub) == []
    assert hub.states("sky")[-1] == "down"
    assert "No such file" in (hub.reason("sky") or "")


def test_noise_is_no_recording(tmp_path: Path) -> None:
    path, hub = tmp_path / "noise", FeedHub(FAST)
    path.write_bytes(os.urandom(5000).replace(b"\x1a", b""))
    assert played(f"beast:{path}", hub) == []
    assert "watching" not in hub.states("sky")


def test_a_pipe_is_live(tmp_path: Path) -> None:
    path, hub = tmp_path / "pipe", FeedHub()
    os.mkfifo(path)

    def write() -> None:
        with path.open("wb", buffering=0) as pipe:
            pipe.write(b"".join(beast(9e5 * i, i % 2 == 1) for i in range(3)))

    peer = adsb_peer(FeedConfig(name="sky", url=f"beast:{path}"))
    writer = threading.Thread(target=write)

    async def then() -> None:
        await until(lambda: "waiting for the first frames" in (hub.reason("sky") or ""), "it waits")
        writer.start()
        await until(lambda: bool(hub.all()), "a detection")
        assert abs(hub.all()[0].time - hub.clock.now()) < 30.0
        await until(lambda: hub.states("sky")[-1] == "ended", "the writer went away")

    beside(peer.run(hub), then)
    writer.join()


@pytest.mark.field
@pytest.mark.parametrize("kind", ["beast", "sbs"])
def test_the_real_minute_is_played_and_always_the_same(field_data: Path, kind: str) -> None:
    name = {"beast": "ulss7_60s.beast", "sbs": "ulss7_60s.sbs.txt"}[kind]
    folder = field_data / "protocols/adsb"
    golden: dict[str, list[tuple[float, float]]] = {}
    for message in SbsSplitter().feed((folder / "ulss7_60s.sbs.txt").read_bytes()):
        if message.lat_deg is not None and message.lon_deg is not None:
            golden.setdefault(f"{message.address:06x}", []).append((message.lat_deg, message.lon_deg))
    runs: list[list[Any]] = []
    for speed in (40.0, 200.0):
        hub = FeedHub(speed, msgspec.structs.replace(SITE, lat_deg=59.9, lon_deg=30.3))
        found = played(f"{kind}:{folder / name}", hub)
        assert {d.claim.id for d in found if d.claim} == golden.keys()
        assert 55.0 < found[-1].time - found[0].time < 61.0
        assert max(distance_m(golden, d) for d in found) < 30.0
        runs.append([(round(d.time - found[0].time, 3), d.claim, d.measure) for d in found])
    assert runs[0] == runs[1]
    assert len(golden) == 11


def distance_m(golden: dict[str, list[tuple[float, float]]], detection: Detection) -> float:
    measure = detection.measure
    assert isinstance(measure, Position)
    assert detection.claim is not None
    here = LocalFrame(measure.lat_deg, measure.lon_deg, 0.0)
    offsets = (here.to_enu(lat, lon, 0.0) for lat, lon in golden[detection.claim.id])
    return min(math.hypot(east, north) for east, north, _ in offsets)
