"""Captured frames -> Detections: what aircraft broadcast about themselves over Wi-Fi and Bluetooth.

One entry, `RemoteIdAdapter.detections`, serves files (batches of thousands of frames) and live
receivers (a batch of one). Nothing here is believed, only reported: the claim, the beliefs and the
accuracies are the transmitter's own words (DESIGN, law 3). Of frames that carry no Remote ID only a
number is kept.

Choices that the standard leaves open:

- Messages are merged per transmitter address, since many aircraft send LOCATION alone between packs.
  Identifiers and operator place of a frame are taken before its LOCATION, whatever their order.
- Of several identifiers a serial number is the claim, then a registration, then a session id; the
  others are kept in ``extra["claim.also"]``.
- Height: geodetic if known, else above take-off or ground, else barometric, each with its datum.
- Velocity only if speed, direction and climb are all known (direction may be missing at speed 0):
  the contract's vector has no gaps, and a climb of 0 would be invented.
- Accuracy codes are 95 % bounds; one sigma is the bound / 2.45 in the plane (Rayleigh) and / 1.96
  in height. Code 0 and reserved codes say nothing.
- The message's own time (tenths since the hour) is used where it lies within -3 s to +1 s of the
  time of reception, but never later than that, else the time of reception. A transmitter chooses
  its time stamp: it must neither push the tracker's time ahead, nor make itself too old to be fused.
- A LOCATION that is heard again (same transmitter, time stamp and position) is no new evidence: it
  passes once. But silence is never safety, and real transmitters do freeze: one that sends no time
  stamp passes again after a second (it may hover), and one whose time stamp is out of bounds passes
  as a Presence each second (it is there, and by its own words has measured nothing new).
- A LOCATION without a position is a Presence: something transmits.
"""

import math
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vedette.model import Detection, InputError, Integrity, Position, Presence, Sigma, Signal
from vedette.model.detection import AltitudeDatum, ObjectClass
from vedette.model.event import OperatorPosition
from vedette.sense.quality import Quality
from vedette.sense.transmitters import NEW, REPEATED, Quota, Transmitter, Transmitters
from vedette.wire.capture import CaptureReader, FrameBatch
from vedette.wire.errors import CaptureError, DecodeError
from vedette.wire.opendroneid import (
    BasicId,
    MessageType,
    UaType,
    carriage,
    decode_single,
    kernel,
    tables,
)
from vedette.wire.opendroneid import fields as wire_fields
from vedette.wire.opendroneid.fields import IMPOSSIBLE, KNOWN

QUALITY = Quality(
    name="Open Drone ID (Remote ID), as captured",
    standard="ASTM F3411-22a and ASD-STAN prEN 4709-002, over Wi-Fi beacon and NAN, Bluetooth 4 legacy and 5 "
    "extended advertising; pcap, pcapng and btsnoop captures",
    schemes=("odid+udp", "odid+pcap", "sim"),
    tested=(
        "a recorded flight of a Parrot ANAFI among bystanders (1,140 beacons)",
        "recordings of a Bluetooth sniffer (30 of 274 frames damaged), and of Wi-Fi beacon and NAN",
        "a recording of packs of nine messages, the most there can be",
        "tshark, on the simulator's captures",
    ),
    encoder="all messages, packs and carriages; the simulator speaks it",
    fuzzer="fuzz_opendroneid.py",
    bench="odid",
    uncovered=(
        "signatures of authentication messages are not verified: every claim counts as not authenticated",
        "French and Chinese national formats, and network Remote ID",
        "Bluetooth periodic advertising (extended advertising itself is read)",
        "no recording of Bluetooth 4 legacy advertising from a real drone was to be had",
    ),
)

PLANE_95 = 2.4477
"""Radius that holds 95 % of a circular normal distribution, in sigmas."""
LINE_95 = 1.96

EARLY_S, LATE_S = -3.0, 1.0
"""Where a message's own time may lie relative to its reception."""
OPERATOR_AGAIN_S = 10.0
LATEST_TIME_S = float(1 << 33)
MAX_OPERATORS_WAITING = 1000
_SIGMAS_KEPT = 4096

