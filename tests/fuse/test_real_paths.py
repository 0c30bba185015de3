"""Paths that were really flown, through a simulated radar: held under one id, to the radar's accuracy, with
honest covariances. And what accelerations they have, beside those that the tracker's models allow.

Ambulance helicopters (`tracks/adsb_lowlevel`, MIT), a small fixed wing
(`tracks/fixedwing_uav`, MIT) and racing quadcopters indoors (`tracks/fpv_uzh`, evaluation only).
`python tests/fuse/test_real_paths.py FOLDER` prints the figures of docs/tracking.md.
"""

import gzip
import json
import math
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from scipy.signal import savgol_filter

from vedette.fuse import FuseSettings, Tracker, warm
from vedette.geo import LocalFrame
from vedette.model import Detection, RangeBearing, SensorProfile, Sigma, Site

START = 1_700_000_000.0
SITE = Site(name="hill", lat_deg=47.4, lon_deg=8.5, alt_m=0.0, alt_datum="wgs84-ellipsoid")
RADAR = SensorProfile(
    id="radar", type="radar-3d", lat_deg=47.4, lon_deg=8.5, alt_m=0.0, alt_datum="wgs84-ellipsoid",
    period_s=1.0, detection_probability=0.9, clutter_per_scan=5.0, range_m=(50.0, 9000.0),
)  # fmt: skip
SIGMA = Sigma(range_m=5.0, azimuth_deg=0.5, elevation_deg=1.0, range_rate_mps=0.5)
PIECE_S = 120
FOOT = 0.3048
MOST_MPS2 = 15.0
"""No helicopter turns like this: a record with more holds places that are wrong."""


class Flown(NamedTuple):
    """A path each ``step_s``: places (k, 3) and velocities (k, 3), east, north, up."""

    name: str
    step_s: float
    places: np.ndarray
    velocities: np.ndarray


class Held(NamedTuple):
    """What the tracker made of a path, from 5 s on: errors (m), NEES of positions, share of looks after which
    there was a track, ids of the nearest one."""

    errors_m: list[float]
    nees: list[float]
    followed: float
    ids: int


def smooth(name: str, step_s: float, places: np.ndarray, window: int) -> Flown:
    """Receivers round times and places: a parabola over a few samples takes that out."""
    kept = savgol_filter(places, window, 2, axis=0)
    speed = savgol_filter(places, window, 2, deriv=1, delta=step_s, axis=0)
    return Flown(name, step_s, kept, speed)


def local(lat: np.ndarray, lon: np.ndarray, alt: np.ndarray) -> np.ndarray:
    frame = LocalFrame(float(lat.mean()), float(lon.mean()), 0.0)
    return np.array(
        [frame.to_enu(*place) for place in zip(lat.tolist(), lon.tolist(), alt.tolist(), strict=True)]
    )


def aircraft(folder: Path) -> Iterator[Flown]:
    """Two minutes at a time of each aircraft whose records are dense: the three helicopters. The gliders and
    survey aircraft are stated every 7 to 31 s, in which they turn."""
    for path in sorted((folder / "tracks/adsb_lowlevel").glob("*.json.gz")):
        with gzip.open(path) as file:
            rows = json.load(file)
        some = [
            row for row in rows if row["icao24"] == rows[0]["icao24"] and row.get("geoaltitude") is not None
        ]
        times, first = np.unique([row["timestamp"] / 1000.0 for row in some], return_index=True)
        for part in dense_parts(times) if len(times) else ():
            kept = [some[i] for i in first[part]]
            lat, lon, alt = (
                np.array([row[key] for row in kept], float)
                for key in ("latitude", "longitude", "geoaltitude")
            )
            grid = np.arange(times[part][0], times[part][-1], 1.0)
            enu = local(lat, lon, alt * FOOT)
            even = np.stack([np.interp(grid, times[part], column) for column in enu.T], axis=1)
            flown = smooth(f"{path.name.split('.')[0]}/{len(grid)}", 1.0, even, 11)
            turns = np.linalg.norm(np.gradient(flown.velocities, 1.0, axis=0), axis=1)
            if np.percentile(turns, 99) < MOST_MPS2:
                yield flown


