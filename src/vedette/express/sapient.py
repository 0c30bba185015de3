"""Tracks, alerts and the station's state -> SAPIENT messages (BSI Flex 335 v2.0), as a fusion node. Pure.

What a parent node gets: where things fly, how sure that is, what they may be, and how grave it is.
What it never gets: who is at risk, where they are, where a drone's operator is, who acknowledged.
That is why an alert carries words of its own: those of the alert itself name the direction and the
distance from the reader, and with the drone's place beside them they would give the reader's.
"""

import math
from typing import Literal

from msgspec import Struct
from sapient_msg.bsi_flex_335_v2_0 import alert_ack_pb2 as alert_ack_proto
from sapient_msg.bsi_flex_335_v2_0 import alert_pb2 as alert_proto
from sapient_msg.bsi_flex_335_v2_0 import detection_report_pb2 as detection_proto
from sapient_msg.bsi_flex_335_v2_0 import location_pb2 as location_proto
from sapient_msg.bsi_flex_335_v2_0 import status_report_pb2 as status_proto
from sapient_msg.bsi_flex_335_v2_0 import task_ack_pb2 as task_ack_proto

from vedette.express.sapient_node import (
    AGE,
    AIR,
    ANIMAL,
    BIRD,
    CLAIM,
    EXERCISE,
    FIXED,
    MANNED_FIXED,
    MANNED_ROTARY,
    ROTARY,
    TRUST,
    TRUST_REASON,
    UNKNOWN,
    Node,
    alert_id,
    new_message,
    object_id,
    put_place,
    put_time,
    report_id,
)
from vedette.geo import ECCENTRICITY_SQ, SEMI_MAJOR_M, LocalFrame
from vedette.model import AlarmState, Alert, Level, Site, Track
from vedette.wire.sapient import SapientMessage

LOST_S = 5.0
"""A track that was not detected for longer is reported as lost: where it is, is then a prediction."""
LOST = "lost"
MAX_PACKET_BYTES = 1024
"""Of a message that is answered with an Error, this much is returned."""

_GRAIN = 4096.0
"""Confidences are multiples of 1/4096: exact in a 32-bit float, so that shares never add up to more
than one on the other side."""
_MAX_CLAIM = 64


StatusKind = Literal["not-detecting", "internal-fault", "other"]
StatusLevel = Literal["information", "warning", "error"]


Note = tuple[StatusKind, StatusLevel, str]
"""What kind of thing, how grave, and what in words."""


class Condition(Struct, frozen=True):
    """How the station is: all that there is to say of it."""

    notes: tuple[Note, ...] = ()

    @property
    def system(self) -> status_proto.StatusReport.System:
        """The standard's one word for it: as grave as the gravest note."""
        levels = {level for _, level, _ in self.notes}
        if "error" in levels:
            return status_proto.StatusReport.SYSTEM_ERROR
        return status_proto.StatusReport.SYSTEM_WARNING if "warning" in levels else _OK


_OK = status_proto.StatusReport.SYSTEM_OK
_KINDS: dict[StatusKind, status_proto.StatusReport.StatusType] = {
    "not-detecting": status_proto.StatusReport.STATUS_TYPE_NOT_DETECTING,
    "internal-fault": status_proto.StatusReport.STATUS_TYPE_INTERNAL_FAULT,
    "other": status_proto.StatusReport.STATUS_TYPE_OTHER,
}
_LEVELS: dict[StatusLevel, status_proto.StatusReport.StatusLevel] = {
    "information": status_proto.StatusReport.STATUS_LEVEL_INFORMATION_STATUS,
    "warning": status_proto.StatusReport.STATUS_LEVEL_WARNING_STATUS,
    "error": status_proto.StatusReport.STATUS_LEVEL_ERROR_STATUS,
}


def status(node: Node, at_wall: float, condition: Condition, *, changed: bool) -> SapientMessage:
    """How the station is, and where: the origin of its picture.

    A site whose height is over neither the ellipsoid nor the geoid is reported without one; the datum
    is mandatory all the same, and says nothing without a height.
    """
    message = new_message(node, at_wall)
    body = message.status_report
    body.system = condition.system
    body.info = status_proto.StatusReport.INFO_NEW if changed else status_proto.StatusReport.INFO_UNCHANGED
    body.mode = node.mode
    site = node.site
    put_place(body.node_location, site, site.lon_deg, site.lat_deg, site.alt_m)
    for kind, level, words in condition.notes:
        body.status.add(status_type=_KINDS[kind], status_level=_LEVELS[level], status_value=words)
    body.report_id = report_id(node, message, at_wall)
    return message


def goodbye(node: Node, at_wall: float) -> SapientMessage:
    """The last report before the station leaves."""
    message = new_message(node, at_wall)
    body = message.status_report
    body.system = status_proto.StatusReport.SYSTEM_GOODBYE
    body.info = status_proto.StatusReport.INFO_NEW
    body.mode = node.mode
    body.report_id = report_id(node, message, at_wall)
    return message


