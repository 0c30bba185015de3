"""What goes wrong in the field, done to what an encounter's sensors said: each trouble by itself.

None of them touches what really happened. What is drawn is drawn from the encounter's own number.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

from msgspec.structs import replace
from numpy.random import PCG64, Generator, SeedSequence

from vedette.evaluate.campaign.items import Item, Trouble
from vedette.model import Detection, Position, RangeBearing, SensorProfile, UnitReport
from vedette.model.detection import ObjectClass

LOST_SHARE = 0.1
CLOCK_OFF_S = 1.0
SPEED_SHARE = 0.75

WORDS: dict[Trouble, str] = {
    "none": "as planned",
    "sensor-lost": "the sensor that says most is dead",
    "rf-denied": "no radio is heard: no Remote ID, no direction finder",
    "messages-lost": f"{LOST_SHARE:.0%} of all messages are lost, of sensors and of phones",
    "clock-off": f"the busiest sensor's clock is {CLOCK_OFF_S:.0f} s behind",
    "detection-overstated": "sensors miss four times as often as their data sheets say",
    "speed-misread": f"all measured speeds are {1.0 - SPEED_SHARE:.0%} too low",
    "class-misread": "the classifiers are wrong: drones are called birds, birds and aircraft drones",
}

TROUBLES: tuple[Trouble, ...] = tuple(WORDS)

T = TypeVar("T")

_RADIO_SCHEMES = frozenset({"remote-id-serial", "remote-id-session", "caa-registration", "dji-serial"})


Said = tuple[tuple[SensorProfile, ...], list[Detection], list[UnitReport]]
"""What a station is told: (profiles, detections in order of arrival, reports in order of time)."""


def troubled(item: Item, said: Said) -> Said:
    """What the station is told when the item's trouble is on."""
    profiles, detections, reports = said
    match item.trouble:
        case "none":
            return said
        case "sensor-lost":
            gone = _busiest(detections)
            return (profiles, [one for one in detections if one.sensor != gone], reports)
        case "rf-denied":
            deaf = {one.id for one in profiles if one.type == "direction-finder"}
            return (profiles, [one for one in detections if not _by_radio(one, deaf)], reports)
        case "messages-lost":
            return (profiles, _thinned(item, "sensors", detections), _thinned(item, "units", reports))
        case "clock-off":
            late = _busiest(detections)
            return (profiles, [_behind(one) if one.sensor == late else one for one in detections], reports)
        case "detection-overstated":
            return (tuple(_praised(one) for one in profiles), detections, reports)
        case "speed-misread":
            return (profiles, [_slowed(one) for one in detections], reports)
        case "class-misread":
            return (profiles, [_misnamed(one) for one in detections], reports)


def _busiest(detections: Iterable[Detection]) -> str | None:
    counts = Counter(one.sensor for one in detections)
    return min(counts, key=lambda name: (-counts[name], name), default=None)


def _by_radio(detection: Detection, finders: set[str]) -> bool:
    claim = detection.claim
    return detection.sensor in finders or (claim is not None and claim.scheme in _RADIO_SCHEMES)


def _thinned(item: Item, what: str, rows: list[T]) -> list[T]:
    kept = _generator(item, what).random(len(rows)) >= LOST_SHARE
    return [row for row, keep in zip(rows, kept.tolist(), strict=True) if keep]


def _generator(item: Item, what: str) -> Generator:
    text = f"{item.collection}/{item.index}/{item.trouble}/{what}".encode()
    words = hashlib.blake2b(text, digest_size=16).digest()
    return Generator(PCG64(SeedSequence(int.from_bytes(words, "little"))))


def _behind(detection: Detection) -> Detection:
    arrived = detection.time if detection.received is None else detection.received
    return replace(detection, time=detection.time - CLOCK_OFF_S, received=arrived)


def _praised(profile: SensorProfile) -> SensorProfile:
    missed = 1.0 - profile.detection_probability
    return replace(profile, detection_probability=1.0 - missed / 4.0)


def _slowed(detection: Detection) -> Detection:
    measure = detection.measure
    if isinstance(measure, Position) and measure.velocity_mps is not None:
        east, north, up = measure.velocity_mps
        slow = (east * SPEED_SHARE, north * SPEED_SHARE, up * SPEED_SHARE)
        return replace(detection, measure=replace(measure, velocity_mps=slow))
    if isinstance(measure, RangeBearing) and measure.range_rate_mps is not None:
        return replace(
            detection, measure=replace(measure, range_rate_mps=measure.range_rate_mps * SPEED_SHARE)
        )
    return detection


def _misnamed(detection: Detection) -> Detection:
    """The belief in the likeliest class and that in the wrong one change places."""
    beliefs = detection.beliefs
    if not beliefs:
        return detection
    likeliest = min(beliefs, key=lambda name: (-beliefs[name], name))
    wrong: ObjectClass = "fpv" if likeliest in ("bird", "aircraft") else "bird"
    turned = {**beliefs, likeliest: beliefs.get(wrong, 0.0), wrong: beliefs[likeliest]}
    return replace(detection, beliefs=turned)
