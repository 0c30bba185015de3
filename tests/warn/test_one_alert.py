"""One alert is danger to one unit: however many drones there are, and whatever is invented of them."""

import itertools

import pytest

from vedette.model.event import Action, AlertChange, Deliver
from vedette.warn import Body, Warner, WarnSettings
from vedette.warn.held import apart_deg, bearings_of, sides_of
from vedette.warn.members import MOST, Member, lead_of, merged
from vedette.warn.wording import PACKS, direction

SEEN = Body(witness="sensor")
AVIATION = Body(witness="aviation")


@pytest.fixture
def warner():
    return Warner(WarnSettings(advisory_on_delay_s=0.0))


@pytest.fixture
def drone(threat_of):
    """A drone by its name, level, seconds to the unit, and direction."""

    def make(track, level="imminent", due=20.0, after=0.0, **changes):
        impact = None if due is None else (due - 2.0, due)
        return threat_of(level, after, track=track, time_to_impact_s=impact, **changes)

    return make


def acknowledge(warner, at, actor="Cpl Ruiz"):
    (alert, *_) = [a for a in warner.alerts() if a.state != "cleared"]
    return warner.action(Action(actor=actor, action="acknowledge", via="cot", alert=alert.alert), at)


def test_a_thousand_false_drones_make_one_alert_with_a_count(warner, drone, base):
    ghosts = tuple(drone(f"T{n:04d}", due=20.0 + n / 100.0, bearing_deg=n * 7.0 % 360.0) for n in range(1000))
    (deliver,) = warner.threats(ghosts, base)
    alert = deliver.alert
    assert [a.alert for a in warner.alerts()] == [alert.alert]
    assert alert.count == 1000
    assert len(alert.tracks) == len(alert.levels) == MOST
    assert alert.track == alert.tracks[0] == "T0000"
    assert set(alert.levels) == {"imminent"}
    assert alert.text["en"].startswith("ATTACK BY 999 DRONES LIKELY: all sides")


@pytest.mark.parametrize("count", [1, 3, 40])
def test_alerts_are_never_more_than_units(warner, drone, base, count):
    units = [f"u{n}" for n in range(5)]
    for second in range(30):
        threats = tuple(
            drone(f"T{(n + second) % 60}", after=second, unit=unit) for unit in units for n in range(count)
        )
        warner.threats(threats, base + second)
        warner.tick(base + second)
        assert len(warner.alerts()) == len(units)


def test_every_drone_leads_who_is_graver(warner, drone, base):
    warner.threats((drone("T1", "warning", 10.0), drone("T2", "warning", 30.0)), base)
    assert warner.alerts()[0].track == "T1"
    (upgrade,) = warner.threats((drone("T1", "warning", 9.0), drone("T2", "imminent", 29.0)), base + 1.0)
    assert upgrade.alert.track == "T2"
    assert upgrade.alert.tracks == ("T2", "T1")
    assert upgrade.alert.levels == ("imminent", "warning")
    assert upgrade.rule == "unit-at-risk-upgrade"


def test_the_lead_does_not_flicker_between_equals(warner, drone, base):
    leads = []
    for second in range(40):
        sway = 2.0 if second % 2 else -2.0
        threats = (drone("T1", due=60.0 + sway, after=second), drone("T2", due=60.0 - sway, after=second))
        warner.threats(threats, base + second)
        leads.append(warner.drones(warner.alerts()[0].alert)[0][0])
    assert len(set(leads)) == 1


def test_a_drone_that_is_clearly_sooner_takes_the_lead(warner, drone, base):
    warner.threats((drone("T1", due=28.0),), base)
    warner.threats((drone("T1", due=27.0, after=1.0), drone("T2", due=18.0, after=1.0)), base + 1.0)
    assert warner.drones(warner.alerts()[0].alert)[0][0] == "T2"


def test_nobody_is_promised_more_time_than_the_soonest_leaves(warner, drone, base):
    bodies = {"R": SEEN}
    (deliver,) = warner.threats((drone("R", due=28.0), drone("G", due=7.0, bearing_deg=200.0)), base, bodies)
    assert (deliver.alert.track, deliver.alert.attackers) == ("R", 2)
    assert deliver.alert.time_to_impact_s == (5.0, 7.0)
    assert deliver.alert.text["en"].startswith("ATTACK BY 2 DRONES LIKELY: NE, S, 5-7 s.")


def test_a_lead_that_is_gone_is_replaced(warner, drone, base):
    warner.threats((drone("T1", due=20.0), drone("T2", due=22.0)), base)
    warner.threats((drone("T2", due=21.0, after=1.0),), base + 1.0)
    assert [track for track, _ in warner.drones(warner.alerts()[0].alert)] == ["T2", "T1"]


