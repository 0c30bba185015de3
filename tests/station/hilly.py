"""A site on synthetic hills: its elevation as a GeoTIFF, a configuration that names it, and a log of it.

Loaded by path from the tests of the station and of the command.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import rasterio
from rasterio import Affine

from vedette import terrain
from vedette.model import Detection, RangeBearing, Sigma
from vedette.model.event import Configure, DetectionBatch
from vedette.station.config import read_config
from vedette.station.engine import Engine
from vedette.station.grounds import GroundFolder, read_ground
from vedette.station.journal import Journal

Look = Callable[[int], tuple[Detection, ...]]

LAT, LON = 31.45, -110.9
START = 1_790_000_000.0

CONFIG = """
state = "state"

[site]
name = "Hills"
lat_deg = {lat}
lon_deg = {lon}
alt_m = {alt}
alt_datum = "egm96"
geoid_height_m = -29.5

[console]
listen = "127.0.0.1:0"
demo_desk = true

[[feed]]
name = "radar"
url = "lines+udp://127.0.0.1:0?sensor=radar"

[[sensor]]
id = "radar"
type = "radar-3d"
lat_deg = {lat}
lon_deg = {lon}
alt_m = {mast}
alt_datum = "egm96"
period_s = 1.0
detection_probability = 0.9
range_m = [50.0, 3000.0]
"""
TERRAIN = """
[terrain]
files = ["hills.tif"]
vertical_datum = "egm96"
"""


def hills(path: Path, relief_m: float = 120.0, lat_deg: float = LAT, *, hole: bool = False) -> float:
    """Write rolling ground to ``path``, round (lat_deg, `LON`); its height at the middle (m). ``hole``:
    nothing is known within 1 km of it."""
    model = terrain.synthesize(
        "desert", seed=8, lat_deg=lat_deg, lon_deg=LON, half_extent_m=5000.0, relief_m=relief_m
    )
    heights, place = model.heights_m.copy(), model.transform
    alt = terrain.height_at(model, lat_deg, LON)
    assert alt is not None
    if hole:
        rows, columns = heights.shape
        heights[rows // 2 - 33 : rows // 2 + 33, columns // 2 - 33 : columns // 2 + 33] = -9999.0
    with rasterio.open(
        path, "w", driver="GTiff", height=heights.shape[0], width=heights.shape[1], count=1, dtype="float32",
        crs="EPSG:4326", nodata=-9999.0,
        transform=Affine(place.dx, 0.0, place.west, 0.0, -place.dy, place.north),
    ) as out:  # fmt: skip
        out.write(heights.astype(np.float32), 1)
    return alt


def configured(folder: Path, words: str = TERRAIN, *, mast_m: float = 15.0) -> Path:
    """``vedette.toml`` in ``folder``, beside ``hills.tif``; ``words``: its last table."""
    ground = hills(folder / "hills.tif")
    path = folder / "vedette.toml"
    path.write_text(CONFIG.format(lat=LAT, lon=LON, alt=ground, mast=ground + mast_m) + words)
    return path


def plot(second: int) -> Detection:
    return Detection(
        time=START + second, sensor="radar", scan=second,
        measure=RangeBearing(range_m=1500.0 - 20.0 * second, azimuth_deg=40.0, elevation_deg=8.0),
        sigma=Sigma(range_m=5.0, azimuth_deg=0.5, elevation_deg=0.7),
    )  # fmt: skip


def one_plot(second: int) -> tuple[Detection, ...]:
    """A look of the radar at a drone that comes in."""
    return (plot(second),)


def live(path: Path, first: int, last: int, *, snapshot: bool = False, look: Look = one_plot) -> Journal:
    """Seconds of a station with this configuration, in each of which its radar makes a ``look``; it ends
    without a goodbye, its log only closed."""
    config = read_config(path)
    folder = Path(config.state)
    folder.mkdir(exist_ok=True)
    grounds, ground = GroundFolder(folder), read_ground(config)
    if ground is not None:
        grounds.keep(ground)
    digest = None if ground is None else ground.digest
    configure = Configure(site=config.site, sensors=config.sensor, terrain=digest)

    async def story() -> Journal:
        journal = Journal(folder, configure, (), grounds)
        now, faults = [max(START, journal.at)], []
        engine = Engine(
            journal.core, lambda: now[0], journal.submit, lambda event: None,
            lambda event, error: faults.append(error), journal.seq, journal.at,
        )  # fmt: skip
        journal.start(engine, lambda status: None)
        for second in range(first, last):
            now[0] = max(now[0], START + second)
            engine.enter(DetectionBatch(feed="radar", detections=look(second)))
        if snapshot:
            journal.snapshot(engine)
        assert await journal.durable(engine.seq, 30.0)
        await journal.close()
        assert faults == []
        return journal

    return asyncio.run(story())
