"""The sections of the report, from the short answer down to single encounters. Each returns HTML."""

from collections.abc import Collection, Iterable, Sequence
from html import escape

from vedette.evaluate.campaign.days import Days
from vedette.evaluate.campaign.figures import Figure, Figures, Rate
from vedette.evaluate.campaign.intervals import poisson
from vedette.evaluate.campaign.results import Result
from vedette.evaluate.campaign.summary import Evaluation, Group, Worst
from vedette.evaluate.page import charts
from vedette.evaluate.page.words import (
    ABLATION_WORDS,
    NOTHING,
    count_words,
    name_words,
    number_words,
    percent,
    rate_words,
    seconds_words,
    share_words,
    table,
    trouble_words,
)

CAUSE_WORDS = {
    "friendly": "our own drones",
    "drone": "drones that meant no attack",
    "bird": "birds",
    "aircraft": "manned aircraft",
    "clutter": "nothing that was there",
}


def figure(svg: str, caption: str) -> str:
    """A plot with its caption."""
    return f"<figure>{svg}<figcaption>{caption}</figcaption></figure>" if svg else ""


def card(value: str, words: str) -> str:
    """One large figure."""
    return f'<div class="card"><b>{value}</b><span>{words}</span></div>'


def answer(evaluation: Evaluation) -> str:
    """The short answer, in large figures."""
    one = evaluation.figures
    cards = []
    if one.missed is not None:
        seen = one.missed_seen or one.missed
        cards = [
            card(
                percent(seen.share),
                f"of attacks that a sensor saw in time were missed ({count_words(seen)}; 95 % interval "
                f"{percent(seen.low)} to {percent(seen.high)})",
            ),
            card(
                f"{one.leads['p50'].value:.0f} s",
                f"of warning in the median attack; a tenth had less than {one.leads['p10'].value:.0f} s",
            ),
        ]
    if one.false_alerts is not None:
        cards.append(
            card(
                f"{one.false_alerts.per_hour:.1f}",
                f"false alerts for each hour of harmless track ({one.false_alerts.count} in "
                f"{one.false_alerts.hours:.1f} h)",
            )
        )
    if one.right_unit is not None:
        words = "right unit 10 s before the impact: the one attacked was at the highest risk"
        cards.append(card(percent(one.right_unit.share, 0), words))
    if one.unseen is not None:
        words = f"of attacks no sensor saw 10 s before the impact ({count_words(one.unseen)})"
        cards.append(card(percent(one.unseen.share), words))
    return f'<div class="cards">{"".join(cards)}</div>'


def lead_section(evaluation: Evaluation) -> str:
    """How much time people had."""
    one = evaluation.figures
    main = _main(evaluation)
    rows = [
        [f"{name[1:]} % of attacks had less than", seconds_words(found)] for name, found in one.leads.items()
    ]
    rows += [
        ["less than 10 s", share_words(one.under_10_s)],
        ["less than 30 s", share_words(one.under_30_s)],
        ["missed: less than 5 s, or nothing", share_words(one.missed)],
        ["missed although a sensor saw it 10 s before", share_words(one.missed_seen)],
        ["of these, not seen any more in the last 10 s", count_words(one.missed_hidden)],
    ]
    levels = [
        [level.upper(), number_words(value, 1, " s")] for level, value in one.lead_by_level_p50_s.items()
    ]
    return (
        "<p>The lead is the time from the first message to the person attacked, at WARNING or above, to the "
        "impact. Only a message about the attacker counts, and only if the alert still stood at the end.</p>"
        '<div class="pair">'
        + figure(
            charts.leads(main),
            "Dashed: 5 s, below which an attack counts as missed; 10 s; 30 s. Never told of: 0 s.",
        )
        + "<div>"
        + table(["Lead at WARNING", "95 % interval in brackets"], rows)
        + table(["Median lead at", ""], levels)
        + "</div></div>"
    )


def _main(evaluation: Evaluation) -> list[Result]:
    return [
        one
        for one in evaluation.results
        if one.item.collection == evaluation.collection and one.item.mix == evaluation.mix
        if one.item.trouble == "none" and one.item.ablation == "none"
    ]


def behaviour_section(groups: Sequence[Group]) -> str:
    """Attack by attack, and the harmless ones."""
    attacks = [one for one in groups if one.figures.hostile]
    harmless = [one for one in groups if one.figures.benign]
    plot = charts.missed_rows([(_plain(one.name), one.figures.missed) for one in attacks])
    return (
        figure(plot, "Attacks missed, by behaviour.")
        + table(
            ["Attack", "runs", "missed", "lead p10", "lead p50", "right unit", "units warned"],
            [_attack_row(one) for one in attacks],
            (1,),
        )
        + table(
            ["Harmless", "runs", "hours", "false alerts an hour", "somebody advised"],
            [_harmless_row(one) for one in harmless],
            (1, 2),
        )
        + '<p class="soft">To advise of a drone that watches is right; to warn of it counts as false.</p>'
    )


