"""The ground of a configuration: read from files, kept beside the log by its digest, found again."""

import re
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from station_build import START, replay_is_equal
from station_hilly import LAT, TERRAIN, configured, hills, live

from vedette.fuse import Ground
from vedette.model import ConfigError, InputError
from vedette.model.event import Configure
from vedette.record import Keyring, Log
from vedette.report.replay import Replay
from vedette.station.assemble import assemble
from vedette.station.config import read_config
from vedette.station.grounds import FOLDER, GroundFolder, read_ground


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    found = read_ground(read_config(configured(tmp_path_factory.mktemp("ground"))))
    assert found is not None
    return found


def test_without_files_there_is_no_ground(tmp_path: Path) -> None:
    assert read_ground(read_config(configured(tmp_path, ""))) is None
    assert read_ground(read_config(configured(tmp_path, "[terrain]\n"))) is None


def test_the_same_files_give_the_same_ground_wherever_they_lie(tmp_path: Path, ground: Ground) -> None:
    config = read_config(configured(tmp_path))
    assert config.terrain.files == (str(tmp_path / "hills.tif"),)
    found = read_ground(config)
    assert found is not None
    assert found.digest == ground.digest
    hills(tmp_path / "hills.tif", relief_m=110.0)
    other = read_ground(config)
    assert other is not None
    assert other.digest != ground.digest


WRONG = {
    "no such file": (TERRAIN.replace("hills", "valleys"), r"valleys\.tif: no such file"),
    "no datum": (TERRAIN.replace("vertical_datum", "#"), "does not say what its heights are measured from"),
    "unknown datum": (TERRAIN.replace("egm96", "sea"), "vertical datum 'sea' is unknown"),
    "no elevation": (TERRAIN.replace("hills.tif", "vedette.toml"), r"vedette\.toml"),
    "a name for a list": ('[terrain]\nfiles = "hills.tif"\n', r"terrain\.files: Expected `array`"),
    "unknown key": (TERRAIN.replace("files", "file"), "terrain.*file"),
}


@pytest.mark.parametrize("case", WRONG)
def test_files_that_cannot_be_used_are_told_in_one_line(tmp_path: Path, case: str) -> None:
    words, says = WRONG[case]
    with pytest.raises(ConfigError, match=says) as told:
        read_ground(read_config(configured(tmp_path, words)))
    assert "\n" not in str(told.value)


def test_a_tile_of_another_place_and_a_void_under_the_site_are_no_ground(tmp_path: Path) -> None:
    path = configured(tmp_path)
    hills(tmp_path / "hills.tif", lat_deg=LAT + 1.0)
    with pytest.raises(ConfigError, match="knows no ground under the site"):
        read_ground(read_config(path))
    hills(tmp_path / "hills.tif", hole=True)
    with pytest.raises(ConfigError, match="knows no ground under the site"):
        read_ground(read_config(path))


def test_a_sensor_deep_under_the_ground_starts_no_station(tmp_path: Path) -> None:
    config = read_config(configured(tmp_path, mast_m=-80.0))
    with pytest.raises(ConfigError, match=r"sensor radar: .* below the ground"):
        assemble(config)


def test_nor_does_it_when_a_record_is_there_and_the_files_are_new(tmp_path: Path) -> None:
    path = configured(tmp_path, mast_m=-5.0)
    live(path, 0, 2)
    hills(tmp_path / "hills.tif", relief_m=0.0)
    with pytest.raises(ConfigError, match=r"sensor radar: .* below the ground"):
        assemble(read_config(path))


# --- the folder beside a log


def test_what_is_kept_is_found_again_by_another(tmp_path: Path, ground: Ground) -> None:
    GroundFolder(tmp_path).keep(ground)
    (path,) = (tmp_path / FOLDER).iterdir()
    assert path.name == f"{ground.digest}.ground"
    found = GroundFolder(tmp_path)(ground.digest)
    assert found.digest == ground.digest
    np.testing.assert_array_equal(found.grid.heights_m, ground.grid.heights_m)


def test_a_ground_that_is_there_is_not_written_again(tmp_path: Path, ground: Ground) -> None:
    GroundFolder(tmp_path).keep(ground)
    (path,) = (tmp_path / FOLDER).iterdir()
    path.chmod(0o400)
    before = path.stat().st_mtime_ns
    GroundFolder(tmp_path).keep(ground)
    assert path.stat().st_mtime_ns == before


def test_a_ground_that_is_missing_says_which_folder_to_copy(tmp_path: Path, ground: Ground) -> None:
    with pytest.raises(InputError, match=f"{ground.digest}.*copy the folder 'terrain'"):
        GroundFolder(tmp_path)(ground.digest)


