"""Scenario texts that the simulator's tests start from."""

import pytest

HEAD = """
[scenario]
name = "test"
seed = 7
duration_s = 60.0
terrain = "{terrain}"

[scenario.site]
name = "Test site"
lat_deg = 31.45
lon_deg = -110.9
alt_m = 1150.0
alt_datum = "wgs84-ellipsoid"

[[receiver]]
id = "mast"
kind = "remote-id"
enu_m = [0.0, 0.0]
range_m = 9000.0
agl_m = 30.0
near_share = 1.0
"""

PATROL = """
[[actor]]
id = "bravo"
kind = "patrol"
path = [
  { at_s = 0.0, enu_m = [0.0, 0.0] },
  { at_s = 60.0, enu_m = [60.0, 30.0] },
]
[actor.cot]
uid = "UID-BRAVO"
callsign = "Bravo"
period_s = 5.0
"""

DRONE = """
[[actor]]
id = "{id}"
kind = "multirotor"
path = [
  {{ at_s = 2.0, enu_m = [1500.0, 800.0], agl_m = 60.0 }},
  {{ at_s = 60.0, enu_m = [700.0, 300.0], agl_m = 40.0 }},
]
[actor.remote_id]
serial = "1581FTEST{id}"
mac = "60:60:1f:aa:bb:cc"
transport = "{transport}"
rate_hz = 2.0
[actor.remote_id.operator]
id = "USA-OP-1"
enu_m = [1600.0, 900.0]
"""


def text(transport: str = "wifi-beacon", terrain: str = "rolling-desert", *extra: str) -> str:
    """A patrol and a drone of one transport, with more actors behind them."""
    drone = DRONE.format(id="alpha", transport=transport)
    return HEAD.format(terrain=terrain) + PATROL + drone + "".join(extra)


@pytest.fixture(scope="session")
def scenario_text():
    """`text` as a fixture, so that test modules need no import path to this file."""
    return text


@pytest.fixture(scope="session")
def drone_text():
    """One more drone: ``drone_text(id, transport)``."""

    def make(name: str, transport: str = "wifi-beacon") -> str:
        return DRONE.format(id=name, transport=transport)

    return make
