"""Whole batches of captured frames at once: the compiled twin of `carriage` and `codec`.

`scan` finds the Remote ID messages of every frame, `locations` and `systems` decode the fields that
a detection needs. The tests hold all three to the plain Python of `carriage` and `codec`, on real
captures and on mutations of them.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from vedette.wire import bluetooth
from vedette.wire.capture import FrameBatch
from vedette.wire.capture.batch import Float64, Int64
from vedette.wire.opendroneid import carriage as c

_CRC_TABLE = np.array(bluetooth.CRC_TABLE, dtype=np.int64)
_CRC_INIT = bluetooth.CRC_INIT
_ACCESS_ADDRESS = bluetooth.ADVERTISING_ACCESS_ADDRESS

REMOTE_ID, NOT_REMOTE_ID, BAD_CRC, LINK_TYPE = c.REMOTE_ID, c.NOT_REMOTE_ID, c.BAD_CRC, c.LINK_TYPE
RADIOTAP, HEADER, ELEMENT, NAN_BROKEN = c.RADIOTAP, c.HEADER, c.ELEMENT, c.NAN
BLUETOOTH, AD, PACK, SHORT_MESSAGE = c.BLUETOOTH, c.AD, c.PACK, c.SHORT_MESSAGE
WIFI_BEACON, WIFI_NAN, BLE4, BLE5 = c.WIFI_BEACON, c.WIFI_NAN, c.BLE4, c.BLE5


class Frames(NamedTuple):
    """One row per frame, as parallel arrays.

    ``reason`` indexes `carriage.REASONS`, ``transport`` `carriage.TRANSPORTS`. ``emitter``: 48-bit
    address or -1. ``crc``: 1 good, -1 not said. ``rssi_dbm``, ``frequency_mhz``: NaN = not said.
    """

    reason: Int64
    transport: Int64
    emitter: Int64
    crc: Int64
    rssi_dbm: Float64
    frequency_mhz: Float64


class Rows(NamedTuple):
    """One row per message in frame order: its frame, its type (upper nibble), where its 25 bytes start."""

    frame: Int64
    kind: Int64
    offset: Int64


@njit(cache=True)
def _add(buffer, at, frame, rows, n):  # type: ignore[no-untyped-def]
    rows.frame[n] = frame
    rows.kind[n] = buffer[at] >> 4
    rows.offset[n] = at
    return n + 1


@njit(cache=True)
def _payload(buffer, at, end, frame, rows, n):  # type: ignore[no-untyped-def]
    """Messages of one payload (message or pack) -> (rows used, reason)."""
    if at < end and buffer[at] >> 4 == 15:
        if end - at < 3 or buffer[at + 1] != 25 or buffer[at + 2] > 9:
            return n, PACK
        count = np.int64(buffer[at + 2])
        if at + 3 + count * 25 > end:
            return n, PACK
        for i in range(count):
            n = _add(buffer, at + 3 + i * 25, frame, rows, n)
        return n, REMOTE_ID
    if end - at < 25:
        return n, SHORT_MESSAGE
    return _add(buffer, at, frame, rows, n), REMOTE_ID


@njit(cache=True)
def _merge(state, reason):  # type: ignore[no-untyped-def]
    """Reason of a frame after one more payload: Remote ID once one is whole, else the first fault."""
    if reason == REMOTE_ID or state == NOT_REMOTE_ID:
        return reason
    return state


@njit(cache=True)
def _beacon(buffer, at, end, frame, rows, n):  # type: ignore[no-untyped-def]
    """Vendor elements of a beacon's body -> (rows used, reason)."""
    if end - at < 12:
        return n, HEADER
    at += 12
    state = NOT_REMOTE_ID
    while at < end:
        if at + 2 > end or at + 2 + np.int64(buffer[at + 1]) > end:
            return n, ELEMENT if state == NOT_REMOTE_ID else state
        stop = at + 2 + np.int64(buffer[at + 1])
        if (
            buffer[at] == 221
            and stop - at >= 6
            and buffer[at + 2] == 0xFA
            and buffer[at + 3] == 0x0B
            and buffer[at + 4] == 0xBC
            and buffer[at + 5] == 0x0D
        ):
            n, reason = _payload(buffer, min(at + 7, stop), stop, frame, rows, n)
            state = _merge(state, reason)
        at = stop
    return n, state


