"""Heights where they are needed: at a place, and once for each site on a local grid."""

import math

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from vedette import geo
from vedette.model.detection import AltitudeDatum
from vedette.model.errors import DatumError, InputError
from vedette.terrain import kernels, places
from vedette.terrain.elevation import Elevation, Heights, VoidMask

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

MOST_CELLS = 100_000_000
POST_TOLERANCE = 1e-6
"""Share of the spacing below which a place is the post itself."""
LATTICE_CELLS = 16
"""The projection is computed at every 16th post and blended between: a few millimetres at 30 m."""


class LocalGrid(Struct, frozen=True, kw_only=True, eq=False):
    """Ground heights on the east and north of a site's frame.

    ``heights_m`` (rows, columns), float32, contiguous: row 0 is the southernmost, NaN where the ground is
    not known; over the origin's datum ``alt_datum``. Column i lies at ``west_m + i * cell_m`` east, row j
    at ``south_m + j * cell_m`` north. ``origin_alt_m``: the frame's up = 0, in the same datum.
    """

    heights_m: F32
    west_m: float
    south_m: float
    cell_m: float
    origin_alt_m: float
    alt_datum: AltitudeDatum
    earth_radius_m: float

    @property
    def void_share(self) -> float:
        """Share of posts whose ground is not known, 0 to 1."""
        return float(np.count_nonzero(np.isnan(self.heights_m))) / self.heights_m.size

    def cells(self, east_m: float, north_m: float) -> tuple[float, float]:
        """A place in cells east and north of the first post."""
        return (east_m - self.west_m) / self.cell_m, (north_m - self.south_m) / self.cell_m

    def ground_m(self, east_m: float, north_m: float) -> float | None:
        """Height of the ground in ``alt_datum``; None where it is not known."""
        height = float(kernels.bilinear(self.heights_m, *self.cells(east_m, north_m)))
        return None if math.isnan(height) else height


def heights_at(elevation: Elevation, lat_deg: F64, lon_deg: F64) -> F64:
    """Ground heights at many places, bilinear, in the elevation's own vertical datum; NaN where they are
    not known: outside, and where a post that counts is void."""
    lat, lon = np.asarray(lat_deg, np.float64), np.asarray(lon_deg, np.float64)
    if not (np.all(np.abs(lat) <= 90.0) and np.all(np.abs(lon) <= 360.0)):
        raise InputError("a latitude outside -90..90 or a longitude outside -360..360 is no place on Earth")
    column, row = places.pixels(elevation, lat, lon)
    out = np.empty(lat.shape)
    _sample(elevation.heights_m, elevation.void, column.ravel(), row.ravel(), out.reshape(-1))
    return out


def height_at(elevation: Elevation, lat_deg: float, lon_deg: float) -> float | None:
    """Ground height at one place in the elevation's own vertical datum; None where it is not known."""
    height = float(heights_at(elevation, np.array([lat_deg]), np.array([lon_deg]))[0])
    return None if math.isnan(height) else height


def local_grid(
    elevation: Elevation,
    frame: geo.LocalFrame,
    alt_datum: AltitudeDatum,
    *,
    radius_m: float,
    cell_m: float = 30.0,
    geoid_height_m: float | None = None,
    raise_m: float | None = None,
) -> LocalGrid:
    """The ground round a site on its own frame, once.

    ``alt_datum``: that of ``frame``. ``geoid_height_m``: needed to bring heights over the geoid and over
    the ellipsoid together. ``raise_m``: how much to add to the file's heights, where their datum has no
    known offset (egm2008, navd88). Raises DatumError if the two cannot be brought together, InputError
    for an unusable size. A grid that reaches beyond the elevation holds NaN there.
    """
    if not (0.0 < cell_m <= radius_m < math.inf):
        raise InputError(
            f"a grid of {radius_m} m in cells of {cell_m} m: both must be positive, cell smaller"
        )
    half = math.ceil(radius_m / cell_m)
    if (2 * half + 1) ** 2 > MOST_CELLS:
        raise InputError(f"a grid of {radius_m} m in cells of {cell_m} m is too large: use larger cells")
    added = _added_m(elevation, alt_datum, geoid_height_m, raise_m)
    column, row = _lattice(elevation, frame, half, cell_m)
    out = np.empty((2 * half + 1, 2 * half + 1), np.float32)
    _resample(elevation.heights_m, elevation.void, column, row, added, out)
    return LocalGrid(
        heights_m=out,
        west_m=-half * cell_m,
        south_m=-half * cell_m,
        cell_m=cell_m,
        origin_alt_m=frame.alt_m,
        alt_datum=alt_datum,
        earth_radius_m=places.earth_radius_m(frame.lat_deg),
    )


