"""A sweep as the tracker uses it: does this sensor see that point of the site's frame?

For detection probability that depends on place. Kernels elsewhere call `kernels.mask_state` with the
plain arrays of a mask: ``horizon``, ``first_void`` and ``place``.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from vedette.model.errors import InputError
from vedette.terrain import kernels
from vedette.terrain.polar import Antenna, Fan, Sweep, sweep
from vedette.terrain.sampling import LocalGrid

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I8 = NDArray[np.int8]
I32 = NDArray[np.int32]


class Mask(Struct, frozen=True, kw_only=True, eq=False):
    """What one sensor sees, for points of the site's frame.

    ``horizon`` (azimuths, steps) and ``first_void`` (azimuths): see `polar.Sweep`. ``place`` (6): east,
    north and height over the site's origin of the antenna, the step (m), 1 / (2 R') of the bent ray, and
    1 / (2 R) of the true Earth.
    """

    horizon: F32
    first_void: I32
    place: F64

    def states(self, enu_m: ArrayLike) -> I8:
        """1 visible, 0 hidden, -1 unknown for each row (east, north, up; metres) of ``enu_m`` (n, 3).

        Unknown: beyond the sweep, behind a void and not hidden by what is known, not finite. Raises
        InputError for an array of another shape.
        """
        points = np.ascontiguousarray(enu_m, np.float64)
        if points.ndim != 2 or points.shape[1] != 3:
            raise InputError(f"points of shape {points.shape}: expected (n, 3), east, north and up in metres")
        out = np.empty(points.shape[0], np.int8)
        kernels.mask_states(self.horizon, self.first_void, self.place, points, out)
        return out

    def visible(self, enu_m: ArrayLike) -> NDArray[np.bool_]:
        """True for each row of ``enu_m`` (n, 3) that is visible for sure; unknown is not visible."""
        seen: NDArray[np.bool_] = self.states(enu_m) == kernels.VISIBLE
        return seen


def mask_of(grid: LocalGrid, swept: Sweep) -> Mask:
    """The mask of a sweep over that grid. Raises InputError for a sweep in bytes, which has no horizon."""
    if swept.horizon is None:
        raise InputError(
            "a sweep in bytes has no horizon for a mask: make it with sweep(), not lowest_bytes()"
        )
    place = np.empty(6)
    place[kernels.EAST] = swept.antenna.east_m
    place[kernels.NORTH] = swept.antenna.north_m
    place[kernels.EYE] = swept.eye_m - grid.origin_alt_m
    place[kernels.STEP] = swept.step_m
    place[kernels.BEND] = swept.bend
    place[kernels.CURVE] = 0.5 / grid.earth_radius_m
    return Mask(horizon=swept.horizon, first_void=swept.first_void, place=place)


def mask(grid: LocalGrid, antenna: Antenna, fan: Fan | None = None) -> Mask:
    """The mask of one antenna: `polar.sweep` and `mask_of` in one."""
    return mask_of(grid, sweep(grid, antenna, fan))
