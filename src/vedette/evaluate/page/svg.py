"""Plots as SVG text: axes with round numbers, and the few marks that the report needs.

Colours come from the page's style by class, so that a plot follows the reader's light or dark setting.
Coordinates of a `Plot` are data; the picture is ``width`` by ``height`` units and scales with the page.
"""

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

LEFT, RIGHT, TOP, BOTTOM = 58.0, 22.0, 12.0, 42.0
DIGITS = 1


class Axis(NamedTuple):
    """One axis: from ``low`` to ``high``, its ticks and what they say. ``log``: by the logarithm."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    title: str = ""
    log: bool = False

    def share(self, value: float) -> float:
        """Where a value lies between the ends, 0 to 1, held inside."""
        if self.log:
            low, high = math.log10(self.low), math.log10(self.high)
            value = math.log10(max(value, self.low))
        else:
            low, high = self.low, self.high
        return min(max((value - low) / (high - low), 0.0), 1.0)


def linear(low: float, high: float, title: str = "", suffix: str = "", count: int = 6) -> Axis:
    """An axis with round ticks; ``high`` is raised to the next one."""
    span = high - low if high > low else 1.0
    rough = span / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if power * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil((low + span) / step - 1e-9)
    ticks = tuple((n * step, _number(n * step) + suffix) for n in range(first, last + 1))
    return Axis(first * step, last * step, ticks, title)


def shares(title: str = "", high: float = 1.0) -> Axis:
    """An axis of shares, in per cent."""
    top = next(one for one in (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0) if one >= min(high, 1.0) - 1e-9)
    axis = linear(0.0, top * 100.0, title, " %", 5)
    ticks = tuple((value / 100.0, words) for value, words in axis.ticks)
    return Axis(0.0, axis.high / 100.0, ticks, title)


def decades(low: float, high: float, title: str = "") -> Axis:
    """A logarithmic axis with ticks at 1, 2 and 5."""
    ticks = []
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        for factor in (1.0, 2.0, 5.0):
            value = factor * 10.0**power
            if low * 0.999 <= value <= high * 1.001:
                ticks.append((value, _number(value)))
    return Axis(low, high, tuple(ticks), title, log=True)


def _number(value: float) -> str:
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


class Plot:
    """A rectangle with two axes; marks are added in order and come out as one SVG element."""

    def __init__(self, x: Axis, y: Axis, label: str, width: float = 520.0, height: float = 290.0) -> None:
        self._x, self._y = x, y
        self._label = label
        self._width, self._height = width, height
        self._marks: list[str] = []

    def x(self, value: float) -> float:
        """Data to picture, to the right."""
        return LEFT + self._x.share(value) * (self._width - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Data to picture, upward."""
        return self._height - BOTTOM - self._y.share(value) * (self._height - TOP - BOTTOM)

    def line(self, points: Iterable[tuple[float, float]], style: str, title: str = "") -> None:
        """A line through points."""
        at = " ".join(f"{self.x(a):.{DIGITS}f},{self.y(b):.{DIGITS}f}" for a, b in points)
        self._add(f'<polyline points="{at}" class="{style}"', title)

    def area(self, points: Sequence[tuple[float, float]], style: str) -> None:
        """The area from a line down to the bottom."""
        if not points:
            return
        whole = [(points[0][0], self._y.low), *points, (points[-1][0], self._y.low)]
        at = " ".join(f"{self.x(a):.{DIGITS}f},{self.y(b):.{DIGITS}f}" for a, b in whole)
        self._add(f'<polygon points="{at}" class="{style}"', "")

    def dot(self, a: float, b: float, style: str, title: str = "", radius: float = 4.0) -> None:
        """One point."""
        place = f'cx="{self.x(a):.{DIGITS}f}" cy="{self.y(b):.{DIGITS}f}" r="{radius:.{DIGITS}f}"'
        self._add(f'<circle {place} class="{style}"', title)

    def whisker(self, a: float, low: float, high: float, style: str) -> None:
        """An upright interval."""
        self.line(((a, low), (a, high)), style)

    def upright(self, a: float, style: str, words: str = "") -> None:
        """A line from bottom to top, with words at its head."""
        self.line(((a, self._y.low), (a, self._y.high)), style)
        if words:
            self.words(a, self._y.high, words, dx=4.0, dy=11.0)

    def words(
        self, a: float, b: float, text: str, dx: float = 0.0, dy: float = 0.0, end: bool = False
    ) -> None:
        """Text beside a point."""
        anchor = ' text-anchor="end"' if end else ""
        at = f'x="{self.x(a) + dx:.{DIGITS}f}" y="{self.y(b) + dy:.{DIGITS}f}"'
        self._marks.append(f'<text {at}{anchor} class="note">{escape(text)}</text>')

    def legend(self, entries: Sequence[tuple[str, str]]) -> None:
        """What the lines are, at the upper right."""
        right = self._width - RIGHT - 8.0
        for row, (style, words) in enumerate(entries):
            y = TOP + 14.0 + 17.0 * row
            self._marks.append(stroke(right - 150.0, y - 4.0, right - 122.0, y - 4.0, style))
            self._marks.append(text(right - 114.0, y, words, "name"))

    def _add(self, element: str, title: str) -> None:
        inside = f"><title>{escape(title)}</title>" if title else ">"
        name = element[1 : element.index(" ")]
        self._marks.append(f"{element}{inside}</{name}>")

    def svg(self) -> str:
        """The whole picture."""
        parts = [*self._grid(), *self._marks]
        return picture(self._width, self._height, self._label, parts)

    def _grid(self) -> Iterable[str]:
        left, right = LEFT, self._width - RIGHT
        bottom, top = self._height - BOTTOM, TOP
        for value, words in self._x.ticks:
            at = self.x(value)
            yield stroke(at, top, at, bottom, "grid")
            yield text(at, bottom + 16.0, words, anchor="middle")
        for value, words in self._y.ticks:
            at = self.y(value)
            yield stroke(left, at, right, at, "grid")
            yield text(left - 6.0, at + 4.0, words, anchor="end")
        yield text((left + right) / 2.0, self._height - 8.0, self._x.title, "title", "middle")
        middle = (top + bottom) / 2.0
        turned = text(14.0, middle, self._y.title, "title", "middle")
        yield f'<g transform="rotate(-90 14 {middle:.1f})">{turned}</g>'


def text(x: float, y: float, words: str, style: str = "", anchor: str = "start") -> str:
    """Words at a place of the picture."""
    kind = f' class="{style}"' if style else ""
    return f'<text x="{x:.{DIGITS}f}" y="{y:.{DIGITS}f}" text-anchor="{anchor}"{kind}>{escape(words)}</text>'


def stroke(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    """A straight line of the picture."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>'


def picture(width: float, height: float, label: str, parts: Iterable[str]) -> str:
    """An SVG element that says in words what it shows."""
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(label)}">'
        + "".join(parts)
        + "</svg>"
    )
