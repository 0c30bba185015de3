"""Every path of an escalation, on a clock that the test moves."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.event import Action, Clear, Deliver, Escalate
from vedette.model.unit import Duty, Roster, RosterEntry
from vedette.warn import Warner, WarnSettings
from vedette.warn.escalation import after, due
from vedette.warn.settings import Policies, Policy, Step

ROSTER = Roster(
    version=3,
    units=(
        RosterEntry(
            unit="alpha", callsign="ALPHA 1", team="one", lead="lead", channels=("tak",), second=("sms",)
        ),
        RosterEntry(unit="lead", callsign="LEAD", team="one"),
        RosterEntry(unit="desk-a"),
        RosterEntry(unit="desk-b"),
    ),
    duty=(
        Duty(role="watch-officer", unit="desk-a", begins=0.0, until=1_700_000_030.0),
        Duty(role="watch-officer", unit="desk-b", begins=1_700_000_030.0, until=2e9),
    ),
)


@pytest.fixture
def warner():
    made = Warner(WarnSettings(advisory_on_delay_s=0.0))
    made.roster(ROSTER)
    return made


def watch(warner, base, seconds, threats_at):
    """All that an escalation does: (second, what)."""
    out = []
    for t in seconds:
        out += [(t, i) for i in warner.threats(threats_at(t), base + t)]
        out += [(t, i) for i in warner.tick(base + t)]
    return out


def asked(out):
    return [(t, i.to, i.recipients, i.step, i.round) for t, i in out if isinstance(i, Escalate)]


def act(kind, alert, **changes):
    given_ = {"actor": "Sgt Vega", "via": "console", "reason": "as told by radio"}
    return Action(action=kind, alert=alert, **(given_ | changes))


def test_imminent_second_channel_then_lead_then_desk_then_round_again(warner, threat_of, base):
    out = watch(warner, base, range(101), lambda t: (threat_of("imminent", t),))
    assert asked(out) == [
        (10, "unit", ("alpha",), 1, 1),
        (20, "lead", ("lead",), 2, 1),
        (40, "duty", ("desk-b",), 3, 1),
        (60, "unit", ("alpha",), 1, 2),
        (70, "lead", ("lead",), 2, 2),
        (90, "duty", ("desk-b",), 3, 2),
    ]


def test_warning_is_slower(warner, threat_of, base):
    out = watch(warner, base, range(201), lambda t: (threat_of("warning", t),))
    assert [(t, to) for t, to, *_ in asked(out)] == [(20, "unit"), (60, "lead"), (120, "duty"), (200, "unit")]


def test_an_advisory_asks_nobody(warner, threat_of, base):
    assert asked(watch(warner, base, range(300), lambda t: (threat_of("advisory", t),))) == []


def test_who_has_the_duty_when_the_step_comes_is_asked(warner, threat_of, base):
    early = Warner()
    early.roster(ROSTER)
    out = watch(early, base - 30.0, range(45), lambda t: (threat_of("imminent", t - 30.0),))
    assert asked(out)[-1][2] == ("desk-a",)


def test_every_step_has_its_message_and_the_second_way_opens_at_the_first(warner, threat_of, base):
    out = watch(warner, base, range(60), lambda t: (threat_of("imminent", t),))
    first = out[0][1]
    assert (first.channels, first.later) == (("tak",), ("sms",))
    steps = [(a, b) for (_, a), (_, b) in itertools.pairwise(out) if isinstance(b, Escalate)]
    assert [message.recipients for message, _ in steps] == [step.recipients for _, step in steps]
    assert all(message.sound and message.rule.startswith("escalation-") for message, _ in steps)
    assert (steps[0][0].channels, steps[0][0].later) == (("tak", "sms"), ())
    turned = warner.threats((threat_of("imminent", 75.0, bearing_deg=200.0),), base + 75.0)
    later = [i for t, i in out if t > 10 and isinstance(i, Deliver) and i.recipients == ("alpha",)] + turned
    assert later
    assert all("sms" in i.channels and i.later == () for i in later)


def test_who_is_asked_again_reads_where_the_drone_is_now(warner, threat_of, base):
    out = watch(warner, base, range(12), lambda t: (threat_of("imminent", t, range_m=800.0 - 40.0 * t),))
    again = next(i for _, i in out if isinstance(i, Deliver) and i.rule == "escalation-unit")
    assert again.alert.range_m == 400.0
    assert again.alert.revision > out[0][1].alert.revision
    assert "400 m" in again.alert.text["en"]


def test_who_is_not_at_risk_reads_whom_to_reach_and_no_direction(warner, threat_of, base):
    out = watch(warner, base, range(45), lambda t: (threat_of("imminent", t),))
    for _, message in out:
        if isinstance(message, Deliver) and message.recipients != ("alpha",):
            text = message.alert.text["en"]
            assert text.startswith("ATTACK ALERT at ALPHA 1,")
            assert " NE" not in text
            assert message.alert.units == ("alpha",)


@pytest.mark.parametrize("when", [0, 5, 10, 15, 20, 39, 40, 64])
def test_an_acknowledgement_stops_it_at_every_step(warner, threat_of, receipt_of, base, when):
    out = []
    for t in range(200):
        out += watch(warner, base, [t], lambda s: (threat_of("imminent", s),))
        if t == when:
            name = warner.alerts()[0].alert
            warner.receipt(receipt_of(name, revision=warner.alerts()[0].revision), base + t)
    assert all(t <= when for t, *_ in asked(out))
    assert warner.next_step(warner.alerts()[0].alert) is None


@pytest.mark.parametrize("fact", ["accepted", "on-device", "shown"])
def test_no_other_fact_stops_it(warner, threat_of, receipt_of, base, fact):
    warner.threats((threat_of("imminent"),), base)
    warner.receipt(receipt_of(warner.alerts()[0].alert, fact), base + 1.0)
    assert len(asked(watch(warner, base, range(2, 45), lambda t: (threat_of("imminent", t),)))) == 3


def test_the_desk_acknowledges_for_somebody_by_radio(warner, threat_of, base):
    warner.threats((threat_of("imminent"),), base)
    name = warner.alerts()[0].alert
    (change,) = warner.action(act("acknowledge", name, unit="alpha"), base + 12.0)
    alert = change.alert
    assert (alert.acknowledged_by, alert.acknowledged_for) == ("Sgt Vega", "alpha")
    assert alert.reason == "acknowledged by Sgt Vega for ALPHA 1"
    assert asked(watch(warner, base, range(13, 100), lambda t: (threat_of("imminent", t),))) == []


def test_nobody_acknowledges_for_a_unit_that_it_is_not_about(warner, threat_of, base):
    warner.threats((threat_of("imminent"),), base)
    name = warner.alerts()[0].alert
    (answer,) = warner.action(act("acknowledge", name, unit="bravo"), base + 1.0)
    assert answer.alert.state == "active-unacked"
    assert "was not taken: the alert is not about that unit" in answer.alert.reason
    assert warner.counts["acknowledge-refused: the alert is not about that unit"] == 1


def test_a_lead_who_knows_is_not_the_unit(warner, threat_of, receipt_of, base):
    watch(warner, base, range(22), lambda t: (threat_of("imminent", t),))
    alert = warner.alerts()[0]
    told = receipt_of(alert.alert, revision=alert.revision, recipient="lead", by="Lt Mora")
    (change,) = warner.receipt(told, base + 22.0)
    assert (change.alert.state, change.alert.reason) == (
        "active-unacked", "Lt Mora knows; the unit has not answered",
    )  # fmt: skip
    assert warner.receipt(told, base + 23.0) == []
    out = watch(warner, base, range(23, 75), lambda t: (threat_of("imminent", t),))
    assert [(t, who) for t, _, who, *_ in asked(out)] == [
        (40, ("desk-b",)), (60, ("alpha",)), (70, ("alpha",)),
    ]  # fmt: skip


def test_who_was_not_asked_cannot_answer(warner, threat_of, receipt_of, base):
    warner.threats((threat_of("imminent"),), base)
    name = warner.alerts()[0].alert
    assert warner.receipt(receipt_of(name, recipient="lead"), base + 1.0) == []
    assert warner.counts["receipt-not-from-a-recipient"] == 1


def test_a_warning_that_was_an_advisory_before_has_its_own_time(warner, threat_of, base):
    out = watch(warner, base, range(200), lambda t: (threat_of("advisory" if t < 70 else "warning", t),))
    assert [(t, to) for t, to, *_ in asked(out)] == [(90, "unit"), (130, "lead"), (190, "duty")]


def test_a_warning_that_comes_and_goes_does_not_put_it_off(warner, threat_of, base):
    out = watch(warner, base, range(130), lambda t: (threat_of("warning" if t % 40 < 30 else "advisory", t),))
    assert [(t, to) for t, to, *_ in asked(out)] == [(20, "unit"), (60, "lead"), (120, "duty")]


def test_an_upgrade_to_imminent_has_the_times_of_imminent(warner, threat_of, base):
    warner.threats((threat_of("warning"),), base)
    out = watch(warner, base, range(1, 90), lambda t: (threat_of("warning" if t < 30 else "imminent", t),))
    assert [(t, to) for t, to, *_ in asked(out)] == [
        (20, "unit"), (40, "unit"), (50, "lead"), (70, "duty"),
    ]  # fmt: skip


def test_what_opens_again_after_an_acknowledgement_begins_anew(warner, threat_of, base):
    warner.threats((threat_of("imminent"),), base)
    warner.action(act("acknowledge", warner.alerts()[0].alert), base + 5.0)
    levels = {0: "warning", 100: "imminent", 130: "warning"}
    out = watch(
        warner, base, range(6, 150), lambda t: (threat_of(levels[max(s for s in levels if s <= t)], t),)
    )
    assert [(t, step) for t, _, _, step, _ in asked(out)] == [(110, 1), (120, 2), (140, 3)]


def test_a_warning_after_an_acknowledged_imminent_has_the_times_of_a_warning(warner, threat_of, base):
    warner.threats((threat_of("imminent"),), base)
    warner.action(act("acknowledge", warner.alerts()[0].alert), base + 5.0)
    watch(warner, base, range(6, 60), lambda t: (threat_of("advisory", t),))
    assert warner.alerts()[0].level == "advisory"
    out = watch(warner, base, range(60, 100), lambda t: (threat_of("warning", t),))
    assert [(t, step) for t, _, _, step, _ in asked(out)] == [(80, 1)]


def test_what_was_imminent_is_asked_about_as_such_when_it_is_less_again(warner, threat_of, base):
    out = watch(warner, base, range(80), lambda t: (threat_of("imminent" if t < 5 else "advisory", t),))
    assert [t for t, *_ in asked(out)] == [10, 20, 40, 60, 70]
    assert warner.alerts()[0].level == "advisory"


def test_returned_imminent_is_asked_about_until_its_linger_ends(warner, threat_of, base):
    out = watch(warner, base, range(400), lambda t: (threat_of("imminent", t),) if t < 5 else ())
    times = [t for t, *_ in asked(out)]
    assert times[:4] == [10, 20, 40, 60]
    ((closed, end), other) = [(t, i) for t, i in out if isinstance(i, Clear)]
    assert closed == 5 + 10 + 300
    assert times[-1] == 310
    assert end.alert.reason.endswith("; nobody acknowledged")
    assert end.alert.change.event == "expired"
    assert set(other[1].recipients) == {"lead", "desk-b"}
    assert other[1].alert.text["en"].startswith("Drone at ALPHA 1 not seen since")
    (returned,) = [i for t, i in out if isinstance(i, Deliver) and i.rule == "unit-at-risk-returned"]
    assert not returned.sound
    assert returned.alert.expires >= base + closed


def test_returned_warning_is_not_asked_about(warner, threat_of, base):
    out = watch(warner, base, range(60), lambda t: (threat_of("warning", t),) if t < 5 else ())
    assert asked(out) == []


def test_a_returned_imminent_that_is_acknowledged_ends(warner, threat_of, base):
    watch(warner, base, range(60), lambda t: (threat_of("imminent", t),) if t < 5 else ())
    name = warner.alerts()[0].alert
    end, other = warner.action(act("acknowledge", name), base + 60.0)
    assert end.alert.state == "cleared"
    assert end.alert.reason == "drone not seen since 22:13:24 UTC; acknowledged by Sgt Vega"
    assert other.alert.text["en"].startswith("Alert at ALPHA 1 ended")
    assert warner.tick(base + 100.0) == []


def test_an_explicit_cancel_ends_it(warner, threat_of, base):
    watch(warner, base, range(25), lambda t: (threat_of("imminent", t),))
    (end, other) = warner.action(act("cancel", warner.alerts()[0].alert, reason="our own drone"), base + 25.0)
    assert end.alert.reason == "cancelled by Sgt Vega: our own drone"
    assert (end.alert.state, end.alert.cancelled_by) == ("cleared", "Sgt Vega")
    assert end.alert.text["en"].startswith("Alert ended by the desk")
    assert other.recipients == ("lead",)
    assert watch(warner, base, range(26, 84), lambda t: (threat_of("imminent", t),)) == []
    again = watch(warner, base, range(84, 90), lambda t: (threat_of("imminent", t),))
    assert [t for t, i in again if isinstance(i, Deliver)] == [85]


def test_a_cancel_holds_for_no_other_drone_and_for_nothing_graver(warner, threat_of, base):
    warner.threats((threat_of("warning"),), base)
    warner.action(act("cancel", warner.alerts()[0].alert), base + 1.0)
    assert warner.threats((threat_of("warning", 2.0),), base + 2.0) == []
    (other,) = warner.threats((threat_of("warning", 3.0), threat_of("warning", 3.0, track="T2")), base + 3.0)
    assert other.alert.tracks == ("T2",)
    (graver,) = warner.threats((threat_of("imminent", 4.0),), base + 4.0)
    assert graver.alert.level == "imminent"


def test_no_cancel_without_a_reason(warner, threat_of, base):
    warner.threats((threat_of("imminent"),), base)
    (answer,) = warner.action(act("cancel", warner.alerts()[0].alert, reason=" "), base + 1.0)
    assert answer.alert.state == "active-unacked"
    assert warner.counts["cancel-refused: 'reason' is not given"] == 1


def test_escalate_now_takes_the_next_step_and_the_rest_stay(warner, threat_of, base):
    warner.threats((threat_of("imminent"),), base)
    name = warner.alerts()[0].alert
    message, step = warner.action(act("escalate-now", name), base + 2.0)
    assert (message.recipients, step.step, step.by) == (("alpha",), 1, "Sgt Vega")
    out = watch(warner, base, range(3, 45), lambda t: (threat_of("imminent", t),))
    assert [(t, step) for t, _, _, step, _ in asked(out)] == [(20, 2), (40, 3)]


def test_escalate_now_is_refused_for_what_is_in_hand(warner, threat_of, base):
    warner.threats((threat_of("imminent"),), base)
    name = warner.alerts()[0].alert
    warner.action(act("acknowledge", name), base + 1.0)
    (answer,) = warner.action(act("escalate-now", name), base + 2.0)
    assert "was not taken: it is in hand" in answer.alert.reason


def test_a_station_that_stood_still_asks_one_round_and_not_all_that_it_missed(warner, threat_of, base):
    warner.threats((threat_of("imminent"),), base)
    steps = asked([(0, i) for i in warner.tick(base + 3600.0)])
    assert [(step, round_) for *_, step, round_ in steps] == [(1, 72), (2, 72), (3, 72)]
    assert asked([(0, i) for i in warner.tick(base + 3600.1)]) == []
    assert warner.next_step(warner.alerts()[0].alert) == base + 3610.0


def test_restored_in_the_middle_it_goes_on(warner, threat_of, base):
    watch(warner, base, range(15), lambda t: (threat_of("imminent", t),))
    again = Warner.restore(WarnSettings(advisory_on_delay_s=0.0), warner.state())
    rest = [
        watch(one, base, range(15, 120), lambda t: (threat_of("imminent", t),)) for one in (warner, again)
    ]
    assert rest[0] == rest[1]
    assert again.state() == warner.state()


def test_nobody_else_on_the_roster(threat_of, base):
    warner = Warner()
    out = watch(warner, base, range(45), lambda t: (threat_of("imminent", t),))
    assert [who for _, _, who, *_ in asked(out)] == [("alpha",)] * 3


def test_policies_must_make_sense():
    with pytest.raises(ValueError, match="follow each other"):
        Policy(steps=(Step(10.0, "unit"), Step(10.0, "lead")), again_s=50.0)
    with pytest.raises(ValueError, match="40"):
        Policy(steps=(Step(10.0, "unit"), Step(40.0, "lead")), again_s=30.0)


@given(
    gaps=st.lists(st.floats(0.5, 60.0), min_size=1, max_size=5),
    rest=st.floats(0.0, 60.0),
    waits=st.lists(st.floats(0.05, 300.0), min_size=1, max_size=30),
)
def test_no_step_is_taken_early_twice_or_left_out(gaps, rest, waits):
    times = list(itertools.accumulate(gaps))
    policy = Policy(steps=tuple(Step(t, "unit") for t in times), again_s=times[-1] + rest)
    taken, at, count = [], 0.0, 0
    for wait in waits:
        at += wait
        found = due(policy, 0.0, count, at)
        assert len(found) <= len(times)
        assert all(number >= count and after(policy, number) <= at for number in found)
        count = found[-1] + 1 if found else count
        assert after(policy, count) > at
        taken += found
    assert taken == sorted(set(taken))


def test_the_shipped_policies_are_those_of_the_issue():
    assert [(step.after_s, step.to) for step in Policies().imminent.steps] == [
        (10.0, "unit"), (20.0, "lead"), (40.0, "duty"),
    ]  # fmt: skip
