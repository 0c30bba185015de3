"""The rules of an area: shapes that close and lie on Earth, heights that belong together."""

from collections.abc import Iterator

from vedette.wire.cap.faults import Fault
from vedette.wire.cap.schema import BLANK
from vedette.wire.cap.shapes import read_circle, read_polygon
from vedette.wire.cap.tree import Node


def area_faults(area: Node) -> Iterator[Fault]:
    """All that is wrong with one ``area``."""
    words = area.first("areaDesc")
    if words is not None and not words.text.strip(BLANK):
        yield words.fault("empty-text", "it is empty", "say in words where it is")
    for name, read in (("polygon", read_polygon), ("circle", read_circle)):
        for node in area.all(name):
            try:
                read(node.text)
            except ValueError as error:
                yield node.fault(f"bad-{name}", f"the {name} {error}", _FORMS[name])
    yield from _heights(area)


_FORMS = {
    "polygon": "write lat,lon pairs divided by spaces, four or more, the last one equal to the first",
    "circle": "write lat,lon and, behind a space, the radius in kilometres",
}


def _heights(area: Node) -> Iterator[Fault]:
    altitude, ceiling = area.value("altitude"), area.first("ceiling")
    if ceiling is None:
        return
    if altitude is None:
        yield ceiling.fault(
            "ceiling-alone", "a ceiling without an altitude", "give the altitude it begins at"
        )
    elif float(ceiling.text) < float(altitude):
        yield ceiling.fault("ceiling-below", "the ceiling is below the altitude", "exchange the two")
