"""A replay gives the same decisions, digests and states, to the bit, from the start or any snapshot."""

from collections.abc import Iterable

import msgspec
import pytest
from station_build import SITE, START, Recorder, demo, scenario_bodies

from vedette.core import Core
from vedette.model import Event, InputError
from vedette.model.event import (
    Configure,
    Deliver,
    DetectionBatch,
    Digest,
    Segment,
    Shed,
    Snapshot,
    decode_body,
    encode_body,
)
from vedette.record.backlog import SHED_WHAT
from vedette.record.fingerprint import fingerprint
from vedette.report.replay import Replay

SNAPSHOT_EVERY_S = 25.0


@pytest.fixture(scope="module")
def recorded() -> list[Event]:
    """The demo as a log of events, with a snapshot every 25 s."""
    scenario = demo()
    recorder = Recorder(site=scenario.head.site)
    engine = recorder.engine
    recorder.engine.note(Segment(format=1, fingerprint=fingerprint()))
    recorder.engine.note(engine.core.configure)
    due = START + SNAPSHOT_EVERY_S
    for at, body in scenario_bodies(scenario):
        recorder.enter(at, body)
        if at >= due:
            engine.note(Snapshot(after=engine.seq, state=engine.core.snapshot()))
            due = at + SNAPSHOT_EVERY_S
    assert not recorder.faults
    return [_stored(event) for event in recorder.events]


def _stored(event: Event) -> Event:
    """The event as a log gives it back."""
    return Event(event.seq, event.at, decode_body(event.kind, encode_body(event.body)))


def replayed(events: Iterable[Event], core: Core | None = None) -> Replay:
    replay = Replay(core)
    for _ in replay.run(events):
        pass
    return replay


def test_the_demo_warns(recorded: list[Event]) -> None:
    levels = [event.body.alert.level for event in recorded if isinstance(event.body, Deliver)]
    assert "imminent" in levels


def test_replay_is_equal_to_the_bit(recorded: list[Event]) -> None:
    outcome = replayed(recorded).outcome
    assert outcome.mismatch is None
    assert outcome.exact
    assert outcome.events == len(recorded)
    assert outcome.decisions > 5
    assert outcome.digests > 150
    assert outcome.snapshots > 4


def test_replay_is_equal_from_every_snapshot(recorded: list[Event]) -> None:
    snapshots = [event for event in recorded if isinstance(event.body, Snapshot)]
    whole = replayed(recorded).outcome
    for event in snapshots:
        assert isinstance(event.body, Snapshot)
        after = event.body.after
        rest = [later for later in recorded if later.seq > after]
        outcome = replayed(rest, Core.restore(event.body.state)).outcome
        assert outcome.mismatch is None
        assert outcome.last_live == whole.last_live


def _with(events: list[Event], number: int, body: object) -> list[Event]:
    changed = list(events)
    changed[number] = Event(changed[number].seq, changed[number].at, body)  # type: ignore[arg-type]
    return changed


def _first(events: list[Event], kind: type) -> int:
    return next(n for n, event in enumerate(events) if isinstance(event.body, kind))


def test_an_altered_digest_is_found(recorded: list[Event]) -> None:
    number = _first(recorded, Digest)
    body = recorded[number].body
    assert isinstance(body, Digest)
    altered = _with(recorded, number, msgspec.structs.replace(body, live="0" * 32))
    mismatch = replayed(altered).outcome.mismatch
    assert mismatch is not None
    assert mismatch.seq == recorded[number].seq
    assert "live digest" in mismatch.what


def test_an_altered_alert_is_found(recorded: list[Event]) -> None:
    number = _first(recorded, Deliver)
    body = recorded[number].body
    assert isinstance(body, Deliver)
    altered = _with(recorded, number, msgspec.structs.replace(body, recipients=("somebody-else",)))
    mismatch = replayed(altered).outcome.mismatch
    assert mismatch is not None
    assert mismatch.seq == recorded[number].seq


def test_a_missing_decision_is_found(recorded: list[Event]) -> None:
    number = _first(recorded, Deliver)
    mismatch = replayed(recorded[:number] + recorded[number + 1 :]).outcome.mismatch
    assert mismatch is not None
    assert "does not have" in mismatch.what


def test_an_invented_decision_is_found(recorded: list[Event]) -> None:
    number = _first(recorded, Deliver)
    doubled = [*recorded[: number + 1], recorded[number], *recorded[number + 1 :]]
    mismatch = replayed(doubled).outcome.mismatch
    assert mismatch is not None
    assert "does not decide" in mismatch.what


def test_a_gap_in_the_record_is_called_a_gap(recorded: list[Event]) -> None:
    number = _first(recorded, DetectionBatch)
    mismatch = replayed(_with(recorded, number, Shed(what=SHED_WHAT, count=1))).outcome.mismatch
    assert mismatch is not None
    assert mismatch.seq == recorded[number].seq
    assert "gap" in mismatch.what


def test_a_digest_that_was_shed_is_computed_all_the_same(recorded: list[Event]) -> None:
    number = _first(recorded, Digest)
    outcome = replayed(_with(recorded, number, Shed(what=SHED_WHAT, count=1))).outcome
    assert outcome.mismatch is None
    assert outcome.shed == 1
    assert outcome.last_live == replayed(recorded).outcome.last_live


def test_an_alert_is_never_taken_for_shed(recorded: list[Event]) -> None:
    number = _first(recorded, Deliver)
    mismatch = replayed(_with(recorded, number, Shed(what=SHED_WHAT, count=1))).outcome.mismatch
    assert mismatch is not None


def test_what_a_feed_sheds_is_an_event_like_any_other(recorded: list[Event]) -> None:
    number = _first(recorded, Digest) + 1
    seq, at = recorded[number].seq, recorded[number].at
    more = [*recorded[:number], Event(seq, at, Shed(what="detections of a", count=3)), *recorded[number:]]
    assert replayed(more).outcome.mismatch is None


def test_another_fingerprint_compares_decisions_only(recorded: list[Event]) -> None:
    other = {**fingerprint(), "numba": "0.0.1"}
    segment = Segment(format=1, fingerprint=other)
    number = _first(recorded, Digest)
    body = recorded[number].body
    assert isinstance(body, Digest)
    elsewhere = _with(_with(recorded, 0, segment), number, msgspec.structs.replace(body, live="0" * 32))
    outcome = replayed(elsewhere).outcome
    assert outcome.mismatch is None
    assert not outcome.exact
    assert "numba 0.0.1 then" in outcome.numerics


def test_a_log_without_its_beginning_says_so(recorded: list[Event]) -> None:
    with pytest.raises(InputError, match="before any configuration"):
        replayed(recorded[5:])


def test_new_configuration_keeps_the_alerts(recorded: list[Event]) -> None:
    core = Core(Configure(site=SITE))
    state_before = core.snapshot()
    core.step(Event(1, START, Configure(site=SITE, settings={"warn": {}})))
    assert core.configure.settings == {"warn": {}}
    assert Core.restore(state_before).configure.settings == {}
