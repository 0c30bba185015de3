"""A station among real mountains, told of them in its configuration: a drone that flies behind a ridge."""

import math
import random
from pathlib import Path

import numpy as np
import pytest
from station_hilly import CONFIG, START, live

from vedette import terrain
from vedette.geo import LocalFrame
from vedette.model import Detection, EmptyScan, RangeBearing, Sigma, Track
from vedette.record import Keyring, Log
from vedette.report.replay import Replay
from vedette.station.grounds import GroundFolder
from vedette.terrain import LocalGrid, Point

pytestmark = pytest.mark.field

TILE = "terrain/bigtujunga_srtm30m_utm11.tif"
LAT, LON, MAST_M = 34.32, -118.15, 10.0
SECONDS, HIDDEN = 60, range(22, 38)
"""`test_the_ridge_hides_the_drone_when_it_is_said_to`."""
FROM, VELOCITY, UP = np.array([-1072.0, 1962.0]), np.array([12.88, 15.3]), 400.6
"""Level flight at 20 m/s, 240-480 m above the slopes; metres from the site, and above it."""


class Canyon:
    """The tile, a site in it, and what its radar sees of the drone: by rays over the file's heights, not by
    what the tracker makes of them."""

    def __init__(self, tile: Path) -> None:
        self.tile = tile
        model = terrain.read(tile, vertical_datum="egm96")
        alt = terrain.height_at(model, LAT, LON)
        assert alt is not None
        self.alt_m = alt
        self.grid: LocalGrid = terrain.local_grid(model, LocalFrame(LAT, LON, alt), "egm96", radius_m=4000.0)

    def place(self, second: float) -> tuple[float, float, float]:
        east, north = FROM + VELOCITY * second
        return float(east), float(north), UP

    def in_sight(self, second: float) -> bool:
        """Whether a ray from the mast reaches the drone."""
        east, north, up = self.place(second)
        ground = self.grid.ground_m(east, north)
        assert ground is not None
        # Heights of the grid are altitudes; `up` is over a plane, from which the Earth falls away.
        above = up + self.alt_m + (east**2 + north**2) / (2 * self.grid.earth_radius_m) - ground
        mast = Point(east_m=0.0, north_m=0.0, above_ground_m=MAST_M)
        drone = Point(east_m=east, north_m=north, above_ground_m=above)
        return terrain.line_of_sight(self.grid, mast, drone).state == "visible"

    def look(self, second: int) -> tuple[Detection, ...]:
        """The radar's plots: the drone where a ray reaches it, nine times of ten, and false ones."""
        rng = random.Random(second)
        plots = [self._plot(rng, second, self.place(second))] if self.in_sight(second) else []
        plots = plots if rng.random() < 0.9 else []
        for _ in range(3):
            azimuth, reach = rng.uniform(-math.pi, math.pi), rng.uniform(300.0, 5500.0)
            spot = (reach * math.sin(azimuth), reach * math.cos(azimuth), rng.uniform(200.0, 900.0))
            plots.append(self._plot(rng, second, spot))
        return tuple(plots) or (Detection(time=START + second, sensor="radar", measure=EmptyScan()),)

    def _plot(self, rng: random.Random, second: int, place: tuple[float, float, float]) -> Detection:
        e, n, u = place[0], place[1], place[2] - MAST_M
        return Detection(
            time=START + second, sensor="radar", scan=second,
            measure=RangeBearing(
                range_m=math.hypot(e, n, u) + rng.gauss(0.0, 5.0),
                azimuth_deg=math.degrees(math.atan2(e, n)) + rng.gauss(0.0, 0.5),
                elevation_deg=math.degrees(math.atan2(u, math.hypot(e, n))) + rng.gauss(0.0, 0.5),
            ),
            sigma=Sigma(range_m=5.0, azimuth_deg=0.5, elevation_deg=0.5),
        )  # fmt: skip

    def configured(self, folder: Path, *, told: bool) -> Path:
        """A configuration of the site; with ``told`` it names the tile."""
        words = CONFIG.format(lat=LAT, lon=LON, alt=self.alt_m, mast=self.alt_m + MAST_M)
        words = words.replace("range_m = [50.0, 3000.0]", "range_m = [50.0, 6000.0]\nclutter_per_scan = 3.0")
        if told:
            words += f'\n[terrain]\nfiles = ["{self.tile}"]\nvertical_datum = "egm96"\n'
        path = folder / "vedette.toml"
        path.write_text(words)
        return path


@pytest.fixture(scope="module")
def canyon(field_data: Path) -> Canyon:
    return Canyon((field_data / TILE).resolve())


def test_the_ridge_hides_the_drone_when_it_is_said_to(canyon: Canyon) -> None:
    hidden = [second for second in range(SECONDS) if not canyon.in_sight(second)]
    assert hidden == list(HIDDEN)


def flown(canyon: Canyon, path: Path) -> list[tuple[Track, ...]]:
    """Tracks near the drone as it goes into hiding, as it comes out, and at the end. Each part is flown by
    a station that was started anew on the record of the one before."""
    out = []
    for first, last in ((0, HIDDEN.start), (HIDDEN.start, HIDDEN.stop), (HIDDEN.stop, SECONDS)):
        frame = live(path, first, last, look=canyon.look).core.frame(START + last - 0.95)
        place = canyon.place(last - 1)
        out.append(tuple(track for track in frame.tracks if math.dist(track.enu_m, place) < 400.0))
    return out


def test_a_drone_behind_a_ridge_is_kept_and_comes_out_under_its_name(canyon: Canyon, tmp_path: Path) -> None:
    before, behind, after = flown(canyon, canyon.configured(tmp_path, told=True))
    assert len(before) == 1
    assert [track.id for track in behind] == [before[0].id]
    assert behind[0].existence > 0.5
    assert behind[0].covariance[0] > 10.0 * before[0].covariance[0], "where it is nobody sees"
    assert [track.id for track in after] == [before[0].id]
    assert math.dist(after[0].enu_m, canyon.place(SECONDS - 1)) < 60.0
    with Log.open(
        tmp_path / "state" / "events.log", Keyring(tmp_path / "state" / "keys"), readonly=True
    ) as log:
        replay = Replay(grounds=GroundFolder(tmp_path / "state"))
        list(replay.run(log.events()))
    assert replay.outcome.exact


def test_a_station_that_is_not_told_of_the_ridge_takes_it_for_another(canyon: Canyon, tmp_path: Path) -> None:
    before, behind, after = flown(canyon, canyon.configured(tmp_path, told=False))
    assert len(before) == 1
    assert before[0].id not in [track.id for track in behind if track.existence > 0.5]
    assert before[0].id not in [track.id for track in after]
    assert after
