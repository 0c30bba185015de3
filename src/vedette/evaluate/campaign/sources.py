"""Where encounters come from: the simulator's collections, an empty sky, real ground, real flights.

All but the first are made of an encounter of a collection: its people and its weather stay, what flies or
what lies under it is exchanged. What is drawn is drawn from the collection and the number.
"""

import hashlib
import math
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace
from numpy.random import PCG64, Generator, SeedSequence

from vedette.evaluate.campaign.bodies import truth_of
from vedette.evaluate.campaign.real_tracks import Flight, flights
from vedette.evaluate.campaign.stage import START, Made, Scene, scene_of
from vedette.evaluate.truth import Truth
from vedette.geo import SEMI_MAJOR_M
from vedette.model import ConfigError, Site
from vedette.model.errors import DatumError
from vedette.model.track import Vector3
from vedette.simulate import Scenario, encounters, truth
from vedette.simulate.behaviours.replay import Replay
from vedette.simulate.encounters import Encounter
from vedette.simulate.encounters.scenes import fly
from vedette.simulate.parse import check_scenario
from vedette.simulate.scenario import Actor, Dem
from vedette.terrain import Elevation, height_at, raster_library, read
from vedette.terrain.elevation import WGS84

EMPTY, REAL = "empty-sky", "real-tracks"
BASE = "grading"
"""The collection whose people stand under an empty sky and under real flights."""
EMPTY_S = 600.0
ENTERS_S = 12.0
GROUND_RADIUS_M = 9000.0
MARGIN_M = 7000.0
"""So far from the edges of the file encounters take place."""
LEEWAY_S = 120.0
"""Over other ground a flight may take so much longer."""
DATUMS = ("egm96", "wgs84-ellipsoid")
"""What heights of an elevation file may be measured from."""
PLACES = 24
"""So many places of a tile are tried for one on whose ground an encounter can take place."""


def of_simulator(found: Encounter) -> Made:
    """An encounter as the simulator made it."""
    kinds = {actor.id: actor.kind for actor in found.scenario.actors}
    rows = (
        (START + time_s, name, kinds[name], state.enu_m)
        for time_s, states in zip(found.flight.times_s, found.flight.states, strict=True)
        for name, state in states.items()
    )
    return Made(found.scenario, scene_of(found.label), truth_of(rows))


def empty_sky(index: int) -> Made:
    """Ten minutes in which nothing flies: whatever is told of then, was nothing."""
    base = encounters.encounter(BASE, index)
    head = replace(base.scenario.head, name=f"{EMPTY}-{index}", duration_s=EMPTY_S)
    scenario = replace(base.scenario, head=head, actors=_people(base.scenario))
    name = f"{EMPTY}-{index:05d}"
    scene = Scene(name, EMPTY, EMPTY, hostile=False, t0=START + ENTERS_S, t1=START + EMPTY_S)
    return Made(scenario, scene, _truth(scenario))


def _people(scenario: Scenario) -> tuple[Actor, ...]:
    return tuple(actor for actor in scenario.actors if actor.cot is not None)


def _truth(scenario: Scenario) -> Truth:
    return truth_of((row.time, row.id, row.kind, row.enu_m) for row in truth(scenario, START, 0.5))


def draws(*words: object) -> Generator:
    """The generator of these words."""
    digest = hashlib.blake2b("/".join(map(str, words)).encode(), digest_size=16).digest()
    return Generator(PCG64(SeedSequence(int.from_bytes(digest, "little"))))


