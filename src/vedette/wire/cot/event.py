"""The CoT event as a frozen struct, and the one error of this room."""

from msgspec import Struct

from vedette.wire.errors import WireError


class CotError(WireError):
    """An event that cannot be used.

    ``reason`` is a short code to count by; the message says what is wrong and where. ``data`` holds
    the offending bytes as far as they were kept, for a length and a hash, never to be stored.
    """

    def __init__(self, reason: str, message: str, data: bytes = b"") -> None:
        super().__init__(reason, message)
        self.data = data


class Link(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``detail/link``: ``relation`` "p-p" names the author of an event, or the object of a deletion."""

    uid: str
    type: str = ""
    relation: str = ""
    parent_callsign: str | None = None


class Destination(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``detail/marti/dest``: to whom a server must pass the event on, and to nobody else."""

    callsign: str | None = None
    uid: str | None = None


class Chat(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``detail/__chat``, or ``detail/__chatreceipt`` when ``receipt`` is true.

    ``id`` is the uid of the addressed person or room, ``chatroom`` its name as shown; ``uid0`` and
    ``uid1`` of ``chatgrp`` are the sender and the addressee.
    """

    chatroom: str = ""
    id: str = ""
    sender_callsign: str = ""
    message_id: str | None = None
    parent: str = "RootContactGroup"
    group_owner: bool = False
    uid0: str | None = None
    uid1: str | None = None
    receipt: bool = False


class Remarks(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``detail/remarks``; ``time`` is Unix seconds."""

    text: str
    source: str | None = None
    to: str | None = None
    time: float | None = None


class Emergency(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``detail/emergency``: an officer's own alarm, or its cancellation."""

    type: str = ""
    cancel: bool = False
    text: str = ""


class Takv(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``detail/takv``: the program behind a contact. Servers know a contact by it."""

    platform: str = ""
    version: str = ""
    device: str = ""
    os: str = ""


class SensorView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``detail/sensor``: where a sensor looks (MITRE sensor schema 0.6).

    ``azimuth_deg`` from true north and ``elevation_deg`` up are the centre of the view, ``fov_deg`` and
    ``vfov_deg`` its full width and height, edge to edge. ``range_m``: by the schema the distance to the
    object in the centre; many clients write the length of the wedge they draw.
    """

    azimuth_deg: float | None = None
    elevation_deg: float | None = None
    fov_deg: float | None = None
    vfov_deg: float | None = None
    range_m: float | None = None


class ProtocolControl(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``detail/TakControl``: which TAK protocol versions a server offers (``t-x-takp-v``), which one a
    client asks for (``t-x-takp-q``), and whether it is granted (``t-x-takp-r``)."""

    offered: tuple[int, ...] = ()
    requested: int | None = None
    granted: bool | None = None


class CotEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One CoT event.

    ``time``, ``start``, ``stale``: Unix seconds (UTC), written to the millisecond. ``lat_deg``,
    ``lon_deg``: WGS-84. ``hae_m``: height above the WGS-84 ellipsoid. ``ce_m``, ``le_m``: one-sigma
    circular and linear error (MITRE base-event schema, ``point``). What the sender does not know
    (9999999.0 on the wire) is None. ``course_deg`` from true north. ``speed_mps`` is the whole speed if
    ``slope_deg`` (of the motion, up from the horizontal) is given, else as a rule that along the ground
    (MITRE track schema, ``speed``).
    ``ignored`` counts the children of ``detail`` that this codec does not read.
    """

    uid: str
    type: str
    time: float
    start: float
    stale: float
    how: str
    lat_deg: float
    lon_deg: float
    hae_m: float | None = None
    ce_m: float | None = None
    le_m: float | None = None
    callsign: str | None = None
    endpoint: str | None = None
    team: str | None = None
    role: str | None = None
    takv: Takv | None = None
    course_deg: float | None = None
    speed_mps: float | None = None
    slope_deg: float | None = None
    sensor: SensorView | None = None
    protocol: ProtocolControl | None = None
    links: tuple[Link, ...] = ()
    destinations: tuple[Destination, ...] = ()
    chat: Chat | None = None
    remarks: Remarks | None = None
    emergency: Emergency | None = None
    user_icon: bool = False
    force_delete: bool = False
    ignored: int = 0
