#!/usr/bin/env python3
"""What the shipped risk model makes of a folder of encounters, as it is and with mis-stated figures.

`model_checks.py FOLDER [--model FILE]`. FOLDER holds features.npz and labels.jsonl (docs/threat-model.md).
The bars are those that 0.5, 2 and 5 false alerts an hour come to in the folder as it is; then nobody knows
what flies, everything is called a bird, all speeds are told 30 % too low, or too high. One JSON object a
line: for each bar the share of attacks missed, lead p10 and p50 (s), and false alerts an hour.
"""

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from vedette.assess.features import NAMES
from vedette.evaluate.fitting import measure
from vedette.evaluate.fitting.encounters import Encounters, read
from vedette.evaluate.fitting.fit import odds_of
from vedette.evaluate.fitting.model_file import risk_of
from vedette.evaluate.fitting.nameless import NEUTRAL

BIRD = {"log_bird": math.log(0.7), "log_fpv": math.log(0.05), "log_multirotor": math.log(0.1)}
SPEEDS = (
    "speed_mps", "closing_mps", "closing_10s", "closing_30s", "closing_jump_10s", "closing_gain_mps2",
    "speed_gain_mps2", "speed_jump_30s", "climb_mps", "rel_speed_mps",
)  # fmt: skip
FAR = (0.5, 2.0, 5.0)


def told(encounters: Encounters, values: dict[str, float]) -> Encounters:
    """The same with some features set throughout."""
    columns = encounters.columns.copy()
    for name, value in values.items():
        columns[:, encounters.names.index(name)] = value
    return encounters._replace(columns=columns)


def faster(encounters: Encounters, factor: float) -> Encounters:
    """The same with all speeds told wrongly."""
    columns = encounters.columns.copy()
    for name in SPEEDS:
        columns[:, encounters.names.index(name)] *= factor
    arrives = encounters.names.index("p50_s")
    columns[:, arrives] = np.minimum(columns[:, arrives] / factor, 600.0)
    return encounters._replace(columns=columns)


def main() -> None:
    """Read, vary, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, default=Path("src/vedette/assess/model.json"))
    arguments = parser.parse_args()
    encounters = read(arguments.folder)
    model = risk_of(json.loads(arguments.model.read_bytes()), NAMES)
    bars = {far: measure.bar(encounters, odds_of(model, encounters), far) for far in FAR}
    varied = {
        "as it is": encounters,
        "nobody knows what flies": told(encounters, NEUTRAL),
        "all called birds (70 %)": told(encounters, BIRD),
        "speeds 30 % too low": faster(encounters, 0.7),
        "speeds 30 % too high": faster(encounters, 1.3),
    }
    for what, rows in varied.items():
        odds = odds_of(model, rows)
        found: dict[str, Any] = {"what": what}
        for far, bar in bars.items():
            one = measure.warned(rows, odds, bar)
            found[f"far {far}"] = [one.missed, one.lead_p10_s, one.lead_p50_s, one.false_per_hour]
        print(json.dumps(found))


if __name__ == "__main__":
    main()
