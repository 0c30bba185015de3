"""Which plot is of which track, all taken together: marginals by loopy belief propagation.

Williams, Lau, "Approximate evaluation of marginal association probabilities with belief propagation", IEEE
TAES 50(4), 2014, over those pairs alone that lie in each other's gates.

Shapes: n tracks, k plots, e edges: pairs, sorted by track; ``first`` (n + 1,) tells where each track's
begin.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vedette.fuse.kernels.frontier import chain
from vedette.fuse.kernels.kalman import F64, Mask

I64 = NDArray[np.int64]

_SWEEPS = 500
_ACCURACY = 1e-10
_RELAXATION, _RELAXED_SWEEPS = 1.35, 100
"""A message goes this much of the way to its new value, as long as that does not take too many sweeps."""
_CALM = 0.1
"""A track whose messages changed by less than this share of the accuracy is left out, until all others are
calm too: most tracks are few plots' and soon decided."""
_CANCELS = 1e-4
"""Where no more than this share of a message is left of a sum without it, the others are summed up anew."""
_LEAST_LEFT = 0.999
"""Less than the one for "no track" is rounding."""


@njit(cache=True, error_model="numpy")
def marginals(
    n: int,
    k: int,
    first: I64,
    plot: I64,
    weight: F64,
    none: F64,
    settled: Mask,
    to_track: F64,
    unclaimed: F64,
) -> int:
    """Loopy belief propagation (Williams, Lau 2014, equations 30 and 31).

    ``weight`` (e,): of each pair, over the weight that the plot is of no track; ``none`` (n,): weight that
    the track is seen by no plot. ``to_track`` (e,) gets the messages from plots to tracks, by which the
    marginal of a pair is weight * to_track / (none + sum of these); ``unclaimed`` (k,): the marginal that
    the plot is of no track. Tracks that are ``settled`` (n,), which share no plot with the others, are left
    out, with their plots. Returns the number of sweeps.

    It converges always (ibid., theorem 1), in whatever order the messages are sent and to the same fixed
    point. So each track uses at once what those before it sent, and goes somewhat beyond (successive
    over-relaxation): a quarter of the sweeps. Should they not be enough, it goes on without."""
    e = len(weight)
    to_plot, total, worth = np.zeros(e), np.empty(k), np.empty(e)
    before, last = np.empty(e, np.int64), np.empty(k, np.int64)
    chain(plot, before, last)
    calm = np.zeros(n, np.bool_)
    sweep, moved, everything = 0, True, False
    while sweep < _SWEEPS and (moved or not everything):
        everything, moved = sweep == 0 or not moved, False
        _sum_up(plot, to_plot, total)
        stride = _RELAXATION if 0 < sweep < _RELAXED_SWEEPS else 1.0
        for t in range(n):
            if settled[t] or (calm[t] and not everything):
                continue
            whole = none[t]
            for edge in range(first[t], first[t + 1]):
                left = total[plot[edge]] - to_plot[edge]
                if left < max(_CANCELS * to_plot[edge], _LEAST_LEFT):
                    left = _others(edge, last[plot[edge]], to_plot, before)
                worth[edge] = weight[edge] / left
                whole += worth[edge]
            calm[t] = True
            for edge in range(first[t], first[t + 1]):
                left = whole - worth[edge]
                if left < _CANCELS * worth[edge]:
                    left = none[t] + _sum_without(edge, first[t], first[t + 1], worth)
                old, message = to_plot[edge], weight[edge] / left
                change, little = abs(message - old), _ACCURACY * (1.0 + message)
                moved |= change > little
                calm[t] &= change <= _CALM * little
                new = max(old + stride * (message - old), 0.0)
                to_plot[edge] = new
                total[plot[edge]] += new - old
        sweep += 1
    _sum_up(plot, to_plot, total)
    _send_back(n, first, plot, settled, to_plot, total, last, before, to_track, unclaimed)
    return sweep


@njit(cache=True, error_model="numpy")
def _send_back(
    n: int,
    first: I64,
    plot: I64,
    settled: Mask,
    to_plot: F64,
    total: F64,
    last: I64,
    before: I64,
    to_track: F64,
    unclaimed: F64,
) -> None:
    """The messages from plots to tracks, and which plots are of none, once all others have settled."""
    for t in range(n):
        if settled[t]:
            continue
        for edge in range(first[t], first[t + 1]):
            left = total[plot[edge]] - to_plot[edge]
            if left < max(_CANCELS * to_plot[edge], _LEAST_LEFT):
                left = _others(edge, last[plot[edge]], to_plot, before)
            to_track[edge] = 1.0 / left
            unclaimed[plot[edge]] = 1.0 / total[plot[edge]]


@njit(cache=True, error_model="numpy")
def _sum_up(plot: I64, to_plot: F64, total: F64) -> None:
    total[:] = 1.0
    for edge in range(len(to_plot)):
        total[plot[edge]] += to_plot[edge]


@njit(cache=True, error_model="numpy")
def _others(edge: int, last: int, to_plot: F64, before: I64) -> float:
    """One and the messages that all other tracks sent to the edge's plot, whose last edge is ``last``."""
    total, other = 1.0, last
    while other >= 0:
        if other != edge:
            total += to_plot[other]
        other = before[other]
    return total


@njit(cache=True, error_model="numpy")
def _sum_without(edge: int, begin: int, end: int, worth: F64) -> float:
    total = 0.0
    for other in range(begin, end):
        if other != edge:
            total += worth[other]
    return total
