"""Run by test_warming.py: tracks a mixed sky after `vedette.fuse.warm`, and prints which kernels
were compiled, or loaded, only then."""

import importlib
import math
import pkgutil
import random

from numba.core.dispatcher import Dispatcher

import vedette.fuse
import vedette.terrain
from vedette.fuse import FuseSettings, Tracker, warm
from vedette.fuse.sensing.ground import Ground, ground_of
from vedette.model import Bearing, Claim, Detection, Position, RangeBearing, SensorProfile, Site
from vedette.terrain import synthesize

SECONDS, M_PER_DEG = 25, 111_195.0
SITE = Site(name="post", lat_deg=10.0, lon_deg=0.0, alt_m=700.0, alt_datum="egm96")
PLACES = {"radar": (0.0, 0.0), "left": (-800.0, 100.0), "right": (900.0, -100.0), "third": (0.0, -1500.0)}
TYPES = {
    "radar": "radar-3d",
    "left": "direction-finder",
    "right": "direction-finder",
    "third": "acoustic-array",
}


def profile(name: str) -> SensorProfile:
    east, north = PLACES[name]
    return SensorProfile(
        id=name, type=TYPES[name], lat_deg=10.0 + north / M_PER_DEG,
        lon_deg=east / M_PER_DEG / math.cos(math.radians(10.0)), alt_m=900.0, alt_datum="egm96", period_s=1.0,
        detection_probability=0.9, range_m=(20.0, 6000.0), clutter_per_scan=10.0,
    )  # fmt: skip


def sky(now: float) -> list[list[Detection]]:
    """All scans of a second, with missed bodies, false plots, names, and one that no radar sees."""
    dice, scan = random.Random(now), int(now)
    bodies = [(300.0 * k - 900.0 + 12.0 * now, 1500.0 + 200.0 * k - 9.0 * now, 120.0) for k in range(6)]
    scans = []
    for number, (name, (e, n)) in enumerate(PLACES.items()):
        seen = []
        for body, (east, north, up) in enumerate(bodies):
            if dice.random() < 0.1 or (name == "radar" and body == 5):
                continue
            azimuth = math.degrees(math.atan2(east - e, north - n)) + dice.gauss(0.0, 0.5)
            reach = math.hypot(east - e, north - n, up)
            raised = None if body == 3 else math.degrees(math.asin(up / reach))
            if name == "radar":
                measure = RangeBearing(
                    range_m=reach + dice.gauss(0.0, 5.0), azimuth_deg=azimuth % 360.0, elevation_deg=raised,
                    range_rate_mps=None if body == 2 else -8.0,
                )  # fmt: skip
            else:
                measure = Bearing(
                    azimuth_deg=azimuth % 360.0, elevation_deg=raised if name == "left" else None
                )
            seen.append(measure)
        for _ in range(8):
            azimuth = dice.uniform(0.0, 360.0)
            seen.append(
                RangeBearing(range_m=dice.uniform(100.0, 5000.0), azimuth_deg=azimuth, elevation_deg=4.0)
                if name == "radar"
                else Bearing(azimuth_deg=azimuth)
            )
        scans.append([Detection(time=now + 0.1 * number, sensor=name, measure=m, scan=scan) for m in seen])
    east, north, _ = bodies[0]
    place = Position(
        lat_deg=10.0 + north / M_PER_DEG, lon_deg=east / M_PER_DEG / 0.985, alt_m=820.0, alt_datum="egm96"
    )
    for sensor, scheme in (("rid", "remote-id-serial"), ("adsb", "icao")):
        claim = Claim(scheme=scheme, id="ABC123")
        scans.append([Detection(time=now + 0.5, sensor=sensor, measure=place, claim=claim)])
    return scans


def fly(ground: Ground | None) -> None:
    """One scan in six comes two seconds late."""
    profiles, late = tuple(map(profile, PLACES)), []
    tracker = Tracker(SITE, profiles, ground=ground)
    for second in range(SECONDS):
        for number, scan in enumerate(sky(float(second))):
            if (second + number) % 6 == 5:
                late.append(scan)
                continue
            tracker.add(scan, scan[0].time)
        if len(late) > 2:
            tracker.add(late.pop(0), second + 0.6)
        frame = tracker.frame(second + 0.6)
    assert frame.tracks
    tracker.registrations()
    Tracker.restore(SITE, profiles, FuseSettings(), tracker.state(), ground=ground)


def compiled() -> set[str]:
    """Every kernel and signature that is there."""
    found = set()
    for room in (vedette.fuse, vedette.terrain):
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            for name, kernel in vars(importlib.import_module(module.name)).items():
                if isinstance(kernel, Dispatcher):
                    found |= {f"{module.name}.{name}{signature}" for signature in kernel.signatures}
    return found


warm()
vedette.terrain.warm()
hills = synthesize("ridge", seed=2, lat_deg=10.0, lon_deg=0.0, half_extent_m=16_000.0)
before = compiled()
fly(None)
fly(ground_of(hills, SITE, tuple(map(profile, PLACES))))
print("\n".join(sorted(compiled() - before)))
