"""States and existence after a scan, once it is known which plot is how likely of which track.

The mixture over the plots as in probabilistic data association (Bar-Shalom, Fortmann 1988, 6.4), for each
model. Shapes as in `kernels.pmb`.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vedette.fuse.kernels.imm import SHARPEST, reweigh
from vedette.fuse.kernels.innovation import alike, any_raised, any_unlike, fit, rows_in_use
from vedette.fuse.kernels.kalman import F64, STATE
from vedette.fuse.kernels.sight import ANGLE, ROWS, columns_of, sight_again, turned

I64 = NDArray[np.int64]
Mask2 = NDArray[np.bool_]


@njit(cache=True, error_model="numpy")
def revise(
    n: int, kind: int, x: F64, p: F64, mu: F64, r: F64, pd: F64, searching: bool, origin: F64, rotation: F64,
    h: F64, z: F64, var: F64, use: Mask2, first: I64, plot: I64, likelihood: F64, weight: F64, none: F64,
    to_track: F64, hit: F64, best: I64,
) -> None:  # fmt: skip
    """Existence and state of every track after the scan, in place (Williams 2015, equations 38 to 41; the
    mixture over plots as in probabilistic data association, Bar-Shalom, Fortmann 1988, 6.4, for each model).

    ``h`` (n, m, ROWS): what would be measured of each, of `kernels.gating.edges`. ``searching``: that a body
    was not seen is evidence that it is not there. ``hit`` (n,): probability that the track was seen; ``best``
    (n,): its likeliest plot, or -1."""
    m, raised = mu.shape[1], any_raised(kind, use)
    jacobian = np.zeros((m, ROWS, STATE))
    left, gain = np.empty((m, STATE, STATE)), np.empty((m, ROWS, STATE))
    low, s, index = np.empty((m, ROWS, ROWS)), np.empty((m, ROWS)), np.empty(ROWS, np.int64)
    y, total, logdet = np.empty(ROWS), np.empty(m), np.empty(m)
    sums, squares = np.empty((m, ROWS)), np.empty((m, ROWS, ROWS))
    mean, second = np.empty((m, STATE)), np.empty((m, STATE, STATE))
    share, part = np.empty(m), np.empty((len(plot), m))
    mixed, rows = any_unlike(kind, var, use), rows_in_use(kind, 0, use, index) if len(z) else 0
    for t in range(n):
        begin, end = first[t], first[t + 1]
        missed = r[t] * (1.0 - pd[t]) / none[t] if searching else r[t]
        if begin == end:
            r[t], hit[t], best[t] = missed, 0.0, -1
            continue
        unseen = _share_out(t, begin, end, mu, plot, likelihood, weight, none, to_track, part, best)
        hit[t] = 1.0 - unseen
        r[t] = min(hit[t] + unseen * missed, 1.0)
        sight_again(kind, raised, t, x, origin, rotation, h[t], jacobian)
        if not mixed and rows == 1:
            row = index[0]
            _revise_by_row(
                t, begin, end, kind, row, var[plot[begin], row], unseen * missed, plot, part, z, h[t],
                jacobian, x, p, share, mean[0],
            )  # fmt: skip
            reweigh(mu[t], share)
            continue
        _begin_moments(t, unseen * missed, p, share, mean, second)
        while begin < end:
            held, stop = plot[begin], begin + 1
            while stop < end and alike(kind, plot[stop], held, var, use):
                stop += 1
            rows = rows_in_use(kind, held, use, index)
            fit(kind, held, var, rows, index, t, jacobian, p, left, gain, low, s, logdet)
            _gather(kind, begin, stop, plot, part, z, rows, index, h[t], low, y, total, sums, squares)
            _mingle(rows, total, left, gain, sums, squares, share, mean, second)
            begin = stop
        _settle(t, share, mean, second, x, p)
        reweigh(mu[t], share)


@njit(cache=True, error_model="numpy")
def _begin_moments(t: int, unseen: float, p: F64, share: F64, mean: F64, second: F64) -> None:
    """Moments of the state with the probability ``unseen`` that it stays as it is."""
    for a in range(len(share)):
        share[a] = unseen
        for i in range(STATE):
            mean[a, i] = 0.0
            for j in range(i + 1):
                second[a, i, j] = unseen * p[t, a, i, j]


@njit(cache=True, error_model="numpy")
def _share_out(
    t: int,
    begin: int,
    end: int,
    mu: F64,
    plot: I64,
    likelihood: F64,
    weight: F64,
    none: F64,
    to_track: F64,
    part: F64,
    best: I64,
) -> float:
    """``part`` (e, m): probability that a plot is the track's and it moves by that model; the track's
    ``best`` plot. Returns the probability that it was not seen."""
    whole = none[t]
    for edge in range(begin, end):
        whole += weight[edge] * to_track[edge]
    top = 0.0
    best[t] = -1
    for edge in range(begin, end):
        own, total = weight[edge] * to_track[edge], 0.0
        if own > top:
            top = own
            best[t] = plot[edge]
        for a in range(mu.shape[1]):
            total += mu[t, a] * likelihood[edge, a]
        scale = own / (whole * total)
        for a in range(mu.shape[1]):
            part[edge, a] = scale * likelihood[edge, a]
    unseen: float = none[t] / whole
    return unseen


@njit(cache=True, inline="always")
def _revise_by_row(
    t: int,
    begin: int,
    end: int,
    kind: int,
    row: int,
    variance: float,
    unseen: float,
    plot: I64,
    part: F64,
    z: F64,
    h: F64,
    jacobian: F64,
    x: F64,
    p: F64,
    share: F64,
    product: F64,
) -> None:
    """What `fit`, `_gather`, `_mingle` and `_settle` do, for plots of one row that fit alike, as those of
    most direction finders are: no more of the covariance is then needed than its product with that row.
    ``product`` (6,) is scratch."""
    columns = columns_of(kind, row)
    for a in range(len(share)):
        own, independent = 0.0, 0.0
        for i in range(STATE):
            product[i] = 0.0
            for j in range(columns):
                product[i] += p[t, a, i, j] * jacobian[a, row, j]
        for i in range(columns):
            own += jacobian[a, row, i] * product[i]
            independent += jacobian[a, row, i] * jacobian[a, row, i] * p[t, a, i, i]
        s = max(own, 0.0) + max(variance, SHARPEST * independent)
        total, mean, square = 0.0, 0.0, 0.0
        for edge in range(begin, end):
            y = z[plot[edge], row] - h[a, row]
            if row == ANGLE[kind]:
                y = turned(y)
            total += part[edge, a]
            mean += part[edge, a] * y
            square += part[edge, a] * y * y
        share[a] = unseen + total
        if not share[a] > 0.0:
            continue
        taken, mean = total / (share[a] * s), mean / share[a]
        # kept P + taken (P - g g' s) + spread g g', with kept + taken = 1 and the gain g = product / s.
        change = (square / share[a] - mean * mean) / (s * s) - taken
        for i in range(STATE):
            x[t, a, i] += product[i] * (mean / s)
            for j in range(i + 1):
                p[t, a, i, j] += change * product[i] * product[j]
                p[t, a, j, i] = p[t, a, i, j]


@njit(cache=True, error_model="numpy")
def _gather(
    kind: int,
    begin: int,
    end: int,
    plot: I64,
    part: F64,
    z: F64,
    rows: int,
    index: I64,
    h: F64,
    low: F64,
    y: F64,
    total: F64,
    sums: F64,
    squares: F64,
) -> None:
    """Moments of the innovations of plots that fit alike, weighted by their ``part``, and its ``total``."""
    for a in range(len(total)):
        total[a] = 0.0
        for r in range(rows):
            sums[a, r] = 0.0
            for c in range(r + 1):
                squares[a, r, c] = 0.0
        for edge in range(begin, end):
            weight = part[edge, a]
            total[a] += weight
            for r in range(rows):
                value = z[plot[edge], index[r]] - h[a, index[r]]
                if index[r] == ANGLE[kind]:
                    value = turned(value)
                for c in range(r):
                    value -= low[a, r, c] * y[c]
                y[r] = value
                sums[a, r] += weight * value
                for c in range(r + 1):
                    squares[a, r, c] += weight * value * y[c]


@njit(cache=True, error_model="numpy")
def _mingle(
    rows: int,
    total: F64,
    left: F64,
    gain: F64,
    sums: F64,
    squares: F64,
    share: F64,
    mean: F64,
    second: F64,
) -> None:
    """Add what plots that fit alike make of the state to its moments: each leaves the same covariance, and
    moves the state by its innovation."""
    for a in range(len(total)):
        share[a] += total[a]
        for i in range(STATE):
            for j in range(i + 1):
                second[a, i, j] += total[a] * left[a, i, j]
        for r in range(rows):
            for i in range(STATE):
                mean[a, i] += gain[a, r, i] * sums[a, r]
            for c in range(rows):
                square = squares[a, max(r, c), min(r, c)]
                for i in range(STATE):
                    for j in range(i + 1):
                        second[a, i, j] += gain[a, r, i] * square * gain[a, c, j]


@njit(cache=True, error_model="numpy")
def _settle(t: int, share: F64, mean: F64, second: F64, x: F64, p: F64) -> None:
    """The models' states from their moments."""
    for a in range(len(share)):
        if not share[a] > 0.0:
            continue
        for i in range(STATE):
            mean[a, i] /= share[a]
            x[t, a, i] += mean[a, i]
            for j in range(i + 1):
                p[t, a, i, j] = p[t, a, j, i] = second[a, i, j] / share[a] - mean[a, i] * mean[a, j]
