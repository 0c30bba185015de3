"""CoT XML -> `CotEvent`, for bytes that anybody may have sent.

No entity is resolved, no document type accepted, nothing is fetched; size and depth are bounded.
"""

import math
import re
from typing import Any

from lxml import etree

from vedette.wire.cot.event import (
    Chat,
    CotError,
    CotEvent,
    Destination,
    Emergency,
    Link,
    ProtocolControl,
    Remarks,
    SensorView,
    Takv,
)
from vedette.wire.cot.values import decimal, known, unix_seconds

MAX_EVENT_BYTES = 64 * 1024
MAX_DEPTH = 32
MAX_UID = 256
MAX_DESTINATIONS = 256
MAX_VERSIONS = 16

_TYPE = re.compile(r"\w{1,64}(-\w{1,64}){0,31}(;[^;]{0,64})?", re.ASCII)
_VERSION = re.compile(r"\d{1,9}", re.ASCII)
_LOWEST_M, _HIGHEST_M = -1000.0, 100_000.0
"""A height outside is a sender's private code for "unknown", not a height."""


def read_event(data: bytes) -> CotEvent:
    """One event. Raises CotError with one of the reasons: too-large, document-type, not-xml,
    not-an-event, too-deep, missing-uid, bad-uid, bad-type, missing-point, bad-position, bad-point,
    bad-time, stale-before-start.
    """
    try:
        return event_of(_root(data))
    except CotError as error:
        error.data = data[:MAX_EVENT_BYTES]
        raise


