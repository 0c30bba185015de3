"""How many pairs of a track and a unit are assessed a second: `vedette bench assess`."""

import math
import time
from collections.abc import Iterator

import numpy as np

from vedette.assess import Assessor
from vedette.assess import warm as warm_assess
from vedette.geo import LocalFrame
from vedette.model import Frame, Site, Track, UnitReport

_SITE = Site(name="bench", lat_deg=31.5, lon_deg=-110.9, alt_m=1200.0, alt_datum="wgs84-ellipsoid")
_HALF_M = 10_000.0
_HEIGHT_M = 80.0
_WARMING_S = 3
_COVARIANCE = tuple(
    25.0 if place in (0, 6, 11) else 1.0 if place in (15, 18, 20) else 0.0 for place in range(21)
)
_KINDS = ("fpv", "multirotor", "fixed-wing", "bird")
_ATTACKS = 0.05
"""Share of the tracks that fly at a unit; the others fly straight, turn or circle, anywhere."""


class _Timer:
    """Adds up CPU seconds by stage."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._since = time.process_time()

    def done(self, stage: str) -> None:
        """Count the time since the last call to ``stage``."""
        now = time.process_time()
        self.spent[stage] = self.spent.get(stage, 0.0) + now - self._since
        self._since = now


def bench_assess(tracks: int = 200, units: int = 500, seconds: int = 60) -> dict[str, object]:
    """Whole assessments, once a second, of ``tracks`` over a square of 20 km on which ``units`` stand.
    Returns ``pairs_per_cpu_s``, which pays for everything from the tracks to the threats in words; how much
    of it is the kernel; and which share of the pairs was told of."""
    warm_assess()
    assessor = Assessor(_SITE)
    rng = np.random.default_rng(1)
    places = rng.uniform(-_HALF_M, _HALF_M, (units, 2))
    for report in _reports(places):
        assessor.unit(report, 0.0)
    timer, told = _Timer(), 0
    for at, frame in enumerate(_frames(rng, places, tracks, seconds + _WARMING_S)):
        if at == _WARMING_S:
            timer = _Timer()
            assessor.on_stage = timer.done
            told = 0
        timer.done("frames")
        told += len(assessor.assess(frame, float(at)))
        timer.done("words")
    spent = sum(cpu for stage, cpu in timer.spent.items() if stage != "frames")
    pairs = tracks * units * seconds
    return {
        "pairs_per_cpu_s": round(pairs / spent),
        "kernel_share": round(timer.spent["kernel"] / spent, 3),
        "kernel_pairs_per_cpu_s": round(pairs / timer.spent["kernel"]),
        "told_share": round(told / pairs, 4),
        "tracks": tracks,
        "units": units,
        "seconds": seconds,
    }


def _reports(places: np.ndarray) -> Iterator[UnitReport]:
    to_geodetic = LocalFrame(_SITE.lat_deg, _SITE.lon_deg, _SITE.alt_m).to_geodetic
    for number, (east, north) in enumerate(places.tolist()):
        lat, lon, alt = to_geodetic(east, north, 0.0)
        yield UnitReport(
            time=0.0, unit=f"u{number:04d}", lat_deg=lat, lon_deg=lon, alt_m=alt, alt_datum="wgs84-ellipsoid",
            sigma_m=5.0, mobility="post",
        )  # fmt: skip


def _frames(rng: np.random.Generator, places: np.ndarray, tracks: int, seconds: int) -> Iterator[Frame]:
    spot = rng.uniform(-_HALF_M, _HALF_M, (tracks, 2))
    course, speed = rng.uniform(0.0, 2.0 * math.pi, tracks), rng.uniform(3.0, 35.0, tracks)
    turn = rng.choice([0.0, 0.0, 0.02, 0.2], tracks)
    attacks = int(_ATTACKS * tracks)
    aims = places[rng.integers(0, len(places), attacks)]
    kinds = rng.integers(0, len(_KINDS), tracks).tolist()
    for second in range(seconds):
        way = aims - spot[:attacks]
        course[:attacks], turn[:attacks] = np.arctan2(way[:, 0], way[:, 1]), 0.0
        course += turn
        velocity = speed[:, None] * np.stack([np.sin(course), np.cos(course)], axis=1)
        spot = spot + velocity
        yield Frame(time=float(second), tracks=tuple(_tracks(spot, velocity, kinds)))


def _tracks(spot: np.ndarray, velocity: np.ndarray, kinds: list[int]) -> Iterator[Track]:
    rows = zip(spot.tolist(), velocity.tolist(), kinds, strict=True)
    for number, ((east, north), (ve, vn), kind) in enumerate(rows):
        yield Track(
            id=f"T{number:04d}",
            enu_m=(east, north, _HEIGHT_M),
            velocity_mps=(ve, vn, 0.0),
            covariance=_COVARIANCE,
            existence=0.99,
            beliefs={_KINDS[kind]: 0.6, "unknown": 0.4},  # type: ignore[dict-item]
        )
