"""Who is told: never nobody, and whoever cannot be placed by the roster."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.event import AlertChange, Deliver
from vedette.model.unit import Duty, Roster, RosterEntry
from vedette.warn import Warner
from vedette.warn.addressing import Directory, on_duty

UNITS = ("a", "b", "c", "d")


def shift(unit, begins, until, role="watch-officer"):
    return Duty(role=role, unit=unit, begins=begins, until=until)


@pytest.mark.parametrize(
    ("at", "who"),
    [
        (0.0, ["a"]),
        (5.0, ["a"]),
        (10.0, ["a", "b"]),
        (11.9, ["a", "b"]),
        (12.0, ["b"]),
        (25.0, ["c"]),
        (30.0, ["c"]),
        (99.0, ["c"]),
    ],
)
def test_shifts_overlap_and_the_next_in_line_stands_in(at, who):
    line = [shift("c", 30.0, 40.0), shift("a", 1.0, 12.0), shift("b", 10.0, 20.0)]
    assert [duty.unit for duty in on_duty(line, at)] == who


def test_another_role_stands_in_for_one_that_nobody_has():
    assert [duty.unit for duty in on_duty([shift("a", 0.0, 9.0, "supervisor")], 5.0)] == ["a"]
    assert on_duty([], 5.0) == ()


entries = st.lists(
    st.builds(
        RosterEntry,
        unit=st.sampled_from(UNITS),
        team=st.sampled_from([None, "one", "two"]),
        lead=st.sampled_from([None, *UNITS, "gone"]),
    ),
    max_size=6,
)
duties = st.lists(
    st.builds(
        Duty,
        role=st.sampled_from(["watch-officer", "driver"]),
        unit=st.sampled_from([*UNITS, "desk"]),
        begins=st.floats(0.0, 100.0),
        until=st.floats(0.0, 100.0),
    ),
    max_size=6,
)


@given(
    entries,
    duties,
    st.sampled_from([*UNITS, "stranger"]),
    st.floats(-10.0, 200.0),
    st.sets(st.sampled_from(UNITS)),
)
def test_never_nobody(units, duty, unit, at, out):
    directory = Directory(Roster(version=1, units=tuple(units), duty=tuple(duty)))
    for to in ("unit", "lead", "duty"):
        who = directory.asked(to, unit, at, out)
        assert who
        assert len(set(who)) == len(who)
        assert who == (unit,) or (unit not in who and out.isdisjoint(who))
    assert directory.asked("unit", unit, at, out) == (unit,)


def test_who_is_not_on_the_roster_is_reached_by_all_ways():
    assert Directory(Roster(version=1)).ways("x", asked=False) == ((), ())


def test_a_team_stands_in_for_a_desk_that_nobody_has():
    team = (RosterEntry(unit="a", team="one"), RosterEntry(unit="b", team="one"), RosterEntry(unit="c"))
    directory = Directory(Roster(version=1, units=team))
    assert directory.asked("duty", "a", 0.0) == ("b",)
    assert directory.asked("lead", "a", 0.0) == ("b",)
    assert directory.asked("duty", "c", 0.0) == ("a", "b")


# Who has no place -------------------------------------------------------------------------------------


def endangered(threat_of, base, level, ages, *entries_, unit="alpha"):
    warner = Warner()
    warner.roster(Roster(version=4, units=entries_))
    threats = (threat_of(level, unit=unit),)
    return warner, [i for i in warner.threats(threats, base, ages=ages) if isinstance(i, Deliver)]


@pytest.mark.parametrize(
    ("level", "ages", "who"),
    [
        ("imminent", {"alpha": 1.0}, ["alpha", "lost", "mate"]),
        ("warning", {"alpha": 1.0, "mate": 3.0}, ["alpha", "lost"]),
        ("warning", {"alpha": 1.0, "mate": 3.0, "lost": 599.0}, ["alpha"]),
        ("warning", {"alpha": 1.0, "mate": 3.0, "lost": 600.0}, ["alpha", "lost"]),
    ],
)
def test_who_cannot_be_placed_is_told_by_roster(threat_of, base, level, ages, who):
    entries_ = (
        RosterEntry(unit="alpha", team="one"),
        RosterEntry(unit="mate", team="one"),
        RosterEntry(unit="lost"),
        RosterEntry(unit="far", team="two"),
    )
    _, told = endangered(threat_of, base, level, ages, *entries_)
    assert told[0].recipients == ("alpha",)
    assert sorted(deliver.recipients[0] for deliver in told) == who
    assert {d.rule for d in told[1:]} <= {"unit-at-risk-by-roster"}
    assert all(d.alert.level == "warning" for d in told[1:])


def test_danger_to_somebody_without_a_team_is_danger_to_the_site(threat_of, base):
    _, told = endangered(
        threat_of,
        base,
        "warning",
        {"alpha": 1.0},
        RosterEntry(unit="alpha"),
        RosterEntry(unit="b", team="two"),
    )
    assert [d.recipients[0] for d in told] == ["alpha", "b"]


def test_who_cannot_be_placed_is_promised_no_direction(threat_of, base):
    warner, told = endangered(threat_of, base, "imminent", {"alpha": 1.0}, RosterEntry(unit="lost"))
    alert = told[1].alert
    assert (alert.range_m, alert.bearing_sigma_deg) == (None, 180.0)
    assert alert.text["en"].startswith("Likely drone near your site 22:13:20 UTC. Your place unknown")
    assert alert.track == "T1"
    assert alert.incident == told[0].alert.incident
    for second in range(1, 30):
        threats = (threat_of("imminent", second, unit="alpha", bearing_deg=10.0 * second % 360),)
        said = warner.threats(threats, base + second, ages={"alpha": 1.0})
        assert all(intent.recipients == ("alpha",) for intent in said)


def test_an_advisory_is_no_reason_to_tell_those_who_cannot_be_placed(threat_of, base):
    warner = Warner()
    warner.roster(Roster(version=4, units=(RosterEntry(unit="lost"),)))
    for second in range(5):
        told = warner.threats((threat_of("advisory", second),), base + second, ages={"alpha": 1.0})
    assert {i.recipients for i in told} <= {("alpha",)}
    assert len(warner.alerts()) == 1


def test_nobody_else_is_asked_about_those_who_cannot_be_placed(threat_of, base):
    roster = (*(RosterEntry(unit=f"lost{n}", lead="lead") for n in range(50)), RosterEntry(unit="lead"))
    ages = {"alpha": 1.0, "lead": 1.0}
    warner, told = endangered(threat_of, base, "warning", ages, *roster)
    assert len(told) == 51
    asked = []
    for second in range(1, 130):
        near = (threat_of("warning", second, unit="alpha"),)
        warner.threats(near, base + second, ages=ages)
        asked += [i for i in warner.tick(base + second) if isinstance(i, Deliver)]
    about_lost = [i for i in asked if i.alert.units != ("alpha",)]
    assert len(about_lost) == 50
    assert all(i.recipients == i.alert.units for i in about_lost)
    others = {i.recipients for i in asked if i.alert.units == ("alpha",)}
    assert ("alpha",) in others
    assert len(others) > 1


def test_it_ends_for_them_when_it_ends(threat_of, base):
    warner, _ = endangered(threat_of, base, "imminent", {"alpha": 1.0}, RosterEntry(unit="lost"))
    for second in range(1, 60):
        warner.threats((), base + second, ages={"alpha": 1.0})
        warner.tick(base + second)
    lost = next(alert for alert in warner.alerts() if alert.units == ("lost",))
    assert lost.state == "cleared"
    assert lost.text["en"].startswith("Drone of your site not seen since 22:13:20 UTC. Your place is unknown")


def test_an_exercise_tells_them_of_an_exercise(threat_of, base):
    from vedette.warn import Body

    warner = Warner()
    warner.roster(Roster(version=4, units=(RosterEntry(unit="lost"),)))
    told = warner.threats((threat_of("warning"),), base, {"T1": Body(status="exercise")}, ages={"alpha": 1.0})
    assert {d.alert.status for d in told} == {"exercise"}
    assert len(told) == 2


# Out of service -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("level", "kind"), [("warning", AlertChange), ("imminent", Deliver)])
def test_a_unit_out_of_service_is_told_of_imminent_danger_only(threat_of, base, level, kind):
    from vedette.model.event import Action

    warner = Warner()
    off = Action(actor="Vega", action="out-of-service", via="console", unit="alpha", reason="at the workshop")
    assert warner.action(off, base) == []
    (intent,) = warner.threats((threat_of(level, 1.0),), base + 1.0)
    assert isinstance(intent, kind)
    assert intent.alert.out_of_service == "Vega: at the workshop"
    asked = [i for t in range(2, 200) for i in warner.tick(base + t)]
    assert bool(asked) == (level == "imminent")
    assert [removal.unit for removal in warner.out_of_service()] == ["alpha"]
