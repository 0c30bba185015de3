"""Attacks that come straight: the direct run, the pop-up, the drop run."""

from numpy.random import Generator

from vedette.model.track import Vector3
from vedette.simulate.behaviours.moment import Happening, Moment
from vedette.simulate.behaviours.plans import WEAVE_S, DirectRun, DropRun, PopUp
from vedette.simulate.behaviours.steering import Weave, along, away, climb_to, flat, lead
from vedette.simulate.behaviours.strike import Strike
from vedette.simulate.plane import Pair, direction, length

SLOWEST = 0.5
"""A run that is to arrive at a set time flies at this share of its speed or faster."""


class DirectRunPilot:
    """`plans.DirectRun`."""

    def __init__(self, name: str, plan: DirectRun, chance: Generator) -> None:
        self._plan, self._name = plan, name
        self._strike = Strike(name, plan.target, plan.speed_mps, plan.dive_deg, plan.weave_deg, chance)
        self._passed = False

    def steer(self, now: Moment) -> Vector3 | None:
        """Run at the target; after the pass, end or fly on."""
        wish = None if self._passed else self._strike.steer(now, self._plan.agl_m, self._speed(now))
        if wish is not None:
            return wish
        self._passed = True
        return None if self._plan.then == "end" else self._strike.onward(now, max(self._plan.agl_m, 30.0))

    def _speed(self, now: Moment) -> float:
        """As fast as arriving on time asks, within what the run may fly."""
        plan, target = self._plan, now.of(self._plan.target)
        if plan.arrive_s is None or target is None:
            return plan.speed_mps
        left = max(plan.arrive_s - now.time_s, 1.0)
        return min(plan.speed_mps, max(SLOWEST * plan.speed_mps, length(away(now, target.enu_m)) / left))


class PopUpPilot:
    """`plans.PopUp`: low, up, down."""

    def __init__(self, name: str, plan: PopUp, chance: Generator) -> None:
        self._plan = plan
        self._strike = Strike(name, plan.target, plan.speed_mps, plan.dive_deg, plan.weave_deg, chance)
        self._popped = False
        self._passed = False

    def steer(self, now: Moment) -> Vector3 | None:
        """Low until near, then over the top."""
        plan, target = self._plan, now.of(self._plan.target)
        near = target is not None and length(away(now, target.enu_m)) < plan.pop_m
        self._popped = self._popped or near
        agl = plan.pop_agl_m if self._popped else plan.agl_m
        wish = None if self._passed else self._strike.steer(now, agl)
        if wish is not None:
            return wish
        self._passed = True
        return None if plan.then == "end" else self._strike.onward(now, max(agl, 30.0))


class DropRunPilot:
    """`plans.DropRun`: overhead, a pause if it takes one, and away."""

    def __init__(self, name: str, plan: DropRun, chance: Generator) -> None:
        self._plan, self._name = plan, name
        self._weave = Weave(chance, plan.weave_deg, WEAVE_S)
        self._course: Pair = (0.0, 1.0)
        self._overhead_s: float | None = None
        self._began = False

    def steer(self, now: Moment) -> Vector3 | None:
        """To the target, over it, on."""
        plan, target = self._plan, now.of(self._plan.target)
        climb = climb_to(now, plan.agl_m)
        if not self._began:
            self._began = True
            self._say(now, "strike", 0.0, None)
        if self._overhead_s is not None:
            if target is not None and now.time_s < self._overhead_s + plan.hover_s:
                return self._above(now, target.enu_m, flat(target.velocity_mps), climb)
            return along(self._course, plan.speed_mps, climb)
        if target is None:
            return along(self._course, plan.speed_mps, climb)
        aim = lead(now, target, plan.speed_mps)
        gap = away(now, target.enu_m)
        if length(gap) <= max(plan.speed_mps * 0.1, 1.0) or self._opens(now, gap, flat(target.velocity_mps)):
            self._overhead_s = now.time_s
            self._say(now, "impact", 0.0, length(gap))
        self._course = direction(self._weave.bent(aim, min(1.0, length(aim) / 200.0)), self._course)
        return along(self._course, plan.speed_mps, climb)

    def _opens(self, now: Moment, gap: Pair, moving: Pair) -> bool:
        """True if it has passed the target: near, and getting further away."""
        east, north = now.velocity[0] - moving[0], now.velocity[1] - moving[1]
        return length(gap) < 30.0 and gap[0] * east + gap[1] * north < 0.0

    def _above(self, now: Moment, place: Vector3, moving: Pair, climb: float) -> Vector3:
        gap = away(now, place)
        return moving[0] + 0.5 * gap[0], moving[1] + 0.5 * gap[1], climb

    def _say(self, now: Moment, what: str, after_s: float, miss_m: float | None) -> None:
        now.tell(
            Happening(
                time_s=now.time_s + after_s,
                actor=self._name,
                what=what,
                target=self._plan.target,
                miss_m=miss_m,
            )
        )
