"""Packs as text, and what may be said with one, for tests."""

import json
import tomllib
from collections.abc import Iterator
from datetime import date
from typing import Any, get_args

import hypothesis.strategies as st

from vedette.model.alert import AlertStatus
from vedette.model.threat import Behaviour, Level
from vedette.warn.certainty import CERTAINTIES
from vedette.warn.pack import shipped_texts
from vedette.warn.wording import SOURCES, Facts

Tree = dict[str, Any]


def shipped(language: str = "en") -> Tree:
    """The pack of this language that comes with Vedette, as a tree that a test may change."""
    return tomllib.loads(shipped_texts()[f"{language}.toml"].decode())


def own(language: str = "en", version: int = 100) -> Tree:
    """The same as a site's own pack."""
    return shipped(language) | {"version": version}


def written(tree: Tree) -> bytes:
    """The tree as TOML."""
    return "\n".join(_lines(tree)).encode()


def _lines(tree: Tree) -> Iterator[str]:
    for key, value in tree.items():
        if not isinstance(value, dict):
            yield f"{json.dumps(key)} = {_value(value)}"
    for key, value in tree.items():
        if isinstance(value, dict):
            yield f"[{json.dumps(key)}]"
            yield from (f"{json.dumps(name)} = {_value(inner)}" for name, inner in value.items())


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return value.isoformat() if isinstance(value, date) else json.dumps(value)


METRES = st.floats(0.0, 1e7)
SECONDS = st.floats(0.0, 1e7)
BEARINGS = st.floats(-720.0, 720.0)
TIMES = st.floats(0.0, 4e9)
FACTS = st.builds(
    Facts,
    level=st.sampled_from(get_args(Level)),
    behaviour=st.sampled_from(get_args(Behaviour)),
    bearing_deg=BEARINGS,
    range_m=st.none() | METRES,
    bearing_sigma_deg=st.none() | st.floats(0.0, 180.0),
    attackers=st.integers(0, 10**9),
    axes_deg=st.lists(BEARINGS, max_size=12).map(tuple),
    time_to_impact_s=st.none() | st.tuples(SECONDS, SECONDS).map(lambda two: (min(two), max(two))),
    earliest_s=st.none() | SECONDS,
    status=st.sampled_from(get_args(AlertStatus)),
    unplaced_at=st.none() | TIMES,
    certainty=st.sampled_from(CERTAINTIES),
    at=TIMES,
    seen=st.none() | TIMES,
    sources=st.lists(st.sampled_from(SOURCES), max_size=8).map(tuple),
    height_known=st.none() | st.booleans(),
)
"""Whatever a text may have to say."""
