"""docs/your-own-sensor.md, done as it says: the ten lines, and the package of one's own."""

import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from station_build import StationProcess

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs" / "your-own-sensor.md").read_text(encoding="utf-8")
THIRD_PARTY = ROOT / "examples" / "third_party"
HEAD = """
state = "state"
[site]
name = "Guide"
lat_deg = 31.4500
lon_deg = -110.9000
alt_m = 1180.0
alt_datum = "egm96"
geoid_height_m = -29.5
[console]
listen = "127.0.0.1:0"
demo_desk = true
"""


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait(condition: Callable[[], object], what: str) -> None:
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(f"never happened: {what}")


def feeds(station: StationProcess) -> dict[str, dict[str, object]]:
    return {feed["feed"]: feed for feed in station.view()["feeds"]}


def test_the_guide_shows_the_example_itself() -> None:
    (shown,) = blocks("python")
    assert (ROOT / "examples" / "detector.py").read_text().endswith(shown)
    entries = next(block for block in blocks("toml") if "entry-points" in block)
    shown_points = tomllib.loads(entries)["project"]["entry-points"]
    assert (
        tomllib.loads((THIRD_PARTY / "pyproject.toml").read_text())["project"]["entry-points"] == shown_points
    )


def test_ten_lines_make_a_track_on_the_page(tmp_path: Path) -> None:
    (config,) = [block for block in blocks("toml") if "my-detector" in block]
    (detector,) = blocks("python")
    port = free_port()
    (tmp_path / "detector.py").write_text(detector)
    (tmp_path / "vedette.toml").write_text(HEAD + config.replace(":4050", f":{port}"))
    station = StationProcess(tmp_path / "vedette.toml", tmp_path / "log")
    child = None
    try:
        wait(lambda: station.page() and "bench" in feeds(station), "the station runs")
        child = subprocess.Popen([sys.executable, str(tmp_path / "detector.py"), str(port)])
        wait(lambda: station.view()["tracks"], "a track in /api/v1/view")
        (track,) = station.view()["tracks"]
        assert track["sensors"] == ["my-detector"]
        assert 31.452 < track["lat_deg"] < 31.457
        assert -110.897 < track["lon_deg"] < -110.891
        told = feeds(station)["bench"]
        assert told["state"] == "watching"
        assert told["quarantined"] == {}
    finally:
        if child is not None:
            child.kill()
            child.wait()
        assert station.stop() == 0


@pytest.fixture(scope="module")
def lantern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The third-party package, installed into a folder of its own."""
    folder = tmp_path_factory.mktemp("lantern")
    shutil.copytree(THIRD_PARTY, folder / "source")
    target = folder / "installed"
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run(
        [*command, "--disable-pip-version-check", "--quiet", "--target", str(target), str(folder / "source")],
        capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return target


def plots(*ranges_m: float) -> bytes:
    body = b"".join(struct.pack(">IHhhxx", round(r * 10), 4500, 800, -2000) for r in ranges_m)
    return b"LN" + bytes([len(ranges_m)]) + body


def test_a_package_of_ones_own(lantern: Path, tmp_path: Path) -> None:
    (config,) = [block for block in blocks("toml") if "lantern-1" in block]
    port, log = free_port(), tmp_path / "lantern.log"
    log.write_text("12.0 3.0\n")
    named = config.replace(":4060", f":{port}").replace("/var/log/lantern.log", str(log))
    (sensor,) = [block for block in blocks("toml") if "my-detector" in block]
    sensors = sensor[sensor.index("[[sensor]]") :].replace("my-detector", "lantern-1")
    (tmp_path / "vedette.toml").write_text(HEAD + named + sensors)
    path = os.pathsep.join(filter(None, [str(lantern), os.environ.get("PYTHONPATH")]))
    station = StationProcess(tmp_path / "vedette.toml", tmp_path / "out", {"PYTHONPATH": path})
    try:
        wait(lambda: station.page() and len(feeds(station)) == 2, "the station runs")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as radar, log.open("a") as lines:
            for turn in range(20):
                radar.sendto(plots(900.0 - 20.0 * turn), ("127.0.0.1", port))
                radar.sendto(b"LN\x05noise", ("127.0.0.1", port))
                lines.write("45.0 8.0\nnorth up\n")
                lines.flush()
                time.sleep(1.0)
                if station.view()["tracks"]:
                    break
        told = feeds(station)
        assert [track["sensors"][0] for track in station.view()["tracks"]] == ["lantern-1"]
        assert told["lantern-1"]["state"] == told["lantern-2"]["state"] == "watching"
        assert set(told["lantern-1"]["quarantined"]) == {"not-a-lantern-message"}
        assert set(told["lantern-2"]["quarantined"]) == {"not-a-direction"}
        assert told["lantern-2"]["detections"] >= 1
    finally:
        assert station.stop() == 0


def test_without_the_package_the_station_says_what_is_missing(tmp_path: Path) -> None:
    feed = '[[feed]]\nname = "l"\nurl = "raw+udp://127.0.0.1:4060?adapter=lantern"\n'
    (tmp_path / "vedette.toml").write_text(HEAD + feed)
    station = StationProcess(tmp_path / "vedette.toml", tmp_path / "out")
    assert station.process.wait(timeout=120) == 64
    assert station.stop() == 64
    assert "the adapter 'lantern' is not installed" in station.said()
