"""The goals of the project beside what was reached: one row each, the goal stated before the figure."""

from collections.abc import Iterable
from typing import NamedTuple

from vedette.evaluate.campaign.days import Days
from vedette.evaluate.campaign.figures import Figures
from vedette.evaluate.campaign.summary import Evaluation
from vedette.evaluate.page.words import percent, table

MISSED_SEEN = 0.03
SOUNDED_PER_10_MIN = 1.0
IMMINENT_PER_DAY = 1.0
WATCHERS_ADVISED, OTHERS_ADVISED = 0.95, 0.25
RIGHT_UNIT = 0.60


class Goal(NamedTuple):
    """``holds`` asks the figure alone; its interval stands beside it."""

    words: str
    goal: str
    value: str
    holds: bool


def goals_section(evaluation: Evaluation) -> str:
    """The goals as a table."""
    rows = [*_attacks(evaluation.figures), *([] if evaluation.days is None else _days(evaluation.days))]
    cells = [[one.words, one.goal, one.value, _verdict(one)] for one in rows]
    return (
        "<p>Set before anything was measured; the interval of each figure stands further down.</p>"
        + table(["", "goal", "here", ""], cells)
    )


def _verdict(one: Goal) -> str:
    style, words = ("better", "reached") if one.holds else ("worse", "not reached")
    return f'<span class="{style}">{words}</span>'


def _attacks(one: Figures) -> Iterable[Goal]:
    if one.missed_seen is not None:
        words = "attacks missed, of those that a sensor saw 10 s before"
        share = one.missed_seen.share
        value = f"{percent(share)} ({one.missed_seen.count} of {one.missed_seen.of})"
        yield Goal(words, f"at most {percent(MISSED_SEEN, 0)}", value, share <= MISSED_SEEN)
    if one.right_unit is not None:
        words = "the unit attacked at the highest risk, 10 s before"
        share = one.right_unit.share
        yield Goal(words, f"at least {percent(RIGHT_UNIT, 0)}", percent(share), share >= RIGHT_UNIT)
    if one.watchers_advised is not None:
        share = one.watchers_advised.share
        goal = f"at least {percent(WATCHERS_ADVISED, 0)}"
        yield Goal("watched units advised of it", goal, percent(share), share >= WATCHERS_ADVISED)
    if one.others_advised is not None:
        share = one.others_advised.share
        goal = f"at most {percent(OTHERS_ADVISED, 0)}"
        yield Goal("other harmless encounters advised of", goal, percent(share), share <= OTHERS_ADVISED)


def _days(days: Days) -> Iterable[Goal]:
    waves = days.waves_per_10_min.value
    yield Goal(
        "border days: times somebody came under WARNING, for each 10 minutes",
        f"below {SOUNDED_PER_10_MIN:g}",
        f"{waves:.2f}",
        waves < SOUNDED_PER_10_MIN,
    )
    sounded = days.sounded_per_10_min.value
    yield Goal(
        "border days: alerts that sounded, each unit's by itself, for each 10 minutes",
        f"below {SOUNDED_PER_10_MIN:g}",
        f"{sounded:.2f}",
        sounded < SOUNDED_PER_10_MIN,
    )
    false = days.sightings_imminent_per_day.value
    yield Goal(
        "border days: sightings told of as IMMINENT for nothing, a day",
        f"below {IMMINENT_PER_DAY:g}",
        f"{false:.2f}",
        false < IMMINENT_PER_DAY,
    )
