"""What is remembered of each track by itself: running means of its motion, exact for any step.

A running mean with time constant T takes a value x that stood for dt as ``m + (1 - exp(-dt / T)) (x - m)``:
two half steps give what one whole step gives, so that it does not matter how often a track is looked at.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

F64 = NDArray[np.float64]

# Columns of a track's figures, as `columns.figures_of_tracks` makes them.
E, N, U, VE, VN, VU = 0, 1, 2, 3, 4, 5
PEE, PEN, PNN, VEE, VEN, VNN, PUU, VUU = 6, 7, 8, 9, 10, 11, 12, 13
HEIGHT_KNOWN, ENVELOPE, AIR_E, AIR_N = 14, 15, 16, 17
FPV, MULTIROTOR, FIXED_WING, BIRD, AIRCRAFT = 18, 19, 20, 21, 22
EXISTENCE, LOITERS, STAYED, TRUST, UNSEEN_S = 23, 24, 25, 26, 27
V_FPV = 28
"""Where the same five beliefs begin, without what sensors for which nobody vouches call harmless."""
TRACK_FIGURES = 33

# Columns of a track's memory.
(
    AGE, V3E, V3N, V3U, V10E, V10N, SPEED10, V30E, V30N, SPEED30,
    HEAD_E, HEAD_N, MEAN_E, MEAN_N, SPREAD, CLIMB10, LAST_E, LAST_N, GONE_E, GONE_N,
) = range(20)  # fmt: skip
TRACK_MEMORY = 20

GONE_S = 10.0
"""Forgetting time of how far it has gone: see `gone`."""

MOTION_S = (3.0, 5.0, 10.0, 30.0)
"""Time constants: of accelerations, headings, and the two of straightness."""


@njit(cache=True, error_model="numpy")
def step(figures: F64, memory: F64, dt: float) -> None:
    """Take one track's state into its memory. ``dt``: seconds since the last one, negative if it is new."""
    ve, vn, vu = figures[VE], figures[VN], figures[VU]
    speed = math.sqrt(ve * ve + vn * vn)
    head_e, head_n = ve / max(speed, 1e-3), vn / max(speed, 1e-3)
    if dt < 0.0:
        memory[AGE] = 0.0
        memory[V3E] = memory[V10E] = memory[V30E] = ve
        memory[V3N] = memory[V10N] = memory[V30N] = vn
        memory[V3U] = memory[CLIMB10] = vu
        memory[SPEED10] = memory[SPEED30] = speed
        memory[HEAD_E], memory[HEAD_N] = head_e, head_n
        memory[MEAN_E], memory[MEAN_N], memory[SPREAD] = figures[E], figures[N], 0.0
        memory[LAST_E], memory[LAST_N], memory[GONE_E], memory[GONE_N] = figures[E], figures[N], 0.0, 0.0
        return
    gone(figures, memory, dt)
    g3, g5 = -math.expm1(-dt / 3.0), -math.expm1(-dt / 5.0)
    g10, g30 = -math.expm1(-dt / 10.0), -math.expm1(-dt / 30.0)
    memory[AGE] += dt
    memory[V3E] += g3 * (ve - memory[V3E])
    memory[V3N] += g3 * (vn - memory[V3N])
    memory[V3U] += g3 * (vu - memory[V3U])
    memory[HEAD_E] += g5 * (head_e - memory[HEAD_E])
    memory[HEAD_N] += g5 * (head_n - memory[HEAD_N])
    memory[CLIMB10] += g10 * (vu - memory[CLIMB10])
    memory[V10E] += g10 * (ve - memory[V10E])
    memory[V10N] += g10 * (vn - memory[V10N])
    memory[SPEED10] += g10 * (speed - memory[SPEED10])
    memory[V30E] += g30 * (ve - memory[V30E])
    memory[V30N] += g30 * (vn - memory[V30N])
    memory[SPEED30] += g30 * (speed - memory[SPEED30])
    de, dn = figures[E] - memory[MEAN_E], figures[N] - memory[MEAN_N]
    memory[MEAN_E] += g30 * de
    memory[MEAN_N] += g30 * dn
    memory[SPREAD] = (1.0 - g30) * (memory[SPREAD] + g30 * (de * de + dn * dn))


@njit(cache=True, error_model="numpy")
def gone(figures: F64, memory: F64, dt: float) -> None:
    """How far it is from where it was on average, with forgetting time `GONE_S`: a line flown in one step or
    in many gives the same. Made of places alone, it is a course that holds where velocities are rough."""
    share = GONE_S * -math.expm1(-dt / GONE_S) / dt if dt > 0.0 else 1.0
    kept = math.exp(-dt / GONE_S)
    memory[GONE_E] = kept * memory[GONE_E] + share * (figures[E] - memory[LAST_E])
    memory[GONE_N] = kept * memory[GONE_N] + share * (figures[N] - memory[LAST_N])
    memory[LAST_E], memory[LAST_N] = figures[E], figures[N]
