"""Unsteady motion: gusts and uneven steps as a slowly changing velocity of each actor."""

import math

import numpy as np
from numpy.typing import NDArray

from vedette.simulate.kinds import ENVELOPES
from vedette.simulate.scenario import Actor
from vedette.simulate.streams import stream

CORRELATION_S = 4.0
_BLOCK = 64


class Wander:
    """First-order Gauss-Markov velocities (east, north), one independent stream for each actor."""

    def __init__(self, seed: int, actors: tuple[Actor, ...], step_s: float) -> None:
        self._streams = [stream(seed, "wander", actor.id) for actor in actors]
        self._keep = math.exp(-step_s / CORRELATION_S)
        sigma = np.array([ENVELOPES[actor.kind].wander_mps for actor in actors])
        self._push = sigma * math.sqrt(1.0 - self._keep * self._keep)
        self._velocity: NDArray[np.float64] = np.zeros((2, len(actors)))
        self._draws: NDArray[np.float64] = np.zeros((_BLOCK, 2, len(actors)))
        self._used = _BLOCK

    def step(self) -> NDArray[np.float64]:
        """Velocities for the next step, shape (2, actors), m/s."""
        if self._used == _BLOCK:
            for index, generator in enumerate(self._streams):
                self._draws[:, :, index] = generator.standard_normal((_BLOCK, 2))
            self._used = 0
        self._velocity = self._velocity * self._keep + self._draws[self._used] * self._push
        self._used += 1
        return self._velocity
