"""What a person may do, and what has to be said with it. Checked here and nowhere else."""

import math

from vedette.model.event import Action, ActionKind

LONGEST = 280
"""Characters of a reason, a name or a value."""

NEEDS: dict[ActionKind, tuple[str, ...]] = {
    "acknowledge": ("alert",),
    "confirm": ("alert",),
    "downgrade": ("alert", "value", "reason"),
    "cancel": ("alert", "reason"),
    "escalate-now": ("alert",),
    "hand-over": ("value",),
    "shelve": ("alert", "reason"),
    "unshelve": ("alert",),
    "silence": ("reason", "for_s"),
    "unsilence": ("value",),
    "out-of-service": ("unit", "reason"),
    "in-service": ("unit",),
    "disposition": ("value",),
    "note": (),
}
"""The fields of `Action` that must be there."""

LEVELS_DOWN = ("warning", "advisory", "info")
_TEXTS = ("actor", "via", "alert", "track", "value", "reason", "unit", "desk")


def fault(action: Action) -> str | None:
    """Why this action cannot be taken, in words for who did it; None if nothing is wrong with it."""
    if not action.actor.strip():
        return "nobody is named who does it"
    for name in NEEDS[action.action]:
        value = getattr(action, name)
        if value is None or (isinstance(value, str) and not value.strip()):
            return f"'{name}' is not given"
    for name in _TEXTS:
        text = getattr(action, name)
        if text is not None and len(text) > LONGEST:
            return f"'{name}' is longer than {LONGEST} characters"
    return _fault_of_values(action)


def _fault_of_values(action: Action) -> str | None:
    if action.for_s is not None and not 0.0 < action.for_s < math.inf:
        return "'for_s' must be above 0"
    if action.action == "downgrade" and action.value not in LEVELS_DOWN:
        return f"'value' must be one of {', '.join(LEVELS_DOWN)}"
    if action.action == "silence" and action.unit is action.track is action.object_class is None:
        return "a silence names a unit, a track or a class: nobody silences all"
    return None
