"""What the public gateway of the United States asks of a message (CAP v1.2 IPAWS USA Profile v1.0, and the
text limits of wireless alerts, 47 CFR 10.430: 90 and 360 characters).

Only a validator. Vedette makes Restricted messages, which never pass it, and sends nothing there: whoever
wants a public warning writes one, and an authority that may publish it sends it.
"""

import re
from collections.abc import Iterator

from vedette.wire.cap.faults import CapError, Fault
from vedette.wire.cap.rules import is_blank, rule_faults
from vedette.wire.cap.tree import Node, Reading, parse

PROFILE_CODE = "IPAWSv1.0"
SHORT, LONG = "CMAMtext", "CMAMlongtext"
LIMITS = {SHORT: 90, LONG: 360}
GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The GSM 7-bit default alphabet, without its extension table (3GPP TS 23.038, 6.2.1)."""

_EVENT = re.compile(r"[A-Z]{3}")
_PLACE = re.compile(r"[0-9]{6}")
_ORIGINATOR = re.compile(r"[A-Z]{3}")


def ipaws_faults(data: bytes) -> tuple[Fault, ...]:
    """All that keeps a message from the public gateway; empty = it may be sent there. A message that is not
    good CAP 1.2 is told for that alone."""
    reading = Reading()
    try:
        alert = reading.alert(parse(data))
    except CapError as error:
        return error.faults
    faults = [*reading.faults] or [fault for fault in rule_faults(alert) if not fault.advice]
    return tuple(faults or sorted(_faults(alert), key=lambda fault: fault.line))


def _faults(alert: Node) -> Iterator[Fault]:
    scope = alert.first("scope")
    if scope is not None and scope.text != "Public":
        what = f"the scope is {scope.text}: it is not for the public"
        yield scope.fault("ipaws-scope", what, "never send it there; write a public message instead")
    if alert.value("status") == "Draft":
        yield alert.fault("ipaws-status", "a draft", "set the status")
    if alert.value("msgType") in ("Ack", "Error"):
        yield alert.fault("ipaws-kind", "an answer", "send an Alert, an Update or a Cancel")
    if PROFILE_CODE not in [code.text for code in alert.all("code")]:
        yield alert.fault("ipaws-code", "it does not name the profile", f"add <code>{PROFILE_CODE}</code>")
    if alert.first("info") is None:
        yield alert.fault("ipaws-info", "it has no info", "add one")
    for info in alert.all("info"):
        yield from _info(info)


def _info(info: Node) -> Iterator[Fault]:
    if info.first("expires") is None:
        yield info.fault("ipaws-expires", "it does not expire", "add <expires>")
    events = _values(info, "eventCode", "SAME")
    if len(events) != 1 or _EVENT.fullmatch(events[0]) is None:
        remedy = "give exactly one eventCode SAME of three capital letters"
        yield info.fault("ipaws-event", f"{len(events)} event codes SAME", remedy)
    originators = _values(info, "parameter", "EAS-ORG")
    if len(originators) != 1 or _ORIGINATOR.fullmatch(originators[0]) is None:
        yield info.fault("ipaws-originator", "no parameter EAS-ORG", "give one of three capital letters")
    if info.first("area") is None:
        yield info.fault("ipaws-area", "it has no area", "add one with a geocode SAME")
    for area in info.all("area"):
        places = _values(area, "geocode", "SAME")
        if not places or not all(_PLACE.fullmatch(place) for place in places):
            yield area.fault("ipaws-place", "no geocode SAME of six figures", "give the counties it is for")
    yield from _wireless(info)


def _wireless(info: Node) -> Iterator[Fault]:
    texts = {name: _values(info, "parameter", name) for name in LIMITS}
    for name, found in texts.items():
        if len(found) > 1:
            yield info.fault("ipaws-text", f"{len(found)} parameters {name}", "give one")
        for text in found:
            yield from _text(info, name, text)
    if texts[LONG] and not texts[SHORT]:
        yield info.fault("ipaws-text", f"{LONG} without {SHORT}", "older phones show the short one: add it")


def _text(info: Node, name: str, text: str) -> Iterator[Fault]:
    if is_blank(text):
        yield info.fault("ipaws-text", f"{name} is empty", "write it, or leave it out")
    if len(text) > LIMITS[name]:
        yield info.fault("ipaws-text-length", f"{name} has {len(text)} characters", f"at most {LIMITS[name]}")
    strange = sorted({letter for letter in text if letter not in GSM7})
    if strange:
        shown = " ".join(strange[:10])
        yield info.fault("ipaws-text-alphabet", f"{name} holds {shown}", "phones show GSM 7-bit letters only")


def _values(node: Node, kind: str, name: str) -> list[str]:
    return [child.value("value") or "" for child in node.all(kind) if child.value("valueName") == name]
