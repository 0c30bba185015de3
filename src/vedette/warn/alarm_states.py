"""The states of an alarm and the only ways between them (OPC 10000-9, clauses 3.1 and 5.8).

               upgrade             acknowledge         return              reactivate        expire
    active-unacked    -> itself    -> active-acked     -> returned-unacked
    active-acked      -> active-unacked  -> itself     -> cleared
    returned-unacked                -> cleared                              -> active-unacked -> cleared
    cleared                         -> itself

A table and one function, without memory: whoever holds the alarm holds its state.
"""

from typing import Literal

from vedette.model.alert import AlarmState

AlarmEvent = Literal["upgrade", "acknowledge", "return", "reactivate", "expire"]

RAISED: AlarmState = "active-unacked"
"""The state in which every alarm begins."""

TRANSITIONS: dict[tuple[AlarmState, AlarmEvent], AlarmState] = {
    ("active-unacked", "upgrade"): "active-unacked",
    ("active-unacked", "acknowledge"): "active-acked",
    ("active-unacked", "return"): "returned-unacked",
    ("active-acked", "upgrade"): "active-unacked",
    ("active-acked", "acknowledge"): "active-acked",
    ("active-acked", "return"): "cleared",
    ("returned-unacked", "acknowledge"): "cleared",
    ("returned-unacked", "reactivate"): "active-unacked",
    ("returned-unacked", "expire"): "cleared",
    ("cleared", "acknowledge"): "cleared",
}


class AlarmError(ValueError):
    """A transition that the table does not know, or an end without a reason."""


def step(state: AlarmState, event: AlarmEvent, reason: str | None = None) -> AlarmState:
    """The state after ``event``. Raises `AlarmError`; an alarm never ends without a ``reason``."""
    after = TRANSITIONS.get((state, event))
    if after is None:
        known = ", ".join(sorted(e for s, e in TRANSITIONS if s == state))
        raise AlarmError(f"an alarm that is {state} knows no '{event}'; it knows: {known}")
    if after == "cleared" and not reason:
        raise AlarmError(f"an alarm that is {state} cannot end by '{event}' without a reason")
    return after


def is_active(state: AlarmState) -> bool:
    """True while the danger lasts."""
    return state in ("active-unacked", "active-acked")