def test_a_graver_lead_is_held_for_the_off_delay_when_it_goes_missing(warner, drone, base):
    warner.threats((drone("T1"), drone("T2", "advisory", None)), base)
    for second in range(1, 10):
        assert warner.threats((drone("T2", "advisory", None, second),), base + second) == []
        assert warner.alerts()[0].level == "imminent"
    (lowered,) = warner.threats((drone("T2", "advisory", None, 12.0),), base + 12.0)
    assert (lowered.alert.level, lowered.alert.track) == ("advisory", "T2")
    assert lowered.alert.change.event == "downgraded"


def test_a_level_is_held_while_any_of_that_level_has_only_just_gone_missing(warner, drone, base):
    warner.threats((drone("T1"), drone("T2", due=24.0)), base)
    for second in range(11, 20):
        faded = drone("T1", "advisory", None, second)
        assert warner.threats((faded,), base + second) == []
        assert warner.alerts()[0].level == "imminent"
    (lowered,) = warner.threats((drone("T1", "advisory", None, 21.0),), base + 21.0)
    assert lowered.alert.level == "advisory"


def test_no_ghost_takes_the_lead_of_what_a_sensor_sees(warner, drone, base):
    bodies = {"R": SEEN}
    warner.threats((drone("R", due=25.0),), base, bodies)
    ghosts = tuple(drone(f"G{n}", due=3.0, after=1.0) for n in range(200))
    warner.threats((*ghosts, drone("R", due=24.0, after=1.0)), base + 1.0, bodies)
    assert warner.drones(warner.alerts()[0].alert)[0][0] == "R"
    (told,) = [i for i in warner.threats(ghosts, base + 6.0, bodies) if isinstance(i, Deliver)] or [None]
    assert told is None or told.alert.count >= 200


def test_what_a_sensor_sees_takes_the_lead_of_ghosts_and_is_told(warner, drone, base):
    bodies = {f"A{n}": AVIATION for n in range(8)} | {"R": SEEN}
    ghosts = tuple(drone(f"A{n}", "advisory", None) for n in range(8))
    warner.threats(ghosts, base, bodies)
    told = []
    for second in range(1, 14):
        late = drone("R", "advisory", None, second)
        told += warner.threats((*ghosts, late), base + second, bodies)
    assert [(deliver.alert.track, deliver.alert.count) for deliver in told] == [("R", 9)]


def test_further_advisories_only_change_the_count(warner, drone, base):
    warner.threats((drone("T1", "advisory", None),), base)
    for second in range(1, 20):
        more = tuple(drone(f"T{n}", "advisory", None, second) for n in range(1, 2 + second))
        assert warner.threats(more, base + second) == []
    assert len(warner.drones(warner.alerts()[0].alert)) == MOST


# A further drone opens the alarm again -----------------------------------------------------------


def further(warner, drone, base, at, **changes):
    """T1 was acknowledged at 1 s; what a second drone at ``at`` brings."""
    warner.threats((drone("T1", due=25.0, bearing_deg=0.0),), base)
    acknowledge(warner, base + 1.0)
    first = drone("T1", due=25.0 - at, after=at, bearing_deg=0.0)
    return warner.threats((first, drone("T2", after=at, **changes)), base + at)


def test_one_from_another_side_opens_the_alarm_again(warner, drone, base):
    (deliver,) = further(warner, drone, base, 7.0, due=25.0, bearing_deg=180.0)
    alert = deliver.alert
    assert (alert.state, alert.acknowledged_by, alert.change.event) == ("active-unacked", None, "further")
    assert deliver.sound
    assert alert.reason == "another drone attacks: T2"
    assert alert.text["en"].startswith("ATTACK BY 2 DRONES LIKELY: N, S,")
    assert [type(i).__name__ for i in warner.tick(base + 17.0)] == ["Deliver", "Escalate"]


def test_one_that_is_clearly_sooner_opens_it_again(warner, drone, base):
    (deliver,) = further(warner, drone, base, 7.0, due=8.0, bearing_deg=10.0)
    assert deliver.rule == "unit-at-risk-further"
    assert deliver.alert.track == "T2"


def test_one_of_the_same_wave_does_not(warner, drone, base):
    assert further(warner, drone, base, 7.0, due=20.0, bearing_deg=15.0) == []
    assert warner.alerts()[0].state == "active-acked"


def test_one_that_comes_when_the_first_should_long_be_there_does(warner, drone, base):
    (deliver,) = further(warner, drone, base, 60.0, due=20.0, bearing_deg=15.0)
    assert deliver.rule == "unit-at-risk-further"


