"""Encounters: a function of collection and number, with answers measured in the world itself."""

import hashlib
import io
import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np
import pytest

from vedette.geo import LocalFrame
from vedette.model import Detection, SensorProfile, Site, UnitReport
from vedette.model.errors import ConfigError
from vedette.model.lines import LineReader
from vedette.model.strict import decode_json
from vedette.simulate.encounters import COLLECTIONS, Encounter, Setting, encounter, write
from vedette.simulate.encounters import benign as benign_families
from vedette.simulate.encounters import hostile as hostile_families
from vedette.simulate.encounters.feed import CLASSES, HORIZONTAL_M, VERTICAL_M, reports
from vedette.simulate.encounters.people import UNITS
from vedette.simulate.encounters.ranges import RANGES
from vedette.simulate.encounters.scenes import SITE, _place_in_block
from vedette.simulate.scenario import Dem
from vedette.simulate.sensing.catalogue import signature_of
from vedette.simulate.world import truth

BENCH_BENIGN = {"transit", "orbit", "bird", "hobby", "surveillance", "aircraft"}
"""The kinds of harmless scenes that the shared bench can count."""
MANY = 35


@pytest.fixture(scope="module")
def training() -> list[Encounter]:
    return [encounter("training", number) for number in range(MANY)]


@pytest.fixture(scope="module")
def grading() -> list[Encounter]:
    return [encounter("grading", number) for number in range(MANY)]


def test_collection_and_number_alone_decide(training: list[Encounter]) -> None:
    again = encounter("training", 5)
    assert again == training[5]
    assert again.flight == training[5].flight
    assert encounter("calibration", 5).scenario != again.scenario


PINNED = "1cecc444"
"""Of the flight of the first three encounters, to the bit: the same bytes on every machine, tomorrow too."""


def test_flights_are_pinned(training: list[Encounter]) -> None:
    digest = hashlib.blake2b(digest_size=4)
    for found in training[:3]:
        for states in found.flight.states:
            for name, state in states.items():
                digest.update(name.encode())
                digest.update(np.array([*state.enu_m, *state.velocity_mps], "<f8").tobytes())
    assert digest.hexdigest() == PINNED


def test_two_of_seven_are_attacks_and_all_families_have_their_turn() -> None:
    for collection in COLLECTIONS:
        places = [_place_in_block(collection, number) for number in range(700)]
        assert sum(attack for attack, _ in places) == 200
        for sort in (True, False):
            assert sorted(rank for attack, rank in places if attack == sort) == list(
                range(200 if sort else 500)
            )


def test_training_never_sees_what_grading_holds(training: list[Encounter], grading: list[Encounter]) -> None:
    seen = {(e.label.behaviour, e.label.kind) for e in training}
    graded = {(e.label.behaviour, e.label.kind) for e in grading}
    held = {"masked-approach", "decoy", "probe-then-attack", "swarm"}
    assert not held & {behaviour for behaviour, _ in seen}
    assert held <= {behaviour for behaviour, _ in graded}
    assert ("bird", "flock") in graded - seen
    assert not {e.scenario.head.seed for e in training} & {e.scenario.head.seed for e in grading}


def test_grading_reaches_beyond_training_in_every_figure() -> None:
    for name, (trained, graded) in RANGES.items():
        assert trained[0] < trained[1], name
        assert graded[0] <= trained[0], name
        assert graded[1] >= trained[1], name
        assert trained != graded, name


def test_labels_tell_what_happened(training: list[Encounter], grading: list[Encounter]) -> None:
    for found in training + grading:
        label = found.label
        assert label.t0 < label.t1 <= found.scenario.head.duration_s
        if not label.hostile:
            assert label.behaviour in BENCH_BENIGN
            assert label.impact_time is msgspec.UNSET
            assert (label.target is not msgspec.UNSET) == (label.behaviour == "surveillance")
            continue
        assert label.target in UNITS
        assert isinstance(label.impact_time, float)
        assert isinstance(label.onset_time, float)
        assert label.t0 <= label.onset_time < label.impact_time
        assert 0.0 <= label.impact_time - label.t1 < 1.2


