"""The link-layer frame round a Remote ID payload, as the receiver's sniffer would record it."""

from vedette.simulate.scenario import RemoteId, Transport
from vedette.wire import bluetooth, ieee80211

WIFI_MHZ = 2437
"""Wi-Fi channel 6, on which Remote ID is sent (F3411-22a, 5.4.8)."""
BLUETOOTH_MHZ: dict[Transport, int] = {"ble4": 2402, "ble5": 2424}

_WEAKEST_DBM, _STRONGEST_DBM = -120, 20


def link_type_of(transport: Transport) -> int:
    """The pcap link type that a sniffer of this transport records."""
    return ieee80211.LINK_RADIOTAP if transport.startswith("wifi") else bluetooth.LINK_LE_PHDR


def frequency_mhz(transport: Transport) -> int:
    """The frequency on which the frame is recorded."""
    return BLUETOOTH_MHZ.get(transport, WIFI_MHZ)


def frame_remote_id(plan: RemoteId, payload: bytes, counter: int, time_s: float, rssi_dbm: int) -> bytes:
    """The recorded frame of one transmission; ``counter`` is the transport's message counter (8 bits).

    ``time_s`` is the transmitter's time since the scenario's start, which beacons carry.
    """
    rssi = min(max(rssi_dbm, _WEAKEST_DBM), _STRONGEST_DBM)
    address = bytes.fromhex(plan.mac.replace(":", ""))
    if plan.transport == "wifi-beacon":
        uptime_us = int(time_s * 1e6)
        return ieee80211.encode_beacon(
            address, payload, counter=counter, rssi_dbm=rssi, frequency_mhz=WIFI_MHZ, uptime_us=uptime_us
        )
    if plan.transport == "wifi-nan":
        return ieee80211.encode_nan(address, payload, counter=counter, rssi_dbm=rssi, frequency_mhz=WIFI_MHZ)
    if plan.transport == "ble4":
        return bluetooth.encode_legacy(address, payload, counter=counter, rssi_dbm=rssi)
    return bluetooth.encode_extended(address, payload, counter=counter, rssi_dbm=rssi)
