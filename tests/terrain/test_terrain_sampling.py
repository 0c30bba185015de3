"""Heights at places and on local grids, against pymap3d and rasterio."""

from pathlib import Path

import msgspec
import numpy as np
import pymap3d
import pytest
import rasterio.warp
from hypothesis import given
from hypothesis import strategies as st

from vedette import geo, terrain
from vedette.model.errors import DatumError, InputError
from vedette.terrain import places
from vedette.terrain.elevation import Elevation, Transform
from vedette.terrain.reference import bilinear

LAT, LON = 31.35, -110.85


def plane(datum: str = "egm96", west: float = -111.0) -> Elevation:
    """A tilted plane in latitude and longitude: bilinear sampling must be exact on it."""
    d = 1.0 / 1200.0
    north, rows = 31.5, 361
    lat = north - d * np.arange(rows)[:, None]
    lon = west + d * np.arange(rows)[None, :]
    return Elevation(
        heights_m=(500.0 + 2000.0 * (lat - 31.0) - 1000.0 * (lon - west)).astype(np.float32),
        void=np.zeros((rows, rows), np.bool_),
        transform=Transform(west=west - d / 2, north=north + d / 2, dx=d, dy=d),
        crs="EPSG:4326",
        vertical_datum=datum,  # type: ignore[arg-type]
        source=("plane",),
    )


@given(st.floats(31.21, 31.49), st.floats(-110.99, -110.71))
def test_a_plane_is_sampled_exactly(lat: float, lon: float) -> None:
    expected = 500.0 + 2000.0 * (lat - 31.0) - 1000.0 * (lon + 111.0)
    assert terrain.height_at(plane(), lat, lon) == pytest.approx(expected, abs=1e-3)


def test_outside_is_unknown_and_nonsense_is_refused() -> None:
    ground = plane()
    assert terrain.height_at(ground, 40.0, -110.9) is None
    assert terrain.height_at(ground, 31.3, 20.0) is None
    for lat, lon in ((91.0, 0.0), (np.nan, 0.0), (0.0, np.inf)):
        with pytest.raises(InputError, match="no place on Earth"):
            terrain.height_at(ground, lat, lon)


def test_a_void_spoils_only_the_places_it_touches() -> None:
    ground = plane()
    ground.void[100, 100] = True
    d = 1.0 / 1200.0
    lat, lon = 31.5 - 100 * d, -111.0 + 100 * d
    assert terrain.height_at(ground, lat, lon) is None
    assert terrain.height_at(ground, lat - 0.5 * d, lon) is None
    assert terrain.height_at(ground, lat - 1.5 * d, lon) is not None
    at = [lat - 100 * d, lat, lat + 100 * d]
    assert np.isnan(terrain.heights_at(ground, np.array(at), np.full(3, lon))).tolist() == [
        False,
        True,
        False,
    ]


def test_the_antimeridian_is_no_edge() -> None:
    ground = plane(west=179.85)
    east_of_it = terrain.height_at(ground, 31.3, -179.95)
    assert east_of_it == pytest.approx(terrain.height_at(ground, 31.3, 180.05))
    assert east_of_it == pytest.approx(500.0 + 600.0 - 200.0, abs=1e-2)


@given(st.floats(-70.0, 70.0), st.floats(-180.0, 180.0), st.floats(-30e3, 30e3), st.floats(-30e3, 30e3))
def test_ground_places_agree_with_pymap3d(lat: float, lon: float, e: float, n: float) -> None:
    got_lat, got_lon = places.ground_places(geo.LocalFrame(lat, lon, 800.0), np.array([e]), np.array([n]))
    radius = places.earth_radius_m(lat)
    want = pymap3d.enu2geodetic(e, n, -(e * e + n * n) / (2.0 * radius), lat, lon, 800.0)
    apart = pymap3d.geodetic2enu(got_lat[0], got_lon[0], want[2], *want)
    assert np.hypot(apart[0], apart[1]) < 1e-3
    # The chosen point lies at the origin's height: the ellipsoid differs from the sphere by centimetres.
    assert want[2] == pytest.approx(800.0, abs=0.7)


def test_the_radius_is_that_of_wgs84() -> None:
    assert places.earth_radius_m(0.0) == pytest.approx(6356752.314, abs=1e-2)
    assert places.earth_radius_m(90.0) == pytest.approx(6399593.626, abs=1e-2)


