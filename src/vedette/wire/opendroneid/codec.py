"""Open Drone ID messages <-> bytes: 25 bytes a message, up to nine in a pack (ASTM F3411-22a, clause 5.4).

Versions newer than 2 are decoded as version 2, since the standard only fills reserved fields.
Every text is printable ASCII with NUL padding; anything else is an error of that message, because
a garbled identifier is worse than none.
"""

import struct
from collections.abc import Callable, Sequence

from vedette.wire.errors import DecodeError, EncodeError
from vedette.wire.opendroneid import tables as t
from vedette.wire.opendroneid.messages import (
    AuthPage,
    BasicId,
    Location,
    Message,
    MessagePack,
    OperatorId,
    SelfId,
    Single,
    System,
)
from vedette.wire.opendroneid.tables import IdType, MessageType

MESSAGE_BYTES = 25
PACK_LIMIT = 9
AUTH_PAGES = 16
TIMESTAMP_LIMIT = 36_000
"""Tenths of a second since the hour; greater is unknown (0xFFFF) or nonsense, which is the same to us."""

_LOCATION = struct.Struct("<BBBBbiiHHHBBHBx")
_SYSTEM = struct.Struct("<BBiiHBHHBHIx")
_BINARY_ID_BYTES = {IdType.UTM_UUID: 16, IdType.SPECIFIC_SESSION: 20}


def decode(data: bytes) -> Message:
    """One message or one pack -> its struct. Raises DecodeError; bytes after the message are ignored."""
    if data and data[0] >> 4 == MessageType.PACK:
        return _decode_pack(data)
    return decode_single(data)


def decode_single(data: bytes) -> Single:
    """The first 25 bytes -> a single message. Raises DecodeError (a pack is no single message)."""
    if len(data) < MESSAGE_BYTES:
        raise DecodeError("short-message", f"a message has {MESSAGE_BYTES} bytes, {len(data)} are here")
    decoder = _DECODERS.get(data[0] >> 4)
    if decoder is None:
        raise DecodeError("message-type", f"message type {data[0] >> 4} is not assigned")
    return decoder(data, data[0] & 0x0F)


def pack_entries(data: bytes) -> list[bytes]:
    """The single messages of a pack as bytes, undecoded. Raises DecodeError if the pack is not whole."""
    if len(data) < 3 or data[0] >> 4 != MessageType.PACK:
        raise DecodeError("pack", "a message pack starts with type 15, message size and count")
    size, count = data[1], data[2]
    # Real transmitters send empty packs while they wait for their first fix.
    if size != MESSAGE_BYTES or count > PACK_LIMIT:
        raise DecodeError(
            "pack", f"a pack holds up to {PACK_LIMIT} messages of 25 bytes, this says {count} of {size}"
        )
    if len(data) < 3 + count * size:
        raise DecodeError("pack", f"the pack says {count} messages but ends after {len(data)} bytes")
    return [data[3 + i * size : 3 + (i + 1) * size] for i in range(count)]


def _decode_pack(data: bytes) -> MessagePack:
    messages = tuple(decode_single(entry) for entry in pack_entries(data))
    return MessagePack(messages=messages, version=data[0] & 0x0F)


def encode(message: Single) -> bytes:
    """A single message -> 25 bytes. Raises EncodeError if a value does not fit its field."""
    try:
        data = _ENCODERS[type(message)](message)
    except (struct.error, OverflowError) as error:
        raise EncodeError("range", f"a value of {message!r} does not fit its field: {error}") from error
    return data.ljust(MESSAGE_BYTES, b"\0")


def pack(messages: Sequence[Single], version: int = 2) -> bytes:
    """One to nine messages -> a message pack (3 + 25 n bytes). Raises EncodeError."""
    if not 1 <= len(messages) <= PACK_LIMIT:
        raise EncodeError("pack", f"a pack holds 1 to {PACK_LIMIT} messages, not {len(messages)}")
    head = bytes((_head(MessageType.PACK, version), MESSAGE_BYTES, len(messages)))
    return head + b"".join(map(encode, messages))


def unpack(data: bytes) -> tuple[Single, ...]:
    """A message pack, or a single message -> its messages. Raises DecodeError."""
    message = decode(data)
    return message.messages if isinstance(message, MessagePack) else (message,)


