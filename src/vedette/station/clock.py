"""Station time: never decreases, survives a stepped wall clock, runs faster for recorded input.

Station time follows the monotonic clock. At speed 1 it is slewed towards the wall clock by at most
5 % of the time that passes; a step of the wall clock is reported, not followed. At another speed the
station is an exercise: time starts at the wall clock and runs ``speed`` times as fast.
"""

import asyncio
import time
from collections.abc import Callable

SLEW = 0.05
"""Largest part of the passing time by which station time is pulled towards the wall clock."""
STEP_S = 0.5
"""A difference to the wall clock beyond this is a step, to be logged."""


class StationClock:
    """Implements ``vedette.station.ports.Clock``.

    ``start`` is the earliest allowed station time (the end of the log before it), so that ``at`` never
    decreases across a restart. ``wall`` and ``monotonic`` are the clocks to read, in seconds.
    """

    def __init__(
        self,
        speed: float = 1.0,
        start: float = 0.0,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.speed = speed
        self._wall = wall
        self._monotonic = monotonic
        self._mono = monotonic()
        self._wall0 = wall()
        self._at = max(start, self._wall0)
        self._base = self._at
        self._mono0 = self._mono
        self._stepped = 0.0

    def now(self) -> float:
        """Station time in Unix seconds; never decreases."""
        mono = self._monotonic()
        passed = (mono - self._mono) * self.speed
        self._mono = mono
        if passed <= 0.0:
            return self._at
        self._at += passed
        if self.speed == 1.0:
            self._at += self._slew(passed)
        return self._at

    def step(self) -> float | None:
        """The wall clock's jump since it was last asked (s), if it is beyond ``STEP_S``."""
        if self.speed != 1.0:
            return None
        jumped = (self._wall() - self._wall0) - (self._monotonic() - self._mono0)
        if abs(jumped - self._stepped) < STEP_S:
            return None
        step, self._stepped = jumped - self._stepped, jumped
        return step

    def from_wall(self, wall_s: float) -> float:
        """Wall-clock Unix seconds -> station time."""
        return self.now() + (wall_s - self._wall()) * self.speed

    def to_wall(self, at_s: float) -> float:
        """Station time -> wall-clock Unix seconds."""
        return self._wall() + (at_s - self.now()) / self.speed

    async def sleep_until(self, at_s: float) -> None:
        """Return when station time has reached ``at_s``."""
        while (left := at_s - self.now()) > 0.0:
            await asyncio.sleep(left / self.speed)

    def _slew(self, passed: float) -> float:
        """How far to pull towards the wall clock; a pull backwards only slows time, never turns it."""
        ahead = self._at - self._wall()
        return -max(-SLEW * passed, min(SLEW * passed, ahead))
