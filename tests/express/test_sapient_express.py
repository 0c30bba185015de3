"""Tracks, alerts and the station's state as SAPIENT: they conform, they are true, they name nobody."""

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.express.sapient import (
    LOST,
    LOST_S,
    MAX_PACKET_BYTES,
    Condition,
    alert,
    alert_ack,
    detection,
    error,
    goodbye,
    status,
    task_ack,
)
from vedette.express.sapient_node import Node, alert_id, node_id, object_id
from vedette.express.sapient_registration import registration
from vedette.geo import LocalFrame
from vedette.model import Alert, Identity, InputError, Site, Track
from vedette.wire.sapient import (
    MAX_MESSAGE_BYTES,
    SUPPORTED_ICD_VERSIONS,
    is_ulid,
    is_uuid4,
    read_location,
    read_message,
    timestamp_s,
    validate,
    write_json,
    write_message,
)

T = 1_795_000_000.25
SITE = Site(name="Testfield", lat_deg=47.2, lon_deg=8.5, alt_m=450.0, alt_datum="wgs84-ellipsoid")
KEY = b"k" * 32
NODE = Node(id=node_id(KEY), name="VEDETTE", site=SITE, key=KEY, version="0.1")
OTHER = "a8654cdf-4328-47de-81fa-c495589e30c8"
ULID = "01GGYFBAXGDG7AGAHRZ6XSNY12"
SECRETS = ("SGT MILLER", "Unit-7", "ANNA", "47.2011", "Alpha Patrol", "operator")


def covariance(ee=34.0, nn=41.0, uu=9.0, en=12.0, ve=1.0, vn=2.25, vu=4.0):
    return (ee, en, 0, 0, 0, 0, nn, 0, 0, 0, 0, uu, 0, 0, 0, ve, 0, 0, vn, 0, vu)


def track(**changes):
    base = Track(
        id="t17",
        enu_m=(300.0, 400.0, 60.0),
        velocity_mps=(-12.0, -16.0, 1.0),
        covariance=covariance(),
        existence=0.99,
        beliefs={"multirotor": 0.75, "unknown": 0.25},
        trust="unverified",
        identity=Identity(scheme="remote-id-serial", id="1581F4X"),
        updated=T - 0.4,
        sensors=("radar-north",),
    )
    return msgspec.structs.replace(base, **changes)


def alarm(**changes):
    base = Alert(
        time=T, alert="A3F9CQQQQQQ", revision=2, level="imminent", state="active-unacked",
        units=("Unit-7",), track="t17", behaviour="direct-run", expires=T + 45.0, bearing_deg=36.9,
        range_m=512.0, text={"en": "DRONE ATTACK LIKELY. From NE, 500 m, ANNA."},
        reason="acknowledged by SGT MILLER", acknowledged_by="SGT MILLER", earliest_s=12.0,
        evidence=(("heads for Alpha Patrol at 47.2011", 3.0),),
    )  # fmt: skip
    return msgspec.structs.replace(base, **changes)


def site(datum, **changes):
    return msgspec.structs.replace(SITE, alt_datum=datum, **changes)


def at(where, **changes):
    return msgspec.structs.replace(NODE, site=where, **changes)


def report(changed=None, node=NODE, **more):
    return detection(node, track() if changed is None else changed, T, **more).detection_report


# Identifiers ---------------------------------------------------------------------------------------


@given(st.binary(min_size=1, max_size=80))
def test_the_node_id_is_a_version_4_uuid_and_stays(secret):
    assert is_uuid4(node_id(secret))
    assert node_id(secret) == node_id(bytes(secret))
    assert node_id(secret) != node_id(secret + b"\x00")


@given(st.text(max_size=40), st.text(max_size=40))
def test_the_ids_of_things_are_ulids_that_differ_and_stay(one, two):
    for made in (object_id, alert_id):
        assert is_ulid(made(KEY, one))
        assert made(KEY, one) == made(KEY, one)
        assert (made(KEY, one) == made(KEY, two)) == (one == two)
    assert object_id(KEY, one) != alert_id(KEY, one)
    assert object_id(KEY, one) != object_id(b"another", one)


