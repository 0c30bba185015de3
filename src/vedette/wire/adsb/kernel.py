"""Whole reads of a Beast stream at once: the compiled twin of `beast`, `parity` and `squitter`.

`BeastBatcher` finds the frames and judges their parity, `squitters` decodes the fields that a
detection needs. The tests hold both to the plain Python, on the real capture and on mutations of it.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vedette.wire.adsb import parity as p
from vedette.wire.adsb.altitude import altitude_ft
from vedette.wire.adsb.beast import BeastCounters
from vedette.wire.adsb.surface_speed import SPEEDS_KT

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

_GOOD, _BAD, _UNSAID, _LENGTH, _MODE_AC = (int(value) for value in p.Parity)
_TABLE = np.array(p.TABLE, dtype=np.int64)
_ALTITUDES = np.array([altitude_ft(code) for code in range(4096)], dtype=np.float64)
_SPEEDS = np.array(SPEEDS_KT, dtype=np.float64)
_SHORTEST_FRAME = 11
_FRAMES, _BROKEN, _OTHER, _SKIPPED, _REST = range(5)

OTHER, IDENTIFICATION, AIRBORNE, SURFACE, GROUND_VELOCITY, AIR_VELOCITY, STATUS = range(7)
"""Kinds of message in `Squitters.kind`."""
ADSB, TISB, ADSR = range(3)
"""Sources in `Squitters.source`, in the order of `messages.Source`."""


class BeastBatch(NamedTuple):
    """Frames as parallel arrays in the order received.

    ``ticks`` and ``signal`` as in `beast.BeastFrame`; ``message`` (n, 14) bytes with zeros behind
    ``length``; ``parity`` a `parity.Parity`.
    """

    ticks: Int64
    signal: Int64
    length: Int64
    parity: Int64
    message: NDArray[np.uint8]


class Squitters(NamedTuple):
    """Extended squitters of good parity as parallel arrays. NaN is unknown.

    ``row`` indexes the batch; ``icao`` is 1 if the address is an ICAO one, 0 if not, -1 if not said;
    ``me`` holds the 56 message bits, for `squitter.decode_message`. ``odd``, ``lat_cpr``, ``lon_cpr``
    are -1 where the kind carries no position. ``track_deg``: track of a surface position, heading of
    an air velocity. ``speed_kt``: ground speed of a surface position, airspeed of an air velocity.
    """

    row: Int64
    address: Int64
    source: Int64
    icao: Int64
    kind: Int64
    type_code: Int64
    me: Int64
    odd: Int64
    lat_cpr: Int64
    lon_cpr: Int64
    altitude_ft: Float64
    speed_kt: Float64
    track_deg: Float64
    east_kt: Float64
    north_kt: Float64
    vertical_fpm: Float64
    height_minus_baro_ft: Float64


@njit(cache=True)
def _judge(message, length):  # type: ignore[no-untyped-def]
    if length == 2:
        return _MODE_AC
    first = np.int64(message[0]) >> 3
    df = first if first < 24 else 24
    if (df >= 16) != (length == 14):
        return _LENGTH
    if df not in (11, 17, 18):
        return _UNSAID if df in (0, 4, 5, 16, 20, 21, 24) else _LENGTH
    value = np.int64(0)
    for i in range(length - 3):
        value = (value << 8 & 0xFFFFFF) ^ _TABLE[value >> 16 ^ np.int64(message[i])]
    for i in range(3):
        value ^= np.int64(message[length - 1 - i]) << 8 * i
    return _GOOD if value < (128 if df == 11 else 1) else _BAD


@njit(cache=True)
def _unescape(buffer, at, need, body):  # type: ignore[no-untyped-def]
    """Fill ``body`` -> (where the frame ends, bytes found); the end is -1 if it has not arrived."""
    found = 0
    while found < need:
        if at >= len(buffer):
            return -1, found
        if buffer[at] == 0x1A:
            if at + 1 >= len(buffer):
                return -1, found
            if buffer[at + 1] != 0x1A:
                return at, found
            at += 1
        body[found] = buffer[at]
        found += 1
        at += 1
    return at, found


@njit(cache=True)
def _keep(body, need, out, n):  # type: ignore[no-untyped-def]
    ticks = np.int64(0)
    for i in range(6):
        ticks = ticks << 8 | np.int64(body[i])
    out.ticks[n], out.signal[n], out.length[n] = ticks, body[6], need - 7
    for i in range(need - 7):
        out.message[n, i] = body[7 + i]
    out.parity[n] = _judge(out.message[n], need - 7)


@njit(cache=True)
def _deframe(buffer, out, totals):  # type: ignore[no-untyped-def]
    """Frames of ``buffer`` into ``out``; totals: frames, broken, other, skipped bytes, start of the rest."""
    at, n, size = 0, 0, len(buffer)
    body = np.empty(21, np.uint8)
    while True:
        start = at
        while start < size and buffer[start] != 0x1A:
            start += 1
        totals[_SKIPPED] += start - at
        at = start
        if start + 1 >= size:
            break
        kind = buffer[start + 1]
        if kind < 0x31 or kind > 0x33:
            totals[_OTHER] += kind != 0x1A
            totals[_SKIPPED] += 2
            at = start + 2
            continue
        need = 9 if kind == 0x31 else (14 if kind == 0x32 else 21)
        end, found = _unescape(buffer, start + 2, need, body)
        if end < 0:
            break
        at = end
        if found == need:
            _keep(body, need, out, n)
            n += 1
        else:
            totals[_BROKEN] += 1
            totals[_SKIPPED] += end - start
    totals[_FRAMES], totals[_REST] = n, at


@njit(cache=True)
def _signed(sign, value, step, limit):  # type: ignore[no-untyped-def]
    if value == 0 or value == limit:
        return np.nan
    return (value - 1) * (-step if sign and value > 1 else step)


@njit(cache=True)
def _bits(me, first, last):  # type: ignore[no-untyped-def]
    return me >> (56 - last) & (1 << (last - first + 1)) - 1


@njit(cache=True)
def _kind(type_code, subtype):  # type: ignore[no-untyped-def]
    if type_code == 19:
        if subtype in (1, 2):
            return GROUND_VELOCITY
        return AIR_VELOCITY if subtype in (3, 4) else OTHER
    if type_code == 0 or 9 <= type_code <= 22:
        return AIRBORNE
    if type_code <= 4:
        return IDENTIFICATION
    if type_code <= 8:
        return SURFACE
    return STATUS if type_code == 31 and subtype <= 1 else OTHER


@njit(cache=True)
def _source(df, control):  # type: ignore[no-untyped-def]
    """(source, icao, whether the layout is ADS-B's) of a downlink format and its CA or CF."""
    if df == 17 or control == 0:
        return ADSB, 1, True
    if control == 1:
        return ADSB, 0, True
    if control == 2:
        return TISB, -1, True
    if control == 5:
        return TISB, 0, True
    if control == 6:
        return ADSR, -1, True
    return TISB, -1, False


@njit(cache=True)
def _velocity(me, i, out):  # type: ignore[no-untyped-def]
    step = 4.0 if _bits(me, 6, 8) in (2, 4) else 1.0
    if out.kind[i] == GROUND_VELOCITY:
        out.east_kt[i] = _signed(_bits(me, 14, 14), _bits(me, 15, 24), step, 1023)
        out.north_kt[i] = _signed(_bits(me, 25, 25), _bits(me, 26, 35), step, 1023)
    else:
        out.speed_kt[i] = _signed(0, _bits(me, 26, 35), step, 1023)
        if _bits(me, 14, 14):
            out.track_deg[i] = _bits(me, 15, 24) * 360.0 / 1024.0
    out.vertical_fpm[i] = _signed(_bits(me, 37, 37), _bits(me, 38, 46), 64.0, 511)
    out.height_minus_baro_ft[i] = _signed(_bits(me, 49, 49), _bits(me, 50, 56), 25.0, 127)


@njit(cache=True)
def _position(me, i, out):  # type: ignore[no-untyped-def]
    if out.kind[i] == AIRBORNE:
        out.altitude_ft[i] = _ALTITUDES[_bits(me, 9, 20)]
    else:
        out.speed_kt[i] = _SPEEDS[_bits(me, 6, 12)]
        if _bits(me, 13, 13):
            out.track_deg[i] = _bits(me, 14, 20) * 360.0 / 128.0
    if out.type_code[i] != 0:
        out.odd[i] = _bits(me, 22, 22)
        out.lat_cpr[i], out.lon_cpr[i] = _bits(me, 23, 39), _bits(me, 40, 56)


@njit(cache=True)
def _fields(message, rows, out):  # type: ignore[no-untyped-def]
    for i in range(len(rows)):
        frame = message[rows[i]]
        me = np.int64(0)
        for k in range(4, 11):
            me = me << 8 | np.int64(frame[k])
        out.row[i], out.me[i] = rows[i], me
        out.address[i] = np.int64(frame[1]) << 16 | np.int64(frame[2]) << 8 | np.int64(frame[3])
        out.source[i], out.icao[i], known = _source(frame[0] >> 3, frame[0] & 7)
        out.type_code[i] = _bits(me, 1, 5)
        out.kind[i] = _kind(out.type_code[i], _bits(me, 6, 8)) if known else OTHER
        out.odd[i], out.lat_cpr[i], out.lon_cpr[i] = -1, -1, -1
        if out.kind[i] == AIRBORNE or out.kind[i] == SURFACE:
            _position(me, i, out)
        elif out.kind[i] == GROUND_VELOCITY or out.kind[i] == AIR_VELOCITY:
            _velocity(me, i, out)


def _empty_batch(frames: int) -> BeastBatch:
    ticks, signal, length, parity = np.empty((4, frames), np.int64)
    return BeastBatch(ticks, signal, length, parity, np.zeros((frames, p.LONG_BYTES), np.uint8))


class BeastBatcher:
    """Bytes in, batches out, however the stream is cut; the twin of `beast.BeastSplitter`.

    Between two reads at most one incomplete frame is held (`beast.MAX_FRAME_BYTES`).
    """

    def __init__(self) -> None:
        self.counters = BeastCounters()
        self._rest = b""

    def feed(self, data: bytes) -> BeastBatch:
        """The frames completed by ``data``."""
        buffer = self._rest + data
        out = _empty_batch(len(buffer) // _SHORTEST_FRAME + 1)
        totals = np.zeros(5, np.int64)
        _deframe(np.frombuffer(buffer, np.uint8), out, totals)
        frames, broken, other, skipped, rest = totals.tolist()
        self._rest = buffer[rest:]
        self.counters.frames += frames
        self.counters.broken += broken
        self.counters.other += other
        self.counters.skipped_bytes += skipped
        used = slice(0, frames)
        return BeastBatch(
            out.ticks[used], out.signal[used], out.length[used], out.parity[used], out.message[used]
        )


def is_squitter(batch: BeastBatch) -> NDArray[np.bool_]:
    """Which rows are DF 17 or DF 18, good parity or not."""
    df = batch.message[:, 0] >> 3
    chosen: NDArray[np.bool_] = ((df == 17) | (df == 18)) & (batch.length == p.LONG_BYTES)
    return chosen


def squitters(batch: BeastBatch) -> Squitters:
    """Decode the extended squitters whose parity is good."""
    rows = np.flatnonzero(is_squitter(batch) & (batch.parity == _GOOD))
    floats: Any = np.full((7, len(rows)), np.nan)
    out = Squitters(*np.empty((10, len(rows)), np.int64), *floats)
    _fields(batch.message, rows, out)
    return out