def parse(data: bytes) -> etree._Element:
    """The root element of a piece of XML. Raises CotError: too-large, document-type, not-xml."""
    if len(data) > MAX_EVENT_BYTES:
        raise CotError("too-large", f"the event has {len(data)} bytes; at most {MAX_EVENT_BYTES} are read")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise CotError("document-type", "the event declares a document type or an entity; none is accepted")
    try:
        return etree.fromstring(data, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise CotError("not-xml", f"the event is not well-formed XML: {error}") from None


def _root(data: bytes) -> etree._Element:
    root = parse(data)
    if root.tag != "event":
        raise CotError("not-an-event", f"the root element is {str(root.tag)[:64]!r}, not 'event'")
    return root


def _parser() -> etree.XMLParser:
    """A fresh parser each time: a parser that is shared keeps names of strangers for good."""
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _check_depth(root: etree._Element) -> None:
    level = [root]
    for _ in range(MAX_DEPTH):
        level = [child for element in level for child in element]
        if not level:
            return
    raise CotError("too-deep", f"elements are nested more than {MAX_DEPTH} deep")


def event_of(root: etree._Element) -> CotEvent:
    """The event that an element tree says; raises CotError as `read_event` does."""
    _check_depth(root)
    uid, kind = _uid(root), _type(root)
    time, start, stale = (_time(root, name) for name in ("time", "start", "stale"))
    if stale < start:
        raise CotError("stale-before-start", f"the event ends {start - stale:.3f} s before it starts")
    point = root.find("point")
    if point is None:
        raise CotError("missing-point", "the event has no point")
    lat_deg, lon_deg = _position(point)
    detail = root.find("detail")
    return CotEvent(
        uid=uid,
        type=kind,
        time=time,
        start=start,
        stale=stale,
        how=root.get("how") or "",
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        hae_m=_height(point),
        ce_m=_spread(point, "ce"),
        le_m=_spread(point, "le"),
        **({} if detail is None else _detail(detail)),
    )


def _uid(root: etree._Element) -> str:
    uid = (root.get("uid") or "").strip()
    if not uid:
        raise CotError("missing-uid", "the event has no uid")
    if len(uid) > MAX_UID or not uid.isprintable():
        raise CotError("bad-uid", f"the uid is longer than {MAX_UID} characters or not printable")
    return uid


def _type(root: etree._Element) -> str:
    kind = root.get("type") or ""
    if _TYPE.fullmatch(kind) is None:
        raise CotError("bad-type", f"the type {kind[:64]!r} is not a CoT type")
    return kind


def _time(root: etree._Element, name: str) -> float:
    seconds = unix_seconds(root.get(name))
    if seconds is None:
        raise CotError("bad-time", f"{name}={(root.get(name) or '')[:40]!r} is not a time")
    return seconds


def _position(point: etree._Element) -> tuple[float, float]:
    lat, lon = decimal(point.get("lat")), decimal(point.get("lon"))
    if lat is None or lon is None or abs(lat) > 90.0 or abs(lon) > 180.0:
        shown = f"lat={(point.get('lat') or '')[:24]!r}, lon={(point.get('lon') or '')[:24]!r}"
        raise CotError("bad-position", f"{shown} is not a position on Earth")
    return lat, lon


def _number(point: etree._Element, name: str) -> float | None:
    text = point.get(name)
    number = decimal(text)
    if text is not None and number is None:
        raise CotError("bad-point", f"{name}={text[:24]!r} is not a number")
    return known(number)


def _height(point: etree._Element) -> float | None:
    hae = _number(point, "hae")
    return hae if hae is not None and _LOWEST_M <= hae <= _HIGHEST_M else None


def _spread(point: etree._Element, name: str) -> float | None:
    """An error below zero is a sender's private "unknown"."""
    spread = _number(point, name)
    return spread if spread is not None and spread >= 0.0 else None


_READ = frozenset(
    {
        "contact", "track", "__group", "takv", "link", "marti", "__chat", "__chatreceipt", "remarks",
        "emergency", "usericon", "__forcedelete", "sensor", "TakControl",
    }
)  # fmt: skip


def _detail(detail: etree._Element) -> dict[str, Any]:
    contact, group = detail.find("contact"), detail.find("__group")
    track = detail.find("track")
    course, speed = _motion(track)
    return {
        "callsign": _attribute(contact, "callsign"),
        "endpoint": _attribute(contact, "endpoint"),
        "team": _attribute(group, "name"),
        "role": _attribute(group, "role"),
        "takv": _takv(detail.find("takv")),
        "course_deg": course,
        "speed_mps": speed,
        "slope_deg": _within(track, "slope", -90.0, 90.0),
        "sensor": _sensor(detail.find("sensor")),
        "protocol": _protocol(detail.find("TakControl")),
        "links": _links(detail),
        "destinations": _destinations(detail.find("marti")),
        "chat": _chat(detail),
        "remarks": _remarks(detail.find("remarks")),
        "emergency": _emergency(detail.find("emergency")),
        "user_icon": detail.find("usericon") is not None,
        "force_delete": detail.find("__forcedelete") is not None,
        "ignored": sum(1 for child in detail if child.tag not in _READ),
    }


def _attribute(element: etree._Element | None, name: str) -> str | None:
    """The attribute, None when it is missing or blank."""
    text = None if element is None else element.get(name)
    return text if text is not None and text.strip() else None


def _motion(track: etree._Element | None) -> tuple[float | None, float | None]:
    if track is None:
        return None, None
    course, speed = decimal(track.get("course")), decimal(track.get("speed"))
    return _turned(course), speed if speed is not None and 0.0 <= speed < 3000.0 else None


def _turned(angle_deg: float | None) -> float | None:
    return None if angle_deg is None else math.fmod(math.fmod(angle_deg, 360.0) + 360.0, 360.0)


def _within(element: etree._Element | None, name: str, lowest: float, highest: float) -> float | None:
    """The number, None if it is missing or cannot be one."""
    number = None if element is None else decimal(element.get(name))
    return number if number is not None and lowest <= number <= highest else None


def _sensor(sensor: etree._Element | None) -> SensorView | None:
    """A view of no width or height is one that the sender does not know."""
    if sensor is None:
        return None
    return SensorView(
        azimuth_deg=_turned(decimal(sensor.get("azimuth"))),
        elevation_deg=_within(sensor, "elevation", -90.0, 90.0),
        fov_deg=_within(sensor, "fov", 0.0, 360.0) or None,
        vfov_deg=_within(sensor, "vfov", 0.0, 360.0) or None,
        range_m=_within(sensor, "range", 0.0, 999_998.0) or None,
    )


def _protocol(control: etree._Element | None) -> ProtocolControl | None:
    if control is None:
        return None
    offers = (_version(offer) for offer in control.findall("TakProtocolSupport")[:MAX_VERSIONS])
    request, response = control.find("TakRequest"), control.find("TakResponse")
    status = None if response is None else (response.get("status") or "").strip().lower()
    return ProtocolControl(
        offered=tuple(version for version in offers if version is not None),
        requested=None if request is None else _version(request),
        granted={"true": True, "false": False}.get(status or ""),
    )


def _version(element: etree._Element) -> int | None:
    text = element.get("version") or ""
    return int(text) if _VERSION.fullmatch(text) else None


def _takv(takv: etree._Element | None) -> Takv | None:
    if takv is None:
        return None
    return Takv(**{name: takv.get(name) or "" for name in ("platform", "version", "device", "os")})


def _links(detail: etree._Element) -> tuple[Link, ...]:
    """Links without a uid (the corners of a drawing) are geometry, not relations."""
    return tuple(
        Link(
            uid=link.get("uid") or "",
            type=link.get("type") or "",
            relation=link.get("relation") or "",
            parent_callsign=_attribute(link, "parent_callsign"),
        )
        for link in detail.findall("link")
        if _attribute(link, "uid")
    )


def _destinations(marti: etree._Element | None) -> tuple[Destination, ...]:
    if marti is None:
        return ()
    named = (
        Destination(callsign=_attribute(dest, "callsign"), uid=_attribute(dest, "uid"))
        for dest in marti.findall("dest")[:MAX_DESTINATIONS]
    )
    return tuple(destination for destination in named if destination != Destination())


def _chat(detail: etree._Element) -> Chat | None:
    receipt = detail.find("__chatreceipt")
    chat = detail.find("__chat") if receipt is None else receipt
    if chat is None:
        return None
    group = chat.find("chatgrp")
    return Chat(
        chatroom=chat.get("chatroom") or "",
        id=chat.get("id") or "",
        sender_callsign=chat.get("senderCallsign") or "",
        message_id=_attribute(chat, "messageId"),
        parent=chat.get("parent") or "",
        group_owner=chat.get("groupOwner") == "true",
        uid0=_attribute(group, "uid0"),
        uid1=_attribute(group, "uid1"),
        receipt=receipt is not None,
    )


def _remarks(remarks: etree._Element | None) -> Remarks | None:
    if remarks is None:
        return None
    return Remarks(
        text=_text(remarks),
        source=_attribute(remarks, "source"),
        to=_attribute(remarks, "to"),
        time=unix_seconds(remarks.get("time")),
    )


def _text(element: etree._Element) -> str:
    return "".join(str(part) for part in element.itertext())


def _emergency(emergency: etree._Element | None) -> Emergency | None:
    if emergency is None:
        return None
    return Emergency(
        type=emergency.get("type") or "",
        cancel=(emergency.get("cancel") or "").lower() == "true",
        text=_text(emergency),
    )
