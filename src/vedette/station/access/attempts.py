"""The tallies of wrong attempts in the store: bounded, and charged before anything is looked at."""

from collections.abc import Iterable

from vedette.station.access.lockout import DEVICE, FORGET_S, Limit, Tally, failed, wait_s
from vedette.station.access.store import Store

MOST_TALLIES = 10_000

Bucket = tuple[str, Limit]


class Attempts:
    """Counts attempts by bucket. A flood of new buckets pushes out those with the fewest failures, so that
    nobody can make a guesser's tally forgotten."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def wait_s(self, buckets: Iterable[Bucket], now: float) -> float:
        """The longest wait that any of these buckets asks for."""
        return max((wait_s(self.tally(name), now, limit) for name, limit in buckets), default=0.0)

    def charge(self, buckets: Iterable[Bucket], now: float) -> float:
        """The wait that is still asked for; if there is none, one failure is written down in each bucket, to
        be taken back by `forgive`. So a hundred attempts at the same moment are a hundred attempts."""
        with self._store.transaction():
            wanted = tuple(buckets)
            wait = self.wait_s(wanted, now)
            if not wait:
                for name, _ in wanted:
                    self._write(name, failed(self.tally(name), now))
                self._trim(now)
            return wait

    def forgive(self, buckets: Iterable[Bucket]) -> None:
        """Make these tallies clean."""
        for name, _ in buckets:
            self._store.change("DELETE FROM tallies WHERE bucket = ?", name)

    def succeed(self, buckets: Iterable[Bucket]) -> None:
        """It was right: the charge is taken back. A device's tally is clean; what others failed at in this
        name, or from this address, stays."""
        for name, limit in buckets:
            if limit is DEVICE:
                self.forgive([(name, limit)])
            else:
                self._store.change(
                    "UPDATE tallies SET failures = max(0, failures - 1) WHERE bucket = ?", name
                )

    def tally(self, name: str) -> Tally:
        """What is written in a bucket."""
        found = self._store.row("SELECT failures, last FROM tallies WHERE bucket = ?", name)
        return Tally() if found is None else Tally(found[0], found[1])

    def _write(self, name: str, tally: Tally) -> None:
        self._store.change(
            "INSERT OR REPLACE INTO tallies (bucket, failures, last) VALUES (?, ?, ?)",
            name,
            tally.failures,
            tally.last,
        )

    def _trim(self, now: float) -> None:
        change = self._store.change
        change("DELETE FROM tallies WHERE last < ?", now - FORGET_S)
        found = self._store.row("SELECT count(*) FROM tallies")
        surplus = 0 if found is None else found[0] - MOST_TALLIES
        if surplus > 0:
            change(
                "DELETE FROM tallies WHERE bucket IN"
                " (SELECT bucket FROM tallies ORDER BY failures, last LIMIT ?)",
                surplus,
            )
