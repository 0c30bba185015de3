"""The work that `vedette bench sweep` times; the clock and the threads are the caller's."""

from collections.abc import Callable

import numpy as np

from vedette import geo
from vedette.terrain.polar import Antenna, Fan, lowest_bytes
from vedette.terrain.sampling import local_grid
from vedette.terrain.synthetic import synthesize

_PLACE = (31.35, -110.95)
_SPREAD_M = 10_000.0


def sweep_work(fan: Fan, *, seed: int = 1) -> Callable[[int], int]:
    """A function that sweeps site number n of a seeded random set and returns the count of entries.

    The sites lie up to 10 km from the centre of synthetic desert that covers every ray; each call is one
    `lowest_bytes` and may run in a thread of its own. Compiles the kernels before it returns.
    """
    lat, lon = _PLACE
    reach = _SPREAD_M + fan.range_m
    ground = synthesize("desert", seed=seed, lat_deg=lat, lon_deg=lon, half_extent_m=1.05 * reach)
    grid = local_grid(ground, geo.LocalFrame(lat, lon, 0.0), "egm96", radius_m=reach)

    def work(n: int) -> int:
        chance = np.random.Generator(np.random.Philox([seed, n]))
        east, north = chance.uniform(-_SPREAD_M, _SPREAD_M, 2)
        swept = lowest_bytes(grid, Antenna(east_m=east, north_m=north, mast_m=10.0), fan)
        return int(swept.lowest_m.size)

    work(0)
    return work
