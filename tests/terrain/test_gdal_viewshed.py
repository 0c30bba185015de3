"""What a sensor sees of real mountains, against gdal_viewshed and against rays to every cell.

gdal_viewshed carries reference planes from cell to cell (Wang, Robinson and White, Generating viewsheds
without using sightlines, 2000), which is itself an approximation: `rays_to_every_cell` (Franklin and Ray's
R3) is the definition of what is visible, and is measured against it beside our sweep.
"""

import math
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.warp
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from vedette import geo, terrain
from vedette.terrain import Antenna, Fan, LocalGrid, kernels
from vedette.terrain.elevation import Elevation
from vedette.terrain.sight import RADIUS_FACTOR

pytestmark = [pytest.mark.field, pytest.mark.counterpart]

TILE = "terrain/bigtujunga_srtm30m_utm11.tif"
MAST_M = 10.0
RADIUS_M = 6378137.0
"""gdal_viewshed bends the ground by cc d^2 / (2 a), with the semi-major axis a of the file's ellipsoid."""

OUT_OF_RANGE = 7
Cell = tuple[int, int]
Visible = NDArray[np.bool_]

SITES: dict[str, Cell] = {
    "hilltop": (205, 848),
    "random a": (311, 606),
    "random b": (396, 834),
    "valley": (438, 344),
}
"""(row, column) of the tile; `test_the_sites_are_what_they_are_called`."""

CASES = [(name, reach, height) for name in SITES for reach in (5000.0, 10_000.0) for height in (20.0, 60.0)]


class Overlap(Struct, frozen=True):
    """``union``: intersection over union of two visible sets; ``share``: of the first, in the second."""

    union: float
    share: float


def overlap(first: Visible, second: Visible) -> Overlap:
    both = np.count_nonzero(first & second)
    return Overlap(both / np.count_nonzero(first | second), both / np.count_nonzero(first))


@pytest.fixture(scope="module")
def tile(field_data: Path) -> Elevation:
    return terrain.read(field_data / TILE, vertical_datum="egm96")


@pytest.fixture(scope="module")
def gdal_sees(
    field_data: Path, counterpart: Callable[[str], str], tmp_path_factory: Any
) -> Callable[..., Any]:
    """(site, reach, height) -> visible cells and cells in range, by gdal_viewshed."""
    program = counterpart("gdal_viewshed")
    folder = tmp_path_factory.mktemp("viewshed")

    def run(cell: Cell, reach: float, height: float) -> tuple[Visible, Visible]:
        return run_gdal(program, field_data / TILE, folder / "seen.tif", cell, reach, height)

    return run


def run_gdal(
    program: str, source: Path, target: Path, cell: Cell, reach: float, height: float
) -> tuple[Visible, Visible]:
    """gdal_viewshed's cells laid on the whole tile: visible, in range."""
    with rasterio.open(source) as dataset:
        place, shape = dataset.transform, dataset.shape
    x, y = place.c + (cell[1] + 0.5) * place.a, place.f + (cell[0] + 0.5) * place.e
    options = {"-ox": x, "-oy": y, "-oz": MAST_M, "-tz": height, "-md": reach, "-ov": OUT_OF_RANGE}
    options["-cc"] = 1.0 / RADIUS_FACTOR["radio"]
    words = [str(word) for pair in options.items() for word in pair]
    subprocess.run([program, "-q", *words, str(source), str(target)], check=True, timeout=120)
    whole = np.full(shape, OUT_OF_RANGE, np.uint8)
    with rasterio.open(target) as dataset:
        part, corner = dataset.read(1), dataset.transform
    left, top = round((corner.c - place.c) / place.a), round((corner.f - place.f) / place.e)
    whole[top : top + part.shape[0], left : left + part.shape[1]] = part
    return whole == 255, whole != OUT_OF_RANGE


def own_grid(tile: Elevation) -> LocalGrid:
    """The tile's own posts as a local grid, north being the projection's: the geometry of gdal_viewshed."""
    return LocalGrid(
        heights_m=np.ascontiguousarray(tile.heights_m[::-1], np.float32),
        west_m=0.0,
        south_m=0.0,
        cell_m=30.0,
        origin_alt_m=0.0,
        alt_datum="egm96",
        earth_radius_m=RADIUS_M,
    )


def sweep_sees(tile: Elevation, cell: Cell, reach: float, height: float, fan: Fan | None = None) -> Visible:
    """Every cell, asked of the mask of one sweep over the tile's own posts."""
    grid = own_grid(tile)
    rows, columns = tile.void.shape
    antenna = Antenna(east_m=30.0 * cell[1], north_m=30.0 * (rows - 1 - cell[0]), mast_m=MAST_M)
    seen = terrain.mask(grid, antenna, fan or Fan(range_m=reach + 60.0))
    east, north = np.meshgrid(30.0 * np.arange(columns), 30.0 * np.arange(rows)[::-1])
    up = tile.heights_m + height - (east * east + north * north) / (2.0 * RADIUS_M)
    return seen.visible(np.stack([east, north, up], axis=-1).reshape(-1, 3)).reshape(tile.void.shape)


