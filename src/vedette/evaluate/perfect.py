"""The same filter under perfect association: what no way of associating could beat.

The tracker's own fuser is given the plots of bodies alone, without clutter, and is told of each which body it
is of (`vedette.evaluate.attribution`): every pair of a track and another body's plot is forbidden, the gate
is open, and what else a plot might be has no density, so that a plot is its track's with certainty. A body's
track begins, moves and is confirmed as always.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from msgspec import structs

from vedette.evaluate.attribution import Labelled, attribute
from vedette.evaluate.drive import Case
from vedette.evaluate.truth import Truth
from vedette.fuse import FuseSettings, Tracker
from vedette.fuse.identity.names import track_id
from vedette.fuse.kernels.kalman import Mask
from vedette.fuse.look import Looks, Weighed
from vedette.fuse.looks import Rows
from vedette.fuse.picture import Picture
from vedette.fuse.plots import content_of
from vedette.fuse.scan import Scan
from vedette.model import Detection, EmptyScan, Frame, SensorProfile

_NEVER = 10**9
_SURE = 1e-9
"""Share of what unknown bodies are worth otherwise; clutter is worth the square of it."""
_OPEN = 1e6
"""Squared Mahalanobis distance within which a track takes the plot that it is told is its own."""


class Told(Looks):
    """Looks in which a plot is of the body that ``bodies`` says, by the plot's canonical bytes."""

    def __init__(self, keeper: Any, bodies: dict[bytes, str]) -> None:
        super().__init__(keeper)
        self._gates = np.full_like(self._gates, _OPEN)
        self._bodies = bodies
        self._of: dict[str, str] = {}

    def _forbidden(self, picture: Picture, scan: Scan, taken: list[int]) -> Mask:
        forbidden = np.ones((picture.count, len(scan.plots)), np.bool_)
        slots = {self._of.get(dossier.id): slot for slot, dossier in enumerate(picture.dossiers)}
        for number, plot in enumerate(scan.plots):
            slot = slots.get(self._bodies[plot.content])
            if slot is not None:
                forbidden[slot, number] = False
        return forbidden

    def _births(self, picture: Picture, scan: Scan, rows: Rows, found: Weighed) -> list[str]:
        names = {
            track_id(picture.slots, picture.letter, plot): self._bodies[plot.content] for plot in scan.plots
        }
        tracked = {self._of.get(dossier.id) for dossier in picture.dossiers}
        alone = np.array([self._bodies[plot.content] not in tracked for plot in scan.plots])
        born = super()._births(picture, scan, rows, found._replace(unclaimed=found.unclaimed * alone))
        self._of |= {name: names[name] for name in born}
        return born


def settings_told(settings: FuseSettings) -> FuseSettings:
    """The settings, with no worth in clutter or unknown bodies, and no two tracks ever made one."""
    return structs.replace(
        settings,
        least_clutter_per_scan=_SURE**2 * settings.least_clutter_per_scan,
        least_clutter_per_m2=_SURE**2 * settings.least_clutter_per_m2,
        bearing_clutter_per_scan=_SURE**2 * settings.bearing_clutter_per_scan,
        first_density_per_m2=_SURE * settings.first_density_per_m2,
        arrivals_per_m2s=_SURE * settings.arrivals_per_m2s,
        merge_seconds=_NEVER,
    )


def perfect_frames(
    case: Case, truth: Truth, settings: FuseSettings | None = None, scans: Sequence[Labelled] | None = None
) -> Iterator[Frame]:
    """A frame after each scan of the case's first sensor, as ``vedette track --at scans:SENSOR`` writes,
    of the filter that is told which plot is whose. Plots are taken in order of their time."""
    told = settings_told(settings or FuseSettings())
    tracker = Tracker(case.site, tuple(map(_unclouded, case.sensors)), told)
    labelled = attribute(case, truth) if scans is None else scans
    bodies: dict[bytes, str] = {}
    fuser = tracker._bodies.fuser
    fuser._looks = Told(fuser, bodies)
    for scan in labelled:
        kept = [_bare(d) for d, body in zip(scan.detections, scan.bodies, strict=True) if body is not None]
        mine = [body for body in scan.bodies if body is not None]
        bodies.update(zip(map(content_of, kept), mine, strict=True))
        sensor = scan.detections[0].sensor
        tracker.add(kept or [_nothing(scan)], scan.time)
        if case.sensors and sensor == case.sensors[0].id:
            yield tracker.frame(scan.time)


def _unclouded(profile: SensorProfile) -> SensorProfile:
    return structs.replace(profile, clutter_per_scan=_SURE**2 * profile.clutter_per_scan)


def _bare(detection: Detection) -> Detection:
    return structs.replace(detection, received=None)


def _nothing(scan: Labelled) -> Detection:
    """The scan saw no body: that is told as an empty scan."""
    first = scan.detections[0]
    return Detection(time=first.time, sensor=first.sensor, scan=first.scan, measure=EmptyScan())
