"""How far each sensor's azimuths are turned, and its clock is off, from plots of the same bodies.

Registration by an augmented state (N. Okello, B. Ristic, "Maximum likelihood registration for multiple
dissimilar sensors", IEEE TAES 39(3), 2003, treat the same unknowns), in which the place of a body is begun
anew for each body and each second, nearly unknown. So nothing of what a turned sensor did to a track comes
back as if it were evidence: only plots of different sensors are held against each other, and a track serves
to find them.

Explicit loops in a fixed order, as in `kernels.kalman`. Shapes: t tracks, l looks, k plots in all, s sensors;
``mean`` (2 s,) and ``cov`` (2 s, 2 s): azimuth bias (radians, clockwise) and clock offset (seconds, ahead) of
each sensor in turn.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vedette.fuse.kernels.kalman import F64, STATE, Mask
from vedette.fuse.kernels.sight import ANGLE, POLAR, ROWS, TWO_PI, sight, wrapped

I64 = NDArray[np.int64]
Mask2 = NDArray[np.bool_]

AZIMUTH, RANGE, AZIMUTH_VAR, RANGE_VAR = 0, 1, 2, 3
"""Columns of plots."""
SEES, ORIGIN, ROTATION = 0, 1, 4
"""Where in the figures of a look (13,) these begin: probability that its sensor sees a body, and the sensor's
place and rotation as in `kernels.sight.observe`."""
USUAL, MOST = 0.5, 0.95
"""Probability of seeing of a sensor that states none, and the most that is believed of any."""

_BODY = 4
"""East, north and their velocities: what a body adds to the state while it is compared."""
_UNKNOWN_M2 = 1000.0**2
"""Variance of where a body is before any plot: too wide to matter beside plots."""
_MANOEUVRE_M2PS3 = 100.0
"""Acceleration density that stands for a turn within the second (a judgement: between the straight and the
manoeuvring model)."""
_GATE = 10.83
"""Chi-square 0.999 quantile of one row (table of the chi-square distribution)."""
_INFORMED = 4.0
"""A row that is foretold with no more than this times the variance that the track alone gives is foretold by
other plots."""
_LEAST_GROUND_M = 150.0
"""Nearer than this an azimuth turns too fast for a second."""
_SURE = 0.9
_LEAST_HEARD = 0.02
_CAUTION = 1.0
"""No plot counts as more accurate than this times what is known before it (as variances): in a wide gate it
may be of something else, and one wrong plot must not decide where later ones are looked for."""


@njit(cache=True, error_model="numpy")
def _row(row: int, sensor: int, turned: float, dt: float, velocity: F64, jacobian: F64, h: F64) -> None:
    """Derivative of what the sensor measures by body, bias and clock, into ``h``: a clock that is ahead
    stamps where the body was before."""
    rate = 0.0
    for i in range(len(h)):
        h[i] = 0.0
    for i in range(3):
        rate += jacobian[row, i] * velocity[i]
    for i in range(2):
        h[i], h[2 + i] = jacobian[row, i], jacobian[row, i] * dt
    h[_BODY + 2 * sensor] = turned
    h[_BODY + 2 * sensor + 1] = -rate


@njit(cache=True, error_model="numpy")
def _spread(h: F64, cov: F64, product: F64) -> float:
    """h cov h', and ``product`` = cov h'."""
    n, total = len(h), 0.0
    for i in range(n):
        product[i] = 0.0
        for j in range(n):
            product[i] += cov[i, j] * h[j]
        total += h[i] * product[i]
    return max(total, 0.0)


@njit(cache=True, error_model="numpy")
def _take(
    h: F64, variance: float, y: float, square: float, heard: float, mean: F64, cov: F64, product: F64
) -> None:
    """Update by a row of which ``heard`` is the probability that any of its plots was the body's, ``y`` the
    mean of their innovations and ``square`` that of their squares (Bar-Shalom, Fortmann 1988, 6.4)."""
    n = len(h)
    s = _spread(h, cov, product) + variance
    known = -heard / s + (square - y * y) / (s * s)
    for i in range(n):
        mean[i] += product[i] * y / s
        for j in range(i + 1):
            cov[i, j] += known * product[i] * product[j]
            cov[j, i] = cov[i, j]


@njit(cache=True, error_model="numpy")
def _foretold(h: F64, mean: F64) -> float:
    total = 0.0
    for i in range(len(h)):
        total += h[i] * mean[i]
    return total


@njit(cache=True, error_model="numpy")
def _own_spread(row: int, jacobian: F64, p: F64) -> float:
    """Variance of a row by the track's own place."""
    own = 0.0
    for i in range(2):
        for j in range(2):
            own += jacobian[row, i] * p[i, j] * jacobian[row, j]
    return max(own, 0.0)


