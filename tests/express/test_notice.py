"""What ways out say of an alert: nothing from which a place follows, marks first, the same id each time."""

import string

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.express.home_assistant import Place, discovery, state_of, topic_level
from vedette.express.notice import (
    DETAIL_LIMIT,
    SHORT_LIMIT,
    Notice,
    Teller,
    Told,
    notice_id,
    notice_json,
    notice_of,
)
from vedette.model import Alert
from vedette.model.event import Clear, Deliver

LEVELS = ("imminent", "warning", "advisory", "info")
STATES = ("active-unacked", "active-acked", "returned-unacked", "cleared")


def alert(**changes: object) -> Alert:
    fields: dict[str, object] = {
        "time": 5.0, "alert": "AQ7MZ2KXW3P", "revision": 2, "level": "warning", "state": "active-unacked",
        "units": ("UID-A",), "track": "T1", "behaviour": "closing", "expires": 65.0, "bearing_deg": 47.0,
        "range_m": 815.0, "text": {"en": "From NE, 815 m.", "es": "Desde NE, 815 m."},
    }  # fmt: skip
    return Alert(**{**fields, **changes})  # type: ignore[arg-type]


def deliver(**changes: object) -> Deliver:
    made = alert(**changes)
    return Deliver(alert=made, recipients=made.units, rule="at-risk", roster_version=1, sound=True)


def told(recipient: str = "UID-A", **changes: object) -> Told:
    fields: dict[str, object] = {"recipient": recipient, "time": 1_795_400_500.0, "expires": 1_795_400_560.0}
    return Told(**{**fields, **changes})  # type: ignore[arg-type]


def notice(
    message: Deliver | Clear, recipient: str = "UID-A", position: bool = False, **more: object
) -> Notice:
    return notice_of(message, told(recipient, **more), Teller(station="Site", carries_position=position))


ANYWHERE = st.fixed_dictionaries(
    {
        "bearing_deg": st.floats(0.0, 360.0),
        "range_m": st.none() | st.floats(0.0, 1e5),
        "time_to_impact_s": st.none() | st.tuples(st.floats(0.0, 100.0), st.floats(100.0, 200.0)),
        "earliest_s": st.none() | st.floats(0.0, 100.0),
        "axes_deg": st.lists(st.floats(0.0, 360.0), max_size=3).map(tuple),
        "bearing_sigma_deg": st.none() | st.floats(0.0, 90.0),
        "text": st.dictionaries(st.sampled_from(["en", "es"]), st.text()),
        "reason": st.none() | st.text(),
        "evidence": st.lists(st.tuples(st.text(), st.floats(0.0, 9.0)), max_size=3).map(tuple),
        "acknowledged_by": st.none() | st.text(),
        "cancelled_by": st.none() | st.text(),
    }
)


@given(ANYWHERE, st.sampled_from(LEVELS), st.sampled_from(STATES), st.booleans())
def test_nothing_told_depends_on_where_anybody_is_or_on_who_did_what(
    where: dict[str, object], level: str, state: str, ended: bool
) -> None:
    def made(**changes: object) -> bytes:
        one = deliver(level=level, state=state, **changes)
        message = Clear(alert=one.alert, recipients=one.recipients) if ended else one
        return notice_json(notice(message))

    assert made(**where) == made(text={})


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("recipient", ["UID-A", "UID-LEAD"])
def test_texts_fit_a_phone(level: str, state: str, recipient: str) -> None:
    made = notice(
        deliver(level=level, state=state, count=120), recipient, about="A CALLSIGN THAT IS VERY LONG\r\n"
    )
    for language in ("en", "es"):
        assert len(made.text[language]) <= SHORT_LIMIT
        assert len(made.detail[language]) <= DETAIL_LIMIT
        assert made.detail[language].startswith(made.text[language])
        assert "\n" not in made.detail[language]
        for never in ("clear", "confirmed", "safe", "despejado"):
            assert never not in made.detail[language].lower()


@pytest.mark.parametrize("status", ["exercise", "test"])
@pytest.mark.parametrize("ended", [False, True])
def test_what_is_not_real_says_so_first_everywhere(status: str, ended: bool) -> None:
    one = deliver(status=status)
    made = notice(Clear(alert=one.alert, recipients=()) if ended else one)
    assert made.status == status
    marks = {"en": f"{status.upper()}, not real: ", "es": {"exercise": "SIMULACRO", "test": "PRUEBA"}[status]}
    for language, mark in marks.items():
        assert made.text[language].startswith(mark)
        assert made.detail[language].startswith(mark)
    real = notice(deliver())
    assert not any(word in str(real) for word in ("EXERCISE", "TEST", "SIMULACRO", "PRUEBA"))


