"""The three file formats: what their headers mean, and how a buffer of records is walked.

Sources: IETF draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng; the btsnoop format as Frontline
published it (Symbian). A format object keeps what the headers said and is fed buffers in order.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from vedette.wire.capture import kernels
from vedette.wire.capture.batch import Float64, FrameBatch, Int64
from vedette.wire.errors import CaptureError

MAX_INTERFACES = 4096
MAX_CONTROL_BLOCK_BYTES = 1 << 20
_SECTION_HEADER = b"\x0a\x0d\x0d\x0a"
_BYTE_ORDER_MAGIC = 0x1A2B3C4D

_PCAP_MAGICS = {
    bytes.fromhex("a1b2c3d4"): (True, 1e6),
    bytes.fromhex("d4c3b2a1"): (False, 1e6),
    bytes.fromhex("a1b23c4d"): (True, 1e9),
    bytes.fromhex("4d3cb2a1"): (False, 1e9),
}
_BTSNOOP_MAGIC = b"btsnoop\0"
_BTSNOOP_LINKS = {1002: 187, 2001: 254}
"""btsnoop datalink (HCI UART, Linux monitor) -> tcpdump.org link type."""


class Walked(NamedTuple):
    """The frames of one buffer, how much of it is used up, and what comes next.

    ``skip``: bytes to pass over after ``consumed``, which may reach far beyond the buffer.
    ``ended``: why nothing more can be read, or None.
    """

    batch: FrameBatch
    consumed: int
    skip: int = 0
    ended: str | None = None


class Format(Protocol):
    """A capture format that is fed buffers in order."""

    header_bytes: int
    counts: dict[str, int]

    def walk(self, buffer: bytes) -> Walked:
        """Take as many whole records from the front of the buffer as there are."""
        ...


def recognise(head: bytes, name: str) -> Format:
    """The format whose magic number starts ``head``. Raises CaptureError, one line, naming the file."""
    if not head:
        raise CaptureError("empty", f"{name}: the file is empty, give a pcap, pcapng or btsnoop capture")
    if head[:4] in _PCAP_MAGICS and len(head) >= 24:
        return Pcap(head)
    if head[:8] == _BTSNOOP_MAGIC and len(head) >= 16:
        return Btsnoop(head, name)
    if head[:4] == _SECTION_HEADER and len(head) >= 12 and _byte_order(head) is not None:
        return Pcapng()
    raise CaptureError(
        "magic",
        f"{name}: not a capture (it starts with {head[:8].hex()}), give a pcap, pcapng or btsnoop file",
    )


def _batch(buffer: bytes, n: int, rows: tuple[Int64, ...], times: Float64) -> FrameBatch:
    offsets, lengths, links = rows
    return FrameBatch(buffer, offsets[:n], lengths[:n], times[:n], links[:n])


class Pcap:
    """Classic pcap of either byte order, micro- or nanoseconds."""

    header_bytes = 24

    def __init__(self, head: bytes) -> None:
        self.counts: dict[str, int] = {}
        self._big, self._per_second = _PCAP_MAGICS[head[:4]]
        # The upper bits of the field tell the length of the frame check sequence (section 4 of the draft).
        self.link_type = int.from_bytes(head[20:24], "big" if self._big else "little") & 0xFFFF

    def walk(self, buffer: bytes) -> Walked:
        """See `Format`."""
        offsets, lengths, times, links = kernels.empty_rows(len(buffer))
        view = np.frombuffer(buffer, dtype=np.uint8)
        n, at, status = kernels.walk_pcap(view, 0, self._big, self._per_second, offsets, lengths, times)
        links[:n] = self.link_type
        ended = "absurd-length" if status == kernels.ABSURD else None
        return Walked(_batch(buffer, n, (offsets, lengths, links), times), at, ended=ended)


class Btsnoop:
    """btsnoop version 1, as Android and BlueZ write it."""

    header_bytes = 16

    def __init__(self, head: bytes, name: str) -> None:
        self.counts: dict[str, int] = {}
        datalink = int.from_bytes(head[12:16], "big")
        if datalink not in _BTSNOOP_LINKS:
            raise CaptureError(
                "datalink",
                f"{name}: btsnoop datalink {datalink} is not read, record HCI UART (1002) or btmon (2001)",
            )
        self.link_type = _BTSNOOP_LINKS[datalink]

    def walk(self, buffer: bytes) -> Walked:
        """See `Format`."""
        offsets, lengths, times, links = kernels.empty_rows(len(buffer))
        view = np.frombuffer(buffer, dtype=np.uint8)
        n, at, status = kernels.walk_btsnoop(view, 0, offsets, lengths, times)
        links[:n] = self.link_type
        ended = "absurd-length" if status == kernels.ABSURD else None
        return Walked(_batch(buffer, n, (offsets, lengths, links), times), at, ended=ended)


class _Interfaces:
    """The interfaces of one pcapng section, as the arrays that the kernel reads."""

    def __init__(self) -> None:
        self.links = np.zeros(0, np.int64)
        self.ticks_per_s = np.zeros(0, np.uint64)
        self.offset_s = np.zeros(0, np.int64)
        self.snaplens = np.zeros(0, np.int64)

    def add(self, link: int, ticks_per_s: int, offset_s: int, snaplen: int) -> None:
        self.links = np.append(self.links, np.int64(link))
        self.ticks_per_s = np.append(self.ticks_per_s, np.uint64(ticks_per_s))
        self.offset_s = np.append(self.offset_s, np.int64(offset_s))
        self.snaplens = np.append(self.snaplens, np.int64(snaplen))


class Pcapng:
    """pcapng: several sections, each with its byte order and interfaces; EPB, SPB and old packet blocks."""

    header_bytes = 0

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._big = False
        self._interfaces = _Interfaces()

    def walk(self, buffer: bytes) -> Walked:
        """See `Format`."""
        offsets, lengths, times, links = kernels.empty_rows(len(buffer))
        view = np.frombuffer(buffer, dtype=np.uint8)
        spoiled = np.zeros(1, np.int64)
        n = at = skip = 0
        ended: str | None = None
        while True:
            on = self._interfaces
            n, at, status = kernels.walk_pcapng(
                view, at, self._big, n, on.links, on.ticks_per_s, on.offset_s, on.snaplens,
                offsets, lengths, times, links, spoiled,
            )  # fmt: skip
            if status == kernels.ABSURD:
                ended = "absurd-length"
            if status != kernels.CONTROL:
                break
            length, ended = self._control(buffer, at)
            if ended is not None or length == 0:
                break
            skip = max(0, at + length - len(buffer))
            at = min(at + length, len(buffer))
        if spoiled[0]:
            self.counts["malformed-packet"] = self.counts.get("malformed-packet", 0) + int(spoiled[0])
        return Walked(_batch(buffer, n, (offsets, lengths, links), times), at, skip, ended)

    def _control(self, buffer: bytes, at: int) -> tuple[int, str | None]:
        """Handle a block that is no packet -> (its length, or 0 if more bytes are needed; why it ended)."""
        section = buffer[at : at + 4] == _SECTION_HEADER
        if len(buffer) - at < 12:
            return 0, None
        if section:
            big = _byte_order(buffer[at : at + 12])
            if big is None:
                return 0, "absurd-section"
            self._big = big
        length = self._int(buffer, at + 4, 4)
        if length < 12 or length % 4:
            return 0, "absurd-length"
        if not section and self._int(buffer, at, 4) != 1:
            return length, None
        if length > MAX_CONTROL_BLOCK_BYTES:
            return 0, "absurd-length"
        if at + length > len(buffer):
            return 0, None
        if section:
            self._interfaces = _Interfaces()
            return length, None
        return length, self._interface(buffer[at + 8 : at + length - 4])

    def _int(self, data: bytes, at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], "big" if self._big else "little")

    def _interface(self, body: bytes) -> str | None:
        """Interface description: link type, snap length, time resolution and offset."""
        if len(body) < 8:
            return "absurd-interface"
        if len(self._interfaces.links) >= MAX_INTERFACES:
            return "too-many-interfaces"
        ticks_per_s, offset_s = 1_000_000, 0
        at = 8
        while at + 4 <= len(body):
            code, size = self._int(body, at, 2), self._int(body, at + 2, 2)
            value = body[at + 4 : at + 4 + size]
            if code == 0:
                break
            if code == 9 and size == 1 and len(value) == 1:
                ticks_per_s = _ticks_per_s(value[0])
            elif code == 14 and size == 8 and len(value) == 8:
                offset_s = self._offset(value)
            at += 4 + (size + 3) // 4 * 4
        if ticks_per_s == 0:
            return "absurd-interface"
        self._interfaces.add(self._int(body, 0, 2), ticks_per_s, offset_s, self._int(body, 4, 4))
        return None

    def _offset(self, value: bytes) -> int:
        """if_tsoffset; one beyond 2^60 s is nonsense, and the clamp keeps the sum inside 64 bits."""
        stated = int.from_bytes(value, "big" if self._big else "little", signed=True)
        return max(-(1 << 60), min(1 << 60, stated))


def _byte_order(head: bytes) -> bool | None:
    """True if the section is big endian, None if it is neither."""
    for order, big in (("big", True), ("little", False)):
        if int.from_bytes(head[8:12], order) == _BYTE_ORDER_MAGIC:  # type: ignore[arg-type]
            return big
    return None


def _ticks_per_s(resolution: int) -> int:
    """if_tsresol -> ticks a second; 0 where it does not fit 64 bits."""
    power: Callable[[int], int] = (lambda n: 1 << n) if resolution & 0x80 else (lambda n: 10**n)
    ticks = power(resolution & 0x7F)
    return ticks if ticks < 1 << 63 else 0
