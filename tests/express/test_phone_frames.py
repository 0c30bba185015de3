"""Alerts as frames for phones: who reads what, in which language, and what is never said."""

import json

import pytest
from msgspec.structs import replace

from vedette.express.phone import alert_frame, call_of, clear_frame, delivery_frame, language_of
from vedette.model import Alert
from vedette.model.alert import Change
from vedette.model.event import Clear, Deliver

ALERT = Alert(
    time=100.0,
    alert="A1",
    revision=3,
    level="imminent",
    state="active-unacked",
    units=("U0",),
    track="T1",
    behaviour="dive",
    text={"en": "drone", "es": "dron"},
    expires=160.0,
    bearing_deg=45.0,
    range_m=800.0,
    time_to_impact_s=(10.0, 20.0),
    status="exercise",
)


def wall(at: float) -> float:
    return at + 1000.0


def read(data: bytes) -> dict[str, object]:
    found: dict[str, object] = json.loads(data)
    return found


@pytest.mark.parametrize(("wanted", "got"), [("es", "es"), ("es-MX", "es"), ("fr", "en"), ("en", "en")])
def test_the_nearest_language_that_there_is(wanted: str, got: str) -> None:
    assert language_of(ALERT, wanted) == got


def test_who_is_in_danger_reads_from_where() -> None:
    frame = read(alert_frame(ALERT, "es", wall, own=True, sound=True))
    assert (frame["text"], frame["bearing_deg"], frame["range_m"], frame["sound"]) == (
        "dron",
        45.0,
        800.0,
        True,
    )
    assert (frame["at"], frame["expires"], frame["status"]) == (1100.0, 1160.0, "exercise")
    assert "about" not in frame


def test_who_is_told_about_another_reads_neither_direction_nor_distance() -> None:
    frame = read(alert_frame(ALERT, "en", wall, own=False, sound=True))
    assert not {"bearing_deg", "range_m", "time_left_s", "bearing_sigma_deg"} & frame.keys()
    assert frame["about"]


def test_no_direction_is_claimed_where_none_is_known() -> None:
    lost = replace(ALERT, bearing_sigma_deg=180.0, range_m=None)
    frame = read(alert_frame(lost, "en", wall, own=True, sound=True))
    assert not {"bearing_deg", "range_m", "bearing_sigma_deg"} & frame.keys()


def test_what_comes_again_makes_no_sound() -> None:
    message = Deliver(alert=ALERT, recipients=("U0",), rule="r", roster_version=1, sound=True)
    frame = read(delivery_frame(message, "en", wall, own=True, again=True))
    assert frame["again"] is True
    assert "sound" not in frame


def test_an_end_says_why_and_when() -> None:
    frame = read(delivery_frame(Clear(alert=ALERT, recipients=("U0",)), "es", wall, own=True))
    assert frame == {"t": "clear", "id": "A1", "rev": 3, "status": "exercise", "text": "dron", "at": 1100.0}
    assert frame == read(clear_frame(ALERT, "es", wall))


def test_a_call_rises_when_people_are_asked_anew_only() -> None:
    asked = [replace(ALERT, change=Change(event="escalated", time=at)) for at in (110.0, 120.0)]
    noted = replace(ALERT, change=Change(event="noted", time=130.0))
    assert 0 == call_of(ALERT) == call_of(noted) < call_of(asked[0]) < call_of(asked[1])


def test_no_frame_names_a_unit_or_says_where_it_is() -> None:
    for own in (True, False):
        data = alert_frame(ALERT, "en", wall, own=own, sound=True)
        assert b"U0" not in data
        assert b"lat" not in data