def dense_parts(times: np.ndarray) -> Iterator[slice]:
    """Two minutes each, one after the other, without a gap of more than four seconds."""
    begin = 0
    while (end := int(np.searchsorted(times, times[begin] + PIECE_S))) < len(times):
        if end - begin > PIECE_S / 2 and np.diff(times[begin : end + 1]).max() <= 4.0:
            yield slice(begin, end + 1)
            begin = end
        else:
            begin += 1


def fixed_wing(folder: Path) -> Iterator[Flown]:
    rows = [
        line.split(",") for line in (folder / "tracks/fixedwing_uav/UAV_Rot.csv").read_text().splitlines()[1:]
    ]
    times, lat, lon, alt = (np.array([float(row[i]) for row in rows]) for i in (1, 2, 3, 4))
    enu = local(lat, lon, alt)
    grid = np.arange(times[0], times[-1], 1.0)
    even = np.stack([np.interp(grid, times, column) for column in enu.T], axis=1)
    for begin in range(0, len(even) - PIECE_S, PIECE_S):
        yield smooth(f"uav/{begin}", 1.0, even[begin : begin + PIECE_S + 1], 5)


def racing(folder: Path) -> Iterator[Flown]:
    for path in sorted((folder / "tracks/fpv_uzh").glob("*davis*.txt")):
        rows = np.loadtxt(path, delimiter=",", skiprows=1)
        _, first = np.unique(rows[:, 0], return_index=True)
        rows = rows[first]
        grid = np.arange(rows[0, 0], rows[-1, 0], 0.1)
        even = np.stack([np.interp(grid, rows[:, 0], rows[:, i]) for i in (1, 2, 3)], axis=1)
        yield smooth(path.stem, 0.1, even, 5)


def followed(flown: Flown, centre: tuple[float, float, float], period_s: float, seed: int) -> Held:
    """The path, moved to lie about ``centre``, seen by the radar every ``period_s`` among clutter."""
    rng = random.Random(seed)
    stride = round(period_s / flown.step_s)
    lift = np.array(centre) - flown.places.mean(axis=0)
    lift[2] = centre[2] - flown.places[:, 2].min()
    places, velocities = flown.places[::stride] + lift, flown.velocities[::stride]
    tracker = Tracker(SITE, (RADAR,))
    errors, nees, ids, without = [], [], {}, 0
    for k, (place, velocity) in enumerate(zip(places, velocities, strict=True)):
        time = START + k * period_s
        tracker.add([*scan(time, k, place, velocity, rng)], time)
        if k * period_s < 5.0:
            continue
        tracks = tracker.frame(time).tracks
        near = min(tracks, key=lambda track: np.linalg.norm(np.array(track.enu_m) - place), default=None)
        error = None if near is None else np.array(near.enu_m) - place
        if error is None or np.linalg.norm(error) > 100.0:
            without += 1
            continue
        ids[near.id] = None
        covariance = np.zeros((6, 6))
        covariance[np.triu_indices(6)] = near.covariance
        covariance += np.triu(covariance, 1).T
        errors.append(float(np.linalg.norm(error)))
        nees.append(float(error @ np.linalg.solve(covariance[:3, :3], error)))
    return Held(errors, nees, len(errors) / max(len(errors) + without, 1), len(ids))


def scan(time: float, k: int, place: np.ndarray, velocity: np.ndarray, rng: random.Random) -> list[Detection]:
    """The plot of the body, nine times in ten, and false ones."""
    plots = []
    if rng.random() < 0.9:
        e, n, u = place.tolist()
        far = math.hypot(e, n, u)
        plots.append(
            RangeBearing(
                range_m=far + rng.gauss(0, 5.0),
                azimuth_deg=math.degrees(math.atan2(e, n)) + rng.gauss(0, 0.5),
                elevation_deg=math.degrees(math.asin(u / far)) + rng.gauss(0, 1.0),
                range_rate_mps=float(place @ velocity) / far + rng.gauss(0, 0.5),
            )
        )
    for _ in range(rng.randint(2, 8)):
        azimuth, far = rng.uniform(0.0, 360.0), rng.uniform(60.0, 8900.0)
        clutter = {"elevation_deg": rng.uniform(0.0, 20.0), "range_rate_mps": rng.uniform(-45, 45)}
        plots.append(RangeBearing(range_m=far, azimuth_deg=azimuth, **clutter))
    return [Detection(time=time, sensor="radar", scan=k, measure=plot, sigma=SIGMA) for plot in plots]


