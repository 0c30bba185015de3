"""Does the velocity that a body states agree with the places that it states?

A stated velocity is a claim like any other (DESIGN, law 3): a drone that flies at a unit and states
0 m/s would otherwise be held to hover, for its word outweighs the few metres between two reports.
So the mean of what it states over some seconds is held against the way it made in them.
"""

import math

from msgspec import Struct

from vedette.fuse.plots import Plot
from vedette.model import Position

WINDOW_S = 4.0
"""Way of an attack drone in it: 100 m and more; error of a satellite fix in it: some metres."""
_LEAST_REPORTS = 3
_FASTEST_MPS = 1000.0
"""Above it a stated velocity is used nowhere, so that there is nothing to check."""
_SLACK_MPS, _SLACK_SHARE = 6.0, 0.25


class Pace(Struct, frozen=True, array_like=True):
    """Since ``since`` (s) at ``east_m``, ``north_m``: ``reports`` stated velocities with these sums
    (m/s). ``false``: the last full window contradicted them; ``way_mps``: what the places said then."""

    since: float
    east_m: float
    north_m: float
    sum_east: float
    sum_north: float
    reports: int
    false: bool = False
    way_mps: tuple[float, float] = (0.0, 0.0)


def paced(pace: Pace | None, plot: Plot) -> Pace | None:
    """The pace with this report in it. A report that states no velocity changes nothing."""
    measure = plot.detection.measure
    if not isinstance(measure, Position) or measure.velocity_mps is None:
        return pace
    if not math.hypot(*measure.velocity_mps) <= _FASTEST_MPS:
        return pace
    age = math.inf if pace is None else plot.time - pace.since
    if pace is None or not 0.0 <= age <= 2.0 * WINDOW_S:
        return _begun(plot, measure.velocity_mps, pace)
    east, north = pace.sum_east + measure.velocity_mps[0], pace.sum_north + measure.velocity_mps[1]
    full = Pace(
        pace.since, pace.east_m, pace.north_m, east, north, pace.reports + 1, pace.false, pace.way_mps
    )
    if age < WINDOW_S or full.reports < _LEAST_REPORTS:
        return full
    return _begun(plot, measure.velocity_mps, _judged(full, plot, age))


def _begun(plot: Plot, velocity: tuple[float, float, float], before: Pace | None) -> Pace:
    false, way = (False, (0.0, 0.0)) if before is None else (before.false, before.way_mps)
    return Pace(plot.time, float(plot.z[0]), float(plot.z[1]), velocity[0], velocity[1], 1, false, way)


def _judged(pace: Pace, plot: Plot, age: float) -> Pace:
    way = (float(plot.z[0] - pace.east_m) / age, float(plot.z[1] - pace.north_m) / age)
    stated = (pace.sum_east / pace.reports, pace.sum_north / pace.reports)
    error = math.hypot(way[0] - stated[0], way[1] - stated[1])
    false = error > _SLACK_MPS + _SLACK_SHARE * math.hypot(*stated)
    return Pace(
        pace.since, pace.east_m, pace.north_m, pace.sum_east, pace.sum_north, pace.reports, false, way
    )
