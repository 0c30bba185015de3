"""Ground: a height for every place of the local plane. Here the flat one and the rolling desert; grounds
of posts, synthetic or of a real place, are in `elevated`.

The rolling desert is a sum of smooth waves with seeded directions, lengths and phases, shifted so
that the ground at the origin is at the site's height. It uses only additions, products and floors,
whose results IEEE 754 fixes, so it is the same on every machine and for every array length.
"""

import math
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from vedette.simulate.streams import stream

Terrain = Literal["flat", "rolling-desert", "ridge", "canyon"]
Array = NDArray[np.float64]

WAVES = 6
SHORTEST_WAVE_M = 700.0
LONGEST_WAVE_M = 5000.0
STEEPNESS = 0.003
"""A wave's amplitude over its length; with it all waves together never slope by more than 0.15."""


class Ground(Protocol):
    """Height of the ground above the site's horizontal plane (metres, u of ENU); NaN where unknown."""

    @property
    def level(self) -> bool:
        """True if the ground has the same height everywhere."""
        ...

    def height_m(self, east_m: Array, north_m: Array) -> Array:
        """Heights at places given as arrays of any one shape."""
        ...

    def height_at(self, east_m: float, north_m: float) -> float:
        """Height at one place."""
        ...

    def masks(self, one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
        """True if the ground stands in the straight line between two places (ENU metres)."""
        ...


class FlatGround:
    """The site's horizontal plane."""

    level = True

    def height_m(self, east_m: Array, north_m: Array) -> Array:
        """Zero everywhere."""
        return np.zeros(np.broadcast(east_m, north_m).shape)

    def height_at(self, east_m: float, north_m: float) -> float:
        """Zero."""
        return 0.0

    def masks(self, one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
        """Nothing stands in the way on a plane."""
        return False


class RollingDesert:
    """Gentle swells of tens of metres, as found between washes in open desert."""

    level = False

    def __init__(self, seed: int) -> None:
        generator = stream(seed, "ground")
        ratios = (LONGEST_WAVE_M / SHORTEST_WAVE_M) ** generator.random(WAVES)
        lengths = SHORTEST_WAVE_M * ratios
        turns = generator.random(WAVES) * (2.0 * math.pi)
        self._waves = [
            (math.sin(turn) / length, math.cos(turn) / length, phase, STEEPNESS * length)
            for turn, length, phase in zip(
                turns.tolist(), lengths.tolist(), generator.random(WAVES).tolist(), strict=True
            )
        ]
        self._offset_m = 0.0
        self._offset_m = self.height_at(0.0, 0.0)

    def height_m(self, east_m: Array, north_m: Array) -> Array:
        """Heights at places given as arrays of one shape."""
        total = np.zeros(np.broadcast(east_m, north_m).shape)
        for per_east, per_north, phase, amplitude in self._waves:
            total += amplitude * _wave(east_m * per_east + north_m * per_north + phase)
        return total - self._offset_m

    def height_at(self, east_m: float, north_m: float) -> float:
        """Height at one place; equals what `height_m` gives, to the bit."""
        total = 0.0
        for per_east, per_north, phase, amplitude in self._waves:
            turn = east_m * per_east + north_m * per_north + phase
            swing = 4.0 * (turn - math.floor(turn)) - 2.0
            total += amplitude * (swing * (2.0 - abs(swing)))
        return total - self._offset_m

    def masks(self, one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
        """True if the ground rises above the line between two places, looked at every 50 m or less."""
        length = math.hypot(other[0] - one[0], other[1] - one[1])
        parts = np.linspace(0.0, 1.0, max(3, int(length / 50.0) + 2))[1:-1]
        east = one[0] + (other[0] - one[0]) * parts
        north = one[1] + (other[1] - one[1]) * parts
        line = one[2] + (other[2] - one[2]) * parts
        return bool(np.any(self.height_m(east, north) > line))


def _wave(turn: Array) -> Array:
    """A smooth wave of period 1 and range [-1, 1], made of parabolas."""
    swing = 4.0 * (turn - np.floor(turn)) - 2.0
    return swing * (2.0 - np.abs(swing))
