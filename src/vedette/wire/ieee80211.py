"""IEEE 802.11 frames that carry broadcasts: radiotap, beacons with vendor elements, NAN action frames.

Sources: radiotap.org field list, IEEE 802.11-2020 clause 9.3.3 (management frames) and 9.4.2.25
(vendor element), Wi-Fi Aware 3.x clause 9.5 (service descriptor attribute). A frame without
radiotap (link type 105) carries no check sequence and no signal strength.

Every read is bounded by the frame: a length that points outside raises DecodeError, whose reason is
`radiotap`, `header`, `element` or `nan`.
"""

import struct
import zlib
from collections.abc import Iterator

from msgspec import Struct

from vedette.wire.errors import DecodeError, EncodeError

LINK_IEEE80211 = 105
LINK_RADIOTAP = 127

REMOTE_ID_OUI_TYPE = bytes.fromhex("fa0bbc0d")
"""ASD-STAN's OUI and the vendor type of Open Drone ID."""
NAN_ACTION = bytes.fromhex("0409506f9a13")
"""Public action, vendor specific, Wi-Fi Alliance, type NAN."""
NAN_REMOTE_ID_SERVICE = bytes.fromhex("8869199d9209")
"""First six bytes of SHA-256("org.opendroneid.remoteid")."""
NAN_CLUSTER = bytes.fromhex("506f9a0100ff")

BEACON = 8
ACTION = 13
VENDOR_ELEMENT = 221
_FLAGS_FCS = 0x10
_FLAGS_BAD_FCS = 0x40
# Bits of the first presence word up to the signal strength: (bit, alignment, size).
_RADIOTAP_FIELDS = ((0, 8, 8), (1, 1, 1), (2, 1, 1), (3, 2, 4), (4, 2, 2), (5, 1, 1))


class Radiotap(Struct, frozen=True, kw_only=True):
    """What the receiver noted: ``fcs_ok`` None = it did not say; ``fcs_bytes`` end the frame."""

    length: int
    fcs_bytes: int = 0
    fcs_ok: bool | None = None
    rssi_dbm: int | None = None
    frequency_mhz: int | None = None


class Management(Struct, frozen=True, kw_only=True):
    """A management frame: subtype, transmitter address (48 bits as an integer), body after the header."""

    subtype: int
    source: int
    body: bytes


def decode_radiotap(data: bytes) -> Radiotap:
    """The radiotap header at the start of ``data``. Raises DecodeError("radiotap")."""
    if len(data) < 8 or data[0] != 0:
        raise DecodeError("radiotap", "a radiotap header has version 0 and at least 8 bytes")
    length = int.from_bytes(data[2:4], "little")
    if not 8 <= length <= len(data):
        raise DecodeError("radiotap", f"the radiotap header says {length} bytes of {len(data)}")
    present = int.from_bytes(data[4:8], "little")
    fields = _radiotap_fields(data[:length], present, _after_presence_words(data, length))
    flags = fields[1][0] if 1 in fields else None
    return Radiotap(
        length=length,
        fcs_bytes=4 if flags is not None and flags & _FLAGS_FCS else 0,
        fcs_ok=None if flags is None else not flags & _FLAGS_BAD_FCS,
        rssi_dbm=int.from_bytes(fields[5], "little", signed=True) if 5 in fields else None,
        frequency_mhz=(int.from_bytes(fields[3][:2], "little") or None) if 3 in fields else None,
    )


def _after_presence_words(data: bytes, length: int) -> int:
    at = 4
    while True:
        if at + 4 > length:
            raise DecodeError("radiotap", "the chain of presence words leaves the radiotap header")
        more = data[at + 3] & 0x80
        at += 4
        if not more:
            return at


def _radiotap_fields(header: bytes, present: int, at: int) -> dict[int, bytes]:
    fields = {}
    for bit, align, size in _RADIOTAP_FIELDS:
        if present >> bit & 1:
            at = (at + align - 1) // align * align
            if at + size > len(header):
                raise DecodeError("radiotap", "a radiotap field leaves the header")
            fields[bit] = header[at : at + size]
            at += size
    return fields


def decode_management(frame: bytes) -> Management | None:
    """An 802.11 frame without radiotap and FCS -> management frame, or None for every other type.

    Raises DecodeError("header") if a management frame ends inside its header.
    """
    if len(frame) < 2:
        raise DecodeError("header", "an 802.11 frame has at least 2 bytes")
    if frame[0] & 0x0F or frame[1] & 0x40:  # not management, or encrypted
        return None
    start = 28 if frame[1] & 0x80 else 24
    if len(frame) < start:
        raise DecodeError("header", f"a management frame has a header of {start} bytes, not {len(frame)}")
    return Management(subtype=frame[0] >> 4, source=int.from_bytes(frame[10:16], "big"), body=frame[start:])


def elements(body: bytes, start: int = 12) -> Iterator[tuple[int, bytes]]:
    """Information elements (id, value) of a beacon's body. Raises DecodeError("element")."""
    at = start
    while at < len(body):
        if at + 2 > len(body) or at + 2 + body[at + 1] > len(body):
            raise DecodeError("element", f"the element at byte {at} leaves the frame")
        yield body[at], body[at + 2 : at + 2 + body[at + 1]]
        at += 2 + body[at + 1]


