"""Tracks and alerts as CoT: what they say, to whom, and what they never say."""

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from vedette.express.cot import (
    Addressee,
    Speaker,
    alert_events,
    alert_text,
    clear_events,
    long_text,
    message_id,
    ping_event,
    pong_event,
    presence_event,
    track_event,
)
from vedette.geo import LocalFrame
from vedette.model import Alert, Identity, Site, Track
from vedette.model.event import Clear, Deliver
from vedette.sense.cot import Ears, Unused, interpret
from vedette.wire.cot import Destination, find_message_id, read_event, write_event

T = 1_795_000_000.0
SITE = Site(name="Testfield", lat_deg=47.2, lon_deg=8.5, alt_m=450.0, alt_datum="wgs84-ellipsoid")
SPEAKER = Speaker(uid="VEDETTE-hq", callsign="VEDETTE", key=b"key", place=(47.2, 8.5))
ALPHA = Addressee(uid="UID-A", callsign="ALPHA")


def track(**changes):
    base = Track(
        id="t17",
        enu_m=(300.0, 400.0, 60.0),
        velocity_mps=(-12.0, -16.0, 0.0),
        covariance=(34.0, 12.0, 0, 0, 0, 0, 41.0, 0, 0, 0, 0, 9.0, 0, 0, 0, 1.0, 0, 0, 1.0, 0, 1.0),
        existence=0.99,
        beliefs={"multirotor": 0.9, "unknown": 0.1},
        trust="unverified",
        identity=Identity(scheme="remote-id-serial", id="1581F4X"),
    )
    return msgspec.structs.replace(base, **changes)


def alert(**changes):
    base = Alert(
        time=T, alert="a-3f9c", revision=2, level="imminent", state="active-unacked", units=("UID-A",),
        track="t17", behaviour="direct-run", expires=T + 45.0, bearing_deg=36.9, range_m=500.0,
        text={"en": "DRONE ATTACK LIKELY.", "es": "ATAQUE DE DRON PROBABLE."},
    )  # fmt: skip
    return msgspec.structs.replace(base, **changes)


def deliver(changed=None, to=ALPHA, seen=None, expires=T + 45.0):
    delivery = Deliver(alert=changed or alert(), recipients=(to.uid,), rule="at-risk", roster_version=1)
    return alert_events(delivery, to, SPEAKER, at_wall=T, expires_wall=expires, seen=seen)


def seen(**changes):
    return track_event(track(**changes), SITE, at_wall=T, age_s=0.4)


def test_a_track_is_where_it_is():
    event = seen()
    frame = LocalFrame(SITE.lat_deg, SITE.lon_deg, SITE.alt_m)
    assert frame.to_enu(event.lat_deg, event.lon_deg, event.hae_m) == pytest.approx((300, 400, 60), abs=1e-3)
    assert event.uid == "vedette.t17"
    assert event.stale == T + 15.0
    assert event.course_deg == pytest.approx(math.degrees(math.atan2(-12, -16)) % 360)
    assert event.speed_mps == pytest.approx(20.0)


def test_the_error_is_the_one_sigma_major_axis():
    """[[34, 12], [12, 41]] has the eigenvalues 50 and 25."""
    event = seen()
    assert event.ce_m == pytest.approx(math.sqrt(50.0))
    assert event.le_m == pytest.approx(3.0)


def test_a_height_that_is_not_known_is_not_given():
    event = seen(height_known=False)
    assert (event.hae_m, event.le_m) == (None, None)
    assert "Height not known" in event.remarks.text


@pytest.mark.parametrize(
    ("changes", "height"),
    [
        ({"alt_datum": "egm96", "geoid_height_m": 47.0}, 557.0),
        ({"alt_datum": "egm96"}, None),
        ({"alt_datum": "barometric"}, None),
    ],
)
def test_heights_of_other_datums_never_pass_for_the_ellipsoid(changes, height):
    site = msgspec.structs.replace(SITE, **changes)
    event = track_event(track(), site, at_wall=T)
    assert event.hae_m == (None if height is None else pytest.approx(height, abs=0.1))
    assert event.lat_deg == pytest.approx(seen().lat_deg, abs=1e-6)


@pytest.mark.parametrize(
    ("beliefs", "kind"),
    [
        ({"multirotor": 0.9}, "a-u-A-M-H-Q"),
        ({"fpv": 1.0}, "a-u-A-M-H-Q"),
        ({"unknown": 1.0}, "a-u-A-M-H-Q"),
        ({}, "a-u-A-M-H-Q"),
        ({"fixed-wing": 0.6, "multirotor": 0.4}, "a-u-A-M-H-Q"),
        ({"fixed-wing": 0.7}, "a-u-A-M-F-Q"),
        ({"bird": 0.8}, "a-u-A"),
        ({"aircraft": 0.8}, "a-u-A"),
    ],
)
@pytest.mark.parametrize("trust", ["verified", "unverified", "contradicted", "ghost", None])
def test_the_type_follows_belief_and_is_never_friend_or_foe(beliefs, kind, trust):
    assert seen(beliefs=beliefs, trust=trust).type == kind


