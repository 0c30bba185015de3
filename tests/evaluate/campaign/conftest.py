"""Processes of a pool find the tests' work by its module, on the path that they inherit."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
