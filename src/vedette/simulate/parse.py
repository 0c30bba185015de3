"""Scenario text -> Scenario, strictly. Every refusal names the file, the field and, where known, the line."""

from collections.abc import Iterator
from pathlib import PurePath

from msgspec.structs import replace

from vedette.model.errors import ConfigError
from vedette.model.strict import FieldError, decode_toml
from vedette.simulate.behaviours.plans import places_of
from vedette.simulate.check_ground import check_ground
from vedette.simulate.check_motion import check_motion
from vedette.simulate.groups import flock_members, swarm_members
from vedette.simulate.kinds import ENVELOPES, MOBILITY
from vedette.simulate.places import SiteFrame
from vedette.simulate.scenario import Actor, Place, Scenario
from vedette.simulate.sensing.catalogue import catalogue, signature_of


def parse_scenario(text: str | bytes, source: str = "scenario") -> Scenario:
    """Read and check one scenario; its flocks and swarms become actors. Raises ConfigError; ``source``
    names the file in its message, and an elevation file's path counts from that file's folder."""
    folder = PurePath(source).parent
    found = decode_toml(text, Scenario, source, lambda scenario: _check(_placed(scenario, folder)))
    return _expanded(_placed(found, folder))


def check_scenario(scenario: Scenario) -> Scenario:
    """Hold a scenario that was made in memory to the same rules; its flocks and swarms become actors.
    Raises ConfigError."""
    try:
        _check(scenario)
    except FieldError as error:
        raise ConfigError(f"scenario {scenario.head.name}: {error}") from error
    return _expanded(scenario)


def _placed(scenario: Scenario, folder: PurePath) -> Scenario:
    dem = scenario.head.dem
    if dem is None:
        return scenario
    return replace(scenario, head=replace(scenario.head, dem=replace(dem, path=str(folder / dem.path))))


def _check(scenario: Scenario) -> None:
    """What the types cannot say: unique names, complete places, motion that the kind and the wind allow,
    ground that is known."""
    _check_unique("$.actor", "id", [actor.id for actor in scenario.actors])
    _check_unique("$.receiver", "id", [receiver.id for receiver in scenario.receivers])
    _check_sensors(scenario)
    _check_emitters(scenario.actors)
    for path, place in _places(scenario):
        _check_place(path, place)
    _check_groups(scenario)
    frame = _frame(scenario)
    check_motion(scenario, frame)
    check_ground(scenario, frame)


def _frame(scenario: Scenario) -> SiteFrame:
    try:
        return SiteFrame(scenario.head.site)
    except ConfigError as error:
        raise FieldError("$.scenario.site", str(error).removeprefix("scenario.site: ")) from error


def _check_unique(path: str, field: str, names: list[str]) -> None:
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        if name in seen:
            raise FieldError(f"{path}[{index}].{field}", f"{name!r} is already used by {path}[{seen[name]}]")
        seen[name] = index


def _check_sensors(scenario: Scenario) -> None:
    """Sensors among themselves; each alone was checked when it was made (`sensing.plan`)."""
    _check_unique("$.sensor", "id", [sensor.id for sensor in scenario.sensors])
    receivers = {receiver.id for receiver in scenario.receivers}
    for index, sensor in enumerate(scenario.sensors):
        if sensor.id in receivers:
            raise FieldError(f"$.sensor[{index}].id", f"{sensor.id!r} is already used by a receiver")
    for index, actor in enumerate(scenario.actors):
        if actor.signature is not None and signature_of(actor.signature) is None:
            known = ", ".join(sorted(catalogue().signatures))
            raise FieldError(
                f"$.actor[{index}].signature", f"no {actor.signature!r} in the catalogue; there are {known}"
            )


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
    for index, flock in enumerate(scenario.flocks):
        yield f"$.flock[{index}]", flock
    for index, actor in enumerate(scenario.actors):
        yield from _places_of_actor(f"$.actor[{index}]", actor)


def _places_of_actor(path: str, actor: Actor) -> Iterator[tuple[str, Place]]:
    for step, waypoint in enumerate(actor.path):
        yield f"{path}.path[{step}]", waypoint
    if actor.behaviour is not None:
        yield f"{path}.behaviour", actor.behaviour
        for field, place in places_of(actor.behaviour).items():
            yield f"{path}.behaviour.{field}", place
    if actor.remote_id is not None and actor.remote_id.operator is not None:
        yield f"{path}.remote_id.operator", actor.remote_id.operator


def _check_place(path: str, place: Place) -> None:
    geodetic = [place.lat_deg, place.lon_deg]
    if place.enu_m is not None and geodetic == [None, None]:
        return
    if place.enu_m is None and None not in geodetic:
        return
    raise FieldError(path, "a place is either enu_m = [east, north], or lat_deg and lon_deg together")


def _check_groups(scenario: Scenario) -> None:
    names = {actor.id for actor in scenario.actors}
    groups = [("flock", f.id, f.count) for f in scenario.flocks]
    groups += [("swarm", s.id, s.count) for s in scenario.swarms]
    taken: set[str] = set(names)
    numbers = {"flock": 0, "swarm": 0}
    for table, group, count in groups:
        members = {f"{group}-{number + 1}" for number in range(count)}
        path = f"$.{table}[{numbers[table]}].id"
        numbers[table] += 1
        if members & taken:
            raise FieldError(path, f"its member {min(members & taken)!r} would have the id of another actor")
        taken |= members
    for index, swarm in enumerate(scenario.swarms):
        path = f"$.swarm[{index}]"
        if swarm.target not in names:
            raise FieldError(f"{path}.target", f"no actor has the id {swarm.target!r}")
        if not ENVELOPES[swarm.kind].airborne:
            raise FieldError(f"{path}.kind", f"a {swarm.kind} does not fly")
        if swarm.arrive_s * swarm.speed_mps < swarm.distance_m:
            raise FieldError(
                f"{path}.arrive_s",
                f"{swarm.distance_m:.0f} m take {swarm.distance_m / swarm.speed_mps:.0f} s at "
                f"{swarm.speed_mps:.1f} m/s: let it arrive later, or start nearer",
            )
        if swarm.speed_mps > ENVELOPES[swarm.kind].speed_mps:
            limit = ENVELOPES[swarm.kind].speed_mps
            raise FieldError(
                f"{path}.speed_mps",
                f"{swarm.speed_mps:.1f} m/s is more than a {swarm.kind} can do ({limit:.1f} m/s)",
            )


def _expanded(scenario: Scenario) -> Scenario:
    """The same with its flocks and swarms as actors."""
    if not scenario.flocks and not scenario.swarms:
        return scenario
    frame, seed = SiteFrame(scenario.head.site), scenario.head.seed
    members = [m for flock in scenario.flocks for m in flock_members(flock, frame.plane_m(flock), seed)]
    starts = {actor.id: frame.plane_m(actor.start) for actor in scenario.actors}
    for swarm in scenario.swarms:
        members += swarm_members(swarm, starts[swarm.target], seed)
    bodies = tuple(Actor(id=name, kind=kind, behaviour=plan) for name, kind, plan in members)
    return replace(scenario, actors=scenario.actors + bodies, flocks=(), swarms=())
