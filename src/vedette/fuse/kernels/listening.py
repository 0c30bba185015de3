"""One sensor's rays: azimuth and its rate, elevation where it is measured, and existence, look by look.

A Kalman filter for each ray (white-noise angular acceleration; Bar-Shalom, Li, Kirubarajan 2001, 6.2.2),
which bearing is of which ray by `kernels.propagation`, and a Bernoulli's existence (Williams 2015).

Explicit loops in a fixed order, as in `kernels.kalman`. A table of rays (n, COLUMNS) has the columns below.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vedette.fuse.kernels.kalman import F64
from vedette.fuse.kernels.propagation import marginals
from vedette.fuse.kernels.sight import TWO_PI, turned, wrapped

I64 = NDArray[np.int64]
Mask2 = NDArray[np.bool_]

AZIMUTH, RATE, AA, AR, RR, ELEVATION, ELEVATION_VAR, EXISTENCE, HEARD, FOUNDED, BEGAN, SHOWN = range(12)
COLUMNS = 12
"""Azimuth and rate (radians, radians/s) and their covariance; elevation and its variance, which is negative
while none was measured; existence; time of the last hearing; time and azimuth of the first; 1 while it is
shown."""

SEES, PSD, RATE_VAR, ELEVATION_PSD, STAY_S, LEAST, CONFIRM, FORGET = range(8)
"""Indices into the figures of `hear`: detection probability; angular acceleration density (rad2/s3); variance
of a first rate; by how much an elevation's variance grows (rad2/s); mean time that a ray stays; least
existence; existences at which a ray is shown and no more."""

_GATE_1, _GATE_2 = 10.83, 13.82
"""99.9 % quantiles of chi-squared (Abramowitz, Stegun 1964, table 26.8)."""
_FAR = 1.001 * _GATE_2
"""What is farther is in no gate, however it is rounded: most bearings are."""
_MOST_WEIGHT = 1e12
_CEILING = 0.9999
_LEAST_TAKEN = 0.02
"""Bearings that are a ray's with less probability leave it where it is."""
_WIDTH_RAD = 1.0
"""Elevations over which a body is spread whose elevation nobody measured yet."""


@njit(cache=True, error_model="numpy")
def foretell(table: F64, seconds: float, figures: F64) -> None:
    """All rays ``seconds`` later, in place."""
    q, dt = figures[PSD], max(seconds, 0.0)
    for t in range(table.shape[0]):
        ray = table[t]
        ray[AZIMUTH] = wrapped(ray[AZIMUTH] + dt * ray[RATE])
        ray[AA] += 2.0 * dt * ray[AR] + dt * dt * ray[RR] + q * dt * dt * dt / 3.0
        ray[AR] += dt * ray[RR] + q * dt * dt / 2.0
        ray[RR] += q * dt
        if ray[ELEVATION_VAR] >= 0.0:
            ray[ELEVATION_VAR] += figures[ELEVATION_PSD] * dt
        ray[EXISTENCE] *= math.exp(-dt / figures[STAY_S])


@njit(cache=True, error_model="numpy")
def _likelihood(ray: F64, z: F64, var: F64, use: NDArray[np.bool_]) -> float:
    """Density of a bearing of this ray, 0 outside the gate."""
    y, s = wrapped(z[0] - ray[AZIMUTH]), ray[AA] + var[0]
    d2, both = y * y / s, use[1] and ray[ELEVATION_VAR] >= 0.0
    if d2 > _GATE_2:
        return 0.0
    density = math.exp(-0.5 * d2) / math.sqrt(TWO_PI * s)
    if not both:
        density /= _WIDTH_RAD if use[1] else 1.0
        return density if d2 <= _GATE_1 else 0.0
    rise, s = z[1] - ray[ELEVATION], ray[ELEVATION_VAR] + var[1]
    d2 += rise * rise / s
    return density * math.exp(-0.5 * rise * rise / s) / math.sqrt(TWO_PI * s) if d2 <= _GATE_2 else 0.0


@njit(cache=True, error_model="numpy")
def hear(
    table: F64, now: float, z: F64, var: F64, use: Mask2, elsewhere: F64, figures: F64, unclaimed: F64
) -> None:
    """A look on rays that are foretold to its time, in place. ``elsewhere`` (k,): density of what is no ray
    at each bearing; ``unclaimed`` (k,): probability that it is of none of these."""
    n, k = table.shape[0], z.shape[0]
    first, plot = np.zeros(n + 1, np.int64), np.empty(n * k, np.int64)
    weight, none = np.empty(n * k), np.empty(n)
    found = 0
    for t in range(n):
        first[t] = found
        seen = table[t, EXISTENCE] * figures[SEES]
        none[t] = max(1.0 - seen, 1e-12)
        azimuth, spread = table[t, AZIMUTH], table[t, AA]
        for q in range(k):
            off = turned(z[q, 0] - azimuth)
            if off * off > _FAR * (spread + var[q, 0]):
                continue
            density = _likelihood(table[t], z[q], var[q], use[q])
            if density > 0.0:
                plot[found] = q
                weight[found] = min(seen * density / elsewhere[q], _MOST_WEIGHT)
                found += 1
    first[n] = found
    to_track = np.empty(found)
    unclaimed[:] = 1.0
    marginals(n, k, first, plot[:found], weight[:found], none, np.zeros(n, np.bool_), to_track, unclaimed)
    for t in range(n):
        _revise(table[t], now, first[t], first[t + 1], plot, weight, none[t], to_track, z, var, use, figures)


