"""Real flights of drones and aircraft through simulated radar plots: what are they called?"""

import csv
import gzip
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from vedette.fuse import Tracker
from vedette.model import RangeBearing, Sigma

Flight = np.ndarray
"""(n, 4): seconds, east, north, up in metres of a flat world round its first point."""

SIGMAS = (5.0, 0.5, 1.0, 0.5)
_KNOT, _FOOT = 0.514444, 0.3048


def flat(time: Any, lat: Any, lon: Any, up: Any) -> Flight:
    lat, lon, time = (np.asarray(values, float) for values in (lat, lon, time))
    east = np.radians(lon - lon[0]) * 6371000.0 * math.cos(math.radians(lat[0]))
    return np.column_stack(
        [time - time[0], east, np.radians(lat - lat[0]) * 6371000.0, np.asarray(up, float)]
    )


def through_radar(world: Any, flight: Flight, secs: int, seed: int = 1) -> Tracker:
    """The flight as a radar 1.5 km away sees it, with errors and a miss in ten; heights over the radar."""
    rng = np.random.default_rng(seed)
    profile = structs.replace(world.radar, range_m=(50.0, 60_000.0))
    tracker = world.tracker(profile)
    for second in range(min(secs, int(flight[-1, 0]))):
        if rng.random() > 0.9:
            continue
        place, later = (
            np.array([np.interp(second + dt, flight[:, 0], flight[:, axis]) for axis in (1, 2, 3)])
            + np.array([0.0, 1500.0, 0.0])
            for dt in (0.0, 0.5)
        )
        range_m, after = float(np.linalg.norm(place)), float(np.linalg.norm(later))
        noise = (rng.normal(0.0, 1.0, 4) * SIGMAS).tolist()
        measure = RangeBearing(
            range_m=range_m + noise[0],
            azimuth_deg=math.degrees(math.atan2(place[0], place[1])) + noise[1],
            elevation_deg=math.degrees(math.asin(place[2] / range_m)) + noise[2],
            range_rate_mps=(after - range_m) / 0.5 + noise[3],
        )
        plot = world.plot(second, (1.0, 1.0, 1.0))
        sigma = Sigma(range_m=5.0, azimuth_deg=0.5, elevation_deg=1.0, range_rate_mps=0.5)
        tracker.add([structs.replace(plot, measure=measure, sigma=sigma)], world.start + second)
    return tracker


def calls(world: Any, flight: Flight, secs: int = 90) -> dict[str, float]:
    """The beliefs of the best founded track at the end."""
    tracker = through_radar(world, flight, secs)
    tracks = tracker.frame(world.start + min(secs, int(flight[-1, 0]))).tracks
    assert tracks
    return dict(max(tracks, key=lambda track: track.existence).beliefs)


def most(beliefs: dict[str, float]) -> str:
    return max(beliefs, key=lambda name: beliefs[name])


def aircraft(field_data: Path) -> Iterator[tuple[str, Flight]]:
    """Two minutes of each aircraft that flies lower than 1500 m over its lowest point."""
    for path in sorted((field_data / "tracks" / "adsb_lowlevel").glob("*.json.gz")):
        rows = [r for r in json.loads(gzip.decompress(path.read_bytes())) if not r.get("onground")]
        by_body: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            usable = all(row.get(key) is not None for key in ("latitude", "longitude", "altitude"))
            if usable and (row.get("groundspeed") or 0.0) > 20.0:
                by_body.setdefault(row["icao24"], []).append(row)
        for name, body in sorted(by_body.items())[:3]:
            fixes = {row["last_position"]: row for row in body if row.get("last_position")}
            part = [fixes[time] for time in sorted(fixes)]
            part = part[len(part) // 2 : len(part) // 2 + 150]
            seconds = [row["last_position"] / 1000.0 for row in part]
            if len(part) < 30 or max(np.diff(seconds)) > 20.0:
                continue
            ups = [300.0 + _FOOT * (row["altitude"] - part[0]["altitude"]) for row in part]
            places = ([row[key] for row in part] for key in ("latitude", "longitude"))
            yield f"{path.name[:-8]}-{name}", flat(seconds, *places, ups)


def wings(field_data: Path) -> Flight:
    """The parts of the real UAV's flight in which it flies."""
    with (field_data / "tracks" / "fixedwing_uav" / "UAV_Rot.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if float(row["speed"]) > 5.0]
    columns = [[float(row[key]) for row in rows] for key in ("latitude", "longitude", "altitude (m)")]
    heights = np.array(columns[2]) - min(columns[2]) + 40.0
    return flat([float(row["timestamp"]) for row in rows], columns[0], columns[1], heights)


def racing(field_data: Path) -> Iterator[Flight]:
    """Real races of an FPV drone in a hall, at 3 to 12 m/s."""
    for path in sorted((field_data / "tracks" / "fpv_uzh").glob("*_davis_with_gt.txt")):
        rows = np.array(
            [[float(v) for v in re.split(r"[ ,]", line)[:4]] for line in path.read_text().splitlines()[1:]]
        )
        yield rows - [rows[0, 0], 0.0, 0.0, -50.0]


@pytest.mark.field
def test_real_races_of_a_drone_are_no_birds(world: Any, field_data: Path) -> None:
    beliefs = [calls(world, flight) for flight in racing(field_data)]
    assert len(beliefs) == 6
    assert {most(one) for one in beliefs} <= {"multirotor", "fpv"}


@pytest.mark.field
def test_a_real_fixed_wing_as_slow_as_a_bird_is_mostly_no_bird(world: Any, field_data: Path) -> None:
    """It flies at 10 m/s and no direction finder is there: nothing but its circling tells it from a bird."""
    whole = wings(field_data)
    parts = []
    for start in range(0, 900, 100):
        part = whole[(whole[:, 0] >= start) & (whole[:, 0] < start + 100)]
        if len(part) >= 50:
            parts.append(calls(world, part - [part[0, 0], 0.0, 0.0, 0.0]))
    assert len(parts) >= 5
    assert sum(most(one) == "bird" for one in parts) <= len(parts) // 4
    assert all(one["bird"] <= 0.4 + 1e-9 for one in parts)


@pytest.mark.field
def test_real_low_aircraft_are_no_birds_and_no_multirotors(world: Any, field_data: Path) -> None:
    beliefs = {name: calls(world, flight) for name, flight in aircraft(field_data)}
    assert len(beliefs) >= 3
    for name, one in beliefs.items():
        assert most(one) in {"aircraft", "fixed-wing", "unknown"}, name
        assert one["bird"] + one["aircraft"] <= 0.4 + 1e-9
