"""The table of alarm states: complete, closed, and never an end without a reason."""

import itertools
from typing import get_args

import pytest

from vedette.model.alert import AlarmState
from vedette.warn.alarm_states import TRANSITIONS, AlarmError, AlarmEvent, is_active, step

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
    assert {event for (_, event), after in TRANSITIONS.items() if after == "active-acked"} == {"acknowledge"}


def test_active_danger_never_ends_unacknowledged_in_one_step():
    assert "cleared" not in {after for (state, _), after in TRANSITIONS.items() if state == "active-unacked"}


def test_what_is_cleared_stays_cleared():
    assert {after for (state, _), after in TRANSITIONS.items() if state == "cleared"} == {"cleared"}


def test_every_state_is_reachable_from_the_first():
    reached = {"active-unacked"}
    for _ in STATES:
        reached |= {after for (state, _), after in TRANSITIONS.items() if state in reached}
    assert reached == set(STATES)
    assert [s for s in STATES if is_active(s)] == ["active-unacked", "active-acked"]
