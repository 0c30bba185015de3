"""Mesh networks: one message to a datagram, as SA multicast (239.2.3.1:6969) carries it.

A datagram is XML (version 0), or BF, the version as a varint, BF, and a payload of that version.
"""

from collections.abc import Iterable

from msgspec import Struct

from vedette.wire.cot import CotError, CotEvent, read_event, write_event
from vedette.wire.tak.framing import MAGIC, MAX_PAYLOAD_BYTES, Incomplete, decode_varint, encode_varint
from vedette.wire.tak.payload import Control, read_payload, write_payload

VERSION = 1
"""The one protobuf version there is."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_HEADER = bytes([MAGIC]) + encode_varint(VERSION) + bytes([MAGIC])


class Datagram(Struct, frozen=True, kw_only=True):
    """What one datagram said, and in which version of the protocol."""

    version: int
    event: CotEvent | None = None
    control: Control | None = None


def read_datagram(data: bytes) -> Datagram:
    """One datagram of either version. Raises CotError: as `read_payload`, or bad-header,
    unknown-version."""
    if data[:1] != _HEADER[:1]:
        text = data.removeprefix(_BYTE_ORDER_MARK).strip(b" \t\r\n\0")
        return Datagram(version=0, event=read_event(text))
    version, start = _header(data)
    if version == 0:
        return Datagram(version=0, event=read_event(data[start:]))
    if version != VERSION:
        raise CotError(
            "unknown-version", f"protocol version {version} is not known", data[:MAX_PAYLOAD_BYTES]
        )
    message = read_payload(data[start:])
    return Datagram(version=version, event=message.event, control=message.control)


def write_datagram(
    event: CotEvent | None = None, control: Control | None = None, *, version: int = VERSION
) -> bytes:
    """One datagram. Version 0 carries an event and no control part. Raises CotError."""
    if version == VERSION:
        return _HEADER + write_payload(event, control)
    if version != 0 or event is None or control is not None:
        raise CotError("bad-value", f"protocol version {version} cannot carry this message")
    return write_event(event)


def common_version(heard: Iterable[tuple[int, int]]) -> int:
    """The version to broadcast in, given (lowest, highest) of every participant known: the highest that
    all can read, else 0, which is XML and which all can (``protocol.txt``, mesh negotiation, 4)."""
    return VERSION if all(low <= VERSION <= high for low, high in heard) else 0


def _header(data: bytes) -> tuple[int, int]:
    try:
        found = decode_varint(data, 1)
    except Incomplete:
        found = None
    if found is None or data[found[1] : found[1] + 1] != _HEADER[:1]:
        shown = data[:4].hex(" ")
        raise CotError("bad-header", f"{shown} is no TAK protocol header", data[:MAX_PAYLOAD_BYTES])
    return found[0], found[1] + 1
