"""JSON Lines of DESIGN section 5: one struct a line; unknown keys are kept and counted.

A line that cannot be used raises InputError with source and line number, or, where the caller
passes ``on_bad``, is reported there and skipped.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Generic, TypeVar, get_args

import msgspec

from vedette.model.detection import Detection
from vedette.model.errors import InputError

T = TypeVar("T", bound=msgspec.Struct)

_ENCODER = msgspec.json.Encoder()
MOST_UNKNOWN = 100
"""Unknown keys that are counted by name; whoever sends lines chooses the names."""
MAX_LINE = 1 << 20
"""Longest line that is read, in bytes; no record of ours comes near it."""


def dump_line(record: msgspec.Struct) -> bytes:
    """One JSON line with its line end."""
    return _ENCODER.encode(record) + b"\n"


class LineReader(Generic[T]):
    """Reads lines of one kind. ``unknown`` counts unknown keys by dotted path, ``bad`` skipped lines."""

    def __init__(self, kind: type[T], source: str, on_bad: Callable[[int, str], None] | None = None) -> None:
        self.kind = kind
        self.source = source
        self.unknown: Counter[str] = Counter()
        self.bad = 0
        self._on_bad = on_bad

    def read(self, lines: Iterable[bytes]) -> Iterator[T]:
        """Structs of all good lines, in order; blank lines are passed over."""
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield self.parse(line)
            except InputError as error:
                if self._on_bad is None:
                    raise InputError(f"{self.source}, line {number}: {error}") from None
                self.bad += 1
                self._on_bad(number, str(error))

    def parse(self, line: bytes) -> T:
        """One line -> one struct. Raises InputError that says what is wrong with it."""
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
