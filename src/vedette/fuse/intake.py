"""What may enter the tracker: every detection becomes a plot, or a count with its reason.

An attacker transmits too: nothing that arrives may move time, fill memory or stop the tracker.
"""

import math
from collections.abc import Iterable, Sequence
from operator import attrgetter

from msgspec import structs

from vedette.fuse.plots import Plot, Unusable, contents_of, impersonal
from vedette.fuse.plotter import Plotter
from vedette.fuse.sensing.ground import Ground
from vedette.fuse.sensing.sensors import Sensor, sensor_of, unknown_sensor
from vedette.fuse.settings import FUTURE_S, LATE_WINDOW_S, FuseSettings
from vedette.model import Detection, SensorProfile, Site

_MOST_UNKNOWN_SENSORS = 256
_key = attrgetter("key")


class Intake:
    """Turns detections into plots and counts what it refuses in ``counts``.

    ``profiles`` are the operator's, ``reported`` those of sensors that described themselves. ``vouched``:
    the sensors whose word on what a body is counts everywhere; ``known``: those with a profile."""

    def __init__(
        self,
        site: Site,
        profiles: tuple[SensorProfile, ...],
        settings: FuseSettings,
        reported: tuple[SensorProfile, ...] = (),
        ground: Ground | None = None,
    ) -> None:
        self._settings = settings
        self._plotter = Plotter(site, settings)
        self._sensors = {
            profile.id: sensor_of(
                profile, site, self._plotter.frame, settings, configured=configured, ground=ground
            )
            for some, configured in ((reported, False), (profiles, True))
            for profile in some
        }
        self.vouched = frozenset(name for name, sensor in self._sensors.items() if sensor.vouched)
        self.known = frozenset(self._sensors)
        self._unknown: dict[str, Sensor] = {}
        self.counts: dict[str, int] = {}

    def count(self, what: str, by: int = 1) -> None:
        """Count something refused or worth knowing."""
        self.counts[what] = self.counts.get(what, 0) + by

    def plots(self, detections: Iterable[Detection], at: float) -> list[Plot]:
        """The usable ones, in canonical order. ``at``: station time."""
        earliest, latest = at - LATE_WINDOW_S, at + FUTURE_S
        admitted = []
        for detection in detections:
            plain = detection.integrity is None and detection.claim is None
            if plain and earliest <= detection.time <= latest:
                admitted.append(detection)
            elif (usable := self._admit(detection, at)) is not None:
                admitted.append(usable)
        return sorted(self._placed(admitted), key=_key)

    def _admit(self, detection: Detection, at: float) -> Detection | None:
        reason = _refusal(detection, at)
        if reason is not None:
            self.count(reason)
            return None
        if detection.time > at + FUTURE_S:
            # A sensor whose clock is ahead still warns, at the time its word arrived.
            self.count("future-held-at-station-time")
            detection = structs.replace(detection, time=at)
        return impersonal(detection)

    def _placed(self, detections: list[Detection]) -> list[Plot]:
        contents: Sequence[bytes | None]
        try:
            contents = contents_of(detections)
        except Unusable:
            contents = [None] * len(detections)
        plots, plot, sensor = [], self._plotter.plot, None
        for detection, content in zip(detections, contents, strict=True):
            if sensor is None or sensor.id != detection.sensor:
                sensor = self._sensor(detection.sensor)
            try:
                plots.append(plot(detection, sensor, content))
            except Unusable as unusable:
                self.count(str(unusable))
        return plots

    def plot(self, detection: Detection, content: bytes | None = None) -> Plot:
        """The plot of one detection, without looking at its time. Raises Unusable."""
        return self._plotter.plot(detection, self._sensor(detection.sensor), content)

    def _sensor(self, name: str) -> Sensor:
        sensor = self._sensors.get(name)
        if sensor is not None:
            return sensor
        sensor = self._unknown.get(name)
        if sensor is None:
            sensor = unknown_sensor(name, self._settings)
            if len(self._unknown) < _MOST_UNKNOWN_SENSORS:
                self._unknown[name] = sensor
        return sensor


def _refusal(detection: Detection, at: float) -> str | None:
    """Why this detection is not fused, as far as its time and integrity say."""
    if not math.isfinite(detection.time):
        return "unusable-time"
    if detection.time < at - LATE_WINDOW_S:
        return "late"
    if detection.integrity is not None and detection.integrity.crc_ok is False:
        return "bad-crc"
    return None
