"""Where sensors say that they stand, on the way into the log: each place at most every few seconds.

A sensor that moves (or one whose sender plays with its place) makes the tracker run its window again for
each new place; so the newest one waits for its turn, and all sensors together have a pace.
"""

from collections.abc import Callable

from vedette.model import SensorProfile

EACH_S = 5.0
"""Between two places of one sensor."""
ALL_S = 1.0
"""Between two places of any."""
MOST_SENSORS = 256


class SensorPlaces:
    """``enter`` takes a profile that is to be known from now on. The same profile again is no news."""

    def __init__(self, enter: Callable[[SensorProfile], None]) -> None:
        self._enter = enter
        self._known: dict[str, SensorProfile] = {}
        self._entered: dict[str, float] = {}
        self._waiting: dict[str, SensorProfile] = {}
        self._last = float("-inf")

    def take(self, profile: SensorProfile, at: float) -> None:
        """A sensor's word at station time ``at``; the first one goes in at once, if none just did."""
        if self._known.get(profile.id) == profile:
            self._waiting.pop(profile.id, None)
            return
        if profile.id not in self._known and len(self._known) + len(self._waiting) >= MOST_SENSORS:
            return
        self._waiting[profile.id] = profile
        self.due(at)

    def due(self, at: float) -> None:
        """Enter the one that has waited longest, if its time has come."""
        if at - self._last < ALL_S:
            return
        for name, profile in self._waiting.items():
            if at - self._entered.get(name, float("-inf")) >= EACH_S:
                del self._waiting[name]
                self._known[name], self._entered[name], self._last = profile, at, at
                self._enter(profile)
                return
