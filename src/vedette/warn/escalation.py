"""While nobody has an alarm in hand: which steps of its policy are due."""

import math

from vedette.warn.held import Held
from vedette.warn.settings import Policies, Policy


def policy_of(held: Held, policies: Policies) -> tuple[Policy, float] | None:
    """Its policy and since when it runs; None if the alarm is in hand, over, or not one that anybody is asked
    about. What was IMMINENT since it was last in hand is asked about as such, whatever it is now."""
    state = held.alert.state
    if held.closed is not None or state == "active-acked":
        return None
    if held.grave is not None:
        return policies.imminent, held.grave
    if state == "active-unacked" and held.alert.level == "warning" and held.stern is not None:
        return policies.warning, held.stern
    return None


def due(policy: Policy, since: float, asked: int, at: float) -> list[int]:
    """Numbers (from 0) of the steps that are due at ``at`` and were not taken; no more than one round of
    them, for who was not asked while the station stood still need not be asked for each minute of it."""
    taken = asked
    while at >= since + after(policy, taken):
        taken += 1
        if taken - asked > len(policy.steps):
            taken = max(taken, _reached(policy, at - since))
            break
    return list(range(max(asked, taken - len(policy.steps)), taken))


def after(policy: Policy, number: int) -> float:
    """Seconds from the opening of the alarm to step ``number`` (from 0)."""
    rounds, step = divmod(number, len(policy.steps))
    return rounds * policy.again_s + policy.steps[step].after_s


def _reached(policy: Policy, elapsed: float) -> int:
    """How many steps a time holds."""
    rounds = math.floor(elapsed / policy.again_s)
    rest = elapsed - rounds * policy.again_s
    return rounds * len(policy.steps) + sum(step.after_s <= rest for step in policy.steps)
