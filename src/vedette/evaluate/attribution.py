"""Which plot of a case is of which body: what a tracker would have to know to make no mistake.

Files do not say it, so it is worked out: in each scan the plots go to the bodies that they fit best, each to
at most one and within a gate, by squared Mahalanobis distance in the sensor's own measures. A plot left over
is clutter.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from vedette.evaluate.assignment import F64, assign
from vedette.evaluate.drive import Case
from vedette.evaluate.truth import Present, Truth, instant
from vedette.geo import LocalFrame, SensorFrame, angle_between_deg
from vedette.model import Bearing, Detection, Position, RangeBearing, SensorProfile, Sigma, Site
from vedette.model.lines import LineReader

GATE = 4.5
"""Sigmas within which a plot may lie in each measure; one in 10^5 of a normal error is beyond."""
_LEAST_MPS = 1.0
"""Doubt of a range rate that a truth sampled once a second adds."""
_SAMPLED_ACCELERATION_MPS2 = 15.0
"""A body that turns lies off the straight line between two samples of the truth by an eighth of this times
the square of the step."""


class Labelled(NamedTuple):
    """The plots of one sensor at one time, and the body of each; None for clutter."""

    time: float
    detections: tuple[Detection, ...]
    bodies: tuple[str | None, ...]


class _View(NamedTuple):
    """What a plot is seen from; ``between``: at a time between two samples of the truth."""

    frame: LocalFrame
    sensor: tuple[SensorProfile, SensorFrame] | None
    between: bool


def attribute(case: Case, truth: Truth) -> list[Labelled]:
    """All scans of a case in order of their time, labelled. Raises InputError with file and line."""
    frame = LocalFrame(case.site.lat_deg, case.site.lon_deg, case.site.alt_m)
    sensors = {
        profile.id: (profile, SensorFrame(frame, profile.lat_deg, profile.lon_deg, profile.alt_m))
        for profile in case.sensors
    }
    scans: dict[tuple[float, str], list[Detection]] = {}
    for detection in _read(case):
        scans.setdefault((detection.time, detection.sensor), []).append(detection)
    return [
        Labelled(
            time,
            tuple(plots),
            _bodies(
                plots, truth.at(time), _View(frame, sensors.get(sensor), instant(time) not in truth.scored)
            ),
        )
        for (time, sensor), plots in sorted(scans.items())
    ]


class Looks:
    """Whose a single plot is, by where the bodies were: for a stream that no file holds."""

    def __init__(self, site: Site, sensors: Iterable[SensorProfile], truth: Truth) -> None:
        frame = LocalFrame(site.lat_deg, site.lon_deg, site.alt_m)
        self._truth = truth
        self._views = {
            one.id: _View(frame, (one, SensorFrame(frame, one.lat_deg, one.lon_deg, one.alt_m)), True)
            for one in sensors
        }
        self._other = _View(frame, None, True)

    def body(self, plot: Detection) -> str | None:
        """The body that fits the plot best; None for clutter and for what has no direction."""
        present = self._truth.at(plot.time)
        misfits = _misfits(plot, present, self._views.get(plot.sensor, self._other))
        best = min(zip(misfits, present.ids, strict=True), default=(math.inf, ""))
        return best[1] if best[0] < math.inf else None


def _read(case: Case) -> Iterable[Detection]:
    with case.detections.open("rb") as file:
        yield from LineReader(Detection, str(case.detections)).read(file)


def _bodies(
    plots: Sequence[Detection],
    present: Present,
    view: _View,
) -> tuple[str | None, ...]:
    if not present.ids:
        return (None,) * len(plots)
    cost = np.array([_misfits(plot, present, view) for plot in plots])
    beyond = float(np.max(cost[np.isfinite(cost)], initial=1.0)) * (1 + min(cost.shape))
    pairs = dict(assign(np.where(np.isfinite(cost), cost, beyond)))
    return tuple(
        present.ids[pairs[q]] if q in pairs and math.isfinite(cost[q, pairs[q]]) else None
        for q in range(len(plots))
    )


def _misfits(
    plot: Detection,
    present: Present,
    view: _View,
) -> list[float]:
    """Squared Mahalanobis distance of a plot to each body, infinite beyond the gate."""
    out = []
    for place, velocity in zip(present.enu_m, present.velocity_mps, strict=True):
        rows = _residuals(plot, place, velocity, view)
        far = not rows or any(abs(off) > GATE * sigma for off, sigma in rows)
        out.append(math.inf if far else sum((off / sigma) ** 2 for off, sigma in rows))
    return out


def _residuals(
    plot: Detection,
    place: F64,
    velocity: F64,
    view: _View,
) -> list[tuple[float, float]]:
    """(residual, sigma) of each measure, in the measure's unit."""
    measure = plot.measure
    if isinstance(measure, Position):
        e, n, _ = view.frame.to_enu(measure.lat_deg, measure.lon_deg, measure.alt_m or 0.0)
        sigma = (plot.sigma.horizontal_m if plot.sigma else None) or 30.0
        return [(e - float(place[0]), sigma), (n - float(place[1]), sigma)]
    if view.sensor is None or not isinstance(measure, Bearing | RangeBearing):
        return []
    profile, mount = view.sensor
    own = (plot.sigma or Sigma(), profile.sigma)
    distance, azimuth, elevation = mount.site_to_polar(*place.tolist())
    blur_m = _SAMPLED_ACCELERATION_MPS2 / 8.0 if view.between else 0.0
    blur_deg = math.degrees(blur_m / max(distance, 1.0))
    rows = [(angle_between_deg(measure.azimuth_deg, azimuth), _sigma("azimuth_deg", own, 1.0, blur_deg))]
    if measure.elevation_deg is not None:
        rows.append((measure.elevation_deg - elevation, _sigma("elevation_deg", own, 2.0, blur_deg)))
    if isinstance(measure, RangeBearing):
        rows.append((measure.range_m - distance, _sigma("range_m", own, 15.0, blur_m)))
        if measure.range_rate_mps is not None:
            off = place - np.array(mount.origin_enu_m)
            rate = float(off @ velocity) / max(distance, 1.0)
            turned = _SAMPLED_ACCELERATION_MPS2 / 2.0 + _LEAST_MPS
            rows.append((measure.range_rate_mps - rate, _sigma("range_rate_mps", own, 1.0, turned)))
    return rows


def _sigma(name: str, own: tuple[object, object], default: float, blur: float) -> float:
    stated = [value for value in (getattr(source, name) for source in own) if value is not None]
    return math.hypot(stated[0] if stated else default, blur)


def shares(scans: Iterable[Labelled]) -> Mapping[str, float]:
    """Share of the plots of each sensor that are of a body."""
    counts: dict[str, tuple[int, int]] = {}
    for scan in scans:
        for detection, body in zip(scan.detections, scan.bodies, strict=True):
            of, all_ = counts.get(detection.sensor, (0, 0))
            counts[detection.sensor] = (of + (body is not None), all_ + 1)
    return {sensor: of / all_ for sensor, (of, all_) in sorted(counts.items())}
