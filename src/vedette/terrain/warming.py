"""Compile the kernels before they are needed."""

import numpy as np
from msgspec.structs import replace

from vedette import geo
from vedette.terrain.masks import mask_of
from vedette.terrain.polar import Antenna, Fan, lowest_bytes, sweep
from vedette.terrain.sampling import height_at, local_grid
from vedette.terrain.sight import Point, line_of_sight
from vedette.terrain.synthetic import synthesize


def warm() -> None:
    """Compile every kernel of this room, or load it from numba's cache."""
    floats = synthesize("flat", seed=0, lat_deg=0.0, lon_deg=0.0, half_extent_m=600.0)
    whole = replace(floats, heights_m=floats.heights_m.astype(np.int16))
    frame = geo.LocalFrame(0.0, 0.0, 0.0)
    antenna, fan = Antenna(east_m=0.0, north_m=0.0, mast_m=5.0), Fan(range_m=100.0, azimuths=4)
    for ground in (floats, whole):
        height_at(ground, 0.0, 0.0)
        grid = local_grid(ground, frame, "egm96", radius_m=300.0)
        for swept in (sweep(grid, antenna, fan), lowest_bytes(grid, antenna, fan)):
            swept.states(50.0, 0.0, 5.0)
    mask_of(grid, sweep(grid, antenna, fan)).states(np.zeros((1, 3)))
    ends = [Point(east_m=at, north_m=0.0, above_ground_m=5.0) for at in (0.0, 200.0)]
    line_of_sight(grid, *ends)
