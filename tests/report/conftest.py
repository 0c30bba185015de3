"""Borrows the small stations of ``tests/station``, and the random sessions beside this file."""

import importlib.util
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def _load(name: str, path: Path) -> None:
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


_load("station_build", HERE.parent / "station" / "build.py")
_load("random_sessions", HERE / "random_sessions.py")
