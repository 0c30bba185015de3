"""What kind of body a track is, by how it moves: sequential Bayes over classes and speeds.

Each class is a jump process over bands of speed: a body keeps its band, and now and then draws a new one from
the speeds of its class. That a body holds one speed for a minute therefore counts as one observation of its
class and not as sixty, and that it changes from 30 m/s to standing counts as two. The forward recursion is
that of a hidden Markov model (L. R. Rabiner, "A tutorial on hidden Markov models", Proceedings of the IEEE
77(2), 1989, equations 19 and 20), with the class as a part of the state that hardly ever changes.

Explicit loops in a fixed order, as in `kernels.kalman`. Shapes: n tracks, c classes, b bands.
"""

import math

import numpy as np
from numba import njit

from vedette.fuse.kernels.kalman import F64, Mask

SOJOURN, MEMORY, ERROR, BLUR, LEAST, PAUSE, VAGUE = 0, 1, 2, 3, 4, 5, 6
"""Indices into the figures of `look`: mean times (s) that a body keeps its band, and that a track stays the
same body; time (s) over which the error of an estimated speed lasts, and variance (m2/s2) added to it;
existence below which nothing is learnt, and least time (s) between two lessons; variance (m2/s2) of both
components of a velocity beyond which nothing is learnt."""

MOVING = 2
"""So many models (`kernels.imm`), the first ones, are of bodies that do not come to a stop."""

UNHEARD = -1.0
"""In place of the mean of `Picture.emits` of a body to which nobody has listened."""

_MOST_NATS = 20.0
_TURNS = 3
_SMALLEST = 1e-12
"""No band and no class is ever ruled out."""


@njit(cache=True, error_model="numpy")
def scaled_i0(x: float) -> float:
    """exp(-x) I0(x) for x >= 0, within 2e-7 (Abramowitz, Stegun 1964, 9.8.1 and 9.8.2)."""
    if x < 3.75:
        t = (x / 3.75) ** 2
        series = 0.2659732 + t * (0.0360768 + t * 0.0045813)
        series = 1.0 + t * (3.5156229 + t * (3.0899424 + t * (1.2067492 + t * series)))
        return math.exp(-x) * series
    t = 3.75 / x
    series = -0.02057706 + t * (0.02635537 + t * (-0.01647633 + t * 0.00392377))
    series = 0.39894228 + t * (
        0.01328592 + t * (0.00225319 + t * (-0.00157565 + t * (0.00916281 + t * series)))
    )
    return series / math.sqrt(x)


@njit(cache=True, error_model="numpy")
def rice(measured: float, true: float, var: float) -> float:
    """Likelihood of a speed's estimate given the speed, each component of the velocity with an error of
    variance ``var``; without the factors that do not depend on ``true`` (S. O. Rice, "Mathematical analysis
    of random noise", Bell System Technical Journal 24(1), 1945, equation 3.10-11)."""
    off = measured - true
    return math.exp(-0.5 * off * off / var) * scaled_i0(measured * true / var)


@njit(cache=True, error_model="numpy")
def blown(air: F64, wind_var: float, middles: F64, ground: F64) -> None:
    """Distribution of speeds over ground (b,) of one over air (b,), both over the speeds ``middles`` (evenly
    spaced), in a wind whose components have the variance ``wind_var``."""
    for j in range(len(middles)):
        ground[j] = 0.0
    for i in range(len(middles)):
        total = 0.0
        for j in range(len(middles)):
            total += middles[j] * rice(middles[j], middles[i], wind_var)
        for j in range(len(middles)):
            ground[j] += air[i] * middles[j] * rice(middles[j], middles[i], wind_var) / total


@njit(cache=True, error_model="numpy")
def speed_seen(ve: float, vn: float, p: F64) -> tuple[float, float]:
    """An estimated velocity as a speed and a variance for `rice`, from ``p`` (6, 6).

    The error along the flight and the one across it differ by far. What counts of a fast body is the one
    along it; the one across adds to the square of the estimate, and that much is taken off again."""
    ee, en, nn = p[3, 3], p[3, 4], p[4, 4]
    square, trace = ve * ve + vn * vn, ee + nn
    along = 0.5 * trace
    if square > 0.0:
        along = (ve * ve * ee + 2.0 * ve * vn * en + vn * vn * nn) / square
    fast = square / (square + trace)
    var = fast * along + (1.0 - fast) * 0.5 * trace
    return math.sqrt(max(square + 2.0 * var - trace, 0.0)), var


@njit(cache=True, error_model="numpy")
def _likelihoods(speed: float, var: float, middles: F64, spreads: F64, share: float, out: F64) -> None:
    top = 0.0
    for k in range(len(middles)):
        out[k] = rice(speed, middles[k], var + spreads[k])
        top = max(top, out[k])
    for k in range(len(middles)):
        out[k] = (out[k] / top) ** share if top > 0.0 else 1.0


