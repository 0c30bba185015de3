"""Makes the rig importable for the tests beside it."""

import importlib.util
import sys
from pathlib import Path

spec = importlib.util.spec_from_file_location("gateway_rig", Path(__file__).parent / "rig.py")
assert spec is not None
assert spec.loader is not None
rig = importlib.util.module_from_spec(spec)
sys.modules["gateway_rig"] = rig
spec.loader.exec_module(rig)
