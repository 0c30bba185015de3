"""The simulated world: where every actor is, as a function of the scenario and nothing else.

Time goes in steps of 0.1 s in which every acceleration is constant, so positions between steps are
exact. All actors step together as arrays with additions, products, square roots and floors only,
whose results IEEE 754 fixes: an actor moves the same to the bit whatever other actors are there.
"""

import math
from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from vedette.model.track import Vector3
from vedette.simulate.ground import Ground, ground_of
from vedette.simulate.kinds import ENVELOPES
from vedette.simulate.limits import Limits
from vedette.simulate.places import SiteFrame
from vedette.simulate.run import Run
from vedette.simulate.scenario import Actor, Scenario
from vedette.simulate.wander import Wander

STEPS_PER_S = 10
STEP_S = 1.0 / STEPS_PER_S
FOLLOW_PER_S = 0.4
"""How fast an actor that is off its path comes back to it (1/s)."""
REACTION_S = 0.5
"""Time constant of the change from the velocity an actor has to the one it wants."""

Array = NDArray[np.float64]


class Kinematics(Struct, frozen=True):
    """Place (metres) and velocity (m/s) in the site's ENU frame."""

    enu_m: Vector3
    velocity_mps: Vector3


class Truth(Struct, frozen=True, kw_only=True):
    """One row of ``truth.jsonl``; never shown to the system under test."""

    time: float
    id: str
    kind: str
    enu_m: Vector3


class World:
    """All actors of one scenario, from its start; `advance` moves on by one step of `STEP_S`.

    ``time_s`` is the start of the current step, and `at` answers for any moment of that step.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.actors = scenario.actors
        self.ground: Ground = ground_of(scenario.head.terrain, scenario.head.seed)
        self.frame = SiteFrame(scenario.head.site)
        self._index = {actor.id: index for index, actor in enumerate(self.actors)}
        self._legs = [_legs(actor, self.frame) for actor in self.actors]
        self._next_leg = [0] * len(self.actors)
        self._runs = {
            index: Run(actor.run_at, self._index[actor.run_at.target], REACTION_S)
            for index, actor in enumerate(self.actors)
            if actor.run_at is not None
        }
        self._wander = Wander(scenario.head.seed, self.actors, STEP_S)
        self._limits = Limits(self.actors)
        self._step = 0
        self._allocate(len(self.actors))
        self._begin_step()

    @property
    def time_s(self) -> float:
        """Seconds from the scenario's start to the start of the current step."""
        return self._step / STEPS_PER_S

    def index_of(self, actor: str) -> int:
        """The index of an actor by its id."""
        return self._index[actor]

    def present(self, index: int) -> bool:
        """True if the actor is in the world during the current step."""
        return bool(self._here[index])

    def gone(self, index: int) -> bool:
        """True if the actor has left the world for good."""
        return bool(self._born[index]) and not self._here[index]

    def at(self, index: int, time_s: float) -> Kinematics:
        """Place and velocity of a present actor at a moment of the current step."""
        after = time_s - self.time_s
        half = 0.5 * after * after
        place, speed, push = self._place[:, index], self._speed[:, index], self._push[:, index]
        moved = place + speed * after + push * half
        east, north, up = moved.tolist()
        if not self._flies[index]:
            up = self.ground.height_at(east, north) + self._leg_agl[index].item()
        velocity = (speed + push * after).tolist()
        return Kinematics((east, north, up), (velocity[0], velocity[1], velocity[2]))

    def advance(self) -> None:
        """Move on by one step."""
        here = self._here
        self._place += np.where(here, self._speed * STEP_S + self._push * (0.5 * STEP_S * STEP_S), 0.0)
        self._speed += np.where(here, self._push * STEP_S, 0.0)
        self._step += 1
        self._begin_step()

    def _allocate(self, count: int) -> None:
        self._place: Array = np.zeros((3, count))
        self._speed: Array = np.zeros((3, count))
        self._push: Array = np.zeros((3, count))
        self._leg_start_s: Array = np.zeros(count)
        self._leg_place: Array = np.zeros((2, count))
        self._leg_speed: Array = np.zeros((2, count))
        self._leg_agl: Array = np.zeros(count)
        self._leg_climb: Array = np.zeros(count)
        self._leg_end_s: Array = np.array([actor.path[0].at_s for actor in self.actors])
        self._born_s: Array = np.array([actor.path[0].at_s for actor in self.actors])
        self._gone_s: Array = np.array([actor.until_s or math.inf for actor in self.actors])
        self._flies = np.array([ENVELOPES[actor.kind].airborne for actor in self.actors], dtype=bool)
        self._born = np.zeros(count, dtype=bool)
        self._here = np.zeros(count, dtype=bool)

    def _begin_step(self) -> None:
        """Decide who is here and how everyone accelerates until the next step."""
        now = self.time_s
        self._turn_at_waypoints(now)
        self._enter(now)
        self._here = self._born & (now < self._gone_s)
        wanted = self._wanted_on_path(now)
        self._run(now, wanted)
        self._push = self._limits.hold(self._speed, (wanted - self._speed) / REACTION_S, STEP_S)

    def _turn_at_waypoints(self, now: float) -> None:
        for index in np.flatnonzero(self._leg_end_s <= now + 1e-9).tolist():
            legs = self._legs[index]
            while self._next_leg[index] < len(legs) and legs[self._next_leg[index]].start_s <= now + 1e-9:
                leg = legs[self._next_leg[index]]
                self._next_leg[index] += 1
                self._leg_start_s[index], self._leg_end_s[index] = leg.start_s, leg.end_s
                self._leg_place[:, index] = leg.place_m
                self._leg_speed[:, index] = leg.velocity_mps
                self._leg_agl[index], self._leg_climb[index] = leg.agl_m, leg.climb_mps

    def _enter(self, now: float) -> None:
        """Actors whose time has come stand at their first waypoint, already on the move."""
        for index in np.flatnonzero(~self._born & (self._born_s <= now + 1e-9)).tolist():
            east, north = self._leg_place[:, index].tolist()
            up = self.ground.height_at(east, north) + self._leg_agl[index].item()
            self._place[:, index] = (east, north, up)
            self._speed[:, index] = (*self._leg_speed[:, index].tolist(), 0.0)
            self._born[index] = True

    def _wanted_on_path(self, now: float) -> Array:
        """Velocities that keep every actor on its path, (3, actors).

        Fliers look at the ground as far ahead as they lag behind a slope, so as not to meet it.
        """
        on_leg = now - self._leg_start_s
        wanted = np.zeros_like(self._speed)
        intended = self._leg_place + self._leg_speed * on_leg
        wanted[:2] = self._leg_speed + (intended - self._place[:2]) * FOLLOW_PER_S + self._wander.step()
        ahead = self._place[:2] + self._speed[:2] / FOLLOW_PER_S
        ground = self.ground.height_m(ahead[0], ahead[1])
        height = ground + self._leg_agl + self._leg_climb * on_leg
        wanted[2] = np.where(self._flies, self._leg_climb + (height - self._place[2]) * FOLLOW_PER_S, 0.0)
        return wanted

    def _run(self, now: float, wanted: Array) -> None:
        for index, run in self._runs.items():
            if not self._here[index] or now + 1e-9 < run.plan.at_s:
                continue
            target = self.at(run.target, now) if self._here[run.target] else None
            own = Kinematics(_vector(self._place[:, index]), _vector(self._speed[:, index]))
            home = self._legs[index][0].place_m
            velocity = run.velocity(own.enu_m, own.velocity_mps, target, self.ground, home)
            if velocity is None:
                self._gone_s[index] = now
                self._here[index] = False
                continue
            wanted[:, index] = velocity


