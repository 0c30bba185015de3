"""The text of a pack: is it one, may it be used, and where is what is wrong with it?"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from vedette.model.errors import ConfigError
from vedette.model.strict import toml_line
from vedette.warn.pack import Pack, read_pack
from vedette.warn.pack_rules import findings

MOST_BYTES = 65_536
"""A pack is in the record of every start, and in every saved state."""
_LINE = re.compile(r"^(?:, line (\d+))?: (?:([\w.\[\]-]+|the whole file): )?(.*)$", re.DOTALL)
_TOML_LINE = re.compile(r"\(at line (\d+)")
_FORM = "give it the form of the packs that come with Vedette (docs/wording.md)"


class PackFault(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing about a pack: where (``line`` is absent where none can be named), what, and what to do about
    it. A ``note`` hinders nothing."""

    file: str
    line: int | None = None
    key: str
    what: str
    remedy: str
    note: bool = False

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{place}: {self.key}: {self.what} -> {self.remedy}"


class Checked(NamedTuple):
    """``pack`` is None if the text has not the form of one; it may be used if `good`."""

    pack: Pack | None
    found: tuple[PackFault, ...]

    @property
    def faults(self) -> tuple[PackFault, ...]:
        """Without the notes."""
        return tuple(fault for fault in self.found if not fault.note)

    @property
    def good(self) -> bool:
        """True if it may be used."""
        return self.pack is not None and not self.faults


def check_pack(text: bytes, source: str, *, own: bool) -> Checked:
    """Hold the text of a pack to all rules. ``own``: a site's own pack. Never raises."""
    if len(text) > MOST_BYTES:
        what = f"{len(text)} bytes; a pack has {MOST_BYTES} at most"
        return Checked(None, (PackFault(file=source, key="the whole file", what=what, remedy="shorten it"),))
    try:
        pack = read_pack(text, source)
    except ConfigError as error:
        return Checked(None, (_unreadable(str(error), source),))
    document = text.decode("utf-8")
    placed = (
        PackFault(
            file=source,
            line=toml_line(document, path),
            key=_dotted(path),
            what=what,
            remedy=remedy,
            note=note,
        )
        for path, what, remedy, note in findings(pack, own=own)
    )
    return Checked(pack, tuple(sorted(placed, key=lambda fault: (fault.note, fault.line or 0))))


def _dotted(path: Sequence[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _unreadable(error: str, source: str) -> PackFault:
    found = _LINE.match(error.removeprefix(source))
    line, key, what = found.groups() if found else (None, None, error)
    at = _TOML_LINE.search(what)
    number = line or (at.group(1) if at else None)
    return PackFault(
        file=source,
        line=None if number is None else int(number),
        key=key or "the whole file",
        what=what,
        remedy=_FORM,
    )