@njit(cache=True, error_model="numpy")
def _wander(dt: float) -> float:
    """Variance of a place by the turns that a body may make in ``dt``."""
    return _MANOEUVRE_M2PS3 * abs(dt * dt * dt) / 3.0


@njit(cache=True, error_model="numpy")
def _theirs(azimuth: float, variance: float, turned: float, me: int, others: F64, voice: F64) -> float:
    """Density of directions of other bodies at this one: what stands near them may be theirs (the cheap form
    of joint association: R. Fitzgerald, "Development of practical PDA logic for multitarget tracking by
    microprocessor", American Control Conference 1986). ``others`` (r, 2): azimuths and ranges of rivals as
    their tracks foretell them, ``voice`` (r,): how likely each sends; ``me``: the body's own number."""
    total = 0.0
    for r in range(len(others)):
        off = wrapped(azimuth - others[r, 0] - turned)
        if r != me and off * off < _GATE * variance:
            total += voice[r] * math.exp(-0.5 * off * off / variance)
    return total / math.sqrt(TWO_PI * variance)


@njit(cache=True, error_model="numpy")
def _theirs_in_range(
    plot: F64, va: float, vr: float, shift: tuple[float, float], me: int, others: F64
) -> float:
    """As `_theirs`, of plots with ranges, which need nobody to send."""
    total = 0.0
    for r in range(len(others)):
        off, away = wrapped(plot[AZIMUTH] - others[r, 0] - shift[0]), plot[RANGE] - others[r, 1] - shift[1]
        if r != me and off * off < _GATE * va and away * away < _GATE * vr:
            total += math.exp(-0.5 * (off * off / va + away * away / vr))
    return total / (TWO_PI * math.sqrt(va * vr))


@njit(cache=True, error_model="numpy")
def _ranged(
    begin: int, end: int, plots: F64, sees: float, seen: tuple[float, float], h: F64, g: F64,
    extra: tuple[float, float], own: tuple[float, float, float], told: tuple[float, float],
    me: int, others: F64, mean: F64, cov: F64, product: F64,
) -> float:  # fmt: skip
    """A look that measures ranges: the plot that is surely the body's, if there is one, by both rows; returns
    1, or -1 if nothing was known before to compare it with, or 0 for none. ``seen``, ``extra``,
    ``own``, ``told``: foretold azimuth and range, what to add to their variances, the track's own (and,
    third, that of the sensor's bias), and how far what the tracker takes for right is from them."""
    informed = _spread(h, cov, product) <= _INFORMED * (own[0] + own[2] + plots[begin, AZIMUTH_VAR])
    d_az, d_r = _foretold(h, mean) if informed else told[0], _foretold(g, mean) if informed else told[1]
    s_az, s_r = (_spread(h, cov, product), _spread(g, cov, product)) if informed else (own[0], own[1])
    best, top, total, farthest = -1, 0.0, 0.0, 1.0
    for q in range(begin, end):
        va, vr = s_az + plots[q, AZIMUTH_VAR] + extra[0], s_r + plots[q, RANGE_VAR] + extra[1]
        off, away = wrapped(plots[q, AZIMUTH] - seen[0] - d_az), plots[q, RANGE] - seen[1] - d_r
        farthest = max(farthest, plots[q, RANGE])
        if off * off / va > _GATE or away * away / vr > _GATE:
            continue
        likely = math.exp(-0.5 * (off * off / va + away * away / vr)) / (TWO_PI * math.sqrt(va * vr))
        total += likely
        if likely > top:
            best, top = q, likely
    if best < 0:
        return 0.0
    va, vr = s_az + plots[best, AZIMUTH_VAR] + extra[0], s_r + plots[best, RANGE_VAR] + extra[1]
    total += _theirs_in_range(plots[best], va, vr, (d_az, d_r), me, others)
    elsewhere = (end - begin) / (TWO_PI * farthest)
    if top * sees < _SURE * (total * sees + elsewhere * (1.0 - sees)):
        return 0.0
    off = wrapped(plots[best, AZIMUTH] - seen[0] - _foretold(h, mean))
    variance = plots[best, AZIMUTH_VAR] + extra[0]
    if informed:
        variance = max(variance, _CAUTION * _spread(h, cov, product))
    _take(h, variance, off, off * off, 1.0, mean, cov, product)
    away = plots[best, RANGE] - seen[1] - _foretold(g, mean)
    _take(g, plots[best, RANGE_VAR] + extra[1], away, away * away, 1.0, mean, cov, product)
    return 1.0 if informed else -1.0


