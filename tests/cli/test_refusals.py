"""What cannot be simulated or evaluated is refused in one line: file, line, what is wrong, what to do."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from station_hilly import LAT, LON, hills

from vedette.cli.main import run_command

GOOD = """\
[scenario]
name = "hills"
seed = 7
duration_s = 20.0

[scenario.site]
name = "Hills"
lat_deg = {lat}
lon_deg = {lon}
alt_m = {alt}
alt_datum = "egm96"
geoid_height_m = -29.0

[scenario.dem]
path = "{folder}/hills.tif"
vertical_datum = "egm96"

[[sensor]]
id = "radar"
model = "x-band-fmcw"
enu_m = [0.0, 0.0]
agl_m = 8.0

[[actor]]
id = "bravo"
kind = "patrol"
path = [{{ at_s = 0.0, enu_m = [0.0, 0.0] }}, {{ at_s = 60.0, enu_m = [30.0, 10.0] }}]

[[actor]]
id = "alpha"
kind = "multirotor"
path = [{{ at_s = 0.0, enu_m = [800.0, 600.0], agl_m = 60.0 }},
        {{ at_s = 60.0, enu_m = [300.0, 100.0], agl_m = 60.0 }}]
"""


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder of elevation files, good and bad, and a scenario on the good one."""
    folder = tmp_path_factory.mktemp("ground")
    alt = hills(folder / "hills.tif")
    hills(folder / "hole.tif", hole=True)
    with rasterio.open(folder / "hills.tif") as file:
        heights, profile = file.read(1), file.profile
    _write(folder / "void.tif", np.full_like(heights, -9999.0), profile)
    _write(folder / "tiny.tif", heights[:40, :40], profile)
    _write(folder / "nowhere.tif", heights, dict(profile, crs=None))
    (folder / "broken.tif").write_bytes(b"II*\x00 and no more")
    (folder / "heights.txt").write_text("1 2 3")
    return folder, GOOD.format(lat=LAT, lon=LON, alt=alt, folder=folder)


def _write(path: Path, heights: np.ndarray, profile: dict[str, object]) -> None:
    rows, columns = heights.shape
    with rasterio.open(path, "w", **{**profile, "height": rows, "width": columns}) as out:
        out.write(heights, 1)


CASES = [
    # what is changed, the line that must be named (0: none can be), what the message must say
    ("seed = 7", "seed = = 7", 3, ["not valid TOML", "line 3"]),
    ('kind = "multirotor"', 'kind = "zeppelin"', 31, ["actor[1].kind", "there are: aircraft, bird"]),
    ("duration_s = 20.0", "duration = 20.0", 4, ["scenario.duration", "known here: name, seed, duration_s"]),
    ("at_s = 60.0, enu_m = [300.0", "at_s = 6.0, enu_m = [300.0", 33, ["more than a multirotor can do (21"]),
    ('"x-band-fmcw"', '"death-ray"', 18, ["no sensor model 'death-ray'", "there are acoustic-array"]),
    ("agl_m = 8.0", "agl_m = 8.0\noverride = { magic = 1.0 }", 18, ["magic", "its figures are period_s"]),
    ("agl_m = 8.0", "agl_m = 8.0\noverride = { most_pd = 1.2 }", 18, ["most_pd", "< 1.0"]),
    ("agl_m = 8.0", "agl_m = 8.0\noverride = { most_range_m = 10.0 }", 18, ["is not below most_range_m"]),
    ("agl_m = 8.0", "agl_m = 8.0\noverride = { elevation_from_deg = 89.0 }", 18,
     ["not below elevation_to_deg"]),
    ('kind = "multirotor"', 'kind = "multirotor"\nsignature = "ghost"', 32,
     ["no 'ghost'", "there are aircraft"]),
    ("hills.tif", "absent.tif", 14, ["absent.tif: no such file; check the name"]),
    ("hills.tif", "heights.txt", 14, ["not an elevation file; expected one of .tif"]),
    ("hills.tif", "broken.tif", 14, ["broken.tif: cannot be read as GTiff", "copy it again"]),
    ("hills.tif", "void.tif", 14, ["only voids; use another source"]),
    ("hills.tif", "nowhere.tif", 14, ["does not say where it lies; give it a coordinate system"]),
    ("hills.tif", "hole.tif", 18, ["in a void; move the way, or bring the tile"]),
    ('vertical_datum = "egm96"\n', "", 14, ["does not say what its heights are measured from", "pass"]),
    ('vertical_datum = "egm96"', 'vertical_datum = "navd88"', 14, ["offset from navd88", "pass raise_m"]),
    ('vertical_datum = "egm96"', 'vertical_datum = "feet"', 14, ["'feet' is unknown; say one of egm96"]),
    ("geoid_height_m = -29.0", "", 6, ["use alt_datum = 'wgs84-ellipsoid', or 'egm96' together"]),
    ("alt_m = ", "alt_m = 1", 10, ["above the ground that the elevation file tells there", "in metres"]),
    (f"lat_deg = {LAT}", f"lat_deg = {LAT + 1.0}", 18,
     ["no ground at 0 m east, 0 m north", "bring the tile"]),
    ("enu_m = [0.0, 0.0]\nagl_m", "enu_m = [800.0, 60000.0]\nagl_m", 18,
     ["no ground at 800 m east, 60000 m north"]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "words"), CASES)