def test_the_ids_of_things_are_known_facts():
    """Another id after an update would be a second object at the parent."""
    assert node_id(KEY) == "3417e9d3-a2eb-4398-8bae-da8e28e55e06"
    assert object_id(KEY, "t17") == "000000000063ETE3T34H1PDR52"


def test_a_report_id_is_fresh_and_holds_the_time():
    ids = [report().report_id]
    ids.append(detection(NODE, track(), T + 1.0).detection_report.report_id)
    ids.append(report(track(id="t18")).report_id)
    assert len(set(ids)) == 3
    crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    milliseconds = 0
    for letter in ids[0][:10]:
        milliseconds = milliseconds * 32 + crockford.index(letter)
    assert milliseconds == int(T * 1000)


def test_an_object_keeps_its_id_while_it_flies():
    later = track(enu_m=(10.0, 20.0, 5.0), existence=0.5, updated=T + 100)
    assert report().object_id == report(later).object_id


# Tracks --------------------------------------------------------------------------------------------


def test_a_track_is_where_it_is():
    place = read_location(report().location)
    frame = LocalFrame(SITE.lat_deg, SITE.lon_deg, SITE.alt_m)
    there = frame.to_enu(place.latitude_deg, place.longitude_deg, place.altitude_m)
    assert there == pytest.approx((300, 400, 60), abs=1e-3)
    assert place.altitude_above == "ellipsoid"


def test_x_is_the_longitude():
    location = report().location
    assert (location.x, location.y) == pytest.approx((8.504, 47.2036), abs=1e-4)


@pytest.mark.parametrize(
    ("where", "above", "altitude"),
    [
        (site("wgs84-ellipsoid"), "ellipsoid", 510.0),
        (site("egm96"), "geoid", 510.0),
        (site("egm96", geoid_height_m=48.0), "geoid", 510.0),
        (site("agl"), "ellipsoid", None),
        (site("takeoff"), "ellipsoid", None),
        (site("barometric"), "ellipsoid", None),
    ],
)
def test_a_height_keeps_its_datum_or_is_left_out(where, above, altitude):
    for location in (
        report(node=at(where)).location,
        alert(at(where), alarm(), track(), T).alert.location,
    ):
        place = read_location(location)
        assert place.altitude_above == above
        assert place.altitude_m == (None if altitude is None else pytest.approx(altitude, abs=0.05))
        assert (place.z_error is None) == (altitude is None)


def test_the_geoid_height_moves_nothing_but_the_last_centimetres():
    low, high = (report(node=at(site("egm96", **more))).location for more in ({}, {"geoid_height_m": 48.0}))
    assert (low.x, low.y) == pytest.approx((high.x, high.y), abs=1e-7)
    assert low.x != high.x
    assert high.z == pytest.approx(510.0196, abs=1e-3)


def test_an_unknown_height_is_absent():
    """So is the climb rate: it comes from the same prior."""
    flat = report(track(height_known=False))
    assert not flat.location.HasField("z")
    assert not flat.location.HasField("z_error")
    assert not flat.enu_velocity.HasField("up_rate")
    assert not flat.enu_velocity.HasField("up_rate_error")
    assert flat.enu_velocity.east_rate == -12.0


def test_the_errors_are_one_sigma_in_the_units_of_the_coordinates():
    location = report().location
    frame = LocalFrame(SITE.lat_deg, SITE.lon_deg, SITE.alt_m)
    east, _, _ = frame.to_enu(location.y, location.x + location.x_error, location.z)
    _, north, _ = frame.to_enu(location.y + location.y_error, location.x, location.z)
    assert east - 300.0 == pytest.approx(math.sqrt(34.0), rel=1e-3)
    assert north - 400.0 == pytest.approx(math.sqrt(41.0), rel=1e-3)
    assert location.z_error == 3.0


