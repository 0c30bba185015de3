"""Tracks and marks of other TAK users: what becomes a detection, what is refused, what is not believed."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model import Bearing, Claim, Detection, Position, Presence, Sigma
from vedette.model.event import OperatorPosition
from vedette.model.lines import LineReader
from vedette.sense._cot_clocks import MOST_CLOCKS
from vedette.sense.cot_tracks import CotTrackAdapter, Unheard, sense
from vedette.wire.cot import CotEvent, Remarks, SensorView, Takv, read_event
from vedette.wire.tak import read_payload, write_payload

T = 1_795_000_000.0
SERIAL = "1581F5FH123456789012"
REMARKS = (
    "MAC: 60:60:1f:00:00:01, RSSI: -70dBm; ID Type: Serial Number (ANSI/CTA-2063-A); "
    "UA Type: Helicopter (or Multirotor) (2); Operator ID: N/A; Speed: 7.5 m/s; SeenBy: kit-1"
)


def event(uid="drone-" + SERIAL, kind="a-u-A-M-H-R", **changes):
    fields = {
        "time": T, "start": T, "stale": T + 60.0, "how": "m-g", "lat_deg": 47.2, "lon_deg": 8.5,
        "hae_m": 520.0, "ce_m": 35.0,
    } | changes  # fmt: skip
    return CotEvent(uid=uid, type=kind, **fields)


def remarks(text):
    return Remarks(text=text)


def heard(event, **changes):
    times = {"time": event.time, "received": T + 0.5, "stale": event.stale} | changes
    return sense(event, "tak", **times)


def reason(event, **changes):
    found = heard(event, **changes)
    assert isinstance(found, Unheard)
    return found.reason


def test_a_gateways_drone_becomes_a_position_with_what_was_stated():
    found = heard(event(remarks=remarks(REMARKS), course_deg=0.0, speed_mps=0.0))
    assert isinstance(found, Detection)
    assert (found.sensor, found.time, found.received) == ("tak", T, T + 0.5)
    assert found.measure == Position(lat_deg=47.2, lon_deg=8.5, alt_m=520.0, alt_datum="wgs84-ellipsoid")
    assert found.sigma == Sigma(horizontal_m=35.0)
    assert found.claim == Claim(scheme="remote-id-serial", id=SERIAL)
    assert found.signal.emitter == "drone-" + SERIAL
    assert found.extra == {"cot.type": "a-u-A-M-H-R", "cot.how": "m-g"}


@pytest.mark.parametrize("affiliation", ["h", "s", "u", "n", "f", "a", "p"])
def test_how_a_sender_sees_it_changes_nothing_but_the_words(affiliation):
    found = heard(event(kind=f"a-{affiliation}-A-M-H-Q"))
    neutral = heard(event(kind="a-u-A-M-H-Q"))
    assert found.extra["cot.type"] == f"a-{affiliation}-A-M-H-Q"
    assert msgspec.structs.replace(found, extra=None) == msgspec.structs.replace(neutral, extra=None)


def test_two_names_are_not_two_sensors():
    assert {heard(event(uid=uid)).sensor for uid in ("A", "B", "C")} == {"tak"}


@pytest.mark.parametrize(
    "kind", ["a-u-A", "a-f-A", "a-h-A-M-F-Q", "a-.-A-C-F", "a-u-A-M-H-R", "a-f-A-f", "a-n-A-C-F;icon"]
)
def test_every_kind_of_air_track_is_read(kind):
    found = heard(event(kind=kind))
    assert isinstance(found.measure, Position)
    assert found.beliefs is None or sum(found.beliefs.values()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("kind", "likeliest"),
    [("a-u-A-M-F-Q", "fixed-wing"), ("a-f-A-M-H-Q-r", "multirotor"), ("a-u-A-M-H-R", "multirotor")],
)
def test_beliefs_follow_the_function(kind, likeliest):
    beliefs = heard(event(kind=kind)).beliefs
    assert max((b, c) for c, b in beliefs.items() if c != "unknown")[1] == likeliest
    assert beliefs["unknown"] >= 0.3


def test_a_bare_air_track_says_nothing_of_its_class():
    assert heard(event(kind="a-u-A")).beliefs is None
    assert heard(event(kind="a-u-A-W")).beliefs is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"uid": "vedette.t1"}, "own-event"),
        ({"uid": "vedette.alert.a1.UID"}, "own-event"),
        ({"kind": "a-f-G-U-C"}, "not-air"),
        ({"kind": "b-t-f"}, "not-air"),
        ({"kind": "t-x-c-t"}, "not-air"),
        ({"kind": "b-m-p-w"}, "marker"),
        ({"kind": "b-m-p-s-m", "uid": "9405e320"}, "marker"),
        ({"kind": "b-m-p-s-m", "uid": "drone-X", "how": "h-g-i-g-o"}, "marker"),
        ({"kind": "b-m-p-s-m", "uid": "pilot-"}, "marker"),
        ({"kind": "b-m-p-s-m", "uid": "home-" + SERIAL}, "take-off-place"),
        ({"kind": "b-m-p-s-s"}, "stranger"),
        ({"kind": "b-m-p-s-s", "remarks": Remarks(text="ssid=home src=kismet signal=wifi")}, "stranger"),
        ({"kind": "b-m-p-s-p-loc"}, "no-direction"),
        ({"kind": "a-f-A-M-H", "takv": Takv(platform="ATAK-CIV"), "endpoint": "*:-1:stcp"}, "contact"),
        ({"time": T - 90_000.0, "stale": T + 9.0}, "absurd-time"),
        ({"time": T + 90_000.0, "stale": T + 99_000.0}, "absurd-time"),
        ({"force_delete": True}, "deletion"),
        ({"stale": T + 0.1}, "expired"),
        ({"time": T - 60.0}, "too-old"),
        ({"lat_deg": 0.0, "lon_deg": 0.0, "ce_m": None}, "no-fix"),
        ({"ce_m": 20_000.0}, "position-too-vague"),
    ],
)
def test_what_is_no_detection(changes, why):
    assert reason(event(**changes)) == why


def test_a_sender_ahead_is_taken_at_the_reception():
    assert heard(event(time=T + 3600.0, stale=T + 7200.0)).time == T + 0.5


def test_unknown_stays_unknown():
    found = heard(event(hae_m=0.0, ce_m=None, le_m=None))
    assert (found.measure.alt_m, found.measure.alt_datum, found.sigma) == (None, None, None)
    assert heard(event(ce_m=0.0, le_m=0.0)).sigma is None
    assert heard(event(hae_m=None, ce_m=5.0, le_m=7.0)).sigma == Sigma(horizontal_m=5.0)
    assert heard(event(hae_m=0.0, le_m=0.2, ce_m=0.1)).sigma == Sigma(horizontal_m=1.0, vertical_m=1.0)


def test_velocity_only_where_it_has_no_gaps():
    assert heard(event(course_deg=90.0, speed_mps=10.0)).measure.velocity_mps is None
    assert heard(event(slope_deg=0.0, speed_mps=10.0)).measure.velocity_mps is None
    found = heard(event(course_deg=90.0, speed_mps=10.0, slope_deg=30.0)).measure.velocity_mps
    assert found == pytest.approx((8.660254, 0.0, 5.0), abs=1e-6)


@pytest.mark.parametrize(
    ("uid", "text", "claim"),
    [
        (SERIAL, "", ("remote-id-serial", SERIAL)),
        ("drone-" + SERIAL, "", ("remote-id-serial", SERIAL)),
        ("drone-" + SERIAL[:-1], "", None),
        ("drone-" + SERIAL.replace("F", "O"), "", None),
        ("drone-FA3ABC", "ID Type: CAA Assigned Registration ID; x", ("caa-registration", "FA3ABC")),
        ("drone-7", "ID Type: Specific Session ID", ("remote-id-session", "7")),
        ("drone-7", "ID Type: None", None),
        ("drone-alert", "", None),
        ("other-7", "ID Type: Serial Number", None),
        ("icao-3C6444", "ADS-B hex=3C6444 flight=DLH1", ("icao", "3c6444")),
        ("x", "hex=3C6444", None),
        ("x", "ADS-B hex=3C64445", None),
        ("ANDROID-589520ccfcd20f01", "", None),
    ],
)
def test_a_claim_is_what_the_event_states(uid, text, claim):
    found = heard(event(uid=uid, remarks=remarks(text))).claim
    assert (None if found is None else (found.scheme, found.id)) == claim


def test_a_pilots_place_is_kept_apart():
    found = heard(event(uid="pilot-" + SERIAL, kind="b-m-p-s-m"))
    assert found == OperatorPosition(time=T, sensor="tak", id=SERIAL, lat_deg=47.2, lon_deg=8.5)


def test_an_odd_drone_as_a_spot_mark():
    assert isinstance(heard(event(kind="b-m-p-s-m")).measure, Position)


def test_analogue_video_is_a_presence_near_the_receiver():
    text = "signal=fpv source=confirm center_hz=5800000000.0 bandwidth_hz=6000000 rssi=-60dBm"
    found = heard(event(uid="fpv-5800MHz", kind="b-m-p-s-s", ce_m=15.0, remarks=remarks(text)))
    assert found.measure == Presence(range_m=15.0)
    assert found.signal.frequency_mhz == 5800.0
    assert (found.claim, found.sigma, found.extra["cot.lat_deg"]) == (None, None, 47.2)


def view(azimuth=90.0, fov=40.0, **more):
    shown = SensorView(azimuth_deg=azimuth, fov_deg=fov, **more)
    return event(uid="CAM-1", kind="b-m-p-s-p-loc", sensor=shown, how="h-e")


def test_a_view_becomes_a_bearing_of_a_sensor_of_its_own():
    found = heard(view(elevation_deg=5.0, vfov_deg=20.0, range_m=800.0))
    assert found.sensor == "tak:CAM-1"
    assert found.measure == Bearing(azimuth_deg=90.0, elevation_deg=5.0)
    assert found.sigma.azimuth_deg == pytest.approx(11.547, abs=1e-3)
    assert found.sigma.elevation_deg == pytest.approx(5.774, abs=1e-3)
    assert found.extra["cot.range_m"] == 800.0
    assert heard(view(elevation_deg=5.0)).measure == Bearing(azimuth_deg=90.0)
    assert heard(view(fov=0.1)).sigma.azimuth_deg == 0.5


def test_a_view_that_says_nothing_of_a_direction():
    assert reason(view(fov=180.0)) == "view-too-wide"
    assert reason(view(fov=None)) == "no-direction"
    assert reason(view(azimuth=None)) == "no-direction"


def take(adapter, event, received=T + 0.5):
    return adapter.take(event, time=event.time, received=received, stale=event.stale)


def test_repeats_are_no_new_evidence():
    adapter = CotTrackAdapter("tak", own_uid="VEDETTE-tak")
    later = msgspec.structs.replace(event(), time=T + 1.0, stale=T + 61.0)
    assert take(adapter, event()) is not None
    assert take(adapter, event()) is None
    assert take(adapter, later, T + 1.5) is not None
    assert take(adapter, event(uid="VEDETTE-tak")) is None
    assert take(adapter, event(kind="a-f-G-U-C")) is None
    assert adapter.counts == {"detections": 2, "repeated": 1, "own-event": 1, "not-air": 1}


def test_a_mark_that_a_phone_repeats_is_not_a_drone_that_hovers():
    adapter = CotTrackAdapter("tak")
    mark = event(kind="a-h-A", uid="M-1", how="h-g-i-g-o")
    assert take(adapter, mark) is not None
    assert take(adapter, msgspec.structs.replace(mark, time=T + 5.0), T + 6.0) is None
    moved = msgspec.structs.replace(mark, time=T + 5.0, lat_deg=47.21)
    assert take(adapter, moved, T + 6.0) is not None


def test_what_a_gateway_has_not_heard_again_is_no_new_evidence():
    """DragonSync sends a silent drone on for a minute: new times, the end of validity stands still."""
    adapter = CotTrackAdapter("tak")
    assert take(adapter, event()) is not None
    for second in range(1, 40):
        again = event(time=T + second, stale=T + 60.0 + 0.01 * (second % 3))
        assert take(adapter, again, T + second + 0.5) is None
    heard_anew = event(time=T + 40.0, stale=T + 100.0)
    assert take(adapter, heard_anew, T + 40.5) is not None
    assert adapter.counts == {"detections": 2, "repeated": 39}


def test_a_drone_that_moves_is_new_whatever_the_end_of_validity():
    adapter = CotTrackAdapter("tak")
    for second in range(5):
        moving = event(time=T + second, lat_deg=47.2 + second * 1e-5)
        assert take(adapter, moving, T + second + 0.5) is not None


AIRCRAFT = "ADS-B hex=3C6444 flight=DLH4AB alt=2500ft gs=110.0kt track=90.0 src=adsb"


def test_a_gateways_aircraft_comes_in_feet_and_knots_which_are_not_used():
    """DragonSync writes the feet of its receiver into ``hae`` and knots into ``speed``."""
    found = heard(
        event(
            uid="adsb-3c6444", kind="a-f-A", hae_m=2500.0, ce_m=65.5, le_m=21.5, course_deg=90.0,
            speed_mps=110.0, slope_deg=0.0, remarks=remarks(AIRCRAFT),
        )
    )  # fmt: skip
    assert found.measure == Position(lat_deg=47.2, lon_deg=8.5)
    assert found.sigma == Sigma(horizontal_m=65.5)
    assert found.claim == Claim(scheme="icao", id="3c6444")
    assert max(found.beliefs, key=found.beliefs.get) == "unknown"
    assert found.beliefs["aircraft"] == 0.4


def test_an_aircraft_on_the_ground_is_not_in_the_air():
    taxiing = event(uid="adsb-3c6444", kind="a-f-A", remarks=remarks(AIRCRAFT + " onground=1"))
    assert reason(taxiing) == "on-ground"


def behind(seconds, at, **changes):
    """An event made and sent now by a sender whose clock is ``seconds`` behind."""
    stated = at - seconds
    return event(time=stated, stale=stated + 60.0, lat_deg=47.2 + (at - T) * 1e-5, **changes)


@pytest.mark.parametrize("offset", [-7200.0, -30.0, 45.0, 3600.0])
def test_a_sender_whose_clock_is_off_is_used_once_that_shows(offset):
    adapter = CotTrackAdapter("tak")
    found = [take(adapter, behind(offset, T + s), T + s + 0.2) for s in range(8)]
    known = found[3:]
    assert all(f is not None for f in known)
    assert all(abs(f.time - (T + s + 0.2)) < 1e-6 for s, f in enumerate(known, 3))
    assert all(f.sigma.horizontal_m == pytest.approx((35.0**2 + 9.0**2) ** 0.5) for f in known)
    assert adapter.clocks_off(T + 8.0) == (pytest.approx(offset + 0.2),)
    if offset > 0.0:
        assert found[:2] == [None, None]
    else:
        assert [f.time for f in found[:2]] == [T + 0.2, T + 1.2]
    assert adapter.clocks_off(T + 60.0) == ()


def test_history_that_a_server_repeats_never_becomes_fresh():
    """However much of it comes at once, and though the same drone was heard well before."""
    adapter = CotTrackAdapter("tak")
    for second in range(5):
        assert take(adapter, behind(0.0, T + second), T + second + 0.2) is not None
    returned = T + 300.0
    for second in range(5, 60):
        old = event(time=T + second, stale=returned + 60.0, lat_deg=47.2 + second * 1e-5)
        assert take(adapter, old, returned) is None
    for again in range(1, 20):
        assert take(adapter, old, returned + again) is None
    assert adapter.counts["detections"] == 5
    assert adapter.clocks_off(returned + 20.0) == ()


def test_a_clock_that_stands_still_is_not_believed():
    adapter = CotTrackAdapter("tak")
    for second in range(30):
        frozen = event(time=T - 60.0, stale=T + 600.0, lat_deg=47.2 + second * 1e-5)
        assert take(adapter, frozen, T + second) is None


def test_a_clock_that_was_put_right_is_forgotten():
    adapter = CotTrackAdapter("tak")
    for second in range(5):
        take(adapter, behind(60.0, T + second), T + second + 0.2)
    assert adapter.clocks_off(T + 5.0) != ()
    right = take(adapter, behind(0.0, T + 6.0), T + 6.2)
    assert (right.time, right.sigma.horizontal_m) == (T + 6.0, 35.0)
    assert adapter.clocks_off(T + 6.2) == ()


def test_views_are_read_only_where_that_is_wanted():
    adapter = CotTrackAdapter("tak", views=False)
    assert take(adapter, view()) is None
    assert adapter.counts == {"view": 1}
    assert isinstance(take(CotTrackAdapter("tak", views=True), view()).measure, Bearing)


def test_memory_of_clocks_is_bounded():
    adapter = CotTrackAdapter("tak")
    for number in range(MOST_CLOCKS + 50):
        take(adapter, behind(60.0, T, uid=f"u{number}"))
    assert len(adapter._clocks._series) == MOST_CLOCKS


def test_memory_is_bounded():
    adapter = CotTrackAdapter("tak")
    for number in range(10_050):
        take(adapter, event(uid=f"u{number}"))
    assert len(adapter._last) == 10_000


KINDS = ["a-u-A", "b-m-p-s-m", "b-m-p-s-s", "b-m-p-s-p-loc", "a-f-G", "a-h-A-M-F-Q"]


@given(
    st.sampled_from(KINDS),
    st.sampled_from(["drone-", "pilot-", "vedette.", "", "home-"]),
    st.text(max_size=12),
    st.text(max_size=60) | st.sampled_from([REMARKS, "signal=fpv center_hz=000000", "ADS-B hex=abcdef"]),
    st.tuples(
        *[st.none() | st.floats(allow_nan=False, allow_infinity=False, min_value=0, max_value=1e6)] * 4
    ),
    st.floats(-90, 90),
    st.floats(-100.0, 100.0),
)
def test_whatever_is_said_a_detection_keeps_the_contract(kind, prefix, name, text, numbers, lat, lag):
    ce, le, fov, hae = numbers
    said = event(
        uid=prefix + name, kind=kind, remarks=remarks(text), ce_m=ce, le_m=le, hae_m=hae, lat_deg=lat,
        sensor=SensorView(azimuth_deg=10.0, fov_deg=fov, vfov_deg=fov, elevation_deg=1.0),
    )  # fmt: skip
    found = heard(said, received=T + lag)
    assert not (prefix == "vedette." and not isinstance(found, Unheard))
    if isinstance(found, Detection):
        assert found.time <= found.received
        line = msgspec.json.encode(found)
        assert LineReader(Detection, "test").parse(line) == found


def test_both_versions_of_the_protocol_give_the_same_detection():
    xml = (
        f'<event version="2.0" uid="drone-{SERIAL}" type="a-u-A-M-H-R" how="m-g" '
        'time="2026-11-18T11:06:40.250Z" start="2026-11-18T11:06:40.250Z" stale="2026-11-18T11:16:40.250Z">'
        '<point lat="47.2" lon="8.5" hae="520.0" ce="35.0" le="999999"/><detail><contact callsign="d"/>'
        f'<track course="0.0" speed="0.0"/><remarks>{REMARKS}</remarks><rid make="DJI"/></detail></event>'
    ).encode()
    event_xml = read_event(xml)
    event_v1 = read_payload(write_payload(event_xml)).event
    found = heard(event_v1, received=event_v1.time + 1.0)
    assert found == heard(event_xml, received=event_xml.time + 1.0)
    assert found.claim == Claim(scheme="remote-id-serial", id=SERIAL)


@pytest.mark.field
@pytest.mark.parametrize("name", ["Marker - Spot.cot", "Marker - 2525.cot", "Geo Fence.cot", "Route.cot"])
def test_marks_that_people_drew_are_no_drones(field_data, name):
    data = (field_data / "protocols" / "cot" / "takcot-examples" / name).read_bytes()
    drawn = read_event(data)
    assert isinstance(heard(drawn, received=drawn.time + 1.0), Unheard)