@njit(cache=True, error_model="numpy")
def begin(speeds: F64, nature: F64) -> None:
    """Nothing is known of the class: ``nature`` (c, b) is the ``speeds`` (c, b) of each, alike."""
    for c in range(speeds.shape[0]):
        for k in range(speeds.shape[1]):
            nature[c, k] = speeds[c, k] / speeds.shape[0]


@njit(cache=True, error_model="numpy")
def foresee(speeds: F64, stay: float, mix: float, nature: F64) -> None:
    """``nature`` (c, b) some time later, in place: a body keeps its band with the probability
    ``stay``, and is another body with the probability ``mix``."""
    classes = speeds.shape[0]
    for c in range(classes):
        mass = 0.0
        for k in range(speeds.shape[1]):
            mass += nature[c, k]
        for k in range(speeds.shape[1]):
            kept = stay * nature[c, k] + (1.0 - stay) * speeds[c, k] * mass
            nature[c, k] = (1.0 - mix) * kept + mix * speeds[c, k] / classes


@njit(cache=True, error_model="numpy")
def learn(over_ground: Mask, ground: F64, air: F64, nature: F64) -> None:
    """Bayes, in place: likelihoods (b,) of the speed over ground, and through the air."""
    total = 0.0
    for c in range(nature.shape[0]):
        for k in range(nature.shape[1]):
            nature[c, k] = max(nature[c, k] * (ground[k] if over_ground[c] else air[k]), _SMALLEST)
            total += nature[c, k]
    for c in range(nature.shape[0]):
        for k in range(nature.shape[1]):
            nature[c, k] /= total


@njit(cache=True, error_model="numpy")
def _observe(
    x: F64,
    p: F64,
    middles: F64,
    spreads: F64,
    over_ground: Mask,
    wind: F64,
    blur: float,
    share: float,
    room: F64,
    nature: F64,
) -> None:
    """Learn the speed of one track; ``share``: exponent of its likelihood; ``room`` (2, b) is scratch
    memory."""
    ground, air = room[0], room[1]
    speed, var = speed_seen(x[3], x[4], p)
    _likelihoods(speed, var + blur, middles, spreads, share, ground)
    if wind[0] == 0.0 and wind[1] == 0.0:
        learn(over_ground, ground, ground, nature)
        return
    speed, var = speed_seen(x[3] - wind[0], x[4] - wind[1], p)
    _likelihoods(speed, var + blur, middles, spreads, share, air)
    learn(over_ground, ground, air, nature)


@njit(cache=True, error_model="numpy")
def under_way(xm: F64, pm: F64, mu: F64, x: F64, p: F64) -> None:
    """Velocity over ground of one track, if it is not coming to a stop: the mixture of the first `MOVING`
    models of xm (m, 6), pm (m, 6, 6), mu (m,), into the horizontal velocities of x (6,) and p (6, 6).

    The third model lets velocities fall off, which draws estimates of what flies steadily towards zero."""
    total = 0.0
    for a in range(MOVING):
        total += max(mu[a], _SMALLEST)
    for i in range(3, 5):
        x[i] = 0.0
        for a in range(MOVING):
            x[i] += max(mu[a], _SMALLEST) / total * xm[a, i]
    for i in range(3, 5):
        for j in range(3, 5):
            p[i, j] = 0.0
            for a in range(MOVING):
                apart = (xm[a, i] - x[i]) * (xm[a, j] - x[j])
                p[i, j] += max(mu[a], _SMALLEST) / total * (pm[a, i, j] + apart)


@njit(cache=True, error_model="numpy")
def look(
    n: int,
    now: float,
    xm: F64,
    pm: F64,
    mu: F64,
    existence: F64,
    heard: F64,
    speeds: F64,
    middles: F64,
    spreads: F64,
    over_ground: Mask,
    wind: F64,
    figures: F64,
    nature: F64,
    learnt: F64,
) -> None:
    """What a look of an independent sensor at ``now`` says of the tracks that it saw (`heard` then).

    ``nature`` (n, c, b) is zero of a track of which nothing was learnt yet; ``learnt`` (n,): when it was
    brought up to date last."""
    room, x, p = np.empty((2, len(middles))), np.empty(6), np.empty((6, 6))
    for t in range(n):
        since = now - learnt[t]
        if heard[t] != now or existence[t] < figures[LEAST] or since < figures[PAUSE]:
            continue
        under_way(xm[t], pm[t], mu[t], x, p)
        if p[3, 3] + p[4, 4] > figures[VAGUE]:
            continue
        share = 1.0
        if nature[t, 0, 0] == 0.0:
            begin(speeds, nature[t])
        else:
            share = min(since / figures[ERROR], 1.0)
            stay, mix = math.exp(-since / figures[SOJOURN]), 1.0 - math.exp(-since / figures[MEMORY])
            foresee(speeds, stay, mix, nature[t])
        _observe(x, p, middles, spreads, over_ground, wind, figures[BLUR], share, room, nature[t])
        learnt[t] = now


