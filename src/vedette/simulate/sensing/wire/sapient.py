"""A simulated sensor as a SAPIENT edge node (BSI Flex 335 v2.0): registration, heartbeats, detections.

A node without a tracker of its own: each plot is an object of its own, as nobody told it which plots
belong together. Scans that saw nothing and range rates have no place in the standard and are left out.
"""

import hashlib

from sapient_msg.bsi_flex_335_v2_0 import detection_report_pb2 as report_proto
from sapient_msg.bsi_flex_335_v2_0 import location_pb2 as location_proto
from sapient_msg.bsi_flex_335_v2_0 import range_bearing_pb2 as polar
from sapient_msg.bsi_flex_335_v2_0 import registration_pb2 as registration_proto
from sapient_msg.bsi_flex_335_v2_0 import status_report_pb2 as status_proto

from vedette.express.sapient_node import AIR, ANIMAL, BIRD, FIXED, MANNED_FIXED, ROTARY, UNKNOWN, put_time
from vedette.model import Bearing, Detection, RangeBearing
from vedette.model.detection import ObjectClass
from vedette.simulate.sensing.beliefs import Belief
from vedette.simulate.sensing.catalogue import Acoustic, Camera, Finder, Radar
from vedette.simulate.sensing.looking import Looking
from vedette.simulate.sensing.station import Post
from vedette.simulate.sensing.way import Message
from vedette.wire.sapient import SUPPORTED_ICD_VERSIONS, SapientMessage, write_frame

STATUS_S = 5.0
MODE = "Default"
FPV = "UAV FPV"
"""An extension of the standard's taxonomy, which has no such class."""
LABELS: dict[ObjectClass, tuple[str, str]] = {
    "multirotor": (AIR, ROTARY),
    "fpv": (AIR, FPV),
    "fixed-wing": (AIR, FIXED),
    "aircraft": (AIR, MANNED_FIXED),
    "bird": (ANIMAL, BIRD),
}

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TYPES: dict[type[Looking], int] = {
    Radar: registration_proto.Registration.NODE_TYPE_RADAR,
    Finder: registration_proto.Registration.NODE_TYPE_PASSIVE_RF,
    Acoustic: registration_proto.Registration.NODE_TYPE_ACOUSTIC,
    Camera: registration_proto.Registration.NODE_TYPE_CAMERA,
}
_DEGREES = polar.RANGE_BEARING_COORDINATE_SYSTEM_DEGREES_M
_SECONDS = registration_proto.Registration.TIME_UNITS_SECONDS