class RealGround:
    """Encounters of a collection on the ground of an elevation file, each at a place of its own."""

    def __init__(self, path: Path, vertical_datum: str | None) -> None:
        """Raises DatumError or InputError for a file that cannot be used."""
        self.elevation: Elevation = read(path, vertical_datum=vertical_datum)
        if self.elevation.vertical_datum not in DATUMS:
            raise DatumError(
                f"{path}: encounters cannot take place on heights from {self.elevation.vertical_datum}: "
                f"convert the file to one of {', '.join(DATUMS)} first (gdalwarp -t_srs)"
            )
        self._dem = Dem(path=str(path), vertical_datum=vertical_datum, radius_m=GROUND_RADIUS_M)

    def encounter(self, collection: str, index: int) -> Made:
        """The encounter's people and fliers on this ground. Raises ConfigError if no place of the file can
        hold it."""
        base = encounters.encounter(collection, index)
        generator = draws("ground", collection, index)
        for _ in range(PLACES):
            made = self._at(base, generator)
            if made is not None:
                return made
        raise ConfigError(
            f"{self._dem.path}: none of {PLACES} places can hold the encounter {collection} {index}; it "
            f"needs {GROUND_RADIUS_M:.0f} m of ground around that lets fliers through; bring a larger file, "
            "or one without voids"
        )

    def _at(self, base: Encounter, generator: Generator) -> Made | None:
        site = self._site(generator)
        if site is None:
            return None
        head = replace(base.scenario.head, site=site, terrain="flat", dem=self._dem, duration_s=1200.0)
        label = base.label
        actors = tuple(_cut(actor, label.t1 + LEEWAY_S) for actor in base.scenario.actors)
        try:
            scenario = check_scenario(replace(base.scenario, head=head, actors=actors))
            flight = fly(scenario, None if label.hostile else label.t1, _target(base))
        except ConfigError:
            return None  # a way leads out of the file, or over a void
        if flight is None:
            return None
        lasts = math.ceil(flight.times_s[-1]) + 1.0
        impact = next((one.time_s for one in flight.story if one.what == "impact"), None)
        turned = replace(label, t1=flight.times_s[-1])
        if label.hostile and impact is not None:
            turned = replace(turned, impact_time=impact)
        found = Encounter(
            scenario=replace(scenario, head=replace(head, duration_s=lasts)),
            label=turned,
            mix=base.mix,
            flight=flight,
        )
        return of_simulator(found)

    def _site(self, generator: Generator) -> Site | None:
        """A place with ground under it, drawn from the inner part of the file."""
        lat_deg, lon_deg = self._anywhere(generator)
        height = height_at(self.elevation, lat_deg, lon_deg)
        if height is None:
            return None
        ellipsoidal = self.elevation.vertical_datum == "wgs84-ellipsoid"
        return Site(
            name="Real ground",
            lat_deg=lat_deg,
            lon_deg=lon_deg,
            alt_m=height,
            alt_datum="wgs84-ellipsoid" if ellipsoidal else "egm96",
            # All heights of an encounter shift alike with it, so any figure will do.
            geoid_height_m=None if ellipsoidal else 0.0,
        )

    def _anywhere(self, generator: Generator) -> tuple[float, float]:
        """Latitude and longitude of a place so far from the file's edges as an encounter needs, if it is
        that large, else of its middle."""
        across, down = generator.random(2).tolist()
        rows, columns = self.elevation.void.shape
        step_x, step_y = self._steps_m()
        column = _inside(across, columns, MARGIN_M / step_x)
        row = _inside(down, rows, MARGIN_M / step_y)
        t = self.elevation.transform
        x, y = t.west + column * t.dx, t.north - row * t.dy
        if self.elevation.geographic:
            return y, x
        lon, lat = raster_library.load("rasterio.warp").transform(self.elevation.crs, WGS84, [x], [y])
        return float(lat[0]), float(lon[0])

    def _steps_m(self) -> tuple[float, float]:
        """About how long and how high a pixel is, in metres."""
        t = self.elevation.transform
        if not self.elevation.geographic:
            return t.dx, t.dy
        degree = math.radians(1.0) * SEMI_MAJOR_M
        return t.dx * degree * math.cos(math.radians(t.north)), t.dy * degree


def _inside(share: float, count: int, margin: float) -> float:
    return 0.5 * count if 2.0 * margin >= count else margin + share * (count - 2.0 * margin)


def _cut(actor: Actor, until_s: float) -> Actor:
    """The actor's way as far as it gets by then: a convoy need not find ground where it never comes."""
    later = [step for step, one in enumerate(actor.path) if one.at_s >= until_s]
    return replace(actor, path=actor.path[: later[0] + 1]) if later else actor


