"""Makers of threats and receipts."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vedette.model import Receipt, Threat

BASE = 1_700_000_000.0


def _load(name: str, path: Path) -> None:
    """Make a helper importable for this room's tests and for the neighbours."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


_load("pack_texts", Path(__file__).parent / "pack_texts.py")


def make_threat(level: str = "warning", after: float = 0.0, **changes: Any) -> Threat:
    given: dict[str, Any] = {
        "time": BASE + after,
        "track": "T1",
        "unit": "alpha",
        "risk": 0.6,
        "level": level,
        "behaviour": "direct-run",
        "evidence": (("closing at 22 m/s, passes within 20 m", 2.1),),
        "bearing_deg": 45.0,
        "range_m": 800.0,
        "closing_mps": 22.0,
        "time_to_impact_s": (28.0, 36.0),
        "earliest_s": 14.0,
    }
    return Threat(**(given | changes))


@pytest.fixture
def threat_of() -> Callable[..., Threat]:
    return make_threat


@pytest.fixture
def base() -> float:
    return BASE


@pytest.fixture
def receipt_of() -> Callable[..., Receipt]:
    def make(alert: str, fact: str = "acknowledged", **changes: Any) -> Receipt:
        given: dict[str, Any] = {
            "time": BASE,
            "alert": alert,
            "revision": 1,
            "recipient": "alpha",
            "channel": "tak",
            "fact": fact,
        }
        return Receipt(**(given | changes))

    return make
