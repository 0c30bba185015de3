"""One encounter seen from above: where the body flew and where the station thought it was, the people, the
sensors, and the places at which the level rose."""

import math
from collections.abc import Iterable, Sequence
from html import escape

from vedette.evaluate.campaign.story import Decision, Story
from vedette.evaluate.campaign.ways import Spot, Way
from vedette.evaluate.page.svg import picture, stroke, text

SIDE = 460.0
INSET = 26.0
EVERY_S = 10.0
ROUND_M = (50.0, 100.0, 200.0, 250.0, 500.0, 1000.0, 2000.0, 5000.0)
LEAST_M = 300.0
JOINED_S = 3.5
"""Spots of a way that are further apart in time are not joined by a line."""


def plan(story: Story) -> str:
    """The map of a story as SVG; empty if nobody was anywhere."""
    bodies = [way for way in story.ways if way.what == "body"]
    target = next((way for way in story.ways if way.what == "unit" and way.name == story.unit), None)
    if not bodies or target is None:
        return ""
    drawn = _Map([spot for way in (*bodies, target) for spot in way.spots])
    drawn.scale()
    for way in story.ways:
        if way.what == "sensor":
            drawn.sensor(way)
        elif way.what == "unit":
            drawn.unit(way, target=way.name == story.unit)
    for way in bodies:
        drawn.line(way, "flown")
        drawn.clock(way)
    for way in story.ways:
        if way.what == "track":
            drawn.line(way, "believed")
    for decision in story.decisions:
        drawn.decision(decision, bodies)
    words = f"{story.result.scene} from above: the way that was flown, the tracks, and where the level rose"
    return picture(SIDE, SIDE, words, drawn.parts)


class _Map:
    """A square of ground, north up, that holds all the spots."""

    def __init__(self, spots: Sequence[Spot]) -> None:
        east, north = [spot[1] for spot in spots], [spot[2] for spot in spots]
        self._span = max(max(east) - min(east), max(north) - min(north), LEAST_M)
        self._east, self._north = (max(east) + min(east)) / 2.0, (max(north) + min(north)) / 2.0
        self.parts: list[str] = []

    def at(self, spot: Spot) -> tuple[float, float]:
        """Where a spot lies on the picture."""
        unit = (SIDE - 2.0 * INSET) / self._span
        return (
            SIDE / 2.0 + (spot[1] - self._east) * unit,
            SIDE / 2.0 - (spot[2] - self._north) * unit,
        )

    def inside(self, spot: Spot) -> bool:
        """True if it lies on the picture."""
        return all(4.0 < part < SIDE - 4.0 for part in self.at(spot))

    def scale(self) -> None:
        """A frame, a bar of round length, and where north is."""
        bar = max((one for one in ROUND_M if one <= self._span / 2.5), default=ROUND_M[0])
        length = bar * (SIDE - 2.0 * INSET) / self._span
        words = f"{bar:.0f} m" if bar < 1000.0 else f"{bar / 1000.0:.0f} km"
        self.parts.append(f'<rect x="1" y="1" width="{SIDE - 2:.0f}" height="{SIDE - 2:.0f}" class="frame"/>')
        self.parts.append(stroke(12.0, SIDE - 12.0, 12.0 + length, SIDE - 12.0, "axis"))
        self.parts.append(text(12.0, SIDE - 17.0, words))
        self.parts.append(text(SIDE - 14.0, 18.0, "N ↑", anchor="end"))

    def line(self, way: Way, style: str) -> None:
        """The way, broken where it was not there."""
        piece: list[Spot] = []
        for spot in (*way.spots, None):
            if piece and (spot is None or spot[0] - piece[-1][0] > JOINED_S):
                points = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(self.at, piece))
                title = f"<title>{escape(way.what)} {escape(way.name)}</title>"
                self.parts.append(f'<polyline points="{points}" class="{style}">{title}</polyline>')
                piece = []
            piece += [] if spot is None else [spot]

    def clock(self, way: Way) -> None:
        """A mark each ten seconds; the encounter's seconds at some of them."""
        every = EVERY_S * max(1, math.ceil(len(way.spots) / 100.0))
        last = -math.inf
        for spot in way.spots:
            if spot[0] - last >= every - 0.05:
                last = spot[0]
                x, y = self.at(spot)
                self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" class="tick"/>')
                self.parts.append(text(x + 5.0, y - 4.0, f"{spot[0]:.0f} s", "note"))

    def sensor(self, way: Way) -> None:
        """A triangle."""
        if self.inside(way.spots[0]):
            x, y = self.at(way.spots[0])
            points = f"{x:.1f},{y - 6:.1f} {x - 5:.1f},{y + 4:.1f} {x + 5:.1f},{y + 4:.1f}"
            title = f"<title>sensor {escape(way.name)}</title>"
            self.parts.append(f'<polygon points="{points}" class="others">{title}</polygon>')

    def unit(self, way: Way, *, target: bool) -> None:
        """Where the unit was at the end; the one that the story is about is larger, and named."""
        if not self.inside(way.spots[-1]):
            return
        self.line(way, "walked")
        x, y = self.at(way.spots[-1])
        style, side = ("unit", 11.0) if target else ("unit faint", 7.0)
        self.parts.append(
            f'<rect x="{x - side / 2:.1f}" y="{y - side / 2:.1f}" width="{side}" height="{side}" '
            f'class="{style}"><title>{escape(way.name)}</title></rect>'
        )
        if target:
            self.parts.append(text(x + 9.0, y + 14.0, way.name, "name"))

    def decision(self, decision: Decision, bodies: Iterable[Way]) -> None:
        """A ring where the nearest body to the clock was when the level was reached."""
        for way in bodies:
            spot = min(way.spots, key=lambda one: abs(one[0] - decision.at_s))
            if abs(spot[0] - decision.at_s) <= 1.0:
                x, y = self.at(spot)
                title = f"{decision.at_s:.0f} s: {decision.level}, risk {decision.risk:.1%}"
                self.parts.append(
                    f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" class="l-{decision.level} ring">'
                    f"<title>{escape(title)}</title></circle>"
                )
                return
