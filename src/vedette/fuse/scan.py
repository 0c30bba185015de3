"""One scan of a sensor, and what it makes of sightings."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vedette.fuse.kernels import sight
from vedette.fuse.kernels.kalman import F64
from vedette.fuse.plots import Plot
from vedette.fuse.sensing.sensors import Sensor
from vedette.fuse.settings import FuseSettings
from vedette.fuse.sightings import NEVER, Sightings, held_until

_NO_ORIGIN, _NO_ROTATION = np.zeros(3), np.eye(3)


class Scan(NamedTuple):
    """Plots of one kind that a sensor made at one time. ``density``: unknown bodies a square metre; ``seen``:
    ids of the tracks that other plots of the same scan are of; ``whole``: what none of these plots is of was
    missed; ``mute``: none of them says more than what was measured."""

    sensor: Sensor
    time: float
    plots: Sequence[Plot]
    density: float
    seen: tuple[str, ...]
    whole: bool
    mute: bool

    @property
    def claimed(self) -> list[int]:
        """Numbers of the plots that came with an identity."""
        if self.mute:
            return []
        return [q for q, plot in enumerate(self.plots) if plot.detection.claim is not None]


class News:
    """What a scan makes of sightings. Most tracks were seen by the same sensors at the same times, and equal
    sightings are made one: so there are few of them, and to find them is quicker than to make them."""

    def __init__(self, scan: Scan, settings: FuseSettings) -> None:
        self._sensor, self._time = scan.sensor.id, scan.time
        directions = scan.plots[0].kind == sight.BEARING
        self._held = NEVER if directions else held_until(scan.sensor, scan.time, settings)
        self.known: tuple[dict[int, Sightings], dict[int, Sightings]] = ({}, {})
        self._equal: dict[Sightings, Sightings] = {}
        self._kept: list[Sightings] = []

    def after(self, old: Sightings, raised: bool) -> Sightings:
        """`Sightings.after`."""
        new = self.known[raised].get(id(old))
        if new is None:
            self._kept.append(old)  # Or else its id might become another's.
            new = old.after(self._sensor, self._time, checked=True, raised=raised, held=self._held)
            new = self.known[raised][id(old)] = self._equal.setdefault(new, new)
        return new


def frame_of(sensor: Sensor) -> tuple[F64, F64]:
    """Where it stands and how it is turned; of one without a place, nowhere and upright."""
    if sensor.origin is None or sensor.rotation is None:
        return _NO_ORIGIN, _NO_ROTATION
    return sensor.origin, sensor.rotation
