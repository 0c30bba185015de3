"""DetectionReports of SAPIENT nodes -> Detections (BSI Flex 335 v2.0).

One `NodeAdapter` for each node, because what a report means depends on what the node registered: the
units of its velocities and errors, its place, its clock. Choices that the standard leaves open:

- Identity: whatever a report calls the object (``id``, ``object_info``, files) is not used: no claim is
  made, for nobody can check it here. ``object_id`` stays in ``extra``. It is no emitter either: the
  tracker keeps one emitter for a track, by which it tells a transmitter that states two names from two
  transmitters, and the name that a radar gives a blob must not take that place.
- Errors beside coordinates in degrees are read in the unit that the node registered, else in degrees;
  but a number that would be more than 10 km is metres, for senders write both. One sigma is taken, as
  the standard's own sample registers ("Standard Deviation"). Zero is no accuracy.
- Velocity only in a registered unit and with all three components: the contract's vector has no gaps.
- Azimuths count from true north. Grid north is turned where the node gave its own place in UTM, so that
  the grid is known; magnetic north and the platform's heading are refused, with the count.
- A range without an azimuth is a Presence within that range; neither is nothing.
- A report that says of its own object "lost" or "predicted" saw nothing.
- The standard has the reports of one object at least 0.08 s apart and in order. What comes sooner or
  earlier is counted and not used; a clock that was set back costs an object one second, not its track.
- A time outside the window is put right by what is known of the node's clock, and the accuracies are
  widened by the way that something flies in the time that is in doubt.
"""

import math
import re
from collections import Counter, OrderedDict
from typing import Final

from msgspec import Struct, structs
from sapient_msg.bsi_flex_335_v2_0 import detection_report_pb2 as det
from sapient_msg.bsi_flex_335_v2_0 import location_pb2 as loc
from sapient_msg.bsi_flex_335_v2_0 import range_bearing_pb2 as polar

from vedette.model import Bearing, Detection, Position, Presence, RangeBearing, SensorProfile, Sigma, Signal
from vedette.model.detection import Measure
from vedette.sense.clocks import SenderClock, Timed
from vedette.sense.quality import Quality
from vedette.sense.sapient_classes import beliefs_of
from vedette.sense.sapient_nodes import Node, Place, angle_scale, moved, place_of, profile_of
from vedette.sense.sapient_utm import grid_north_deg
from vedette.wire.errors import DecodeError
from vedette.wire.sapient import SapientMessage

QUALITY: Final = Quality(
    name="SAPIENT",
    standard="BSI Flex 335 v2.0 (2024)",
    schemes=("sapient+tcp-listen", "sapient+tls-listen"),
    tested=(
        "conformance corpus of Dstl's BSI Flex 335 v2 test harness (26 valid, 129 invalid messages)",
        "simulated edge nodes over TCP and mutual TLS",
        "another station of this program as a child fusion node, over TCP",
    ),
    encoder="registration, status, detections and alerts towards a parent fusion node",
    fuzzer="fuzz_sapient.py",
    bench="sapient",
    uncovered=(
        "no program of another maker was at the other end (Apex has no open licence, the test harness "
        "needs Windows)",
        "obscuration, behaviour, predictions, associated and derived detections, signals, files",
        "azimuths from magnetic north or a platform's heading are refused",
        "version 1 of the standard, and XML",
    ),
)

SPACING_S = 0.08
"""Between two reports of one object (conformance rule of Dstl's Apex middleware)."""
STEPPED_S = 1.0
"""An object that was not used for so long may come with an earlier time: its node's clock was set back."""
MOST_OBJECTS = 2000
LONGEST_MODE = 200
SLOWEST_DOUBT_MPS = 30.0
"""Speed of what flies where none is stated, for what a doubtful time does to a place."""
_CLIMB_MPS = 10.0
_NEAR_M = 500.0
"""How near the object of a bearing may be, for what a doubtful time does to its direction."""
_METRES_BEYOND_M = 10_000.0
_DEGREE_M = 111_195.0
_LONGEST_M = 500_000.0

ASSUMED: Final = Sigma(horizontal_m=30.0, vertical_m=30.0, range_m=15.0, azimuth_deg=1.0, elevation_deg=2.0)
"""What the tracker takes where a sensor states nothing; a doubt is added to it, never put in its place."""

