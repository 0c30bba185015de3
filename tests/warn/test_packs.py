"""No pack loads that could say too much or too little; what loads keeps the rules for all it may say."""

import re
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pack_texts import FACTS, TIMES, Tree, own, shipped, written

from vedette.model.alert import AlertStatus
from vedette.model.threat import Level
from vedette.warn.pack import PACKS, Pack, shipped_texts
from vedette.warn.pack_check import MOST_BYTES, check_pack
from vedette.warn.pack_rules import FORMS, judge
from vedette.warn.pack_shape import DANGERS, LONG_SLOTS, SHORT_SLOTS
from vedette.warn.wording import (
    GSM7,
    AboutKey,
    EndKind,
    Facts,
    Said,
    Voice,
    clock,
    say_about,
    say_cancelled,
    say_danger,
    say_end,
)

NOT_SAID = re.compile(
    r"\b(clear|cleared|safe|safety|confirmed|despejado|seguro|segura|confirmado|confirmada)\b", re.IGNORECASE
)
REAL_MARKS = re.compile(r"\b(EXERCISE|TEST|DRILL|EJERCICIO|SIMULACRO|PRUEBA)\b", re.IGNORECASE)


def keeps_the_rules(said: Said, packs: dict[str, Pack], status: str, certainty: str | None) -> None:
    for language, pack in packs.items():
        for form, texts, limit in (("message", said.text, 90), ("long", said.long, 360)):
            text = texts[language]
            assert judge(text, form, said.template, pack, status, certainty) == [], text
            mark = "" if status == "actual" else pack.mark[status] + " "
            assert text.startswith(mark.upper()) if mark.isupper() else text.startswith(mark)
            line = text.removeprefix(mark)
            assert len(line) <= limit
            assert set(text) <= GSM7
            assert not NOT_SAID.search(line)
            assert not REAL_MARKS.search(line)


@given(FACTS)
def test_every_danger_keeps_every_rule_in_both_forms_and_languages(facts: Facts) -> None:
    said = say_danger(facts, Voice(source="North gate"))
    keeps_the_rules(said, dict(PACKS), facts.status, facts.certainty)
    assert said.template in DANGERS
    for language, text in said.long.items():
        assert f"{clock(facts.at if facts.unplaced_at is None else facts.unplaced_at)} UTC" in text
        assert "North gate" in text
        assert said.packs[language] == PACKS[language].version


@given(
    st.sampled_from(get_args(EndKind)),
    TIMES,
    st.floats(-720.0, 720.0),
    st.none() | st.floats(0.0, 1e7),
    st.sampled_from(get_args(AlertStatus)),
)
def test_every_end_keeps_every_rule(kind, at, bearing, range_m, status) -> None:
    for said in (say_end(kind, at, bearing, range_m, status), say_cancelled(at, status)):
        keeps_the_rules(said, dict(PACKS), status, None)
        assert all(f"{clock(at)} UTC" in text for text in (*said.text.values(), *said.long.values()))


@given(
    st.sampled_from(get_args(AboutKey)),
    st.text(max_size=60),
    st.text(max_size=60),
    st.sampled_from(get_args(Level)),
    TIMES,
    st.sampled_from(get_args(AlertStatus)),
)
def test_no_name_breaks_a_text(key, unit, source, level, at, status) -> None:
    """What a name itself says is its owner's; it never comes first, where a mark would stand."""
    said = say_about(key, unit, level, at, status, Voice(source=source))
    for form, texts, limit in (("message", said.text, 90), ("long", said.long, 360)):
        for language, text in texts.items():
            mark = "" if status == "actual" else PACKS[language].mark[status] + " "
            line = text.removeprefix(mark)
            assert text.startswith(mark), (form, text)
            assert not REAL_MARKS.match(line)
            assert len(line) <= limit
            assert set(text) <= GSM7
            assert "\n" not in text
            assert f"{clock(at)} UTC" in text


def test_what_comes_with_vedette_has_no_fault() -> None:
    for name, text in shipped_texts().items():
        checked = check_pack(text, name, own=False)
        assert checked.good, checked.faults
        assert [fault.key for fault in checked.found] == ["review"], "a pack without a review says so"


def test_all_packs_have_the_same_slots() -> None:
    slots = re.compile(r"{(\w+)}")
    for pack in PACKS.values():
        for texts, wanted in ((pack.message, SHORT_SLOTS), (pack.long, LONG_SLOTS)):
            assert {key: sorted(slots.findall(text)) for key, text in texts.items()} == {
                key: sorted(names) for key, names in wanted.items()
            }


