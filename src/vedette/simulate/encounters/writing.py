"""Many encounters in one folder of the interchange form, one after another with a long pause between.

The form is that of the shared threat bench: `site.json`, `sensors.json`, `detections.jsonl`, `units.jsonl`
and the answers in `labels.jsonl`, so that whatever reads the one reads the other.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from typing import BinaryIO

import msgspec
from msgspec import structs

from vedette.model import Detection, SensorProfile, UnitReport
from vedette.model.errors import ConfigError
from vedette.model.lines import dump_line
from vedette.simulate.encounters.equipment import broadcasting
from vedette.simulate.encounters.feed import profile, reports, scans, unit_reports
from vedette.simulate.encounters.scenes import SITE, Encounter, encounter
from vedette.simulate.scenario import Scenario
from vedette.simulate.sensing.detections import inputs
from vedette.simulate.sensing.mixes import mix as sensors_of_mix
from vedette.simulate.sensing.profiles import planned_profiles

REMOTE_ID = "remote-id-receiver"
"""A mix of these alone is shown drones that all transmit."""
OpenFile = Callable[[str], AbstractContextManager[BinaryIO]]

START = 1_767_225_600.0
"""2026-01-01, when the first encounter's flier enters, unless the caller says otherwise."""
PAUSE_S = 600.0
"""From the end of one to the entry of the next: longer than any track lives."""


def write(
    collection: str,
    first: int,
    count: int,
    open_file: OpenFile,
    *,
    start_time: float = START,
    mix: str | None = None,
    done: Callable[[int], None] = lambda number: None,
) -> dict[str, int]:
    """Write ``count`` encounters from ``first`` on; returns the lines of each file. They are seen by the
    tracker-feed, or by the sensors of a ``mix`` round the site, described as they stand on the ground of the
    first encounter. ``done`` is told how many are written. Raises ConfigError for a collection, count or mix
    that there is not."""
    if first < 0 or count < 1:
        raise ConfigError(f"{count} encounters from {first} on: write at least one, from 0 or later on")
    counts = {"detections.jsonl": 0, "units.jsonl": 0, "labels.jsonl": 0}
    enters, scan = start_time, 0
    profiles: tuple[SensorProfile, ...] = ()
    with ExitStack() as stack:
        files = {name: stack.enter_context(open_file(name)) for name in counts}
        for number in range(count):
            found = encounter(collection, first + number)
            begins = enters - found.label.t0
            profiles = profiles or _profiles(found, mix)
            seen, said = _said(found, begins, scan, mix)
            lines = {
                "detections.jsonl": [dump_line(row) for row in seen],
                "units.jsonl": [dump_line(row) for row in said],
                "labels.jsonl": [dump_line(found.label.at(begins))],
            }
            for name, rows in lines.items():
                files[name].writelines(rows)
                counts[name] += len(rows)
            scan += scans(found)
            enters = begins + found.label.t1 + PAUSE_S
            done(number + 1)
    for name, content in (("site.json", SITE), ("sensors.json", profiles)):
        with open_file(name) as file:
            file.write(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
    return counts


def _said(
    found: Encounter, begins: float, scan: int, mix: str | None
) -> tuple[Iterable[Detection], Iterable[UnitReport]]:
    if mix is None:
        return reports(found, begins, scan), unit_reports(found, begins)
    everything = list(inputs(_watched(found, mix), begins))
    return (
        (one for one in everything if isinstance(one, Detection)),
        (one for one in everything if isinstance(one, UnitReport)),
    )


def _profiles(found: Encounter, mix: str | None) -> tuple[SensorProfile, ...]:
    return (profile(),) if mix is None else planned_profiles(_watched(found, mix))


def _watched(found: Encounter, mix: str) -> Scenario:
    sensors = sensors_of_mix(mix, (0.0, 0.0))
    actors = found.scenario.actors
    if {sensor.model for sensor in sensors} == {REMOTE_ID}:
        actors = tuple(broadcasting(actor, found.scenario.head.seed) for actor in actors)
    return structs.replace(found.scenario, sensors=sensors, actors=actors)
