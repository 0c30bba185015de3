"""What may enter the tracker: every detection becomes a plot, or a count with its reason.

An attacker transmits too: nothing that arrives may move time, fill memory or stop the tracker.
"""

import math
from collections.abc import Iterable

from msgspec import structs

from vedette.fuse.plots import Plot, Plotter, Unusable, impersonal
from vedette.fuse.sensors import Sensor, sensor_of, unknown_sensor
from vedette.fuse.settings import FUTURE_S, LATE_WINDOW_S, FuseSettings
from vedette.model import Detection, SensorProfile, Site

_MOST_UNKNOWN_SENSORS = 256


class Intake:
    """Turns detections into plots and counts what it refuses in ``counts``.

    ``profiles`` are the operator's, ``reported`` those of sensors that described themselves. ``vouched``:
    the sensors whose word on what a body is counts everywhere."""

    def __init__(
        self,
        site: Site,
        profiles: tuple[SensorProfile, ...],
        settings: FuseSettings,
        reported: tuple[SensorProfile, ...] = (),
    ) -> None:
        self._settings = settings
        self._plotter = Plotter(site, settings)
        self._sensors = {
            profile.id: sensor_of(profile, site, self._plotter.frame, settings, configured=configured)
            for some, configured in ((reported, False), (profiles, True))
            for profile in some
        }
        self.vouched = frozenset(name for name, sensor in self._sensors.items() if sensor.vouched)
        self._unknown: dict[str, Sensor] = {}
        self.counts: dict[str, int] = {}

    def count(self, what: str, by: int = 1) -> None:
        """Count something refused or worth knowing."""
        self.counts[what] = self.counts.get(what, 0) + by

    def plots(self, detections: Iterable[Detection], at: float) -> list[Plot]:
        """The usable ones, in canonical order. ``at``: station time."""
        plots = [plot for d in detections if (plot := self._admit(d, at)) is not None]
        return sorted(plots, key=lambda plot: plot.key)

    def _admit(self, detection: Detection, at: float) -> Plot | None:
        reason = _refusal(detection, at)
        if reason is not None:
            self.count(reason)
            return None
        if detection.time > at + FUTURE_S:
            # A sensor whose clock is ahead still warns, at the time its word arrived.
            self.count("future-held-at-station-time")
            detection = structs.replace(detection, time=at)
        try:
            return self.plot(impersonal(detection))
        except Unusable as unusable:
            self.count(str(unusable))
            return None

    def plot(self, detection: Detection, content: bytes | None = None) -> Plot:
        """The plot of one detection, without looking at its time. Raises Unusable."""
        return self._plotter.plot(detection, self._sensor(detection.sensor), content)

    def _sensor(self, name: str) -> Sensor:
        sensor = self._sensors.get(name) or self._unknown.get(name)
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
