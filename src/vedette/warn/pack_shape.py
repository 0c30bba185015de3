"""What a template pack must hold: which keys, and which slots in each text."""

from collections.abc import Iterator
from string import Formatter
from typing import NamedTuple

from vedette.warn.pack import Pack
from vedette.warn.wording import SOURCES

_FORMATTER = Formatter()
_WHERE = ("direction", "distance")
_DRONE = ("drone", *_WHERE, "time")
_ABOUT = ("unit", "clock")

SHORT_SLOTS: dict[str, tuple[str, ...]] = {
    "imminent": ("attack", *_WHERE, "time"),
    "imminent-direction": ("attack", "direction", "time"),
    "imminent-somewhere": ("attack", "time"),
    "imminent-several": ("attacks", "directions", "time"),
    "warning-several": ("drones", "directions", "time"),
    "warning-closing": _DRONE,
    "warning-above": _DRONE,
    "warning-about": _DRONE,
    "advisory-closing": _DRONE,
    "advisory-loiter": _DRONE,
    "advisory-near": _DRONE,
    "advisory-receding": _DRONE,
    "advisory-about": _DRONE,
    "advisory-direction": ("drone", "direction", "time"),
    "advisory-somewhere": ("drone", "time"),
    "warning-direction": ("drone", "direction", "time"),
    "warning-somewhere": ("drone", "time"),
    "warning-unplaced": ("drone", "clock"),
    "unheard": ("clock",),
    "unseen": ("clock", *_WHERE),
    "away": ("clock", *_WHERE),
    "unplaced-over": ("clock",),
    "cancelled": ("clock",),
    "unanswered": ("level", *_ABOUT),
    "ended-there": _ABOUT,
    "ended-there-answered": _ABOUT,
}
"""The slots of each short text: all of them, each once. The same in every language."""

DANGERS = tuple(
    key for key, slots in SHORT_SLOTS.items() if slots[0] in ("attack", "attacks", "drone", "drones")
)
INFERRED = ("warning-above", "advisory-closing", "advisory-loiter", "advisory-receding")
"""What a drone is up to is never observed: these say so by a word of their own."""
NAMES = ("unit", "source", "level")
"""Slots that no text begins with: the first word would be somebody's who is not the author of the text."""

LONG_SLOTS: dict[str, tuple[str, ...]] = {
    key: tuple(
        dict.fromkeys(
            (*slots, "clock", "known", "unknown", "source") if key in DANGERS else (*slots, "source")
        )
    )
    for key, slots in SHORT_SLOTS.items()
}

_SURE = {"drone": (), "drones": ("count",), "attack": (), "attacks": ("count",), "known": ("sensors", "seen")}
TABLES: dict[str, dict[str, tuple[str, ...]]] = {
    "mark": {"exercise": (), "test": ()},
    "level": {"imminent": (), "warning": (), "advisory": (), "info": ()},
    "observed": _SURE,
    "likely": _SURE,
    "possible": _SURE,
    "time": {
        "span": ("low", "high"),
        "seconds": ("high",),
        "moments": (),
        "minutes": ("minutes",),
        "earliest": ("high",),
        "any_moment": (),
        "earliest_minutes": ("minutes",),
    },
    "distance": {"metres": ("value",), "kilometres": ("value",)},
    "sensor": dict.fromkeys(SOURCES, ()),
    "unknown": {"list": ("things",), "height": (), "distance": (), "direction": (), "reader": ()},
    "message": SHORT_SLOTS,
    "long": LONG_SLOTS,
}  # fmt: skip
"""Table -> key -> slots."""


class Entry(NamedTuple):
    """One text of a pack and where it stands."""

    path: tuple[str | int, ...]
    text: str


def table_of(pack: Pack, name: str) -> dict[str, str]:
    """A table's texts by key."""
    held = getattr(pack, name)
    return held if isinstance(held, dict) else {key: getattr(held, key) for key in _SURE}


def entries(pack: Pack) -> Iterator[Entry]:
    """All texts that may come before a reader's eyes."""
    yield Entry(("all_sides",), pack.all_sides)
    for number, point in enumerate(pack.directions):
        yield Entry(("directions", number), point)
    for name in TABLES:
        for key, text in table_of(pack, name).items():
            yield Entry((name, key), text)


def slots_in(text: str) -> list[str]:
    """The names of the slots in the order of the text. Raises ValueError, with words, for what is no slot."""
    found = []
    for _, name, form, conversion in _FORMATTER.parse(text):
        if name is None:
            continue
        if not name.isidentifier() or form or conversion:
            raise ValueError(
                f"{{{name}{'!' + conversion if conversion else ''}{':' + form if form else ''}}}"
            )
        found.append(name)
    return found
