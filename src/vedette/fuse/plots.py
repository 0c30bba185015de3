"""Detection -> plot: one measurement in the site's frame, ready for the kernels.

What cannot be placed is refused with a reason to count, never guessed. A height whose datum does not
convert to the site's is left out (the plot is then two-dimensional), never mixed in.
"""

import math

import msgspec
import numpy as np
from msgspec import Struct, structs

from vedette.fuse import pmb
from vedette.fuse.kernels import F64, ROWS, Mask
from vedette.fuse.sensors import Sensor
from vedette.fuse.settings import FuseSettings, for_aircraft
from vedette.fuse.words import word_of
from vedette.geo import LocalFrame, Vector, convert_height, polar_to_enu
from vedette.model import Bearing, Claim, Detection, EmptyScan, Position, RangeBearing, Sigma, Site
from vedette.model.detection import AltitudeDatum, ObjectClass
from vedette.model.errors import DatumError, InputError

_ENCODER = msgspec.json.Encoder(order="deterministic")
_NO_SIGMA = Sigma()
_HIGHEST_M, _LOWEST_M = 20_000.0, -1_000.0
_EAST_NORTH = np.array([True, True, False, False, False, False, False])
_NOWHERE = np.zeros(3)
_DEG = math.pi / 180.0
_WIDEST_ANGLE_DEG = 45.0
_AVIATION_RADIO = ("1090", "978", "uat")
"""How the transports of aircraft's own reports begin: 1090 MHz extended squitter, and UAT on 978 MHz."""
_LEAST_RANGE_M = 0.1
"""Nothing is nearer to a sensor than this; squares of very small ranges would vanish."""


class Unusable(ValueError):
    """This detection cannot be fused; the text is the reason it is counted under."""


class Raw(Struct, frozen=True):
    """A measurement as the sensor made it, in the rows of `vedette.fuse.pmb`: ``kind``, values, variances
    and which rows are given, six of each."""

    kind: int
    z: tuple[float, ...]
    var: tuple[float, ...]
    use: tuple[bool, ...]


class Plot(Struct, frozen=True):
    """A measurement in the rows of `vedette.fuse.kernels`; a bearing has none of these.

    ``z``: (7,), ``r``: (7, 7) its covariance, ``use``: (7,) which rows are given, ``rows`` how many,
    ``origin``: (3,) the place range rates are measured from. ``word``: its beliefs, see
    `vedette.fuse.words`. ``content``: the detection's canonical bytes.
    """

    time: float
    sensor: Sensor
    detection: Detection
    content: bytes
    z: F64
    r: F64
    use: Mask
    rows: int
    origin: F64
    word: tuple[float, ...] | None
    key: tuple[float, str, bytes]
    raw: Raw | None = None
    """The same as the sensor measured it; None for an empty scan."""
    aircraft: bool = False
    """It is what an aircraft, or who passes for one, says of itself: see `speaks_as_aircraft`."""

    @property
    def empty(self) -> bool:
        """True for a complete scan that saw nothing."""
        return isinstance(self.detection.measure, EmptyScan)

    @property
    def bearing(self) -> bool:
        """True for a direction without range."""
        return isinstance(self.detection.measure, Bearing)

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


def unnamed(plot: Plot) -> Plot:
    """The same measurement without the identity that was stated with it."""
    return structs.replace(plot, detection=structs.replace(plot.detection, claim=None))


def without_velocity(plot: Plot) -> Plot:
    """The same measurement with its stated velocity left out."""
    use = plot.use.copy()
    use[3:6] = False
    return structs.replace(plot, use=use, rows=int(use.sum()))


def without_height(plot: Plot) -> Plot:
    """The same measurement with its height left out."""
    use = plot.use.copy()
    use[2] = False
    return structs.replace(plot, use=use, rows=int(use.sum()))


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


def impersonal(detection: Detection) -> Detection:
    """The detection without the operator's place, which the tracker must never hold."""
    claim = detection.claim
    if claim is None or (claim.operator_lat_deg is None and claim.operator_lon_deg is None):
        return detection
    return structs.replace(detection, claim=Claim(scheme=claim.scheme, id=claim.id))