def _plain(name: str) -> str:
    return name.replace("-", " ").capitalize()


def _attack_row(group: Group) -> list[str]:
    one = group.figures
    return [
        name_words(group.name),
        str(one.hostile),
        share_words(one.missed),
        seconds_words(one.leads.get("p10")),
        seconds_words(one.leads.get("p50")),
        share_words(one.right_unit),
        number_words(one.units_warned, 1),
    ]


def _harmless_row(group: Group) -> list[str]:
    one = group.figures
    advised = one.watchers_advised or one.others_advised
    return [
        name_words(group.name),
        str(one.benign),
        f"{one.benign_hours:.1f}",
        rate_words(one.false_alerts),
        share_words(advised),
    ]


def false_section(evaluation: Evaluation) -> str:
    """Alerts about nothing that attacks."""
    one = evaluation.figures
    hours = one.benign_hours
    if hours <= 0.0:
        return "<p>No harmless encounter was run.</p>"
    rates = [(CAUSE_WORDS[cause], _rate(count, hours)) for cause, count in one.false_by_cause.items()]
    plot = charts.cause_rows(rates)
    rows = [[words, str(rate.count), rate_words(rate)] for words, rate in rates]
    rows.append(["all", str(sum(one.false_by_cause.values())), rate_words(one.false_alerts)])
    return (
        "<p>A false alert: somebody came to be under WARNING or above, and it was about no attacker. The "
        "cause is the body nearest to the track then; the simulator knows where everything was.</p>"
        '<div class="pair">'
        + figure(plot, f"In {hours:.1f} hours of harmless track; at the right the count.")
        + table(["About", "alerts", "an hour"], rows, (1,))
        + "</div>"
        + f"<p>Each unit heard {number_words(one.sounded_per_unit_hour)} alerts or upgrades an hour while "
        "something harmless was in the air.</p>"
    )


def _rate(count: int, hours: float) -> Rate:
    low, high = poisson(count)
    return Rate(count=count, hours=hours, per_hour=count / hours, low=low / hours, high=high / hours)


def trade_section(evaluation: Evaluation) -> str:
    """What another threshold would do, and whether the risk is a probability."""
    one = evaluation.figures
    rows = [
        [
            f"{bar.far:g}",
            f"{bar.risk:.4f}",
            share_words(bar.missed),
            f"{bar.lead_p10_s:.1f} s",
            f"{bar.lead_p50_s:.1f} s",
        ]
        for bar in one.bars
    ]
    said = [
        [
            f"{percent(row.low, 0)} to {percent(row.high, 0)}",
            percent(row.said),
            percent(row.came),
            f"{row.seconds}",
        ]
        for row in one.reliability
    ]
    brier = NOTHING if one.brier is None else f"{one.brier.value:.4f}"
    return (
        '<div class="pair"><div>'
        + "<h3>Missed against false</h3>"
        + figure(
            charts.trade(one.curve, one.bars, one),
            "The line: a bar on the risk alone, higher to lower. The bar is set on these same scenes, so it "
            "ranks methods and promises nothing.",
        )
        + table(["False/h", "bar", "missed", "lead p10", "p50"], rows, (0, 1, 3, 4))
        + "</div><div><h3>Is the risk a probability?</h3>"
        + figure(
            charts.reliability(one.reliability),
            "Each second of each pair of track and unit: the risk that was said, and how often an impact on "
            "that unit followed within 60 s. Area of the dots: how many seconds.",
        )
        + table(["Risk", "said", "came true", "seconds"], said, (1, 2, 3))
        + f"<p>Brier score, encounters weighed alike: {brier}. Attacks are far more common here than in the "
        "field, so a risk that is right here is too high out there; their order is what carries over.</p>"
        "</div></div>"
    )


def groups_section(groups: Sequence[Group], head: str, words: dict[str, str] | None = None) -> str:
    """Groups of the same encounters side by side."""
    named = [(_named(one.name, words), one.figures) for one in groups]
    plot = charts.missed_rows([(_short(name), one.missed) for name, one in named])
    rows = [_group_row(name, one) for name, one in named]
    columns = [
        head,
        "missed",
        "missed of those seen",
        "not seen",
        "lead p10",
        "lead p50",
        "false alerts an hour",
        "right unit",
    ]
    return figure(plot, "Attacks missed.") + table(columns, rows)


