"""The features of every pair of a track and a unit, and what is remembered of the pair for them.

One pass over the units of a track fills the features of each pair; a second one compares the units among
themselves. The names and meanings of the features are in `assess.features`, in the same order.

Running means as in `kernels.motion`. A running sum of log-likelihood ratios with forgetting time T takes
the ratio x of a look that stood for dt as ``exp(-dt / T) S + T (1 - exp(-dt / T)) x``: one independent
look a second, whatever the rate of the looks. Forgetting follows the time that has passed; a look never
stands for more than `LONGEST_LOOK_S`, so that nothing is made of a gap.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vedette.assess.kernels import intent, motion
from vedette.assess.kernels.motion import F64

Mask = NDArray[np.bool_]
I64 = NDArray[np.int64]

# Columns of a unit's figures, as `columns.figures_of_units` makes them.
UE, UN, UU, UVE, UVN, UVAR, UVEL_VAR, UREACH, UHEIGHT_KNOWN = range(9)
UNIT_FIGURES = 9

# Columns of a pair's memory. FIRST is negative for a pair that was never looked at.
(
    FIRST, NEAREST, FARTHEST, HIGHEST, AIM3, AIM10, AIM30, CLOSE3, CLOSE10, CLOSE30, COMING30, HOVER30,
    RANGE60, RANGE_VAR60, WOUND60, JOINT, OWN_SQUARE, UNIT_SQUARE, INTENT,
) = range(19)  # fmt: skip
PAIR_MEMORY = INTENT + intent.INTENTS
UNSEEN = -1.0

# Features, in the order of `assess.features.FEATURES`.
(
    SPEED, AIRSPEED, CLIMB, SPEED_GAIN, SPEED_RATIO, SPEED_JUMP30, CLIMB_JUMP10, TURN, STRAIGHT10,
    STRAIGHT30, STRAIGHT_CHANGE, STEADY, GYRATION, LOITER, STAYED, AGE, L_FPV, L_QUAD, L_WING, L_BIRD,
    L_CRAFT, EXISTENCE, TRUST, UNSEEN_S,
    UNIT_SPEED, UNIT_SIGMA, RANGE, SLANT, HEIGHT, HEIGHT_SHARE, NEAREST_NOW, CLOSING, CLOSING_SHARE,
    REL_SPEED, MISS, MISS_SIGMA, TCPA, DRIFT, COURSE_ERROR, COURSE_SIGMAS, ANGLE_3D, DIVE_ANGLE, P50, P10,
    EARLIEST, REACH15, REACH30, REACH60, REACH120, AIM_NOW, F_AIM3, F_AIM10, F_AIM30, F_CLOSE10, F_CLOSE30,
    CLOSING_GAIN, CLOSING_JUMP10, CLOSING_JUMP30, F_COMING30, F_HOVER30, F_RANGE60, F_RANGE_CV, F_WOUND,
    F_NEAREST, OVER_NEAREST, OVER_FARTHEST, F_FIRST, WITH_UNIT, WATCH,
    AIM_LEAD3, AIM_LEAD10, AIM_LEAD30, AIM_SHARE3, AIM_SHARE10, OTHERS_AIM10, WATCH_OTHER, WATCH_LEAD,
    CV_LEAD, P50_SHARE, RANGE_LEAD, RANGE_SHARE,
    H_ATTACK, H_DIVE, H_FOLLOW, H_ORBIT, H_DROP, H_PROBE, H_TRANSIT, H_BIRD, H_AUTHORISED,
) = range(90)  # fmt: skip
FEATURE_COUNT = 90

# Constants that settings give: see `assess.features.constants`.
WOBBLE_RAD, OUTLIER = 0, 1
SPEED_OF_CLASS = 2
"""Where the four pairs of median and spread (m/s) begin: fpv, multirotor, fixed wing, anything else."""
CONSTANTS = 10

NEVER_S = 600.0
HIGH_M = 500.0
LONGEST_LOOK_S = 2.0
FIRST_LOOK_S = 0.4
"""The first look at a pair counts as one of so many seconds: one look is not yet a course."""
P10_NORMAL = 1.2816
_CLOSING_SPREAD = 0.15
_DEGREES = 180.0 / math.pi
_LEAST_BELIEF = 1e-3
_LEAST_GONE_MPS = 0.5
_LEAST_HEIGHT_M = 10.0
_LEAST_SPREAD = 0.02
NOBODY_WATCHED = -14.0
"""Logarithm of the chance that another unit is watched where there is no other."""


@njit(cache=True, error_model="numpy")
def of_track(t: F64, memory: F64, f: F64) -> None:
    """Fill in the features that depend on the track alone."""
    speed = math.sqrt(t[motion.VE] ** 2 + t[motion.VN] ** 2)
    f[SPEED] = speed
    f[AIRSPEED] = math.sqrt((t[motion.VE] - t[motion.AIR_E]) ** 2 + (t[motion.VN] - t[motion.AIR_N]) ** 2)
    known = t[motion.HEIGHT_KNOWN] > 0.0
    f[CLIMB] = t[motion.VU] if known else math.nan
    before_e, before_n = memory[motion.V3E], memory[motion.V3N]
    before = math.sqrt(before_e**2 + before_n**2)
    f[SPEED_GAIN] = (speed - before) / 3.0
    f[SPEED_RATIO] = (speed + 1.0) / (memory[motion.SPEED30] + 1.0)
    f[SPEED_JUMP30] = speed - memory[motion.SPEED30]
    f[CLIMB_JUMP10] = f[CLIMB] - memory[motion.CLIMB10]
    across = t[motion.VE] * before_n - t[motion.VN] * before_e
    along = t[motion.VE] * before_e + t[motion.VN] * before_n
    turned = math.atan2(across, along) * _DEGREES / 3.0
    moving = min(speed, before) / (min(speed, before) + 1.0)
    f[TURN] = turned * moving
    f[STRAIGHT10] = _straight(memory[motion.V10E], memory[motion.V10N], memory[motion.SPEED10])
    f[STRAIGHT30] = _straight(memory[motion.V30E], memory[motion.V30N], memory[motion.SPEED30])
    f[STRAIGHT_CHANGE] = f[STRAIGHT10] - f[STRAIGHT30]
    f[STEADY] = math.sqrt(memory[motion.HEAD_E] ** 2 + memory[motion.HEAD_N] ** 2)
    f[GYRATION] = math.sqrt(memory[motion.SPREAD])
    f[LOITER] = t[motion.LOITERS]
    f[STAYED] = t[motion.STAYED]
    f[AGE] = memory[motion.AGE]
    for k in range(5):
        f[L_FPV + k] = log_belief(t[motion.FPV + k])
    f[EXISTENCE] = t[motion.EXISTENCE]
    f[TRUST] = t[motion.TRUST]
    f[UNSEEN_S] = t[motion.UNSEEN_S]


@njit(cache=True, error_model="numpy", inline="always")
def log_belief(belief: float) -> float:
    """Logarithm of a belief in a class, as it is a feature."""
    return math.log(max(belief, _LEAST_BELIEF))


@njit(cache=True, error_model="numpy", inline="always")
def _straight(mean_e: float, mean_n: float, mean_speed: float) -> float:
    return math.sqrt(mean_e * mean_e + mean_n * mean_n) / max(mean_speed, _LEAST_GONE_MPS)


@njit(cache=True, error_model="numpy", inline="always")
def glance(t: F64, u: F64, c: F64, f: F64) -> float:
    """Fill in, of what follows from the two states alone, what is remembered or compared among units; returns
    how far the bearing turns, radians/s."""
    east, north = t[motion.E] - u[UE], t[motion.N] - u[UN]
    known = t[motion.HEIGHT_KNOWN] > 0.0 and u[UHEIGHT_KNOWN] > 0.0
    up = t[motion.U] - u[UU] if known else 0.0
    square = max(east * east + north * north, 1.0)
    distance = math.sqrt(square)
    slant = math.sqrt(square + up * up)
    le, ln = east / distance, north / distance
    we, wn = t[motion.VE] - u[UVE], t[motion.VN] - u[UVN]
    closing = -(le * we + ln * wn)
    speed_square = we * we + wn * wn + 1e-6
    speed = math.sqrt(speed_square)
    way = slant if abs(up) > HIGH_M else distance
    k = 1.0 / _course_variance(t, u, c, le, ln, square, speed_square)
    aimed = math.sqrt(1.0 + 2.0 * math.pi * k) * math.exp(-k * (1.0 - closing / speed))
    f[RANGE], f[SLANT], f[HEIGHT] = distance, slant, up if known else math.nan
    f[NEAREST_NOW] = max(slant - u[UREACH], 0.0)
    f[CLOSING], f[REL_SPEED] = closing, speed
    f[P50] = min(way / max(closing, 0.1), NEVER_S)
    f[AIM_NOW] = math.log((1.0 - c[OUTLIER]) * aimed + c[OUTLIER])
    rate: float = (ln * we - le * wn) / distance
    return rate


@njit(cache=True, error_model="numpy", inline="always")
def _course_variance(
    t: F64, u: F64, c: F64, le: float, ln: float, square: float, speed_square: float
) -> float:
    """Variance of the angle between its course and the unit, radians^2."""
    pos_across, _ = _spread(t, motion.PEE, le, ln, u[UVAR])
    vel_across, _ = _spread(t, motion.VEE, le, ln, u[UVEL_VAR])
    total: float = c[WOBBLE_RAD] ** 2 + vel_across / speed_square + pos_across / square
    return total


@njit(cache=True, error_model="numpy")
def geometry(t: F64, u: F64, c: F64, f: F64) -> None:
    """Fill in the rest of what follows from the two states alone, after `glance`."""
    distance, closing, speed, p50 = f[RANGE], f[CLOSING], f[REL_SPEED], f[P50]
    le, ln = (t[motion.E] - u[UE]) / distance, (t[motion.N] - u[UN]) / distance
    we, wn = t[motion.VE] - u[UVE], t[motion.VN] - u[UVN]
    turning = ln * we - le * wn
    square, speed_square = distance * distance, speed * speed
    pos_across, pos_along = _spread(t, motion.PEE, le, ln, u[UVAR])
    vel_across, vel_along = _spread(t, motion.VEE, le, ln, u[UVEL_VAR])
    tcpa = min(distance * max(closing, 0.0) / speed_square, NEVER_S)
    relative = pos_along / square + vel_along / max(closing * closing, 0.01)
    f[CLOSING_SHARE] = closing / max(speed, 1.0)
    f[MISS] = distance * abs(turning) / speed if closing > 0.0 else distance
    f[MISS_SIGMA], f[TCPA] = math.sqrt(pos_across + tcpa * tcpa * vel_across), tcpa
    f[DRIFT] = abs(turning) / distance * _DEGREES
    f[COURSE_SIGMAS] = 1.0 / math.sqrt(_course_variance(t, u, c, le, ln, square, speed_square))
    f[P10] = p50 * math.exp(-P10_NORMAL * math.sqrt(min(relative, 1.0) + _CLOSING_SPREAD**2))
    f[EARLIEST] = min(f[NEAREST_NOW] / t[motion.ENVELOPE], NEVER_S)
    f[UNIT_SPEED] = math.sqrt(u[UVE] ** 2 + u[UVN] ** 2)
    f[UNIT_SIGMA] = math.sqrt(u[UVAR])


@njit(cache=True, error_model="numpy")
def later(t: F64, u: F64, c: F64, used: Mask, m: F64, alone: F64, f: F64) -> None:
    """Fill in what is asked of few pairs, after `glance` and `remember`: the rest of the geometry, what comes
    from memory, and what is costly so far as it is ``used``. ``alone``: the features of the track alone."""
    f[:UNIT_SPEED] = alone
    geometry(t, u, c, f)
    recall(m, f)
    if used[COURSE_ERROR] or used[COURSE_SIGMAS]:
        error = math.acos(max(-1.0, min(1.0, f[CLOSING] / f[REL_SPEED])))
        f[COURSE_ERROR], f[COURSE_SIGMAS] = error * _DEGREES, error * f[COURSE_SIGMAS]
    if used[ANGLE_3D] or used[DIVE_ANGLE]:
        f[ANGLE_3D] = f[DIVE_ANGLE] = math.nan
        if f[HEIGHT] == f[HEIGHT]:
            _dive(t, f[HEIGHT], f[CLOSING], f[REL_SPEED], f[RANGE], f[SLANT], f)
    if used[REACH15]:
        reach(t, c, f)
    for h in range(intent.INTENTS):
        if used[H_ATTACK + h]:
            f[H_ATTACK + h] = math.log(m[INTENT + h])


@njit(cache=True, error_model="numpy", inline="always")
def _spread(t: F64, first: int, le: float, ln: float, more: float) -> tuple[float, float]:
    """Variance across and along the line of sight of a horizontal covariance, plus the unit's."""
    ee, en, nn = t[first], t[first + 1], t[first + 2]
    mixed = 2.0 * le * ln * en
    across = ln * ln * ee + le * le * nn - mixed
    along = le * le * ee + ln * ln * nn + mixed
    return max(across, 0.0) + more, max(along, 0.0) + more