def _head(kind: MessageType, version: int) -> int:
    return kind << 4 | _nibble("version", version)


def _nibble(name: str, value: int) -> int:
    if not 0 <= value <= 15:
        raise EncodeError("range", f"{name} has four bits, {value} does not fit")
    return value


def _text(data: bytes, name: str) -> str:
    raw = data.rstrip(b"\0")
    if any(byte < 0x20 or byte > 0x7E for byte in raw):
        raise DecodeError("text", f"{name} is not printable ASCII: {raw.hex()}")
    return raw.decode("ascii")


def _text_bytes(text: str, size: int, name: str) -> bytes:
    if not (text.isascii() and (text.isprintable() or not text)) or len(text) > size:
        raise EncodeError("text", f"{name} is at most {size} printable ASCII characters, not {text!r}")
    return text.encode("ascii").ljust(size, b"\0")


def _degrees(raw_lat: int, raw_lon: int) -> tuple[float | None, float | None]:
    if raw_lat == 0 and raw_lon == 0:
        return None, None
    if abs(raw_lat) > 900_000_000 or abs(raw_lon) > 1_800_000_000:
        raise DecodeError("position", f"{raw_lat / 1e7}/{raw_lon / 1e7} is no place on earth")
    return raw_lat / 1e7, raw_lon / 1e7


def _raw_degrees(lat_deg: float | None, lon_deg: float | None) -> tuple[int, int]:
    if lat_deg is None or lon_deg is None:
        return 0, 0
    if not (-90.0 <= lat_deg <= 90.0 and -180.0 <= lon_deg <= 180.0):
        raise EncodeError("position", f"{lat_deg}/{lon_deg} is no place on earth")
    return round(lat_deg * 1e7), round(lon_deg * 1e7)


def _height(raw: int) -> float | None:
    return None if raw == 0 else raw * 0.5 - 1000.0


def _raw_height(height_m: float | None) -> int:
    if height_m is None:
        return 0
    if not -999.5 <= height_m <= 31767.5:
        raise EncodeError("height", f"heights are -999.5 to 31767.5 m, {height_m} does not fit")
    return round((height_m + 1000.0) * 2.0)


def _decode_basic_id(data: bytes, version: int) -> BasicId:
    id_type, raw = data[1] >> 4, data[2:22]
    try:
        uas_id = _text(raw, "the identifier")
    except DecodeError:
        if id_type not in _BINARY_ID_BYTES:
            raise
        uas_id = raw[: _BINARY_ID_BYTES[IdType(id_type)]].hex()
    return BasicId(uas_id=uas_id, id_type=id_type, ua_type=data[1] & 0x0F, version=version)


def _encode_basic_id(message: BasicId) -> bytes:
    codes = _nibble("id_type", message.id_type) << 4 | _nibble("ua_type", message.ua_type)
    binary = _BINARY_ID_BYTES.get(message.id_type)  # type: ignore[call-overload]
    if binary is not None and len(message.uas_id) == 2 * binary:
        body = _hex_bytes(message.uas_id)
    else:
        body = _text_bytes(message.uas_id, 20, "uas_id")
    return bytes((_head(MessageType.BASIC_ID, message.version), codes)) + body


def _hex_bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise EncodeError("text", f"a binary identifier is written in hex, not {text!r}") from error


def _decode_location(data: bytes, version: int) -> Location:
    _, flags, direction, speed, climb, lat, lon, baro, geo, height, hv, bs, tenths, ts = _LOCATION.unpack(
        data[:MESSAGE_BYTES]
    )
    lat_deg, lon_deg = _degrees(lat, lon)
    return Location(
        status=flags >> 4,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        alt_geodetic_m=_height(geo),
        alt_barometric_m=_height(baro),
        height_m=_height(height),
        height_type="agl" if flags & 4 else "takeoff",
        direction_deg=_direction(direction, bool(flags & 2)),
        speed_mps=_speed(speed, bool(flags & 1)),
        vertical_speed_mps=climb * 0.5 if abs(climb) <= 124 else None,
        horizontal_accuracy_m=t.HORIZONTAL_ACCURACY_M[hv & 15],
        vertical_accuracy_m=t.VERTICAL_ACCURACY_M[hv >> 4],
        barometric_accuracy_m=t.VERTICAL_ACCURACY_M[bs >> 4],
        speed_accuracy_mps=t.SPEED_ACCURACY_MPS[bs & 15],
        timestamp_s=tenths / 10 if tenths <= TIMESTAMP_LIMIT else None,
        timestamp_accuracy_s=t.TIMESTAMP_ACCURACY_S[ts & 15],
        version=version,
    )


