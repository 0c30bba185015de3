"""Two campaigns side by side, as a page and as lines."""

from collections.abc import Iterable, Sequence
from html import escape

from vedette.evaluate.campaign.compare import Comparison, Difference
from vedette.evaluate.page.page import document
from vedette.evaluate.page.words import name_words, table

HEAD = ("", "first", "second", "change", "95 % interval", "")


def page_of(found: Comparison, names: tuple[str, str]) -> str:
    """The comparison as HTML. ``names``: what the two are called."""
    first, second = map(escape, names)
    body = (
        f"<h1>{first} and {second}, side by side</h1>"
        f'<p class="soft">{found.hostile} attacks and {found.benign} harmless encounters that both have; '
        f"models {escape(found.first_model)} and {escape(found.second_model)}. Each is compared with itself; "
        "a change is marked where the interval leaves chance out.</p>"
        + table(HEAD, map(_row, found.differences), (1, 2, 3))
        + "".join(_behaviour(name, rows) for name, rows in found.by_behaviour)
        + "<h2>What went differently</h2>"
        + table(
            ["Encounter", "first", "second", "see it again with"],
            [
                [
                    name_words(c.behaviour),
                    escape(c.first),
                    escape(c.second),
                    f"<code>{escape(c.replay)}</code>",
                ]
                for c in found.changes
            ],
        )
    )
    return document(f"Vedette: {names[0]} and {names[1]}", body)


def _behaviour(name: str, rows: Sequence[Difference]) -> str:
    return f"<h3>{name_words(name)}</h3>" + table(HEAD, map(_row, rows), (1, 2, 3))


def _row(one: Difference) -> list[str]:
    style = {True: "better", False: "worse", None: "soft"}[one.better]
    return [
        escape(one.name),
        _value(one.first, one.unit),
        _value(one.second, one.unit),
        _value(one.change, one.unit, signed=True),
        f"{_value(one.low, one.unit, signed=True)} to {_value(one.high, one.unit, signed=True)}",
        f'<span class="{style}">{_verdict(one)}</span>',
    ]


def _verdict(one: Difference) -> str:
    return {True: "better", False: "worse", None: "within chance"}[one.better]


def _value(value: float, unit: str, *, signed: bool = False) -> str:
    sign = "+" if signed else ""
    if unit == "share":
        return f"{100.0 * value:{sign}.1f} %"
    return f"{value:{sign}.2f} {unit}"


def lines_of(found: Comparison) -> Iterable[str]:
    """The comparison as lines for a terminal."""
    yield f"{found.hostile} attacks and {found.benign} harmless encounters in both"
    if found.only_first or found.only_second:
        yield f"only in the first {found.only_first}, only in the second {found.only_second}: left out"
    for one in found.differences:
        yield (
            f"{one.name:24} {_value(one.first, one.unit):>14} {_value(one.second, one.unit):>14} "
            f"{_value(one.change, one.unit, signed=True):>16}  ({_verdict(one)})"
        )
    for change in found.changes:
        yield f"{change.behaviour}: {change.first} -> {change.second}   {change.replay}"
