"""The error of a receiver's own satellite navigation: it drifts, it does not jump."""

import math

from numpy.random import Generator

from vedette.model.track import Vector3
from vedette.simulate.streams import Normals

CORRELATION_S = 20.0
"""Time over which the error changes: consecutive fixes share most of it, as real ones do."""


class NavigationError:
    """First-order Gauss-Markov error on each axis, with the given one-sigma figures (metres)."""

    def __init__(self, generator: Generator, horizontal_sigma_m: float, vertical_sigma_m: float) -> None:
        self._normals = Normals(generator)
        self._sigmas = (horizontal_sigma_m, horizontal_sigma_m, vertical_sigma_m)
        self._error = self._draw()
        self._time_s: float | None = None

    def at(self, time_s: float) -> Vector3:
        """East, north and up error (metres) at a time not before that of the last call."""
        if self._time_s is not None:
            keep = math.exp(-(time_s - self._time_s) / CORRELATION_S)
            fresh, push = self._draw(), math.sqrt(1.0 - keep * keep)
            old = self._error
            self._error = (
                old[0] * keep + fresh[0] * push,
                old[1] * keep + fresh[1] * push,
                old[2] * keep + fresh[2] * push,
            )
        self._time_s = time_s
        return self._error

    def _draw(self) -> Vector3:
        east, north, up = self._sigmas
        return (self._normals.next() * east, self._normals.next() * north, self._normals.next() * up)
