"""docs/sensors-simulated.md: its example runs, and its tables are those of the code."""

import re
from pathlib import Path

import pytest

from vedette.cli import live
from vedette.model.errors import ConfigError
from vedette.simulate import MIXES, detections, parse_scenario
from vedette.simulate.sensing.catalogue import catalogue
from vedette.simulate.sensing.plan import Faults, Sensor

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "sensors-simulated.md").read_text("utf-8")
EXAMPLE = GUIDE.split("```toml\n")[1].split("```")[0]


def _first_column(after: str) -> set[str]:
    table = GUIDE.split(after)[1].split("\n\n")[0]
    return {name for row in table.splitlines() for name in re.findall(r"`([a-z0-9_-]+)`", row.split("|")[1])}


def test_the_example_runs_as_told() -> None:
    scenario = parse_scenario(EXAMPLE, "docs/sensors-simulated.md")
    found = list(detections(scenario, 1_800_000_000.0))
    assert {detection.sensor for detection in found} >= {"radar", "panel"}
    heard = [detection for detection in found if detection.sensor == "df"]
    assert len(heard) < 30, "false bearings and a hot spot only"


def test_the_example_is_read_strictly() -> None:
    wrong = EXAMPLE.replace("azimuth_bias_deg", "azimut_bias_deg")
    with pytest.raises(ConfigError, match=r"line \d+: sensor\[2\]\.faults\.azimut_bias_deg"):
        parse_scenario(wrong, "docs/sensors-simulated.md")


def test_the_tables_are_those_of_the_code() -> None:
    assert _first_column("| model | what it is | reports |\n|---|---|---|\n") == set(catalogue().models)
    faults = _first_column("| field of `[sensor.faults]` | what goes wrong |\n|---|---|\n")
    assert faults == set(Faults.__struct_fields__)
    fields = _first_column("| field of `[[sensor]]` | meaning |\n|---|---|\n")
    assert fields <= {*Sensor.__struct_fields__}
    assert {"id", "model", "agl_m", "facing_deg", "override"} <= fields


def test_names_of_mixes_and_lines_are_those_of_the_code() -> None:
    told = GUIDE.split("Sets of sensors for a post have names")[1].split("## ")[0]
    assert set(re.findall(r"`([a-z0-9-]+)`", told)) == set(MIXES)
    lines = GUIDE.split("(lines: ")[1].split(")")[0]
    assert set(re.findall(r"`([a-z-]+)`", lines)) == set(live.DEFAULTS)
