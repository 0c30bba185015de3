"""Elevation files: what is read is what was written, and what cannot be read says why."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from rasterio import Affine

from vedette import terrain
from vedette.model.errors import DatumError, InputError
from vedette.terrain import raster_library
from vedette.terrain.elevation import Bounds, Heights

TILE = "terrain/bigtujunga_srtm30m_utm11.tif"


def posts(side: int, seed: int = 5) -> Heights:
    """Hilly whole metres."""
    return np.random.Generator(np.random.Philox(seed)).integers(-50, 3000, (side, side), np.int16)


def write_hgt(path: Path, heights: Heights) -> Path:
    """SRTM's own layout: big-endian rows from the north."""
    path.write_bytes(heights.astype(">i2").tobytes())
    return path


def write_tif(path: Path, heights: np.ndarray, **profile: Any) -> Path:
    """A GeoTIFF in UTM 11 unless ``profile`` says otherwise."""
    rows, columns = heights.shape[-2:]
    settings = {
        "driver": "GTiff",
        "width": columns,
        "height": rows,
        "count": heights.size // (rows * columns),
        "dtype": heights.dtype,
        "crs": "EPSG:32611",
        "transform": Affine(30.0, 0.0, 376000.0, 0.0, -30.0, 3807000.0),
    }
    with rasterio.open(path, "w", **(settings | profile)) as out:
        out.write(heights.reshape(-1, rows, columns))
    return path


@pytest.fixture
def hills() -> np.ndarray:
    """Forty rows of sixty float heights."""
    return np.linspace(100.0, 900.0, 2400, dtype=np.float32).reshape(40, 60)


@pytest.mark.parametrize(("side", "spacing"), [(1201, 3.0 / 3600.0), (3601, 1.0 / 3600.0)])
def test_srtm_tiles_of_both_kinds(tmp_path: Path, side: int, spacing: float) -> None:
    heights = posts(side)
    heights[10, 20] = -32768
    read = terrain.read(write_hgt(tmp_path / "N31W112.hgt", heights))
    assert read.vertical_datum == "egm96"
    assert read.crs == "EPSG:4326"
    assert read.resolution == pytest.approx((spacing, spacing))
    assert np.array_equal(read.heights_m[~read.void], heights[~read.void])
    assert (read.void_count, bool(read.void[10, 20])) == (1, True)
    assert read.void_share == 1 / side**2
    # The north-western post stands at 32 N 112 W, and is the centre of its pixel.
    assert terrain.height_at(read, 32.0, -112.0) == heights[0, 0]
    assert terrain.height_at(read, 31.0, -111.0) == heights[-1, -1]


def test_srtm_south_and_east_of_the_null_meridian(tmp_path: Path) -> None:
    heights = posts(1201)
    read = terrain.read(write_hgt(tmp_path / "S04E036.hgt", heights))
    assert terrain.height_at(read, -3.0, 36.0) == heights[0, 0]


@pytest.mark.parametrize(("level", "side"), [(0, 121), (1, 1201), (2, 3601)])
def test_dted_levels(tmp_path: Path, level: int, side: int) -> None:
    heights = posts(side)
    heights[3, 4] = -32767
    heights[5, 6] = -120
    spacing = 1.0 / (side - 1)
    source = write_tif(
        tmp_path / "one.tif",
        heights,
        crs="EPSG:4326",
        nodata=-32767,
        transform=Affine(spacing, 0.0, -112.0 - spacing / 2, 0.0, -spacing, 32.0 + spacing / 2),
    )
    target = tmp_path / f"n31.dt{level}"
    rasterio.shutil.copy(source, target, driver="DTED")
    read = terrain.read(target)
    assert read.vertical_datum == "egm96"
    assert bool(read.void[3, 4])
    assert read.void_count == 1
    assert np.array_equal(read.heights_m[~read.void], heights[~read.void])
    assert terrain.height_at(read, 32.0, -112.0) == heights[0, 0]


