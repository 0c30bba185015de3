"""``vedette track`` tells how sensors seem to be set up."""

import math
from pathlib import Path

import numpy as np
import pytest

from vedette.geo import LocalFrame
from vedette.model import Bearing, Detection, RangeBearing, Registration, SensorProfile, Sigma, Site
from vedette.model.lines import LineReader, dump_line

START = 1_790_000_000.0
TURNED_DEG = 6.0
SITE = Site(name="post", lat_deg=40.4, lon_deg=-3.7, alt_m=650.0, alt_datum="wgs84-ellipsoid")
PLACES = {"radar": (0.0, 0.0), "west": (-2500.0, -2500.0), "east": (2500.0, -2500.0)}


def profile(name: str) -> SensorProfile:
    lat, lon, alt = LocalFrame(SITE.lat_deg, SITE.lon_deg, SITE.alt_m).to_geodetic(*PLACES[name], 5.0)
    return SensorProfile(
        id=name, type="radar-3d" if name == "radar" else "direction-finder", lat_deg=lat, lon_deg=lon,
        alt_m=alt, alt_datum="wgs84-ellipsoid", period_s=1.0, detection_probability=0.95,
        range_m=(50.0, 8000.0),
    )  # fmt: skip


def plots(second: int) -> list[Detection]:
    rng = np.random.default_rng(second)
    found = []
    for name, (east, north) in PLACES.items():
        time = second + {"radar": 0.0, "west": 0.3, "east": 0.6}[name]
        for e0, n0, ve, vn in ((900, 1200, 15, -5), (-1300, 800, 10, 12), (400, -1500, -14, 6)):
            e, n = e0 + ve * time - east, n0 + vn * time - north
            sigma = 0.5 if name == "radar" else 1.0
            azimuth = math.degrees(math.atan2(e, n)) + rng.normal(0.0, sigma)
            azimuth += TURNED_DEG if name == "west" else 0.0
            measure: Bearing | RangeBearing = Bearing(azimuth_deg=azimuth)
            if name == "radar":
                reach = math.hypot(e, n, 75.0)
                measure = RangeBearing(
                    range_m=reach, azimuth_deg=azimuth, elevation_deg=math.degrees(math.asin(75.0 / reach))
                )
            accuracy = Sigma(azimuth_deg=sigma, range_m=5.0, elevation_deg=1.0)
            found.append(
                Detection(time=START + time, sensor=name, scan=second, measure=measure, sigma=accuracy)
            )
    return found


@pytest.fixture
def turned(tmp_path: Path) -> Path:
    (tmp_path / "site.json").write_bytes(dump_line(SITE))
    sensors = b",".join(dump_line(profile(name)).strip() for name in PLACES)
    (tmp_path / "sensors.json").write_bytes(b"[" + sensors + b"]\n")
    lines = [dump_line(plot) for second in range(35) for plot in plots(second)]
    (tmp_path / "detections.jsonl").write_bytes(b"".join(lines))
    return tmp_path


def test_a_turned_finder_is_told_on_stderr_and_in_the_file(command, turned: Path) -> None:
    path = turned / "registrations.jsonl"
    said = command("track", turned, "--registrations", path)
    assert said.code == 0, said.err
    found = {one.sensor: one for one in LineReader(Registration, "file").read(path.read_bytes().splitlines())}
    assert sorted(found) == sorted(PLACES)
    assert found["west"].azimuth_bias_deg == pytest.approx(TURNED_DEG, abs=0.6)
    assert [found[name].azimuth_corrected for name in PLACES] == [False, True, False]
    (line,) = [line for line in said.err.splitlines() if line.startswith("west: azimuth +")]
    assert "degrees clockwise of what the other sensors say (corrected): check its mounting" in line


def test_a_file_that_cannot_be_written_is_said_in_one_line(command, turned: Path) -> None:
    said = command("track", turned, "--registrations", turned / "no" / "such" / "folder.jsonl")
    assert said.code == 64
    assert "cannot be written" in said.err
    assert "Traceback" not in said.err
