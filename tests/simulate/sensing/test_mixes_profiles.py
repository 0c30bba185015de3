"""Sensor sets by name, what an operator would say of them, and how a scenario file names them."""

from collections.abc import Callable

import msgspec
import pytest
from msgspec import structs

from vedette.core import Core
from vedette.model import SensorProfile
from vedette.model.errors import ConfigError
from vedette.model.event import Configure
from vedette.simulate import MIXES, Scenario, detections, mix, parse_scenario, radio_silent, sensor_profiles
from vedette.simulate.sensing.catalogue import model_of, signature_of
from vedette.simulate.sensing.mixes import SILENT
from vedette.simulate.sensing.plan import Faults, Sensor

Scene = Callable[..., Scenario]

HEAD = """
[scenario]
name = "file"
seed = 1
duration_s = 60.0
[scenario.site]
name = "Test site"
lat_deg = 31.45
lon_deg = -110.9
alt_m = 1150.0
alt_datum = "wgs84-ellipsoid"
"""

SENSOR = """
[[sensor]]
id = "ridge"
model = "mesa-radar"
enu_m = [120.0, -40.0]
agl_m = 8.0
facing_deg = 90.0
[sensor.override]
period_s = 0.25
[sensor.faults]
azimuth_bias_deg = -1.5
bursts = { every_s = 60.0, last_s = 5.0 }
reboots = [ { at_s = 30.0, lasts_s = 8.0 } ]
hot_spots = [ { azimuth_deg = 95.0, range_m = 600.0 } ]
"""


@pytest.mark.parametrize("name", MIXES)
def test_every_mix_is_one_that_a_station_takes(scene: Scene, name: str) -> None:
    sensors = mix(name, (200.0, -100.0), "north-")
    scenario = scene(sensors, terrain="rolling-desert")
    profiles = sensor_profiles(scenario)
    assert [profile.id for profile in profiles] == [sensor.id for sensor in sensors]
    assert len({sensor.id for sensor in sensors}) == len(sensors)
    assert all(sensor.id.startswith("north-") for sensor in sensors)
    again = msgspec.json.decode(msgspec.json.encode(profiles), type=tuple[SensorProfile, ...])
    Core(Configure(site=scenario.head.site, sensors=again, settings={}))


def test_radio_silence_takes_every_emission_and_nothing_else(scene: Scene, flier: Callable[..., str]) -> None:
    rid = '[actor.remote_id]\nserial = "1581FTEST"\nmac = "60:60:1f:aa:bb:cc"\n'
    own = flier(id="own", kind="multirotor", signature="multirotor").replace("kind =", "own = true\nkind =")
    text = "".join(flier(id=kind, kind=kind, signature=kind) + rid for kind in SILENT) + own + rid
    loud = scene(mix("full", (0.0, 0.0)), text)
    quiet = radio_silent(loud)
    for before, after in zip(loud.actors, quiet.actors, strict=True):
        if before.own:
            assert after == before
            continue
        signature = signature_of(after.signature or "")
        plain = signature_of(before.kind)
        assert signature is not None
        assert plain is not None
        assert (signature.rf_dbm, after.remote_id) == (None, None)
        assert signature.looks_like == plain.looks_like
        assert structs.replace(after, signature=before.signature, remote_id=before.remote_id) == before


def test_an_unknown_mix_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="no sensor mix 'everything'; there are remote-id-only"):
        mix("everything", (0.0, 0.0))


def test_the_profile_is_honest_and_knows_no_fault(scene: Scene) -> None:
    faulty = Faults(azimuth_bias_deg=5.0, clock_offset_s=2.0, loss=0.5)
    plain = Sensor(id="one", model="mesa-radar", enu_m=(0.0, 0.0), facing_deg=30.0)
    (good,) = sensor_profiles(scene((plain,)))
    (bad,) = sensor_profiles(scene((msgspec.structs.replace(plain, faults=faulty),)))
    assert good == bad
    assert good.type == "radar-3d"
    assert good.azimuth_deg == (330.0, 90.0)
    assert good.sigma.range_m == 3.0
    assert 0.3 < good.detection_probability < 0.9
    assert good.alt_m == pytest.approx(1153.0)


def test_types_are_those_of_the_models(scene: Scene) -> None:
    sensors = (*mix("full", (0.0, 0.0)), *mix("radar-2d", (9.0, 9.0), "b-"))
    kinds = {profile.id: profile.type for profile in sensor_profiles(scene(sensors))}
    assert kinds == {
        "radar": "radar-3d", "df-1": "direction-finder", "df-2": "direction-finder",
        "array": "acoustic-array", "camera": "camera", "remote-id": "report", "adsb": "report",
        "b-radar-2d": "radar-2d", "b-remote-id": "report", "b-adsb": "report",
    }  # fmt: skip


def test_a_scenario_file_names_its_sensors() -> None:
    (sensor,) = parse_scenario(HEAD + SENSOR).sensors
    assert sensor.faults.bursts is not None
    assert sensor.faults.bursts.loss == 0.9
    model = model_of(sensor.model, sensor.override)
    assert getattr(model, "period_s", None) == 0.25


@pytest.mark.parametrize(("old", "new", "line", "said"), [
    ('model = "mesa-radar"', 'model = "sonar"', 14, "no sensor model 'sonar'"),
    ("period_s = 0.25", "period_s = -1.0", 14, "override of mesa-radar"),
    ("every_s = 60.0", "every_s = 0.0", 20, "every_s"),
    ("enu_m = [120.0, -40.0]", "lat_deg = 31.0", 14, "a place is either"),
    ("agl_m = 8.0", "height = 8.0", 17, "height"),
    ('id = "ridge"', 'id = "../ridge"', 15, "id"),
])  # fmt: skip
def test_a_wrong_sensor_is_refused_with_its_line(old: str, new: str, line: int, said: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        parse_scenario(HEAD + SENSOR.replace(old, new), "wrong.toml")
    message = str(refusal.value)
    assert said in message
    assert message.startswith("wrong.toml, line ")
    assert abs(int(message.split("line ")[1].split(":")[0]) - line) <= 8, message


def test_a_sensor_where_no_ground_is_known_is_refused(scene: Scene) -> None:
    far = SENSOR.replace("[120.0, -40.0]", "[60000.0, 0.0]")
    canyon = HEAD.replace("duration_s = 60.0", 'duration_s = 60.0\nterrain = "canyon"')
    with pytest.raises(ConfigError, match=r"deep.toml, line 14: sensor\[0\]: the elevation model knows no"):
        parse_scenario(canyon + far, "deep.toml")
    sensors = mix("radar-only", (60000.0, 0.0))
    with pytest.raises(ConfigError, match="sensor radar: the elevation model knows no ground"):
        list(detections(scene(sensors, terrain="canyon"), 1.8e9))


def test_two_sensors_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="already used"):
        parse_scenario(HEAD + SENSOR + SENSOR)
    receiver = '[[receiver]]\nid = "ridge"\nkind = "remote-id"\nenu_m = [0.0, 0.0]\nrange_m = 100.0\n'
    with pytest.raises(ConfigError, match="already used by a receiver"):
        parse_scenario(HEAD + SENSOR + receiver)


def test_a_signature_that_is_not_in_the_catalogue_is_refused(flier: Callable[..., str]) -> None:
    with pytest.raises(ConfigError, match="no 'dragon' in the catalogue; there are aircraft"):
        parse_scenario(HEAD + flier(signature="dragon"))
