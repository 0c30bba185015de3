"""A site, sensors and detections for the tracker's tests."""

import importlib.util
import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vedette.fuse import FuseSettings, Tracker, warm
from vedette.geo import LocalFrame
from vedette.model import Claim, Detection, Frame, Position, RangeBearing, SensorProfile, Sigma, Signal, Site


def _load(name: str) -> None:
    """Make a module of this folder importable for its tests."""
    spec = importlib.util.spec_from_file_location(f"fuse_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    sys.modules[f"fuse_{name}"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


_load("reference")
_load("ground_reference")
_load("ray_reference")
_load("scans")
_load("lies")


class World:
    """A flat world round one site; times are seconds after ``start``."""

    start = 1_700_000_000.0
    site = Site(name="post", lat_deg=40.4, lon_deg=-3.7, alt_m=650.0, alt_datum="wgs84-ellipsoid")
    radar = SensorProfile(
        id="radar",
        type="radar-3d",
        lat_deg=40.4,
        lon_deg=-3.7,
        alt_m=652.0,
        alt_datum="wgs84-ellipsoid",
        period_s=1.0,
        detection_probability=0.9,
        clutter_per_scan=5.0,
        range_m=(50.0, 6000.0),
    )

    def __init__(self) -> None:
        self.frame = LocalFrame(self.site.lat_deg, self.site.lon_deg, self.site.alt_m)

    def tracker(self, *sensors: SensorProfile, site: Site | None = None, **settings: Any) -> Tracker:
        """A tracker at the site."""
        return Tracker(site or self.site, sensors, FuseSettings(**settings))

    def report(
        self,
        t: float,
        enu: tuple[float, float, float],
        *,
        name: str | None = "1588E040445AC004418",
        velocity: tuple[float, float, float] | None = None,
        sensor: str = "rid",
        sigma: float | None = 10.0,
        emitter: str | None = None,
        datum: str | None = "wgs84-ellipsoid",
        **extra: Any,
    ) -> Detection:
        """A broadcast position; ``datum`` None leaves the height out."""
        lat, lon, alt = self.frame.to_geodetic(*(float(v) for v in enu))
        return Detection(
            time=self.start + t,
            sensor=sensor,
            measure=Position(
                lat_deg=lat,
                lon_deg=lon,
                alt_m=None if datum is None else alt,
                alt_datum=datum,
                velocity_mps=velocity,
            ),
            sigma=None if sigma is None else Sigma(horizontal_m=sigma, vertical_m=sigma, velocity_mps=1.0),
            claim=None if name is None else Claim(scheme="remote-id-serial", id=name),
            signal=None if emitter is None else Signal(emitter=emitter),
            **extra,
        )

    def plot(
        self, t: float, enu: tuple[float, float, float], *, sensor: str = "radar", **extra: Any
    ) -> Detection:
        """A radar plot of a place, without error; the radar stands two metres above the origin."""
        e, n, u = float(enu[0]), float(enu[1]), float(enu[2]) - 2.0
        return Detection(
            time=self.start + t,
            sensor=sensor,
            measure=RangeBearing(
                range_m=math.hypot(e, n, u),
                azimuth_deg=math.degrees(math.atan2(e, n)),
                elevation_deg=math.degrees(math.atan2(u, math.hypot(e, n))),
            ),
            sigma=Sigma(range_m=5.0, azimuth_deg=0.5, elevation_deg=1.0),
            **extra,
        )

    def air(
        self,
        t: float,
        enu: tuple[float, float, float],
        velocity: tuple[float, float, float] | None = None,
        *,
        name: str | None = "4ca123",
        sensor: str = "adsb",
        datum: str | None = "barometric",
        transport: str | None = "1090es",
        beliefs: dict[str, float] | None = None,
        **extra: Any,
    ) -> Detection:
        """What an aircraft says of itself; with the datum `barometric` the height is exact all the same."""
        lat, lon, alt = self.frame.to_geodetic(*(float(v) for v in enu))
        return Detection(
            time=self.start + t,
            sensor=sensor,
            measure=Position(
                lat_deg=lat,
                lon_deg=lon,
                alt_m=None if datum is None else alt,
                alt_datum=datum,
                velocity_mps=velocity,
            ),
            sigma=Sigma(horizontal_m=15.0),
            claim=None if name is None else Claim(scheme="icao", id=name),
            beliefs={"aircraft": 0.9} if beliefs is None else beliefs,
            signal=None if transport is None else Signal(transport=transport),
            **extra,
        )

    def feed(self, tracker: Tracker, detections: Iterable[Detection], latency: float = 0.05) -> Frame:
        """Feed detections one by one as they come; returns the frame at the end."""
        at = -math.inf
        for detection in detections:
            at = max(at, detection.time + latency)
            tracker.add([detection], at)
        return tracker.frame(at)

    def covariance(self, track: Any) -> np.ndarray:
        """The full 6 x 6 covariance of a track."""
        full = np.zeros((6, 6))
        full[np.triu_indices(6)] = track.covariance
        return full + np.triu(full, 1).T


@pytest.fixture(scope="session")
def world() -> World:
    warm()
    return World()