def _direction(raw: int, west: bool) -> float | None:
    degrees = raw + (180 if west else 0)
    return float(degrees) if degrees <= 360 else None


def _speed(raw: int, coarse: bool) -> float | None:
    if not coarse:
        return raw * 0.25
    return None if raw == 255 else raw * 0.75 + 63.75


def _raw_direction(direction_deg: float | None) -> tuple[int, int]:
    """Degrees -> (raw byte, east/west flag bit)."""
    if direction_deg is None:
        return 181, 2
    whole = round(direction_deg)
    if not 0 <= whole <= 360:
        raise EncodeError("direction", f"a direction is 0 to 360 degrees, not {direction_deg}")
    return (whole, 0) if whole < 180 else (whole - 180, 2)


def _raw_speed(speed_mps: float | None) -> tuple[int, int]:
    """m/s -> (raw byte, multiplier flag bit). The field's 254.25 means "254.25 or more"."""
    if speed_mps is None:
        return 255, 1
    if not speed_mps >= 0.0:
        raise EncodeError("speed", f"a speed is not negative: {speed_mps}")
    if speed_mps <= 63.75:
        return round(speed_mps / 0.25), 0
    return min(254, round((min(speed_mps, 254.25) - 63.75) / 0.75)), 1


def _raw_climb(climb_mps: float | None) -> int:
    """m/s -> raw; the field's +-62 means "62 or more"."""
    return 126 if climb_mps is None else round(max(-62.0, min(62.0, climb_mps)) / 0.5)


def _encode_location(message: Location) -> bytes:
    direction, west = _raw_direction(message.direction_deg)
    speed, coarse = _raw_speed(message.speed_mps)
    lat, lon = _raw_degrees(message.lat_deg, message.lon_deg)
    agl = 4 if message.height_type == "agl" else 0
    return _LOCATION.pack(
        _head(MessageType.LOCATION, message.version),
        _nibble("status", message.status) << 4 | agl | west | coarse,
        direction,
        speed,
        _raw_climb(message.vertical_speed_mps),
        lat,
        lon,
        _raw_height(message.alt_barometric_m),
        _raw_height(message.alt_geodetic_m),
        _raw_height(message.height_m),
        t.accuracy_code(t.HORIZONTAL_ACCURACY_M, message.horizontal_accuracy_m)
        | t.accuracy_code(t.VERTICAL_ACCURACY_M, message.vertical_accuracy_m) << 4,
        t.accuracy_code(t.SPEED_ACCURACY_MPS, message.speed_accuracy_mps)
        | t.accuracy_code(t.VERTICAL_ACCURACY_M, message.barometric_accuracy_m) << 4,
        _raw_timestamp(message.timestamp_s),
        t.accuracy_code(t.TIMESTAMP_ACCURACY_S, message.timestamp_accuracy_s),
    )


def _raw_timestamp(timestamp_s: float | None) -> int:
    if timestamp_s is None:
        return 0xFFFF
    if not 0.0 <= timestamp_s <= 3600.0:
        raise EncodeError("timestamp", f"a time stamp is 0 to 3600 s of the hour, not {timestamp_s}")
    return round(timestamp_s * 10)


def _decode_auth(data: bytes, version: int) -> AuthPage:
    auth_type, page = data[1] >> 4, data[1] & 0x0F
    if page:
        return AuthPage(auth_type=auth_type, page=page, data=data[2:25], version=version)
    # Version 0 counts the pages, later versions name the last one (F3411-19 and -22a, table of AUTH).
    last_page = max(0, data[2] - 1) if version == 0 else data[2]
    if last_page >= AUTH_PAGES:
        raise DecodeError(
            "auth", f"at most {AUTH_PAGES} authentication pages exist, page {last_page} is named"
        )
    return AuthPage(
        auth_type=auth_type,
        page=0,
        last_page=last_page,
        length_bytes=data[3],
        time=_unix(int.from_bytes(data[4:8], "little")),
        data=data[8:25],
        version=version,
    )


