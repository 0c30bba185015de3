"""What the warning may be tuned by, each figure with its source (field notes, "Alarm management")."""

from typing import Annotated

from msgspec import Meta, Struct

from vedette.model.detection import NonNegative, Positive


class Pauses(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds for each level."""

    imminent: NonNegative = 10.0
    warning: NonNegative = 10.0
    advisory: NonNegative = 30.0


class WarnSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds, degrees. Upgrades wait for nothing; everything that lowers or repeats an alert does."""

    expires_s: Positive = 60.0
    renew_before_s: Positive = 15.0
    """An alert that lasts is sent again, without sound, this long before the last copy goes stale."""
    off_delay_s: NonNegative = 10.0
    """The danger must be gone for this long before the alert counts as returned (ISA-18.2)."""
    linger_s: NonNegative = 20.0
    """A returned alert that nobody acknowledged is closed after this time."""
    realarm_s: NonNegative = 30.0
    """For this long after an alert closed, the same pair raises no new ADVISORY; graver levels do."""
    most_advisories: Annotated[int, Meta(ge=1)] = 5
    """Open ADVISORY alerts of one unit; further drones near it raise none until they are graver. Ten
    alarms in ten minutes are a flood already (EEMUA 191), and an attacker can transmit thousands. Only
    what is known as well or better counts, so that no ghost takes the place of what a sensor sees."""
    update_s: Pauses = Pauses()
    """Shortest time between two messages about an alert whose level did not rise."""
    turn_deg: Positive = 45.0
    range_ratio: Positive = 0.5
    """A direction changed by more than ``turn_deg`` or a range shrunk to this share is worth a message."""
    escalate_s: tuple[float, ...] = (10.0, 20.0, 40.0)
    """Unacknowledged for this long: step 1 second channel, step 2 team lead, step 3 duty desk."""
    fresh_s: Positive = 10.0
    """Where a drone went is told as seen only if a sensor detected it within this time."""
    keep_closed_s: NonNegative = 600.0
