"""The payload of TAK protocol version 1: one serialised ``TakMessage``."""

from typing import Any

from google.protobuf.message import DecodeError as ProtobufError  # type: ignore[import-untyped,unused-ignore]
from lxml import etree
from msgspec import Struct
from takproto.proto import takmessage_pb2

from vedette.wire.cot import CotError, CotEvent
from vedette.wire.cot.read import event_of, parse
from vedette.wire.cot.values import UNKNOWN, known, time_text, unix_seconds
from vedette.wire.cot.write import tree_of
from vedette.wire.tak.framing import MAX_PAYLOAD_BYTES

_TYPED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("contact", "contact", ("endpoint", "callsign")),
    ("__group", "group", ("name", "role")),
    ("precisionlocation", "precisionLocation", ("geopointsrc", "altsrc")),
    ("status", "status", ("battery",)),
    ("takv", "takv", ("device", "platform", "os", "version")),
    ("track", "track", ("speed", "course")),
)
"""(element of ``detail``, field of ``Detail``, attributes), as ``detail.proto`` pairs them."""

_NUMBERS = frozenset({"battery", "speed", "course"})
_TIMES = (("time", "sendTime"), ("start", "startTime"), ("stale", "staleTime"))


class Control(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``TakControl``: the protocol versions that a participant of a mesh can read. A version that is
    not filled in reads as 1 (``takcontrol.proto``)."""

    min_version: int = 1
    max_version: int = 1
    contact_uid: str | None = None


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``TakMessage``: either part may be absent."""

    event: CotEvent | None = None
    control: Control | None = None


def read_payload(data: bytes) -> Message:
    """One message. Raises CotError with one of the reasons of `vedette.wire.cot.read_event`, or:
    not-protobuf, bad-text, empty-message.
    """
    try:
        return _message(data)
    except CotError as error:
        error.data = data[:MAX_PAYLOAD_BYTES]
        raise


def write_payload(event: CotEvent | None = None, control: Control | None = None) -> bytes:
    """A serialised ``TakMessage``. Raises CotError if the event cannot be written as XML either, if it
    is larger than 64 kB, or if there is nothing to write."""
    message = takmessage_pb2.TakMessage()
    if event is not None:
        _fill(message.cotEvent, tree_of(event))
    if control is not None:
        message.takControl.minProtoVersion = control.min_version
        message.takControl.maxProtoVersion = control.max_version
        message.takControl.contactUid = control.contact_uid or ""
    data: bytes = message.SerializeToString(deterministic=True)
    if not data:
        raise CotError("empty-message", "a message needs an event or a control part")
    if len(data) > MAX_PAYLOAD_BYTES:
        raise CotError("too-large", f"the message would take {len(data)} bytes; {MAX_PAYLOAD_BYTES} may go")
    return data


def _message(data: bytes) -> Message:
    if len(data) > MAX_PAYLOAD_BYTES:
        raise CotError(
            "too-large", f"the message has {len(data)} bytes; at most {MAX_PAYLOAD_BYTES} are read"
        )
    try:
        message = takmessage_pb2.TakMessage.FromString(data)
    except ProtobufError as error:
        raise CotError("not-protobuf", f"the payload is not a TakMessage: {error}") from None
    event = _event(message.cotEvent) if message.HasField("cotEvent") else None
    control = _control(message.takControl) if message.HasField("takControl") else None
    if event is None and control is None:
        raise CotError("empty-message", "the message holds neither an event nor a control part")
    return Message(event=event, control=control)


def _control(control: Any) -> Control:
    return Control(
        min_version=control.minProtoVersion or 1,
        max_version=control.maxProtoVersion or 1,
        contact_uid=control.contactUid or None,
    )


def _event(message: Any) -> CotEvent:
    try:
        root = _root(message)
    except ValueError as error:
        if isinstance(error, CotError):
            raise
        raise CotError("bad-text", f"a text holds what XML cannot: {error}") from None
    return event_of(root)


def _root(message: Any) -> etree._Element:
    root = etree.Element("event", uid=message.uid, type=message.type, how=message.how)
    for name, field in _TIMES:
        root.set(name, _time(name, getattr(message, field)))
    etree.SubElement(
        root,
        "point",
        lat=repr(message.lat),
        lon=repr(message.lon),
        hae=_height(message),
        ce=repr(message.ce or UNKNOWN),
        le=repr(message.le or UNKNOWN),
    )
    if message.HasField("detail"):
        root.append(_detail(message.detail))
    return root


def _height(message: Any) -> str:
    """Zero is not sent, so a zero without an error is as likely to be no height at all."""
    return repr(message.hae if message.hae or known(message.le) else UNKNOWN)


def _time(name: str, milliseconds: int) -> str:
    if not milliseconds:
        raise CotError("bad-time", f"{name} is missing")
    try:
        return time_text(milliseconds / 1000.0)
    except ValueError:
        raise CotError("bad-time", f"{name}={milliseconds} ms is not a time") from None


def _detail(message: Any) -> etree._Element:
    """``detail`` as XML. An element that stands in ``xmlDetail`` goes before its message
    (``detail.proto``, rules for receivers, 5)."""
    detail = parse(f"<detail>{message.xmlDetail}</detail>".encode())
    for tag, field, attributes in _TYPED:
        if message.HasField(field) and detail.find(tag) is None:
            values = getattr(message, field)
            etree.SubElement(detail, tag, {name: str(getattr(values, name)) for name in attributes})
    return detail


def _fill(message: Any, root: etree._Element) -> None:
    message.uid, message.type, message.how = root.get("uid"), root.get("type"), root.get("how")
    for name, field in _TIMES:
        seconds = unix_seconds(root.get(name))
        if seconds is None:
            raise CotError("bad-time", f"{name}={root.get(name)!r} cannot be sent")
        setattr(message, field, round(seconds * 1000.0))
    point, detail = root.find("point"), root.find("detail")
    if point is not None:
        for name in ("lat", "lon", "hae", "ce", "le"):
            setattr(message, name, float(point.get(name) or UNKNOWN))
    if detail is not None and len(detail):
        _fill_detail(message.detail, detail)


def _fill_detail(message: Any, detail: etree._Element) -> None:
    """Whole elements become messages, or stay XML (``detail.proto``)."""
    for tag, field, attributes in _TYPED:
        found = detail.findall(tag)
        if len(found) == 1 and _fits(found[0], attributes):
            target = getattr(message, field)
            target.SetInParent()
            for name, text in found[0].items():
                setattr(target, str(name), float(text) if name in _NUMBERS else text)
            detail.remove(found[0])
    message.xmlDetail = "".join(etree.tostring(child, encoding="unicode") for child in detail)


def _fits(element: etree._Element, attributes: tuple[str, ...]) -> bool:
    return not len(element) and not element.text and set(element.keys()) <= set(attributes)
