"""Flocks and swarms: one table in the scenario, many actors in the world."""

from typing import Annotated

from msgspec import Meta, Struct

from vedette.simulate.behaviours.plans import DirectRun, Flocking
from vedette.simulate.kinds import Kind
from vedette.simulate.plane import Pair, compass
from vedette.simulate.streams import stream
from vedette.simulate.terms import Bearing, Distance, Height, Name, Span, Speed, Waypoint

Many = Annotated[int, Meta(ge=2, le=200)]


class FlockPlan(Waypoint, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """``count`` birds round a place, spread over ``spread_m``, heading for ``heading_deg``."""

    id: Name
    count: Many
    heading_deg: Bearing
    spread_m: Distance = 15.0
    airspeed_mps: Speed = 13.0
    turn_s: Span = 12.0


class SwarmPlan(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Several runs at one target that arrive together at ``arrive_s``: ``count`` drones of one ``kind``,
    dealt out over the ``axes_deg`` (azimuths from the target), each entering ``distance_m`` out."""

    id: Name
    kind: Kind = "fpv"
    count: Many
    target: Name
    axes_deg: Annotated[tuple[Bearing, ...], Meta(min_length=1)]
    arrive_s: Span
    distance_m: Distance = 1500.0
    speed_mps: Speed = 28.0
    agl_m: Height = 60.0
    spread_m: Distance = 60.0
    dive_deg: Annotated[float, Meta(gt=0.0, le=80.0)] = 20.0


Member = tuple[str, Kind, DirectRun | Flocking]
"""Id, kind and behaviour of one body of a group."""


def flock_members(plan: FlockPlan, start: Pair, seed: int) -> list[Member]:
    """The birds of a flock, each at a place of its own."""
    spread = stream(seed, "flock-places", plan.id).standard_normal((plan.count, 3)).tolist()
    return [
        (
            f"{plan.id}-{number + 1}",
            "bird",
            Flocking(
                at_s=plan.at_s,
                enu_m=(start[0] + east * plan.spread_m, start[1] + north * plan.spread_m),
                agl_m=max(5.0, plan.agl_m + up * 0.2 * plan.spread_m),
                flock=plan.id,
                heading_deg=plan.heading_deg,
                airspeed_mps=plan.airspeed_mps,
                turn_s=plan.turn_s,
            ),
        )
        for number, (east, north, up) in enumerate(spread)
    ]


def swarm_members(plan: SwarmPlan, target: Pair, seed: int) -> list[Member]:
    """The drones of a swarm; each enters so early that it arrives with the others."""
    spread = stream(seed, "swarm-places", plan.id).standard_normal((plan.count, 2)).tolist()
    found: list[Member] = []
    for number, (east, north) in enumerate(spread):
        axis = compass(plan.axes_deg[number % len(plan.axes_deg)])
        place = (
            target[0] + axis[0] * plan.distance_m + east * plan.spread_m,
            target[1] + axis[1] * plan.distance_m + north * plan.spread_m,
        )
        run = DirectRun(
            at_s=max(0.0, plan.arrive_s - 1.15 * plan.distance_m / plan.speed_mps),
            enu_m=place,
            agl_m=plan.agl_m,
            target=plan.target,
            speed_mps=plan.speed_mps,
            dive_deg=plan.dive_deg,
            arrive_s=plan.arrive_s,
        )
        found.append((f"{plan.id}-{number + 1}", plan.kind, run))
    return found
