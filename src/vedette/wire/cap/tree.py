"""Bytes that anybody may have sent -> an element tree, and the tree -> nodes held to the schema's table.

No entity is resolved, no document type accepted, nothing is fetched; size and depth are bounded.
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lxml import etree

from vedette.wire.cap.faults import MOST_FAULTS, CapError, Fault, refusal
from vedette.wire.cap.schema import ALERT, BLANK, DSIG, NAMESPACE, OLDER, XSI, Particle

MAX_ALERT_BYTES = 2 * 1024 * 1024
"""A message with a picture in it; a national feed's longest is some 100 kB."""
MAX_DEPTH = 32

_DECLARED = re.compile(r"\s*<\?xml\s[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_UTF8 = ("utf-8", "utf8", "us-ascii", "ascii")
_LOCATIONS = (f"{{{XSI}}}schemaLocation", f"{{{XSI}}}noNamespaceSchemaLocation")
_SHOWN = 60


class Node(NamedTuple):
    """One element that the schema knows: where it stands, its text as it is meant, its children."""

    name: str
    place: str
    line: int
    text: str
    children: "tuple[Node, ...]" = ()

    def all(self, name: str) -> "list[Node]":
        """The children of that name, in order."""
        return [child for child in self.children if child.name == name]

    def first(self, name: str) -> "Node | None":
        """The first child of that name."""
        return next((child for child in self.children if child.name == name), None)

    def value(self, name: str) -> str | None:
        """The text of the first child of that name."""
        child = self.first(name)
        return None if child is None else child.text

    def fault(self, rule: str, what: str, remedy: str, *, advice: bool = False) -> Fault:
        """A fault of this element."""
        return Fault(self.line, self.place, rule, what, remedy, advice)


def parse(data: bytes, *, keep_instructions: bool = False) -> etree._Element:
    """The root element. Raises CapError: too-large, encoding, document-type, not-xml, too-deep."""
    if len(data) > MAX_ALERT_BYTES:
        raise refusal(
            "too-large", f"the message has {len(data)} bytes", f"at most {MAX_ALERT_BYTES} are read"
        )
    text = _text(data)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        line = (
            text[: min(n for n in (text.find("<!DOCTYPE"), text.find("<!ENTITY")) if n >= 0)].count("\n") + 1
        )
        raise refusal(
            "document-type",
            "it declares a document type or an entity",
            "leave it out: CAP has none",
            line=line,
        )
    try:
        root = etree.fromstring(text.encode(), _parser(keep_instructions))
    except etree.XMLSyntaxError as error:
        line = error.lineno or 1
        raise refusal("not-xml", f"not well-formed XML: {error.msg}", "mend it there", line=line) from None
    except ValueError as error:
        raise refusal("not-xml", f"not well-formed XML: {error}", "send XML 1.0 in UTF-8") from None
    _check_depth(root)
    return root


def _text(data: bytes) -> str:
    """The characters: UTF-8, or UTF-16 with its mark, the two that every XML reader must know."""
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise refusal("encoding", f"byte {error.start} is not {error.encoding}", "send UTF-8") from None
    declared = _DECLARED.match(text)
    known = ("utf-16",) if wide else _UTF8
    if declared is not None and declared.group(1).lower() not in known:
        raise refusal("encoding", f"the encoding {declared.group(1)[:_SHOWN]!r} is not read", "send UTF-8")
    return text


def line_of(element: etree._Element) -> int:
    """The line of the file on which it begins."""
    line = element.sourceline
    return line if isinstance(line, int) else 1


def _parser(keep_instructions: bool) -> etree.XMLParser:
    """A fresh parser each time: a parser that is shared keeps names of strangers for good."""
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=not keep_instructions,
    )


def _check_depth(root: etree._Element) -> None:
    level = [root]
    for _ in range(MAX_DEPTH):
        level = [child for element in level for child in element]
        if not level:
            return
    raise refusal("too-deep", f"elements are nested more than {MAX_DEPTH} deep", "CAP needs six")


