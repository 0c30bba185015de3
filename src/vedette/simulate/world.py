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

from vedette.model.errors import ConfigError
from vedette.model.track import Vector3
from vedette.simulate.behaviours import Crew, Happening, Moment, Pilot
from vedette.simulate.behaviours.moment import Kinematics as Kinematics
from vedette.simulate.behaviours.replay import Track
from vedette.simulate.elevated import ground_for
from vedette.simulate.ground import Ground
from vedette.simulate.kinds import ENVELOPES, PILOTED
from vedette.simulate.legs import legs_of
from vedette.simulate.limits import Limits
from vedette.simulate.places import SiteFrame
from vedette.simulate.run import Run
from vedette.simulate.scenario import Scenario
from vedette.simulate.wander import Wander
from vedette.simulate.weather import Gusts

STEPS_PER_S = 10
STEP_S = 1.0 / STEPS_PER_S
FOLLOW_PER_S = 0.4
"""How fast an actor that is off its path comes back to it (1/s)."""
REACTION_S = 0.5
"""Time constant of the change from the velocity an actor has to the one it wants."""
GUST_FELT = 0.3
"""Share of a gust that a pilot, or his autopilot, does not fly off at once (judgement)."""
AHEAD_S = (1.5, 3.0)
"""Fliers look so far ahead for ground that rises."""
LOOKS_S = np.array([0.0, 1.0 / FOLLOW_PER_S, *AHEAD_S])
"""Where the ground is looked up at each step: below, where a path is held to it, and ahead."""
CLEAR_M = 2.0
"""Height above the ground ahead that a flier gives way to keep."""
LEAST_AGL_M = 0.3
"""No body is ever lower above the ground than this, whatever it did."""

Array = NDArray[np.float64]


class Truth(Struct, frozen=True, kw_only=True):
    """One row of ``truth.jsonl``; never shown to the system under test."""

    time: float
    id: str
    kind: str
    enu_m: Vector3


