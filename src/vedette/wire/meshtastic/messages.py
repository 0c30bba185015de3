"""The messages between a node and its client that an alert needs, and no others.

Source: meshtastic.org, "Client API" and "Protobufs"; numbers of fields as published there. Both directions,
so that a test can stand for a node. What other people send is not read: of a packet for another
application only its port is looked at.
"""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from vedette.wire.errors import DecodeError, EncodeError
from vedette.wire.lora.airtime import LARGEST_PAYLOAD
from vedette.wire.meshtastic.protobuf import (
    Value,
    embedded,
    fields,
    fixed32,
    float32,
    number,
    real,
    signed,
)

BROADCAST = 0xFFFFFFFF
PRIVATE_APP = 256
"""The port for applications of one's own."""
ROUTING_APP = 5
PRIORITY_ALERT, PRIORITY_HIGH, PRIORITY_DEFAULT = 110, 100, 64

PRESET_NAMES: dict[int, str] = {
    0: "long-fast", 1: "long-slow", 3: "medium-slow", 4: "medium-fast", 5: "short-slow", 6: "short-fast",
    7: "long-moderate", 8: "short-turbo", 9: "long-turbo",
}  # fmt: skip
"""``ModemPreset`` -> our name of it; presets that are not in it are not known here."""

ROUTING_ERRORS: dict[int, str] = {
    1: "no route",
    2: "refused by another node",
    3: "no answer in time",
    4: "no radio",
    5: "nobody was heard to relay it",
    6: "the channel does not exist",
    7: "too large",
    8: "no response",
    9: "the legal duty cycle is used up",
    32: "bad request",
    33: "not authorized",
    38: "sent too often",
}
"""``Routing.Error``, in words."""


class Packet(Struct, frozen=True, kw_only=True):
    """``MeshPacket`` with a payload that the node has decrypted. ``request``: the packet it answers."""

    sender: int = 0
    to: int = BROADCAST
    channel: int = 0
    id: int = 0
    port: int = 0
    payload: bytes = b""
    hop_limit: int = 0
    want_ack: bool = False
    priority: int = 0
    via_mqtt: bool = False
    snr_db: float = 0.0
    rssi_dbm: int = 0
    request: int = 0


class MyInfo(Struct, frozen=True):
    """``MyNodeInfo``: the node's own number."""

    node: int


class LoraConfig(Struct, frozen=True, kw_only=True):
    """``Config.LoRaConfig``, as far as it says what a transmission costs. ``region`` 0 is not set."""

    use_preset: bool = False
    preset: int = 0
    bandwidth_khz: int = 0
    spreading: int = 0
    coding: int = 0
    region: int = 0
    hop_limit: int = 0
    tx_enabled: bool = False


class Channel(Struct, frozen=True, kw_only=True):
    """``Channel``. ``role``: 0 disabled, 1 primary, 2 secondary; ``key_bytes``: the length of its key, which
    is 0 or 1 where anybody can read along. The key itself is not kept."""

    index: int = 0
    role: int = 0
    name: str = ""
    key_bytes: int = 0


class ConfigComplete(Struct, frozen=True):
    """The node has told all that ``want_config`` asked for."""

    nonce: int


class QueueStatus(Struct, frozen=True, kw_only=True):
    """What became of packet ``id`` at the node: ``result`` 0 is queued; ``free`` places are left."""

    result: int = 0
    free: int = 0
    most: int = 0
    id: int = 0


class Routing(Struct, frozen=True):
    """What became of packet ``request`` on the air; ``error`` 0: another node was heard to relay it."""

    request: int
    error: int


class Rebooted(Struct, frozen=True):
    """The node has started anew and forgotten its client."""


class Notice(Struct, frozen=True):
    """``ClientNotification``: the node tells its user something about packet ``request`` (0: in general)."""

    request: int
    level: int


class Other(Struct, frozen=True):
    """A part of ``FromRadio`` that is not needed, by its field number; its content is not kept."""

    field: int


FromRadio = (
    Packet
    | MyInfo
    | LoraConfig
    | Channel
    | ConfigComplete
    | QueueStatus
    | Routing
    | Rebooted
    | Notice
    | Other
)


def want_config(nonce: int) -> bytes:
    """``ToRadio``: tell me all, and end with this number."""
    return number(3, nonce)


def heartbeat() -> bytes:
    """``ToRadio``: I am still here."""
    return embedded(7, b"")


def disconnect() -> bytes:
    """``ToRadio``: goodbye."""
    return number(4, 1)


def send_packet(packet: Packet) -> bytes:
    """``ToRadio`` with a packet. Raises EncodeError if the payload is more than a packet carries."""
    return embedded(1, _packet_bytes(packet))


def read_to_radio(data: bytes) -> Packet | int | None:
    """The node's side: a packet, the number of ``want_config``, or None for the rest. Raises DecodeError."""
    for field, value in fields(data):
        if field == 1 and isinstance(value, bytes):
            found = _packet(value)
            return found if isinstance(found, Packet) else None
        if field == 3 and isinstance(value, int):
            return value
    return None


def read_from_radio(data: bytes) -> FromRadio:
    """One message of a node. Raises DecodeError (not-protobuf) where it breaks the format."""
    found: FromRadio = Other(0)
    for field, value in fields(data):
        if field == 1:
            continue
        reader = _READERS.get(field)
        found = Other(field) if reader is None else reader(value)
    return found


