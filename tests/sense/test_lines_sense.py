"""Lines of anybody's detector: every good line is a detection, every other one a reason, none a crash."""

import json
from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.model import Detection
from vedette.model.detection import Bearing, EmptyScan, Position, Presence, RangeBearing
from vedette.model.lines import dump_line
from vedette.sense.lines import LONGEST_LINE, MOST_KEYS_NAMED, LineAdapter, LineSplitter

GOOD = {"time": 1_790_000_000.5, "sensor": "mast", "measure": {"kind": "bearing", "azimuth_deg": 10.0}}


class Heard:
    """An adapter and what it said."""

    def __init__(self, *sensors: str) -> None:
        self.refused: Counter[str] = Counter()
        self.noted: Counter[str] = Counter()
        self.bytes: list[bytes] = []
        self.adapter = LineAdapter(sensors, self._refuse, self._note)

    def _refuse(self, reason: str, line: bytes) -> None:
        self.refused[reason] += 1
        self.bytes.append(line)

    def _note(self, what: str) -> None:
        self.noted[what] += 1

    def take(self, **changes: object) -> Detection | None:
        return self.adapter.detection(json.dumps({**GOOD, **changes}).encode())


finite = st.floats(allow_nan=False, allow_infinity=False)
azimuths = st.floats(-360.0, 360.0)
positive = st.floats(0.001, 1e6)
measures = st.one_of(
    st.builds(Bearing, azimuth_deg=azimuths, elevation_deg=st.none() | st.floats(-90.0, 90.0)),
    st.builds(RangeBearing, range_m=positive, azimuth_deg=azimuths, range_rate_mps=st.none() | finite),
    st.builds(Presence, range_m=st.none() | positive),
    st.builds(EmptyScan),
    st.builds(Position, lat_deg=st.floats(-90.0, 90.0), lon_deg=st.floats(-180.0, 180.0)),
)
names = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=20)
detections = st.builds(
    Detection,
    time=st.floats(1.0, 8e9),
    sensor=names,
    measure=measures,
    scan=st.none() | st.integers(-(2**63), 2**63 - 1) | names,
)


@given(detections)
def test_what_a_detector_writes_is_what_the_station_reads(detection: Detection) -> None:
    heard = Heard()
    assert heard.adapter.detection(dump_line(detection)) == detection
    assert not heard.refused
    assert not heard.noted


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from([*Detection.__struct_fields__, "more"])


@settings(max_examples=300)
@given(st.dictionaries(keys, json_values), st.booleans())
def test_any_json_is_a_detection_or_one_reason(tree: dict[str, object], begun_well: bool) -> None:
    heard = Heard()
    line = json.dumps({**(GOOD if begun_well else {}), **tree}).encode()
    found = heard.adapter.detection(line)
    assert (found is None) == (sum(heard.refused.values()) == 1)
    if found is not None:
        assert msgspec.json.decode(dump_line(found), type=Detection) == found


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_noise_is_refused(noise: bytes) -> None:
    heard = Heard()
    assert heard.adapter.detection(noise) is None
    assert sum(heard.refused.values()) == bool(noise.strip())
    assert set(heard.refused) <= {"not-json", "malformed: not a JSON object"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"time": "noon"}, "malformed: Expected `float`, got `str` - at `$.time`"),
        ({"time": 1_790_000_000_500}, "time-impossible: not seconds since 1970"),
        ({"time": 0}, "time-impossible: not seconds since 1970"),
        ({"time": -1e308}, "time-impossible: not seconds since 1970"),
        ({"sensor": ""}, "malformed: sensor must be 1 to 64 printable characters"),
        ({"sensor": "a" * 65}, "malformed: sensor must be 1 to 64 printable characters"),
        ({"sensor": "a\nb"}, "malformed: sensor must be 1 to 64 printable characters"),
        ({"measure": {"kind": "<script>"}}, "malformed: invalid value at $.measure.kind"),
        (
            {"measure": {"kind": "bearing"}},
            "malformed: Object missing required field `azimuth_deg` - at `$.measure`",
        ),
        ({"beliefs": {"<script>": 1.0}}, "malformed: invalid value at $.beliefs"),
        ({"extra": [1], "more": 2}, "malformed: extra: not an object"),
    ],
)  # fmt: skip
def test_a_reason_names_the_place_and_never_repeats_the_sender(changes: dict, reason: str) -> None:
    heard = Heard()
    assert heard.take(**changes) is None
    assert heard.refused == {reason: 1}


