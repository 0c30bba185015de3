"""Sensors that measure from their own place while nobody has said where that is.

Such a feed is alive and nothing of it can be tracked: that must not look like watching (law 2).
"""

from collections.abc import Callable, Iterable

from vedette.model import Detection, SensorProfile
from vedette.model.detection import Bearing, EmptyScan, RangeBearing

GRACE_S = 10.0
"""A sensor that states its place may do so some seconds after its first measurement."""
NAMED = 3
MOST_SENSORS = 64
"""Kept for each feed."""
TROUBLE = "unplaced"
MOST_FEEDS = 500
POLAR = (RangeBearing, Bearing, EmptyScan)


class UnplacedSensors:
    """``placed`` gives the sensors whose place is known; ``tell`` gets a feed's trouble (None = over)."""

    def __init__(
        self,
        placed: Callable[[], Iterable[SensorProfile]],
        tell: Callable[[str, str, str | None], None],
    ) -> None:
        self._placed, self._tell = placed, tell
        self._known: frozenset[str] = frozenset()
        self._since: dict[str, dict[str, float]] = {}
        self._told: dict[str, str] = {}

    def look(self, feed: str, detections: Iterable[Detection], at: float) -> None:
        """Detections of ``feed`` that came at station time ``at``."""
        polar = {d.sensor for d in detections if isinstance(d.measure, POLAR)}
        since = self._since.get(feed, {})
        if (polar <= self._known and not since) or (
            feed not in self._since and len(self._since) >= MOST_FEEDS
        ):
            return
        self._known = frozenset(profile.id for profile in self._placed())
        since = {sensor: first for sensor, first in since.items() if sensor not in self._known}
        for sensor in sorted(polar - self._known):
            if len(since) < MOST_SENSORS:
                since.setdefault(sensor, at)
        self._since[feed] = since
        self._say(feed, sorted(sensor for sensor, first in since.items() if at - first >= GRACE_S))

    def _say(self, feed: str, lost: list[str]) -> None:
        words = words_of(lost) if lost else None
        if words != self._told.get(feed):
            self._tell(feed, TROUBLE, words)
        if words is None:
            self._told.pop(feed, None)
        else:
            self._told[feed] = words


def words_of(lost: list[str]) -> str:
    """What the desk reads of these sensors."""
    named = ", ".join(sensor[:80] for sensor in lost[:NAMED])
    more = f" and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
    return (
        f"nothing of {named}{more} can be tracked, for nobody has said where it stands: write a [[sensor]]"
        " with that id"
    )
