"""One step of an escalation: who is asked, and what they read."""

from msgspec.structs import replace

from vedette.model.event import Deliver, Escalate, Intent
from vedette.warn.alarm_states import is_active
from vedette.warn.book import Book
from vedette.warn.escalation import after
from vedette.warn.held import Held, is_unplaced, marked, revise, worded
from vedette.warn.settings import Policy
from vedette.warn.wording import say_about

MOST_TOLD = 65_536
"""Others than the unit that are told of one alert; they are told of its end too."""


def ask(
    book: Book,
    held: Held,
    at: float,
    policy: tuple[Policy, float],
    number: int,
    *,
    by: str | None = None,
) -> list[Intent]:
    """Take step ``number`` (from 0) of the policy: a message, and the record of who was asked and why.

    Those who said that they know are not asked again; where that leaves nobody, the unit itself is. About
    units that cannot be placed nobody else is asked unless a person wants it: there may be a hundred of them.
    The unit reads where the drone is now, not where it was when the alarm opened.
    """
    steps = policy[0].steps
    step, unit = steps[number % len(steps)], held.alert.units[0]
    if by is None and step.to != "unit" and is_unplaced(held.alert):
        return []
    asked = book.directory.asked(step.to, unit, at, book.out)
    know = set(held.answered)
    recipients = tuple(one for one in asked if one not in know) or (unit,)
    held.told = list(dict.fromkeys([*held.told, *(one for one in recipients if one != unit)]))[:MOST_TOLD]
    to_unit = recipients == (unit,)
    rule = "unit" if to_unit else step.to
    if to_unit and _is_in_sight(held):
        held.alert = replace(revise(held, held.threat, at, book.settings), reason=held.alert.reason)
        held.sent = at
    held.alert = marked(held.alert, "escalated", at, by=by)
    channels = book.directory.ways(unit, asked=True)[0] if to_unit else ()
    alert = replace(held.alert, expires=max(held.alert.expires, at + book.settings.expires_s))
    if not to_unit:
        name, voice = book.directory.name(unit), book.settings.voice()
        alert = worded(alert, say_about("unanswered", name, alert.level, at, alert.status, voice))
    return [
        Deliver(
            alert=alert,
            recipients=recipients,
            rule=f"escalation-{rule}",
            roster_version=book.directory.roster.version,
            sound=True,
            channels=channels,
        ),
        Escalate(
            alert=alert.alert,
            revision=alert.revision,
            recipients=recipients,
            after_s=after(policy[0], number),
            step=number % len(steps) + 1,
            round=number // len(steps) + 1,
            to=rule,
            channels=channels,
            by=by,
        ),
    ]


def _is_in_sight(held: Held) -> bool:
    """True if the lead's figures are those of now, and as grave as the alert says."""
    lead = next((member for member in held.members if member.track == held.threat.track), None)
    here = held.below_since is None and lead is not None and lead.missing is None
    return here and is_active(held.alert.state) and held.threat.level == held.alert.level