def test_the_alerts_own_words_only_where_places_may_be_told() -> None:
    made = notice(deliver(time_to_impact_s=(14.2, 22.9)), position=True)
    assert made.text == {"en": "From NE, 815 m.", "es": "Desde NE, 815 m."}
    assert msgspec.to_builtins(made.figures) == {
        "direction_deg": 47, "distance_m": 815, "time_left_s": (14, 22),
    }  # fmt: skip
    assert notice(deliver()).figures is None


@given(st.text(min_size=1), st.text(min_size=1), st.integers(0, 10**6))
def test_an_id_is_the_same_each_time_and_fits_any_header(name: str, recipient: str, revision: int) -> None:
    one = deliver(alert=name, revision=revision)
    made = notice_id(one, recipient)
    assert made == notice_id(deliver(alert=name, revision=revision, level="imminent"), recipient)
    assert set(made) <= set(string.ascii_letters + string.digits + "-_")
    assert made != notice_id(one, recipient + "x")
    assert made != notice_id(Clear(alert=one.alert, recipients=()), recipient)


# Home Assistant ------------------------------------------------------------------------------------


def test_a_station_without_alerts_promises_nothing() -> None:
    state = state_of(())
    assert (state.danger, state.level, state.siren, state.exercise) == ("OFF", "no-alert", "OFF", "no-alert")


@pytest.mark.parametrize(
    ("changes", "siren"),
    [
        ({"level": "imminent"}, "ON"),
        ({"level": "warning"}, "ON"),
        ({"level": "advisory"}, "OFF"),
        ({"state": "active-acked"}, "OFF"),
        ({"silenced": "noise"}, "OFF"),
        ({"desk_level": "advisory"}, "OFF"),
        ({"out_of_service": "gone"}, "OFF"),
        ({"level": "imminent", "silenced": "noise", "desk_level": "info", "out_of_service": "gone"}, "ON"),
        ({"level": "imminent", "status": "exercise"}, "OFF"),
    ],
)
def test_a_siren_sounds_for_what_may_sound(changes: dict[str, object], siren: str) -> None:
    assert state_of((alert(**changes),)).siren == siren


def test_a_drill_sounds_only_where_it_was_asked_for() -> None:
    drill = alert(level="imminent", status="test")
    state = state_of((drill,), drills_sound=True)
    assert (state.siren, state.danger, state.level, state.test) == ("ON", "OFF", "no-alert", "imminent")


@given(st.lists(st.text(min_size=1, max_size=80), unique=True, max_size=6))
def test_no_two_units_share_a_topic_and_none_leaves_its_level(units: list[str]) -> None:
    assert len({topic_level(unit) for unit in units}) == len(units)
    for unit in units:
        assert not set(topic_level(unit)) & set("/+#\0 ")
        assert len(topic_level(unit).encode()) < 100
    found = discovery(Place(prefix="vedette/x", node="vedette_x", site="X"), [(unit, unit) for unit in units])
    assert len(found) == 7 + 6 * len(units)
    unique = [msgspec.json.decode(config)["unique_id"] for config in found.values()]
    assert len(set(unique)) == len(unique)


def test_discovery_is_as_published() -> None:
    place = Place(prefix="vedette/x", node="vedette_x", site="Outpost")
    found = {topic: msgspec.json.decode(data) for topic, data in discovery(place, [("U 1", "ALPHA")]).items()}
    siren = found["homeassistant/siren/vedette_x_site_horn/config"]
    assert (siren["state_topic"], siren["command_topic"]) == ("vedette/x/siren", "vedette/x/siren/set")
    level = found["homeassistant/sensor/vedette_x_site_level/config"]
    assert level["device_class"] == "enum"
    assert level["options"] == ["no-alert", "info", "advisory", "warning", "imminent"]
    danger = found["homeassistant/binary_sensor/vedette_x_site_danger/config"]
    assert (danger["payload_on"], danger["payload_off"], danger["device_class"]) == ("ON", "OFF", "safety")
    unit = next(config for topic, config in found.items() if "unit" in topic)
    assert unit["device"]["via_device"] == "vedette_x_site"
    assert unit["device"]["name"] == "ALPHA"
    for topic, config in found.items():
        if not topic.endswith("site_station/config"):
            assert config["availability_topic"] == "vedette/x/station"