_GONE = frozenset(
    ["lost", "predicted", "prediction", "coasted", "coasting", "extrapolated", "stale", "deleted"]
)
"""Words of ``state`` that say: this report was not seen ("lostInView" in the standard's samples)."""
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


class _Unused(ValueError):
    """This report is no detection; the text is the reason it is counted under."""


class _Last(Struct):
    sent: float
    received: float
    report: str


class NodeAdapter:
    """The reports of one node. ``counts``: what was refused or left out, by reason. ``place`` and ``mode``
    are the last that it stated; ``clock`` is its clock; ``raised``: it has measured heights.

    Times are station time (Unix seconds): ``sent`` the message's own, ``received`` when it came.
    """

    def __init__(self, sensor: str, node: Node) -> None:
        self.sensor, self.node = sensor, node
        self.counts: Counter[str] = Counter()
        self.clock = SenderClock()
        self.place: Place | None = None
        self.mode: str | None = None
        self.raised = False
        self._coverage: object = None
        self._profile: SensorProfile | None = None
        self._objects: OrderedDict[str, _Last] = OrderedDict()

    def note(self, sent: float, received: float) -> None:
        """An intact message of any kind came."""
        self.clock.note(sent, received)

    def status(self, message: SapientMessage) -> None:
        """Take over what a StatusReport says of place and mode; what it leaves out stands."""
        report = message.status_report
        self.mode = report.mode[:LONGEST_MODE]
        if report.coverage:
            self._coverage = report.coverage[0]
        elif report.HasField("field_of_view") and self._coverage is None:
            self._coverage = report.field_of_view
        if not report.HasField("node_location"):
            return
        try:
            self.place = place_of(report.node_location)
        except DecodeError as error:
            self.counts[f"node-place: {error.reason}"] += 1

    def profile(self) -> SensorProfile | None:
        """The sensor's profile if it is news: the first, another type, or more than a metre away."""
        if self.place is None:
            return None
        found = profile_of(self.sensor, self.node, self.place, raised=self.raised, coverage=self._coverage)
        if found is None or (self._profile is not None and not moved(self._profile, found)):
            return None
        self._profile = found
        return found

    def detection(
        self, message: SapientMessage, *, sent: float, received: float, tolerated_s: tuple[float, float]
    ) -> Detection | None:
        """The detection of a DetectionReport without faults; None if it is none, with the reason counted.

        ``tolerated_s``: lowest and highest of ``received - sent`` at which the node's time is believed.
        Call `note` first.
        """
        report = message.detection_report
        try:
            self._check_state(report)
            measure, sigma = self._measure(report)
            self._check_order(report, sent, received)
        except _Unused as unused:
            self.counts[str(unused)] += 1
            return None
        timed = self.clock.timed(sent, received, tolerated_s)
        return Detection(
            time=min(timed.time, received),
            received=received,
            sensor=self.sensor,
            measure=measure,
            sigma=_stated(_doubtful(measure, sigma, timed)),
            beliefs=beliefs_of(report.classification),
            signal=Signal(transport="sapient"),
            extra=_extra(report),
        )

    def _check_state(self, report: det.DetectionReport) -> None:
        words = {word.casefold() for word in _WORD.findall(report.state[:200])}
        if not _GONE.isdisjoint(words) or {"last", "known"} <= words:
            raise _Unused("not-seen")

    def _check_order(self, report: det.DetectionReport, sent: float, received: float) -> None:
        last = self._objects.get(report.object_id)
        if last is not None:
            self._check_after(last, report, sent, received)
        self._objects[report.object_id] = _Last(sent, received, report.report_id)
        self._objects.move_to_end(report.object_id)
        if len(self._objects) > MOST_OBJECTS:
            self._objects.popitem(last=False)

    def _check_after(self, last: _Last, report: det.DetectionReport, sent: float, received: float) -> None:
        gap = sent - last.sent
        if report.report_id == last.report:
            raise _Unused("repeated")
        if 0.0 < gap < SPACING_S - 1e-6:
            raise _Unused("too-soon-after-another")
        if gap <= 0.0 and received - last.received < STEPPED_S:
            raise _Unused("time-backwards")
        if gap < 0.0:
            # What was learned of the clock before it was set back is no longer true.
            self.counts["clock-set-back"] += 1
            self.clock = SenderClock()
            self.clock.note(sent, received)

    def _measure(self, report: det.DetectionReport) -> tuple[Measure, Sigma]:
        if report.WhichOneof("location_oneof") == "location":
            return self._position(report)
        return self._polar(report.range_bearing)

    def _position(self, report: det.DetectionReport) -> tuple[Measure, Sigma]:
        try:
            place = place_of(report.location)
        except DecodeError as error:
            raise _Unused(f"place: {error.reason}") from None
        velocity, velocity_sigma = self._velocity(report)
        self.raised = self.raised or place.alt_m is not None
        measure = Position(
            lat_deg=place.lat_deg,
            lon_deg=place.lon_deg,
            alt_m=place.alt_m,
            alt_datum=None if place.alt_m is None else place.alt_datum,
            velocity_mps=velocity,
        )
        return measure, Sigma(
            horizontal_m=self._horizontal_m(report.location, place.lat_deg),
            vertical_m=_accuracy(report.location.z_error) if place.alt_m is not None else None,
            velocity_mps=velocity_sigma,
        )

    def _horizontal_m(self, location: loc.Location, lat_deg: float) -> float | None:
        """One sigma on each axis: the root mean square of what is stated of the two."""
        east, north = _accuracy(location.x_error), _accuracy(location.y_error)
        if location.coordinate_system != loc.LOCATION_COORDINATE_SYSTEM_UTM_M:
            radians = location.coordinate_system == loc.LOCATION_COORDINATE_SYSTEM_LAT_LNG_RAD_M
            scale = math.degrees(1.0) if radians else 1.0
            east = self._metres(east, scale, math.cos(math.radians(lat_deg)))
            north = self._metres(north, scale, 1.0)
        both = [value for value in (east, north) if value]
        return math.hypot(*both) / math.sqrt(len(both)) if both else None

    def _metres(self, error: float | None, scale: float, shrink: float) -> float | None:
        """An error beside an angle, in metres; ``shrink`` is what a degree is shorter by there."""
        if error is None or self.node.error_unit == "m":
            return error
        angle = error if self.node.error_unit == "deg" else error * scale
        metres = angle * _DEGREE_M * shrink
        certain = self.node.error_unit == "deg"
        return metres if certain or angle * _DEGREE_M <= _METRES_BEYOND_M else error

    def _velocity(
        self, report: det.DetectionReport
    ) -> tuple[tuple[float, float, float] | None, float | None]:
        if report.WhichOneof("velocity_oneof") is None:
            return None, None
        given, factor = report.enu_velocity, self.node.mps(self.mode)
        if factor is None:
            self.counts["velocity-unit-not-registered"] += 1
            return None, None
        if not given.HasField("up_rate"):
            return None, None
        errors = [
            error
            for stated in (given.east_rate_error, given.north_rate_error, given.up_rate_error)
            if (error := _accuracy(stated)) is not None
        ]
        sigma = factor * math.hypot(*errors) / math.sqrt(len(errors)) if errors else None
        return (given.east_rate * factor, given.north_rate * factor, given.up_rate * factor), sigma

    def _polar(self, given: polar.RangeBearing) -> tuple[Measure, Sigma]:
        angle = angle_scale(given.coordinate_system)
        metres = _metres_scale(given.coordinate_system)
        range_m = _within(given.range * metres, 0.0, _LONGEST_M, "range") if given.HasField("range") else None
        if range_m is not None and range_m <= 0.0:
            raise _Unused("range: out-of-range")
        if not given.HasField("azimuth"):
            if range_m is None:
                raise _Unused("no-measure")
            return Presence(range_m=range_m), Sigma()
        azimuth = self._true_azimuth(_within(given.azimuth * angle, -360.0, 360.0, "azimuth"), given.datum)
        elevation = None
        if given.HasField("elevation"):
            elevation = _within(given.elevation * angle, -90.0, 90.0, "elevation")
            self.raised = True
        sigma = Sigma(
            range_m=_accuracy(given.range_error * metres) if range_m is not None else None,
            azimuth_deg=_accuracy(given.azimuth_error * angle),
            elevation_deg=_accuracy(given.elevation_error * angle) if elevation is not None else None,
        )
        if range_m is None:
            return Bearing(azimuth_deg=azimuth, elevation_deg=elevation), sigma
        return RangeBearing(range_m=range_m, azimuth_deg=azimuth, elevation_deg=elevation), sigma

    def _true_azimuth(self, azimuth_deg: float, datum: int) -> float:
        if datum == polar.RANGE_BEARING_DATUM_TRUE:
            return azimuth_deg
        if datum == polar.RANGE_BEARING_DATUM_GRID and self.place is not None and self.place.utm is not None:
            return (azimuth_deg + grid_north_deg(self.place.utm)) % 360.0
        raise _Unused(_NORTHS.get(datum, "azimuth: from an unknown north"))


