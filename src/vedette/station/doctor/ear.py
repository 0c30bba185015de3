"""What one feed says, counted: a hub for one real peer that keeps figures and no data.

The weighing (states, clocks, floods) is the station's own (`vedette.station.health`); what is added is
what a technician asks for: which sensors, which kinds, how far, how many, and what refused bytes look like.
"""

from collections import Counter
from collections.abc import Iterable

from vedette.geo import LocalFrame, ground_range_m
from vedette.model import (
    Alert,
    Detection,
    Frame,
    InputError,
    Receipt,
    Roster,
    SensorProfile,
    UnitReport,
)
from vedette.model.detection import Bearing, EmptyScan, Position, RangeBearing
from vedette.model.event import Action, FeedState, OperatorPosition
from vedette.station.clock import StationClock
from vedette.station.config import StationConfig
from vedette.station.formats import guess_format
from vedette.station.health import Health
from vedette.station.view import FeedView

MOST_NAMES = 1000
"""Sensors, claims and units of one feed that are kept apart."""
DOCTOR = "-DOCTOR"
"""What is added to the names under which a doctor's peers show themselves to others."""


class Ear:
    """Implements `vedette.station.ports.Hub` for the peer of ``feed``. ``alias`` is the name that the peer
    was given, where that is another than the feed's."""

    def __init__(self, config: StationConfig, feed: str, alias: str, senses: bool) -> None:
        self.clock = StationClock()
        self.site = config.site
        self.roster = Roster(version=0, units=config.unit)
        self.feed_name, self._alias, self.senses = feed, alias, senses
        self.kinds: Counter[str] = Counter()
        self.sensors: dict[str, Counter[str]] = {}
        self.claims: dict[str, set[str]] = {}
        self.profiles: dict[str, SensorProfile] = {}
        self.units: set[str] = set()
        self.looks: Counter[str] = Counter()
        self.intact = 0
        self.nearest_m: float | None = None
        self.farthest_m: float | None = None
        self._frame = LocalFrame(config.site.lat_deg, config.site.lon_deg, config.site.alt_m)
        self._health = Health(self.clock.now, lambda health: None, {feed: ()} if senses else {})
        self._health.report(feed, "connecting", None)
        self._closed: tuple[FeedView, ...] | None = None

    def views(self) -> tuple[FeedView, ...]:
        """The feed first, then the parts behind it, as the station's page would show them; once the ear is
        closed, as they were then."""
        if self._closed is not None:
            return self._closed
        self._health.check()
        return self._health.views()

    def close(self) -> None:
        """What a peer says while it is being stopped is no news of its feed."""
        self._closed = self.views()

    @property
    def detections_heard(self) -> int:
        """All detections, of all parts."""
        return self.kinds.total()

    def detections(self, feed: str, detections: Iterable[Detection]) -> None:
        """Counted by sensor and kind; how far they are from the site."""
        count = 0
        for detection in detections:
            count += 1
            self._one(detection)
        self._health.data(self._name(feed), count)

    def sensor(self, feed: str, profile: SensorProfile) -> None:
        """A sensor that tells its place itself."""
        if len(self.profiles) < MOST_NAMES:
            self.profiles[profile.id] = profile

    def operator_position(self, position: OperatorPosition) -> None:
        """A person's place: neither kept nor counted."""

    def unit(self, report: UnitReport) -> None:
        """How many there are; neither who nor where."""
        if len(self.units) < MOST_NAMES:
            self.units.add(report.unit)
        self._health.data(self.feed_name, 0)

    def receipt(self, receipt: Receipt) -> None:
        """Nothing was sent that it could be for."""

    def action(self, action: Action) -> None:
        """Nothing is there to act on."""

    def feed(self, feed: str, state: FeedState, reason: str | None = None) -> None:
        """What the peer says of its connection."""
        self._health.report(self._name(feed), state, reason)

    def kind(self, feed: str, kinds: tuple[str, ...], *, senses: bool) -> None:
        """What a part of a feed is: nothing depends on it here."""

    def heard(
        self, feed: str, sent: float | None = None, *, due_s: float | None = None, count: int = 1
    ) -> None:
        """A sign of life."""
        self.intact += count
        self._health.heard(self._name(feed), sent, due_s, count)

    def trouble(self, feed: str, what: str, words: str | None) -> None:
        """What the peer finds wrong."""
        self._health.trouble(self._name(feed), what, words)

    def quarantine(self, feed: str, reason: str, data: bytes) -> None:
        """Bad input: counted, and what it looks like; the bytes are not kept."""
        self._health.quarantine(self._name(feed), reason)
        looks = guess_format(data)
        if looks is not None:
            self.looks[looks] += 1

    def counted(self, feed: str, reason: str, count: int) -> None:
        """Bad input that a decoder has put aside."""
        self._health.quarantine(self._name(feed), reason, count)

    def picture(self) -> Frame:
        """Nothing is tracked here."""
        return Frame(time=self.clock.now(), tracks=())

    def alert(self, alert: str) -> Alert | None:
        """There are no alerts: a doctor warns nobody."""
        return None

    def alerts(self) -> tuple[Alert, ...]:
        """There are no alerts."""
        return ()

    def latency(self, stage: str, seconds: float) -> None:
        """Nothing is measured here."""

    def _name(self, feed: str) -> str:
        name, slash, part = feed.partition("/")
        return (self.feed_name if name == self._alias else name) + slash + part

    def _one(self, detection: Detection) -> None:
        kind = detection.measure.__struct_config__.tag
        self.kinds[str(kind)] += 1
        if detection.sensor in self.sensors or len(self.sensors) < MOST_NAMES:
            self.sensors.setdefault(detection.sensor, Counter())[str(kind)] += 1
        claim = detection.claim
        if claim is not None:
            known = self.claims.setdefault(claim.scheme, set())
            if len(known) < MOST_NAMES:
                known.add(claim.id)
        distance_m = self._distance_m(detection)
        if distance_m is not None:
            self.nearest_m = min(distance_m, self.nearest_m or distance_m)
            self.farthest_m = max(distance_m, self.farthest_m or distance_m)

    def _distance_m(self, detection: Detection) -> float | None:
        """From the site in the plane, or from the sensor where only that is told."""
        measure = detection.measure
        if isinstance(measure, RangeBearing):
            return measure.range_m
        if not isinstance(measure, Position):
            return None
        try:
            east_m, north_m, _ = self._frame.to_enu(measure.lat_deg, measure.lon_deg, self._frame.alt_m)
        except InputError:
            return None
        return ground_range_m(east_m, north_m)


def needs_a_place(kinds: Counter[str]) -> bool:
    """Whether detections of these kinds mean nothing without the place of their sensor."""
    return any(kinds[str(measure.__struct_config__.tag)] for measure in (RangeBearing, Bearing, EmptyScan))
