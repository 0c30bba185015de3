"""One step of the canonical order: what a group of plots, or the turn of a second, does to a picture.

A *group* is the plots of one sensor at one time. Reports (Remote ID and the like) are taken one by one
(`vedette.fuse.reports`); the plots of a searching sensor, and directions, are assigned to tracks together,
each to at most one (`vedette.fuse.look`).
"""

from collections.abc import Sequence

from vedette.fuse.keeper import Keeper
from vedette.fuse.kernels.sight import BEARING
from vedette.fuse.look import Looks
from vedette.fuse.merging import Merging
from vedette.fuse.picture import Picture
from vedette.fuse.plots import Plot
from vedette.fuse.registration.registration import Registrar
from vedette.fuse.reports import Reports
from vedette.fuse.reunion import Reunion
from vedette.fuse.settings import FuseSettings


class Fuser(Keeper):
    """Applies steps to pictures."""

    def __init__(self, settings: FuseSettings) -> None:
        super().__init__(settings)
        self._looks, self._reports, self._merging = Looks(self), Reports(self), Merging(self)
        self._registrar = Registrar(settings)
        self._reunion = Reunion(self)

    def group(self, picture: Picture, plots: Sequence[Plot]) -> None:
        """Fuse the plots of one sensor at one time, in canonical order."""
        searching = plots[0].sensor.searching
        looks = plots if searching else [plot for plot in plots if plot.kind == BEARING]
        if looks:
            self._looks.take(picture, looks)
            self._reports.hear(picture, looks)
        if len(looks) < len(plots):
            for plot in plots:
                if plot.kind != BEARING:
                    self._reports.take(picture, plot)

    def second(self, picture: Picture, now: int) -> None:
        """The turn of a whole second: learn how sensors are set up, drop what has faded, join what is one
        body, know lost ones again."""
        self._registrar.second(picture, now)
        self._merging.second(picture, now)
        self._reunion.second(picture, now)
        self._looks.hearing.second(picture, now)
