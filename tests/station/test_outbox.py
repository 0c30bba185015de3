"""The outbox is a fold of the log: who still has to be told."""

from vedette.model import Alert, Receipt
from vedette.model.alert import AlarmState, Fact
from vedette.model.event import AlertChange, Clear, Deliver, Receipts
from vedette.model.threat import Level
from vedette.station.outbox import MOST, Outbox


def alert(
    name: str = "A1",
    revision: int = 1,
    level: Level = "warning",
    soonest: float = 30.0,
    expires: float = 100.0,
    state: AlarmState = "active-unacked",
) -> Alert:
    return Alert(
        time=0.0,
        alert=name,
        revision=revision,
        level=level,
        state=state,
        units=("u1",),
        track="T1",
        behaviour="closing",
        text={"en": "x"},
        expires=expires,
        bearing_deg=0.0,
        range_m=100.0,
        time_to_impact_s=(soonest, soonest + 5.0),
    )


def deliver(made: Alert, *recipients: str) -> Deliver:
    return Deliver(alert=made, recipients=recipients, rule="unit-at-risk", roster_version=1)


def receipt(fact: Fact, name: str = "A1", revision: int = 1, recipient: str = "u1") -> Receipt:
    return Receipt(time=1.0, alert=name, revision=revision, recipient=recipient, channel="tak", fact=fact)


def test_worst_and_soonest_first() -> None:
    box = Outbox()
    box.fold(deliver(alert("A1", level="advisory"), "u1"))
    box.fold(deliver(alert("A2", level="imminent", soonest=20.0), "u2"))
    box.fold(deliver(alert("A3", level="imminent", soonest=5.0), "u3"))
    assert [entry.recipient for entry in box.due("tak", 0.0)] == ["u3", "u2", "u1"]


def test_newer_revision_replaces_and_counts_what_was_never_sent() -> None:
    box = Outbox()
    box.fold(deliver(alert(revision=1), "u1"))
    box.fold(deliver(alert(revision=2), "u1"))
    assert box.shed == 1
    assert [entry.message.alert.revision for entry in box.due("tak", 0.0)] == [2]


def test_stays_until_a_person_has_it() -> None:
    box = Outbox()
    box.fold(deliver(alert(), "u1"))
    for fact in ("accepted", "on-device", "shown"):
        box.fold(receipt(fact))
        assert box.entries
    assert not box.due("tak", 0.0)
    assert box.due("mesh", 0.0)
    box.fold(receipt("acknowledged"))
    assert not box.entries


def test_receipt_for_an_older_revision_changes_nothing() -> None:
    box = Outbox()
    box.fold(deliver(alert(revision=2), "u1"))
    box.fold(receipt("acknowledged", revision=1))
    assert box.due("tak", 0.0)


def test_escalation_sends_again() -> None:
    box = Outbox()
    box.fold(deliver(alert(), "u1"))
    box.fold(receipt("accepted"))
    assert not box.due("tak", 0.0)
    box.fold(deliver(alert(), "u1"))
    assert box.due("tak", 0.0)
    assert box.shed == 0


def test_desk_acknowledgement_still_tells_those_not_reached() -> None:
    box = Outbox()
    box.fold(deliver(alert(), "u1", "u2"))
    box.fold(receipt("accepted"))
    box.fold(AlertChange(alert=alert(state="active-acked")))
    assert [entry.recipient for entry in box.entries.values()] == ["u2"]


def test_expired_news_is_dropped_and_an_ending_lives_a_minute() -> None:
    box = Outbox()
    box.fold(deliver(alert(expires=10.0), "u1"))
    box.fold(Clear(alert=alert("A2", expires=-5.0, state="cleared"), recipients=("u2",)))
    assert [entry.recipient for entry in box.due("tak", 20.0)] == ["u2"]
    assert not box.due("tak", 61.0)


