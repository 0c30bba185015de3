"""One encounter from its collection and number: which family, which people, what air, and how it ended."""

import math
from typing import Literal, get_args

from msgspec import UNSET, Struct
from msgspec.structs import replace

from vedette.model.errors import ConfigError
from vedette.model.site import Site
from vedette.simulate.behaviours.moment import Happening, Kinematics
from vedette.simulate.encounters import benign, hostile
from vedette.simulate.encounters.equipment import equipped
from vedette.simulate.encounters.hostile import ENTERS_S, Cast, Family
from vedette.simulate.encounters.label import Label
from vedette.simulate.encounters.people import People
from vedette.simulate.encounters.ranges import Draw
from vedette.simulate.ground import Terrain
from vedette.simulate.parse import check_scenario
from vedette.simulate.scenario import Dem, Head, Scenario
from vedette.simulate.streams import stream
from vedette.simulate.weather import Weather
from vedette.simulate.world import World

Collection = Literal["training", "calibration", "grading", "gate"]
COLLECTIONS: tuple[str, ...] = get_args(Collection)
"""``training`` and ``calibration`` draw from the same ranges and families with other seeds; ``grading`` and
``gate`` from wider ranges, and with the families held back."""

SITE = Site(name="Encounters", lat_deg=31.45, lon_deg=-110.9, alt_m=1150.0, alt_datum="wgs84-ellipsoid")
MIXES = ("full", "radar-df", "radar-only", "remote-id-only", "acoustic-camera")
BLOCK, HOSTILE_IN_BLOCK = 7, 2
"""Two of seven encounters are attacks, as in the shared bench."""
LONGEST_S = 600.0
LATEST_WATCH_S = 330.0
"""A watcher who has not come near by then never will: another is drawn."""
TRIES = 8


class Setting(Struct, frozen=True, kw_only=True):
    """A real place for an encounter, instead of the synthetic ground: the site and its elevation file."""

    site: Site
    dem: Dem


class Flight(Struct, frozen=True):
    """What happened, second by second: who was where (by actor id) at ``times_s[k]``, and the story."""

    times_s: tuple[float, ...]
    states: tuple[dict[str, Kinematics], ...]
    story: tuple[Happening, ...]


class Encounter(Struct, frozen=True, kw_only=True):
    """A scenario, its answer, the name of the sensor mix that watches it, and the flight itself."""

    scenario: Scenario
    label: Label
    mix: str
    flight: Flight


def encounter(collection: str, index: int, setting: Setting | None = None) -> Encounter:
    """The encounter ``index`` of a collection: a function of the two alone, or of the two and the place.

    Raises ConfigError for a collection that there is not, and for a setting whose ground lets no attack
    through.
    """
    if collection not in COLLECTIONS or index < 0:
        known = ", ".join(COLLECTIONS)
        raise ConfigError(
            f"no encounter {index} of the collection {collection!r}; there are {known}, from 0 on"
        )
    attack, rank = _place_in_block(collection, index)
    for attempt in range(TRIES):
        found = _attempt(collection, index, attempt, attack, rank, setting)
        if found is not None:
            return found
    raise ConfigError(
        f"encounter {index} of {collection}: none of {TRIES} flights reached its target; the ground of the "
        "setting does not let them through"
    )


def _place_in_block(collection: str, index: int) -> tuple[bool, int]:
    """Whether an encounter is an attack, and the how manieth of its sort it is."""
    block, place = divmod(index, BLOCK)
    order = _shuffled(collection, block)
    attack = order[place] < HOSTILE_IN_BLOCK
    share = HOSTILE_IN_BLOCK if attack else BLOCK - HOSTILE_IN_BLOCK
    before = sum((order[other] < HOSTILE_IN_BLOCK) == attack for other in range(place))
    return attack, block * share + before


def _shuffled(collection: str, block: int) -> list[int]:
    """Fisher-Yates, from the block's own stream."""
    chances = stream(_seed(collection), "block", str(block)).random(BLOCK).tolist()
    order = list(range(BLOCK))
    for last in range(BLOCK - 1, 0, -1):
        other = int(chances[last] * (last + 1))
        order[last], order[other] = order[other], order[last]
    return order


def _seed(collection: str) -> int:
    return int(stream(0, "encounters", collection).integers(2**62))


def _families(collection: str, attack: bool) -> tuple[Family, ...]:
    trained = hostile.TRAINED if attack else benign.TRAINED
    if collection in ("training", "calibration"):
        return trained
    return trained + (hostile.HELD_BACK if attack else benign.HELD_BACK)