def test_a_dted_profile_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    heights = posts(121)
    source = write_tif(
        tmp_path / "one.tif",
        heights,
        crs="EPSG:4326",
        transform=Affine(1 / 120, 0.0, -112.0 - 1 / 240, 0.0, -1 / 120, 32.0 + 1 / 240),
    )
    target = tmp_path / "n31.dt0"
    rasterio.shutil.copy(source, target, driver="DTED")
    damaged = bytearray(target.read_bytes())
    damaged[3428 + 8 + 51] ^= 0x10
    target.write_bytes(damaged)
    with pytest.raises(InputError, match=r"n31\.dt0"):
        terrain.read(target)


def test_dted_of_an_unknown_vertical_datum_asks(tmp_path: Path) -> None:
    heights = posts(121)
    source = write_tif(
        tmp_path / "one.tif",
        heights,
        crs="EPSG:4326",
        transform=Affine(1 / 120, 0.0, -112.0 - 1 / 240, 0.0, -1 / 120, 32.0 + 1 / 240),
    )
    target = tmp_path / "n31.dt0"
    rasterio.shutil.copy(source, target, driver="DTED")
    target.write_bytes(target.read_bytes().replace(b"MSLWGS84", b"XYZWGS84"))
    with pytest.raises(DatumError, match="vertical_datum"):
        terrain.read(target)
    assert terrain.read(target, vertical_datum="egm2008").vertical_datum == "egm2008"


def test_geotiff_keeps_values_place_and_void(tmp_path: Path, hills: np.ndarray) -> None:
    hills[7, 8] = -9999.0
    hills[9, 9] = np.nan
    read = terrain.read(write_tif(tmp_path / "a.tif", hills, nodata=-9999.0), vertical_datum="navd88")
    assert read.bounds == Bounds(west=376000.0, north=3807000.0, east=377800.0, south=3805800.0)
    assert read.crs == "EPSG:32611"
    assert read.void_count == 2
    assert np.array_equal(read.heights_m[~read.void], hills[~read.void])


@pytest.mark.parametrize("mark", [-32768, 32767, -9999])
def test_an_undeclared_void_mark_is_still_a_void(tmp_path: Path, mark: int) -> None:
    heights = np.full((20, 30), 500, np.int16)
    heights[4, 5] = mark
    read = terrain.read(write_tif(tmp_path / "a.tif", heights), vertical_datum="egm96")
    assert np.argwhere(read.void).tolist() == [[4, 5]]


@pytest.mark.parametrize(
    ("crs", "datum", "unit_m"),
    [
        ("EPSG:4326+5773", "egm96", 1.0),
        ("EPSG:4326+3855", "egm2008", 1.0),
        ("EPSG:26911+5703", "navd88", 1.0),
        ("EPSG:26911+6360", "navd88", 1200.0 / 3937.0),
        ("EPSG:4979", "wgs84-ellipsoid", 1.0),
    ],
)
def test_the_vertical_datum_and_unit_of_a_geotiff(
    tmp_path: Path, hills: np.ndarray, crs: str, datum: str, unit_m: float
) -> None:
    place = Affine(30.0, 0.0, 376000.0, 0.0, -30.0, 3807000.0)
    if crs.startswith("EPSG:4"):
        place = Affine(1e-3, 0.0, -118.0, 0.0, -1e-3, 34.0)
    path = write_tif(tmp_path / "a.tif", hills, crs=crs, transform=place)
    read = terrain.read(path)
    assert read.vertical_datum == datum
    assert read.heights_m == pytest.approx(hills * unit_m, rel=1e-6)
    assert terrain.height_at(read, 33.99, -117.99) is not None or not read.geographic
    with pytest.raises(DatumError, match="leave vertical_datum out"):
        terrain.read(path, vertical_datum="egm96" if datum != "egm96" else "navd88")


def test_feet_scale_and_offset_become_metres(tmp_path: Path, hills: np.ndarray) -> None:
    path = write_tif(tmp_path / "a.tif", (hills * 10).astype(np.int16))
    with rasterio.open(path, "r+") as dataset:
        dataset.units = ("ft",)
        dataset.scales = (0.1,)
        dataset.offsets = (50.0,)
    read = terrain.read(path, vertical_datum="egm96")
    assert read.heights_m == pytest.approx(((hills * 10).astype(np.int16) * 0.1 + 50.0) * 0.3048, rel=1e-6)


