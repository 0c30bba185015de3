"""One ASTERIX source (SAC/SIC): its clock, its turns, its place, and what it says is wrong with itself.

Times are seconds on the receiver's scale (Unix, UTC), before anything is put right; ``sent`` is what the
sender wrote.

- The time of day has no date: the day is the one that brings it nearest to what the source's clock has
  shown so far, so that a clock half a day off does not jump over midnight.
- A scan is one turn of the antenna, counted from north crossing to north crossing (CAT034 north marker,
  or the sector that begins at 0 degrees). A plot belongs to the turn that its own time falls into, not to
  the one in which it came: near north the two differ.
- A network that sends everything twice (two LANs are usual) is one witness: a message that is equal in all
  its items, time of day included, is taken once.
- What a source says against itself (not operational, overloaded, time source invalid, jammed) holds for
  ``HOLD_S`` and has to be said again: one forged message shall not silence a radar for good.
"""

import math
from collections import OrderedDict, deque

from msgspec import Struct

from vedette.model import SensorProfile
from vedette.model.site import SensorType
from vedette.sense.clocks import SenderClock, Timed
from vedette.wire.asterix import Message, RadarService, unix_time

TOLERATED_S = (-0.5, 4.0)
"""``received - sent`` of a time that is used as it is: radars send plots sector by sector, up to seconds
late, and never early."""
MOST_OFF_S = 50_000.0
"""A clock half a day off that is put right shall not count as a whole day off from then on."""
HOLD_S = 30.0
DUE_TURNS = 2.5
"""A source that turns gives a sign of life within as many turns."""
USUAL_PERIOD_S = 4.0
"""Of a rotating radar that does not say; it only matters to one that is configured as searching."""
NO_EVIDENCE = 0.5
"""Detection probability of a radar that states none: low, so that its silence means little."""
MOVED_M = 1.0
MOST_REMEMBERED = 512
PERIODS_S = (0.2, 120.0)

_NORTH_MARKER, _SECTOR, _JAMMED = 1, 2, 4
_METRES_PER_DEGREE = 111_320.0

TROUBLES = {
    "not-operational": "it says that it is not operational: what it sends is not used",
    "overloaded": "it says that it is overloaded and leaves plots out",
    "time-source": "it says that its time source is invalid",
    "jammed": "it reports jamming",
}


class Place(Struct, frozen=True):
    """Where the source says that it stands; ``height_m`` above the WGS-84 ellipsoid (I034/120)."""

    lat_deg: float
    lon_deg: float
    height_m: float

    def near(self, other: "Place") -> bool:
        """True within `MOVED_M` on each axis."""
        east = (self.lon_deg - other.lon_deg) * math.cos(math.radians(self.lat_deg))
        steps = ((self.lat_deg - other.lat_deg) * _METRES_PER_DEGREE, east * _METRES_PER_DEGREE)
        return max(map(abs, (*steps, self.height_m - other.height_m))) <= MOVED_M


