"""An attack run: pursuit of another actor with lead, and what follows the pass."""

import math
from typing import Literal, Protocol

from vedette.model.track import Vector3
from vedette.simulate.ground import Ground
from vedette.simulate.scenario import RunAt

PASS_M = 4.0
"""A pass this near is a hit."""
MISS_M = 60.0
"""Within this range a run whose range grows again has passed its target."""


class Moving(Protocol):
    """Something with a place and a velocity."""

    @property
    def enu_m(self) -> Vector3:
        """East, north, up in metres."""
        ...

    @property
    def velocity_mps(self) -> Vector3:
        """East, north, up in m/s."""
        ...


class Run:
    """One actor's run. ``target`` is the index of the actor it is aimed at."""

    def __init__(self, plan: RunAt, target: int, reaction_s: float) -> None:
        self.plan = plan
        self.target = target
        self._reaction_s = reaction_s
        self._phase: Literal["run", "away", "home"] = "run"
        self._course = (0.0, 1.0)

    def velocity(
        self,
        place: Vector3,
        velocity: Vector3,
        target: Moving | None,
        ground: Ground,
        home: tuple[float, float],
    ) -> Vector3 | None:
        """The velocity wanted now (m/s), or None when the run has ended the actor.

        ``target`` is None when it is gone: the run then goes on as after a pass.
        """
        if self._phase == "run":
            if target is not None and not self._passed(place, velocity, target):
                return self._pursue(place, target, ground)
            if self.plan.then == "end":
                return None
            self._phase = "home" if self.plan.then == "return" else "away"
        if self._phase == "home":
            self._head_for(home[0] - place[0], home[1] - place[1])
        return self._level(place, ground)

    def _passed(self, place: Vector3, velocity: Vector3, target: Moving) -> bool:
        east, north = target.enu_m[0] - place[0], target.enu_m[1] - place[1]
        range_m = math.hypot(east, north)
        opening = east * (velocity[0] - target.velocity_mps[0]) + north * (
            velocity[1] - target.velocity_mps[1]
        )
        return range_m < PASS_M or (range_m < MISS_M and opening < 0.0)

    def _pursue(self, place: Vector3, target: Moving, ground: Ground) -> Vector3:
        """Fly at where the target will be, and come down so as to meet it at the run's height."""
        east, north = target.enu_m[0] - place[0], target.enu_m[1] - place[1]
        lasts = math.hypot(east, north) / self.plan.speed_mps
        self._head_for(east + target.velocity_mps[0] * lasts, north + target.velocity_mps[1] * lasts)
        goal = ground.height_at(target.enu_m[0], target.enu_m[1]) + self.plan.agl_m
        return self._at_speed((goal - place[2]) / max(lasts, 2.0 * self._reaction_s))

    def _level(self, place: Vector3, ground: Ground) -> Vector3:
        goal = ground.height_at(place[0], place[1]) + max(self.plan.agl_m, 40.0)
        return self._at_speed((goal - place[2]) / (4.0 * self._reaction_s))

    def _head_for(self, east: float, north: float) -> None:
        length = math.hypot(east, north)
        if length > PASS_M:
            self._course = (east / length, north / length)

    def _at_speed(self, climb_mps: float) -> Vector3:
        speed = self.plan.speed_mps
        return (self._course[0] * speed, self._course[1] * speed, climb_mps)
