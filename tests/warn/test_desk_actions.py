"""What a person may do, what it does, and what it never does."""

from typing import get_args

import pytest

from vedette.model.event import Action, ActionKind, AlertChange, Clear, Deliver
from vedette.warn import Body, Warner, WarnSettings
from vedette.warn.actions import LONGEST, NEEDS, fault
from vedette.warn.silences import MOST

FULL = {
    "actor": "Sgt Vega", "via": "console", "alert": "A1", "track": "T1", "value": "warning", "unit": "alpha",
    "reason": "seen by eye", "for_s": 60.0,
}  # fmt: skip


@pytest.fixture
def warner():
    return Warner(WarnSettings(advisory_on_delay_s=0.0))


def act(kind, alert=None, **changes):
    given = {"actor": "Sgt Vega", "via": "console", "reason": "seen by eye", "alert": alert}
    return Action(action=kind, **(given | changes))


def raised(warner, threat_of, base, level="warning", **changes):
    (intent,) = warner.threats((threat_of(level, **changes),), base)
    return intent.alert.alert


# Checked in one place --------------------------------------------------------------------------------


def test_every_kind_of_action_has_its_line():
    assert set(NEEDS) == set(get_args(ActionKind))


@pytest.mark.parametrize("kind", get_args(ActionKind))
def test_what_is_complete_is_taken_and_what_lacks_a_field_is_not(kind):
    assert fault(Action(action=kind, **FULL)) is None
    for name in NEEDS[kind]:
        assert fault(Action(action=kind, **(FULL | {name: None}))) == f"'{name}' is not given"
    assert fault(Action(action=kind, **(FULL | {"actor": " "}))) == "nobody is named who does it"
    long = fault(Action(action=kind, **(FULL | {"reason": "x" * (LONGEST + 1)})))
    assert long == f"'reason' is longer than {LONGEST} characters"


@pytest.mark.parametrize("for_s", [0.0, -1.0, float("inf"), float("nan")])
def test_a_time_that_is_none_is_refused(for_s):
    assert fault(Action(action="silence", **(FULL | {"for_s": for_s}))) == "'for_s' must be above 0"


@pytest.mark.parametrize("kind", get_args(ActionKind))
@pytest.mark.parametrize("alert", [None, "ANOBODY", ""])
def test_nothing_raises_and_nothing_is_lost(warner, threat_of, base, kind, alert):
    raised(warner, threat_of, base, "imminent")
    before = warner.alerts()
    for value in (None, "", "once", "info", "imminent", "9" * 400):
        for unit in (None, "alpha", "nobody"):
            for intent in warner.action(act(kind, alert, value=value, unit=unit, for_s=5.0), base + 1.0):
                assert isinstance(intent, AlertChange | Deliver)
    assert [a.state for a in warner.alerts()] == [a.state for a in before]


def test_a_refusal_is_answered_on_the_alert(warner, threat_of, base):
    name = raised(warner, threat_of, base)
    (answer,) = warner.action(act("downgrade", name, value="imminent"), base + 1.0)
    assert answer.alert.reason == (
        "downgrade by Sgt Vega was not taken: 'value' must be one of warning, advisory, info"
    )
    assert answer.alert.change.event == "refused"
    assert (answer.alert.change.by, answer.alert.change.via) == ("Sgt Vega", "console")


def test_what_has_ended_stays_ended(warner, threat_of, base):
    name = raised(warner, threat_of, base)
    warner.action(act("cancel", name), base + 1.0)
    before = warner.alerts()
    for kind in ("cancel", "downgrade", "shelve", "escalate-now", "unshelve"):
        answers = warner.action(act(kind, name, value="info"), base + 2.0)
        assert all(intent.alert.state == "cleared" for intent in answers)
    assert [(a.state, a.reason) for a in warner.alerts()] == [(a.state, a.reason) for a in before]


# Each of them ------------------------------------------------------------------------------------------


def test_confirm_comes_after_an_acknowledgement_and_apart_from_it(warner, threat_of, base):
    name = raised(warner, threat_of, base)
    (early,) = warner.action(act("confirm", name), base + 1.0)
    assert early.alert.confirmed_by is None
    warner.action(act("acknowledge", name), base + 2.0)
    (done,) = warner.action(act("confirm", name, actor="Lt Mora"), base + 3.0)
    assert (done.alert.acknowledged_by, done.alert.confirmed_by) == ("Sgt Vega", "Lt Mora")
    (again,) = warner.threats((threat_of("imminent", 4.0),), base + 4.0)
    assert (again.alert.acknowledged_by, again.alert.confirmed_by) == (None, None)


