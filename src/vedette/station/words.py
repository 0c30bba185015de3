"""The words in force: what comes with Vedette, and in its place what a site has written itself.

Own packs are files ``LANGUAGE.toml`` of one folder. One that cannot be used does not load: the words of that
language that were in force before stay, which is why a copy of every own pack that was used is kept with the
station's state. The content goes into the log with the configuration, so that a replay needs no file.
"""

import asyncio
import contextlib
import os
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import structlog
from msgspec.structs import replace

from vedette.model.errors import ConfigError
from vedette.model.event import Action, Configure
from vedette.station.view import PackView, WordingView
from vedette.warn.actions import LONGEST
from vedette.warn.pack import PACKS, Pack
from vedette.warn.pack_check import MOST_BYTES, Checked, PackFault, check_pack

KEPT = "wording"
MOST_FILES = 32
log = structlog.get_logger("wording")


class Words(NamedTuple):
    """``packs`` in force by language; ``own``: the languages of the site's own; ``troubles`` in words."""

    packs: dict[str, Pack]
    own: frozenset[str]
    troubles: tuple[str, ...]

    def view(self) -> WordingView:
        """As the desk sees it."""
        return WordingView(
            packs=tuple(_pack_view(pack, language in self.own) for language, pack in self.packs.items()),
            troubles=self.troubles,
        )


def _pack_view(pack: Pack, own: bool) -> PackView:
    review = pack.review
    return PackView(
        language=pack.language,
        version=pack.version,
        own=own,
        reviewed=review.reviewed,
        by=review.by,
        on=None if review.on is None else review.on.isoformat(),
    )


class Copies:
    """Of the own packs that were used, in ``folder`` (None: none are kept), for the day on which one is
    spoilt."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def text(self, language: str) -> bytes | None:
        """The copy of this language."""
        return None if self._folder is None else _text(self._folder / f"{language}.toml")

    def pack(self, language: str) -> Pack | None:
        """The same, if it may still be used."""
        text = self.text(language)
        checked = None if text is None else check_pack(text, language, own=True)
        return checked.pack if checked is not None and checked.good else None

    def languages(self) -> list[str]:
        """Those of which there is a copy."""
        known = self._folder is not None and self._folder.is_dir()
        return sorted(file.stem for file in self._folder.glob("*.toml")) if known and self._folder else []

    def keep(self, language: str, text: bytes) -> str | None:
        """Have a copy; what is wrong, if the disk does not take it."""
        if self._folder is None or self.text(language) == text:
            return None
        path = self._folder / f"{language}.toml"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(".new")
            with fresh.open("wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.rename(path)
        except OSError as error:
            return f"{path}: {error.strerror}; no copy of this pack is kept"
        return None

    def forget_all_but(self, languages: Container[str]) -> None:
        """Who takes a pack away wants the words that come with Vedette."""
        for language in self.languages():
            if language not in languages and self._folder is not None:
                with contextlib.suppress(OSError):
                    (self._folder / f"{language}.toml").unlink()


class WordFolder:
    """The own packs of ``folder`` (None: there are none), with copies in ``state``."""

    def __init__(self, folder: Path | None, state: Path | None) -> None:
        self._folder = folder
        self._copies = Copies(None if state is None else state / KEPT)

    def settle(self, before: Words | None = None) -> Words:
        """Read all packs anew and say which words are in force. ``before``: those that are in force now; None
        at the start. Never raises: there are always words."""
        packs, own, troubles = dict(PACKS), set[str](), list[str]()
        known = {} if before is None else {language: before.packs[language] for language in before.own}
        for language, pack, trouble in self._read(known):
            if trouble is not None:
                troubles.append(trouble)
                log.error("a pack of words does not load", trouble=trouble)
            if pack is not None:
                packs[language] = pack
                own.add(language)
        return Words(dict(sorted(packs.items())), frozenset(own), tuple(troubles))

    def _read(self, known: Mapping[str, Pack]) -> Iterator[tuple[str, Pack | None, str | None]]:
        """Of each own pack: its language, what is in force of it, and what is wrong."""
        if self._folder is None:
            return
        try:
            files = _files(self._folder)
        except ConfigError as error:
            yield "", None, f"{error}; the packs that were in force stay"
            for language in sorted({*known, *self._copies.languages()}):
                yield language, known.get(language) or self._copies.pack(language), None
            return
        self._copies.forget_all_but({file.stem for file in files})
        for file in files:
            yield file.stem, *self._one(file, known.get(file.stem))

    def _one(self, file: Path, known: Pack | None) -> tuple[Pack | None, str | None]:
        """The pack in force of this file's language, and what is wrong with the file."""
        language, text = file.stem, _text(file)
        copied = text is not None and text == self._copies.text(language)
        before = known or (None if copied else self._copies.pack(language))
        checked = check_own(file, text, before)
        if checked.good and text is not None:
            return checked.pack, self._copies.keep(language, text)
        more = len(checked.faults) - 1
        others = f" (and {more} more: vedette check-templates {file.name})" if more > 0 else ""
        return before, f"{checked.faults[0]}{others}; {_stays(language, before)}"


