"""What the standard asks of a message and a schema cannot say (clause 3.2, the data dictionary).

Each rule looks at nodes that the schema has passed and tells faults with a line and a remedy.
"""

import re
from collections.abc import Callable, Iterator

from vedette.wire.cap.area_rules import area_faults
from vedette.wire.cap.faults import Fault
from vedette.wire.cap.message import Reference
from vedette.wire.cap.resource_rules import resource_faults
from vedette.wire.cap.schema import BLANK
from vedette.wire.cap.times import unix_seconds
from vedette.wire.cap.tree import Node

REFERRING = ("Update", "Cancel", "Ack", "Error")
"""Kinds of message that mean nothing without the one they are about."""
_NAME = re.compile(r"[^\s,<&\x00-\x1f]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:.")
_SHARED = ("category", "responseType", "urgency", "severity", "certainty", "effective", "onset", "expires")
"""What does not depend on the language of its reader."""

Rule = Callable[[Node], Iterator[Fault]]


def rule_faults(alert: Node) -> list[Fault]:
    """All that is wrong with a message whose form is good, in the order of its elements."""
    found = [fault for rule in _RULES for fault in rule(alert)]
    return sorted(found, key=lambda fault: fault.line)


def references_of(text: str) -> Iterator[Reference]:
    """The extended identifiers ``sender,identifier,sent``. Raises ValueError with the one that is none."""
    for word in text.split():
        parts = word.split(",")
        if len(parts) != 3 or not all(parts) or unix_seconds(parts[2]) is None:
            raise ValueError(word)
        yield Reference(*parts)


def is_blank(text: str | None) -> bool:
    """True for a text that is missing or says nothing."""
    return text is None or not text.strip(BLANK)


def _names(alert: Node) -> Iterator[Fault]:
    for name in ("identifier", "sender"):
        node = alert.first(name)
        if node is not None and _NAME.fullmatch(node.text) is None:
            what = f"{node.text[:60]!r} is empty, or holds white space, a comma, '<' or '&'"
            yield node.fault(f"bad-{name}", what, "use other characters: references are divided by these")


def _references(alert: Node) -> Iterator[Fault]:
    kind, node = alert.value("msgType"), alert.first("references")
    if kind in REFERRING and (node is None or is_blank(node.text)):
        remedy = "name the messages it is about in <references> as sender,identifier,sent"
        yield (node or alert).fault("references-missing", f"{_a(kind)} without references", remedy)
    if node is None:
        return
    try:
        named = list(references_of(node.text))
    except ValueError as error:
        what = f"{str(error)[:80]!r} is not sender,identifier,sent"
        yield node.fault(
            "bad-reference", what, "copy the three from the message it is about, divided by commas"
        )
        return
    own = alert.value("sender"), alert.value("identifier")
    if any((reference.sender, reference.identifier) == own for reference in named):
        yield node.fault(
            "self-reference", "it refers to itself", "name the earlier message, or take a new identifier"
        )


def _a(kind: str | None) -> str:
    return f"{'an' if kind in ('Update', 'Ack', 'Error') else 'a'} {kind}"


def _scope(alert: Node) -> Iterator[Fault]:
    scope = alert.value("scope")
    restriction, addresses = alert.first("restriction"), alert.first("addresses")
    if scope == "Restricted" and (restriction is None or is_blank(restriction.text)):
        remedy = "say in <restriction> who may have it"
        yield (restriction or alert).fault("restriction-missing", "scope Restricted without its rule", remedy)
    if scope != "Restricted" and restriction is not None and not is_blank(restriction.text):
        what = f"a restriction, and the scope is {scope}"
        yield restriction.fault("restriction-unused", what, "set scope to Restricted, or leave it out")
    if scope == "Private" and (addresses is None or is_blank(addresses.text)):
        remedy = "name the recipients in <addresses>"
        yield (addresses or alert).fault("addresses-missing", "scope Private without recipients", remedy)
    if scope != "Private" and addresses is not None and not is_blank(addresses.text):
        what = f"addresses, and the scope is {scope}: it may go to others too"
        yield addresses.fault(
            "addresses-open", what, "set scope to Private if it is for them alone", advice=True
        )


def _quotes(alert: Node) -> Iterator[Fault]:
    for name in ("addresses", "incidents"):
        node = alert.first(name)
        if node is not None and node.text.count('"') % 2:
            remedy = "an entry with spaces stands between two double quotes"
            yield node.fault("bad-quotes", "a double quote is not closed", remedy)


