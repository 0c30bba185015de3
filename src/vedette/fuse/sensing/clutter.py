"""Where a sensor's false plots lie, learnt while it looks: see `kernels.clutter`.

What a profile states of false plots is an average over months and sites. A wind turbine, a road or a jammer's
strobe makes some cells hot; there it takes more to make a body out of plots.
"""

import math
from typing import NamedTuple

import numpy as np

from vedette.fuse.kernels import clutter, sight
from vedette.fuse.kernels.clutter import AZIMUTHS, CELLS, I64, RANGES
from vedette.fuse.kernels.kalman import F64
from vedette.fuse.sensing.sensors import Sensor
from vedette.fuse.settings import FuseSettings

RARE = 0.05
"""Share of the usual density of false plots where the sensor's profile says that there are none."""
MANY = 3
"""Plots of one look in one cell that are a crowd."""
_NOWHERE, _UPRIGHT = np.zeros(3), np.eye(3)


RANGE, AZIMUTH, ELEVATION, RATE, PER_SCAN, PER_M2, SEES, BASE = 0, 2, 3, 5, 7, 8, 9, 10
"""Indices into the figures of a sensor: lowest and highest range, width of its sector, elevations and rates;
false plots a look, and a look and square metre; probability of detection; its height."""


class Found(NamedTuple):
    """What was learnt up to ``time``: in so many ``looks`` ``counts`` (cells,) false plots; never changed,
    for pictures share it."""

    time: float
    looks: float
    counts: F64


class Grid(NamedTuple):
    """The cells of one sensor for plots of one kind: how far they reach, and how many false plots a look are
    stated for each (cells,)."""

    reach_m: float
    expected: F64


def stated_count(sensor: Sensor, kind: int, settings: FuseSettings) -> float:
    """False plots a look, as the profile has it, or the usual ones."""
    usual = settings.bearing_clutter_per_scan if kind == sight.BEARING else settings.least_clutter_per_scan
    count = sensor.clutter_per_scan or usual
    return max(count, usual) if kind == sight.POLAR else count


def figures_of(sensor: Sensor, kind: int, settings: FuseSettings) -> F64:
    """Figures of a sensor for plots of one kind, see `RANGE`."""
    extent, base = sensor.extent, 0.0 if sensor.origin is None else float(sensor.origin[2])
    return np.array(
        [
            *extent.range_m, extent.azimuth_rad, *extent.elevation_rad, *extent.rate_mps,
            stated_count(sensor, kind, settings), sensor.clutter_per_m2, sensor.detection_probability, base,
        ]
    )  # fmt: skip


def grid_of(sensor: Sensor, kind: int, settings: FuseSettings) -> Grid:
    """The cells of a sensor."""
    extent, far = sensor.extent, float(sensor.limits[1])
    reach = max(extent.range_m[1], far if math.isfinite(far) else 0.0, 1.0)
    if kind == sight.BEARING:
        expected = np.zeros((AZIMUTHS, RANGES))
        expected[:, 0] = stated_count(sensor, kind, settings) * 2.0 * math.pi / AZIMUTHS / extent.azimuth_rad
        return Grid(reach, expected.reshape(CELLS))
    edges = reach * np.arange(RANGES + 1) / RANGES
    if kind == sight.PLACE:
        area = math.pi / AZIMUTHS * (edges[1:] ** 2 - edges[:-1] ** 2)
        expected = np.tile(sensor.clutter_per_m2 * area, (AZIMUTHS, 1))
        return Grid(reach, expected.reshape(CELLS))
    count = stated_count(sensor, kind, settings)
    low, high = extent.range_m
    depth = (np.minimum(edges[1:], high) - np.maximum(edges[:-1], low)).clip(0.0) / (high - low)
    width = _widths(extent.azimuth_from_rad, extent.azimuth_rad) / extent.azimuth_rad
    least = RARE * (reach / RANGES / (high - low)) * (2.0 * math.pi / AZIMUTHS / extent.azimuth_rad)
    expected = count * np.maximum(np.outer(width, depth), least)
    return Grid(reach, expected.reshape(CELLS))


