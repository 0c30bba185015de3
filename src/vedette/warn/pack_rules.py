"""The rules that every text keeps, held against a pack by really filling all it can say.

`findings` takes one pack; `judge` one finished text, and is what the tests hold any text to.
"""

import itertools
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Literal, NamedTuple, get_args

from msgspec.structs import replace

from vedette.model.alert import AlertStatus, Certainty
from vedette.model.threat import Behaviour, Level
from vedette.warn.certainty import CERTAINTIES
from vedette.warn.gsm7 import foreign
from vedette.warn.pack import OWN_VERSIONS, Pack
from vedette.warn.pack_shape import DANGERS, INFERRED, NAMES, TABLES, entries, slots_in, table_of
from vedette.warn.pack_words import LEAST_OWN, MARK_WORDS, MARKS, banned_in, held_in, plain
from vedette.warn.wording import (
    LONG_LIMIT,
    MARK_LIMIT,
    NAME_LIMIT,
    SHORT_LIMIT,
    SOURCE_LIMIT,
    SOURCES,
    AboutKey,
    EndKind,
    Facts,
    Said,
    Voice,
    say_about,
    say_cancelled,
    say_danger,
    say_end,
    template_of,
)

Path = tuple[str | int, ...]
Form = Literal["message", "long"]
FORMS: tuple[Form, ...] = get_args(Form)
LIMITS: dict[Form, int] = {"message": SHORT_LIMIT, "long": LONG_LIMIT}
STATUSES: tuple[AlertStatus, ...] = get_args(AlertStatus)
LEAST_ACTION = 6
"""Letters of a phrase that tells what to do."""


class Finding(NamedTuple):
    """One fault of a pack at ``path``, what it is and how to mend it; a ``note`` hinders nothing."""

    path: Path
    what: str
    remedy: str
    note: bool = False


def findings(pack: Pack, *, own: bool) -> list[Finding]:
    """All that is wrong with a pack, in the order of its tables; empty of faults if it may be used.

    ``own``: a site's own, and not one that comes with Vedette.
    """
    found = [*_shape(pack), *_letters(pack), *_words(pack), *_standing(pack, own=own)]
    if not found:
        found = list(_filled(pack))
    return [*found, *_notes(pack)]


def faults(pack: Pack, *, own: bool) -> list[Finding]:
    """Without the notes."""
    return [finding for finding in findings(pack, own=own) if not finding.note]


# What stands in the file ----------------------------------------------------------------------------


def _shape(pack: Pack) -> Iterator[Finding]:
    for name, keys in TABLES.items():
        held = table_of(pack, name)
        for key in [key for key in keys if key not in held]:
            yield Finding((name,), f"the key {key!r} is missing", f"add {_model(key, keys[key])}")
        for key, text in held.items():
            if key not in keys:
                yield Finding((name, key), "this key is not known", f"there are: {', '.join(keys)}")
            else:
                yield from _slots(name, key, text, keys[key])


def _model(key: str, slots: tuple[str, ...]) -> str:
    return f'{key} = "..."' + (f" with {_braced(slots)}" if slots else "")


def _braced(slots: Iterable[str]) -> str:
    return ", ".join(f"{{{slot}}}" for slot in slots)


def _slots(table: str, key: str, text: str, wanted: tuple[str, ...]) -> Iterator[Finding]:
    path = (table, key)
    try:
        held = slots_in(text)
    except ValueError as error:
        yield Finding(path, f"this is no slot: {error}", f"there are: {_braced(wanted) or 'none here'}")
        return
    for slot in dict.fromkeys(held):
        if slot not in wanted:
            yield Finding(
                path, f"the slot {{{slot}}} is not known here", f"there are: {_braced(wanted) or 'none'}"
            )
        elif held.count(slot) > 1:
            yield Finding(path, f"the slot {{{slot}}} stands there twice", "leave one of them")
    missing = [slot for slot in wanted if slot not in held]
    if missing:
        yield Finding(path, f"{_braced(missing)} is missing: readers must be told", "put it in")
    if (
        table in FORMS
        and text.lstrip().startswith(tuple(f"{{{name}}}" for name in NAMES))
        and (text.lstrip()[1:].split("}")[0] != "level")
    ):
        yield Finding(path, "the text begins with a name", "begin with a word of your own")


def _letters(pack: Pack) -> Iterator[Finding]:
    for path, text in entries(pack):
        if not text.strip():
            yield Finding(path, "there is no text", "write one")
        strange = foreign(text.replace("{", "").replace("}", ""))
        if strange:
            shown = " ".join(repr(c) for c in strange)
            yield Finding(path, f"not in the GSM 7-bit alphabet: {shown}", "use plain letters and signs")


