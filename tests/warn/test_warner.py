"""What goes out, when, and to whom."""

import itertools

import pytest

from vedette.model import InputError
from vedette.model.event import Action, AlertChange, Clear, Deliver, Escalate
from vedette.model.unit import Roster
from vedette.warn import Body, Warner, WarnSettings
from vedette.warn.held import alert_id
from vedette.warn.settings import Policies, Policy, Step


@pytest.fixture
def warner():
    made = Warner(WarnSettings(advisory_on_delay_s=0.0))
    made.roster(Roster(version=7))
    return made


def run(warner, base, seconds, threat_at):
    """One assessment and one tick a second; ``threat_at(t)`` gives the threats."""
    out = []
    for t in seconds:
        out += [(t, i) for i in warner.threats(threat_at(t), base + t)]
        out += [(t, i) for i in warner.tick(base + t)]
    return out


def of(kind, intents):
    return [(t, i) for t, i in intents if isinstance(i, kind) and not _repeats(i)]


def _repeats(intent):
    """What an escalation says again is a matter of test_escalating."""
    return isinstance(intent, Deliver) and intent.rule.startswith("escalation")


def ack(alert, actor="Sgt Vega", **changes):
    return Action(actor=actor, action="acknowledge", via="console", alert=alert, **changes)


def test_an_alert_is_raised_once_and_not_every_second(warner, threat_of, base):
    out = run(warner, base, range(9), lambda t: (threat_of("warning", t, range_m=800.0 - 10.0 * t),))
    ((t, deliver),) = out
    assert t == 0
    assert deliver.recipients == ("alpha",)
    assert deliver.rule == "unit-at-risk"
    assert deliver.roster_version == 7
    assert deliver.sound
    assert deliver.alert.revision == 1
    assert deliver.alert.state == "active-unacked"
    assert deliver.alert.expires == base + 60.0
    assert deliver.alert.alert == alert_id("alpha", base)


def test_info_raises_nothing(warner, threat_of, base):
    assert run(warner, base, range(100), lambda t: (threat_of("info", t),)) == []
    assert warner.alerts() == ()


@pytest.mark.parametrize(("level", "sound"), [("advisory", False), ("warning", True), ("imminent", True)])
def test_only_warning_and_imminent_sound(warner, threat_of, base, level, sound):
    (deliver,) = warner.threats((threat_of(level),), base)
    assert deliver.sound is sound


def test_upgrades_go_out_at_once(warner, threat_of, base):
    levels = ["advisory", "warning", "imminent"]
    sent = [warner.threats((threat_of(level, 0.1 * n),), base + 0.1 * n) for n, level in enumerate(levels)]
    assert [i[0].alert.revision for i in sent] == [1, 2, 3]
    assert [i[0].rule for i in sent][1:] == ["unit-at-risk-upgrade"] * 2
    assert len({i[0].alert.alert for i in sent}) == 1


def test_an_upgrade_opens_an_acknowledged_alert_again(warner, threat_of, base):
    (first,) = warner.threats((threat_of("warning"),), base)
    (change,) = warner.action(ack(first.alert.alert), base + 1.0)
    assert change.alert.state == "active-acked"
    assert change.alert.acknowledged_by == "Sgt Vega"
    (again,) = warner.threats((threat_of("imminent", 2.0),), base + 2.0)
    assert again.alert.state == "active-unacked"
    assert again.alert.acknowledged_by is None
    assert again.sound


def test_a_lower_level_waits_and_makes_no_sound(warner, threat_of, base):
    warner.threats((threat_of("imminent"),), base)
    out = run(warner, base, range(1, 15), lambda t: (threat_of("warning", t),))
    ((t, deliver),) = of(Deliver, out)
    assert t == 10
    assert deliver.alert.level == "warning"
    assert not deliver.sound


@pytest.mark.parametrize(
    ("change", "level", "when"),
    [
        ({"bearing_deg": 95.0}, "warning", 10),
        ({"bearing_deg": 350.0}, "imminent", 10),
        ({"range_m": 400.0}, "warning", 10),
        ({"range_m": 400.0}, "advisory", 30),
    ],
)
def test_a_material_change_goes_out_after_the_pause(warner, threat_of, base, change, level, when):
    warner.threats((threat_of(level),), base)
    out = of(Deliver, run(warner, base, range(1, 40), lambda t: (threat_of(level, t, **change),)))
    assert out[0][0] == when
    assert out[0][1].rule == "unit-at-risk-changed"


@pytest.mark.parametrize("change", [{"bearing_deg": 89.0}, {"range_m": 410.0}, {"bearing_deg": 1.0}])
def test_a_small_change_is_no_message(warner, threat_of, base, change):
    warner.threats((threat_of("warning"),), base)
    assert of(Deliver, run(warner, base, range(1, 40), lambda t: (threat_of("warning", t, **change),))) == []


