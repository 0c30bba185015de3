"""docs/scenarios.md: its example runs, and its tables are those of the code."""

import math
import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from vedette.model.errors import ConfigError
from vedette.simulate import builtin_names, emissions, parse_scenario, truth
from vedette.simulate.behaviours.plans import Behaviour
from vedette.simulate.kinds import ENVELOPES

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "scenarios.md").read_text("utf-8")
EXAMPLE = GUIDE.split("```toml\n")[1].split("```")[0]


def test_the_example_runs_as_told() -> None:
    scenario = parse_scenario(EXAMPLE, "docs/scenarios.md")
    found = list(emissions(scenario, 1_800_000_000.0))
    assert len([e for e in found if e.channel == "cot"]) == 24
    assert len([e for e in found if e.channel == "remote-id"]) > 200
    rows = list(truth(scenario, 0.0, 0.1))
    last = [row for row in rows if row.id == "runner"][-1]
    (target,) = (row for row in rows if row.id == "bravo" and row.time == last.time)
    assert math.dist(last.enu_m, target.enu_m) < 8.0
    assert 85.0 < last.time < 95.0


def test_the_example_is_read_strictly() -> None:
    with pytest.raises(ConfigError, match=r"docs/scenarios\.md, line 5: scenario\.duration"):
        parse_scenario(EXAMPLE.replace("duration_s = 120.0", "duration = 120.0"), "docs/scenarios.md")


def test_built_in_scenarios_are_all_told() -> None:
    table = GUIDE.split("Three scenarios are built in")[1].split("## ")[0]
    assert sorted(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)) == list(builtin_names())


def test_the_table_of_behaviours_is_that_of_the_code() -> None:
    table = GUIDE.split("### `[actor.behaviour]`")[1].split("### ")[0]
    told = dict(re.findall(r"^\| `([a-z-]+)` \|.*\| (.*) \|$", table, re.MULTILINE))
    plans = {plan.__struct_config__.tag: plan for plan in get_args(Behaviour)}
    assert told.keys() - {"type"} == plans.keys()
    for name, plan in plans.items():
        fields = {field.name: field for field in msgspec.structs.fields(plan)}
        for field, default in re.findall(r"`([a-z_]+)`(?: \(([\d.]+)\))?", told[name]):
            if field not in fields:
                assert field in {"direct-run", "hover-watch", "camera", "freestyle"} or not default
            elif default:
                assert float(default) == fields[field].default, (name, field)


def test_the_examples_in_the_folder_are_all_told() -> None:
    table = GUIDE.split("lie in the folder `scenarios/`:")[1].split("## ")[0]
    files = (Path(__file__).resolve().parents[2] / "scenarios").glob("*.toml")
    told = re.findall(r"^\| `([a-z-]+\.toml)` \|", table, re.MULTILINE)
    assert sorted(told) == sorted(file.name for file in files)


def test_the_table_of_kinds_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| ([\d.]+)(?: m/s)? \| ([\d.]+)(?: m/s²)? \|$", GUIDE, re.MULTILINE)
    told = {kind: (float(speed), float(acceleration)) for kind, speed, acceleration in rows}
    assert told == {kind: (e.speed_mps, e.acceleration_mps2) for kind, e in ENVELOPES.items()}