@njit(cache=True, error_model="numpy")
def _revise(
    ray: F64,
    now: float,
    begin: int,
    end: int,
    plot: I64,
    weight: F64,
    none: float,
    to_track: F64,
    z: F64,
    var: F64,
    use: Mask2,
    figures: F64,
) -> None:
    """Probabilistic data association (Bar-Shalom, Fortmann 1988, 6.4) and existence."""
    whole = none
    for edge in range(begin, end):
        whole += weight[edge] * to_track[edge]
    unseen, sees = none / whole, figures[SEES]
    missed = ray[EXISTENCE] * (1.0 - sees) / none
    ray[EXISTENCE] = min(1.0 - unseen + unseen * missed, _CEILING)
    mean, square, taken, variance = 0.0, 0.0, 0.0, 0.0
    rise, risen, level = 0.0, 0.0, 0.0
    for edge in range(begin, end):
        q, part = plot[edge], weight[edge] * to_track[edge] / whole
        y = wrapped(z[q, 0] - ray[AZIMUTH])
        mean, square, taken = mean + part * y, square + part * y * y, taken + part
        variance += part * var[q, 0]
        if use[q, 1]:
            rise, risen, level = rise + part * z[q, 1], risen + part, level + part * var[q, 1]
    if taken > _LEAST_TAKEN:
        _turn(ray, mean, square, taken, variance / taken)
    if risen > 0.5:
        _rise(ray, rise / risen, level / risen)
    if taken > 0.5:
        ray[HEARD] = now
    if ray[EXISTENCE] > figures[CONFIRM]:
        ray[SHOWN] = 1.0
    elif ray[EXISTENCE] < figures[FORGET]:
        ray[SHOWN] = 0.0


@njit(cache=True, error_model="numpy")
def _turn(ray: F64, mean: float, square: float, taken: float, variance: float) -> None:
    """Azimuth and rate after bearings whose innovations have this ``mean`` and ``square``, of which one is
    the ray's with probability ``taken``."""
    s = ray[AA] + variance
    gain_a, gain_r = ray[AA] / s, ray[AR] / s
    apart = max(square - mean * mean, 0.0)
    aa, ar = ray[AA], ray[AR]
    ray[AZIMUTH] = wrapped(ray[AZIMUTH] + gain_a * mean)
    ray[RATE] += gain_r * mean
    ray[AA] += -taken * gain_a * aa + apart * gain_a * gain_a
    ray[AR] += -taken * gain_a * ar + apart * gain_a * gain_r
    ray[RR] += -taken * gain_r * ar + apart * gain_r * gain_r


@njit(cache=True, error_model="numpy")
def _rise(ray: F64, elevation: float, variance: float) -> None:
    if ray[ELEVATION_VAR] < 0.0:
        ray[ELEVATION], ray[ELEVATION_VAR] = elevation, variance
        return
    gain = ray[ELEVATION_VAR] / (ray[ELEVATION_VAR] + variance)
    ray[ELEVATION] += gain * (elevation - ray[ELEVATION])
    ray[ELEVATION_VAR] *= 1.0 - gain


@njit(cache=True, error_model="numpy")
def keep(table: F64, least: float, out: F64) -> int:
    """The rays that exist with a probability of ``least``, into ``out``; returns how many."""
    kept = 0
    for t in range(table.shape[0]):
        if table[t, EXISTENCE] >= least:
            out[kept] = table[t]
            kept += 1
    return kept


@njit(cache=True, error_model="numpy")
def sprout(
    now: float,
    z: F64,
    var: F64,
    use: Mask2,
    elsewhere: F64,
    unclaimed: F64,
    fresh: F64,
    figures: F64,
    out: F64,
) -> int:
    """New rays of bearings that are of none, into ``out`` (k, COLUMNS); ``fresh`` (k,): density of bodies a
    radian that are heard for the first time. Returns how many."""
    born = 0
    for q in range(z.shape[0]):
        new = fresh[q] / (_WIDTH_RAD if use[q, 1] else 1.0)
        likely = unclaimed[q] * new / (elsewhere[q] + new)
        if likely < figures[LEAST]:
            continue
        ray = out[born]
        ray[AZIMUTH], ray[RATE], ray[AA], ray[AR], ray[RR] = z[q, 0], 0.0, var[q, 0], 0.0, figures[RATE_VAR]
        ray[ELEVATION], ray[ELEVATION_VAR] = (z[q, 1], var[q, 1]) if use[q, 1] else (0.0, -1.0)
        ray[EXISTENCE], ray[HEARD], ray[FOUNDED], ray[BEGAN], ray[SHOWN] = likely, now, now, z[q, 0], 0.0
        born += 1
    return born
