"""Receipts: four facts, kept apart, that only rise; and only a person acknowledges."""

import itertools

import hypothesis.strategies as st
import pytest
from hypothesis import given

from vedette.model import Receipt
from vedette.model.alert import FACT_RANK
from vedette.model.event import AlertChange
from vedette.warn import Warner
from vedette.warn.receipts import MAX_PER_ALERT, ReceiptBook


@pytest.fixture
def warner(threat_of, base):
    made = Warner()
    made.threats((threat_of("warning"),), base)
    return made


def name(warner):
    return warner.alerts()[0].alert


def test_the_facts_are_kept_in_order_and_once(warner, receipt_of, base):
    for fact in ("accepted", "accepted", "on-device", "accepted", "shown", "on-device"):
        assert warner.receipt(receipt_of(name(warner), fact), base) == []
    assert [r.fact for r in warner.receipts(name(warner))] == ["accepted", "on-device", "shown"]


def test_shown_acknowledges_nothing(warner, receipt_of, base):
    warner.receipt(receipt_of(name(warner), "shown"), base)
    assert warner.alerts()[0].state == "active-unacked"


def test_a_person_acknowledges(warner, receipt_of, base):
    (change,) = warner.receipt(receipt_of(name(warner), by="Cpl Ruiz"), base + 3.0)
    assert isinstance(change, AlertChange)
    assert change.alert.state == "active-acked"
    assert change.alert.acknowledged_by == "Cpl Ruiz"
    assert change.alert.reason == "acknowledged by Cpl Ruiz"
    assert warner.receipt(receipt_of(name(warner), by="Cpl Ruiz", channel="web"), base + 4.0) == []


def test_channels_and_revisions_are_apart(warner, threat_of, receipt_of, base):
    warner.threats((threat_of("imminent", 1.0),), base + 1.0)
    for revision, channel in itertools.product((1, 2), ("tak", "web")):
        warner.receipt(receipt_of(name(warner), "shown", revision=revision, channel=channel), base + 2.0)
    assert len(warner.receipts(name(warner))) == 4


def test_acknowledging_what_was_before_the_upgrade_is_told_and_not_taken(warner, threat_of, receipt_of, base):
    warner.threats((threat_of("imminent", 1.0),), base + 1.0)
    (change,) = warner.receipt(receipt_of(name(warner), by="Cpl Ruiz"), base + 2.0)
    assert change.alert.state == "active-unacked"
    assert change.alert.reason == "Cpl Ruiz acknowledged revision 1; revision 2 (imminent) is still open"
    (taken,) = warner.receipt(receipt_of(name(warner), revision=2, by="Cpl Ruiz"), base + 3.0)
    assert taken.alert.state == "active-acked"


def test_acknowledging_before_a_mere_update_counts(warner, threat_of, receipt_of, base):
    (update,) = warner.threats((threat_of("warning", 12.0, range_m=300.0),), base + 12.0)
    assert update.alert.revision == 2
    (change,) = warner.receipt(receipt_of(name(warner), revision=1), base + 13.0)
    assert change.alert.state == "active-acked"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"alert": "ANOBODY"}, "receipt-of-unknown-alert"),
        ({"revision": 2}, "receipt-of-unknown-revision"),
        ({"revision": 0}, "receipt-of-unknown-revision"),
        ({"recipient": "mallory"}, "receipt-not-from-a-recipient"),
    ],
)
def test_a_receipt_that_fits_nothing_is_counted(warner, receipt_of, base, changes, reason):
    assert warner.receipt(receipt_of(**({"alert": name(warner)} | changes)), base) == []
    assert warner.counts[reason] == 1
    assert warner.alerts()[0].state == "active-unacked"
    assert warner.receipts(name(warner)) == ()


def test_an_alert_that_is_not_held_has_no_receipts(warner):
    assert warner.receipts("ANOBODY") == ()


facts = st.sampled_from(sorted(FACT_RANK))


@given(
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from("ab"), st.sampled_from("xy"), facts), max_size=40)
)
def test_facts_only_rise_for_each_message(rows):
    book = ReceiptBook(kept=[])
    for n, (revision, recipient, channel, fact) in enumerate(rows):
        receipt = Receipt(
            time=float(n), alert="A", revision=revision, recipient=recipient, channel=channel, fact=fact
        )
        book.take((receipt,))
    for key in {row[:3] for row in rows}:
        mine = [r for r in book.kept if (r.revision, r.recipient, r.channel) == key]
        ranks = [FACT_RANK[r.fact] for r in mine]
        assert ranks == sorted(set(ranks))
        assert max(ranks) == max(FACT_RANK[row[3]] for row in rows if row[:3] == key)


def test_a_flood_of_receipts_is_bounded_and_keeps_no_acknowledgement_out(receipt_of):
    book = ReceiptBook(kept=[receipt_of("A", "shown", channel=str(n)) for n in range(MAX_PER_ALERT)])
    assert book.take((receipt_of("A", channel="one more"),))
    for n in range(MAX_PER_ALERT):
        book.take((receipt_of("A", "accepted", channel=f"flood {n}"),))
    assert len(book.kept) == MAX_PER_ALERT
    assert [r.channel for r in book.kept if r.fact == "acknowledged"] == ["one more"]


def test_a_flood_on_one_alert_hinders_no_acknowledgement(warner, receipt_of, base):
    for n in range(MAX_PER_ALERT + 5):
        warner.receipt(receipt_of(name(warner), "shown", channel=str(n)), base + 1.0)
    (change,) = warner.receipt(receipt_of(name(warner), by="Cpl Ruiz"), base + 2.0)
    assert change.alert.state == "active-acked"