@njit(cache=True, error_model="numpy")
def _directed(
    begin: int, end: int, plots: F64, sees: float, azimuth: float, h: F64, extra: float, own: float,
    me: int, others: F64, voice: F64, turned: float, mean: F64, cov: F64, product: F64,
) -> float:  # fmt: skip
    """A look of directions, as probabilistic data association weighs them, each less by what of it may be of
    other bodies; returns the probability that the
    body was heard, as a negative number if nothing was known before to compare it with."""
    spread, told = _spread(h, cov, product), _foretold(h, mean)
    informed = spread <= _INFORMED * (own + plots[begin, AZIMUTH_VAR])
    near = spread if informed else own
    if not informed:
        told = 0.0
        for i in range(_BODY, len(h)):
            told += h[i] * mean[i]
    total, y, square, clutter = 0.0, 0.0, 0.0, (end - begin) / TWO_PI
    for q in range(begin, end):
        s = near + plots[q, AZIMUTH_VAR] + extra
        off = wrapped(plots[q, AZIMUTH] - azimuth - told)
        if off * off / s > _GATE:
            continue
        likely = sees * math.exp(-0.5 * off * off / s) / math.sqrt(TWO_PI * s)
        likely *= clutter / (clutter + sees * _theirs(plots[q, AZIMUTH], s, turned, me, others, voice))
        total += likely
        y += likely * off
        square += likely * off * off
    none = (1.0 - sees) * clutter
    heard = total / (total + none)
    if heard < _LEAST_HEARD:
        return 0.0
    y, square = y / (total + none), square / (total + none)
    # The innovations were measured from `told`; the update needs them from the joint state.
    shift = told - _foretold(h, mean)
    square += 2.0 * shift * y + heard * shift * shift
    y += heard * shift
    variance = max(plots[begin, AZIMUTH_VAR] + extra, _CAUTION * spread if informed else 0.0)
    _take(h, variance, y, square, heard, mean, cov, product)
    return heard if informed else -heard


