"""Detection -> plot: one measurement in the site's frame, ready for the kernels.

What cannot be placed is refused with a reason to count, never guessed. A height whose datum does not
convert to the site's is left out (the plot is then two-dimensional), never mixed in.
"""

import math
from typing import NamedTuple, Protocol

import msgspec
from msgspec import Struct, structs

from vedette.fuse.kernels import sight
from vedette.fuse.kernels.kalman import F64, Mask
from vedette.fuse.sensing.sensors import Sensor
from vedette.model import Bearing, Claim, Detection, EmptyScan, RangeBearing

_ENCODER = msgspec.json.Encoder(order="deterministic")
_DEG = math.pi / 180.0
_AVIATION_RADIO = ("1090", "978", "uat")
"""How the transports of aircraft's own reports begin: 1090 MHz extended squitter, and UAT on 978 MHz."""
NO_KIND = -1
"""Of a plot that measures nothing: an empty scan."""


class Unusable(ValueError):
    """This detection cannot be fused; the text is the reason it is counted under."""


class Accuracy(NamedTuple):
    """Variances of the rows of `kernels.sight`, and which of them are given. Plots of one sensor that
    state the same share one."""

    var: tuple[float, ...]
    use: tuple[bool, ...]


class Place(NamedTuple):
    """A measurement in the rows of `kernels.kalman`: values (7,), their covariance (7, 7), which are
    given (7,), and the place (3,) that range rates are measured from."""

    z: F64
    r: F64
    use: Mask
    origin: F64


class Raw(NamedTuple):
    """A measurement as the sensor made it, in the rows of `kernels.sight`: ``kind``, values, variances
    and which rows are given, six of each."""

    kind: int
    z: tuple[float, ...]
    var: tuple[float, ...]
    use: tuple[bool, ...]


class Placer(Protocol):
    """Turns what was measured from a sensor into a place in the site's frame."""

    def place(self, plot: "Plot") -> Place:
        """The place of a polar plot; of any other one without it, nowhere."""
        ...


class Plot(Struct, frozen=True, gc=False):
    """A measurement that can be fused.

    ``content``: the detection's canonical bytes. ``key``: its place in the canonical order. ``kind``: as in
    `kernels.sight`, or NO_KIND. ``mute``: it says no more than what was measured, neither a name nor a
    class. ``word``: its beliefs, see `vedette.fuse.words`. ``aircraft``: it is what an aircraft, or who
    passes for one, says of itself: see `speaks_as_aircraft`. ``placed``: its place, if it was stated; those
    of other plots, most of which nobody asks for, are worked out when they are.
    """

    time: float
    sensor: Sensor
    detection: Detection
    content: bytes
    key: tuple[float, str, bytes]
    kind: int
    accuracy: Accuracy
    placer: Placer
    mute: bool
    word: tuple[float, ...] | None = None
    aircraft: bool = False
    placed: Place | None = None

    @property
    def place(self) -> Place:
        """In the rows of `kernels.kalman`; a bearing has none of these."""
        return self.placer.place(self) if self.placed is None else self.placed

    @property
    def z(self) -> F64:
        """Values (7,) of `place`."""
        return self.place.z

    @property
    def r(self) -> F64:
        """Covariance (7, 7) of `place`."""
        return self.place.r

    @property
    def use(self) -> Mask:
        """Which rows (7,) of `place` are given."""
        return self.place.use

    @property
    def rows(self) -> int:
        """How many rows of `place` are given."""
        return int(self.place.use.sum())

    @property
    def raw(self) -> Raw | None:
        """As the sensor measured it; None for an empty scan."""
        return None if self.kind == NO_KIND else Raw(self.kind, self.values, *self.accuracy)

    @property
    def values(self) -> tuple[float, ...]:
        """The six rows as the sensor measured them; what was not given is zero."""
        measure = self.detection.measure
        if isinstance(measure, RangeBearing):
            elevation, rate = measure.elevation_deg or 0.0, measure.range_rate_mps or 0.0
            azimuth = sight.wrapped(_DEG * measure.azimuth_deg)
            return measure.range_m, azimuth, _DEG * elevation, rate if self.accuracy.use[3] else 0.0, 0.0, 0.0
        if isinstance(measure, Bearing):
            azimuth = sight.wrapped(_DEG * measure.azimuth_deg)
            return azimuth, _DEG * (measure.elevation_deg or 0.0), 0.0, 0.0, 0.0, 0.0
        return tuple(self.place.z[:6].tolist())

    @property
    def raised(self) -> bool:
        """True if it measures a height: a direction upwards without a range does not."""
        return self.kind != sight.BEARING and self.accuracy.use[2]

    @property
    def empty(self) -> bool:
        """True for a complete scan that saw nothing."""
        return isinstance(self.detection.measure, EmptyScan)

    @property
    def bearing(self) -> bool:
        """True for a direction without range."""
        return self.kind == sight.BEARING

    @property
    def claim(self) -> Claim | None:
        """The identity that came with it."""
        return self.detection.claim

    @property
    def name(self) -> str:
        """What the sender calls itself, or else its radio address; empty for what bears no name."""
        claim = self.detection.claim
        return f"{claim.scheme}\0{claim.id}" if claim is not None else self.emitter or ""

    @property
    def emitter(self) -> str | None:
        """The radio address that sent it."""
        return self.detection.signal.emitter if self.detection.signal else None


def placed(plot: Plot) -> Plot:
    """The same with its place worked out, for those who ask for it more than once."""
    return plot if plot.placed is not None else structs.replace(plot, placed=plot.place)


def unnamed(plot: Plot) -> Plot:
    """The same measurement without the identity that was stated with it."""
    return structs.replace(plot, detection=structs.replace(plot.detection, claim=None))


def without_velocity(plot: Plot) -> Plot:
    """The same measurement with its stated velocity left out."""
    return _without(plot, slice(3, 6))


def without_height(plot: Plot) -> Plot:
    """The same measurement with its height left out."""
    return _without(plot, slice(2, 3))


def _without(plot: Plot, rows: slice) -> Plot:
    place = plot.place
    use = place.use.copy()
    use[rows] = False
    return structs.replace(plot, placed=place._replace(use=use))


def speaks_as_aircraft(detection: Detection, sensor: Sensor) -> bool:
    """True for a broadcast that claims an ICAO address, or came nameless by the radio of aviation (a
    TIS-B target, say). Such words are followed apart from all bodies: see `vedette.fuse.sky`."""
    if not sensor.cooperative:
        return False
    if detection.claim is not None:
        return detection.claim.scheme == "icao"
    signal = detection.signal
    return signal is not None and (signal.transport or "").startswith(_AVIATION_RADIO)


def content_of(detection: Detection) -> bytes:
    """Canonical bytes: equal for equal detections whatever the order of their keys. Raises Unusable."""
    try:
        return _ENCODER.encode(detection)
    except UnicodeEncodeError:
        raise Unusable("unusable-text") from None


def contents_of(detections: list[Detection]) -> list[bytes]:
    """The same for many. Raises Unusable if there is one that has none."""
    try:
        return _ENCODER.encode_lines(detections).split(b"\n")[:-1]
    except UnicodeEncodeError:
        raise Unusable("unusable-text") from None


def impersonal(detection: Detection) -> Detection:
    """The detection without the operator's place, which the tracker must never hold."""
    claim = detection.claim
    if claim is None or (claim.operator_lat_deg is None and claim.operator_lon_deg is None):
        return detection
    return structs.replace(detection, claim=Claim(scheme=claim.scheme, id=claim.id))
