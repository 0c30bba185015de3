"""One step of the canonical order: what a group of plots, or the turn of a second, does to a picture.

A *group* is the plots of one sensor at one time. Reports (Remote ID and the like) are taken one by one;
the plots of a searching sensor are assigned to tracks together, each to at most one.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import structs

from vedette.fuse import evidence, kernels
from vedette.fuse.look import Looker
from vedette.fuse.picture import MODELS, Dossier, Picture
from vedette.fuse.plots import Plot
from vedette.fuse.report import Reporter

_MERGE_SPREAD_M2 = 100.0**2


class Fuser(Looker, Reporter):
    """Applies steps to pictures."""

    def group(self, picture: Picture, plots: Sequence[Plot]) -> None:
        """Fuse the plots of one sensor at one time, in canonical order."""
        looks = [plot for plot in plots if plot.sensor.searching or plot.bearing]
        if looks:
            self.look(picture, looks)
        for plot in plots:
            if not (plot.sensor.searching or plot.bearing):
                self.report(picture, plot)

    def second(self, picture: Picture, now: int) -> None:
        """The turn of a whole second: drop what has faded, join what is one body."""
        fading = [
            self.existence(picture, slot, now) < self._least(picture, slot) for slot in range(picture.count)
        ]
        picture.remove(np.array(fading, np.bool_))
        if picture.count > 1:
            self._merge(picture, float(now))

    def _least(self, picture: Picture, slot: int) -> float:
        seen = picture.independent[slot] and picture.dossiers[slot].identity is None
        return self.settings.prune_existence if seen else self.settings.drop_existence

    def _merge(self, picture: Picture, now: float) -> None:
        partners = self._partners(picture, now)
        gone = np.zeros(picture.count, np.bool_)
        for slot in range(picture.count):
            dossier, partner = picture.dossiers[slot], partners.get(slot)
            if partner is None:
                if dossier.near is not None:
                    picture.revise(slot, structs.replace(dossier, near=None))
                continue
            other = picture.dossiers[partner].id
            seconds = dossier.near[1] + 1 if dossier.near and dossier.near[0] == other else 1
            picture.revise(slot, structs.replace(dossier, near=(other, seconds)))
            if seconds >= self.settings.merge_seconds and not gone[partner]:
                picture.existence[partner] = max(picture.existence[partner], picture.existence[slot])
                picture.confirmed[partner] |= picture.confirmed[slot]
                self._inherit(picture, partner, picture.dossiers[slot])
                gone[slot] = True
                picture.tally("merged-tracks")
        picture.remove(gone)

    def _inherit(self, picture: Picture, slot: int, other: Dossier) -> None:
        """A height that the other track had measured must not give way to one that was only broadcast."""
        heir = picture.dossiers[slot]
        if other.measured > heir.measured:
            for model in range(MODELS):
                kernels.pin_height(picture.xm[slot, model], picture.pm[slot, model], self.motion)
            kernels.pin_height(picture.x[slot], picture.p[slot], self.motion)
            picture.known[slot] = False
        picture.revise(slot, evidence.inherited(heir, other))

    def _partners(self, picture: Picture, now: float) -> dict[int, int]:
        """For each track that may be the same body as a better founded one: the slot of that one."""
        x, p, _ = self.predicted(picture, now)
        pairs = np.empty((4 * picture.count, 2), np.int64)
        found = kernels.close_pairs(picture.count, x, p, self.settings.merge_distance, pairs)
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
        one, other = picture.dossiers[a], picture.dossiers[b]
        if one.identity is not None and other.identity is not None:
            return False
        times = dict(other.sensors)
        return not any(
            sensor in picture.unseen and sensor in times and abs(time - times[sensor]) < 0.5
            for sensor, time in one.sensors
        )
