"""Files through the core: the same events and ticks as at the live station, at file speed.

Detections must stand in order of arrival (``received``, else ``time``); one event a scan, or a 50 ms
batch where a sensor has no scans (DESIGN section 5).
"""

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from vedette.core import Core
from vedette.model import ConfigError, Detection, Event, InputError, SensorProfile, Site, UnitReport
from vedette.model.event import TICK_S, Body, Configure, DetectionBatch, Tick
from vedette.model.lines import LineReader
from vedette.model.strict import decode_json

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


def read_case(folder: Path) -> Case:
    """``site.json``, ``sensors.json`` (if there), ``detections.jsonl`` and ``units.jsonl`` (if there)."""
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; it should hold site.json and detections.jsonl")
    site = decode_json(_text(folder / "site.json"), Site, str(folder / "site.json"))
    sensors: tuple[SensorProfile, ...] = ()
    profile = folder / "sensors.json"
    if profile.exists():
        sensors = decode_json(_text(profile), tuple[SensorProfile, ...], str(profile))
    units = folder / "units.jsonl"
    return Case(site, sensors, folder / "detections.jsonl", units if units.exists() else None, Counter())


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


def _read(path: Path, kind: type[T], unknown: Counter[str]) -> Iterator[T]:
    reader = LineReader(kind, str(path))
    try:
        with path.open("rb") as file:
            lines = _Numbered(file)
            for row in reader.read(lines):
                _check_time(row, f"{path}, line {lines.number}")
                yield row
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    finally:
        unknown.update(reader.unknown)


class _Numbered:
    """Lines that know the number of the one given last."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.number = 0
        self._lines = lines

    def __iter__(self) -> Iterator[bytes]:
        for line in self._lines:
            self.number += 1
            yield line


def _check_time(row: Detection | UnitReport, place: str) -> None:
    """One absurd date would carry the whole case with it."""
    at = _arrived(row) if isinstance(row, Detection) else row.time
    if not 0.0 <= at < LATEST_S:
        raise InputError(f"{place}: the time {at} is not between the years 1970 and 2242")


def _reports(reports: Iterable[UnitReport]) -> Iterator[Arrival]:
    for order, report in enumerate(reports):
        yield Arrival(report.time, -1_000_000_000 + order, report)


def _batches(detections: Iterable[Detection]) -> Iterator[Arrival]:
    batch: list[Detection] = []
    order = 0
    for detection in detections:
        if batch and not _together(batch[0], detection):
            yield _arrival(batch, order)
            batch, order = [], order + 1
        batch.append(detection)
    if batch:
        yield _arrival(batch, order)


def _together(first: Detection, following: Detection) -> bool:
    if first.sensor != following.sensor:
        return False
    if first.scan is not None or following.scan is not None:
        return first.scan == following.scan
    return 0.0 <= _arrived(following) - _arrived(first) < BATCH_S


def _arrived(detection: Detection) -> float:
    return detection.time if detection.received is None else detection.received


def _arrival(batch: list[Detection], order: int) -> Arrival:
    at = max(_arrived(detection) for detection in batch)
    return Arrival(at, order, DetectionBatch(feed=batch[0].sensor, detections=tuple(batch)))


class Driver:
    """Steps a core through arrivals. ``at`` is the station time reached; intents are collected."""

    def __init__(self, case: Case, settings: dict[str, object] | None = None) -> None:
        self.core = Core(Configure(site=case.site, sensors=case.sensors, settings=settings or {}))
        self.at = -math.inf
        self.seq = 0
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
        self.core.step(event)
        return event
