"""The ground round a site, and what of the sky over it each sensor sees.

A station makes it from elevation files (`vedette.terrain`); it is pure data, and what a log was written
with is told by its digest: the same ground gives the same tracks.
"""

import hashlib
import math
import zlib
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from msgspec import Struct

from vedette.fuse.kernels.kalman import F64
from vedette.geo import LocalFrame
from vedette.model import ConfigError, DatumError, InputError, SensorProfile, Site
from vedette.model.detection import AltitudeDatum
from vedette.terrain import Antenna, Elevation, Fan, LocalGrid, Mask, local_grid, mask
from vedette.terrain.sight import Ray

FARTHEST_M = 30_000.0
"""Terrain is looked at so far from a sensor; farther off it is not known what stands in the way."""
USUAL_RANGE_M = 10_000.0
"""Of a sensor that states no range."""
STEP_M = 15.0
LEAST_MAST_M = 1.0
"""A sensor whose stated height lies below the model's ground stands on it, by at least this ..."""
MOST_SUNK_M = 50.0
"""... unless it lies so far below that one of the two must have another datum. A judgement: elevation models
of 30 m cells err by 10 m and more on a summit, datums differ by 15 to 100 m in most places."""
CELL_M = 30.0
LEAST_REACH_M, MOST_REACH_M = 15_000.0, 40_000.0
"""How far round a site its ground is kept, for sensors that will say themselves where they stand."""
MOST_MASKS = 1024
LARGEST_BYTES = 400_000_000
_RAYS: dict[str, Ray] = {"camera": "optical", "acoustic-array": "straight"}
"""By what each type of sensor sees; all others by radio."""


class _Packed(Struct, frozen=True, array_like=True):
    format: int
    rows: int
    columns: int
    west_m: float
    south_m: float
    cell_m: float
    origin_alt_m: float
    alt_datum: AltitudeDatum
    earth_radius_m: float
    heights: bytes


class Ground:
    """The ground of one site, and the masks of its sensors, each swept once."""

    def __init__(self, grid: LocalGrid) -> None:
        self.grid = grid
        self.digest = _digest(grid)
        self._masks: dict[tuple[float, float, float, float, Ray], Mask] = {}

    def mask_for(self, profile: SensorProfile, origin: F64) -> Mask | None:
        """What a sensor at ``origin`` (3,), in the site's frame, sees; None where the ground under it is not
        known. Raises ConfigError for one that would stand deep under the ground."""
        east, north = float(origin[0]), float(origin[1])
        ground = self.grid.ground_m(east, north)
        if ground is None:
            return None
        drop = (east * east + north * north) / (2.0 * self.grid.earth_radius_m)
        mast = self.grid.origin_alt_m + float(origin[2]) + drop - ground
        if mast < -MOST_SUNK_M:
            raise ConfigError(
                f"sensor {profile.id}: its alt_m lies {-mast:.0f} m below the ground of the terrain files: "
                "check its alt_datum, and the vertical datum of the files"
            )
        reach = min(USUAL_RANGE_M if profile.range_m is None else profile.range_m[1], FARTHEST_M)
        ray = _RAYS.get(profile.type, "radio")
        return self._mask(east, north, max(mast, LEAST_MAST_M), max(reach, 2.0 * STEP_M), ray)

    def _mask(self, east: float, north: float, mast: float, reach: float, ray: Ray) -> Mask:
        key = (east, north, mast, reach, ray)
        held = self._masks.get(key)
        if held is None:
            if len(self._masks) >= MOST_MASKS:
                self._masks.clear()
            antenna = Antenna(east_m=east, north_m=north, mast_m=mast)
            held = mask(self.grid, antenna, Fan(range_m=reach, step_m=STEP_M, ray=ray))
            self._masks[key] = held
        return held

    def pack(self) -> bytes:
        """The ground as bytes, for the folder of a log."""
        grid = self.grid
        rows, columns = grid.heights_m.shape
        heights = zlib.compress(np.ascontiguousarray(grid.heights_m, "<f4").tobytes(), 6)
        return msgspec.msgpack.encode(
            _Packed(
                1,
                rows,
                columns,
                grid.west_m,
                grid.south_m,
                grid.cell_m,
                grid.origin_alt_m,
                grid.alt_datum,
                grid.earth_radius_m,
                heights,
            )
        )

    @classmethod
    def unpack(cls, data: bytes) -> "Ground":
        """The inverse of `pack`. Raises InputError for bytes that are no such ground."""
        try:
            packed = msgspec.msgpack.decode(data, type=_Packed)
            size = 4 * packed.rows * packed.columns
            if packed.format != 1 or min(packed.rows, packed.columns) < 2 or size > LARGEST_BYTES:
                raise ValueError(f"format {packed.format}, {packed.rows} x {packed.columns} posts")
            raw = zlib.decompressobj().decompress(packed.heights, size)
            heights = np.frombuffer(raw, "<f4").reshape(packed.rows, packed.columns).astype(np.float32)
        except (msgspec.MsgspecError, zlib.error, ValueError) as error:
            raise InputError(f"this is no ground that a station kept ({error}): copy it again") from None
        return cls(
            LocalGrid(
                heights_m=heights,
                west_m=packed.west_m,
                south_m=packed.south_m,
                cell_m=packed.cell_m,
                origin_alt_m=packed.origin_alt_m,
                alt_datum=packed.alt_datum,
                earth_radius_m=packed.earth_radius_m,
            )
        )


Grounds = Callable[[str], Ground]
"""Finds the ground of a digest. Raises InputError if it is not there."""


def no_ground(digest: str) -> Ground:
    """For who has none."""
    raise InputError(
        f"this was computed with the ground {digest}, which is not here: "
        "keep the folder 'terrain' beside the log"
    )


def ground_of(elevation: Elevation, site: Site, sensors: Sequence[SensorProfile]) -> Ground:
    """The ground round a site, as far as these sensors reach. Raises ConfigError where the heights of the two
    do not go together, or the elevation does not hold the site."""
    frame = LocalFrame(site.lat_deg, site.lon_deg, site.alt_m)
    reach = LEAST_REACH_M
    for profile in sensors:
        try:
            east, north, _ = frame.to_enu(profile.lat_deg, profile.lon_deg, site.alt_m)
        except InputError:
            continue
        far = USUAL_RANGE_M if profile.range_m is None else min(profile.range_m[1], FARTHEST_M)
        reach = max(reach, math.hypot(east, north) + far)
    try:
        grid = local_grid(
            elevation,
            frame,
            site.alt_datum,
            radius_m=min(reach, MOST_REACH_M),
            cell_m=CELL_M,
            geoid_height_m=site.geoid_height_m,
        )
    except DatumError as error:
        raise ConfigError(f"terrain: {error}; give the site's alt_datum and geoid_height_m") from error
    if grid.ground_m(0.0, 0.0) is None:
        raise ConfigError(
            f"terrain: {', '.join(elevation.source)} knows no ground under the site: wrong tile?"
        )
    return Ground(grid)


def _digest(grid: LocalGrid) -> str:
    """Hexadecimal digits that two grounds share exactly if they are equal, whatever a void's bits are."""
    figures = (grid.west_m, grid.south_m, grid.cell_m, grid.origin_alt_m, grid.earth_radius_m)
    heights = np.ascontiguousarray(grid.heights_m, "<f4").copy()
    heights[np.isnan(heights)] = math.nan
    whole = hashlib.blake2b(repr((figures, grid.alt_datum, heights.shape)).encode(), digest_size=16)
    whole.update(heights.tobytes())
    return whole.hexdigest()