@njit(cache=True, error_model="numpy")
def hark(n: int, visible: Mask, emits: F64, rise: float, fall: float, voice: F64) -> None:
    """A direction finder listened: ``voice`` (n,) goes its part of the way to ``emits`` (n,), upwards or
    downwards, of the tracks that it could hear; the whole way of those to which none has listened before."""
    for t in range(n):
        if visible[t] and voice[t] == UNHEARD:
            voice[t] = emits[t]
        elif visible[t]:
            voice[t] += (rise if emits[t] > voice[t] else fall) * (emits[t] - voice[t])


@njit(cache=True, error_model="numpy")
def flicker(n: int, pd: F64, hit: F64, share: float, memory: float, record: F64, gap: F64) -> None:
    """What a look of a searching sensor says for a body that it sees with ``share`` of the probability ``pd``
    (n,) for which it was set up, against one that it sees with all of it: the log of the likelihood ratio,
    added up, fading. Of the misses since the last hit it stands in ``gap`` (n,), and goes over into
    ``record`` (n,) with the next hit: till then the body may have gone. ``hit`` (n,): probability that the
    look saw the body."""
    last, seen, missed = -1.0, math.log(share), 0.0
    for t in range(n):
        if pd[t] > 0.0:
            if pd[t] != last:
                last, missed = pd[t], math.log((1.0 - share * pd[t]) / (1.0 - pd[t]))
            open_ = memory * gap[t]
            record[t] = memory * record[t] + hit[t] * (open_ + seen)
            gap[t] = (1.0 - hit[t]) * (open_ + missed)


@njit(cache=True, error_model="numpy")
def faint_part(record: float, odds: float) -> float:
    """Probability that a body is faint, after what `flicker` recorded and with these prior ``odds``."""
    faint = odds * math.exp(min(max(record, -_MOST_NATS), _MOST_NATS))
    return faint / (1.0 + faint)


@njit(cache=True, error_model="numpy")
def faint_odds(n: int, existence: F64, sure: float, record: F64, prior: float, bodies: float) -> float:
    """Odds that any body is faint, from all whose ``existence`` (n,) is ``sure``: the share of them, which
    is ``prior`` before any is known and then weighs as much as so many ``bodies``.

    Each is faint or not by its ``record`` (n,) and by that share itself, so it is found in turns, as by the
    EM algorithm for the weights of a mixture (A. P. Dempster, N. M. Laird, D. B. Rubin, "Maximum likelihood
    from incomplete data via the EM algorithm", Journal of the Royal Statistical Society B 39(1), 1977,
    4.3)."""
    share = prior
    for _ in range(_TURNS):
        total, weight = bodies * prior, bodies
        for t in range(n):
            if existence[t] >= sure:
                total += faint_part(record[t], share / (1.0 - share))
                weight += 1.0
        share = total / weight
    return share / (1.0 - share)


@njit(cache=True, error_model="numpy")
def dim(n: int, pd: F64, share: float, odds: float, record: F64, out: F64) -> None:
    """Probabilities of detection (n,): the mean of ``pd`` and of ``share`` of it, for a body that is faint
    with the probability of `faint_part`."""
    for t in range(n):
        out[t] = pd[t] * (1.0 - (1.0 - share) * faint_part(record[t], odds))


@njit(cache=True, error_model="numpy")
def masses(
    n: int,
    xm: F64,
    pm: F64,
    mu: F64,
    speeds: F64,
    middles: F64,
    spreads: F64,
    over_ground: Mask,
    wind: F64,
    blur: float,
    nature: F64,
    out: F64,
) -> None:
    """Probability (n, c) of each class by its speeds. Of a track of which nothing was learnt yet, what its
    speed says now."""
    room, first = np.empty((2, len(middles))), np.empty(speeds.shape)
    x, p = np.empty(6), np.empty((6, 6))
    for t in range(n):
        if nature[t, 0, 0] == 0.0:
            begin(speeds, first)
            under_way(xm[t], pm[t], mu[t], x, p)
            _observe(x, p, middles, spreads, over_ground, wind, blur, 1.0, room, first)
            _sums(first, out[t])
        else:
            _sums(nature[t], out[t])


@njit(cache=True, error_model="numpy")
def _sums(rows: F64, out: F64) -> None:
    for c in range(rows.shape[0]):
        out[c] = 0.0
        for k in range(rows.shape[1]):
            out[c] += rows[c, k]
