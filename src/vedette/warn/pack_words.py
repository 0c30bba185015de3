"""Words that no text may hold, whatever a pack says, for the languages that are known here."""

import re
from functools import lru_cache

from vedette.warn.gsm7 import gsm7

BANNED: dict[str, tuple[str, ...]] = {
    "en": (
        "clear", "cleared", "all clear", "safe", "safely", "safety", "secure", "secured", "confirm",
        "confirmed", "verified", "certain", "certainly", "definitely", "no danger", "no threat",
        "danger is over", "danger over", "threat over", "stand down",
    ),
    "es": (
        "despejado", "despejada", "despejados", "todo despejado", "seguro", "segura", "seguros", "seguras",
        "seguridad", "a salvo", "sin peligro", "sin amenaza", "no hay peligro", "fuera de peligro",
        "fin del peligro", "confirmado", "confirmada", "confirmados", "confirmadas", "confirmar",
        "verificado", "verificada", "cierto", "sin duda",
    ),
}  # fmt: skip
"""Nobody is told that a place is safe because no drone is seen, and only a person confirms anything."""

LEAST_OWN = 4
"""A pack in another language names at least so many itself."""

MARKS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {"exercise": ("EXERCISE", "DRILL"), "test": ("TEST",)},
    "es": {"exercise": ("EJERCICIO", "SIMULACRO"), "test": ("PRUEBA",)},
}
"""What marks of an exercise and of a test must say. No text may hold any of these words itself."""
MARK_WORDS = tuple(word for words in MARKS.values() for pair in words.values() for word in pair)


def plain(text: str) -> str:
    """For comparing: one line, without accents that the alphabet lacks, in small letters."""
    return " ".join(gsm7(text).split()).casefold()


@lru_cache(maxsize=64)
def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """Any of them, the longest first."""
    known = sorted({plain(phrase) for phrase in phrases} - {""}, key=lambda phrase: (-len(phrase), phrase))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, known))})(?!\w)" if known else r"(?!)")


def held_in(text: str, phrases: tuple[str, ...]) -> list[str]:
    """Those of ``phrases`` that ``text`` holds as whole words, each once, in small letters."""
    return list(dict.fromkeys(_pattern(phrases).findall(plain(text))))


_ALL_BANNED = tuple(word for words in BANNED.values() for word in words)


def banned_in(text: str, own: tuple[str, ...] = ()) -> list[str]:
    """The banned words that ``text`` holds, of whatever language: readers know more than one."""
    return held_in(text, (*_ALL_BANNED, *own))
