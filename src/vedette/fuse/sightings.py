"""Which sensors have seen a track, and when: all that most detections change of what is known of it.

Tracks that the same scans saw share one record, so that a scan makes few of them and not one for each track.
"""

import math

from msgspec import Struct

from vedette.fuse.sensing.sensors import Sensor
from vedette.fuse.settings import FuseSettings

NEVER = -math.inf
_MOST_SENSORS = 32
_KEPT_IN_MIND_S = 60.0
"""Of more sensors than that of one track, those that did not use it for so long are forgotten, and repeaters
of broadcasts that come then are not noted: anybody can invent names of such."""


class Sightings(Struct, frozen=True, array_like=True, gc=False):
    """``sensors``: last use of each, sorted by sensor. ``seen``: when an independent sensor saw it last, and
    ``measured``: when one measured its height (`NEVER` if none did). ``held``: until when its place stands by
    what independent sensors measured of it, so that no report moves it."""

    sensors: tuple[tuple[str, float], ...] = ()
    seen: float = NEVER
    measured: float = NEVER
    held: float = NEVER

    @property
    def last(self) -> tuple[str, ...]:
        """The sensors that used it last: who stands for a body that nobody detects any more."""
        latest = max((used for _, used in self.sensors), default=NEVER)
        return tuple(name for name, used in self.sensors if used == latest)

    @property
    def independent(self) -> bool:
        """True if an independent sensor has seen it: it is more than a broadcast."""
        return self.seen > NEVER

    def after(
        self, sensor: str, time: float, *, checked: bool, raised: bool, held: float = NEVER
    ) -> "Sightings":
        """After a use of this sensor, which is independent if ``checked``, measured a height if ``raised``,
        and a place that stands until ``held``."""
        return Sightings(
            with_sensor(self.sensors, sensor, time, measures=checked),
            time if checked else self.seen,
            time if checked and raised else self.measured,
            max(self.held, held),
        )

    def joined(self, other: "Sightings") -> "Sightings":
        """Those of a track into which another one of the same body goes up."""
        return Sightings(
            self.sensors,
            max(self.seen, other.seen),
            max(self.measured, other.measured),
            max(self.held, other.held),
        )


NONE = Sightings()


def held_until(sensor: Sensor, time: float, settings: FuseSettings) -> float:
    """Until when a place that this independent sensor measured at ``time`` is not moved by reports: of one
    for which nobody vouches not at all, for its word is no better than theirs."""
    if not sensor.vouched:
        return NEVER
    return time + max(settings.claim_hold_s, 1.5 * sensor.period_s)


def with_sensor(
    sensors: tuple[tuple[str, float], ...], sensor: str, time: float, *, measures: bool = True
) -> tuple[tuple[str, float], ...]:
    """The last use of each sensor, with this one's brought up to date, sorted by sensor. ``measures``: it
    does, and so is noted however many there are."""
    if len(sensors) == 1 and sensors[0][0] == sensor:
        return ((sensor, time),)
    others = [s for s in sensors if s[0] != sensor]
    if len(others) >= _MOST_SENSORS:
        others = [s for s in others if time - s[1] <= _KEPT_IN_MIND_S]
        if len(others) >= _MOST_SENSORS and len(others) == len(sensors) and not measures:
            return sensors
    return tuple(sorted([*others, (sensor, time)]))