class Reading:
    """One message being held to the schema. ``faults`` fills up; ``signed`` tells of signature elements."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.signed = False

    def alert(self, root: etree._Element) -> Node:
        """The message's nodes, as far as they are good. Raises CapError if it is no CAP 1.2 message."""
        self._check_root(root)
        children = [child for child in root if isinstance(child.tag, str)]
        return self._sequence(root, "alert", children, ALERT, tail=DSIG)

    def _check_root(self, root: etree._Element) -> None:
        name = etree.QName(root)
        line = line_of(root)
        if name.namespace in OLDER:
            version = OLDER[name.namespace]
            remedy = f"send it as CAP 1.2 (xmlns={NAMESPACE!r}): words of {version} mean other things there"
            raise refusal(f"cap-{version}", f"this is CAP {version}", remedy, line=line)
        if name.namespace != NAMESPACE or name.localname != "alert":
            shown = f"the root element is {root.tag[:_SHOWN]!r}"
            raise refusal("not-cap", shown, f"it must be 'alert' in the name space {NAMESPACE!r}", line=line)

    def _add(self, element: etree._Element, place: str, rule: str, what: str, remedy: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(line_of(element), place, rule, what, remedy))

    def _element(self, element: etree._Element, place: str, particle: Particle) -> Node:
        if isinstance(particle.content, tuple):
            children = [child for child in element if isinstance(child.tag, str)]
            return self._sequence(element, place, children, particle.content)
        self._check_attributes(element, place)
        if len(element):
            what = f"it holds the element {_local(element[0])!r}"
            self._add(element, place, "not-text", what, "it may hold text only")
        text = element.text or ""
        try:
            text = particle.content(text)
        except ValueError as error:
            self._add(element, place, "bad-value", f"{text[:_SHOWN]!r} is not allowed", f"it must be {error}")
        return Node(particle.name, place, line_of(element), text)

    def _sequence(
        self,
        element: etree._Element,
        place: str,
        children: Sequence[etree._Element],
        particles: tuple[Particle, ...],
        tail: str | None = None,
    ) -> Node:
        self._check_attributes(element, place)
        self._check_blank(element, place)
        nodes, at = list[Node](), 0
        for particle in particles:
            found = list(_run(children, at, particle))
            at += len(found)
            if len(found) < particle.least:
                what = f"<{particle.name}> is missing{_instead(children, at)}"
                self._add(element, place, "missing-element", what, _order(particles))
            for number, child in enumerate(found, 1):
                nodes.append(self._element(child, _place(place, particle, number), particle))
        if tail is not None:
            at += self._tail(children[at:], tail)
        if at < len(children):
            what = f"<{_local(children[at])}> must not stand here"
            self._add(children[at], place, "unexpected-element", what, _order(particles))
        return Node(_local(element), place, line_of(element), "", tuple(nodes))

    def _tail(self, children: Sequence[etree._Element], namespace: str) -> int:
        """How many elements of that name space stand first."""
        foreign = (i for i, child in enumerate(children) if etree.QName(child).namespace != namespace)
        count = next(foreign, len(children))
        self.signed = count > 0
        return count

    def _check_attributes(self, element: etree._Element, place: str) -> None:
        for name in element.attrib:
            if name not in _LOCATIONS:
                shown = str(name).rpartition("}")[2][:_SHOWN]
                self._add(
                    element,
                    place,
                    "unexpected-attribute",
                    f"the attribute {shown!r}",
                    "CAP elements have none",
                )

    def _check_blank(self, element: etree._Element, place: str) -> None:
        texts = [element.text, *(child.tail for child in element)]
        loose = next((text.strip(BLANK) for text in texts if text and text.strip(BLANK)), None)
        if loose is not None:
            what = f"the text {loose[:_SHOWN]!r} stands between its elements"
            self._add(element, place, "loose-text", what, "only white space may")


def _run(children: Sequence[etree._Element], at: int, particle: Particle) -> Iterator[etree._Element]:
    """The children from ``at`` on that are this particle."""
    wanted = f"{{{NAMESPACE}}}{particle.name}"
    for count, child in enumerate(children[at:]):
        if child.tag != wanted or count >= particle.most:
            return
        yield child


def _place(place: str, particle: Particle, number: int) -> str:
    return f"{place}/{particle.name}[{number}]" if particle.most > 1 else f"{place}/{particle.name}"


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2][:_SHOWN]


def _instead(children: Sequence[etree._Element], at: int) -> str:
    return f" before <{_local(children[at])}>" if at < len(children) else ""


def _order(particles: tuple[Particle, ...]) -> str:
    return f"the order is {', '.join(particle.name for particle in particles)}"


def complain_of(faults: Sequence[Fault]) -> None:
    """Raises CapError if one of them is more than advice."""
    grave = [fault for fault in faults if not fault.advice]
    if grave:
        raise CapError(grave)