def densities(paths: list[Flown], over_s: float) -> tuple[float, float, float, float]:
    """Acceleration densities (m2/s3) for which changes of velocity over so long stand, horizontal (an axis)
    and vertical: of all, and of the most violent twentieth."""
    changes = np.concatenate(
        [
            one.velocities[round(over_s / one.step_s) :] - one.velocities[: -round(over_s / one.step_s)]
            for one in paths
        ]
    )
    level, up = (changes[:, :2] ** 2).sum(axis=1) / 2.0 / over_s, changes[:, 2] ** 2 / over_s
    return (
        float(level.mean()), float(np.sort(level)[-len(level) // 20 :].mean()),
        float(up.mean()), float(np.sort(up)[-len(up) // 20 :].mean()),
    )  # fmt: skip


KINDS = {
    "aircraft": (aircraft, (1500.0, 2000.0, 150.0), 1.0),
    "fixed wing": (fixed_wing, (600.0, 1200.0, 80.0), 1.0),
    "racing": (racing, (300.0, 250.0, 20.0), 1.0),
    "racing, radar at 5 Hz": (racing, (300.0, 250.0, 20.0), 0.2),
}


def measured(folder: Path, kind: str) -> tuple[list[Flown], list[Held]]:
    warm()
    paths, centre, period_s = KINDS[kind]
    flown = list(paths(folder))
    return flown, [followed(one, centre, period_s, seed) for seed, one in enumerate(flown)]


@pytest.mark.field
@pytest.mark.parametrize(("kind", "least"), [("aircraft", 6), ("fixed wing", 7), ("racing", 6)])
def test_what_was_really_flown_is_followed_under_one_id(field_data: Path, kind: str, least: int) -> None:
    flown, held = measured(field_data, kind)
    assert len(flown) >= least
    errors = [error for one in held for error in one.errors_m]
    nees = [value for one in held for value in one.nees]
    assert np.mean([one.followed for one in held]) > 0.95
    assert sum(one.ids == 1 for one in held) >= 0.9 * len(held)
    assert np.sqrt(np.mean(np.square(errors))) < 45.0
    assert np.mean(nees) < 5.0


@pytest.mark.field
def test_the_models_allow_the_accelerations_of_real_racing(field_data: Path) -> None:
    level, violent, up, steep = densities(list(racing(field_data)), 0.5)
    settings = FuseSettings()
    assert settings.straight_psd_m2ps3[0] < level < settings.agile_psd_m2ps3[0]
    assert violent < 2.0 * settings.agile_psd_m2ps3[0]
    assert min(up, steep) > 0.0


if __name__ == "__main__":
    for kind in KINDS:
        flown, held = measured(Path(sys.argv[1]), kind)
        errors = np.array([error for one in held for error in one.errors_m])
        nees = np.array([value for one in held for value in one.nees])
        print(
            f"{kind}: {len(flown)} paths, RMSE {np.sqrt((errors**2).mean()):.1f} m, median "
            f"{np.median(errors):.1f} m, NEES {nees.mean():.2f} (median {np.median(nees):.2f}), followed "
            f"{np.mean([one.followed for one in held]):.3f}, one id in {sum(one.ids == 1 for one in held)}"
        )
        for over_s in (0.5, 1.0, 2.0):
            if over_s >= flown[0].step_s:
                print("   density over", over_s, "s:", np.round(densities(flown, over_s), 2))
        accelerations = [
            np.linalg.norm(np.gradient(one.velocities, one.step_s, axis=0), axis=1) for one in flown
        ]
        print("   99 % acceleration m/s2:", np.round([np.percentile(one, 99) for one in accelerations], 1))
