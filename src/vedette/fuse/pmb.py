"""One scan of one sensor against all tracks: which plot is of which body, which of none, what exists.

Track-oriented marginal multi-Bernoulli/Poisson filter (Williams, "Marginal multi-Bernoulli filters: RFS
derivation of MHT, JIPDA and association-based MeMBer", IEEE TAES 51(3), 2015; arXiv 1203.2995): each track
is a Bernoulli with a probability of existence, bodies not seen yet are a Poisson intensity, and the
marginal probability of every pair of track and plot comes from loopy belief propagation (Williams, Lau,
"Approximate evaluation of marginal association probabilities with belief propagation", IEEE TAES 50(4),
2014) over those pairs alone that lie in each other's gates.

Each body moves by several models (`vedette.fuse.imm`). A plot is used by its rows one after the other,
which for independent errors is the same as all at once (Bar-Shalom, Li, Kirubarajan 2001, 7.7), and needs
no matrix inverted. Explicit loops in a fixed order: the same input gives the same bits.

Shapes: n tracks, m models, k plots, e edges (gated pairs, sorted by track and then by the plot's key);
x (n, m, 6), p (n, m, 6, 6), mu (n, m); z, var (k, ROWS), use (k, ROWS).
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vedette.fuse.imm import reweigh
from vedette.fuse.kernels import F64, STATE, Mask
from vedette.fuse.measure import ANGLE as ANGLE
from vedette.fuse.measure import BEARING as BEARING
from vedette.fuse.measure import COUNT as COUNT
from vedette.fuse.measure import PLACE as PLACE
from vedette.fuse.measure import POLAR as POLAR
from vedette.fuse.measure import ROWS as ROWS
from vedette.fuse.measure import Mask2 as Mask2
from vedette.fuse.measure import absorb as absorb
from vedette.fuse.measure import observe as observe
from vedette.fuse.measure import wrapped as wrapped

I64 = NDArray[np.int64]

_SWEEPS = 200
_ACCURACY = 1e-7
_WIDTH_SIGMAS = 5.0
_TINY = 1e-12
_LEAST_PD = 0.01
"""A sensor's limits are its maker's word. What it sees beyond them it sees, and a body there must be tracked;
that it does not see a body there means nothing all the same."""
_MOST_WEIGHT = 1e100
"""Beyond this a pair is certain, and messages would overflow."""
_TWO_PI = 2.0 * math.pi
_LOG_TWO_PI = math.log(_TWO_PI)


@njit(cache=True)
def _copy(source: F64, target: F64) -> None:
    for i in range(STATE):
        for j in range(STATE):
            target[i, j] = source[i, j]


@njit(cache=True)
def _by_key(z: F64, var: F64, key: int) -> tuple[I64, F64, float]:
    """The order of the plots by one row, that row in this order, and its greatest variance."""
    order = np.argsort(z[:, key], kind="mergesort")
    widest = 0.0
    for j in range(len(z)):
        widest = max(widest, var[j, key])
    return order, z[order, key], widest


@njit(cache=True)
def _window(
    kind: int, key: int, x: F64, p: F64, origin: F64, rotation: F64, widest: float, h: F64, jacobian: F64
) -> tuple[float, float]:
    """Where the key row of a track's plots may lie, about what its first model foretells; ``h`` (m, ROWS) and
    ``jacobian`` (m, ROWS, 6) are filled for all its models."""
    low, high = math.inf, -math.inf
    for a in range(x.shape[0]):
        observe(kind, x[a], origin, rotation, h[a], jacobian[a])
        spread = widest
        for i in range(STATE):
            for j in range(STATE):
                spread += jacobian[a, key, i] * p[a, i, j] * jacobian[a, key, j]
        half = _WIDTH_SIGMAS * math.sqrt(max(spread, 0.0))
        off = h[a, key] - h[0, key]
        if kind != PLACE:
            off = wrapped(off)
        low, high = min(low, off - half), max(high, off + half)
    if kind != PLACE:
        low, high = max(low, -math.pi), min(high, math.pi - 1e-12)
    return low, high


@njit(cache=True)
def _weigh_pair(
    kind: int,
    z: F64,
    var: F64,
    use: Mask,
    p: F64,
    mu: F64,
    h: F64,
    jacobian: F64,
    gates: F64,
    step: F64,
    ph: F64,
    scratch: F64,
    likelihood: F64,
) -> bool:
    """The density of one plot under each model of one track; whether they are in each other's gate."""
    near, total, used = math.inf, 0.0, 1
    for a in range(len(mu)):
        _copy(p[a], scratch)
        d2, logdet, used = absorb(kind, z, var, use, h[a], jacobian[a], step, scratch, ph)
        near = min(near, d2)
        likelihood[a] = math.exp(-0.5 * (d2 + logdet + used * _LOG_TWO_PI))
        total += mu[a] * likelihood[a]
    return near <= gates[used] and 0.0 < total < math.inf


