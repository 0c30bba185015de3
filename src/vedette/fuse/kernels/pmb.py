"""One scan of one sensor against all tracks: which plot is of which body, which of none, what exists.

Track-oriented marginal multi-Bernoulli/Poisson filter (Williams, "Marginal multi-Bernoulli filters: RFS
derivation of MHT, JIPDA and association-based MeMBer", IEEE TAES 51(3), 2015; arXiv 1203.2995): each track
is a Bernoulli with a probability of existence, bodies not seen yet are a Poisson intensity, and the
marginal probability of every pair of track and plot comes from those pairs alone that lie in each
other's gates (`kernels.gating`, `kernels.association`).

Each body moves by several models (`kernels.imm`); what a sensor would see of each is in
`kernels.sight`, and how a plot changes it in `kernels.innovation`. Explicit loops in a fixed
order: the same input gives the same bits.

Shapes: n tracks, m models, k plots, e edges (gated pairs, sorted by track and then by the plot's key);
x (n, m, 6), p (n, m, 6, 6), mu (n, m); z, var (k, ROWS), use (k, ROWS).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vedette.fuse.kernels.association import associate
from vedette.fuse.kernels.gating import edges as edges
from vedette.fuse.kernels.innovation import absorb as absorb
from vedette.fuse.kernels.kalman import F64
from vedette.fuse.kernels.revision import revise
from vedette.fuse.kernels.sight import ANGLE as ANGLE
from vedette.fuse.kernels.sight import BEARING as BEARING
from vedette.fuse.kernels.sight import COUNT as COUNT
from vedette.fuse.kernels.sight import PLACE as PLACE
from vedette.fuse.kernels.sight import POLAR as POLAR
from vedette.fuse.kernels.sight import ROWS as ROWS
from vedette.fuse.kernels.sight import observe as observe
from vedette.fuse.kernels.sight import wrapped as wrapped

I64 = NDArray[np.int64]
Mask2 = NDArray[np.bool_]

_TINY = 1e-12
_LEAST_PD = 0.01
"""A sensor's limits are its maker's word. What it sees beyond them it sees, and a body there must be tracked;
that it does not see a body there means nothing all the same."""
_MOST_WEIGHT = 1e100
"""Beyond this a pair is certain, and messages would overflow."""


@njit(cache=True, error_model="numpy")
def weigh(
    n: int,
    mu: F64,
    r: F64,
    pd: F64,
    elsewhere: F64,
    first: I64,
    plot: I64,
    likelihood: F64,
    weight: F64,
    none: F64,
) -> None:
    """Weights for `associate`. ``r`` (n,): existence; ``pd`` (n,): probability that the sensor sees the track
    if it exists; ``elsewhere`` (k,): density of clutter and of bodies not known yet at each plot."""
    for t in range(n):
        none[t] = max(1.0 - r[t] * pd[t], _TINY)
        seen = r[t] * max(pd[t], _LEAST_PD)
        for edge in range(first[t], first[t + 1]):
            total = 0.0
            for a in range(mu.shape[1]):
                total += mu[t, a] * likelihood[edge, a]
            weight[edge] = min(seen * total / elsewhere[plot[edge]], _MOST_WEIGHT)


@njit(cache=True, nogil=True, error_model="numpy")
def scan(
    n: int,
    kind: int,
    x: F64,
    p: F64,
    mu: F64,
    r: F64,
    pd: F64,
    searching: bool,
    origin: F64,
    rotation: F64,
    z: F64,
    var: F64,
    use: Mask2,
    forbidden: Mask2,
    elsewhere: F64,
    gates: F64,
    hit: F64,
    best: I64,
    unclaimed: F64,
) -> None:
    """One scan on tracks that were predicted to its time: all of this module in turn, in place."""
    k, m = z.shape[0], mu.shape[1]
    first = np.zeros(n + 1, np.int64)
    room = 16 * (n + k) + 64  # Small: memory that is new each time costs as much as what is done in it.
    plot, likelihood, h = np.empty(room, np.int64), np.empty((room, m)), np.empty((n, m, ROWS))
    found = edges(
        n, kind, x, p, mu, origin, rotation, z, var, use, forbidden, gates, first, plot, likelihood, h
    )
    while found < 0:
        room *= 4
        plot, likelihood = np.empty(room, np.int64), np.empty((room, m))
        found = edges(
            n, kind, x, p, mu, origin, rotation, z, var, use, forbidden, gates, first, plot, likelihood, h
        )
    plot, weight, to_track = plot[:found], np.empty(found), np.empty(found)
    none = np.empty(n)
    weigh(n, mu, r, pd, elsewhere, first, plot, likelihood, weight, none)
    associate(n, k, first, plot, weight, none, to_track, unclaimed)
    revise(
        n, kind, x, p, mu, r, pd, searching, origin, rotation, h, z, var, use, first, plot, likelihood,
        weight, none, to_track, hit, best,
    )  # fmt: skip