def test_an_older_acknowledgement_does_not_count_for_it(warner, drone, receipt_of, base):
    (deliver,) = further(warner, drone, base, 7.0, due=25.0, bearing_deg=180.0)
    name = deliver.alert.alert
    (change,) = warner.receipt(receipt_of(name, revision=deliver.alert.revision - 1), base + 8.0)
    assert (change.alert.state, change.alert.change.event) == ("active-unacked", "noted")
    (taken,) = warner.receipt(receipt_of(name, revision=deliver.alert.revision), base + 9.0)
    assert taken.alert.state == "active-acked"


def test_it_waits_a_few_seconds_and_is_then_told(warner, drone, base):
    warner.threats((drone("T1", bearing_deg=0.0),), base)
    acknowledge(warner, base + 1.0)
    opened = []
    for second in range(2, 30):
        drones = (drone("T1", after=second, bearing_deg=0.0), drone("T2", after=second, bearing_deg=180.0))
        more = (drone("T3", after=second, bearing_deg=90.0),) if second >= 6 else ()
        opened += [(second, i.rule) for i in warner.threats((*drones, *more), base + second)]
        acknowledge(warner, base + second)
    assert [second for second, rule in opened if rule == "unit-at-risk-further"] == [5, 10]


def test_it_never_opens_more_often_than_every_few_seconds(warner, drone, base):
    rng = itertools.cycle([0.0, 61.0, 122.0, 183.0, 244.0, 305.0])
    opened = []
    for tenth in range(300):
        at = tenth / 10.0
        ghosts = tuple(drone(f"G{tenth}-{n}", due=3.0, after=at, bearing_deg=next(rng)) for n in range(4))
        for intent in warner.threats(ghosts, base + at):
            if intent.rule == "unit-at-risk-further":
                opened.append(at)
        if tenth % 3 == 0:
            acknowledge(warner, base + at)
    assert opened
    assert all(b - a >= 5.0 for a, b in itertools.pairwise(opened))


def test_a_flood_does_not_put_off_the_escalation(warner, drone, base):
    """Each new ghost opens the alarm again; who has not answered is asked at the same times all the same."""
    asked = []
    for tenth in range(600):
        at = tenth / 10.0
        ghosts = (drone(f"G{tenth}", due=max(2.0, 25.0 - at), after=at, bearing_deg=tenth * 67.0 % 360.0),)
        warner.threats(ghosts, base + at)
        asked += [(at, i.step) for i in warner.tick(base + at) if type(i).__name__ == "Escalate"]
    assert [step for _, step in asked] == [1, 2, 3]
    assert [at for at, _ in asked] == pytest.approx([10.0, 20.0, 40.0])


def test_going_up_and_down_does_not_put_off_the_escalation(warner, drone, base):
    asked = []
    for second in range(45):
        level = "imminent" if second % 12 < 2 else "warning"
        warner.threats((drone("T1", level, after=second),), base + second)
        asked += [(second, i.step) for i in warner.tick(base + second) if type(i).__name__ == "Escalate"]
    assert asked == [(10, 1), (20, 2), (40, 3)]


# What only has risen ------------------------------------------------------------------------------


def test_a_rise_between_two_assessments_keeps_the_other_drones(warner, drone, base):
    warner.threats(tuple(drone(f"T{n}", "warning", 30.0) for n in range(3)), base)
    (up,) = warner.threats((drone("T9", "imminent", 20.0, 0.3),), base + 0.3, risen_only=True)
    assert up.alert.tracks == ("T9", "T0", "T1", "T2")
    assert up.alert.count == 4


def test_a_further_drone_that_has_risen_is_told_at_once(warner, drone, base):
    warner.threats((drone("T1", bearing_deg=0.0),), base)
    acknowledge(warner, base + 1.0)
    warner.threats((drone("T1", after=7.0, bearing_deg=0.0),), base + 7.0)
    (deliver,) = warner.threats(
        (drone("T2", after=7.2, due=29.0, bearing_deg=200.0),), base + 7.2, risen_only=True
    )
    assert deliver.rule == "unit-at-risk-further"
    assert deliver.alert.track == "T1"


# Anti-chatter -------------------------------------------------------------------------------------


def test_an_advisory_must_last_before_it_is_told(threat_of, base):
    warner = Warner()
    assert warner.threats((threat_of("advisory"),), base) == []
    assert warner.threats((), base + 1.0) == []
    assert warner.threats((threat_of("advisory", 1.5),), base + 1.5) == []
    assert warner.threats((threat_of("advisory", 3.0),), base + 3.0) == []
    (deliver,) = warner.threats((threat_of("advisory", 3.5),), base + 3.5)
    assert deliver.alert.level == "advisory"


@pytest.mark.parametrize("level", ["warning", "imminent"])
def test_graver_levels_wait_for_nothing(threat_of, base, level):
    assert len(Warner().threats((threat_of(level),), base)) == 1


