"""The exercise: receipts come back as facts, and who does not look is escalated."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from vedette.model import ConfigError, Receipt
from vedette.model.event import Configure, Deliver, Escalate
from vedette.record import Keyring, Log
from vedette.simulate import load_builtin
from vedette.station.clock import StationClock
from vedette.station.journal import Journal
from vedette.station.peers.sim import SimPeer, scenario_of
from vedette.station.station import Station

PATROL = "VEDETTE-EXERCISE-BRAVO"
SPEED = 25.0


def exercise(folder: Path, name: str, answer: str, enough: Callable[[Station], bool]):
    """A station that plays a scenario until it is ``enough``: (station, events of its log)."""
    scenario = load_builtin(name)
    journal = Journal(folder, Configure(site=scenario.head.site), ())
    station = Station(journal, StationClock(SPEED), (SimPeer("exercise", scenario, answer),))

    async def run() -> None:
        task = asyncio.create_task(station.run())
        for _ in range(1200):
            await asyncio.sleep(0.02)
            if enough(station):
                break
        await asyncio.sleep(0.3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    with Log.open(folder / "events.log", Keyring(folder / "keys"), readonly=True) as log:
        return station, list(log.events())


def acknowledged(station: Station) -> bool:
    return any(r.fact == "acknowledged" for item in station.view().alerts for r in item.receipts)


def left_alone(station: Station) -> bool:
    """A grave alert has waited for longer than the first step of escalation takes."""
    grave = [item for item in station.view().alerts if item.alert.level in ("warning", "imminent")]
    return any(station.clock.now() - item.raised > 40.0 for item in grave)


def test_a_phone_whose_person_looks(tmp_path: Path) -> None:
    station, events = exercise(tmp_path / "state", "hover-near", "ok", acknowledged)
    receipts = [event.body for event in events if isinstance(event.body, Receipt)]
    assert {receipt.recipient for receipt in receipts} == {PATROL}
    assert {receipt.channel for receipt in receipts} == {"exercise"}
    first = next(event.body.alert for event in events if isinstance(event.body, Deliver))
    facts = [r.fact for r in receipts if (r.alert, r.revision) == (first.alert, first.revision)]
    assert facts[:4] == ["accepted", "on-device", "shown", "acknowledged"]
    last = next(r for r in receipts if r.fact == "acknowledged")
    assert last.by
    assert station.view().mode == "exercise"
    assert station.view().feeds[0].reason == "exercise: hover-near"
    assert not station.faults


def test_a_phone_whose_person_does_not_look(tmp_path: Path) -> None:
    station, events = exercise(tmp_path / "state", "desert-run", "", left_alone)
    receipts = [event.body for event in events if isinstance(event.body, Receipt)]
    assert {receipt.fact for receipt in receipts} == {"accepted", "on-device"}
    escalations = [event.body for event in events if isinstance(event.body, Escalate)]
    assert escalations
    assert escalations[0].recipients == (PATROL,)
    assert escalations[0].step == 1
    assert escalations[0].after_s >= 10.0
    assert not any(item.alert.state == "active-acked" for item in station.view().alerts)
    assert not any(item.alert.acknowledged_by for item in station.view().alerts)


def test_scenarios_by_name_and_by_file(tmp_path: Path) -> None:
    assert scenario_of("hover-near").head.name == "hover-near"
    with pytest.raises(ConfigError, match="desert-run"):
        scenario_of("no-such-scenario")
    with pytest.raises(ConfigError, match="cannot be read"):
        scenario_of(str(tmp_path / "none.toml"))
    (tmp_path / "bad.toml").write_text("[scenario]\nname = 3\n")
    with pytest.raises(ConfigError, match=r"bad\.toml"):
        scenario_of(str(tmp_path / "bad.toml"))


def test_it_reaches_only_its_own_patrols_once_they_reported() -> None:
    peer = SimPeer("exercise", load_builtin("hover-near"))
    assert not peer.reaches(PATROL)
    assert not peer.reaches("somebody")


SENSORS = """
[scenario]
name = "sensors"
seed = 4
duration_s = 60.0
[scenario.site]
name = "Test site"
lat_deg = 31.45
lon_deg = -110.9
alt_m = 1150.0
alt_datum = "wgs84-ellipsoid"
[[sensor]]
id = "radar"
model = "x-band-fmcw"
enu_m = [0.0, 0.0]
agl_m = 8.0
[[sensor]]
id = "finder"
model = "rf-direction-finder"
enu_m = [0.0, 0.0]
agl_m = 8.0
[[sensor]]
id = "squitters"
model = "adsb-receiver"
enu_m = [0.0, 0.0]
agl_m = 8.0
[[actor]]
id = "alpha"
kind = "fpv"
path = [ { at_s = 0.0, enu_m = [900.0, 900.0], agl_m = 60.0 },
         { at_s = 60.0, enu_m = [100.0, 100.0], agl_m = 60.0 } ]
[[actor]]
id = "n123"
kind = "aircraft"
path = [ { at_s = 0.0, enu_m = [-2000.0, 900.0], agl_m = 300.0 },
         { at_s = 60.0, enu_m = [1500.0, 900.0], agl_m = 300.0 } ]
"""


def test_sensors_that_look_for_themselves_are_feeds_of_the_exercise(tmp_path: Path) -> None:
    (tmp_path / "sensors.toml").write_text(SENSORS, encoding="utf-8")

    def tracked(station: Station) -> bool:
        return len(station.view().tracks) >= 2 and station.clock.now() > began[0] + 25.0

    began: list[float] = []
    scenario = scenario_of(str(tmp_path / "sensors.toml"))
    journal = Journal(tmp_path / "state", Configure(site=scenario.head.site), ())
    clock = StationClock(SPEED)
    began.append(clock.now())
    station = Station(journal, clock, (SimPeer("exercise", scenario),))

    async def run() -> None:
        task = asyncio.create_task(station.run())
        for _ in range(1200):
            await asyncio.sleep(0.02)
            if tracked(station):
                break
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    view = station.view()
    assert {feed.feed for feed in view.feeds} >= {"exercise", "radar", "finder", "squitters"}
    assert view.mode == "exercise"
    assert len(view.tracks) >= 2
    assert not station.faults