@njit(cache=True)
def edges(
    n: int,
    kind: int,
    x: F64,
    p: F64,
    mu: F64,
    origin: F64,
    rotation: F64,
    z: F64,
    var: F64,
    use: Mask2,
    forbidden: Mask2,
    gates: F64,
    first: I64,
    plot: I64,
    likelihood: F64,
) -> int:
    """The pairs of track and plot within each other's gate.

    ``first`` (n + 1,): where each track's edges begin; ``plot`` (e,), ``likelihood`` (e, m): density of the
    plot under each model. ``forbidden`` (n, k): pairs that cannot be. Returns how many there are, or -1 if
    there is no room for all."""
    m, key = mu.shape[1], max(ANGLE[kind], 0)
    order, keys, widest = _by_key(z, var, key)
    h, jacobian = np.empty((m, ROWS)), np.empty((m, ROWS, STATE))
    step, ph, scratch = np.empty(STATE), np.empty(STATE), np.empty((STATE, STATE))
    found = 0
    for t in range(n):
        first[t] = found
        low, high = _window(kind, key, x[t], p[t], origin, rotation, widest, h, jacobian)
        turns = 1 if kind == PLACE else 3
        for turn in range(turns):
            base = h[0, key] + (_TWO_PI * (turn - 1) if turns == 3 else 0.0)
            begin = np.searchsorted(keys, base + low, side="left")
            end = np.searchsorted(keys, base + high, side="right")
            for place in range(begin, end):
                q = order[place]
                if forbidden[t, q]:
                    continue
                if found == len(plot):
                    return -1
                if _weigh_pair(
                    kind,
                    z[q],
                    var[q],
                    use[q],
                    p[t],
                    mu[t],
                    h,
                    jacobian,
                    gates,
                    step,
                    ph,
                    scratch,
                    likelihood[found],
                ):
                    plot[found] = q
                    found += 1
    first[n] = found
    return found


@njit(cache=True)
def marginals(
    n: int, k: int, first: I64, plot: I64, weight: F64, none: F64, to_track: F64, unclaimed: F64
) -> int:
    """Loopy belief propagation (Williams, Lau 2014, equations 30 and 31).

    ``weight`` (e,): of each pair, over the weight that the plot is of no track; ``none`` (n,): weight that
    the track is seen by no plot. ``to_track`` (e,) gets the messages from plots to tracks, by which the
    marginal of a pair is weight * to_track / (none + sum of these); ``unclaimed`` (k,): the marginal that
    the plot is of no track. Returns the number of sweeps; it converges always (ibid., theorem 1)."""
    e = len(weight)
    to_plot, others, sums = np.zeros(e), np.empty(e), np.empty(k)
    for edge in range(e):
        to_track[edge] = 1.0
    sweep, change = 0, math.inf
    while sweep < _SWEEPS and change > _ACCURACY:
        change = 0.0
        for t in range(n):
            # Each sum leaves one out. The whole less that one would lose all others beside a large one.
            sum_of_others = none[t]
            for edge in range(first[t], first[t + 1]):
                others[edge] = sum_of_others
                sum_of_others += weight[edge] * to_track[edge]
            sum_of_others = 0.0
            for edge in range(first[t + 1] - 1, first[t] - 1, -1):
                message = weight[edge] / (others[edge] + sum_of_others)
                sum_of_others += weight[edge] * to_track[edge]
                change = max(change, abs(message - to_plot[edge]) / (1.0 + message))
                to_plot[edge] = message
        for q in range(k):
            sums[q] = 1.0
        for edge in range(e):
            others[edge] = sums[plot[edge]]
            sums[plot[edge]] += to_plot[edge]
        for q in range(k):
            unclaimed[q] = 1.0 / sums[q]
            sums[q] = 0.0
        for edge in range(e - 1, -1, -1):
            to_track[edge] = 1.0 / (others[edge] + sums[plot[edge]])
            sums[plot[edge]] += to_plot[edge]
        sweep += 1
    return sweep


@njit(cache=True)
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
    """Weights for `marginals`. ``r`` (n,): existence; ``pd`` (n,): probability that the sensor sees the track
    if it exists; ``elsewhere`` (k,): density of clutter and of bodies not known yet at each plot."""
    for t in range(n):
        none[t] = max(1.0 - r[t] * pd[t], _TINY)
        seen = r[t] * max(pd[t], _LEAST_PD)
        for edge in range(first[t], first[t + 1]):
            total = 0.0
            for a in range(mu.shape[1]):
                total += mu[t, a] * likelihood[edge, a]
            weight[edge] = min(seen * total / elsewhere[plot[edge]], _MOST_WEIGHT)


