"""Where the bodies of a case really were: `truth.jsonl`, which the system under test never reads."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from vedette.evaluate.drive import Case
from vedette.model import Detection, InputError
from vedette.model.lines import LineReader
from vedette.model.track import Vector3

F64 = NDArray[np.float64]
BIRD = "bird"

_LONGEST_STEP_S = 3.0
"""A body that is missing from the truth for longer was gone meanwhile."""
_DIGITS = 6
"""Decimals of a second that tell two times apart: files state no more."""


class TruthLine(Struct, frozen=True):
    """One body at one time, east, north, up of the site in metres."""

    time: float
    id: str
    enu_m: Vector3
    kind: str = ""


class Present(NamedTuple):
    """Bodies at one time: ids, places (n, 3) and velocities (n, 3), m and m/s."""

    ids: tuple[str, ...]
    enu_m: F64
    velocity_mps: F64


class Path3(NamedTuple):
    """The way of one body: times (k,) ascending, places (k, 3)."""

    times: F64
    enu_m: F64

    def at(self, time: float) -> tuple[F64, F64] | None:
        """Place and velocity on the straight line between two samples, or beyond an end by less than
        a second; None while the body is not there."""
        times, last = self.times, len(self.times) - 1
        if last < 1:
            off = abs(time - times[0])
            return (self.enu_m[0], np.zeros(3)) if off < 1.0 else None
        i = min(max(int(np.searchsorted(times, time, side="right")) - 1, 0), last - 1)
        step = float(times[i + 1] - times[i])
        share = (time - float(times[i])) / step
        gone = 0.0 < share < 1.0 and step > _LONGEST_STEP_S
        if gone or not -1.0 < share * step < step + 1.0:
            return None
        leg = self.enu_m[i + 1] - self.enu_m[i]
        velocity = leg / step
        if time == times[i] and i > 0 and times[i] - times[i - 1] <= _LONGEST_STEP_S:
            velocity = (self.enu_m[i + 1] - self.enu_m[i - 1]) / float(times[i + 1] - times[i - 1])
        return self.enu_m[i] + share * leg, velocity


class Truth(NamedTuple):
    """``scored``: times at which a case is scored, and who was there. ``paths``: the way of each body;
    ``kinds``: what each is."""

    scored: Mapping[float, Present]
    paths: Mapping[str, Path3]
    kinds: Mapping[str, str]

    def at(self, time: float) -> Present:
        """Who was where at any time."""
        found = [(name, path.at(time)) for name, path in self.paths.items()]
        there = [(name, state) for name, state in found if state is not None]
        places = np.array([state[0] for _, state in there]).reshape(-1, 3)
        speeds = np.array([state[1] for _, state in there]).reshape(-1, 3)
        return Present(tuple(name for name, _ in there), places, speeds)


def instant(time: float) -> float:
    """A time as it is told apart from others here."""
    return round(time, _DIGITS)


def read_truth(folder: Path, case: Case) -> Truth:
    """The truth of a case, scored at each scan of its first sensor (at the times of the truth where no
    sensor is described). Raises InputError with file and line."""
    source = folder / "truth.jsonl"
    lines = _lines(source)
    if not lines:
        raise InputError(f"{source}: no line; a case is scored against at least one body")
    ways: dict[str, list[tuple[float, Vector3]]] = {}
    for line in lines:
        ways.setdefault(line.id, []).append((line.time, line.enu_m))
    paths = {name: _path(name, way, source) for name, way in ways.items()}
    times = {instant(line.time): None for line in lines} | dict.fromkeys(_scans(case))
    truth = Truth({}, paths, {line.id: line.kind for line in lines})
    by_time: dict[float, list[TruthLine]] = {time: [] for time in sorted(times)}
    for line in lines:
        by_time[instant(line.time)].append(line)
    return truth._replace(scored={time: _present(some, paths) for time, some in by_time.items()})


def _lines(source: Path) -> list[TruthLine]:
    decoder = msgspec.json.Decoder(TruthLine)
    out = []
    try:
        for number, line in enumerate(source.read_bytes().splitlines(), 1):
            if line.strip():
                one = decoder.decode(line)
                if not all(map(math.isfinite, (one.time, *one.enu_m))):
                    raise InputError(f"{source}, line {number}: not all numbers are finite")
                out.append(one)
    except OSError as error:
        raise InputError(f"{source}: cannot be read: {error.strerror}; truth is needed to score") from None
    except msgspec.MsgspecError as error:
        raise InputError(f"{source}, line {number}: {error}") from None
    return out


def _path(name: str, way: list[tuple[float, Vector3]], source: Path) -> Path3:
    ordered = sorted(way)
    times = np.array([time for time, _ in ordered])
    if (np.diff(times) <= 0.0).any():
        raise InputError(f"{source}: {name} stands twice at one time")
    return Path3(times, np.array([place for _, place in ordered], float))


def _scans(case: Case) -> list[float]:
    if not case.sensors:
        return []
    reader = LineReader(Detection, str(case.detections))
    with case.detections.open("rb") as file:
        first = case.sensors[0].id
        return [instant(row.time) for row in reader.read(file) if row.sensor == first]


def _present(lines: list[TruthLine], paths: Mapping[str, Path3]) -> Present:
    states = [paths[line.id].at(line.time) for line in lines]
    speeds = np.array([np.zeros(3) if state is None else state[1] for state in states]).reshape(-1, 3)
    places = np.array([line.enu_m for line in lines], float).reshape(-1, 3)
    return Present(tuple(line.id for line in lines), places, speeds)
