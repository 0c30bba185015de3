"""What a campaign comes to: one JSON object, the same to the byte for the same items."""

from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from vedette import __version__
from vedette.assess.model import shipped
from vedette.evaluate.campaign.days import Days, border_days
from vedette.evaluate.campaign.figures import Figures, figures_of, lead_of, missed, seen_in_time
from vedette.evaluate.campaign.items import Item
from vedette.evaluate.campaign.results import Result
from vedette.evaluate.campaign.sources import EMPTY, REAL
from vedette.record.fingerprint import fingerprint

FORMAT = 1
MOST_WORST = 12
MOST_FOLLOWED = 7
LOST_S = 10.0
SHORT_S = 20.0
"""A lead below this is worth a look, although 10 s are enough to reach cover."""


class Group(Struct, frozen=True, kw_only=True):
    """The figures of the runs that have ``name`` in common."""

    name: str
    figures: Figures


class Worst(Struct, frozen=True, kw_only=True):
    """An encounter that went badly; ``replay`` runs it again and tells it step by step."""

    item: Item
    digest: str
    behaviour: str
    why: str
    replay: str
    lead_s: float | None = None


class Evaluation(Struct, frozen=True, kw_only=True):
    """A whole campaign. The first figures are those of the plain runs of the first mix.

    ``model``: the version of the assessor's model. ``results``: every run, in the order of the items.
    """

    format: int
    collection: str
    mix: str
    model: str
    fingerprint: dict[str, str]
    missed_share: float | None
    lead_p10_s: float | None
    lead_p50_s: float | None
    false_alerts_per_hour: float | None
    figures: Figures
    by_behaviour: tuple[Group, ...]
    by_emission: tuple[Group, ...]
    by_mix: tuple[Group, ...]
    by_trouble: tuple[Group, ...]
    by_ablation: tuple[Group, ...]
    real_flights: tuple[Group, ...]
    empty_sky: Figures | None
    days: Days | None
    worst: tuple[Worst, ...]
    results: tuple[Result, ...]


def summarise(results: Sequence[Result], model: str, days: int = 0) -> Evaluation:
    """The whole of it: the results of one collection, and behind them those of an empty sky and of real
    flights, if there are any. ``days``: put so many border days together from them."""
    first = results[0].item
    real, empty = _of(results, REAL), _of(results, EMPTY)
    everything, results = results, _of(results, first.collection)
    plain = [one for one in results if one.item.trouble == "none" and one.item.ablation == "none"]
    main = [one for one in plain if one.item.mix == first.mix]
    figures = figures_of(main)
    return Evaluation(
        format=FORMAT,
        collection=first.collection,
        mix=first.mix,
        model=model,
        fingerprint=fingerprint(),
        missed_share=None if figures.missed is None else figures.missed.share,
        lead_p10_s=figures.leads["p10"].value if figures.leads else None,
        lead_p50_s=figures.leads["p50"].value if figures.leads else None,
        false_alerts_per_hour=None if figures.false_alerts is None else figures.false_alerts.per_hour,
        figures=figures,
        by_behaviour=_groups(main, _behaviour, hostile_first=True),
        by_emission=_groups([one for one in main if one.silent is not None], _emission),
        by_mix=_groups(plain, lambda one: one.item.mix),
        by_trouble=_groups(
            [one for one in results if one.item.mix == first.mix and one.item.ablation == "none"],
            lambda one: one.item.trouble,
        ),
        by_ablation=_groups(
            [one for one in results if one.item.mix == first.mix and one.item.trouble == "none"],
            lambda one: one.item.ablation,
        ),
        real_flights=() if first.collection == REAL else _groups(real, _behaviour, hostile_first=True),
        empty_sky=figures_of(empty) if empty else None,
        days=border_days([*main, *empty], days) if days else None,
        worst=worst_of(main),
        results=tuple(everything),
    )


def _of(results: Sequence[Result], collection: str) -> list[Result]:
    return [one for one in results if one.item.collection == collection]


def _behaviour(result: Result) -> str:
    return result.behaviour


