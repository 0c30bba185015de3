"""The envelopes as a limit on every acceleration: no actor outflies its kind, whatever it wants."""

import numpy as np
from numpy.typing import NDArray

from vedette.simulate.kinds import ENVELOPES
from vedette.simulate.scenario import Actor

Array = NDArray[np.float64]


class Limits:
    """Speed and acceleration limits of all actors, horizontal and vertical apart."""

    def __init__(self, actors: tuple[Actor, ...]) -> None:
        envelopes = [ENVELOPES[actor.kind] for actor in actors]
        self._speed = np.array([envelope.speed_mps for envelope in envelopes])
        self._acceleration = np.array([envelope.acceleration_mps2 for envelope in envelopes])
        self._climb = np.array([envelope.climb_mps for envelope in envelopes])
        self._climb_acceleration = np.array([envelope.climb_acceleration_mps2 for envelope in envelopes])

    def hold(self, speed: Array, acceleration: Array, step_s: float) -> Array:
        """The nearest acceleration, (3, actors), that keeps both limits for ``step_s``.

        Cutting the speed that would follow back to its limit can only shorten the acceleration,
        because the speed before was within the limit too: both limits hold together.
        """
        held = np.empty_like(acceleration)
        pushed = _shorten(acceleration[:2], self._acceleration)
        held[:2] = (_shorten(speed[:2] + pushed * step_s, self._speed) - speed[:2]) / step_s
        up = np.clip(acceleration[2], -self._climb_acceleration, self._climb_acceleration)
        held[2] = (np.clip(speed[2] + up * step_s, -self._climb, self._climb) - speed[2]) / step_s
        return held


def _shorten(vectors: Array, longest: Array) -> Array:
    """Horizontal vectors (2, actors), cut back to ``longest`` where they are longer."""
    length = np.sqrt(vectors[0] * vectors[0] + vectors[1] * vectors[1])
    return vectors * np.where(length > longest, longest / np.where(length > 0.0, length, 1.0), 1.0)
