"""Birds fly through the air and the wind carries them: commuters and soaring raptors.

Their speeds are airspeeds. A bird of 16 m/s in a wind of 25 m/s passes over the ground at 41 m/s (van
Gasteren 2008, Limosa 81: mean ground speeds of 41 m/s with airspeeds of 16 m/s).
"""

import math

from numpy.random import Generator

from vedette.model.track import Vector3
from vedette.simulate.behaviours.moment import Moment
from vedette.simulate.behaviours.plans import Commute, Soar
from vedette.simulate.behaviours.steering import LEFT, RIGHT, STEP_S, Weave
from vedette.simulate.plane import Pair, compass, direction, leaning, turned, unit_at
from vedette.simulate.streams import Normals

COURSE_S = 6.0
"""How long a bird's change of mind about its course lasts (judgement)."""
HEIGHT_S = 5.0
LOWEST_M, HIGHEST_M = 8.0, 400.0
FLOOR_PER_S = 0.3


def carried(now: Moment, heading: Pair, airspeed_mps: float, climb_mps: float) -> Vector3:
    """Velocity over the ground of a bird that flies so through the air; it keeps off the ground."""
    agl = now.place[2] - now.ground.height_at(now.place[0], now.place[1])
    climb = max(climb_mps, (LOWEST_M - agl) * FLOOR_PER_S)
    climb = min(climb, (HIGHEST_M - agl) * FLOOR_PER_S)
    east, north = now.wind_mps
    return heading[0] * airspeed_mps + east, heading[1] * airspeed_mps + north, climb


class CommutePilot:
    """`plans.Commute`: on its way, with a course that wanders."""

    def __init__(self, plan: Commute, chance: Generator) -> None:
        self._plan = plan
        self._heading = compass(plan.heading_deg)
        self._curve = unit_at(-plan.curve_dps * STEP_S / 360.0)
        self._weave = Weave(chance, plan.wander_deg, COURSE_S)
        self._normals = Normals(chance, 64)
        self._keep = math.exp(-STEP_S / HEIGHT_S)
        self._rise = 0.0

    def steer(self, now: Moment) -> Vector3 | None:
        """On, up a little, down a little."""
        self._heading = direction(turned(self._heading, self._curve))
        push = self._plan.rise_mps * math.sqrt(1.0 - self._keep * self._keep)
        self._rise = self._rise * self._keep + self._normals.next() * push
        return carried(now, self._weave.bent(self._heading), self._plan.airspeed_mps, self._rise)


class SoarPilot:
    """`plans.Soar`: up in circles, down in a glide, and again."""

    SINK_MPS = -1.0

    def __init__(self, plan: Soar, chance: Generator) -> None:
        self._plan, self._chance = plan, chance
        self._side = LEFT if plan.rounds == "left" else RIGHT
        self._heading = unit_at(float(chance.random()))
        self._circling = True
        self._left_s = plan.circle_s * float(chance.random())

    def steer(self, now: Moment) -> Vector3 | None:
        """Circle or glide."""
        plan = self._plan
        self._left_s -= STEP_S
        if self._left_s <= 0.0:
            self._circling = not self._circling
            span = plan.circle_s if self._circling else plan.glide_s
            self._left_s = span * (0.6 + 0.8 * float(self._chance.random()))
        if not self._circling:
            return carried(now, self._heading, plan.glide_mps, self.SINK_MPS)
        bend = leaning(self._side[1] * plan.airspeed_mps * STEP_S / plan.radius_m)
        self._heading = direction(turned(self._heading, bend))
        return carried(now, self._heading, plan.airspeed_mps, plan.climb_mps)
