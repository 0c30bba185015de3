"""Beast frames -> Detections: our own parity check, CPR positions, velocities and heights."""

import math
from collections import Counter

import numpy as np

from vedette.model import Detection, Signal
from vedette.sense._adsb_detection import FPM_MPS, KNOT_MPS, detection
from vedette.sense._adsb_sky import Aircraft, Sighting, Sky, key_of
from vedette.wire.adsb import (
    MLAT_RESULT_TICKS,
    BeastBatch,
    BeastBatcher,
    BeastFrame,
    GroundVelocity,
    Identification,
    OperationalStatus,
    Parity,
    Place,
    PositionResolver,
    Source,
    adsb,
    containment_radius_m,
    decode_message,
    encode,
    encode_beast,
    kernel,
    rssi_dbfs,
    squitters,
)

LINK = Signal(transport="1090es", frequency_mhz=1090.0)
_SOURCES = (str(Source.ADSB), str(Source.TISB), str(Source.ADSR))
_IMF_BITS = {
    kernel.AIRBORNE: 8,
    kernel.SURFACE: 21,
    kernel.GROUND_VELOCITY: 9,
    kernel.AIR_VELOCITY: 9,
    kernel.STATUS: 56,
}
"""Bit of the message that says, in DF 18 with CF 2 or 6, that the address is none of ICAO's (DO-260B,
2.2.17.3 and 2.2.18.4: the ICAO/Mode A flag). An identification has none and is taken for ICAO's."""
_SOURCE_SHIFT = 25


class BeastAdapter:
    """Frames of one receiver, or of several that hear the same sky, -> Detections of ``sensor``.

    ``site``: positions farther than ``reach_m`` from it are refused, and surface positions, which repeat
    every 90 degrees, are taken to be the nearest to it. ``period_s``: between two detections of an
    aircraft. ``counts``: see `vedette.sense.adsb`.
    """

    def __init__(
        self, sensor: str, site: Place, *, period_s: float = 1.0, reach_m: float = 400_000.0, most: int = 2000
    ) -> None:
        self.sensor = sensor
        self.counts: Counter[str] = Counter()
        self._sky = Sky(period_s, most)
        self._resolver = PositionResolver(site, reach_m, most)

    def take(self, batch: BeastBatch, received: float) -> list[Detection]:
        """The detections that are due after these frames, all of which came at ``received`` (station
        time, never decreasing)."""
        self._weigh(batch)
        for row in _rows(batch):
            self._one(row, received)
        found = [
            detection(self.sensor, aircraft, sighting, crc_ok=True, link=LINK)
            for aircraft, sighting in self._sky.due(received)
        ]
        self._tally(len(found))
        return found

    def _weigh(self, batch: BeastBatch) -> None:
        found = np.bincount(batch.parity, minlength=len(Parity)).tolist()
        self.counts["mode-s"] += found[Parity.GOOD] + found[Parity.UNSAID]
        self.counts["mode-ac"] += found[Parity.MODE_AC]
        self.counts["bad-crc"] += found[Parity.BAD]
        self.counts["malformed: frame length"] += found[Parity.LENGTH]

    def _one(self, row: "_Row", received: float) -> None:
        if row.ticks == MLAT_RESULT_TICKS:
            self.counts["mlat-result"] += 1
            return
        key = key_of(row.address, row.is_icao)
        if row.kind in (kernel.AIRBORNE, kernel.SURFACE):
            if row.odd >= 0:
                self._position(row, key, received)
        elif row.kind in (kernel.GROUND_VELOCITY, kernel.AIR_VELOCITY):
            _hear_velocity(self._sky.of(key), row, received)
        elif row.kind in (kernel.IDENTIFICATION, kernel.STATUS):
            _hear_words(self._sky.of(key), row.me)

    def _position(self, row: "_Row", key: int, received: float) -> None:
        surface = row.kind == kernel.SURFACE
        place = self._resolver.resolve_raw(
            key | row.source << _SOURCE_SHIFT, received, surface, row.odd == 1, row.lat_cpr, row.lon_cpr
        )
        if place is None:
            return
        height_ft = None if math.isnan(row.altitude_ft) else row.altitude_ft
        above_ellipsoid = row.type_code >= 20
        sighting = Sighting(
            time=received,
            received=received,
            lat_deg=place.lat_deg,
            lon_deg=place.lon_deg,
            source=_SOURCES[row.source],
            on_ground=surface,
            baro_ft=None if above_ellipsoid else height_ft,
            ellipsoid_ft=height_ft if above_ellipsoid else None,
            radius_m=containment_radius_m(row.type_code),
            rssi_dbfs=rssi_dbfs(row.signal),
        )
        self._sky.place(self._sky.of(key), sighting)

    def _tally(self, detections: int) -> None:
        resolver = self._resolver.counters
        self.counts["detections"] += detections
        self.counts["position-jumped"] = resolver.jumps
        self.counts["position-mismatched"] = resolver.mismatched
        self.counts["beyond-reach"] = resolver.out_of_range
        self.counts["aircraft-forgotten"] = self._sky.forgotten
        self.counts["held-too-long"] = self._sky.late