def test_the_velocity_is_east_north_up_with_its_errors():
    velocity = report().enu_velocity
    assert (velocity.east_rate, velocity.north_rate, velocity.up_rate) == (-12.0, -16.0, 1.0)
    errors = velocity.east_rate_error, velocity.north_rate_error, velocity.up_rate_error
    assert errors == (1.0, 1.5, 2.0)


@pytest.mark.parametrize("value", [math.inf, math.nan, 0.0, -1.0])
def test_an_accuracy_that_is_none_is_absent(value):
    wide = report(track(covariance=covariance(value, value, value, 0.0, value, value, value)))
    for name in ("x_error", "y_error", "z_error"):
        assert not wide.location.HasField(name)
    for name in ("east_rate_error", "north_rate_error", "up_rate_error"):
        assert not wide.enu_velocity.HasField(name)


def test_a_velocity_that_is_none_is_absent():
    assert not report(track(velocity_mps=(math.nan, 0.0, 0.0))).HasField("enu_velocity")


def test_an_error_wider_than_the_earth_is_absent():
    location = report(track(covariance=covariance(1e16, 1e16))).location
    assert not location.HasField("x_error")
    assert not location.HasField("y_error")


def test_at_the_pole_the_longitude_has_no_error():
    pole = at(site("wgs84-ellipsoid", lat_deg=90.0))
    location = report(track(enu_m=(0.0, 0.0, 10.0)), node=pole).location
    assert not location.HasField("x_error")
    assert location.y_error > 0.0


def test_a_track_that_is_nowhere_is_an_error():
    with pytest.raises(InputError, match="no place"):
        report(track(enu_m=(math.nan, 0.0, 0.0)))


def classes(**beliefs):
    """(class, subclass or None) -> confidence."""
    named = {name.replace("_", "-"): belief for name, belief in beliefs.items()}
    found = {}
    for item in report(track(beliefs=named)).classification:
        found[item.type, None] = item.confidence
        assert all(part.level == 1 for part in item.sub_class)
        found.update({(item.type, part.type): part.confidence for part in item.sub_class})
    return found


def test_beliefs_take_the_names_of_the_taxonomy():
    assert classes(multirotor=0.25, fpv=0.25, fixed_wing=0.125, bird=0.125, aircraft=0.25) == {
        ("Air Vehicle", None): 0.875,
        ("Air Vehicle", "UAV Rotary Wing"): 0.5,
        ("Air Vehicle", "UAV Fixed Wing"): 0.125,
        ("Air Vehicle", "Manned Rotary Wing"): 0.125,
        ("Air Vehicle", "Manned Fixed Wing"): 0.125,
        ("Animal", None): 0.125,
        ("Animal", "Bird"): 0.125,
    }


def test_what_beliefs_leave_open_is_unknown():
    assert classes(bird=0.5) == {("Animal", None): 0.5, ("Animal", "Bird"): 0.5, ("Unknown", None): 0.5}
    assert classes() == {("Unknown", None): 1.0}
    assert classes(unknown=1.0) == {("Unknown", None): 1.0}


def test_all_classes_that_are_sent_were_registered():
    made = registration(NODE, T).registration.mode_definition[0].detection_definition[0]
    known = {
        (kind.type, part)
        for kind in made.detection_class_definition[0].class_definition
        for part in (None, *(sub.type for sub in kind.sub_class))
    }
    everything = classes(multirotor=0.2, fpv=0.1, fixed_wing=0.1, bird=0.1, aircraft=0.2, unknown=0.1)
    assert set(everything) == known
    kinds = {item.type for item in made.detection_report}
    sent = report(node=msgspec.structs.replace(NODE, exercise=True), age_s=1.0)
    assert {item.type for item in (*sent.object_info, *sent.track_info)} <= kinds


PROBABILITY = st.floats(0.0, 1.0)
KINDS = ("multirotor", "fpv", "fixed-wing", "bird", "aircraft", "unknown")
BELIEFS = st.dictionaries(st.sampled_from(KINDS), PROBABILITY)