def _attempt(
    collection: str, index: int, attempt: int, attack: bool, rank: int, setting: Setting | None
) -> Encounter | None:
    generator = stream(_seed(collection), "encounter", str(index), str(attempt))
    draw = Draw(generator, collection)
    families = _families(collection, attack)
    family = families[rank % len(families)]
    followed = family in (hostile.follow_attack, benign.surveillance)
    people = People(draw, draw.chance(2.0 / 3.0 if followed else 0.25))
    cast = family(draw, people)
    name, seed = f"{collection}-{index}", int(generator.integers(2**62))
    fliers = tuple(equipped(actor, cast.kind, seed, attack) for actor in cast.actors)
    scenario = _scenario(name, draw, replace(cast, actors=(*people.actors(), *fliers)), seed, setting)
    ends = None if attack else ENTERS_S + draw.of("scene.time_s")
    if cast.after_watch_s is not None:
        ends = LATEST_WATCH_S
    flight = fly(scenario, ends, people.target_name, cast.after_watch_s)
    if flight is None:
        return None
    label = _label(f"{collection}-{index:05d}", flight, cast, attack, people.target_name)
    lasts = math.ceil(flight.times_s[-1]) + 1.0
    return Encounter(
        scenario=replace(scenario, head=replace(scenario.head, duration_s=lasts)),
        label=label,
        mix=MIXES[index % len(MIXES)],
        flight=flight,
    )


def _scenario(name: str, draw: Draw, cast: Cast, seed: int, setting: Setting | None) -> Scenario:
    """The scenario of everybody in ``cast``, in weather that is drawn."""
    wind = draw.of("wind_mps")
    weather = Weather(wind_mps=wind, wind_from_deg=draw.degrees(), gust_mps=wind * draw.of("gust_share"))
    head = Head(
        name=name,
        seed=seed,
        duration_s=LONGEST_S,
        site=SITE,
        terrain=_terrain(cast, draw),
        weather=weather,
    )
    if setting is not None:
        head = replace(head, site=setting.site, dem=setting.dem, terrain="flat")
    return check_scenario(Scenario(head=head, actors=cast.actors))


def _terrain(cast: Cast, draw: Draw) -> Terrain:
    if cast.ground is not None:
        return cast.ground
    return "flat" if draw.chance(0.5) else "rolling-desert"


def fly(
    scenario: Scenario, ends_s: float | None, target: str, after_watch_s: float | None = None
) -> Flight | None:
    """The flight up to ``ends_s``, or to ``after_watch_s`` after a watch began, or (``ends_s`` None) to the
    first impact on ``target``; None if that watch or impact does not come in time."""
    world = World(scenario)
    times, states = [], []
    while world.time_s < (LONGEST_S if ends_s is None else ends_s):
        if world.time_s == math.floor(world.time_s):
            times.append(world.time_s)
            states.append(_states(world))
        world.advance()
        if ends_s is None and any(h.what == "impact" and h.target == target for h in world.story):
            return Flight(tuple(times), tuple(states), tuple(world.story))
        if ends_s is not None and _nobody_left(world):
            break
        if after_watch_s is not None and world.story:
            ends_s, after_watch_s = min(world.story[0].time_s + after_watch_s, LONGEST_S), None
    missing = ends_s is None or after_watch_s is not None
    return None if missing else Flight(tuple(times), tuple(states), tuple(world.story))


def _states(world: World) -> dict[str, Kinematics]:
    return {
        actor.id: world.at(index, world.time_s)
        for index, actor in enumerate(world.actors)
        if world.present(index)
    }


def _nobody_left(world: World) -> bool:
    fliers = [index for index, actor in enumerate(world.actors) if actor.behaviour is not None]
    return all(world.gone(index) for index in fliers)


def _label(scene: str, flight: Flight, cast: Cast, attack: bool, target: str) -> Label:
    told = {fact.what: fact.time_s for fact in reversed(flight.story)}
    label = Label(
        scene=scene,
        t0=ENTERS_S,
        t1=flight.times_s[-1],
        hostile=attack,
        behaviour=cast.behaviour,
        kind=cast.kind,
    )
    if not cast.about_target:
        return label
    onset = ENTERS_S if cast.onset is None else told.get(cast.onset, ENTERS_S)
    impact = told["impact"] if attack else UNSET
    return replace(label, target=target, onset_time=onset, impact_time=impact)