@pytest.mark.parametrize("spoil", ["cut", "other", "nothing"])
def test_a_ground_that_is_damaged_is_refused(tmp_path: Path, ground: Ground, spoil: str) -> None:
    GroundFolder(tmp_path).keep(ground)
    (path,) = (tmp_path / FOLDER).iterdir()
    data = path.read_bytes()
    if spoil == "other":
        higher = msgspec.structs.replace(ground.grid, heights_m=ground.grid.heights_m + np.float32(1.0))
        data = Ground(higher).pack()
    path.write_bytes({"cut": data[: len(data) // 2], "other": data, "nothing": b""}[spoil])
    with pytest.raises(InputError, match="copy it again"):
        GroundFolder(tmp_path)(ground.digest)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "", "a.b"])
def test_a_digest_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="names no ground"):
        GroundFolder(tmp_path)(name)


def test_a_disk_that_does_not_take_the_ground_is_a_wrong_configuration(
    tmp_path: Path, ground: Ground
) -> None:
    (tmp_path / FOLDER).write_text("a file in the way")
    with pytest.raises(ConfigError, match="replays need the ground there"):
        GroundFolder(tmp_path).keep(ground)


# --- the station's record


def replayed(state: Path) -> Replay:
    with Log.open(state / "events.log", Keyring(state / "keys"), readonly=True) as log:
        replay = Replay(grounds=GroundFolder(state))
        list(replay.run(log.events()))
    return replay


def configurations(state: Path) -> list[str | None]:
    with Log.open(state / "events.log", Keyring(state / "keys"), readonly=True) as log:
        return [event.body.terrain for event in log.events() if isinstance(event.body, Configure)]


@pytest.mark.parametrize("snapshot", [False, True])
def test_a_station_on_hills_restarts_and_replays_to_the_bit(
    tmp_path: Path, ground: Ground, snapshot: bool
) -> None:
    path = configured(tmp_path)
    live(path, 0, 8, snapshot=snapshot)
    again = live(path, 8, 14)
    assert again.warning is None
    assert again.core.configure.terrain == ground.digest
    assert [track.id for track in again.core.frame(START + 13.5).tracks]
    assert configurations(tmp_path / "state") == [ground.digest]
    outcome = replayed(tmp_path / "state").outcome
    assert outcome.mismatch is None
    assert outcome.exact
    assert outcome.digests > 10
    assert outcome.snapshots == snapshot


def test_a_restart_needs_no_folder_as_long_as_the_files_are_the_same(tmp_path: Path) -> None:
    path = configured(tmp_path)
    live(path, 0, 4, snapshot=True)
    shutil.rmtree(tmp_path / "state" / FOLDER)
    assert live(path, 4, 8).warning is None
    assert replayed(tmp_path / "state").outcome.mismatch is None


def test_other_files_are_another_configuration_and_the_old_ground_is_kept(
    tmp_path: Path, ground: Ground
) -> None:
    path = configured(tmp_path)
    live(path, 0, 5)
    hills(tmp_path / "hills.tif", relief_m=110.0)
    tracks = live(path, 5, 10).core.frame(START + 9.0).tracks
    first, second = configurations(tmp_path / "state")
    assert first == ground.digest
    assert second not in (None, ground.digest)
    assert tracks, "tracks are carried over"
    path.write_text(path.read_text().replace(TERRAIN, ""))
    assert live(path, 10, 14).core.configure.terrain is None
    assert configurations(tmp_path / "state") == [first, second, None]
    assert replayed(tmp_path / "state").outcome.mismatch is None


def test_a_replay_without_the_ground_is_refused_in_words(tmp_path: Path) -> None:
    live(configured(tmp_path), 0, 3)
    with pytest.raises(InputError, match="keep the folder 'terrain' beside the log"):
        replay_is_equal(tmp_path / "state")
    shutil.rmtree(tmp_path / "state" / FOLDER)
    with pytest.raises(InputError, match="copy the folder 'terrain' that stood beside it"):
        replayed(tmp_path / "state")


@pytest.mark.parametrize("snapshot", [False, True])
def test_a_station_whose_old_ground_is_lost_warns_all_the_same(tmp_path: Path, snapshot: bool) -> None:
    path = configured(tmp_path)
    live(path, 0, 5, snapshot=snapshot)
    shutil.rmtree(tmp_path / "state" / FOLDER)
    hills(tmp_path / "hills.tif", relief_m=110.0)
    again = live(path, 5, 12)
    assert again.warning is not None
    assert re.search(r"kept as events\.log\.damaged-1: .*copy the folder 'terrain'", again.warning)
    assert (tmp_path / "state" / "events.log.damaged-1").exists()
    assert again.core.frame(START + 11.0).tracks
    assert replayed(tmp_path / "state").outcome.mismatch is None
