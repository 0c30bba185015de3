"""The numerics of the polar sweep: explicit loops in a fixed order, no fastmath, no threads inside.

Every kernel releases the interpreter lock, so a caller may run one site on each core. `reference` holds
the same mathematics in plain numpy, and tests hold the two together.

A grid is ``heights[row, column]``: row 0 is the southernmost, column 0 the westernmost, NaN is a void.
Positions ``x``, ``y`` count cells east and north from the first post. ``bend`` is 1 / (2 R'), where R'
is the effective radius of the Earth (`sight`): at distance d the ground lies ``bend * d * d`` lower.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Table = NDArray[np.float32] | NDArray[np.float64] | NDArray[np.uint8]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]

NOTHING_NEARER = -1.0e6
"""Slope of a horizon that no ground has raised yet: finite, so that two horizons can be blended."""

UNKNOWN_BYTE = 255
"""In a table of bytes: the ground there is not known."""
MOST_BYTE = 254
"""In a table of bytes: 254 m or more."""

VISIBLE, HIDDEN, UNKNOWN = 1, 0, -1

# Indices into the vector that says where a mask stands.
EAST, NORTH, EYE, STEP, BEND, CURVE = 0, 1, 2, 3, 4, 5


@njit(cache=True, nogil=True)
def bilinear(heights: F32, x: float, y: float) -> float:
    """Height at a place between four posts; NaN outside the grid or where one of the four is void."""
    rows, columns = heights.shape
    if not (0.0 <= x <= columns - 1 and 0.0 <= y <= rows - 1):
        return math.nan
    i = min(int(x), columns - 2)
    j = min(int(y), rows - 2)
    fx = x - i
    fy = y - j
    south = (1.0 - fx) * heights[j, i] + fx * heights[j, i + 1]
    north = (1.0 - fx) * heights[j + 1, i] + fx * heights[j + 1, i + 1]
    height: float = (1.0 - fy) * south + fy * north
    return height


@njit(cache=True, nogil=True)
def profile(heights: F32, x: float, y: float, dx: float, dy: float, ground: F64) -> None:
    """Ground at 1, 2, ... strides of (dx, dy) cells from (x, y)."""
    for k in range(ground.shape[0]):
        ground[k] = bilinear(heights, x + (k + 1) * dx, y + (k + 1) * dy)


@njit(cache=True, nogil=True)
def skyline(ground: F64, eye: float, step: float, bend: float, horizon: F64) -> int:
    """``horizon[k]``: steepest slope of the ground nearer than ``ground[k]``, as seen from ``eye``.

    Returns the index of the first void; voids raise no horizon.
    """
    steepest = NOTHING_NEARER
    first_void: int = ground.shape[0]
    for k in range(ground.shape[0]):
        horizon[k] = steepest
        if math.isnan(ground[k]):
            first_void = min(first_void, k)
            continue
        distance = (k + 1) * step
        steepest = max(steepest, (ground[k] - bend * distance * distance - eye) / distance)
    return first_void


@njit(cache=True, nogil=True)
def lowest_visible(ground: float, horizon: float, eye: float, distance: float, bend: float) -> float:
    """Least height above ``ground`` that clears ``horizon``; NaN over a void."""
    if math.isnan(ground):
        return math.nan
    return max(0.0, eye + horizon * distance + bend * distance * distance - ground)


@njit(cache=True, nogil=True)
def sweep(
    heights: F32,
    x: float,
    y: float,
    cell: float,
    eye: float,
    step: float,
    bend: float,
    lowest: Table,
    horizon: Table,
    first_void: I32,
) -> None:
    """Rays from (x, y) in all directions into ``lowest`` and ``horizon`` (azimuths, steps) and
    ``first_void`` (azimuths): see `skyline` and `lowest_visible`. Lengths in metres."""
    azimuths, steps = lowest.shape
    ground = np.empty(steps)
    slopes = np.empty(steps)
    for a in range(azimuths):
        angle = 2.0 * math.pi * a / azimuths
        stride = step / cell
        profile(heights, x, y, math.sin(angle) * stride, math.cos(angle) * stride, ground)
        first_void[a] = skyline(ground, eye, step, bend, slopes)
        for k in range(steps):
            horizon[a, k] = slopes[k]
            lowest[a, k] = lowest_visible(ground[k], slopes[k], eye, (k + 1) * step, bend)


@njit(cache=True, nogil=True)
def sweep_bytes(
    heights: F32,
    x: float,
    y: float,
    cell: float,
    eye: float,
    step: float,
    bend: float,
    lowest: U8,
    first_void: I32,
) -> None:
    """As `sweep`, with only the lowest visible height, in whole metres rounded up (`as_byte`)."""
    azimuths, steps = lowest.shape
    ground = np.empty(steps)
    slopes = np.empty(steps)
    for a in range(azimuths):
        angle = 2.0 * math.pi * a / azimuths
        stride = step / cell
        profile(heights, x, y, math.sin(angle) * stride, math.cos(angle) * stride, ground)
        first_void[a] = skyline(ground, eye, step, bend, slopes)
        for k in range(steps):
            lowest[a, k] = as_byte(lowest_visible(ground[k], slopes[k], eye, (k + 1) * step, bend))


@njit(cache=True, nogil=True)
def as_byte(height: float) -> int:
    """Whole metres, rounded up so that no byte promises sight below the true limit."""
    if math.isnan(height):
        return UNKNOWN_BYTE
    return int(min(math.ceil(height), MOST_BYTE))


@njit(cache=True, nogil=True)
def sight_line(heights: F32, ends: F64, levels: F64, bend: float, samples: int, found: F64) -> int:
    """VISIBLE, HIDDEN or UNKNOWN for the ray between two points.

    ``ends``: x, y of the first and of the second point; ``levels``: heights of both over the datum and
    their distance, metres. Into ``found``: least clearance over the known ground and the distance from
    the first point where it occurs, infinite if there is no ground between.
    """
    eye, target, distance = levels[0], levels[1], levels[2]
    found[0] = math.inf
    found[1] = math.inf
    unknown = False
    for k in range(1, samples):
        share = k / samples
        ground = bilinear(
            heights, ends[0] + share * (ends[2] - ends[0]), ends[1] + share * (ends[3] - ends[1])
        )
        if math.isnan(ground):
            unknown = True
            continue
        bulge = bend * distance * distance * share * (1.0 - share)
        clearance = (1.0 - share) * eye + share * target - bulge - ground
        if clearance < found[0]:
            found[0] = clearance
            found[1] = share * distance
    if found[0] < 0.0:
        return HIDDEN
    return UNKNOWN if unknown else VISIBLE


@njit(cache=True, nogil=True)
def entry(lowest: Table, a: int, k: int) -> float:
    """Metres of one entry of a table of floats or of bytes; infinite for the bytes' 254 or more."""
    value = float(lowest[a, k])
    if lowest.itemsize == 1:
        if value == UNKNOWN_BYTE:
            return math.nan
        if value == MOST_BYTE:
            return math.inf
    return value