def test_a_lowered_warning_is_quiet_and_asks_nobody(warner, threat_of, base):
    name = raised(warner, threat_of, base)
    (change,) = warner.action(act("downgrade", name, value="advisory"), base + 1.0)
    assert (change.alert.level, change.alert.desk_level) == ("warning", "advisory")
    assert change.alert.reason == "lowered to advisory by Sgt Vega: seen by eye"
    said = []
    for t in range(2, 200):
        said += warner.threats((threat_of("warning", t, bearing_deg=3.0 * t % 360),), base + t)
        said += warner.tick(base + t)
    assert said
    assert not any(intent.sound for intent in said)


def test_lowering_imminent_lowers_only_what_desks_see(warner, threat_of, base):
    name = raised(warner, threat_of, base, "imminent")
    (change,) = warner.action(act("downgrade", name, value="info"), base + 1.0)
    assert (change.alert.level, change.alert.desk_level) == ("imminent", "info")
    assert "the unit is still told" in change.alert.reason
    asked = [i for t in range(2, 45) for i in warner.tick(base + t)]
    assert [i.sound for i in asked if isinstance(i, Deliver)] == [True, True, True]
    (turned,) = warner.threats((threat_of("imminent", 51.0, bearing_deg=200.0),), base + 51.0)
    assert turned.sound


def test_what_rises_again_is_lowered_no_longer(warner, threat_of, base):
    name = raised(warner, threat_of, base, "warning")
    warner.action(act("downgrade", name, value="info"), base + 1.0)
    (up,) = warner.threats((threat_of("imminent", 2.0),), base + 2.0)
    assert (up.alert.desk_level, up.sound) == (None, True)


def test_a_shelf_is_of_one_desk_and_lapses(warner, threat_of, base):
    name = raised(warner, threat_of, base)
    (change,) = warner.action(act("shelve", name, desk="north", for_s=30.0), base + 1.0)
    (shelf,) = change.alert.shelved
    assert (shelf.desk, shelf.by, shelf.reason, shelf.until) == (
        "north",
        "Sgt Vega",
        "seen by eye",
        base + 31.0,
    )
    (both,) = warner.action(act("shelve", name), base + 2.0)
    assert [s.desk for s in both.alert.shelved] == ["north", "desk"]
    lapsed = [i for i in warner.tick(base + 31.0) if isinstance(i, AlertChange)]
    assert [s.desk for s in lapsed[0].alert.shelved] == ["desk"]
    assert lapsed[0].alert.change.event == "unshelved"
    (gone,) = warner.action(act("unshelve", name), base + 32.0)
    assert gone.alert.shelved == ()


def test_nobody_shelves_for_longer_than_an_hour(warner, threat_of, base):
    name = raised(warner, threat_of, base)
    (change,) = warner.action(act("shelve", name, for_s=1e6), base)
    assert change.alert.shelved[0].until == base + 3600.0


def test_a_shelved_warning_is_still_told_to_its_unit(warner, threat_of, base):
    name = raised(warner, threat_of, base)
    warner.action(act("shelve", name), base + 1.0)
    asked = [i for t in range(2, 30) for i in warner.tick(base + t) if isinstance(i, Deliver)]
    assert [i.recipients for i in asked] == [("alpha",)]


def test_imminent_is_never_shelved_and_what_becomes_it_comes_back(warner, threat_of, base):
    name = raised(warner, threat_of, base)
    warner.action(act("shelve", name), base + 1.0)
    (up,) = warner.threats((threat_of("imminent", 2.0),), base + 2.0)
    assert up.alert.shelved == ()
    (answer,) = warner.action(act("shelve", name), base + 3.0)
    assert answer.alert.reason.endswith("IMMINENT is never shelved")
    assert answer.alert.shelved == ()


def test_a_one_shot_shelf_ends_when_the_alarm_opens_again(warner, threat_of, base):
    once, timed = Warner(), Warner()
    for made, value in ((once, "once"), (timed, None)):
        name = raised(made, threat_of, base)
        made.action(act("shelve", name, value=value), base)
        for t in range(1, 14):
            made.threats((), base + t)
            made.tick(base + t)
        (back,) = made.threats((threat_of("warning", 14.0),), base + 14.0)
        assert back.alert.change.event == "reactivated"
        assert len(back.alert.shelved) == (0 if value else 1)


@pytest.mark.parametrize(
    ("matcher", "quiet"),
    [
        ({"unit": "alpha"}, True),
        ({"unit": "bravo"}, False),
        ({"track": "T1"}, True),
        ({"track": "T2"}, False),
        ({"object_class": "bird"}, True),
        ({"object_class": "fpv"}, False),
        ({"unit": "alpha", "track": "T2"}, False),
        ({"unit": "alpha", "object_class": "bird"}, True),
    ],
)
def test_a_silence_holds_for_what_it_names(warner, threat_of, base, matcher, quiet):
    bodies = {"T1": Body(kind="bird")}
    assert warner.action(act("silence", for_s=600.0, **matcher), base) == []
    (deliver,) = warner.threats((threat_of("warning", 1.0),), base + 1.0, bodies)
    assert deliver.sound is not quiet
    assert (deliver.alert.silenced == "Sgt Vega: seen by eye") is quiet
    assert bool([i for t in range(2, 100) for i in warner.tick(base + t)]) is not quiet


