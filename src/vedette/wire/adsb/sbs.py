"""SBS BaseStation: the comma-separated lines of a receiver's port 30003, in both directions.

Source: the BaseStation socket output format as published by its maker: 22 fields, ``MSG`` lines with
transmission types 1 to 8. Other lines (``SEL``, ``ID``, ``AIR``, ``STA``, ``CLK``) describe the display.
The times are the receiver's wall clock and do not say their zone.
"""

import math
import re

import msgspec

from vedette.wire.adsb.parity import AdsbEncodeError, AdsbError

MAX_LINE_BYTES = 1024
_DISPLAY_LINES = frozenset(("SEL", "ID", "AIR", "STA", "CLK"))
_ADDRESS = re.compile(r"~?[0-9A-Fa-f]{6}")
_DAY = re.compile(r"\d{4}/\d\d/\d\d")
_CLOCK = re.compile(r"\d\d:\d\d:\d\d(\.\d{1,6})?")
_SQUAWK = re.compile(r"[0-7]{1,4}")


class SbsMessage(msgspec.Struct, frozen=True):
    """One MSG line. None is unknown. Feet, knots, degrees from true north, feet per minute.

    ``generated`` and ``logged`` are (day "YYYY/MM/DD", time "HH:MM:SS.mmm") of the receiver's wall clock.
    ``altitude_ft`` is barometric. ``address_is_icao`` False = written with a tilde.
    """

    transmission: int
    address: int
    address_is_icao: bool = True
    generated: tuple[str, str] | None = None
    logged: tuple[str, str] | None = None
    callsign: str | None = None
    altitude_ft: float | None = None
    speed_kt: float | None = None
    track_deg: float | None = None
    lat_deg: float | None = None
    lon_deg: float | None = None
    vertical_fpm: float | None = None
    squawk: str | None = None
    alert: bool | None = None
    emergency: bool | None = None
    ident: bool | None = None
    on_ground: bool | None = None


def read_sbs(line: str) -> SbsMessage | None:
    """One line without its end -> its message; None for a line that describes only the display.

    Raises:
        AdsbError: the line breaks the format; the message names the field.
    """
    fields = [field.strip() for field in line.split(",")]
    if fields[0] in _DISPLAY_LINES:
        return None
    if fields[0] != "MSG":
        raise AdsbError(
            "not-sbs", f"a line begins with MSG, SEL, ID, AIR, STA or CLK, not {fields[0][:16]!r}"
        )
    if len(fields) < 10 or len(fields) > 22:
        raise AdsbError("field-count", f"a MSG line has 22 fields, not {len(fields)}")
    fields += [""] * (22 - len(fields))
    if fields[1] not in ("1", "2", "3", "4", "5", "6", "7", "8"):
        raise AdsbError("transmission", f"transmission type {fields[1][:16]!r} is not 1 to 8")
    if not _ADDRESS.fullmatch(fields[4]):
        raise AdsbError("address", f"address {fields[4][:16]!r} is not six hexadecimal digits")
    lat, lon = _number(fields, 14, "latitude", 90.0), _number(fields, 15, "longitude", 180.0)
    return SbsMessage(
        transmission=int(fields[1]),
        address=int(fields[4].lstrip("~"), 16),
        address_is_icao=not fields[4].startswith("~"),
        generated=_wall_clock(fields, 6),
        logged=_wall_clock(fields, 8),
        callsign=fields[10][:8] or None,
        altitude_ft=_number(fields, 11, "altitude", 200_000.0),
        speed_kt=_number(fields, 12, "speed", 5_000.0, lowest=0.0),
        track_deg=_number(fields, 13, "track", 360.0, lowest=0.0),
        lat_deg=None if lon is None else lat,
        lon_deg=None if lat is None else lon,
        vertical_fpm=_number(fields, 16, "vertical rate", 100_000.0),
        squawk=_squawk(fields[17]),
        alert=_flag(fields, 18, "alert"),
        emergency=_flag(fields, 19, "emergency"),
        ident=_flag(fields, 20, "ident"),
        on_ground=_flag(fields, 21, "on-ground"),
    )


