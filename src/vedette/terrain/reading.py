"""Elevation files -> `Elevation`: GeoTIFF, SRTM .hgt (1 and 3 arc seconds), DTED levels 0 to 2.

SRTM: big-endian 16-bit posts of a one-degree square named by its south-western corner, void -32768
(SRTM Topography, USGS). DTED: MIL-PRF-89020B. Both are EGM96 by their standard.
GeoTIFF: OGC 19-008r4; its vertical datum is what its vertical keys say, and seldom said.

All are decoded by rasterio. Only the driver that belongs to the suffix is offered to a file, so a file
cannot make the library follow references to other places.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from vedette.model.errors import InputError
from vedette.terrain import crs_words, raster_library
from vedette.terrain.elevation import (
    Elevation,
    Heights,
    Transform,
    VerticalDatum,
    VoidMask,
    implausible,
    settled_datum,
)

DRIVERS = {
    ".tif": "GTiff",
    ".tiff": "GTiff",
    ".hgt": "SRTMHGT",
    ".dt0": "DTED",
    ".dt1": "DTED",
    ".dt2": "DTED",
}
"""Suffix, in lower case -> GDAL's name of the format."""

MOST_POSTS = 200_000_000
"""Larger files would take more memory than a station has: 800 MB of heights."""

UNIT_M = {
    "": 1.0,
    "m": 1.0,
    "metre": 1.0,
    "meter": 1.0,
    "ft": 0.3048,
    "foot": 0.3048,
    "us survey foot": 1200.0 / 3937.0,
    "us-ft": 1200.0 / 3937.0,
}
"""Unit of heights, in lower case -> metres (EPSG units 9001, 9002, 9003)."""

DTED_EGM96 = {"MSL", "E96"}
"""Codes of the field Vertical Datum in the DSI record (MIL-PRF-89020B): mean sea level by EGM96."""


def read(path: Path | str, *, vertical_datum: str | None = None) -> Elevation:
    """One elevation file.

    ``vertical_datum``: what its heights are measured from, where the file does not say it. Raises
    DatumError if nobody says it or file and person differ; InputError for a file that cannot be used.
    """
    path = Path(path)
    driver = DRIVERS.get(path.suffix.lower())
    if driver is None:
        raise InputError(f"{path}: not an elevation file; expected one of {', '.join(DRIVERS)}")
    if not path.is_file():
        raise InputError(f"{path}: no such file; check the name")
    rasterio = raster_library.load()
    try:
        # Unplaced files are refused below, in words of our own; DTED carries a checksum in each profile.
        with warnings.catch_warnings(), rasterio.Env(DTED_VERIFY_CHECKSUM="YES"):
            warnings.simplefilter("ignore")
            with rasterio.open(path, driver=driver) as dataset:
                return _elevation(dataset, path, vertical_datum)
    except raster_library.load("rasterio.errors").RasterioError as error:
        raise InputError(f"{path}: cannot be read as {driver} ({error}); {_REMEDY[driver]}") from error


_REMEDY = {
    "GTiff": "the file is damaged or incomplete: copy it again",
    "SRTMHGT": "it must be called like N31W112.hgt and hold 1201 x 1201 or 3601 x 3601 posts: copy it again",
    "DTED": "the file is damaged or incomplete: copy it again",
}


def _elevation(dataset: Any, path: Path, said: str | None) -> Elevation:
    _check_layout(dataset, path)
    crs = crs_words.parse(dataset.crs, str(path))
    datum = settled_datum(_stated_datum(dataset, crs), said, str(path))
    raw = dataset.read(1)
    void = _voids(raw, dataset.nodata)
    heights = _in_metres(raw, dataset, crs.height_unit_m, path)
    void |= implausible(heights)
    if void.all():
        raise InputError(f"{path}: holds no height at all, only voids; use another source for this place")
    place = dataset.transform
    transform = Transform(west=place.c, north=place.f, dx=place.a, dy=-place.e)
    return Elevation(
        heights_m=heights,
        void=void,
        transform=transform,
        crs=crs.horizontal,
        vertical_datum=datum,
        source=(path.name,),
    )


def _check_layout(dataset: Any, path: Path) -> None:
    """Raises InputError for what is no single north-up grid of heights."""
    faults = {
        f"has {dataset.count} bands, not one; extract the band with the heights": dataset.count != 1,
        "holds bytes, which is a picture and not heights; use the elevation model itself": (
            dataset.dtypes[0] in ("uint8", "int8") or dataset.dtypes[0].startswith("complex")
        ),
        "does not say where it lies; give it a coordinate system (gdal_edit -a_srs, -a_ullr)": (
            dataset.crs is None or dataset.transform.is_identity
        ),
        "is rotated or not north up; warp it first (gdalwarp)": (
            dataset.transform.b != 0.0
            or dataset.transform.d != 0.0
            or dataset.transform.a <= 0.0
            or dataset.transform.e >= 0.0
        ),
        f"holds more than {MOST_POSTS} posts; cut it to the area you need (gdal_translate -projwin)": (
            dataset.width * dataset.height > MOST_POSTS
        ),
        "is narrower than two posts; use a larger cut": min(dataset.width, dataset.height) < 2,
    }
    for fault, present in faults.items():
        if present:
            raise InputError(f"{path}: {fault}")


def _stated_datum(dataset: Any, crs: crs_words.Words) -> VerticalDatum | None:
    if dataset.driver == "SRTMHGT":
        return "egm96"
    if dataset.driver == "DTED":
        code = dataset.tags().get("DTED_VerticalDatum", "").strip().upper()
        return "egm96" if code in DTED_EGM96 else None
    return crs.vertical_datum


def _voids(raw: Any, nodata: float | None) -> VoidMask:
    """What the file itself marks, before any scale is applied."""
    void: VoidMask = np.zeros(raw.shape, np.bool_)
    if nodata is not None:
        void |= raw == nodata
    return void


def _in_metres(raw: Any, dataset: Any, crs_unit_m: float | None, path: Path) -> Heights:
    """Scale, offset and unit applied; 16-bit whole metres stay as they are."""
    unit = (dataset.units[0] or "").strip().lower()
    if unit not in UNIT_M:
        raise InputError(f"{path}: heights in the unit {unit!r}; convert the file to metres")
    unit_m = UNIT_M[unit] if unit else (crs_unit_m or 1.0)
    factor, offset = dataset.scales[0] * unit_m, dataset.offsets[0] * unit_m
    if raw.dtype == np.int16 and factor == 1.0 and offset == 0.0:
        return raw  # type: ignore[no-any-return]
    heights: Heights = (raw.astype(np.float64) * factor + offset).astype(np.float32)
    return heights
