"""What one look of a sensor means at a place: how many false plots are to be expected there, how many bodies
that are not known yet, and what of a plot goes to the kernels of `kernels.pmb`."""

import math
from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numba import njit

from vedette.fuse.kernels import sight
from vedette.fuse.kernels.clutter import I64
from vedette.fuse.kernels.kalman import F64, Mask
from vedette.fuse.kernels.pmb import Mask2
from vedette.fuse.picture import Unseen
from vedette.fuse.plots import Accuracy, Plot
from vedette.fuse.sensing.clutter import (
    AZIMUTH,
    BASE,
    ELEVATION,
    PER_M2,
    PER_SCAN,
    RANGE,
    RARE,
    RATE,
    SEES,
    Found,
    Maps,
)
from vedette.fuse.sensing.coverage import plots_in_view
from vedette.fuse.sensing.sensors import Sensor
from vedette.fuse.settings import FuseSettings

_LEAST_VIEW = 0.01
"""New bodies where the ground hides them, as a share: an elevation model may be wrong."""
_ODD = 0.3
_HEIGHTS_M, _SPEEDS_MPS = 500.0, 120.0
"""Extents over which false positions are spread, in height and in each component of velocity."""
_DEG = math.pi / 180.0
_accuracy = attrgetter("accuracy")

# Indices into what is expected of unknown bodies.
DENSITY, HEIGHT, HEIGHT_SIGMA, SPEED_SIGMA = 0, 1, 2, 3


class Rows(NamedTuple):
    """Plots of one kind as arrays (k, ROWS): values, variances, which are given; ``elsewhere`` (k,): density
    of what is no known body, and ``fresh`` (k,): the part of it that is a new one; ``raised`` (k,): which
    measure a height; ``cells`` (k,): where they lie in what is known of the sensor's false plots."""

    z: F64
    var: F64
    use: Mask2
    elsewhere: F64
    fresh: F64
    raised: Mask
    cells: I64

    def false(self, unclaimed: F64) -> F64:
        """Probability (k,) that each plot is of no body, if it is of no known one with ``unclaimed`` (k,)."""
        return unclaimed * (1.0 - self.fresh / self.elsewhere)


def rows_of(
    plots: Sequence[Plot],
    density: float,
    settings: FuseSettings,
    maps: Maps | None = None,
    found: Found | None = None,
) -> Rows:
    """``density``: bodies a square metre that the sensor could see and that are not known yet; ``found``:
    what was learnt of its false plots."""
    kind, sensor = plots[0].kind, plots[0].sensor
    z, (var, use) = _values(plots), _accuracies(plots)
    maps = Maps(settings) if maps is None else maps
    clutter, fresh = densities(kind, z, use, maps.figures(sensor, kind), density, settings)
    cells = maps.cells(sensor, kind, z)
    if found is not None:
        clutter *= maps.multiples(found, sensor, kind, cells)
    if sensor.mask is not None:
        fresh *= np.maximum(plots_in_view(sensor, kind, z, var, use, settings), _LEAST_VIEW)
    raised = np.zeros(len(plots), np.bool_) if kind == sight.BEARING else use[:, 2].copy()
    return Rows(z, var, use, clutter + fresh, fresh, raised, cells)


def _values(plots: Sequence[Plot]) -> F64:
    """`Plot.values` of many."""
    kind, z = plots[0].kind, np.zeros((len(plots), sight.ROWS))
    if kind == sight.PLACE:
        z[:] = [plot.values for plot in plots]
        return z
    measures = [plot.detection.measure for plot in plots]
    first = sight.ANGLE[kind]
    z[:, first] = [measure.azimuth_deg for measure in measures]  # type: ignore[union-attr]
    z[:, first + 1] = [measure.elevation_deg or 0.0 for measure in measures]  # type: ignore[union-attr]
    if kind == sight.POLAR:
        z[:, 0] = [measure.range_m for measure in measures]  # type: ignore[union-attr]
        z[:, 3] = [
            (plot.detection.measure.range_rate_mps or 0.0) if plot.accuracy.use[3] else 0.0  # type: ignore[union-attr]
            for plot in plots
        ]
    _turn_to_radians(z, first)
    return z


def _accuracies(plots: Sequence[Plot]) -> tuple[F64, Mask2]:
    """Variances of the rows, and which of them are given; mostly the same for all plots of a scan."""
    first = plots[0].accuracy
    var, use = np.empty((len(plots), sight.ROWS)), np.empty((len(plots), sight.ROWS), np.bool_)
    accuracies = list(map(_accuracy, plots))
    if accuracies.count(first) == len(plots):
        var[:], use[:] = _arrays(first)
    else:
        var[:], use[:] = [one.var for one in accuracies], [one.use for one in accuracies]
    return var, use