def _stays(language: str, before: Pack | None) -> str:
    if before is not None:
        return f"version {before.version} stays in force"
    if language in PACKS:
        return f"version {PACKS[language].version}, which comes with Vedette, is in force"
    return "nobody is told in this language"


def _files(folder: Path) -> list[Path]:
    """Raises ConfigError for a folder that is none."""
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix == ".toml" and file.is_file())
    except OSError as error:
        raise ConfigError(f"wording.folder {folder}: {error.strerror}; it must be a folder") from None
    if len(files) > MOST_FILES:
        raise ConfigError(f"wording.folder {folder}: {len(files)} packs; {MOST_FILES} at most are read")
    return files


def _text(file: Path) -> bytes | None:
    """What is in it, as far as a pack may go; None if it cannot be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except OSError:
        return None


def check_own(file: Path, text: bytes | None, before: Pack | None = None) -> Checked:
    """A site's own pack, and whether its file is named after its language. ``text``: None if it cannot be
    read; ``before``: the pack in force."""
    if text is None:
        remedy = "let the station's user read it"
        return _refused(Checked(None, ()), file, "the whole file", "it cannot be read", remedy)
    checked = check_pack(text, file.name, own=True)
    pack = checked.pack
    if pack is None:
        return checked
    if pack.language != file.stem:
        what = f"the pack is in {pack.language!r}, and the file is named {file.name}"
        return _refused(checked, file, "language", what, f"name it {pack.language}.toml")
    if before is not None and before.version == pack.version and before != pack:
        what = f"version {pack.version} is in force with other words"
        return _refused(checked, file, "version", what, "give what was changed a higher version")
    return checked


def _refused(checked: Checked, file: Path, key: str, what: str, remedy: str) -> Checked:
    return Checked(
        checked.pack, (PackFault(file=file.name, key=key, what=what, remedy=remedy), *checked.found)
    )


def check_folder(folder: Path | None) -> None:
    """Raises ConfigError for the first own pack that would not load."""
    for file in [] if folder is None else _files(folder):
        checked = check_own(file, _text(file))
        if not checked.good:
            raise ConfigError(f"wording: {checked.faults[0]}")


def with_packs(settings: Mapping[str, Any], packs: Mapping[str, Pack]) -> dict[str, Any]:
    """The settings of a configuration with these words in them."""
    told = {language: msgspec.to_builtins(pack) for language, pack in packs.items()}
    return {**settings, "warn": {**settings.get("warn", {}), "packs": told}}


class Speech:
    """What a station knows of its words: `words` in force, and how to read them anew."""

    def __init__(self, folder: WordFolder | None = None, words: Words | None = None) -> None:
        self._folder = folder
        self.words = Words(dict(PACKS), frozenset(), ()) if words is None else words

    async def read_anew(self, configure: Configure) -> Configure | None:
        """Read the packs again; ``configure`` with the words that are in force now, None if they are those
        that were. It takes a second of computing, which is done beside the station's own work."""
        if self._folder is None:
            return None
        before, self.words = self.words, await asyncio.to_thread(self._folder.settle, self.words)
        if before.packs == self.words.packs:
            return None
        return replace(configure, settings=with_packs(configure.settings, self.words.packs))

    def note(self, actor: str, via: str) -> Action:
        """For the record: who asked for the packs to be read, and what is in force."""
        packs = ", ".join(f"{language} version {pack.version}" for language, pack in self.words.packs.items())
        told = "; ".join((f"words in force: {packs}", *self.words.troubles))
        return Action(actor=actor, action="note", via=via, reason=told[:LONGEST])
