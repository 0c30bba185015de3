"""Air: wind comes from where it is said to, gusts have their size, birds are carried, pilots hold a track."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.errors import ConfigError
from vedette.simulate.parse import parse_scenario
from vedette.simulate.plane import compass, direction, leaning, shortened, tangent, turned, unit_at
from vedette.simulate.weather import CALM, GUST_S, Gusts, Weather
from vedette.simulate.world import World, truth

Text = Callable[..., str]

WIND = "\n[scenario.weather]\nwind_mps = {wind}\nwind_from_deg = {bearing}\ngust_mps = {gust}\n"
BIRD = """
[[actor]]
id = "gull"
kind = "bird"
[actor.behaviour]
type = "commute"
at_s = 0.0
enu_m = [0.0, 0.0]
agl_m = 50.0
heading_deg = 90.0
airspeed_mps = 16.0
wander_deg = 0.0
"""
DRONE = """
[[actor]]
id = "drone"
kind = "{kind}"
[actor.behaviour]
type = "transit"
at_s = 0.0
enu_m = [0.0, 0.0]
agl_m = 60.0
to = {{ enu_m = [{east}, {north}] }}
speed_mps = {speed}
"""


def _text(scenario_text: Text, extra: str, wind: float, bearing: float = 270.0, gust: float = 0.0) -> str:
    air = WIND.format(wind=wind, bearing=bearing, gust=gust)
    text = scenario_text("wifi-beacon", "flat")
    text = text.split('[[actor]]\nid = "alpha"')[0] + extra if extra else text
    return text.replace("\n[scenario.site]", air + "\n[scenario.site]")


@given(st.floats(-3.0, 3.0))
def test_own_trigonometry_is_that_of_the_library(turns: float) -> None:
    cosine, sine = unit_at(turns)
    assert cosine == pytest.approx(math.cos(2 * math.pi * turns), abs=1e-12)
    assert sine == pytest.approx(math.sin(2 * math.pi * turns), abs=1e-12)
    assert tangent(20.0) == pytest.approx(math.tan(math.radians(20.0)))


def test_plane_vectors() -> None:
    assert compass(90.0) == pytest.approx((1.0, 0.0))
    assert turned((1.0, 0.0), unit_at(0.25)) == pytest.approx((0.0, 1.0))
    assert turned((1.0, 0.0), leaning(1.0)) == pytest.approx((math.sqrt(0.5), math.sqrt(0.5)))
    assert direction((0.0, 0.0), (1.0, 0.0)) == (1.0, 0.0)
    assert shortened((3.0, 4.0), 10.0) == (3.0, 4.0)
    assert shortened((3.0, 4.0), 2.5) == pytest.approx((1.5, 2.0))


def test_wind_comes_from_where_it_is_said_to() -> None:
    assert Weather(wind_mps=10.0, wind_from_deg=270.0).wind == pytest.approx((10.0, 0.0))
    assert Weather(wind_mps=10.0, wind_from_deg=0.0).wind == pytest.approx((0.0, -10.0))
    assert CALM.wind == (0.0, 0.0)


def test_gusts_have_their_size_and_last_as_long_as_said() -> None:
    gusts = Gusts(3, ("a", "b"), 2.0, 0.1)
    steps = np.array([gusts.step()[:, 0] for _ in range(60_000)])[500:]
    assert np.std(steps) == pytest.approx(2.0, rel=0.12)
    lag = round(GUST_S / 0.1)
    kept = np.mean(steps[:-lag] * steps[lag:]) / np.mean(steps * steps)
    assert kept == pytest.approx(math.exp(-1.0), abs=0.12)
    assert not Gusts(3, ("a",), 0.0, 0.1).step().any()


def test_a_gust_is_the_flier_s_own() -> None:
    alone, both = Gusts(3, ("a",), 1.0, 0.1), Gusts(3, ("b", "a"), 1.0, 0.1)
    for _ in range(200):
        assert (alone.step()[:, 0] == both.step()[:, 1]).all()


def test_a_bird_passes_over_the_ground_at_41_mps(scenario_text: Text) -> None:
    """An airspeed of 16 m/s in a wind of 25 m/s: no attack drone, for all its speed."""
    scenario = parse_scenario(_text(scenario_text, BIRD, 25.0))
    rows = [row for row in truth(scenario, 0.0) if row.id == "gull"]
    paces = [math.dist(a.enu_m[:2], b.enu_m[:2]) for a, b in pairwise(rows)]
    assert sum(paces) / len(paces) == pytest.approx(41.0, abs=1.5)
    assert rows[-1].enu_m[0] > 2300.0


def test_a_pilot_gives_up_speed_before_track(scenario_text: Text) -> None:
    """20 m/s against a wind of 12 from ahead and aside: 21 m/s of airspeed leave less, on the same line."""
    head_wind = DRONE.format(kind="multirotor", east=-2000.0, north=0.0, speed=20.0)
    scenario = parse_scenario(_text(scenario_text, head_wind, 12.0, bearing=300.0))
    world = World(scenario)
    index = world.index_of("drone")
    for _ in range(300):
        world.advance()
    state = world.at(index, world.time_s)
    assert abs(state.enu_m[1]) < 15.0
    expected = -12.0 * math.cos(math.radians(30.0)) + math.sqrt(21.0**2 - 6.0**2)
    assert -state.velocity_mps[0] == pytest.approx(expected, abs=1.0)


def test_gusts_never_push_a_body_beyond_its_strength(scenario_text: Text) -> None:
    drone = DRONE.format(kind="multirotor", east=900.0, north=900.0, speed=18.0)
    world = World(parse_scenario(_text(scenario_text, drone, 9.0, gust=3.0)))
    index = world.index_of("drone")
    before = world.at(index, 0.0)
    for _ in range(500):
        world.advance()
        after = world.at(index, world.time_s)
        assert math.dist(after.velocity_mps[:2], before.velocity_mps[:2]) <= 0.6 + 1e-9
        before = after


@pytest.mark.parametrize("kind", ["multirotor", "hexacopter"])
def test_who_makes_no_way_is_told(scenario_text: Text, kind: str) -> None:
    drone = DRONE.format(kind=kind, east=900.0, north=0.0, speed=10.0)
    with pytest.raises(ConfigError, match=rf"actor\[1\]\.behaviour: a {kind} .* makes no way"):
        parse_scenario(_text(scenario_text, drone, 20.0), "windy.toml")


def test_who_cannot_hover_in_the_wind_is_told(scenario_text: Text) -> None:
    drone = (
        '[[actor]]\nid = "d"\nkind = "multirotor"\npath = [{ at_s = 0.0, enu_m = [0.0, 0.0], agl_m = 9.0 }]\n'
    )
    parse_scenario(_text(scenario_text, drone, 15.0))
    with pytest.raises(ConfigError, match=r"actor\[1\]\.path\[0\]: 0.0 m/s over the ground, 22.0 m/s thr"):
        parse_scenario(_text(scenario_text, drone, 22.0))


def test_a_path_against_the_wind_is_measured_in_air(scenario_text: Text) -> None:
    """The test drone flies 16 m/s to the south-west; 12 m/s from there are more than a multirotor has."""
    with pytest.raises(
        ConfigError, match=r"actor\[1\]\.path\[1\]: 16\.\d m/s over the ground, 2\d\.\d m/s thr"
    ):
        parse_scenario(_text(scenario_text, "", 12.0, bearing=240.0), "windy.toml")
    parse_scenario(_text(scenario_text, "", 12.0, bearing=60.0), "windy.toml")