@njit(cache=True, nogil=True)
def between(a: float, b: float, share: float) -> float:
    """Linear blend in which an end without weight does not count, even if it is infinite or NaN."""
    if share == 0.0:
        return a
    if share == 1.0:
        return b
    return (1.0 - share) * a + share * b


@njit(cache=True, nogil=True)
def polar_state(lowest: Table, first_void: I32, step: float, r: float, azimuth_deg: float, h: float) -> int:
    """VISIBLE, HIDDEN or UNKNOWN for height ``h`` above ground at distance ``r``: see `polar.Sweep`."""
    azimuths, steps = lowest.shape
    if not (0.0 <= r <= steps * step and math.isfinite(azimuth_deg) and 0.0 <= h < math.inf):
        return UNKNOWN
    whole = azimuth_deg / 360.0
    turn = (whole - math.floor(whole)) * azimuths
    ray = math.floor(turn)
    a = int(ray) % azimuths
    b = (a + 1) % azimuths
    at = max(r / step - 1.0, 0.0)
    k = min(int(at), steps - 1)
    n = min(k + 1, steps - 1)
    near = between(entry(lowest, a, k), entry(lowest, b, k), turn - ray)
    far = between(entry(lowest, a, n), entry(lowest, b, n), turn - ray)
    limit = between(near, far, at - k)
    if math.isnan(limit):
        return UNKNOWN
    if h < limit:
        return HIDDEN
    last = math.ceil(at)
    return UNKNOWN if last >= min(first_void[a], first_void[b]) else VISIBLE


@njit(cache=True, nogil=True)
def polar_states(
    lowest: Table, first_void: I32, step: float, r: F64, azimuth_deg: F64, h: F64, states: NDArray[np.int8]
) -> None:
    """`polar_state` of every point."""
    for p in range(states.shape[0]):
        states[p] = polar_state(lowest, first_void, step, r[p], azimuth_deg[p], h[p])


@njit(cache=True, nogil=True)
def mask_state(horizon: F32, first_void: I32, place: F64, e: float, n: float, u: float) -> int:
    """VISIBLE, HIDDEN or UNKNOWN for one point (e, n, u) of the site's frame.

    ``horizon`` (azimuths, steps) and ``first_void`` (azimuths) come from `sweep`; ``place`` holds east,
    north and height of the eye over the site's origin, the step, ``bend``, and 1 / (2 R) of the true
    Earth, by which the tangent plane of the frame leaves the ground. Between two rays the horizons are
    blended; what only one of them knows is not known.
    """
    azimuths, steps = horizon.shape
    east = e - place[EAST]
    north = n - place[NORTH]
    distance = math.sqrt(east * east + north * north)
    height = u + place[CURVE] * (e * e + n * n) - place[EYE]
    if not (distance <= steps * place[STEP] and math.isfinite(height)):
        return UNKNOWN
    if distance == 0.0:
        return VISIBLE
    k = min(max(math.ceil(distance / place[STEP]) - 1, 0), steps - 1)
    turn = math.atan2(east, north) / (2.0 * math.pi) * azimuths
    ray = math.floor(turn)
    share = turn - ray
    a = int(ray) % azimuths
    b = (a + 1) % azimuths
    limit = (1.0 - share) * horizon[a, k] + share * horizon[b, k]
    if (height - place[BEND] * distance * distance) / distance < limit:
        return HIDDEN
    return UNKNOWN if k >= min(first_void[a], first_void[b]) else VISIBLE


@njit(cache=True, nogil=True)
def mask_states(horizon: F32, first_void: I32, place: F64, enu_m: F64, states: NDArray[np.int8]) -> None:
    """`mask_state` of every row of ``enu_m`` (points, 3)."""
    for p in range(enu_m.shape[0]):
        states[p] = mask_state(horizon, first_void, place, enu_m[p, 0], enu_m[p, 1], enu_m[p, 2])
