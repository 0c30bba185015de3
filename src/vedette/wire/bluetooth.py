"""Bluetooth LE advertising as sniffers record it: legacy and extended, 1M and coded PHY.

Link types: 251 (link layer only), 256 (with pseudo-header), 272 (nRF Sniffer). Sources: Bluetooth
Core 5.4 vol 6 part B (2.3 advertising PDUs, 3.1.1 CRC), tcpdump.org link-type pages, Nordic nRF
Sniffer packet format version 3, Core Specification Supplement part A (service data, AD type 0x16).

Every read is bounded by the packet. The reasons of DecodeError: `bluetooth` (headers), `ad`.
"""

import struct
from collections.abc import Iterator

from msgspec import Struct

from vedette.wire.errors import DecodeError, EncodeError

LINK_LE = 251
LINK_LE_PHDR = 256
LINK_NORDIC = 272

ADVERTISING_ACCESS_ADDRESS = 0x8E89BED6
REMOTE_ID_SERVICE = bytes.fromhex("faff0d")
"""UUID 0xFFFA (ASTM International) and application code 0x0D."""
SERVICE_DATA_16 = 0x16
LEGACY_WITH_DATA = (0, 2, 4, 6)
"""ADV_IND, ADV_NONCONN_IND, SCAN_RSP, ADV_SCAN_IND."""
EXTENDED = 7

_DEWHITENED, _SIGNAL_VALID, _CRC_CHECKED, _CRC_VALID = 0x0001, 0x0002, 0x0400, 0x0800
_CODED = 2


class LinkPacket(Struct, frozen=True, kw_only=True):
    """A link-layer packet as received. ``pdu`` is header and payload, without address and CRC."""

    access_address: int
    pdu: bytes
    crc_ok: bool
    rssi_dbm: int | None = None
    frequency_mhz: int | None = None


class Advertisement(Struct, frozen=True, kw_only=True):
    """An advertising PDU: who (None if it names nobody) and its advertising data."""

    extended: bool
    address: int | None
    data: bytes


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        state = byte
        for _ in range(8):
            state = state >> 1 ^ (0xDA6000 if state & 1 else 0)
        table.append(state)
    return tuple(table)


CRC_TABLE = _crc_table()
CRC_INIT = 0xAAAAAA
"""0x555555 bit-reversed: the register runs in the order of transmission, least significant bit first."""


def crc24(pdu: bytes) -> int:
    """CRC of an advertising PDU, as the little-endian number of its three bytes in a capture."""
    state = CRC_INIT
    for byte in pdu:
        state = state >> 8 ^ CRC_TABLE[(state ^ byte) & 0xFF]
    return state


def channel_mhz(rf_channel: int) -> int | None:
    """RF channel 0..39 -> MHz."""
    return 2402 + 2 * rf_channel if 0 <= rf_channel <= 39 else None


def index_mhz(channel_index: int) -> int | None:
    """Link-layer channel index 0..39 (37, 38, 39 advertise) -> MHz."""
    if channel_index in (37, 38, 39):
        return {37: 2402, 38: 2426, 39: 2480}[channel_index]
    if not 0 <= channel_index <= 36:
        return None
    return 2404 + 2 * channel_index if channel_index <= 10 else 2406 + 2 * channel_index


def decode_packet(link_type: int, data: bytes) -> LinkPacket:
    """A captured packet of link type 251, 256 or 272. Raises DecodeError("bluetooth")."""
    if link_type == LINK_LE:
        return _link_layer(data, coded=False, crc_ok=None)
    if link_type == LINK_LE_PHDR:
        return _with_pseudo_header(data)
    if link_type == LINK_NORDIC:
        return _from_nordic(data)
    raise DecodeError("link-type", f"link type {link_type} is no Bluetooth LE capture")


def _with_pseudo_header(data: bytes) -> LinkPacket:
    if len(data) < 10:
        raise DecodeError("bluetooth", "a pseudo-header has 10 bytes")
    flags = int.from_bytes(data[8:10], "little")
    if not flags & _DEWHITENED:
        raise DecodeError("bluetooth", "the packet is still whitened")
    return _link_layer(
        data[10:],
        coded=flags >> 14 == _CODED,
        crc_ok=bool(flags & _CRC_VALID) if flags & _CRC_CHECKED else None,
        rssi_dbm=int.from_bytes(data[1:2], "little", signed=True) if flags & _SIGNAL_VALID else None,
        frequency_mhz=channel_mhz(data[0]),
    )


def _from_nordic(data: bytes) -> LinkPacket:
    if len(data) < 17 or data[3] != 3 or data[7] != 10:
        raise DecodeError("bluetooth", "this is no nRF Sniffer packet of format version 3")
    flags = data[8]
    return _link_layer(
        data[17:],
        coded=flags >> 4 & 7 == _CODED,
        crc_ok=bool(flags & 1),
        rssi_dbm=-data[10],
        frequency_mhz=index_mhz(data[9]),
    )


