"""Watchers: they come near, circle, stand off or follow, and leave, or strike after all."""

from typing import Literal

from numpy.random import Generator

from vedette.model.track import Vector3
from vedette.simulate.behaviours.moment import Happening, Kinematics, Moment
from vedette.simulate.behaviours.plans import (
    Circle,
    Follow,
    FollowAttack,
    HoverWatch,
    LoiterDive,
    Orbit,
    Rounds,
)
from vedette.simulate.behaviours.steering import (
    LEFT,
    RIGHT,
    along,
    away,
    climb_to,
    flat,
    lead,
    round_course,
    station,
)
from vedette.simulate.behaviours.strike import Strike
from vedette.simulate.plane import Pair, anywhere, direction, length, shortened

Manner = Literal["orbit", "hover", "follow"]
ARRIVED_M = 40.0
"""Nearer than this to where it wants to watch from, the watching has begun."""


class Watch:
    """Comes near one actor and watches it; `since_s` is when that began."""

    def __init__(
        self,
        name: str,
        target: str,
        manner: Manner,
        speed_mps: float,
        range_m: float,
        rounds: Rounds,
        chance: Generator,
    ) -> None:
        self._name, self._target, self._manner = name, target, manner
        self._speed, self._range = speed_mps, range_m
        self._side = LEFT if rounds == "left" else RIGHT
        self._bearing = anywhere(chance)
        self.since_s: float | None = None

    def steer(self, now: Moment, agl_m: float) -> Vector3 | None:
        """One step of the watch, or None when there is nobody to watch."""
        target = now.of(self._target)
        if target is None:
            return None
        moving = flat(target.velocity_mps)
        climb = climb_to(now, agl_m)
        distance = length(away(now, target.enu_m))
        if self.since_s is None:
            if distance > self._range + ARRIVED_M:
                return along(direction(lead(now, target, self._speed)), self._speed, climb)
            self._begin(now, target)
        if self._manner == "orbit":
            course = round_course(now, target.enu_m, self._range, self._side)
            return course[0] * self._speed + moving[0], course[1] * self._speed + moving[1], climb
        if self._manner == "follow" and length(moving) > 0.3:
            back = direction(moving)
            self._bearing = (-back[0], -back[1])
        spot = (
            target.enu_m[0] + self._bearing[0] * self._range,
            target.enu_m[1] + self._bearing[1] * self._range,
        )
        return (*shortened(station(now, spot, moving, self._speed), self._speed + length(moving)), climb)

    def _begin(self, now: Moment, target: Kinematics) -> None:
        self.since_s = now.time_s
        now.tell(Happening(time_s=now.time_s, actor=self._name, what="watch", target=self._target))
        if self._manner == "hover":
            gap = away(now, target.enu_m)
            self._bearing = direction((-gap[0], -gap[1]), self._bearing)


class WatcherPilot:
    """`plans.Orbit`, `plans.HoverWatch` and `plans.Follow`: watch for a time, then leave."""

    def __init__(self, name: str, plan: Orbit | HoverWatch | Follow, chance: Generator) -> None:
        manner: Manner = "follow" if isinstance(plan, Follow) else "hover"
        rounds: Rounds = "left"
        if isinstance(plan, Orbit):
            manner, rounds = "orbit", plan.rounds
        self._plan = plan
        self._watch = Watch(name, plan.target, manner, plan.speed_mps, plan.range_m, rounds, chance)
        self._out: Pair | None = None

    def steer(self, now: Moment) -> Vector3 | None:
        """Watch, then straight out."""
        plan, since = self._plan, self._watch.since_s
        wish = None
        if self._out is None and (since is None or now.time_s < since + plan.for_s):
            wish = self._watch.steer(now, plan.agl_m)
        if wish is not None:
            return wish
        if self._out is None:
            self._out = self._outward(now)
        return along(self._out, plan.speed_mps, climb_to(now, plan.agl_m))

    def _outward(self, now: Moment) -> Pair:
        target = now.of(self._plan.target)
        gap = away(now, target.enu_m) if target is not None else (-now.velocity[0], -now.velocity[1])
        return direction((-gap[0], -gap[1]))


class FollowAttackPilot:
    """`plans.FollowAttack`: a watcher until the strike."""

    def __init__(self, name: str, plan: FollowAttack, chance: Generator) -> None:
        self._plan = plan
        self._watch = Watch(name, plan.target, plan.manner, plan.watch_mps, plan.range_m, plan.rounds, chance)
        self._strike = Strike(name, plan.target, plan.speed_mps, plan.dive_deg, plan.weave_deg, chance)

    def steer(self, now: Moment) -> Vector3 | None:
        """Watch for the time, then strike and end."""
        since = self._watch.since_s
        if since is None or now.time_s < since + self._plan.watch_s:
            return self._watch.steer(now, self._plan.agl_m)
        return self._strike.steer(now, self._plan.agl_m)


class LoiterDivePilot:
    """`plans.LoiterDive`: circles a place, then strikes an actor near it."""

    def __init__(self, name: str, plan: LoiterDive, over: Pair, chance: Generator) -> None:
        self._plan, self._over = plan, over
        self._side = LEFT if plan.rounds == "left" else RIGHT
        self._strike = Strike(name, plan.target, plan.speed_mps, plan.dive_deg, plan.weave_deg, chance)
        self._since_s: float | None = None

    def steer(self, now: Moment) -> Vector3 | None:
        """To the place, round it, then down."""
        plan = self._plan
        if self._since_s is not None and now.time_s >= self._since_s + plan.loiter_s:
            return self._strike.steer(now, plan.agl_m)
        if self._since_s is None and length(away(now, self._over)) <= plan.radius_m + plan.loiter_mps:
            self._since_s = now.time_s
        climb = climb_to(now, plan.agl_m)
        if self._since_s is None:
            return along(direction(away(now, self._over)), plan.loiter_mps, climb)
        return along(round_course(now, self._over, plan.radius_m, self._side), plan.loiter_mps, climb)


class CirclePilot:
    """`plans.Circle`: round a place for ever."""

    def __init__(self, plan: Circle, over: Pair) -> None:
        self._plan, self._over = plan, over
        self._side = LEFT if plan.rounds == "left" else RIGHT

    def steer(self, now: Moment) -> Vector3 | None:
        """Round and round."""
        course = round_course(now, self._over, self._plan.radius_m, self._side)
        return along(course, self._plan.speed_mps, climb_to(now, self._plan.agl_m))
