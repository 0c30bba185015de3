"""What a station finds when it starts again."""

from collections.abc import Callable

from vedette.model import Event
from vedette.model.event import Snapshot, Tick
from vedette.record import Keyring, Log, recover

Night = Callable[..., list[Event]]
DAY_S = 86_400.0


def test_an_empty_log_recovers_to_nothing(log: Log) -> None:
    found = recover(log)
    assert (found.snapshot, found.snapshot_seq, found.last_seq, found.problem) == (None, None, 0, None)
    assert list(found.events) == []


def test_without_a_snapshot_everything_is_fed_again(log: Log, night: Night) -> None:
    log.append(night(5))
    found = recover(log)
    assert found.snapshot is None
    assert list(found.events) == night(5)
    assert (found.last_seq, found.last_at) == (5, night(5)[-1].at)


def test_events_follow_the_state_of_the_snapshot_not_its_number(log: Log) -> None:
    log.append([Event(seq, 1.0, Tick()) for seq in range(1, 6)])
    log.append([Event(6, 1.0, Snapshot(after=4, state=b"state")), Event(7, 2.0, Tick())])
    found = recover(log)
    assert found.snapshot == Snapshot(after=4, state=b"state")
    assert found.snapshot_seq == 6
    assert [event.seq for event in found.events] == [5, 6, 7]


def test_a_snapshot_whose_key_is_gone_gives_way_to_an_older_one(log: Log, keyring: Keyring) -> None:
    log.append([Event(1, DAY_S, Snapshot(after=0, state=b"old"))])
    log.append([Event(2, 2 * DAY_S, Snapshot(after=1, state=b"new")), Event(3, 2 * DAY_S, Tick())])
    keyring.destroy("people", "1970-01-03", "ordered")
    found = recover(log)
    assert found.snapshot == Snapshot(after=0, state=b"old")
    assert found.problem is not None
    assert "1970-01-03 was destroyed: ordered" in found.problem
    assert [event.seq for event in found.events] == [1, 3]
    assert found.events.skipped == 1


def test_with_every_key_gone_the_station_still_starts(log: Log, night: Night, keyring: Keyring) -> None:
    log.append(night(14))
    for key in keyring.folder.iterdir():
        key.unlink()
    found = recover(log)
    assert found.snapshot is None
    assert found.problem is not None
    assert [event.kind for event in found.events] == ["detections", "tick"] * 2
    assert found.events.skipped == 10
    assert found.last_seq == 14
