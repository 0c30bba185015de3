"""Those who mean nobody: hobby fliers, whoever passes through, patrols to and fro."""

from numpy.random import Generator

from vedette.model.track import Vector3
from vedette.simulate.behaviours.moment import Moment
from vedette.simulate.behaviours.plans import WEAVE_S, Hobby, Racetrack, Transit
from vedette.simulate.behaviours.steering import STEP_S, Weave, along, away, climb_to
from vedette.simulate.plane import Pair, direction, length
from vedette.simulate.streams import Normals

THERE_M = 12.0
"""A hobby pilot calls this near enough to the point he flies to."""
TURN_M = 20.0
"""A patrol turns at the latest so near the end of its track."""


class HobbyPilot:
    """`plans.Hobby`: from one random point to the next."""

    def __init__(self, plan: Hobby, home: Pair, chance: Generator) -> None:
        self._plan, self._home, self._chance = plan, home, chance
        self._normals = Normals(chance, 16)
        self._rest_s = 0.0
        self._goal, self._agl = home, plan.agl_m
        self._choose()

    def steer(self, now: Moment) -> Vector3 | None:
        """To the point, perhaps a rest, and on."""
        plan = self._plan
        gap = away(now, self._goal)
        distance = length(gap)
        if distance < THERE_M:
            self._rest_s -= STEP_S
            if self._rest_s <= 0.0:
                self._choose()
        pace = min(plan.speed_mps, 0.4 * distance)
        if plan.style == "freestyle":
            pace = max(pace, 0.35 * plan.speed_mps)
        return along(direction(gap), pace, climb_to(now, self._agl))

    def _choose(self) -> None:
        plan = self._plan
        spread = plan.spread_m
        self._goal = (
            self._home[0] + spread * self._normals.next(),
            self._home[1] + spread * self._normals.next(),
        )
        self._agl = plan.lowest_m + (plan.highest_m - plan.lowest_m) * float(self._chance.random())
        rests = plan.style == "camera" and float(self._chance.random()) < 0.5
        self._rest_s = plan.rest_s * (0.5 + float(self._chance.random())) if rests else 0.0


class TransitPilot:
    """`plans.Transit`: over a place and on."""

    def __init__(self, plan: Transit, start: Pair, to: Pair, chance: Generator) -> None:
        self._plan, self._to = plan, to
        self._course = direction((to[0] - start[0], to[1] - start[1]))
        self._weave = Weave(chance, plan.weave_deg, WEAVE_S)

    def steer(self, now: Moment) -> Vector3 | None:
        """Keep the line; beyond the place, keep the course, or be gone."""
        gap = away(now, self._to)
        ahead = gap[0] * self._course[0] + gap[1] * self._course[1]
        if ahead < 0.0 and self._plan.then == "leave":
            return None
        if ahead > 100.0:
            course = direction(self._weave.bent(gap), self._course)
        else:
            course = self._weave.bent(self._course)
        return along(course, self._plan.speed_mps, climb_to(now, self._plan.agl_m))


class RacetrackPilot:
    """`plans.Racetrack`: to and fro between two places."""

    def __init__(self, plan: Racetrack, start: Pair, to: Pair) -> None:
        self._plan, self._ends, self._next = plan, (start, to), 1

    def steer(self, now: Moment) -> Vector3 | None:
        """To the one end, then to the other."""
        plan = self._plan
        gap = away(now, self._ends[self._next])
        if length(gap) < max(2.0 * plan.speed_mps, TURN_M):
            self._next = 1 - self._next
            gap = away(now, self._ends[self._next])
        return along(direction(gap), plan.speed_mps, climb_to(now, plan.agl_m))
