"""One encounter as a picture: time runs to the right, from what each sensor saw to what the unit was told."""

import math
from collections.abc import Iterable, Sequence
from html import escape

from vedette.assess.model import shipped
from vedette.evaluate.campaign.story import Hearing, Story
from vedette.evaluate.page.svg import linear, picture, stroke, text

WIDTH = 960.0
LEFT, RIGHT = 150.0, 16.0
LANE = 20.0
RISK_HEIGHT = 110.0
GAP = 14.0
HEAD = 20.0
DIRECTION = "W"
"""What the names of tracks begin with that are directions without a place."""
"""Room for the names of the upright lines."""


class _Picture:
    """Lanes from top to bottom on one axis of time."""

    def __init__(self, first_s: float, last_s: float) -> None:
        self.axis = linear(first_s, max(last_s, first_s + 1.0), "seconds after the encounter began", "", 10)
        self.top = HEAD
        self.parts: list[str] = []

    def x(self, at_s: float) -> float:
        return LEFT + self.axis.share(at_s) * (WIDTH - LEFT - RIGHT)

    def name(self, words: str, y: float) -> None:
        self.parts.append(text(LEFT - 10.0, y, words, "name", "end"))

    def block(self, first_s: float, last_s: float, y: float, height: float, style: str, title: str) -> None:
        left = self.x(first_s)
        width = max(self.x(last_s) - left, 1.5)
        self.parts.append(
            f'<rect x="{left:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" class="{style}">'
            f"<title>{escape(title)}</title></rect>"
        )


def timeline(story: Story) -> str:
    """The picture of a story."""
    result = story.result
    last = max(story.ends_s, result.impact_s or 0.0)
    drawn = _Picture(0.0, last)
    _sensors(drawn, story.hearings)
    _tracks(drawn, story)
    _risks(drawn, story)
    _messages(drawn, story)
    _axis(drawn)
    if result.impact_s is not None:
        _upright(drawn, result.impact_s, "impact", "mark")
    elif result.duration_s < last:
        _upright(drawn, result.duration_s, "it has gone", "dashed")
    if result.onset_s is not None and result.onset_s > 0.5:
        _upright(drawn, result.onset_s, "onset", "dashed")
    words = f"{result.scene}: what sensors saw, the tracks, the risk to {story.unit} and the messages to it"
    return picture(WIDTH, drawn.top + 30.0, words, drawn.parts)


def _sensors(drawn: _Picture, hearings: Iterable[Hearing]) -> None:
    for one in hearings:
        if not one.of_body and not one.of_others:
            continue
        y = drawn.top
        drawn.name(one.sensor, y + 13.0)
        for at, count in one.of_others:
            drawn.block(at, at + 1, y + 12.0, 4.0, "others", f"{at} s: {count} of something else")
        for at, count in one.of_body:
            drawn.block(at, at + 1, y + 2.0, 9.0, "seen", f"{at} s: {count} of the body in question")
        drawn.top += LANE


def _tracks(drawn: _Picture, story: Story) -> None:
    drawn.top += GAP / 2.0
    heard = [one for one in story.tracks if one.track.startswith(DIRECTION)]
    for one in story.tracks:
        if one not in heard:
            drawn.name(f"track {one.track}", drawn.top + 11.0)
            drawn.block(one.first_s, one.last_s + 1.0, drawn.top + 3.0, 8.0, "track", f"track {one.track}")
            drawn.top += LANE * 0.8
    if heard:
        drawn.name("direction alone", drawn.top + 11.0)
        for one in heard:
            title = f"direction {one.track}"
            drawn.block(one.first_s, one.last_s + 1.0, drawn.top + 5.0, 4.0, "track", title)
        drawn.top += LANE * 0.8


def _risks(drawn: _Picture, story: Story) -> None:
    drawn.top += GAP
    top, bottom = drawn.top, drawn.top + RISK_HEIGHT
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * RISK_HEIGHT
        drawn.parts.append(stroke(LEFT, y, WIDTH - RIGHT, y, "grid"))
        drawn.parts.append(text(LEFT - 10.0, y + 4.0, f"{share:.0%}", anchor="end"))
    drawn.parts.append(text(10.0, (top + bottom) / 2.0, "risk to", "name"))
    drawn.parts.append(text(10.0, (top + bottom) / 2.0 + 15.0, story.unit, "name"))
    for one in story.risks:
        height = max(one.risk * RISK_HEIGHT, 1.0)
        far = "" if one.true_range_m is None else f", really {one.true_range_m:.0f} m off"
        title = f"{one.at_s:.0f} s: {one.risk:.1%}, {one.level}, {one.behaviour}{far}"
        drawn.block(one.at_s, one.at_s + 1.0, bottom - height, height, f"l-{one.level}", title)
    drawn.top = bottom


def _messages(drawn: _Picture, story: Story) -> None:
    drawn.top += GAP
    drawn.name("told", drawn.top + 12.0)
    for one in story.said:
        title = f"{one.at_s:.1f} s, {one.level}: {one.text}"
        radius = 6.0 if one.sounded else 3.5
        drawn.parts.append(
            f'<circle cx="{drawn.x(one.at_s):.1f}" cy="{drawn.top + 8:.1f}" r="{radius}" '
            f'class="l-{one.level}"><title>{escape(title)}</title></circle>'
        )
    drawn.top += LANE


def _axis(drawn: _Picture) -> None:
    y = drawn.top + 4.0
    drawn.parts.append(stroke(LEFT, y, WIDTH - RIGHT, y, "axis"))
    for value, words in drawn.axis.ticks:
        drawn.parts.append(text(drawn.x(value), y + 16.0, words, anchor="middle"))
    drawn.parts.append(text(LEFT - 10.0, y + 16.0, "seconds", anchor="end"))


def _upright(drawn: _Picture, at_s: float, words: str, style: str) -> None:
    x = drawn.x(at_s)
    late = x > WIDTH - 90.0
    drawn.parts.append(stroke(x, 4.0, x, drawn.top + 4.0, style))
    drawn.parts.append(text(x - 4.0 if late else x + 4.0, 12.0, words, "note", "end" if late else "start"))


def _bar(level: str) -> str:
    levels = shipped().file.levels
    nats = levels.warning_nats if level == "warning" else levels.imminent_nats
    return f"{1.0 / (1.0 + math.exp(-nats)):.0%}"


def legend() -> Sequence[str]:
    """What the marks of the picture mean."""
    return (
        "Upper rows: each second in which a sensor reported the body in question (blue), and anything else, "
        "clutter included (thin grey).",
        "Green: tracks that stood for it, and directions without a place. Columns: the risk to this unit, "
        f"in the colour of the level. The model alone says WARNING from {_bar('warning')} on, IMMINENT from "
        f"{_bar('imminent')}; rules may raise a level beyond that, and it is lowered slowly.",
        "Dots: messages to the unit; the large ones sounded.",
        "From above: dashed the way that was flown, with the seconds; green where the station believed it to "
        "be; rings where the level rose; squares the units, triangles the sensors.",
        "Why: each reason with its weight. 0.69 nats double the odds, 2.3 make them tenfold; together they "
        "are the risk.",
    )