@njit(cache=True)
def _is_service(buffer, at):  # type: ignore[no-untyped-def]
    return (
        buffer[at] == 0x88
        and buffer[at + 1] == 0x69
        and buffer[at + 2] == 0x19
        and buffer[at + 3] == 0x9D
        and buffer[at + 4] == 0x92
        and buffer[at + 5] == 0x09
    )


@njit(cache=True)
def _service_info(buffer, at, end):  # type: ignore[no-untyped-def]
    """A service descriptor -> (start, end) of its service info; start -1 = none, -2 = broken."""
    if end - at < 9:
        return -2, -2
    control = buffer[at + 8]
    at += 9
    if control & 0x40:
        at += 2
    for flag in (0x04, 0x08):
        if control & flag:
            if at >= end:
                return -2, -2
            at += 1 + np.int64(buffer[at])
    if not control & 0x10:
        return -1, -1
    if at >= end or at + 1 + np.int64(buffer[at]) > end:
        return -2, -2
    return at + 1, at + 1 + np.int64(buffer[at])


@njit(cache=True)
def _nan(buffer, at, end, frame, rows, n):  # type: ignore[no-untyped-def]
    """Attributes of a NAN action frame -> (rows used, reason)."""
    at += 6
    state = NOT_REMOTE_ID
    while at < end:
        size = np.int64(buffer[at + 1]) if at + 1 < end else 0
        if at + 2 < end:
            size |= np.int64(buffer[at + 2]) << 8
        stop = at + 3 + size
        if stop > end:
            return n, NAN_BROKEN if state == NOT_REMOTE_ID else state
        if buffer[at] == 3 and size >= 6 and _is_service(buffer, at + 3):
            first, last = _service_info(buffer, at + 3, stop)
            if first == -2:
                return n, NAN_BROKEN if state == NOT_REMOTE_ID else state
            if first >= 0:
                n, reason = _payload(buffer, min(first + 1, last), last, frame, rows, n)
                state = _merge(state, reason)
        at = stop
    return n, state


@njit(cache=True)
def _radiotap(buffer, lo, hi, frame, frames):  # type: ignore[no-untyped-def]
    """Radiotap header -> (its length, or -1 if broken; bytes of check sequence). Fills the frame's row."""
    if hi - lo < 8 or buffer[lo] != 0:
        return -1, 0
    length = np.int64(buffer[lo + 2]) | np.int64(buffer[lo + 3]) << 8
    if length < 8 or length > hi - lo:
        return -1, 0
    at = 4
    while True:
        if at + 4 > length:
            return -1, 0
        more = buffer[lo + at + 3] & 0x80
        at += 4
        if not more:
            break
    present = buffer[lo + 4]
    fcs = 0
    for bit, align, size in ((0, 8, 8), (1, 1, 1), (2, 1, 1), (3, 2, 4), (4, 2, 2), (5, 1, 1)):
        if not present >> bit & 1:
            continue
        at = (at + align - 1) // align * align
        if at + size > length:
            return -1, 0
        if bit == 1:
            flags = buffer[lo + at]
            fcs = 4 if flags & 0x10 else 0
            frames.crc[frame] = 0 if flags & 0x40 else 1
        elif bit == 3:
            frequency = np.int64(buffer[lo + at]) | np.int64(buffer[lo + at + 1]) << 8
            if frequency > 0:
                frames.frequency_mhz[frame] = frequency
        elif bit == 5:
            frames.rssi_dbm[frame] = np.int8(buffer[lo + at])
        at += size
    return length, fcs


