"""Files through the core: the same events and ticks as at the live station, at file speed.

Detections must stand in order of arrival (``received``, else ``time``); one event a scan, or a 50 ms
batch where a sensor has no scans (DESIGN section 5).
"""

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple, TypeVar

from vedette import terrain
from vedette.assess import Assessor
from vedette.core import Core
from vedette.fuse import Ground, ground_of, no_ground
from vedette.model import ConfigError, Detection, Event, InputError, Intent, SensorProfile, Site, UnitReport
from vedette.model.event import TICK_S, Body, Configure, DetectionBatch, Tick
from vedette.model.lines import LineReader
from vedette.model.strict import decode_json

TERRAIN = "terrain.tif"
T = TypeVar("T", Detection, UnitReport)

BATCH_S = 0.05
MAX_GAP_S = 120.0
"""A longer silence in a file is stepped over: ticks a second apart for as long again, by when everything
has timed out, and then none until the next arrival."""
LATEST_S = float(1 << 33)
"""Times from here on (the year 2242) are damage, not data."""
TICKS_PER_S = round(1 / TICK_S)


class Arrival(NamedTuple):
    """Something that reaches the core at ``at``; ``order`` keeps the order of the file."""

    at: float
    order: int
    body: Body


class Case(NamedTuple):
    """A folder of files: where, with what, and what was seen. ``unknown`` counts unknown keys by path."""

    site: Site
    sensors: tuple[SensorProfile, ...]
    detections: Path
    units: Path | None
    unknown: Counter[str]
    ground: Ground | None = None


def read_case(folder: Path, elevation: Path | None = None, vertical_datum: str | None = None) -> Case:
    """``site.json``, ``sensors.json`` (if there), ``detections.jsonl``, ``units.jsonl`` (if there), and the
    ground of the file ``elevation`` or else of ``terrain.tif`` (if there)."""
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; it should hold site.json and detections.jsonl")
    site = decode_json(_text(folder / "site.json"), Site, str(folder / "site.json"))
    sensors: tuple[SensorProfile, ...] = ()
    profile = folder / "sensors.json"
    if profile.exists():
        sensors = decode_json(_text(profile), tuple[SensorProfile, ...], str(profile))
    units = folder / "units.jsonl"
    if elevation is None and (folder / TERRAIN).exists():
        elevation = folder / TERRAIN
    ground = None
    if elevation is not None:
        tile = terrain.read(elevation, vertical_datum=vertical_datum)
        ground = ground_of(tile, site, sensors)
    known = units if units.exists() else None
    return Case(site, sensors, folder / "detections.jsonl", known, Counter(), ground)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start})") from None


def arrivals(case: Case) -> Iterator[Arrival]:
    """Everything of a case in order of arrival. Raises InputError with file and line."""
    streams: list[Iterator[Arrival]] = [_batches(_read(case.detections, Detection, case.unknown))]
    if case.units is not None:
        streams.append(_reports(_read(case.units, UnitReport, case.unknown)))
    return heapq.merge(*streams, key=lambda arrival: (arrival.at, arrival.order))


def merged(detections: Iterable[Detection], reports: Iterable[UnitReport]) -> Iterator[Arrival]:
    """Detections in order of arrival and reports in order of time, as they would reach a station."""
    streams = (_batches([[one] for one in detections]), _reports([[one] for one in reports]))
    return heapq.merge(*streams, key=lambda arrival: (arrival.at, arrival.order))


def _read(path: Path, kind: type[T], unknown: Counter[str]) -> Iterator[list[T]]:
    """Runs of lines. A row in Python costs as much as its JSON: what is done for each is kept small."""
    reader = LineReader(kind, str(path))
    try:
        with path.open("rb") as file:
            for rows in reader.runs(file):
                times = _arrivals(rows)
                if not (min(times) >= 0.0 and max(times) < LATEST_S):
                    raise InputError(_absurd(times, str(path), reader.number - len(rows) + 1))
                yield rows
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    finally:
        unknown.update(reader.unknown)


