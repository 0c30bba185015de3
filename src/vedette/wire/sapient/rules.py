"""Rules that the options of the proto files do not express, each with where it comes from.

A rule takes one message of its type and returns its faults, with paths from that message on.
"""

import re
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from vedette.wire.sapient.faults import MAX_FAULTS, Fault

Rule = Callable[[Any], Sequence[Fault]]

SUPPORTED_ICD_VERSIONS = ("BSI Flex 335 v2.0",)
"""Values of Registration.icd_version that this codec speaks, as the standard's own samples spell them."""

_UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
"""Years 1 to 9999, the range of google.protobuf.Timestamp."""

UUID_FAULT = (Fault("", "bad-uuid", "expected a version 4 UUID in lower case"),)
ULID_FAULT = (Fault("", "bad-ulid", "expected a ULID in upper case (26 characters)"),)


def is_uuid4(text: str) -> bool:
    """A version 4 UUID (RFC 9562, 5.4) in lower case, as node identifiers are written."""
    return _UUID4.fullmatch(text) is not None


def is_ulid(text: str) -> bool:
    """A ULID in upper case, as the identifiers of reports, objects, tasks and alerts are written."""
    return _ULID.fullmatch(text) is not None


def check_uuid(text: str) -> Sequence[Fault]:
    """Rule for the fields with the option is_uuid."""
    return () if is_uuid4(text) else UUID_FAULT


def check_ulid(text: str) -> Sequence[Fault]:
    """Rule for the fields with the option is_ulid."""
    return () if is_ulid(text) else ULID_FAULT


def _icd_version(registration: Any) -> Sequence[Fault]:
    """A node of another edition may mean something else by the same field number."""
    version = registration.icd_version
    if not registration.HasField("icd_version") or version in SUPPORTED_ICD_VERSIONS:
        return ()
    text = f"{version[:40]!r} is not spoken here, expected {' or '.join(SUPPORTED_ICD_VERSIONS)}"
    return (Fault("icd_version", "unsupported-version", text),)


def _dependent_nodes(registration: Any) -> Sequence[Fault]:
    """Nodes behind a node are nodes: the same identifiers, though the field carries no option."""
    wrong = (at for at, node in enumerate(registration.dependent_nodes) if not is_uuid4(node))
    return [UUID_FAULT[0].within(f"dependent_nodes[{at}]") for at in islice(wrong, MAX_FAULTS)]


def _predicted_place(predicted: Any) -> Sequence[Fault]:
    """A prediction without a place predicts nothing; the oneof lacks the option of its siblings."""
    if predicted.WhichOneof("predicted_location_oneof") is not None:
        return ()
    text = "a prediction needs one of range_bearing, location"
    return (Fault("location", "missing", text),)


def _followed_object(follow: Any) -> Sequence[Fault]:
    """An object to follow is named by the object_id of its detections, which is a ULID."""
    if not follow.follow_object_id or is_ulid(follow.follow_object_id):
        return ()
    return (ULID_FAULT[0].within("follow_object_id"),)


def _timestamp(stamp: Any) -> Sequence[Fault]:
    """timestamp.proto: years 1 to 9999, and nanoseconds that always count forward."""
    if _FIRST_SECOND <= stamp.seconds <= _LAST_SECOND and 0 <= stamp.nanos < 1_000_000_000:
        return ()
    return (Fault("", "bad-time", "expected a time in the years 1 to 9999, with 0 to 999999999 nanoseconds"),)


RULES: dict[str, tuple[Rule, ...]] = {
    "sapient_msg.bsi_flex_335_v2_0.Registration": (_icd_version, _dependent_nodes),
    "sapient_msg.bsi_flex_335_v2_0.DetectionReport.PredictedLocation": (_predicted_place,),
    "sapient_msg.bsi_flex_335_v2_0.FollowObject": (_followed_object,),
    "google.protobuf.Timestamp": (_timestamp,),
}
"""Full name of a message type -> its rules, in the order in which they are asked."""
