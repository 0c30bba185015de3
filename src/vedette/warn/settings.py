"""What the warning may be tuned by, each figure with its source (field notes, "Alarm management")."""

import itertools
from typing import Annotated, Literal

from msgspec import Meta, Struct

from vedette.model.detection import NonNegative, Positive
from vedette.warn.certainty import CertaintySettings
from vedette.warn.pack import PACKS, Pack
from vedette.warn.wording import NOBODY, Voice

Asked = Literal["unit", "lead", "duty"]
"""Who is asked: the unit itself, by its second ways; who leads it; who has the duty at the desk."""


class Pauses(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds for each level."""

    imminent: NonNegative = 10.0
    warning: NonNegative = 10.0
    advisory: NonNegative = 30.0


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """Unacknowledged for ``after_s``, ``to`` is asked."""

    after_s: Positive
    to: Asked


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Steps of one round, in order of time; a round begins every ``again_s`` while nobody answers."""

    steps: Annotated[tuple[Step, ...], Meta(min_length=1)]
    again_s: Positive

    def __post_init__(self) -> None:
        """A round must have ended before the next one begins."""
        times = [step.after_s for step in self.steps]
        if any(b <= a for a, b in itertools.pairwise(times)):
            raise ValueError(f"the steps of an escalation must follow each other in time, not {times}")
        if self.again_s < times[-1]:
            raise ValueError(f"again_s must be {times[-1]} or more: a round lasts as long as its last step")


class Policies(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens while nobody has acknowledged. Contact chain of the field notes: 10, 20 and 40 s."""

    imminent: Policy = Policy(
        steps=(Step(10.0, "unit"), Step(20.0, "lead"), Step(40.0, "duty")), again_s=50.0
    )
    warning: Policy = Policy(
        steps=(Step(20.0, "unit"), Step(60.0, "lead"), Step(120.0, "duty")), again_s=180.0
    )


class WarnSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds, degrees. Upgrades wait for nothing; everything that lowers or repeats an alert does."""

    expires_s: Positive = 60.0
    renew_before_s: Positive = 15.0
    """An alert that lasts is sent again, without sound, this long before the last copy goes stale."""
    advisory_on_delay_s: NonNegative = 2.0
    """An ADVISORY must have lasted for so long before it is told (ISA-18.2 on-delay). Graver levels wait for
    nothing."""
    off_delay_s: NonNegative = 10.0
    """The danger must be gone for this long before the alert counts as returned (ISA-18.2)."""
    linger_s: NonNegative = 20.0
    """A returned alert that nobody acknowledged is closed after this time ..."""
    imminent_linger_s: NonNegative = 300.0
    """... and this one if it was IMMINENT: until then the unit is asked for. A judgement."""
    realarm_s: NonNegative = 30.0
    """For this long after an alert closed, the same unit gets no new ADVISORY; graver levels it does."""
    further_s: Positive = 5.0
    """A further drone opens an alarm again at most this often: an attacker can transmit thousands."""
    further_sooner_s: Positive = 5.0
    """A further drone that comes this much sooner than the one that was told is news ..."""
    further_apart_deg: Positive = 60.0
    """... or that comes from a direction this far off all that were told (a direction to take cover from,
    as in the assessment of raids) ..."""
    further_later_s: Positive = 30.0
    """... or that still comes this long after the one that was told was due."""
    lead_sooner_s: Positive = 5.0
    """Among drones as grave as each other, another one leads the alert if it comes this much sooner."""
    cancel_holds_s: NonNegative = 60.0
    """An alert that a person cancelled is not raised again by the same drones for so long, unless one is
    graver than it was. A judgement."""
    unplaced_s: Positive = 600.0
    """Where a unit is counts as not known if it has not reported for this long."""
    update_s: Pauses = Pauses()
    """Shortest time between two messages about an alert whose level did not rise."""
    turn_deg: Positive = 45.0
    range_ratio: Positive = 0.5
    """A direction changed by more than ``turn_deg`` or a range shrunk to this share is worth a message."""
    escalation: Policies = Policies()
    silence_most_s: Annotated[float, Meta(gt=0.0, le=3600.0)] = 3600.0
    shelve_most_s: Annotated[float, Meta(gt=0.0, le=3600.0)] = 3600.0
    """Nobody silences or shelves for longer than an hour (DESIGN, "Silence is never safety")."""
    fresh_s: Positive = 10.0
    """Where a drone went is told as seen only if a sensor detected it within this time."""
    keep_closed_s: NonNegative = 600.0
    certainty: CertaintySettings = CertaintySettings()
    source: str | None = None
    """In whose name the long forms speak; absent: the site's."""
    packs: dict[str, Pack] = {}
    """The words by language; none: those that come with this version. A station puts in here whatever it
    uses, so that a replay has the same words when the files have changed since."""

    def voice(self) -> Voice:
        """In which words and whose name alerts are told."""
        return Voice(packs=self.packs or PACKS, source=self.source or NOBODY)
