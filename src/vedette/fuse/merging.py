"""The turn of a whole second: what has faded is dropped, and what is one body is joined."""

import math

import numpy as np
from msgspec import structs

from vedette.fuse.identity import evidence
from vedette.fuse.keeper import Keeper
from vedette.fuse.kernels import bodily, kalman
from vedette.fuse.kernels.kalman import F64
from vedette.fuse.picture import Picture

_MERGE_SPREAD_M2 = 100.0**2
_SHARPER = 0.25
"""Of two tracks of one body, that whose place has less than this share of the other's variance is the one
that was right: the other one got none of the body's plots."""
_STATE = ("time", "x", "p", "xm", "pm", "mu", "known")


class Merging:
    """Two tracks that stay close to each other for some seconds become one."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper, self._settings = keeper, keeper.settings

    def second(self, picture: Picture, now: int) -> None:
        """Drop what has faded, join what is one body."""
        settings, n = self._settings, picture.count
        if n == 0:
            return
        watched = picture.independent[:n] & ~picture.named[:n]
        least = np.where(watched, settings.prune_existence, settings.drop_existence)
        picture.remove(self._keeper.existences(picture, now) < least)
        if picture.count > 1:
            self._merge(picture, float(now))

    def _merge(self, picture: Picture, now: float) -> None:
        x, p, _ = self._keeper.predicted(picture, now)
        spread = p[:, 0, 0] + p[:, 1, 1] + p[:, 2, 2]
        partners = self._partners(picture, x, p)
        for slot in self._parted(picture, partners):
            picture.revise(slot, structs.replace(picture.dossiers[slot], near=None))
        gone = np.zeros(picture.count, np.bool_)
        for slot, partner in sorted(partners.items()):
            dossier, other = picture.dossiers[slot], picture.dossiers[partner].id
            seconds = dossier.near[1] + 1 if dossier.near and dossier.near[0] == other else 1
            picture.revise(slot, structs.replace(dossier, near=(other, seconds)))
            if seconds >= self._settings.merge_seconds and not gone[partner]:
                picture.existence[partner] = max(picture.existence[partner], picture.existence[slot])
                picture.confirmed[partner] |= picture.confirmed[slot]
                seen = 1.0 if picture.confirmed[slot] else min(picture.existence[slot], bodily.MOST)
                picture.bodily[partner] = max(picture.bodily[partner], seen * picture.bodily[slot])
                # No word moves what a sensor saw, however sharp it says it is.
                told = picture.independent[partner] and not picture.independent[slot]
                sharper = not told and spread[slot] < _SHARPER * spread[partner]
                self._inherit(picture, partner, slot, now, sharper=sharper)
                self._keeper.touched[other] = None
                gone[slot] = True
                picture.tally("merged-tracks")
        picture.remove(gone)

    def _parted(self, picture: Picture, partners: dict[int, int]) -> list[int]:
        """Tracks that were near another one and are no more."""
        return [
            slot
            for slot, dossier in enumerate(picture.dossiers)
            if dossier.near is not None and slot not in partners
        ]

    def _inherit(self, picture: Picture, heir: int, slot: int, now: float, *, sharper: bool) -> None:
        """The heir keeps its name, and is where the other one is if that is ``sharper``. A height that one of
        them had measured must not give way to one that was only broadcast. A name that lied has come to a
        body that was there before it did."""
        own, other = picture.sightings[heir], picture.sightings[slot]
        if sharper:
            for name in _STATE:
                array = getattr(picture, name)
                array[heir] = array[slot]
            picture.heard[heir] = max(picture.heard[heir], picture.heard[slot])
        left, taken = (own, other) if sharper else (other, own)
        if left.measured > taken.measured and not evidence.height_measured(taken, now, self._settings):
            self._keeper.forget_height(picture, heir)
        dossier = picture.dossiers[heir]
        if picture.independent[slot] and picture.founded[slot] <= dossier.left:
            dossier = structs.replace(dossier, left=math.inf)
        picture.revise(heir, dossier, own.joined(other))

    def _partners(self, picture: Picture, x: F64, p: F64) -> dict[int, int]:
        """For each track that may be the same body as a better founded one: that one's slot. ``x``, ``p``:
        all, at this second."""
        pairs = np.empty((4 * picture.count, 2), np.int64)
        found = kalman.close_pairs(picture.count, x, p, self._settings.merge_distance, pairs)
        partners: dict[int, int] = {}
        for a, b in pairs[:found].tolist():
            vague = max(p[a, 0, 0] + p[a, 1, 1], p[b, 0, 0] + p[b, 1, 1]) > _MERGE_SPREAD_M2
            if vague or not self._may_be_one(picture, a, b):
                continue
            loser, winner = (a, b) if picture.dossiers[b].identity is not None else (b, a)
            partners.setdefault(loser, winner)
        return partners

    def _may_be_one(self, picture: Picture, a: int, b: int) -> bool:
        """Two identities, or two plots in one look of a searching sensor, are two bodies."""
        if picture.named[a] and picture.named[b]:
            return False
        times = dict(picture.sightings[b].sensors)
        return not any(
            sensor in picture.unseen and sensor in times and abs(time - times[sensor]) < 0.5
            for sensor, time in picture.sightings[a].sensors
        )
