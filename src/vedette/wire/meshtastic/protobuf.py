"""As much of the Protocol Buffers wire format as the node's messages need (protobuf.dev, "Encoding").

Fields that a reader does not know are stepped over, as the format demands. Nothing here allocates by what
a length claims, and groups (deprecated) end the reading.
"""

import struct
from collections.abc import Iterator

from vedette.wire.errors import DecodeError

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
_SIZES = {FIXED64: 8, FIXED32: 4}

Value = int | bytes
"""Varints as unsigned 64-bit numbers, fixed widths as unsigned numbers, the rest as bytes."""


def varint(value: int) -> bytes:
    """An unsigned number of up to 64 bits."""
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)


def number(field: int, value: int) -> bytes:
    """A varint field; negative numbers take ten bytes, as ``int32`` has it. Zero is left out."""
    return varint(field << 3 | VARINT) + varint(value & 0xFFFFFFFFFFFFFFFF) if value else b""


def fixed32(field: int, value: int) -> bytes:
    """A ``fixed32`` field; zero is left out."""
    return varint(field << 3 | FIXED32) + struct.pack("<I", value) if value else b""


def float32(field: int, value: float) -> bytes:
    """A ``float`` field; zero is left out."""
    return varint(field << 3 | FIXED32) + struct.pack("<f", value) if value else b""


def embedded(field: int, value: bytes) -> bytes:
    """Bytes, text or a message."""
    return varint(field << 3 | LENGTH) + varint(len(value)) + value


def fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """(field number, value) in their order. Raises DecodeError: not-protobuf."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if key >> 3 == 0:
            raise DecodeError("not-protobuf", "field number 0")
        if kind == VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind == LENGTH:
            size, at = _varint(data, at)
        elif kind in _SIZES:
            size = _SIZES[kind]
        else:
            raise DecodeError("not-protobuf", f"wire type {kind}")
        if size > len(data) - at:
            raise DecodeError("not-protobuf", "a field reaches beyond the message")
        piece = data[at : at + size]
        at += size
        yield key >> 3, piece if kind == LENGTH else int.from_bytes(piece, "little")


def signed(value: int) -> int:
    """A varint as ``int32``."""
    low = value & 0xFFFFFFFF
    return low - 0x100000000 if low & 0x80000000 else low


def real(value: int) -> float:
    """Four bytes that were read as a number, as ``float``."""
    found: float = struct.unpack("<f", struct.pack("<I", value))[0]
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(10):
        if at + place >= len(data):
            raise DecodeError("not-protobuf", "a number is cut off")
        byte = data[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at + place + 1
    raise DecodeError("not-protobuf", "a number of more than ten bytes")