def changed(change: Callable[[Tree], object], language: str = "en") -> Tree:
    tree = own(language)
    change(tree)
    return tree


def put(table: str, key: str, text: Any) -> Callable[[Tree], object]:
    return lambda tree: tree[table].update({key: text})


def swap(table: str, key: str, old: str, new: str) -> Callable[[Tree], object]:
    def change(tree: Tree) -> None:
        assert old in tree[table][key]
        tree[table][key] = tree[table][key].replace(old, new)

    return change


FAULTS: list[tuple[str, Callable[[Tree], object], str, str]] = [
    ("too long", swap("message", "imminent", "TAKE", "EVERYBODY MUST NOW TAKE"),
     "message.imminent", "90 may be"),
    ("a long name", put("time", "any_moment", "could be here any moment now"),
     "message.warning-above", "90 may"),
    ("too long a long form", swap("long", "away", "It may", "It may " * 40), "long.away", "360 may be"),
    ("a slot is missing", swap("message", "unseen", "{distance}", "far"), "message.unseen", "{distance} is"),
    ("a strange slot", swap("message", "unseen", "{distance}", "{height}"), "message.unseen", "not known"),
    ("a way out", swap("message", "unseen", "{clock}", "{clock.__class__}"), "message.unseen", "no slot"),
    ("a broken slot", swap("message", "unseen", "{clock}", "{clock"), "message.unseen", "no slot"),
    ("a slot by number", swap("message", "unseen", "{clock}", "{}"), "message.unseen", "no slot"),
    ("twice", swap("message", "unseen", "{clock}", "{clock}{clock}"), "message.unseen", "twice"),
    ("a key is missing", lambda tree: tree["long"].pop("away"), "long", "'away' is missing"),
    ("a key too many", put("message", "evening", "Stay alert"), "message.evening", "not known"),
    ("a letter", swap("message", "away", "moved", "mоved"), "message.away", "GSM"),
    ("euro", swap("message", "away", "moved", "€"), "message.away", "GSM"),
    ("two lines", swap("message", "away", "moved", "moved\n"), "message.away", "GSM"),
    ("nothing", put("distance", "metres", " "), "distance.metres", "no text"),
    ("clear", swap("message", "unseen", "Stay alert", "All CLEAR. Stay alert"), "message.unseen",
     "all clear"),
    ("confirmed", put("observed", "drone", "Confirmed drone"), "observed.drone", "'confirmed'"),
    ("a mark", swap("message", "unseen", "Drone", "Test drone"), "message.unseen", "not real"),
    ("another's mark", put("sensor", "radar", "ejercicio"), "sensor.radar", "not real"),
    ("no action", swap("message", "away", "Stay alert", "Wait"), "message.away", "what to do"),
    ("sure", put("possible", "drone", "Drone"), "possible.drone", "sounds sure"),
    ("sure of an attack", put("observed", "attack", "DRONE ATTACK"), "observed.attack", "sounds sure"),
    ("sure of what it is up to", swap("message", "advisory-loiter", "may be", "is"),
     "message.advisory-loiter", "sure"),
    ("sure of the time", put("time", "earliest", "here in {high} s"), "time.earliest", "sounds sure"),
    ("a name first", put("message", "unanswered", "{unit}: {level} {clock} UTC. Reach them now"),
     "message.un", "name"),
    ("a mark that marks nothing", put("mark", "test", "NOTICE."), "mark.test", "not known in its language"),
    ("one mark", put("mark", "test", "EXERCISE."), "mark", "not known"),
    ("no stop", put("mark", "test", "TEST"), "mark.test", "full stop"),
    ("two norths", lambda tree: tree.update(directions=["N"] * 8), "directions", "same name"),
    ("Vedette's number", lambda tree: tree.update(version=2), "version", "Vedette's own"),
    ("nobody reviewed it", put("review", "reviewed", True), "review", "nobody is named"),
    ("no word for an action", lambda tree: tree["actions"].append("go"), "actions[6]", "what to do"),
    ("no doubt", lambda tree: tree["uncertain"].append("!"), "uncertain[9]", "no word"),
    ("a language of its own", lambda tree: tree.update(language="fr"), "banned", "no banned words"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "key", "what"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS]
)
def test_a_fault_is_found_and_told_with_its_line(change, key: str, what: str) -> None:
    text = written(changed(change))
    checked = check_pack(text, "en.toml", own=True)
    assert not checked.good
    found = [fault for fault in checked.faults if fault.key.startswith(key) and what in fault.what]
    assert found, checked.faults
    if found[0].line is not None:
        path = re.split(r"[.\[]", found[0].key)
        named = text.decode().splitlines()[found[0].line - 1]
        assert any(named.startswith((f'"{step}" =', f'["{step}"]')) for step in path), named
    else:
        assert found[0].key == "banned", "what is not in the file at all has no line"
    assert all(fault.remedy and fault.file == "en.toml" for fault in checked.found)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (b"version = [", None, "not valid TOML"),
        (b"version = 100\nlanguage = 7", 2, "Expected `str`"),
        (b"\xff\xfe", None, "not UTF-8"),
        (b"", None, "missing required field"),
        (b"colour = 1", 1, "unknown field"),
        (b"x" * (MOST_BYTES + 1), None, "at most"),
        (b"version = 100\nversion = 100\n[mark]", 2, "not valid TOML"),
    ],
)
def test_what_is_no_pack_is_refused_with_words(text: bytes, line: int | None, what: str) -> None:
    checked = check_pack(text, "en.toml", own=True)
    assert checked.pack is None
    (fault,) = checked.found
    assert what in fault.what
    assert fault.line == line or line is None