_NORTHS: Final[dict[int, str]] = {
    polar.RANGE_BEARING_DATUM_MAGNETIC: "azimuth: from magnetic north",
    polar.RANGE_BEARING_DATUM_GRID: "azimuth: from a grid that is not known",
    polar.RANGE_BEARING_DATUM_PLATFORM: "azimuth: from the platform's heading",
}
NORTHS: Final = frozenset(_NORTHS.values())
"""Reasons for refusing an azimuth, which a technician can end by setting the node to true north."""


def _metres_scale(coordinate_system: int) -> float:
    kilometres = (
        polar.RANGE_BEARING_COORDINATE_SYSTEM_DEGREES_KM,
        polar.RANGE_BEARING_COORDINATE_SYSTEM_RADIANS_KM,
    )
    return 1000.0 if coordinate_system in kilometres else 1.0


def _within(value: float, lowest: float, highest: float, what: str) -> float:
    if not lowest <= value <= highest:
        raise _Unused(f"{what}: out-of-range")
    return value


def _accuracy(error: float) -> float | None:
    """An error of zero is what many write for "not known"; a negative one is none."""
    return error if 0.0 < error < math.inf else None


def _stated(sigma: Sigma) -> Sigma | None:
    return None if sigma == Sigma() else sigma


def _extra(report: det.DetectionReport) -> dict[str, str | float]:
    extra: dict[str, str | float] = {"sapient.object_id": report.object_id}
    if report.HasField("detection_confidence") and 0.0 <= report.detection_confidence <= 1.0:
        extra["sapient.confidence"] = round(report.detection_confidence, 6)
    return extra