def _link_layer(
    data: bytes,
    *,
    coded: bool,
    crc_ok: bool | None,
    rssi_dbm: int | None = None,
    frequency_mhz: int | None = None,
) -> LinkPacket:
    """Access address, coding indicator (coded PHY only), header, payload, CRC."""
    start = 5 if coded else 4
    if len(data) < start + 5:
        raise DecodeError("bluetooth", f"a link-layer packet has at least {start + 5} bytes, not {len(data)}")
    end = start + 2 + data[start + 1]
    if end + 3 > len(data):
        raise DecodeError("bluetooth", f"the PDU says {data[start + 1]} bytes and leaves the packet")
    pdu = data[start:end]
    if crc_ok is None:
        crc_ok = crc24(pdu) == int.from_bytes(data[end : end + 3], "little")
    return LinkPacket(
        access_address=int.from_bytes(data[:4], "little"),
        pdu=pdu,
        crc_ok=crc_ok,
        rssi_dbm=rssi_dbm,
        frequency_mhz=frequency_mhz,
    )


def decode_advertisement(pdu: bytes) -> Advertisement | None:
    """An advertising PDU with data; None for the kinds without. Raises DecodeError("bluetooth")."""
    kind, payload = pdu[0] & 0x0F, pdu[2:]
    if kind == EXTENDED:
        return _extended(payload)
    if kind not in LEGACY_WITH_DATA:
        return None
    if len(payload) < 6:
        raise DecodeError("bluetooth", "a legacy advertisement starts with an address of 6 bytes")
    address = int.from_bytes(payload[:6], "little")
    return Advertisement(extended=False, address=address, data=payload[6:])


def _extended(payload: bytes) -> Advertisement:
    """Common extended advertising payload format (vol 6 part B, 2.3.4)."""
    if not payload or 1 + (payload[0] & 0x3F) > len(payload):
        raise DecodeError("bluetooth", "the extended header leaves the PDU")
    size = payload[0] & 0x3F
    address = None
    if size and payload[1] & 1:
        if size < 7:
            raise DecodeError("bluetooth", "the extended header is too short for its address")
        address = int.from_bytes(payload[2:8], "little")
    return Advertisement(extended=True, address=address, data=payload[1 + size :])


def service_data(data: bytes, service: bytes = REMOTE_ID_SERVICE) -> Iterator[bytes]:
    """What follows UUID and application code in each matching AD structure. Raises DecodeError("ad")."""
    at = 0
    while at < len(data) and data[at]:
        end = at + 1 + data[at]
        if end > len(data):
            raise DecodeError("ad", f"the AD structure at byte {at} leaves the advertising data")
        if data[at + 1] == SERVICE_DATA_16 and data[at + 2 : min(at + 2 + len(service), end)] == service:
            yield data[at + 2 + len(service) : end]
        at = end


def encode_legacy(
    address: bytes,
    message: bytes,
    *,
    counter: int = 0,
    rssi_dbm: int = -60,
    crc_ok: bool = True,
) -> bytes:
    """BLE 4: one 25-byte message as ADV_NONCONN_IND on channel 37 (link type 256).

    ``address``: 6 bytes, most significant first.
    """
    payload = _reversed(address) + _service_ad(counter, message)
    if len(payload) > 37:
        raise EncodeError("bluetooth", f"a legacy advertisement holds one message, not {len(message)} bytes")
    return _captured(0x42, payload, rf_channel=0, phy=0, rssi_dbm=rssi_dbm, crc_ok=crc_ok)


def encode_extended(
    address: bytes,
    payload: bytes,
    *,
    counter: int = 0,
    rssi_dbm: int = -60,
    coded: bool = True,
    crc_ok: bool = True,
) -> bytes:
    """BLE 5: a message pack as AUX_ADV_IND, on the coded PHY unless told otherwise (link type 256)."""
    header = bytes((9, 0x09)) + _reversed(address) + b"\x75\x0e"
    body = header + _service_ad(counter, payload)
    if len(body) > 255:
        raise EncodeError("bluetooth", f"an extended advertisement holds 255 bytes, not {len(body)}")
    phy = _CODED if coded else 0
    return _captured(0x47, body, rf_channel=11, phy=phy, rssi_dbm=rssi_dbm, crc_ok=crc_ok)


def _reversed(address: bytes) -> bytes:
    if len(address) != 6:
        raise EncodeError("address", "a Bluetooth address has 6 bytes")
    return address[::-1]


def _service_ad(counter: int, payload: bytes) -> bytes:
    value = REMOTE_ID_SERVICE + bytes((counter & 0xFF,)) + payload
    if len(value) > 254:
        raise EncodeError("ad", f"an AD structure holds 254 bytes, not {len(value)}")
    return bytes((1 + len(value), SERVICE_DATA_16)) + value


def _captured(head: int, payload: bytes, *, rf_channel: int, phy: int, rssi_dbm: int, crc_ok: bool) -> bytes:
    flags = _DEWHITENED | _SIGNAL_VALID | _CRC_CHECKED | phy << 14
    if crc_ok:
        flags |= _CRC_VALID
    address = ADVERTISING_ACCESS_ADDRESS
    pseudo = struct.pack("<BbbBIH", rf_channel, rssi_dbm, -128, 0, address, flags)
    pdu = bytes((head, len(payload))) + payload
    indicator = b"\0" if phy == _CODED else b""
    crc = crc24(pdu) ^ (0 if crc_ok else 1)
    return pseudo + address.to_bytes(4, "little") + indicator + pdu + crc.to_bytes(3, "little")
