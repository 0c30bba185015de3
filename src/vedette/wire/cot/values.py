"""The scalar values of CoT: numbers, times, and text that XML can hold."""

import math
import re
from datetime import UTC, datetime

UNKNOWN = 9999999.0
"""How CoT writes a height or an error that is not known."""

_UNKNOWN_FROM = 999999.0
"""Some clients write one digit less; no height or error of that size is a measurement either."""

_DECIMAL = re.compile(r"\s*[+-]?(?:\d{1,20}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,3})?\s*", re.ASCII)
_TIME = re.compile(
    r"\s*(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,20})?(Z|[+-]\d\d:\d\d)?\s*", re.ASCII
)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_EARLIEST, _LATEST = 0.0, 253402300799.0


def decimal(text: str | None) -> float | None:
    """A finite number, or None: "NaN", "inf", "1_0" and hexadecimal are not numbers here."""
    if text is None or _DECIMAL.fullmatch(text) is None:
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def known(number: float | None) -> float | None:
    """None for CoT's own unknowns."""
    return None if number is None or abs(number) >= _UNKNOWN_FROM else number


def unix_seconds(text: str | None) -> float | None:
    """XML dateTime -> Unix seconds, None if it is none. Without a zone it is UTC, as CoT prescribes."""
    found = None if text is None else _TIME.fullmatch(text)
    if found is None:
        return None
    try:
        whole = datetime(*(int(part) for part in found.groups()[:6]), tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    seconds = whole.timestamp() + float(found.group(7) or 0.0) - _zone_seconds(found.group(8))
    return seconds if _EARLIEST <= seconds <= _LATEST else None


def _zone_seconds(zone: str | None) -> float:
    if zone is None or zone == "Z":
        return 0.0
    size = int(zone[1:3]) * 3600.0 + int(zone[4:6]) * 60.0
    return -size if zone[0] == "-" else size


def time_text(seconds: float) -> str:
    """Unix seconds -> ``2026-01-31T12:00:00.000Z``. Raises ValueError outside the years 1970-9999."""
    if not _EARLIEST <= seconds <= _LATEST:
        raise ValueError(f"the time {seconds!r} is outside the years 1970 to 9999")
    thousandths = round(seconds * 1000.0)
    moment = datetime.fromtimestamp(thousandths // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{thousandths % 1000:03d}Z"


def xml_text(text: str) -> str:
    """Text with every character that XML 1.0 (clause 2.2) cannot hold replaced by U+FFFD."""
    return _NOT_XML.sub("\ufffd", text)
