"""Two tracks that turn out to be one body: whose name, whose place, whose height."""

from typing import Any

import numpy as np
import pytest

from vedette.fuse import FuseSettings
from vedette.fuse.kernels.kalman import STATE
from vedette.fuse.picture import Dossier, Picture
from vedette.fuse.sightings import NEVER, Sightings
from vedette.fuse.step import Fuser

SETTINGS = FuseSettings()
BEGIN = 100.0


def picture_of(*tracks: dict[str, Any]) -> Picture:
    """Tracks at rest: their names in turn, where, how well that is known (m), and who saw them."""
    picture, fuser = Picture(), Fuser(SETTINGS)
    for number, track in enumerate(tracks):
        seen, measured = track.get("seen", BEGIN), track.get("measured", BEGIN)
        dossier = Dossier(f"T{number}", BEGIN - 10.0 + number, None, None, False)
        slot = picture.found(dossier, Sightings((("eye", BEGIN),), seen, measured), BEGIN, 0.99)
        picture.confirmed[slot], picture.known[slot] = True, True
        picture.x[slot, :3] = track["place"]
        picture.p[slot] = np.diag([track["sigma"] ** 2] * 3 + [1.0] * 3)
        fuser.spread_models(picture, slot)
    return picture


def merged(picture: Picture) -> Picture:
    """Some seconds later, in which nothing was seen."""
    fuser = Fuser(SETTINGS)
    for second in range(1, SETTINGS.merge_seconds + 1):
        fuser._merging.second(picture, int(BEGIN) + second)
    return picture


@pytest.mark.parametrize("sharp", [0, 1])
def test_the_older_one_keeps_its_name_and_is_where_the_sharper_one_is(sharp: int) -> None:
    """What has the body's plots is sharp; the other one, which lost them, has run on."""
    tracks = [{"place": (40.0, 30.0, 90.0), "sigma": 60.0}, {"place": (40.0, 30.0, 90.0), "sigma": 60.0}]
    tracks[sharp] |= {"place": (0.0, 0.0, 80.0), "sigma": 2.0}
    picture = merged(picture_of(*tracks))
    assert [one.id for one in picture.dossiers] == ["T0"]
    assert picture.x[0, :3] == pytest.approx((0.0, 0.0, 80.0), abs=1e-6)
    assert picture.p[0, 0, 0] < 10.0
    np.testing.assert_array_equal(picture.xm[0], np.tile(picture.x[0], (3, 1)))
    assert picture.known[0]


def test_of_two_that_are_known_alike_the_older_one_stays_where_it_is() -> None:
    tracks = [{"place": (5.0, 0.0, 90.0), "sigma": 9.0}, {"place": (0.0, 0.0, 80.0), "sigma": 5.0}]
    picture = merged(picture_of(*tracks))
    assert picture.x[0, :3].tolist() == [5.0, 0.0, 90.0]


def test_no_word_moves_what_a_sensor_saw_however_sharp_it_is() -> None:
    told = {"place": (0.0, 0.0, 80.0), "sigma": 3.0, "seen": NEVER, "measured": NEVER}
    picture = merged(picture_of({"place": (40.0, 30.0, 90.0), "sigma": 60.0}, told))
    assert [one.id for one in picture.dossiers] == ["T0"]
    assert picture.x[0, :3].tolist() == [40.0, 30.0, 90.0]


def test_a_height_that_stands_is_not_forgotten_for_one_that_is_newer() -> None:
    older = {"place": (5.0, 0.0, 90.0), "sigma": 9.0, "measured": BEGIN - 1.0}
    picture = merged(picture_of(older, {"place": (0.0, 0.0, 80.0), "sigma": 8.0}))
    assert picture.known[0]
    assert picture.x[0, 2] == 90.0


def test_a_height_that_was_only_told_gives_way_to_none() -> None:
    """The other one had measured a height: what was told is no height beside that."""
    told = {"place": (5.0, 0.0, 90.0), "sigma": 9.0, "measured": NEVER}
    picture = merged(picture_of(told, {"place": (0.0, 0.0, 80.0), "sigma": 8.0}))
    assert not picture.known[0]
    assert picture.x.shape[1] == STATE