def test_a_missing_field_is_named() -> None:
    heard = Heard()
    assert heard.adapter.detection(b'{"time": 1.0}') is None
    assert heard.refused == {"malformed: Object missing required field `sensor`": 1}


@pytest.mark.parametrize("line", [b"{", b"[" * 5000, b'{"time": 1e999}', b"\xff\xfe", b'{"time": NaN}'])
def test_what_is_no_json(line: bytes) -> None:
    heard = Heard()
    assert heard.adapter.detection(line) is None
    assert sum(heard.refused.values()) == 1
    assert heard.bytes == [line]


def test_a_number_beyond_every_float() -> None:
    heard = Heard()
    line = json.dumps(GOOD).replace("1790000000.5", "9" * 400).encode()
    assert heard.adapter.detection(line) is None
    assert sum(heard.refused.values()) == 1


def test_a_feed_speaks_only_for_its_sensors() -> None:
    heard = Heard("mast", "roof")
    assert heard.take() is not None
    assert heard.take(sensor="roof") is not None
    assert heard.take(sensor="gate") is None
    assert heard.refused == {"sensor-not-allowed": 1}


def test_unknown_keys_are_kept_and_counted_by_few_names() -> None:
    heard = Heard()
    found = heard.take(sgima={"range_m": 1.0})
    assert found is not None
    assert found.extra == {"sgima": {"range_m": 1.0}}
    assert heard.noted == {"unknown-key:sgima": 1}
    for number in range(200):
        heard.take(**{f"key{number}": number, "<script>": 1})
    named = [name for name in heard.noted if name != "unknown-key:others"]
    assert len(named) == MOST_KEYS_NAMED
    assert heard.noted["unknown-key:others"] == 200 + 200 - (MOST_KEYS_NAMED - 1)


def test_a_refused_line_leaves_no_unknown_keys_behind() -> None:
    heard = Heard()
    assert heard.take(odd=1, time="noon") is None
    assert heard.take() is not None
    assert not heard.noted


def test_places_of_people_are_not_kept_among_unknown_keys() -> None:
    heard = Heard()
    found = heard.take(
        pilotPosition=[31.0, -110.0], claim={"scheme": "icao", "id": "a", "Operator": 1}, gain=3
    )
    assert found is not None
    assert found.extra == {"gain": 3}
    nested = heard.take(about={"who": [{"OPERATOR_lat": 1.0}]})
    assert nested is not None
    assert nested.extra is None
    assert heard.noted["people-key-dropped"] == 2


def test_much_is_not_kept() -> None:
    heard = Heard()
    found = heard.take(blob="x" * 5000)
    assert found is not None
    assert found.extra is None
    assert heard.noted["extra-too-large"] == 1
    assert heard.take(blob="x" * LONGEST_LINE) is None
    assert heard.refused == {"line-too-long": 1}


def test_times_far_from_now_are_noted_and_left() -> None:
    heard = Heard()
    found = heard.take()
    assert found is not None
    for time, off in ((100.0, 0), (100.9, 0), (92.1, 0), (91.0, 1), (102.0, 2)):
        moved = heard.adapter.on_clock(found, time, 100.0)
        assert (moved.time, moved.received) == (time, 100.0)
        assert heard.noted["clock-off"] == off


@given(st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line)), st.integers(1, 40))
def test_lines_are_the_same_however_the_bytes_come(lines: list[bytes], step: int) -> None:
    data = b"\n".join(lines)
    splitter = LineSplitter(longest=20)
    found = [line for at in range(0, len(data), step) for line in splitter.feed(data[at : at + step])]
    found += splitter.end()
    assert [line for line in found if line] == [line for line in lines if 0 < len(line) <= 20]
    assert splitter.too_long == sum(len(line) > 20 for line in lines)
    assert not splitter.partial


def test_a_line_without_end_takes_no_memory() -> None:
    splitter = LineSplitter(longest=100)
    for _ in range(1000):
        assert splitter.feed(b"x" * 99) == []
    assert splitter.too_long == 1
    assert splitter.partial
    assert len(splitter._begun) == 0
    assert splitter.feed(b"\nnext\n") == [b"next"]
