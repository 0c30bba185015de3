#!/usr/bin/env python3
"""Send each frame of a pcap stream to a station in a UDP datagram of its own.

    tcpdump -i wlan1 -U -w - 'wlan[0] == 0x80 or wlan[0] == 0xd0' |
        python3 forward_udp.py HOST PORT

Reads classic pcap (what `tcpdump -w -` writes) from standard input as it comes. Needs Python 3.9 and
nothing else, so that it runs on a small receiver as it is. Keep the filter: the station throws away
what is not Remote ID, but what never leaves the receiver cannot be lost on the way.
"""

import socket
import struct
import sys

MAGIC = {
    b"\xd4\xc3\xb2\xa1": "<",
    b"\xa1\xb2\xc3\xd4": ">",
    b"\x4d\x3c\xb2\xa1": "<",
    b"\xa1\xb2\x3c\x4d": ">",
}
LONGEST = 65507
"""What fits into one datagram (IPv4)."""


def frames(stream):
    """The frames of a pcap stream. Raises ValueError if it is not one."""
    head = stream.read(24)
    order = MAGIC.get(head[:4])
    if order is None or len(head) < 24:
        raise ValueError("standard input is not a pcap stream; give tcpdump the options -U -w -")
    link = struct.unpack(f"{order}I", head[20:24])[0] & 0xFFFF
    print(f"link type {link}: the station's feed needs ?link={link}", file=sys.stderr)
    while len(record := stream.read(16)) == 16:
        length = struct.unpack(f"{order}4I", record)[2]
        if length > 262144:
            raise ValueError(f"a frame of {length} bytes: the stream is damaged")
        frame = stream.read(length)
        if len(frame) < length:
            return
        yield frame


def main():
    """Forward until the stream ends."""
    if len(sys.argv) != 3:
        print("usage: forward_udp.py HOST PORT < capture.pcap", file=sys.stderr)
        return 64
    family, kind, _, _, address = socket.getaddrinfo(sys.argv[1], int(sys.argv[2]), type=socket.SOCK_DGRAM)[0]
    count = 0
    with socket.socket(family, kind) as out:
        for frame in frames(sys.stdin.buffer):
            if len(frame) <= LONGEST:
                out.sendto(frame, address)
                count += 1
    print(f"{count} frames sent", file=sys.stderr)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ValueError as error:
        sys.exit(f"forward_udp: {error}")
