"""A body that was out of sight for long and comes out again keeps its name.

What is known of where it is has by then grown so vague that the first plots of its return fit a new body as
well, or better: a moment-matched filter cannot keep both stories. So the new track is founded, and once a
second it is asked of each firm track whether it is one that was lost: as likely as the lost one foretold a
body there, against one that came from nowhere.
"""

import math

import numpy as np
from msgspec import structs

from vedette.fuse.keeper import Keeper
from vedette.fuse.kernels.clutter import I64
from vedette.fuse.kernels.kalman import F64
from vedette.fuse.picture import ARRAYS, Picture

VAGUE_M = 60.0
"""A lost track's place is known no better than this, one sigma ..."""
VAGUER = 3.0
"""... and so many times worse than that of the one that was found."""
LONG_S = 2.0
"""What was not seen for longer may have become vague."""
LEAST_ODDS = 3.0
VELOCITY_GATE = 13.82
"""Chi-square, 2 degrees of freedom, 0.999 quantile."""
FARTHEST = 60.0
"""Squared Mahalanobis distance from which on no odds are left: exp(-30), whatever the density."""


class Reunion:
    """Gives tracks that were lost and found again their old names back."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper, self._settings = keeper, keeper.settings

    def second(self, picture: Picture, now: int) -> None:
        """Join the tracks that were found with those that were lost."""
        n = picture.count
        named, confirmed = picture.named[:n], picture.confirmed[:n]
        candidates = np.flatnonzero(confirmed & ~named & picture.independent[:n])
        if len(candidates) < 2 or not self._any_astray(picture, candidates, float(now)):
            return
        x, p, _ = self._keeper.predicted(picture, float(now))
        spread = np.sqrt(0.5 * (p[:, 0, 0] + p[:, 1, 1]))
        lost = candidates[spread[candidates] > VAGUE_M].tolist()
        gone = np.zeros(n, np.bool_)
        for slot in lost:
            found = _within_reach(picture, slot, candidates[~gone[candidates]], x, p, spread)
            odds = [(self._odds(picture, slot, other, x, p, spread), -other) for other in found]
            best = max(odds, default=(0.0, 0))
            if best[0] > LEAST_ODDS:
                self._join(picture, slot, -best[1])
                gone[-best[1]] = True
        picture.remove(gone)

    def _any_astray(self, picture: Picture, slots: I64, now: float) -> bool:
        """Whether any of these may be vague by ``now``; mostly none is, and there is nothing to foretell."""
        p = picture.p[slots]
        spread = np.sqrt(0.5 * (p[:, 0, 0] + p[:, 1, 1]))
        return bool(((spread > 0.5 * VAGUE_M) | (now - picture.time[slots] > LONG_S)).any())

    def _odds(self, picture: Picture, lost: int, found: int, x: F64, p: F64, spread: F64) -> float:
        """How much likelier it is that ``found`` is the body that was ``lost`` than that it is a new one."""
        later = picture.heard[lost] < picture.heard[found]
        newer = picture.dossiers[lost].founded < picture.dossiers[found].founded
        if not (later and newer and spread[lost] > VAGUER * spread[found]):
            return 0.0
        d2, area = _distance(x[found] - x[lost], p[found] + p[lost], 0)
        if _distance(x[found] - x[lost], p[found] + p[lost], 3)[0] > VELOCITY_GATE:
            return 0.0
        density = math.exp(-0.5 * d2) / (2.0 * math.pi * math.sqrt(area))
        return float(picture.existence[lost]) * density / self._settings.first_density_per_m2

    def _join(self, picture: Picture, lost: int, found: int) -> None:
        """The state of the found track under the name of the lost one."""
        for name in ARRAYS:
            array = getattr(picture, name)
            array[lost] = array[found]
        old, new = picture.dossiers[lost], picture.dossiers[found]
        words = tuple(sorted({**dict(old.beliefs), **dict(new.beliefs)}.items()))
        seen = picture.sightings[found].joined(picture.sightings[lost])
        picture.revise(lost, structs.replace(old, beliefs=words, near=None), seen)
        self._keeper.touched[old.id] = None
        picture.tally("found-again")


def _within_reach(picture: Picture, lost: int, others: I64, x: F64, p: F64, spread: F64) -> list[int]:
    """Those of the others that may be the lost body at all: of thousands in the air, a handful."""
    e, n = x[others, 0] - x[lost, 0], x[others, 1] - x[lost, 1]
    ee, nn = p[others, 0, 0] + p[lost, 0, 0], p[others, 1, 1] + p[lost, 1, 1]
    en = p[others, 0, 1] + p[lost, 0, 1]
    d2 = (nn * e * e - 2.0 * en * e * n + ee * n * n) / np.maximum(ee * nn - en * en, 1e-12)
    later = (picture.heard[others] > picture.heard[lost]) & (spread[lost] > VAGUER * spread[others])
    return others[later & (d2 < FARTHEST) & (others != lost)].tolist()  # type: ignore[no-any-return]


def _distance(off: F64, p: F64, i: int) -> tuple[float, float]:
    """Squared Mahalanobis distance of two rows from ``i`` on, and the determinant of their covariance."""
    e, n = float(off[i]), float(off[i + 1])
    ee, nn, en = float(p[i, i]), float(p[i + 1, i + 1]), float(p[i, i + 1])
    area = max(ee * nn - en * en, 1e-12)
    return (nn * e * e - 2.0 * en * e * n + ee * n * n) / area, area
