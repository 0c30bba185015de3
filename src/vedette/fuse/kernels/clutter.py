"""How dense false plots are where, learnt from the plots that belong to no body.

Round each sensor lies a grid of azimuths and ranges. In each cell false plots come as a Poisson process whose
rate is a multiple of the one that the sensor's profile states; the multiple has a gamma distribution, whose
mean is updated by counting (Gelman et al., *Bayesian Data Analysis*, 3rd edition, 2013, 2.6), with counts
that fade. The prior mean of a cell is what was learnt of the sensor as a whole.

Explicit loops in a fixed order, as in `kernels.kalman`. Shapes: c cells, k plots.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vedette.fuse.kernels.kalman import F64
from vedette.fuse.kernels.sight import ANGLE, BEARING, PLACE, TWO_PI

I64 = NDArray[np.int64]

AZIMUTHS, RANGES = 32, 8
CELLS = AZIMUTHS * RANGES
_HOT = 0.02
"""Share of cells that are hot. This and the next two are judgements."""
_HOT_LOOKS = 5.0
_DECADES = math.log(1000.0)
_TINY, _MOST_LOG = 1e-12, 200.0
SENSOR_COUNTS, CELL_COUNTS, LEAST, MOST = 0, 1, 2, 3
"""Indices into the weights of a map: what the prior counts for of a sensor and of a cell, in plots; the least
and the most that false plots are multiplied by."""


@njit(cache=True, error_model="numpy")
def cells_of(kind: int, z: F64, origin: F64, rotation: F64, reach_m: float, cells: I64) -> None:
    """The cell of each plot into ``cells`` (k,); farther than ``reach_m`` is the outermost ring, and bearings
    lie in the innermost one."""
    for q in range(z.shape[0]):
        distance, azimuth = 0.0, 0.0
        if kind == PLACE:
            de, dn = z[q, 0] - origin[0], z[q, 1] - origin[1]
            e = rotation[0, 0] * de + rotation[1, 0] * dn
            n = rotation[0, 1] * de + rotation[1, 1] * dn
            distance, azimuth = math.sqrt(e * e + n * n), math.atan2(e, n)
        else:
            azimuth = z[q, ANGLE[kind]]
            if kind != BEARING:
                distance = z[q, 0]
        turn = azimuth / TWO_PI
        a = min(int((turn - math.floor(turn)) * AZIMUTHS), AZIMUTHS - 1)
        r = min(int(min(max(distance / reach_m, 0.0), 1.0) * RANGES), RANGES - 1)
        cells[q] = a * RANGES + r


@njit(cache=True, error_model="numpy")
def multiples(looks: float, counts: F64, expected: F64, weights: F64, cells: I64, out: F64) -> None:
    """By how much false plots are denser than stated at each plot (k,): ``counts`` (c,) of them were found in
    so many ``looks``, ``expected`` (c,) are stated for one look."""
    found, stated = 0.0, 0.0
    for c in range(len(counts)):
        found += counts[c]
        stated += expected[c]
    prior = weights[SENSOR_COUNTS]
    whole = (prior + found) / (prior + looks * stated)
    for q in range(len(cells)):
        c = cells[q]
        there = whole * above(counts[c], looks, expected[c] * whole, weights[CELL_COUNTS])
        out[q] = min(max(there, weights[LEAST]), weights[MOST])


@njit(cache=True, error_model="numpy")
def above(counted: float, looks: float, rate: float, own: float) -> float:
    """By how much a cell in which so many false plots were ``counted`` in ``looks`` is denser than its
    sensor, by whose ``rate`` (a look) it is one of two kinds: a usual one, or a hot one, which has any rate.
    That of a hot one is taken as if it had been looked at some times more."""
    usual = looks * rate
    calm = (own + counted) / (own + usual)
    hot = counted / max((looks + _HOT_LOOKS) * rate, _TINY)
    if not hot > calm:
        return calm
    # Poisson, against a rate of which nothing but the order of magnitude is known.
    log_calm = counted * math.log(max(usual, _TINY)) - usual - math.lgamma(counted + 1.0)
    log_hot = -math.log(_DECADES * (counted + 1.0))
    odds = _HOT / (1.0 - _HOT) * math.exp(min(log_hot - log_calm, _MOST_LOG))
    return (calm + odds * hot) / (1.0 + odds)


@njit(cache=True, error_model="numpy")
def crowded(cells: I64, many: int) -> bool:
    """Whether one cell holds at least so ``many`` plots."""
    held = np.zeros(CELLS, np.int64)
    for q in range(len(cells)):
        held[cells[q]] += 1
        if held[cells[q]] >= many:
            return True
    return False


@njit(cache=True, error_model="numpy")
def disbelieve(cells: I64, many: int, hit: F64, best: I64, ages: F64, proof_s: float, false: F64) -> None:
    """Plots of young tracks in a crowded cell are ``false`` (k,) too, as far as these are young.

    Dense false plots are a crowd of bodies to a filter that does not know their density, and as long as it
    takes them for bodies it never learns it. ``hit`` (n,): probability that a track was seen, by the plot
    ``best`` (n,); ``ages`` (n,): s. The first ``many`` - 1 plots of a cell are believed."""
    held = np.zeros(CELLS, np.int64)
    for q in range(len(cells)):
        held[cells[q]] += 1
    for t in range(len(best)):
        q = best[t]
        if q >= 0 and held[cells[q]] >= many:
            doubt = math.exp(-max(ages[t], 0.0) / proof_s) * (1.0 - (many - 1.0) / held[cells[q]])
            false[q] = min(false[q] + hit[t] * doubt, 1.0)


@njit(cache=True, error_model="numpy")
def count(counts: F64, kept: float, cells: I64, false: F64, out: F64) -> None:
    """Counts after a look: what was there fades to the share ``kept``, and each plot adds the probability
    that it is ``false`` (k,)."""
    for c in range(len(counts)):
        out[c] = kept * counts[c]
    for q in range(len(cells)):
        out[cells[q]] += false[q]