def test_at_impact_somebody_is_at_the_target(training: list[Encounter], grading: list[Encounter]) -> None:
    for found in training + grading:
        label = found.label
        if not label.hostile:
            continue
        assert isinstance(label.impact_time, float)
        last = found.flight.states[-1]
        target = last[str(label.target)]
        reach = [
            math.dist(state.enu_m[:2], target.enu_m[:2])
            - (label.impact_time - label.t1) * math.dist(state.velocity_mps[:2], target.velocity_mps[:2])
            for name, state in last.items()
            if name not in UNITS
        ]
        assert min(reach) < 10.0, label


def test_the_flight_is_that_of_the_scenario(training: list[Encounter]) -> None:
    found = training[3]
    rows = {(row.time, row.id): row.enu_m for row in truth(found.scenario, 0.0)}
    for time, states in zip(found.flight.times_s, found.flight.states, strict=True):
        for name, state in states.items():
            assert rows[time, name] == state.enu_m


def test_a_watcher_watches_the_one_who_is_named(training: list[Encounter]) -> None:
    watched = [e for e in training if e.label.behaviour == "surveillance"]
    assert len(watched) >= 4
    for found in watched:
        onset = found.label.onset_time
        assert isinstance(onset, float)
        for time, states in zip(found.flight.times_s, found.flight.states, strict=True):
            if onset + 20.0 < time < onset + 30.0:
                gap = math.dist(states["flier"].enu_m[:2], states[str(found.label.target)].enu_m[:2])
                assert 60.0 < gap < 560.0


def test_some_units_march_and_some_are_driven(training: list[Encounter]) -> None:
    paces = Counter()
    for found in training:
        kinds = Counter(a.kind for a in found.scenario.actors if a.id in UNITS)
        start, later = found.flight.states[0], found.flight.states[10]
        moved = [math.dist(start[u].enu_m[:2], later[u].enu_m[:2]) / 10.0 for u in UNITS]
        paces["convoy" if kinds["vehicle"] else "patrol" if max(moved) > 1.0 else "posts"] += 1
        assert sum(kinds.values()) == 6
        if kinds["vehicle"]:
            assert all(6.0 < pace < 17.0 for pace in moved[:3])
        assert max(moved[3:]) < 0.5
    assert min(paces.values()) >= 2
    assert len(paces) == 3


def test_own_drones_claim_to_be_own() -> None:
    numbers = [n for n in range(80) if not _place_in_block("training", n)[0]]
    orbits = [n for n in numbers if _place_in_block("training", n)[1] % 6 == 1]
    own = [e for e in (encounter("training", n) for n in orbits) if e.label.kind == "own-drone"]
    assert own
    for found in own:
        assert [actor.own for actor in found.scenario.actors if actor.id == "flier"] == [True]
        claims = {r.claim.id for r in reports(found, 0.0) if r.claim is not None}
        assert len(claims) == 1


def test_some_drones_say_who_they_are_and_most_attackers_do_not(
    training: list[Encounter], grading: list[Encounter]
) -> None:
    sends: dict[bool, list[bool]] = {True: [], False: []}
    for found in training + grading:
        for actor in found.scenario.actors:
            if actor.id not in UNITS and actor.kind not in ("bird", "helicopter", "aircraft"):
                sends[found.label.hostile].append(actor.remote_id is not None)
    assert 0.25 < np.mean(sends[False]) < 0.75
    assert np.mean(sends[True]) < 0.2


def test_half_of_the_attackers_emit_nothing(training: list[Encounter], grading: list[Encounter]) -> None:
    emits: dict[bool, list[bool]] = {True: [], False: []}
    for found in training + grading:
        for actor in found.scenario.actors:
            if actor.kind in ("fpv", "multirotor", "fixed-wing"):
                signature = signature_of(actor.signature or actor.kind)
                assert signature is not None
                emits[found.label.hostile].append(signature.rf_dbm is not None)
    assert 0.3 < np.mean(emits[True]) < 0.75
    assert all(emits[False])


