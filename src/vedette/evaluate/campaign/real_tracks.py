"""Flights that were really flown, read from a folder of recorded tracks.

What is understood: ``fixedwing_uav/*.csv`` (a small drone's own GPS, once a second), ``fpv_uzh/*davis*.txt``
(FPV racing in a hall) and ``adsb_lowlevel/*.json.gz`` (helicopters, gliders and survey aircraft near the
ground). Heights are kept in shape and lifted over the ground, for how high they were over it is not known.
"""

import csv
import gzip
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vedette.geo import LocalFrame
from vedette.model import InputError
from vedette.model.track import Vector3
from vedette.simulate.kinds import Kind

LASTS_S = 240.0
STEP_S = 1.0
LEAST_S = 25.0
FAR_M = 500.0
"""A flight that gets so far from where it began can be turned into one that comes from afar."""
MOST_GAP_S = 12.0
MOST_MPS = 120.0
FOOT_M = 0.3048


class Flight(NamedTuple):
    """``times_s`` from 0 on, ascending; ``enu_m`` about its own first place. ``lift_m``: the height over the
    ground at which its lowest place is put. ``first_far``: the first index `FAR_M` from the start."""

    name: str
    behaviour: str
    kind: Kind
    times_s: list[float]
    enu_m: list[Vector3]
    lift_m: float
    first_far: int

    @property
    def approaches(self) -> bool:
        """True if it covers enough ground to come from afar; manned aircraft attack nobody."""
        return self.kind not in ("aircraft", "helicopter") and self.first_far < len(self.times_s) - 1


def flights(folder: Path) -> tuple[Flight, ...]:
    """All flights of a folder, in the order of their names. Raises InputError if there is none."""
    found = [
        *_each(folder / "fixedwing_uav", "*.csv", _small_drone),
        *_each(folder / "fpv_uzh", "*davis*.txt", _racer),
        *_each(folder / "adsb_lowlevel", "*.json.gz", _manned),
    ]
    if not found:
        raise InputError(
            f"{folder}: no recorded flight in it; expected fixedwing_uav/*.csv, fpv_uzh/*davis*.txt or "
            "adsb_lowlevel/*.json.gz"
        )
    return tuple(found)


Reader = Any


def _each(folder: Path, pattern: str, reader: Reader) -> Iterator[Flight]:
    for path in sorted(folder.glob(pattern)):
        try:
            yield from reader(path)
        except (ValueError, KeyError, OSError) as error:
            raise InputError(f"{path}: not the recorded track that its place says: {error}") from None


def _small_drone(path: Path) -> Iterator[Flight]:
    """Pieces of one long flight."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [
            (
                float(row["timestamp"]),
                float(row["latitude"]),
                float(row["longitude"]),
                float(row["altitude (m)"]),
            )
            for row in csv.DictReader(file)
        ]
    for number, piece in enumerate(_pieces(rows)):
        if _span_m(piece) > FAR_M:
            yield _flight(f"{path.stem}-{number}", "real-small-drone", "fixed-wing", piece, 40.0)


def _racer(path: Path) -> Iterator[Flight]:
    """A race in a hall some 20 m long."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [
            (float(row["timestamp"]), (float(row["tx"]), float(row["ty"]), float(row["tz"])))
            for row in csv.DictReader(file, skipinitialspace=True)
        ]
    if rows[-1][0] - rows[0][0] >= LEAST_S:
        piece = [(time - rows[0][0], place) for time, place in rows]
        yield _flight(path.stem, "real-fpv-race", "fpv", piece, 3.0)


def _manned(path: Path) -> Iterator[Flight]:
    """The piece of each aircraft in which it was slowest: where it circled or worked."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        reports: list[dict[str, Any]] = json.load(file)
    by_aircraft: dict[str, list[tuple[float, float, float, float]]] = {}
    for one in reports:
        height = one.get("geoaltitude") or one.get("altitude")
        if height is None or one.get("latitude") is None or one.get("onground"):
            continue
        row = (one["timestamp"] / 1000.0, one["latitude"], one["longitude"], height * FOOT_M)
        by_aircraft.setdefault(one["icao24"], []).append(row)
    kind: Kind = "helicopter" if path.name.startswith("ambulances") else "aircraft"
    for name, rows in sorted(by_aircraft.items())[:2]:
        pieces = sorted(_pieces(sorted(rows)), key=_span_m)
        if pieces:
            behaviour = f"real-{path.name.split('_')[0].rstrip('s')}"
            yield _flight(f"{path.name.removesuffix('.json.gz')}-{name}", behaviour, kind, pieces[0], 100.0)


Row = tuple[float, Vector3]


def _pieces(rows: Sequence[tuple[float, float, float, float]]) -> list[list[Row]]:
    """Runs of `LASTS_S` without a gap or a jump, each about its own first place."""
    pieces: list[list[Row]] = []
    piece: list[Row] = []
    frame: LocalFrame | None = None
    begun = 0.0
    for time, lat_deg, lon_deg, height in rows:
        if frame is None or not piece or _broken(piece[-1], begun, time) or time - begun > LASTS_S:
            if len(piece) > 1 and piece[-1][0] >= 0.9 * LASTS_S:
                pieces.append(piece)
            frame, begun, piece = LocalFrame(lat_deg, lon_deg, height), time, []
        place = frame.to_enu(lat_deg, lon_deg, height)
        if piece and (time - begun - piece[-1][0] < 0.5 * STEP_S or _jumps(piece[-1], time - begun, place)):
            continue
        piece.append((time - begun, place))
    return pieces


def _broken(last: Row, begun: float, time: float) -> bool:
    return not 0.0 <= time - begun - last[0] <= MOST_GAP_S


def _jumps(last: Row, time: float, place: Vector3) -> bool:
    return math.dist(last[1], place) > MOST_MPS * (time - last[0])


def _span_m(piece: Sequence[Row]) -> float:
    return max(math.hypot(place[0], place[1]) for _, place in piece)


def _flight(name: str, behaviour: str, kind: Kind, piece: Sequence[Row], lift_m: float) -> Flight:
    far = next(
        (i for i, (_, place) in enumerate(piece) if math.hypot(place[0], place[1]) >= FAR_M), len(piece)
    )
    return Flight(
        name=name,
        behaviour=behaviour,
        kind=kind,
        times_s=[time for time, _ in piece],
        enu_m=[place for _, place in piece],
        lift_m=lift_m,
        first_far=far,
    )
