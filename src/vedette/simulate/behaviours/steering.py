"""The moves that behaviours are made of: hold a height, head for a place, circle, lead a target."""

import math

from numpy.random import Generator

from vedette.model.track import Vector3
from vedette.simulate.behaviours.moment import Kinematics, Moment
from vedette.simulate.plane import Pair, direction, leaning, length, turned
from vedette.simulate.streams import Normals

FOLLOW_PER_S = 0.4
"""How fast a body that is off its height or place comes back to it (1/s)."""
STEP_S = 0.1
"""One step of the world."""

LEFT: Pair = (0.0, 1.0)
RIGHT: Pair = (0.0, -1.0)


def flat(vector: Vector3) -> Pair:
    """East and north of a vector."""
    return vector[0], vector[1]


def away(now: Moment, place: Vector3 | Pair) -> Pair:
    """From the body to a place, in the plane."""
    return place[0] - now.place[0], place[1] - now.place[1]


def climb_to(now: Moment, agl_m: float) -> float:
    """Rate of climb that holds a height above the ground ahead, or here where that ahead is not known."""
    ahead = 1.0 / FOLLOW_PER_S
    ground = now.ground.height_at(
        now.place[0] + now.velocity[0] * ahead, now.place[1] + now.velocity[1] * ahead
    )
    if math.isnan(ground):
        ground = now.ground.height_at(now.place[0], now.place[1])
    return (ground + agl_m - now.place[2]) * FOLLOW_PER_S


def along(course: Pair, speed_mps: float, climb_mps: float) -> Vector3:
    """A velocity from a course, a speed and a rate of climb."""
    return course[0] * speed_mps, course[1] * speed_mps, climb_mps


def lead(now: Moment, target: Kinematics, speed_mps: float) -> Pair:
    """From the body to where it would meet a target that goes on as it does; two rounds are enough for
    targets slower than the body."""
    gap = away(now, target.enu_m)
    aim = gap
    for _ in range(2):
        lasts = length(aim) / max(speed_mps, 1.0)
        aim = gap[0] + target.velocity_mps[0] * lasts, gap[1] + target.velocity_mps[1] * lasts
    return aim


def round_course(now: Moment, centre: Pair | Vector3, radius_m: float, side: Pair) -> Pair:
    """Course of a circle round a centre: along the tangent, drawn in or out by how far off it is."""
    outward = direction((now.place[0] - centre[0], now.place[1] - centre[1]))
    off = length(away(now, centre)) - radius_m
    pull = max(-1.5, min(1.5, off / max(0.4 * radius_m, 10.0)))
    tangent = turned(outward, side)
    return direction((tangent[0] - outward[0] * pull, tangent[1] - outward[1] * pull))


def station(now: Moment, spot: Pair, moving: Pair, speed_mps: float) -> Pair:
    """Velocity that keeps or regains a spot which itself moves: slower the nearer."""
    gap = away(now, spot)
    distance = length(gap)
    pace = min(speed_mps, FOLLOW_PER_S * distance)
    course = direction(gap)
    return moving[0] + course[0] * pace, moving[1] + course[1] * pace


class Weave:
    """A pilot's course error as a first-order Gauss-Markov angle (its tangent, which for such small
    angles is the angle)."""

    def __init__(self, generator: Generator, sigma_deg: float, lasts_s: float) -> None:
        self._normals = Normals(generator, 64)
        self._keep = math.exp(-STEP_S / lasts_s)
        sigma = sigma_deg / 57.29577951308232
        self._push = sigma * math.sqrt(1.0 - self._keep * self._keep)
        self._now = self._normals.next() * sigma
        self._still = sigma_deg == 0.0

    def bent(self, course: Pair, share: float = 1.0) -> Pair:
        """``course`` with the error of this step, of which ``share`` is let through."""
        if self._still:
            return course
        self._now = self._now * self._keep + self._normals.next() * self._push
        return turned(course, leaning(self._now * share))