class Source:
    """What is known of one source. ``sensor`` is its id as a sensor."""

    def __init__(self, sensor: str) -> None:
        self.sensor = sensor
        self.clock = SenderClock()
        self.place: Place | None = None
        self.period_s: float | None = None
        self.raised = False
        """True once a plot had an elevation: then it is a 3D radar."""
        self.categories: dict[int, None] = {}
        self._crossings: deque[tuple[float, int]] = deque(maxlen=4)
        self._seen: OrderedDict[Message, None] = OrderedDict()
        self._held: dict[str, float] = {}
        self._told: SensorProfile | None = None

    @property
    def due_s(self) -> float | None:
        """The longest time until its next sign of life, if it turns."""
        return None if self.period_s is None else DUE_TURNS * self.period_s

    def repeats(self, message: Message) -> bool:
        """True for a message that has been heard before; remembers it."""
        if message.time_of_day_s is None:
            return False
        known = message in self._seen
        self._seen[message] = None
        if len(self._seen) > MOST_REMEMBERED:
            self._seen.popitem(last=False)
        return known

    def sent(self, message: Message, received: float) -> float | None:
        """When the source says that it was; None if it does not. Notes its clock."""
        if message.time_of_day_s is None:
            return None
        sent = unix_time(message.time_of_day_s, received - (self.clock.behind_s or 0.0))
        if abs(received - sent) > MOST_OFF_S:
            sent = unix_time(message.time_of_day_s, received)
        self.clock.note(sent, received)
        return sent

    def timed(self, sent: float | None, received: float) -> Timed:
        """When to take it for made."""
        if sent is None:
            return Timed(received, 1.0)
        return self.clock.timed(sent, received, TOLERATED_S)

    def scan(self, sent: float | None) -> int | None:
        """The turn in which the antenna was then; None before the first crossing that was heard."""
        if sent is None:
            return None
        return next((number for at, number in reversed(self._crossings) if at <= sent), None)

    def serve(self, service: RadarService, sent: float | None, received: float) -> None:
        """Take in what a service message says of the radar itself."""
        self._note_troubles(service, received)
        if service.lat_deg is not None and service.lon_deg is not None and service.height_m is not None:
            self._move(Place(service.lat_deg, service.lon_deg, service.height_m))
        stated = service.rotation_period_s
        if stated is not None and PERIODS_S[0] <= stated <= PERIODS_S[1]:
            self.period_s = stated
        north = service.message_type == _NORTH_MARKER or (
            service.message_type == _SECTOR and service.sector_azimuth_deg == 0.0
        )
        if north and sent is not None:
            self._cross(sent)

    def troubles(self, at: float) -> dict[str, str]:
        """What it says is wrong with it, by slug, in words."""
        return {what: TROUBLES[what] for what, until in self._held.items() if until > at}

    def operates(self, at: float) -> bool:
        """False while it says itself that its data are not to be used."""
        return self._held.get("not-operational", -math.inf) <= at

    def news(self) -> SensorProfile | None:
        """Its profile, if its place is known and the profile is another than before."""
        if self.place is None:
            return None
        kind: SensorType = "radar-3d" if self.raised else "radar-2d"
        profile = SensorProfile(
            id=self.sensor,
            type=kind,
            lat_deg=self.place.lat_deg,
            lon_deg=self.place.lon_deg,
            alt_m=self.place.height_m,
            alt_datum="wgs84-ellipsoid",
            period_s=self.period_s or USUAL_PERIOD_S,
            detection_probability=NO_EVIDENCE,
        )
        if profile == self._told:
            return None
        self._told = profile
        return profile

    def words(self) -> str:
        """What it is, for the desk."""
        said = [" and ".join(f"CAT{category:03d}" for category in sorted(self.categories))]
        if self.period_s is not None:
            said.append(f"one turn in {self.period_s:.1f} s")
        if self.place is not None:
            said.append(f"stands at {self.place.lat_deg:.4f} {self.place.lon_deg:.4f}")
        elif self.categories.keys() & {48, 15, 205}:
            said.append(f"does not say where it stands: the configuration must, as sensor {self.sensor}")
        return ", ".join(said)

    def _note_troubles(self, service: RadarService, received: float) -> None:
        stated = (
            ("not-operational", service.not_operational),
            ("overloaded", service.overloaded),
            ("time-source", service.time_source_invalid),
            ("jammed", True if service.message_type == _JAMMED else None),
        )
        for what, true in stated:
            if true:
                self._held[what] = received + HOLD_S
            elif true is not None:
                self._held.pop(what, None)

    def _move(self, place: Place) -> None:
        if self.place is None or not place.near(self.place):
            self.place = place

    def _cross(self, sent: float) -> None:
        """The antenna passes north; said twice (marker and sector), it is one crossing."""
        if not self._crossings:
            self._crossings.append((sent, int(sent)))
            return
        last, number = self._crossings[-1]
        turn = sent - last
        if turn <= 0.5 * (self.period_s or 2.0 * PERIODS_S[0]):
            return
        self._crossings.append((sent, number + 1))
        if self.period_s is None and turn <= PERIODS_S[1]:
            self.period_s = round(turn, 1)
