"""Alerts as CAP messages: valid whatever the alert, and silent about people where they must be."""

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from msgspec.structs import replace

from vedette.express.cap import (
    END_LIFE_S,
    LEAST_LIFE_S,
    Moments,
    Publisher,
    cap_message,
    circle_round,
    identifier_of,
)
from vedette.express.cap_words import ENGLISH, SPANISH
from vedette.model import Alert, Roster
from vedette.model.event import Clear, Deliver
from vedette.model.threat import Threat
from vedette.warn import Warner
from vedette.warn.wording import end_reason
from vedette.wire.cap import (
    Circle,
    Named,
    Point,
    examine,
    ipaws_faults,
    read_alert,
    unix_seconds,
    write_alert,
)

AT = 1_790_000_000.0
WHEN = Moments(sent=AT, expires=AT + 60.0)
PUBLISHER = Publisher(sender="vedette@example.org", site="North Gate")
OPEN = replace(PUBLISHER, carries_position=True)
HERE = Circle(31.1234, 34.5678, 0.2)
ALERT = Alert(
    time=AT,
    alert="AQ7MZ2KXW3P",
    revision=1,
    level="imminent",
    state="active-unacked",
    units=("PATROL-SEVEN",),
    track="T1",
    behaviour="direct-run",
    text={
        "en": "DRONE ATTACK LIKELY. From NE, 815 m, 15-25 s.",
        "es": "ATAQUE DE DRON PROBABLE. Del NE, 815 m, 15-25 s.",
    },
    expires=AT + 60.0,
    bearing_deg=47.0,
    range_m=815.0,
    time_to_impact_s=(15.0, 25.0),
    earliest_s=12.0,
    evidence=(("closing at 33 m/s", 4.0),),
)
FIRST = cap_message(ALERT, PUBLISHER, WHEN)


def parameters(alert: Alert, publisher: Publisher = OPEN) -> dict[str, str]:
    info = cap_message(alert, publisher, WHEN, people=[HERE]).infos[0]
    return {named.name.removeprefix("vedette:"): named.value for named in info.parameters}


def test_an_alert_becomes_a_restricted_security_message_in_each_language() -> None:
    message = read_alert(write_alert(FIRST))
    assert (message.scope, message.status, message.msg_type) == ("Restricted", "Actual", "Alert")
    assert message.restriction
    assert (message.identifier, message.incidents, message.references) == ("AQ7MZ2KXW3P.1", "AQ7MZ2KXW3P", ())
    assert [info.language for info in message.infos] == ["en", "es"]
    assert [info.event for info in message.infos] == ["Drone attack likely", "Probable ataque de dron"]
    assert {(i.categories, i.response_types, i.urgency, i.severity, i.certainty) for i in message.infos} == {
        (("Security",), ("Shelter",), "Immediate", "Extreme", "Likely")
    }
    assert unix_seconds(message.sent) == AT
    assert {unix_seconds(info.expires or "") for info in message.infos} == {AT + 60}


@pytest.mark.parametrize(
    ("level", "behaviour", "values"),
    [
        ("imminent", "direct-run", ("Shelter", "Immediate", "Extreme", "Likely")),
        ("warning", "closing", ("Prepare", "Immediate", "Severe", "Likely")),
        ("warning", "loiter", ("Prepare", "Expected", "Severe", "Likely")),
        ("warning", "unknown", ("Prepare", "Expected", "Severe", "Possible")),
        ("advisory", "closing", ("Monitor", "Expected", "Moderate", "Possible")),
        ("info", "near", ("Monitor", "Future", "Minor", "Possible")),
    ],
)
def test_level_and_behaviour_set_the_values(level: str, behaviour: str, values: tuple[str, ...]) -> None:
    info = cap_message(replace(ALERT, level=level, behaviour=behaviour), PUBLISHER, WHEN).infos[0]
    assert (*info.response_types, info.urgency, info.severity, info.certainty) == values


def test_a_direction_without_a_distance_is_only_possible() -> None:
    vague = replace(ALERT, range_m=None, bearing_sigma_deg=9.0, behaviour="direction-only")
    assert cap_message(vague, PUBLISHER, WHEN).infos[0].certainty == "Possible"
    told = parameters(vague)
    assert told["direction-sigma-deg"] == "9"
    assert "distance-m" not in told


@pytest.mark.parametrize("publisher", [PUBLISHER, OPEN])
def test_what_is_only_possible_is_told_as_such(publisher: Publisher) -> None:
    message = cap_message(replace(ALERT, certainty="possible"), publisher, WHEN)
    assert [(info.event, info.certainty) for info in message.infos] == [
        ("Drone attack possible", "Possible"),
        ("Posible ataque de dron", "Possible"),
    ]


