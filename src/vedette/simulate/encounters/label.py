"""The answer to one encounter: what it was, whom it was about, and when it struck."""

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace


class Label(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of ``labels.jsonl``. Times are seconds after the scenario's start until `at` shifts them.

    ``t0`` to ``t1`` is when the flier is there. ``behaviour`` is the coarse name by which encounters are
    counted, ``kind`` the finer one. ``target`` is the unit that it is about, if it is about one;
    ``onset_time`` when the watching or the strike began; ``impact_time`` when it met its target, or was
    overhead.
    """

    scene: str
    t0: float
    t1: float
    hostile: bool
    behaviour: str
    kind: str
    target: str | UnsetType = UNSET
    onset_time: float | UnsetType = UNSET
    impact_time: float | UnsetType = UNSET

    def at(self, start_time: float) -> "Label":
        """The label of the encounter when its scenario starts at ``start_time`` (Unix seconds)."""
        return replace(
            self,
            t0=self.t0 + start_time,
            t1=self.t1 + start_time,
            onset_time=UNSET if self.onset_time is UNSET else self.onset_time + start_time,
            impact_time=UNSET if self.impact_time is UNSET else round(self.impact_time + start_time, 2),
        )
