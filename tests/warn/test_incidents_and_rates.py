"""What several units share, and how much of it a desk can take in."""

import pytest

from vedette.model.event import Action, AlertChange
from vedette.warn import Body, Warner, WarnSettings
from vedette.warn.rates import Rates


@pytest.fixture
def warner():
    return Warner(WarnSettings(advisory_on_delay_s=0.0))


def incidents(warner):
    return {alert.units[0]: alert.incident for alert in warner.alerts() if alert.state != "cleared"}


def act(kind, alert=None, **changes):
    return Action(
        action=kind, **({"actor": "Vega", "via": "console", "reason": "x", "alert": alert} | changes)
    )


# Incidents -------------------------------------------------------------------------------------------


def test_units_that_one_drone_endangers_share_an_incident(warner, threat_of, base):
    threats = [threat_of("warning", unit=u) for u in ("a", "b", "c")] + [
        threat_of("warning", unit="d", track="T9")
    ]
    told = warner.threats(tuple(threats), base)
    names = {deliver.recipients[0]: deliver.alert.incident for deliver in told}
    assert names["a"] == names["b"] == names["c"] != names["d"]
    assert names == incidents(warner)
    assert all(name.startswith("I") for name in names.values())


def test_incidents_that_meet_keep_the_older_name(warner, threat_of, base):
    warner.threats((threat_of("warning", unit="a"),), base)
    both = (threat_of("warning", 1.0, unit="a"), threat_of("warning", 1.0, unit="b", track="T2"))
    warner.threats(both, base + 1.0)
    apart = incidents(warner)
    assert apart["a"] != apart["b"]
    meets = (*both, threat_of("warning", 2.0, unit="b", track="T1"))
    changes = [i for i in warner.threats(meets, base + 2.0) if isinstance(i, AlertChange)]
    assert [(c.alert.units, c.alert.incident, c.alert.change.event) for c in changes] == [
        (("b",), apart["a"], "grouped")
    ]
    assert warner.threats(both, base + 3.0) == []
    assert incidents(warner) == {"a": apart["a"], "b": apart["a"]}


def test_the_oldest_of_three_that_meet_gives_the_name(warner, threat_of, base):
    near = []
    for second, unit in enumerate("cab"):
        near.append(threat_of("warning", second, unit=unit, track=f"T{unit}"))
        warner.threats(tuple(near), base + second)
    first = incidents(warner)["c"]
    assert len(set(incidents(warner).values())) == 3
    others = [threat_of("warning", 3.0, unit="b", track=track) for track in ("Ta", "Tc")]
    meets = (*near, *others)
    warner.threats(meets, base + 3.0)
    assert set(incidents(warner).values()) == {first}


def test_an_exercise_never_joins_what_is_actual(warner, threat_of, base):
    bodies = {"X": Body(status="exercise")}
    told = warner.threats((threat_of("warning", track="X"), threat_of("warning", unit="b")), base, bodies)
    assert len({deliver.alert.incident for deliver in told}) == 2


def test_a_new_alert_of_an_incident_in_hand_needs_no_sound_at_desks(warner, threat_of, base):
    warner.threats((threat_of("warning", unit="a"),), base)
    warner.action(act("acknowledge", warner.alerts()[0].alert), base + 1.0)
    first = threat_of("warning", 2.0, unit="a")
    (child,) = warner.threats((first, threat_of("warning", 2.0, unit="b")), base + 2.0)
    assert child.alert.suppressed == f"Vega has incident {child.alert.incident} in hand"
    assert child.sound, "whoever is at risk has not acknowledged"
    (graver,) = warner.threats((first, threat_of("imminent", 3.0, unit="c")), base + 3.0)
    assert (graver.alert.suppressed, graver.sound) == (None, True)
    assert warner.rates(base + 3.0)[0].last_10_min == 2


# Rates -------------------------------------------------------------------------------------------------


def test_a_desk_counts_what_opens_and_not_what_is_said_again(warner, threat_of, base):
    for t in range(120):
        warner.threats((threat_of("warning", t, bearing_deg=5.0 * t % 360),), base + t)
        warner.tick(base + t)
    (rates,) = warner.rates(base + 120.0)
    assert (rates.desk, rates.last_10_min, rates.last_hour, rates.last_day) == ("desk", 1, 1, 1)
    assert rates.mix == {"imminent": 0.0, "warning": 1.0, "advisory": 0.0}
    assert rates.verdict == "within the targets"


def test_a_flood_is_said_to_be_one(warner, threat_of, base):
    threats = tuple(threat_of("warning", unit=f"u{n}") for n in range(11))
    warner.threats(threats, base)
    (rates,) = warner.rates(base + 1.0)
    assert rates.flood
    assert rates.verdict.startswith("flood: 11 alarms in 10 minutes")
    (later,) = warner.rates(base + 660.0)
    assert (later.flood, later.last_10_min, later.last_hour) == (False, 0, 11)


def test_what_is_shelved_at_a_desk_does_not_count_there(warner, threat_of, base):
    warner.action(act("hand-over", value="Lund", desk="north"), base)
    warner.threats((threat_of("warning"),), base)
    name = warner.alerts()[0].alert
    warner.action(act("shelve", name, desk="north"), base + 1.0)
    for t in range(2, 16):
        warner.threats((), base + t)
        warner.tick(base + t)
    warner.threats((threat_of("warning", 16.0),), base + 16.0)
    assert {rates.desk: rates.last_day for rates in warner.rates(base + 16.0)} == {"desk": 2, "north": 1}


def test_an_attack_that_builds_up_does_not_chatter(warner, threat_of, base):
    for t, level in enumerate(["advisory", "warning", "imminent"]):
        warner.threats((threat_of(level, t),), base + t)
    assert warner.rates(base + 3.0)[0].chattering == ()


def test_an_alarm_that_opens_three_times_a_minute_chatters(warner, threat_of, base):
    for t in range(50):
        level = "imminent" if t % 16 == 0 else "warning"
        warner.threats((threat_of(level, t),), base + t)
    (rates,) = warner.rates(base + 50.0)
    assert rates.chattering == (warner.alerts()[0].alert,)
    assert "chatter" in rates.verdict


def test_what_stands_for_a_day_is_stale(warner, threat_of, base):
    warner.threats((threat_of("warning"),), base)
    assert warner.rates(base + 86_500.0)[0].stale == 1


def test_the_memory_of_rates_is_a_day_and_a_few_desks(base):
    rates = Rates(desks={})
    for minute in range(4000):
        rates.took("desk", "warning", base + 60.0 * minute)
    assert len(rates.desks["desk"]) == 1440
    for n in range(100):
        rates.took(f"d{n}", "warning", base)
    assert len(rates.desks) == 32
    rates.took("desk", "info", base)
    assert sum(counts[1] for counts in rates.desks["desk"].values()) == 1440


@pytest.mark.parametrize(
    ("ten", "day", "said"),
    [
        (3, 3, "3 alarms in 10 minutes: more than can be managed"),
        (0, 151, "above the target"),
        (0, 301, "than can be"),
    ],
)
def test_the_verdict_names_the_target_that_is_missed(base, ten, day, said):
    rates = Rates(desks={})
    for n in range(day - ten):
        rates.took("desk", "advisory", base - 3600.0 - n * 60.0)
    for _ in range(ten):
        rates.took("desk", "advisory", base)
    (found,) = rates.at(base, ())
    assert found.last_day == day
    assert said in found.verdict
