"""The noun of this room: heights on a regular grid, where they are, what they are measured from."""

from typing import Literal, get_args

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from vedette.model.errors import DatumError, InputError

VerticalDatum = Literal["egm96", "egm2008", "navd88", "wgs84-ellipsoid"]
"""What the heights of a file are measured from. Only `egm96` and `wgs84-ellipsoid` convert by the site's
geoid height; from the others the person must say how much to add."""

Heights = NDArray[np.int16] | NDArray[np.float32]
VoidMask = NDArray[np.bool_]

WGS84 = "EPSG:4326"

LOWEST_GROUND_M = -500.0
HIGHEST_GROUND_M = 9000.0
"""Outside these a number in an elevation file is no height: the Dead Sea's shore lies at -430 m."""


class Transform(Struct, frozen=True, kw_only=True):
    """From pixels to the file's coordinates, north up: pixel (column, row) has its north-western corner
    at (``west + column * dx``, ``north - row * dy``), and its height stands at its centre."""

    west: float
    north: float
    dx: float
    dy: float


class Bounds(Struct, frozen=True, kw_only=True):
    """Outer edges, in the coordinates of the elevation's CRS (degrees or metres)."""

    west: float
    south: float
    east: float
    north: float


class Seam(Struct, frozen=True, kw_only=True):
    """Where two tiles hold the same posts, and how far apart their heights are there.

    ``posts``: posts that both know; ``differing``: those whose heights are not equal;
    ``most_apart_m``: the greatest difference.
    """

    first: str
    second: str
    posts: int
    differing: int
    most_apart_m: float


class Elevation(Struct, frozen=True, kw_only=True, eq=False):
    """Ground heights in metres.

    ``heights_m`` (rows, columns): row 0 is the northernmost; what stands under a void means nothing.
    ``void`` (rows, columns): True where the height is not known. ``crs``: horizontal coordinate system as
    an authority code or WKT. ``source``: the files it came from. ``seams`` and ``missing`` are filled by
    `tiles.mosaic`: overlaps compared, and the places inside the bounds that no tile covers.
    """

    heights_m: Heights
    void: VoidMask
    transform: Transform
    crs: str
    vertical_datum: VerticalDatum
    source: tuple[str, ...]
    seams: tuple[Seam, ...] = ()
    missing: tuple[Bounds, ...] = ()

    @property
    def bounds(self) -> Bounds:
        """Outer edges of the outermost pixels."""
        t, (rows, columns) = self.transform, self.heights_m.shape
        return Bounds(west=t.west, north=t.north, east=t.west + columns * t.dx, south=t.north - rows * t.dy)

    @property
    def resolution(self) -> tuple[float, float]:
        """Distance between posts eastward and northward, in the CRS's unit."""
        return self.transform.dx, self.transform.dy

    @property
    def void_count(self) -> int:
        """Posts without a height."""
        return int(np.count_nonzero(self.void))

    @property
    def void_share(self) -> float:
        """Share of posts without a height, 0 to 1."""
        return self.void_count / self.void.size

    @property
    def geographic(self) -> bool:
        """True if the coordinates are longitude and latitude of WGS 84."""
        return self.crs == WGS84


def checked_datum(name: str, where: str) -> VerticalDatum:
    """``name`` if it is one we know; raises InputError otherwise."""
    for known in get_args(VerticalDatum):
        if name == known:
            return known  # type: ignore[no-any-return]
    raise InputError(
        f"{where}: vertical datum {name!r} is unknown; say one of {', '.join(get_args(VerticalDatum))}"
    )


def settled_datum(in_file: VerticalDatum | None, said: str | None, where: str) -> VerticalDatum:
    """The vertical datum, from what the file and the person say. Raises DatumError if neither says one
    or the two differ: heights of different datums are tens of metres apart."""
    named = None if said is None else checked_datum(said, where)
    if in_file is None and named is None:
        raise DatumError(
            f"{where} does not say what its heights are measured from; find it in the description of the "
            f"data and pass vertical_datum={' or '.join(repr(d) for d in get_args(VerticalDatum))}"
        )
    if in_file is not None and named is not None and in_file != named:
        raise DatumError(f"{where} says its heights are {in_file}, not {named}: leave vertical_datum out")
    datum = in_file or named
    assert datum is not None
    return datum


def implausible(heights: Heights) -> VoidMask:
    """Posts whose number is no height on Earth, NaN included: the marks of files that do not declare
    their void value (-32768, -9999, 32767 ...)."""
    return ~((heights >= LOWEST_GROUND_M) & (heights <= HIGHEST_GROUND_M))
