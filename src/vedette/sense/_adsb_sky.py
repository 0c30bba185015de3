"""What is known of each aircraft from its messages, and how often it is handed on.

Position, speed, name and accuracy come in messages of their own. An aircraft is heard several times a
second and a picture of airliners needs no more than one, so each is handed on once in a period: the
first position at once, then always the freshest. The table is bounded; who transmits under invented
addresses makes it forget those that were heard least recently.
"""

import heapq
import math
from collections import OrderedDict

from msgspec import Struct

NOT_ICAO = 1 << 24
"""Bit of a key that tells an address which is no ICAO one from the ICAO address of the same digits."""

VELOCITY_LIFE_S = 3.0
"""Sent twice a second; an airliner in a turn changes direction by 9 degrees in this time."""
DIFFERENCE_LIFE_S = 15.0
"""How long a height difference to the barometric altitude holds: it moves with the altitude, by about a
twentieth of it."""
HELD_S = 5.0
"""A position that could not be handed on for so long (nothing else was heard) is history."""


def key_of(address: int, is_icao: bool) -> int:
    """Key of an aircraft. All zeros and all ones are never assigned (ICAO Annex 10 volume III, part I,
    9.2.1), so they are no ICAO addresses whoever says so."""
    return address if is_icao and 0 < address < 0xFFFFFF else address | NOT_ICAO


class Sighting(Struct, frozen=True):
    """One position. None is unknown. ``time`` is when it was measured, ``received`` when it was heard;
    ``doubt_s`` the one-sigma doubt of ``time``; ``radius_m`` the sender's own 95 % bound."""

    time: float
    received: float
    lat_deg: float
    lon_deg: float
    source: str | None = None
    on_ground: bool | None = None
    baro_ft: float | None = None
    ellipsoid_ft: float | None = None
    radius_m: float | None = None
    rssi_dbfs: float | None = None
    doubt_s: float = 0.0


class Aircraft(Struct):
    """What is known of one aircraft. ``velocity_mps`` is east, north, up; ``difference_ft`` height above
    the ellipsoid less barometric altitude; the ``_at`` are times of receipt."""

    key: int
    velocity_mps: tuple[float, float, float] | None = None
    velocity_at: float = -math.inf
    difference_ft: float | None = None
    difference_at: float = -math.inf
    callsign: str | None = None
    category: str | None = None
    squawk: str | None = None
    nac_p: int | None = None
    held: Sighting | None = None
    placed: Sighting | None = None
    """The last one handed on."""
    waiting: bool = False
    passed_at: float = -math.inf
    due_at: float = -math.inf

    def velocity(self, now: float) -> tuple[float, float, float] | None:
        """The velocity, while it is fresh."""
        return self.velocity_mps if now - self.velocity_at <= VELOCITY_LIFE_S else None

    def difference(self, now: float) -> float | None:
        """The height difference in feet, while it is fresh."""
        return self.difference_ft if now - self.difference_at <= DIFFERENCE_LIFE_S else None


class Sky:
    """All aircraft of one feed: at most ``most``, and at most one sighting of each in ``period_s``.
    ``forgotten`` counts aircraft that made room for others, ``late`` sightings that waited too long."""

    def __init__(self, period_s: float, most: int) -> None:
        self.forgotten = 0
        self.late = 0
        self._period_s, self._most = period_s, most
        self._aircraft: OrderedDict[int, Aircraft] = OrderedDict()
        self._queue: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._aircraft)

    def of(self, key: int) -> Aircraft:
        """The aircraft of a key: heard now, so the last to be forgotten."""
        aircraft = self._aircraft.get(key)
        if aircraft is None:
            aircraft = self._aircraft[key] = Aircraft(key)
            if len(self._aircraft) > self._most:
                self._aircraft.popitem(last=False)
                self.forgotten += 1
        else:
            self._aircraft.move_to_end(key)
        return aircraft

    def place(self, aircraft: Aircraft, sighting: Sighting) -> None:
        """A newer position: it takes the place of one that still waits."""
        aircraft.held = sighting
        if not aircraft.waiting:
            aircraft.waiting = True
            aircraft.due_at = aircraft.passed_at + self._period_s
            heapq.heappush(self._queue, (aircraft.due_at, aircraft.key))

    def due(self, now: float) -> list[tuple[Aircraft, Sighting]]:
        """What may be handed on at ``now``, the longest due first; equal ones by key."""
        found: list[tuple[Aircraft, Sighting]] = []
        while self._queue and self._queue[0][0] <= now:
            due_at, key = heapq.heappop(self._queue)
            aircraft = self._aircraft.get(key)
            # One that was forgotten and came again must not go by what it waited for before.
            if aircraft is None or aircraft.held is None or aircraft.due_at != due_at:
                continue
            sighting, aircraft.held, aircraft.waiting = aircraft.held, None, False
            if now - sighting.received > HELD_S:
                self.late += 1
                continue
            aircraft.passed_at, aircraft.placed = now, sighting
            found.append((aircraft, sighting))
        return found
