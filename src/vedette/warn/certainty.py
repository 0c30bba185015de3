"""How sure it is that what an alert says is so: the words Observed, Likely and Possible of CAP 1.2.

Two things are judged apart. That *something is there* rests on the tracker's existence probability, on who
saw it and on when that was. That it *attacks* is a forecast: it is never observed before it has happened, and
likely only if the assessment says so.
"""

from msgspec import Struct

from vedette.model.alert import Certainty
from vedette.model.detection import NonNegative, Probability
from vedette.warn.members import Member

CERTAINTIES: tuple[Certainty, ...] = ("observed", "likely", "possible")
"""From the surest on."""


class CertaintySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From when on which word is used.

    ``likely``: CAP 1.2 (OASIS, 2010), clause 3.2.2: "Likely" is a probability above about 50 %, "Possible"
    one of 50 % or less. The other three are judgements. ``observed``: an existence that one missed look in
    twenty would still bear out. ``fresh_s``: two looks of a radar that turns once in two and a half seconds;
    an attacker at 45 m/s is by then 225 m from where it was. ``stale_s``: what nobody has detected for longer
    is where it is only by dead reckoning.
    """

    observed: Probability = 0.95
    likely: Probability = 0.5
    fresh_s: NonNegative = 5.0
    stale_s: NonNegative = 10.0


def least_sure(one: Certainty, other: Certainty) -> Certainty:
    """The weaker of two words."""
    return max(one, other, key=CERTAINTIES.index)


def of_body(member: Member | None, age_s: float, settings: CertaintySettings) -> Certainty:
    """That something is there and does what is said. ``age_s``: since it was last detected.

    Only a sensor of the operator's own makes it observed: whatever was broadcast can be invented. What other
    sensors speak against is possible.
    """
    if member is None:
        return "possible"
    doubtful = member.existence is not None and member.existence <= settings.likely
    if doubtful or member.doubted or age_s > settings.stale_s:
        return "possible"
    sure = member.existence is not None and member.existence >= settings.observed
    return "observed" if sure and member.witness == "sensor" and age_s <= settings.fresh_s else "likely"


def of_attack(body: Certainty, risk: float, settings: CertaintySettings) -> Certainty:
    """That it attacks: a level may stand by a rule though the assessment finds it unlikely."""
    return least_sure(body, "likely" if risk > settings.likely else "possible")
