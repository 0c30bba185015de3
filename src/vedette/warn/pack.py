"""A template pack: all words of one language that readers get, as in ``templates/*.toml``.

A pack is data that people review. What it must hold so that no text can say too much or too little is in
`vedette.warn.pack_rules`; a site's own pack is read by the station, and its content goes into the log.
"""

from collections.abc import Mapping
from datetime import date
from importlib import resources
from typing import Annotated

from msgspec import Meta, Struct

from vedette.model.alert import Certainty
from vedette.model.strict import decode_toml
from vedette.model.threat import Level

OWN_VERSIONS = 100
"""Versions from here on are sites' own; those below come with Vedette."""

Language = Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Words = Annotated[tuple[str, ...], Meta(min_length=1)]


class Review(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Whether a person who speaks the language and knows the work has read every text; ``by`` says who, by
    name or by function, and ``on`` when."""

    reviewed: bool
    by: str | None = None
    on: date | None = None
    note: str | None = None


class Sureness(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The words of one certainty: for one drone, for several, for an attack by one and by several, and the
    sentence about who detected it and when last."""

    drone: str
    drones: str
    attack: str
    attacks: str
    known: str


class Pack(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``directions`` clockwise from north. ``actions``: the phrases that tell what to do, of which each
    message has one; ``uncertain``: words that say that something is not sure; ``banned``: words that no text
    may have, beside those that `pack_rules` knows for its language. ``message`` and ``long``: the two forms,
    by key."""

    version: Annotated[int, Meta(ge=1, le=255)]
    language: Language
    review: Review
    directions: tuple[str, str, str, str, str, str, str, str]
    all_sides: str
    actions: Words
    uncertain: Words
    banned: tuple[str, ...] = ()
    mark: dict[str, str]
    level: dict[Level, str]
    observed: Sureness
    likely: Sureness
    possible: Sureness
    time: dict[str, str]
    distance: dict[str, str]
    sensor: dict[str, str]
    unknown: dict[str, str]
    message: dict[str, str]
    long: dict[str, str]

    def sure(self, certainty: Certainty) -> Sureness:
        """The words of this certainty."""
        return {"observed": self.observed, "likely": self.likely, "possible": self.possible}[certainty]


def read_pack(text: str | bytes, source: str) -> Pack:
    """The pack in ``text``. Raises ConfigError with ``source``, line and field if it has not the form of one;
    whether its words may be used is for `pack_rules.findings`."""
    return decode_toml(text, Pack, source)


def shipped_texts() -> dict[str, bytes]:
    """The files of the packs that come with Vedette, by their name, in the order of the names."""
    folder = resources.files("vedette.warn") / "templates"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return {file.name: file.read_bytes() for file in files}


def _shipped() -> dict[str, Pack]:
    packs = [read_pack(text, name) for name, text in shipped_texts().items()]
    return {pack.language: pack for pack in packs}


PACKS: Mapping[str, Pack] = _shipped()
"""What comes with Vedette, by language."""
