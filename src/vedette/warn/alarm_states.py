"""The states of an alarm and the only ways between them (OPC 10000-9, clauses 3.1 and 5.8).

               upgrade             acknowledge         return              reactivate        expire
    active-unacked    -> itself    -> active-acked     -> returned-unacked
    active-acked      -> active-unacked  -> itself     -> cleared
    returned-unacked                -> cleared                              -> active-unacked -> cleared
    cleared                         -> itself

A further drone (``further``) does what an upgrade does; a lower level (``downgrade``) changes nothing: who
was asked is still asked. A person may ``cancel`` whatever is not cleared.

Beside the state stand four that OPC 10000-9 keeps apart, each a table of its own: confirmation (5.8.3),
shelving (5.8.10), suppression by design (5.8.2) and out of service (5.8.2). `may` says which of them an alarm
of a level can have: an IMMINENT one is never shelved, suppressed or silenced.

Tables and functions, without memory: whoever holds the alarm holds its state.
"""

from collections.abc import Mapping
from typing import Literal, TypeVar

from vedette.model.alert import AlarmState
from vedette.model.threat import Level

AlarmEvent = Literal[
    "upgrade", "further", "downgrade", "acknowledge", "return", "reactivate", "expire", "cancel"
]

RAISED: AlarmState = "active-unacked"
"""The state in which every alarm begins."""

TRANSITIONS: dict[tuple[AlarmState, AlarmEvent], AlarmState] = {
    ("active-unacked", "upgrade"): "active-unacked",
    ("active-unacked", "further"): "active-unacked",
    ("active-unacked", "downgrade"): "active-unacked",
    ("active-unacked", "acknowledge"): "active-acked",
    ("active-unacked", "return"): "returned-unacked",
    ("active-unacked", "cancel"): "cleared",
    ("active-acked", "upgrade"): "active-unacked",
    ("active-acked", "further"): "active-unacked",
    ("active-acked", "downgrade"): "active-acked",
    ("active-acked", "acknowledge"): "active-acked",
    ("active-acked", "return"): "cleared",
    ("active-acked", "cancel"): "cleared",
    ("returned-unacked", "acknowledge"): "cleared",
    ("returned-unacked", "reactivate"): "active-unacked",
    ("returned-unacked", "expire"): "cleared",
    ("returned-unacked", "cancel"): "cleared",
    ("cleared", "acknowledge"): "cleared",
}

State = TypeVar("State", bound=str)

Confirmation = Literal["unconfirmed", "confirmed"]
Shelving = Literal["unshelved", "timed-shelved", "one-shot-shelved"]
Suppression = Literal["unsuppressed", "suppressed"]
Service = Literal["in-service", "out-of-service"]

CONFIRMATION: dict[tuple[str, str], Confirmation] = {
    ("unconfirmed", "confirm"): "confirmed",
    ("confirmed", "open"): "unconfirmed",
    ("unconfirmed", "open"): "unconfirmed",
}
SHELVING: dict[tuple[str, str], Shelving] = {
    ("unshelved", "shelve"): "timed-shelved",
    ("unshelved", "shelve-once"): "one-shot-shelved",
    ("timed-shelved", "shelve"): "timed-shelved",
    ("timed-shelved", "shelve-once"): "one-shot-shelved",
    ("one-shot-shelved", "shelve"): "timed-shelved",
    ("one-shot-shelved", "shelve-once"): "one-shot-shelved",
    ("timed-shelved", "unshelve"): "unshelved",
    ("one-shot-shelved", "unshelve"): "unshelved",
    ("timed-shelved", "lapse"): "unshelved",
    ("one-shot-shelved", "lapse"): "unshelved",
    ("unshelved", "open"): "unshelved",
    ("timed-shelved", "open"): "timed-shelved",
    ("one-shot-shelved", "open"): "unshelved",
}
SUPPRESSION: dict[tuple[str, str], Suppression] = {
    ("unsuppressed", "suppress"): "suppressed",
    ("suppressed", "suppress"): "suppressed",
    ("suppressed", "open"): "unsuppressed",
    ("unsuppressed", "open"): "unsuppressed",
}
SERVICE: dict[tuple[str, str], Service] = {
    ("in-service", "remove"): "out-of-service",
    ("out-of-service", "remove"): "out-of-service",
    ("out-of-service", "place"): "in-service",
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


def beside(table: Mapping[tuple[str, str], State], state: str, event: str) -> State:
    """The state of one of the four tables after ``event``. Raises `AlarmError`."""
    after = table.get((state, event))
    if after is None:
        raise AlarmError(f"what is {state} knows no '{event}'")
    return after


def is_active(state: AlarmState) -> bool:
    """True while the danger lasts."""
    return state in ("active-unacked", "active-acked")


def may_be_quiet(level: Level) -> bool:
    """False for IMMINENT: never shelved, inhibited, silenced or taken from the person at risk."""
    return level != "imminent"
