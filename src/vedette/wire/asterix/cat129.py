"""CAT129, UAS identification reports (EUROCONTROL-SPEC-0149-29, edition 1.2, 12 June 2019).

OWN READING, NOT VERIFIED AGAINST A REAL SENDER. The text itself was not at hand; the order of the items,
their lengths and units are those that public descriptions of edition 1.2 state, no capture is known, and
no library reads this category. What is less certain than the rest:

- 120, operational risk: the text is said to contradict itself (one byte in the table of items, three in
  the description). Three are skipped, none is interpreted; with one, whatever follows is misplaced, which
  the check of the record's length shows.
- 040, serial number: no encoding is stated, so the twelve bytes are handed on as they are.
- 110, accuracy: two bytes in metres, where 0 is said to mean unknown or more than 255 m.
- 100, height above ground: taken as signed like 090, though nothing flies below the ground.

One record per block: the text allows no more. All of this is a claim of the drone, as in Remote ID.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from vedette.wire.asterix.errors import AsterixError
from vedette.wire.asterix.messages import UasIdentification
from vedette.wire.asterix.tables import DAY_S

CATEGORY = 129
_DEGREE_LSB = 180.0 / (1 << 30)
_TENTH_M = 0.1
_SPEED_LSB_MPS = 0.01
_TIME_LSB_S = 1.0 / 128.0
_RESERVED_FROM = 16

Values = dict[str, Any]


class _Item(msgspec.Struct, frozen=True):
    """One item: ``size`` bytes (0: the first byte says it), read into and written from fields."""

    name: str
    size: int
    read: Callable[[bytes], Values]
    write: Callable[[UasIdentification], bytes | None]


def decode_record(payload: bytes) -> UasIdentification:
    """The one record of a block. Raises AsterixError (``edition``, ``missing-item``, ``range``, ``text``)."""
    numbers, at = _field_references(payload)
    values: Values = {}
    for number in numbers:
        item = _ITEMS[number]
        size = item.size or _explicit_size(payload, at)
        if at + size > len(payload):
            raise AsterixError("edition", f"CAT129: the record ends within item {item.name}")
        values |= item.read(payload[at : at + size])
        at += size
    if at != len(payload):
        raise AsterixError(
            "edition", f"CAT129: {len(payload) - at} bytes follow the only record of the block"
        )
    if "sac" not in values:
        raise AsterixError("missing-item", "CAT129: a record without its data source (010)")
    message = UasIdentification(**values)
    _check(message)
    return message


def encode_record(message: UasIdentification) -> bytes:
    """A record. Raises AsterixError (``range``, ``text``, ``missing-item``)."""
    _check(message)
    for one, other in (("lat_deg", "lon_deg"), ("east_mps", "north_mps")):
        if (getattr(message, one) is None) != (getattr(message, other) is None):
            raise AsterixError("missing-item", f"CAT129: one of {one} and {other} alone cannot be sent")
    try:
        items = {number: item.write(message) for number, item in _ITEMS.items()}
    except (struct.error, OverflowError) as error:
        raise AsterixError("range", f"CAT129: a value does not fit its item: {error}") from error
    sent = {number: data for number, data in items.items() if data is not None}
    return _fspec(max(sent), set(sent)) + b"".join(sent.values())


def _field_references(payload: bytes) -> tuple[list[int], int]:
    """The numbers of the items that a record holds, and where the first of them starts."""
    numbers: list[int] = []
    for index, byte in enumerate(payload[:3]):
        numbers += [7 * index + bit + 1 for bit in range(7) if byte & (0x80 >> bit)]
        if not byte & 1:
            break
    else:
        raise AsterixError("edition", "CAT129: the list of items does not end after three bytes")
    if numbers and numbers[-1] >= _RESERVED_FROM:
        raise AsterixError("edition", f"CAT129: item number {numbers[-1]} is reserved")
    return numbers, index + 1


def _fspec(last: int, sent: set[int]) -> bytes:
    count = (last + 6) // 7
    rows = (sum(0x80 >> bit for bit in range(7) if 7 * index + bit + 1 in sent) for index in range(count))
    return bytes(row | (index < count - 1) for index, row in enumerate(rows))


def _explicit_size(payload: bytes, at: int) -> int:
    if at >= len(payload) or payload[at] == 0:
        raise AsterixError("edition", "CAT129: a special purpose field without a length")
    return payload[at]


_LIMITS: Mapping[str, tuple[float, float]] = {
    "sac": (0, 255),
    "sic": (0, 255),
    "lat_deg": (-90.0, 90.0),
    "lon_deg": (-180.0, 180.0),
    "altitude_msl_m": (-1_000.0, 50_000.0),
    "height_agl_m": (-1_000.0, 50_000.0),
    "accuracy_m": (1.0, 65_535.0),
}


def _check(message: UasIdentification) -> None:
    time = message.time_of_day_s
    if time is not None and not 0.0 <= time < DAY_S:
        raise AsterixError("range", f"CAT129: a time of day of {time} s")
    for name, (low, high) in _LIMITS.items():
        value = getattr(message, name)
        if value is not None and not low <= value <= high:
            raise AsterixError("range", f"CAT129: {name} {value} is outside {low} to {high}")


def _read_source(data: bytes) -> Values:
    return {"sac": data[0], "sic": data[1]}


def _ignore(_: bytes) -> Values:
    return {}


def _never(_: UasIdentification) -> None:
    return None


def _text_item(number: str, name: str, size: int) -> _Item:
    def read(data: bytes) -> Values:
        text = data.rstrip(b" \0")
        if any(not 0x20 <= byte < 0x7F for byte in text):
            raise AsterixError("text", f"CAT129: {name} has characters that are no printable ASCII")
        return {name: text.decode("ascii") or None}

    def write(message: UasIdentification) -> bytes | None:
        text: str | None = getattr(message, name)
        if text is None:
            return None
        if not text.isascii() or not text.isprintable() or len(text) > size:
            raise AsterixError(
                "text", f"CAT129: {name} {text!r} is not up to {size} printable ASCII characters"
            )
        return text.encode().ljust(size)

    return _Item(number, size, read, write)


def _height_item(number: str, name: str) -> _Item:
    def read(data: bytes) -> Values:
        return {name: int.from_bytes(data, signed=True) * _TENTH_M}

    def write(message: UasIdentification) -> bytes | None:
        value: float | None = getattr(message, name)
        return None if value is None else _count(value, _TENTH_M).to_bytes(3, signed=True)

    return _Item(number, 3, read, write)


def _count(value: float, lsb: float) -> int:
    try:
        return round(value / lsb)
    except (ValueError, OverflowError) as error:
        raise AsterixError("range", f"CAT129: {value} is no number") from error


def _read_time(data: bytes) -> Values:
    return {"time_of_day_s": int.from_bytes(data) * _TIME_LSB_S}


def _write_time(message: UasIdentification) -> bytes | None:
    if message.time_of_day_s is None:
        return None
    # Cut, not rounded: the last instant of a day is no next day.
    return int(message.time_of_day_s / _TIME_LSB_S).to_bytes(3)


def _write_serial(message: UasIdentification) -> bytes | None:
    serial = message.serial
    if serial is not None and len(serial) != 12:
        raise AsterixError("text", f"CAT129: a serial number has twelve bytes, not {len(serial)}")
    return serial


def _read_place(data: bytes) -> Values:
    lat, lon = struct.unpack(">ii", data)
    return {"lat_deg": lat * _DEGREE_LSB, "lon_deg": lon * _DEGREE_LSB}


def _write_place(message: UasIdentification) -> bytes | None:
    if message.lat_deg is None or message.lon_deg is None:
        return None
    return struct.pack(">ii", _count(message.lat_deg, _DEGREE_LSB), _count(message.lon_deg, _DEGREE_LSB))


def _read_accuracy(data: bytes) -> Values:
    return {"accuracy_m": float(int.from_bytes(data)) or None}


def _write_accuracy(message: UasIdentification) -> bytes | None:
    return None if message.accuracy_m is None else _count(message.accuracy_m, 1.0).to_bytes(2)


def _signed20(raw: int) -> float:
    return (raw - (1 << 20) if raw >> 19 else raw) * _SPEED_LSB_MPS


def _raw20(value: float) -> int:
    raw = _count(value, _SPEED_LSB_MPS)
    if not -(1 << 19) <= raw < 1 << 19:
        raise AsterixError("range", f"CAT129: {value} m/s does not fit 20 bits")
    return raw & 0xFFFFF


def _read_velocity(data: bytes) -> Values:
    both = int.from_bytes(data)
    return {"east_mps": _signed20(both >> 20), "north_mps": _signed20(both & 0xFFFFF)}


def _write_velocity(message: UasIdentification) -> bytes | None:
    if message.east_mps is None or message.north_mps is None:
        return None
    return (_raw20(message.east_mps) << 20 | _raw20(message.north_mps)).to_bytes(5)


def _read_climb(data: bytes) -> Values:
    return {"climb_mps": _signed20(int.from_bytes(data) & 0xFFFFF)}


def _write_climb(message: UasIdentification) -> bytes | None:
    return None if message.climb_mps is None else _raw20(message.climb_mps).to_bytes(3)


_ITEMS: Mapping[int, _Item] = {
    1: _Item("010", 2, _read_source, lambda message: bytes((message.sac, message.sic))),
    2: _Item("015", 2, _ignore, _never),
    3: _text_item("020", "manufacturer", 3),
    4: _text_item("030", "model", 3),
    5: _Item("040", 12, lambda data: {"serial": data}, _write_serial),
    6: _text_item("050", "country", 2),
    7: _Item("070", 3, _read_time, _write_time),
    8: _Item("080", 8, _read_place, _write_place),
    9: _height_item("090", "altitude_msl_m"),
    10: _height_item("100", "height_agl_m"),
    11: _Item("110", 2, _read_accuracy, _write_accuracy),
    12: _Item("120", 3, _ignore, _never),
    13: _Item("SP", 0, _ignore, _never),
    14: _Item("185", 5, _read_velocity, _write_velocity),
    15: _Item("220", 3, _read_climb, _write_climb),
}
"""By field reference number; 16 to 21 are reserved."""
