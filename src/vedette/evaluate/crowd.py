"""A sky full of bodies before one radar, to find out how many the tracker can follow.

Evenly spread over a square round the radar, 8 a square kilometre however many there are, so that what grows
with their number is the work and not how they crowd. Half of them turn all the time. The radar looks once a
second, misses a tenth, and of its plots a fifth are false: a quarter as many as there are bodies.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from vedette.evaluate.truth import TruthLine
from vedette.model import Detection, RangeBearing, SensorProfile, Sigma, Site
from vedette.model.lines import dump_line
from vedette.model.site import SensorSigma

F64 = NDArray[np.float64]

START_S = 1_767_225_600.0
PER_KM2 = 8.0
FALSE_SHARE = 0.25
SEES = 0.9
_SIGMA = Sigma(range_m=5.0, azimuth_deg=0.5, elevation_deg=1.0, range_rate_mps=0.5)
_PROFILE_SIGMA = SensorSigma(range_m=5.0, azimuth_deg=0.5, elevation_deg=1.0, range_rate_mps=0.5)
_MAST_M = 10.0
_LOWEST_M, _HIGHEST_M, _SLOWEST_MPS, _FASTEST_MPS, _SHARPEST_TURN_RADPS = 20.0, 300.0, 2.0, 40.0, 0.3
_STEEPEST_DEG = 20.0
"""Of false plots."""


class Crowd(NamedTuple):
    """Where each body is (n, 3), east, north and up of the radar (m); its speed (m/s), course and rate of
    turn (radians, from north by east; n each)."""

    place: F64
    speed: F64
    course: F64
    turn: F64

    def moved(self, seconds: float) -> "Crowd":
        """The same, later."""
        step = seconds * self.velocity()
        return self._replace(place=self.place + step, course=self.course + seconds * self.turn)

    def velocity(self) -> F64:
        """East, north and up (n, 3), in metres a second."""
        level = np.zeros(len(self.speed))
        return np.stack([self.speed * np.sin(self.course), self.speed * np.cos(self.course), level], axis=1)


def site_of(targets: int) -> tuple[Site, SensorProfile]:
    """A place, and a radar there that sees all of them."""
    reach = 1000.0 * math.sqrt(targets / PER_KM2 / 2.0) + 1000.0
    site = Site(name="crowd", lat_deg=31.5, lon_deg=-110.9, alt_m=1200.0, alt_datum="wgs84-ellipsoid")
    radar = SensorProfile(
        id="radar", type="radar-3d", lat_deg=site.lat_deg, lon_deg=site.lon_deg, alt_m=site.alt_m + _MAST_M,
        alt_datum=site.alt_datum, period_s=1.0, detection_probability=SEES, range_m=(10.0, reach),
        clutter_per_scan=FALSE_SHARE * targets, sigma=_PROFILE_SIGMA,
    )  # fmt: skip
    return site, radar


def crowd_of(targets: int, rng: np.random.Generator) -> Crowd:
    """Bodies anywhere in the square."""
    half = 500.0 * math.sqrt(targets / PER_KM2)
    place = rng.uniform(-half, half, (targets, 3))
    place[:, 2] = rng.uniform(_LOWEST_M, _HIGHEST_M, targets) - _MAST_M
    turn = rng.uniform(-_SHARPEST_TURN_RADPS, _SHARPEST_TURN_RADPS, targets)
    speed = rng.uniform(_SLOWEST_MPS, _FASTEST_MPS, targets)
    course = rng.uniform(0.0, 2.0 * math.pi, targets)
    return Crowd(place, speed, course, np.where(rng.random(targets) < 0.5, turn, 0.0))


def scans_of(targets: int, scans: int, seed: int) -> Iterator[tuple[float, list[Detection]]]:
    """What the radar reports: time and plots of each scan, in order of azimuth as it turns."""
    for time, plots, _ in _flown(targets, scans, seed):
        yield time, plots


def write_case(folder: Path, targets: int, scans: int, seed: int) -> int:
    """The same as a folder to track and to score: site.json, sensors.json, detections.jsonl, and truth.jsonl
    with whom the radar can reach; returns the number of plots."""
    folder.mkdir(parents=True, exist_ok=True)
    site, radar = site_of(targets)
    (folder / "site.json").write_bytes(msgspec.json.encode(site))
    (folder / "sensors.json").write_bytes(msgspec.json.encode([radar]))
    number = 0
    with (folder / "detections.jsonl").open("wb") as said, (folder / "truth.jsonl").open("wb") as true:
        for time, plots, crowd in _flown(targets, scans, seed):
            number += len(plots)
            said.writelines(map(dump_line, plots))
            for body, (e, n, u) in enumerate(crowd.place.tolist()):
                if math.hypot(e, n, u) <= _reach(radar):
                    line = TruthLine(time, f"b{body}", (e, n, u + _MAST_M), "multirotor")
                    true.write(msgspec.json.encode(line) + b"\n")
    return number


def _flown(targets: int, scans: int, seed: int) -> Iterator[tuple[float, list[Detection], Crowd]]:
    """Time, plots, and where the bodies are, of each scan."""
    rng = np.random.default_rng(seed)
    crowd, radar = crowd_of(targets, rng), site_of(targets)[1]
    for number in range(scans):
        rows = np.concatenate([_seen(crowd, radar, rng), _false(targets, radar, rng)])
        rows = rows[np.argsort(rows[:, 1], kind="stable")]
        time = START_S + number
        yield time, [_detection(time, number, row) for row in rows.tolist()], crowd
        crowd = crowd.moved(1.0)


def _seen(crowd: Crowd, radar: SensorProfile, rng: np.random.Generator) -> F64:
    """Range, azimuth, elevation, range rate of those that are seen, with their errors (k, 4)."""
    e, n, u = crowd.place.T
    distance, rate = np.sqrt(e * e + n * n + u * u), np.sum(crowd.place * crowd.velocity(), axis=1)
    angles = np.degrees(np.arctan2(e, n)), np.degrees(np.arctan2(u, np.hypot(e, n)))
    rows = np.stack([distance, *angles, rate / distance], axis=1)
    sigmas = _SIGMA.range_m, _SIGMA.azimuth_deg, _SIGMA.elevation_deg, _SIGMA.range_rate_mps
    noisy = rows + rng.standard_normal(rows.shape) * np.array(sigmas, np.float64)
    noisy[:, 0] = np.maximum(noisy[:, 0], 1.0)
    seen: F64 = noisy[(rng.random(len(rows)) < SEES) & (distance <= _reach(radar))]
    return seen


def _reach(radar: SensorProfile) -> float:
    return radar.range_m[1] if radar.range_m is not None else math.inf


def _false(targets: int, radar: SensorProfile, rng: np.random.Generator) -> F64:
    """Plots of nothing, evenly over the ground (k, 4)."""
    k = int(rng.poisson(FALSE_SHARE * targets))
    distance = _reach(radar) * np.sqrt(rng.random(k))
    angles = rng.uniform(-180.0, 180.0, k), rng.uniform(0.0, _STEEPEST_DEG, k)
    return np.stack([distance, *angles, rng.uniform(-_FASTEST_MPS, _FASTEST_MPS, k)], axis=1)


def _detection(time: float, scan: int, row: list[float]) -> Detection:
    distance, azimuth, elevation, rate = row
    measure = RangeBearing(
        range_m=max(distance, 1.0), azimuth_deg=azimuth % 360.0, elevation_deg=elevation, range_rate_mps=rate
    )
    return Detection(time=time, sensor="radar", scan=scan, measure=measure, sigma=_SIGMA)