def _emission(result: Result) -> str:
    return "radio-silent" if result.silent else "emitting"


def _groups(
    results: Sequence[Result], name: Callable[[Result], str], *, hostile_first: bool = False
) -> tuple[Group, ...]:
    """In the order in which the names come; with ``hostile_first`` attacks before the rest, by name."""
    groups: dict[str, list[Result]] = {}
    for one in results:
        groups.setdefault(name(one), []).append(one)
    names = list(groups)
    if hostile_first:
        names.sort(key=lambda key: (not groups[key][0].hostile, key))
    return tuple(Group(name=key, figures=figures_of(groups[key])) for key in names)


def worst_of(results: Sequence[Result], most: int = MOST_WORST) -> tuple[Worst, ...]:
    """Attacks seen in time and yet warned of late, latest first; then false alerts, most first."""
    attacks = (one for one in results if one.hostile and seen_in_time(one))
    late = sorted((one for one in attacks if lead_of(one) < SHORT_S), key=_lateness)
    false = sorted((one for one in results if not one.hostile and one.false_alerts), key=_falseness)
    half = most // 2
    chosen = late[: max(half, most - len(false))] + false[: max(half, most - len(late))]
    return tuple(map(_worst, chosen[:most]))


def followed(evaluation: Evaluation, most: int = MOST_FOLLOWED) -> tuple[Item, ...]:
    """The encounters that the report follows step by step: the worst, and the attack of median lead."""
    main = [
        one
        for one in evaluation.results
        if one.hostile and one.item.mix == evaluation.mix and one.item.collection == evaluation.collection
        if one.item.trouble == "none" and one.item.ablation == "none"
    ]
    items = [one.item for one in evaluation.worst[:most]]
    if main:
        items.append(sorted(main, key=_lateness)[len(main) // 2].item)
    return tuple(dict.fromkeys(items))


def _lateness(one: Result) -> tuple[float, str]:
    return lead_of(one), one.item.digest


def _falseness(one: Result) -> tuple[int, float, str]:
    return -len(one.false_alerts), -one.peak_risk, one.item.digest


def _worst(one: Result) -> Worst:
    return Worst(
        item=one.item,
        digest=one.item.digest,
        behaviour=one.behaviour,
        why=_why(one),
        replay=replay_of(one.item),
        lead_s=lead_of(one) if one.hostile else None,
    )


def _why(one: Result) -> str:
    if not one.hostile:
        causes = ", ".join(sorted({cause for _, cause in one.false_alerts}))
        times = "once" if len(one.false_alerts) == 1 else f"{len(one.false_alerts)} times"
        return f"warned {times} about {causes}"
    seen = f"seen {one.seen_s:.0f} s before the impact" if one.seen_s is not None else "never seen"
    if one.lost_s is not None and one.lost_s >= LOST_S:
        seen += f", not any more in the last {one.lost_s:.0f} s"
    if lead_of(one) <= 0.0:
        return f"{seen}, the target was not warned in time"
    return f"{seen}, warned {lead_of(one):.1f} s before it{': too late' if missed(one) else ''}"


def replay_of(item: Item) -> str:
    """The command that runs one item again and tells it; DIR and FILE are what it was made from."""
    words = ["vedette evaluate --explain", f"--collection {item.collection}", f"--item {item.index}"]
    words += [f"--mix {item.mix}"] if item.mix != "full" else []
    words += [f"--trouble {item.trouble}"] if item.trouble != "none" else []
    words += [f"--without {item.ablation}"] if item.ablation != "none" else []
    if item.source:
        words.append("--real-tracks DIR" if item.collection == REAL else "--terrain FILE")
    return " ".join(words)


def model_version() -> str:
    """What judges: the version of the program, and that of its model."""
    return f"{__version__}, {shipped().file.version}"


def encode(evaluation: Evaluation) -> bytes:
    """Canonical JSON with a line end."""
    return msgspec.json.encode(evaluation) + b"\n"


def decode(data: bytes) -> Evaluation:
    """The evaluation of `encode`. Raises msgspec.MsgspecError."""
    return msgspec.json.decode(data, type=Evaluation)
