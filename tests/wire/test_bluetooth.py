"""Bluetooth LE framing: what our encoders send is found again, and bad CRCs never pass."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.wire import bluetooth
from vedette.wire.capture import read_records
from vedette.wire.errors import DecodeError, EncodeError
from vedette.wire.opendroneid.carriage import decode_frame

ADDRESS = bytes.fromhex("c0ffee010203")


@settings(deadline=None)
@given(st.binary(max_size=25), st.integers(-110, 10))
def test_a_legacy_broadcast_is_found_as_it_was_sent(message: bytes, rssi: int) -> None:
    found = decode_frame(256, bluetooth.encode_legacy(ADDRESS, message, counter=7, rssi_dbm=rssi))
    assert found is not None
    assert (found.payloads, found.transport, found.rssi_dbm) == ((message,), "ble4", rssi)
    assert (found.emitter, found.frequency_mhz, found.crc_ok) == (0xC0FFEE010203, 2402, True)


@settings(deadline=None)
@given(st.binary(max_size=228), st.booleans())
def test_an_extended_broadcast_is_found_as_it_was_sent(payload: bytes, coded: bool) -> None:
    found = decode_frame(256, bluetooth.encode_extended(ADDRESS, payload, counter=7, coded=coded))
    assert found is not None
    assert (found.payloads, found.transport, found.emitter) == ((payload,), "ble5", 0xC0FFEE010203)


@pytest.mark.parametrize("encoder", [bluetooth.encode_legacy, bluetooth.encode_extended])
def test_a_flagged_crc_is_refused(encoder: object) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_frame(256, encoder(ADDRESS, bytes(25), crc_ok=False))  # type: ignore[operator]
    assert caught.value.reason == "bad-crc"


@settings(deadline=None)
@given(st.integers(0, 8 * 45 - 1))
def test_without_a_flag_the_crc_is_computed(bit: int) -> None:
    packet = bytearray(bluetooth.encode_legacy(ADDRESS, bytes(25))[10:])
    assert decode_frame(251, bytes(packet)) is not None
    packet[bit // 8] ^= 1 << bit % 8
    try:
        found = decode_frame(251, bytes(packet))
    except DecodeError:
        return
    assert bit < 32, "only the access address is outside the CRC"
    assert found is None


def test_an_unchecked_pseudo_header_is_checked_here() -> None:
    packet = bytearray(bluetooth.encode_legacy(ADDRESS, bytes(25)))
    packet[9] &= ~0x0C
    assert decode_frame(256, bytes(packet)) is not None
    packet[-1] ^= 1
    with pytest.raises(DecodeError) as caught:
        decode_frame(256, bytes(packet))
    assert caught.value.reason == "bad-crc"


def nordic(packet: bytes, *, phy: int, crc_ok: bool = True) -> bytes:
    flags = phy << 4 | int(crc_ok)
    return bytes((1, 0, 0, 3, 0, 0, 2, 10, flags, 37, 61)) + bytes(6) + packet[10:]


@pytest.mark.parametrize(("phy", "coded"), [(0, False), (2, True)])
def test_the_nordic_header_is_read(phy: int, coded: bool) -> None:
    packet = bluetooth.encode_extended(ADDRESS, bytes(25), coded=coded)
    found = decode_frame(272, nordic(packet, phy=phy))
    assert found is not None
    assert (found.rssi_dbm, found.frequency_mhz) == (-61, 2402)
    with pytest.raises(DecodeError) as caught:
        decode_frame(272, nordic(packet, phy=phy, crc_ok=False))
    assert caught.value.reason == "bad-crc"


@pytest.mark.parametrize(("link", "length"), [(251, 8), (256, 9), (256, 18), (272, 16), (272, 25)])
def test_truncated_headers_are_refused(link: int, length: int) -> None:
    packet = bluetooth.encode_legacy(ADDRESS, bytes(25))
    data = nordic(packet, phy=0) if link == 272 else packet
    with pytest.raises(DecodeError) as caught:
        decode_frame(link, data[:length])
    assert caught.value.reason == "bluetooth"


def test_an_ad_structure_that_leaves_the_pdu_is_refused() -> None:
    with pytest.raises(DecodeError) as caught:
        list(bluetooth.service_data(b"\x20\x16\xfa\xff\x0d"))
    assert caught.value.reason == "ad"


def test_other_services_are_nothing() -> None:
    assert list(bluetooth.service_data(b"\x05\x16\xfa\xfe\x0d\x01" + b"\x04\x09abc" + b"\0\xff\xff")) == []


def test_an_extended_header_that_lies_is_refused() -> None:
    for payload in (b"", b"\x3f\x01", b"\x02\x01\x00"):
        with pytest.raises(DecodeError):
            bluetooth.decode_advertisement(bytes((7, len(payload))) + payload)


def test_an_extended_pdu_without_address_names_nobody() -> None:
    found = bluetooth.decode_advertisement(b"\x07\x05\x01\x00abc")
    assert found == bluetooth.Advertisement(extended=True, address=None, data=b"abc")


def test_channels() -> None:
    assert [bluetooth.index_mhz(i) for i in (0, 10, 11, 36, 37, 38, 39, 40)] == [
        2404, 2424, 2428, 2478, 2402, 2426, 2480, None,
    ]  # fmt: skip
    assert (bluetooth.channel_mhz(0), bluetooth.channel_mhz(39), bluetooth.channel_mhz(40)) == (
        2402,
        2480,
        None,
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: bluetooth.encode_legacy(ADDRESS, bytes(26)),
        lambda: bluetooth.encode_extended(ADDRESS, bytes(243)),
        lambda: bluetooth.encode_legacy(b"123", b""),
    ],
)
def test_what_does_not_fit_is_an_encode_error(make: object) -> None:
    with pytest.raises(EncodeError):
        make()  # type: ignore[operator]


@pytest.mark.field
def test_our_crc_agrees_with_the_sniffer_on_every_real_packet(field_data: Path) -> None:
    capture = field_data / "protocols" / "opendroneid" / "odid_bt5_lr_sample.pcapng"
    verdicts = []
    for record in read_records(capture):
        packet = bluetooth.decode_packet(272, record.data)
        sent = int.from_bytes(record.data[-3:], "little")
        assert (bluetooth.crc24(packet.pdu) == sent) == packet.crc_ok
        verdicts.append(packet.crc_ok)
    assert (verdicts.count(True), verdicts.count(False)) == (244, 30)
