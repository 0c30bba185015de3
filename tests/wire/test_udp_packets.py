"""Datagrams into IPv4 packets and back."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.wire.errors import EncodeError
from vedette.wire.udp import LONGEST_PAYLOAD, RAW_IPV4, UdpDatagram, ipv4_packet, udp_datagram

_PORTS = st.integers(min_value=0, max_value=65_535)
_ADDRESSES = st.binary(min_size=4, max_size=4)
DATAGRAMS = st.builds(UdpDatagram, _ADDRESSES, _ADDRESSES, _PORTS, _PORTS, st.binary(max_size=1500))


@given(DATAGRAMS)
def test_a_packet_is_read_back(datagram: UdpDatagram) -> None:
    assert udp_datagram(ipv4_packet(datagram), RAW_IPV4) == datagram


@given(DATAGRAMS)
def test_the_headers_checksum_holds(datagram: UdpDatagram) -> None:
    """With the checksum in place the ones' complement sum of the header is all ones (RFC 791, 3.1)."""
    total = sum(word for (word,) in struct.iter_unpack(">H", ipv4_packet(datagram)[:20]))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF


@pytest.mark.parametrize(
    "datagram",
    [
        UdpDatagram(bytes(16), bytes(4), 1, 1, b""),
        UdpDatagram(bytes(4), bytes(4), 65_536, 1, b""),
        UdpDatagram(bytes(4), bytes(4), 1, 1, bytes(LONGEST_PAYLOAD + 1)),
    ],
)
def test_what_does_not_fit_is_refused(datagram: UdpDatagram) -> None:
    with pytest.raises(EncodeError):
        ipv4_packet(datagram)