def _words(pack: Pack) -> Iterator[Finding]:
    marks = (*MARK_WORDS, *(word.rstrip(".") for word in pack.mark.values()))
    for path, text in entries(pack):
        bare = _without_slots(text)
        for word in banned_in(bare, pack.banned):
            yield Finding(path, f"{word!r} may be in no text", "say what was seen, by whom and when")
        if path[0] == "mark":
            continue
        for word in held_in(bare, marks):
            yield Finding(path, f"{word!r} marks what is not real", "use another word")
    yield from _actions(pack)
    yield from _doubts(pack)


def _without_slots(text: str) -> str:
    try:
        return text.format_map(dict.fromkeys(slots_in(text), "|"))
    except (ValueError, KeyError, IndexError):
        return text


def _actions(pack: Pack) -> Iterator[Finding]:
    for number, phrase in enumerate(pack.actions):
        if sum(c.isalpha() for c in phrase) < LEAST_ACTION:
            yield Finding(
                ("actions", number), f"{phrase!r} tells nobody what to do", "name an action in words"
            )
    for form in FORMS:
        for key, text in table_of(pack, form).items():
            if not held_in(_without_slots(text), pack.actions):
                yield Finding(
                    (form, key), "it does not say what to do", "put in one of the phrases of 'actions'"
                )


def _doubts(pack: Pack) -> Iterator[Finding]:
    remedy = "put in one of the words of 'uncertain'"
    for number, word in enumerate(pack.uncertain):
        if not any(c.isalpha() for c in word):
            yield Finding(
                ("uncertain", number), f"{word!r} is no word", "write a word that says that it is not sure"
            )
    asked: list[tuple[Path, str]] = []
    for certainty in CERTAINTIES:
        held = table_of(pack, certainty)
        keys = ("attack", "attacks") if certainty == "observed" else held
        asked += [((certainty, key), held[key]) for key in keys]
    asked += [
        (("time", key), pack.time.get(key, "")) for key in ("earliest", "any_moment", "earliest_minutes")
    ]
    asked += [
        ((form, key), table_of(pack, form).get(key, "")) for form in ("message", "long") for key in INFERRED
    ]
    for path, text in asked:
        if not held_in(_without_slots(text), pack.uncertain):
            yield Finding(path, "it sounds sure, and is not", remedy)


def _standing(pack: Pack, *, own: bool) -> Iterator[Finding]:
    if own and pack.version < OWN_VERSIONS:
        what = f"version {pack.version} is one of Vedette's own"
        yield Finding(
            ("version",), what, f"number your own packs from {OWN_VERSIONS} on, one higher each time"
        )
    if own and pack.review.reviewed and not (pack.review.by and pack.review.on):
        yield Finding(("review",), "reviewed, and nobody is named", "say 'by' whom and 'on' which day")
    known = MARKS.get(pack.language.partition("-")[0])
    if known is None and len(set(map(plain, pack.banned))) < LEAST_OWN:
        what = f"no banned words are known for the language {pack.language!r}"
        yield Finding(("banned",), what, f"list at least {LEAST_OWN}: 'clear', 'safe', 'confirmed' ... in it")
    yield from _marks(pack, known)
    points = [plain(point) for point in (*pack.directions, pack.all_sides)]
    if len(set(points)) < len(points):
        yield Finding(("directions",), "two directions have the same name", "give each its own")
    if len({plain(name) for name in pack.level.values()}) < len(pack.level):
        yield Finding(("level",), "two levels have the same name", "give each its own")


def _marks(pack: Pack, known: dict[str, tuple[str, ...]] | None) -> Iterator[Finding]:
    texts = {name: plain(text) for name, text in pack.mark.items()}
    for name, text in texts.items():
        path = ("mark", name)
        if not 4 <= len(text) < MARK_LIMIT or not text.endswith(".") or not text[:-1].isalpha():
            yield Finding(path, "a mark is one word of 3 to 10 letters and a full stop", 'such as "TEST."')
        if known is not None and not held_in(text, known.get(name, ())):
            yield Finding(path, "this mark is not known in its language", f"use {' or '.join(known[name])}")
    if len(set(texts.values())) < len(texts):
        yield Finding(("mark",), "an exercise and a test have the same mark", "give each its own")


def _notes(pack: Pack) -> Iterator[Finding]:
    if not pack.review.reviewed:
        what = "nobody who speaks the language has reviewed these texts"
        yield Finding(("review",), what, "have them read, and say 'by' whom and 'on' which day", note=True)


# What it becomes when it is filled ------------------------------------------------------------------