@njit(cache=True, error_model="numpy")
def _look(
    kind: int, who: int, dt: float, figures: F64, begin: int, end: int, plots: F64, body: F64, p: F64,
    told: F64, me: int, others: F64, voice: F64, silent: bool, mean: F64, cov: F64, h: F64, g: F64,
    product: F64,
) -> float:  # fmt: skip
    """One look at one body, whose state at its time is ``body`` (1, 1, 6); returns as `_ranged` and
    `_directed` do. ``silent``: the body is no witness for what only hears."""
    origin, rotation = figures[ORIGIN : ORIGIN + 3], figures[ROTATION : ROTATION + 9].reshape(3, 3)
    velocity = body[0, 0, 3:6]
    if begin == end or math.hypot(body[0, 0, 0] - origin[0], body[0, 0, 1] - origin[1]) < _LEAST_GROUND_M:
        return 0.0
    seen, jacobian = np.empty((1, ROWS)), np.zeros((1, ROWS, STATE))
    sight(kind, False, 0, body, origin, rotation, seen, jacobian)
    row, place = ANGLE[kind], _BODY + 2 * who
    _row(row, who, 1.0, dt, velocity, jacobian[0], h)
    wander = _wander(dt)
    extra = wander * (jacobian[0, row, 0] ** 2 + jacobian[0, row, 1] ** 2)
    own = _own_spread(row, jacobian[0], p)
    bias = cov[place, place] + h[place + 1] * h[place + 1] * cov[place + 1, place + 1]
    if kind != POLAR:
        if silent:
            return 0.0
        return _directed(
            begin, end, plots, figures[SEES], seen[0, row], h, extra, own + bias, me, others, voice,
            mean[place], mean, cov, product,
        )  # fmt: skip
    _row(0, who, 0.0, dt, velocity, jacobian[0], g)
    return _ranged(
        begin, end, plots, figures[SEES], (seen[0, row], seen[0, 0]), h, g, (extra, wander),
        (own, _own_spread(0, jacobian[0], p), bias),
        (told[0] + h[place + 1] * told[1], g[place + 1] * told[1]), me, others, mean, cov, product,
    )  # fmt: skip


@njit(cache=True, error_model="numpy")
def _joint(t: int, p: F64, mean: F64, cov: F64, a: F64, joint: F64) -> None:
    """The state of a body of which only the velocity is known, and that of all sensors, as one."""
    a[:], joint[:] = 0.0, 0.0
    for i in range(2):
        joint[i, i] = _UNKNOWN_M2
        for j in range(2):
            joint[2 + i, 2 + j] = p[t, 3 + i, 3 + j]
    a[_BODY:] = mean
    joint[_BODY:, _BODY:] = cov


@njit(cache=True, error_model="numpy")
def _sound(mean: F64, cov: F64) -> bool:
    """False if the numbers failed."""
    sound = True
    for i in range(len(mean)):
        sound &= math.isfinite(mean[i]) and cov[i, i] > 0.0
        for j in range(len(mean)):
            sound &= math.isfinite(cov[i, j])
    return sound


@njit(cache=True, error_model="numpy")
def _foretell(rivals: I64, x: F64, when: F64, time: float, figures: F64, others: F64) -> None:
    """Azimuth and range (r, 2) of all rivals at the time of a look, from where its sensor stands."""
    for r, t in enumerate(rivals):
        dt = time - when[t]
        e = n = u = 0.0
        for i in range(3):
            d = x[t, i] + dt * x[t, 3 + i] - figures[ORIGIN + i]
            e += figures[ROTATION + 3 * i] * d
            n += figures[ROTATION + 3 * i + 1] * d
            u += figures[ROTATION + 3 * i + 2] * d
        others[r, 0], others[r, 1] = math.atan2(e, n), math.sqrt(e * e + n * n + u * u)


