"""UDP datagrams out of captured frames."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.wire.errors import DecodeError
from vedette.wire.udp import ETHERNET, LINUX_COOKED, RAW_IP, RAW_IPV6, udp_datagram

PAYLOAD = b"\x30\x00\x05\x80\x01"


def udp(payload: bytes = PAYLOAD) -> bytes:
    return (1000).to_bytes(2) + (2000).to_bytes(2) + (8 + len(payload)).to_bytes(2) + b"\xab\xcd" + payload


def ipv4(segment: bytes, protocol: int = 17, fragment: int = 0x4000, options: bytes = b"") -> bytes:
    header = bytes((0x45 + len(options) // 4, 0)) + (20 + len(options) + len(segment)).to_bytes(2) + bytes(2)
    header += fragment.to_bytes(2) + bytes((64, protocol)) + bytes(2)
    return header + bytes((10, 0, 0, 1)) + bytes((232, 1, 1, 31)) + options + segment


def ipv6(segment: bytes, protocol: int = 17) -> bytes:
    return (
        b"\x60\x00\x00\x00"
        + len(segment).to_bytes(2)
        + bytes((protocol, 64))
        + bytes(15)
        + b"\x01" * 17
        + segment
    )


def ethernet(packet: bytes, ethertype: bytes = b"\x08\x00", tags: bytes = b"") -> bytes:
    return bytes(12) + tags + ethertype + packet


@pytest.mark.parametrize(
    ("frame", "link_type"),
    [
        (ethernet(ipv4(udp())), ETHERNET),
        (ethernet(ipv4(udp()) + bytes(13)), ETHERNET),  # padded to the shortest frame
        (ethernet(ipv4(udp()), tags=b"\x81\x00\x00\x07"), ETHERNET),
        (ethernet(ipv4(udp()), tags=b"\x88\xa8\x00\x07\x81\x00\x00\x08"), ETHERNET),
        (ethernet(ipv4(udp(), options=bytes(8))), ETHERNET),
        (ipv4(udp()), RAW_IP),
        (bytes(14) + b"\x08\x00" + ipv4(udp()), LINUX_COOKED),
    ],
)
def test_the_payload_is_found_behind_every_header(frame: bytes, link_type: int) -> None:
    got = udp_datagram(frame, link_type)
    assert (got.payload, got.source_port, got.destination_port) == (PAYLOAD, 1000, 2000)
    assert (got.source, got.destination) == (bytes((10, 0, 0, 1)), bytes((232, 1, 1, 31)))


def test_the_payload_is_found_behind_ipv6() -> None:
    for frame, link_type in ((ipv6(udp()), RAW_IPV6), (ethernet(ipv6(udp()), b"\x86\xdd"), ETHERNET)):
        got = udp_datagram(frame, link_type)
        assert (got.payload, got.destination) == (PAYLOAD, b"\x01" * 16)


@pytest.mark.parametrize(
    ("frame", "link_type", "reason"),
    [
        (ethernet(ipv4(udp())), 105, "link-type"),
        (b"", ETHERNET, "truncated"),
        (bytes(13), ETHERNET, "truncated"),
        (ethernet(ipv4(udp()), b"\x08\x06"), ETHERNET, "not-ip"),
        (b"", RAW_IP, "not-ip"),
        (b"\x50" + bytes(40), RAW_IP, "not-ip"),
        (ipv4(udp())[:19], RAW_IP, "truncated"),
        (ipv4(udp())[:-1], RAW_IP, "truncated"),
        (b"\x44" + ipv4(udp())[1:], RAW_IP, "ip-header"),
        (ipv4(udp(), fragment=0x2000), RAW_IP, "fragment"),
        (ipv4(udp(), fragment=0x0001), RAW_IP, "fragment"),
        (ipv4(udp(), protocol=6), RAW_IP, "not-udp"),
        (ipv6(udp(), protocol=0), RAW_IP, "not-udp"),
        (ipv4(udp()[:7]), RAW_IP, "truncated"),
        (ipv4(udp()[:-1]), RAW_IP, "udp-length"),
        (ipv4(udp()[:4] + b"\x00\x07" + udp()[6:]), RAW_IP, "udp-length"),
    ],
)
def test_what_is_no_whole_datagram_is_refused_with_a_reason(
    frame: bytes, link_type: int, reason: str
) -> None:
    with pytest.raises(DecodeError) as refused:
        udp_datagram(frame, link_type)
    assert refused.value.reason == reason


@given(st.binary(max_size=120), st.sampled_from([0, 1, 101, 113, 228, 229]))
def test_any_frame_gives_a_datagram_or_a_reason(frame: bytes, link_type: int) -> None:
    with contextlib.suppress(DecodeError):
        assert udp_datagram(frame, link_type).payload in frame
