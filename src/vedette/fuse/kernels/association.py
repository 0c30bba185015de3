"""Which plot is of which track, all taken together: each group of tracks that share plots by itself.

Where the plots that tracks share are few, the marginals are exact (`kernels.frontier`); where they are many,
they come from belief propagation (`kernels.propagation`), which is too sure where two bodies meet but errs
little in a crowd.

Shapes: n tracks, k plots, e edges: pairs, sorted by track; ``first`` (n + 1,) tells where each track's
begin.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vedette.fuse.kernels import frontier, propagation
from vedette.fuse.kernels.frontier import LONGEST
from vedette.fuse.kernels.kalman import F64

I64 = NDArray[np.int64]


@njit(cache=True, error_model="numpy")
def associate(
    n: int, k: int, first: I64, plot: I64, weight: F64, none: F64, to_track: F64, unclaimed: F64
) -> int:
    """Marginals of all pairs, as `propagation.marginals` gives them; returns how many tracks were left to
    that."""
    e = len(weight)
    settled, met = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    asked, owner, before = np.zeros(k, np.bool_), np.empty(e, np.int64), np.empty(e, np.int64)
    last, degree = np.empty(k, np.int64), np.zeros(k, np.int64)
    left, slot, closes = np.empty(k, np.int64), np.empty(k, np.int64), np.empty(k, np.int64)
    group, order, used = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    frontier.chain(plot, before, last)
    for t in range(n):
        for edge in range(first[t], first[t + 1]):
            owner[edge] = t
            degree[plot[edge]] += 1
    unclaimed[:] = 1.0
    many = 0
    for t in range(n):
        if met[t]:
            continue
        if _settle_alone(t, first, plot, weight, none, degree, to_track, unclaimed):
            settled[t] = met[t] = True
            continue
        size = frontier.gather(t, first, plot, owner, before, last, met, asked, group)
        done = size <= LONGEST and frontier.arrange(size, group, first, plot, degree, left, order)
        if done:
            entries = frontier.seat(size, order, first, plot, degree, left, slot, closes, used)
            table, after = np.empty((size, entries)), np.empty((size, entries))
            done = frontier.settle_group(
                size, order, first, plot, weight, none, slot, closes, used, table, after, to_track, unclaimed
            )
        for member in range(size):
            settled[group[member]] = done
        many += 0 if done else size
    if many:
        propagation.marginals(n, k, first, plot, weight, none, settled, to_track, unclaimed)
    return many


@njit(cache=True, error_model="numpy")
def _settle_alone(
    t: int,
    first: I64,
    plot: I64,
    weight: F64,
    none: F64,
    degree: I64,
    to_track: F64,
    unclaimed: F64,
) -> bool:
    """The marginals of a track whose plots no other may have; False if it has none such."""
    whole = none[t]
    for edge in range(first[t], first[t + 1]):
        if degree[plot[edge]] > 1:
            return False
        whole += weight[edge]
    for edge in range(first[t], first[t + 1]):
        others = none[t]
        for other in range(first[t], first[t + 1]):
            if other != edge:
                others += weight[other]
        to_track[edge], unclaimed[plot[edge]] = 1.0, others / whole
    return True
