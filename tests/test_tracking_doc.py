"""docs/tracking.md is one text and true: its names are in the code, its equations have a number each."""

import importlib
import inspect
import pkgutil
import re
from collections import Counter
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import vedette.evaluate
import vedette.fuse

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "tracking.md").read_text(encoding="utf-8")
WORDS = frozenset({"code", "truth.jsonl"})
"""What is set as code and is none of ours."""
REASON = re.compile(r"[a-z]+(-[a-z]+)*(:[\w]+)?")
EQUATION = re.compile(r"\(([A-Z]\d)\)")


@cache
def modules() -> dict[str, list[ModuleType]]:
    """All modules of the tracker and of its measurement, by their last name."""
    found: dict[str, list[ModuleType]] = {}
    for package in (vedette.fuse, vedette.evaluate):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(info.name)
            found.setdefault(info.name.rpartition(".")[2], []).append(module)
    return found


@cache
def classes() -> dict[str, type]:
    every = [module for held in modules().values() for module in held]
    return {name: kind for module in every for name, kind in inspect.getmembers(module, inspect.isclass)}


@cache
def sources() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))


def has(kind: type, name: str) -> bool:
    return hasattr(kind, name) or name in getattr(kind, "__slots__", ())


def is_there(name: str) -> bool:
    """A file, a folder, a module's or a class's member, or a word of the source."""
    if "/" in name or name.endswith((".py", ".jsonl")):
        tail = name.rstrip("/")
        return any(
            (ROOT / place / tail).exists() for place in ("", "src/vedette", "src/vedette/fuse")
        ) or any(
            path.as_posix().endswith(f"/{tail}")
            for place in ("src/vedette/fuse", "tests/fuse", "scripts")
            for path in (ROOT / place).rglob("*.py")
        )
    *owners, last = name.split(".")
    if owners:
        owner = owners[-1]
        if owner in classes():
            return has(classes()[owner], last)
        return any(hasattr(module, last) for module in modules().get(owner, []))
    return re.search(rf"\b{re.escape(name)}\b", sources()) is not None


def names() -> list[str]:
    """What stands between backticks, and is no command."""
    return sorted({name for name in re.findall(r"`([^`\n]+)`", PAGE) if " " not in name} - WORDS)


@pytest.mark.parametrize("name", names())
def test_each_name_of_the_page_is_in_the_code(name: str) -> None:
    reason = (REASON.fullmatch(name) and "-" in name) or ":" in name
    if reason:
        assert f'"{name.partition(":")[0]}' in sources()
    else:
        assert is_there(name), f"docs/tracking.md names {name}, which is not there"


@pytest.mark.parametrize("name", ["claims.no_such", "Picture.no_such", "no_such_setting", "no/such.py"])
def test_what_is_not_there_is_found_missing(name: str) -> None:
    assert not is_there(name)


def test_each_equation_has_a_number_of_its_own() -> None:
    lines = [line.rstrip() for line in PAGE.splitlines() if line.startswith("   ")]
    set_apart = Counter(found[1] for line in lines if (found := re.search(r"\(([A-Z]\d)\)$", line)))
    assert set_apart, "the page has equations"
    assert [number for number, count in set_apart.items() if count > 1] == []
    assert not re.search(r"\(\d\)$", PAGE, re.MULTILINE), "a number without its section's letter"


def test_a_letter_belongs_to_one_section() -> None:
    letters = [number[0] for number in EQUATION.findall(PAGE)]
    groups = [letter for place, letter in enumerate(letters) if place == 0 or letters[place - 1] != letter]
    assert len(groups) == len(set(groups)), groups


def test_commands_of_the_page_are_commands() -> None:
    from vedette.cli.main import run_command

    for group, name in re.findall(r"`vedette (bench )?(\w+)", PAGE):
        assert run_command([*group.split(), name, "--help"]) in (0, None)


def test_sections_are_set_apart() -> None:
    assert not re.search(r"[^\n]\n#+ ", PAGE)