def test_a_flood_sheds_the_least_urgent_and_counts_them() -> None:
    box = Outbox()
    box.fold(deliver(alert("A0", level="imminent", soonest=3.0), "first"))
    for number in range(MOST + 10):
        box.fold(deliver(alert(f"B{number}", level="advisory"), f"u{number}"))
    assert len(box.entries) <= MOST
    assert len(box.entries) + box.shed == MOST + 11
    assert box.due("tak", 0.0)[0].recipient == "first"


def test_pending_rebuilds_the_same_outbox() -> None:
    box = Outbox()
    box.fold(deliver(alert(), "u1", "u2"))
    box.fold(Clear(alert=alert("A2", state="cleared"), recipients=("u3",)))
    box.fold(receipt("acknowledged", recipient="u1"))
    again = Outbox()
    deliveries, clears = box.pending()
    for message in (*deliveries, *clears):
        again.fold(message)
    assert again.entries.keys() == box.entries.keys()


def test_thirty_thousand_are_held_and_told_the_worst_first() -> None:
    box = Outbox()
    units = tuple(f"U{number}" for number in range(30_000))
    box.fold(deliver(alert("A1", level="advisory"), *units))
    box.fold(deliver(alert("A2", level="imminent", soonest=4.0), "first"))
    assert box.shed == 0
    due = box.due("gate", 0.0)
    assert len(due) == 30_001
    assert due[0].recipient == "first"


def test_an_older_revision_that_comes_late_replaces_nothing() -> None:
    """A message for many is addressed in parts, and a newer one may overtake it."""
    box = Outbox()
    box.fold(deliver(alert(revision=2), "u1"))
    box.address(deliver(alert(revision=1), "u1", "u2"), ("u1", "u2"))
    found = {entry.recipient: entry.message.alert.revision for entry in box.due("tak", 0.0)}
    assert found == {"u1": 2, "u2": 1}


def test_what_a_channel_has_in_hand_is_not_due_there_until_it_failed() -> None:
    box = Outbox()
    box.fold(deliver(alert(), "u1"))
    (entry,) = box.due("gate", 0.0)
    box.due("tak", 0.0)
    box.handed(entry, "gate")
    assert not box.due("gate", 0.0)
    assert box.due("tak", 0.0)
    box.kept(entry, "gate")
    assert box.due("gate", 0.0) == [entry]
    box.handed(entry, "gate")
    box.sent(entry, "gate")
    assert not box.due("gate", 0.0)


def test_nothing_that_was_replaced_meanwhile_comes_back() -> None:
    box = Outbox()
    box.fold(deliver(alert(revision=1), "u1"))
    (old,) = box.due("gate", 0.0)
    box.handed(old, "gate")
    box.fold(deliver(alert(revision=2), "u1"))
    box.kept(old, "gate")
    assert [entry.message.alert.revision for entry in box.due("gate", 0.0)] == [2]
    box.sent(old, "gate")
    assert [entry.message.alert.revision for entry in box.due("gate", 0.0)] == [2]


def test_who_comes_back_is_told_again_by_that_channel_only() -> None:
    box = Outbox()
    box.fold(deliver(alert(), "u1", "u2"))
    for channel in ("gate", "tak"):
        for entry in box.due(channel, 0.0):
            box.sent(entry, channel)
    assert box.again("gate", "u1")
    assert [entry.recipient for entry in box.due("gate", 0.0)] == ["u1"]
    assert not box.due("tak", 0.0)
    box.fold(receipt("acknowledged"))
    assert not box.again("gate", "u1")
    assert not box.due("gate", 0.0)


def test_facts_of_many_are_one_event() -> None:
    box = Outbox()
    box.fold(deliver(alert(), "u1", "u2", "u3"))
    box.fold(Receipts(receipts=(receipt("acknowledged"), receipt("acknowledged", recipient="u3"))))
    assert [entry.recipient for entry in box.entries.values()] == ["u2"]


def test_a_snapshot_says_a_message_for_many_once() -> None:
    box = Outbox()
    box.fold(deliver(alert(), "u1", "u2", "u3"))
    box.fold(receipt("acknowledged", recipient="u2"))
    deliveries, clears = box.pending()
    assert [message.recipients for message in deliveries] == [("u1", "u3")]
    assert not clears
