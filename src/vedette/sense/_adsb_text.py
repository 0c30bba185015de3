"""SBS messages and aircraft.json tables -> Detections: what a receiver has decoded already."""

import math
from collections import Counter
from collections.abc import Iterable

from vedette.model import Detection, Signal
from vedette.sense._adsb_detection import detection, velocity_mps
from vedette.sense._adsb_sky import Aircraft, Sighting, Sky, key_of
from vedette.sense.clocks import SenderClock
from vedette.wire.adsb import Aircraft as Entry
from vedette.wire.adsb import AircraftTable, Place, SbsMessage, containment_radius_m
from vedette.wire.adsb.resolver import distance_m

LINK = Signal(transport="1090/978")
"""Receivers put what they hear by Mode S and by UAT into one output, which does not say which it was."""
TOLERATED_S = (-0.5, 5.0)
"""``received - now`` of a table of a good clock: it is written each second or two, and asked for as often."""
ABSURD_S = 86_400.0
OLDEST_S = 8.0
"""A position older than this is history: receivers keep one for a minute, the tracker takes 8 s."""
SAME_S = 0.25
"""Two times of one position in two tables differ by their rounding: 0.1 s of ``now`` and of ``seen_pos``."""
_PERIOD_SLACK = 0.9
"""Tables come about as often as an aircraft may be handed on: a poll that is a little early must not miss."""


class _Decoded:
    """What the adapters of decoded messages share."""

    def __init__(self, sensor: str, site: Place, period_s: float, reach_m: float, most: int) -> None:
        self.sensor = sensor
        self.counts: Counter[str] = Counter()
        self._sky = Sky(period_s, most)
        self._site, self._reach_m = site, reach_m

    def _place(self, aircraft: Aircraft, sighting: Sighting) -> None:
        if distance_m(self._site, Place(sighting.lat_deg, sighting.lon_deg)) > self._reach_m:
            self.counts["beyond-reach"] += 1
        else:
            self._sky.place(aircraft, sighting)

    def _due(self, received: float) -> list[Detection]:
        """Integrity: the receiver has checked the frames, or repaired them, or neither; we cannot know."""
        found = [
            detection(self.sensor, aircraft, sighting, crc_ok=None, link=LINK)
            for aircraft, sighting in self._sky.due(received)
        ]
        self.counts["detections"] += len(found)
        self.counts["aircraft-forgotten"] = self._sky.forgotten
        self.counts["held-too-long"] = self._sky.late
        return found


class SbsAdapter(_Decoded):
    """SBS messages of one receiver -> Detections of ``sensor``; arguments as of `BeastAdapter`."""

    def __init__(
        self, sensor: str, site: Place, *, period_s: float = 1.0, reach_m: float = 400_000.0, most: int = 2000
    ) -> None:
        super().__init__(sensor, site, period_s, reach_m, most)

    def take(self, messages: Iterable[SbsMessage], received: float) -> list[Detection]:
        """The detections that are due after these messages, all of which came at ``received`` (station
        time, never decreasing)."""
        for message in messages:
            self.counts["messages"] += 1
            self._one(message, received)
        return self._due(received)

    def _one(self, message: SbsMessage, received: float) -> None:
        aircraft = self._sky.of(key_of(message.address, message.address_is_icao))
        aircraft.callsign = _printable(message.callsign) or aircraft.callsign
        aircraft.squawk = message.squawk or aircraft.squawk
        velocity = velocity_mps(message.speed_kt, message.track_deg, message.vertical_fpm)
        if velocity is not None:
            aircraft.velocity_mps, aircraft.velocity_at = velocity, received
        if message.lat_deg is None or message.lon_deg is None:
            return
        sighting = Sighting(
            time=received,
            received=received,
            lat_deg=message.lat_deg,
            lon_deg=message.lon_deg,
            on_ground=message.on_ground or message.transmission == 2,
            baro_ft=message.altitude_ft,
        )
        self._place(aircraft, sighting)


