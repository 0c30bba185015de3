"""What a sensor sees that is not there: Poisson in its own coordinates, and spots that keep coming."""

import numpy as np
from msgspec import Struct
from numpy.random import Generator
from numpy.typing import NDArray

from vedette.simulate.sensing.catalogue import Acoustic, Camera, Finder, Radar
from vedette.simulate.sensing.looking import Looker, Looking, Seen
from vedette.simulate.sensing.plan import HotSpot
from vedette.simulate.sensing.station import Post
from vedette.simulate.streams import stream

F64 = NDArray[np.float64]
Limits = tuple[float, float]

RADAR_ELEVATION_DEG = (-2.0, 12.0)
"""Where a radar's false plots lie, as far as its beam reaches: the ground, and what moves near it."""
RADAR_RATE_MPS = 25.0
SOUND_ELEVATION_DEG = (0.0, 30.0)


class Region(Struct, frozen=True):
    """Over what false plots are spread evenly; None = not measured."""

    range_m: Limits | None
    azimuth_deg: Limits
    elevation_deg: Limits | None
    rate_mps: Limits | None


def region_of(model: Looking, facing_deg: float) -> Region:
    """Where a model's false plots lie; azimuths from the left of its sector, and beyond 360 through north."""
    width = model.azimuth_width_deg if isinstance(model, Radar | Camera) else 360.0
    left = 0.0 if width == 360.0 else (facing_deg - width / 2.0) % 360.0
    sector = (left, left + width)
    if isinstance(model, Finder):
        return Region(None, sector, None, None)
    if isinstance(model, Acoustic):
        return Region(None, sector, SOUND_ELEVATION_DEG, None)
    if isinstance(model, Camera):
        return Region(None, sector, (model.elevation_from_deg, model.elevation_to_deg), None)
    beam = (
        max(model.elevation_from_deg, RADAR_ELEVATION_DEG[0]),
        min(model.elevation_to_deg, RADAR_ELEVATION_DEG[1]),
    )
    fastest = min(RADAR_RATE_MPS, model.most_rate_mps)
    return Region(
        (model.least_range_m, model.most_range_m),
        sector,
        beam if model.raised else None,
        (-fastest, fastest) if model.sigma_rate_mps is not None else None,
    )


class Clutter:
    """The false plots of one sensor; its luck is its own."""

    def __init__(self, looker: Looker, post: Post, seed: int) -> None:
        self._looker = looker
        self._region = region_of(looker.model, post.plan.facing_deg)
        self._chance = stream(seed, "clutter", post.id)
        self._spots = [
            (spot, stream(seed, "hot-spot", post.id, str(number)))
            for number, spot in enumerate(post.plan.faults.hot_spots)
        ]

    def seen(self, scans: NDArray[np.int64], starts_s: F64) -> list[Seen]:
        """False plots of the scans that begin at ``starts_s``."""
        spots = [self._spot(spot, chance, scans, starts_s) for spot, chance in self._spots]
        return [self._spread(scans, starts_s), *spots]

    def _spread(self, scans: NDArray[np.int64], starts_s: F64) -> Seen:
        number = self._chance.poisson(self._looker.model.clutter_per_scan, len(scans))
        rows = np.repeat(np.arange(len(scans)), number)
        count, region = len(rows), self._region
        return self._plots(
            scans[rows],
            starts_s[rows],
            _uniform(self._chance, region.range_m, count),
            _uniform(self._chance, region.azimuth_deg, count) % 360.0,
            _uniform(self._chance, region.elevation_deg, count),
            _uniform(self._chance, region.rate_mps, count),
        )

    def _spot(self, spot: HotSpot, chance: Generator, scans: NDArray[np.int64], starts_s: F64) -> Seen:
        luck, wrong = chance.random(len(scans)), chance.standard_normal((len(scans), 4))
        rows = np.flatnonzero(luck < spot.share)
        off, region = wrong[rows] * spot.spread_m, self._region
        nothing = np.full(len(rows), np.nan)
        range_m = np.maximum(spot.range_m + off[:, 0], 1.0)
        turn = np.degrees(off[:, 1:3] / spot.range_m)
        return self._plots(
            scans[rows],
            starts_s[rows],
            range_m if region.range_m else nothing,
            (spot.azimuth_deg + turn[:, 0]) % 360.0,
            np.clip(spot.elevation_deg + turn[:, 1], -90.0, 90.0) if region.elevation_deg else nothing,
            2.0 * wrong[rows, 3] if region.rate_mps else nothing,
        )

    def _plots(
        self, scan: NDArray[np.int64], start_s: F64, range_m: F64, azimuth: F64, elevation: F64, rate: F64
    ) -> Seen:
        passing = self._looker.passing_s(azimuth) if self._looker.turns else 0.0
        return Seen(
            scan,
            start_s + passing,
            range_m,
            azimuth,
            elevation,
            rate,
            np.full(len(scan), self._looker.model.sigma_azimuth_deg),
            np.full(len(scan), -1),
            np.full(len(scan), 0.5),
        )


def _uniform(chance: Generator, limits: Limits | None, count: int) -> F64:
    """Always draws, so that what is not measured shifts nothing."""
    drawn = chance.random(count)
    return np.full(count, np.nan) if limits is None else limits[0] + (limits[1] - limits[0]) * drawn
