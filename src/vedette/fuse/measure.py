"""Measurement models: what each kind of sensor would measure of a state, and how a measurement is used.

The rows of a plot are used one after the other, which for independent errors is the same as all at once
(Bar-Shalom, Li, Kirubarajan 2001, 7.7), and needs no matrix inverted. Explicit loops in a fixed order.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vedette.fuse.imm import SHARPEST
from vedette.fuse.kernels import F64, STATE, Mask

Mask2 = NDArray[np.bool_]

POLAR, BEARING, PLACE = 0, 1, 2
"""Kinds of plots. Rows: range, azimuth, elevation, range rate; azimuth, elevation; the six of the state.
Metres, radians (azimuth clockwise from north, in the sensor's frame), metres per second."""
ROWS = 6
ANGLE = (1, 0, -1)
"""The row of each kind that is an azimuth, and the one by which plots are sorted for gating."""
COUNT = (4, 2, 6)

_TWO_PI = 2.0 * math.pi
_LEAST_GROUND_M = 1.0
"""Right above a sensor an azimuth means nothing; its derivative is held at that of this distance."""


@njit(cache=True)
def wrapped(angle: float) -> float:
    """The angle in [-pi, pi)."""
    turned = angle - _TWO_PI * math.floor(angle / _TWO_PI)
    return turned - _TWO_PI if turned >= math.pi else turned


@njit(cache=True)
def observe(kind: int, x: F64, origin: F64, rotation: F64, h: F64, jacobian: F64) -> None:
    """What a sensor would measure of state ``x`` into ``h``, and its derivative (ROWS, 6).

    ``origin``: the sensor in the site's frame; ``rotation``: rows that turn a vector of the sensor's frame
    into the site's (`geo.SensorFrame`)."""
    for row in range(ROWS):
        for i in range(STATE):
            jacobian[row, i] = 0.0
    if kind == PLACE:
        for row in range(STATE):
            h[row] = x[row]
            jacobian[row, row] = 1.0
        return
    dx, dy, dz = x[0] - origin[0], x[1] - origin[1], x[2] - origin[2]
    e = rotation[0, 0] * dx + rotation[1, 0] * dy + rotation[2, 0] * dz
    n = rotation[0, 1] * dx + rotation[1, 1] * dy + rotation[2, 1] * dz
    u = rotation[0, 2] * dx + rotation[1, 2] * dy + rotation[2, 2] * dz
    ground2 = max(e * e + n * n, _LEAST_GROUND_M * _LEAST_GROUND_M)
    ground = math.sqrt(ground2)
    range2 = ground2 + u * u
    distance = math.sqrt(range2)
    first = 1 if kind == POLAR else 0
    h[first] = math.atan2(e, n)
    jacobian[first, 0], jacobian[first, 1] = n / ground2, -e / ground2
    h[first + 1] = math.atan2(u, ground)
    jacobian[first + 1, 0] = -e * u / (ground * range2)
    jacobian[first + 1, 1] = -n * u / (ground * range2)
    jacobian[first + 1, 2] = ground / range2
    if kind == POLAR:
        h[0] = distance
        jacobian[0, 0], jacobian[0, 1], jacobian[0, 2] = e / distance, n / distance, u / distance
        ve = rotation[0, 0] * x[3] + rotation[1, 0] * x[4] + rotation[2, 0] * x[5]
        vn = rotation[0, 1] * x[3] + rotation[1, 1] * x[4] + rotation[2, 1] * x[5]
        vu = rotation[0, 2] * x[3] + rotation[1, 2] * x[4] + rotation[2, 2] * x[5]
        rate = (e * ve + n * vn + u * vu) / distance
        h[3] = rate
        jacobian[3, 0] = ve / distance - rate * e / range2
        jacobian[3, 1] = vn / distance - rate * n / range2
        jacobian[3, 2] = vu / distance - rate * u / range2
        jacobian[3, 3], jacobian[3, 4], jacobian[3, 5] = e / distance, n / distance, u / distance
    for row in range(4 if kind == POLAR else 2):
        for i in range(0, STATE, 3):
            a, b, c = jacobian[row, i], jacobian[row, i + 1], jacobian[row, i + 2]
            for j in range(3):
                jacobian[row, i + j] = rotation[j, 0] * a + rotation[j, 1] * b + rotation[j, 2] * c


@njit(cache=True)
def absorb(
    kind: int, z: F64, var: F64, use: Mask, h: F64, jacobian: F64, step: F64, p: F64, ph: F64
) -> tuple[float, float, int]:
    """Use one plot on one model. ``step`` (6,) begins as zero and ends as the change of the state; ``p``
    becomes the updated covariance. Returns the squared Mahalanobis distance, the logarithm of the
    innovation's determinant, and how many rows were used."""
    for i in range(STATE):
        step[i] = 0.0
    d2, logdet, rows = 0.0, 0.0, 0
    for row in range(COUNT[kind]):
        if not use[row]:
            continue
        residual = z[row] - h[row]
        if row == ANGLE[kind]:
            residual = wrapped(residual)
        s, independent = 0.0, 0.0
        for i in range(STATE):
            total = 0.0
            for j in range(STATE):
                total += p[i, j] * jacobian[row, j]
            ph[i] = total
        for i in range(STATE):
            s += jacobian[row, i] * ph[i]
            independent += jacobian[row, i] * jacobian[row, i] * p[i, i]
            residual -= jacobian[row, i] * step[i]
        s = max(s, 0.0) + max(var[row], SHARPEST * independent)
        d2 += residual * residual / s
        logdet += math.log(s)
        rows += 1
        for i in range(STATE):
            gain = ph[i] / s
            step[i] += gain * residual
            for j in range(i + 1):
                p[i, j] -= gain * ph[j]
        for i in range(STATE):
            for j in range(i):
                p[j, i] = p[i, j]
    return d2, logdet, rows
