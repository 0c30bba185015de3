"""Is what a scenario asks of its actors possible: by their kind, in this wind, with these others?"""

import math
from collections.abc import Iterable

from vedette.model.strict import FieldError
from vedette.simulate.behaviours.plans import (
    Behaviour,
    Commute,
    DirectRun,
    DropRun,
    Flocking,
    Follow,
    FollowAttack,
    Hobby,
    HoverWatch,
    Probe,
    Soar,
    speeds_of,
    target_of,
    watchers_of,
)
from vedette.simulate.kinds import ENVELOPES, MOBILITY, PILOTED
from vedette.simulate.places import SiteFrame
from vedette.simulate.scenario import Actor, Scenario, Waypoint

_SPEED_SLACK = 1.0 + 1e-9
LEAST_WAY_MPS = 2.0
"""A pilot whom the wind leaves less than this is not sent out."""

Wind = tuple[float, float]


def check_motion(scenario: Scenario, frame: SiteFrame) -> None:
    """Raises FieldError for the first thing that cannot be."""
    names = {actor.id for actor in scenario.actors}
    for index, actor in enumerate(scenario.actors):
        path = f"$.actor[{index}]"
        _check_one_way(path, actor)
        wind = scenario.head.weather.wind if ENVELOPES[actor.kind].airborne else (0.0, 0.0)
        if actor.path:
            _check_path(path, actor, frame, wind)
        if actor.until_s is not None and actor.until_s <= actor.start.at_s:
            raise FieldError(f"{path}.until_s", "the actor would be gone before its first waypoint")
        _check_run(f"{path}.run_at", actor, names)
        if actor.behaviour is not None:
            _check_behaviour(f"{path}.behaviour", actor, actor.behaviour, names, wind)
        _check_replay(f"{path}.replay", actor)


def _check_one_way(path: str, actor: Actor) -> None:
    given = [bool(actor.path), actor.behaviour is not None, actor.replay is not None]
    if sum(given) != 1:
        raise FieldError(path, "an actor moves by one of path, behaviour and replay: give exactly one")
    if actor.run_at is not None and not actor.path:
        raise FieldError(f"{path}.run_at", "a run leaves a path: give the actor a path, or a behaviour alone")


def _check_path(path: str, actor: Actor, frame: SiteFrame, wind: Wind) -> None:
    for before, after, step in _steps(actor.path):
        if after.at_s <= before.at_s:
            raise FieldError(f"{path}.path[{step}].at_s", "waypoints must follow each other in time")
        lasts = after.at_s - before.at_s
        east0, north0 = frame.plane_m(before)
        east1, north1 = frame.plane_m(after)
        over = ((east1 - east0) / lasts, (north1 - north0) / lasts)
        _check_speed(f"{path}.path[{step}]", actor, over, wind)
    if ENVELOPES[actor.kind].hovers:
        _check_speed(f"{path}.path[{len(actor.path) - 1}]", actor, (0.0, 0.0), wind)
    elif len(actor.path) < 2:
        raise FieldError(f"{path}.path", f"a {actor.kind} cannot stand still: give it two waypoints")


def _steps(items: tuple[Waypoint, ...]) -> Iterable[tuple[Waypoint, Waypoint, int]]:
    return zip(items, items[1:], range(1, len(items)), strict=False)


def _check_speed(path: str, actor: Actor, over: tuple[float, float], wind: Wind = (0.0, 0.0)) -> None:
    limit = ENVELOPES[actor.kind].speed_mps
    through = math.hypot(over[0] - wind[0], over[1] - wind[1])
    if through <= limit * _SPEED_SLACK:
        return
    ground = math.hypot(*over)
    air = f" over the ground, {through:.1f} m/s through the wind," if wind != (0.0, 0.0) else ""
    raise FieldError(path, f"{ground:.1f} m/s{air} is more than a {actor.kind} can do ({limit:.1f} m/s)")


