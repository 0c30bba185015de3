"""A case of our own with its truth: what a radar and a direction finder see of three bodies."""

import json
import math
import random
from pathlib import Path

import pytest

START = 1_790_000_000.0
SITE = {"name": "case", "lat_deg": 31.5, "lon_deg": -110.9, "alt_m": 1200.0, "alt_datum": "wgs84-ellipsoid"}
PLACE = {"lat_deg": 31.5, "lon_deg": -110.9, "alt_m": 1200.0, "alt_datum": "wgs84-ellipsoid"}
SENSORS = [
    {"id": "radar", "type": "radar-3d", **PLACE, "period_s": 1.0, "detection_probability": 0.9,
     "range_m": [50, 6000], "clutter_per_scan": 3.0,
     "sigma": {"range_m": 5.0, "azimuth_deg": 0.5, "elevation_deg": 1.0, "range_rate_mps": 0.5}},
    {"id": "finder", "type": "direction-finder", **PLACE, "period_s": 1.0, "detection_probability": 0.9,
     "clutter_per_scan": 2.0, "sigma": {"azimuth_deg": 1.0}},
]  # fmt: skip
VELOCITIES = ((20.0, 5.0, 0.0), (-12.0, 9.0, 0.5), (3.0, -25.0, 0.0))
PLACES = ((-400.0, 900.0, 80.0), (1100.0, -600.0, 60.0), (500.0, 1500.0, 120.0))


def where(body: int, t: float) -> tuple[float, float, float]:
    e, n, u = (p + t * v for p, v in zip(PLACES[body], VELOCITIES[body], strict=True))
    return e, n, u


def line(t: float, sensor: str, scan: int, measure: dict[str, object]) -> dict[str, object]:
    return {"time": START + t, "sensor": sensor, "scan": scan, "measure": measure}


def seen(t: float, body: int, rng: random.Random) -> dict[str, object]:
    """A radar plot of a body."""
    e, n, u = where(body, t)
    far = math.hypot(e, n, u)
    rate = sum(p * v for p, v in zip((e, n, u), VELOCITIES[body], strict=True)) / far
    return {
        "kind": "range-bearing",
        "range_m": far + rng.gauss(0, 5),
        "azimuth_deg": math.degrees(math.atan2(e, n)) + rng.gauss(0, 0.5),
        "elevation_deg": math.degrees(math.asin(u / far)) + rng.gauss(0, 1.0),
        "range_rate_mps": rate + rng.gauss(0, 0.5),
    }


def labelled_lines(seconds: int, rng: random.Random) -> list[tuple[dict[str, object], str | None]]:
    """Detection lines, and the body of each."""
    out: list[tuple[dict[str, object], str | None]] = []
    for t in range(seconds):
        for body in range(3):
            if rng.random() < 0.9:
                out.append((line(t, "radar", t, seen(t, body, rng)), f"d{body}"))
        clutter = {"kind": "range-bearing", "azimuth_deg": rng.uniform(-180, 180), "elevation_deg": 9.0}
        for far in (rng.uniform(100, 5000), rng.uniform(100, 5000)):
            out.append((line(t, "radar", t, {**clutter, "range_m": far, "range_rate_mps": 40.0}), None))
        for body in range(3):
            e, n, _ = where(body, t + 0.5)
            azimuth = math.degrees(math.atan2(e, n)) + rng.gauss(0, 1.0)
            measure = {"kind": "bearing", "azimuth_deg": azimuth}
            out.append((line(t + 0.5, "finder", t, measure), f"d{body}"))
    return out


@pytest.fixture
def case_folder(tmp_path: Path) -> Path:
    (tmp_path / "site.json").write_text(json.dumps(SITE))
    (tmp_path / "sensors.json").write_text(json.dumps(SENSORS))
    labelled = labelled_lines(20, random.Random(4))
    (tmp_path / "detections.jsonl").write_text("".join(json.dumps(one) + "\n" for one, _ in labelled))
    (tmp_path / "labels.json").write_text(json.dumps([body for _, body in labelled]))
    truth = [
        {"time": START + t, "id": f"d{body}", "kind": "fpv", "enu_m": where(body, t)}
        for t in range(20)
        for body in range(3)
    ]
    (tmp_path / "truth.jsonl").write_text("".join(json.dumps(one) + "\n" for one in truth))
    return tmp_path