@njit(cache=True)
def _wifi(buffer, lo, hi, radiotap, frame, frames, rows, n):  # type: ignore[no-untyped-def]
    if radiotap:
        length, fcs = _radiotap(buffer, lo, hi, frame, frames)
        if length < 0:
            return n, RADIOTAP
        if frames.crc[frame] == 0:
            return n, BAD_CRC
        lo += length
        hi = max(lo, hi - fcs)
    if hi - lo < 2:
        return n, HEADER
    if buffer[lo] & 0x0F or buffer[lo + 1] & 0x40:
        return n, NOT_REMOTE_ID
    body = lo + (28 if buffer[lo + 1] & 0x80 else 24)
    if hi < body:
        return n, HEADER
    for i in range(6):
        frames.emitter[frame] = (frames.emitter[frame] if i else 0) << 8 | np.int64(buffer[lo + 10 + i])
    subtype = buffer[lo] >> 4
    if subtype == 8:
        frames.transport[frame] = WIFI_BEACON
        return _beacon(buffer, body, hi, frame, rows, n)
    if (
        subtype == 13
        and hi - body >= 6
        and buffer[body] == 0x04
        and buffer[body + 1] == 0x09
        and buffer[body + 2] == 0x50
        and buffer[body + 3] == 0x6F
        and buffer[body + 4] == 0x9A
        and buffer[body + 5] == 0x13
    ):
        frames.transport[frame] = WIFI_NAN
        return _nan(buffer, body, hi, frame, rows, n)
    return n, NOT_REMOTE_ID


@njit(cache=True)
def _address(buffer, at):  # type: ignore[no-untyped-def]
    """Six bytes, least significant first."""
    value = np.int64(0)
    for i in range(5, -1, -1):
        value = value << 8 | np.int64(buffer[at + i])
    return value


@njit(cache=True)
def _service_data(buffer, at, end, frame, rows, n):  # type: ignore[no-untyped-def]
    """AD structures -> (rows used, reason)."""
    state = NOT_REMOTE_ID
    while at < end and buffer[at]:
        stop = at + 1 + np.int64(buffer[at])
        if stop > end:
            return n, AD if state == NOT_REMOTE_ID else state
        if (
            stop - at >= 5
            and buffer[at + 1] == 0x16
            and buffer[at + 2] == 0xFA
            and buffer[at + 3] == 0xFF
            and buffer[at + 4] == 0x0D
        ):
            n, reason = _payload(buffer, min(at + 6, stop), stop, frame, rows, n)
            state = _merge(state, reason)
        at = stop
    return n, state


@njit(cache=True)
def _advertisement(buffer, at, end, frame, frames, rows, n):  # type: ignore[no-untyped-def]
    """An advertising PDU (header and payload) -> (rows used, reason)."""
    kind = buffer[at] & 0x0F
    at += 2
    if kind == 7:
        size = np.int64(buffer[at] & 0x3F) if at < end else 64
        if at + 1 + size > end:
            return n, BLUETOOTH
        frames.emitter[frame] = -1
        if size and buffer[at + 1] & 1:
            if size < 7:
                return n, BLUETOOTH
            frames.emitter[frame] = _address(buffer, at + 2)
        frames.transport[frame] = BLE5
        return _service_data(buffer, at + 1 + size, end, frame, rows, n)
    if kind != 0 and kind != 2 and kind != 4 and kind != 6:
        return n, NOT_REMOTE_ID
    if end - at < 6:
        return n, BLUETOOTH
    frames.emitter[frame] = _address(buffer, at)
    frames.transport[frame] = BLE4
    return _service_data(buffer, at + 6, end, frame, rows, n)


@njit(cache=True)
def _crc24(buffer, at, end):  # type: ignore[no-untyped-def]
    state = np.int64(_CRC_INIT)
    for i in range(at, end):
        state = state >> 8 ^ _CRC_TABLE[(state ^ np.int64(buffer[i])) & 0xFF]
    return state


@njit(cache=True)
def _link_layer(buffer, at, hi, coded, crc, frame, frames, rows, n):  # type: ignore[no-untyped-def]
    """Access address, PDU, CRC; ``crc``: 1 good, 0 bad, -1 to be computed here."""
    start = at + (5 if coded else 4)
    if hi < start + 5:
        return n, BLUETOOTH
    end = start + 2 + np.int64(buffer[start + 1])
    if end + 3 > hi:
        return n, BLUETOOTH
    if crc < 0:
        stated = np.int64(buffer[end]) | np.int64(buffer[end + 1]) << 8 | np.int64(buffer[end + 2]) << 16
        crc = 1 if _crc24(buffer, start, end) == stated else 0
    frames.crc[frame] = crc
    if crc == 0:
        return n, BAD_CRC
    access = np.int64(buffer[at]) | np.int64(buffer[at + 1]) << 8
    access |= np.int64(buffer[at + 2]) << 16 | np.int64(buffer[at + 3]) << 24
    if access != _ACCESS_ADDRESS:
        return n, NOT_REMOTE_ID
    return _advertisement(buffer, start, end, frame, frames, rows, n)


