"""CAP's times: a date and time with an offset in figures, never ``Z``, never fractions (clause 3.3.2)."""

import math
import re
from calendar import monthrange
from datetime import UTC, datetime

_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)([-+])(\d\d):(\d\d)", re.ASCII)
_EARLIEST, _LATEST = 0, 253402300799


def unix_seconds(text: str) -> int | None:
    """Unix seconds of a CAP time, None if it is none. 24:00:00 is the end of that day, as in XML Schema."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    if not (year and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]):
        return None
    end_of_day = hour == 24 and minute == second == 0
    if not ((hour < 24 or end_of_day) and minute < 60 and second < 60):
        return None
    offset_min = int(found.group(8)) * 60 + int(found.group(9))
    if int(found.group(9)) > 59 or offset_min > 14 * 60:
        return None
    days = datetime(year, month, day, tzinfo=UTC).toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal()
    local = days * 86400 + hour * 3600 + minute * 60 + second
    return local - offset_min * 60 if found.group(7) == "+" else local + offset_min * 60


def cap_time(unix_s: float) -> str:
    """The whole second before ``unix_s``; UTC is ``-00:00``. Raises ValueError outside 1970 to 9999."""
    if not _EARLIEST <= unix_s <= _LATEST:
        raise ValueError(f"the time {unix_s!r} is outside the years 1970 to 9999")
    return f"{datetime.fromtimestamp(math.floor(unix_s), UTC):%Y-%m-%dT%H:%M:%S}-00:00"
