"""Who looked at where people are: when, from where, and at whom.

One entry is one continuous look: a desk that shows the live picture for a shift is one entry that grows.
Another begins when somebody else, from elsewhere or after a pause, looks, or when other units are to be
seen. So nothing is lost among thousands of lines, and an attacker who fails all day pushes nothing out.
"""

import msgspec
from msgspec import Struct

from vedette.station.access.store import Store

PAUSE_S = 300.0
"""After so long without a look, the next one is another."""
KEPT_S = 400 * 86400.0
MOST_READS = 200_000
MOST_UNITS = 2000
"""Named in one entry."""
_PURPOSE = "units-seen"


class Look(Struct, frozen=True, kw_only=True):
    """``actor`` saw where ``units`` are, ``reads`` times between ``began`` and ``ended`` (Unix seconds).
    ``way``: by which page or program, from which address."""

    actor: str
    way: str
    began: float
    ended: float
    reads: int
    units: tuple[str, ...]


class Reads:
    """Keeps the looks in the access store for ``KEPT_S``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, actor: str, way: str, units: tuple[str, ...], reads: int, began: float, now: float) -> None:
        """``reads`` more looks by this actor, the first at ``began``, the last at ``now``."""
        seen = msgspec.json.encode(sorted(units)[:MOST_UNITS])
        mark = self._store.mark(_PURPOSE, seen)
        with self._store.transaction():
            grown = self._store.change(
                "UPDATE reads SET ended = ?, reads = reads + ? WHERE id ="
                " (SELECT max(id) FROM reads WHERE actor = ? AND way = ?) AND mark = ?"
                " AND ended BETWEEN ? AND ?",
                now,
                reads,
                actor,
                way,
                mark,
                began - PAUSE_S,
                now,
            )
            if not grown:
                last = self._store.insert(
                    "INSERT INTO reads (actor, way, began, ended, reads, mark, sealed)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    actor,
                    way,
                    began,
                    now,
                    reads,
                    mark,
                    self._store.seal(seen, _PURPOSE),
                )
                self._forget(last, now)

    def all(self, most: int = 1000) -> tuple[Look, ...]:
        """The newest looks, the newest first."""
        rows = self._store.rows(
            "SELECT actor, way, began, ended, reads, sealed FROM reads ORDER BY id DESC LIMIT ?", most
        )
        return tuple(
            Look(
                actor=r[0],
                way=r[1],
                began=r[2],
                ended=r[3],
                reads=r[4],
                units=tuple(msgspec.json.decode(self._store.unseal(r[5], _PURPOSE))),
            )
            for r in rows
        )

    def _forget(self, last: int, now: float) -> None:
        self._store.change("DELETE FROM reads WHERE id <= ? OR ended < ?", last - MOST_READS, now - KEPT_S)
