"""Strict decoding of configuration: an unknown key, a wrong type or a NaN names its field and line.

Used for ``vedette.toml``, ``site.json``, ``sensors.json`` and scenario files. Data lines are read by
``vedette.model.lines``, which keeps what it does not know.
"""

import json
import math
import re
import tomllib
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from vedette.model.errors import ConfigError

T = TypeVar("T")
Path = tuple[str | int, ...]

_WHERE = re.compile(r" - at `\$(.*)`$")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_HEADER = re.compile(r"^\s*(\[{1,2})\s*([^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*([A-Za-z0-9_.\-"' ]+?)\s*=""")


def decode_toml(text: str, kind: type[T], source: str) -> T:
    """TOML text -> ``kind``. Raises ConfigError naming ``source``, line and field."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not valid TOML: {error}") from None
    return _convert(tree, kind, source, lambda path: _toml_line(text, path))


def decode_json(text: str, kind: type[T], source: str) -> T:
    """JSON text -> ``kind``. Raises ConfigError naming ``source``, line and field."""
    try:
        tree = json.loads(text, object_pairs_hook=_no_twins, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{source}, line {error.lineno}: not valid JSON: {error.msg}") from None
    except ValueError as error:
        raise ConfigError(f"{source}: {error}") from None
    return _convert(tree, kind, source, lambda path: _json_line(text, path))


def decode_tree(tree: Any, kind: type[T], source: str) -> T:
    """A tree of plain values -> ``kind``; errors name the field (there are no lines to name)."""
    return _convert(tree, kind, source, lambda path: None)


def _convert(tree: Any, kind: type[T], source: str, line_of: Any) -> T:
    for path, value in _leaves(tree, ()):
        if isinstance(value, float) and not math.isfinite(value):
            raise _error(source, path, line_of(path), f"{value} is not a finite number")
    try:
        return msgspec.convert(tree, kind)
    except msgspec.ValidationError as error:
        message = str(error)
        path = _path_of(message)
        unknown = _UNKNOWN.search(message)
        if unknown:
            path = (*path, unknown.group(1))
        raise _error(source, path, line_of(path), _WHERE.sub("", message)) from None


def _error(source: str, path: Path, line: int | None, what: str) -> ConfigError:
    place = f"{source}, line {line}" if line else source
    return ConfigError(f"{place}: {_dotted(path) or 'the whole file'}: {what}")


def _dotted(path: Path) -> str:
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


def _path_of(message: str) -> Path:
    """The path in msgspec's message, e.g. ``$.feed[1].url`` -> ("feed", 1, "url")."""
    where = _WHERE.search(message)
    if where is None:
        return ()
    steps = _STEP.findall(where.group(1))
    return tuple(name if name else (int(index) if index != "..." else 0) for name, index in steps)


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


def _toml_line(text: str, path: Path) -> int | None:
    """The line where ``path``, or the nearest part of it that has a line, is set."""
    best: tuple[int, int] | None = None
    table: Path = ()
    seen: dict[Path, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            table = _table(header, seen)
            best = _nearer(best, table, path, number)
            continue
        key = _KEY.match(line)
        if key:
            best = _nearer(best, (*table, *_names(key.group(1))), path, number)
    return best[1] if best else None


def _table(header: re.Match[str], seen: dict[Path, int]) -> Path:
    """Path of a TOML table header, with the running index of arrays of tables."""
    path: Path = ()
    names = _names(header.group(2))
    for depth, name in enumerate(names):
        path = (*path, name)
        last = depth == len(names) - 1
        if last and header.group(1) == "[[":
            seen[path] = seen.get(path, -1) + 1
        if path in seen:
            path = (*path, seen[path])
    return path


def _names(dotted: str) -> Path:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _nearer(best: tuple[int, int] | None, have: Path, want: Path, line: int) -> tuple[int, int] | None:
    """Keep the line whose path is the longest beginning of the wanted one."""
    if want[: len(have)] != have:
        return best
    return (len(have), line) if best is None or len(have) > best[0] else best


def _json_line(text: str, path: Path) -> int | None:
    best: tuple[int, int] | None = None
    for have, offset in _json_places(text):
        if want_starts(path, have) and (best is None or len(have) >= best[0]):
            best = (len(have), text.count("\n", 0, offset) + 1)
    return best[1] if best else None


def want_starts(want: Path, have: Path) -> bool:
    """True if ``have`` is a beginning of ``want``."""
    return want[: len(have)] == have


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