BELIEFS: dict[int, dict[ObjectClass, float]] = {
    UaType.AEROPLANE: {"fixed-wing": 0.6, "fpv": 0.05, "multirotor": 0.1, "aircraft": 0.05, "unknown": 0.2},
    UaType.HELICOPTER_OR_MULTIROTOR: {"multirotor": 0.6, "fpv": 0.15, "fixed-wing": 0.05, "unknown": 0.2},
    UaType.HYBRID_LIFT: {"fixed-wing": 0.4, "multirotor": 0.4, "unknown": 0.2},
    UaType.GLIDER: {"fixed-wing": 0.6, "unknown": 0.4},
}
"""Weak evidence of what it is: the type is self-declared, and anyone may declare anything."""

_BASIC, _LOCATION, _SYSTEM = int(MessageType.BASIC_ID), int(MessageType.LOCATION), int(MessageType.SYSTEM)
_KIND_NAMES = {int(kind): kind.name.lower().replace("_", "-") for kind in MessageType}
_CRC_GOOD = Integrity(crc_ok=True)
# Tables instead of np.sin: the same bits on every machine.
_SIN = np.array([round(math.sin(math.radians(d)), 15) for d in range(361)])
_COS = np.array([round(math.cos(math.radians(d)), 15) for d in range(361)])


