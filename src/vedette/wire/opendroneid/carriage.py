"""Which broadcasts of Remote ID a captured frame carries: the reference that the compiled kernel is held to.

| transport     | where the messages are                                                           |
|---------------|----------------------------------------------------------------------------------|
| `wifi-beacon` | vendor element 221, OUI FA:0B:BC, type 0x0D, counter, message or pack            |
| `wifi-nan`    | NAN public action frame, service 88:69:19:9D:92:09, service info = counter, pack |
| `ble4`        | legacy advertising, service data of UUID 0xFFFA, code 0x0D, counter, message     |
| `ble5`        | the same in extended advertising (1M or coded PHY), counter, pack                |
"""

from collections.abc import Iterator

from msgspec import Struct

from vedette.wire import bluetooth, ieee80211
from vedette.wire.errors import DecodeError
from vedette.wire.opendroneid.codec import MESSAGE_BYTES, pack_entries
from vedette.wire.opendroneid.tables import MessageType

TRANSPORTS = ("wifi-beacon", "wifi-nan", "ble4", "ble5")
WIFI_BEACON, WIFI_NAN, BLE4, BLE5 = range(4)

REASONS = (
    "remote-id",
    "not-remote-id",
    "bad-crc",
    "link-type",
    "radiotap",
    "header",
    "element",
    "nan",
    "bluetooth",
    "ad",
    "pack",
    "short-message",
)
"""What can be said of one frame. All but the first three are DecodeError reasons."""
(
    REMOTE_ID,
    NOT_REMOTE_ID,
    BAD_CRC,
    LINK_TYPE,
    RADIOTAP,
    HEADER,
    ELEMENT,
    NAN,
    BLUETOOTH,
    AD,
    PACK,
    SHORT_MESSAGE,
) = range(len(REASONS))


class Broadcast(Struct, frozen=True, kw_only=True):
    """Remote ID in one frame. ``payloads``: messages or packs, usually one, without their counters.

    ``emitter``: the 48-bit address as an integer, None if the frame names none. ``crc_ok``: None =
    the receiver did not say.
    """

    transport: str
    emitter: int | None
    payloads: tuple[bytes, ...]
    crc_ok: bool | None = None
    rssi_dbm: int | None = None
    frequency_mhz: int | None = None


def decode_frame(link_type: int, data: bytes) -> Broadcast | None:
    """A captured frame -> its broadcast, or None if it carries no Remote ID.

    Raises DecodeError; a frame whose check sequence failed raises DecodeError("bad-crc"): nothing of
    it is to be believed, its identifiers look right and are garbage.
    """
    if link_type in (ieee80211.LINK_RADIOTAP, ieee80211.LINK_IEEE80211):
        return _from_wifi(link_type, data)
    if link_type in (bluetooth.LINK_LE, bluetooth.LINK_LE_PHDR, bluetooth.LINK_NORDIC):
        return _from_bluetooth(link_type, data)
    raise DecodeError("link-type", f"link type {link_type} carries no Remote ID that is read here")


def entries(payload: bytes) -> list[bytes]:
    """A payload -> its messages of 25 bytes, undecoded. Raises DecodeError("pack" or "short-message")."""
    if payload and payload[0] >> 4 == MessageType.PACK:
        return pack_entries(payload)
    if len(payload) < MESSAGE_BYTES:
        raise DecodeError("short-message", f"a message has {MESSAGE_BYTES} bytes, not {len(payload)}")
    return [payload[:MESSAGE_BYTES]]


def frame_entries(broadcast: Broadcast) -> list[bytes]:
    """The messages of all payloads. Raises the first payload's DecodeError if no payload is whole."""
    found: list[bytes] = []
    failures: list[DecodeError] = []
    for payload in broadcast.payloads:
        try:
            found += entries(payload)
        except DecodeError as error:
            failures.append(error)
    if len(failures) == len(broadcast.payloads):
        raise failures[0]
    return found


def _from_wifi(link_type: int, data: bytes) -> Broadcast | None:
    radio = ieee80211.Radiotap(length=0)
    if link_type == ieee80211.LINK_RADIOTAP:
        radio = ieee80211.decode_radiotap(data)
    if radio.fcs_ok is False:
        raise DecodeError("bad-crc", "the receiver marked the frame's check sequence as bad")
    frame = ieee80211.decode_management(data[radio.length : max(radio.length, len(data) - radio.fcs_bytes)])
    if frame is None:
        return None
    if frame.subtype == ieee80211.BEACON:
        transport, payloads = WIFI_BEACON, _gather(_beacon_payloads(frame.body))
    elif frame.subtype == ieee80211.ACTION and frame.body.startswith(ieee80211.NAN_ACTION):
        transport, payloads = WIFI_NAN, _gather(ieee80211.nan_service_infos(frame.body))
    else:
        return None
    if not payloads:
        return None
    return Broadcast(
        transport=TRANSPORTS[transport],
        emitter=frame.source,
        payloads=payloads,
        crc_ok=radio.fcs_ok,
        rssi_dbm=radio.rssi_dbm,
        frequency_mhz=radio.frequency_mhz,
    )


def _beacon_payloads(body: bytes) -> Iterator[bytes]:
    if len(body) < 12:
        raise DecodeError("header", "a beacon has 12 bytes before its elements")
    for number, value in ieee80211.elements(body):
        if number == ieee80211.VENDOR_ELEMENT and value.startswith(ieee80211.REMOTE_ID_OUI_TYPE):
            yield value[len(ieee80211.REMOTE_ID_OUI_TYPE) :]


def _from_bluetooth(link_type: int, data: bytes) -> Broadcast | None:
    packet = bluetooth.decode_packet(link_type, data)
    if not packet.crc_ok:
        raise DecodeError("bad-crc", "the packet's CRC is bad")
    if packet.access_address != bluetooth.ADVERTISING_ACCESS_ADDRESS:
        return None
    advertisement = bluetooth.decode_advertisement(packet.pdu)
    if advertisement is None:
        return None
    payloads = _gather(bluetooth.service_data(advertisement.data))
    if not payloads:
        return None
    return Broadcast(
        transport=TRANSPORTS[BLE5 if advertisement.extended else BLE4],
        emitter=advertisement.address,
        payloads=payloads,
        crc_ok=True,
        rssi_dbm=packet.rssi_dbm,
        frequency_mhz=packet.frequency_mhz,
    )


def _gather(carried: Iterator[bytes]) -> tuple[bytes, ...]:
    """Payloads without counters. What came before a broken structure counts; if nothing did, it raises."""
    payloads: list[bytes] = []
    try:
        for value in carried:
            payloads.append(value[1:])
    except DecodeError:
        if not payloads:
            raise
    return tuple(payloads)