def test_the_feed_has_the_errors_that_its_profile_says(training: list[Encounter]) -> None:
    frame = LocalFrame(SITE.lat_deg, SITE.lon_deg, SITE.alt_m)
    errors, seen, scans = [], 0, 0
    for found in training:
        if len(set(found.flight.states[-1]) - set(UNITS)) != 1:
            continue
        states = dict(zip(found.flight.times_s, found.flight.states, strict=True))
        for row in reports(found, 1000.0):
            scans += 1
            if row.measure.__class__.__name__ == "EmptyScan":
                continue
            seen += 1
            measure = msgspec.to_builtins(row.measure)
            place = frame.to_enu(measure["lat_deg"], measure["lon_deg"], measure["alt_m"])
            errors.append(np.subtract(place, states[row.time - 1000.0]["flier"].enu_m))
    assert np.std(errors, axis=0) == pytest.approx([HORIZONTAL_M, HORIZONTAL_M, VERTICAL_M], rel=0.06)
    assert seen / scans == pytest.approx(0.95, abs=0.01)


def test_the_classifier_is_weakly_right_and_leans_for_a_whole_flight(training: list[Encounter]) -> None:
    right, within, between = [], [], []
    for found in training:
        rows = [r.beliefs for r in reports(found, 0.0) if r.beliefs is not None]
        table = np.array([[row[name] for name in CLASSES] for row in rows])
        assert table.sum(axis=1) == pytest.approx(1.0, abs=0.01)
        kind = next(a.kind for a in found.scenario.actors if a.id not in UNITS)
        name = {"hexacopter": "multirotor", "helicopter": "aircraft"}.get(kind, kind)
        share = table[:, CLASSES.index(name)]  # type: ignore[arg-type]
        right.append(share.mean())
        within.append(share.std())
        between.append(share.mean())
    assert 0.45 < np.mean(right) < 0.72
    assert np.std(between) > np.mean(within)


class _Folder:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        file = io.BytesIO()
        yield file
        self.files[name] = file.getvalue()


@pytest.fixture(scope="module")
def written() -> dict[str, bytes]:
    folder, told = _Folder(), []
    counts = write("training", 2, 5, folder.open, done=told.append)
    assert told == [1, 2, 3, 4, 5]
    assert counts["labels.jsonl"] == 5
    assert {name: body.count(b"\n") for name, body in folder.files.items() if name in counts} == counts
    return folder.files


def test_the_folder_has_the_interchange_form(written: dict[str, bytes]) -> None:
    assert decode_json(written["site.json"].decode(), Site, "site.json") == SITE
    (sensor,) = decode_json(written["sensors.json"].decode(), tuple[SensorProfile, ...], "sensors.json")
    detections = list(LineReader(Detection, "d").read(written["detections.jsonl"].splitlines(True)))
    units = list(LineReader(UnitReport, "u").read(written["units.jsonl"].splitlines(True)))
    assert {row.sensor for row in detections} == {sensor.id}
    assert [row.time for row in detections] == sorted(row.time for row in detections)
    assert [row.time for row in units] == sorted(row.time for row in units)
    assert {row.unit for row in units} == set(UNITS)
    assert {row.mobility for row in units} <= {"foot", "vehicle", "post"}
    scans = [row.scan for row in detections]
    assert scans == sorted(scans)  # type: ignore[type-var]


def test_scenes_follow_each_other_with_a_pause(written: dict[str, bytes]) -> None:
    labels = [msgspec.json.decode(line) for line in written["labels.jsonl"].splitlines()]
    times = [msgspec.json.decode(line)["time"] for line in written["detections.jsonl"].splitlines()]
    assert [label["scene"] for label in labels] == [f"training-{n:05d}" for n in range(2, 7)]
    for before, after in pairwise(labels):
        assert after["t0"] - before["t1"] == 600.0
    for label in labels:
        inside = [time for time in times if label["t0"] <= time <= label["t1"]]
        assert (inside[0], inside[-1]) == (label["t0"], label["t1"])
        keys = {"scene", "t0", "t1", "hostile", "behaviour", "kind"}
        extra = {"target", "onset_time", "impact_time"} if label["hostile"] else set()
        if label["behaviour"] == "surveillance":
            extra = {"target", "onset_time"}
        assert set(label) == keys | extra


