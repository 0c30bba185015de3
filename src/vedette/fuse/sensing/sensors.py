"""What the tracker knows of each sensor: its place, its limits, how often it misses and invents."""

import math

import numpy as np
from msgspec import Struct

from vedette.fuse.kernels.kalman import F64
from vedette.fuse.sensing.ground import Ground
from vedette.fuse.settings import FuseSettings
from vedette.geo import LocalFrame, SensorFrame, convert_height
from vedette.model import ConfigError, DatumError, InputError, SensorProfile, Site
from vedette.model.site import Limits, SensorSigma
from vedette.terrain import Mask

_EVERYWHERE = math.inf
_DEFAULT_REGION_M = 5000.0
_LEAST_EXTENT = 1e-6
_LARGEST = 1e9
"""Of any figure of a profile: beyond it squares and quotients are no numbers any more."""
_SHORTEST_PERIOD_S = 1e-3


class Extent(Struct, frozen=True):
    """Over what a sensor's false plots are spread: lowest and highest of each measure (an azimuth sector by
    its width and where it begins)."""

    range_m: Limits = (0.0, _DEFAULT_REGION_M)
    azimuth_rad: float = 2.0 * math.pi
    azimuth_from_rad: float = 0.0
    elevation_rad: Limits = (-0.1, math.pi / 2.0 - 0.1)
    rate_mps: Limits = (-60.0, 60.0)

    def outside(self, range_m: float, elevation_rad: float | None, rate_mps: float | None) -> bool:
        """True where false plots are rare."""
        return not (
            self.range_m[0] <= range_m <= self.range_m[1]
            and (elevation_rad is None or self.elevation_rad[0] <= elevation_rad <= self.elevation_rad[1])
            and (rate_mps is None or self.rate_mps[0] <= rate_mps <= self.rate_mps[1])
        )


class Sensor(Struct, frozen=True):
    """One sensor as the tracker sees it.

    ``cooperative``: it only repeats what is broadcast, so it can verify nothing. ``vouched``: it measures,
    and the configuration names it; any other may be somebody who calls himself a sensor. ``searching``: it
    scans a known region for bodies whether they emit or not, so a miss is evidence of absence.
    ``limits``: (8,), see `kernels.coverage`. ``clutter_per_m2``: false plots per scan and
    square metre. ``mask``: what the ground hides from it, None where that is not known. ``profiled``:
    somebody told of it, be it itself.
    """

    id: str
    cooperative: bool
    searching: bool
    vouched: bool
    period_s: float
    detection_probability: float
    clutter_per_m2: float
    sigma: SensorSigma
    frame: SensorFrame | None
    origin: F64 | None
    rotation: F64 | None
    limits: F64
    clutter_per_scan: float = 0.0
    extent: Extent = Extent()
    mask: Mask | None = None
    profiled: bool = True


def unknown_sensor(name: str, settings: FuseSettings) -> Sensor:
    """A sensor without a profile: taken as one that repeats broadcasts, with default accuracies."""
    return Sensor(
        id=name,
        cooperative=True,
        searching=False,
        vouched=False,
        profiled=False,
        period_s=1.0,
        detection_probability=0.0,
        clutter_per_m2=settings.least_clutter_per_m2,
        sigma=SensorSigma(),
        frame=None,
        origin=None,
        rotation=None,
        limits=np.zeros(8),
    )


def sensor_of(
    profile: SensorProfile,
    site: Site,
    frame: LocalFrame,
    settings: FuseSettings,
    *,
    configured: bool = True,
    ground: Ground | None = None,
) -> Sensor:
    """The tracker's view of a profile; ``configured``: by the operator, not by its own word; ``ground``: what
    stands round the site.

    Only radars and cameras are *searching*: a direction finder, an acoustic array or a receiver of
    broadcasts that hears nothing has not shown that nothing is there, for a drone may be silent.
    Raises ConfigError if the place of a sensor that measures from its own place cannot be known, or a
    figure of it is no number: sensors that register themselves may say anything.
    """
    _check_figures(profile)
    placed = None if profile.type == "report" else _place(profile, site, frame)
    origin = None if placed is None else np.array(placed.origin_enu_m)
    return Sensor(
        id=profile.id,
        cooperative=profile.type == "report",
        vouched=configured and profile.type != "report",
        searching=profile.type in ("radar-3d", "radar-2d", "camera") and profile.range_m is not None,
        period_s=max(profile.period_s, _SHORTEST_PERIOD_S),
        detection_probability=min(profile.detection_probability, 0.99),
        clutter_per_m2=max(profile.clutter_per_scan / _area_m2(profile), settings.least_clutter_per_m2),
        clutter_per_scan=profile.clutter_per_scan,
        extent=_extent(profile),
        sigma=profile.sigma,
        frame=placed,
        origin=origin,
        rotation=None if placed is None else np.array(placed.rotation),
        limits=_limits(profile),
        mask=None if ground is None or origin is None else _mask(profile, origin, ground, configured),
    )