class _Leg(Struct, frozen=True):
    """Straight motion from ``place_m`` at ``start_s``; the last one lasts for ever."""

    start_s: float
    end_s: float
    place_m: tuple[float, float]
    velocity_mps: tuple[float, float]
    agl_m: float
    climb_mps: float


def _legs(actor: Actor, frame: SiteFrame) -> list[_Leg]:
    """Legs of a path. After the last waypoint a body that hovers stays there, others fly on."""
    legs = []
    places = [frame.plane_m(waypoint) for waypoint in actor.path]
    velocity = (0.0, 0.0)
    for step, (waypoint, after) in enumerate(zip(actor.path, actor.path[1:], strict=False)):
        lasts = after.at_s - waypoint.at_s
        east, north = places[step]
        velocity = ((places[step + 1][0] - east) / lasts, (places[step + 1][1] - north) / lasts)
        climb = (after.agl_m - waypoint.agl_m) / lasts
        legs.append(_Leg(waypoint.at_s, after.at_s, places[step], velocity, waypoint.agl_m, climb))
    last = actor.path[-1]
    if ENVELOPES[actor.kind].hovers:
        velocity = (0.0, 0.0)
    legs.append(_Leg(last.at_s, math.inf, places[-1], velocity, last.agl_m, 0.0))
    return legs


def _vector(column: Array) -> Vector3:
    east, north, up = column.tolist()
    return east, north, up


def truth(scenario: Scenario, start_time: float, period_s: float = 1.0) -> Iterator[Truth]:
    """Where every actor really is, each ``period_s`` (rounded to whole steps), oldest first.

    ``start_time`` is the Unix time of the scenario's start. Units and birds are in it as well as
    drones; ``kind`` is the scenario's.
    """
    world = World(scenario)
    every = max(1, round(period_s / STEP_S))
    for step in range(int(scenario.head.duration_s / STEP_S + 1e-9) + 1):
        if step % every == 0:
            yield from _rows(world, start_time)
        world.advance()


def _rows(world: World, start_time: float) -> Iterator[Truth]:
    now = world.time_s
    for index, actor in enumerate(world.actors):
        if world.present(index):
            place = world.at(index, now).enu_m
            yield Truth(time=start_time + now, id=actor.id, kind=actor.kind, enu_m=place)