@njit(cache=True, error_model="numpy", inline="always")
def _dive(t: F64, up: float, closing: float, speed: float, distance: float, slant: float, f: F64) -> None:
    """The angle in space between its course and the unit, and how much steeper than level it comes down:
    1 where it comes down as steeply as the line to the unit."""
    vu = t[motion.VU]
    velocity = math.sqrt(speed * speed + vu * vu)
    cosine = (closing * distance - vu * up) / (velocity * slant)
    f[ANGLE_3D] = math.acos(max(-1.0, min(1.0, cosine))) * _DEGREES
    f[DIVE_ANGLE] = -vu * distance / (max(closing, 1.0) * max(up, 10.0))


@njit(cache=True, error_model="numpy")
def reach(t: F64, c: F64, f: F64) -> None:
    """Chance that it could be at the unit within 15, 30, 60 and 120 s, should it turn in now: it must fly
    at least so fast, and how fast the classes fly is spread about their medians. In closed form, with an
    algebraic distribution (x / sqrt(1 + x x)) in place of the normal one; its own speed counts too."""
    known = t[motion.V_FPV] + t[motion.V_FPV + 1] + t[motion.V_FPV + 2]
    own = f[SPEED]
    for k in range(4):
        need = f[NEAREST_NOW] / (15.0 * 2.0**k)
        total = 0.0
        for group in range(4):
            share = t[motion.V_FPV + group] if group < 3 else max(0.0, 1.0 - known)
            median = max(c[SPEED_OF_CLASS + 2 * group], own)
            x = (need - median) / c[SPEED_OF_CLASS + 2 * group + 1]
            total += share * 0.5 * (1.0 - x / math.sqrt(1.0 + x * x))
        f[REACH15 + k] = min(total, 1.0)


