"""Extended squitters: 14 bytes of DF 17 or DF 18 <-> `messages.Squitter`.

Source: RTCA DO-260B, 2.2.3.2; ICAO Annex 10 volume IV, 3.1.2.8.6-8. Bit numbers below are the
standard's: 1 is the first of the 56 message bits.
"""

from vedette.wire.adsb.altitude import altitude_code, altitude_ft
from vedette.wire.adsb.messages import (
    AirbornePosition,
    AirVelocity,
    GroundVelocity,
    Identification,
    Message,
    OperationalStatus,
    Other,
    Source,
    Squitter,
    SurfacePosition,
)
from vedette.wire.adsb.parity import (
    LONG_BYTES,
    AdsbEncodeError,
    AdsbError,
    Parity,
    crc24,
    downlink_format,
    judge,
)
from vedette.wire.adsb.surface_speed import movement_code, speed_kt

CHARACTERS = "#ABCDEFGHIJKLMNOPQRSTUVWXYZ##### ###############0123456789######"
"""The six-bit alphabet; # stands for codes without a character."""

_CF_SOURCES = {
    0: (Source.ADSB, True),
    1: (Source.ADSB, False),
    2: (Source.TISB, None),
    5: (Source.TISB, False),
    6: (Source.ADSR, None),
}
"""CF -> who made it and whether the address is an ICAO one. 3 (coarse TIS-B), 4 and 7 have other layouts."""


def bits(me: int, first: int, last: int) -> int:
    """Bits ``first`` to ``last`` of the 56 message bits, counted from 1."""
    return me >> (56 - last) & (1 << (last - first + 1)) - 1


def decode(frame: bytes) -> Squitter:
    """14 bytes -> the message they carry.

    Raises:
        AdsbError: no extended squitter ("not-squitter"), or its parity is bad ("parity").
    """
    if len(frame) != LONG_BYTES or downlink_format(frame[0]) not in (17, 18):
        raise AdsbError("not-squitter", "a squitter has 14 bytes and downlink format 17 or 18")
    if judge(frame) is not Parity.GOOD:
        raise AdsbError("parity", "the squitter's parity does not fit: it was damaged on the way")
    df, control = frame[0] >> 3, frame[0] & 7
    me = int.from_bytes(frame[4:11], "big")
    known = df == 17 or control in _CF_SOURCES
    source, is_icao = (Source.ADSB, True) if df == 17 else _CF_SOURCES.get(control, (Source.TISB, None))
    message = decode_message(me) if known else Other(bits(me, 1, 5))
    return Squitter(df, control, int.from_bytes(frame[1:4], "big"), source, is_icao, message)


def decode_message(me: int) -> Message:
    """The message of 56 bits (`kernel.Squitters.me`), from a frame whose parity was found good."""
    type_code, subtype = bits(me, 1, 5), bits(me, 6, 8)
    if 1 <= type_code <= 4:
        return _identification(me)
    if 5 <= type_code <= 8:
        return _surface(me)
    if type_code == 0 or (9 <= type_code <= 22 and type_code != 19):
        return _airborne(me)
    if type_code == 19 and subtype in (1, 2):
        return _ground_velocity(me)
    if type_code == 19 and subtype in (3, 4):
        return _air_velocity(me)
    if type_code == 31 and subtype in (0, 1):
        return _status(me)
    return Other(type_code)


def _identification(me: int) -> Identification:
    text = "".join(CHARACTERS[bits(me, 9 + 6 * i, 14 + 6 * i)] for i in range(8))
    category = "DCBA"[bits(me, 1, 5) - 1] + str(bits(me, 6, 8))
    return Identification(category, None if "#" in text else text.rstrip())


def _airborne(me: int) -> AirbornePosition:
    placed = bits(me, 1, 5) != 0
    return AirbornePosition(
        type_code=bits(me, 1, 5),
        surveillance_status=bits(me, 6, 7),
        nic_b=bool(bits(me, 8, 8)),
        altitude_ft=altitude_ft(bits(me, 9, 20)),
        time_synchronised=bool(bits(me, 21, 21)),
        odd=bool(bits(me, 22, 22)),
        lat_cpr=bits(me, 23, 39) if placed else 0,
        lon_cpr=bits(me, 40, 56) if placed else 0,
    )


