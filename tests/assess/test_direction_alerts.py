"""One direction finder and nothing else: who is near it is told, through the whole core."""

import math

import pytest

from vedette.core import Core
from vedette.geo import LocalFrame
from vedette.model import Detection, Event, SensorProfile, Site, UnitReport
from vedette.model.detection import Bearing
from vedette.model.event import Configure, Deliver, DetectionBatch, Tick
from vedette.model.site import SensorSigma

BASE = 1_700_000_000.0
SITE = Site(name="ridge", lat_deg=31.5, lon_deg=-110.9, alt_m=1200.0, alt_datum="wgs84-ellipsoid")
FINDER = SensorProfile(
    id="finder",
    type="direction-finder",
    lat_deg=SITE.lat_deg,
    lon_deg=SITE.lon_deg,
    alt_m=SITE.alt_m + 5.0,
    alt_datum="wgs84-ellipsoid",
    period_s=1.0,
    detection_probability=0.9,
    clutter_per_scan=0.1,
    range_m=(0.0, 5000.0),
    azimuth_deg=(0.0, 360.0),
    sigma=SensorSigma(azimuth_deg=1.0),
)


def delivered(sensors: tuple[SensorProfile, ...], azimuth_of: object, seconds: int = 20) -> list[Deliver]:
    core = Core(Configure(site=SITE, sensors=sensors))
    lat, lon, alt = LocalFrame(SITE.lat_deg, SITE.lon_deg, SITE.alt_m).to_geodetic(60.0, -40.0, 0.0)
    report = UnitReport(
        time=BASE, unit="post", lat_deg=lat, lon_deg=lon, alt_m=alt, alt_datum="wgs84-ellipsoid",
        sigma_m=5.0, mobility="post",
    )  # fmt: skip
    bodies: list[tuple[float, object]] = [(BASE, report)]
    for second in range(seconds):
        at = BASE + second
        measure = Bearing(azimuth_deg=azimuth_of(second))  # type: ignore[operator]
        heard = Detection(time=at, received=at, sensor="finder", scan=second, measure=measure)
        bodies.append((at, DetectionBatch(feed="finder", detections=(heard,))))
        bodies += [(at + tenth / 10.0, Tick()) for tenth in range(10)]
    intents = []
    for seq, (at, body) in enumerate(bodies, 1):
        intents += core.step(Event(seq, at, body))  # type: ignore[arg-type]
    return [intent for intent in intents if isinstance(intent, Deliver)]


def steady(second: int) -> float:
    return 40.0 + 0.3 * math.sin(second)


def test_a_steady_bearing_of_one_finder_reaches_the_people_near_it() -> None:
    told = delivered((FINDER,), steady)
    assert told, "a direction without a place must be warned of"
    first = told[0].alert
    assert first.units == ("post",)
    assert first.behaviour == "direction-only"
    assert first.range_m is None
    assert first.bearing_deg == pytest.approx(40.0, abs=15.0)
    assert first.time - BASE <= 6.0
    assert "distance unknown" in first.text["en"]


def test_one_message_and_not_one_a_second() -> None:
    assert len(delivered((FINDER,), steady, 40)) <= 3