@lru_cache(maxsize=1024)
def _arrays(accuracy: Accuracy) -> tuple[F64, Mask]:
    """Not to be written to; most plots of a sensor share one accuracy for long."""
    return np.array(accuracy.var), np.array(accuracy.use)


def looked(unseen: Unseen | None, sensor: Sensor, time: float, settings: FuseSettings) -> float:
    """Density of unknown bodies at the moment of a look: those left over from the last one, and arrivals."""
    if unseen is None:
        return settings.first_density_per_m2
    grown = unseen.density + settings.arrivals_per_m2s * max(time - unseen.time, 0.0)
    return min(grown, settings.most_density_per_m2)


def densities(
    kind: int, z: F64, use: Mask2, figures: F64, density: float, settings: FuseSettings
) -> tuple[F64, F64]:
    """At each plot (k,): false plots a scan, and new bodies, a unit of the measure's rows. ``figures``:
    `clutter.figures_of` the sensor."""
    unknown = np.array(
        [
            density,
            settings.prior_height_m,
            settings.prior_height_sigma_m,
            settings.birth_speed_sigma_mps,
        ]
    )
    clutter, fresh = np.empty(len(z)), np.empty(len(z))
    _densities(kind, z, use, figures, unknown, clutter, fresh)
    return clutter, fresh


@njit(cache=True)
def _turn_to_radians(z: F64, azimuth: int) -> None:
    for q in range(z.shape[0]):
        z[q, azimuth] = sight.wrapped(_DEG * z[q, azimuth])
        z[q, azimuth + 1] *= _DEG


@njit(cache=True)
def _densities(kind: int, z: F64, use: Mask2, figures: F64, unknown: F64, clutter: F64, fresh: F64) -> None:
    for q in range(z.shape[0]):
        if kind == sight.PLACE:
            clutter[q], fresh[q] = _at_place(z[q], use[q], figures, unknown)
        elif kind == sight.BEARING:
            width = figures[ELEVATION + 1] - figures[ELEVATION] if use[q, 1] else 1.0
            # A direction alone founds no track.
            clutter[q], fresh[q] = figures[PER_SCAN] / (figures[AZIMUTH] * width), 0.0
        else:
            clutter[q], fresh[q] = _at_polar(z[q], use[q], figures, unknown)


@njit(cache=True)
def _at_place(z: F64, use: Mask, figures: F64, unknown: F64) -> tuple[float, float]:
    clutter, fresh = figures[PER_M2], figures[SEES] * unknown[DENSITY]
    if use[2]:
        clutter /= _HEIGHTS_M
        fresh *= _height(z[2], unknown)
    for i in range(3, 6):
        if use[i]:
            clutter /= _SPEEDS_MPS
            fresh *= _speed(z[i], unknown)
    return clutter, fresh


@njit(cache=True)
def _at_polar(z: F64, use: Mask, figures: F64, unknown: F64) -> tuple[float, float]:
    """New bodies are spread evenly over the ground, in height as the prior says, in velocity as that of a
    birth."""
    volume = (figures[RANGE + 1] - figures[RANGE]) * figures[AZIMUTH]
    usual = figures[RANGE] <= z[0] <= figures[RANGE + 1]
    fresh = figures[SEES] * unknown[DENSITY] * z[0] * math.cos(z[2])
    if use[2]:
        volume *= figures[ELEVATION + 1] - figures[ELEVATION]
        usual &= figures[ELEVATION] <= z[2] <= figures[ELEVATION + 1]
        fresh *= z[0] * _height(figures[BASE] + z[0] * math.sin(z[2]), unknown)
    if use[3]:
        volume *= figures[RATE + 1] - figures[RATE]
        usual &= figures[RATE] <= z[3] <= figures[RATE + 1]
        fresh *= _speed(z[3], unknown)
    return (1.0 if usual else RARE) * figures[PER_SCAN] / volume, fresh


@njit(cache=True)
def _height(height_m: float, unknown: F64) -> float:
    """Density of heights: mostly as the prior says, and some at any at which drones fly."""
    usual = _normal(height_m, unknown[HEIGHT], unknown[HEIGHT_SIGMA])
    return (1.0 - _ODD) * usual + _ODD / _HEIGHTS_M


@njit(cache=True)
def _speed(speed_mps: float, unknown: F64) -> float:
    """Density of one component of velocity: the same with speeds."""
    return (1.0 - _ODD) * _normal(speed_mps, 0.0, unknown[SPEED_SIGMA]) + _ODD / _SPEEDS_MPS


@njit(cache=True)
def _normal(value: float, mean: float, sigma: float) -> float:
    off = (value - mean) / sigma
    return math.exp(-0.5 * off * off) / (sigma * math.sqrt(2.0 * math.pi))
