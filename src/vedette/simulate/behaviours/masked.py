"""The approach that the ground hides: low, along the path that the fewest eyes see.

The path is the cheapest over a coarse grid (Dijkstra 1959): each metre costs `IN_SIGHT` times as much
where an eye sees a body at the flying height, by the ground's own line of sight.
"""

import heapq
import math

from numpy.random import Generator

from vedette.model.errors import ConfigError
from vedette.model.track import Vector3
from vedette.simulate.behaviours.moment import Moment
from vedette.simulate.behaviours.plans import WEAVE_S, MaskedApproach
from vedette.simulate.behaviours.steering import Weave, along, away, climb_to
from vedette.simulate.behaviours.strike import Strike
from vedette.simulate.ground import Ground
from vedette.simulate.plane import Pair, direction, length

IN_SIGHT = 9.0
"""A metre in sight of one eye costs as much as this many more that are hidden (judgement)."""
MOST_CELLS = 40
"""Cells along the longer side of the search."""
LEAST_CELL_M = 50.0
MARGIN = 0.35
"""The search reaches beyond start and goal by this share of their distance."""
NEXT_M = 30.0

Cell = tuple[int, int]
_STEPS = (
    (1, 0, 1.0), (-1, 0, 1.0), (0, 1, 1.0), (0, -1, 1.0),
    (1, 1, 1.4142135623730951), (1, -1, 1.4142135623730951),
    (-1, 1, 1.4142135623730951), (-1, -1, 1.4142135623730951),
)  # fmt: skip


class Exposure:
    """Which cells of a grid round a start and a goal are in sight of how many eyes; asked cell by cell."""

    def __init__(self, ground: Ground, eyes: list[Vector3], start: Pair, goal: Pair, agl_m: float) -> None:
        self._ground, self._eyes, self._agl = ground, eyes, agl_m
        span = length((goal[0] - start[0], goal[1] - start[1]))
        margin = MARGIN * span + LEAST_CELL_M
        self._west, self._south = min(start[0], goal[0]) - margin, min(start[1], goal[1]) - margin
        wide = abs(goal[0] - start[0]) + 2.0 * margin
        high = abs(goal[1] - start[1]) + 2.0 * margin
        self.cell_m = max(LEAST_CELL_M, max(wide, high) / MOST_CELLS)
        self.columns, self.rows = int(wide / self.cell_m) + 1, int(high / self.cell_m) + 1
        self._seen: dict[Cell, int] = {}

    def cell(self, place: Pair) -> Cell:
        """The cell of a place."""
        return (
            min(self.columns - 1, max(0, int((place[0] - self._west) / self.cell_m))),
            min(self.rows - 1, max(0, int((place[1] - self._south) / self.cell_m))),
        )

    def middle(self, cell: Cell) -> Pair:
        """The middle of a cell."""
        return (
            self._west + (cell[0] + 0.5) * self.cell_m,
            self._south + (cell[1] + 0.5) * self.cell_m,
        )

    def passable(self, cell: Cell) -> bool:
        """True if the ground there is known."""
        return not math.isnan(self._ground.height_at(*self.middle(cell)))

    def eyes_on(self, cell: Cell) -> int:
        """How many eyes see a body that flies over the middle of a cell."""
        if cell not in self._seen:
            east, north = self.middle(cell)
            place = (east, north, self._ground.height_at(east, north) + self._agl)
            self._seen[cell] = sum(not self._ground.masks(place, eye) for eye in self._eyes)
        return self._seen[cell]


def hidden_path(exposure: Exposure, start: Pair, goal: Pair) -> tuple[Pair, ...]:
    """Middles of cells from start to goal with the least exposure; equal costs go to the lower cell.

    Raises ConfigError if unknown ground leaves no way.
    """
    first, last = exposure.cell(start), exposure.cell(goal)
    best: dict[Cell, float] = {first: 0.0}
    came: dict[Cell, Cell] = {}
    open_cells = [(0.0, first)]
    while open_cells:
        cost, cell = heapq.heappop(open_cells)
        if cell == last:
            break
        if cost > best[cell]:
            continue
        for east, north, share in _STEPS:
            near = (cell[0] + east, cell[1] + north)
            if not (0 <= near[0] < exposure.columns and 0 <= near[1] < exposure.rows):
                continue
            step = cost + share * exposure.cell_m * (1.0 + IN_SIGHT * exposure.eyes_on(near))
            if step < best.get(near, math.inf) and exposure.passable(near):
                best[near], came[near] = step, cell
                heapq.heappush(open_cells, (step, near))
    if last not in best:
        raise ConfigError("masked-approach: the known ground leaves no way to the target; bring more of it")
    way = [last]
    while way[-1] != first:
        way.append(came[way[-1]])
    return tuple(exposure.middle(cell) for cell in reversed(way))


class MaskedApproachPilot:
    """`plans.MaskedApproach`: along the hidden path, then the strike."""

    def __init__(self, name: str, plan: MaskedApproach, chance: Generator) -> None:
        self._plan = plan
        self._weave = Weave(chance, plan.weave_deg, WEAVE_S)
        self._strike = Strike(name, plan.target, plan.speed_mps, plan.dive_deg, plan.weave_deg, chance)
        self._way: list[Pair] | None = None
        self._striking = False

    def steer(self, now: Moment) -> Vector3 | None:
        """Waypoint by waypoint; near the target, strike."""
        plan, target = self._plan, now.of(self._plan.target)
        if target is None:
            return None
        if self._way is None:
            self._way = self._plan_way(now, (target.enu_m[0], target.enu_m[1]))
        gap = away(now, target.enu_m)
        self._striking = self._striking or length(gap) <= plan.strike_m
        while self._way and length(away(now, self._way[0])) < NEXT_M + plan.speed_mps:
            self._way.pop(0)
        if self._striking or not self._way:
            self._striking = True
            return self._strike.steer(now, plan.agl_m)
        course = direction(self._weave.bent(away(now, self._way[0])))
        return along(course, plan.speed_mps, climb_to(now, plan.agl_m))

    def _plan_way(self, now: Moment, goal: Pair) -> list[Pair]:
        plan = self._plan
        names = plan.seen_from or (plan.target,)
        states = [now.of(name) for name in names]
        eyes = [
            (s.enu_m[0], s.enu_m[1], now.ground.height_at(s.enu_m[0], s.enu_m[1]) + plan.sensor_agl_m)
            for s in states
            if s is not None
        ]
        start = (now.place[0], now.place[1])
        exposure = Exposure(now.ground, eyes, start, goal, plan.agl_m)
        return list(hidden_path(exposure, start, goal))[1:]
