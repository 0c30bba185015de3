"""Sensors that are turned, or whose clocks are off, as the tracker finds by comparing them: told at the feed
that brings them, in words for whoever has to go out and look."""

from collections.abc import Callable, Iterable

from vedette.model import Detection, Registration

PERIOD_S = 60.0
"""Figures are told anew this often; that something is wrong, or no more, within `LOOK_S`."""
LOOK_S = 5.0
TROUBLE = "set-up of"
MOST_SENSORS = 256
_CLEAR_SIGMAS = 4.0
_LATE_S = 2.0


class AskewSensors:
    """``found`` gives what the tracker knows; ``tell`` gets a feed's trouble (None = over)."""

    def __init__(
        self,
        found: Callable[[], Iterable[Registration]],
        tell: Callable[[str, str, str | None], None],
    ) -> None:
        self._found, self._tell = found, tell
        self._feeds: dict[str, str] = {}
        self._told: dict[str, tuple[str, float]] = {}
        self._looked = float("-inf")

    def look(self, feed: str, detections: Iterable[Detection]) -> None:
        """Detections of ``feed`` came: it is the one that brings their sensors."""
        for sensor in {detection.sensor for detection in detections}:
            if sensor in self._feeds or len(self._feeds) < MOST_SENSORS:
                self._feeds[sensor] = feed

    def due(self, at: float) -> None:
        """Tell what is wrong at station time ``at``, if it is time to."""
        if 0.0 <= at - self._looked < LOOK_S:
            return
        self._looked = at
        wrong = {one.sensor: words for one in self._found() if (words := words_of(one)) is not None}
        for sensor in [name for name in self._told if name not in wrong]:
            del self._told[sensor]
            self._say(sensor, None)
        for sensor, words in wrong.items():
            before = self._told.get(sensor)
            if before is None or (words != before[0] and at - before[1] >= PERIOD_S):
                self._told[sensor] = words, at
                self._say(sensor, words)

    def _say(self, sensor: str, words: str | None) -> None:
        feed = self._feeds.get(sensor)
        if feed is not None:
            self._tell(feed, f"{TROUBLE} {sensor}", words)


def words_of(found: Registration) -> str | None:
    """What is wrong with the set-up of a sensor, if anything is."""
    parts = [part for part in (_azimuth(found), _clock(found)) if part is not None]
    return "; ".join(parts) or None


def _azimuth(found: Registration) -> str | None:
    bias = found.azimuth_bias_deg
    way = "clockwise" if bias > 0.0 else "anticlockwise"
    if found.astray:
        return (
            f"{found.sensor} is turned by about {abs(bias):.0f} degrees {way}: its directions are not used;"
            " repair its azimuth"
        )
    if found.azimuth_corrected:
        return (
            f"{found.sensor} points {abs(bias):.1f} degrees {way} of what the other sensors say (corrected):"
            " check its mounting"
        )
    if found.azimuth_disputed_with:
        others = _all(found.azimuth_disputed_with)
        return f"{found.sensor} or {others} is turned, and it is not known which: check their mountings"
    return None


def _clock(found: Registration) -> str | None:
    offset = found.clock_offset_s
    way = "ahead of" if offset > 0.0 else "behind"
    if found.clock_corrected:
        return (
            f"the clock of {found.sensor} is {abs(offset):.1f} s {way} the other sensors' (corrected): set it"
        )
    if abs(offset) > max(_CLEAR_SIGMAS * found.clock_sigma_s, _LATE_S):
        return f"the clock of {found.sensor} is {abs(offset):.1f} s {way} the other sensors': set it"
    if found.clock_disputed_with:
        others = _all(found.clock_disputed_with)
        return f"the clock of {found.sensor} or of {others} is off, and it is not known which: set them"
    return None


def _all(sensors: tuple[str, ...]) -> str:
    return " or ".join(sensors)