def _target(base: Encounter) -> str:
    target = base.label.target
    return target if isinstance(target, str) else ""


class RealFlights:
    """Flights that were really flown, over the people of a collection."""

    def __init__(self, folder: Path) -> None:
        """Raises InputError for a folder without a flight that can be read."""
        self.flights = flights(folder)

    def encounter(self, index: int) -> Made:
        """The flight ``index``, each as often as one likes: past the people, or, if it comes far enough,
        every second time over one of them, which counts as an attack on him."""
        number, turn = index % len(self.flights), index // len(self.flights)
        flight = self.flights[number]
        base = encounters.encounter(BASE, 10_000 + index)
        generator = draws(REAL, index)
        hostile = flight.approaches and turn % 2 == 0
        placed = over_target(base, flight, generator) if hostile else past(flight, generator)
        actor = Actor(
            id="flier",
            kind=flight.kind,
            replay=Replay(times_s=tuple(placed.times_s), enu_m=tuple(placed.enu_m)),
        )
        last_s = placed.times_s[-1]
        head = replace(
            base.scenario.head, name=f"{REAL}-{index}", terrain="flat", duration_s=math.ceil(last_s) + 1.0
        )
        scenario = check_scenario(replace(base.scenario, head=head, actors=(*_people(base.scenario), actor)))
        scene = Scene(
            name=f"{REAL}-{index:05d}",
            behaviour=f"{flight.behaviour}-overhead" if hostile else flight.behaviour,
            kind=flight.name,
            hostile=hostile,
            t0=START + placed.times_s[0],
            t1=START + last_s,
            target=placed.target,
            impact=START + last_s if hostile else None,
        )
        return Made(scenario, scene, _truth(scenario))


class Placed(NamedTuple):
    """A real flight put where the encounter is."""

    times_s: list[float]
    enu_m: list[Vector3]
    target: str | None = None


def past(flight: Flight, generator: Generator) -> Placed:
    """The flight turned, and moved so that its middle lies 200 to 1500 m from the site."""
    turn, where, distance = generator.random(3).tolist()
    around, far = 2.0 * math.pi * where, 200.0 + 1300.0 * distance
    spots = _turned(flight.enu_m, 2.0 * math.pi * turn)
    shift = (far * math.sin(around) - _middle(spots, 0), far * math.cos(around) - _middle(spots, 1))
    return Placed([ENTERS_S + t for t in flight.times_s], _moved(spots, shift, flight.lift_m))


def over_target(base: Encounter, flight: Flight, generator: Generator) -> Placed:
    """The flight turned, cut off, and moved so that it ends over one of the people."""
    turn, share, who = generator.random(3).tolist()
    spots = _turned(flight.enu_m, 2.0 * math.pi * turn)
    stop = flight.first_far + int(share * (len(spots) - 1 - flight.first_far))
    times = [ENTERS_S + t for t in flight.times_s[: stop + 1]]
    people = sorted(actor.id for actor in _people(base.scenario))
    target = people[int(who * len(people))]
    states = base.flight.states[min(math.floor(times[-1]), len(base.flight.states) - 1)]
    east, north, _ = states[target].enu_m
    shift = (east - spots[stop][0], north - spots[stop][1])
    return Placed(times, _moved(spots[: stop + 1], shift, flight.lift_m), target)


def _turned(spots: Iterable[Vector3], angle: float) -> list[Vector3]:
    sine, cosine = math.sin(angle), math.cos(angle)
    return [(e * cosine - n * sine, e * sine + n * cosine, u) for e, n, u in spots]


def _middle(spots: list[Vector3], axis: int) -> float:
    return sum(spot[axis] for spot in spots) / len(spots)


def _moved(spots: list[Vector3], shift: tuple[float, float], lift_m: float) -> list[Vector3]:
    lowest = min(spot[2] for spot in spots)
    return [(e + shift[0], n + shift[1], u - lowest + lift_m) for e, n, u in spots]