@njit(cache=True, error_model="numpy")
def reaches(tracks: F64, rows: F64, c: F64) -> F64:
    """`reach` of pairs, [pairs, 4]: figures of the track of each, and its features, which keep none of it."""
    out, f = np.empty((rows.shape[0], 4)), np.empty(FEATURE_COUNT)
    for n in range(rows.shape[0]):
        f[SPEED], f[NEAREST_NOW] = rows[n, SPEED], rows[n, NEAREST_NOW]
        reach(tracks[n], c, f)
        out[n] = f[REACH15 : REACH120 + 1]
    return out


@njit(cache=True, error_model="numpy")
def remember(t: F64, u: F64, f: F64, turning: float, gain: F64, m: F64) -> None:
    """Take this look into the pair's memory. ``gain``: `gains` of the seconds since the last one."""
    closing, distance, aim = f[CLOSING], f[RANGE], f[AIM_NOW]
    own, unit = t[motion.VE] ** 2 + t[motion.VN] ** 2, u[UVE] ** 2 + u[UVN] ** 2
    coming = max(0.0, min(1.0, 0.25 * closing))
    hovering = max(0.0, min(1.0, 1.0 - 0.25 * (f[REL_SPEED] - 2.0)))
    if m[FIRST] < 0.0:
        m[FIRST] = m[NEAREST] = m[FARTHEST] = m[RANGE60] = distance
        m[AIM3] = m[AIM10] = m[AIM30] = FIRST_LOOK_S * aim
        m[CLOSE3] = m[CLOSE10] = m[CLOSE30] = closing
        m[COMING30], m[HOVER30] = coming, hovering
        m[RANGE_VAR60] = m[WOUND60] = 0.0
        m[HIGHEST] = f[HEIGHT] if f[HEIGHT] > _LEAST_HEIGHT_M else _LEAST_HEIGHT_M
        m[JOINT] = t[motion.VE] * u[UVE] + t[motion.VN] * u[UVN]
        m[OWN_SQUARE] = own
        m[UNIT_SQUARE] = unit
        return
    g3, g10, g30, g60, seen = gain[0], gain[1], gain[2], gain[3], gain[4]
    m[NEAREST], m[FARTHEST] = min(m[NEAREST], distance), max(m[FARTHEST], distance)
    if f[HEIGHT] > m[HIGHEST]:
        m[HIGHEST] = f[HEIGHT]
    m[AIM3] = (1.0 - g3) * m[AIM3] + 3.0 * g3 * seen * aim
    m[AIM10] = (1.0 - g10) * m[AIM10] + 10.0 * g10 * seen * aim
    m[AIM30] = (1.0 - g30) * m[AIM30] + 30.0 * g30 * seen * aim
    m[CLOSE3] += g3 * (closing - m[CLOSE3])
    m[CLOSE10] += g10 * (closing - m[CLOSE10])
    m[CLOSE30] += g30 * (closing - m[CLOSE30])
    m[COMING30] += g30 * (coming - m[COMING30])
    m[HOVER30] += g30 * (hovering - m[HOVER30])
    off = distance - m[RANGE60]
    m[RANGE60] += g60 * off
    m[RANGE_VAR60] = (1.0 - g60) * (m[RANGE_VAR60] + g60 * off * off)
    m[WOUND60] = (1.0 - g60) * m[WOUND60] + 60.0 * g60 * seen * turning / (2.0 * math.pi)
    m[JOINT] += g30 * (t[motion.VE] * u[UVE] + t[motion.VN] * u[UVN] - m[JOINT])
    m[OWN_SQUARE] += g30 * (own - m[OWN_SQUARE])
    m[UNIT_SQUARE] += g30 * (unit - m[UNIT_SQUARE])