def _note(alert: Node) -> Iterator[Fault]:
    if not is_blank(alert.value("note")):
        return
    if alert.value("status") == "Exercise":
        yield alert.fault("note-missing", "an Exercise without a note", "name the exercise in <note>")
    elif alert.value("msgType") == "Error":
        yield alert.fault("note-missing", "an Error without a note", "say in <note> what was wrong")


def _offset(alert: Node) -> Iterator[Fault]:
    sent = alert.first("sent")
    if sent is not None and sent.text.endswith("+00:00"):
        yield sent.fault("utc-offset", "UTC as +00:00", "the standard writes it -00:00", advice=True)


def _something_said(alert: Node) -> Iterator[Fault]:
    if alert.value("msgType") in ("Alert", "Update") and alert.first("info") is None:
        yield alert.fault("info-missing", "it tells nobody anything", "add an <info>", advice=True)


def _needed_words(alert: Node) -> Iterator[Fault]:
    for info in alert.all("info"):
        node = info.first("event")
        if node is not None and is_blank(node.text):
            yield node.fault("empty-text", "it is empty", "name the event")
    yield from _nameless(alert)


def _nameless(node: Node) -> Iterator[Fault]:
    for child in node.children:
        if child.name == "valueName" and is_blank(child.text):
            yield child.fault("empty-text", "it is empty", "name the value")
        yield from _nameless(child)


def _times(alert: Node) -> Iterator[Fault]:
    sent = unix_seconds(alert.value("sent") or "")
    news = alert.value("msgType") in ("Alert", "Update")
    for info in alert.all("info"):
        effective, onset, expires = (_seconds(info, name) for name in ("effective", "onset", "expires"))
        node = info.first("expires")
        if node is None or expires is None:
            continue
        begins = effective if effective is not None else sent if news else None
        if begins is not None and expires < begins:
            yield node.fault("expires-early", "it expires before it is in force", "give it a later <expires>")
        if onset is not None and expires < onset:
            yield node.fault("expires-early", "it expires before its onset", "give it a later <expires>")


def _seconds(node: Node, name: str) -> int | None:
    text = node.value(name)
    return None if text is None else unix_seconds(text)


def _languages(alert: Node) -> Iterator[Fault]:
    """A reader of one language is told the same as one of another."""
    groups: dict[str, list[Node]] = {}
    for info in alert.all("info"):
        groups.setdefault((info.value("language") or "en-US").lower(), []).append(info)
    first, *others = groups.items() if groups else [("", [])]
    for language, infos in others:
        if len(infos) != len(first[1]):
            what = f"{len(infos)} <info> in {language}, {len(first[1])} in {first[0]}"
            yield infos[0].fault(
                "languages-differ", what, "give each language the same ones, in the same order"
            )
            continue
        for one, same in zip(infos, first[1], strict=True):
            yield from _unequal(one, same, first[0])


def _unequal(info: Node, same: Node, language: str) -> Iterator[Fault]:
    for name in _SHARED:
        ours, theirs = ([node.text for node in i.all(name)] for i in (info, same))
        if sorted(ours) != sorted(theirs):
            what = f"{name} is {_listed(ours)}, and {_listed(theirs)} in {language}"
            place = info.first(name) or info
            yield place.fault("languages-differ", what, "a value must not depend on the language")
    if _shapes(info) != _shapes(same):
        yield info.fault(
            "languages-differ", f"its area is not that in {language}", "give each language the same"
        )


def _listed(values: list[str]) -> str:
    return ", ".join(value[:40] for value in values[:5]) or "absent"


def _shapes(info: Node) -> list[tuple[str, str]]:
    areas = info.all("area")
    plain = [
        (n.name, " ".join(n.text.split()))
        for a in areas
        for n in a.children
        if n.name in ("polygon", "circle")
    ]
    codes = [(n.value("valueName") or "", n.value("value") or "") for a in areas for n in a.all("geocode")]
    return sorted(plain + codes)


def _web(alert: Node) -> Iterator[Fault]:
    for info in alert.all("info"):
        node = info.first("web")
        if node is not None and _SCHEME.match(node.text) is None:
            yield node.fault(
                "relative-uri", f"{node.text[:60]!r} is no full address", "begin it with https:// or the like"
            )


def _areas(alert: Node) -> Iterator[Fault]:
    for info in alert.all("info"):
        for area in info.all("area"):
            yield from area_faults(area)


def _resources(alert: Node) -> Iterator[Fault]:
    for info in alert.all("info"):
        for resource in info.all("resource"):
            yield from resource_faults(resource)


_RULES: tuple[Rule, ...] = (
    _names, _references, _scope, _quotes, _note, _offset, _something_said, _needed_words, _times, _languages,
    _web, _areas, _resources,
)  # fmt: skip
