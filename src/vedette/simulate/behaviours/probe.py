"""Those who test the guard: approaches that turn back, and decoys that break off."""

from numpy.random import Generator

from vedette.model.track import Vector3
from vedette.simulate.behaviours.moment import Happening, Moment
from vedette.simulate.behaviours.plans import WEAVE_S, Decoy, Probe
from vedette.simulate.behaviours.steering import STEP_S, Weave, along, away, climb_to, lead
from vedette.simulate.behaviours.strike import Strike
from vedette.simulate.plane import Pair, direction, leaning, length, turned

SIDESTEP = 1.2
"""Tangent of the angle by which a retreat leans away from straight back: nobody retires on his own track."""


class ProbePilot:
    """`plans.Probe`: near, back, near again; in the end an attack, or off."""

    def __init__(self, name: str, plan: Probe, chance: Generator) -> None:
        self._plan, self._name = plan, name
        self._weave = Weave(chance, plan.weave_deg, WEAVE_S)
        self._strike = Strike(name, plan.target, plan.speed_mps, plan.dive_deg, plan.weave_deg, chance)
        self._sides = [1.0 if value < 0.5 else -1.0 for value in chance.random(plan.approaches).tolist()]
        self._left = plan.approaches
        self._retiring: Pair | None = None
        self._wait_s = 0.0

    def steer(self, now: Moment) -> Vector3 | None:
        """Approach, or retire, or wait."""
        plan, target = self._plan, now.of(self._plan.target)
        climb = climb_to(now, plan.agl_m)
        if target is None:
            return along(self._retiring or (0.0, 1.0), plan.speed_mps, climb)
        gap = away(now, target.enu_m)
        if self._retiring is not None:
            return self._retire(now, gap, climb)
        if self._left == 1 and plan.last == "attack":
            return self._strike.steer(now, plan.agl_m)
        if length(gap) <= plan.turn_back_m:
            self._turn_back(now, gap)
        return along(direction(self._weave.bent(lead(now, target, plan.speed_mps))), plan.speed_mps, climb)

    def _turn_back(self, now: Moment, gap: Pair) -> None:
        now.tell(Happening(time_s=now.time_s, actor=self._name, what="turned-back", target=self._plan.target))
        self._left -= 1
        lean = leaning(SIDESTEP * self._sides[self._left - 1])
        self._retiring = turned(direction((-gap[0], -gap[1])), lean)
        self._wait_s = self._plan.pause_s

    def _retire(self, now: Moment, gap: Pair, climb: float) -> Vector3:
        """Out to its distance, then a pause there; the last retreat goes on."""
        course = self._retiring or (0.0, 1.0)
        if self._left == 0 or length(gap) < self._plan.retire_m:
            return along(course, self._plan.speed_mps, climb)
        self._wait_s -= STEP_S
        if self._wait_s <= 0.0:
            self._retiring = None
        return along(course, 1.0, climb)


class DecoyPilot:
    """`plans.Decoy`: in full view until it breaks off to the side."""

    def __init__(self, name: str, plan: Decoy, chance: Generator) -> None:
        self._plan, self._name = plan, name
        self._weave = Weave(chance, plan.weave_deg, WEAVE_S)
        self._side = 1.0 if float(chance.random()) < 0.5 else -1.0
        self._off: Pair | None = None

    def steer(self, now: Moment) -> Vector3 | None:
        """At the target, then off."""
        plan, target = self._plan, now.of(self._plan.target)
        climb = climb_to(now, plan.agl_m)
        if self._off is None and target is not None:
            gap = away(now, target.enu_m)
            if length(gap) > plan.break_m:
                course = direction(self._weave.bent(lead(now, target, plan.speed_mps)))
                return along(course, plan.speed_mps, climb)
            now.tell(Happening(time_s=now.time_s, actor=self._name, what="broke-off", target=plan.target))
            self._off = turned(direction(gap), (-0.6, 0.8 * self._side))
        return along(self._off or (0.0, 1.0), plan.speed_mps, climb)