def _surface(me: int) -> SurfacePosition:
    return SurfacePosition(
        type_code=bits(me, 1, 5),
        speed_kt=speed_kt(bits(me, 6, 12)),
        track_deg=bits(me, 14, 20) * 360.0 / 128.0 if bits(me, 13, 13) else None,
        time_synchronised=bool(bits(me, 21, 21)),
        odd=bool(bits(me, 22, 22)),
        lat_cpr=bits(me, 23, 39),
        lon_cpr=bits(me, 40, 56),
    )


def _signed(sign: int, value: int, step: float, limit: int) -> float | None:
    """A field whose 0 is unknown, whose 1 is zero, and whose highest value is 'more than that'."""
    if value == 0 or value == limit:
        return None
    return (value - 1) * (-step if sign and value > 1 else step)


def _vertical(me: int) -> tuple[bool, float | None, float | None]:
    rate = _signed(bits(me, 37, 37), bits(me, 38, 46), 64.0, 511)
    difference = _signed(bits(me, 49, 49), bits(me, 50, 56), 25.0, 127)
    return bool(bits(me, 36, 36)), rate, difference


def _ground_velocity(me: int) -> GroundVelocity:
    supersonic = bits(me, 6, 8) == 2
    step = 4.0 if supersonic else 1.0
    east = _signed(bits(me, 14, 14), bits(me, 15, 24), step, 1023)
    north = _signed(bits(me, 25, 25), bits(me, 26, 35), step, 1023)
    return GroundVelocity(supersonic, bits(me, 11, 13), east, north, *_vertical(me))


def _air_velocity(me: int) -> AirVelocity:
    supersonic = bits(me, 6, 8) == 4
    heading = bits(me, 15, 24) * 360.0 / 1024.0 if bits(me, 14, 14) else None
    speed = _signed(0, bits(me, 26, 35), 4.0 if supersonic else 1.0, 1023)
    return AirVelocity(supersonic, bits(me, 11, 13), heading, bool(bits(me, 25, 25)), speed, *_vertical(me))


def _status(me: int) -> OperationalStatus:
    version, surface = bits(me, 41, 43), bool(bits(me, 6, 8))
    if version == 0:
        return OperationalStatus(surface, 0, False, 0, 0)
    return OperationalStatus(surface, version, bool(bits(me, 44, 44)), bits(me, 45, 48), bits(me, 51, 52))


def encode(squitter: Squitter) -> bytes:
    """The 14 bytes of a squitter.

    Raises:
        AdsbEncodeError: a value does not fit its field; the message names it.
    """
    head = _field("df", squitter.df - 17, 1) + 17 << 3 | _field("control", squitter.control, 3)
    address = _field("address", squitter.address, 24)
    body = bytes((head,)) + address.to_bytes(3, "big") + _message_bits(squitter.message).to_bytes(7, "big")
    return body + crc24(body).to_bytes(3, "big")


def adsb(address: int, message: Message) -> Squitter:
    """The squitter of an airborne transponder (DF 17, CA 5) with an ICAO address."""
    return Squitter(17, 5, address, Source.ADSB, True, message)


def _field(name: str, value: int, width: int) -> int:
    if not 0 <= value < 1 << width:
        raise AdsbEncodeError("range", f"{name} {value} does not fit its {width} bits")
    return value


def _join(*fields: tuple[str, int, int]) -> int:
    """(name, value, width) ... -> one number, the first field highest."""
    joined = 0
    for name, value, width in fields:
        joined = joined << width | _field(name, value, width)
    return joined


def _message_bits(message: Message) -> int:
    match message:
        case Identification():
            return _put_identification(message)
        case AirbornePosition():
            return _put_airborne(message)
        case SurfacePosition():
            return _put_surface(message)
        case GroundVelocity():
            return _put_ground_velocity(message)
        case AirVelocity():
            return _put_air_velocity(message)
        case OperationalStatus():
            return _put_status(message)
        case Other():
            raise AdsbEncodeError("type", f"type code {message.type_code} has no encoder")


def _put_identification(message: Identification) -> int:
    if (
        len(message.category) != 2
        or message.category[0] not in "ABCD"
        or message.category[1] not in "01234567"
    ):
        raise AdsbEncodeError("category", f"category {message.category!r} is not A0 to D7")
    callsign = message.callsign
    if callsign is None:
        callsign = "#" * 8
    elif len(callsign) > 8 or any(c == "#" or c not in CHARACTERS for c in callsign):
        raise AdsbEncodeError("callsign", f"callsign {callsign!r}: at most eight of A-Z, 0-9 and space")
    letters = [("character", CHARACTERS.index(c), 6) for c in callsign.ljust(8)]
    kind = 4 - "ABCD".index(message.category[0])
    return _join(("type code", kind, 5), ("category", int(message.category[1]), 3), *letters)


