"""Lint of everything a reader may see: every level, behaviour, distance, direction and time."""

import itertools
import re
from typing import get_args

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from vedette.model.threat import Behaviour, Level
from vedette.warn import wording
from vedette.warn.wording import (
    GSM7,
    MARK_LIMIT,
    PACKS,
    SHORT_LIMIT,
    Facts,
    end_reason,
    say_about,
    say_cancelled,
    say_danger,
    say_end,
)

BANNED = re.compile(
    r"\b(clear|cleared|safe|safety|confirmed|all clear|todo despejado|despejado|seguro|segura|confirmado)\b",
    re.IGNORECASE,
)
ACTIONS = {
    "en": re.compile(
        r"\b(TAKE HARD COVER|Move to cover|Use cover|Stay in cover|Stay alert|Reach them now)\b"
    ),
    "es": re.compile(
        r"(Localicenlos ya|CUBRANSE|CÚBRANSE|Busquen cubierta|Usen cubierta|Sigan a cubierto|Alerta|alerta)"
    ),
}
RANGES = [0.0, 4.0, 35.0, 199.9, 300.0, 1949.0, 1975.0, 2000.0, 9999.0, 23456.0]
TIMES = [
    (None, None),
    (None, 0.0),
    (None, 8.0),
    (None, 59.0),
    (None, 99.9),
    (None, 599.0),
    ((0.0, 1.0), 0.0),
    ((2.0, 4.0), 1.0),
    ((8.0, 9.4), 5.0),
    ((14.0, 24.0), 9.0),
    ((90.0, 99.9), 40.0),
    ((110.0, 599.0), 70.0),
]
BEARINGS = [0.0, 44.0, 135.0, 202.0, 247.0, 359.9]


def lint(language: str, text: str, placed: bool = True) -> None:
    assert len(text) <= SHORT_LIMIT, (len(text), text)
    assert set(text) <= GSM7, text
    assert not BANNED.search(text), text
    assert "{" not in text, text
    assert "?" not in text, text
    assert ACTIONS[language].search(text), text
    if not placed:
        return
    assert any(re.search(rf"\b{point}\b", text) for point in PACKS[language].directions), text
    assert re.search(r"\d+(\.\d)? k?m\b", text), text


def every_fact():
    cases = itertools.product(get_args(Level), get_args(Behaviour), RANGES, TIMES, BEARINGS)
    for level, behaviour, range_m, (impact, earliest), bearing in cases:
        yield Facts(
            level=level,
            behaviour=behaviour,
            bearing_deg=bearing,
            range_m=range_m,
            time_to_impact_s=impact,
            earliest_s=earliest,
        )


def test_every_danger_text_passes_the_lint():
    seen = 0
    for facts in every_fact():
        for language, text in say_danger(facts).text.items():
            lint(language, text)
            seen += 1
    assert seen == 2 * 4 * len(get_args(Behaviour)) * len(RANGES) * len(TIMES) * len(BEARINGS)


def test_every_danger_text_names_a_time():
    times = re.compile(r"\d s\b|\d min\b|seconds left|segundos|here now|llegar ya")
    for facts in every_fact():
        for text in say_danger(facts).text.values():
            assert times.search(text), text


@pytest.mark.parametrize("kind", ["unseen", "away"])
@pytest.mark.parametrize("range_m", RANGES)
def test_every_end_text_passes_the_lint(kind, range_m):
    for bearing in BEARINGS:
        for language, text in say_end(kind, 1_700_000_000.0, bearing, range_m).text.items():
            lint(language, text)
            assert "22:13:20 UTC" in text
        assert not BANNED.search(end_reason(kind, 1_700_000_000.0, bearing, range_m))


