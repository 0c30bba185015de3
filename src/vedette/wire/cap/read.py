"""CAP XML -> `CapAlert`, with all that is wrong with it."""

from msgspec import Struct

from vedette.wire.cap.faults import CapError, Fault
from vedette.wire.cap.message import Area, CapAlert, Info, Named, Resource
from vedette.wire.cap.rules import references_of, rule_faults
from vedette.wire.cap.shapes import read_circle, read_polygon
from vedette.wire.cap.tree import Node, Reading, complain_of, parse


class Examined(Struct, frozen=True, kw_only=True):
    """What there is to say of a message. ``alert`` is None if a fault is more than advice; ``conforms`` to
    the schema is not yet ``good``, which says that the standard's rules are kept too."""

    alert: CapAlert | None
    faults: tuple[Fault, ...]
    conforms: bool

    @property
    def good(self) -> bool:
        """True if it may be used."""
        return self.alert is not None


def examine(data: bytes) -> Examined:
    """All faults of a message, of form first: the rules are asked only of a message whose form is good."""
    reading = Reading()
    try:
        node = reading.alert(parse(data))
    except CapError as error:
        return Examined(alert=None, faults=error.faults, conforms=False)
    if reading.faults:
        return Examined(alert=None, faults=tuple(reading.faults), conforms=False)
    faults = tuple(rule_faults(node))
    bad = any(not fault.advice for fault in faults)
    return Examined(alert=None if bad else _alert(node, reading.signed), faults=faults, conforms=True)


def read_alert(data: bytes) -> CapAlert:
    """The message. Raises CapError, whose ``faults`` are all that is wrong with it."""
    examined = examine(data)
    complain_of(examined.faults)
    assert examined.alert is not None
    return examined.alert


def _alert(node: Node, signed: bool) -> CapAlert:
    return CapAlert(
        identifier=_text(node, "identifier"),
        sender=_text(node, "sender"),
        sent=_text(node, "sent"),
        status=_text(node, "status"),  # type: ignore[arg-type]  # the schema's table holds the literals
        msg_type=_text(node, "msgType"),  # type: ignore[arg-type]
        scope=_text(node, "scope"),  # type: ignore[arg-type]
        source=node.value("source"),
        restriction=node.value("restriction"),
        addresses=node.value("addresses"),
        codes=_texts(node, "code"),
        note=node.value("note"),
        references=tuple(references_of(node.value("references") or "")),
        incidents=node.value("incidents"),
        infos=tuple(_info(child) for child in node.all("info")),
        signed=signed,
    )


def _info(node: Node) -> Info:
    return Info(
        language=node.value("language") or "en-US",
        categories=_texts(node, "category"),  # type: ignore[arg-type]
        event=_text(node, "event"),
        response_types=_texts(node, "responseType"),  # type: ignore[arg-type]
        urgency=_text(node, "urgency"),  # type: ignore[arg-type]
        severity=_text(node, "severity"),  # type: ignore[arg-type]
        certainty=_text(node, "certainty"),  # type: ignore[arg-type]
        audience=node.value("audience"),
        event_codes=_named(node, "eventCode"),
        effective=node.value("effective"),
        onset=node.value("onset"),
        expires=node.value("expires"),
        sender_name=node.value("senderName"),
        headline=node.value("headline"),
        description=node.value("description"),
        instruction=node.value("instruction"),
        web=node.value("web"),
        contact=node.value("contact"),
        parameters=_named(node, "parameter"),
        resources=tuple(_resource(child) for child in node.all("resource")),
        areas=tuple(_area(child) for child in node.all("area")),
    )


def _resource(node: Node) -> Resource:
    size = node.value("size")
    return Resource(
        description=_text(node, "resourceDesc"),
        mime_type=_text(node, "mimeType"),
        size=None if size is None else int(size),
        uri=node.value("uri"),
        deref_uri=node.value("derefUri"),
        digest=node.value("digest"),
    )


def _area(node: Node) -> Area:
    return Area(
        description=_text(node, "areaDesc"),
        polygons=tuple(read_polygon(text) for text in _texts(node, "polygon")),
        circles=tuple(read_circle(text) for text in _texts(node, "circle")),
        geocodes=_named(node, "geocode"),
        altitude_ft=_number(node, "altitude"),
        ceiling_ft=_number(node, "ceiling"),
    )


def _text(node: Node, name: str) -> str:
    return node.value(name) or ""


def _texts(node: Node, name: str) -> tuple[str, ...]:
    return tuple(child.text for child in node.all(name))


def _named(node: Node, name: str) -> tuple[Named, ...]:
    return tuple(Named(_text(child, "valueName"), _text(child, "value")) for child in node.all(name))


def _number(node: Node, name: str) -> float | None:
    text = node.value(name)
    return None if text is None else float(text)