def _number(fields: list[str], at: int, name: str, limit: float, lowest: float | None = None) -> float | None:
    text = fields[at]
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (-limit if lowest is None else lowest) <= value <= limit:
        raise AdsbError("range", f"{name} (field {at + 1}) is {text[:16]!r}: no number or out of range")
    return value


def _flag(fields: list[str], at: int, name: str) -> bool | None:
    text = fields[at]
    if text in ("", "0", "1", "-1"):
        return None if not text else text != "0"
    raise AdsbError("flag", f"{name} (field {at + 1}) is {text[:16]!r}, not 0, 1 or -1")


def _wall_clock(fields: list[str], at: int) -> tuple[str, str] | None:
    day, clock = fields[at], fields[at + 1]
    if not day and not clock:
        return None
    if not _DAY.fullmatch(day) or not _CLOCK.fullmatch(clock):
        raise AdsbError(
            "time", f"fields {at + 1} and {at + 2} are {day[:16]!r} {clock[:16]!r}: no day and time"
        )
    return day, clock


def _squawk(text: str) -> str | None:
    if not text:
        return None
    if not _SQUAWK.fullmatch(text):
        raise AdsbError("squawk", f"squawk (field 18) is {text[:16]!r}, not four octal digits")
    return text.zfill(4)


def write_sbs(message: SbsMessage) -> str:
    """The line of a message, without its end.

    Raises:
        AdsbEncodeError: a text holds a comma or a line end, or a value that `read_sbs` would refuse.
    """
    day_made, clock_made = message.generated or ("", "")
    day_logged, clock_logged = message.logged or ("", "")
    address = f"{'' if message.address_is_icao else '~'}{message.address:06X}"
    fields = ["MSG", str(message.transmission), "1", "1", address, "1"]
    fields += [day_made, clock_made, day_logged, clock_logged, message.callsign or ""]
    for value in (message.altitude_ft, message.speed_kt, message.track_deg):
        fields.append("" if value is None else f"{value:.10g}")
    for value in (message.lat_deg, message.lon_deg):
        fields.append("" if value is None else f"{value:.7f}")
    fields.append("" if message.vertical_fpm is None else f"{message.vertical_fpm:.10g}")
    fields.append(message.squawk or "")
    for flag in (message.alert, message.emergency, message.ident, message.on_ground):
        fields.append("" if flag is None else ("-1" if flag else "0"))
    line = ",".join(fields)
    try:
        readable = line.isprintable() and read_sbs(line) is not None
    except AdsbError as error:
        raise AdsbEncodeError(error.reason, str(error)) from error
    if not readable:
        raise AdsbEncodeError("text", "a field of an SBS line holds a line end or a control character")
    return line


class SbsCounters(msgspec.Struct):
    """What a stream held: MSG lines, lines about the display, refused lines by reason."""

    messages: int = 0
    display: int = 0
    refused: dict[str, int] = {}


class SbsSplitter:
    """Bytes in, messages out, however the stream is cut; never holds more than `MAX_LINE_BYTES`."""

    def __init__(self) -> None:
        self.counters = SbsCounters()
        self._rest = b""
        self._overlong = False

    def feed(self, data: bytes) -> list[SbsMessage]:
        """The messages of the lines completed by ``data``; what is no message is counted."""
        *lines, rest = (self._rest + data).split(b"\n")
        found = [message for line in lines if (message := self._take(line)) is not None]
        if len(rest) > MAX_LINE_BYTES:
            self._overlong, rest = True, b""
        self._rest = rest
        return found

    def _take(self, line: bytes) -> SbsMessage | None:
        text = line.rstrip(b"\r")
        try:
            if self._overlong or len(line) > MAX_LINE_BYTES:
                self._overlong = False
                raise AdsbError("too-long", f"a line is longer than {MAX_LINE_BYTES} bytes")
            if not text:
                return None
            message = read_sbs(_ascii(text))
        except AdsbError as error:
            self.counters.refused[error.reason] = self.counters.refused.get(error.reason, 0) + 1
            return None
        self.counters.messages += message is not None
        self.counters.display += message is None
        return message


def _ascii(line: bytes) -> str:
    try:
        return line.decode("ascii")
    except UnicodeDecodeError:
        raise AdsbError("not-ascii", "a line holds bytes beyond ASCII") from None