def _encode_auth(message: AuthPage) -> bytes:
    codes = _nibble("auth_type", message.auth_type) << 4 | _nibble("page", message.page)
    head = bytes((_head(MessageType.AUTH, message.version), codes))
    room = 23 if message.page else 17
    if len(message.data) > room:
        raise EncodeError("auth", f"page {message.page} holds {room} bytes, not {len(message.data)}")
    if message.page:
        return head + message.data
    last_page = _nibble("last_page", message.last_page or 0)
    stated = last_page + 1 if message.version == 0 else last_page
    return head + struct.pack("<BBI", stated, message.length_bytes or 0, _since(message.time)) + message.data


def _unix(since_s: int) -> int | None:
    return since_s + t.BROADCAST_EPOCH_S if since_s else None


def _since(time: int | None) -> int:
    return 0 if time is None else time - t.BROADCAST_EPOCH_S


def _decode_self_id(data: bytes, version: int) -> SelfId:
    text = _text(data[2:25], "the description")
    return SelfId(description=text, description_type=data[1], version=version)


def _encode_self_id(message: SelfId) -> bytes:
    head = struct.pack("<BB", _head(MessageType.SELF_ID, message.version), message.description_type)
    return head + _text_bytes(message.description, 23, "description")


def _decode_system(data: bytes, version: int) -> System:
    _, flags, lat, lon, count, radius, ceiling, floor, eu, altitude, since = _SYSTEM.unpack(
        data[:MESSAGE_BYTES]
    )
    lat_deg, lon_deg = _degrees(lat, lon)
    return System(
        operator_lat_deg=lat_deg,
        operator_lon_deg=lon_deg,
        operator_alt_m=_height(altitude),
        operator_location_type=flags & 3,
        classification_type=flags >> 2 & 7,
        category_eu=eu >> 4,
        class_eu=eu & 15,
        area_count=count,
        area_radius_m=radius * 10,
        area_ceiling_m=_height(ceiling),
        area_floor_m=_height(floor),
        time=_unix(since),
        version=version,
    )


def _encode_system(message: System) -> bytes:
    if not (0 <= message.operator_location_type <= 3 and 0 <= message.classification_type <= 7):
        raise EncodeError("range", "operator_location_type has two bits and classification_type three")
    lat, lon = _raw_degrees(message.operator_lat_deg, message.operator_lon_deg)
    return _SYSTEM.pack(
        _head(MessageType.SYSTEM, message.version),
        message.classification_type << 2 | message.operator_location_type,
        lat,
        lon,
        message.area_count,
        message.area_radius_m // 10,
        _raw_height(message.area_ceiling_m),
        _raw_height(message.area_floor_m),
        _nibble("category_eu", message.category_eu) << 4 | _nibble("class_eu", message.class_eu),
        _raw_height(message.operator_alt_m),
        _since(message.time),
    )


def _decode_operator_id(data: bytes, version: int) -> OperatorId:
    text = _text(data[2:22], "the operator id")
    return OperatorId(operator_id=text, operator_id_type=data[1], version=version)


def _encode_operator_id(message: OperatorId) -> bytes:
    head = struct.pack("<BB", _head(MessageType.OPERATOR_ID, message.version), message.operator_id_type)
    return head + _text_bytes(message.operator_id, 20, "operator_id")


_DECODERS: dict[int, Callable[[bytes, int], Single]] = {
    MessageType.BASIC_ID: _decode_basic_id,
    MessageType.LOCATION: _decode_location,
    MessageType.AUTH: _decode_auth,
    MessageType.SELF_ID: _decode_self_id,
    MessageType.SYSTEM: _decode_system,
    MessageType.OPERATOR_ID: _decode_operator_id,
}
_ENCODERS: dict[type, Callable[..., bytes]] = {
    BasicId: _encode_basic_id,
    Location: _encode_location,
    AuthPage: _encode_auth,
    SelfId: _encode_self_id,
    System: _encode_system,
    OperatorId: _encode_operator_id,
}
