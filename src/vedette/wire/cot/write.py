"""`CotEvent` -> CoT XML, valid against the MITRE base-event schema."""

import math

from lxml import etree
from msgspec import structs

from vedette.wire.cot.event import (
    Chat,
    CotError,
    CotEvent,
    Destination,
    ProtocolControl,
    Remarks,
    SensorView,
)
from vedette.wire.cot.read import MAX_EVENT_BYTES
from vedette.wire.cot.values import UNKNOWN, time_text, xml_text

_LEAST_ERROR_M = 0.1
"""The smallest error that is written: one rounded to 0.0 would read as a perfect fix."""


def write_event(event: CotEvent) -> bytes:
    """UTF-8 XML without a declaration, ready for a stream. Raises CotError if the event has no valid
    XML form: position off the Earth, not finite, empty uid, time out of range, above 64 kB."""
    data = etree.tostring(tree_of(event), encoding="utf-8")
    if len(data) > MAX_EVENT_BYTES:
        raise CotError("too-large", f"the event {event.uid!r} would take {len(data)} bytes")
    return data


def tree_of(event: CotEvent) -> etree._Element:
    """The event as an element tree; raises CotError as `write_event` does, but for its size."""
    _check(event)
    try:
        root = _root(event)
        root.append(_point(event))
        root.append(_detail(event))
    except ValueError as error:
        raise CotError("bad-value", f"the event {event.uid!r} cannot be written: {error}") from None
    return root


def _check(event: CotEvent) -> None:
    if not event.uid.strip() or not event.type:
        raise CotError("missing-uid", "an event needs a uid and a type")
    if not (abs(event.lat_deg) <= 90.0 and abs(event.lon_deg) <= 180.0):
        raise CotError("bad-position", f"({event.lat_deg}, {event.lon_deg}) is not a position on Earth")
    if event.stale < event.start:
        raise CotError("stale-before-start", f"the event {event.uid!r} would end before it starts")
    optional: list[float | None] = [event.hae_m, event.ce_m, event.le_m]
    optional += [event.course_deg, event.speed_mps, event.slope_deg]
    if event.sensor is not None:
        optional += structs.astuple(event.sensor)
    if not all(number is None or math.isfinite(number) for number in optional):
        raise CotError("bad-value", f"the event {event.uid!r} holds a number that is not finite")


def _element(tag: str, **attributes: str | None) -> etree._Element:
    """An element with the attributes that are known."""
    element = etree.Element(tag)
    for name, value in attributes.items():
        if value is not None:
            element.set(name, xml_text(value))
    return element


def _root(event: CotEvent) -> etree._Element:
    return _element(
        "event",
        version="2.0",
        uid=event.uid,
        type=event.type,
        how=event.how or "m-g",
        time=time_text(event.time),
        start=time_text(event.start),
        stale=time_text(event.stale),
    )


def _point(event: CotEvent) -> etree._Element:
    return _element(
        "point",
        lat=f"{event.lat_deg:.7f}",
        lon=f"{event.lon_deg:.7f}",
        hae=f"{UNKNOWN if event.hae_m is None else event.hae_m:.1f}",
        ce=_spread(event.ce_m),
        le=_spread(event.le_m),
    )


def _spread(spread_m: float | None) -> str:
    return f"{UNKNOWN if spread_m is None else max(spread_m, _LEAST_ERROR_M):.1f}"


def _detail(event: CotEvent) -> etree._Element:
    """Children in the order ATAK writes them: chat first, addressing last."""
    detail = etree.Element("detail")
    takv = event.takv
    if takv is not None:
        detail.append(
            _element("takv", platform=takv.platform, version=takv.version, device=takv.device, os=takv.os)
        )
    if event.callsign is not None or event.endpoint is not None:
        detail.append(_element("contact", callsign=event.callsign, endpoint=event.endpoint))
    if event.team is not None or event.role is not None:
        detail.append(_element("__group", name=event.team, role=event.role))
    if event.course_deg is not None and event.speed_mps is not None:
        detail.append(_track(event.course_deg, event.speed_mps, event.slope_deg))
    if event.sensor is not None:
        detail.append(_sensor(event.sensor))
    if event.protocol is not None:
        detail.append(_protocol(event.protocol))
    if event.chat is not None:
        detail.append(_chat(event.chat))
    for link in event.links:
        detail.append(
            _element(
                "link",
                uid=link.uid,
                type=link.type,
                relation=link.relation,
                parent_callsign=link.parent_callsign,
            )
        )
    _append_texts(detail, event)
    if event.destinations:
        detail.append(_marti(event.destinations))
    return detail


def _append_texts(detail: etree._Element, event: CotEvent) -> None:
    if event.remarks is not None:
        detail.append(_remarks(event.remarks))
    if event.emergency is not None:
        emergency = _element(
            "emergency", type=event.emergency.type, cancel="true" if event.emergency.cancel else "false"
        )
        emergency.text = xml_text(event.emergency.text) or None
        detail.append(emergency)
    if event.force_delete:
        detail.append(etree.Element("__forcedelete"))


def _azimuth(angle_deg: float) -> str:
    """The schemas want 0 <= angle < 360; 359.99 must not round up to 360."""
    return f"{round(angle_deg % 360.0, 1) % 360.0:.1f}"


def _decimal(number: float | None) -> str | None:
    return None if number is None else f"{number:.1f}"


def _track(course_deg: float, speed_mps: float, slope_deg: float | None) -> etree._Element:
    return _element(
        "track", course=_azimuth(course_deg), speed=f"{max(speed_mps, 0.0):.1f}", slope=_decimal(slope_deg)
    )


def _sensor(sensor: SensorView) -> etree._Element:
    return _element(
        "sensor",
        azimuth=None if sensor.azimuth_deg is None else _azimuth(sensor.azimuth_deg),
        elevation=_decimal(sensor.elevation_deg),
        fov=_decimal(sensor.fov_deg),
        vfov=_decimal(sensor.vfov_deg),
        range=_decimal(sensor.range_m),
    )


def _protocol(protocol: ProtocolControl) -> etree._Element:
    control = etree.Element("TakControl")
    for version in protocol.offered:
        control.append(_element("TakProtocolSupport", version=str(version)))
    if protocol.requested is not None:
        control.append(_element("TakRequest", version=str(protocol.requested)))
    if protocol.granted is not None:
        control.append(_element("TakResponse", status="true" if protocol.granted else "false"))
    return control


def _chat(chat: Chat) -> etree._Element:
    element = _element(
        "__chatreceipt" if chat.receipt else "__chat",
        parent=chat.parent,
        groupOwner="true" if chat.group_owner else "false",
        messageId=chat.message_id,
        chatroom=chat.chatroom,
        id=chat.id,
        senderCallsign=chat.sender_callsign,
    )
    if chat.uid0 is not None or chat.uid1 is not None:
        element.append(_element("chatgrp", uid0=chat.uid0, uid1=chat.uid1, id=chat.id))
    return element


def _remarks(remarks: Remarks) -> etree._Element:
    time = None if remarks.time is None else time_text(remarks.time)
    element = _element("remarks", source=remarks.source, to=remarks.to, time=time)
    element.text = xml_text(remarks.text) or None
    return element


def _marti(destinations: tuple[Destination, ...]) -> etree._Element:
    marti = etree.Element("marti")
    for destination in destinations:
        marti.append(_element("dest", callsign=destination.callsign, uid=destination.uid))
    return marti
