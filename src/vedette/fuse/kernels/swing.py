"""Which way each direction finder looks, by all that it hears: a profile of likelihood over the whole circle.

The comparison (`kernels.comparison`) follows a bias that it knows already: what lies outside its gate is
clutter to it. So a mast that somebody turns, or puts right, is lost from one second to the next, and what is
then in the gate is of other bodies. Here every bias is held against every other one, and no past decision
plays a part. Per body and second, a bias b is likelier than that the body was not heard by

    log(1 + P_D / (1 - P_D) / lambda * sum_q N(z_q; a + b, s))

with the azimuths z_q, where the track would have it (a), and the density of directions lambda: the likelihood
of probabilistic data association (Bar-Shalom, Fortmann 1988, 6.4). Of the bodies of a second the one that
speaks most for a bias is left out of it (a jackknife): nothing is decided by a single body, which might send
from elsewhere than it flies, or have another one beside it.

Explicit loops in a fixed order. Shapes as in `kernels.comparison`; ``profile`` (s, CELLS).
"""

import math

import numpy as np
from numba import njit

from vedette.fuse.kernels.comparison import I64, ORIGIN, ROTATION, SEES, Mask2
from vedette.fuse.kernels.kalman import F64, STATE
from vedette.fuse.kernels.sight import BEARING, ROWS, TWO_PI, sight, wrapped

CELLS = 360
"""Of the circle, a degree each; the first one is round -pi."""
_CELL = TWO_PI / CELLS
_CELL_VAR = _CELL * _CELL / 12.0
"""Of a bias that may be anywhere in its cell."""
_FAR = 4.0
"""Sigmas beyond which a direction says nothing of a bias."""
_SEES = 0.8
"""No sensor is believed to hear a body more surely than this: what is loud may turn its back."""
_WANDER_M2PS3 = 100.0
_LEAST_GROUND_M = 150.0
"""As in `kernels.comparison`."""


@njit(cache=True, error_model="numpy")
def _density(azimuth: float, variance: float, plots: F64, begin: int, end: int, out: F64) -> None:
    """The sum of what each direction makes of each bias, (CELLS,) into ``out``."""
    out[:] = 0.0
    for q in range(begin, end):
        s = variance + plots[q, 2] + _CELL_VAR
        off = wrapped(plots[q, 0] - azimuth)
        middle, reach = math.floor((off + math.pi) / _CELL + 0.5), int(_FAR * math.sqrt(s) / _CELL) + 1
        reach = min(reach, CELLS // 2 - 1)
        for k in range(middle - reach, middle + reach + 1):
            away = off + math.pi - k * _CELL
            if away * away <= _FAR * _FAR * s:
                out[k % CELLS] += math.exp(-0.5 * away * away / s) / math.sqrt(TWO_PI * s)


@njit(cache=True, error_model="numpy")
def _heard(
    body: F64, p: F64, dt: float, figures: F64, plots: F64, begin: int, end: int, out: F64, term: F64
) -> bool:
    """Add what one look says of one body, whose state at its time is ``body`` (1, 1, 6), to ``term``
    (CELLS,); False if it says nothing. ``out`` (CELLS,): room."""
    origin, rotation = figures[ORIGIN : ORIGIN + 3], figures[ROTATION : ROTATION + 9].reshape(3, 3)
    ground = math.hypot(body[0, 0, 0] - origin[0], body[0, 0, 1] - origin[1])
    if begin == end or ground < _LEAST_GROUND_M:
        return False
    seen, jacobian = np.empty((1, ROWS)), np.zeros((1, ROWS, STATE))
    sight(BEARING, False, 0, body, origin, rotation, seen, jacobian)
    variance, wander = 0.0, _WANDER_M2PS3 * abs(dt * dt * dt) / 3.0
    for i in range(2):
        variance += wander * jacobian[0, 0, i] ** 2
        for j in range(2):
            variance += jacobian[0, 0, i] * p[i, j] * jacobian[0, 0, j]
    _density(seen[0, 0], max(variance, 0.0), plots, begin, end, out)
    sees = min(figures[SEES], _SEES)
    weight = sees / (1.0 - sees) * TWO_PI / (end - begin)
    for k in range(CELLS):
        if out[k] > 0.0:
            term[k] += math.log(1.0 + weight * out[k])
    return True


@njit(cache=True, error_model="numpy")
def listen(
    slots: I64, x: F64, p: F64, when: F64, sensor: I64, kind: I64, time: F64, figures: F64, number: I64,
    plots: F64, silent: Mask2, profile: F64,
) -> None:  # fmt: skip
    """Add a second to the profiles. The arguments are those of `kernels.comparison.compare`."""
    body, out, term = np.empty((1, 1, STATE)), np.empty(CELLS), np.empty(CELLS)
    total, top = np.empty(CELLS), np.empty(CELLS)
    for who in range(len(profile)):
        total[:], top[:] = 0.0, 0.0
        for turn, t in enumerate(slots):
            if silent[turn, who]:
                continue
            term[:], looks, end = 0.0, 0, 0
            for look in range(len(sensor)):
                begin, end = end, end + number[look]
                if sensor[look] != who or kind[look] != BEARING:
                    continue
                dt = time[look] - when[t]
                for i in range(3):
                    body[0, 0, i], body[0, 0, 3 + i] = x[t, i] + dt * x[t, 3 + i], x[t, 3 + i]
                looks += _heard(body, p[t], dt, figures[look], plots, begin, end, out, term)
            for k in range(CELLS if looks else 0):
                # However often it looks, a second of a body is one witness.
                total[k] += term[k] / looks
                top[k] = max(top[k], term[k] / looks)
        for k in range(CELLS):
            profile[who, k] += total[k] - top[k]


@njit(cache=True, error_model="numpy")
def elsewhere(profile: F64, azimuth: float, sigma: float, least: float, share: float) -> float:
    """The bias (radians) that the profile (CELLS,) of a sensor says, if that is not ``azimuth``, known with
    ``sigma``, but likelier by ``least`` (natural logarithm) and by a ``share`` of all that speaks for it;
    else not a number."""
    usual, top = 0.0, 0
    for k in range(CELLS):
        usual += profile[k] / CELLS
        if profile[k] > profile[top]:
            top = k
    here, near = math.floor((wrapped(azimuth) + math.pi) / _CELL + 0.5), -math.inf
    reach = min(1 + int(3.0 * sigma / _CELL), CELLS // 2 - 1)
    for k in range(here - reach, here + reach + 1):
        near = max(near, profile[k % CELLS])
    if profile[top] - near < max(least, share * (profile[top] - usual)):
        return math.nan
    total = middle = 0.0
    for k in range(top - 1, top + 2):
        excess = max(profile[k % CELLS] - usual, 0.0)
        total += excess
        middle += excess * (k - top)
    peak: float = wrapped((top + middle / total) * _CELL - math.pi)
    return peak