class TableAdapter(_Decoded):
    """Tables of one receiver -> Detections of ``sensor``; arguments as of `BeastAdapter`. ``clock``: how
    far its times are from ours."""

    def __init__(
        self, sensor: str, site: Place, *, period_s: float = 1.0, reach_m: float = 400_000.0, most: int = 2000
    ) -> None:
        super().__init__(sensor, site, period_s * _PERIOD_SLACK, reach_m, most)
        self.clock = SenderClock()
        self._most_entries = 2 * most

    def take(
        self, table: AircraftTable, sent: float, received: float, *, speed: float = 1.0
    ) -> list[Detection] | None:
        """The detections that are due after a table; None if its time cannot be (`ABSURD_S`).

        ``sent`` is the table's ``now`` as station time, ``received`` when we got it (never decreasing),
        ``speed`` how much faster station time runs than the receiver's.
        """
        if not abs(received - sent) <= ABSURD_S:
            return None
        self.clock.note(sent, received)
        known = self.clock.behind_s is not None and not self.clock.stuck
        if not known and not TOLERATED_S[0] <= received - sent <= TOLERATED_S[1]:
            # It may be a clock that is off or an old table: then its positions are no news.
            self.counts["clock-unsure"] += 1
            return self._due(received)
        timed = self.clock.timed(sent, received, TOLERATED_S)
        self.counts["tables"] += 1
        self.counts["clock-off"] += timed.sigma_s > 0.0
        for reason, count in sorted(table.refused.items()):
            self.counts[f"malformed: {reason}"] += count
        self.counts["entries-shed"] += max(len(table.aircraft) - self._most_entries, 0)
        for entry in table.aircraft[: self._most_entries]:
            self._one(entry, min(timed.time, received), timed.sigma_s, received, speed)
        return self._due(received)

    def _one(self, entry: Entry, made: float, doubt_s: float, received: float, speed: float) -> None:
        if entry.lat_deg is None or entry.lon_deg is None:
            return
        aircraft = self._sky.of(key_of(entry.address, entry.address_is_icao))
        age_s = entry.position_age_s
        time = made if age_s is None else made - age_s * speed
        if received - time > OLDEST_S:
            self.counts["position-old"] += 1
            return
        if _repeated(aircraft, entry, time):
            return
        _hear_entry(aircraft, entry, received)
        sighting = Sighting(
            time=time,
            received=received,
            lat_deg=entry.lat_deg,
            lon_deg=entry.lon_deg,
            source=None if entry.position_from == "unsaid" else entry.position_from,
            on_ground=entry.on_ground,
            baro_ft=entry.altitude_baro_ft,
            ellipsoid_ft=entry.altitude_ellipsoid_ft,
            radius_m=_radius_m(entry),
            rssi_dbfs=entry.rssi_dbfs,
            doubt_s=doubt_s,
        )
        self._place(aircraft, sighting)


def _repeated(aircraft: Aircraft, entry: Entry, time: float) -> bool:
    """A receiver repeats its last position until it hears another: that is no new evidence."""
    last = aircraft.placed
    if last is None:
        return False
    if (entry.lat_deg, entry.lon_deg) != (last.lat_deg, last.lon_deg):
        return False
    return entry.position_age_s is None or time <= last.time + SAME_S


def _hear_entry(aircraft: Aircraft, entry: Entry, received: float) -> None:
    velocity = velocity_mps(entry.ground_speed_kt, entry.track_deg, entry.vertical_fpm)
    aircraft.velocity_mps, aircraft.velocity_at = velocity, received
    aircraft.callsign = entry.callsign
    aircraft.category = entry.category
    aircraft.squawk = entry.squawk
    aircraft.nac_p = entry.nac_p


def _radius_m(entry: Entry) -> float | None:
    """The containment radius that is stated, or that of the old category NUCp, whose values are those of
    the airborne type codes counted backwards (DO-260, table 2-11)."""
    if entry.containment_m is not None:
        return entry.containment_m if math.isfinite(entry.containment_m) else None
    if not entry.nuc_p or entry.on_ground:
        return None
    return containment_radius_m(18 - entry.nuc_p)


def _printable(text: str | None) -> str | None:
    return text if text and text.isprintable() else None