def test_the_long_form_is_the_description_where_places_may_be_told() -> None:
    long = {"en": "At length: from NE, 815 m from you.", "es": "Del NE, a 815 m de ustedes."}
    told = cap_message(replace(ALERT, long=long), OPEN, WHEN)
    assert [info.description for info in told.infos] == list(long.values())
    assert [info.headline for info in told.infos] == list(ALERT.text.values())
    closed = write_alert(cap_message(replace(ALERT, long=long), PUBLISHER, WHEN))
    assert b"815" not in closed
    exercise = cap_message(replace(ALERT, long=long), replace(OPEN, mode="exercise"), WHEN)
    assert all(info.description.startswith(("EXERCISE", "SIMULACRO")) for info in exercise.infos)


def test_a_revision_refers_to_the_one_before() -> None:
    second = cap_message(replace(ALERT, revision=2), PUBLISHER, WHEN, before=FIRST.reference)
    assert (second.msg_type, second.references) == ("Update", (FIRST.reference,))
    assert second.identifier != FIRST.identifier
    assert read_alert(write_alert(second)) == second


ENDED = replace(
    ALERT,
    revision=3,
    state="cleared",
    reason="drone not seen since 14:32:11 UTC; acknowledged by Maria Lopez",
    text={"en": "Drone not seen since 14:32:11 UTC, last NE 815 m."},
    expires=AT,
)


@pytest.mark.parametrize("publisher", [PUBLISHER, OPEN], ids=["coarse", "open"])
def test_an_end_is_a_cancel_that_says_why_and_never_that_all_is_clear(publisher: Publisher) -> None:
    message = cap_message(ENDED, publisher, WHEN, before=FIRST.reference)
    data = write_alert(message)
    assert (message.msg_type, message.references) == ("Cancel", (FIRST.reference,))
    assert message.note == "Ended: drone not seen since 14:32:11 UTC"
    info = message.infos[0]
    assert (info.urgency, info.response_types) == ("Past", ("Monitor",))
    assert "not seen since 14:32:11" in (info.headline or "")
    assert unix_seconds(info.expires or "") == AT + END_LIFE_S
    for word in (b"AllClear", b"Lopez", b"Maria", b"clear<", b"safe"):
        assert word not in data


def test_an_end_that_nobody_knows_the_beginning_of_is_no_message() -> None:
    with pytest.raises(ValueError, match="never told"):
        cap_message(ENDED, PUBLISHER, WHEN)


@pytest.mark.parametrize("kind", ["unseen", "away"])
@pytest.mark.parametrize("range_m", [None, 815.0])
def test_the_reasons_of_the_warner_are_known_here(kind: str, range_m: float | None) -> None:
    reason = end_reason(kind, AT, 47.0, range_m)  # type: ignore[arg-type]
    for publisher in (PUBLISHER, OPEN):
        note = cap_message(replace(ENDED, reason=reason), publisher, WHEN, before=FIRST.reference).note or ""
        assert ENGLISH.by_the_site not in note
        assert ("815" in note or "800" in note) <= publisher.carries_position


def test_a_reason_that_a_person_wrote_stays_at_the_site() -> None:
    written = replace(ENDED, reason="false alarm, Lopez saw a heron at the well")
    data = write_alert(cap_message(written, PUBLISHER, WHEN, before=FIRST.reference))
    assert b"Lopez" not in data
    assert b"ended by the site" in data


@pytest.mark.parametrize(
    ("mode", "status", "mark"),
    [("exercise", "Exercise", "EXERCISE, not real"), ("test", "Test", "TEST, not real")],
)
def test_what_is_not_real_is_marked_everywhere_it_is_read(mode: str, status: str, mark: str) -> None:
    message = cap_message(ALERT, replace(PUBLISHER, mode=mode, note="drill 7"), WHEN)
    write_alert(message)
    assert message.status == status
    assert message.note == f"{mark}. drill 7"
    english, spanish = message.infos
    for text in (english.event, english.headline, english.description, english.instruction):
        assert (text or "").startswith(mark)
    for text in (spanish.event, spanish.headline, spanish.description, spanish.instruction):
        assert (text or "").startswith(SPANISH.exercise if mode == "exercise" else SPANISH.test)
    assert Named(f"vedette:{mode}", "not real") in english.parameters


def test_what_is_real_carries_no_such_mark() -> None:
    data = write_alert(FIRST)
    assert FIRST.note is None
    for words in (ENGLISH, SPANISH):
        assert words.exercise.encode() not in data
        assert words.test.encode() not in data


