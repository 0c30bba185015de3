"""Local grids for the tests of sight and sweep."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from vedette.terrain import LocalGrid

F32 = NDArray[np.float32]


@pytest.fixture(scope="session")
def grid_of() -> Callable[..., LocalGrid]:
    """A grid from heights, whose first post is the origin of the frame, at height 0."""

    def make(heights: F32, cell_m: float = 30.0) -> LocalGrid:
        return LocalGrid(
            heights_m=np.ascontiguousarray(heights, np.float32),
            west_m=0.0,
            south_m=0.0,
            cell_m=cell_m,
            origin_alt_m=0.0,
            alt_datum="egm96",
            earth_radius_m=6_371_000.0,
        )

    return make


@pytest.fixture(scope="session")
def rough() -> Callable[..., F32]:
    """Random heights, each post on its own."""

    def make(seed: int, side: int = 61, relief: float = 40.0, voids: float = 0.0) -> F32:
        chance = np.random.Generator(np.random.Philox(seed))
        heights = (relief * chance.random((side, side))).astype(np.float32)
        heights[chance.random((side, side)) < voids] = np.nan
        return heights

    return make