def station_sees(tile: Elevation, cell: Cell, reach: float, height: float) -> Visible:
    """Every cell, asked the way a station does: the tile resampled to the site's own east and north."""
    rows, columns = np.mgrid[0 : tile.void.shape[0], 0 : tile.void.shape[1]] + 0.5
    t = tile.transform
    x, y = t.west + columns * t.dx, t.north - rows * t.dy
    lon, lat = rasterio.warp.transform(tile.crs, "EPSG:4326", x.ravel().tolist(), y.ravel().tolist())
    index = cell[0] * tile.void.shape[1] + cell[1]
    frame = geo.LocalFrame(lat[index], lon[index], float(tile.heights_m[cell]))
    grid = terrain.local_grid(tile, frame, "egm96", radius_m=reach + 90.0)
    seen = terrain.mask(grid, Antenna(east_m=0.0, north_m=0.0, mast_m=MAST_M), Fan(range_m=reach + 60.0))
    near = np.hypot(x - x[cell], y - y[cell]).ravel() <= reach
    visible = np.zeros(near.size, np.bool_)
    heights = tile.heights_m.ravel()
    points = [frame.to_enu(lat[p], lon[p], float(heights[p]) + height) for p in np.flatnonzero(near)]
    visible[near] = seen.visible(points)
    return visible.reshape(tile.void.shape)


@njit
def rays_to_every_cell(
    heights: Any, x: float, y: float, eye: float, bend: float, reach: float, above: float, out: Any
) -> None:
    """For each cell in range, a ray of its own, the ground sampled four times in each cell."""
    for j in range(heights.shape[0]):
        for i in range(heights.shape[1]):
            dx, dy = i - x, j - y
            d = 30.0 * math.sqrt(dx * dx + dy * dy)
            if d > reach:
                continue
            out[j, i] = True
            samples = math.ceil(4.0 * max(abs(dx), abs(dy)))
            for k in range(1, samples):
                share = k / samples
                ground = kernels.bilinear(heights, x + share * dx, y + share * dy)
                ray = (1.0 - share) * eye + share * (heights[j, i] + above)
                if ray - bend * d * d * share * (1.0 - share) < ground:
                    out[j, i] = False
                    break


FARTHEST_M = 10_000.0


def rays_see(tile: Elevation, cell: Cell, height: float) -> Visible:
    """Cells up to the farthest reach of any case."""
    heights = own_grid(tile).heights_m
    out = np.zeros(heights.shape, np.bool_)
    eye = float(tile.heights_m[cell]) + MAST_M
    bend = 0.5 / (RADIUS_M * RADIUS_FACTOR["radio"])
    y = float(heights.shape[0] - 1 - cell[0])
    rays_to_every_cell(heights, float(cell[1]), y, eye, bend, FARTHEST_M, height, out)
    return out[::-1]


@pytest.fixture(scope="module")
def rays(tile: Elevation) -> Callable[[str, float], Visible]:
    """(site, height) -> `rays_see`, computed once."""
    return cache(lambda site, height: rays_see(tile, SITES[site], height))


def test_the_sites_are_what_they_are_called(tile: Elevation) -> None:
    inner = tile.heights_m[170:470, 340:860]
    assert tile.heights_m[SITES["hilltop"]] == inner.max()
    assert tile.heights_m[SITES["valley"]] == inner.min()
    drawn = np.random.Generator(np.random.PCG64(1))
    for name in ("random a", "random b"):
        assert SITES[name] == (int(drawn.integers(170, 470)), int(drawn.integers(340, 860)))


@pytest.mark.parametrize(("site", "reach", "height"), CASES)
def test_what_gdal_calls_visible_we_call_visible(
    tile: Elevation,
    gdal_sees: Callable[..., Any],
    rays: Callable[[str, float], Visible],
    site: str,
    reach: float,
    height: float,
) -> None:
    """At least 97 % of gdal's visible cells are ours; and where the two sets differ, gdal differs from
    the rays to every cell just as much."""
    theirs, in_range = gdal_sees(SITES[site], reach, height)
    ours = sweep_sees(tile, SITES[site], reach, height) & in_range
    exact = rays(site, height) & in_range
    assert overlap(theirs, ours).share >= 0.97
    assert overlap(theirs, ours).union >= overlap(theirs, exact).union - 0.01
    assert overlap(exact, ours).union >= overlap(exact, theirs).union


@pytest.mark.parametrize(("site", "reach", "height"), CASES)
def test_the_sweep_sees_what_rays_to_every_cell_see(
    tile: Elevation, rays: Callable[[str, float], Visible], site: str, reach: float, height: float
) -> None:
    near = reaches(tile, SITES[site], reach)
    exact = rays(site, height) & near
    ours = sweep_sees(tile, SITES[site], reach, height) & near
    assert overlap(exact, ours).union >= 0.98
    assert overlap(exact, ours).share >= 0.99


def reaches(tile: Elevation, cell: Cell, reach: float) -> Visible:
    """Cells whose centre lies within ``reach`` of that of ``cell``."""
    rows, columns = np.ogrid[0 : tile.void.shape[0], 0 : tile.void.shape[1]]
    near: Visible = 30.0 * np.hypot(rows - cell[0], columns - cell[1]) <= reach
    return near


@pytest.mark.parametrize("site", SITES)
def test_through_the_site_s_own_frame_it_is_the_same(
    tile: Elevation, gdal_sees: Callable[..., Any], site: str
) -> None:
    theirs, in_range = gdal_sees(SITES[site], 5000.0, 20.0)
    ours = station_sees(tile, SITES[site], 5000.0, 20.0) & in_range
    assert overlap(theirs, ours).share >= 0.97
