"""CBOR (RFC 8949) as far as WebAuthn uses it: reads one item of definite length; writes nothing.

Integers, byte and text strings, arrays, maps, false, true and null. What else there is in CBOR (floats,
tags, indefinite lengths, 64-bit simple values) CTAP2's canonical form (CTAP 2.1, 8) does not need here, and
it is refused. Keys of a map are integers or text, each once.
"""

from typing import Any

MOST_DEPTH = 4
"""Deepest nesting of canonical CTAP2 CBOR."""
MOST_BYTES = 65_536

_SIMPLE: dict[int, bool | None] = {20: False, 21: True, 22: None}


class CborError(ValueError):
    """The bytes are no CBOR of this kind."""


def read_cbor(data: bytes) -> tuple[Any, bytes]:
    """The first item of ``data`` and the bytes behind it. Raises CborError."""
    if len(data) > MOST_BYTES:
        raise CborError(f"more than {MOST_BYTES} bytes")
    value, end = _item(data, 0, MOST_DEPTH)
    return value, data[end:]


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    kind, number, at = _head(data, at)
    if kind == 0:
        return number, at
    if kind == 1:
        return -1 - number, at
    if kind in (2, 3):
        return _string(data, at, number, text=kind == 3)
    if kind == 7 and number in _SIMPLE:
        return _SIMPLE[number], at
    if kind not in (4, 5):
        raise CborError(f"major type {kind} is not used here")
    if depth == 0:
        raise CborError("nested too deep")
    return _array(data, at, number, depth) if kind == 4 else _map(data, at, number, depth)


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Major type, argument, and where the item goes on."""
    if at >= len(data):
        raise CborError("cut off")
    kind, low = data[at] >> 5, data[at] & 0x1F
    if low < 24:
        return kind, low, at + 1
    if low > 27 or kind == 7:
        raise CborError("an indefinite length, a float or a reserved value")
    size = 1 << (low - 24)
    if at + 1 + size > len(data):
        raise CborError("cut off")
    return kind, int.from_bytes(data[at + 1 : at + 1 + size], "big"), at + 1 + size


def _string(data: bytes, at: int, length: int, *, text: bool) -> tuple[bytes | str, int]:
    if length > len(data) - at:
        raise CborError("a string is cut off")
    raw = data[at : at + length]
    try:
        return (raw.decode("utf-8") if text else raw), at + length
    except UnicodeDecodeError:
        raise CborError("a text that is not UTF-8") from None


def _array(data: bytes, at: int, length: int, depth: int) -> tuple[list[Any], int]:
    if length > len(data) - at:
        raise CborError("an array is cut off")
    items = []
    for _ in range(length):
        item, at = _item(data, at, depth - 1)
        items.append(item)
    return items, at


def _map(data: bytes, at: int, length: int, depth: int) -> tuple[dict[int | str, Any], int]:
    if 2 * length > len(data) - at:
        raise CborError("a map is cut off")
    found: dict[int | str, Any] = {}
    for _ in range(length):
        key, at = _item(data, at, depth - 1)
        if isinstance(key, bool) or not isinstance(key, int | str) or key in found:
            raise CborError("a key that is twice there, or neither a number nor a text")
        found[key], at = _item(data, at, depth - 1)
    return found, at
