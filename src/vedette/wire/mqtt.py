"""MQTT 5.0 (OASIS Standard, 7 March 2019), as much of it as a program needs that publishes and never
subscribes: CONNECT with a will, PUBLISH with QoS 1, PINGREQ, DISCONNECT out; CONNACK, PUBACK, PINGRESP,
DISCONNECT in. Numbers of clauses are those of the standard.

A broker is not trusted with memory: a packet of more than `MOST_BYTES` is an error before it is read.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from vedette.wire.errors import DecodeError, EncodeError

MOST_BYTES = 8192
"""Of a packet that is read. The broker is told so (3.1.2.11.4); those that answer a publisher are short."""
LONGEST_TEXT = 65_535
LONGEST_PACKET = 268_435_455
RETAIN = 0x01
QOS_1 = 0x02

_EXPIRY, _RECEIVE_MAXIMUM, _MAXIMUM_PACKET = 0x02, 0x21, 0x27
_KEEP_ALIVE, _MAXIMUM_QOS, _RETAIN_AVAILABLE = 0x13, 0x24, 0x25
_FROM_BROKER = frozenset({0x20, 0x40, 0xD0, 0xE0})
"""CONNACK, PUBACK, PINGRESP, DISCONNECT with the flags that they must have (2.1.3)."""
_UTF8_PAYLOAD = bytes((0x01, 1))
_SIZES = {
    0x01: 1, 0x02: 4, 0x11: 4, 0x13: 2, 0x17: 1, 0x19: 1, 0x21: 2, 0x22: 2, 0x23: 2, 0x24: 1, 0x25: 1,
    0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1,
}  # fmt: skip
_TEXTS = frozenset({0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F})
_PAIR = 0x26

REASONS = {
    0x10: "nobody subscribes", 0x80: "unspecified error", 0x81: "malformed packet", 0x82: "protocol error",
    0x83: "refused by the broker", 0x84: "the broker does not speak MQTT 5", 0x85: "client id not accepted",
    0x86: "wrong user name or password", 0x87: "not authorised (user and password?)",
    0x88: "server unavailable",
    0x89: "server busy", 0x8A: "banned", 0x8B: "the broker is shutting down", 0x8D: "keep-alive timeout",
    0x8E: "another client took over this client id", 0x90: "topic name not accepted",
    0x93: "too many at once", 0x95: "packet too large", 0x96: "message rate too high", 0x97: "quota exceeded",
    0x98: "administrative action", 0x99: "payload format not accepted", 0x9A: "retain not supported",
    0x9B: "QoS not supported", 0x9C: "use another server", 0x9D: "server moved", 0x9F: "connection rate",
}  # fmt: skip
"""2.4. From `FAILED` on it is a failure."""
FAILED = 0x80


class Message(NamedTuple):
    """What is published. ``expires_s``: how long a broker keeps it for those who come later (3.3.2.3.3)."""

    topic: str
    payload: bytes
    retain: bool = False
    expires_s: int | None = None


class Connack(NamedTuple):
    """3.2. ``keep_alive_s`` absent: the one that was asked for."""

    reason: int
    receive_maximum: int = 65_535
    maximum_packet: int = LONGEST_PACKET
    maximum_qos: int = 2
    retain_available: bool = True
    keep_alive_s: int | None = None


class Puback(NamedTuple):
    """3.4. ``reason`` from `FAILED` on: not taken."""

    packet_id: int
    reason: int


class Pingresp(NamedTuple):
    """3.13."""


class Disconnect(NamedTuple):
    """3.14, as a broker says why it ends the connection."""

    reason: int


Packet = Connack | Puback | Pingresp | Disconnect


def reason_words(reason: int) -> str:
    """A reason code for people."""
    return REASONS.get(reason, f"reason 0x{reason:02X}")


# Out ------------------------------------------------------------------------------------------------


def connect(
    client_id: str,
    *,
    keep_alive_s: int,
    will: Message | None = None,
    user: str | None = None,
    password: str | None = None,
) -> bytes:
    """3.1, with a clean start: nothing is kept by the broker between connections. A will is QoS 1.
    Raises EncodeError."""
    flags = 0x02
    properties = bytes((_MAXIMUM_PACKET,)) + MOST_BYTES.to_bytes(4)
    body = _text("client id", client_id)
    if will is not None:
        flags |= 0x04 | 0x08 | (0x20 if will.retain else 0)
        body += _with_length(_UTF8_PAYLOAD) + _topic(will.topic) + _data("will", will.payload)
    if user is not None:
        flags |= 0x80
        body += _text("user name", user)
    if password is not None:
        flags |= 0x40
        body += _data("password", password.encode())
    head = _text("protocol", "MQTT") + bytes((5, flags)) + keep_alive_s.to_bytes(2)
    return _packet(0x10, head + _with_length(properties) + body)


def publish(message: Message, packet_id: int, *, again: bool = False) -> bytes:
    """3.3, QoS 1. ``again``: it may have been sent before. Raises EncodeError."""
    properties = _UTF8_PAYLOAD
    if message.expires_s is not None:
        properties += bytes((_EXPIRY,)) + struct.pack(">I", min(max(message.expires_s, 1), 0xFFFF_FFFF))
    head = _topic(message.topic) + packet_id.to_bytes(2) + _with_length(properties)
    flags = QOS_1 | (RETAIN if message.retain else 0) | (0x08 if again else 0)
    return _packet(0x30 | flags, head + message.payload)


def pingreq() -> bytes:
    """3.12."""
    return b"\xc0\x00"


def disconnect() -> bytes:
    """3.14: a goodbye, after which the broker does not publish the will."""
    return b"\xe0\x00"


def _packet(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + _with_length(body)


def _with_length(body: bytes) -> bytes:
    """A variable byte integer (1.5.5) before what it counts."""
    size, length = len(body), bytearray()
    if size > LONGEST_PACKET:
        raise EncodeError("too-large", f"an MQTT packet of {size} bytes; the most is {LONGEST_PACKET}")
    while True:
        size, digit = divmod(size, 128)
        length.append(digit | (0x80 if size else 0))
        if not size:
            return bytes(length) + body


def _text(what: str, text: str) -> bytes:
    if "\0" in text:
        raise EncodeError("null", f"{what}: MQTT text may hold no null character")
    return _data(what, text.encode())


def _data(what: str, data: bytes) -> bytes:
    if len(data) > LONGEST_TEXT:
        raise EncodeError("too-long", f"{what}: {len(data)} bytes; MQTT allows {LONGEST_TEXT}")
    return struct.pack(">H", len(data)) + data


def _topic(topic: str) -> bytes:
    """4.7: wildcards are for those who subscribe."""
    if not topic or "+" in topic or "#" in topic:
        raise EncodeError("topic", f"{topic!r} is no topic that can be published to")
    return _text("topic", topic)


# In -------------------------------------------------------------------------------------------------


class Splitter:
    """Bytes of a broker -> packets, however they are cut. Holds at most one packet of `MOST_BYTES`.
    After a DecodeError the stream is of no use any more."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Packet]:
        """The packets that ``data`` makes whole. Raises DecodeError."""
        self._held += data
        while (found := _frame(self._held)) is not None:
            kind, start, end = found
            body = bytes(self._held[start:end])
            del self._held[:end]
            yield _read(kind, body)


