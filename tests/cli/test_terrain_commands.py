"""Terrain as the user of the command meets it: `check-config`, `track --terrain`, `replay`."""

import json
import shutil
from pathlib import Path

import pytest
from station_hilly import LAT, LON, START, TERRAIN, configured, hills, live

from vedette.model import Detection, EmptyScan, RangeBearing, SensorProfile, Sigma, Site
from vedette.model.lines import dump_line


def test_check_config_reads_the_elevation_files(command, tmp_path: Path) -> None:
    assert command("check-config", configured(tmp_path)).code == 0
    (tmp_path / "hills.tif").unlink()
    said = command("check-config", tmp_path / "vedette.toml")
    assert said.code == 64
    assert "hills.tif: no such file" in said.one_line()
    said = command("check-config", configured(tmp_path, TERRAIN.replace("vertical_datum", "#")))
    assert said.code == 64
    assert "does not say what its heights are measured from" in said.one_line()


@pytest.mark.parametrize("terrain", ["", TERRAIN])
def test_check_config_refuses_sensors_that_cannot_be_placed(command, tmp_path: Path, terrain: str) -> None:
    path = configured(tmp_path, terrain, mast_m=-80.0)
    said = command("check-config", path)
    assert said.code == (64 if terrain else 0)
    assert not terrain or "below the ground" in said.one_line()
    path.write_text(
        path.read_text().replace('alt_datum = "egm96"\nperiod', 'alt_datum = "barometric"\nperiod')
    )
    said = command("check-config", path)
    assert said.code == 64
    assert "radar" in said.one_line()


# --- vedette track --terrain


@pytest.fixture
def hidden(tmp_path: Path) -> Path:
    """A drone that a radar sees for ten seconds, and then, low behind hills, no more."""
    folder = tmp_path / "case"
    folder.mkdir()
    alt = hills(tmp_path / "hills.tif", relief_m=400.0)
    site = Site(name="h", lat_deg=LAT, lon_deg=LON, alt_m=alt, alt_datum="egm96")
    radar = SensorProfile(
        id="radar", type="radar-3d", lat_deg=LAT, lon_deg=LON, alt_m=alt + 10.0, alt_datum="egm96",
        period_s=1.0, detection_probability=0.9, range_m=(50.0, 4500.0), clutter_per_scan=1.0,
    )  # fmt: skip
    sigma = Sigma(range_m=5.0, azimuth_deg=0.5, elevation_deg=0.5)
    lines = [
        Detection(
            time=START + second, sensor="radar", scan=second, sigma=sigma,
            measure=RangeBearing(range_m=3000.0 + 20.0 * second, azimuth_deg=120.0, elevation_deg=0.0)
            if second < 10
            else EmptyScan(),
        )
        for second in range(16)
    ]  # fmt: skip
    (folder / "site.json").write_bytes(dump_line(site))
    (folder / "sensors.json").write_bytes(b"[" + dump_line(radar).strip() + b"]")
    (folder / "detections.jsonl").write_bytes(b"".join(map(dump_line, lines)))
    return folder


def test_track_knows_the_ground_of_an_option_or_of_the_folder(command, hidden: Path) -> None:
    tif = hidden.parent / "hills.tif"
    without = command("track", hidden)
    given = command("track", hidden, "--terrain", tif, "--terrain-datum", "egm96")
    assert (without.code, given.code) == (0, 0), given.err
    last = [json.loads(said.out.splitlines()[-1])["tracks"] for said in (without, given)]
    existence = [max((track["existence"] for track in tracks), default=0.0) for tracks in last]
    assert existence[0] < 0.5 < 0.8 < existence[1], "who is hidden has not gone"
    shutil.copy(tif, hidden / "terrain.tif")
    assert command("track", hidden, "--terrain-datum", "egm96").out == given.out


def test_terrain_that_cannot_be_used_is_told_in_one_line(command, hidden: Path) -> None:
    tif = hidden.parent / "hills.tif"
    said = command("track", hidden, "--terrain", hidden / "none.tif")
    assert (said.code, said.out) == (65, b"")
    assert "none.tif: no such file" in said.one_line()
    said = command("track", hidden, "--terrain", tif)
    assert said.code == 65
    assert "does not say what its heights are measured from" in said.one_line()
    hills(tif, lat_deg=LAT + 1.0)
    said = command("track", hidden, "--terrain", tif, "--terrain-datum", "egm96")
    assert said.code == 64
    assert "knows no ground under the site" in said.one_line()


# --- vedette replay


def test_replay_finds_the_ground_beside_the_log_and_says_where_it_belongs(command, tmp_path: Path) -> None:
    journal = live(configured(tmp_path), 0, 5, snapshot=True)
    log = tmp_path / "state" / "events.log"
    said = command("replay", "--quiet", log)
    assert said.code == 0
    assert "equal to the bit" in said.err
    shutil.move(tmp_path / "state" / "terrain", tmp_path / "elsewhere")
    for options in ((), ("--snapshot", str(journal.seq + 1000))):
        said = command("replay", "--quiet", *options, log)
        assert (said.code, said.out) == (65, b"")
        assert "copy the folder 'terrain' that stood beside it" in said.one_line()
    shutil.move(tmp_path / "elsewhere", tmp_path / "state" / "terrain")
    assert command("replay", "--quiet", log).code == 0
