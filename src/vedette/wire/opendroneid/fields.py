"""The fields that a detection needs, decoded for many messages at once (compiled twin of `codec`).

NaN is unknown. Positions come raw as well (1e-7 degrees), because equality is decided on what was sent.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from vedette.wire.capture import FrameBatch
from vedette.wire.capture.batch import Float64, Int64
from vedette.wire.opendroneid.codec import TIMESTAMP_LIMIT

KNOWN, UNKNOWN, IMPOSSIBLE = 0, 1, 2
"""What a position is: a place, the 0/0 that means unknown, or no place on earth."""


class Locations(NamedTuple):
    """LOCATION messages as parallel arrays; names and units as `messages.Location`.

    ``place`` is `KNOWN`, `UNKNOWN` or `IMPOSSIBLE`. ``height_agl`` is 1 if the height is above ground.
    ``direction`` and ``timestamp_tenths`` are integers with -1 for unknown. ``accuracy`` packs the
    codes: horizontal, vertical << 4, speed << 8, barometric << 12.
    """

    place: Int64
    lat_raw: Int64
    lon_raw: Int64
    height_agl: Int64
    direction: Int64
    timestamp_tenths: Int64
    accuracy: Int64
    lat_deg: Float64
    lon_deg: Float64
    alt_geodetic_m: Float64
    alt_barometric_m: Float64
    height_m: Float64
    speed_mps: Float64
    vertical_speed_mps: Float64


class Systems(NamedTuple):
    """SYSTEM messages as parallel arrays: where the operator is. ``place`` as in `Locations`."""

    place: Int64
    lat_raw: Int64
    lon_raw: Int64
    alt_raw: Int64


@njit(cache=True)
def _s32(buffer, at):  # type: ignore[no-untyped-def]
    value = np.int64(buffer[at]) | np.int64(buffer[at + 1]) << 8
    value |= np.int64(buffer[at + 2]) << 16 | np.int64(buffer[at + 3]) << 24
    return value - (1 << 32) if value >= 1 << 31 else value


@njit(cache=True)
def _u16(buffer, at):  # type: ignore[no-untyped-def]
    return np.int64(buffer[at]) | np.int64(buffer[at + 1]) << 8


@njit(cache=True)
def _place(lat_raw, lon_raw):  # type: ignore[no-untyped-def]
    if lat_raw == 0 and lon_raw == 0:
        return UNKNOWN
    if abs(lat_raw) > 900_000_000 or abs(lon_raw) > 1_800_000_000:
        return IMPOSSIBLE
    return KNOWN


@njit(cache=True)
def _height(raw):  # type: ignore[no-untyped-def]
    return np.nan if raw == 0 else raw * 0.5 - 1000.0


@njit(cache=True)
def _locations(buffer, offsets, out):  # type: ignore[no-untyped-def]
    for i in range(len(offsets)):
        at = offsets[i]
        flags = buffer[at + 1]
        out.lat_raw[i] = _s32(buffer, at + 5)
        out.lon_raw[i] = _s32(buffer, at + 9)
        out.place[i] = _place(out.lat_raw[i], out.lon_raw[i])
        out.lat_deg[i] = out.lat_raw[i] / 1e7
        out.lon_deg[i] = out.lon_raw[i] / 1e7
        out.height_agl[i] = flags >> 2 & 1
        direction = np.int64(buffer[at + 2]) + (180 if flags & 2 else 0)
        out.direction[i] = direction if direction <= 360 else -1
        speed = np.int64(buffer[at + 3])
        if not flags & 1:
            out.speed_mps[i] = speed * 0.25
        else:
            out.speed_mps[i] = np.nan if speed == 255 else speed * 0.75 + 63.75
        climb = np.int64(np.int8(buffer[at + 4]))
        out.vertical_speed_mps[i] = climb * 0.5 if abs(climb) <= 124 else np.nan
        out.alt_barometric_m[i] = _height(_u16(buffer, at + 13))
        out.alt_geodetic_m[i] = _height(_u16(buffer, at + 15))
        out.height_m[i] = _height(_u16(buffer, at + 17))
        hv, bs = np.int64(buffer[at + 19]), np.int64(buffer[at + 20])
        out.accuracy[i] = hv | bs << 8
        tenths = _u16(buffer, at + 21)
        out.timestamp_tenths[i] = tenths if tenths <= TIMESTAMP_LIMIT else -1


@njit(cache=True)
def _systems(buffer, offsets, out):  # type: ignore[no-untyped-def]
    for i in range(len(offsets)):
        at = offsets[i]
        out.lat_raw[i] = _s32(buffer, at + 2)
        out.lon_raw[i] = _s32(buffer, at + 6)
        out.place[i] = _place(out.lat_raw[i], out.lon_raw[i])
        out.alt_raw[i] = _u16(buffer, at + 18)


def locations(batch: FrameBatch, offsets: Int64) -> Locations:
    """Decode the LOCATION messages that start at ``offsets`` of the batch's buffer."""
    integers = np.empty((7, len(offsets)), np.int64)
    floats = np.empty((7, len(offsets)), np.float64)
    out = Locations(*integers, *floats)
    _locations(np.frombuffer(batch.data, dtype=np.uint8), offsets, out)
    return out


def systems(batch: FrameBatch, offsets: Int64) -> Systems:
    """Decode the SYSTEM messages that start at ``offsets`` of the batch's buffer."""
    out = Systems(*np.empty((4, len(offsets)), np.int64))
    _systems(np.frombuffer(batch.data, dtype=np.uint8), offsets, out)
    return out


def operator_alt_m(raw: int) -> float | None:
    """A SYSTEM message's raw height -> metres above the WGS-84 ellipsoid."""
    return None if raw == 0 else raw * 0.5 - 1000.0
