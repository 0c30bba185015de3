"""What waits for the disk stays in order, keeps every number, and never loses an alert."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from vedette.model import Detection, Event, Presence, Receipt
from vedette.model.event import DetectionBatch, RecordStatus, Shed, Snapshot, Tick
from vedette.record.backlog import SHED_FIRST, SHED_NEXT, URGENT_KINDS, Backlog

RECEIPT = Receipt(time=1.0, alert="a", revision=1, recipient="u", channel="tak", fact="shown")
BATCH = DetectionBatch(feed="f", detections=(Detection(time=1.0, sensor="s", measure=Presence()),) * 4)
BODIES = {
    "detections": BATCH,
    "tick": Tick(),
    "receipt": RECEIPT,
    "snapshot": Snapshot(after=0, state=bytes(5000)),
    "record": RecordStatus(state="good"),
}


def _fill(backlog: Backlog, kinds: list[str], first: int = 1) -> list[Event]:
    events = [Event(first + i, float(first + i), BODIES[kind]) for i, kind in enumerate(kinds)]
    for event in events:
        backlog.add(event)
    return events


def test_events_come_out_in_order_and_stay_until_dropped(night: Callable[..., list[Event]]) -> None:
    backlog = Backlog(1000)
    events = night(20)
    for event in events:
        backlog.add(event)
    assert backlog.take(5) == events[:5]
    assert backlog.take(50) == events
    backlog.drop_through(7)
    assert backlog.take(50) == events[7:]
    assert len(backlog) == 13


def test_through_bounds_what_is_taken() -> None:
    backlog = Backlog(1000)
    events = _fill(backlog, ["tick", "receipt", "tick", "receipt", "tick"])
    assert backlog.last_urgent == 4
    assert backlog.take(99, through=4) == events[:4]
    assert backlog.take(3, through=4) == events[:3]
    assert backlog.take(99, through=0) == []
    backlog.drop_through(4)
    assert backlog.last_urgent == 0


def test_detections_are_shed_first_then_ticks_and_receipts_never() -> None:
    backlog = Backlog(10)
    _fill(backlog, ["detections"] * 2)
    _fill(backlog, ["detections", "tick", "receipt"], first=3)
    assert backlog.shed == 1
    _fill(backlog, ["tick"] * 20, first=6)
    assert backlog.shed == 13
    _fill(backlog, ["receipt", "record", "tick", "receipt"], first=26)
    kept = [(event.seq, event.kind) for event in backlog.take(99)]
    assert kept[:5] == [(1, "detections"), (2, "detections"), (3, "shed"), (4, "tick"), (5, "receipt")]
    assert kept[-4:] == [(26, "receipt"), (27, "record"), (28, "shed"), (29, "receipt")]
    assert [seq for seq, _ in kept] == list(range(1, 30))


def test_a_shed_event_leaves_its_number_and_says_so() -> None:
    backlog = Backlog(1)
    _fill(backlog, ["tick", "detections", "detections"])
    assert backlog.take(9)[1:] == [
        Event(2, 2.0, Shed(what="record", count=1)),
        Event(3, 2.0, Shed(what="record", count=1)),
    ]


def test_room_comes_back_when_events_are_written() -> None:
    backlog = Backlog(5)
    _fill(backlog, ["detections", "detections"])
    assert backlog.shed == 1
    backlog.drop_through(2)
    _fill(backlog, ["detections"], first=3)
    assert backlog.shed == 1


def test_large_snapshots_count_for_their_size() -> None:
    backlog = Backlog(10)
    _fill(backlog, ["snapshot"] * 4)
    assert [event.kind for event in backlog.take(9)] == ["snapshot", "snapshot", "shed", "shed"]


def test_a_buried_event_is_shed_where_it_stood() -> None:
    backlog = Backlog(99)
    _fill(backlog, ["tick", "receipt", "tick"])
    backlog.bury(2)
    assert [event.kind for event in backlog.take(9)] == ["tick", "shed", "tick"]
    assert backlog.last_urgent == 0
    assert len(backlog) == 3


def test_no_kind_is_both_shed_and_urgent() -> None:
    assert not URGENT_KINDS & (SHED_FIRST | SHED_NEXT)


@given(
    kinds=st.lists(st.sampled_from(sorted(BODIES)), max_size=60),
    limit=st.integers(1, 20),
    steps=st.lists(st.integers(1, 9), max_size=40),
)
def test_every_number_comes_out_once_whatever_is_shed(kinds: list[str], limit: int, steps: list[int]) -> None:
    backlog = Backlog(limit)
    events = _fill(backlog, kinds)
    out: list[Event] = []
    for count in [*steps, 99]:
        part = backlog.take(count)
        assert len(part) == min(count, len(backlog))
        out += part
        if part:
            backlog.drop_through(part[-1].seq)
    assert len(backlog) == 0
    assert [event.seq for event in out] == [event.seq for event in events]
    times = [event.at for event in out]
    assert times == sorted(times)
    assert sum(event.kind == "shed" for event in out) == backlog.shed
    assert [e for e in out if e.kind == "receipt"] == [e for e in events if e.kind == "receipt"]


@given(kinds=st.lists(st.sampled_from(sorted(BODIES)), min_size=1, max_size=40), cut=st.integers(0, 50))
def test_dropping_in_the_middle_of_a_gap_keeps_the_rest(kinds: list[str], cut: int) -> None:
    backlog = Backlog(1)
    _fill(backlog, kinds)
    backlog.drop_through(cut)
    assert [event.seq for event in backlog.take(99)] == list(range(cut + 1, len(kinds) + 1))
    assert len(backlog) == max(0, len(kinds) - cut)