def _doubtful(measure: Measure, sigma: Sigma, timed: Timed) -> Sigma:
    """The accuracies when the time is only known to ``timed.sigma_s``."""
    if timed.sigma_s <= 0.0:
        return sigma
    climb_m, way_m = _CLIMB_MPS * timed.sigma_s, SLOWEST_DOUBT_MPS * timed.sigma_s
    if isinstance(measure, Position):
        if measure.velocity_mps is not None:
            way_m = math.hypot(*measure.velocity_mps) * timed.sigma_s
        return structs.replace(
            sigma,
            horizontal_m=_wider(sigma.horizontal_m, ASSUMED.horizontal_m, way_m),
            vertical_m=None
            if measure.alt_m is None
            else _wider(sigma.vertical_m, ASSUMED.vertical_m, climb_m),
        )
    if not isinstance(measure, RangeBearing | Bearing):
        return sigma
    far_m = measure.range_m if isinstance(measure, RangeBearing) else _NEAR_M
    across, up = (math.degrees(math.atan2(length, far_m)) for length in (way_m, climb_m))
    return structs.replace(
        sigma,
        range_m=_wider(sigma.range_m, ASSUMED.range_m, way_m) if isinstance(measure, RangeBearing) else None,
        azimuth_deg=_wider(sigma.azimuth_deg, ASSUMED.azimuth_deg, across),
        elevation_deg=None
        if measure.elevation_deg is None
        else _wider(sigma.elevation_deg, ASSUMED.elevation_deg, up),
    )


def _wider(stated: float | None, assumed: float | None, by: float) -> float:
    return math.hypot(stated or assumed or 0.0, by)
