"""Places detections in the frame of one site.

What cannot be placed is refused with a reason to count, never guessed. A height whose datum does not
convert to the site's is left out (the plot is then two-dimensional), never mixed in.
"""

import math

import numpy as np
from msgspec import structs

from vedette.fuse.kernels import polar
from vedette.fuse.kernels.kalman import F64, ROWS, Mask
from vedette.fuse.kernels.sight import BEARING, PLACE, POLAR
from vedette.fuse.plots import (
    NO_KIND,
    Accuracy,
    Place,
    Plot,
    Unusable,
    content_of,
    speaks_as_aircraft,
)
from vedette.fuse.sensing.sensors import Sensor
from vedette.fuse.settings import FuseSettings, for_aircraft
from vedette.fuse.words import word_of
from vedette.geo import LocalFrame, convert_height
from vedette.model import Bearing, Detection, EmptyScan, Position, RangeBearing, Sigma, Site
from vedette.model.detection import AltitudeDatum, ObjectClass
from vedette.model.errors import DatumError, InputError

_NO_SIGMA = Sigma()
_NOTHING = Accuracy((1.0,) * 6, (False,) * 6)
_POLAR_USE = tuple(
    tuple((True, True, raised, timed, False, False) for timed in (False, True)) for raised in (False, True)
)
_BEARING_USE = tuple((True, raised, False, False, False, False) for raised in (False, True))
"""Rows that are given, by whether there is an elevation, and a range rate."""
_HIGHEST_M, _LOWEST_M = 20_000.0, -1_000.0
_EAST_NORTH = np.array([True, True, False, False, False, False, False])
_NOWHERE = np.zeros(3)
_DEG = math.pi / 180.0
_WIDEST_ANGLE_DEG = 45.0
_LEAST_RANGE_M = 0.1
"""Nothing is nearer to a sensor than this; squares of very small ranges would vanish."""
_HEARD_PER_S = 50
"""Directions that one finder heard in the same 20 ms are one look. A program that asks the clock for each
line would otherwise make many of it, and each says of all bodies but one that they are silent. A judgement:
a body moves less than a metre meanwhile."""