@pytest.mark.parametrize("matcher", [{"unit": "alpha"}, {"track": "T1"}, {"object_class": "unknown"}])
def test_no_silence_reaches_imminent(warner, threat_of, base, matcher):
    warner.action(act("silence", for_s=600.0, **matcher), base)
    (deliver,) = warner.threats((threat_of("imminent", 1.0),), base + 1.0)
    assert (deliver.sound, deliver.alert.silenced) == (True, None)
    asked = [i for t in range(2, 45) for i in warner.tick(base + t) if isinstance(i, Deliver)]
    assert len(asked) == 3


def test_a_silence_of_one_track_does_not_hold_for_another_beside_it(warner, threat_of, base):
    warner.action(act("silence", for_s=600.0, track="T1"), base)
    (deliver,) = warner.threats((threat_of("warning"), threat_of("warning", track="T2")), base + 1.0)
    assert deliver.sound


def test_a_silence_ends_by_itself_or_by_hand(warner, threat_of, base):
    raised(warner, threat_of, base)
    (shown,) = warner.action(act("silence", for_s=60.0, unit="alpha"), base + 1.0)
    assert shown.alert.silenced is not None
    (silence,) = warner.silences()
    assert silence.until == base + 61.0
    assert warner.action(act("unsilence", value="Snone"), base + 2.0) == []
    (ended,) = warner.action(act("unsilence", value=silence.silence), base + 3.0)
    assert ended.alert.silenced is None
    warner.action(act("silence", for_s=60.0, unit="alpha"), base + 4.0)
    lapsed = [i for i in warner.tick(base + 64.0) if isinstance(i, AlertChange)]
    assert [i.alert.silenced for i in lapsed] == [None]
    assert warner.silences() == ()


def test_silences_are_short_and_few(warner, base):
    warner.action(act("silence", for_s=3601.0, unit="alpha"), base)
    assert warner.silences() == ()
    for n in range(MOST + 5):
        warner.action(act("silence", for_s=60.0, unit=f"u{n}"), base)
    assert len(warner.silences()) == MOST
    assert warner.counts["silence-refused: there are too many silences; end one first"] == 5


def test_nobody_silences_all(warner, base):
    warner.action(act("silence", for_s=60.0), base)
    assert warner.silences() == ()


def test_back_in_service_is_told_what_stands(warner, threat_of, base):
    warner.action(act("out-of-service", unit="alpha"), base)
    raised(warner, threat_of, base)
    (told,) = warner.action(act("in-service", unit="alpha"), base + 5.0)
    assert isinstance(told, Deliver)
    assert (told.rule, told.sound, told.alert.out_of_service) == ("unit-back-in-service", True, None)
    assert warner.action(act("in-service", unit="alpha"), base + 6.0) == []
    assert warner.counts["in-service-refused: it is not out of service"] == 1


def test_a_unit_out_of_service_is_asked_for_nobody(threat_of, base):
    from vedette.model.unit import Roster, RosterEntry

    warner = Warner()
    units = (RosterEntry(unit="alpha", lead="lead"), RosterEntry(unit="lead"), RosterEntry(unit="other"))
    warner.roster(Roster(version=1, units=units))
    warner.action(act("out-of-service", unit="lead"), base)
    warner.threats((threat_of("imminent"),), base)
    asked = [i for i in warner.tick(base + 20.0) if isinstance(i, Deliver)]
    assert [i.recipients for i in asked] == [("alpha",), ("other",)]


def test_a_desk_is_handed_over(warner, base):
    assert warner.action(act("hand-over", value="Sgt Lund", desk="north"), base) == []
    assert warner.holders() == {"north": "Sgt Lund"}


def test_all_of_it_survives_a_restart(warner, threat_of, base):
    name = raised(warner, threat_of, base)
    for action in (
        act("silence", for_s=60.0, unit="bravo"),
        act("out-of-service", unit="charlie"),
        act("hand-over", value="Sgt Lund"),
        act("shelve", name, for_s=90.0),
        act("downgrade", name, value="info"),
    ):
        warner.action(action, base + 1.0)
    again = Warner.restore(WarnSettings(advisory_on_delay_s=0.0), warner.state())
    assert again.state() == warner.state()
    assert again.silences() == warner.silences()
    assert again.out_of_service() == warner.out_of_service()
    assert again.holders() == warner.holders()
    assert again.alerts() == warner.alerts()
    assert [again.tick(base + 100.0), again.state()] == [warner.tick(base + 100.0), warner.state()]


def test_a_cancel_is_told_to_the_unit(warner, threat_of, base):
    name = raised(warner, threat_of, base)
    (end,) = warner.action(act("cancel", name), base + 1.0)
    assert isinstance(end, Clear)
    assert end.recipients == ("alpha",)