@njit(cache=True, error_model="numpy")
def compare(
    slots: I64, x: F64, p: F64, when: F64, sensor: I64, kind: I64, time: F64, figures: F64, number: I64,
    plots: F64, told: F64, emits: F64, rivals: I64, silent: Mask2, mean: F64, cov: F64, used: F64,
) -> bool:  # fmt: skip
    """Hold the plots of one second against each other, in place; False if the numbers failed.

    ``slots`` (t,): tracks that are well known, of those with states ``x`` (n, 6), ``p`` (n, 6, 6) at
    ``when`` (n,). ``sensor``, ``kind``, ``time``, ``number`` of plots (l,), ``figures`` (l, 13): the
    looks, those with ranges first; ``plots`` (k, 4), look by look. ``told`` (s, 2): what the tracker takes
    off now. ``emits`` (n,): how likely each track sends; ``silent`` (t, s): which body is no witness for
    directions of which sensor. ``rivals`` (r,): tracks whose plots these may be, ascending, those of
    ``slots`` among them. ``used`` (t, s): weight of what was
    compared."""
    n = _BODY + len(mean)
    a, joint, product, h, g = np.zeros(n), np.zeros((n, n)), np.empty(n), np.empty(n), np.empty(n)
    first, body = np.empty(used.shape[1]), np.empty((1, 1, STATE))
    others, voice = np.empty((len(sensor), len(rivals), 2)), np.empty(len(rivals))
    for look in range(len(sensor)):
        _foretell(rivals, x, when, time[look], figures[look], others[look])
    for r, t in enumerate(rivals):
        voice[r] = emits[t]
    for turn, t in enumerate(slots):
        _joint(t, p, mean, cov, a, joint)
        me = int(np.searchsorted(rivals, t))
        first[:], compared, end = 0.0, 0.0, 0
        for look in range(len(sensor)):
            begin, end, who = end, end + number[look], sensor[look]
            dt = time[look] - when[t]
            for i in range(3):
                body[0, 0, i], body[0, 0, 3 + i] = x[t, i] + dt * x[t, 3 + i], x[t, 3 + i]
            weight = _look(
                kind[look], who, dt, figures[look], begin, end, plots, body, p[t], told[who], me,
                others[look], voice, silent[turn, who], a, joint, h, g, product,
            )  # fmt: skip
            # What comes first is compared by what comes after it.
            first[who] += max(-weight, 0.0)
            used[turn, who] += max(weight, 0.0)
            compared += max(weight, 0.0)
        if compared > 0.5:
            used[turn] += first
        mean[:] = a[_BODY:]
        cov[:] = joint[_BODY:, _BODY:]
    return _sound(mean, cov)


@njit(cache=True, error_model="numpy")
def well_known(
    n: int, p: F64, existence: F64, confirmed: Mask, independent: Mask, emits: F64, levels: F64, slots: I64
) -> int:
    """The tracks whose places are known best, in order, into ``slots``, as far as there is room there; those
    that surely send go before all others, for only they are witnesses for all sensors. Returns how many.
    ``levels``: least existence, largest variance of a place (m^2), and what is sure of ``emits`` (n,)."""
    found, room = 0, len(slots)
    spread = np.empty(room + 1)
    for t in range(n):
        variance = p[t, 0, 0] + p[t, 1, 1]
        if not (confirmed[t] and independent[t] and existence[t] > levels[0] and variance < levels[1]):
            continue
        if emits[t] < levels[2]:
            variance += levels[1]
        place = found
        while place > 0 and spread[place - 1] > variance:
            place -= 1
        if place >= room:
            continue
        found = min(found + 1, room)
        for i in range(found - 1, place, -1):
            slots[i], spread[i] = slots[i - 1], spread[i - 1]
        slots[place], spread[place] = t, variance
    slots[:found] = np.sort(slots[:found])
    return found


@njit(cache=True, error_model="numpy")
def shift(begin: int, end: int, x: F64, p: F64, dt: float) -> None:
    """All models x (n, m, 6), p (n, m, 6, 6) of some tracks ``dt`` later, or earlier, by their velocities:
    what is stamped by a clock that is off is compared with the body where it was."""
    for t in range(begin, end):
        for a in range(x.shape[1]):
            for i in range(3):
                x[t, a, i] += dt * x[t, a, i + 3]
            for i in range(3):
                for j in range(i + 1):
                    place = p[t, a, i, j] + dt * (p[t, a, i, j + 3] + p[t, a, i + 3, j])
                    p[t, a, i, j] = p[t, a, j, i] = place + dt * dt * p[t, a, i + 3, j + 3]
            for i in range(3):
                for j in range(3):
                    p[t, a, i, j + 3] += dt * p[t, a, i + 3, j + 3]
                    p[t, a, j + 3, i] = p[t, a, i, j + 3]