@given(BELIEFS)
def test_confidences_never_add_up_to_more_than_one(beliefs):
    found = report(track(beliefs=beliefs)).classification
    assert sum(item.confidence for item in found) <= 1.0
    for item in found:
        assert sum(part.confidence for part in item.sub_class) <= item.confidence


def test_existence_is_the_detection_confidence():
    assert report(track(existence=0.5)).detection_confidence == 0.5
    assert report(track(existence=1.0)).detection_confidence == 1.0
    assert report(track(existence=math.nan)).detection_confidence == 0.0


def info(message):
    return [(item.type, item.value) for item in message.object_info]


def test_a_claim_never_stands_without_its_trust():
    assert info(report()) == [("claimedIdentity", "unverified: remote-id-serial 1581F4X")]
    assert info(report(track(trust=None))) == info(report())
    contradicted = info(report(track(trust="contradicted")))
    assert contradicted == [("claimedIdentity", "contradicted: remote-id-serial 1581F4X")]
    assert not report().HasField("id")
    assert info(report(track(identity=None, trust="ghost"))) == [("trust", "ghost")]
    assert info(report(track(identity=None, trust=None))) == []


def test_why_a_claim_is_not_believed_goes_with_it():
    doubted = info(report(track(trust="ghost", trust_reasons=("no-body-in-view", "two-places:1200m"))))
    assert doubted[1:] == [("trustReason", "no-body-in-view"), ("trustReason", "two-places:1200m")]


def test_a_claim_is_short_and_printable():
    nasty = Identity(scheme="remote-id-session", id="\x1b[2J\u202eA" + "B" * 500)
    ((_, value),) = info(report(track(identity=nasty)))
    assert value.isprintable()
    assert len(value) < 110


def test_how_old_it_is_is_said():
    assert not report().track_info
    assert [(item.type, item.value) for item in report(age_s=0.44).track_info] == [
        ("secondsSinceDetection", "0.4")
    ]
    assert not report(age_s=LOST_S).HasField("state")
    assert report(age_s=LOST_S + 0.1).state == LOST


def test_an_exercise_is_called_one_in_every_report():
    node = msgspec.structs.replace(NODE, exercise=True)
    assert ("exercise", "not a real object") in info(report(node=node))
    assert status(node, T, Condition(), changed=True).status_report.mode == "Exercise"
    assert goodbye(node, T).status_report.mode == "Exercise"
    assert alert(node, alarm(status="exercise"), None, T).alert.description.startswith("EXERCISE. ")
    assert alert(NODE, alarm(status="test"), None, T).alert.description.startswith("TEST. ")
    modes = [mode.mode_name for mode in registration(node, T).registration.mode_definition]
    assert modes == ["Default", "Exercise"]


# Alerts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "kind", "priority"), [("imminent", 3, 3), ("warning", 2, 2), ("advisory", 1, 1), ("info", 1, 1)]
)
def test_a_level_gives_type_and_priority(level, kind, priority):
    """CRITICAL, WARNING, INFORMATION; HIGH, MEDIUM, LOW."""
    made = alert(NODE, alarm(level=level), None, T).alert
    assert (made.alert_type, made.priority) == (kind, priority)
    assert made.description.startswith(level.upper())


@pytest.mark.parametrize(
    ("state", "number"), [("active-unacked", 1), ("active-acked", 2), ("returned-unacked", 1), ("cleared", 5)]
)
def test_a_state_gives_the_status(state, number):
    """ACTIVE, ACKNOWLEDGE, CLEAR."""
    assert alert(NODE, alarm(state=state), None, T).alert.status == number


def test_what_is_actual_is_never_called_an_exercise():
    node = msgspec.structs.replace(NODE, exercise=True)
    for known in (node, NODE):
        assert alert(known, alarm(), None, T).alert.description.startswith("IMMINENT")


def test_what_a_person_cancelled_is_rejected_and_not_cleared():
    said = alert(NODE, alarm(state="cleared", cancelled_by="Sgt Vega"), None, T).alert
    assert said.status == said.ALERT_STATUS_REJECT
    assert "cancelled it" in said.description
    assert "Vega" not in str(said)


