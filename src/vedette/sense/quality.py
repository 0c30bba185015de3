"""What each adapter is worth: the rows of ``docs/feeds.md``, stated beside the code that they speak of.

Every module of this room that turns messages into Detections has a ``QUALITY``. The table is made from
them (``scripts/feeds.py``), and a test holds each row against the schemes, fuzzers and benchmarks that
are there.
"""

import pkgutil
from importlib import import_module

from msgspec import Struct

import vedette.sense


class Quality(Struct, frozen=True, kw_only=True):
    """One adapter. ``schemes``: the feed URLs that lead to it. ``tested``: real counterparts, captures
    and corpora that its tests use. ``encoder``: what of the format we write, too, or None. ``fuzzer``:
    the file in ``tests/fuzz``. ``bench``: the name for ``vedette bench decode --format``. ``uncovered``:
    what of the standard is not read, or not tested against anything real."""

    name: str
    standard: str
    schemes: tuple[str, ...]
    tested: tuple[str, ...]
    encoder: str | None
    fuzzer: str
    bench: str
    uncovered: tuple[str, ...]


def qualities() -> tuple[Quality, ...]:
    """The rows of all adapters of this room, by the names of their modules."""
    modules = sorted(found.name for found in pkgutil.iter_modules(vedette.sense.__path__))
    rows = (getattr(import_module(f"vedette.sense.{name}"), "QUALITY", None) for name in modules)
    return tuple(row for row in rows if isinstance(row, Quality))