def _frame(held: bytearray) -> tuple[int, int, int] | None:
    """First byte, and where the body begins and ends, if it is whole."""
    if held and held[0] not in _FROM_BROKER:
        kind = held[0]
        raise DecodeError(
            "unexpected", f"packet type 0x{kind:02X} from a broker to a client that only publishes"
        )
    size = shift = 0
    for place in range(1, min(len(held), 5)):
        size |= (held[place] & 0x7F) << shift
        if size > MOST_BYTES:
            raise DecodeError("too-large", f"a packet of more than {MOST_BYTES} bytes from the broker")
        if not held[place] & 0x80:
            end = place + 1 + size
            return None if len(held) < end else (held[0], place + 1, end)
        shift += 7
    if len(held) >= 5:
        raise DecodeError("length", "the broker's packet length is malformed (1.5.5)")
    return None


def _read(kind: int, body: bytes) -> Packet:
    if kind == 0x20:
        return _connack(body)
    if kind == 0x40:
        return _puback(body)
    if kind == 0xD0 and not body:
        return Pingresp()
    if kind == 0xE0:
        return Disconnect(body[0] if body else 0)
    raise DecodeError("pingresp", f"a PINGRESP of {len(body)} bytes; it has none")


def _connack(body: bytes) -> Connack:
    if len(body) == 2 or (len(body) > 2 and body[1] and body[1] < FAILED):
        # MQTT 3.1.1: a return code below 0x80 and no properties.
        return Connack(reason=0x84)
    if len(body) < 3:
        raise DecodeError("connack", f"CONNACK of {len(body)} bytes; it has at least 3")
    known = _properties(body, 2)
    return Connack(
        reason=body[1],
        receive_maximum=known.get(_RECEIVE_MAXIMUM, 65_535),
        maximum_packet=known.get(_MAXIMUM_PACKET, LONGEST_PACKET),
        maximum_qos=known.get(_MAXIMUM_QOS, 2),
        retain_available=known.get(_RETAIN_AVAILABLE, 1) == 1,
        keep_alive_s=known.get(_KEEP_ALIVE),
    )


def _puback(body: bytes) -> Puback:
    if len(body) < 2:
        raise DecodeError("puback", f"PUBACK of {len(body)} bytes; it has at least 2")
    return Puback(int.from_bytes(body[:2]), body[2] if len(body) > 2 else 0)


def _properties(body: bytes, place: int) -> dict[int, int]:
    """2.2.2: those that are numbers; texts are read past. Raises DecodeError."""
    size, place = _varint(body, place)
    end, known = place + size, dict[int, int]()
    if end > len(body):
        raise DecodeError("properties", f"properties of {size} bytes in {len(body) - place}")
    while place < end:
        name, place = body[place], place + 1
        if name in _SIZES:
            after = place + _SIZES[name]
            known[name] = int.from_bytes(body[place:after])
        elif name in _TEXTS or name == _PAIR:
            after = _past(body, place)
            after = _past(body, after) if name == _PAIR else after
        elif name == 0x0B:
            after = _varint(body, place)[1]
        else:
            raise DecodeError("properties", f"property 0x{name:02X} is not known")
        if after > end:
            raise DecodeError("properties", f"property 0x{name:02X} is cut short")
        place = after
    return known


def _past(body: bytes, place: int) -> int:
    return place + 2 + int.from_bytes(body[place : place + 2])


def _varint(body: bytes, place: int) -> tuple[int, int]:
    value = 0
    for shift in (0, 7, 14, 21):
        if place >= len(body):
            raise DecodeError("length", "a variable byte integer is cut short")
        digit, place = body[place], place + 1
        value |= (digit & 0x7F) << shift
        if not digit & 0x80:
            return value, place
    raise DecodeError("length", "a variable byte integer of more than four bytes")
