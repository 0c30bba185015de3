"""A flock: birds that keep together and turn together, by Reynolds' three rules.

Separation, alignment and cohesion (Reynolds, Flocks, herds and schools, SIGGRAPH 1987), a common heading
that now and then turns by some degrees, and each bird's own unrest. One step moves the whole flock.
"""

import math

import numpy as np
from numpy.typing import NDArray

from vedette.model.track import Vector3
from vedette.simulate.behaviours.birds import carried
from vedette.simulate.behaviours.moment import Moment
from vedette.simulate.behaviours.plans import Flocking
from vedette.simulate.behaviours.steering import STEP_S
from vedette.simulate.plane import compass, direction, leaning, turned
from vedette.simulate.streams import Normals, stream

Array = NDArray[np.float64]

APART_M = 4.0
"""Birds keep this far apart: a few wing spans."""
NEAR_M = 80.0
"""Birds further away are not attended to."""
ALIGN, GATHER, PART, HEAD, UNREST = 0.9, 0.06, 1.6, 0.5, 0.7
UNREST_S = 2.0


class Flock:
    """What the birds of one flock share: who is where, and the heading that they agree on."""

    def __init__(self, name: str, plan: Flocking, seed: int) -> None:
        self._plan = plan
        self._chance = stream(seed, "flock", name)
        self._normals = Normals(self._chance, 16)
        self.heading = compass(plan.heading_deg)
        self._turn_in_s = plan.turn_s * float(self._chance.random())
        self._members: list[str] = []
        self._at_s = -1.0
        self._wishes: dict[str, tuple[float, float, float]] = {}

    def join(self, name: str) -> None:
        """One more bird."""
        self._members.append(name)

    def wish(self, name: str, now: Moment) -> tuple[float, float, float]:
        """Where one bird wants to fly, through the air: an unscaled direction, and a climb."""
        if now.time_s > self._at_s:
            self._at_s = now.time_s
            self._decide(now)
        return self._wishes.get(name, (*self.heading, 0.0))

    def _decide(self, now: Moment) -> None:
        self._turn_in_s -= STEP_S
        if self._turn_in_s <= 0.0:
            self._turn_in_s = self._plan.turn_s * (0.5 + float(self._chance.random()))
            bend = self._normals.next() * self._plan.turn_deg / 57.29577951308232
            self.heading = direction(turned(self.heading, leaning(bend)))
        here = [(name, state) for name in self._members if (state := now.of(name)) is not None]
        places = np.array([state.enu_m for _, state in here])
        speeds = np.array([state.velocity_mps for _, state in here])
        pulls = _rules(places, speeds)
        self._wishes = {name: tuple(row) for (name, _), row in zip(here, pulls.tolist(), strict=True)}


def _rules(places: Array, speeds: Array) -> Array:
    """Reynolds' rules for all birds at once, (birds, 3). Sums go over the first axis, in order."""
    gaps = places[:, None, :] - places[None, :, :]
    """From each bird (second index) to each other (first)."""
    square = gaps[..., 0] * gaps[..., 0] + gaps[..., 1] * gaps[..., 1] + gaps[..., 2] * gaps[..., 2]
    near = ((square < NEAR_M * NEAR_M) & (square > 0.0)).astype(np.float64)
    count = np.maximum(near.sum(axis=0), 1.0)[:, None]
    gather = (gaps * near[..., None]).sum(axis=0) / count
    drift = (speeds[:, None, :] - speeds[None, :, :]) * near[..., None]
    align = drift.sum(axis=0) / count
    crowding = near * np.maximum(APART_M * APART_M - square, 0.0) / (APART_M * APART_M)
    part = -(gaps / np.sqrt(np.maximum(square, 0.25))[..., None] * crowding[..., None]).sum(axis=0)
    wish: Array = GATHER * gather + ALIGN * 0.1 * align + PART * part
    return wish


class FlockingPilot:
    """`plans.Flocking`: one bird of a `Flock`."""

    def __init__(self, name: str, plan: Flocking, flock: Flock, seed: int) -> None:
        self._name, self._plan, self._flock = name, plan, flock
        self._normals = Normals(stream(seed, "pilot", name), 64)
        self._keep = math.exp(-STEP_S / UNREST_S)
        self._unrest = (0.0, 0.0, 0.0)
        flock.join(name)

    def steer(self, now: Moment) -> Vector3 | None:
        """With the others."""
        push = UNREST * math.sqrt(1.0 - self._keep * self._keep)
        east, north, up = self._unrest
        self._unrest = (
            east * self._keep + push * self._normals.next(),
            north * self._keep + push * self._normals.next(),
            up * self._keep + push * self._normals.next(),
        )
        pull = self._flock.wish(self._name, now)
        heading = self._flock.heading
        course = direction(
            (
                heading[0] + HEAD * (pull[0] + 0.3 * self._unrest[0]),
                heading[1] + HEAD * (pull[1] + 0.3 * self._unrest[1]),
            ),
            heading,
        )
        return carried(now, course, self._plan.airspeed_mps, pull[2] + 0.5 * self._unrest[2])
