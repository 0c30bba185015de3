"""Paths as legs: straight motion from one waypoint to the next, and what follows the last."""

import math
from itertools import pairwise

from msgspec import Struct

from vedette.simulate.kinds import ENVELOPES
from vedette.simulate.places import SiteFrame
from vedette.simulate.scenario import Actor


class Leg(Struct, frozen=True):
    """Straight motion from ``place_m`` at ``start_s``; the last one lasts for ever."""

    start_s: float
    end_s: float
    place_m: tuple[float, float]
    velocity_mps: tuple[float, float]
    agl_m: float
    climb_mps: float


def legs_of(actor: Actor, frame: SiteFrame) -> list[Leg]:
    """Legs of a path. After the last waypoint a body that hovers stays there, others fly on. What moves
    by a behaviour or a replay has one leg that only says where it enters."""
    legs = []
    path = actor.path or (actor.start,)
    places = [frame.plane_m(waypoint) for waypoint in path]
    velocity = (0.0, 0.0)
    for step, (waypoint, after) in enumerate(pairwise(path)):
        lasts = after.at_s - waypoint.at_s
        east, north = places[step]
        velocity = ((places[step + 1][0] - east) / lasts, (places[step + 1][1] - north) / lasts)
        climb = (after.agl_m - waypoint.agl_m) / lasts
        legs.append(Leg(waypoint.at_s, after.at_s, places[step], velocity, waypoint.agl_m, climb))
    last = path[-1]
    if ENVELOPES[actor.kind].hovers:
        velocity = (0.0, 0.0)
    legs.append(Leg(last.at_s, math.inf, places[-1], velocity, last.agl_m, 0.0))
    return legs
