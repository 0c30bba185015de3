"""Mosaics: seams compared, voids filled, gaps named, and nothing joined that does not belong together."""

import msgspec
import numpy as np
import pytest

from vedette import terrain
from vedette.model.errors import DatumError, InputError
from vedette.terrain.elevation import Bounds, Elevation, Transform

D = 1.0 / 1200.0


def tile(west: float, north: float, value: float, *, side: int = 13, name: str = "t") -> Elevation:
    """``side`` posts square from a north-western post, as SRTM lays them: edges shared with neighbours."""
    return Elevation(
        heights_m=np.full((side, side), value, np.float32),
        void=np.zeros((side, side), np.bool_),
        transform=Transform(west=west - D / 2, north=north + D / 2, dx=D, dy=D),
        crs="EPSG:4326",
        vertical_datum="egm96",
        source=(name,),
    )


def neighbours() -> list[Elevation]:
    """Three of four tiles; the south-eastern one is missing."""
    step = 12 * D
    return [
        tile(10.0, 50.0, 100.0, name="nw"),
        tile(10.0 + step, 50.0, 100.0, name="ne"),
        tile(10.0, 50.0 - step, 103.0, name="sw"),
    ]


def test_shared_edges_are_compared_and_the_missing_tile_is_named() -> None:
    whole = terrain.mosaic(neighbours())
    assert whole.heights_m.shape == (25, 25)
    seams = {(s.first, s.second): s for s in whole.seams}
    assert (seams["nw", "ne"].posts, seams["nw", "ne"].differing) == (13, 0)
    assert (seams["nw", "sw"].posts, seams["nw", "sw"].differing, seams["nw", "sw"].most_apart_m) == (
        13,
        13,
        3,
    )
    assert seams["ne", "sw"].posts == 1
    assert whole.void_count == 12 * 12
    assert whole.source == ("nw", "ne", "sw")
    (gap,) = whole.missing
    assert gap.west == pytest.approx(10.0 + 12.5 * D)
    assert gap.north == pytest.approx(50.0 - 12.5 * D)
    assert gap.south == pytest.approx(whole.bounds.south)
    assert isinstance(gap, Bounds)


def test_the_first_tile_that_knows_a_height_counts() -> None:
    first, second = tile(10.0, 50.0, 1.0), tile(10.0, 50.0, 2.0)
    first.void[3, 4] = True
    whole = terrain.mosaic([first, second])
    assert whole.void_count == 0
    assert whole.heights_m[3, 4] == 2.0
    assert np.count_nonzero(whole.heights_m == 1.0) == 168
    assert whole.seams[0].posts == 168


def test_tiles_that_touch_without_sharing_posts_leave_no_crack() -> None:
    whole = terrain.mosaic([tile(10.0, 50.0, 1.0), tile(10.0 + 13 * D, 50.0, 2.0)])
    assert whole.seams == ()
    assert whole.missing == ()
    assert terrain.height_at(whole, 50.0 - 5 * D, 10.0 + 12.5 * D) == pytest.approx(1.5)


def test_far_apart_tiles_leave_a_void_between() -> None:
    whole = terrain.mosaic([tile(10.0, 50.0, 1.0), tile(10.0 + 20 * D, 50.0, 1.0)])
    assert len(whole.missing) == 1
    assert terrain.height_at(whole, 50.0 - 5 * D, 10.0 + 16 * D) is None


def test_one_tile_is_its_own_mosaic() -> None:
    whole = terrain.mosaic([tile(10.0, 50.0, 7.0)])
    assert whole.bounds == tile(10.0, 50.0, 7.0).bounds
    assert (whole.seams, whole.missing, whole.void_count) == ((), (), 0)


@pytest.mark.parametrize(
    ("other", "error", "words"),
    [
        ({"vertical_datum": "navd88"}, DatumError, "do not go together"),
        ({"crs": "EPSG:32611"}, InputError, "warp"),
        ({"transform": Transform(west=10.0, north=50.0, dx=2 * D, dy=D)}, InputError, "resample"),
        ({"transform": Transform(west=10.0 + 0.3 * D, north=50.0, dx=D, dy=D)}, InputError, "on each other"),
        (
            {"transform": Transform(west=10.0 - D / 2 + 90.0, north=90.0 + D / 2, dx=D, dy=D)},
            InputError,
            "far",
        ),
    ],
)
def test_what_does_not_fit_is_refused(other: dict[str, object], error: type[InputError], words: str) -> None:
    first = tile(10.0, 50.0, 1.0)
    odd = msgspec.structs.replace(first, **other)
    with pytest.raises(error, match=words):
        terrain.mosaic([first, odd])


def test_no_tile_is_an_error() -> None:
    with pytest.raises(InputError, match="no elevation tile"):
        terrain.mosaic([])
