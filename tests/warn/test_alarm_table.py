"""The table of alarm states: complete, closed, and never an end without a reason."""

import itertools
from typing import get_args

import pytest

from vedette.model.alert import AlarmState
from vedette.model.threat import Level
from vedette.warn.alarm_states import (
    CONFIRMATION,
    SERVICE,
    SHELVING,
    SUPPRESSION,
    TRANSITIONS,
    AlarmError,
    AlarmEvent,
    beside,
    is_active,
    may_be_quiet,
    step,
)

ACKED = "active-acked"
STATES = get_args(AlarmState)
EVENTS = get_args(AlarmEvent)


@pytest.mark.parametrize(("state", "event"), list(itertools.product(STATES, EVENTS)))
def test_every_combination_is_a_known_state_or_an_error(state, event):
    if (state, event) in TRANSITIONS:
        assert step(state, event, "because") == TRANSITIONS[state, event]
    else:
        with pytest.raises(AlarmError, match=f"{state} knows no '{event}'"):
            step(state, event, "because")


@pytest.mark.parametrize("pair", [pair for pair, after in TRANSITIONS.items() if after == "cleared"])
@pytest.mark.parametrize("reason", [None, ""])
def test_no_end_without_a_reason(pair, reason):
    with pytest.raises(AlarmError, match="without a reason"):
        step(*pair, reason)


def test_an_upgrade_opens_an_acknowledged_alarm_again():
    assert step("active-acked", "upgrade") == "active-unacked"


def test_only_an_acknowledgement_leads_to_acked():
    leads = {event for (before, event), after in TRANSITIONS.items() if (before, after) != (ACKED, ACKED)
             and after == ACKED}  # fmt: skip
    assert leads == {"acknowledge"}


def test_active_danger_never_ends_unacknowledged_in_one_step_but_by_a_person():
    ends = {e for (state, e), after in TRANSITIONS.items() if (state, after) == ("active-unacked", "cleared")}
    assert ends == {"cancel"}


def test_a_person_can_cancel_whatever_has_not_ended():
    assert {state for state, event in TRANSITIONS if event == "cancel"} == set(STATES) - {"cleared"}


def test_a_further_drone_does_what_an_upgrade_does():
    upgrades = {state: after for (state, event), after in TRANSITIONS.items() if event == "upgrade"}
    assert {s: after for (s, e), after in TRANSITIONS.items() if e == "further"} == upgrades


def test_a_lower_level_leaves_the_state_as_it_is():
    assert all(state == after for (state, event), after in TRANSITIONS.items() if event == "downgrade")


@pytest.mark.parametrize("table", [CONFIRMATION, SHELVING, SUPPRESSION, SERVICE])
def test_the_tables_beside_are_closed(table):
    states = {state for state, _ in table} | set(table.values())
    assert {state for state, _ in table} == states
    for state, event in itertools.product(states, {event for _, event in table}):
        if (state, event) in table:
            assert beside(table, state, event) == table[state, event]
        else:
            with pytest.raises(AlarmError, match=f"{state} knows no '{event}'"):
                beside(table, state, event)


def test_a_one_shot_shelf_ends_when_the_alarm_opens_again_and_a_timed_one_does_not():
    assert beside(SHELVING, "one-shot-shelved", "open") == "unshelved"
    assert beside(SHELVING, "timed-shelved", "open") == "timed-shelved"


def test_only_imminent_may_never_be_quiet():
    assert [level for level in get_args(Level) if not may_be_quiet(level)] == ["imminent"]


def test_what_is_cleared_stays_cleared():
    assert {after for (state, _), after in TRANSITIONS.items() if state == "cleared"} == {"cleared"}


def test_every_state_is_reachable_from_the_first():
    reached = {"active-unacked"}
    for _ in STATES:
        reached |= {after for (state, _), after in TRANSITIONS.items() if state in reached}
    assert reached == set(STATES)
    assert [s for s in STATES if is_active(s)] == ["active-unacked", "active-acked"]
