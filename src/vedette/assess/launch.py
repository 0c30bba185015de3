"""Where tracks may have been launched: their first seconds, carried back to the ground.

A multirotor climbs before or while it leaves, so that a height h above its ground was gained in h / c
seconds at a climb rate c, during which it went at most as far as its speed over ground allows. With the
slowest of `AssessSettings.launch_climb_mps` the way back is at most v h / c, and nothing for one that
climbed first. Its direction is the reverse of the course of the first seconds, and
the longer the way the less of it is known; no ground, road or wind is taken into account. What was seen
first at the edge of a sensor's reach may have come from farther than any of this says.
"""

import math

from msgspec import Struct

from vedette.assess.settings import AssessSettings
from vedette.model.launch import LaunchArea
from vedette.model.track import Track

_MOST_TRACKS = 4096
_STANDS_MPS = 1.0
"""Below this speed a course says nothing."""


class FirstSeconds(Struct):
    """Where a track was first seen (metres), and its mean velocity over ``count`` looks since (m/s).

    ``time`` of the first look, ``last`` of the last one that counts, ``seen`` of the last one, Unix seconds.
    """

    time: float
    last: float
    seen: float
    e: float
    n: float
    height: float
    count: int
    ve: float
    vn: float
    height_known: bool


class Launches:
    """Keeps the first ``launch_window_s`` of every track; the oldest are forgotten beyond a limit."""

    def __init__(self, settings: AssessSettings) -> None:
        self._settings = settings
        self.held: dict[str, FirstSeconds] = {}

    def take(self, tracks: tuple[Track, ...], at: float) -> None:
        """Note the tracks at ``at`` (Unix seconds), and forget those that are gone for long."""
        s = self._settings
        for track in tracks:
            first = self.held.get(track.id)
            if first is None:
                self.held[track.id] = _begin(track, at)
                continue
            first.seen = at
            if first.last < at <= first.time + s.launch_window_s:
                _extend(first, track, at)
        gone = [name for name, first in self.held.items() if at - first.seen > s.loiter_latch_s]
        for name in gone:
            del self.held[name]
        if len(self.held) > _MOST_TRACKS:
            kept = sorted(self.held.items(), key=lambda item: (item[1].time, item[0]))[-_MOST_TRACKS:]
            self.held = dict(kept)

    def areas(self, tracks: tuple[Track, ...]) -> tuple[LaunchArea, ...]:
        """The launch area of each of these tracks that has one, in their order."""
        found = (self._area(track.id) for track in tracks)
        return tuple(area for area in found if area is not None)

    def _area(self, name: str) -> LaunchArea | None:
        first, s = self.held.get(name), self._settings
        if first is None or first.count < s.launch_looks:
            return None
        speed = math.hypot(first.ve, first.vn)
        height = max(first.height, 0.0) if first.height_known else s.launch_height_m
        far = max(speed * height / s.launch_climb_mps, s.launch_least_m)
        course = math.atan2(-first.ve, -first.vn) if speed > _STANDS_MPS else 0.0
        sigma = s.launch_sigma_deg if speed > _STANDS_MPS else 180.0
        return LaunchArea(
            track=name,
            time=first.time,
            enu_m=(first.e, first.n),
            azimuth_deg=math.degrees(course) % 360.0,
            azimuth_sigma_deg=sigma,
            far_m=far,
            height_known=first.height_known,
        )


def _begin(track: Track, at: float) -> FirstSeconds:
    east, north, up = track.enu_m
    ve, vn, _ = track.velocity_mps
    return FirstSeconds(at, at, at, east, north, up, 1, ve, vn, track.height_known)


def _extend(first: FirstSeconds, track: Track, at: float) -> None:
    """The running mean of the velocity; the place stays, and the height is taken when it becomes known."""
    first.last, first.count = at, first.count + 1
    first.ve += (track.velocity_mps[0] - first.ve) / first.count
    first.vn += (track.velocity_mps[1] - first.vn) / first.count
    if track.height_known and not first.height_known:
        first.height, first.height_known = track.enu_m[2], True
