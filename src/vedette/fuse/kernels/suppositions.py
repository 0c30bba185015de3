"""Bodies that may be where directions cross, many at once: who founds them, and which of them are kept.

Tables as in `rays.state.Hypotheses`: xm (n, m, 6), pm (n, m, 6, 6), mu (n, m), existence, known and founded
(n,). Explicit loops in a fixed order, as in `kernels.kalman`.
"""

import numpy as np
from numba import njit

from vedette.fuse.kernels.clutter import I64
from vedette.fuse.kernels.crossing import share
from vedette.fuse.kernels.kalman import F64, STATE, Mask
from vedette.fuse.kernels.pmb import Mask2


@njit(cache=True, error_model="numpy")
def likely_ones(
    ka: int, kb: int, first: I64, other: I64, weight: F64, use_a: Mask2, use_b: Mask2, least: float,
    likely: F64, good: I64, raised: Mask,
) -> int:  # fmt: skip
    """The pairs of `crossing.cross_all` that are bodies with a probability of ``least``: their numbers into
    ``good`` (e,), their probabilities into ``likely`` (e,), and into ``raised`` (e,) whether one of both
    measured an elevation; returns how many."""
    share(ka, kb, first, other, weight, likely)
    found = 0
    for i in range(ka):
        for edge in range(first[i], first[i + 1]):
            if likely[edge] >= least:
                good[found], likely[found] = edge, likely[edge]
                raised[found] = use_a[i, 1] or use_b[other[edge], 1]
                found += 1
    return found


@njit(cache=True, error_model="numpy")
def begin(good: I64, place: F64, spread: F64, unsure: F64, xm: F64, pm: F64, mu: F64) -> None:
    """States of new ones at the places ``good`` (n,) of ``place`` (e, 3) with the covariances ``spread``
    (e, 3, 3); ``unsure`` (3,): sigmas of a velocity that is not known."""
    xm[:], pm[:], mu[:] = 0.0, 0.0, 1.0
    for t in range(len(good)):
        for a in range(mu.shape[1]):
            for i in range(3):
                xm[t, a, i] = place[good[t], i]
                pm[t, a, 3 + i, 3 + i] = unsure[i] * unsure[i]
                for j in range(3):
                    pm[t, a, i, j] = spread[good[t], i, j]


@njit(cache=True, error_model="numpy")
def keep(
    begin: int, least: float, xm: F64, pm: F64, mu: F64, existence: F64, known: Mask, founded: F64,
    xo: F64, po: F64, muo: F64, ro: F64, knowno: Mask, foundedo: F64, kept: I64,
) -> int:  # fmt: skip
    """Copy those that exist with a probability of ``least`` into a table of the same kind, from the row
    ``begin`` on, and their numbers into ``kept`` from there; returns where the next one would be."""
    for t in range(len(existence)):
        if not existence[t] >= least:
            continue
        for a in range(mu.shape[1]):
            muo[begin, a] = mu[t, a]
            for i in range(STATE):
                xo[begin, a, i] = xm[t, a, i]
                for j in range(STATE):
                    po[begin, a, i, j] = pm[t, a, i, j]
        ro[begin], knowno[begin], foundedo[begin], kept[begin] = existence[t], known[t], founded[t], t
        begin += 1
    return begin


@njit(cache=True, error_model="numpy")
def all_sound(xm: F64, pm: F64, existence: F64) -> bool:
    """Whether all numbers of a table are finite."""
    return bool(np.isfinite(xm).all() and np.isfinite(pm).all() and np.isfinite(existence).all())
