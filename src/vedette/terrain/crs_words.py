"""What a coordinate reference system says: horizontal part, vertical datum, unit of height.

Reads the well-known text of ISO 19162:2019 (WKT 2): COMPOUNDCRS is a horizontal system
followed by a VERTCRS; a geographic system with three axes carries ellipsoidal heights.
"""

import re
from typing import Any

from msgspec import Struct

from vedette.model.errors import InputError
from vedette.terrain.elevation import WGS84, VerticalDatum

_DATUM_NAMES: tuple[tuple[str, VerticalDatum], ...] = (
    ("EGM96", "egm96"),
    ("EGM2008", "egm2008"),
    ("NAVD88", "navd88"),
    ("NORTH AMERICAN VERTICAL DATUM 1988", "navd88"),
)
_LENGTH_UNIT = re.compile(r'LENGTHUNIT\["[^"]*",([0-9.eE+-]+)')


class Words(Struct, frozen=True, kw_only=True):
    """``height_unit_m``: metres in one unit of height; None if nothing is said."""

    horizontal: str
    vertical_datum: VerticalDatum | None = None
    height_unit_m: float | None = None


def parse(crs: Any, where: str) -> Words:
    """What a rasterio CRS says. Raises InputError for one without geographic or projected coordinates."""
    text = crs.to_wkt(version="WKT2_2019")
    if text.startswith("COMPOUNDCRS["):
        horizontal, vertical = _parts(text)[1:3]
        unit = _LENGTH_UNIT.search(vertical)
        return Words(
            horizontal=_short(horizontal),
            vertical_datum=_datum(vertical),
            height_unit_m=float(unit.group(1)) if unit else None,
        )
    if not text.startswith(("GEOGCRS[", "PROJCRS[", "BOUNDCRS[")):
        raise InputError(f"{where}: coordinates that are not on the Earth's surface; warp it to WGS 84")
    if "CS[ellipsoidal,3]" not in text:
        return Words(horizontal=_short(text))
    if '"EPSG",4979' not in text:
        raise InputError(f"{where}: three-dimensional coordinates other than EPSG:4979; warp it to EPSG:4979")
    return Words(horizontal=WGS84, vertical_datum="wgs84-ellipsoid", height_unit_m=1.0)


def _parts(text: str) -> list[str]:
    """The comma-separated parts inside the outermost brackets; commas in brackets or quotes do not count."""
    inner = text[text.index("[") + 1 : text.rindex("]")]
    parts, start, depth, quoted = [], 0, 0, False
    for at, letter in enumerate(inner):
        if letter == '"':
            quoted = not quoted
        elif not quoted:
            depth += (letter == "[") - (letter == "]")
            if letter == "," and depth == 0:
                parts.append(inner[start:at])
                start = at + 1
    return [*parts, inner[start:]]


def _short(text: str) -> str:
    """The authority's code if the text ends with one, else the text."""
    code = re.search(r'ID\["EPSG",(\d+)\]\]$', text)
    return f"EPSG:{code.group(1)}" if code else text


def _datum(vertical: str) -> VerticalDatum | None:
    plain = vertical.upper().replace("_", " ")
    return next((datum for name, datum in _DATUM_NAMES if name in plain), None)
