"""802.11 framing: what our encoders send is found again, and nothing is read outside the frame."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.wire import ieee80211
from vedette.wire.errors import DecodeError, EncodeError
from vedette.wire.opendroneid.carriage import decode_frame

ADDRESS = bytes.fromhex("0200c0ffee01")


@settings(deadline=None)
@given(st.binary(max_size=240), st.integers(-110, -1), st.sampled_from([2412, 2437, 5745]), st.booleans())
def test_a_broadcast_is_found_as_it_was_sent(payload: bytes, rssi: int, mhz: int, beacon: bool) -> None:
    encoder = ieee80211.encode_beacon if beacon else ieee80211.encode_nan
    found = decode_frame(127, encoder(ADDRESS, payload, counter=300, rssi_dbm=rssi, frequency_mhz=mhz))
    assert found is not None
    assert found.payloads == (payload,)
    assert (found.rssi_dbm, found.frequency_mhz, found.crc_ok) == (rssi, mhz, True)
    assert found.emitter == int.from_bytes(ADDRESS, "big")
    assert found.transport == ("wifi-beacon" if beacon else "wifi-nan")


def test_the_check_sequence_is_the_ieee_crc() -> None:
    frame = ieee80211.encode_beacon(ADDRESS, b"payload", ssid=b"net")
    body = frame[ieee80211.decode_radiotap(frame).length :]
    assert zlib.crc32(body) == 0x2144DF1C  # the CRC-32 residue of any frame with its own check sequence


def test_a_bad_check_sequence_is_refused() -> None:
    with pytest.raises(DecodeError) as caught:
        decode_frame(127, ieee80211.encode_beacon(ADDRESS, b"payload", fcs_ok=False))
    assert caught.value.reason == "bad-crc"


def test_radiotap_reads_past_a_chain_of_presence_words() -> None:
    words = (0x2F | 0x80000000 | 0x20000000, 0x20 | 0x80000000, 0x20)
    header = b"".join(word.to_bytes(4, "little") for word in words)
    fields = (
        bytes(8) + b"\x10" + b"\x02" + (2462).to_bytes(2, "little") + b"\xa0\0" + bytes((0xBB, 1, 0xAA, 2))
    )
    data = bytes((0, 0)) + (4 + len(header) + len(fields)).to_bytes(2, "little") + header + fields
    radio = ieee80211.decode_radiotap(data)
    assert (radio.rssi_dbm, radio.frequency_mhz, radio.fcs_bytes, radio.fcs_ok) == (-69, 2462, 4, True)


def test_what_radiotap_does_not_say_stays_unknown() -> None:
    radio = ieee80211.decode_radiotap(bytes((0, 0, 8, 0, 0, 0, 0, 0)))
    assert radio == ieee80211.Radiotap(length=8)


@pytest.mark.parametrize(
    "data",
    [b"", bytes(7), b"\x01\0\x08\0" + bytes(4), b"\0\0\xff\xff" + bytes(60), b"\0\0\x08\0\0\0\0\x80",
     b"\0\0\x09\0\x20\x00\x00\x80\0", b"\0\0\x08\0\x01\0\0\0"],
)  # fmt: skip
def test_a_radiotap_header_that_lies_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        ieee80211.decode_radiotap(data)
    assert caught.value.reason == "radiotap"


def test_an_element_that_claims_more_than_the_frame_is_refused() -> None:
    frame = bytearray(ieee80211.encode_beacon(ADDRESS, bytes(25)))
    frame[15 + 24 + 12 + 2 + 1] = 255
    with pytest.raises(DecodeError) as caught:
        decode_frame(127, bytes(frame))
    assert caught.value.reason == "element"


def test_a_nan_attribute_that_claims_65535_bytes_is_refused() -> None:
    frame = bytearray(ieee80211.encode_nan(ADDRESS, bytes(25)))
    frame[15 + 24 + 6 + 1 : 15 + 24 + 6 + 3] = b"\xff\xff"
    with pytest.raises(DecodeError) as caught:
        decode_frame(127, bytes(frame))
    assert caught.value.reason == "nan"


def test_a_service_info_behind_filters_and_bitmap_is_found() -> None:
    descriptor = ieee80211.NAN_REMOTE_ID_SERVICE + b"\x01\x00\x5c" + b"\xaa\xbb" + b"\x01x" + b"\x02yz"
    descriptor += b"\x03\x07ab"
    body = ieee80211.NAN_ACTION + b"\x03" + len(descriptor).to_bytes(2, "little") + descriptor
    assert list(ieee80211.nan_service_infos(body)) == [b"\x07ab"]


@settings(deadline=None)
@given(st.integers(0, 300))
def test_a_cut_frame_is_counted_or_whole_but_never_an_accident(length: int) -> None:
    frame = ieee80211.encode_beacon(ADDRESS, bytes(228), ssid=b"network")
    try:
        found = decode_frame(127, frame[:length])
    except DecodeError:
        return
    assert found is None or length >= len(frame)


def test_frames_of_bystanders_are_nothing() -> None:
    radiotap = ieee80211.encode_radiotap(-50, 2412)
    data_frame = b"\x08\x01" + bytes(40)
    protected = b"\xd0\x40" + bytes(40)
    probe = ieee80211.encode_management(4, ADDRESS, ADDRESS, ADDRESS, bytes(20))
    other_vendor = ieee80211.encode_management(
        8, ADDRESS, ADDRESS, ADDRESS, bytes(12) + b"\xdd\x04\x00\x50\xf2\x01"
    )
    for frame in (data_frame, protected, probe, other_vendor):
        assert decode_frame(127, radiotap + frame + bytes(4)) is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: ieee80211.encode_beacon(ADDRESS, bytes(251)),
        lambda: ieee80211.encode_nan(ADDRESS, bytes(255)),
        lambda: ieee80211.encode_beacon(b"short", b""),
        lambda: ieee80211.encode_radiotap(-200, 2412),
    ],
)
def test_what_does_not_fit_a_frame_is_an_encode_error(make: object) -> None:
    with pytest.raises(EncodeError):
        make()  # type: ignore[operator]