def test_encounters_are_seen_by_a_mix_of_sensors() -> None:
    folder, feed = _Folder(), _Folder()
    write("training", 2, 2, folder.open, mix="radar-df")
    write("training", 2, 2, feed.open)
    assert folder.files["labels.jsonl"] == feed.files["labels.jsonl"]
    sensors = decode_json(folder.files["sensors.json"].decode(), tuple[SensorProfile, ...], "sensors.json")
    lines = folder.files["detections.jsonl"].splitlines(True)
    seen = [row for row in LineReader(Detection, "d").read(lines) if row.received is not None]
    assert len(seen) == len(lines)
    assert [row.received for row in seen] == sorted(row.received for row in seen if row.received is not None)
    assert {row.sensor for row in seen} <= {sensor.id for sensor in sensors}
    assert {row.sensor for row in seen} >= {"radar", "df-1"}
    labels = [msgspec.json.decode(line) for line in folder.files["labels.jsonl"].splitlines()]
    for label in labels:
        assert any(label["t0"] <= row.time <= label["t1"] for row in seen if row.sensor == "radar")
    with pytest.raises(ConfigError, match="no sensor mix 'all'"):
        write("training", 2, 1, _Folder().open, mix="all")


def test_a_mix_that_hears_remote_id_alone_is_shown_drones_that_send_it() -> None:
    """Every attacker of a run of encounters is heard, which hardly any would be otherwise."""
    attacks = [n for n in range(14) if encounter("training", n).label.hostile][:3]
    for number in attacks:
        folder = _Folder()
        write("training", number, 1, folder.open, mix="remote-id-only")
        lines = folder.files["detections.jsonl"].splitlines(True)
        seen = [row for row in LineReader(Detection, "d").read(lines) if row.claim is not None]
        assert len(seen) > 5
        assert {row.sensor for row in seen} == {"remote-id"}


def test_writing_in_parts_gives_the_same_scenes(written: dict[str, bytes]) -> None:
    folder = _Folder()
    write("training", 4, 1, folder.open)
    (label,) = [msgspec.json.decode(line) for line in folder.files["labels.jsonl"].splitlines()]
    first, third = (msgspec.json.decode(written["labels.jsonl"].splitlines()[k]) for k in (0, 2))
    assert label["t0"] == first["t0"]
    assert label["t1"] - label["t0"] == third["t1"] - third["t0"]
    assert label["kind"] == third["kind"]


def test_what_there_is_not_is_refused() -> None:
    with pytest.raises(ConfigError, match="training, calibration, grading, gate"):
        encounter("exam", 1)
    with pytest.raises(ConfigError, match="from 0 on"):
        encounter("training", -1)
    with pytest.raises(ConfigError, match="at least one"):
        write("training", 0, 0, _Folder().open)


def test_every_family_can_be_played(grading: list[Encounter]) -> None:
    played = {e.label.behaviour for e in grading if e.label.hostile}
    assert len(played) == len(hostile_families.TRAINED + hostile_families.HELD_BACK)
    assert {e.label.behaviour for e in grading if not e.label.hostile} == BENCH_BENIGN
    assert len(benign_families.TRAINED) == len(BENCH_BENIGN)


@pytest.mark.field
def test_encounters_on_real_ground(field_data: Path) -> None:
    tile = field_data / "terrain" / "bigtujunga_srtm30m_utm11.tif"
    site = Site(
        name="Tujunga", lat_deg=34.32, lon_deg=-118.15, alt_m=1233.0, alt_datum="egm96", geoid_height_m=-34.0
    )
    setting = Setting(site=site, dem=Dem(path=str(tile), vertical_datum="egm96", radius_m=9400.0))
    for number in range(14):
        found = encounter("grading", number, setting)
        assert found.scenario.head.dem == setting.dem
        heights = [state.enu_m[2] for states in found.flight.states for state in states.values()]
        assert max(heights) - min(heights) > 20.0
