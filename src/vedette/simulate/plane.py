"""Plane vectors without the machine's own trigonometry.

Only additions, products, quotients, square roots and floors, which IEEE 754 fixes: whoever steers by
these flies the same on every machine. (A C library's sine may differ in the last bit from another's.)
"""

import math

from numpy.random import Generator

Pair = tuple[float, float]

_TURN = 6.283185307179586
_SINE = (1.0, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880, -1 / 39916800, 1 / 6227020800)
_COSINE = (1.0, -1 / 2, 1 / 24, -1 / 720, 1 / 40320, -1 / 3628800, 1 / 479001600)


def _series(terms: tuple[float, ...], square: float) -> float:
    total = 0.0
    for term in reversed(terms):
        total = total * square + term
    return total


def unit_at(turns: float) -> Pair:
    """(cosine, sine) of an angle given in whole turns; Taylor's series within an eighth of a turn, good
    to 3e-14."""
    quarter = math.floor(turns * 4.0 + 0.5)
    angle = (turns - quarter * 0.25) * _TURN
    square = angle * angle
    sine, cosine = angle * _series(_SINE, square), _series(_COSINE, square)
    return ((cosine, sine), (-sine, cosine), (-cosine, -sine), (sine, -cosine))[quarter % 4]


def compass(azimuth_deg: float) -> Pair:
    """East and north of the unit vector at an azimuth (degrees clockwise from north)."""
    north, east = unit_at(azimuth_deg / 360.0)
    return east, north


def tangent(angle_deg: float) -> float:
    """Tangent of an angle in degrees."""
    cosine, sine = unit_at(angle_deg / 360.0)
    return sine / cosine


def length(vector: Pair) -> float:
    """Length of a plane vector."""
    return math.sqrt(vector[0] * vector[0] + vector[1] * vector[1])


def direction(vector: Pair, otherwise: Pair = (0.0, 1.0)) -> Pair:
    """The unit vector along ``vector``; ``otherwise`` where it has no length to speak of."""
    size = length(vector)
    return (vector[0] / size, vector[1] / size) if size > 1e-9 else otherwise


def turned(vector: Pair, by: Pair) -> Pair:
    """``vector`` turned counter-clockwise by the angle whose (cosine, sine) is ``by``."""
    return vector[0] * by[0] - vector[1] * by[1], vector[0] * by[1] + vector[1] * by[0]


def leaning(sideways: float) -> Pair:
    """(cosine, sine) of a small angle of which ``sideways`` is the tangent."""
    size = math.sqrt(1.0 + sideways * sideways)
    return 1.0 / size, sideways / size


def shortened(vector: Pair, longest: float) -> Pair:
    """``vector``, cut back to ``longest`` if it is longer."""
    size = length(vector)
    return vector if size <= longest else (vector[0] * longest / size, vector[1] * longest / size)


def anywhere(generator: Generator) -> Pair:
    """A unit vector of random direction."""
    return unit_at(float(generator.random()))
