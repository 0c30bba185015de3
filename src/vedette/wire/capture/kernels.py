"""The loops over record headers. Compiled, because a capture of gigabytes has millions of them.

Every kernel walks a buffer from ``at``, appends to the output arrays from row ``n`` on and returns
``(n, at, status)``: ``at`` is the first byte that it did not consume. The output arrays must hold
``len(buffer) // 12`` more rows.
"""

import numpy as np
from numba import njit

from vedette.wire.capture.batch import Float64, Int64

NEED_MORE = 0
"""The buffer ends inside the next record."""
ABSURD = 1
"""The next record's length is impossible: nothing after it can be trusted."""
CONTROL = 2
"""pcapng: the next block is not a packet and wants Python's attention."""

MAX_RECORD_BYTES = 262_144
MAX_PACKET_BLOCK_BYTES = MAX_RECORD_BYTES + 65_536


@njit(cache=True)
def u16(buffer, at, big):  # type: ignore[no-untyped-def]
    if big:
        return np.int64(buffer[at]) << 8 | np.int64(buffer[at + 1])
    return np.int64(buffer[at + 1]) << 8 | np.int64(buffer[at])


@njit(cache=True)
def u32(buffer, at, big):  # type: ignore[no-untyped-def]
    if big:
        return u16(buffer, at, True) << 16 | u16(buffer, at + 2, True)
    return u16(buffer, at + 2, False) << 16 | u16(buffer, at, False)


@njit(cache=True)
def walk_pcap(buffer, at, big, per_second, offsets, lengths, times):  # type: ignore[no-untyped-def]
    """Classic pcap records (16-byte headers)."""
    n = 0
    size = len(buffer)
    while at + 16 <= size:
        captured = u32(buffer, at + 8, big)
        if captured > MAX_RECORD_BYTES:
            return n, at, ABSURD
        if at + 16 + captured > size:
            break
        offsets[n] = at + 16
        lengths[n] = captured
        times[n] = u32(buffer, at, big) + u32(buffer, at + 4, big) / per_second
        n += 1
        at += 16 + captured
    return n, at, NEED_MORE


@njit(cache=True)
def walk_btsnoop(buffer, at, offsets, lengths, times):  # type: ignore[no-untyped-def]
    """btsnoop records (24-byte big-endian headers, microseconds since the year 0)."""
    n = 0
    size = len(buffer)
    while at + 24 <= size:
        captured = u32(buffer, at + 4, True)
        if captured > MAX_RECORD_BYTES:
            return n, at, ABSURD
        if at + 24 + captured > size:
            break
        microseconds = u32(buffer, at + 16, True) << 32 | u32(buffer, at + 20, True)
        microseconds -= 0x00DCDDB30F2F8000
        offsets[n] = at + 24
        lengths[n] = captured
        times[n] = microseconds // 1_000_000 + (microseconds % 1_000_000) / 1e6
        n += 1
        at += 24 + captured
    return n, at, NEED_MORE


@njit(cache=True)
def block_time(buffer, at, big, ticks_per_s, offset_s):  # type: ignore[no-untyped-def]
    """Two words of a pcapng time stamp -> Unix seconds, in whole seconds first to keep the fraction."""
    ticks = np.uint64(u32(buffer, at, big)) << np.uint64(32) | np.uint64(u32(buffer, at + 4, big))
    whole = ticks // ticks_per_s
    rest = ticks - whole * ticks_per_s
    return np.float64(np.int64(whole) + offset_s) + np.float64(rest) / np.float64(ticks_per_s)


@njit(cache=True)
def walk_pcapng(  # type: ignore[no-untyped-def]
    buffer, at, big, n, links, ticks_per_s, offset_s, snaplens, offsets, lengths, times, link_types, spoiled
):
    """Packet blocks of one pcapng section until the buffer ends or another kind of block comes.

    ``links``, ``ticks_per_s``, ``offset_s``, ``snaplens``: one row per interface of the section.
    ``spoiled[0]`` counts packet blocks that name no known interface or more bytes than they have.
    """
    size = len(buffer)
    while at + 8 <= size:
        kind = u32(buffer, at, big)
        if kind != 6 and kind != 3 and kind != 2:
            return n, at, CONTROL
        total = u32(buffer, at + 4, big)
        head = 16 if kind == 3 else 32
        if total < head or total % 4 or total > MAX_PACKET_BLOCK_BYTES:
            return n, at, ABSURD
        if at + total > size:
            break
        interface = 0
        room = total - head
        if kind == 3:
            captured = min(u32(buffer, at + 8, big), room)
            if len(snaplens) > 0 and snaplens[0] > 0:
                captured = min(captured, snaplens[0])
            data = at + 12
        else:
            interface = u32(buffer, at + 8, big) if kind == 6 else u16(buffer, at + 8, big)
            captured = u32(buffer, at + 20, big)
            data = at + 28
        if interface >= len(links) or captured > room or captured > MAX_RECORD_BYTES:
            spoiled[0] += 1
        else:
            offsets[n] = data
            lengths[n] = captured
            link_types[n] = links[interface]
            if kind == 3:
                times[n] = np.nan
            else:
                times[n] = block_time(buffer, at + 12, big, ticks_per_s[interface], offset_s[interface])
            n += 1
        at += total
    return n, at, NEED_MORE


def warm() -> None:
    """Compile every kernel, so that the first frame does not wait for it."""
    from numpy import float64, int64, uint64, zeros

    buffer = np.frombuffer(bytes(16), dtype=np.uint8)
    rows, times = zeros(2, int64), zeros(2, float64)
    walk_pcap(buffer, 16, False, 1e6, rows, rows, times)
    walk_btsnoop(buffer, 16, rows, rows, times)
    none, ticks = zeros(0, int64), zeros(0, uint64)
    walk_pcapng(buffer, 16, False, 0, none, ticks, none, none, rows, rows, times, rows, zeros(1, int64))


def empty_rows(buffer_bytes: int) -> tuple[Int64, Int64, Float64, Int64]:
    """Output arrays (offsets, lengths, times, link types) large enough for a buffer of this size."""
    rows = buffer_bytes // 12 + 1
    return (
        np.empty(rows, np.int64),
        np.empty(rows, np.int64),
        np.empty(rows, np.float64),
        np.empty(rows, np.int64),
    )