def _added_m(
    elevation: Elevation, alt_datum: AltitudeDatum, geoid_height_m: float | None, raise_m: float | None
) -> float:
    """What turns the file's heights into those of the site's datum."""
    if raise_m is not None:
        if not math.isfinite(raise_m):
            raise InputError(f"raise_m {raise_m} is no height")
        return raise_m
    datum = elevation.vertical_datum
    if datum == "egm96" or datum == "wgs84-ellipsoid":
        return geo.convert_height(0.0, datum, alt_datum, geoid_height_m=geoid_height_m)
    raise DatumError(
        f"{', '.join(elevation.source)}: the offset from {datum} to {alt_datum} is not known here; look it "
        "up for this place and pass raise_m"
    )


def _lattice(elevation: Elevation, frame: geo.LocalFrame, half: int, cell_m: float) -> tuple[F64, F64]:
    """Pixel coordinates of every `LATTICE_CELLS`-th post of the grid, at least up to its last."""
    count = math.ceil(2 * half / LATTICE_CELLS) + 1
    line = (np.arange(count) * LATTICE_CELLS - half) * cell_m
    east, north = np.meshgrid(line, line)
    lat, lon = places.ground_places(frame, east, north)
    return places.pixels(elevation, lat, lon)


@njit(cache=True, nogil=True)
def _blend(table: F64, j: int, i: int, fy: float, fx: float) -> float:
    south = (1.0 - fx) * table[j, i] + fx * table[j, i + 1]
    north = (1.0 - fx) * table[j + 1, i] + fx * table[j + 1, i + 1]
    value: float = (1.0 - fy) * south + fy * north
    return value


@njit(cache=True, nogil=True)
def _snapped(at: float) -> float:
    """The whole number of posts if ``at`` is one but for rounding: the edge of a tile belongs to it."""
    whole = math.floor(at + 0.5)
    return float(whole) if abs(at - whole) < POST_TOLERANCE else at


@njit(cache=True, nogil=True)
def _height(heights: Heights, void: VoidMask, column: float, row: float) -> float:
    """Bilinear between the four posts round a place; NaN if one that counts is void or outside."""
    rows, columns = heights.shape
    column, row = _snapped(column), _snapped(row)
    if not (0.0 <= column <= columns - 1 and 0.0 <= row <= rows - 1):
        return math.nan
    i = min(int(column), columns - 2)
    j = min(int(row), rows - 2)
    total = 0.0
    for dj in range(2):
        for di in range(2):
            weight = abs(1 - di - (column - i)) * abs(1 - dj - (row - j))
            if weight > 0.0:
                if void[j + dj, i + di]:
                    return math.nan
                total += weight * heights[j + dj, i + di]
    return total


@njit(cache=True, nogil=True)
def _sample(heights: Heights, void: VoidMask, column: F64, row: F64, out: F64) -> None:
    for p in range(out.shape[0]):
        out[p] = _height(heights, void, column[p], row[p])


@njit(cache=True, nogil=True)
def _resample(heights: Heights, void: VoidMask, column: F64, row: F64, added: float, out: F32) -> None:
    for j in range(out.shape[0]):
        low = min(j // LATTICE_CELLS, column.shape[0] - 2)
        fy = j / LATTICE_CELLS - low
        for i in range(out.shape[1]):
            left = min(i // LATTICE_CELLS, column.shape[1] - 2)
            fx = i / LATTICE_CELLS - left
            x = _blend(column, low, left, fy, fx)
            y = _blend(row, low, left, fy, fx)
            out[j, i] = _height(heights, void, x, y) + added