def test_the_remarks_say_why_a_claim_is_not_believed():
    reasons = ("no-body-in-view", "two-places:1200m")
    text = seen(trust="ghost", trust_reasons=reasons).remarks.text
    assert "It says it is 1581F4X (remote-id-serial): ghost (no-body-in-view, two-places:1200m)." in text


def test_the_remarks_say_what_who_how_sure_and_how_old():
    text = seen().remarks.text
    for part in ("multirotor 90%", "1581F4X", "unverified", "Within 7 m", "0.4 s"):
        assert part in text
    bare = track_event(track(identity=None, beliefs={}), SITE, at_wall=T).remarks.text
    for part in ("kind not known", "No identity", "Age not known"):
        assert part in bare


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_numbers_that_are_none_become_unknown(bad):
    event = seen(covariance=(bad,) * 21, velocity_mps=(bad, 0.0, 0.0))
    assert (event.ce_m, event.le_m, event.course_deg, event.speed_mps) == (None, None, None, None)
    assert read_event(write_event(event)).ce_m is None


def test_an_alert_is_a_chat_to_one_person():
    (event,) = deliver()
    assert event.type == "b-t-f"
    assert event.remarks.text == "DRONE ATTACK LIKELY."
    assert event.stale == T + 45.0
    assert event.destinations == (Destination(callsign="ALPHA", uid="UID-A"),)
    chat = event.chat
    assert (chat.id, chat.chatroom, chat.uid0, chat.uid1) == ("UID-A", "ALPHA", "VEDETTE-hq", "UID-A")
    assert event.uid == f"GeoChat.VEDETTE-hq.UID-A.{chat.message_id}"
    found = find_message_id(chat.message_id)
    assert (found.reference, found.revision) == ("a-3f9c", 2)


def test_the_chat_is_what_atak_reads():
    root = etree.fromstring(write_event(deliver()[0]))
    detail = root.find("detail")
    assert dict(detail.find("__chat").attrib) == {
        "parent": "RootContactGroup",
        "groupOwner": "false",
        "messageId": message_id(alert(), ALPHA, SPEAKER),
        "chatroom": "ALPHA",
        "id": "UID-A",
        "senderCallsign": "VEDETTE",
    }
    group = dict(detail.find("__chat/chatgrp").attrib)
    assert group == {"uid0": "VEDETTE-hq", "uid1": "UID-A", "id": "UID-A"}
    assert dict(detail.find("link").attrib) == {
        "uid": "VEDETTE-hq", "type": "a-f-G-U-C", "relation": "p-p",
    }  # fmt: skip
    remarks = dict(detail.find("remarks").attrib)
    assert (remarks["source"], remarks["to"]) == ("BAO.F.ATAK.VEDETTE-hq", "UID-A")
    assert [dict(dest.attrib) for dest in detail.findall("marti/dest")] == [
        {"callsign": "ALPHA", "uid": "UID-A"}
    ]


def test_the_marker_is_at_the_drone_and_for_the_same_person_only():
    chat, marker = deliver(seen=seen())
    assert marker.type == "a-s-A-M-H-Q"
    assert (marker.lat_deg, marker.lon_deg, marker.hae_m) == (seen().lat_deg, seen().lon_deg, seen().hae_m)
    assert marker.destinations == chat.destinations
    assert marker.remarks.text == chat.remarks.text
    assert marker.stale == chat.stale
    assert marker.emergency is None
    assert marker.uid == "vedette.alert.a-3f9c.UID-A"


@pytest.mark.parametrize(
    ("level", "kind"),
    [("imminent", "a-s"), ("warning", "a-s"), ("advisory", "a-u"), ("info", "a-u")],
)
def test_only_a_warning_makes_a_suspect(level, kind):
    assert deliver(alert(level=level), seen=seen())[1].type.startswith(f"{kind}-A")


def test_an_unvouched_callsign_is_not_used_to_address():
    (event,) = deliver(to=Addressee(uid="UID-A"))
    assert event.destinations == (Destination(uid="UID-A"),)
    assert event.chat.chatroom == "UID-A"


@pytest.mark.parametrize("trap", ["All Chat Rooms", "all chat rooms", "Cyan", "Dark Blue"])
def test_a_callsign_that_names_a_room_is_not_used_as_one(trap):
    (event,) = deliver(to=Addressee(uid="UID-A", callsign=trap))
    assert event.chat.chatroom == "UID-A"


@pytest.mark.parametrize(
    ("texts", "language", "shown"),
    [
        ({"en": "E", "es": "S"}, "es", "S"),
        ({"en": "E", "es": "S"}, "uk", "E"),
        ({"fr": "F", "de": "D"}, "uk", "D"),
        ({"en": " "}, "en", "IMMINENT: drone, bearing 037, 500 m."),
        ({}, "en", "IMMINENT: drone, bearing 037, 500 m."),
    ],
)
def test_there_are_always_words(texts, language, shown):
    assert alert_text(alert(text=texts), language) == shown


def test_an_alert_that_all_but_expired_lives_long_enough_to_be_shown():
    for event in deliver(seen=seen(), expires=T - 100.0):
        assert event.stale == T + 5.0