def test_a_bad_scenario_is_refused_with_its_line(
    command, ground: tuple[Path, str], tmp_path: Path, old: str, new: str, line: int, words: list[str]
) -> None:
    text = ground[1].replace(old, new, 1)
    assert text != ground[1]
    path = tmp_path / "bad.toml"
    path.write_text(text)
    said = command("simulate", path, "-o", tmp_path / "out")
    assert said.code == 64, said.err
    message = said.one_line()
    assert str(path) in message
    assert f"line {line}" in message
    for one in words:
        assert one in message
    assert not list((tmp_path / "out").glob("*"))


def test_the_scenario_that_all_of_them_were_made_of_is_good(
    command, ground: tuple[Path, str], tmp_path: Path
) -> None:
    (tmp_path / "good.toml").write_text(ground[1])
    assert command("simulate", tmp_path / "good.toml", "-o", tmp_path / "out").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--terrain", "absent.tif"], 65, ["absent.tif: cannot be read: No such file"]),
        (["--terrain", "heights.txt"], 65, ["heights.txt: not an elevation file; expected one of .tif"]),
        (["--terrain", "broken.tif"], 65, ["broken.tif: cannot be read as GTiff", "copy it again"]),
        (["--terrain", "nowhere.tif"], 65, ["does not say where it lies; give it a coordinate system"]),
        (["--terrain", "void.tif", "--terrain-datum", "egm96"], 65, ["only voids; use another source"]),
        (["--terrain", "hills.tif"], 65, ["what its heights are measured from", "pass"]),
        (["--terrain", "hills.tif", "--terrain-datum", "feet"], 65, ["'feet' is unknown; say one of egm96"]),
        (["--terrain", "hills.tif", "--terrain-datum", "navd88"], 65, ["heights from navd88: convert"]),
        (["--terrain", "tiny.tif", "--terrain-datum", "egm96"], 64, ["none of 24 places", "a larger file"]),
        (["--terrain-datum", "egm96"], 64, ["of which file? --terrain FILE"]),
        (["--real-tracks", "no-folder"], 65, ["no-folder: cannot be read"]),
        (["--real-tracks", "empty", "--count", "2"], 65, ["no recorded flight in it; expected fixedwing"]),
        (["--days", "3"], 64, ["--count 14 at least"]),
        (["--mix", "tracker-feed", "--days", "3"], 64, ["--days needs a mix of sensors"]),
        (["--keep", "heights.txt"], 64, ["not a file of kept results; name another file"]),
        (["--json", "no-folder/x.json"], 64, ["there is no folder", "make it first"]),
        (["--report", "no-folder/x.html"], 64, ["there is no folder", "make it first"]),
        (["--without", "brain"], 64, ["--without brain: there are none, intent, reach, class, identity"]),
        (["--workers", "0"], 64, ["--workers"]),
    ],
)  # fmt: skip
def test_what_cannot_be_evaluated_is_refused_before_the_work(
    command,
    ground: tuple[Path, str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    words: list[str],
) -> None:
    monkeypatch.chdir(ground[0])
    (ground[0] / "empty").mkdir(exist_ok=True)
    said = command("evaluate", "--count", "1", "--mix", "radar-only", *arguments)
    assert said.code == code, said.err
    for one in words:
        assert one in said.one_line()


def test_a_folder_that_is_called_ray_is_no_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ray").mkdir()
    monkeypatch.setitem(__import__("sys").modules, "ray", __import__("types").ModuleType("ray"))
    arguments = ["evaluate", "--count", "1", "--mix", "tracker-feed", "--backend", "ray"]
    assert run_command(arguments) == 64
    assert "pip install 'vedette[ray]'" in capsys.readouterr().err
