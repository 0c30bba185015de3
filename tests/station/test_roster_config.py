"""Teams, leads, second ways and duty in ``vedette.toml``, and what makes an alert an exercise."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from vedette.core import Core
from vedette.model import ConfigError, Site
from vedette.model.event import Configure
from vedette.station.assemble import _exercise
from vedette.station.config import ClockConfig, StationConfig, read_config

HEAD = """
[site]
name = "North"
lat_deg = 31.5
lon_deg = -110.9
alt_m = 1200.0
alt_datum = "wgs84-ellipsoid"
[[feed]]
name = "tak"
url = "tls://tak.example:8089"
[[feed]]
name = "mesh"
url = "tak-mesh:239.2.3.1:6969"
"""
ROSTER = """
[[unit]]
unit = "alpha"
team = "one"
lead = "bravo"
channels = ["tak"]
second = ["mesh"]
[[unit]]
unit = "bravo"
[[duty]]
role = "watch-officer"
unit = "bravo"
person = "Sgt Vega"
from = 2026-11-22T06:00:00Z
until = 2026-11-22T18:30:00+01:00
"""
SITE = Site(name="N", lat_deg=31.5, lon_deg=-110.9, alt_m=1200.0, alt_datum="wgs84-ellipsoid")


def read(folder: Path, text: str) -> StationConfig:
    path = folder / "vedette.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    return read_config(path)


def test_a_roster_with_duty_is_read(tmp_path: Path) -> None:
    config = read(tmp_path, ROSTER)
    assert (config.unit[0].team, config.unit[0].lead, config.unit[0].second) == ("one", "bravo", ("mesh",))
    (duty,) = (one.duty() for one in config.duty)
    assert duty.begins == datetime(2026, 11, 22, 6, tzinfo=UTC).timestamp()
    assert duty.until == datetime(2026, 11, 22, 17, 30, tzinfo=UTC).timestamp()
    assert (duty.role, duty.unit, duty.person) == ("watch-officer", "bravo", "Sgt Vega")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('lead = "bravo"', 'lead = "nobody"', "its lead 'nobody' is no"),
        ('second = ["mesh"]', 'second = ["mess"]', "there is no .*feed.* named 'mess'"),
        ('channels = ["tak"]', 'channels = ["mesh"]', "all its channels are 'second' ones"),
        ("until = 2026-11-22T18:30:00+01:00", "until = 2026-11-22T05:00:00Z", "it ends before it begins"),
        ("from = 2026-11-22T06:00:00Z", "from = 2026-11-22T06:00:00", "timezone"),
        ('unit = "bravo"\nperson', 'unit = "ghost"\nperson', "'ghost' is no"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, old: str, new: str, why: str) -> None:
    assert old in ROSTER
    with pytest.raises(ConfigError, match=why):
        read(tmp_path, ROSTER.replace(old, new))


class Peer:
    name = "exercise"
    simulated = True
    senses = ("rid-1", "radar")


class RealPeer:
    name = "radar-north"
    senses = ("radar-north",)


def test_what_only_simulated_sensors_see_is_an_exercise() -> None:
    config = StationConfig(site=SITE)
    assert _exercise(config, (RealPeer(),)) == ()
    assert _exercise(config, (Peer(), RealPeer())) == ("exercise", "radar", "rid-1")
    fast = StationConfig(site=SITE, clock=ClockConfig(speed=4.0))
    assert _exercise(fast, (RealPeer(),)) == ("*",)


@pytest.mark.parametrize(
    ("exercise", "test", "sensors", "status"),
    [
        ((), (), ("radar-north",), "actual"),
        (("rid-1",), (), ("rid-1",), "exercise"),
        (("rid-1",), (), ("rid-1", "radar-north"), "actual"),
        (("rid-1",), (), (), "actual"),
        (("*",), (), ("radar-north",), "exercise"),
        ((), ("probe",), ("probe",), "test"),
        (("rid-1",), ("probe",), ("probe", "rid-1"), "test"),
        (("rid-1",), ("probe",), ("probe", "radar-north"), "actual"),
    ],
)
def test_one_real_sensor_makes_it_actual(
    exercise: tuple[str, ...], test: tuple[str, ...], sensors: tuple[str, ...], status: str
) -> None:
    core = Core(Configure(site=SITE, exercise=exercise, test=test))
    assert core._status(sensors) == status
