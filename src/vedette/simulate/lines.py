"""The line of a TOML document that a field stands on, so that an error can be found."""

import re
from collections import Counter

_HEADER = re.compile(r"^\s*(\[\[|\[)\s*([A-Za-z0-9_.\- ]+?)\s*(\]\]|\])\s*(?:#.*)?$")
_ITEM = re.compile(r"^\s*\{")
_KEY = re.compile(r"^\s*([A-Za-z0-9_-]+(?:\s*\.\s*[A-Za-z0-9_-]+)*)\s*=")


def line_of(document: str, path: str) -> int | None:
    """Line (from 1) of ``path``, e.g. ``$.actor[1].path[0].at_s``, or of what holds it; None if unknown.

    Tables, arrays of tables, keys, and inline tables on lines of their own are found by their lines;
    what stands deeper is found as the line of what holds it. Multi-line strings that imitate TOML may
    mislead it: the line is a help to the reader, the path in the message is what counts.
    """
    lines = _field_lines(document)
    wanted = path.removeprefix("$").lstrip(".")
    while wanted:
        if wanted in lines:
            return lines[wanted]
        wanted = wanted[: max(wanted.rfind("."), wanted.rfind("["), 0)]
    return None


def _field_lines(document: str) -> dict[str, int]:
    found: dict[str, int] = {}
    counts: Counter[str] = Counter()
    table = key_path = ""
    for number, line in enumerate(document.splitlines(), start=1):
        header = _HEADER.match(line)
        if header:
            table = _enter(header.group(2).replace(" ", ""), header.group(1) == "[[", counts)
            found.setdefault(table, number)
            continue
        key = _KEY.match(line)
        if key:
            name = key.group(1).replace(" ", "")
            key_path = f"{table}.{name}" if table else name
            found.setdefault(key_path, number)
        elif _ITEM.match(line):
            found.setdefault(f"{key_path}[{counts[key_path]}]", number)
            counts[key_path] += 1
    return found


def _enter(name: str, is_array: bool, counts: Counter[str]) -> str:
    """The full path of a table header; ``counts`` holds how many items each array has so far."""
    path = ""
    parts = name.split(".")
    for depth, part in enumerate(parts):
        path = f"{path}.{part}" if path else part
        last = depth == len(parts) - 1
        if last and is_array:
            counts[path] += 1
        if counts[path]:
            path = f"{path}[{counts[path] - 1}]"
    return path
