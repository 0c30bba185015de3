"""Many answers at once: the same as one after the other, but for the desks' copy, which changes once."""

from vedette.model.event import AlertChange, Deliver
from vedette.model.unit import Roster, RosterEntry
from vedette.warn import Warner

MANY = 2000


def asked_everybody(threat_of, base, unit):
    """A warner whose alert has gone to everybody on the roster, and the alert's name."""
    warner = Warner()
    others = tuple(RosterEntry(unit=f"U{number}", team="field") for number in range(MANY))
    warner.roster(Roster(version=1, units=(RosterEntry(unit=unit, team="post"), *others)))
    warner.threats((threat_of("imminent"),), base)
    delivered = []
    for tenth in range(450):
        delivered += [one for one in warner.tick(base + tenth / 10.0) if isinstance(one, Deliver)]
    assert any(len(one.recipients) == MANY for one in delivered)
    return warner, warner.alerts()[0].alert


def test_everybody_who_was_asked_is_told_of_the_end_and_may_answer(threat_of, receipt_of, base):
    unit = threat_of("imminent").unit
    warner, name = asked_everybody(threat_of, base, unit)
    answers = [receipt_of(name, recipient=f"U{number}") for number in range(MANY)]
    (change,) = warner.receipts_of(answers, base + 46.0)
    assert isinstance(change, AlertChange)
    assert change.alert.state == "active-unacked"
    assert f"and {MANY - 1} more know" in change.alert.reason
    assert not warner.counts
    (taken,) = warner.receipts_of([receipt_of(name, recipient=unit)], base + 47.0)
    assert taken.alert.state == "active-acked"


def test_answers_again_and_of_strangers_change_nothing(threat_of, receipt_of, base):
    unit = threat_of("imminent").unit
    warner, name = asked_everybody(threat_of, base, unit)
    answers = [receipt_of(name, recipient=f"U{number}") for number in range(10)]
    assert warner.receipts_of(answers, base + 46.0)
    assert not warner.receipts_of(answers, base + 46.1)
    assert not warner.receipts_of([receipt_of(name, recipient="nobody")], base + 46.2)
    assert warner.counts["receipt-not-from-a-recipient"] == 1


def test_the_unit_among_many_has_it_in_hand(threat_of, receipt_of, base):
    unit = threat_of("imminent").unit
    warner, name = asked_everybody(threat_of, base, unit)
    answers = [receipt_of(name, recipient=one) for one in ("U1", unit, "U2")]
    intents = warner.receipts_of(answers, base + 46.0)
    assert [one.alert.state for one in intents] == ["active-acked", "active-acked"]
    assert warner.alert(name).acknowledged_by
    assert warner.alerts_of(unit)[0].alert == name
    assert warner.alert("A-unknown") is None