def test_positions_go_only_where_they_may() -> None:
    """Reads the bytes: no place of a person, and nothing that gives one together with the drone's place."""
    coarse, whole = (write_alert(cap_message(ALERT, p, WHEN, people=[HERE])) for p in (PUBLISHER, OPEN))
    secrets = (
        b"31.1234",
        b"34.5678",
        b"circle",
        b"815",
        b"NE",
        b"47",
        b"15-25",
        b"direction",
        b"distance",
        b"time-left",
    )
    assert [secret for secret in secrets if secret in coarse] == []
    assert [secret for secret in secrets if secret not in whole] == []
    for data in (coarse, whole):
        for secret in (b"PATROL", b"T1<", b"closing at 33"):
            assert secret not in data
    assert b"<areaDesc>North Gate</areaDesc></area>" in coarse


@given(
    lat=st.floats(-89, 89),
    lon=st.floats(-179, 179),
    bearing=st.integers(0, 359),
    distance=st.integers(10, 5000),
    state=st.sampled_from(["active-unacked", "active-acked", "returned-unacked", "cleared"]),
)
def test_a_coarse_message_does_not_depend_on_where_anybody_is(
    lat: float, lon: float, bearing: int, distance: int, state: str
) -> None:
    alert = replace(ALERT, state=state, reason="drone moved away: last NE 800 m")
    elsewhere = replace(
        alert,
        bearing_deg=float(bearing),
        range_m=float(distance),
        time_to_impact_s=(1.0, distance / 30.0),
        earliest_s=distance / 50.0,
        axes_deg=(1.0, float(bearing)),
        text={"en": f"From {bearing}, {distance} m.", "es": "x"},
        reason=f"drone moved away: last SW {distance} m",
        units=("SOMEBODY",),
        track="T2",
        acknowledged_by="Somebody",
        evidence=((f"{distance} m", 1.0),),
    )
    there = [Circle(lat, lon, 1.0)]
    first, second = (
        write_alert(
            cap_message(a, PUBLISHER, WHEN, before=FIRST.reference if a.revision > 1 else None, people=p)
        )
        for a, p in ((replace(alert, revision=2), [HERE]), (replace(elsewhere, revision=2), there))
    )
    assert first == second


def test_the_outline_that_the_operator_drew_is_the_area() -> None:
    outline = (Point(1.0, 1.0), Point(1.0, 2.0), Point(2.0, 2.0), Point(1.0, 1.0))
    area = cap_message(ALERT, replace(PUBLISHER, outline=outline), WHEN, people=[HERE]).infos[0].areas[0]
    assert (area.polygons, area.circles) == ((outline,), ())


def test_figures_are_from_the_people_at_risk() -> None:
    told = parameters(replace(ALERT, attackers=3, axes_deg=(47.0, 190.0)))
    assert told == {
        "level": "imminent",
        "state": "active-unacked",
        "behaviour": "direct-run",
        "revision": "1",
        "drones": "3",
        "direction-deg": "47",
        "distance-m": "815",
        "directions-deg": "47 190",
        "time-left-s": "15-25",
        "earliest-s": "12",
    }


def test_where_nobody_knows_where_the_people_are_the_site_is_named() -> None:
    area = cap_message(ALERT, OPEN, WHEN).infos[0].areas[0]
    assert (area.description, area.circles) == ("North Gate", ())


@given(
    sigma_m=st.floats(0.1, 500),
    age_s=st.floats(0, 3600),
    mobility=st.sampled_from(["foot", "vehicle", "post"]),
    direction=st.floats(0, math.tau),
)
def test_a_circle_holds_whoever_walked_as_far_as_possible(
    sigma_m: float, age_s: float, mobility: str, direction: float
) -> None:
    lat, lon = 31.123456, 34.567891
    circle = circle_round(lat, lon, sigma_m=sigma_m, age_s=age_s, mobility=mobility)  # type: ignore[arg-type]
    walked_m = 3.0 * sigma_m + {"foot": 2.0, "vehicle": 25.0, "post": 0.0}[mobility] * age_s
    north_m = walked_m * math.cos(direction) + (lat - circle.lat_deg) * 111_000.0
    east_m = walked_m * math.sin(direction) + (lon - circle.lon_deg) * 111_000.0 * math.cos(math.radians(lat))
    assert math.hypot(north_m, east_m) <= circle.radius_km * 1000.0
    assert circle.radius_km * 1000.0 <= max(walked_m, 100.0) + 101.0


# Every alert that the model can hold ---------------------------------------------------------------

