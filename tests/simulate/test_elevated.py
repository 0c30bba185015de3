"""Grounds of posts: ridges, canyons and elevation files, with all that can be wrong with the last."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from vedette.model.errors import ConfigError
from vedette.simulate.elevated import ground_for
from vedette.simulate.parse import parse_scenario
from vedette.simulate.scenario import Scenario
from vedette.simulate.world import World, truth

Text = Callable[..., str]

DEM = '\n[scenario.dem]\npath = "{path}"\nradius_m = {radius}\n{more}\n'


def _tile(
    folder: Path, name: str = "hill.tif", hole: tuple[float, float] | None = None, crs: str = "EPSG:4326"
) -> Path:
    """A hill 100 m high over 1100 m, centred on the test site, posts 1 arc second apart; ``hole``: degrees
    east and north of the site where 150 m are void."""
    step, side = 1 / 3600, 401
    lon = (np.arange(side) - side // 2) * step
    lat = -lon[:, None]
    heights = 1100.0 + 100.0 * np.exp(-((lon**2 + lat**2) / (2 * 0.012**2)))
    if hole is not None:
        heights = np.where(np.hypot(lon - hole[0], lat - hole[1]) < 0.0015, -9999.0, heights)
    path = folder / name
    corner = -110.9 - (side // 2 + 0.5) * step, 31.45 + (side // 2 + 0.5) * step
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=side,
        height=side,
        count=1,
        dtype="float32",
        crs=crs,
        nodata=-9999.0,
        transform=Affine(step, 0.0, corner[0], 0.0, -step, corner[1]),
    ) as file:
        file.write(heights.astype(np.float32), 1)
    return path


def _on_tile(text: str, path: str = "hill.tif", radius: float = 4000.0, more: str = "") -> str:
    more = more or 'vertical_datum = "wgs84-ellipsoid"'
    dem = DEM.format(path=path, radius=radius, more=more)
    return text.replace('terrain = "flat"\n', "").replace("\n[scenario.site]", dem + "\n[scenario.site]")


@pytest.fixture
def text(scenario_text: Text) -> str:
    return scenario_text("wifi-beacon", "flat")


def test_an_elevation_file_is_the_ground(text: str, tmp_path: Path) -> None:
    _tile(tmp_path)
    scenario = parse_scenario(_on_tile(text), str(tmp_path / "here.toml"))
    ground = ground_for(scenario.head)
    assert ground.height_at(0.0, 0.0) == pytest.approx(1200.0 - 1150.0, abs=0.1)
    far = 1100.0 - 1150.0 + 100.0 * math.exp(-((3000.0 / 111_000 / 0.012) ** 2) / 2)
    assert ground.height_at(0.0, 3000.0) == pytest.approx(far, abs=3.0)
    for row in truth(scenario, 0.0, 2.0):
        above = row.enu_m[2] - ground.height_at(*row.enu_m[:2])
        assert above == pytest.approx(0.0, abs=1e-6) if row.id == "bravo" else above > 20.0


def test_the_ground_of_posts_is_the_same_by_array_and_by_number(text: str, tmp_path: Path) -> None:
    _tile(tmp_path)
    ground = ground_for(parse_scenario(_on_tile(text), str(tmp_path / "here.toml")).head)
    east, north = np.array([[1.0, 250.5], [-900.0, 3000.0]]), np.array([[2.0, -70.0], [1000.0, 2.5]])
    many = ground.height_m(east, north)
    for place in np.ndindex(2, 2):
        assert many[place] == ground.height_at(float(east[place]), float(north[place]))


def test_a_hill_stands_in_the_way(text: str, tmp_path: Path) -> None:
    _tile(tmp_path)
    ground = ground_for(parse_scenario(_on_tile(text), str(tmp_path / "here.toml")).head)
    low, high = ground.height_at(-2500.0, 0.0) + 2.0, ground.height_at(2500.0, 0.0) + 2.0
    assert ground.masks((-2500.0, 0.0, low), (2500.0, 0.0, high))
    assert not ground.masks((-2500.0, 0.0, low + 200.0), (2500.0, 0.0, high + 200.0))


def _refused(text: str, folder: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_scenario(text, str(folder / "bad.toml"))
    message = str(caught.value)
    assert message.startswith(f"{folder / 'bad.toml'}, line ")
    return message


def test_a_void_on_the_way_is_told(text: str, tmp_path: Path) -> None:
    """The drone flies from (1500, 800) to (700, 300); the hole lies between."""
    _tile(tmp_path, hole=(1100.0 / 94_900, 550.0 / 110_900))
    message = _refused(_on_tile(text), tmp_path)
    assert "actor[1].path[1]: the elevation model knows no ground at" in message
    line = int(message.split("line ")[1].split(":")[0])
    assert "at_s = 60.0, enu_m = [700.0, 300.0]" in _on_tile(text).splitlines()[line - 1]


def test_a_way_out_of_the_area_is_told(text: str, tmp_path: Path) -> None:
    _tile(tmp_path)
    message = _refused(_on_tile(text, radius=1300.0), tmp_path)
    assert "actor[1].path[0]" in message
    assert "outside the model or in a void" in message


def test_a_receiver_outside_the_area_is_told(text: str, tmp_path: Path) -> None:
    _tile(tmp_path)
    text = _on_tile(text).replace("enu_m = [0.0, 0.0]\nrange_m", "enu_m = [9000.0, 0.0]\nrange_m")
    assert "receiver[0]" in _refused(text, tmp_path)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("cell_m = 30.0", "does not say what its heights are measured from"),
        ('vertical_datum = "sea-level"', "unknown"),
        ('vertical_datum = "egm96"', "geoid"),
        ('vertical_datum = "navd88"', "raise_m"),
    ],
)
def test_a_datum_that_does_not_fit_is_told(text: str, tmp_path: Path, more: str, why: str) -> None:
    _tile(tmp_path)
    message = _refused(_on_tile(text, more=more), tmp_path)
    assert "scenario.dem: " in message
    assert why in message


def test_raised_heights_are_used(text: str, tmp_path: Path) -> None:
    _tile(tmp_path)
    more = 'vertical_datum = "navd88"\nraise_m = -30.0'
    scenario = parse_scenario(_on_tile(text, more=more), str(tmp_path / "here.toml"))
    assert ground_for(scenario.head).height_at(0.0, 0.0) == pytest.approx(20.0, abs=0.1)


def test_a_file_that_is_not_there_is_told(text: str, tmp_path: Path) -> None:
    assert "no such file" in _refused(_on_tile(text, path="nowhere.tif"), tmp_path)


def test_a_terrain_beside_a_file_is_told(text: str, tmp_path: Path) -> None:
    _tile(tmp_path)
    both = _on_tile(text).replace('name = "test"\n', 'name = "test"\nterrain = "ridge"\n')
    assert "scenario.terrain: 'ridge' and an elevation file" in _refused(both, tmp_path)


BEYOND = """
[[actor]]
id = "leaver"
kind = "fpv"
[actor.behaviour]
type = "transit"
at_s = 0.0
enu_m = [900.0, 0.0]
agl_m = 50.0
to = { enu_m = [1200.0, 0.0] }
speed_mps = 50.0
"""


def test_who_flies_out_of_the_model_is_told_when_he_does(text: str, tmp_path: Path) -> None:
    _tile(tmp_path)
    world = World(parse_scenario(_on_tile(text, radius=2000.0) + BEYOND, str(tmp_path / "here.toml")))
    with pytest.raises(ConfigError, match=r"leaver is at 2\d\d\d m east, .* knows no ground"):
        _to_the_end(world)


def _to_the_end(world: World) -> None:
    index = world.index_of("leaver")
    for _ in range(500):
        assert all(map(math.isfinite, world.at(index, world.time_s).enu_m))
        world.advance()


@pytest.mark.parametrize("terrain", ["ridge", "canyon"])
def test_synthetic_relief_is_relief_and_has_the_site_at_its_height(text: str, terrain: str) -> None:
    scenario = parse_scenario(text.replace('terrain = "flat"', f'terrain = "{terrain}"'))
    ground = ground_for(scenario.head)
    assert ground.height_at(0.0, 0.0) == pytest.approx(0.0, abs=0.6)
    heights = [ground.height_at(e, n) for e in range(-3000, 3001, 500) for n in range(-3000, 3001, 500)]
    assert max(heights) - min(heights) > 60.0
    assert ground.height_at(1234.5, -321.0) == ground_for(_again(scenario).head).height_at(1234.5, -321.0)


def _again(scenario: Scenario) -> Scenario:
    return Scenario(head=scenario.head, actors=scenario.actors)


@pytest.mark.field
def test_a_real_tile(text: str, field_data: Path) -> None:
    tile = field_data / "terrain" / "bigtujunga_srtm30m_utm11.tif"
    real = _on_tile(text, path=str(tile), more='vertical_datum = "egm96"')
    real = real.replace("lat_deg = 31.45", "lat_deg = 34.32").replace("lon_deg = -110.9", "lon_deg = -118.15")
    real = real.replace('alt_datum = "wgs84-ellipsoid"\n', 'alt_datum = "egm96"\ngeoid_height_m = -34.0\n')
    scenario = parse_scenario(real, "real.toml")
    ground = ground_for(scenario.head)
    rows = list(truth(scenario, 0.0, 5.0))
    assert {row.id for row in rows} == {"bravo", "alpha"}
    assert all(row.enu_m[2] >= ground.height_at(*row.enu_m[:2]) - 1e-6 for row in rows)
    heights = [ground.height_at(*row.enu_m[:2]) for row in rows if row.id == "alpha"]
    assert max(heights) - min(heights) > 30.0
