"""Scenario text -> Scenario, strictly. Every refusal names the file, the field and, where known, the line."""

import math
from collections.abc import Iterable, Iterator

from vedette.model.errors import ConfigError
from vedette.model.strict import FieldError, decode_toml
from vedette.simulate.kinds import ENVELOPES, MOBILITY
from vedette.simulate.places import SiteFrame
from vedette.simulate.scenario import Actor, Place, Scenario, Waypoint

_SPEED_SLACK = 1.0 + 1e-9


def parse_scenario(text: str | bytes, source: str = "scenario") -> Scenario:
    """Read and check one scenario. Raises ConfigError; ``source`` names the file in its message."""
    return decode_toml(text, Scenario, source, _check)


def check_scenario(scenario: Scenario) -> Scenario:
    """Hold a scenario that was made in memory to the same rules. Raises ConfigError."""
    try:
        _check(scenario)
    except FieldError as error:
        raise ConfigError(f"scenario {scenario.head.name}: {error}") from error
    return scenario


def _check(scenario: Scenario) -> None:
    """What the types cannot say: unique names, complete places, speeds that the kind can fly."""
    _check_unique("$.actor", "id", [actor.id for actor in scenario.actors])
    _check_unique("$.receiver", "id", [receiver.id for receiver in scenario.receivers])
    _check_emitters(scenario.actors)
    for path, place in _places(scenario):
        _check_place(path, place)
    frame = SiteFrame(scenario.head.site)
    for index, actor in enumerate(scenario.actors):
        _check_actor(f"$.actor[{index}]", actor, frame)
        _check_run(f"$.actor[{index}].run_at", actor, scenario)


def _check_unique(path: str, field: str, names: list[str]) -> None:
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        if name in seen:
            raise FieldError(f"{path}[{index}].{field}", f"{name!r} is already used by {path}[{seen[name]}]")
        seen[name] = index


def _check_emitters(actors: tuple[Actor, ...]) -> None:
    """Two phones of one uid cannot be told apart. Two drones of one serial can: that is an attack."""
    seen: dict[str, str] = {}
    for index, actor in enumerate(actors):
        if actor.cot is None:
            continue
        if actor.kind not in MOBILITY:
            known = ", ".join(sorted(MOBILITY))
            raise FieldError(f"$.actor[{index}].cot", f"a {actor.kind} is no unit; units are: {known}")
        if actor.cot.uid in seen:
            raise FieldError(f"$.actor[{index}].cot.uid", f"also the uid of {seen[actor.cot.uid]!r}")
        seen[actor.cot.uid] = actor.id


def _places(scenario: Scenario) -> Iterator[tuple[str, Place]]:
    for index, receiver in enumerate(scenario.receivers):
        yield f"$.receiver[{index}]", receiver
    for index, actor in enumerate(scenario.actors):
        for step, waypoint in enumerate(actor.path):
            yield f"$.actor[{index}].path[{step}]", waypoint
        if actor.remote_id is not None and actor.remote_id.operator is not None:
            yield f"$.actor[{index}].remote_id.operator", actor.remote_id.operator


def _check_place(path: str, place: Place) -> None:
    geodetic = [place.lat_deg, place.lon_deg]
    if place.enu_m is not None and geodetic == [None, None]:
        return
    if place.enu_m is None and None not in geodetic:
        return
    raise FieldError(path, "a place is either enu_m = [east, north], or lat_deg and lon_deg together")


def _check_actor(path: str, actor: Actor, frame: SiteFrame) -> None:
    for before, after, step in _steps(actor.path):
        if after.at_s <= before.at_s:
            raise FieldError(f"{path}.path[{step}].at_s", "waypoints must follow each other in time")
        east0, north0 = frame.plane_m(before)
        east1, north1 = frame.plane_m(after)
        speed = math.hypot(east1 - east0, north1 - north0) / (after.at_s - before.at_s)
        _check_speed(f"{path}.path[{step}]", actor, speed)
    if actor.until_s is not None and actor.until_s <= actor.path[0].at_s:
        raise FieldError(f"{path}.until_s", "the actor would be gone before its first waypoint")
    if not ENVELOPES[actor.kind].hovers and len(actor.path) < 2:
        raise FieldError(f"{path}.path", f"a {actor.kind} cannot stand still: give it two waypoints")


def _steps(items: tuple[Waypoint, ...]) -> Iterable[tuple[Waypoint, Waypoint, int]]:
    return zip(items, items[1:], range(1, len(items)), strict=False)


def _check_speed(path: str, actor: Actor, speed_mps: float) -> None:
    limit = ENVELOPES[actor.kind].speed_mps
    if speed_mps > limit * _SPEED_SLACK:
        raise FieldError(path, f"{speed_mps:.1f} m/s is more than a {actor.kind} can do ({limit:.1f} m/s)")


def _check_run(path: str, actor: Actor, scenario: Scenario) -> None:
    run = actor.run_at
    if run is None:
        return
    _check_speed(f"{path}.speed_mps", actor, run.speed_mps)
    if run.target == actor.id or all(other.id != run.target for other in scenario.actors):
        raise FieldError(f"{path}.target", f"no other actor has the id {run.target!r}")
    if run.at_s < actor.path[0].at_s:
        raise FieldError(f"{path}.at_s", "the run would begin before the actor's first waypoint")