@njit(cache=True)
def _index_mhz(index):  # type: ignore[no-untyped-def]
    if index == 37:
        return 2402.0
    if index == 38:
        return 2426.0
    if index == 39:
        return 2480.0
    if index > 36:
        return np.nan
    return 2404.0 + 2 * index if index <= 10 else 2406.0 + 2 * index


@njit(cache=True)
def _le_pseudo_header(buffer, lo, hi, frame, frames, rows, n):  # type: ignore[no-untyped-def]
    if hi - lo < 10:
        return n, BLUETOOTH
    flags = np.int64(buffer[lo + 8]) | np.int64(buffer[lo + 9]) << 8
    if not flags & 0x0001:
        return n, BLUETOOTH
    if flags & 0x0002:
        frames.rssi_dbm[frame] = np.int8(buffer[lo + 1])
    if buffer[lo] <= 39:
        frames.frequency_mhz[frame] = 2402.0 + 2 * np.int64(buffer[lo])
    crc = -1
    if flags & 0x0400:
        crc = 1 if flags & 0x0800 else 0
    return _link_layer(buffer, lo + 10, hi, flags >> 14 == 2, crc, frame, frames, rows, n)


@njit(cache=True)
def _nordic(buffer, lo, hi, frame, frames, rows, n):  # type: ignore[no-untyped-def]
    if hi - lo < 17 or buffer[lo + 3] != 3 or buffer[lo + 7] != 10:
        return n, BLUETOOTH
    flags = buffer[lo + 8]
    frames.frequency_mhz[frame] = _index_mhz(np.int64(buffer[lo + 9]))
    frames.rssi_dbm[frame] = -np.float64(buffer[lo + 10])
    coded = flags >> 4 & 7 == 2
    return _link_layer(buffer, lo + 17, hi, coded, np.int64(flags & 1), frame, frames, rows, n)


@njit(cache=True)
def _scan(buffer, offsets, lengths, links, frames, rows):  # type: ignore[no-untyped-def]
    """Fill ``frames`` and ``rows`` -> number of rows used."""
    n = 0
    for i in range(len(offsets)):
        lo, hi, link = offsets[i], offsets[i] + lengths[i], links[i]
        frames.transport[i] = 0
        frames.emitter[i] = -1
        frames.crc[i] = -1
        frames.rssi_dbm[i] = np.nan
        frames.frequency_mhz[i] = np.nan
        if link == 127 or link == 105:
            n, reason = _wifi(buffer, lo, hi, link == 127, i, frames, rows, n)
        elif link == 251:
            n, reason = _link_layer(buffer, lo, hi, False, -1, i, frames, rows, n)
        elif link == 256:
            n, reason = _le_pseudo_header(buffer, lo, hi, i, frames, rows, n)
        elif link == 272:
            n, reason = _nordic(buffer, lo, hi, i, frames, rows, n)
        else:
            reason = LINK_TYPE
        frames.reason[i] = reason
    return n


def scan(batch: FrameBatch) -> tuple[Frames, Rows]:
    """Find the messages of every frame of a batch.

    Raises ValueError if a frame of the batch lies outside its buffer: the kernel does not check again.
    """
    count = len(batch)
    ends = batch.offsets + batch.lengths
    if count and (batch.offsets.min() < 0 or batch.lengths.min() < 0 or ends.max() > len(batch.data)):
        raise ValueError("a frame of the batch lies outside its buffer: make batches with FrameBatch.of")
    most = int(batch.lengths.sum()) // 25 + 1
    integers, floats = np.empty((4, count), np.int64), np.empty((2, count), np.float64)
    frames = Frames(integers[0], integers[1], integers[2], integers[3], floats[0], floats[1])
    room = np.empty((3, most), np.int64)
    rows = Rows(room[0], room[1], room[2])
    buffer = np.frombuffer(batch.data, dtype=np.uint8)
    used = _scan(buffer, batch.offsets, batch.lengths, batch.link_types, frames, rows)
    return frames, Rows(rows.frame[:used], rows.kind[:used], rows.offset[:used])
