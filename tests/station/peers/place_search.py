"""Numbers that would tell where somebody is, in the forms in which programs write them.

Binary forms of a double are searched by their five most significant bytes: about 1 m at any latitude, and too
long to occur by chance in what a station sends in a minute.
"""

import math
import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from vedette.geo import LocalFrame, to_mgrs

_FIGURES = re.compile(rb"[0-9]+\.[0-9]+")


class Form(NamedTuple):
    """One way to write one number; ``bytes`` as they would stand in a message."""

    what: str
    bytes: bytes


def forms_of_place(lat_deg: float, lon_deg: float, frame: LocalFrame, *, short: bool = True) -> list[Form]:
    """All forms of a place: degrees, MGRS, and metres from the site's origin. ``short``: the forms of four
    bytes too, which random bytes hold now and then."""
    east_m, north_m, _ = frame.to_enu(lat_deg, lon_deg, frame.alt_m)
    found = [*_mgrs(lat_deg, lon_deg)]
    for what, value in (("latitude", lat_deg), ("longitude", lon_deg)):
        found += [Form(f"{what} as {form}", data) for form, data in _degrees(value, short=short)]
        found += [Form(f"{what} as {form}", data) for form, data in _binary(value, short=short)]
        radians = math.radians(value)
        found += [Form(f"{what} in radians as {form}", data) for form, data in _binary(radians, short=short)]
        found += [Form(f"{what} in radians", text) for text in _decimals(radians, 5)]
    for what, value in (("east", east_m), ("north", north_m)):
        found += [Form(f"{what} as {form}", data) for form, data in _binary(value, short=short)]
        found += [Form(f"{what} as a decimal", text) for text in _decimals(value, 1)]
    return found


def _degrees(value: float, *, short: bool) -> Iterator[tuple[str, bytes]]:
    size, sign = abs(value), value < 0.0
    for text in _decimals(value, 4):
        yield "decimal", text
    whole, minutes = divmod(size * 60.0, 60.0)
    yield "degrees and minutes", f"{int(whole)}{minutes:06.3f}".encode()
    yield "degrees, minutes", f"{int(whole)}°{minutes:06.3f}".encode()
    for power in (5, 6, 7):
        scaled = math.floor(size * 10**power)
        for number in (scaled, scaled + 1):
            yield f"E{power} as text", str(number).encode()
            whole_number = -number if sign else number
            if short:
                yield f"E{power} as an integer", struct.pack(">i", whole_number)
                yield f"E{power} as an integer, little-endian", struct.pack("<i", whole_number)
            yield f"E{power} as a long integer", struct.pack(">q", whole_number)
            yield f"E{power} as a long integer, little-endian", struct.pack("<q", whole_number)
            yield f"E{power} as a varint", _varint(whole_number & 0xFFFF_FFFF_FFFF_FFFF)
            yield f"E{power} as a zigzag", _varint(2 * number - 1 if sign else 2 * number)
    if short:
        semicircles = math.floor(value / 180.0 * 2**31)
        yield "semicircles", struct.pack(">i", semicircles)
        yield "semicircles, little-endian", struct.pack("<i", semicircles)


def _decimals(value: float, digits: int) -> tuple[bytes, bytes]:
    """Rounded, and cut: the one of these that it has stands in a text with more digits too."""
    size, scale = abs(value), 10**digits
    return f"{size:.{digits}f}".encode(), f"{math.floor(size * scale) / scale:.{digits}f}".encode()


def _binary(value: float, *, short: bool) -> Iterator[tuple[str, bytes]]:
    yield "double", struct.pack(">d", value)[:5]
    yield "double, little-endian", struct.pack("<d", value)[3:]
    if short:
        yield "float", struct.pack(">f", value)
        yield "float, little-endian", struct.pack("<f", value)


def _mgrs(lat_deg: float, lon_deg: float) -> Iterator[Form]:
    full = to_mgrs(lat_deg, lon_deg)
    zone, east, north = full[:-10], full[-10:-5], full[-5:]
    for digits in (5, 4):
        e, n = east[:digits], north[:digits]
        yield Form(f"MGRS, {digits} digits", f"{e}{n}".encode())
        yield Form(f"MGRS, {digits} digits apart", f"{e} {n}".encode())
    yield Form("MGRS, 3 digits", f"{zone}{east[:3]}{north[:3]}".encode())


def _varint(number: int) -> bytes:
    out = bytearray()
    while True:
        number, digit = number >> 7, number & 0x7F
        out.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(out)


def places_in(data: bytes, forms: list[Form]) -> list[str]:
    """What of ``forms`` stands in ``data``; quoted-printable line ends do not hide it."""
    plain = re.sub(rb"=\r?\n", b"", data)
    return [form.what for form in forms if _stands(form.bytes, data) or _stands(form.bytes, plain)]


def _stands(form: bytes, data: bytes) -> bool:
    """A number in figures begins where no figure is before it: the end of a time is none of ours."""
    if form not in data:
        return False
    return not _FIGURES.fullmatch(form) or re.search(rb"(?<![0-9.])" + re.escape(form), data) is not None
