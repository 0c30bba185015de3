"""What a report without a name is worth, when anybody may send as many as he likes.

A nameless report that fits a body is evidence of it only as far as it does not come by chance. In a flood of
invented places every body is hit by chance again and again, and each invention finds others that confirm it.
So the density of reports that were of no known body is learnt for each feed, and a report is weighed against
it: with l the density at which the body foretold a report there, rho reports a second from a body that sends,
and t its silence, the ratio is rho exp(-rho t) l / lambda. A body that nothing but one report speaks for
exists with the probability beta / (beta + lambda), or a little more than what is forgotten at once.
"""

import math

import numpy as np

from vedette.fuse.kernels import crowding
from vedette.fuse.kernels.clutter import AZIMUTHS, CELLS, RANGES
from vedette.fuse.kernels.kalman import F64
from vedette.fuse.picture import OPEN, Picture
from vedette.fuse.plots import Plot
from vedette.fuse.sensing.clutter import Found
from vedette.fuse.settings import FuseSettings

REACH_M = 8000.0
"""Cells are a kilometre deep and 11 degrees wide, and the outermost ring holds all that is farther."""
_KEPT_IN_MIND = 1.2
_LEAST_RATIO = 0.1
"""Less than this no single report says against a body: densities are models."""
_EDGES = REACH_M * np.arange(RANGES + 1) / RANGES
_AREAS: F64 = np.tile(math.pi / AZIMUTHS * (_EDGES[1:] ** 2 - _EDGES[:-1] ** 2), AZIMUTHS)


class Crowding:
    """Weighs nameless reports, and counts those that are of no body, in pictures."""

    def __init__(self, settings: FuseSettings) -> None:
        self._settings = settings

    def density(self, picture: Picture, plot: Plot) -> float:
        """Reports a second and square metre that are of no body, where this one is."""
        settings, found = self._settings, picture.crowding.get(_feed(plot))
        least = settings.least_reports_per_m2s
        if found is None:
            return least
        seconds = settings.report_prior_s + found.looks
        return float(
            crowding.density(
                found.counts,
                _AREAS,
                seconds,
                settings.free_reports,
                settings.clutter_prior_plots,
                least,
                _cell(plot),
            )
        )

    def ratio(self, picture: Picture, plot: Plot, slot: int, foretold: float, most: float) -> float:
        """How much likelier the report is if it is of the track in ``slot``, which foretold one there with
        the density ``foretold`` (a square metre), than if it is of none; at most ``most``, and in a flood no
        more than if it came under another name."""
        rate, silence = self._settings.reports_per_s, max(plot.time - float(picture.heard[slot]), 0.0)
        density = self.density(picture, plot)
        if density <= self._settings.least_reports_per_m2s:
            return most
        ratio = rate * math.exp(-rate * silence) * foretold / density
        return min(max(ratio, _LEAST_RATIO), most, self._settings.stranger_likelihood_ratio)

    def birth(self, picture: Picture, plot: Plot, most: float) -> float:
        """Existence of a body that this report alone speaks for: also in a flood so much that it is kept in
        mind for some seconds, or a drone that sends in it would never be found."""
        least = self._settings.least_reports_per_m2s
        arriving = least * most / (1.0 - most)
        likely = arriving / (arriving + self.density(picture, plot))
        return min(max(likely, _KEPT_IN_MIND * self._settings.drop_existence), most)

    def doubt(self, picture: Picture, plot: Plot, slot: int, existence: float) -> float:
        """Probability that a report that fits the track in ``slot`` is of no body: it may not exist, and no
        body reports itself so often as some are hit in a flood."""
        silence = max(plot.time - float(picture.heard[slot]), 0.0)
        return 1.0 - existence * min(silence * self._settings.most_reports_per_s, 1.0)

    def count(self, picture: Picture, plot: Plot, weight: float) -> None:
        """One more report that is of no known body with the probability ``weight``."""
        found = picture.crowding.get(_feed(plot))
        time, seconds, counts = (plot.time, 0.0, np.zeros(CELLS)) if found is None else found
        memory = self._settings.report_memory_s
        kept = math.exp(-max(plot.time - time, 0.0) / memory)
        out = np.empty(CELLS)
        crowding.faded(counts, kept, _cell(plot), weight, out)
        seconds = memory - (memory - seconds) * kept
        picture.crowding[_feed(plot)] = Found(max(time, plot.time), seconds, out)


def _feed(plot: Plot) -> str:
    """All without a profile count as one: whoever sends there may call himself anything."""
    return plot.sensor.id if plot.sensor.profiled else OPEN


def _cell(plot: Plot) -> int:
    return int(crowding.cell_of(float(plot.z[0]), float(plot.z[1]), REACH_M))
