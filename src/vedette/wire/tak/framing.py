"""The headers of TAK protocol messages: a magic byte and varints (``protocol.txt``, "Generic Framework"
and "TAK Protocol Varint Encoding")."""

from vedette.wire.cot import MAX_EVENT_BYTES

MAGIC = 0xBF
MAX_PAYLOAD_BYTES = MAX_EVENT_BYTES
"""A larger payload is not read: no event in XML may be larger either."""

_MAX_VARINT_BYTES = 10


class Incomplete(Exception):
    """More bytes are needed to tell."""


def encode_varint(number: int) -> bytes:
    """An unsigned number, seven bits a byte, the lowest first. Raises ValueError below zero."""
    if number < 0:
        raise ValueError(f"{number} is below zero: a varint is unsigned")
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def decode_varint(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """(number, index behind it); None if ten bytes do not end it. Raises Incomplete."""
    number = 0
    for index in range(_MAX_VARINT_BYTES):
        if at + index >= len(data):
            raise Incomplete
        byte = data[at + index]
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return number, at + index + 1
    return None