def _check_figures(profile: SensorProfile) -> None:
    figures = {"period_s": profile.period_s, "clutter_per_scan": profile.clutter_per_scan}
    figures["detection_probability"] = profile.detection_probability
    for name in ("range_m", "azimuth_deg", "elevation_deg", "range_rate_mps"):
        for limits in (getattr(profile, name), getattr(profile.clutter_region, name, None)):
            figures |= {f"{name}[{place}]": value for place, value in enumerate(limits or ())}
    bad = [name for name, value in figures.items() if not abs(value) <= _LARGEST]
    if bad:
        raise ConfigError(
            f"sensor {profile.id}: {bad[0]} is {figures[bad[0]]}: give a finite number, of 1e9 at most"
        )


def _place(profile: SensorProfile, site: Site, frame: LocalFrame) -> SensorFrame:
    try:
        alt_m = convert_height(
            profile.alt_m, profile.alt_datum, site.alt_datum, geoid_height_m=site.geoid_height_m
        )
    except DatumError as error:
        raise ConfigError(
            f"sensor {profile.id}: its alt_datum does not fit the site's: {error}; or give alt_m over "
            f"{site.alt_datum}"
        ) from error
    try:
        return SensorFrame(frame, profile.lat_deg, profile.lon_deg, alt_m)
    except InputError as error:
        raise ConfigError(f"sensor {profile.id}: {error}") from error


def _mask(profile: SensorProfile, origin: F64, ground: Ground, configured: bool) -> Mask | None:
    """What the ground hides from a sensor. One that described itself wrongly has none: nothing is known."""
    try:
        return ground.mask_for(profile, origin)
    except ConfigError:
        if configured:
            raise
        return None


def _extent(profile: SensorProfile) -> Extent:
    usual, region = Extent(), profile.clutter_region

    def limits(name: str) -> Limits | None:
        found: Limits | None = (getattr(region, name) if region else None) or getattr(profile, name)
        return (found[0], max(found[1], found[0] + _LEAST_EXTENT)) if found else None

    elevation = limits("elevation_deg")
    sector = (region.azimuth_deg if region else None) or profile.azimuth_deg or (0.0, 360.0)
    return Extent(
        range_m=limits("range_m") or usual.range_m,
        azimuth_rad=math.radians(_sector_deg(sector)),
        azimuth_from_rad=math.radians(sector[0]),
        elevation_rad=_in_radians(elevation) if elevation else usual.elevation_rad,
        rate_mps=limits("range_rate_mps") or usual.rate_mps,
    )


def _in_radians(limits: Limits) -> Limits:
    return math.radians(limits[0]), math.radians(limits[1])


def _area_m2(profile: SensorProfile) -> float:
    """Horizontal area in which the sensor's false plots lie."""
    region = profile.clutter_region
    spread = (region.range_m if region else None) or profile.range_m or (0.0, _DEFAULT_REGION_M)
    sector = (region.azimuth_deg if region else None) or profile.azimuth_deg or (0.0, 360.0)
    angle = math.radians(_sector_deg(sector))
    return max(0.5 * angle * (spread[1] ** 2 - spread[0] ** 2), 1.0)


def _sector_deg(sector: Limits) -> float:
    """Width of an azimuth sector that may run through north."""
    width = sector[1] - sector[0]
    return min(width if width > 0.0 else width + 360.0, 360.0)


def _limits(profile: SensorProfile) -> F64:
    everywhere = (-_EVERYWHERE, _EVERYWHERE)
    azimuth = profile.azimuth_deg or (0.0, 360.0)
    ranges = profile.range_m or (0.0, _EVERYWHERE)
    elevation = profile.elevation_deg or everywhere
    rate = profile.range_rate_mps or everywhere
    return np.array([*ranges, azimuth[0], azimuth[0] + _sector_deg(azimuth), *elevation, *rate])