class _Row:
    """One intact squitter as plain numbers."""

    __slots__ = (
        "address", "altitude_ft", "difference_ft", "east_kt", "is_icao", "kind", "lat_cpr", "lon_cpr", "me",
        "north_kt", "odd", "signal", "source", "ticks", "type_code", "vertical_fpm",
    )  # fmt: skip

    def __init__(self, ticks: int, signal: int, integers: tuple[int, ...], floats: tuple[float, ...]) -> None:
        self.ticks, self.signal = ticks, signal
        (
            self.address, self.source, icao, self.kind, self.type_code, self.me, self.odd, self.lat_cpr,
            self.lon_cpr,
        ) = integers  # fmt: skip
        self.altitude_ft, self.east_kt, self.north_kt, self.vertical_fpm, self.difference_ft = floats
        self.is_icao = bool(icao) if icao >= 0 else not self.me >> (56 - _IMF_BITS.get(self.kind, 0)) & 1


def _rows(batch: BeastBatch) -> list[_Row]:
    """The intact extended squitters of a batch, in the order received."""
    out = squitters(batch)
    integers = (
        out.address, out.source, out.icao, out.kind, out.type_code, out.me, out.odd, out.lat_cpr, out.lon_cpr,
    )  # fmt: skip
    floats = (out.altitude_ft, out.east_kt, out.north_kt, out.vertical_fpm, out.height_minus_baro_ft)
    return [
        _Row(*row)
        for row in zip(
            batch.ticks[out.row].tolist(),
            batch.signal[out.row].tolist(),
            zip(*(column.tolist() for column in integers), strict=True),
            zip(*(column.tolist() for column in floats), strict=True),
            strict=True,
        )
    ]


def _hear_velocity(aircraft: Aircraft, row: _Row, received: float) -> None:
    """A velocity with a gap, or an airspeed, does not do away with the last one: that ages."""
    velocity = (row.east_kt * KNOT_MPS, row.north_kt * KNOT_MPS, row.vertical_fpm * FPM_MPS)
    if not any(map(math.isnan, velocity)):
        aircraft.velocity_mps, aircraft.velocity_at = velocity, received
    if not math.isnan(row.difference_ft):
        aircraft.difference_ft, aircraft.difference_at = row.difference_ft, received


def _hear_words(aircraft: Aircraft, me: int) -> None:
    message = decode_message(me)
    if isinstance(message, Identification):
        aircraft.category = message.category
        aircraft.callsign = message.callsign or None
    elif isinstance(message, OperationalStatus):
        aircraft.nac_p = message.nac_p


def warm() -> None:
    """Compile or load the kernels, so that the first aircraft does not wait for them."""
    frame = encode(adsb(0x3C0001, GroundVelocity(False, 0, 1.0, 1.0, True, 64.0, 25.0)))
    BeastAdapter("warm", Place(0.0, 0.0)).take(
        BeastBatcher().feed(encode_beast(BeastFrame(1, 1, frame))), 0.0
    )
