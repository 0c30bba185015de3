"""What a device reads by radio is what the alert said: the text made again equals `warn.wording`'s own."""

import json
import re
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model import Alert
from vedette.station.peers._lora_words import (
    NONE_OF_THEM,
    NUMBERS,
    TEMPLATES,
    purpose_of,
    radio_alert,
    radio_end,
    reading,
    short_id,
)
from vedette.warn.wording import GSM7, PACKS, SHORT_LIMIT, Facts, say_danger, say_end
from vedette.wire.lora import Purpose, RadioAlert, RadioEnd, decode_message, encode_message

NOW = 1_800_000_000.25
NUMBERED = {"UNIT-A": 2, "LEAD": 1}
BEARINGS = st.floats(0.0, 360.0, exclude_max=True)
METRES = st.floats(1.0, 21_000.0)
SECONDS = st.floats(0.0, 3600.0)
FACTS = st.builds(
    Facts,
    level=st.sampled_from(["imminent", "warning", "advisory"]),
    behaviour=st.sampled_from(
        ["direct-run", "closing", "near", "loiter", "receding", "direction-only", "unknown"]
    ),
    bearing_deg=BEARINGS,
    range_m=st.none() | METRES,
    bearing_sigma_deg=st.none() | st.floats(1.0, 90.0),
    attackers=st.integers(1, 200),
    axes_deg=st.lists(BEARINGS, max_size=6).map(tuple),
    time_to_impact_s=st.none() | st.tuples(SECONDS, SECONDS).map(lambda two: (min(two), max(two))),
    earliest_s=st.none() | SECONDS,
)


def alert_of(facts: Facts, **changes: object) -> Alert:
    fields: dict[str, object] = {
        "time": NOW, "alert": "AABCDEFGHIJ", "revision": 3, "level": facts.level, "state": "active-unacked",
        "units": ("UNIT-A",), "track": "T1", "behaviour": facts.behaviour, "text": say_danger(facts).text,
        "expires": NOW + 30.0, "bearing_deg": facts.bearing_deg, "range_m": facts.range_m,
        "bearing_sigma_deg": facts.bearing_sigma_deg, "attackers": facts.attackers,
        "axes_deg": facts.axes_deg, "time_to_impact_s": facts.time_to_impact_s,
        "earliest_s": facts.earliest_s,
    }  # fmt: skip
    return Alert(**{**fields, **changes})  # type: ignore[arg-type]


def on_the_air(alert: Alert, numbers: dict[str, int] = NUMBERED) -> RadioAlert:
    """As a device has it: encoded and decoded."""
    made = radio_alert(alert, numbers, time_wall=alert.time, expires_wall=alert.expires, sound=True)
    got = decode_message(encode_message(made))
    assert isinstance(got, RadioAlert)
    return got


def over_the_air(alert: Alert) -> RadioEnd:
    got = decode_message(encode_message(radio_end(alert, NUMBERED, time_wall=alert.time, lasts_s=60.0)))
    assert isinstance(got, RadioEnd)
    return got


@given(FACTS)
def test_the_text_of_a_danger_is_the_same_to_the_letter(facts: Facts) -> None:
    alert = alert_of(facts)
    got = on_the_air(alert)
    assert got.template != NONE_OF_THEM
    for language in PACKS:
        assert reading(got, "live", language).text == alert.text[language]


@given(
    st.sampled_from(["unseen", "away"]),
    st.floats(NOW - 50_000.0, NOW),
    BEARINGS,
    st.none() | METRES,
)
def test_the_text_of_an_end_is_the_same_to_the_letter(kind, seen: float, bearing: float, metres) -> None:
    text = say_end(kind, seen, bearing, metres).text
    facts = Facts(level="warning", behaviour="unknown", bearing_deg=bearing, range_m=metres)
    alert = alert_of(facts, text=text)
    got = over_the_air(alert)
    for language in PACKS:
        assert reading(got, "live", language).text == text[language]


@given(FACTS, st.sampled_from(["exercise", "test"]))
def test_a_drill_says_so_first(facts: Facts, purpose: Purpose) -> None:
    got = on_the_air(alert_of(facts))
    for language in PACKS:
        marked = reading(got, purpose, language).text
        assert marked.split(":")[0] in (
            "EXERCISE EXERCISE", "TEST ONLY", "EJERCICIO EJERCICIO", "SOLO PRUEBA",
        )  # fmt: skip
        assert marked.endswith(reading(got, "live", language).text)
        assert set(marked) <= GSM7


def test_every_template_has_a_number_and_keeps_it() -> None:
    """A template without a number would go out as the plain one of its level: give it the next number. Those
    about somebody else have none: no name goes on the air."""
    about_others = {key for key, text in PACKS["en"].message.items() if "{unit}" in text}
    assert set(TEMPLATES.values()) == set(PACKS["en"].message) - about_others
    assert len(set(TEMPLATES.values())) == len(TEMPLATES)
    assert max(TEMPLATES) <= 255
    assert TEMPLATES[1] == "imminent"
    assert TEMPLATES[18] == "away"


