"""Fixtures that every room's tests share."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# How long an example takes is the machine's affair: no test asserts a time.
settings.register_profile("vedette", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("vedette")


def _absent(what: str) -> None:
    """Skip, or fail where a skip is forbidden (continuous integration sets VEDETTE_NO_SKIP=1)."""
    if os.environ.get("VEDETTE_NO_SKIP") == "1":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def field_data() -> Path:
    """Folder of real captures (VEDETTE_FIELD_DATA, default ../shared/data); skips when absent."""
    folder = Path(os.environ.get("VEDETTE_FIELD_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real captures at {folder}: set VEDETTE_FIELD_DATA to run this test")
    return folder


@pytest.fixture(scope="session")
def counterpart() -> Callable[[str], str]:
    """Find the program of a real counterpart, e.g. ``counterpart("tshark")``; skips when absent."""

    def find(program: str) -> str:
        venv = ROOT / ".venv" / "bin" / program
        path = str(venv) if venv.exists() else shutil.which(program)
        if path is None:
            _absent(f"the program {program} is not installed: 'make test' installs it where it may")
        assert path is not None
        return path

    return find