@njit(cache=True)
def _blend(
    kind: int,
    x: F64,
    p: F64,
    missed: float,
    z: F64,
    var: F64,
    use: Mask2,
    plots: I64,
    parts: F64,
    h: F64,
    jacobian: F64,
    step: F64,
    ph: F64,
    scratch: F64,
    mean: F64,
    second: F64,
) -> float:
    """One model of one track becomes the mixture over its plots, each with its part, and over having been
    missed; returns the sum of the parts."""
    share = missed
    for i in range(STATE):
        mean[i] = 0.0
        for j in range(STATE):
            second[i, j] = missed * p[i, j]
    for place in range(len(plots)):
        part, q = parts[place], plots[place]
        if not part > 0.0:
            continue
        _copy(p, scratch)
        absorb(kind, z[q], var[q], use[q], h, jacobian, step, scratch, ph)
        share += part
        for i in range(STATE):
            mean[i] += part * step[i]
            for j in range(i + 1):
                second[i, j] += part * (scratch[i, j] + step[i] * step[j])
    if not share > 0.0:
        return 0.0
    for i in range(STATE):
        mean[i] /= share
        x[i] += mean[i]
    for i in range(STATE):
        for j in range(i + 1):
            p[i, j] = second[i, j] / share - mean[i] * mean[j]
            p[j, i] = p[i, j]
    return share


@njit(cache=True)
def revise(
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
    first: I64,
    plot: I64,
    likelihood: F64,
    weight: F64,
    none: F64,
    to_track: F64,
    hit: F64,
    best: I64,
) -> None:
    """Existence and state of every track after the scan, in place (Williams 2015, equations 38 to 41; the
    mixture over plots as in probabilistic data association, Bar-Shalom, Fortmann 1988, 6.4, for each model).

    ``searching``: that a body was not seen is evidence that it is not there. ``hit`` (n,): probability that
    the track was seen; ``best`` (n,): its likeliest plot, or -1."""
    m = mu.shape[1]
    h, jacobian = np.empty(ROWS), np.empty((ROWS, STATE))
    step, ph, scratch = np.empty(STATE), np.empty(STATE), np.empty((STATE, STATE))
    mean, second = np.empty(STATE), np.empty((STATE, STATE))
    share, scale, parts = np.empty(m), np.empty(len(weight)), np.empty(len(weight))
    for t in range(n):
        begin, end = first[t], first[t + 1]
        missed = r[t] * (1.0 - pd[t]) / none[t] if searching else r[t]
        whole = none[t]
        for edge in range(begin, end):
            whole += weight[edge] * to_track[edge]
        unseen = none[t] / whole
        hit[t], best[t] = 1.0 - unseen, -1
        if begin == end:
            r[t], hit[t] = missed, 0.0
            continue
        best[t] = plot[begin + np.argmax(weight[begin:end] * to_track[begin:end])]
        r[t] = min(hit[t] + unseen * missed, 1.0)
        for edge in range(begin, end):
            total = 0.0
            for b in range(m):
                total += mu[t, b] * likelihood[edge, b]
            scale[edge] = weight[edge] * to_track[edge] / whole / total
        for a in range(m):
            observe(kind, x[t, a], origin, rotation, h, jacobian)
            for edge in range(begin, end):
                parts[edge] = scale[edge] * likelihood[edge, a]
            share[a] = _blend(
                kind, x[t, a], p[t, a], unseen * missed, z, var, use, plot[begin:end], parts[begin:end], h,
                jacobian, step, ph, scratch, mean, second,
            )  # fmt: skip
        reweigh(mu[t], share)


@njit(cache=True)
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
    room = 4 * (n + k) + 64
    plot, likelihood = np.empty(room, np.int64), np.empty((room, m))
    found = edges(n, kind, x, p, mu, origin, rotation, z, var, use, forbidden, gates, first, plot, likelihood)
    while found < 0:
        room *= 4
        plot, likelihood = np.empty(room, np.int64), np.empty((room, m))
        found = edges(
            n, kind, x, p, mu, origin, rotation, z, var, use, forbidden, gates, first, plot, likelihood
        )
    plot, weight, to_track = plot[:found], np.empty(found), np.empty(found)
    none = np.empty(n)
    weigh(n, mu, r, pd, elsewhere, first, plot, likelihood, weight, none)
    marginals(n, k, first, plot, weight, none, to_track, unclaimed)
    revise(
        n, kind, x, p, mu, r, pd, searching, origin, rotation, z, var, use, first, plot, likelihood, weight,
        none, to_track, hit, best,
    )  # fmt: skip