@njit(cache=True, error_model="numpy")
def gains(dt: float, out: F64) -> None:
    """Shares by which running means of 3, 10, 30 and 60 s move in ``dt``, and the share of ``dt`` for which
    the look stands."""
    out[0] = -math.expm1(-dt / 3.0)
    out[1] = -math.expm1(-dt / 10.0)
    out[2] = -math.expm1(-dt / 30.0)
    out[3] = -math.expm1(-dt / 60.0)
    out[4] = 1.0 if dt <= LONGEST_LOOK_S else LONGEST_LOOK_S / dt


@njit(cache=True, error_model="numpy")
def recall(m: F64, f: F64) -> None:
    """Fill in the features that come from memory."""
    f[F_AIM3], f[F_AIM10], f[F_AIM30] = m[AIM3], m[AIM10], m[AIM30]
    f[F_CLOSE10], f[F_CLOSE30] = m[CLOSE10], m[CLOSE30]
    f[CLOSING_GAIN] = (f[CLOSING] - m[CLOSE3]) / 3.0
    f[CLOSING_JUMP10], f[CLOSING_JUMP30] = f[CLOSING] - m[CLOSE10], f[CLOSING] - m[CLOSE30]
    f[HEIGHT_SHARE] = f[HEIGHT] / m[HIGHEST]
    f[F_COMING30], f[F_HOVER30] = m[COMING30], m[HOVER30]
    f[F_RANGE60] = m[RANGE60]
    f[F_RANGE_CV] = math.sqrt(m[RANGE_VAR60]) / m[RANGE60]
    f[F_WOUND] = abs(m[WOUND60])
    f[F_NEAREST], f[F_FIRST] = m[NEAREST], m[FIRST]
    f[OVER_NEAREST] = f[RANGE] / m[NEAREST]
    f[OVER_FARTHEST] = f[RANGE] / m[FARTHEST]
    f[WITH_UNIT] = m[JOINT] / math.sqrt((m[OWN_SQUARE] + 1.0) * (m[UNIT_SQUARE] + 1.0))


