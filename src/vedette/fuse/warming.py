"""Compiles all kernels, by tracking a little of everything."""

import math
from collections.abc import Iterator

from vedette.fuse.kernels import kalman
from vedette.fuse.sensing.ground import Ground
from vedette.fuse.settings import FuseSettings
from vedette.fuse.tracker import Tracker
from vedette.geo import LocalFrame
from vedette.model import Bearing, Claim, Detection, EmptyScan, Position, RangeBearing, SensorProfile, Site
from vedette.model.detection import Measure
from vedette.terrain import local_grid, synthesize

_SITE = Site(name="warm", lat_deg=0.0, lon_deg=0.0, alt_m=725.0, alt_datum="egm96")
"""On the ground of `_ground`."""
_SECONDS = 12
_M_PER_DEG = 111_000.0
_REACH_M = 3000.0
_GROUND_M = 1200.0
"""Terrain is known no farther, so that some of what flies lies beyond it."""
_PLACES: dict[str, tuple[float, float]] = {
    "radar": (0.0, 0.0),
    "finder-a": (0.0, 0.0),
    "finder-b": (900.0, 0.0),
}
"""East and north of each sensor, m."""
_TYPES = {"radar": "radar-3d", "finder-a": "direction-finder", "finder-b": "direction-finder"}
_SEEN: tuple[tuple[float, float], ...] = ((400.0, 700.0), (-500.0, 600.0), (300.0, -900.0))
_HEARD = (500.0, 2500.0)
"""Where bodies fly: those that the radar sees, and one that is only heard, beyond its range."""
_RADAR_REACH_M = 2000.0
_CLAIM = Claim(scheme="remote-id-serial", id="WARM")
_CRAFT = Claim(scheme="icao", id="ABCDEF")


def warm() -> None:
    """Compile every kernel of the tracker, or load it from numba's cache: a minute once, then a second."""
    kalman.warm()
    profiles = tuple(map(_profile, _PLACES))
    for ground in (None, _ground()):
        tracker = Tracker(_SITE, profiles, ground=ground)
        for second in range(_SECONDS):
            for scan in _scans(float(second)):
                tracker.add(scan, scan[0].time)
            if second == _SECONDS // 2:
                # What comes late is taken again from a checkpoint.
                tracker.add(list(_hearing("finder-b", second - 2.5, extra=0.0)), float(second))
            tracker.frame(float(second))
        tracker.registrations()
        Tracker.restore(_SITE, profiles, FuseSettings(), tracker.state(), ground=ground)


def _ground() -> Ground:
    """A ridge round the site, small enough to be swept at once."""
    hills = synthesize("ridge", seed=0, lat_deg=0.0, lon_deg=0.0, half_extent_m=1.5 * _GROUND_M)
    return Ground(
        local_grid(hills, LocalFrame(_SITE.lat_deg, _SITE.lon_deg, _SITE.alt_m), "egm96", radius_m=_GROUND_M)
    )


def _scans(now: float) -> Iterator[list[Detection]]:
    """What every sensor says within a second, in order."""
    yield [*_looking(now), *_crowd(now)]
    for name, after in (("finder-a", 0.1), ("finder-b", 0.2)):
        yield list(_hearing(name, now + after, extra=40.0))
    yield [_said("camera", now + 0.3, _position(*_SEEN[0], 80.0))]
    yield [_said("remote-id", now + 0.4, _position(*_SEEN[0], 80.0), _CLAIM)]
    yield [_said("report", now + 0.5, _position(*_SEEN[1], 80.0))]
    yield [_said("adsb", now + 0.6, _position(*_SEEN[2], 80.0), _CRAFT)]
    if now % 4.0 == 3.0:
        yield [Detection(time=now + 0.7, sensor="radar", measure=EmptyScan(), scan=-1)]


def _looking(now: float) -> Iterator[Detection]:
    """The radar's plots of bodies, one of which has no height, and another one no rate."""
    for number, (east, north) in enumerate(_SEEN):
        measure = RangeBearing(
            range_m=math.hypot(east, north, 80.0),
            azimuth_deg=math.degrees(math.atan2(east, north)) % 360.0,
            elevation_deg=None if number == 1 else 5.0,
            range_rate_mps=None if number == 2 else 0.0,
        )
        yield Detection(time=now, sensor="radar", measure=measure, scan=int(now))


def _crowd(now: float) -> Iterator[Detection]:
    """False plots that lie close together, each time elsewhere."""
    for number in range(5):
        measure = RangeBearing(
            range_m=1500.0 + 7.0 * number + 3.0 * now, azimuth_deg=200.0 + number, elevation_deg=5.0
        )
        yield Detection(time=now, sensor="radar", measure=measure, scan=int(now))


def _hearing(name: str, now: float, *, extra: float) -> Iterator[Detection]:
    """Bearings to all that fly, with an elevation to what is only heard, and a false one."""
    e, n = _PLACES[name]
    for number, (east, north) in enumerate((*_SEEN, _HEARD)):
        azimuth = math.degrees(math.atan2(east - e, north - n)) % 360.0
        raised = 2.0 if number == len(_SEEN) and name == "finder-a" else None
        yield Detection(
            time=now, sensor=name, measure=Bearing(azimuth_deg=azimuth, elevation_deg=raised), scan=int(now),
            claim=_CLAIM if number == 0 else None,
        )  # fmt: skip
    if extra:
        yield Detection(
            time=now, sensor=name, measure=Bearing(azimuth_deg=(extra * now) % 360.0), scan=int(now)
        )


def _position(east: float, north: float, up: float) -> Position:
    return Position(
        lat_deg=north / _M_PER_DEG, lon_deg=east / _M_PER_DEG, alt_m=_SITE.alt_m + up, alt_datum="egm96",
    )  # fmt: skip


def _said(sensor: str, now: float, measure: Measure, claim: Claim | None = None) -> Detection:
    return Detection(time=now, sensor=sensor, measure=measure, claim=claim)


def _profile(name: str) -> SensorProfile:
    east, north = _PLACES[name]
    return SensorProfile(
        id=name,
        type=_TYPES[name],  # type: ignore[arg-type]
        lat_deg=north / _M_PER_DEG,
        lon_deg=east / _M_PER_DEG,
        alt_m=_SITE.alt_m + 20.0,
        alt_datum="egm96",
        period_s=1.0,
        detection_probability=0.9,
        range_m=(10.0, _RADAR_REACH_M if name == "radar" else _REACH_M),
    )
