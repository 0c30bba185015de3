"""A scenario through the whole core: one alert a unit, who cannot be placed, and what is an exercise."""

from station_build import START, Recorder, demo, scenario_bodies

from vedette.core import Core
from vedette.model import Roster, RosterEntry
from vedette.model.event import Clear, Configure, Deliver, Escalate

LOST = RosterEntry(unit="lost", callsign="LOST PATROL", lead="lead")


def played(exercise: tuple[str, ...]) -> Recorder:
    scenario = demo()
    core = Core(Configure(site=scenario.head.site, exercise=exercise))
    recorder = Recorder(core=core)
    recorder.enter(START, Roster(version=5, units=(LOST, RosterEntry(unit="lead"))))
    for at, body in scenario_bodies(scenario):
        recorder.enter(max(at, recorder.hand.at), body)
    recorder.hand.at += 400.0
    recorder.engine.tick()
    assert not recorder.faults
    return recorder


def test_a_scenario_from_bytes_to_alerts() -> None:
    recorder = played(("*",))
    told = [event.body for event in recorder.decided if isinstance(event.body, Deliver)]
    assert told
    assert {deliver.alert.status for deliver in told} == {"exercise"}
    assert all(deliver.alert.text["en"].startswith("EXERCISE. ") for deliver in told)
    by_roster = [deliver for deliver in told if deliver.rule == "unit-at-risk-by-roster"]
    assert {deliver.recipients for deliver in by_roster} == {("lost",), ("lead",)}
    assert all(deliver.roster_version == 5 for deliver in told)
    first_grave = next(d for d in told if d.alert.level in ("warning", "imminent"))
    assert by_roster[0].alert.incident == first_grave.alert.incident
    asked = [event.body for event in recorder.decided if isinstance(event.body, Escalate)]
    assert ("lost",) in [ask.recipients for ask in asked if ask.to == "unit"]
    ends = [event.body.alert for event in recorder.decided if isinstance(event.body, Clear)]
    assert {end.alert for end in ends} == {deliver.alert.alert for deliver in told}
    assert all(end.reason for end in ends)


def test_the_same_without_an_exercise_is_actual_and_the_state_survives() -> None:
    recorder = played(())
    told = [event.body for event in recorder.decided if isinstance(event.body, Deliver)]
    assert {deliver.alert.status for deliver in told} == {"actual"}
    assert not any("EXERCISE" in deliver.alert.text["en"] for deliver in told)
    core = recorder.engine.core
    again = Core.restore(core.snapshot())
    assert again.snapshot() == core.snapshot()
    assert again.alerts() == core.alerts()
    assert again.rates(recorder.hand.at) == core.rates(recorder.hand.at)
