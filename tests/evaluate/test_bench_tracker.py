"""The tracker's benchmark measures what it says, on a case of its own."""

import json
import math
import random
from pathlib import Path

import pytest

from vedette.evaluate import bench_tracker as module
from vedette.evaluate.bench_tracker import bench_crowd, bench_tracker
from vedette.evaluate.drive import read_case
from vedette.fuse import Tracker
from vedette.fuse.kernels import imm, pmb
from vedette.model import InputError

START = 1_790_000_000.0
SITE = {"name": "bench", "lat_deg": 31.5, "lon_deg": -110.9, "alt_m": 1200.0, "alt_datum": "wgs84-ellipsoid"}
PLACE = {"lat_deg": 31.5, "lon_deg": -110.9, "alt_m": 1202.0, "alt_datum": "wgs84-ellipsoid"}
SENSORS = [
    {"id": "radar", "type": "radar-3d", **PLACE, "period_s": 1.0, "detection_probability": 0.9,
     "range_m": [50, 6000], "clutter_per_scan": 3.0},
    {"id": "finder", "type": "direction-finder", **PLACE, "period_s": 1.0, "detection_probability": 0.9,
     "clutter_per_scan": 2.0},
]  # fmt: skip


def scan(second: int, rng: random.Random) -> list[dict[str, object]]:
    """What the radar and the direction finder see of two bodies, and of nothing, in one second."""
    lines: list[dict[str, object]] = []
    for sensor, late in (("radar", 0.0), ("finder", 0.5)):
        for number in range(4):
            azimuth = 40.0 * number + second if number < 2 else rng.uniform(0.0, 360.0)
            measure: dict[str, object] = {"kind": "bearing", "azimuth_deg": azimuth}
            if sensor == "radar":
                far = 900.0 + 10.0 * second if number < 2 else rng.uniform(100.0, 5000.0)
                measure = {
                    "kind": "range-bearing",
                    "range_m": far,
                    "azimuth_deg": azimuth,
                    "elevation_deg": 5.0,
                }
            time = START + second + late
            sigma = {"azimuth_deg": 0.5, "range_m": 5.0}
            lines.append({"time": time, "sensor": sensor, "scan": second, "measure": measure, "sigma": sigma})
    return lines


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "site.json").write_text(json.dumps(SITE))
    (tmp_path / "sensors.json").write_text(json.dumps(SENSORS))
    rng = random.Random(1)
    lines = [line for second in range(12) for line in scan(second, rng)]
    (tmp_path / "detections.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def test_the_figures_are_those_of_the_contract(folder: Path) -> None:
    figures = bench_tracker(folder, 1)
    assert list(figures) == [
        "plots", "plots_per_cpu_s", "kernel_plots_per_cpu_s", "max_scan_ms", "tracks_max",
    ]  # fmt: skip
    assert figures["plots"] == 96
    assert all(math.isfinite(value) and value > 0 for value in figures.values())
    assert 2 <= figures["tracks_max"] <= 50


def test_it_tracks_as_the_tracker_does_and_leaves_the_kernels_alone(folder: Path) -> None:
    kernels = imm.predict_all, pmb.scan
    calls: list[module._Call] = []
    case = read_case(folder)
    with module._recorded(calls):
        recorded = module._track(case)
    assert (imm.predict_all, pmb.scan) == kernels
    assert recorded[0] == 96
    assert sum(name == "scan" for name, _ in calls) == 24
    assert recorded[3] == module._track(case)[3]


def test_each_scan_is_replayed_on_what_it_began_with(folder: Path) -> None:
    """The kernels work in place: were the inputs not kept, the second replay would start where one ended."""
    calls: list[module._Call] = []
    with module._recorded(calls):
        module._track(read_case(folder))
    before = [
        b"".join(one.tobytes() for one in arguments if hasattr(one, "tobytes")) for _, arguments in calls
    ]
    module._replay(calls)
    after = [
        b"".join(one.tobytes() for one in arguments if hasattr(one, "tobytes")) for _, arguments in calls
    ]
    assert before == after


def test_a_case_without_detections_is_refused(folder: Path) -> None:
    (folder / "detections.jsonl").write_text("")
    with pytest.raises(InputError, match="nothing to measure"):
        bench_tracker(folder, 1)


def test_held_counts_tentative_tracks(folder: Path) -> None:
    case = read_case(folder)
    assert Tracker(case.site, case.sensors).held == 0


def test_a_crowd_is_tracked_as_a_whole() -> None:
    figures = bench_crowd(60, scans=8)
    assert list(figures) == [
        "targets", "plots", "scan_cpu_s", "max_scan_cpu_s", "frame_cpu_s", "tracks_max", "confirmed",
    ]  # fmt: skip
    assert 400 < figures["plots"] < 700
    assert 0.0 < figures["scan_cpu_s"] <= figures["max_scan_cpu_s"]
    assert 50 <= figures["confirmed"] <= 65 <= figures["tracks_max"]
