"""Replay: the log again through the core, holding what it computes against what was done.

On the same numerics fingerprint everything must be equal to the bit: every intent, both digests of
every second, and the state in every snapshot. On another one the replay says so, digests and
snapshots are not compared, and decisions must agree in everything but the last digits.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from vedette.core import Core
from vedette.fuse import Grounds, no_ground
from vedette.model import Event, InputError, Intent
from vedette.model.event import (
    INTENT_KINDS,
    KIND_OF,
    Configure,
    Digest,
    Segment,
    Shed,
    Snapshot,
    decode_body,
    encode_body,
)
from vedette.record.backlog import SHED_WHAT
from vedette.record.fingerprint import difference, fingerprint

TOLERANCE = 1e-6
"""Relative and absolute: how far numbers of one decision may lie apart on other numerics."""


class Mismatch(Struct, frozen=True, kw_only=True):
    """The first place where replay and log differ."""

    seq: int
    what: str


class Outcome(Struct, kw_only=True):
    """What a replay found. ``exact`` is False when the fingerprint differs (``numerics`` says how);
    ``shed`` counts digests that the record was shed of, ``faults`` events on which the core failed."""

    events: int = 0
    decisions: int = 0
    digests: int = 0
    snapshots: int = 0
    faults: int = 0
    shed: int = 0
    exact: bool = True
    numerics: str = ""
    last_live: str = ""
    last_settled: str = ""
    mismatch: Mismatch | None = None


class Replay:
    """Feeds a log's events to a core. Iterate ``run``; ``outcome`` fills up meanwhile.

    ``core`` continues from a restored snapshot; without one the log must start at its beginning.
    ``grounds`` finds the ground that its configurations name.
    """

    def __init__(self, core: Core | None = None, grounds: Grounds = no_ground) -> None:
        self.core = core
        self._grounds = grounds
        self.outcome = Outcome()
        self._pending: deque[Intent] = deque()
        self._here = fingerprint()

    def run(self, events: Iterable[Event]) -> Iterator[Event]:
        """Each event once it has been replayed; ends at the first mismatch."""
        for event in events:
            self._take(event)
            if self.outcome.mismatch is not None:
                return
            self.outcome.events += 1
            yield event

    def _take(self, event: Event) -> None:
        if event.kind in INTENT_KINDS:
            self._compare(event)
            return
        if isinstance(event.body, Shed) and event.body.what == SHED_WHAT:
            self._gap(event.seq)
            return
        if self._pending:
            missing = KIND_OF[type(self._pending[0])]
            self._differs(event.seq, f"the core decides a '{missing}' here that the log does not have")
            return
        if isinstance(event.body, Segment):
            self._segment(event.body)
        elif isinstance(event.body, Snapshot):
            self._snapshot(event.seq, event.body)
        else:
            self._step(event)

    def _gap(self, seq: int) -> None:
        """An event was shed from the record. A digest can be computed all the same, no input can."""
        self.outcome.shed += 1
        if self._pending and isinstance(self._pending[0], Digest):
            self._pending.popleft()
            return
        self._differs(
            seq,
            "the record has a gap: events were shed here while the disk could not take them, and what "
            "follows cannot be computed from what is left (start again from a snapshot behind it)",
        )

    def _step(self, event: Event) -> None:
        if self.core is None:
            if not isinstance(event.body, Configure):
                raise InputError(
                    f"event {event.seq} ({event.kind}) comes before any configuration: "
                    "replay the log from its first event or from a snapshot"
                )
            self.core = Core(event.body, grounds=self._grounds)
            return
        try:
            self._pending.extend(self.core.step(event))
        except Exception:
            # The live station met the same fault on this event, told the desk and went on.
            self.outcome.faults += 1

    def _segment(self, segment: Segment) -> None:
        self.outcome.numerics = difference(self._here, segment.fingerprint)
        self.outcome.exact = self.outcome.exact and not self.outcome.numerics

    def _snapshot(self, seq: int, snapshot: Snapshot) -> None:
        self.outcome.snapshots += 1
        if self.core is not None and self.outcome.exact and self.core.snapshot() != snapshot.state:
            self._differs(seq, f"the state after event {snapshot.after} is not the one in the snapshot")

    def _compare(self, event: Event) -> None:
        if not self._pending:
            self._differs(event.seq, f"the log has a '{event.kind}' that the core does not decide")
            return
        decided = self._pending.popleft()
        if isinstance(event.body, Digest) and isinstance(decided, Digest):
            self._digest(event.seq, event.body, decided)
            return
        self.outcome.decisions += 1
        if not _agree(_written(decided), event.body, self.outcome.exact):
            self._differs(event.seq, f"the core decides another '{event.kind}' than the log has")

    def _digest(self, seq: int, logged: Digest, decided: Digest) -> None:
        self.outcome.digests += 1
        self.outcome.last_live, self.outcome.last_settled = decided.live, decided.settled
        if not self.outcome.exact:
            return
        for name in ("live", "settled"):
            if getattr(logged, name) != getattr(decided, name):
                self._differs(seq, f"the {name} digest of second {logged.time:.0f} is another one")

    def _differs(self, seq: int, what: str) -> None:
        self.outcome.mismatch = Mismatch(seq=seq, what=what)


def _written(intent: Intent) -> Any:
    """The intent as the log gives it back."""
    return decode_body(KIND_OF[type(intent)], encode_body(intent))


def _agree(ours: Any, theirs: Any, exact: bool) -> bool:
    if exact:
        return bool(ours == theirs)
    return type(ours) is type(theirs) and _near(msgspec.to_builtins(ours), msgspec.to_builtins(theirs))


def _near(ours: Any, theirs: Any) -> bool:
    """Equal in structure and words, numbers within the tolerance."""
    if isinstance(ours, float) and isinstance(theirs, float):
        return math.isclose(ours, theirs, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(_near(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list | tuple) and isinstance(theirs, list | tuple):
        return len(ours) == len(theirs) and all(map(_near, ours, theirs))
    return bool(ours == theirs)