def test_acknowledged_danger_makes_no_sound_while_it_only_moves(warner, drone, base):
    warner.threats((drone("T1", bearing_deg=0.0),), base)
    acknowledge(warner, base + 1.0)
    said = []
    for second in range(2, 200):
        bearing = 3.0 * second % 360.0
        said += warner.threats((drone("T1", after=second, bearing_deg=bearing),), base + second)
        said += warner.tick(base + second)
    assert said
    assert not any(intent.sound for intent in said)
    assert all(intent.alert.state == "active-acked" for intent in said)


def test_the_end_of_danger_makes_no_sound(warner, drone, base):
    warner.threats((drone("T1", "warning"),), base)
    said = []
    for second in range(1, 60):
        said += [*warner.threats((), base + second), *warner.tick(base + second)]
    returned = [i for i in said if isinstance(i, AlertChange)]
    assert [i.alert.change.event for i in returned] == ["returned"]


# What is not actual --------------------------------------------------------------------------------


def test_an_exercise_and_what_is_actual_are_two_alerts(warner, drone, base):
    bodies = {"X": Body(status="exercise"), "Q": Body(status="test")}
    told = warner.threats((drone("X"), drone("R", due=22.0), drone("Q", due=24.0)), base, bodies)
    by_status = {deliver.alert.status: deliver.alert for deliver in told}
    assert {status: alert.tracks for status, alert in by_status.items()} == {
        "exercise": ("X",), "actual": ("R",), "test": ("Q",),
    }  # fmt: skip
    assert len({alert.alert for alert in by_status.values()}) == 3
    assert len({alert.incident for alert in by_status.values()}) == 3
    for status, mark in (("exercise", ("EXERCISE. ", "EJERCICIO. ")), ("test", ("TEST. ", "PRUEBA. "))):
        texts = by_status[status].text
        assert (texts["en"].startswith(mark[0]), texts["es"].startswith(mark[1])) == (True, True)
    assert by_status["actual"].text["en"].startswith("DRONE ATTACK LIKELY")


def test_the_mark_stands_in_everything_that_is_said_of_an_exercise(warner, drone, base):
    said = []
    bodies = {"X": Body(status="exercise")}
    for second in range(400):
        near = (drone("X", after=second),) if second < 60 else ()
        said += [*warner.threats(near, base + second, bodies), *warner.tick(base + second)]
    texts = [intent.alert.text for intent in said if type(intent).__name__ != "Escalate"]
    assert len(texts) > 8
    assert all(text["en"].startswith("EXERCISE. ") for text in texts)
    assert all(text["es"].startswith("EJERCICIO. ") for text in texts)


# The rules for members by themselves ---------------------------------------------------------------


def member(track, level="imminent", due=20.0, witness="broadcast", missing=None):
    return Member(
        track=track, level=level, witness=witness, kind="unknown", bearing_deg=0.0, due=due, missing=missing
    )


@pytest.mark.parametrize(
    ("others", "lead"),
    [
        ([], "own"),
        ([member("b", due=16.0)], "own"),
        ([member("b", due=15.0)], "b"),
        ([member("b", "warning", 1.0, "sensor")], "own"),
        ([member("b", due=60.0, witness="sensor")], "b"),
        ([member("b", due=None)], "own"),
    ],
)
def test_who_leads(others, lead):
    assert (
        lead_of([member("own"), *others] if lead == "own" else [*others, member("own")], "own", 5.0).track
        == lead
    )


def test_a_missing_lead_gives_way_to_its_equal_and_not_to_less():
    gone = member("own", missing=5.0)
    assert lead_of([member("b", due=90.0), gone], "own", 5.0).track == "b"
    assert lead_of([member("b", "warning", 1.0), gone], "own", 5.0).track == "own"


def test_members_are_bounded_and_missing_ones_go_first():
    held = [member(f"old{n}") for n in range(10)]
    now = [member(f"new{n}") for n in range(MOST - 3)]
    kept = merged(held, now, 100.0, 10.0, all_told=True)
    assert len(kept) == MOST
    assert sum(m.track.startswith("new") for m in kept) == MOST - 3
    assert all(m.missing == 100.0 for m in kept if m.track.startswith("old"))
    assert [m.track for m in merged(kept, now, 110.0, 10.0, all_told=True)] == sorted(m.track for m in now)


@pytest.mark.parametrize("bearing", [0.0, 7.4, 22.4, 22.6, 67.4, 199.0, 202.4, 202.6, 359.9, 352.4])
def test_a_sector_is_called_by_the_same_point_of_the_compass(threat_of, bearing):
    (middle,) = bearings_of(sides_of([threat_of("imminent", bearing_deg=bearing), threat_of("warning")]))
    assert direction(middle, PACKS["en"]) == direction(bearing, PACKS["en"])
    assert apart_deg(middle, bearing) <= 7.5