def test_a_text_that_no_template_made_goes_out_as_the_plain_one() -> None:
    facts = Facts(level="imminent", behaviour="direct-run", bearing_deg=44.0, range_m=450.0)
    got = on_the_air(alert_of(facts, text={"en": "Words of somebody else."}))
    assert TEMPLATES[got.template] == "imminent"
    assert "450 m" in reading(got, "live").text


@pytest.mark.parametrize(
    ("sigma", "template"),
    [(5.0, "imminent-direction"), (80.0, "imminent-somewhere"), (None, "imminent-somewhere")],
)
def test_words_of_others_about_what_has_no_distance(sigma: float | None, template: str) -> None:
    facts = Facts(
        level="imminent", behaviour="direction-only", bearing_deg=44.0, range_m=None, bearing_sigma_deg=sigma
    )
    got = on_the_air(alert_of(facts, text={"en": "Words of somebody else."}))
    assert TEMPLATES[got.template] == template
    assert (got.bearing_deg is None) == (template == "imminent-somewhere")


def test_a_mark_before_the_text_hides_no_template() -> None:
    facts = Facts(level="imminent", behaviour="direct-run", bearing_deg=44.0, range_m=450.0)
    text = {"en": "EXERCISE. " + say_danger(facts).text["en"]}
    assert TEMPLATES[on_the_air(alert_of(facts, text=text)).template] == "imminent"


def test_an_end_for_another_reason_does_not_say_that_nothing_was_seen() -> None:
    facts = Facts(level="warning", behaviour="closing", bearing_deg=44.0, range_m=450.0)
    got = over_the_air(alert_of(facts, text={"en": "Cancelled by the watch officer."}))
    assert got.template == NONE_OF_THEM
    for language in PACKS:
        words = reading(got, "live", language).text
        assert len(words) <= SHORT_LIMIT
        assert set(words) <= GSM7
        assert "seen" not in words
        assert "visto" not in words
        assert not any(banned in words.lower() for banned in ("clear", "safe", "despejado", "seguro"))


def test_a_template_of_a_newer_sender_reads_as_its_level() -> None:
    facts = Facts(level="warning", behaviour="closing", bearing_deg=44.0, range_m=450.0)
    got = on_the_air(alert_of(facts))
    for strange in (200, NUMBERS["unseen"], NONE_OF_THEM):
        newer = reading(RadioAlert(**{**_fields(got), "template": strange}), "live")
        assert "450 m NE" in newer.text
    assert reading(RadioAlert(**{**_fields(got), "pack": 99}), "live").other_pack
    assert not reading(got, "live").other_pack


@pytest.mark.parametrize("template", sorted(TEMPLATES))
@pytest.mark.parametrize("missing", ["bearing_deg", "range_m"])
def test_a_device_invents_neither_direction_nor_distance(template: int, missing: str) -> None:
    """Whoever writes such a frame, a device does not say N, or leave a hole, for what was not sent."""
    facts = Facts(level="warning", behaviour="closing", bearing_deg=181.0, range_m=450.0)
    got = RadioAlert(**{**_fields(on_the_air(alert_of(facts))), "template": template, missing: None})
    words = reading(got, "live").text
    assert re.search(r"\bN\b", words) is None
    assert re.search(r", *,|  ", words) is None
    assert missing != "range_m" or re.search(r"\d k?m\b", words) is None
    assert missing != "bearing_deg" or re.search(r"\bS\b", words) is None


def _fields(message: RadioAlert) -> dict:
    return {name: getattr(message, name) for name in message.__struct_fields__}


def test_whose_place_the_figures_are_told_from() -> None:
    facts = Facts(level="warning", behaviour="closing", bearing_deg=44.0, range_m=450.0)
    assert on_the_air(alert_of(facts)).subject == 2
    assert on_the_air(alert_of(facts), {"LEAD": 1}).subject == 0
    assert reading(on_the_air(alert_of(facts)), "live").subject == 2


def test_an_unknown_language_reads_english() -> None:
    facts = Facts(level="warning", behaviour="closing", bearing_deg=44.0, range_m=450.0)
    assert reading(on_the_air(alert_of(facts)), "live", "xx").text == alert_of(facts).text["en"]


def test_what_makes_an_exercise() -> None:
    facts = Facts(level="warning", behaviour="closing", bearing_deg=44.0, range_m=450.0)
    assert purpose_of(alert_of(facts), False) == "live"
    assert purpose_of(alert_of(facts), True) == "exercise"


@pytest.mark.parametrize(
    ("status", "exercise", "purpose"),
    [
        ("actual", False, "live"),
        ("exercise", False, "exercise"),
        ("test", False, "test"),
        ("test", True, "test"),
        ("draft", False, "exercise"),
    ],
)
def test_an_alert_that_says_it_is_not_real_is_believed(status: str, exercise: bool, purpose: str) -> None:
    assert purpose_of(SimpleNamespace(status=status), exercise) == purpose  # type: ignore[arg-type]


def test_short_ids_are_stable_and_differ() -> None:
    assert short_id("AABCDEFGHIJ") == short_id("AABCDEFGHIJ")
    assert len({short_id(f"A{number}") for number in range(5000)}) == 5000
    assert json.loads(json.dumps(short_id("A"))) < 2**32