def test_a_file_that_names_no_datum_asks_for_it(tmp_path: Path, hills: np.ndarray) -> None:
    path = write_tif(tmp_path / "a.tif", hills)
    with pytest.raises(DatumError, match=r"a\.tif does not say .*vertical_datum='egm96'"):
        terrain.read(path)
    with pytest.raises(InputError, match="'msl' is unknown"):
        terrain.read(path, vertical_datum="msl")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"crs": None}, "does not say where it lies"),
        ({"transform": Affine(20.0, 5.0, 0.0, 5.0, -20.0, 9.0)}, "rotated"),
        ({"transform": Affine(30.0, 0.0, 0.0, 0.0, 30.0, 9.0)}, "not north up"),
        ({"dtype": "uint8"}, "picture"),
    ],
)
def test_layouts_that_are_no_elevation(
    tmp_path: Path, hills: np.ndarray, change: dict[str, Any], words: str
) -> None:
    path = write_tif(tmp_path / "a.tif", hills.astype(change.get("dtype", np.float32)), **change)
    with pytest.raises(InputError, match=words):
        terrain.read(path, vertical_datum="egm96")


def test_two_bands_unknown_units_nothing_but_voids(tmp_path: Path, hills: np.ndarray) -> None:
    two = write_tif(tmp_path / "two.tif", np.stack([hills, hills]))
    fathoms = write_tif(tmp_path / "fathoms.tif", hills)
    with rasterio.open(fathoms, "r+") as dataset:
        dataset.units = ("fathom",)
    empty = write_tif(tmp_path / "empty.tif", hills * 0 - 9999)
    for path, words in ((two, "2 bands"), (fathoms, "fathom"), (empty, "only voids")):
        with pytest.raises(InputError, match=words):
            terrain.read(path, vertical_datum="egm96")


@pytest.mark.parametrize("name", ["N31W112.hgt", "a.tif", "n31.dt1"])
def test_damaged_files_are_refused_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    for content in (b"", b"\x00" * 100, b"II*\x00" + b"\xff" * 4000, b"<VRTDataset/>"):
        path.write_bytes(content)
        with pytest.raises(InputError, match=name):
            terrain.read(path, vertical_datum="egm96")


def test_truncated_files_are_refused(tmp_path: Path, hills: np.ndarray) -> None:
    tif = write_tif(tmp_path / "a.tif", hills)
    tif.write_bytes(tif.read_bytes()[:-3000])
    hgt = write_hgt(tmp_path / "N31W112.hgt", posts(1201))
    hgt.write_bytes(hgt.read_bytes()[:-1000])
    for path in (tif, hgt):
        with pytest.raises(InputError, match="copy it again"):
            terrain.read(path, vertical_datum="egm96")


def test_an_srtm_tile_needs_its_name_and_a_reader_its_suffix(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"N31W112\.hgt"):
        terrain.read(write_hgt(tmp_path / "tile.hgt", posts(1201)))
    with pytest.raises(InputError, match="not an elevation file"):
        terrain.read(tmp_path / "a.vrt")
    with pytest.raises(InputError, match="no such file"):
        terrain.read(tmp_path / "a.tif")


def test_without_rasterio_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(raster_library.importlib, "import_module", refuse)
    with pytest.raises(Exception, match="install rasterio"):
        raster_library.load()


@pytest.mark.field
def test_the_real_tile_reads_as_its_readme_says(field_data: Path) -> None:
    read = terrain.read(field_data / TILE, vertical_datum="egm96")
    assert read.heights_m.shape == (643, 1197)
    assert read.heights_m.dtype == np.int16
    assert (int(read.heights_m.min()), int(read.heights_m.max())) == (315, 2295)
    assert read.void_count == 0
    assert read.crs == "EPSG:32611"
    with pytest.raises(DatumError):
        terrain.read(field_data / TILE)
