"""UDP datagrams out of captured frames: Ethernet (802.1Q tags), Linux cooked, raw IPv4 and IPv6; and into
IPv4 packets.

RFC 768 (UDP), RFC 791 (IPv4), RFC 8200 (IPv6), IEEE 802.3 and 802.1Q. Fragments are refused, not put
together: surveillance datagrams fit a frame. Checksums are not verified, since a capture on the sending
machine holds those that the network card fills in later.
"""

import struct
from collections.abc import Callable

import msgspec

from vedette.wire.errors import DecodeError, EncodeError

ETHERNET, RAW_IP, LINUX_COOKED, RAW_IPV4, RAW_IPV6 = 1, 101, 113, 228, 229
"""Link types of a capture file (the registry of the Tcpdump Group)."""

LONGEST_PAYLOAD = 65_507
"""Of a datagram over IPv4 (RFC 768, RFC 791)."""

_VLAN_TAGS = (0x8100, 0x88A8, 0x9100)
_UDP_PROTOCOL = 17
_PORTS_LENGTH = struct.Struct(">HHH")
_IPV4_HEADER = struct.Struct(">BBHHHBBH4s4s")
_UDP_HEADER = struct.Struct(">HHHH")


class UdpDatagram(msgspec.Struct, frozen=True):
    """One datagram: addresses as raw bytes (4 or 16), ports, and what was sent."""

    source: bytes
    destination: bytes
    source_port: int
    destination_port: int
    payload: bytes


def udp_datagram(frame: bytes, link_type: int) -> UdpDatagram:
    """The UDP datagram in a captured frame.

    Raises DecodeError with the reason ``link-type``, ``truncated``, ``not-ip``, ``ip-header``,
    ``fragment``, ``not-udp`` or ``udp-length``.
    """
    strip = _LINKS.get(link_type)
    if strip is None:
        raise DecodeError("link-type", f"link type {link_type} carries no IP known here: {sorted(_LINKS)} do")
    packet = strip(frame)
    version = packet[0] >> 4 if packet else 0
    if version == 4:
        return _ipv4(packet)
    if version == 6:
        return _ipv6(packet)
    raise DecodeError("not-ip", f"IP version 4 or 6 expected behind link type {link_type}, not {version}")


def ipv4_packet(datagram: UdpDatagram) -> bytes:
    """The IPv4 packet of a datagram, for a capture of link type `RAW_IPV4`; without the UDP checksum, which
    IPv4 leaves to the sender. Raises EncodeError for what does not fit."""
    if len(datagram.source) != 4 or len(datagram.destination) != 4:
        raise EncodeError("address", "an IPv4 packet has addresses of 4 bytes")
    if not (0 <= datagram.source_port < 65_536 and 0 <= datagram.destination_port < 65_536):
        raise EncodeError("port", f"ports {datagram.source_port}, {datagram.destination_port}: 0 to 65535")
    length = len(datagram.payload) + _UDP_HEADER.size
    if len(datagram.payload) > LONGEST_PAYLOAD:
        raise EncodeError("length", f"a datagram holds {LONGEST_PAYLOAD} bytes, not {len(datagram.payload)}")
    fields = (0x45, 0, length + 20, 0, 0, 64, _UDP_PROTOCOL)
    bare = _IPV4_HEADER.pack(*fields, 0, datagram.source, datagram.destination)
    header = _IPV4_HEADER.pack(*fields, _checksum(bare), datagram.source, datagram.destination)
    ports = _UDP_HEADER.pack(datagram.source_port, datagram.destination_port, length, 0)
    return header + ports + datagram.payload


def _checksum(header: bytes) -> int:
    """The ones' complement sum of RFC 791, 3.1, of a header whose own checksum is 0."""
    total = sum(word for (word,) in struct.iter_unpack(">H", header))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return int(total) ^ 0xFFFF


def _ethernet(frame: bytes) -> bytes:
    at = 12
    while int.from_bytes(_need(frame, at, 2, "Ethernet header")) in _VLAN_TAGS:
        at += 4
    return _by_ethertype(frame, at)


def _linux_cooked(frame: bytes) -> bytes:
    return _by_ethertype(frame, 14)


def _by_ethertype(frame: bytes, at: int) -> bytes:
    ethertype = int.from_bytes(_need(frame, at, 2, "link header"))
    if ethertype not in (0x0800, 0x86DD):
        raise DecodeError("not-ip", f"EtherType 0x{ethertype:04x} is neither IPv4 nor IPv6")
    return frame[at + 2 :]


def _raw(frame: bytes) -> bytes:
    return frame


_LINKS: dict[int, Callable[[bytes], bytes]] = {
    ETHERNET: _ethernet,
    LINUX_COOKED: _linux_cooked,
    RAW_IP: _raw,
    RAW_IPV4: _raw,
    RAW_IPV6: _raw,
}


def _ipv4(packet: bytes) -> UdpDatagram:
    _need(packet, 0, 20, "IPv4 header")
    header = 4 * (packet[0] & 0x0F)
    total = int.from_bytes(packet[2:4])
    if header < 20 or total < header:
        raise DecodeError("ip-header", f"an IPv4 header of {header} bytes in a packet of {total}")
    if int.from_bytes(packet[6:8]) & 0x3FFF:
        raise DecodeError("fragment", "a fragment of an IPv4 packet: fragments are not put together")
    # What follows the packet is the padding of a short Ethernet frame.
    return _udp(packet[9], packet[12:16], packet[16:20], _need(packet, 0, total, "IPv4 packet")[header:])


def _ipv6(packet: bytes) -> UdpDatagram:
    _need(packet, 0, 40, "IPv6 header")
    total = 40 + int.from_bytes(packet[4:6])
    return _udp(packet[6], packet[8:24], packet[24:40], _need(packet, 0, total, "IPv6 packet")[40:])


def _udp(protocol: int, source: bytes, destination: bytes, segment: bytes) -> UdpDatagram:
    if protocol != _UDP_PROTOCOL:
        raise DecodeError("not-udp", f"IP protocol {protocol} follows the IP header, UDP is {_UDP_PROTOCOL}")
    source_port, destination_port, length = _PORTS_LENGTH.unpack(_need(segment, 0, 8, "UDP header")[:6])
    if not 8 <= length <= len(segment):
        raise DecodeError("udp-length", f"the UDP header says {length} bytes, the packet has {len(segment)}")
    return UdpDatagram(source, destination, source_port, destination_port, segment[8:length])


def _need(data: bytes, at: int, length: int, what: str) -> bytes:
    """``length`` bytes from ``at``, all there."""
    if len(data) < at + length:
        raise DecodeError("truncated", f"the {what} needs {at + length} bytes, {len(data)} are here")
    return data[at : at + length]