def test_a_local_grid_stands_where_the_frame_says() -> None:
    frame = geo.LocalFrame(LAT, LON, 1000.0)
    grid = terrain.local_grid(plane(), frame, "egm96", radius_m=6000.0, cell_m=40.0)
    assert grid.heights_m.shape == (301, 301)
    assert grid.heights_m.dtype == np.float32
    assert grid.void_share == 0.0
    for e, n in ((0.0, 0.0), (5000.0, -3000.0), (-4321.0, 1234.0)):
        lat, lon, _ = pymap3d.enu2geodetic(e, n, 0.0, LAT, LON, 1000.0)
        assert grid.ground_m(e, n) == pytest.approx(500 + 2000 * (lat - 31) - 1000 * (lon + 111), abs=0.02)
    assert grid.ground_m(7000.0, 0.0) is None


def test_beyond_the_file_the_grid_is_unknown() -> None:
    grid = terrain.local_grid(plane(), geo.LocalFrame(31.49, LON, 0.0), "egm96", radius_m=6000.0)
    assert 0.3 < grid.void_share < 0.5
    assert grid.ground_m(0.0, 5000.0) is None
    assert grid.ground_m(0.0, -5000.0) is not None


def test_datums_are_brought_together_or_refused() -> None:
    frame = geo.LocalFrame(LAT, LON, 1000.0)

    def height(datum: str, alt_datum: str, **more: float) -> float | None:
        grid = terrain.local_grid(plane(datum), frame, alt_datum, radius_m=300.0, **more)  # type: ignore[arg-type]
        return grid.ground_m(0.0, 0.0)

    plain = height("egm96", "egm96")
    assert plain is not None
    assert height("egm96", "wgs84-ellipsoid", geoid_height_m=-30.0) == pytest.approx(plain - 30.0)
    assert height("wgs84-ellipsoid", "egm96", geoid_height_m=-30.0) == pytest.approx(plain + 30.0)
    assert height("navd88", "egm96", raise_m=0.5) == pytest.approx(plain + 0.5)
    for datum, alt_datum in (("egm96", "wgs84-ellipsoid"), ("navd88", "egm96"), ("egm96", "barometric")):
        with pytest.raises(DatumError):
            height(datum, alt_datum)
    with pytest.raises(InputError, match="no height"):
        height("navd88", "egm96", raise_m=np.nan)


@pytest.mark.parametrize(
    ("radius", "cell"), [(0.0, 30.0), (100.0, 0.0), (10.0, 30.0), (np.inf, 30.0), (1e6, 1.0)]
)
def test_unusable_sizes_are_refused(radius: float, cell: float) -> None:
    with pytest.raises(InputError, match="cells"):
        terrain.local_grid(plane(), geo.LocalFrame(LAT, LON, 0.0), "egm96", radius_m=radius, cell_m=cell)


@pytest.mark.field
def test_the_real_tile_on_a_local_grid_against_rasterio(field_data: Path) -> None:
    tile = terrain.read(field_data / "terrain/bigtujunga_srtm30m_utm11.tif", vertical_datum="egm96")
    lat, lon = 34.32, -118.15
    grid = terrain.local_grid(tile, geo.LocalFrame(lat, lon, 1000.0), "egm96", radius_m=6000.0)
    offsets = np.random.Generator(np.random.Philox(3)).integers(-190, 190, (200, 2)) * 30.0
    t = tile.transform
    for e, n in offsets:
        there = pymap3d.enu2geodetic(e, n, -(e * e + n * n) / 12.74e6, lat, lon, 1000.0)
        xs, ys = rasterio.warp.transform("EPSG:4326", "EPSG:32611", [there[1]], [there[0]])
        x = np.array([(xs[0] - t.west) / t.dx - 0.5])
        y = np.array([(t.north - ys[0]) / t.dy - 0.5])
        expected = bilinear(tile.heights_m.astype(np.float32), x, y)[0]
        assert grid.ground_m(e, n) == pytest.approx(expected, abs=0.1)


def test_voids_of_the_file_are_voids_of_the_grid() -> None:
    ground = plane()
    ground.void[170:190, 170:180] = True
    holed = msgspec.structs.replace(ground)
    grid = terrain.local_grid(holed, geo.LocalFrame(LAT, LON, 0.0), "egm96", radius_m=3000.0)
    assert 0.0 < grid.void_share < 1.0
