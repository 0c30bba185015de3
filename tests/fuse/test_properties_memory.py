"""What the tracker keeps does not grow with time: hours of clutter, of false names and of aircraft.

The suite runs a part of an hour; `make nightly` runs a day (VEDETTE_CLUTTER_HOURS=24) and looks at each hour.
"""

import gc
import math
import os
import random
import tracemalloc

import numpy as np

from vedette.fuse import Tracker
from vedette.model import Bearing, Claim, Detection, Position, RangeBearing, SensorProfile, Signal, Site

START = 1_700_000_000.0
HOURS = float(os.environ.get("VEDETTE_CLUTTER_HOURS", "0.3"))
PARTS = max(int(HOURS), 6)
"""How often memory is looked at: each hour of a day."""
EVERY_S = 12
"""How often the tracks are counted, of which chance makes more or fewer."""
PLACE = {"lat_deg": 40.4, "lon_deg": -3.7, "alt_m": 652.0, "alt_datum": "wgs84-ellipsoid"}
SITE = Site(name="post", lat_deg=40.4, lon_deg=-3.7, alt_m=650.0, alt_datum="wgs84-ellipsoid")
SENSORS = (
    SensorProfile(
        id="radar", type="radar-3d", **PLACE, period_s=1.0, detection_probability=0.9,
        clutter_per_scan=10.0, range_m=(50.0, 6000.0),
    ),
    SensorProfile(id="df", type="direction-finder", **PLACE, period_s=1.0, detection_probability=0.9),
)  # fmt: skip


def second(rng: random.Random, t: int) -> list[Detection]:
    """Clutter of a radar and a direction finder, a thief of names, sensors nobody knows, an aircraft now and
    then, and for some minutes of each hour a drone."""
    time = START + t
    out = [
        Detection(
            time=time, sensor="radar", scan=t,
            measure=RangeBearing(
                range_m=rng.uniform(60.0, 5900.0), azimuth_deg=rng.uniform(0.0, 360.0),
                elevation_deg=rng.uniform(0.0, 20.0),
            ),
        )
        for _ in range(rng.randint(5, 15))
    ]  # fmt: skip
    out += [Detection(time=time, sensor="df", measure=Bearing(azimuth_deg=rng.uniform(0, 360)), scan=t)]
    place = Position(lat_deg=40.4 + rng.uniform(-0.02, 0.02), lon_deg=-3.7 + rng.uniform(-0.02, 0.02))
    if t % 3 == 0:
        claim = Claim(scheme="remote-id-serial", id=f"N{rng.getrandbits(40)}")
        out.append(Detection(time=time, sensor=f"x{rng.getrandbits(20)}", measure=place, claim=claim))
    if t % 5 == 0:
        signal, claim = Signal(transport="1090es"), Claim(scheme="icao", id=f"{rng.getrandbits(24):06x}")
        out.append(Detection(time=time, sensor="adsb", measure=place, claim=claim, signal=signal))
    if t % 3600 < 300:
        far, azimuth = 1500.0 + 3.0 * (t % 300), math.degrees(0.002 * t) % 360.0
        drone = RangeBearing(range_m=far, azimuth_deg=azimuth, elevation_deg=4.0)
        out.append(Detection(time=time, sensor="radar", measure=drone, scan=t))
    return out


def kept() -> tuple[int, int]:
    """Objects that the collector knows, and bytes allocated."""
    gc.collect()
    return len(gc.get_objects()), tracemalloc.get_traced_memory()[0]


def test_hours_of_clutter_and_false_names_leave_no_more_than_minutes_do() -> None:
    tracker, rng = Tracker(SITE, SENSORS), random.Random(7)
    seconds = int(HOURS * 3600)
    # Their room is made before, so that the test's own notes do not count.
    marks, whole = np.zeros((seconds // EVERY_S + 1, 2)), []
    tracemalloc.start()
    try:
        for t in range(seconds):
            tracker.add(second(rng, t), START + t + 0.05)
            if t % EVERY_S == 0:
                marks[t // EVERY_S] = tracker.held, len(tracker.state())
            if t % (seconds // PARTS) == 0:
                whole.append(kept())
    finally:
        tracemalloc.stop()
    half = len(marks) // 2
    assert (marks[half:].mean(axis=0) <= 1.25 * marks[10:half].mean(axis=0)).all(), marks
    parts = np.array(whole[1:], float)
    third = len(parts) // 3
    assert (parts[-third:].mean(axis=0) <= 1.01 * parts[:third].mean(axis=0)).all(), whole
    assert len(tracker.counts) < 40
