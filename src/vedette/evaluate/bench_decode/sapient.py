"""SAPIENT DetectionReports of an edge node: bytes -> validated messages, and on to detections."""

from vedette.evaluate.bench_decode.figures import FRAMES_PER_S, START_S, Bench, Fix, fix
from vedette.evaluate.bench_decode.streams import Decode, Stream
from vedette.sense.sapient import NodeAdapter
from vedette.sense.sapient_nodes import Node
from vedette.wire.sapient import (
    SapientError,
    SapientMessage,
    SapientSplitter,
    timestamp_s,
    validate,
    write_frame,
)

MESSAGES_A_READ = 20
NODE = "0b8c1f9e-5d0c-4a53-9d6f-2f6f7a1c3e11"
FUSION = "7a3f4f0e-1b7d-4c55-8f38-6f1f2f9b0a22"
TOLERATED_S = (-0.1, 0.9)
"""Dstl's conformance window, as ``received - sent``."""
RADAR = Node(
    id=NODE,
    name="bench",
    types=("RADAR",),
    kind="radar-3d",
    interval_s=10.0,
    stated_interval_s=10.0,
    speed_units={"": 1.0},
    error_unit="deg",
    takes_requests=False,
    dependents=(),
)
_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(time_s: float, number: int) -> str:
    """A ULID: 48 bits of milliseconds and 80 bits that tell ``number`` from others (github.com/ulid/spec)."""
    value = int(time_s * 1e3) << 80 | number
    return "".join(_BASE32[value >> 5 * place & 31] for place in range(25, -1, -1))


def message(number: int) -> SapientMessage:
    """A report with what a radar's track has: place with errors, velocity, class and its sub-class."""
    at = fix(number)
    found = SapientMessage(node_id=NODE, destination_id=FUSION)
    millis = round(START_S * 1e3) + number * 1000 // FRAMES_PER_S
    found.timestamp.seconds, found.timestamp.nanos = millis // 1000, millis % 1000 * 1_000_000
    report = found.detection_report
    report.report_id, report.object_id = ulid(at.time, number), ulid(START_S, at.emitter)
    report.detection_confidence = 0.8
    _fill(report, at)
    return found


def _fill(report: SapientMessage, at: Fix) -> None:
    place, velocity = report.location, report.enu_velocity
    place.x, place.y, place.z = at.lon_deg, at.lat_deg, at.height_m
    place.x_error, place.y_error, place.z_error = 1e-4, 1e-4, 10.0
    place.coordinate_system = 1  # LAT_LNG_DEG_M
    place.datum = 1  # WGS84_E
    velocity.east_rate, velocity.north_rate, velocity.up_rate = at.speed_mps, -at.speed_mps, at.climb_mps
    kind = report.classification.add(type="Air Vehicle", confidence=0.7)
    kind.sub_class.add(type="UAV Rotary Wing", level=1, confidence=0.6)


def _read(numbers: range) -> bytes:
    return b"".join(write_frame(message(number)) for number in numbers)


def _codec() -> Decode:
    splitter = SapientSplitter()

    def decode(data: bytes, received: float) -> int:
        messages = splitter.feed(data)
        return sum(isinstance(found, SapientMessage) and not validate(found) for found in messages)

    return decode


def _adapter() -> Decode:
    splitter, node = SapientSplitter(), NodeAdapter("bench", RADAR)

    def one(found: SapientMessage | SapientError, received: float) -> bool:
        if isinstance(found, SapientError) or validate(found):
            return False
        sent = timestamp_s(found)
        if sent is None:
            return False
        node.note(sent, received)
        return node.detection(found, sent=sent, received=received, tolerated_s=TOLERATED_S) is not None

    return lambda data, received: sum([one(found, received) for found in splitter.feed(data)])


FORMS: dict[str, Bench] = {
    "sapient": Stream(read=_read, decoder=_codec, results="messages", per_read=MESSAGES_A_READ),
    "sapient-detections": Stream(read=_read, decoder=_adapter, per_read=MESSAGES_A_READ),
}