@njit(cache=True, error_model="numpy")
def among(rows: F64, used: Mask, some: I64) -> None:
    """Fill in what compares each of ``some`` units with all others; ``rows`` [units, features] of a track."""
    units = rows.shape[0]
    other = np.empty(units)
    for source, target in ((F_AIM3, AIM_LEAD3), (F_AIM10, AIM_LEAD10), (F_AIM30, AIM_LEAD30)):
        greatest_other(rows, source, 1.0, 0.0, other)
        for j in some:
            if target == AIM_LEAD10:
                rows[j, OTHERS_AIM10] = other[j]
            rows[j, target] = rows[j, source] - max(other[j], 0.0)
    nearest = math.inf
    for j in range(units):
        nearest = min(nearest, rows[j, RANGE])
    for j in some:
        rows[j, RANGE_SHARE] = nearest / rows[j, RANGE]
    for source, target in ((F_AIM3, AIM_SHARE3), (F_AIM10, AIM_SHARE10)):
        if used[target]:
            _share(rows, source, target, some)
    greatest_other(rows, WATCH, 1.0, NOBODY_WATCHED, other)
    for j in some:
        rows[j, WATCH_OTHER], rows[j, WATCH_LEAD] = other[j], rows[j, WATCH] - other[j]
    for source, target, least in (
        (F_RANGE_CV, CV_LEAD, _LEAST_SPREAD), (P50, P50_SHARE, 0.0), (RANGE, RANGE_LEAD, 0.0)
    ):  # fmt: skip
        if used[target]:
            greatest_other(rows, source, -1.0, math.nan, other)
            for j in some:
                own = rows[j, source] + least
                rows[j, target] = 0.0 if other[j] != other[j] else math.log(own / (least - other[j]))