def test_a_pack_in_another_language_brings_its_own_banned_words() -> None:
    tree = own() | {"language": "fr", "banned": ["degage", "sans danger", "confirme", "tout va bien"]}
    assert check_pack(written(tree), "fr.toml", own=True).good
    tree["message"]["away"] = tree["message"]["away"].replace("moved away", "sans danger")
    assert not check_pack(written(tree), "fr.toml", own=True).good


def test_a_banned_word_of_any_known_language_is_refused_in_every_pack() -> None:
    for language, word in (("es", "Safe"), ("en", "despejado")):
        tree = own(language)
        tree["message"]["away"] += f" {word}"
        (fault, *_) = check_pack(written(tree), f"{language}.toml", own=True).faults
        assert word.lower() in fault.what


def test_a_reviewed_pack_of_ones_own_has_no_note() -> None:
    tree = own() | {"review": {"reviewed": True, "by": "M. Ruiz, training", "on": "2026-11-20"}}
    checked = check_pack(written(tree), "en.toml", own=True)
    assert checked.good
    assert checked.found == ()


TABLES = [name for name, held in shipped().items() if isinstance(held, dict)]
PIECES = st.sampled_from(
    [
        "{time}", "{drone}", "{unit}", "{source}", "{", "}", "{{", " clear", "Safe", "TEST", "EXERCISE.", "ñ",
        "é", "\n", "€",
        "Stay alert", "may", "", " ", "Use cover", "x" * 12, "CÚBRANSE YA", "puede",
    ]
) | st.text(max_size=8)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """A pack in which something was changed that people change, or that happens to files."""
    language = draw(st.sampled_from(["en", "es"]))
    tree = own(language)
    for _ in range(draw(st.integers(1, 3))):
        table = draw(st.sampled_from(TABLES))
        key = draw(st.sampled_from(list(tree[table]) or ["none"]))
        words = str(tree[table].get(key, "")).split(" ")
        place = draw(st.integers(0, len(words)))
        ways: list[list[str]] = [
            [*words[:place], draw(PIECES), *words[place:]],
            [*words[:place], *words[place + 1 :]],
            [*words[:place], draw(PIECES), *words[place + 1 :]],
            words[::-1],
        ]
        tree[table][key] = " ".join(draw(st.sampled_from(ways)))
    return language, written(tree)


@settings(max_examples=60)
@given(mutated(), st.lists(FACTS, min_size=1, max_size=8))
def test_a_changed_pack_is_refused_with_words_or_keeps_every_rule(text, told) -> None:
    language, toml = text
    checked = check_pack(toml, f"{language}.toml", own=True)
    if not checked.good:
        assert checked.faults
        assert all(fault.what and fault.remedy and fault.key for fault in checked.faults)
        return
    packs = {language: checked.pack}
    for facts in told:
        keeps_the_rules(say_danger(facts, Voice(packs=packs)), packs, facts.status, facts.certainty)


@given(st.binary(max_size=200), st.integers(0, 9000), st.sampled_from(["en", "es"]))
def test_no_bytes_make_the_check_fail(noise: bytes, place: int, language: str) -> None:
    text = shipped_texts()[f"{language}.toml"]
    spoilt = text[:place] + noise + text[place + len(noise) :]
    checked = check_pack(spoilt, f"{language}.toml", own=True)
    assert checked.found, "a version of Vedette's own is no version of a site's"


def test_forms_have_limits() -> None:
    assert FORMS == ("message", "long")