def nan_service_infos(body: bytes, service: bytes = NAN_REMOTE_ID_SERVICE) -> Iterator[bytes]:
    """Service infos that a NAN action frame publishes for ``service``. Raises DecodeError("nan")."""
    at = len(NAN_ACTION)
    while at < len(body):
        size = int.from_bytes(body[at + 1 : at + 3], "little")
        if at + 3 + size > len(body):
            raise DecodeError("nan", f"the NAN attribute at byte {at} leaves the frame")
        value = body[at + 3 : at + 3 + size]
        if body[at] == 3 and value[:6] == service:
            yield from _service_info(value)
        at += 3 + size


def _service_info(value: bytes) -> Iterator[bytes]:
    """Walk the optional fields of a service descriptor up to its service info."""
    if len(value) < 9:
        raise DecodeError("nan", "a service descriptor has at least 9 bytes")
    control, at = value[8], 9
    if control & 0x40:
        at += 2
    for flag in (0x04, 0x08):
        if control & flag:
            at += 1 + _byte(value, at)
    if control & 0x10:
        size = _byte(value, at)
        if at + 1 + size > len(value):
            raise DecodeError("nan", "the service info leaves its descriptor")
        yield value[at + 1 : at + 1 + size]


def _byte(value: bytes, at: int) -> int:
    if at >= len(value):
        raise DecodeError("nan", "a service descriptor ends inside its fields")
    return value[at]


def encode_radiotap(rssi_dbm: int, frequency_mhz: int, *, fcs_ok: bool = True) -> bytes:
    """Radiotap header (flags, channel, antenna signal) of a frame that ends with its FCS."""
    if not -128 <= rssi_dbm <= 127 or not 0 < frequency_mhz < 65536:
        raise EncodeError("range", f"signal {rssi_dbm} dBm at {frequency_mhz} MHz does not fit radiotap")
    flags = _FLAGS_FCS | (0 if fcs_ok else _FLAGS_BAD_FCS)
    band = 0x0080 if frequency_mhz < 3000 else 0x0100
    return struct.pack("<BBHIBxHHb", 0, 0, 15, 0x2A, flags, frequency_mhz, band, rssi_dbm)


def encode_management(subtype: int, destination: bytes, source: bytes, bssid: bytes, body: bytes) -> bytes:
    """A management frame without FCS; addresses of 6 bytes."""
    if not len(destination) == len(source) == len(bssid) == 6:
        raise EncodeError("address", "an 802.11 address has 6 bytes")
    return bytes((subtype << 4, 0, 0, 0)) + destination + source + bssid + b"\0\0" + body


def encode_beacon(
    source: bytes,
    payload: bytes,
    *,
    counter: int = 0,
    rssi_dbm: int = -60,
    frequency_mhz: int = 2437,
    ssid: bytes = b"",
    uptime_us: int = 0,
    fcs_ok: bool = True,
) -> bytes:
    """A beacon that broadcasts ``payload`` (message or pack), in radiotap with its FCS (link type 127)."""
    value = REMOTE_ID_OUI_TYPE + bytes((counter & 0xFF,)) + payload
    if len(value) > 255 or len(ssid) > 32:
        raise EncodeError("element", "an element holds 255 bytes and a network name 32")
    body = struct.pack("<QHH", uptime_us, 200, 0x0420)
    body += bytes((0, len(ssid))) + ssid + bytes((VENDOR_ELEMENT, len(value))) + value
    frame = encode_management(BEACON, b"\xff" * 6, source, source, body)
    return _received(frame, rssi_dbm, frequency_mhz, fcs_ok)


def encode_nan(
    source: bytes,
    payload: bytes,
    *,
    counter: int = 0,
    rssi_dbm: int = -60,
    frequency_mhz: int = 2437,
    fcs_ok: bool = True,
) -> bytes:
    """A NAN service discovery frame that publishes ``payload``, in radiotap with its FCS (link type 127)."""
    info = bytes((counter & 0xFF,)) + payload
    if len(info) > 255:
        raise EncodeError("nan", f"a service info holds 255 bytes, not {len(info)}")
    descriptor = NAN_REMOTE_ID_SERVICE + bytes((1, 0, 0x10, len(info))) + info
    extension = struct.pack("<BHBHB", 0x0E, 4, 1, 0x0200, counter & 0xFF)
    body = NAN_ACTION + struct.pack("<BH", 3, len(descriptor)) + descriptor + extension
    frame = encode_management(ACTION, b"\x51\x6f\x9a\x01\x00\x00", source, NAN_CLUSTER, body)
    return _received(frame, rssi_dbm, frequency_mhz, fcs_ok)


def _received(frame: bytes, rssi_dbm: int, frequency_mhz: int, fcs_ok: bool) -> bytes:
    checksum = zlib.crc32(frame) ^ (0 if fcs_ok else 1)
    return encode_radiotap(rssi_dbm, frequency_mhz, fcs_ok=fcs_ok) + frame + checksum.to_bytes(4, "little")
