"""Directions that a finder stamps one by one, a moment apart, are one look all the same."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.fuse import Tracker
from vedette.fuse.plotter import _together
from vedette.geo import LocalFrame
from vedette.model import Bearing, Detection, Frame, RangeBearing, SensorProfile, Sigma, Site

START = 1_790_000_000.0
SITE = Site(name="post", lat_deg=40.4, lon_deg=-3.7, alt_m=650.0, alt_datum="wgs84-ellipsoid")
PLACES = {"radar": (0.0, 0.0), "west": (-2500.0, -2500.0), "east": (2500.0, -2500.0)}
SEEN = ((900.0, 1200.0, 15.0, -5.0), (-1300.0, 800.0, 10.0, 12.0), (400.0, -1500.0, -14.0, 6.0))
FAR = (6000.0, -6500.0, -5.0, 3.0)
"""Beyond the radar's range, and heard by one finder."""


def profile(name: str) -> SensorProfile:
    lat, lon, alt = LocalFrame(SITE.lat_deg, SITE.lon_deg, SITE.alt_m).to_geodetic(*PLACES[name], 5.0)
    return SensorProfile(
        id=name, type="radar-3d" if name == "radar" else "direction-finder", lat_deg=lat, lon_deg=lon,
        alt_m=alt, alt_datum="wgs84-ellipsoid", period_s=1.0, detection_probability=0.95,
        range_m=(50.0, 8000.0),
    )  # fmt: skip


def look(name: str, second: int, apart_s: float) -> list[Detection]:
    rng, (east, north) = np.random.default_rng((second, len(name))), PLACES[name]
    time = second + {"radar": 0.0, "west": 0.3, "east": 0.6}[name]
    sigma, plots = (0.5 if name == "radar" else 1.0), []
    for number, (e0, n0, ve, vn) in enumerate((*SEEN, FAR) if name == "east" else SEEN):
        e, n = e0 + ve * time - east, n0 + vn * time - north
        azimuth, reach = math.degrees(math.atan2(e, n)) + rng.normal(0.0, sigma), math.hypot(e, n, 75.0)
        polar = RangeBearing(
            range_m=reach, azimuth_deg=azimuth, elevation_deg=math.degrees(math.asin(75.0 / reach))
        )
        plots.append(
            Detection(
                time=START + time + number * apart_s, sensor=name, scan=second,
                measure=polar if name == "radar" else Bearing(azimuth_deg=azimuth),
                sigma=Sigma(azimuth_deg=sigma, range_m=5.0, elevation_deg=1.0),
            )
        )  # fmt: skip
    return plots


def watched(apart_s: float, seconds: int = 25) -> Frame:
    tracker = Tracker(SITE, tuple(profile(name) for name in PLACES))
    for second in range(seconds):
        for name in PLACES:
            plots = look(name, second, apart_s)
            tracker.add(plots, plots[-1].time)
    return tracker.frame(START + seconds)


@pytest.mark.parametrize("apart_s", [0.0, 1e-4, 4e-3])
def test_a_finder_that_stamps_each_line_is_heard_as_one_that_stamps_its_scans(apart_s: float) -> None:
    frame = watched(apart_s)
    assert [track.sensors for track in frame.tracks] == [("east", "radar", "west")] * len(SEEN)
    (wedge,) = frame.wedges
    assert wedge.sensor == "east"
    truth = math.degrees(math.atan2(6000.0 - 125.0 - 2500.0, -6500.0 + 75.0 + 2500.0)) % 360.0
    assert wedge.azimuth_deg == pytest.approx(truth, abs=1.5)


@given(st.floats(0.0, float(1 << 33)))
def test_a_look_begins_at_most_20_ms_before_its_bearings_and_in_their_second(time: float) -> None:
    begins = _together(time)
    assert time - 0.0201 <= begins <= time
    assert math.floor(begins) == math.floor(time)