def _widths(begin: float, width: float) -> F64:
    """How much of each azimuth cell lies in a sector (radians) that may run through north."""
    turn, cell = 2.0 * math.pi, 2.0 * math.pi / AZIMUTHS
    begin %= turn
    low = cell * np.arange(AZIMUTHS)
    total = np.zeros(AZIMUTHS)
    for shift in (-turn, 0.0, turn):
        total += (np.minimum(low + cell, begin + shift + width) - np.maximum(low, begin + shift)).clip(0.0)
    return np.minimum(total, cell)


def weights_of(grid: Grid, settings: FuseSettings) -> F64:
    """For `kernels.clutter.multiples`."""
    prior = max(settings.clutter_prior_scans * float(grid.expected.sum()), settings.clutter_prior_plots)
    least, most = settings.clutter_multiple
    return np.array([prior, settings.clutter_prior_plots, least, most])


class Maps:
    """The grids of all sensors, each made once, and what is done with them."""

    def __init__(self, settings: FuseSettings) -> None:
        self._settings = settings
        self._grids: dict[tuple[str, int], tuple[Grid, F64, F64]] = {}

    def _grid(self, sensor: Sensor, kind: int) -> tuple[Grid, F64, F64]:
        held = self._grids.get((sensor.id, kind))
        if held is None:
            grid, figures = grid_of(sensor, kind, self._settings), figures_of(sensor, kind, self._settings)
            held = self._grids[sensor.id, kind] = grid, weights_of(grid, self._settings), figures
        return held

    def figures(self, sensor: Sensor, kind: int) -> F64:
        """`figures_of`, not to be written to."""
        return self._grid(sensor, kind)[2]

    def cells(self, sensor: Sensor, kind: int, z: F64) -> I64:
        """The cell of each plot (k,)."""
        cells = np.empty(len(z), np.int64)
        grid = self._grid(sensor, kind)[0]
        origin = _NOWHERE if sensor.origin is None else sensor.origin
        rotation = _UPRIGHT if sensor.rotation is None else sensor.rotation
        clutter.cells_of(kind, z, origin, rotation, grid.reach_m, cells)
        return cells

    def multiples(self, found: Found | None, sensor: Sensor, kind: int, cells: I64) -> F64:
        """By how much false plots are denser than stated at each plot (k,)."""
        out = np.ones(len(cells))
        if found is not None:
            grid, weights, _ = self._grid(sensor, kind)
            clutter.multiples(found.looks, found.counts, grid.expected, weights, cells, out)
        return out

    def doubted(self, founded: F64, time: float, cells: I64, hit: F64, best: I64, false: F64) -> F64:
        """Probability (k,) that plots are ``false``, with those in crowded cells of young tracks, which were
        ``founded`` (n,) so late."""
        if clutter.crowded(cells, MANY):
            ages = time - founded[: len(hit)]
            clutter.disbelieve(cells, MANY, hit, best, ages, self._settings.clutter_proof_s, false)
        return false

    def after(self, found: Found | None, sensor: Sensor, time: float, cells: I64, false: F64) -> Found:
        """What is known after a look at ``time``, in which the plots in these ``cells`` (k,) were false with
        these probabilities. A part of a scan counts as much as its share of the sensor's period."""
        if found is None:
            counts, kept, looks, last = np.zeros(CELLS), 1.0, 0.0, time - sensor.period_s
        else:
            last, looks, counts = found
            kept = math.exp(-max(time - last, 0.0) / self._settings.clutter_memory_s)
        out = np.empty(CELLS)
        clutter.count(counts, kept, cells, false, out)
        share = min(max(time - last, 0.0) / sensor.period_s, 1.0)
        return Found(time, kept * looks + share, out)