def _absurd(times: list[float], path: str, first: int) -> str:
    """One such date would carry the whole case with it. ``first``: number of the first one's line."""
    line, at = next((i, at) for i, at in enumerate(times, first) if not 0.0 <= at < LATEST_S)
    return f"{path}, line {line}: the time {at} is not between the years 1970 and 2242"


def _reports(runs: Iterable[list[UnitReport]]) -> Iterator[Arrival]:
    for order, report in enumerate(chain.from_iterable(runs)):
        yield Arrival(report.time, -1_000_000_000 + order, report)


def _batches(runs: Iterable[list[Detection]]) -> Iterator[Arrival]:
    batch: list[Detection] = []
    order = 0
    sensor, scan = "", None
    for detection in chain.from_iterable(runs):
        # Most follow one of the same scan, which is seen without a call.
        same = scan is not None and detection.scan == scan and detection.sensor == sensor
        if not same and batch and not _together(batch[0], detection):
            yield _arrival(batch, order)
            batch, order = [], order + 1
        if not batch:
            sensor, scan = detection.sensor, detection.scan
        batch.append(detection)
    if batch:
        yield _arrival(batch, order)


def _together(first: Detection, following: Detection) -> bool:
    if first.sensor != following.sensor:
        return False
    if first.scan is not None or following.scan is not None:
        return first.scan == following.scan
    return 0.0 <= _arrived(following) - _arrived(first) < BATCH_S


def _arrived(row: Detection | UnitReport) -> float:
    received = None if isinstance(row, UnitReport) else row.received
    return row.time if received is None else received


def _arrivals(rows: Sequence[T]) -> list[float]:
    """`_arrived` of many of one kind, without a call for each."""
    if isinstance(rows[0], UnitReport):
        return [row.time for row in rows]
    return [row.time if row.received is None else row.received for row in rows]


def _arrival(batch: list[Detection], order: int) -> Arrival:
    at = max(_arrivals(batch))
    return Arrival(at, order, DetectionBatch(feed=batch[0].sensor, detections=tuple(batch)))


class Driver:
    """Steps a core through arrivals. ``at`` is the station time reached, ``intents`` what the core made of
    the last event. ``assessor``: judges in place of the usual one. ``digests``: see `Core`."""

    def __init__(
        self,
        case: Case,
        settings: dict[str, object] | None = None,
        assessor: Assessor | None = None,
        *,
        digests: bool = True,
    ) -> None:
        ground = case.ground
        self.core = Core(
            Configure(
                site=case.site,
                sensors=case.sensors,
                settings=settings or {},
                terrain=None if ground is None else ground.digest,
            ),
            grounds=no_ground if ground is None else lambda digest: ground,
            assessor=assessor,
            digests=digests,
        )
        self.at = -math.inf
        self.seq = 0
        self.intents: list[Intent] = []
        self._tick: int | None = None

    def run(self, coming: Iterable[Arrival]) -> Iterator[Event]:
        """Each event (ticks too) once the core has taken it."""
        for arrival in coming:
            at = max(self.at, arrival.at)
            yield from self._ticks(at)
            yield self._step(arrival.body, at)

    def _ticks(self, at: float) -> Iterator[Event]:
        due = math.floor(at * TICKS_PER_S)
        first = due if self._tick is None else self._tick + 1
        if due - first > MAX_GAP_S * TICKS_PER_S:
            stop = min(due, first + int(2 * MAX_GAP_S) * TICKS_PER_S)
            yield from (self._step(Tick(), n / TICKS_PER_S) for n in range(first, stop, TICKS_PER_S))
            first = due
        for number in range(first, due + 1):
            yield self._step(Tick(), max(number / TICKS_PER_S, self.at))
        self._tick = due if self._tick is None else max(self._tick, due)

    def _step(self, body: Body, at: float) -> Event:
        self.seq += 1
        self.at = at
        event = Event(self.seq, at, body)
        self.intents = self.core.step(event)
        return event