def test_no_chatter_when_the_direction_swings(warner, threat_of, base):
    out = run(
        warner, base, range(120), lambda t: (threat_of("warning", t, bearing_deg=45.0 + 180.0 * (t % 2)),)
    )
    times = [t for t, _ in of(Deliver, out)]
    assert all(b - a >= 10 for a, b in itertools.pairwise(times))
    assert len(times) > 5


def test_what_lasts_is_renewed_before_it_goes_stale(warner, threat_of, base):
    expiry = base + 60.0
    for t, deliver in of(Deliver, run(warner, base, range(1, 300), lambda t: (threat_of("advisory", t),))):
        if t > 1:
            assert base + t < expiry
        assert not deliver.sound
        expiry = deliver.alert.expires
    assert expiry > base + 300.0


def test_not_seen_any_more(warner, threat_of, base):
    def threats(t):
        return (threat_of("warning", t),) if t <= 10 else ()

    out = run(warner, base, range(60), threats)
    ((returned, change),) = of(AlertChange, out)
    ((closed, end),) = of(Clear, out)
    assert returned == 21
    assert change.alert.state == "returned-unacked"
    assert closed == 41
    assert end.alert.state == "cleared"
    assert end.alert.reason == "drone not seen since 22:13:30 UTC; nobody acknowledged"
    assert end.alert.text["en"].startswith("Drone not seen since 22:13:30 UTC, last NE 800 m.")
    assert end.recipients == ("alpha",)


def test_moved_away_says_where_to(warner, threat_of, base):
    def threats(t):
        if t <= 10:
            return (threat_of("warning", t),)
        return (threat_of("info", t, range_m=800.0 + 30.0 * t, bearing_deg=50.0),)

    ((_, end),) = of(Clear, run(warner, base, range(60), threats))
    assert end.alert.reason == "drone moved away: last NE 2.0 km; nobody acknowledged"
    assert end.alert.text["en"].startswith("Drone moved away 22:14:01 UTC, last NE 2.0 km.")


def test_an_acknowledged_alert_ends_when_the_danger_does(warner, threat_of, base):
    (first,) = warner.threats((threat_of("warning"),), base)
    warner.action(ack(first.alert.alert), base)
    out = run(warner, base, range(1, 30), lambda t: ())
    ((t, end),) = of(Clear, out)
    assert t == 11
    assert end.alert.acknowledged_by == "Sgt Vega"
    assert end.alert.reason == "drone not seen since 22:13:20 UTC; acknowledged by Sgt Vega"


def test_an_acknowledgement_after_the_return_ends_it_with_both_reasons(warner, threat_of, base):
    (first,) = warner.threats((threat_of("warning"),), base)
    run(warner, base, range(1, 15), lambda t: ())
    (end,) = warner.action(ack(first.alert.alert), base + 15.0)
    assert isinstance(end, Clear)
    assert end.alert.reason == "drone not seen since 22:13:20 UTC; acknowledged by Sgt Vega"


def test_a_gap_shorter_than_the_off_delay_is_nothing(warner, threat_of, base):
    out = run(warner, base, range(40), lambda t: () if 10 <= t < 19 else (threat_of("advisory", t),))
    assert [type(i) for _, i in out] == [Deliver]


def test_danger_that_comes_back_before_the_end_opens_the_same_alert(warner, threat_of, base):
    (first,) = warner.threats((threat_of("warning"),), base)
    run(warner, base, range(1, 20), lambda t: ())
    (again,) = warner.threats((threat_of("warning", 20.0),), base + 20.0)
    assert again.alert.alert == first.alert.alert
    assert again.alert.state == "active-unacked"
    assert again.alert.reason == "danger is back"


@pytest.mark.parametrize(("level", "raised"), [("advisory", False), ("warning", True), ("imminent", True)])
def test_only_an_advisory_waits_to_be_raised_again(warner, threat_of, base, level, raised):
    (first,) = warner.threats((threat_of("advisory"),), base)
    run(warner, base, range(1, 40), lambda t: ())
    again = warner.threats((threat_of(level, 45.0),), base + 45.0)
    assert bool(again) is raised
    later = again or warner.threats((threat_of(level, 90.0),), base + 90.0)
    assert later[0].alert.alert != first.alert.alert
    assert later[0].alert.revision == 1


def test_gravest_and_soonest_first(warner, threat_of, base):
    threats = (
        threat_of("advisory", unit="a", time_to_impact_s=None),
        threat_of("imminent", unit="b", time_to_impact_s=(20.0, 25.0)),
        threat_of("warning", unit="c"),
        threat_of("imminent", unit="d", time_to_impact_s=(8.0, 11.0)),
    )
    assert [i.recipients[0] for i in warner.threats(threats, base)] == ["d", "b", "c", "a"]
    assert [alert.units[0] for alert in warner.alerts()] == ["d", "b", "c", "a"]


def test_closed_alerts_are_kept_for_ten_minutes(warner, threat_of, base):
    warner.threats((threat_of("warning"),), base)
    run(warner, base, range(1, 50), lambda t: ())
    assert [a.state for a in warner.alerts()] == ["cleared"]
    warner.tick(base + 600.0)
    assert len(warner.alerts()) == 1
    warner.tick(base + 640.0)
    assert warner.alerts() == ()


