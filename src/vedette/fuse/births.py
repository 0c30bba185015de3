"""Tracks that a look founds: of what is of no track that is known."""

import numpy as np
from numpy.typing import NDArray

from vedette.fuse.keeper import Keeper
from vedette.fuse.kernels import polar, sight
from vedette.fuse.kernels.kalman import F64
from vedette.fuse.looks import Rows
from vedette.fuse.picture import Dossier, Picture
from vedette.fuse.rays.hearing import Hearing
from vedette.fuse.scan import News, Scan, frame_of
from vedette.fuse.sensing import hearsay
from vedette.fuse.sightings import NONE

I64 = NDArray[np.int64]


class Births:
    """Founds tracks in pictures; those of directions are ``hearing``'s."""

    def __init__(self, keeper: Keeper, hearing: Hearing) -> None:
        self._keeper, self._hearing, self._settings = keeper, hearing, keeper.settings
        settings = keeper.settings
        self._prior: F64 = np.array([settings.prior_height_m, settings.prior_height_sigma_m])

    def take(
        self, picture: Picture, scan: Scan, rows: Rows, unclaimed: F64, unplaced: F64 | None
    ) -> list[str]:
        """Tracks of plots that are likely enough new bodies; returns their ids. A direction alone founds
        none, but with others it may. ``unplaced``: as in `Hearing.take`."""
        if scan.plots[0].kind == sight.BEARING:
            return self._hearing.take(picture, scan.plots, rows, unclaimed, unplaced)
        new, most = rows.fresh / rows.elsewhere, self._settings.birth_existence_claimed
        claimed = scan.claimed
        if scan.sensor.searching and claimed:
            new[claimed] = np.maximum(new[claimed], most)
        likely = unclaimed * np.minimum(new, most)
        plots = (likely >= self._settings.birth_least_existence).nonzero()[0]
        plots = hearsay.admitted(picture, scan.sensor, plots, likely, self._settings)
        room = self._settings.max_tracks - picture.count
        if scan.plots[0].kind == sight.POLAR and len(plots) <= room:
            dossiers = [self._keeper.first_word(picture, scan.plots[q]) for q in plots.tolist()]
            if len({dossier.id for dossier in dossiers}) == len(dossiers):
                return self._found_all(picture, scan, rows, plots, dossiers, likely[plots])
        born = [self._keeper.birth(picture, scan.plots[q], float(likely[q])) for q in plots.tolist()]
        return [name for name in born if name is not None]

    def _found_all(
        self, picture: Picture, scan: Scan, rows: Rows, plots: I64, dossiers: list[Dossier], likely: F64
    ) -> list[str]:
        """`Keeper.birth` of many polar plots, for which there is room."""
        if not dossiers:
            return []
        keeper, sensor = self._keeper, scan.sensor
        news = News(scan, self._settings)
        sightings = [news.after(NONE, raised) for raised in rows.raised[plots].tolist()]
        slot = picture.found_all(dossiers, sightings, scan.time, likely)
        picture.confirmed[slot : picture.count] = likely > self._settings.confirm_existence
        origin, rotation = frame_of(sensor)
        polar.begin_all(
            slot, plots, rows.z, rows.var, rows.use, origin, rotation, self._prior, keeper.unsure,
            keeper.motion, keeper.first, picture.x, picture.p, picture.known, picture.xm, picture.pm,
            picture.mu,
        )  # fmt: skip
        names = [dossier.id for dossier in dossiers]
        keeper.touched.update(dict.fromkeys(names))
        return names
