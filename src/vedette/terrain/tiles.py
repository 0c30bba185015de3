"""Several tiles -> one elevation: overlaps compared, voids of one filled by another, gaps named.

Tiles must share coordinate system, vertical datum and grid, as the tiles of one product do: nothing is
resampled, so each height of the mosaic is a height of a file.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from vedette.model.errors import DatumError, InputError
from vedette.terrain.elevation import Bounds, Elevation, Seam, Transform
from vedette.terrain.reading import MOST_POSTS

GRID_TOLERANCE = 0.01
"""Posts of two tiles are the same post if they are closer than this share of their spacing."""

Corner = tuple[int, int]


def mosaic(tiles: Sequence[Elevation]) -> Elevation:
    """All tiles on one grid. Where several know a height, the first in the sequence counts.

    Posts that no tile holds are void, and ``missing`` names their rectangles. Raises DatumError for tiles
    of different vertical datums; InputError for none, for different grids, or for too large a whole.
    """
    if not tiles:
        raise InputError("no elevation tile given: name at least one file")
    first = tiles[0]
    for tile in tiles[1:]:
        _check_alike(first, tile)
    west = min(tile.bounds.west for tile in tiles)
    north = max(tile.bounds.north for tile in tiles)
    whole = Transform(west=west, north=north, dx=first.transform.dx, dy=first.transform.dy)
    corners = [_corner(whole, tile) for tile in tiles]
    rows = max(row + tile.void.shape[0] for (row, _), tile in zip(corners, tiles, strict=True))
    columns = max(column + tile.void.shape[1] for (_, column), tile in zip(corners, tiles, strict=True))
    if rows * columns > MOST_POSTS:
        raise InputError(
            f"{', '.join(_names(tiles))}: together {rows} x {columns} posts, more than {MOST_POSTS}; "
            "leave out tiles that are far away"
        )
    return _filled(tiles, corners, whole, (rows, columns))


def _filled(
    tiles: Sequence[Elevation], corners: Sequence[Corner], whole: Transform, shape: tuple[int, int]
) -> Elevation:
    heights = np.zeros(shape, np.result_type(*(tile.heights_m.dtype for tile in tiles)))
    void = np.ones(shape, np.bool_)
    covered = np.zeros(shape, np.bool_)
    for tile, (row, column) in zip(tiles, corners, strict=True):
        window = np.s_[row : row + tile.void.shape[0], column : column + tile.void.shape[1]]
        fresh = void[window] & ~tile.void
        heights[window][fresh] = tile.heights_m[fresh]
        void[window] &= tile.void
        covered[window] = True
    return Elevation(
        heights_m=heights,
        void=void,
        transform=whole,
        crs=tiles[0].crs,
        vertical_datum=tiles[0].vertical_datum,
        source=_names(tiles),
        seams=tuple(_seams(tiles, corners)),
        missing=tuple(_missing(covered, corners, tiles, whole)),
    )


def _names(tiles: Sequence[Elevation]) -> tuple[str, ...]:
    return tuple(name for tile in tiles for name in tile.source)


def _check_alike(first: Elevation, tile: Elevation) -> None:
    pair = f"{first.source[0]} and {tile.source[0]}"
    if first.vertical_datum != tile.vertical_datum:
        raise DatumError(
            f"{pair}: heights over {first.vertical_datum} and over {tile.vertical_datum} do not go together; "
            "use tiles of one product"
        )
    if first.crs != tile.crs:
        raise InputError(f"{pair}: coordinates in {first.crs} and {tile.crs}; warp one to the other's")
    spacing = zip(first.resolution, tile.resolution, strict=True)
    if any(abs(a - b) > 1e-6 * a for a, b in spacing):
        raise InputError(f"{pair}: spacing {first.resolution} and {tile.resolution}; resample one (gdalwarp)")
    offsets = (
        (tile.transform.west - first.transform.west) / first.transform.dx,
        (tile.transform.north - first.transform.north) / first.transform.dy,
    )
    if any(abs(offset - round(offset)) > GRID_TOLERANCE for offset in offsets):
        raise InputError(f"{pair}: their posts do not fall on each other; resample one (gdalwarp -tap)")


def _corner(whole: Transform, tile: Elevation) -> Corner:
    """Row and column of a tile's north-western post in the whole."""
    return (
        round((whole.north - tile.transform.north) / whole.dy),
        round((tile.transform.west - whole.west) / whole.dx),
    )


def _seams(tiles: Sequence[Elevation], corners: Sequence[Corner]) -> list[Seam]:
    seams = []
    for b in range(len(tiles)):
        for a in range(b):
            seam = _seam(tiles[a], corners[a], tiles[b], corners[b])
            if seam is not None:
                seams.append(seam)
    return seams


def _seam(a: Elevation, at_a: Corner, b: Elevation, at_b: Corner) -> Seam | None:
    """The posts that two tiles share, compared; None if they share none."""
    (top_a, left_a), (top_b, left_b) = at_a, at_b
    top, left = max(top_a, top_b), max(left_a, left_b)
    bottom = min(top_a + a.void.shape[0], top_b + b.void.shape[0])
    right = min(left_a + a.void.shape[1], left_b + b.void.shape[1])
    if bottom <= top or right <= left:
        return None
    in_a = np.s_[top - top_a : bottom - top_a, left - left_a : right - left_a]
    in_b = np.s_[top - top_b : bottom - top_b, left - left_b : right - left_b]
    known = ~(a.void[in_a] | b.void[in_b])
    apart = np.abs(a.heights_m[in_a][known].astype(np.float64) - b.heights_m[in_b][known])
    return Seam(
        first=a.source[0],
        second=b.source[0],
        posts=int(apart.size),
        differing=int(np.count_nonzero(apart)),
        most_apart_m=float(apart.max(initial=0.0)),
    )


def _missing(
    covered: np.ndarray, corners: Sequence[Corner], tiles: Sequence[Elevation], whole: Transform
) -> list[Bounds]:
    """Rectangles between the tiles' edges that no tile covers, north to south, west to east."""
    rows = sorted({0, covered.shape[0], *_edges(corners, tiles, 0)})
    columns = sorted({0, covered.shape[1], *_edges(corners, tiles, 1)})
    return [
        Bounds(
            west=whole.west + left * whole.dx,
            east=whole.west + right * whole.dx,
            north=whole.north - top * whole.dy,
            south=whole.north - bottom * whole.dy,
        )
        for top, bottom in pairwise(rows)
        for left, right in pairwise(columns)
        if not covered[top, left]
    ]


def _edges(corners: Sequence[Corner], tiles: Sequence[Elevation], axis: int) -> list[int]:
    starts = [corner[axis] for corner in corners]
    return starts + [s + t.void.shape[axis] for s, t in zip(starts, tiles, strict=True)]