class World:
    """All actors of one scenario, from its start; `advance` moves on by one step of `STEP_S`.

    ``time_s`` is the start of the current step, and `at` answers for any moment of that step. ``story``
    is what has happened so far: strikes, impacts and the like. Raises ConfigError when a body comes over
    ground that the elevation model does not know.
    """

    def __init__(self, scenario: Scenario) -> None:
        if scenario.flocks or scenario.swarms:
            raise ConfigError(
                "flocks and swarms first become actors: pass the scenario through check_scenario"
            )
        self.actors = scenario.actors
        self.story: list[Happening] = []
        self.ground: Ground = ground_for(scenario.head)
        self.frame = SiteFrame(scenario.head.site)
        self._index = {actor.id: index for index, actor in enumerate(self.actors)}
        self._legs = [legs_of(actor, self.frame) for actor in self.actors]
        self._next_leg = [0] * len(self.actors)
        self._runs = {
            index: Run(actor.run_at, self._index[actor.run_at.target], REACTION_S)
            for index, actor in enumerate(self.actors)
            if actor.run_at is not None
        }
        self._replays = {
            index: Track(actor.replay) for index, actor in enumerate(self.actors) if actor.replay is not None
        }
        self._wander = Wander(scenario.head.seed, self.actors, STEP_S)
        self._limits = Limits(self.actors)
        self._step = 0
        self._allocate(len(self.actors))
        self._prepare_air(scenario)
        self._prepare_pilots(scenario)
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
        ground = self.ground.height_at(east, north)
        up = max(up, ground + LEAST_AGL_M) if self._flies[index] else ground + self._leg_agl[index].item()
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
        self._leg_end_s: Array = np.array([actor.start.at_s for actor in self.actors])
        self._born_s: Array = np.array([actor.start.at_s for actor in self.actors])
        self._gone_s: Array = np.array([actor.until_s or math.inf for actor in self.actors])
        for index, track in self._replays.items():
            self._gone_s[index] = min(self._gone_s[index], track.last_s)
        self._flies = np.array([ENVELOPES[actor.kind].airborne for actor in self.actors], dtype=bool)
        self._hovers = np.array([ENVELOPES[actor.kind].hovers for actor in self.actors], dtype=bool)
        self._due_s = 0.0
        self._born = np.zeros(count, dtype=bool)
        self._here = np.zeros(count, dtype=bool)

    def _prepare_air(self, scenario: Scenario) -> None:
        weather = scenario.head.weather
        names = tuple(actor.id for actor in self.actors)
        self._gusts = Gusts(scenario.head.seed, names, weather.gust_mps, STEP_S)
        steady = np.array(weather.wind)[:, None]
        self._steady: Array = np.where(self._flies, steady, 0.0)
        self._wind: Array = self._steady
        carried = [actor.kind not in PILOTED and actor.behaviour is not None for actor in self.actors]
        self._felt: Array = np.where(carried, 0.0, GUST_FELT) * self._flies
        self._unsteady: Array = np.zeros((2, len(self.actors)))

    def _prepare_pilots(self, scenario: Scenario) -> None:
        crew = Crew(scenario.head.seed, self.frame.plane_m)
        self._pilots: dict[int, tuple[Pilot, Moment]] = {}
        for index, actor in enumerate(self.actors):
            if actor.behaviour is None:
                continue
            envelope = ENVELOPES[actor.kind]
            moment = Moment(
                self.ground,
                envelope.sink_mps,
                envelope.climb_acceleration_mps2,
                self._state_of,
                self.story.append,
            )
            self._pilots[index] = crew.pilot(actor.id, actor.behaviour), moment

    def _begin_step(self) -> None:
        """Decide who is here and how everyone accelerates until the next step."""
        now = self.time_s
        self._blow()
        fresh = self._change(now) if now + 1e-9 >= self._due_s else []
        self._replay(now)
        under, *ahead = self._ground_ahead()
        self._keep_off_ground(under)
        wanted = self._wanted_on_path(now, ahead[0])
        self._run(now, wanted)
        self._fly(now, wanted, fresh)
        self._give_way_to_ground(wanted, ahead[1:])
        wanted[:2] = self._limits.flyable(wanted[:2], self._speed[:2], self._wind)
        for index in fresh:
            if index in self._pilots:
                self._speed[:2, index] = wanted[:2, index]
        self._push = self._limits.hold(self._speed, (wanted - self._speed) / REACTION_S, self._wind, STEP_S)
        for index in self._replays:
            self._push[:, index] = 0.0

    def _blow(self) -> None:
        """This step's air, and how it and an unsteady hand push everyone about."""
        gusts = self._gusts.step()
        self._wind = self._steady if self._gusts.still else self._steady + gusts * self._flies
        self._unsteady = self._wander.step() + gusts * self._felt

    def _change(self, now: float) -> list[int]:
        """Waypoints passed, actors who enter (returned) and who leave; and when that is next to be asked."""
        self._turn_at_waypoints(now)
        fresh = self._enter(now)
        self._here = self._born & (now < self._gone_s)
        coming = np.where(self._born, math.inf, self._born_s)
        going = np.where(self._gone_s > now, self._gone_s, math.inf)
        self._due_s = float(np.min([self._leg_end_s, coming, going], initial=math.inf))
        return fresh

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

    def _enter(self, now: float) -> list[int]:
        """Actors whose time has come stand at their first waypoint, already on the move."""
        fresh: list[int] = np.flatnonzero(~self._born & (self._born_s <= now + 1e-9)).tolist()
        for index in fresh:
            east, north = self._leg_place[:, index].tolist()
            up = self.ground.height_at(east, north) + self._leg_agl[index].item()
            self._place[:, index] = (east, north, up)
            self._speed[:, index] = (*self._leg_speed[:, index].tolist(), 0.0)
            self._born[index] = True
        return fresh

    def _ground_ahead(self) -> Array:
        """Heights of the ground under everyone and so many seconds ahead, (`LOOKS_S`, actors); where the
        ground ahead is not known, that which is under them."""
        if self.ground.level:
            return np.zeros((LOOKS_S.size, len(self.actors)))
        east = self._place[0] + self._speed[0] * LOOKS_S[:, None]
        north = self._place[1] + self._speed[1] * LOOKS_S[:, None]
        heights = self.ground.height_m(east, north)
        return np.where(np.isnan(heights), heights[0], heights)

    def _wanted_on_path(self, now: float, ground: Array) -> Array:
        """Velocities that keep every actor on its path, (3, actors).

        Fliers look at the ground as far ahead as they lag behind a slope, so as not to meet it.
        """
        on_leg = now - self._leg_start_s
        wanted = np.zeros_like(self._speed)
        intended = self._leg_place + self._leg_speed * on_leg
        wanted[:2] = self._leg_speed + (intended - self._place[:2]) * FOLLOW_PER_S + self._unsteady
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

    def _fly(self, now: float, wanted: Array, fresh: list[int]) -> None:
        """What the pilots want. All look before any moves, so that their order does not matter."""
        wishes = [
            (index, pilot.steer(self._seen(moment, index, now)))
            for index, (pilot, moment) in self._pilots.items()
            if self._here[index]
        ]
        for index, wish in wishes:
            if wish is None:
                self._gone_s[index] = now
                self._here[index] = False
                continue
            wanted[:, index] = wish
            wanted[:2, index] += self._unsteady[:, index]
            if index in fresh:
                self._speed[:2, index] = wanted[:2, index]

    def _seen(self, moment: Moment, index: int, now: float) -> Moment:
        moment.time_s = now
        moment.place, moment.velocity = _vector(self._place[:, index]), _vector(self._speed[:, index])
        east, north = self._wind[:, index].tolist()
        moment.wind_mps = (east, north)
        moment.dives = False
        return moment

    def _state_of(self, name: str) -> Kinematics | None:
        index = self._index[name]
        return self.at(index, self.time_s) if self._here[index] else None

    def _replay(self, now: float) -> None:
        """Bodies that were really flown are where they were."""
        for index, track in self._replays.items():
            if self._here[index]:
                state = track.at(now)
                self._place[:, index], self._speed[:, index] = state.enu_m, state.velocity_mps

    def _give_way_to_ground(self, wanted: Array, ahead: list[Array]) -> None:
        """Fliers climb in time over ground that rises ahead; those that can slow down for it.

        Who dives means to meet the ground, or somebody on it.
        """
        if self.ground.level:
            return
        floor = self._place[2] - CLEAR_M
        need = np.maximum((ahead[0] - floor) / AHEAD_S[0], (ahead[1] - floor) / AHEAD_S[1])
        heeds = self._flies & self._here
        for index, (_, moment) in self._pilots.items():
            heeds[index] &= not moment.dives
        for index in self._runs:
            heeds[index] = False
        wanted[2] = np.where(heeds, np.maximum(wanted[2], need), wanted[2])
        room = 0.8 * self._limits.climb_mps
        slow = heeds & (need > room) & self._hovers
        if slow.any():
            wanted[:2] *= np.where(slow, room / np.where(slow, need, 1.0), 1.0)

    def _keep_off_ground(self, ground: Array) -> None:
        """No body below the ground, and none where the ground is not known."""
        here = self._here
        unknown = np.isnan(ground) & here
        if unknown.any():
            index = int(np.argmax(unknown))
            actor, (east, north, _) = self.actors[index], self._place[:, index].tolist()
            raise ConfigError(
                f"{actor.id} is at {east:.0f} m east, {north:.0f} m north of the site after "
                f"{self.time_s:.1f} s, where the elevation model knows no ground: outside it or in a void"
            )
        low = here & self._flies & (self._place[2] < ground + LEAST_AGL_M)
        if low.any():
            self._place[2] = np.where(low, ground + LEAST_AGL_M, self._place[2])
            self._speed[2] = np.where(low, np.maximum(self._speed[2], 0.0), self._speed[2])


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


def story(scenario: Scenario) -> tuple[Happening, ...]:
    """What happens in a scenario: strikes, impacts, watches; times in seconds after its start."""
    world = World(scenario)
    while world.time_s < scenario.head.duration_s:
        world.advance()
    return tuple(world.story)
