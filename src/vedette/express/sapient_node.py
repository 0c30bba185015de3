"""The station as a SAPIENT node: its identifiers, and what all its messages share. Pure.

Identifiers are ULIDs. Those of objects and alerts are made from the station's secret and the id that
the station itself uses, so that they stay the same for the life of the thing and over a restart, and
tell nothing; the part of a ULID that is a time is zero in them, since they name no moment.
"""

import hashlib

from google.protobuf.timestamp_pb2 import Timestamp
from msgspec import Struct
from sapient_msg.bsi_flex_335_v2_0 import location_pb2 as location_proto

from vedette.model import Site
from vedette.model.detection import AltitudeDatum
from vedette.wire.sapient import SapientMessage

DEFAULT_MODE, EXERCISE_MODE = "Default", "Exercise"
CLAIM, AGE, TRUST, EXERCISE = "claimedIdentity", "secondsSinceDetection", "trust", "exercise"
TRUST_REASON = "trustReason"
"""Types of the entries of object_info and track_info."""

AIR, ANIMAL, UNKNOWN = "Air Vehicle", "Animal", "Unknown"
ROTARY, FIXED, BIRD = "UAV Rotary Wing", "UAV Fixed Wing", "Bird"
MANNED_ROTARY, MANNED_FIXED = "Manned Rotary Wing", "Manned Fixed Wing"
TAXONOMY = {AIR: (ROTARY, FIXED, MANNED_ROTARY, MANNED_FIXED), ANIMAL: (BIRD,), UNKNOWN: ()}
"""The classes that are used, of the taxonomy in BSI Flex 335 v2.0."""

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DATUMS: dict[AltitudeDatum, location_proto.LocationDatum] = {
    "wgs84-ellipsoid": location_proto.LOCATION_DATUM_WGS84_E,
    "egm96": location_proto.LOCATION_DATUM_WGS84_G,
}


class Node(Struct, frozen=True, kw_only=True):
    """The station as a node. ``key`` makes the identifiers; ``exercise``: what it reports is not real."""

    id: str
    name: str
    site: Site
    key: bytes
    status_s: float = 5.0
    version: str = ""
    exercise: bool = False

    @property
    def mode(self) -> str:
        """The mode that the station is in, by its registered name."""
        return EXERCISE_MODE if self.exercise else DEFAULT_MODE


def node_id(secret: bytes) -> str:
    """The station's UUID: the same as long as ``secret`` is (RFC 9562, 5.4: version and variant set)."""
    digits = bytearray(_digest(secret, "node", b"")[:16])
    digits[6] = digits[6] & 0x0F | 0x40
    digits[8] = digits[8] & 0x3F | 0x80
    text = digits.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def object_id(key: bytes, track: str) -> str:
    """The ULID of a track, for its whole life."""
    return _ulid(0, _digest(key, "object", track.encode()))


def alert_id(key: bytes, alert: str) -> str:
    """The ULID of an alert, for all its revisions."""
    return _ulid(0, _digest(key, "alert", alert.encode()))


def datum_of(site: Site) -> location_proto.LocationDatum:
    """What the site's heights count from. One is mandatory: where the standard has no name for the
    site's own, it is the ellipsoid, and no height is given that it could be wrong for."""
    return _DATUMS.get(site.alt_datum, location_proto.LOCATION_DATUM_WGS84_E)


def put_place(
    place: location_proto.Location, site: Site, lon_deg: float, lat_deg: float, alt_m: float | None
) -> None:
    """Fill in a place; ``alt_m`` in the site's datum, left out if the standard has no name for that."""
    place.x, place.y = lon_deg, lat_deg
    place.coordinate_system = location_proto.LOCATION_COORDINATE_SYSTEM_LAT_LNG_DEG_M
    place.datum = datum_of(site)
    if alt_m is not None and site.alt_datum in _DATUMS:
        place.z = alt_m


def report_id(node: Node, message: SapientMessage, at_wall: float) -> str:
    """Fresh for every report: its time, and a digest of all that it says."""
    digest = _digest(node.key, "report", message.SerializeToString(deterministic=True))
    return _ulid(max(int(at_wall * 1000.0), 0), digest)


def new_message(node: Node, at_wall: float, to: str | None = None) -> SapientMessage:
    """A message without content, sent at ``at_wall`` (Unix seconds), to one node if ``to`` names it."""
    message = SapientMessage(node_id=node.id)
    put_time(message.timestamp, at_wall)
    if to is not None:
        message.destination_id = to
    return message


def put_time(stamp: Timestamp, at_wall: float) -> None:
    """Unix seconds, to the microsecond."""
    seconds, microseconds = divmod(round(at_wall * 1e6), 1_000_000)
    stamp.seconds, stamp.nanos = seconds, microseconds * 1000


def _digest(key: bytes, kind: str, content: bytes) -> bytes:
    secret = hashlib.blake2b(key).digest()
    return hashlib.blake2b(content, digest_size=16, key=secret, person=f"sap-{kind}".encode()).digest()


def _ulid(at_ms: int, digest: bytes) -> str:
    """48 bits of time, 80 bits of ``digest``, in Crockford's base 32 (ULID specification)."""
    number = at_ms << 80 | int.from_bytes(digest[:10], "big")
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -5, -5))
