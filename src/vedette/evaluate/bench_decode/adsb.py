"""Manned aircraft: Beast frames of a receiver, SBS lines, and aircraft.json -> detections.

An aircraft gives one detection a second at most, so there are fewer of them than frames.
"""

import math
import time

import msgspec

from vedette.evaluate.bench_decode.figures import SITE, START_S, Bench, fix
from vedette.evaluate.bench_decode.streams import Decode, Stream
from vedette.sense.adsb import BeastAdapter, SbsAdapter, TableAdapter
from vedette.wire.adsb import (
    TICKS_PER_S,
    AirbornePosition,
    BeastBatcher,
    BeastFrame,
    GroundVelocity,
    Identification,
    Message,
    Place,
    SbsMessage,
    SbsSplitter,
    adsb,
    encode,
    encode_beast,
    read_aircraft_json,
    squitters,
    write_sbs,
)
from vedette.wire.adsb.cpr import encode as encode_cpr

FRAMES_A_READ = 200
ENTRIES_A_TABLE = 200
"""As many as there are aircraft: each table has all of them."""
SPEED_KT = 400.0
FIRST_ADDRESS = 0x3C0000
NAMED_EVERY = 20
_M_PER_DEG = 111_320.0
_MPS = 1852.0 / 3600.0


def _place(number: int) -> tuple[float, float]:
    """Aircraft fly east, each on a parallel of its own, so that no two positions are one on the grid."""
    at = fix(number)
    flown_m = (at.time - START_S) * SPEED_KT * _MPS
    return at.lat_deg, SITE[1] + flown_m / (_M_PER_DEG * math.cos(math.radians(SITE[0])))


def _squitter(number: int) -> Message:
    """Positions in both grids and velocities in turn, with an identification now and then."""
    at = fix(number)
    if at.turn % NAMED_EVERY == 0:
        return Identification("A3", f"BENCH{at.emitter}")
    if at.turn % 2:
        return GroundVelocity(False, 2, SPEED_KT, float(at.turn % 20), True, 64.0 * (at.turn % 9), 150.0)
    odd = at.turn % 4 == 2
    lat_cpr, lon_cpr = encode_cpr(*_place(number), odd)
    return AirbornePosition(11, 0, False, 30_000.0 + at.emitter * 25.0, False, odd, lat_cpr, lon_cpr)


def _beast(numbers: range) -> bytes:
    return b"".join(encode_beast(_frame(number)) for number in numbers)


def _frame(number: int) -> BeastFrame:
    at = fix(number)
    ticks = round((at.time - START_S) * TICKS_PER_S)
    return BeastFrame(ticks, 60 + number % 100, encode(adsb(FIRST_ADDRESS + at.emitter, _squitter(number))))


def _sbs(numbers: range) -> bytes:
    return "".join(write_sbs(_sbs_message(number)) + "\r\n" for number in numbers).encode()


def _sbs_message(number: int) -> SbsMessage:
    at, (lat_deg, lon_deg) = fix(number), _place(number)
    day, clock = time.strftime("%Y/%m/%d %H:%M:%S", time.gmtime(at.time)).split()
    stamp = (day, f"{clock}.{number % 1000:03d}")
    return SbsMessage(
        transmission=3,
        address=FIRST_ADDRESS + at.emitter,
        generated=stamp,
        logged=stamp,
        altitude_ft=30_000.0 + at.emitter * 25.0,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        alert=False,
        emergency=False,
        ident=False,
        on_ground=False,
    )


def _table(numbers: range) -> bytes:
    now = fix(numbers[-1]).time
    entries = [_entry(number) for number in numbers]
    return msgspec.json.encode({"now": now, "messages": numbers[-1], "aircraft": entries})


def _entry(number: int) -> dict[str, object]:
    at, (lat_deg, lon_deg) = fix(number), _place(number)
    return {
        "hex": f"{FIRST_ADDRESS + at.emitter:06x}",
        "type": "adsb_icao",
        "flight": f"BENCH{at.emitter:<3}",
        "alt_baro": 30_000 + at.emitter * 25,
        "alt_geom": 30_150 + at.emitter * 25,
        "gs": SPEED_KT,
        "track": 90.0,
        "baro_rate": 64 * (at.turn % 9),
        "squawk": "1000",
        "category": "A3",
        "lat": lat_deg,
        "lon": lon_deg,
        "nic": 8,
        "rc": 186,
        "seen_pos": 0.4,
        "version": 2,
        "nac_p": 9,
        "sil": 3,
        "messages": number,
        "seen": 0.1,
        "rssi": -20.5,
    }


def _beast_adapter() -> Decode:
    batcher, adapter = BeastBatcher(), BeastAdapter("bench", Place(*SITE))
    return lambda data, received: len(adapter.take(batcher.feed(data), received))


def _beast_codec() -> Decode:
    batcher = BeastBatcher()
    return lambda data, received: len(squitters(batcher.feed(data)).row)


def _sbs_adapter() -> Decode:
    splitter, adapter = SbsSplitter(), SbsAdapter("bench", Place(*SITE))
    return lambda data, received: len(adapter.take(splitter.feed(data), received))


def _table_adapter() -> Decode:
    adapter = TableAdapter("bench", Place(*SITE))

    def decode(data: bytes, received: float) -> int:
        table = read_aircraft_json(data)
        return len(adapter.take(table, table.now, received) or ())

    return decode


FORMS: dict[str, Bench] = {
    "beast": Stream(read=_beast, decoder=_beast_adapter, per_read=FRAMES_A_READ),
    "beast-frames": Stream(read=_beast, decoder=_beast_codec, results="messages", per_read=FRAMES_A_READ),
    "sbs": Stream(read=_sbs, decoder=_sbs_adapter, per_read=FRAMES_A_READ),
    "aircraft-json": Stream(read=_table, decoder=_table_adapter, per_read=ENTRIES_A_TABLE),
}
