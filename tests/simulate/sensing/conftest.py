"""Scenes for simulated sensors: one flier on a straight way, and whatever a test adds."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from vedette.simulate import Scenario, parse_scenario
from vedette.simulate.sensing.plan import Sensor

HEAD = """
[scenario]
name = "scene"
seed = {seed}
duration_s = {duration_s}
terrain = "{terrain}"

[scenario.site]
name = "Test site"
lat_deg = 31.45
lon_deg = -110.9
alt_m = 1150.0
alt_datum = "wgs84-ellipsoid"
"""

FLIER = """
[[actor]]
id = "{id}"
kind = "{kind}"
signature = "{signature}"
path = [
  {{ at_s = 0.0, enu_m = [{from_e}, {from_n}], agl_m = {agl_m} }},
  {{ at_s = {duration_s}, enu_m = [{to_e}, {to_n}], agl_m = {agl_m} }},
]
"""

PATROL = """
[[actor]]
id = "bravo"
kind = "patrol"
path = [ { at_s = 0.0, enu_m = [0.0, 0.0] }, { at_s = 40.0, enu_m = [40.0, 30.0] } ]
[actor.cot]
uid = "UID-BRAVO"
callsign = "Bravo"
"""


def flier_text(**changed: Any) -> str:
    """One ``[[actor]]`` that flies straight."""
    usual = {
        "id": "alpha", "kind": "fpv", "signature": "fpv", "from_e": 900.0, "from_n": 700.0, "to_e": 100.0,
        "to_n": -300.0, "agl_m": 60.0, "duration_s": 120.0,
    }  # fmt: skip
    return FLIER.format(**(usual | changed))


@pytest.fixture
def flier() -> Callable[..., str]:
    """``flier(id=..., kind=..., signature=..., ...)``: the text of one actor."""
    return flier_text


@pytest.fixture
def patrol() -> str:
    """The text of a unit that reports by phone."""
    return PATROL


Scene = Callable[..., Scenario]


@pytest.fixture
def scene() -> Scene:
    """``scene(sensors, text=..., seed=..., duration_s=..., terrain=...)``: a scenario with these sensors."""

    def build(
        sensors: tuple[Sensor, ...] = (),
        text: str | None = None,
        *,
        seed: int = 5,
        duration_s: float = 120.0,
        terrain: str = "flat",
    ) -> Scenario:
        head = HEAD.format(seed=seed, duration_s=duration_s, terrain=terrain)
        described = parse_scenario(head + (flier_text(duration_s=duration_s) if text is None else text))
        return structs.replace(described, sensors=sensors)

    return build
