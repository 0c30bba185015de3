"""Strict decoding of configuration: an unknown key, a wrong type or a NaN names its field and line.

Used for ``vedette.toml``, ``site.json``, ``sensors.json`` and scenario files. Data lines are read by
``vedette.model.lines``, which keeps what it does not know.
"""

import json
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from vedette.model.choices import fields_at, words_at
from vedette.model.errors import ConfigError

T = TypeVar("T")
Path = tuple[str | int, ...]
Places = Iterable[tuple[Path, int]]
"""(path, offset in the text) of what stands in a document."""

_WHERE = re.compile(r" - at `(\$.*)`$")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


class FieldError(ValueError):
    """A field whose value cannot be, as a check after decoding finds; ``where`` is written like
    ``$.feed[1].url``."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.path, self.why = _path_of(where), why


def decode_toml(text: str | bytes, kind: type[T], source: str, check: Callable[[T], None] | None = None) -> T:
    """TOML text -> ``kind``. Raises ConfigError naming ``source``, line and field.

    ``check`` may raise `FieldError` for what the types cannot say.
    """
    document = _decoded(text, source)
    try:
        tree = tomllib.loads(document)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{source}: not valid TOML: {error}") from None
    return _convert(
        tree, kind, source, lambda path: _line(document, _TomlPlaces(document).found, path), check
    )


def toml_line(text: str, path: Path) -> int | None:
    """The line in well-formed TOML where ``path``, or the nearest of what holds it, is set."""
    return _line(text, _TomlPlaces(text).found, path)


def decode_json(text: str, kind: type[T], source: str) -> T:
    """JSON text -> ``kind``. Raises ConfigError naming ``source``, line and field."""
    try:
        tree = json.loads(text, object_pairs_hook=_no_twins, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{source}, line {error.lineno}: not valid JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{source}: {error}") from None
    return _convert(tree, kind, source, lambda path: _line(text, _json_places(text), path))


def decode_tree(tree: Any, kind: type[T], source: str) -> T:
    """A tree of plain values -> ``kind``; errors name the field (there are no lines to name)."""
    return _convert(tree, kind, source, lambda path: None)


def _convert(
    tree: Any,
    kind: type[T],
    source: str,
    line_of: Callable[[Path], int | None],
    check: Callable[[T], None] | None = None,
) -> T:
    for path, value in _leaves(tree, ()):
        if isinstance(value, float) and not math.isfinite(value):
            raise _error(source, path, line_of(path), f"{value} is not a finite number")
    try:
        good = msgspec.convert(tree, kind)
        if check is not None:
            check(good)
    except msgspec.ValidationError as error:
        message = str(error)
        path = _path_in(message)
        words = _WHERE.sub("", message) + _instead(message, kind, tree, path)
        raise _error(source, path, line_of(path), words) from None
    except FieldError as error:
        raise _error(source, error.path, line_of(error.path), error.why) from None
    return good


def _instead(message: str, kind: Any, tree: Any, path: Path) -> str:
    """What could have stood there, if that can be listed."""
    if _UNKNOWN.search(message):
        known, what = fields_at(kind, tree, path[:-1]), "known here"
    elif message.startswith("Invalid"):
        known, what = words_at(kind, tree, path), "there are"
    else:
        return ""
    return f"; {what}: {', '.join(known)}" if known else ""


def _decoded(text: str | bytes, source: str) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{source}: not UTF-8 at byte {error.start}: save the file as UTF-8") from None


def _error(source: str, path: Path, line: int | None, what: str) -> ConfigError:
    place = f"{source}, line {line}" if line else source
    return ConfigError(f"{place}: {_dotted(path) or 'the whole file'}: {what}")


def _dotted(path: Path) -> str:
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


def _path_in(message: str) -> Path:
    """The path that msgspec's message names, with the unknown field if that is what is wrong."""
    where, unknown = _WHERE.search(message), _UNKNOWN.search(message)
    path = _path_of(where.group(1)) if where else ()
    return (*path, unknown.group(1)) if unknown else path


def _path_of(where: str) -> Path:
    """``$.feed[1].url`` -> ("feed", 1, "url"). msgspec writes ``[...]`` for a key that it does not name."""
    steps = _STEP.findall(where.partition("[...]")[0])
    return tuple(name if name else int(index) for name, index in steps)