@njit(cache=True, error_model="numpy")
def greatest_other(rows: F64, source: int, sign: float, nobody: float, out: F64) -> None:
    """For every unit the greatest ``sign`` times the feature ``source`` of all others; ``nobody`` if none."""
    best, second, who = -math.inf, -math.inf, -1
    for j in range(rows.shape[0]):
        value = sign * rows[j, source]
        if value > best:
            best, second, who = value, best, j
        elif value > second:
            second = value
    for j in range(rows.shape[0]):
        other = second if j == who else best
        out[j] = nobody if other == -math.inf else other


@njit(cache=True, error_model="numpy")
def _share(rows: F64, source: int, target: int, some: I64) -> None:
    """The logarithm of the share of ``some`` units of exp(source)."""
    greatest, total = -math.inf, 0.0
    for j in range(rows.shape[0]):
        greatest = max(greatest, rows[j, source])
    for j in range(rows.shape[0]):
        total += math.exp(rows[j, source] - greatest)
    for j in some:
        rows[j, target] = rows[j, source] - greatest - math.log(total)


@njit(cache=True, error_model="numpy")
def of_one_track(
    t: F64, units: F64, dt: float, c: F64, used: Mask, switched: F64, gain: F64, memory: F64, rows: F64
) -> None:
    """What is remembered of all pairs of one track: ``memory`` [units, `PAIR_MEMORY`] is brought up to date,
    and the features of `glance`, the aims and the watch are filled into ``rows`` [units, features]; `later`
    and `among` fill in the others. The features of the track alone stand in row 0 already; ``dt`` is not
    negative. Costly ones that are not ``used`` [features] are left as they are, which should be NaN."""
    alone, work = np.empty(intent.INTENTS), np.empty(intent.INTENTS)
    first, after = np.empty(intent.INTENTS), np.empty(intent.INTENTS)
    seconds = min(dt, LONGEST_LOOK_S)
    intent.by_motion(t, rows[0, TURN], alone)
    intent.powers(alone, FIRST_LOOK_S, first)
    intent.powers(alone, seconds, after)
    for j in range(units.shape[0]):
        f, m, u = rows[j], memory[j], units[j]
        turning = glance(t, u, c, f)
        fresh = m[FIRST] < 0.0
        remember(t, u, f, turning, gain, m)
        f[F_AIM3], f[F_AIM10], f[F_AIM30] = m[AIM3], m[AIM10], m[AIM30]
        if used[CV_LEAD]:
            f[F_RANGE_CV] = math.sqrt(m[RANGE_VAR60]) / m[RANGE60]
        if fresh or dt > 0.0:
            intent.update(
                m[INTENT:], fresh, switched, first if fresh else after, f[REL_SPEED],
                f[CLOSING] / f[REL_SPEED], 0.5 * (t[motion.VEE] + t[motion.VNN]) + u[UVEL_VAR],
                f[AIM_NOW], f[RANGE], intent.LOOK_WEIGHT * (FIRST_LOOK_S if fresh else seconds), work,
            )  # fmt: skip
        if used[WATCH]:
            f[WATCH] = math.log(m[INTENT + intent.FOLLOW] + m[INTENT + intent.ORBIT])