def test_the_words_tell_the_states_apart():
    states = ("active-unacked", "active-acked", "returned-unacked", "cleared")
    words = [alert(NODE, alarm(state=state), None, T).alert.description for state in states]
    assert len(set(words)) == 4
    assert not any("clear" in text.lower() for text in words)


def test_an_alert_keeps_its_id_over_its_revisions_and_names_its_object():
    first, second = (alert(NODE, alarm(revision=n), track(), T + n).alert for n in (1, 2))
    assert first.alert_id == second.alert_id
    (seen,) = second.associated_detection
    assert (seen.node_id, seen.object_id) == (NODE.id, report().object_id)
    assert second.location == report().location


def test_an_alert_whose_drone_is_not_known_has_no_place():
    made = alert(NODE, alarm(), None, T).alert
    assert made.WhichOneof("location_oneof") is None
    assert not made.associated_detection


@given(st.sampled_from(SECRETS), st.sampled_from(("imminent", "warning", "advisory")), st.booleans())
def test_no_person_and_no_unit_is_ever_in_an_alert(secret, level, known):
    everywhere = alarm(
        level=level, units=(secret,), text={"en": secret, "es": secret}, reason=secret,
        acknowledged_by=secret, evidence=((secret, 1.0),),
    )  # fmt: skip
    data = write_message(alert(NODE, everywhere, track() if known else None, T))
    assert secret.encode() not in data
    for planted in SECRETS:
        assert planted.encode() not in data


def test_an_alert_does_not_give_the_reader_s_place_away():
    """The drone's place, and direction and distance from the reader, together are the reader's place."""
    near, far = alarm(), alarm(bearing_deg=200.0, range_m=1999.0, time_to_impact_s=(1.0, 2.0), earliest_s=1.0)
    assert alert(NODE, near, track(), T) == alert(NODE, far, track(), T)


# State of the station ------------------------------------------------------------------------------


def test_the_registration_says_what_it_is():
    made = registration(NODE, T).registration
    assert [item.node_type for item in made.node_definition] == [20]
    assert made.icd_version in SUPPORTED_ICD_VERSIONS
    assert made.status_definition.status_interval.value == 5.0
    assert made.status_definition.status_interval.units == 4
    commands = {command.type for mode in made.mode_definition for command in mode.task.command}
    assert commands == {1}
    assert all(mode.task.region_definition.region_type == [1] for mode in made.mode_definition)


def test_the_status_tells_where_the_site_is():
    place = read_location(status(NODE, T, Condition(), changed=True).status_report.node_location)
    assert (place.latitude_deg, place.longitude_deg, place.altitude_m) == (47.2, 8.5, 450.0)
    above = status(at(site("agl")), T, Condition(), changed=True).status_report.node_location
    assert not above.HasField("z")


@pytest.mark.parametrize(
    ("levels", "system"),
    [((), 1), (("information",), 1), (("warning", "information"), 2), (("warning", "error"), 3)],
)
def test_the_worst_note_is_the_state_of_the_system(levels, system):
    """OK, WARNING, ERROR."""
    condition = Condition(tuple(("internal-fault", level, "words") for level in levels))
    made = status(NODE, T, condition, changed=False).status_report
    assert made.system == system
    assert made.info == 2
    assert [item.status_value for item in made.status] == ["words"] * len(levels)


def test_goodbye():
    made = goodbye(NODE, T).status_report
    assert (made.system, made.info) == (5, 1)


def test_answers_go_to_who_asked():
    made = task_ack(NODE, T, task=ULID, to=OTHER, accepted=False, reason="no")
    assert (made.destination_id, made.task_ack.task_status, list(made.task_ack.reason)) == (OTHER, 2, ["no"])
    assert task_ack(NODE, T, task=ULID, to=OTHER, accepted=True, reason="yes").task_ack.task_status == 1
    answer = alert_ack(NODE, T, alert=ULID, to=OTHER, reason="shown")
    assert (answer.destination_id, answer.alert_ack.alert_ack_status) == (OTHER, 1)