figures = st.floats(0.0, 1e5)
odd_text = st.text(max_size=40)
alerts = st.builds(
    Alert,
    time=st.floats(0, 4e9),
    alert=st.text(min_size=1, max_size=20),
    revision=st.integers(1, 10**6),
    level=st.sampled_from(["imminent", "warning", "advisory", "info"]),
    state=st.sampled_from(["active-unacked", "active-acked", "returned-unacked", "cleared"]),
    units=st.lists(odd_text, min_size=1, max_size=3).map(tuple),
    track=odd_text,
    behaviour=st.sampled_from(
        ["direct-run", "closing", "near", "loiter", "receding", "direction-only", "unknown"]
    ),
    text=st.dictionaries(
        st.sampled_from(["en", "EN", "es", "fr-CA", "x y", ""]) | odd_text, odd_text, max_size=4
    ),
    expires=st.floats(0, 4e9),
    bearing_deg=st.floats(-720, 720),
    range_m=st.none() | figures,
    bearing_sigma_deg=st.none() | st.floats(0, 180),
    attackers=st.integers(1, 50),
    axes_deg=st.lists(st.floats(0, 360), max_size=3).map(tuple),
    reason=st.none() | odd_text,
    time_to_impact_s=st.none() | st.tuples(figures, figures),
    earliest_s=st.none() | figures,
    acknowledged_by=st.none() | odd_text,
)
publishers = st.builds(
    Publisher,
    sender=st.just("vedette@example.org"),
    site=st.text(min_size=1, max_size=20),
    mode=st.sampled_from(["actual", "exercise", "test"]),
    note=st.none() | odd_text,
    carries_position=st.booleans(),
)


@settings(max_examples=300)
@given(alert=alerts, publisher=publishers, life_s=st.floats(-1e4, 1e4), known=st.booleans())
def test_every_alert_is_a_good_message(
    alert: Alert, publisher: Publisher, life_s: float, known: bool
) -> None:
    moments = Moments(sent=alert.time, expires=alert.time + life_s)
    before = FIRST.reference if known or alert.state == "cleared" else None
    message = cap_message(alert, publisher, moments, before=before, people=[HERE])
    data = write_alert(message)
    assert examine(data).faults == ()
    assert read_alert(data) == read_alert(write_alert(read_alert(data)))
    assert message.scope == "Restricted"
    assert "AllClear" not in [kind for info in message.infos for kind in info.response_types]
    lives = {(unix_seconds(i.expires or "") or 0) - (unix_seconds(message.sent) or 0) for i in message.infos}
    assert min(lives) >= LEAST_LIFE_S
    assert "ipaws-scope" in [fault.rule for fault in ipaws_faults(data)]


@pytest.mark.field
def test_messages_of_all_kinds_are_valid_by_the_schema(field_data: Path) -> None:
    schema = etree.XMLSchema(etree.parse(field_data / "protocols" / "cap" / "CAP-v1.2.xsd"))
    for publisher in (PUBLISHER, OPEN, replace(OPEN, mode="exercise"), replace(PUBLISHER, mode="test")):
        for state in ("active-unacked", "active-acked", "returned-unacked", "cleared"):
            for level in ("imminent", "warning", "advisory", "info"):
                alert = replace(ALERT, state=state, level=level, revision=2)
                message = cap_message(alert, publisher, WHEN, before=FIRST.reference, people=[HERE])
                schema.assertValid(etree.fromstring(write_alert(message)))


def test_a_whole_alarm_from_the_warner_is_a_chain_of_messages() -> None:
    warner = Warner()
    warner.roster(Roster(version=1))
    at, sent = AT, list[Deliver | Clear]()
    for second in range(420):
        near = second < 60
        threat = Threat(
            time=at,
            track="T1",
            unit="U1",
            risk=0.9 if near else 0.1,
            behaviour="closing" if near else "receding",
            level=("warning" if second < 20 else "imminent") if near else "info",
            evidence=(("closing", 3.0),),
            bearing_deg=47.0 + second * 2,
            range_m=1000.0 - 10 * second if near else 900.0,
            time_to_impact_s=(10.0, 20.0) if near else None,
        )
        intents = [*warner.threats((threat,), at), *warner.tick(at)]
        sent += [intent for intent in intents if isinstance(intent, Deliver | Clear)]
        at += 1.0
    assert isinstance(sent[-1], Clear)
    before, kinds, names = None, [], []
    revisions = {intent.alert.revision: intent.alert for intent in reversed(sent)}
    for alert in [revisions[number] for number in sorted(revisions)]:
        message = cap_message(alert, OPEN, Moments(sent=alert.time, expires=alert.expires), before=before)
        assert read_alert(write_alert(message)) == message
        assert message.references == (() if before is None else (before,))
        before = message.reference
        kinds.append(message.msg_type)
        names.append(identifier_of(alert))
    assert (kinds[0], set(kinds[1:-1]), kinds[-1]) == ("Alert", {"Update"}, "Cancel")
    assert len(set(names)) == len(names) > 3