class RemoteIdAdapter:
    """Remote ID of one receiver.

    ``counts`` says what became of every frame and message: ``frames``, ``odid-frames`` (and by
    transport, ``odid-frames:ble4``), ``not-remote-id``, ``bad-crc``, ``malformed:<reason>``,
    ``no-time``, ``time-backwards``; ``messages:<kind>``, ``empty-id``, ``claim-changed``,
    ``repeated``, ``frozen``, ``unknown-position``, ``clock-off`` (time stamp far from the reception);
    ``emitters-dropped``, ``emitters-forgotten``, ``operators-dropped``, ``flooded``.

    ``most_per_s``: bound of a live receiver on LOCATION messages a second, shared out by
    `vedette.sense.transmitters.Quota`; without it, as for a recording, there is none.
    """

    def __init__(
        self,
        sensor: str,
        *,
        max_emitters: int = 10_000,
        forget_after_s: float = 300.0,
        most_per_s: int | None = None,
    ) -> None:
        self.sensor = sensor
        self.counts: dict[str, int] = {}
        self._transmitters = Transmitters(max_emitters, forget_after_s, self._count)
        self._quota = Quota(most_per_s)
        self._operators: deque[OperatorPosition] = deque()
        self._sigmas: dict[tuple[int, AltitudeDatum | None], Sigma | None] = {}
        self._latest = -math.inf

    def detections(self, batch: FrameBatch) -> list[Detection]:
        """The detections of a batch, in frame order. Bad frames are counted, and never raise."""
        frames, rows = kernel.scan(batch)
        self._count_frames(batch, frames)
        rows = self._in_order(batch, rows)
        if not len(rows.frame):
            return []
        return list(self._walk(batch, frames, rows))

    def operator_positions(self) -> list[OperatorPosition]:
        """Where drones say their operators are: what is new since the last call. Desk only."""
        waiting = list(self._operators)
        self._operators.clear()
        return waiting

    def _count(self, key: str, by: int = 1) -> None:
        if by:
            self.counts[key] = self.counts.get(key, 0) + by

    def _count_frames(self, batch: FrameBatch, frames: kernel.Frames) -> None:
        self._count("frames", len(batch))
        tally = np.bincount(frames.reason, minlength=len(carriage.REASONS)).tolist()
        self._count("odid-frames", tally[carriage.REMOTE_ID])
        self._count("not-remote-id", tally[carriage.NOT_REMOTE_ID])
        self._count("bad-crc", tally[carriage.BAD_CRC])
        for number in range(carriage.BAD_CRC + 1, len(carriage.REASONS)):
            self._count(f"malformed:{carriage.REASONS[number]}", tally[number])
        ours = frames.transport[frames.reason == carriage.REMOTE_ID]
        for number, by in enumerate(np.bincount(ours).tolist()):
            self._count(f"odid-frames:{carriage.TRANSPORTS[number]}", by)
        self._count_time(batch.times)

    def _count_time(self, times: npt.NDArray[np.float64]) -> None:
        known = times[_usable(times)]
        self._count("no-time", len(times) - len(known))
        if len(known):
            self._count("time-backwards", int((np.diff(known, prepend=self._latest) < 0).sum()))
            self._latest = float(known[-1])

    def _in_order(self, batch: FrameBatch, rows: kernel.Rows) -> kernel.Rows:
        """The rows we use, identifiers before the operator's place before the location in each frame."""
        for kind, by in enumerate(np.bincount(rows.kind, minlength=1).tolist()):
            name = _KIND_NAMES.get(kind)
            self._count(f"messages:{name}" if name and name != "pack" else "malformed:message-type", by)
        used = (rows.kind == _BASIC) | (rows.kind == _LOCATION) | (rows.kind == _SYSTEM)
        used &= _usable(batch.times)[rows.frame]
        frame, kinds, offset = rows.frame[used], rows.kind[used], rows.offset[used]
        rank = np.where(kinds == _LOCATION, 2, np.where(kinds == _SYSTEM, 1, 0))
        order = np.argsort(frame * 3 + rank, kind="stable")
        return kernel.Rows(frame[order], kinds[order], offset[order])

    def _walk(self, batch: FrameBatch, frames: kernel.Frames, rows: kernel.Rows) -> Iterator[Detection]:
        """The one pass in Python: update the transmitter's state, make a detection of each location."""
        locations = self._location_rows(batch, frames, rows)
        systems = _system_rows(batch, rows)
        addresses = frames.emitter[rows.frame].tolist()
        received = batch.times[rows.frame].tolist()
        last_frame, emitter = -1, None
        for frame, kind, offset, address, at in zip(
            rows.frame.tolist(), rows.kind.tolist(), rows.offset.tolist(), addresses, received, strict=True
        ):
            if frame != last_frame or emitter is None:
                last_frame, emitter = frame, self._transmitters.find(address, at)
            if kind == _LOCATION:
                location = next(locations)
                if not self._quota.admits(emitter, at):
                    self._count("flooded")
                    continue
                detection = self._detection(emitter, location)
                if detection is not None:
                    yield detection
            elif kind == _BASIC:
                self._basic(emitter, batch.data[offset : offset + 25])
            else:
                self._system(emitter, next(systems), at)

    def _basic(self, emitter: Transmitter, raw: bytes) -> None:
        kind = raw[1] >> 4
        if emitter.basics.get(kind) == raw:
            return
        try:
            message = decode_single(raw)
        except DecodeError as error:
            self._count(f"malformed:{error.reason}")
            return
        assert isinstance(message, BasicId)
        if not message.uas_id:
            self._count("empty-id")
            return
        if emitter.ids.get(kind, message.uas_id) != message.uas_id:
            self._count("claim-changed")
        emitter.basics[kind] = raw
        emitter.ids[kind] = message.uas_id
        emitter.beliefs = BELIEFS.get(message.ua_type)
        emitter.renew_claim()

    def _system(self, emitter: Transmitter, system: tuple[int, int, int, int], received: float) -> None:
        place, lat_raw, lon_raw, alt_raw = system
        if place == IMPOSSIBLE:
            self._count("malformed:position")
        if place != KNOWN:
            return
        operator = (lat_raw, lon_raw, alt_raw)
        if operator != emitter.operator:
            emitter.operator = operator
            emitter.renew_claim()
        self._report_operator(emitter, operator, received)

    def _report_operator(self, emitter: Transmitter, operator: tuple[int, int, int], received: float) -> None:
        """Queue the operator's place if it is new, or was last told ten seconds ago."""
        name = emitter.claim.id if emitter.claim is not None else emitter.name or "unnamed"
        sent = emitter.operator_sent
        if sent is not None and sent[1] == (name, operator) and abs(received - sent[0]) < OPERATOR_AGAIN_S:
            return
        emitter.operator_sent = (received, (name, operator))
        if len(self._operators) >= MAX_OPERATORS_WAITING:
            self._operators.popleft()
            self._count("operators-dropped")
        alt_m = wire_fields.operator_alt_m(operator[2])
        self._operators.append(
            OperatorPosition(
                time=received,
                sensor=self.sensor,
                id=name,
                lat_deg=operator[0] / 1e7,
                lon_deg=operator[1] / 1e7,
                alt_m=alt_m,
                alt_datum=None if alt_m is None else "wgs84-ellipsoid",
            )
        )

    def _location_rows(
        self, batch: FrameBatch, frames: kernel.Frames, rows: kernel.Rows
    ) -> Iterator[tuple[Any, ...]]:
        """LOCATION messages in order, as tuples of what `_detection` reads."""
        chosen = rows.kind == _LOCATION
        frame = rows.frame[chosen]
        where = wire_fields.locations(batch, rows.offset[chosen])
        received = batch.times[frame]
        own, timely = _own_time(where.timestamp_tenths, received)
        self._count("clock-off", int(((where.timestamp_tenths >= 0) & ~timely).sum()))
        moving = ~np.isnan(where.speed_mps) & ~np.isnan(where.vertical_speed_mps)
        moving &= (where.direction >= 0) | (where.speed_mps == 0.0)
        # Adding zero turns -0.0 into 0.0.
        east = where.speed_mps * _SIN[where.direction] + 0.0
        north = where.speed_mps * _COS[where.direction] + 0.0
        columns = (
            where.place, where.lat_raw, where.lon_raw, where.timestamp_tenths, timely,
            where.lat_deg, where.lon_deg,
            where.alt_geodetic_m, where.height_m, where.alt_barometric_m, where.height_agl,
            moving, east, north, where.vertical_speed_mps,
            where.accuracy, own, received,
            frames.rssi_dbm[frame], frames.frequency_mhz[frame], frames.transport[frame], frames.crc[frame],
        )  # fmt: skip
        return zip(*(column.tolist() for column in columns), strict=True)

    def _detection(self, emitter: Transmitter, row: tuple[Any, ...]) -> Detection | None:
        (
            place, lat_raw, lon_raw, tenths, timely, lat_deg, lon_deg, geodetic, height, barometric, agl,
            moving, east, north, up, accuracy, time, received, rssi, frequency, transport, crc,
        ) = row  # fmt: skip
        if place == IMPOSSIBLE:
            self._count("malformed:position")
            return None
        novelty = emitter.novelty((lat_raw, lon_raw, tenths), timely, received)
        if novelty == REPEATED:
            self._count("repeated")
            return None
        measure: Position | Presence
        if place == KNOWN and novelty == NEW:
            alt_m, datum = _altitude(geodetic, height, barometric, agl)
            sigma = self._sigma(accuracy, datum)
            velocity = (east, north, up) if moving else None
            measure = Position(
                lat_deg=lat_deg, lon_deg=lon_deg, alt_m=alt_m, alt_datum=datum, velocity_mps=velocity
            )
        else:
            self._count("frozen" if place == KNOWN else "unknown-position")
            measure, sigma = Presence(), None
        return Detection(
            time=time,
            sensor=self.sensor,
            measure=measure,
            received=received,
            sigma=sigma,
            claim=emitter.claim,
            beliefs=emitter.beliefs,
            signal=Signal(
                rssi_dbm=rssi if rssi == rssi else None,
                frequency_mhz=frequency if frequency == frequency else None,
                transport=carriage.TRANSPORTS[transport],
                emitter=emitter.name,
            ),
            integrity=_CRC_GOOD if crc == 1 else None,
            extra=emitter.also,
        )

    def _sigma(self, accuracy: int, datum: AltitudeDatum | None) -> Sigma | None:
        """Accuracy codes -> sigmas; computed once for each combination, since few are in use."""
        try:
            return self._sigmas[accuracy, datum]
        except KeyError:
            if len(self._sigmas) >= _SIGMAS_KEPT:
                self._sigmas.clear()
            sigma = self._sigmas[accuracy, datum] = sigma_of(accuracy, datum)
            return sigma