def _put_airborne(message: AirbornePosition) -> int:
    if message.type_code != 0 and not (9 <= message.type_code <= 22 and message.type_code != 19):
        raise AdsbEncodeError("type", f"type code {message.type_code} is no airborne position")
    return _join(
        ("type code", message.type_code, 5),
        ("surveillance status", message.surveillance_status, 2),
        ("NIC B", message.nic_b, 1),
        ("altitude", altitude_code(message.altitude_ft), 12),
        *_grid(message),
    )


def _put_surface(message: SurfacePosition) -> int:
    if not 5 <= message.type_code <= 8:
        raise AdsbEncodeError("type", f"type code {message.type_code} is no surface position")
    track = message.track_deg
    return _join(
        ("type code", message.type_code, 5),
        ("movement", movement_code(message.speed_kt), 7),
        ("track status", track is not None, 1),
        ("track", _angle("track", track, 128), 7),
        *_grid(message),
    )


def _grid(message: AirbornePosition | SurfacePosition) -> tuple[tuple[str, int, int], ...]:
    return (
        ("time", message.time_synchronised, 1),
        ("odd", message.odd, 1),
        ("latitude", message.lat_cpr, 17),
        ("longitude", message.lon_cpr, 17),
    )


def _angle(name: str, degrees: float | None, steps: int) -> int:
    if degrees is None:
        return 0
    if not 0.0 <= degrees < 360.0:
        raise AdsbEncodeError("angle", f"{name} {degrees} is not in [0, 360) degrees")
    return round(degrees * steps / 360.0) % steps


def _put_signed(name: str, value: float | None, step: float, width: int) -> tuple[tuple[str, int, int], ...]:
    """Sign bit and magnitude of a field whose 0 is unknown; its highest value stays free for 'more'."""
    if value is None:
        return ((name, 0, 1), (name, 0, width))
    limit = ((1 << width) - 3) * step
    if not abs(value) <= limit:
        raise AdsbEncodeError("range", f"{name} {value} is not within +-{limit}")
    steps = round(abs(value) / step)
    return ((name, int(value < 0 and steps > 0), 1), (name, steps + 1, width))


def _put_vertical(message: GroundVelocity | AirVelocity) -> tuple[tuple[str, int, int], ...]:
    return (
        ("vertical source", message.vertical_is_barometric, 1),
        *_put_signed("vertical rate", message.vertical_fpm, 64.0, 9),
        ("reserved", 0, 2),
        *_put_signed("height difference", message.height_minus_baro_ft, 25.0, 7),
    )


def _put_ground_velocity(message: GroundVelocity) -> int:
    step = 4.0 if message.supersonic else 1.0
    return _join(
        ("type code", 19, 5),
        ("subtype", 2 if message.supersonic else 1, 3),
        ("intent and IFR", 0, 2),
        ("NACv", message.nac_v, 3),
        *_put_signed("east velocity", message.east_kt, step, 10),
        *_put_signed("north velocity", message.north_kt, step, 10),
        *_put_vertical(message),
    )


def _put_air_velocity(message: AirVelocity) -> int:
    if message.airspeed_kt is not None and not message.airspeed_kt >= 0.0:
        raise AdsbEncodeError("range", f"airspeed {message.airspeed_kt} is below zero")
    speed = _put_signed("airspeed", message.airspeed_kt, 4.0 if message.supersonic else 1.0, 10)[1]
    return _join(
        ("type code", 19, 5),
        ("subtype", 4 if message.supersonic else 3, 3),
        ("intent and IFR", 0, 2),
        ("NACv", message.nac_v, 3),
        ("heading status", message.heading_deg is not None, 1),
        ("heading", _angle("heading", message.heading_deg, 1024), 10),
        ("airspeed type", message.airspeed_is_true, 1),
        speed,
        *_put_vertical(message),
    )


def _put_status(message: OperationalStatus) -> int:
    return _join(
        ("type code", 31, 5),
        ("subtype", message.surface, 3),
        ("capability and mode", 0, 32),
        ("version", message.version, 3),
        ("NIC A", message.nic_a, 1),
        ("NACp", message.nac_p, 4),
        ("GVA", 0, 2),
        ("SIL", message.sil, 2),
        ("rest", 0, 4),
    )
