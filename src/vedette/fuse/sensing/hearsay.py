"""What the silence of a sensor is worth that nobody vouches for.

Whoever can send to an open feed can call himself a radar that sees the whole site, and see nothing there
forty times a second. If that were evidence, it would take any drone off the map. So the misses of a sensor
that only described itself count for what it alone has ever seen, which is its own false plots, and for
nothing that others have seen or that reports itself. What it does see counts as ever: silence is never
safety, and an alarm too many is better than none. But what it founds takes no more than a part of the table,
or it could displace what reports itself.
"""

import numpy as np

from vedette.fuse.kernels.clutter import I64
from vedette.fuse.kernels.kalman import F64, Mask
from vedette.fuse.picture import Picture
from vedette.fuse.sensing.sensors import Sensor
from vedette.fuse.settings import FuseSettings

_SHARE = 0.5
"""Of the table, that what such sensors found may fill; a judgement."""


def foreign(picture: Picture, sensor: Sensor) -> Mask | None:
    """Which tracks (n,) the silence of this sensor says nothing of; None of one that is vouched for."""
    if sensor.vouched:
        return None
    others = [any(name != sensor.id for name, _ in seen.sensors) for seen in picture.sightings]
    return np.array(others, np.bool_)


def no_less(after: F64, before: F64, slots: Mask | None) -> None:
    """Raise what fell in these slots, if there are any, to what it was ``before``; all (n,)."""
    if slots is not None:
        np.maximum(after, before, out=after, where=slots)


def admitted(picture: Picture, sensor: Sensor, plots: I64, likely: F64, settings: FuseSettings) -> I64:
    """Which of these plots of a look, that are new bodies as ``likely`` (k,) says, may found a track."""
    if sensor.vouched:
        return plots
    room = max(int(_SHARE * settings.max_tracks) - picture.count, 0)
    if len(plots) <= room:
        return plots
    picture.tally("no-room-for-track", len(plots) - room)
    order = np.argsort(-likely[plots], kind="stable")
    return np.sort(plots[order[:room]])
