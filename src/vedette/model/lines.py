"""JSON Lines of DESIGN section 5: one struct a line; unknown keys are kept and counted.

A line that cannot be used raises InputError with source and line number, or, where the caller
passes ``on_bad``, is reported there and skipped.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, Generic, TypeVar, cast, get_args

import msgspec

from vedette.model.detection import Detection
from vedette.model.errors import InputError

T = TypeVar("T", bound=msgspec.Struct)

_ENCODER = msgspec.json.Encoder()
_DETECTIONS = msgspec.json.Decoder(Detection)
MOST_UNKNOWN = 100
"""Unknown keys that are counted by name; whoever sends lines chooses the names."""
_BLOCK = 64
"""Lines that are read at once."""
MAX_LINE = 1 << 20
"""Longest line that is read, in bytes; no record of ours comes near it."""


def dump_line(record: msgspec.Struct) -> bytes:
    """One JSON line with its line end."""
    return _ENCODER.encode(record) + b"\n"


class LineReader(Generic[T]):
    """Reads lines of one kind. ``unknown`` counts unknown keys by dotted path, ``bad`` skipped lines;
    ``number`` is that of the line read last."""

    def __init__(self, kind: type[T], source: str, on_bad: Callable[[int, str], None] | None = None) -> None:
        self.kind = kind
        self.source = source
        self.unknown: Counter[str] = Counter()
        self.bad = 0
        self.number = 0
        self._on_bad = on_bad

    def read(self, lines: Iterable[bytes]) -> Iterator[T]:
        """Structs of all good lines, in order; blank lines are passed over."""
        for rows in self.runs(lines):
            self.number -= len(rows)
            for row in rows:
                self.number += 1
                yield row

    def runs(self, lines: Iterable[bytes]) -> Iterator[list[T]]:
        """The same, in runs of lines that follow one another; ``number`` is that of the last one of a run."""
        stream = iter(lines)
        while block := list(islice(stream, _BLOCK)):
            known = _wholly_known(block) if self.kind is Detection else None
            if known is None:
                for row in self._read_one_by_one(block):
                    yield [row]
                continue
            self.number += len(known)
            yield cast("list[T]", known)

    def _read_one_by_one(self, lines: list[bytes]) -> Iterator[T]:
        for line in lines:
            self.number += 1
            if not line.strip():
                continue
            try:
                yield self._parse_thoroughly(line)
            except InputError as error:
                if self._on_bad is None:
                    raise InputError(f"{self.source}, line {self.number}: {error}") from None
                self.bad += 1
                self._on_bad(self.number, str(error))

    def parse(self, line: bytes) -> T:
        """One line -> one struct. Raises InputError that says what is wrong with it."""
        known = _wholly_known([line]) if self.kind is Detection else None
        return self._parse_thoroughly(line) if known is None else cast("T", known[0])

    def _parse_thoroughly(self, line: bytes) -> T:
        if len(line) > MAX_LINE:
            raise InputError(f"the line is {len(line)} bytes long, {MAX_LINE} at most")
        try:
            tree = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(f"not JSON: {error}") from None
        if not isinstance(tree, dict):
            raise InputError("not a JSON object")
        extra = _take_unknown(self.kind, tree, "")
        for key in extra:
            known = key in self.unknown or len(self.unknown) < MOST_UNKNOWN
            self.unknown[key if known else "other keys"] += 1
        if extra and self.kind is Detection:
            sent = tree.get("extra", {})
            if not isinstance(sent, dict):
                raise InputError("extra: not an object")
            tree["extra"] = {**sent, **extra}
        try:
            return msgspec.convert(tree, self.kind)
        except msgspec.ValidationError as error:
            raise InputError(str(error)) from None


def _wholly_known(lines: list[bytes]) -> list[Detection] | None:
    """The detections if all lines are good and have no key that is not in the contract, ten times as fast;
    else None, for the thorough reader to say.

    The decoder skips unknown keys without a word. But each key of a line has its colon, and what was
    understood, written again, has one for each key that was: if there are as many, nothing was skipped.
    Colons inside strings are the same in both as long as nothing is escaped. And where each line ends with
    a brace and the next begins with one, no object lies in two of them.
    """
    whole = b"".join(lines)
    whole_lines = whole.count(b"}\n{") == len(lines) - 1 and whole[:1] == b"{"
    if not whole_lines or b"\\" in whole or max(map(len, lines)) > MAX_LINE:
        return None
    try:
        detections = _DETECTIONS.decode_lines(whole)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if len(detections) != len(lines):
        return None
    return detections if _ENCODER.encode(detections).count(b":") == whole.count(b":") else None


def _take_unknown(kind: Any, tree: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Take the keys that ``kind`` does not have out of ``tree``; dotted path -> value."""
    fields = _fields(kind)
    tag = kind.__struct_config__.tag_field
    extra: dict[str, Any] = {}
    for key in list(tree):
        if key not in fields:
            if key != tag:
                extra[prefix + key] = tree.pop(key)
            continue
        inner = _struct_for(fields[key], tree[key])
        if inner is not None:
            extra.update(_take_unknown(inner, tree[key], f"{prefix}{key}."))
    return extra


@lru_cache
def _fields(kind: Any) -> dict[str, Any]:
    """Name in the line -> type, of every field."""
    return {field.encode_name: field.type for field in msgspec.structs.fields(kind)}


def _struct_for(annotation: Any, value: Any) -> Any:
    """The struct that ``value`` will become under ``annotation``, if it is one."""
    if not isinstance(value, dict):
        return None
    choices = [a for a in (annotation, *get_args(annotation)) if _is_struct(a)]
    if len(choices) <= 1:
        return choices[0] if choices else None
    config = choices[0].__struct_config__
    return next((c for c in choices if c.__struct_config__.tag == value.get(config.tag_field)), None)


def _is_struct(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, msgspec.Struct)
