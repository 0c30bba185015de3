"""Scenario files are read strictly, and every refusal says where and why."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.errors import ConfigError
from vedette.simulate.parse import parse_scenario
from vedette.simulate.scenario import Scenario

Text = Callable[..., str]


def _line(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def test_a_good_scenario_is_read(scenario_text: Text) -> None:
    scenario = parse_scenario(scenario_text(), "good.toml")
    assert scenario == parse_scenario(scenario_text().encode(), "good.toml")
    assert [actor.id for actor in scenario.actors] == ["bravo", "alpha"]
    assert scenario.actors[1].remote_id is not None
    assert scenario.actors[1].remote_id.rate_hz == 2.0
    assert scenario.head.seed == 7
    assert scenario.receivers[0].near_share == 1.0


@pytest.mark.parametrize(
    ("old", "new", "field", "why"),
    [
        ('kind = "multirotor"', 'kind = "zeppelin"', "actor[1].kind", "zeppelin"),
        ("rate_hz = 2.0", "rate_hz = 200.0", "actor[1].remote_id.rate_hz", "<= 20"),
        ("rate_hz = 2.0", "rate_hz = nan", "actor[1].remote_id.rate_hz", "finite"),
        ("period_s = 5.0", "period_s = inf", "actor[0].cot.period_s", "finite"),
        ("rate_hz = 2.0", "ratehz = 2.0", "actor[1].remote_id.ratehz", "unknown field"),
        ("seed = 7", 'seed = "seven"', "scenario.seed", "int"),
        ("lat_deg = 31.45", "lat_deg = 131.45", "scenario.site.lat_deg", "<= 90"),
        ('mac = "60:60:1f:aa:bb:cc"', 'mac = "60-60"', "actor[1].remote_id.mac", "regex"),
        ("at_s = 60.0, enu_m = [700.0, 300.0]", "at_s = 1.0, enu_m = [700.0, 300.0]",
         "actor[1].path[1].at_s", "follow each other"),
        ("at_s = 60.0, enu_m = [700.0, 300.0]", "at_s = 12.0, enu_m = [700.0, 300.0]",
         "actor[1].path[1]", "94.3 m/s is more than a multirotor can do"),
        ("enu_m = [1500.0, 800.0]", "lat_deg = 31.25", "actor[1].path[0]", "together"),
        ("enu_m = [1500.0, 800.0]", "enu_m = [1.0, 2.0], lat_deg = 31.4, lon_deg = -110.9",
         "actor[1].path[0]", "either"),
        ('id = "alpha"', 'id = "bravo"  # second', "actor[1].id", "already used"),
        ('id = "mast"', 'id = "../mast"', "receiver[0].id", "regex"),
        ('kind = "patrol"', 'kind = "bird"', "actor[0].cot", "no unit"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_with_its_line(
    scenario_text: Text, old: str, new: str, field: str, why: str
) -> None:
    text = scenario_text().replace(old, new, 1)
    assert new in text
    with pytest.raises(ConfigError) as caught:
        parse_scenario(text, "bad.toml")
    message = str(caught.value)
    assert message.startswith(f"bad.toml, line {_line(text, _anchor(field, new))}: {field}: ")
    assert why in message


def _anchor(field: str, new: str) -> str:
    """What stands on the line that the message should name."""
    if field == "actor[1].id":
        return 'id = "bravo"  # second'
    return "[actor.cot]" if field.endswith(".cot") else new


def test_a_missing_field_is_named(scenario_text: Text) -> None:
    with pytest.raises(ConfigError, match=r"scenario: .*seed"):
        parse_scenario(scenario_text().replace("seed = 7\n", ""), "bad.toml")


def test_broken_toml_names_the_line(scenario_text: Text) -> None:
    with pytest.raises(ConfigError, match=r"bad\.toml: not valid TOML: .*line 5"):
        parse_scenario(scenario_text().replace("duration_s = 60.0", "duration_s = = 60"), "bad.toml")


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(ConfigError, match="not UTF-8 at byte 1"):
        parse_scenario(b"a\xff", "bad.toml")


@pytest.mark.parametrize("datum", ["egm96", "agl", "barometric"])
def test_heights_that_cannot_be_transmitted_are_refused(scenario_text: Text, datum: str) -> None:
    with pytest.raises(ConfigError, match=r"scenario\.site: .*wgs84-ellipsoid"):
        parse_scenario(scenario_text().replace("wgs84-ellipsoid", datum), "bad.toml")


def test_a_geoid_height_makes_egm96_usable(scenario_text: Text) -> None:
    text = scenario_text().replace(
        'alt_datum = "wgs84-ellipsoid"', 'alt_datum = "egm96"\ngeoid_height_m = -29.0'
    )
    assert parse_scenario(text).head.site.geoid_height_m == -29.0


RUN = '[actor.run_at]\ntarget = "{target}"\nat_s = {at_s}\nspeed_mps = {speed}\n'


@pytest.mark.parametrize(
    ("target", "at_s", "speed", "why"),
    [
        ("nobody", 20.0, 15.0, "no other actor"),
        ("alpha", 20.0, 15.0, "no other actor"),
        ("bravo", 1.0, 15.0, "before the actor's first waypoint"),
        ("bravo", 20.0, 35.0, "more than a multirotor can do"),
    ],
)
def test_an_impossible_run_is_refused(
    scenario_text: Text, target: str, at_s: float, speed: float, why: str
) -> None:
    with pytest.raises(ConfigError, match=why):
        parse_scenario(scenario_text() + RUN.format(target=target, at_s=at_s, speed=speed))


@given(st.text(max_size=200))
def test_any_text_without_a_site_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^scenario"):
        parse_scenario(text)


def test_no_part_of_a_scenario_takes_unknown_fields() -> None:
    structs = _structs(msgspec.inspect.type_info(Scenario), {})
    assert len(structs) > 8
    assert [kind for kind, strict in structs.items() if not strict] == []


def _structs(found: Any, seen: dict[type, bool]) -> dict[type, bool]:
    """Every struct that can stand in a document, and whether it refuses what it does not know."""
    if isinstance(found, msgspec.inspect.StructType):
        if found.cls not in seen:
            seen[found.cls] = found.forbid_unknown_fields
            for field in found.fields:
                _structs(field.type, seen)
        return seen
    inner = [getattr(found, name) for name in ("item_type", "type") if hasattr(found, name)]
    for part in (*inner, *getattr(found, "types", ()), *getattr(found, "item_types", ())):
        _structs(part, seen)
    return seen