def detection(node: Node, track: Track, at_wall: float, age_s: float | None = None) -> SapientMessage:
    """One confirmed track. ``age_s``: since the last detection that was used, if known.

    Raises InputError for a track that is nowhere on Earth.
    """
    message = new_message(node, at_wall)
    body = message.detection_report
    body.object_id = object_id(node.key, track.id)
    _put_track(body.location, node.site, track)
    _put_velocity(body, track)
    body.detection_confidence = _confidence(track.existence)
    _put_classes(body, track)
    if age_s is not None:
        body.track_info.add(type=AGE, value=f"{max(age_s, 0.0):.1f}")
        if age_s > LOST_S:
            body.state = LOST
    _put_claim(body, track)
    if node.exercise:
        body.object_info.add(type=EXERCISE, value="not a real object")
    body.report_id = report_id(node, message, at_wall)
    return message


def alert(node: Node, alert: Alert, track: Track | None, at_wall: float) -> SapientMessage:
    """One revision of an alert; ``track`` where the drone is now, if it is still known.

    Raises InputError for a track that is nowhere on Earth.
    """
    message = new_message(node, at_wall)
    body = message.alert
    body.alert_id = alert_id(node.key, alert.alert)
    body.alert_type, body.priority = _GRAVITY[alert.level]
    body.status = _ALERT.ALERT_STATUS_REJECT if alert.cancelled_by else _ALERT_STATES[alert.state]
    body.description = _description(alert)
    if track is not None:
        _put_track(body.location, node.site, track)
        seen = body.associated_detection.add(node_id=node.id, object_id=object_id(node.key, track.id))
        put_time(seen.timestamp, at_wall)
    return message


def task_ack(
    node: Node, at_wall: float, *, task: str, to: str, accepted: bool, reason: str
) -> SapientMessage:
    """The answer to a task."""
    message = new_message(node, at_wall, to)
    message.task_ack.task_id = task
    message.task_ack.task_status = (
        task_ack_proto.TaskAck.TASK_STATUS_ACCEPTED
        if accepted
        else task_ack_proto.TaskAck.TASK_STATUS_REJECTED
    )
    message.task_ack.reason.append(reason)
    return message


def alert_ack(node: Node, at_wall: float, *, alert: str, to: str, reason: str) -> SapientMessage:
    """The answer to an alert of another node: it came, and is shown."""
    message = new_message(node, at_wall, to)
    message.alert_ack.alert_id = alert
    message.alert_ack.alert_ack_status = alert_ack_proto.AlertAck.ALERT_ACK_STATUS_ACCEPTED
    message.alert_ack.reason.append(reason)
    return message


def error(node: Node, at_wall: float, *, packet: bytes, faults: list[str], to: str | None) -> SapientMessage:
    """The answer to a message that cannot be used; at most MAX_PACKET_BYTES of it go back."""
    message = new_message(node, at_wall, to)
    message.error.packet = packet[:MAX_PACKET_BYTES]
    message.error.error_message.extend(faults)
    return message


# Tracks --------------------------------------------------------------------------------------------


def _put_track(place: location_proto.Location, site: Site, track: Track) -> None:
    """The track's place and its one-sigma errors: x and y in degrees, as the coordinates are."""
    geoid_m = site.geoid_height_m or 0.0 if site.alt_datum == "egm96" else 0.0
    frame = LocalFrame(site.lat_deg, site.lon_deg, site.alt_m + geoid_m)
    lat_deg, lon_deg, alt_m = frame.to_geodetic(*track.enu_m)
    put_place(place, site, lon_deg, lat_deg, alt_m - geoid_m if track.height_known else None)
    east_m, north_m, up_m = (_sigma(track.covariance[at]) for at in (0, 6, 11))
    metres_x, metres_y = _metres_per_degree(lat_deg, alt_m)
    if east_m is not None and east_m <= 180.0 * metres_x:
        place.x_error = east_m / metres_x
    if north_m is not None and north_m <= 90.0 * metres_y:
        place.y_error = north_m / metres_y
    if up_m is not None and place.HasField("z"):
        place.z_error = up_m


def _metres_per_degree(lat_deg: float, alt_m: float) -> tuple[float, float]:
    """Along the parallel and along the meridian (radii of curvature of WGS-84)."""
    latitude = math.radians(lat_deg)
    flattened = 1.0 - ECCENTRICITY_SQ * math.sin(latitude) ** 2
    across_m = SEMI_MAJOR_M / math.sqrt(flattened) + alt_m
    along_m = SEMI_MAJOR_M * (1.0 - ECCENTRICITY_SQ) / flattened**1.5 + alt_m
    return math.radians(across_m * math.cos(latitude)), math.radians(along_m)


def _sigma(variance: float) -> float | None:
    return math.sqrt(variance) if math.isfinite(variance) and variance > 0.0 else None


