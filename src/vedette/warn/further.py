"""When a further drone opens an alarm again that somebody has, or could have, answered already.

Whoever acknowledged one drone has not acknowledged the next. But an attacker can transmit a thousand, and
each of them would ring: so a drone counts as a further one only if it changes what the person must know,
and at most every few seconds.
"""

from collections.abc import Sequence

from vedette.warn.held import Held, apart_deg
from vedette.warn.members import MOST, Member
from vedette.warn.settings import WarnSettings


def further(held: Held, at: float, settings: WarnSettings) -> Member | None:
    """The first drone of IMMINENT that the unit was not told of, and that comes from elsewhere, clearly
    sooner, or when those that it was told of should have come long ago."""
    if at - max(held.reopened, held.opened) < settings.further_s:
        return None
    fresh = (m for m in _grave(held.members) if m.track not in held.named)
    return next((m for m in fresh if _is_news(m, held, at, settings)), None)


def name_all(held: Held, at: float) -> None:
    """The unit is told now: what it is told of is no news later."""
    grave = _grave(held.members)
    held.named = list(dict.fromkeys([*(m.track for m in grave), *held.named]))[: 2 * MOST]
    for member in grave:
        if all(apart_deg(member.bearing_deg, axis) > 30.0 for axis in held.axes):
            held.axes = [*held.axes, member.bearing_deg]
    dues = [m.due for m in grave if m.due is not None]
    if dues:
        held.due = min(dues)


def forget_named(held: Held) -> None:
    """A new alarm begins: nothing was told yet."""
    held.named, held.axes, held.due = [], [], None


def _grave(members: Sequence[Member]) -> list[Member]:
    return [m for m in members if m.level == "imminent" and m.missing is None]


def _is_news(member: Member, held: Held, at: float, settings: WarnSettings) -> bool:
    if all(apart_deg(member.bearing_deg, axis) > settings.further_apart_deg for axis in held.axes):
        return True
    if held.due is None:
        return member.due is not None
    if at > held.due + settings.further_later_s:
        return True
    return member.due is not None and member.due <= held.due - settings.further_sooner_s
