"""By which ways a message may go, and what an escalation opens."""

from vedette.model import Alert
from vedette.model.event import Clear, Deliver
from vedette.station.outbox import Outbox


def alert(revision: int = 1) -> Alert:
    return Alert(
        time=0.0, alert="A1", revision=revision, level="imminent", state="active-unacked", units=("u1",),
        track="T1", behaviour="closing", text={"en": "x"}, expires=100.0, bearing_deg=0.0,
    )  # fmt: skip


def deliver(revision: int = 1, **ways: tuple[str, ...]) -> Deliver:
    return Deliver(alert=alert(revision), recipients=("u1",), rule="unit-at-risk", roster_version=1, **ways)


def due(box: Outbox) -> list[str]:
    return [way for way in ("tak", "sms", "mesh") if box.due(way, 0.0)]


def test_without_a_word_all_ways_are_open() -> None:
    box = Outbox()
    box.fold(deliver())
    assert due(box) == ["tak", "sms", "mesh"]


def test_a_second_way_is_kept_until_an_escalation_opens_it() -> None:
    box = Outbox()
    box.fold(deliver(later=("sms",)))
    assert due(box) == ["tak", "mesh"]
    box.fold(deliver())
    assert due(box) == ["tak", "sms", "mesh"]


def test_named_ways_are_the_only_ones() -> None:
    box = Outbox()
    box.fold(deliver(channels=("tak",), later=("sms",)))
    assert due(box) == ["tak"]
    box.fold(deliver(channels=("tak", "sms")))
    assert due(box) == ["tak", "sms"]


def test_an_end_goes_by_all_ways() -> None:
    box = Outbox()
    box.fold(deliver(channels=("tak",)))
    box.fold(Clear(alert=alert(2), recipients=("u1",)))
    assert due(box) == ["tak", "sms", "mesh"]


def test_what_an_escalation_says_again_is_sent_again_and_not_counted_as_shed() -> None:
    box = Outbox()
    box.fold(deliver())
    (entry,) = box.due("tak", 0.0)
    box.sent(entry, "tak")
    box.fold(deliver())
    assert due(box) == ["tak", "sms", "mesh"]
    box.fold(deliver())
    assert box.shed == 0
    box.fold(deliver(2))
    assert box.shed == 1


def test_a_restart_keeps_a_way_closed() -> None:
    box = Outbox()
    box.fold(deliver(later=("sms",)))
    again = Outbox()
    for message in box.pending()[0]:
        again.fold(message)
    assert due(again) == ["tak", "mesh"]