def sigma_of(accuracy: int, datum: AltitudeDatum | None) -> Sigma | None:
    """Accuracy codes (packed as in `fields.Locations`) -> one-sigma figures, None if none is known.

    The vertical code speaks of the geodetic height and the barometric code of the barometric one;
    heights above take-off or ground have no accuracy of their own.
    """
    horizontal = tables.HORIZONTAL_ACCURACY_M[accuracy & 15]
    speed = tables.SPEED_ACCURACY_MPS[accuracy >> 8 & 15]
    vertical = None
    if datum == "wgs84-ellipsoid":
        vertical = tables.VERTICAL_ACCURACY_M[accuracy >> 4 & 15]
    elif datum == "barometric":
        vertical = tables.VERTICAL_ACCURACY_M[accuracy >> 12 & 15]
    if horizontal is None and vertical is None and speed is None:
        return None
    return Sigma(
        horizontal_m=None if horizontal is None else horizontal / PLANE_95,
        vertical_m=None if vertical is None else vertical / LINE_95,
        velocity_mps=None if speed is None else speed / PLANE_95,
    )


def read_capture(path: str | Path, adapter: RemoteIdAdapter) -> Iterator[list[Detection]]:
    """The detections of a capture file, batch by batch in constant memory.

    What was wrong with the file is added to the adapter's counts as ``capture:<what>``. Raises
    InputError if the file is no capture.
    """
    reader = CaptureReader(path)
    try:
        for batch in reader.batches():
            yield adapter.detections(batch)
    except CaptureError as error:
        raise InputError(str(error)) from error
    for key, number in reader.counts.items():
        adapter.counts[f"capture:{key}"] = adapter.counts.get(f"capture:{key}", 0) + number


