"""The polar sweep: for one antenna, the lowest height above ground that it sees, in all directions.

Rays leave the antenna at equal azimuths; along each, the steepest slope of the ground so far is the
horizon, and what stands above it is seen. One sweep answers every drone height, every shorter range and
every kind of sensor (Franklin and Ray, Higher isn't necessarily better,: the method R2).
"""

import math

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from vedette.model.errors import InputError
from vedette.terrain import kernels
from vedette.terrain.sampling import LocalGrid
from vedette.terrain.sight import Ray, bend, standing_height

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I8 = NDArray[np.int8]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]

AZIMUTHS = 720
MOST_ENTRIES = 50_000_000
"""Azimuths times steps of one sweep."""


class Antenna(Struct, frozen=True, kw_only=True):
    """Where a sensor looks from: east and north in the site's frame, height above the ground, metres."""

    east_m: float
    north_m: float
    mast_m: float


class Fan(Struct, frozen=True, kw_only=True):
    """How finely a sweep looks. ``step_m`` None: half a cell of the grid. ``ray``: see `sight`."""

    range_m: float = 10_000.0
    azimuths: int = AZIMUTHS
    step_m: float | None = None
    ray: Ray = "radio"


class Sweep(Struct, frozen=True, kw_only=True, eq=False):
    """What one antenna sees. Row a looks to azimuth ``360 a / azimuths`` degrees (clockwise from the
    frame's north), column k lies at the ground distance ``(k + 1) * step_m``.

    ``lowest_m``: least height above ground that clears the known ground, NaN where the ground itself is
    not known; float32, or bytes (`lowest_bytes`: whole metres rounded up, 254 = 254 or more, 255 = not
    known). ``horizon``: steepest slope of the ground nearer than the column, None with bytes.
    ``first_void``: first column of each row whose ground is not known; from there on nothing is visible
    for sure. ``eye_m``: the antenna over the grid's datum. ``bend``: 1 / (2 R').
    """

    antenna: Antenna
    eye_m: float
    step_m: float
    bend: float
    lowest_m: F32 | U8
    horizon: F32 | None
    first_void: I32

    @property
    def range_m(self) -> float:
        """Ground distance of the last column."""
        steps: int = self.lowest_m.shape[1]
        return steps * self.step_m

    @property
    def known_share(self) -> float:
        """Share of rays' length before their first void or the model's edge, 0 to 1."""
        return float(self.first_void.sum()) / self.lowest_m.size

    def states(self, range_m: ArrayLike, azimuth_deg: ArrayLike, above_ground_m: ArrayLike) -> I8:
        """1 visible, 0 hidden, -1 unknown for points by ground distance, azimuth and height above ground.

        Blends the four entries round each point. Unknown: beyond the sweep, behind or over a void, not
        finite, below ground. In broken ground a height above ground is a blunt question; where the height
        over the site is known, `masks.Mask` answers better.
        """
        r, azimuth, height = np.broadcast_arrays(
            *(np.asarray(v, np.float64) for v in (range_m, azimuth_deg, above_ground_m))
        )
        out = np.empty(r.size, np.int8)
        kernels.polar_states(
            self.lowest_m,
            self.first_void,
            self.step_m,
            np.ascontiguousarray(r).reshape(-1),
            np.ascontiguousarray(azimuth).reshape(-1),
            np.ascontiguousarray(height).reshape(-1),
            out,
        )
        return out.reshape(r.shape)


def sweep(grid: LocalGrid, antenna: Antenna, fan: Fan | None = None) -> Sweep:
    """Lowest visible heights and horizon of one antenna.

    Raises InputError for an antenna below the ground or where the ground is not known, and for a fan
    that makes no table. Holds no lock while it computes: a caller may run one antenna on each core.
    """
    fan = fan or Fan()
    eye, x, y, step, steps = _start(grid, antenna, fan)
    lowest = np.empty((fan.azimuths, steps), np.float32)
    horizon = np.empty((fan.azimuths, steps), np.float32)
    first_void = np.empty(fan.azimuths, np.int32)
    k = bend(grid.earth_radius_m, fan.ray)
    kernels.sweep(grid.heights_m, x, y, grid.cell_m, eye, step, k, lowest, horizon, first_void)
    return Sweep(
        antenna=antenna,
        eye_m=eye,
        step_m=step,
        bend=k,
        lowest_m=lowest,
        horizon=horizon,
        first_void=first_void,
    )


def lowest_bytes(grid: LocalGrid, antenna: Antenna, fan: Fan | None = None) -> Sweep:
    """As `sweep`, with ``lowest_m`` in bytes and no horizon: a quarter of the memory or less, for planning
    over many sites."""
    fan = fan or Fan()
    eye, x, y, step, steps = _start(grid, antenna, fan)
    lowest = np.empty((fan.azimuths, steps), np.uint8)
    first_void = np.empty(fan.azimuths, np.int32)
    k = bend(grid.earth_radius_m, fan.ray)
    kernels.sweep_bytes(grid.heights_m, x, y, grid.cell_m, eye, step, k, lowest, first_void)
    return Sweep(
        antenna=antenna, eye_m=eye, step_m=step, bend=k, lowest_m=lowest, horizon=None, first_void=first_void
    )


def _start(grid: LocalGrid, antenna: Antenna, fan: Fan) -> tuple[float, float, float, float, int]:
    """Eye over the datum, place in cells, step and number of steps."""
    step = 0.5 * grid.cell_m if fan.step_m is None else fan.step_m
    if not (0.0 < step < math.inf and step <= fan.range_m < math.inf and fan.azimuths >= 4):
        raise InputError(
            f"a fan of {fan.azimuths} azimuths, {fan.range_m} m in steps of {step} m: at least 4 azimuths, "
            "and a positive step not longer than the range"
        )
    steps = math.ceil(fan.range_m / step)
    if steps * fan.azimuths > MOST_ENTRIES:
        raise InputError(f"a fan of {fan.azimuths} x {steps} entries is too large: use longer steps")
    eye = standing_height(grid, antenna.east_m, antenna.north_m, antenna.mast_m)
    return eye, *grid.cells(antenna.east_m, antenna.north_m), step, steps
