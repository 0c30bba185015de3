"""Whatever events there are, they read back equal, bit for bit, and the chain holds."""

import struct
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.model import (
    Alert,
    Claim,
    Detection,
    Event,
    Position,
    Presence,
    RangeBearing,
    Receipt,
    Roster,
    RosterEntry,
    Site,
    UnitReport,
)
from vedette.model.event import (
    Action,
    Configure,
    Deliver,
    DetectionBatch,
    Digest,
    OperatorPosition,
    Shed,
    Snapshot,
    Tick,
)
from vedette.record import Keyring, Log, verify

FINITE = st.floats(allow_nan=False, allow_infinity=False)
POSITIVE = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
LATITUDE = st.floats(-90, 90)
LONGITUDE = st.floats(-180, 180)
TEXT = st.text(max_size=20)
WORD = st.text(min_size=1, max_size=10)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | FINITE | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
POSITION = st.builds(
    Position,
    lat_deg=LATITUDE,
    lon_deg=LONGITUDE,
    alt_m=st.none() | FINITE,
    velocity_mps=st.none() | st.tuples(FINITE, FINITE, FINITE),
)
PLOT = st.builds(RangeBearing, range_m=POSITIVE, azimuth_deg=st.floats(-360, 360), range_rate_mps=FINITE)
DETECTION = st.builds(
    Detection,
    time=FINITE,
    sensor=TEXT,
    measure=POSITION | PLOT | st.builds(Presence),
    scan=st.none() | st.integers(-(2**63), 2**63 - 1) | TEXT,
    claim=st.none() | st.builds(Claim, scheme=st.just("remote-id-serial"), id=TEXT),
    extra=st.none() | st.dictionaries(TEXT, JSON, max_size=3),
)
ALERT = st.builds(
    Alert,
    time=FINITE,
    alert=TEXT,
    revision=st.integers(0, 10**6),
    level=st.sampled_from(["imminent", "warning"]),
    state=st.just("active-unacked"),
    units=st.lists(TEXT, max_size=3).map(tuple),
    track=TEXT,
    behaviour=st.just("closing"),
    text=st.dictionaries(TEXT, TEXT, max_size=3),
    expires=FINITE,
    bearing_deg=FINITE,
    range_m=FINITE,
    evidence=st.lists(st.tuples(TEXT, FINITE), max_size=3).map(tuple),
)
BODY = st.one_of(
    st.builds(DetectionBatch, feed=TEXT, detections=st.lists(DETECTION, max_size=3).map(tuple)),
    st.builds(
        UnitReport,
        time=FINITE,
        unit=WORD,
        lat_deg=LATITUDE,
        lon_deg=LONGITUDE,
        sigma_m=POSITIVE,
        mobility=st.just("foot"),
    ),
    st.builds(OperatorPosition, time=FINITE, sensor=TEXT, id=TEXT, lat_deg=LATITUDE, lon_deg=LONGITUDE),
    st.builds(Tick),
    st.builds(Shed, what=TEXT, count=st.integers(0, 10**9)),
    st.builds(Action, actor=TEXT, action=st.just("note"), via=TEXT, value=st.none() | TEXT),
    st.builds(Snapshot, after=st.integers(0, 2**62), state=st.binary(max_size=200)),
    st.builds(Digest, time=FINITE, live=TEXT, settled=TEXT, settled_time=FINITE),
    st.builds(Roster, version=st.integers(0, 99), units=st.tuples(st.builds(RosterEntry, unit=TEXT))),
    st.builds(
        Configure,
        site=st.builds(
            Site, name=WORD, lat_deg=LATITUDE, lon_deg=LONGITUDE, alt_m=FINITE, alt_datum=st.just("egm96")
        ),
        settings=st.dictionaries(TEXT, JSON, max_size=3),
    ),
    st.builds(
        Receipt,
        time=FINITE,
        alert=TEXT,
        revision=st.integers(0, 99),
        recipient=TEXT,
        channel=TEXT,
        fact=st.sampled_from(["accepted", "shown"]),
    ),
    st.builds(
        Deliver,
        alert=ALERT,
        recipients=st.tuples(TEXT),
        rule=TEXT,
        roster_version=st.integers(0, 99),
        sound=st.booleans(),
    ),
)


@st.composite
def transactions(draw: st.DrawFn) -> list[list[Event]]:
    bodies = draw(st.lists(st.lists(BODY, min_size=1, max_size=5), min_size=1, max_size=4))
    count = sum(map(len, bodies))
    times = iter(sorted(draw(st.lists(st.floats(0, 4e9), min_size=count, max_size=count))))
    numbers = iter(range(1, count + 1))
    return [[Event(next(numbers), next(times), body) for body in part] for part in bodies]


def _bits(value: object) -> object:
    """The value with its floats as bit patterns, so that 0.0 and -0.0 differ."""
    if isinstance(value, float):
        return struct.pack(">d", value)
    if isinstance(value, dict):
        return [(key, _bits(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [_bits(item) for item in value]
    return value


@settings(max_examples=60, deadline=None)
@given(parts=transactions())
def test_any_events_read_back_bit_for_bit(parts: list[list[Event]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.log"
        keyring = Keyring(Path(folder) / "keys")
        with Log.create(path, keyring) as log:
            for part in parts:
                log.append(part)
        written = [event for part in parts for event in part]
        with Log.open(path, Keyring(Path(folder) / "keys"), readonly=True) as log:
            found = list(log.events())
        assert found == written
        for one, other in zip(found, written, strict=True):
            assert type(one.body) is type(other.body)
            assert _bits(msgspec.to_builtins(one.body)) == _bits(msgspec.to_builtins(other.body))
        verdict = verify(path)
        assert verdict.good
        assert verdict.events == len(written)
