"""What one look of a sensor means at a place: how many false plots are to be expected there, how many bodies
that are not known yet, and what of a plot goes to the kernels of `vedette.fuse.pmb`."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vedette.fuse import pmb
from vedette.fuse.kernels import F64
from vedette.fuse.picture import Unseen
from vedette.fuse.plots import Plot, Raw
from vedette.fuse.pmb import Mask2
from vedette.fuse.sensors import Sensor
from vedette.fuse.settings import FuseSettings
from vedette.model.site import Limits

_RARE = 0.05
"""Share of the usual density of false plots where the sensor's profile says that there are none."""
_ODD = 0.3
_HEIGHTS_M, _SPEEDS_MPS = 500.0, 120.0
"""Extents over which false positions are spread, in height and in each component of velocity."""


class Rows(NamedTuple):
    """Plots of one kind as arrays (k, ROWS): values, variances, which are given; ``elsewhere`` (k,): density
    of what is no known body, and ``fresh`` (k,): the part of it that is a new one."""

    z: F64
    var: F64
    use: Mask2
    elsewhere: F64
    fresh: F64


def rows_of(plots: Sequence[Plot], density: float, settings: FuseSettings) -> Rows:
    """``density``: bodies a square metre that the sensor could see and that are not known yet."""
    raws = [plot.raw for plot in plots if plot.raw is not None]
    fresh = np.array([_fresh(raw, plots[0].sensor, density, settings) for raw in raws])
    clutter = np.array([_clutter(raw, plots[0].sensor, settings) for raw in raws])
    return Rows(
        np.array([raw.z for raw in raws]),
        np.array([raw.var for raw in raws]),
        np.array([raw.use for raw in raws], np.bool_),
        clutter + fresh,
        fresh,
    )


def looked(unseen: Unseen | None, sensor: Sensor, time: float, settings: FuseSettings) -> float:
    """Density of unknown bodies at the moment of a look: those left over from the last one, and arrivals."""
    if unseen is None:
        return settings.first_density_per_m2
    grown = unseen.density + settings.arrivals_per_m2s * max(time - unseen.time, 0.0)
    return min(grown, settings.most_density_per_m2)


def _clutter(raw: Raw, sensor: Sensor, settings: FuseSettings) -> float:
    """False plots a scan and unit of the measure's rows."""
    extent = sensor.extent
    if raw.kind == pmb.PLACE:
        density = sensor.clutter_per_m2 / (_HEIGHTS_M if raw.use[2] else 1.0)
        return density / _SPEEDS_MPS ** sum(raw.use[3:6])
    if raw.kind == pmb.BEARING:
        count = sensor.clutter_per_scan or settings.bearing_clutter_per_scan
        return count / (extent.azimuth_rad * (_width(extent.elevation_rad) if raw.use[1] else 1.0))
    volume = _width(extent.range_m) * extent.azimuth_rad
    volume *= _width(extent.elevation_rad) if raw.use[2] else 1.0
    volume *= _width(extent.rate_mps) if raw.use[3] else 1.0
    count = max(sensor.clutter_per_scan, settings.least_clutter_per_scan)
    elevation, rate = (raw.z[2] if raw.use[2] else None), (raw.z[3] if raw.use[3] else None)
    rare = _RARE if extent.outside(raw.z[0], elevation, rate) else 1.0
    return rare * count / volume


def _width(limits: Limits) -> float:
    return limits[1] - limits[0]


def _fresh(raw: Raw, sensor: Sensor, density: float, settings: FuseSettings) -> float:
    """New bodies a unit of the measure's rows: spread evenly over the ground, in height as the prior says,
    in velocity as that of a birth. A direction alone founds no track."""
    if raw.kind == pmb.BEARING:
        return 0.0
    seen = sensor.detection_probability * density
    if raw.kind == pmb.PLACE:
        speeds = [_speed(raw.z[i], settings) for i in range(3, 6) if raw.use[i]]
        return seen * (_height(raw.z[2], settings) if raw.use[2] else 1.0) * math.prod(speeds)
    distance, elevation = raw.z[0], raw.z[2]
    ground = distance * math.cos(elevation)
    seen *= ground
    if raw.use[2]:
        base = 0.0 if sensor.origin is None else float(sensor.origin[2])
        seen *= distance * _height(base + distance * math.sin(elevation), settings)
    if raw.use[3]:
        seen *= _speed(raw.z[3], settings)
    return seen


def _height(height_m: float, settings: FuseSettings) -> float:
    """Density of heights: mostly as the prior says, and some at any at which drones fly."""
    usual = _normal(height_m, settings.prior_height_m, settings.prior_height_sigma_m)
    return (1.0 - _ODD) * usual + _ODD / _HEIGHTS_M


def _speed(speed_mps: float, settings: FuseSettings) -> float:
    """Density of one component of velocity: the same with speeds."""
    return (1.0 - _ODD) * _normal(speed_mps, 0.0, settings.birth_speed_sigma_mps) + _ODD / _SPEEDS_MPS


def _normal(value: float, mean: float, sigma: float) -> float:
    return math.exp(-0.5 * ((value - mean) / sigma) ** 2) / (sigma * math.sqrt(2.0 * math.pi))
