"""Where every flier was in a stretch of time, as arrays that any moment can be read from."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from vedette.simulate.kinds import ENVELOPES
from vedette.simulate.scenario import Actor
from vedette.simulate.sensing.catalogue import Signature, signature_of
from vedette.simulate.world import STEP_S, World

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

LOOKBACK_S = 6.0
"""How much of the past is kept: sound takes so long over 2 km."""


class Flier(Struct, frozen=True):
    """An actor that can be sensed: its index in the world and what there is to be sensed."""

    index: int
    id: str
    signature: Signature


def fliers(actors: tuple[Actor, ...]) -> tuple[Flier, ...]:
    """All actors that fly and have a signature: that of their kind, unless they name another."""
    found = []
    for index, actor in enumerate(actors):
        signature = signature_of(actor.signature or actor.kind)
        if signature is not None and ENVELOPES[actor.kind].airborne:
            found.append(Flier(index, actor.id, signature))
    return tuple(found)


class Motion:
    """Grows step by step with `note`; `at` reads any moment between the oldest step kept and the newest."""

    def __init__(self, world: World, who: tuple[Flier, ...]) -> None:
        self._world, self._who = world, who
        self._places: list[F64] = []
        self._speeds: list[F64] = []
        self._here: list[NDArray[np.bool_]] = []
        self._first = 0

    def note(self) -> None:
        """Take down the current step of the world."""
        place, speed = np.zeros((len(self._who), 3)), np.zeros((len(self._who), 3))
        here = np.zeros(len(self._who), np.bool_)
        now = self._world.time_s
        for row, flier in enumerate(self._who):
            if self._world.present(flier.index):
                state = self._world.at(flier.index, now)
                place[row], speed[row], here[row] = state.enu_m, state.velocity_mps, True
        self._places.append(place)
        self._speeds.append(speed)
        self._here.append(here)

    def forget_before(self, time_s: float) -> None:
        """Drop what is older than `LOOKBACK_S` before this time."""
        drop = int((time_s - LOOKBACK_S) / STEP_S) - self._first
        if drop > 0:
            del self._places[:drop], self._speeds[:drop], self._here[:drop]
            self._first += drop

    def arrays(self) -> "Stretch":
        """What is kept, as arrays."""
        return Stretch(self._first, np.array(self._places), np.array(self._speeds), np.array(self._here))


class Stretch:
    """Places (steps, fliers, 3), velocities and presence from step ``first`` on."""

    def __init__(self, first: int, places: F64, speeds: F64, here: NDArray[np.bool_]) -> None:
        self._first, self._places, self._speeds, self._here = first, places, speeds, here
        self._columns = np.arange(places.shape[1])

    def at(self, time_s: F64) -> tuple[F64, F64, NDArray[np.bool_]]:
        """Place and velocity (looks, fliers, 3) and presence (looks, fliers) at ``time_s`` (looks, fliers).

        Acceleration is constant within a step, as in the world, so this is what `World.at` gives, but for a
        step in which a body meets the end of its flight.
        """
        last = len(self._places) - 1
        wanted = np.floor(time_s / STEP_S + 1e-9).astype(np.int64) - self._first
        step = np.clip(wanted, 0, last)
        after = np.clip(time_s - (step + self._first) * STEP_S, 0.0, STEP_S)[..., None]
        following = np.minimum(step + 1, last)
        speed = self._speeds[step, self._columns]
        both = self._here[step, self._columns] & self._here[following, self._columns]
        push = np.where(both[..., None], (self._speeds[following, self._columns] - speed) / STEP_S, 0.0)
        place = self._places[step, self._columns] + speed * after + push * (0.5 * after * after)
        here = self._here[step, self._columns] & (wanted >= 0)
        return place, speed + push * after, here