@pytest.mark.parametrize("status", ["actual", "exercise", "test"])
def test_every_other_text_passes_the_lint_with_its_mark(status):
    at = 1_700_000_000.0
    unplaced = Facts(
        level="warning", behaviour="unknown", bearing_deg=0.0, range_m=None, status=status, unplaced_at=at
    )
    names = ("ALPHA 1", "a unit whose name is longer than a line", "Ñandú")
    made = [say_danger(unplaced), say_cancelled(at, status), say_end("unplaced", at, 0.0, None, status)]
    for key in ("unanswered", "ended-there", "ended-there-answered"):
        made += [say_about(key, name, level, at, status) for name in names for level in get_args(Level)]
    for said in made:
        for language, text in said.text.items():
            mark = PACKS[language].mark.get(status, "")
            assert text.startswith(mark)
            assert len(mark) < MARK_LIMIT
            plain = text.removeprefix(mark).strip()
            assert len(plain) <= SHORT_LIMIT, (len(plain), plain)
            assert set(text) <= GSM7, text
            assert not BANNED.search(text), text
            assert "{" not in text
            assert "22:13:20 UTC" in text


def test_the_marks_are_in_every_danger_text():
    for told in itertools.islice(every_fact(), 0, None, 97):
        plain = say_danger(told).text
        for status in ("exercise", "test"):
            marked = say_danger(msgspec.structs.replace(told, status=status)).text
            for language, text in marked.items():
                assert text == f"{PACKS[language].mark[status]} {plain[language]}"
                assert len(text) <= SHORT_LIMIT + MARK_LIMIT


def test_templates_themselves_hold_no_banned_word():
    for pack in PACKS.values():
        for text in [*pack.message.values(), *pack.time.values(), *pack.distance.values()]:
            assert not BANNED.search(text)


def test_packs_have_the_same_slots_and_keys():
    english = PACKS["en"]
    slots = re.compile(r"{(\w+)}")
    for pack in PACKS.values():
        assert pack.version >= 1
        assert pack.message.keys() == english.message.keys()
        assert pack.time.keys() == english.time.keys()
        for key, text in pack.message.items():
            assert sorted(slots.findall(text)) == sorted(slots.findall(english.message[key])), key


def facts(**changes):
    given = {"level": "advisory", "behaviour": "near", "bearing_deg": 225.0, "range_m": 300.0}
    return Facts(**(given | changes))


def test_advisory_reads_as_agreed():
    text = say_danger(facts(earliest_s=5.9, certainty="observed")).text
    assert text["en"] == "Drone near you, 300 m SW, could be here in 5 s. Use cover. Do not bunch."
    assert text["es"] == "Dron cerca, 300 m SO, podria llegar en 5 s. Usen cubierta. No se agrupen."


def test_imminent_reads_as_agreed():
    text = say_danger(
        facts(level="imminent", behaviour="direct-run", bearing_deg=46.0, time_to_impact_s=(15.2, 24.0))
    ).text
    assert text["en"] == "DRONE ATTACK LIKELY. From NE, 300 m, 15-25 s. TAKE HARD COVER NOW."
    assert text["es"] == "ATAQUE DE DRON PROBABLE. Del NE, 300 m, 15-25 s. ¡CUBRANSE YA!"


def test_imminent_without_a_place_says_to_take_cover_all_the_same():
    told = facts(level="imminent", behaviour="direction-only", bearing_deg=46.0, range_m=None, earliest_s=8.0)
    assert say_danger(told).text["en"] == (
        "DRONE ATTACK LIKELY, place unknown, could be here in 8 s. TAKE HARD COVER NOW."
    )
    pointed = say_danger(msgspec.structs.replace(told, bearing_sigma_deg=10.0)).text
    assert pointed["en"] == "DRONE ATTACK LIKELY. From NE, could be here in 8 s. TAKE HARD COVER NOW."
    assert pointed["es"] == "ATAQUE DE DRON PROBABLE. Del NE, podria llegar en 8 s. ¡CUBRANSE YA!"


@pytest.mark.parametrize(
    ("range_m", "said"),
    [
        (0.0, "10 m"),
        (44.0, "40 m"),
        (310.0, "300 m"),
        (1960.0, "1950 m"),
        (1990.0, "2.0 km"),
        (2340.0, "2.3 km"),
    ],
)
def test_distances(range_m, said):
    assert wording.distance(range_m, PACKS["en"]) == said


