"""What each sensor can see or hear, as arrays for the kernels."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from vedette.fuse.kernels.kalman import F64
from vedette.fuse.kernels.wedge import no_eyes
from vedette.fuse.rays.state import Eye
from vedette.fuse.sensing.sensors import Sensor

USUAL_PD = 0.5
"""Of a sensor that states none."""


class Eyes:
    """The eyes of sensors, of which there is one object as long as the sensor stays the same."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[Sensor, Eye]] = {}

    def of(self, sensor: Sensor) -> Eye | None:
        """None for a sensor without a place."""
        held = self._held.get(sensor.id)
        if held is not None and held[0] is sensor:
            return held[1]
        if sensor.origin is None or sensor.rotation is None:
            return None
        eye = Eye(
            tuple(sensor.origin.tolist()),
            tuple(map(tuple, sensor.rotation.tolist())),
            tuple(sensor.limits.tolist()),
            sensor.detection_probability or USUAL_PD,
            sensor.period_s,
            sensor.vouched,
        )
        self._held[sensor.id] = sensor, eye
        return eye


@lru_cache(maxsize=1024)
def arrays_of(eye: Eye) -> tuple[F64, F64, F64]:
    """Origin (3,), rotation (3, 3), limits (8,); not to be written to."""
    return np.array(eye.origin), np.array(eye.rotation), np.array(eye.limits)


@lru_cache(maxsize=1024)
def stacked(eyes: tuple[Eye, ...]) -> tuple[F64, F64, F64]:
    """Origins (s, 3), rotations (s, 3, 3) and limits (s, 8) of these; not to be written to."""
    if not eyes:
        return no_eyes()[:3]
    origins, rotations, limits = (np.stack(column) for column in zip(*map(arrays_of, eyes), strict=True))
    return origins, rotations, limits


def with_numbers(eyes: Iterable[tuple[Eye, float]]) -> tuple[F64, F64, F64, F64]:
    """`stacked`, and a number (s,) that goes with each."""
    pairs = list(eyes)
    return *stacked(tuple(eye for eye, _ in pairs)), np.array([number for _, number in pairs])
