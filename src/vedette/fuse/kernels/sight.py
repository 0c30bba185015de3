"""What a sensor would measure of a state, and how that changes with the state.

Kinds of plots and their rows: polar (range, azimuth, elevation, range rate), bearing (azimuth, elevation),
place (the six of the state). Metres, radians (azimuth clockwise from north, in the sensor's frame), metres
per second.

Explicit loops in a fixed order, as in `kernels.kalman`. Shapes: n tracks, m models; x (n, m, 6),
h (m, ROWS), jacobian (m, ROWS, 6).
"""

import math

from numba import njit

from vedette.fuse.kernels.kalman import F64, STATE

POLAR, BEARING, PLACE = 0, 1, 2
ROWS = 6
ANGLE = (1, 0, -1)
"""The row of each kind that is an azimuth, and the one by which plots are sorted for gating."""
COUNT = (4, 2, 6)
TWO_PI = 2.0 * math.pi

_LEAST_GROUND_M = 1.0
"""Right above a sensor an azimuth means nothing; its derivative is held at that of this distance."""


@njit(cache=True, error_model="numpy")
def wrapped(angle: float) -> float:
    """The angle in [-pi, pi)."""
    turned = angle - TWO_PI * math.floor(angle / TWO_PI)
    return turned - TWO_PI if turned >= math.pi else turned


@njit(cache=True, inline="always")
def turned(angle: float) -> float:
    """The difference of two angles of [-pi, pi], in [-pi, pi): as `wrapped`, in a third of the time."""
    over = angle - TWO_PI if angle >= math.pi else angle
    return over + TWO_PI if over < -math.pi else over


@njit(cache=True, error_model="numpy")
def columns_of(kind: int, row: int) -> int:
    """How many columns of a row of the derivative may not be zero: the places, or the velocities too."""
    return 3 if kind == BEARING or (kind == POLAR and row < 3) else STATE


@njit(cache=True, error_model="numpy")
def observe(kind: int, x: F64, origin: F64, rotation: F64, h: F64, jacobian: F64) -> None:
    """What a sensor would measure of state ``x`` (6,) into ``h`` (ROWS,), and its derivative (ROWS, 6).

    ``origin``: the sensor in the site's frame; ``rotation``: rows that turn a vector of the sensor's frame
    into the site's (`geo.SensorFrame`)."""
    for row in range(ROWS):
        for i in range(STATE):
            jacobian[row, i] = 0.0
    x_, jacobian_ = x.reshape(1, 1, STATE), jacobian.reshape(1, ROWS, STATE)
    sight(kind, True, 0, x_, origin, rotation, h.reshape(1, ROWS), jacobian_)


@njit(cache=True, error_model="numpy")
def sight(kind: int, raised: bool, t: int, x: F64, origin: F64, rotation: F64, h: F64, jacobian: F64) -> None:
    """`observe` for all models of track ``t``, of whose derivatives only what is not always zero is written;
    without ``raised`` the elevation is left out."""
    _sight(kind, raised, True, t, x, origin, rotation, h, jacobian)


@njit(cache=True, error_model="numpy")
def sight_again(
    kind: int, raised: bool, t: int, x: F64, origin: F64, rotation: F64, h: F64, jacobian: F64
) -> None:
    """The same where ``h`` holds what `sight` gave: its angles, which take the longest, stay as they are."""
    _sight(kind, raised, False, t, x, origin, rotation, h, jacobian)


@njit(cache=True, error_model="numpy")
def _sight(
    kind: int, raised: bool, anew: bool, t: int, x: F64, origin: F64, rotation: F64, h: F64, jacobian: F64
) -> None:
    for a in range(x.shape[1]):
        if kind == PLACE:
            for row in range(STATE):
                h[a, row] = x[t, a, row]
                jacobian[a, row, row] = 1.0
            continue
        dx, dy, dz = x[t, a, 0] - origin[0], x[t, a, 1] - origin[1], x[t, a, 2] - origin[2]
        e = rotation[0, 0] * dx + rotation[1, 0] * dy + rotation[2, 0] * dz
        n = rotation[0, 1] * dx + rotation[1, 1] * dy + rotation[2, 1] * dz
        u = rotation[0, 2] * dx + rotation[1, 2] * dy + rotation[2, 2] * dz
        ground2 = max(e * e + n * n, _LEAST_GROUND_M * _LEAST_GROUND_M)
        range2 = ground2 + u * u
        azimuth = ANGLE[kind]
        if anew:
            h[a, azimuth] = math.atan2(e, n)
        _turn(a, azimuth, 0, n / ground2, -e / ground2, 0.0, rotation, jacobian)
        if raised:
            ground = math.sqrt(ground2)
            if anew:
                h[a, azimuth + 1] = math.atan2(u, ground)
            east, north = -e * u / (ground * range2), -n * u / (ground * range2)
            _turn(a, azimuth + 1, 0, east, north, ground / range2, rotation, jacobian)
        if kind == POLAR:
            distance = math.sqrt(range2)
            h[a, 0] = distance
            _turn(a, 0, 0, e / distance, n / distance, u / distance, rotation, jacobian)
            ve = rotation[0, 0] * x[t, a, 3] + rotation[1, 0] * x[t, a, 4] + rotation[2, 0] * x[t, a, 5]
            vn = rotation[0, 1] * x[t, a, 3] + rotation[1, 1] * x[t, a, 4] + rotation[2, 1] * x[t, a, 5]
            vu = rotation[0, 2] * x[t, a, 3] + rotation[1, 2] * x[t, a, 4] + rotation[2, 2] * x[t, a, 5]
            rate = (e * ve + n * vn + u * vu) / distance
            h[a, 3] = rate
            east, north = ve / distance - rate * e / range2, vn / distance - rate * n / range2
            _turn(a, 3, 0, east, north, vu / distance - rate * u / range2, rotation, jacobian)
            _turn(a, 3, 3, e / distance, n / distance, u / distance, rotation, jacobian)


@njit(cache=True, error_model="numpy")
def _turn(a: int, row: int, i: int, east: float, north: float, up: float, rotation: F64, out: F64) -> None:
    """Three columns of a derivative, from the sensor's frame into the site's."""
    for j in range(3):
        out[a, row, i + j] = rotation[j, 0] * east + rotation[j, 1] * north + rotation[j, 2] * up