def test_each_person_and_revision_has_a_message_id_of_its_own():
    ids = {
        message_id(alert(revision=revision), Addressee(uid=uid), SPEAKER)
        for revision in (1, 2)
        for uid in ("UID-A", "UID-B")
    }
    assert len(ids) == 4
    assert message_id(alert(), ALPHA, SPEAKER) == message_id(alert(), ALPHA, SPEAKER)


def test_the_end_tells_why_and_takes_the_marker_off():
    clear = Clear(alert=alert(revision=3, text={"en": "Drone left. Stay alert."}), recipients=("UID-A",))
    chat, deletion = clear_events(clear, ALPHA, SPEAKER, at_wall=T, expires_wall=T + 60.0)
    assert chat.remarks.text == "Drone left. Stay alert."
    assert deletion.type == "t-x-d-d"
    assert deletion.force_delete
    assert deletion.links[0].uid == deliver(seen=seen())[1].uid
    assert deletion.destinations == chat.destinations == (Destination(callsign="ALPHA", uid="UID-A"),)


def test_what_we_send_never_comes_back_as_a_unit():
    """A server echoes; nothing of ours may turn into a protected unit or a receipt."""
    clear = Clear(alert=alert(), recipients=("UID-A",))
    ours = [
        *deliver(seen=seen()),
        *clear_events(clear, ALPHA, SPEAKER, at_wall=T, expires_wall=T),
        seen(),
        presence_event(SPEAKER, T),
        presence_event(Speaker(uid="VEDETTE-other", callsign="V2", key=b""), T),
        ping_event("VEDETTE-hq", T),
        pong_event(T),
    ]
    ears = Ears("hq", "VEDETTE-hq", SPEAKER.key)
    for event in ours:
        echo = read_event(write_event(event))
        assert isinstance(interpret(echo, ears, {"UID-A": ("a-3f9c", 2)}, time=T, received=T), Unused)


def test_the_station_shows_its_place_only_if_it_is_to():
    assert (presence_event(SPEAKER, T).lat_deg, presence_event(SPEAKER, T).lon_deg) == (47.2, 8.5)
    hidden = presence_event(msgspec.structs.replace(SPEAKER, place=None), T)
    assert (hidden.lat_deg, hidden.lon_deg, hidden.ce_m) == (0.0, 0.0, None)


@pytest.mark.field
def test_all_that_is_expressed_is_valid_by_the_schema_of_mitre(field_data):
    (path,) = (field_data / "protocols" / "cot" / "mitre-xsd").glob("CoT Base-Event*.xsd")
    schema = etree.XMLSchema(etree.parse(path))
    clear = Clear(alert=alert(), recipients=("UID-A",))
    events = [
        *deliver(seen=seen()),
        *clear_events(clear, ALPHA, SPEAKER, at_wall=T, expires_wall=T),
        seen(height_known=False),
        presence_event(SPEAKER, T),
        ping_event("VEDETTE-hq", T),
        pong_event(T),
    ]
    for event in events:
        schema.assertValid(etree.fromstring(write_event(event)))


coordinates = st.floats(-50_000.0, 50_000.0)


@settings(deadline=None)
@given(
    st.tuples(coordinates, coordinates, st.floats(-400.0, 10_000.0)),
    st.tuples(*[st.floats(-300.0, 300.0)] * 3),
    st.lists(st.floats(-1e6, 1e6), min_size=21, max_size=21),
    st.text(max_size=30),
    st.text(max_size=30),
)
def test_any_track_and_any_words_can_be_written(enu, velocity, covariance, identity, words):
    odd = track(
        enu_m=enu,
        velocity_mps=velocity,
        covariance=tuple(covariance),
        identity=Identity(scheme="remote-id-session", id=identity),
    )
    event = track_event(odd, SITE, at_wall=T)
    person = Addressee(uid="UID-A", callsign=words or None)
    for written in (event, *deliver(alert(text={"en": words}), to=person, seen=event)):
        again = read_event(write_event(written))
        assert again.lat_deg == pytest.approx(written.lat_deg, abs=1e-6)
        assert again.ce_m is None or again.ce_m > 0.0


@pytest.mark.parametrize(("status", "mark"), [("exercise", "EXERCISE "), ("test", "TEST "), ("actual", "")])
def test_what_is_not_actual_says_so_first_in_every_name(status, mark):
    made = alert(status=status, text={})
    chat, marker = deliver(made, seen=seen())
    assert marker.callsign == f"{mark}DRONE IMMINENT"
    assert chat.remarks.text.startswith(f"{mark}IMMINENT: drone, bearing 037")


@pytest.mark.parametrize(
    ("language", "shown"), [("es", "Dron, largo."), ("en", "Drone, at length."), ("fr", "Drone, at length.")]
)
def test_the_marker_says_it_at_length_and_the_message_in_one_line(language: str, shown: str) -> None:
    said = alert(long={"en": "Drone, at length.", "es": "Dron, largo."})
    assert long_text(said, language) == shown
    assert long_text(alert(), language) == alert_text(alert(), language)