def _leaves(tree: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, (*path, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from _leaves(value, (*path, index))
    else:
        yield path, tree


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twin = next((name for name in names if names.count(name) > 1), None)
    if twin is not None:
        raise ValueError(f"the key {twin!r} stands twice in one object")
    return dict(pairs)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a finite number")


def _line(text: str, places: Places, want: Path) -> int | None:
    """The line where ``want``, or the nearest of what holds it, is set; None if nothing of it is."""
    best: tuple[int, int] | None = None
    for have, offset in places:
        if want[: len(have)] == have and (best is None or len(have) >= best[0]):
            best = (len(have), offset)
    return None if best is None else text.count("\n", 0, best[1]) + 1


_TOML_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
    | (?P<word>\"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\])*" | '[^']*'
      | [^\s\[\]{}=,.\#"']+)
    | (?P<mark>[\[\]{}=,\n])""",
    re.DOTALL | re.VERBOSE,
)


class _TomlPlaces:
    """Where every table, key and array item stands in TOML text that is known to be well formed."""

    def __init__(self, text: str) -> None:
        self.found: list[tuple[Path, int]] = []
        self._table: Path = ()
        self._items: dict[Path, int] = {}
        self._place: Path = ()
        self._outer: list[tuple[Path, str]] = []
        self._names: list[str] = []
        self._start = 0
        self._header = 0
        self._naming = True
        for token in _TOML_TOKEN.finditer(text):
            if token.lastgroup == "word":
                self._word(token.group(), token.start())
            elif token.lastgroup == "mark":
                self._mark(token.group(), token.start())
        self._end_line()

    def _word(self, word: str, offset: int) -> None:
        if not self._naming:
            self._value(offset)
            return
        if not self._names:
            self._start = offset
        self._names.append(tomllib.loads(f"word = {word}")["word"] if word[0] in "\"'" else word)

    def _mark(self, mark: str, offset: int) -> None:
        if mark == "\n":
            self._end_line()
        elif mark == "=":
            self._place = (*(self._outer[-1][0] if self._outer else self._table), *self._names)
            self.found.append((self._place, self._start))
            self._names, self._naming = [], False
        elif mark == ",":
            self._next()
        elif mark in "]}":
            self._close()
        elif self._naming and not self._outer:
            self._header += 1
        else:
            self._value(offset)
            self._open(mark)

    def _value(self, offset: int) -> None:
        """A value begins or goes on; in an array it is an item with a place of its own."""
        if self._outer and self._outer[-1][1] == "[":
            self.found.append((self._place, offset))

    def _open(self, mark: str) -> None:
        self._outer.append((self._place, mark))
        self._naming = mark == "{"
        if mark == "[":
            self._place = (*self._place, 0)

    def _close(self) -> None:
        # The closing brackets of a table's header close nothing.
        if self._outer:
            self._place, _ = self._outer.pop()
            self._names, self._naming = [], False

    def _next(self) -> None:
        holder, mark = self._outer[-1]
        self._naming = mark == "{"
        if mark == "[":
            index = self._place[len(holder)]
            assert isinstance(index, int)
            self._place = (*holder, index + 1)

    def _end_line(self) -> None:
        if self._outer:
            return
        if self._header:
            self._enter_table()
        self._names, self._header, self._naming = [], 0, True

    def _enter_table(self) -> None:
        """The path of a table's header, with the number of the last item of each array on its way."""
        path: Path = ()
        for depth, name in enumerate(self._names, 1):
            path = (*path, name)
            if depth == len(self._names) and self._header == 2:
                self._items[path] = self._items.get(path, -1) + 1
            if path in self._items:
                path = (*path, self._items[path])
        self._table = path
        self.found.append((path, self._start))


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def _json_places(text: str) -> Iterator[tuple[Path, int]]:
    """(path, offset) of every value in JSON text that is known to be well formed."""
    stack: list[str | int] = []
    key: str | None = None
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if mark == ":":
            continue
        if mark == ",":
            if stack and isinstance(stack[-1], int):
                stack[-1] += 1
            elif stack:
                stack[-1] = ""
            continue
        if mark in "}]":
            stack.pop()
            continue
        if mark.startswith('"') and stack and stack[-1] == "":
            key = json.loads(mark)
            stack[-1] = key
            yield tuple(stack), token.start()
            continue
        if stack:
            yield tuple(stack), token.start()
        if mark == "{":
            stack.append("")
        elif mark == "[":
            stack.append(0)
