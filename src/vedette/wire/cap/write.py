"""`CapAlert` -> CAP XML.

Elements stand without white space between them: a signature over such a message holds for those who verify
it as it is and for those who take white space out first, and both kinds exist (`signature`).
"""

from collections.abc import Sequence

from lxml import etree

from vedette.wire.cap.message import Area, CapAlert, Info, Named, Resource
from vedette.wire.cap.read import examine
from vedette.wire.cap.schema import NAMESPACE
from vedette.wire.cap.shapes import circle_text, number_text, polygon_text
from vedette.wire.errors import EncodeError


def write_alert(alert: CapAlert) -> bytes:
    """The message in UTF-8, unsigned. Raises EncodeError for one that `read_alert` would refuse."""
    try:
        root = _alert(alert)
    except ValueError as error:
        raise EncodeError("not-xml", f"the message cannot be written: {error}") from None
    data = serialise(root)
    for fault in examine(data).faults:
        if not fault.advice:
            raise EncodeError(fault.rule, f"{fault.place}: {fault.what}; {fault.remedy}")
    return data


def serialise(root: etree._Element) -> bytes:
    """The document, with its declaration."""
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _alert(alert: CapAlert) -> etree._Element:
    root = etree.fromstring(f'<alert xmlns="{NAMESPACE}"/>')
    _put(root, "identifier", alert.identifier)
    _put(root, "sender", alert.sender)
    _put(root, "sent", alert.sent)
    _put(root, "status", alert.status)
    _put(root, "msgType", alert.msg_type)
    _put(root, "source", alert.source)
    _put(root, "scope", alert.scope)
    _put(root, "restriction", alert.restriction)
    _put(root, "addresses", alert.addresses)
    _put_all(root, "code", alert.codes)
    _put(root, "note", alert.note)
    _put(root, "references", " ".join(",".join(r) for r in alert.references) or None)
    _put(root, "incidents", alert.incidents)
    for info in alert.infos:
        _put_info(root, info)
    return root


def _put_info(root: etree._Element, info: Info) -> None:
    element = _sub(root, "info")
    _put(element, "language", info.language)
    _put_all(element, "category", info.categories)
    _put(element, "event", info.event)
    _put_all(element, "responseType", info.response_types)
    _put(element, "urgency", info.urgency)
    _put(element, "severity", info.severity)
    _put(element, "certainty", info.certainty)
    _put(element, "audience", info.audience)
    _put_named(element, "eventCode", info.event_codes)
    _put(element, "effective", info.effective)
    _put(element, "onset", info.onset)
    _put(element, "expires", info.expires)
    _put(element, "senderName", info.sender_name)
    _put(element, "headline", info.headline)
    _put(element, "description", info.description)
    _put(element, "instruction", info.instruction)
    _put(element, "web", info.web)
    _put(element, "contact", info.contact)
    _put_named(element, "parameter", info.parameters)
    for resource in info.resources:
        _put_resource(element, resource)
    for area in info.areas:
        _put_area(element, area)


def _put_resource(info: etree._Element, resource: Resource) -> None:
    element = _sub(info, "resource")
    _put(element, "resourceDesc", resource.description)
    _put(element, "mimeType", resource.mime_type)
    _put(element, "size", None if resource.size is None else str(resource.size))
    _put(element, "uri", resource.uri)
    _put(element, "derefUri", resource.deref_uri)
    _put(element, "digest", resource.digest)


def _put_area(info: etree._Element, area: Area) -> None:
    element = _sub(info, "area")
    _put(element, "areaDesc", area.description)
    _put_all(element, "polygon", [polygon_text(points) for points in area.polygons])
    _put_all(element, "circle", [circle_text(circle) for circle in area.circles])
    _put_named(element, "geocode", area.geocodes)
    _put(element, "altitude", None if area.altitude_ft is None else number_text(area.altitude_ft))
    _put(element, "ceiling", None if area.ceiling_ft is None else number_text(area.ceiling_ft))


def _sub(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")


def _put(parent: etree._Element, name: str, text: str | None) -> None:
    if text is not None:
        _sub(parent, name).text = text


def _put_all(parent: etree._Element, name: str, texts: Sequence[str]) -> None:
    for text in texts:
        _put(parent, name, text)


def _put_named(parent: etree._Element, name: str, values: Sequence[Named]) -> None:
    for value in values:
        element = _sub(parent, name)
        _put(element, "valueName", value.name)
        _put(element, "value", value.value)