def _check_run(path: str, actor: Actor, names: set[str]) -> None:
    run = actor.run_at
    if run is None:
        return
    _check_speed(f"{path}.speed_mps", actor, (run.speed_mps, 0.0))
    if run.target == actor.id or run.target not in names:
        raise FieldError(f"{path}.target", f"no other actor has the id {run.target!r}")
    if run.at_s < actor.path[0].at_s:
        raise FieldError(f"{path}.at_s", "the run would begin before the actor's first waypoint")


def _check_behaviour(path: str, actor: Actor, plan: Behaviour, names: set[str], wind: Wind) -> None:
    if actor.kind in MOBILITY:
        raise FieldError(path, f"a {actor.kind} has no behaviour of fliers: give it a path")
    bird = isinstance(plan, Commute | Soar | Flocking)
    if bird != (actor.kind == "bird"):
        raise FieldError(
            f"{path}.type", f"a {actor.kind} does not fly so; commute, soar and flocking are birds'"
        )
    target = target_of(plan)
    if target is not None and (target == actor.id or target not in names):
        raise FieldError(f"{path}.target", f"no other actor has the id {target!r}")
    for number, watcher in enumerate(watchers_of(plan)):
        if watcher not in names:
            raise FieldError(f"{path}.seen_from[{number}]", f"no actor has the id {watcher!r}")
    if isinstance(plan, DirectRun) and plan.arrive_s is not None and plan.arrive_s <= plan.at_s:
        raise FieldError(f"{path}.arrive_s", f"it enters only at {plan.at_s:.1f} s: let it arrive later")
    _check_hover(path, actor, plan)
    _check_speeds(path, actor, plan)
    _check_way(path, actor, wind)


def _check_hover(path: str, actor: Actor, plan: Behaviour) -> None:
    if ENVELOPES[actor.kind].hovers:
        return
    still = isinstance(plan, HoverWatch | Follow) or (isinstance(plan, DropRun) and plan.hover_s > 0.0)
    still = still or (isinstance(plan, FollowAttack) and plan.manner != "orbit")
    still = still or (isinstance(plan, Hobby) and plan.style == "camera")
    still = still or (isinstance(plan, Probe) and plan.pause_s > 0.0)
    if still:
        raise FieldError(path, f"a {actor.kind} cannot stand in the air, which this behaviour asks for")


def _check_speeds(path: str, actor: Actor, plan: Behaviour) -> None:
    envelope = ENVELOPES[actor.kind]
    for field, speed in speeds_of(plan).items():
        _check_speed(f"{path}.{field}", actor, (speed, 0.0))
        if speed < envelope.stall_mps:
            raise FieldError(
                f"{path}.{field}",
                f"{speed:.1f} m/s is too slow for a {actor.kind} to fly ({envelope.stall_mps:.1f} m/s)",
            )


def _check_way(path: str, actor: Actor, wind: Wind) -> None:
    left = ENVELOPES[actor.kind].speed_mps - math.hypot(*wind)
    if actor.kind in PILOTED and left < LEAST_WAY_MPS:
        raise FieldError(
            path,
            f"a {actor.kind} ({ENVELOPES[actor.kind].speed_mps:.1f} m/s through the air) makes no way "
            f"against a wind of {math.hypot(*wind):.1f} m/s: choose another kind, or less wind",
        )


def _check_replay(path: str, actor: Actor) -> None:
    replay = actor.replay
    if replay is None:
        return
    if len(replay.times_s) != len(replay.enu_m):
        raise FieldError(
            f"{path}.enu_m", f"{len(replay.enu_m)} places for {len(replay.times_s)} times: give one for each"
        )
    if replay.times_s[0] < 0.0:
        raise FieldError(f"{path}.times_s[0]", "a replay begins at the scenario's start, or later")
    for number, (before, after) in enumerate(zip(replay.times_s, replay.times_s[1:], strict=False), 1):
        if after <= before:
            raise FieldError(f"{path}.times_s[{number}]", "times must follow each other")
