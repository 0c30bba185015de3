"""A trajectory that was really flown, as it was: times and places handed in by the caller."""

from bisect import bisect_right
from typing import Annotated

from msgspec import Meta, Struct

from vedette.model.track import Vector3
from vedette.simulate.behaviours.moment import Kinematics


class Replay(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """``times_s`` (after the scenario's start, ascending) and ``enu_m`` (east, north, up of the site). The
    body is there from the first time to the last and moves straight between two places; no limit of its
    kind is applied to what was really flown."""

    times_s: Annotated[tuple[float, ...], Meta(min_length=2, max_length=200_000)]
    enu_m: Annotated[tuple[Vector3, ...], Meta(min_length=2, max_length=200_000)]


class Track:
    """A replay that can be asked for any moment."""

    def __init__(self, plan: Replay) -> None:
        self._times, self._places = plan.times_s, plan.enu_m
        self.first_s, self.last_s = plan.times_s[0], plan.times_s[-1]

    def at(self, time_s: float) -> Kinematics:
        """Place and velocity; before the first time and after the last, those of the nearest leg."""
        after = min(max(bisect_right(self._times, time_s), 1), len(self._times) - 1)
        t0, t1 = self._times[after - 1], self._times[after]
        start, end = self._places[after - 1], self._places[after]
        lasts = t1 - t0
        velocity = ((end[0] - start[0]) / lasts, (end[1] - start[1]) / lasts, (end[2] - start[2]) / lasts)
        past = time_s - t0
        place = (
            start[0] + velocity[0] * past,
            start[1] + velocity[1] * past,
            start[2] + velocity[2] * past,
        )
        return Kinematics(place, velocity)