class Plotter:
    """Places detections in the frame of one site."""

    def __init__(self, site: Site, settings: FuseSettings) -> None:
        self._site, self._settings = site, settings
        self._aircraft = for_aircraft(settings)
        self._prior = np.array([settings.prior_height_m, settings.prior_height_sigma_m])
        self._held: dict[str, tuple[Sigma, Accuracy]] = {}
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
        measure, beliefs = detection.measure, detection.beliefs
        aircraft = sensor.cooperative and speaks_as_aircraft(detection, sensor)
        kind, accuracy, place = NO_KIND, _NOTHING, None
        if isinstance(measure, RangeBearing):
            kind, accuracy = POLAR, self._polar(measure, detection.sigma or _NO_SIGMA, sensor)
        elif isinstance(measure, Bearing):
            kind, accuracy = BEARING, self._bearing(measure, detection.sigma or _NO_SIGMA, sensor)
        elif isinstance(measure, Position):
            kind, place = PLACE, self._position(measure, detection.sigma or _NO_SIGMA, sensor, aircraft)
            accuracy = Accuracy(tuple(np.diagonal(place.r)[:6].tolist()), tuple(place.use[:6].tolist()))
        elif not (isinstance(measure, EmptyScan) and sensor.searching):
            raise Unusable(f"{measure.__struct_config__.tag}-not-fused")
        if beliefs is not None and not _finite(beliefs):
            raise Unusable("unusable-measure")
        content = content_of(detection) if content is None else content
        heard = kind == BEARING and not sensor.searching
        time = _together(detection.time) if heard else detection.time
        key = (time, detection.sensor, content)
        if detection.claim is not None and detection.claim.scheme == "icao" and not aircraft:
            detection = structs.replace(detection, claim=None)
        mute = beliefs is None and detection.claim is None and detection.signal is None
        word = None if beliefs is None else word_of(beliefs)
        return Plot(time, sensor, detection, content, key, kind, accuracy, self, mute, word, aircraft, place)

    def place(self, plot: Plot) -> Place:
        """The place of a polar plot; of any other one without it, nowhere."""
        z, r, use = np.zeros(ROWS), np.zeros((ROWS, ROWS)), np.zeros(ROWS, np.bool_)
        sensor = plot.sensor
        if plot.kind != POLAR or sensor.origin is None or sensor.rotation is None:
            return Place(z, r, use, _NOWHERE)
        values, var = np.array(plot.values), np.array(plot.accuracy.var)
        given = np.array(plot.accuracy.use)
        polar.place(values, var, given, sensor.origin, sensor.rotation, self._prior, z, r, use)
        return Place(z, r, use, sensor.origin)

    def _polar(self, measure: RangeBearing, stated: Sigma, sensor: Sensor) -> Accuracy:
        """Raises Unusable unless all that a polar plot must give is there and finite."""
        if sensor.frame is None:
            raise Unusable("unknown-sensor")
        elevation, rate, reach = measure.elevation_deg, measure.range_rate_mps, self._settings.reach_m
        if not (
            _LEAST_RANGE_M <= measure.range_m < math.inf
            and math.isfinite(measure.azimuth_deg)
            and (elevation is None or math.isfinite(elevation))
        ):
            raise Unusable("unusable-measure")
        if measure.range_m > reach:
            raise Unusable("out-of-reach")
        timed = rate is not None and abs(rate) <= self._settings.fastest_mps
        return self._accuracy(sensor, stated, POLAR, _POLAR_USE[elevation is not None][timed])

    def _bearing(self, measure: Bearing, stated: Sigma, sensor: Sensor) -> Accuracy:
        if sensor.frame is None:
            raise Unusable("unknown-sensor")
        elevation = measure.elevation_deg
        if not (math.isfinite(measure.azimuth_deg) and (elevation is None or math.isfinite(elevation))):
            raise Unusable("unusable-measure")
        return self._accuracy(sensor, stated, BEARING, _BEARING_USE[elevation is not None])

    def _accuracy(self, sensor: Sensor, stated: Sigma, kind: int, use: tuple[bool, ...]) -> Accuracy:
        """A sensor mostly states the same accuracy for plot after plot: the last one of each is kept."""
        held = self._held.get(sensor.id)
        if held is not None and held[1].use is use and held[0] == stated:
            return held[1]
        s_range, s_azimuth = self._polar_sigmas(stated, sensor)
        angles = (s_azimuth**2, self._elevation_sigma(stated, sensor) ** 2)
        if kind == BEARING:
            accuracy = Accuracy((*angles, 1.0, 1.0, 1.0, 1.0), use)
        else:
            rate = self._rate_sigma(stated, sensor) ** 2
            accuracy = Accuracy((s_range**2, *angles, rate, 1.0, 1.0), use)
        self._held[sensor.id] = stated, accuracy
        return accuracy

    def _position(self, measure: Position, stated: Sigma, sensor: Sensor, aircraft: bool) -> Place:
        z, r, use = np.zeros(ROWS), np.zeros((ROWS, ROWS)), _EAST_NORTH.copy()
        if aircraft:
            self._place_aircraft(measure, stated, sensor, z, r, use)
        else:
            self._place_position(measure, stated, sensor, z, r, use)
        if not (np.isfinite(z).all() and np.isfinite(r).all()):
            raise Unusable("unusable-measure")
        return Place(z, r, use, _NOWHERE)

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

    def _polar_sigmas(self, stated: Sigma, sensor: Sensor) -> tuple[float, float]:
        """Sigmas of range (m) and azimuth (radians)."""
        settings, own = self._settings, sensor.sigma
        s_range = self._sigma(stated.range_m, own.range_m, settings.default_range_sigma_m)
        s_azimuth = self._sigma(stated.azimuth_deg, own.azimuth_deg, settings.default_azimuth_sigma_deg)
        return s_range, _DEG * min(s_azimuth, _WIDEST_ANGLE_DEG)

    def _sigma(self, stated: float | None, own: float | None, default: float, floor: float = 0.0) -> float:
        """The stated accuracy, or the sensor's own, or the documented default; within floor and ceiling."""
        sigma = default
        if stated is not None and 0.0 < stated < math.inf:
            sigma = stated
        elif own is not None:
            sigma = own
        return min(max(sigma, floor, self._settings.least_sigma), self._settings.widest_sigma_m)


def _finite(beliefs: dict[ObjectClass, float]) -> bool:
    return all(math.isfinite(value) for value in beliefs.values())


def _together(time: float) -> float:
    """The beginning of the 20 ms that a time lies in; never in the second before."""
    return math.floor(time * _HEARD_PER_S) / _HEARD_PER_S