@njit(cache=True, error_model="numpy")
def features(
    tracks: F64, units: F64, elapsed: F64, c: F64, track_memory: F64, pair_memory: F64, out: F64
) -> None:
    """Features of all pairs into ``out`` [tracks, units, features]; both memories are brought up to date.

    ``elapsed`` [tracks]: seconds since each track's pairs were looked at, negative for a new track.
    Nothing in ``out`` is left as it was.
    """
    switched, gain = np.empty((intent.INTENTS, intent.INTENTS)), np.empty(5)
    used, everyone = np.ones(FEATURE_COUNT, np.bool_), np.arange(units.shape[0])
    last = -1.0
    for i in range(tracks.shape[0]):
        motion.step(tracks[i], track_memory[i], elapsed[i])
        passed = max(elapsed[i], 0.0)
        if passed != last:
            intent.switching(passed, switched)
            gains(passed, gain)
            last = passed
        of_track(tracks[i], track_memory[i], out[i, 0])
        of_one_track(tracks[i], units, passed, c, used, switched, gain, pair_memory[i], out[i])
        for j in everyone:
            alone = out[i, 0, :UNIT_SPEED]
            later(tracks[i], units[j], c, used, pair_memory[i, j], alone, out[i, j])
        among(out[i], used, everyone)
