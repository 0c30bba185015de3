"""Assessor and simulator know nothing of each other: who knows the simulator's figures grades himself."""

import subprocess
import sys

import pytest

WALK = """
import importlib, pkgutil, sys
root = importlib.import_module("vedette.{room}")
for module in pkgutil.walk_packages(root.__path__, root.__name__ + "."):
    importlib.import_module(module.name)
print(*sorted(name for name in sys.modules if name.startswith("vedette.")), sep="\\n")
"""


def loaded(room: str) -> set[str]:
    """The modules that are there once every module of a room was imported, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", WALK.format(room=room)], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(("room", "other"), [("assess", "simulate"), ("simulate", "assess")])
def test_neither_room_ever_loads_the_other(room: str, other: str) -> None:
    names = loaded(room)
    assert f"vedette.{room}" in names
    assert {name for name in names if name.startswith(f"vedette.{other}")} == set()
