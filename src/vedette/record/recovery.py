"""What a station finds in its log when it starts."""

from dataclasses import dataclass

from vedette.model.errors import InputError
from vedette.model.event import Snapshot
from vedette.record.errors import KeyDestroyed, SealBroken
from vedette.record.log import EventStream, Log


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """Where to go on: restore ``snapshot``, then feed it ``events``, then write ``last_seq + 1``.

    ``events`` streams all that follows the state of the snapshot (from event 1 without one); its
    ``skipped`` counts sealed events whose key is gone. ``snapshot_seq`` is the snapshot's own number,
    and ``problem`` says why a later snapshot could not be used.
    """

    snapshot: Snapshot | None
    snapshot_seq: int | None
    events: EventStream
    last_seq: int
    last_at: float
    problem: str | None = None


def recover(log: Log) -> Recovery:
    """The latest snapshot that can be read and what follows it. Raises LogError."""
    problem = None
    before: int | None = None
    while True:
        try:
            found = log.latest_snapshot(before)
            break
        except (KeyDestroyed, SealBroken, InputError) as error:
            problem = problem or str(error)
            before = log.latest_snapshot_seq(before)
    snapshot, seq = found if found is not None else (None, None)
    return Recovery(
        snapshot=snapshot,
        snapshot_seq=seq,
        events=log.events(1 if snapshot is None else snapshot.after + 1, skip_sealed=True),
        last_seq=log.last.seq,
        last_at=log.last.at,
        problem=problem,
    )