def judge(
    text: str, form: Form, key: str, pack: Pack, status: AlertStatus, certainty: Certainty | None
) -> list[str]:
    """What a finished text does wrong, in words. ``certainty``: of a danger's text."""
    mark = "" if status == "actual" else f"{pack.mark[status]} "
    wrong = [] if text.casefold().startswith(plain(mark)) else [f"an {status} is not marked"]
    line = text[len(mark) :]
    if len(line) > LIMITS[form]:
        wrong.append(f"{len(line)} characters, {LIMITS[form]} may be")
    wrong += [f"not in the alphabet: {c!r}" for c in foreign(text)]
    if "  " in text or "{" in text or "}" in text:
        wrong.append("a slot or a gap is left")
    wrong += [f"{word!r} may be in no text" for word in banned_in(line, pack.banned)]
    marks = (*MARK_WORDS, *(word.rstrip(".") for word in pack.mark.values()))
    wrong += [f"{word!r} marks what is not real" for word in held_in(line, marks)]
    if not held_in(line, pack.actions):
        wrong.append("it does not say what to do")
    doubtful = certainty not in (None, "observed") or key.startswith("imminent")
    if key in DANGERS and doubtful and not held_in(line, pack.uncertain):
        wrong.append("it sounds sure, and is not")
    return wrong


class Case(NamedTuple):
    """One text that a pack makes."""

    said: Said
    status: AlertStatus
    certainty: Certainty | None


def _filled(pack: Pack) -> Iterator[Finding]:
    """One finding for each text and fault: the longest of its kind."""
    worst: dict[tuple[Form, str, str], tuple[int, str, str]] = {}
    for said, status, certainty in cases(pack):
        for form in FORMS:
            text = (said.text if form == "message" else said.long)[pack.language]
            for what in judge(text, form, said.template, pack, status, certainty):
                kind = (form, said.template, what.split()[-1])
                worst[kind] = max(worst.get(kind, (0, "", "")), (len(text), what, text))
    for (form, key, _), (_, what, text) in worst.items():
        remedy = (
            "make the text, or the words that are put into it, shorter" if "may be" in what else "change it"
        )
        yield Finding((form, key), f"{what}: {text}", remedy)


RANGES: tuple[float | None, ...] = (None, 4.0, 140.0, 1949.0, 12_345.0, 1e6)
BEARINGS = tuple(45.0 * point for point in range(8))
TIMES: tuple[tuple[tuple[float, float] | None, float | None], ...] = (
    (None, None), (None, 8.0), (None, 99.0), (None, 1e5), ((0.0, 2.0), 0.0), ((0.0, 40.0), 0.0),
    ((94.0, 99.9), 40.0), ((110.0, 1e5), 70.0),
)  # fmt: skip
AT = 1_700_000_000.0


def cases(pack: Pack) -> Iterator[Case]:
    """Every level, behaviour, certainty and status with the extremes of all figures; every end; every message
    about somebody else."""
    voice = Voice(packs={pack.language: pack}, source="W" * SOURCE_LIMIT)
    for facts in _dangers(_longest(pack.directions)):
        for certainty, status in itertools.product(CERTAINTIES, STATUSES):
            told = replace(facts, certainty=certainty, status=status)
            yield Case(say_danger(told, voice), status, certainty)
    ends: tuple[EndKind, ...] = get_args(EndKind)
    keys: tuple[AboutKey, ...] = get_args(AboutKey)
    for status in STATUSES:
        for kind, range_m, bearing in itertools.product(ends, RANGES, BEARINGS):
            yield Case(say_end(kind, AT, bearing, range_m, status, voice), status, None)
        yield Case(say_cancelled(AT, status, voice), status, None)
        for key, level in itertools.product(keys, get_args(Level)):
            yield Case(say_about(key, "W" * (NAME_LIMIT + 1), level, AT, status, voice), status, None)


def _longest(points: tuple[str, ...]) -> tuple[float, ...]:
    """The bearings of the points, those with the longest names first."""
    return tuple(sorted(BEARINGS, key=lambda bearing: -len(points[int(bearing // 45.0)])))


@cache
def _dangers(bearings: tuple[float, ...]) -> tuple[Facts, ...]:
    """One for each template and set of figures: levels and behaviours that lead to the same are told once."""
    made: dict[tuple[object, ...], Facts] = {}
    sides = ((), bearings[:3], bearings)
    shapes = itertools.product(get_args(Level), get_args(Behaviour), RANGES, (5.0, None), sides)
    for (level, behaviour, range_m, sigma, axes), times in itertools.product(shapes, TIMES):
        facts = Facts(
            level=level,
            behaviour=behaviour,
            bearing_deg=bearings[len(made) % len(bearings)] if len(made) % 2 else bearings[0],
            range_m=range_m,
            bearing_sigma_deg=sigma,
            attackers=10**6 if axes else 1,
            axes_deg=axes,
            time_to_impact_s=times[0],
            earliest_s=times[1],
            at=AT,
            sources=SOURCES,
        )
        key = template_of(facts)
        made.setdefault((key, range_m, times, axes if key.endswith("several") else ()), facts)
    return (*made.values(), *(replace(facts, unplaced_at=AT) for facts in tuple(made.values())[:1]))
