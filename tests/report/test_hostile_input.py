"""An attacker transmits too: no number that fits a field may stop the core, or make restore differ."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from random_sessions import CONFIGURE, UNITS
from station_build import START, Recorder

from vedette.core import Core
from vedette.model import (
    Bearing,
    Claim,
    Detection,
    EmptyScan,
    Position,
    Presence,
    RangeBearing,
    Receipt,
    Sigma,
    UnitReport,
)
from vedette.model.detection import Signal
from vedette.model.event import Body, DetectionBatch

ANY = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 1e308, -1e308, 5e-324])
ABOVE = st.floats(min_value=5e-324, allow_infinity=False) | st.sampled_from([5e-324, 1e-9, 1.0, 1e308])
LATITUDE = st.floats(-90.0, 90.0) | st.sampled_from([90.0, -90.0, 31.45, -0.0])
LONGITUDE = st.floats(-180.0, 180.0) | st.sampled_from([180.0, -180.0, -110.9])
AZIMUTH = st.floats(-360.0, 360.0) | st.sampled_from([-0.0, 360.0, -360.0])
ELEVATION = st.floats(-90.0, 90.0) | st.sampled_from([90.0, -90.0])
TIME = st.floats(START - 9.0, START + 3.0) | ANY
TEXT = st.text(max_size=12)
DATUM = st.sampled_from(["wgs84-ellipsoid", "egm96", "agl", "takeoff", "barometric"])
MAYBE = st.none()

measures = st.one_of(
    st.builds(
        Position,
        lat_deg=LATITUDE,
        lon_deg=LONGITUDE,
        alt_m=MAYBE | ANY,
        alt_datum=MAYBE | DATUM,
        velocity_mps=MAYBE | st.tuples(ANY, ANY, ANY),
    ),
    st.builds(
        RangeBearing,
        range_m=ABOVE,
        azimuth_deg=AZIMUTH,
        elevation_deg=MAYBE | ELEVATION,
        range_rate_mps=MAYBE | ANY,
    ),
    st.builds(Bearing, azimuth_deg=AZIMUTH, elevation_deg=MAYBE | ELEVATION),
    st.builds(Presence, range_m=MAYBE | ABOVE),
    st.builds(EmptyScan),
)
sigmas = st.builds(Sigma, **dict.fromkeys(Sigma.__struct_fields__, MAYBE | ABOVE))
claims = st.builds(Claim, scheme=st.sampled_from(["remote-id-serial", "icao"]), id=TEXT)
beliefs = st.dictionaries(st.sampled_from(["fpv", "bird", "unknown"]), st.floats(0.0, 1.0), max_size=3)
found = st.builds(
    Detection,
    time=TIME,
    sensor=st.sampled_from(["radar-1", "rid-1", ""]),
    measure=measures,
    received=MAYBE | ANY,
    scan=MAYBE | TEXT | st.integers(-(2**63), 2**63 - 1),
    sigma=MAYBE | sigmas,
    claim=MAYBE | claims,
    beliefs=MAYBE | beliefs,
    signal=MAYBE | st.builds(Signal, emitter=MAYBE | TEXT, rssi_dbm=MAYBE | ANY),
    extra=MAYBE | st.dictionaries(TEXT, st.integers() | TEXT, max_size=2),
)
reports = st.builds(
    UnitReport,
    time=TIME,
    unit=st.sampled_from(UNITS) | st.text(min_size=1, max_size=5),
    lat_deg=LATITUDE,
    lon_deg=LONGITUDE,
    sigma_m=ABOVE,
    mobility=st.sampled_from(["foot", "vehicle", "post"]),
    alt_m=MAYBE | ANY,
    alt_datum=MAYBE | DATUM,
)
receipts = st.builds(
    Receipt,
    time=ANY,
    alert=TEXT,
    revision=st.integers(),
    recipient=TEXT,
    channel=TEXT,
    fact=st.sampled_from(["accepted", "acknowledged"]),
)
batches = st.builds(
    DetectionBatch, feed=st.just("any"), detections=st.lists(found, min_size=1, max_size=6).map(tuple)
)
bodies: st.SearchStrategy[Body] = st.one_of(batches, batches, reports, receipts)


@given(st.lists(bodies, min_size=1, max_size=8))
@settings(deadline=None, max_examples=150)
def test_nothing_that_fits_the_fields_stops_the_core(entered: list[Any]) -> None:
    recorder = Recorder(core=Core(CONFIGURE))
    for step, body in enumerate(entered):
        recorder.enter(START + 0.3 * step, body)
    recorder.hand.at += 3.0
    recorder.engine.tick()
    assert recorder.faults == []
    state = recorder.engine.core.snapshot()
    assert Core.restore(state).snapshot() == state
    assert b"null" not in msgspec.json.encode([event.body for event in recorder.decided])
