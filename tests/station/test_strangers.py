"""What strangers can send in any number fills neither the record nor the memory of a station."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from station_build import SITE, journal

from vedette.model import Claim, Detection, Position, RosterEntry, UnitReport
from vedette.station.clock import StationClock
from vedette.station.station import MOST_INTAKES, Station
from vedette.station.strangers import OPERATORS_AT_ONCE, STRANGERS_AT_ONCE, UNIT_AT_ONCE


def in_station(folder: Path, check: Callable[[Station], None], *roster: RosterEntry) -> None:
    """Run ``check`` beside a station that runs, without peers and in a loop of its own."""

    async def scenario() -> None:
        station = Station(journal(folder, roster=roster), StationClock(), ())
        running = asyncio.create_task(station.run())
        await asyncio.sleep(0.05)
        try:
            check(station)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scenario())


def seen(station: Station, number: int, sensor: str = "rid", claim: Claim | None = None) -> Detection:
    place = Position(lat_deg=SITE.lat_deg + 0.01, lon_deg=SITE.lon_deg + number * 1e-6)
    return Detection(time=station.clock.now(), sensor=sensor, measure=place, claim=claim)


def operator(number: int) -> Claim:
    return Claim(
        scheme="remote-id-serial",
        id=f"drone-{number}",
        operator_lat_deg=SITE.lat_deg,
        operator_lon_deg=SITE.lon_deg,
    )


def test_invented_operators_enter_at_a_bounded_pace_whatever_their_sensors_are_called(tmp_path: Path) -> None:
    many = 10 * OPERATORS_AT_ONCE

    def check(station: Station) -> None:
        for number in range(many):
            detection = seen(station, number, f"sensor-{number}", operator(number))
            station.detections("rid", [detection])
        held = station.view().shed["positions of operators"]
        assert 0 < held <= many - OPERATORS_AT_ONCE
        station.detections("other", [seen(station, 1, "other", operator(many))])
        assert station.view().shed["positions of operators"] == held
        assert station._strangers.operators.keys() >= {"drone-0", f"drone-{many}"}

    in_station(tmp_path, check)


def test_feeds_that_were_invented_and_left_are_not_kept(tmp_path: Path) -> None:
    async def scenario() -> None:
        station = Station(journal(tmp_path), StationClock(), ())
        running = asyncio.create_task(station.run())
        await asyncio.sleep(0.05)
        for turn in range(6):
            for number in range(100):
                name = f"net/{turn}-{number}"
                station.feed(name, "watching")
                station.detections(name, [seen(station, number, name)])
                station.feed(name, "down", "left")
            await asyncio.sleep(0.3)
        assert len(station._intakes) <= MOST_INTAKES + 1
        assert len(station.view().feeds) <= 200
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scenario())


def report(unit: str, at: float, lat: float = 0.0) -> UnitReport:
    place = {"lat_deg": SITE.lat_deg + lat, "lon_deg": SITE.lon_deg, "sigma_m": 5.0}
    return UnitReport(time=at, unit=unit, mobility="foot", source="phones", **place)


def test_invented_units_enter_at_a_bounded_pace_and_known_ones_always(tmp_path: Path) -> None:
    def check(station: Station) -> None:
        at = station.clock.now()
        station.unit(report("patrol", at))
        for number in range(3 * STRANGERS_AT_ONCE):
            station.unit(report(f"invented-{number}", at))
        known = {view.unit for view in station.view().units}
        assert STRANGERS_AT_ONCE <= len(known) <= STRANGERS_AT_ONCE + 60
        (feed,) = (view for view in station.view().feeds if view.feed == "phones")
        assert feed.quarantined["flooded: units that nobody knows"] >= 2 * STRANGERS_AT_ONCE - 60
        station.unit(report("patrol", station.clock.now(), 0.002))
        (patrol,) = (view for view in station.view().units if view.unit == "patrol")
        assert patrol.lat_deg == SITE.lat_deg + 0.002
        station.unit(report("rostered", at))
        assert "rostered" in {view.unit for view in station.view().units if view.lat_deg is not None}

    in_station(tmp_path, check, RosterEntry(unit="rostered"))


def test_one_unit_that_reports_without_end_is_used_at_a_bounded_pace(tmp_path: Path) -> None:
    def check(station: Station) -> None:
        entered: list[object] = []
        station._engine._submit = entered.extend  # type: ignore[method-assign]
        for number in range(1000):
            station.unit(report("patrol", station.clock.now(), number * 1e-6))
        assert sum(event.kind == "unit" for event in entered) <= UNIT_AT_ONCE + 10  # type: ignore[attr-defined]

    in_station(tmp_path, check)