def _usable(times: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Frame times that can be one: a NaN compares false, and absurd ones would poison the clock."""
    return (times > 0.0) & (times < LATEST_TIME_S)


def _own_time(
    tenths: npt.NDArray[np.int64], received: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Tenths since the hour -> Unix seconds in the hour that lies nearest to the reception.

    Returns the times (the reception's where the message's own is unknown or out of bounds), and
    whether each is the message's own.
    """
    stated = np.floor(received / 3600.0) * 3600.0 + tenths / 10.0
    lag = stated - received
    stated = stated - 3600.0 * (lag > 1800.0) + 3600.0 * (lag < -1800.0)
    lag = stated - received
    timely = (tenths >= 0) & (lag >= EARLY_S) & (lag <= LATE_S)
    return np.where(timely, np.minimum(stated, received), received), timely


def _altitude(
    geodetic: float, height: float, barometric: float, agl: int
) -> tuple[float | None, AltitudeDatum | None]:
    """The best height that is known (NaN = unknown), with its datum."""
    if geodetic == geodetic:
        return geodetic, "wgs84-ellipsoid"
    if height == height:
        return height, "agl" if agl else "takeoff"
    if barometric == barometric:
        return barometric, "barometric"
    return None, None


def _system_rows(batch: FrameBatch, rows: kernel.Rows) -> Iterator[tuple[int, int, int, int]]:
    columns = wire_fields.systems(batch, rows.offset[rows.kind == _SYSTEM])
    return zip(*(column.tolist() for column in columns), strict=True)


def warm() -> None:
    """Compile or load every kernel, so that the first live frame does not wait for it."""
    from vedette.wire import ieee80211
    from vedette.wire.capture import kernels
    from vedette.wire.opendroneid import Location, System, pack

    kernels.warm()
    payload = pack([BasicId(uas_id="WARM", id_type=1, ua_type=0), System(), Location()])
    frame = ieee80211.encode_beacon(bytes(6), payload)
    RemoteIdAdapter("warm").detections(FrameBatch.single(1.0, ieee80211.LINK_RADIOTAP, frame))
