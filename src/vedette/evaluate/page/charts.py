"""The report's plots, each from the figures that stand in the table beside it."""

from collections.abc import Sequence
from typing import NamedTuple

from vedette.evaluate.campaign.figures import Bar, Figures, Point, Rate, Reliability, Share
from vedette.evaluate.campaign.results import LEVELS, Result, Sounding
from vedette.evaluate.page.svg import Axis, Plot, decades, linear, picture, shares, stroke, text

LEAD_S = 120.0
LEAST_FAR, MOST_FAR = 0.2, 50.0
LEVEL_STYLE: dict[Sounding, str] = {"advisory": "third", "warning": "curve", "imminent": "second"}


def leads(results: Sequence[Result]) -> str:
    """Share of attacks whose target had at least so many seconds, by level."""
    attacks = [one.leads for one in results if one.leads is not None]
    plot = Plot(
        linear(0.0, LEAD_S, "seconds between the message and the impact"),
        shares("share of attacks"),
        "Share of attacks whose target was told at least so many seconds before the impact, by level",
    )
    for mark in (5.0, 10.0, 30.0):
        plot.upright(mark, "dashed")
    for level in LEVELS:
        times = sorted(getattr(one, level) for one in attacks)
        plot.line(_survival(times), LEVEL_STYLE[level], f"{level} or above")
    plot.legend([(LEVEL_STYLE[level], f"{level} or above") for level in LEVELS])
    return plot.svg()


def _survival(times: Sequence[float]) -> list[tuple[float, float]]:
    """Steps of the share of values at or above x, from 0 to `LEAD_S`; 0 is no message at all."""
    told = [time for time in times if time > 0.0]
    of = max(len(times), 1)
    points = [(0.0, len(told) / of)]
    for rank, time in enumerate(told):
        if time > LEAD_S:
            break
        points += [(time, (len(told) - rank) / of), (time, (len(told) - rank - 1) / of)]
    points.append((LEAD_S, sum(time > LEAD_S for time in told) / of))
    return points


def trade(curve: Sequence[Point], bars: Sequence[Bar], own: Figures) -> str:
    """Missed attacks against false alerts an hour: the ranking by risk, and the levels as they are."""
    plot = Plot(
        decades(LEAST_FAR, MOST_FAR, "false alerts for each hour of harmless track"),
        shares(
            "attacks missed", max([0.1, *(one.missed for one in curve), *(bar.missed.share for bar in bars)])
        ),
        "Share of attacks missed against false alerts for each hour of harmless track",
    )
    inside = [(one.far, one.missed) for one in curve if LEAST_FAR <= one.far <= MOST_FAR]
    plot.line(inside, "curve")
    for bar in bars:
        plot.whisker(bar.far, bar.missed.low, bar.missed.high, "whisker")
        plot.dot(bar.far, bar.missed.share, "dot", f"{bar.far:g} an hour: {bar.missed.share:.1%} missed")
    if own.missed is not None and own.false_alerts is not None:
        far = max(own.false_alerts.per_hour, LEAST_FAR)
        plot.whisker(far, own.missed.low, own.missed.high, "whisker2")
        plot.dot(far, own.missed.share, "dot2", "levels as they are", 5.0)
        late = far > 5.0
        side = -8.0 if late else 8.0
        plot.words(far, own.missed.share, "levels as they are", dx=side, dy=-8.0, end=late)
    return plot.svg()


def reliability(rows: Sequence[Reliability]) -> str:
    """How often a risk came true against how high it was said to be."""
    plot = Plot(
        shares("risk that was said"),
        shares("how often it came true"),
        "How often a risk came true against how high it was said to be; the dashed line is a perfect match",
        height=340.0,
    )
    plot.line(((0.0, 0.0), (1.0, 1.0)), "dashed")
    plot.line([(one.said, one.came) for one in rows], "curve")
    most = max((one.seconds for one in rows), default=1)
    for one in rows:
        title = f"said {one.said:.1%}, came {one.came:.1%}, {one.seconds} seconds"
        plot.dot(one.said, one.came, "dot", title, 3.0 + 6.0 * (one.seconds / most) ** 0.5)
    return plot.svg()


class Row(NamedTuple):
    """One row of a chart of rows: a name, a figure and its interval, and what stands at the end."""

    name: str
    value: float
    low: float
    high: float
    words: str


WIDTH, NAME_WIDTH, WORDS_WIDTH, ROW_HEIGHT = 560.0, 190.0, 70.0, 24.0


def rows_chart(rows: Sequence[Row], axis: Axis, label: str, style: str = "dot") -> str:
    """One dot with its interval for each row, names at the left."""
    left, right = NAME_WIDTH, WIDTH - WORDS_WIDTH

    def at(value: float) -> float:
        return left + axis.share(value) * (right - left)

    parts = []
    bottom = ROW_HEIGHT * len(rows) + 8.0
    for value, words in axis.ticks:
        parts.append(stroke(at(value), 4.0, at(value), bottom, "grid"))
        parts.append(text(at(value), bottom + 16.0, words, anchor="middle"))
    parts.append(text((left + right) / 2.0, bottom + 36.0, axis.title, "title", "middle"))
    for number, row in enumerate(rows):
        y = 8.0 + ROW_HEIGHT * (number + 0.5)
        parts += [
            text(left - 10.0, y + 4.0, row.name, "name", "end"),
            stroke(at(row.low), y, at(row.high), y, style.replace("dot", "whisker")),
            f'<circle cx="{at(row.value):.1f}" cy="{y:.1f}" r="4.5" class="{style}"/>',
            text(right + 10.0, y + 4.0, row.words, "note"),
        ]
    return picture(WIDTH, bottom + 44.0, label, parts)


def missed_rows(named: Sequence[tuple[str, Share | None]]) -> str:
    """Missed attacks of several groups side by side."""
    rows = [
        Row(name, share.share, share.low, share.high, f"{share.count} of {share.of}")
        for name, share in named
        if share is not None
    ]
    if not rows:
        return ""
    axis = shares("attacks missed, with 95 % intervals", max(row.high for row in rows))
    return rows_chart(rows, axis, "Share of attacks missed, by group")


def cause_rows(counts: Sequence[tuple[str, Rate]]) -> str:
    """False alerts an hour by what they were about."""
    rows = [Row(name, rate.per_hour, rate.low, rate.high, f"{rate.count}") for name, rate in counts]
    if not rows:
        return ""
    axis = linear(0.0, max(row.high for row in rows), "false alerts for each hour of harmless track")
    return rows_chart(rows, axis, "False alerts for each harmless hour, by cause", "dot2")
