"""Borrows the small stations of ``tests/station``."""

import importlib.util
import sys
from pathlib import Path

if "station_build" not in sys.modules:
    path = Path(__file__).resolve().parent.parent / "station" / "build.py"
    spec = importlib.util.spec_from_file_location("station_build", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["station_build"] = module
    spec.loader.exec_module(module)