@pytest.mark.parametrize("action", ["disposition", "note"])
def test_no_other_action_touches_an_alarm(warner, threat_of, base, action):
    (first,) = warner.threats((threat_of("imminent"),), base)
    before = warner.alerts()
    done = Action(actor="x", action=action, via="console", alert=first.alert.alert, value="info")
    assert warner.action(done, base + 1.0) == []
    assert warner.alerts() == before


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (ack("AUNKNOWN"), "acknowledge-refused: there is no such alert"),
        (ack(None), "acknowledge-refused: 'alert' is not given"),
    ],
)
def test_an_acknowledgement_that_hits_nothing_is_counted(warner, base, action, reason):
    assert warner.action(action, base) == []
    assert warner.counts[reason] == 1


def test_an_acknowledgement_by_nobody_is_none(warner, threat_of, base):
    (first,) = warner.threats((threat_of("warning"),), base)
    assert warner.action(ack(first.alert.alert, actor=""), base) == []
    assert warner.counts["acknowledge-refused: nobody is named who does it"] == 1
    assert warner.alerts()[0].state == "active-unacked"


def test_settings_change_the_times(threat_of, base):
    policy = Policy(steps=(Step(2.0, "unit"),), again_s=9.0)
    asks = Policies(warning=policy)
    warner = Warner(WarnSettings(escalation=asks, off_delay_s=1.0, linger_s=1.0))
    out = run(warner, base, range(10), lambda t: (threat_of("warning", t),) if t < 4 else ())
    kinds = [(0, Deliver), (2, Deliver), (2, Escalate), (5, AlertChange), (6, Clear)]
    assert [(t, type(i)) for t, i in out] == kinds


def test_ids_come_from_content():
    assert alert_id("alpha", 5.9) == alert_id("alpha", 5.1)
    others = [
        alert_id("alpha", 6.0),
        alert_id("bravo", 5.0),
        alert_id("alpha", 5.0, "exercise"),
        alert_id("alpha", 5.0, "test"),
        alert_id("alpha", 5.0, "actual", 1),
    ]
    assert len({*others, alert_id("alpha", 5.0)}) == 6
    assert len(alert_id("alpha", 5.0)) == 11


def test_a_state_that_is_none_is_refused(warner, threat_of, base):
    warner.threats((threat_of("warning"),), base)
    with pytest.raises(InputError, match="replay the log"):
        Warner.restore(None, warner.state()[:-3])


def test_a_restored_warner_goes_on_where_it_was(warner, threat_of, base):
    warner.threats((threat_of("warning"),), base)
    again = Warner.restore(None, warner.state())
    assert again.alerts() == warner.alerts()
    assert [type(i) for i in again.tick(base + 20.0)] == [Deliver, Escalate]
    (upgrade,) = again.threats((threat_of("imminent", 21.0),), base + 21.0)
    assert upgrade.roster_version == 7
    assert upgrade.alert.revision == 3


def test_a_coasting_track_is_not_seen_since_its_last_detection(warner, threat_of, base):
    def assessed(t):
        level = "warning" if t <= 20 else "info"
        return (threat_of(level, t, range_m=800.0 + 10.0 * t),)

    out = []
    for t in range(60):
        detected = {"T1": Body(seen=base + min(t, 12))}
        out += [(t, i) for i in warner.threats(assessed(t), base + t, detected)]
        out += [(t, i) for i in warner.tick(base + t)]
    ((_, end),) = of(Clear, out)
    assert end.alert.reason == "drone not seen since 22:13:32 UTC; nobody acknowledged"
    assert end.alert.range_m == 920.0


def test_a_track_that_is_detected_moves_away_in_sight(warner, threat_of, base):
    for t in range(60):
        level = "warning" if t <= 20 else "info"
        warner.threats(
            (threat_of(level, t, range_m=800.0 + 10.0 * t),), base + t, {"T1": Body(seen=base + t - 3.0)}
        )
        warner.tick(base + t)
    (alert,) = warner.alerts()
    assert alert.reason == "drone moved away: last NE 1300 m; nobody acknowledged"
    assert alert.text["en"].startswith("Drone moved away 22:14:08 UTC")


def test_a_threat_without_a_place_is_told_and_ended_without_one(warner, threat_of, base):
    heard = {
        "track": "W1", "behaviour": "direction-only", "range_m": None, "closing_mps": None,
        "bearing_sigma_deg": 2.0, "time_to_impact_s": None,
    }  # fmt: skip
    intents = run(warner, base, range(60), lambda t: [threat_of(after=t, **heard)] if t < 20 else [])
    raised = of(Deliver, intents)[0][1].alert
    assert raised.range_m is None
    assert raised.bearing_sigma_deg == 2.0
    assert raised.text["en"].startswith("Likely drone close, NE of you")
    assert "not detected since" in of(Clear, intents)[-1][1].alert.text["en"]
