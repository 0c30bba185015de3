"""The final run: at the target with lead, level and then down a slope, until they meet."""

import math

from numpy.random import Generator

from vedette.model.track import Vector3
from vedette.simulate.behaviours.moment import Happening, Kinematics, Moment
from vedette.simulate.behaviours.plans import WEAVE_S
from vedette.simulate.behaviours.steering import STEP_S, Weave, along, climb_to, lead
from vedette.simulate.plane import Pair, direction, length, tangent

SEES_M = 400.0
"""Within this the pilot sees the target and holds his course better."""
PASS_M = 80.0
"""Within this range a run whose range grows again has passed its target."""
HIT_AGL_M = 1.0
HIT_M = 10.0
"""Nearer than this is a hit."""
MOST_PASSES = 3
"""Who has passed by so often without a hit has failed."""
EYE_M = 1.5
"""Ground is in the way if it hides so much of a person."""
CRASH_AGL_M = 0.6


class Strike:
    """One run. `steer` gives the velocity, or None once it is over (hit, passed, or no target left)."""

    def __init__(
        self, name: str, target: str, speed_mps: float, dive_deg: float, weave_deg: float, chance: Generator
    ) -> None:
        self._name, self._target = name, target
        self._speed = speed_mps
        self._slope = tangent(dive_deg)
        self._weave = Weave(chance, weave_deg, WEAVE_S)
        self._course: Pair = (0.0, 1.0)
        self._diving = False
        self._began = False
        self._lined_up = False
        self._passes = 0

    def steer(self, now: Moment, agl_m: float, speed_mps: float | None = None) -> Vector3 | None:
        """One step. ``agl_m`` is the height before the dive; ``speed_mps`` trims the run's speed."""
        target = now.of(self._target)
        if target is None:
            return None
        if not self._began:
            self._began = True
            now.tell(Happening(time_s=now.time_s, actor=self._name, what="strike", target=self._target))
        if self._over(now, target):
            return None
        speed = self._speed if speed_mps is None else speed_mps
        aim = lead(now, target, speed)
        distance = length(aim)
        share = 1.0 if distance > SEES_M else max(0.1, distance / SEES_M)
        self._course = direction(self._weave.bent(aim, share), self._course)
        return self._descend(now, target, distance, speed, agl_m)

    def onward(self, now: Moment, agl_m: float) -> Vector3:
        """Straight on after the pass."""
        return along(self._course, self._speed, climb_to(now, agl_m))

    def _descend(
        self, now: Moment, target: Kinematics, distance: float, speed: float, agl_m: float
    ) -> Vector3:
        drop = now.place[2] - target.enu_m[2] - HIT_AGL_M
        slope = min(self._slope, 0.9 * now.sink_mps / max(speed, 1.0))
        tips_s = 0.5 + 0.5 * slope * speed / now.push_mps2
        if not self._diving and drop >= (distance - speed * tips_s) * slope:
            self._diving = not self._behind_ground(now, target)
        if not self._diving:
            return along(self._course, speed, climb_to(now, agl_m))
        now.dives = True
        level = speed / math.sqrt(1.0 + slope * slope)
        own = length((now.velocity[0], now.velocity[1]))
        remaining = max(distance / max(own, 0.5 * level, 1.0), 2 * STEP_S)
        return along(self._course, level, max(-now.sink_mps, -drop / remaining))

    def _behind_ground(self, now: Moment, target: Kinematics) -> bool:
        """True while a dive would end in the ground between."""
        east, north, up = target.enu_m
        return now.ground.masks(now.place, (east, north, up + EYE_M))

    def _over(self, now: Moment, target: Kinematics) -> bool:
        """True once they meet within the next step, or the last pass has failed; says how near it was.

        Who passes by too far off turns round and comes again.
        """
        gap = tuple(a - b for a, b in zip(target.enu_m, now.place, strict=True))
        drift = tuple(a - b for a, b in zip(target.velocity_mps, now.velocity, strict=True))
        closing = -sum(g * d for g, d in zip(gap, drift, strict=True))
        speed2 = sum(d * d for d in drift)
        range_m = math.sqrt(sum(g * g for g in gap))
        after = closing / speed2 if speed2 > 1e-9 else 0.0
        self._lined_up = self._lined_up or closing > 0.7 * range_m * math.sqrt(speed2)
        down = now.place[2] - now.ground.height_at(now.place[0], now.place[1]) < CRASH_AGL_M and self._diving
        met = self._lined_up and after <= STEP_S and range_m < PASS_M
        if not (met or down):
            return False
        after = min(max(after, 0.0), STEP_S)
        miss = math.sqrt(sum((g + d * after) ** 2 for g, d in zip(gap, drift, strict=True)))
        if miss > HIT_M and not down and self._passes < MOST_PASSES:
            self._passes += 1
            self._lined_up = self._diving = False
            return False
        now.tell(
            Happening(
                time_s=now.time_s + after,
                actor=self._name,
                what="impact" if miss <= HIT_M else "missed",
                target=self._target,
                miss_m=miss,
            )
        )
        return True