class Plotter:
    """Places detections in the frame of one site."""

    def __init__(self, site: Site, settings: FuseSettings) -> None:
        self._site, self._settings = site, settings
        self._aircraft = for_aircraft(settings)
        self.frame = LocalFrame(site.lat_deg, site.lon_deg, site.alt_m)

    def height_in_site_datum(self, value_m: float | None, datum: AltitudeDatum | None) -> float | None:
        """A height in the site's datum, or None while it cannot be converted there."""
        if value_m is None or datum is None or not _LOWEST_M <= value_m <= _HIGHEST_M:
            return None
        try:
            geoid = self._site.geoid_height_m
            return convert_height(value_m, datum, self._site.alt_datum, geoid_height_m=geoid)
        except DatumError:
            return None

    def rough_height(self, value_m: float | None, datum: AltitudeDatum | None) -> tuple[float, float] | None:
        """What an aircraft states of its height: metres in the site's datum, and what the way there adds
        to its sigma; None where nothing can be said.

        A barometric height is taken as one over mean sea level, which is what EGM96 stands for.
        """
        settings, site = self._settings, self._site
        stated = "egm96" if datum == "barometric" else datum
        known = ("egm96", "wgs84-ellipsoid")
        if (
            value_m is None
            or not math.isfinite(value_m)
            or stated not in known
            or site.alt_datum not in known
        ):
            return None
        sigma = 0.0
        if datum == "barometric":
            sigma = settings.barometric_sigma_m + settings.barometric_sigma_share * abs(value_m)
        if stated == site.alt_datum:
            return value_m, sigma
        if site.geoid_height_m is None:
            return value_m, math.hypot(sigma, settings.unknown_geoid_sigma_m)
        lift = site.geoid_height_m
        return (value_m + lift if stated == "egm96" else value_m - lift), sigma

    def plot(self, detection: Detection, sensor: Sensor, content: bytes | None = None) -> Plot:
        """The plot of a position, a range-bearing, or an empty scan of a searching sensor (which uses no
        row). ``content``: its canonical bytes if they are known. Raises Unusable with the reason.

        An ICAO address that came with a sensor's own measurement (a secondary radar's, say) is left out:
        it is the transponder's word, and the bodies that are measured take no word of aviation's.
        """
        measure = detection.measure
        z, r, use = np.zeros(ROWS), np.zeros((ROWS, ROWS)), _EAST_NORTH.copy()
        origin = _NOWHERE
        aircraft = speaks_as_aircraft(detection, sensor)
        if aircraft and isinstance(measure, Position):
            self._place_aircraft(measure, detection.sigma or _NO_SIGMA, sensor, z, r, use)
        elif isinstance(measure, Position):
            self._place_position(measure, detection.sigma or _NO_SIGMA, sensor, z, r, use)
        elif isinstance(measure, RangeBearing):
            origin = sensor.origin if sensor.origin is not None else _NOWHERE
            self._place_polar(measure, detection.sigma or _NO_SIGMA, sensor, z, r, use)
        elif isinstance(measure, Bearing) or (isinstance(measure, EmptyScan) and sensor.searching):
            use[:] = False
        else:
            raise Unusable(f"{measure.__struct_config__.tag}-not-fused")
        if not (np.isfinite(z).all() and np.isfinite(r).all() and _finite(detection.beliefs)):
            raise Unusable("unusable-measure")
        content = content_of(detection) if content is None else content
        raw = self._raw(detection, sensor, z, r, use)
        if not aircraft and detection.claim is not None and detection.claim.scheme == "icao":
            detection = structs.replace(detection, claim=None)
        key = (detection.time, detection.sensor, content)
        return Plot(
            time=detection.time,
            sensor=sensor,
            detection=detection,
            content=content,
            z=z,
            r=r,
            use=use,
            rows=int(use.sum()),
            origin=origin,
            word=word_of(detection.beliefs),
            key=key,
            raw=raw,
            aircraft=aircraft,
        )

    def _raw(self, detection: Detection, sensor: Sensor, z: F64, r: F64, use: Mask) -> Raw | None:
        measure, stated = detection.measure, detection.sigma or _NO_SIGMA
        if isinstance(measure, RangeBearing):
            return self._raw_polar(measure, stated, sensor, bool(use[6]))
        if isinstance(measure, Bearing):
            return self._raw_bearing(measure, stated, sensor)
        if isinstance(measure, Position):
            given = tuple(bool(flag) for flag in use[:6])
            return Raw(pmb.PLACE, tuple(z[:6].tolist()), tuple(np.diagonal(r)[:6].tolist()), given)
        return None

    def _raw_polar(self, measure: RangeBearing, stated: Sigma, sensor: Sensor, rate: bool) -> Raw:
        s_range, s_azimuth = self._polar_sigmas(stated, sensor)
        s_elevation, s_rate = self._elevation_sigma(stated, sensor), self._rate_sigma(stated, sensor)
        raised = measure.elevation_deg is not None
        z = (
            measure.range_m,
            pmb.wrapped(_DEG * measure.azimuth_deg),
            _DEG * (measure.elevation_deg or 0.0),
            (measure.range_rate_mps or 0.0) if rate else 0.0,
        )
        variances = (s_range**2, s_azimuth**2, s_elevation**2, s_rate**2)
        return Raw(
            pmb.POLAR, (*z, 0.0, 0.0), (*variances, 1.0, 1.0), (True, True, raised, rate, False, False)
        )

    def _raw_bearing(self, measure: Bearing, stated: Sigma, sensor: Sensor) -> Raw:
        if sensor.frame is None:
            raise Unusable("unknown-sensor")
        s_azimuth = self._polar_sigmas(stated, sensor)[1]
        raised = measure.elevation_deg is not None
        z = (
            pmb.wrapped(_DEG * measure.azimuth_deg),
            _DEG * (measure.elevation_deg or 0.0),
            0.0,
            0.0,
            0.0,
            0.0,
        )
        if not (math.isfinite(z[0]) and math.isfinite(z[1])):
            raise Unusable("unusable-measure")
        variances = (s_azimuth**2, self._elevation_sigma(stated, sensor) ** 2, 1.0, 1.0, 1.0, 1.0)
        return Raw(pmb.BEARING, z, variances, (True, raised, False, False, False, False))

    def _elevation_sigma(self, stated: Sigma, sensor: Sensor) -> float:
        """Radians."""
        default = self._settings.default_elevation_sigma_deg
        sigma = self._sigma(stated.elevation_deg, sensor.sigma.elevation_deg, default)
        return _DEG * min(sigma, _WIDEST_ANGLE_DEG)

    def _rate_sigma(self, stated: Sigma, sensor: Sensor) -> float:
        default = self._settings.default_range_rate_sigma_mps
        return self._sigma(stated.range_rate_mps, sensor.sigma.range_rate_mps, default)

    def _place_position(
        self, measure: Position, stated: Sigma, sensor: Sensor, z: F64, r: F64, use: Mask
    ) -> None:
        height = self.height_in_site_datum(measure.alt_m, measure.alt_datum)
        if height is not None and not self._believable(height - self._site.alt_m, sensor):
            height = None
        self._place_enu(measure, height, self._settings, z)
        floor = self._settings.cooperative_floor_m if sensor.cooperative else 0.0
        r[0, 0] = r[1, 1] = self._horizontal(stated, sensor, floor) ** 2
        if height is not None:
            use[2] = True
            r[2, 2] = self._vertical(stated, sensor, floor) ** 2
        self._place_velocity(measure.velocity_mps, stated, sensor, z, r, use)

    def _place_aircraft(
        self, measure: Position, stated: Sigma, sensor: Sensor, z: F64, r: F64, use: Mask
    ) -> None:
        """The same for what an aircraft says of itself, whose heights are rough and whose positions lag."""
        settings = self._aircraft
        rough = self.rough_height(measure.alt_m, measure.alt_datum)
        lowest, highest = settings.aircraft_height_m
        if rough is not None and not lowest <= rough[0] - self._site.alt_m <= highest:
            rough = None
        self._place_enu(measure, None if rough is None else rough[0], settings, z)
        self._place_velocity(measure.velocity_mps, stated, sensor, z, r, use)
        lag = 0.5 * settings.aircraft_latency_s * math.hypot(z[3], z[4])
        r[0, 0] = r[1, 1] = self._horizontal(stated, sensor, settings.cooperative_floor_m) ** 2 + lag * lag
        if rough is None:
            return
        use[2] = True
        if measure.alt_datum == "barometric":
            r[2, 2] = max(self._vertical(stated, sensor, 0.0, default=0.0), rough[1]) ** 2
        else:
            r[2, 2] = self._vertical(stated, sensor, settings.cooperative_floor_m) ** 2 + rough[1] ** 2

    def _place_enu(self, measure: Position, height: float | None, settings: FuseSettings, z: F64) -> None:
        assumed = self._site.alt_m + settings.prior_height_m if height is None else height
        try:
            z[0], z[1], z[2] = self.frame.to_enu(measure.lat_deg, measure.lon_deg, assumed)
        except InputError:
            raise Unusable("unusable-measure") from None
        if math.hypot(z[0], z[1]) > settings.reach_m:
            raise Unusable("out-of-reach")

    def _horizontal(self, stated: Sigma, sensor: Sensor, floor: float) -> float:
        default = self._settings.default_horizontal_sigma_m
        return self._sigma(stated.horizontal_m, sensor.sigma.horizontal_m, default, floor)

    def _vertical(self, stated: Sigma, sensor: Sensor, floor: float, default: float | None = None) -> float:
        usual = self._settings.default_vertical_sigma_m if default is None else default
        return self._sigma(stated.vertical_m, sensor.sigma.vertical_m, usual, floor)

    def _believable(self, height_m: float, sensor: Sensor) -> bool:
        """Whether a height over the site can stand: any that a sensor measured, and of broadcast ones
        those at which small drones fly."""
        lowest, highest = self._settings.cooperative_height_m
        return not sensor.cooperative or lowest <= height_m <= highest

    def _place_velocity(
        self,
        velocity: tuple[float, float, float] | None,
        stated: Sigma,
        sensor: Sensor,
        z: F64,
        r: F64,
        use: Mask,
    ) -> None:
        settings = self._settings
        if velocity is None or math.hypot(*velocity) > settings.fastest_mps:
            return
        floor = settings.cooperative_velocity_floor_mps if sensor.cooperative else 0.0
        default = settings.default_velocity_sigma_mps
        sigma = self._sigma(stated.velocity_mps, sensor.sigma.velocity_mps, default, floor)
        for i in range(3):
            z[3 + i] = velocity[i]
            r[3 + i, 3 + i] = sigma * sigma
            use[3 + i] = True

    def _place_polar(
        self, measure: RangeBearing, stated: Sigma, sensor: Sensor, z: F64, r: F64, use: Mask
    ) -> None:
        """Unbiased conversion from polar (Longbin, Xiaoquan, Yiyu, Kang, Bar-Shalom, 1998)."""
        if sensor.frame is None:
            raise Unusable("unknown-sensor")
        if not _LEAST_RANGE_M <= measure.range_m < math.inf or not math.isfinite(measure.azimuth_deg):
            raise Unusable("unusable-measure")
        if measure.range_m > self._settings.reach_m:
            raise Unusable("out-of-reach")
        if measure.elevation_deg is None:
            own_enu = self._place_flat(measure, stated, sensor, r)
        else:
            own_enu = self._place_raised(measure, measure.elevation_deg, stated, sensor, r)
            use[2] = True
        z[0], z[1], z[2] = sensor.frame.vector_to_site(own_enu)
        self._place_range_rate(measure, stated, sensor, z, r, use)

    def _place_raised(
        self, measure: RangeBearing, elevation_deg: float, stated: Sigma, sensor: Sensor, r: F64
    ) -> Vector:
        """East, north, up at the sensor of a plot with elevation; its covariance into ``r``."""
        s_range, s_azimuth = self._polar_sigmas(stated, sensor)
        s_elevation = self._elevation_sigma(stated, sensor)
        east, north, up = polar_to_enu(1.0, measure.azimuth_deg, elevation_deg)
        flat = math.cos(_DEG * elevation_deg)
        sine, cosine = math.sin(_DEG * measure.azimuth_deg), math.cos(_DEG * measure.azimuth_deg)
        distance = measure.range_m
        _add_outer(r, (east, north, up), s_range)
        _add_outer(r, (north, -east, 0.0), distance * s_azimuth)
        _add_outer(r, (-up * sine, -up * cosine, flat), distance * s_elevation)
        raised = distance * math.exp(0.5 * s_elevation**2)
        level = raised * math.exp(0.5 * s_azimuth**2)
        return level * east, level * north, raised * up

    def _place_flat(self, measure: RangeBearing, stated: Sigma, sensor: Sensor, r: F64) -> Vector:
        """East, north, up at the sensor of a plot without elevation, its height taken from the prior.

        The height only shortens the ground range; what it is unsure of widens the range's sigma.
        """
        assert sensor.frame is not None
        s_range, s_azimuth = self._polar_sigmas(stated, sensor)
        distance = measure.range_m
        up = self._settings.prior_height_m - sensor.frame.origin_enu_m[2]
        ground = math.sqrt(max(distance * distance - up * up, 0.25 * distance * distance))
        s_height = self._settings.prior_height_sigma_m * min(abs(up) / ground, 1.0)
        east, north, _ = polar_to_enu(1.0, measure.azimuth_deg, 0.0)
        _add_outer(r, (east, north, 0.0), math.hypot(s_range * distance / ground, s_height))
        _add_outer(r, (north, -east, 0.0), ground * s_azimuth)
        level = ground * math.exp(0.5 * s_azimuth**2)
        return level * east, level * north, up

    def _polar_sigmas(self, stated: Sigma, sensor: Sensor) -> tuple[float, float]:
        """Sigmas of range (m) and azimuth (radians)."""
        settings, own = self._settings, sensor.sigma
        s_range = self._sigma(stated.range_m, own.range_m, settings.default_range_sigma_m)
        s_azimuth = self._sigma(stated.azimuth_deg, own.azimuth_deg, settings.default_azimuth_sigma_deg)
        return s_range, _DEG * min(s_azimuth, _WIDEST_ANGLE_DEG)

    def _place_range_rate(
        self, measure: RangeBearing, stated: Sigma, sensor: Sensor, z: F64, r: F64, use: Mask
    ) -> None:
        settings, rate = self._settings, measure.range_rate_mps
        if rate is None or not abs(rate) <= settings.fastest_mps:
            return
        sigma = self._rate_sigma(stated, sensor)
        z[6], r[6, 6], use[6] = rate, sigma * sigma, True

    def _sigma(self, stated: float | None, own: float | None, default: float, floor: float = 0.0) -> float:
        """The stated accuracy, or the sensor's own, or the documented default; within floor and ceiling."""
        sigma = default
        if stated is not None and 0.0 < stated < math.inf:
            sigma = stated
        elif own is not None:
            sigma = own
        return min(max(sigma, floor), self._settings.widest_sigma_m)


def _add_outer(r: F64, direction: Vector, sigma: float) -> None:
    """Add the covariance of an error of ``sigma`` along ``direction``."""
    variance = sigma * sigma
    for i in range(3):
        for j in range(3):
            r[i, j] += direction[i] * direction[j] * variance


def _finite(beliefs: dict[ObjectClass, float] | None) -> bool:
    return beliefs is None or all(math.isfinite(value) for value in beliefs.values())