def _put_velocity(body: detection_proto.DetectionReport, track: Track) -> None:
    if not all(math.isfinite(rate) for rate in track.velocity_mps):
        return
    velocity = body.enu_velocity
    velocity.east_rate, velocity.north_rate, up_rate = track.velocity_mps
    east, north, up = (_sigma(track.covariance[at]) for at in (15, 18, 20))
    if east is not None:
        velocity.east_rate_error = east
    if north is not None:
        velocity.north_rate_error = north
    if track.height_known:
        velocity.up_rate = up_rate
        if up is not None:
            velocity.up_rate_error = up


def _confidence(probability: float) -> float:
    """Rounded down; what is no number is no confidence."""
    return math.floor(min(probability, 1.0) * _GRAIN) / _GRAIN if probability > 0.0 else 0.0


def _put_classes(body: detection_proto.DetectionReport, track: Track) -> None:
    """Beliefs by the standard's taxonomy; what they leave open, and what is unknown, is "Unknown".

    It has manned aircraft as rotary or fixed wing only. Which of the two is not known here: each gets
    half, for a parent that were told of an air vehicle and no more could take an airliner for a drone.
    """
    total = max(1.0, math.fsum(track.beliefs.values()))
    share = {kind: _confidence(belief / total) for kind, belief in track.beliefs.items()}
    rotary = share.get("multirotor", 0.0) + share.get("fpv", 0.0)
    fixed, bird = share.get("fixed-wing", 0.0), share.get("bird", 0.0)
    manned = share.get("aircraft", 0.0)
    air = rotary + fixed + manned
    halves = (MANNED_ROTARY, manned / 2.0), (MANNED_FIXED, manned / 2.0)
    _put_class(body, AIR, air, ((ROTARY, rotary), (FIXED, fixed), *halves))
    _put_class(body, ANIMAL, bird, ((BIRD, bird),))
    _put_class(body, UNKNOWN, 1.0 - air - bird, ())


def _put_class(
    body: detection_proto.DetectionReport, kind: str, confidence: float, parts: tuple[tuple[str, float], ...]
) -> None:
    if confidence <= 0.0:
        return
    found = body.classification.add(type=kind, confidence=confidence)
    for part, share in parts:
        if share > 0.0:
            found.sub_class.add(type=part, confidence=share, level=1)


def _put_claim(body: detection_proto.DetectionReport, track: Track) -> None:
    """Who it says it is, never without how far that is believed, in one entry that cannot be torn."""
    if track.identity is not None:
        claim = "".join(letter if letter.isprintable() else "?" for letter in track.identity.id[:_MAX_CLAIM])
        trust = track.trust or "unverified"
        body.object_info.add(type=CLAIM, value=f"{trust}: {track.identity.scheme} {claim}")
    elif track.trust is not None:
        body.object_info.add(type=TRUST, value=track.trust)
    for reason in track.trust_reasons:
        body.object_info.add(type=TRUST_REASON, value=reason)


# Alerts --------------------------------------------------------------------------------------------


_ALERT = alert_proto.Alert
_GRAVITY: dict[Level, tuple[alert_proto.Alert.AlertType, alert_proto.Alert.DiscretePriority]] = {
    "imminent": (_ALERT.ALERT_TYPE_CRITICAL, _ALERT.DISCRETE_PRIORITY_HIGH),
    "warning": (_ALERT.ALERT_TYPE_WARNING, _ALERT.DISCRETE_PRIORITY_MEDIUM),
    "advisory": (_ALERT.ALERT_TYPE_INFORMATION, _ALERT.DISCRETE_PRIORITY_LOW),
    "info": (_ALERT.ALERT_TYPE_INFORMATION, _ALERT.DISCRETE_PRIORITY_LOW),
}
_ALERT_STATES: dict[AlarmState, alert_proto.Alert.AlertStatus] = {
    "active-unacked": _ALERT.ALERT_STATUS_ACTIVE,
    "active-acked": _ALERT.ALERT_STATUS_ACKNOWLEDGE,
    "returned-unacked": _ALERT.ALERT_STATUS_ACTIVE,
    "cleared": _ALERT.ALERT_STATUS_CLEAR,
}
_LEVEL_WORDS: dict[Level, str] = {
    "imminent": "IMMINENT: drone attack on people likely.",
    "warning": "WARNING: drone threatens people.",
    "advisory": "ADVISORY: drone near people.",
    "info": "INFO: drone near people.",
}
_STATE_WORDS: dict[AlarmState, str] = {
    "active-unacked": "Not acknowledged.",
    "active-acked": "Acknowledged at the site.",
    "returned-unacked": "The danger is not seen any more; not acknowledged.",
    "cleared": "This alert has ended.",
}


def _description(alert: Alert) -> str:
    """Never "clear": an alert ends, the sky is not safe for it. What is actual is not marked, whatever else
    the node is exercising."""
    ended = "A person at the site cancelled it." if alert.cancelled_by else _STATE_WORDS[alert.state]
    words = f"{_LEVEL_WORDS[alert.level]} {ended}"
    return words if alert.status == "actual" else f"{alert.status.upper()}. {words}"