@pytest.mark.parametrize(
    ("bearing", "said"), [(0.0, "N"), (22.4, "N"), (22.6, "NE"), (180.0, "S"), (337.6, "N"), (-90.0, "W")]
)
def test_directions(bearing, said):
    assert wording.direction(bearing, PACKS["en"]) == said


@given(earliest=st.floats(0.0, 600.0))
def test_nobody_is_promised_more_time_than_there_is(earliest):
    said = wording.time_left(facts(earliest_s=earliest), PACKS["en"])
    number = int(re.findall(r"\d+", said)[0]) if re.search(r"\d", said) else 0
    assert number * (60 if "min" in said else 1) <= earliest


@pytest.mark.parametrize("sigma", [1.0, 45.0, 45.1, None])
@pytest.mark.parametrize("level", ["advisory", "warning", "imminent"])
def test_what_has_no_place_is_told_without_one(level, sigma):
    for impact, earliest in TIMES:
        told = facts(
            level=level, behaviour="direction-only", range_m=None, bearing_sigma_deg=sigma,
            time_to_impact_s=impact, earliest_s=earliest,
        )  # fmt: skip
        for language, text in say_danger(told).text.items():
            lint(language, text, placed=False)
            pointed = any(re.search(rf"\b{point}\b", text) for point in PACKS[language].directions)
            assert pointed == (sigma is not None and sigma <= 45.0), text
            assert not re.search(r"\dk?m\b|\d k?m\b", text), text
    for text in say_end("unseen", 1_700_000_000.0, 45.0, None).text.values():
        assert "22:13:20 UTC" in text
        assert len(text) <= SHORT_LIMIT
    assert "22:13:20" in end_reason("away", 1_700_000_000.0, 45.0, None)


@pytest.mark.parametrize("level", ["warning", "imminent"])
@pytest.mark.parametrize("axes", [(45.0, 200.0), (0.0, 72.0, 144.0, 216.0, 288.0), (10.0,), ()])
@pytest.mark.parametrize("attackers", [2, 12, 999, 10**7])
def test_several_attackers_are_told_with_every_direction(level, axes, attackers):
    for impact, earliest in TIMES:
        told = facts(
            level=level, attackers=attackers, axes_deg=axes, time_to_impact_s=impact, earliest_s=earliest
        )
        for language, text in say_danger(told).text.items():
            assert len(text) <= SHORT_LIMIT, (len(text), text)
            assert set(text) <= GSM7
            assert ACTIONS[language].search(text)
            assert str(min(attackers, 999)) in text
            if len(axes) > 3:
                assert PACKS[language].all_sides in text
            else:
                assert all(wording.direction(bearing, PACKS[language]) in text for bearing in axes)


@given(text=st.text(max_size=40))
def test_gsm7_never_leaves_the_alphabet(text):
    assert set(wording.gsm7(text)) <= GSM7


def test_gsm7_keeps_what_the_alphabet_has():
    assert wording.gsm7("Sepárense, él, niño, qué, Cúbranse") == "Separense, él, niño, qué, Cubranse"


def test_clock_is_utc():
    assert wording.clock(1_700_000_000.0) == "22:13:20"


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({"level": "warning", "behaviour": "closing"}, "Drone closing from"),
        ({"level": "warning", "behaviour": "near", "range_m": 60.0}, "Drone maybe overhead"),
        ({"level": "warning", "behaviour": "near", "range_m": 400.0}, "Drone still near"),
        ({"level": "warning", "behaviour": "receding", "range_m": 60.0}, "Drone still near"),
        ({"behaviour": "loiter"}, "Drone may be watching you"),
        ({"behaviour": "closing"}, "Drone may be coming"),
        ({"behaviour": "receding"}, "Drone seems to move off"),
        ({"behaviour": "unknown"}, "Drone in the area"),
    ],
)
def test_the_text_says_no_more_than_the_behaviour(changes, start):
    assert say_danger(facts(certainty="observed", **changes)).text["en"].startswith(start)
