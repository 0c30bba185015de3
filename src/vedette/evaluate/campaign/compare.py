"""Two campaigns side by side, encounter by encounter: what changed, and by how much more than chance.

Only items that both hold are compared, each with itself, so that what the encounters differ in among
themselves cancels out. Intervals by the bootstrap over encounters, both sides drawn alike.
"""

from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct

from vedette.evaluate.campaign.figures import lead_of, missed, quantile
from vedette.evaluate.campaign.intervals import DRAWS, F64, I64, draws
from vedette.evaluate.campaign.items import Item
from vedette.evaluate.campaign.results import Result
from vedette.evaluate.campaign.summary import Evaluation, replay_of
from vedette.model import InputError

DIGITS = 4
MOST_CHANGES = 10


class Difference(Struct, frozen=True, kw_only=True):
    """One figure of both, and the second less the first with its 95 % interval. ``better``: whether the
    second is better beyond chance; absent where chance alone could have done it."""

    name: str
    unit: str
    first: float
    second: float
    change: float
    low: float
    high: float
    better: bool | None


class Change(Struct, frozen=True, kw_only=True):
    """An encounter that went differently."""

    item: Item
    behaviour: str
    first: str
    second: str
    replay: str


class Comparison(Struct, frozen=True, kw_only=True):
    """The second campaign against the first."""

    first_model: str
    second_model: str
    hostile: int
    benign: int
    only_first: int
    only_second: int
    differences: tuple[Difference, ...]
    by_behaviour: tuple[tuple[str, tuple[Difference, ...]], ...]
    changes: tuple[Change, ...]


class _Pair(Struct, frozen=True):
    first: Result
    second: Result


def compare(first: Evaluation, second: Evaluation) -> Comparison:
    """What the second does otherwise. Raises InputError if they share no item."""
    theirs = {one.item.digest: one for one in second.results}
    pairs = [_Pair(one, theirs[one.item.digest]) for one in first.results if one.item.digest in theirs]
    if not pairs:
        raise InputError(
            "the two evaluations share no encounter: run both on the same collection, numbers and mix"
        )
    behaviours = sorted({(not one.first.hostile, one.first.behaviour) for one in pairs})
    return Comparison(
        first_model=first.model,
        second_model=second.model,
        hostile=sum(one.first.hostile for one in pairs),
        benign=sum(not one.first.hostile for one in pairs),
        only_first=len(first.results) - len(pairs),
        only_second=len(second.results) - len(pairs),
        differences=differences(pairs),
        by_behaviour=tuple(
            (name, differences([one for one in pairs if one.first.behaviour == name]))
            for _, name in behaviours
        ),
        changes=_changes(pairs),
    )


def differences(pairs: Sequence[_Pair]) -> tuple[Difference, ...]:
    """The figures that a change is judged by, of these encounters."""
    hostile = [one for one in pairs if one.first.hostile]
    benign = [one for one in pairs if not one.first.hostile]
    found: list[Difference] = []
    if hostile:
        late = _columns(hostile, lambda one: float(missed(one)))
        leads = _columns(hostile, lead_of)
        right = _columns(hostile, lambda one: float(one.right_unit is True))
        found = [
            _difference("missed attacks", "share", late, _mean, less=True),
            _difference("lead, 10 % had less", "s", leads, _quantile(0.10), less=False),
            _difference("lead, median", "s", leads, _quantile(0.50), less=False),
            _difference("right unit 10 s before", "share", right, _mean, less=False),
        ]
    if benign:
        hours = np.array([one.first.duration_s / 3600.0 for one in benign])
        alerts = _columns(benign, lambda one: float(len(one.false_alerts)))
        found.append(_difference("false alerts", "an hour", alerts, _per_hour(hours), less=True))
    return tuple(found)


Figure = Callable[[F64, I64], F64]
"""Values [n] and draws [draws, n] of their indices -> the figure of each draw."""


def _columns(pairs: Sequence[_Pair], value: Callable[[Result], float]) -> tuple[F64, F64]:
    first = np.array([value(one.first) for one in pairs])
    return first, np.array([value(one.second) for one in pairs])


def _difference(name: str, unit: str, sides: tuple[F64, F64], figure: Figure, *, less: bool) -> Difference:
    count = len(sides[0])
    whole = np.arange(count).reshape(1, count)
    first, second = (float(figure(side, whole)[0]) for side in sides)
    drawn = draws(count)
    spread = np.sort(figure(sides[1], drawn) - figure(sides[0], drawn))
    low, high = float(spread[int(0.025 * DRAWS)]), float(spread[int(0.975 * DRAWS) - 1])
    beyond = (high < 0.0) if less else (low > 0.0)
    worse = (low > 0.0) if less else (high < 0.0)
    return Difference(
        name=name,
        unit=unit,
        first=round(first, DIGITS),
        second=round(second, DIGITS),
        change=round(second - first, DIGITS),
        low=round(low, DIGITS),
        high=round(high, DIGITS),
        better=True if beyond else False if worse else None,
    )


def _mean(values: F64, drawn: I64) -> F64:
    return np.asarray(values[drawn].sum(axis=1) / drawn.shape[1])


def _quantile(share: float) -> Figure:
    def of(values: F64, drawn: I64) -> F64:
        return np.array([quantile(row.tolist(), share) for row in values[drawn]])

    return of


def _per_hour(hours: F64) -> Figure:
    def of(values: F64, drawn: I64) -> F64:
        return np.asarray(values[drawn].sum(axis=1) / hours[drawn].sum(axis=1))

    return of


def _changes(pairs: Sequence[_Pair]) -> tuple[Change, ...]:
    """Attacks missed by one and not by the other first, then the largest changes of lead and false alerts."""
    changed = sorted((one for one in pairs if _weight(one) > 0.0), key=lambda one: -_weight(one))
    return tuple(
        Change(
            item=one.first.item,
            behaviour=one.first.behaviour,
            first=_words(one.first),
            second=_words(one.second),
            replay=replay_of(one.first.item),
        )
        for one in changed[:MOST_CHANGES]
    )


def _weight(one: _Pair) -> float:
    if one.first.hostile:
        turned = 1000.0 * (missed(one.first) != missed(one.second))
        return turned + abs(lead_of(one.first) - lead_of(one.second))
    return 100.0 * abs(len(one.first.false_alerts) - len(one.second.false_alerts))


def _words(one: Result) -> str:
    if one.hostile:
        return f"lead {lead_of(one):.1f} s{' (missed)' if missed(one) else ''}"
    return f"{len(one.false_alerts)} false alerts"