def write_from_radio(message: FromRadio) -> bytes:
    """The node's side of `read_from_radio`. Raises EncodeError for `Other`."""
    if isinstance(message, Packet):
        return embedded(2, _packet_bytes(message))
    if isinstance(message, MyInfo):
        return embedded(3, number(1, message.node))
    if isinstance(message, LoraConfig):
        return embedded(5, embedded(6, _lora_bytes(message)))
    if isinstance(message, ConfigComplete):
        return number(7, message.nonce)
    if isinstance(message, Rebooted):
        return number(8, 1)
    if isinstance(message, Channel):
        settings = embedded(2, bytes(message.key_bytes)) + embedded(3, message.name.encode())
        return embedded(10, number(1, message.index) + embedded(2, settings) + number(3, message.role))
    if isinstance(message, QueueStatus):
        told = number(2, message.free) + number(3, message.most) + number(4, message.id)
        return embedded(11, number(1, message.result) + told)
    if isinstance(message, Routing):
        body = embedded(2, number(3, message.error)) + fixed32(6, message.request)
        return embedded(2, fixed32(1, 1) + embedded(4, number(1, ROUTING_APP) + body))
    if isinstance(message, Notice):
        return embedded(16, number(1, message.request) + number(3, message.level))
    raise EncodeError("nothing-to-write", f"{message!r} stands for what is not read")


def _packet_bytes(packet: Packet) -> bytes:
    if len(packet.payload) > LARGEST_PAYLOAD:
        raise EncodeError(
            "too-large", f"{len(packet.payload)} bytes; a packet carries {LARGEST_PAYLOAD} at most"
        )
    data = number(1, packet.port) + embedded(2, packet.payload) + fixed32(6, packet.request)
    return b"".join((
        fixed32(1, packet.sender), fixed32(2, packet.to), number(3, packet.channel), embedded(4, data),
        fixed32(6, packet.id), float32(8, packet.snr_db), number(9, packet.hop_limit),
        number(10, packet.want_ack), number(11, packet.priority), number(12, packet.rssi_dbm),
        number(14, packet.via_mqtt),
    ))  # fmt: skip


def _lora_bytes(lora: LoraConfig) -> bytes:
    return b"".join((
        number(1, lora.use_preset), number(2, lora.preset), number(3, lora.bandwidth_khz),
        number(4, lora.spreading), number(5, lora.coding), number(7, lora.region),
        number(8, lora.hop_limit), number(9, lora.tx_enabled),
    ))  # fmt: skip


def _numbers(value: Value) -> dict[int, int]:
    """The numbers of a message, the last of each field; a value of the wrong kind counts as absent."""
    return {field: found for field, found in fields(_message(value)) if isinstance(found, int)}


def _parts(value: Value) -> dict[int, bytes]:
    return {field: found for field, found in fields(_message(value)) if isinstance(found, bytes)}


def _message(value: Value) -> bytes:
    if isinstance(value, int):
        raise DecodeError("not-protobuf", "a number where a message was due")
    return value


def _packet(value: Value) -> Packet | Routing:
    told, data = _numbers(value), _parts(value).get(4, b"")
    inside, payload = _numbers(data), _parts(data).get(2, b"")
    port = inside.get(1, 0)
    if port == ROUTING_APP:
        return Routing(inside.get(6, 0), _numbers(payload).get(3, 0))
    packet = Packet(sender=told.get(1, 0), to=told.get(2, 0), channel=told.get(3, 0), port=port)
    if port != PRIVATE_APP:
        return packet
    return replace(
        packet, payload=payload, id=told.get(6, 0), hop_limit=told.get(9, 0), want_ack=bool(told.get(10, 0)),
        priority=told.get(11, 0), via_mqtt=bool(told.get(14, 0)), snr_db=real(told.get(8, 0) & 0xFFFFFFFF),
        rssi_dbm=signed(told.get(12, 0)), request=inside.get(6, 0),
    )  # fmt: skip


def _my_info(value: Value) -> MyInfo:
    return MyInfo(_numbers(value).get(1, 0))


def _config(value: Value) -> LoraConfig | Other:
    lora = _parts(value).get(6)
    if lora is None:
        return Other(5)
    told = _numbers(lora)
    return LoraConfig(
        use_preset=bool(told.get(1, 0)), preset=told.get(2, 0), bandwidth_khz=told.get(3, 0),
        spreading=told.get(4, 0), coding=told.get(5, 0), region=told.get(7, 0), hop_limit=told.get(8, 0),
        tx_enabled=bool(told.get(9, 0)),
    )  # fmt: skip


def _channel(value: Value) -> Channel:
    told, settings = _numbers(value), _parts(_parts(value).get(2, b""))
    name = settings.get(3, b"").decode("utf-8", "replace")
    return Channel(
        index=signed(told.get(1, 0)), role=told.get(3, 0), name=name, key_bytes=len(settings.get(2, b""))
    )


def _queue(value: Value) -> QueueStatus:
    told = _numbers(value)
    return QueueStatus(
        result=signed(told.get(1, 0)), free=told.get(2, 0), most=told.get(3, 0), id=told.get(4, 0)
    )


def _complete(value: Value) -> ConfigComplete:
    if isinstance(value, bytes):
        raise DecodeError("not-protobuf", "bytes where a number was due")
    return ConfigComplete(value)


def _rebooted(value: Value) -> Rebooted | Other:
    return Rebooted() if value else Other(8)


def _notice(value: Value) -> Notice:
    told = _numbers(value)
    return Notice(told.get(1, 0), told.get(3, 0))


_READERS: dict[int, Callable[[Value], FromRadio]] = {
    2: _packet, 3: _my_info, 5: _config, 7: _complete, 8: _rebooted, 10: _channel, 11: _queue, 16: _notice,
}  # fmt: skip
