"""How many alarms a desk has had, against what a person can take in.

Targets: EEMUA 191 and ISA-18.2 as the field notes quote them ("Alarm management"): at most 1 alarm in 10
minutes over time, 2 to be manageable; more than 10 in 10 minutes are a flood; 150 a day, 300 to be
manageable; about 5 / 15 / 80 % by priority; an alarm that opens three times in a minute chatters
(one that rises to a level that it never had does not); fewer than
5 that stand for a day.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from vedette.model.threat import Level
from vedette.warn.held import Held

MINUTE_S = 60.0
DAY_MIN = 1440
TARGET_10_MIN, MOST_10_MIN, FLOOD_10_MIN = 1, 2, 10
TARGET_DAY, MOST_DAY = 150, 300
CHATTER_PER_MIN = 3
STALE_S, MOST_STALE = 86_400.0, 5
LEVELS: tuple[Level, ...] = ("imminent", "warning", "advisory")
MIX: dict[Level, float] = {"imminent": 0.05, "warning": 0.15, "advisory": 0.80}
"""Shares of the levels that a person can still tell apart."""
MOST_DESKS = 32


class DeskRates(Struct, frozen=True, kw_only=True):
    """What one desk was shown. ``mix``: shares by level over the day; ``verdict``: in words."""

    desk: str
    last_10_min: int
    last_hour: int
    last_day: int
    flood: bool
    chattering: tuple[str, ...]
    stale: int
    mix: dict[Level, float]
    verdict: str


class Rates(Struct):
    """Alarms by desk and minute (Unix time / 60): a count for each of `LEVELS`."""

    desks: dict[str, dict[int, list[int]]] = {}

    def took(self, desk: str, level: Level, at: float) -> None:
        """One alarm sounded, or would have, at ``desk``."""
        if level not in LEVELS or (desk not in self.desks and len(self.desks) >= MOST_DESKS):
            return
        minutes = self.desks.setdefault(desk, {})
        minute = int(at // MINUTE_S)
        for old in [known for known in minutes if known <= minute - DAY_MIN]:
            del minutes[old]
        minutes.setdefault(minute, [0, 0, 0])[LEVELS.index(level)] += 1

    def at(self, at: float, held: Iterable[Held]) -> tuple[DeskRates, ...]:
        """The figures of every desk; ``held``: the alarms that stand."""
        alarms = list(held)
        chatter = tuple(h.alert.alert for h in alarms if _chatters(h, at))
        stale = sum(at - h.raised > STALE_S for h in alarms)
        return tuple(self._of(desk, at, chatter, stale) for desk in sorted(self.desks))

    def _of(self, desk: str, at: float, chatter: tuple[str, ...], stale: int) -> DeskRates:
        minutes = self.desks[desk]
        ten, hour, day = (_sum(minutes, at, span) for span in (10, 60, DAY_MIN))
        levels = [sum(counts[n] for counts in _within(minutes, at, DAY_MIN)) for n in range(len(LEVELS))]
        mix = {level: count / day if day else 0.0 for level, count in zip(LEVELS, levels, strict=True)}
        return DeskRates(
            desk=desk,
            last_10_min=ten,
            last_hour=hour,
            last_day=day,
            flood=ten > FLOOD_10_MIN,
            chattering=chatter,
            stale=stale,
            mix=mix,
            verdict=_verdict(ten, day, len(chatter), stale, mix),
        )


def _within(minutes: Mapping[int, list[int]], at: float, span: int) -> list[list[int]]:
    last = int(at // MINUTE_S)
    return [counts for minute, counts in minutes.items() if last - span < minute <= last]


def _sum(minutes: Mapping[int, list[int]], at: float, span: int) -> int:
    return sum(sum(counts) for counts in _within(minutes, at, span))


def _chatters(held: Held, at: float) -> bool:
    return sum(at - sounded < MINUTE_S for sounded in held.sounded) >= CHATTER_PER_MIN


def _verdict(ten: int, day: int, chatter: int, stale: int, mix: Mapping[Level, float]) -> str:
    if ten > FLOOD_10_MIN:
        return f"flood: {ten} alarms in 10 minutes, and {FLOOD_10_MIN} are the most that a person can follow"
    found = [
        (chatter > 0, "one alarm chatters" if chatter == 1 else f"{chatter} alarms chatter"),
        (stale >= MOST_STALE, f"{stale} alarms stand for more than a day"),
        (day > MOST_DAY, f"{day} alarms in a day: more than can be managed ({MOST_DAY})"),
        (
            ten > MOST_10_MIN,
            f"{ten} alarms in 10 minutes: more than can be managed ({MOST_10_MIN})",
        ),
        (day > TARGET_DAY, f"{day} alarms in a day: above the target of {TARGET_DAY}"),
        (day >= 20 and mix["imminent"] > 4 * MIX["imminent"], "too large a share of them is IMMINENT"),
    ]
    return "; ".join(words for true, words in found if true) or "within the targets"
