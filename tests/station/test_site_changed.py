"""A station that continues a record under a changed configuration shows the site as it is now."""

import asyncio
from pathlib import Path

import msgspec
from station_build import SITE, journal

from vedette.model import Site
from vedette.station.clock import StationClock
from vedette.station.station import Station


def run_once(folder: Path, site: Site) -> Station:
    station = Station(journal(folder, site), StationClock(), ())

    async def run() -> None:
        task = asyncio.create_task(station.run())
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    return station


def test_peers_and_page_get_the_site_of_the_configuration_not_of_the_record(tmp_path: Path) -> None:
    assert run_once(tmp_path / "state", SITE).site == SITE
    moved = msgspec.structs.replace(SITE, lat_deg=59.93, lon_deg=30.3, geoid_height_m=16.0)
    station = run_once(tmp_path / "state", moved)
    assert station.site == moved
    assert (station.view().site.lat_deg, station.view().site.lon_deg) == (59.93, 30.3)