class SapientSensor:
    """One node; ``seed`` makes its identifiers."""

    def __init__(self, post: Post, model: Looking, seed: int) -> None:
        self._post, self._model, self._seed = post, model, seed
        self.node_id = _uuid(self._digest("node"))

    def registration(self, at: float) -> bytes:
        """The frame of a Registration at ``at`` (Unix seconds)."""
        message = self._message(at)
        body = message.registration
        body.icd_version = SUPPORTED_ICD_VERSIONS[0]
        body.name = body.short_name = self._post.id[:16]
        body.node_definition.add(node_type=_TYPES[type(self._model)])
        body.capabilities.add(category="Detection", type=self._model.description or self._post.plan.model)
        body.status_definition.status_interval.units = _SECONDS
        body.status_definition.status_interval.value = STATUS_S
        self._define_mode(body.mode_definition.add(mode_name=MODE))
        body.config_data.add(manufacturer="Vedette simulator", model=self._post.plan.model)
        return write_frame(message)

    def status(self, at: float) -> bytes:
        """The frame of a heartbeat."""
        message = self._message(at)
        body = message.status_report
        body.report_id = self._ulid(at, "status", repr(at))
        body.system, body.info = status_proto.StatusReport.SYSTEM_OK, status_proto.StatusReport.INFO_NEW
        body.mode = MODE
        place = body.node_location
        place.x, place.y, place.z = self._post.lon_deg, self._post.lat_deg, self._post.ellipsoid_m
        place.coordinate_system = location_proto.LOCATION_COORDINATE_SYSTEM_LAT_LNG_DEG_M
        place.datum = location_proto.LOCATION_DATUM_WGS84_E
        if isinstance(self._model, Radar | Camera):
            self._put_sector(body.field_of_view.range_bearing, self._model)
        return write_frame(message)

    def reports(self, message: Message) -> list[bytes]:
        """The frames of the detections of one message."""
        found = []
        for number, detection in enumerate(message.detections):
            name = (str(message.session), str(message.scan), str(detection.time), str(number))
            if isinstance(detection.measure, RangeBearing | Bearing):
                found.append(write_frame(self._report(detection, detection.measure, name)))
        return found

    def _report(
        self, detection: Detection, measure: RangeBearing | Bearing, name: tuple[str, ...]
    ) -> SapientMessage:
        message = self._message(detection.time)
        body = message.detection_report
        body.report_id = self._ulid(detection.time, "report", *name)
        body.object_id = self._ulid(detection.time, "object", *name)
        where, sigma = body.range_bearing, detection.sigma
        where.coordinate_system, where.datum = _DEGREES, polar.RANGE_BEARING_DATUM_TRUE
        where.azimuth = measure.azimuth_deg
        if sigma is not None and sigma.azimuth_deg is not None:
            where.azimuth_error = sigma.azimuth_deg
        if measure.elevation_deg is not None:
            where.elevation = measure.elevation_deg
            if sigma is not None and sigma.elevation_deg is not None:
                where.elevation_error = sigma.elevation_deg
        if isinstance(measure, RangeBearing):
            where.range = measure.range_m
            if sigma is not None and sigma.range_m is not None:
                where.range_error = sigma.range_m
        if detection.beliefs is not None:
            _put_classes(body, detection.beliefs)
        return message

    def _define_mode(self, mode: registration_proto.Registration.ModeDefinition) -> None:
        mode.mode_type = registration_proto.Registration.MODE_TYPE_PERMANENT
        mode.settle_time.units, mode.settle_time.value = _SECONDS, 0.0
        detection = mode.detection_definition.add()
        detection.location_type.range_bearing_units = _DEGREES
        detection.location_type.range_bearing_datum = polar.RANGE_BEARING_DATUM_TRUE
        task = mode.task
        task.region_definition.region_type.append(
            registration_proto.Registration.REGION_TYPE_AREA_OF_INTEREST
        )
        area = task.region_definition.region_area.add()
        area.location_units = location_proto.LOCATION_COORDINATE_SYSTEM_LAT_LNG_DEG_M
        area.location_datum = location_proto.LOCATION_DATUM_WGS84_E

    def _put_sector(self, cone: polar.RangeBearingCone, model: Radar | Camera) -> None:
        cone.coordinate_system, cone.datum = _DEGREES, polar.RANGE_BEARING_DATUM_TRUE
        cone.azimuth = self._post.plan.facing_deg % 360.0
        cone.horizontal_extent = model.azimuth_width_deg
        cone.elevation = 0.5 * (model.elevation_from_deg + model.elevation_to_deg)
        cone.vertical_extent = model.elevation_to_deg - model.elevation_from_deg
        cone.range = model.most_range_m

    def _message(self, at: float) -> SapientMessage:
        message = SapientMessage(node_id=self.node_id)
        put_time(message.timestamp, at)
        return message

    def _ulid(self, at: float, *names: str) -> str:
        number = max(int(at * 1000.0), 0) << 80 | int.from_bytes(self._digest(*names)[:10], "big")
        return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -5, -5))

    def _digest(self, *names: str) -> bytes:
        text = "/".join((str(self._seed), self._post.id, *names)).encode()
        return hashlib.blake2b(text, digest_size=16).digest()


def _put_classes(body: report_proto.DetectionReport, beliefs: Belief) -> None:
    """Beliefs as the standard's tree: a class, and what kind of it."""
    parents: dict[str, list[tuple[str, float]]] = {AIR: [], ANIMAL: []}
    for name, share in beliefs.items():
        if name in LABELS and share > 0.0:
            parent, child = LABELS[name]
            parents[parent].append((child, share))
    for parent, children in parents.items():
        if children:
            label = body.classification.add(type=parent, confidence=sum(share for _, share in children))
            for child, share in children:
                label.sub_class.add(type=child, confidence=share, level=1)
    if beliefs.get("unknown"):
        body.classification.add(type=UNKNOWN, confidence=beliefs["unknown"])


def _uuid(digest: bytes) -> str:
    """A version 4 UUID of these bytes (RFC 9562, 5.4: version and variant set)."""
    digits = bytearray(digest)
    digits[6] = digits[6] & 0x0F | 0x40
    digits[8] = digits[8] & 0x3F | 0x80
    text = digits.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