def test_an_error_returns_only_the_head_of_what_came():
    made = error(NODE, T, packet=b"x" * 100_000, faults=["bad"], to=None)
    assert made.error.packet == b"x" * MAX_PACKET_BYTES
    assert not made.HasField("destination_id")


# All of it -----------------------------------------------------------------------------------------

FLOATS = st.floats(allow_nan=True, allow_infinity=True)
METRES = st.floats(-1e6, 1e6)
TRACKS = st.builds(
    Track,
    id=st.text(min_size=1, max_size=30),
    enu_m=st.tuples(METRES, METRES, METRES),
    velocity_mps=st.tuples(FLOATS, FLOATS, FLOATS),
    covariance=st.lists(FLOATS, min_size=21, max_size=21).map(tuple),
    existence=PROBABILITY,
    beliefs=BELIEFS,
    identity=st.none()
    | st.builds(
        Identity, scheme=st.sampled_from(("remote-id-serial", "icao", "mavlink")), id=st.text(max_size=200)
    ),
    trust=st.sampled_from((None, "verified", "unverified", "contradicted", "ghost")),
    updated=st.none() | st.floats(0.0, 4e9),
    height_known=st.booleans(),
)
ALERTS = st.builds(
    alarm,
    alert=st.text(min_size=1, max_size=30),
    revision=st.integers(1, 10_000),
    level=st.sampled_from(("imminent", "warning", "advisory", "info")),
    state=st.sampled_from(("active-unacked", "active-acked", "returned-unacked", "cleared")),
)
SITES = st.builds(
    site,
    st.sampled_from(("wgs84-ellipsoid", "egm96", "agl", "takeoff", "barometric")),
    lat_deg=st.floats(-90.0, 90.0),
    lon_deg=st.floats(-180.0, 180.0),
    alt_m=st.floats(-400.0, 6000.0),
    geoid_height_m=st.none() | st.floats(-110.0, 90.0),
)
NODES = st.builds(
    lambda where, exercise, name: at(where, exercise=exercise, name=name),
    SITES,
    st.booleans(),
    st.text(st.characters(categories=("L", "N", "P", "Zs")), min_size=1, max_size=80),
)
WALL = st.floats(0.0, 4e9)


def conforms(message, at_wall):
    data = write_message(message)
    assert len(data) < MAX_MESSAGE_BYTES
    again = read_message(data)
    assert again == message
    assert validate(again) == []
    assert timestamp_s(again) == pytest.approx(at_wall, abs=1e-6)
    assert write_json(again)


@settings(deadline=None)
@given(NODES, TRACKS, WALL, st.none() | st.floats(-10.0, 1e6))
def test_every_track_conforms(node, flying, at_wall, age_s):
    message = detection(node, flying, at_wall, age_s)
    conforms(message, at_wall)
    place = read_location(message.detection_report.location)
    assert place.altitude_m is None or flying.height_known


@settings(deadline=None)
@given(NODES, ALERTS, st.none() | TRACKS, WALL)
def test_every_alert_conforms(node, raised, flying, at_wall):
    conforms(alert(node, raised, flying, at_wall), at_wall)


@settings(deadline=None)
@given(
    NODES,
    WALL,
    st.lists(
        st.tuples(
            st.sampled_from(("not-detecting", "internal-fault", "other")),
            st.sampled_from(("information", "warning", "error")),
            st.text(max_size=80),
        )
    ),
)
def test_everything_else_conforms(node, at_wall, notes):
    for message in (
        registration(node, at_wall),
        status(node, at_wall, Condition(tuple(notes)), changed=True),
        status(node, at_wall, Condition(tuple(notes)), changed=False),
        goodbye(node, at_wall),
        task_ack(node, at_wall, task=ULID, to=OTHER, accepted=True, reason="r"),
        alert_ack(node, at_wall, alert=ULID, to=OTHER, reason="r"),
        error(node, at_wall, packet=b"", faults=["f"], to=OTHER),
    ):
        conforms(message, at_wall)