def _named(name: str, words: dict[str, str] | None) -> str:
    return (words or {}).get(name, name)


def _short(name: str) -> str:
    return name if len(name) <= 28 else name[:27].rstrip(" ,:") + "…"


def _group_row(name: str, one: Figures) -> list[str]:
    return [
        escape(name),
        share_words(one.missed),
        share_words(one.missed_seen),
        share_words(one.unseen),
        seconds_words(one.leads.get("p10")),
        seconds_words(one.leads.get("p50")),
        rate_words(one.false_alerts),
        share_words(one.right_unit),
    ]


def delay_section(evaluation: Evaluation) -> str:
    """How long each stage took."""
    rows = [
        [escape(one.stage.capitalize()), str(one.runs), f"{one.p50_s:.2f} s", f"{one.p95_s:.2f} s"]
        for one in evaluation.figures.delays
    ]
    return (
        "<p>Simulated time from one stage to the next, attacks only: what sensors, tracking and judgement "
        "wait for. What the computing takes by itself is measured on the live station by "
        "<code>vedette bench latency</code>.</p>"
        + table(["Stage", "runs", "median", "95 % below"], rows, (1, 2, 3))
    )


def worst_section(worst: Iterable[Worst], followed: Collection[str]) -> str:
    """What went worst, and how to see it again. ``followed``: digests of those told further down."""
    rows = [
        [
            _linked(one, followed),
            escape(one.why),
            f"<code>{escape(one.replay)}</code>",
        ]
        for one in worst
    ]
    return (
        table(["Encounter", "what went wrong", "see it again with"], rows) if rows else "<p>Nothing did.</p>"
    )


def _linked(one: Worst, followed: Collection[str]) -> str:
    name = name_words(one.behaviour)
    return f'<a href="#{one.digest}">{name}</a>' if one.digest in followed else name


def days_section(days: Days, empty: Figures | None) -> str:
    """What a desk would hear of where nobody attacks."""
    ten, imminent = days.sounded_per_10_min, days.false_imminent_per_day
    rows = [
        ["times somebody came under WARNING, for each 10 minutes", _ranged(days.waves_per_10_min)],
        ["alerts that sounded, each unit's by itself, for each 10 minutes", _ranged(ten)],
        ["most in any 10 minutes", str(days.busiest_10_min)],
        ["10 minutes with any", percent(days.windows_with_any)],
        ["sightings told of as IMMINENT for nothing, a day", _ranged(days.sightings_imminent_per_day)],
        ["IMMINENT alerts for nothing, each unit's by itself, a day", _ranged(imminent)],
        ["sounds about harmless drones, a day", f"{days.drones_only_sounded_per_day:.1f}"],
    ]
    rows += [
        [f"of those IMMINENT, about {CAUSE_WORDS[cause]}", f"{value:.2f}"]
        for cause, value in days.false_imminent_by_cause.items()
        if value
    ]
    clutter = ""
    if empty is not None and empty.false_alerts is not None:
        clutter = f" Under an empty sky false alerts came {rate_words(empty.false_alerts)} an hour."
    return (
        f"<p>{days.days} days at one desk, each put together from {days.encounters} harmless encounters "
        f"and {days.empty_hours:.1f} hours of empty sky that were run: {days.sightings_per_day:.0f} "
        "sightings a day, 68 of them drones (the rate of a whole border sector, here all at one post), the "
        f"rest birds and aircraft. Each unit's alert counts by itself.{clutter}</p>"
        + table(["", "95 % interval"], rows)
        + table(
            ["Sort", "runs", "sightings a day", "over somebody", "WARNING a day", "IMMINENT a day"],
            [
                [
                    name_words(one.sort),
                    str(one.encounters),
                    f"{one.sightings:g}",
                    percent(one.near_share, 0),
                    f"{one.warned:.1f}",
                    f"{one.imminent:.1f}",
                ]
                for one in days.by_sort
            ],
            (1, 2, 3, 4, 5),
        )
    )


def _ranged(one: Figure) -> str:
    return f"{one.value:.2f} <small>({one.low:.2f} to {one.high:.2f})</small>"


def troubles_of(groups: Sequence[Group]) -> dict[str, str]:
    """The troubles' names in words."""
    return {one.name: trouble_words(one.name) for one in groups}


def ablations_of(groups: Sequence[Group]) -> dict[str, str]:
    """The ablations' names in words."""
    return {one.name: ABLATION_WORDS.get(one.name, one.name) for one in groups}
