"""What an honest operator would write into ``sensors.json`` of the planned sensors: data-sheet figures.

None of the faults is in it, nor the ground: both are for the station to find out. The detection probability
of a sensor whose chance falls with range is its mean over the range that it states, for the quadcopter
that makers quote.
"""

from typing import Any

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from vedette.model.detection import AltitudeDatum
from vedette.model.site import ClutterRegion, Limits, SensorProfile, SensorSigma, SensorType
from vedette.simulate.places import SiteFrame
from vedette.simulate.scenario import Scenario
from vedette.simulate.sensing import physics
from vedette.simulate.sensing.catalogue import (
    Acoustic,
    AdsbReceiver,
    Camera,
    Finder,
    Radar,
    RemoteIdReceiver,
    signature_of,
)
from vedette.simulate.sensing.clutter import region_of
from vedette.simulate.sensing.looking import Looking
from vedette.simulate.sensing.station import Post
from vedette.simulate.world import World

QUOTED = "multirotor"
RANGES = 64
BROADCAST_SIGMA = SensorSigma(horizontal_m=10.0, vertical_m=15.0)
AIRCRAFT_SIGMA = SensorSigma(horizontal_m=30.0, vertical_m=30.0)
_TYPES: tuple[tuple[type, SensorType], ...] = (
    (Finder, "direction-finder"),
    (Acoustic, "acoustic-array"),
    (Camera, "camera"),
)


def planned_profiles(scenario: Scenario) -> tuple[SensorProfile, ...]:
    """Profiles of all ``[[sensor]]``, in their order and in the site's height datum."""
    empty = World(structs.replace(scenario, actors=()))
    posts = [Post(plan, empty.frame, empty.ground) for plan in scenario.sensors]
    return tuple(profile_of(post, empty.frame, scenario.head.site.alt_datum) for post in posts)


def profile_of(post: Post, frame: SiteFrame, datum: AltitudeDatum) -> SensorProfile:
    """The profile of one sensor."""
    model = post.model
    figures = (
        _broadcasts(model)
        if isinstance(model, RemoteIdReceiver | AdsbReceiver)
        else _figures(model, post.plan.facing_deg)
    )
    return SensorProfile(
        id=post.id,
        lat_deg=post.lat_deg,
        lon_deg=post.lon_deg,
        alt_m=frame.site_height_m(post.ellipsoid_m),
        alt_datum=datum,
        **figures,
    )


def _broadcasts(model: RemoteIdReceiver | AdsbReceiver) -> dict[str, Any]:
    return {
        "type": "report",
        "period_s": 1.0,
        "detection_probability": model.near_share,
        "range_m": (0.0, model.range_m),
        "sigma": BROADCAST_SIGMA if isinstance(model, RemoteIdReceiver) else AIRCRAFT_SIGMA,
    }


def _figures(model: Looking, facing_deg: float) -> dict[str, Any]:
    region = region_of(model, facing_deg)
    reach = (getattr(model, "least_range_m", 0.0), _reach_m(model))
    partial = isinstance(model, Radar | Camera) and model.azimuth_width_deg < 360.0
    left, right = region.azimuth_deg
    sector = (left, right % 360.0) if partial else None
    return {
        "type": _type(model),
        "period_s": model.period_s,
        "detection_probability": round(_mean_pd(model, *reach), 2),
        "clutter_per_scan": model.clutter_per_scan,
        "range_m": reach,
        "azimuth_deg": sector,
        "elevation_deg": _elevation(model),
        "range_rate_mps": _rates(model),
        "clutter_region": ClutterRegion(
            range_m=region.range_m,
            azimuth_deg=sector,
            elevation_deg=region.elevation_deg,
            range_rate_mps=region.rate_mps,
        ),
        "sigma": _sigma(model),
    }


def _type(model: Looking) -> SensorType:
    if isinstance(model, Radar):
        return "radar-3d" if model.raised else "radar-2d"
    return next(name for kind, name in _TYPES if isinstance(model, kind))


def _elevation(model: Looking) -> Limits | None:
    if not isinstance(model, Radar | Camera):
        return None
    return (model.elevation_from_deg, model.elevation_to_deg)


def _rates(model: Looking) -> Limits | None:
    if not isinstance(model, Radar) or model.sigma_rate_mps is None:
        return None
    return (-model.most_rate_mps, model.most_rate_mps)


def _sigma(model: Looking) -> SensorSigma:
    return SensorSigma(
        range_m=getattr(model, "sigma_range_m", None),
        azimuth_deg=model.sigma_azimuth_deg,
        elevation_deg=getattr(model, "sigma_elevation_deg", None),
        range_rate_mps=getattr(model, "sigma_rate_mps", None),
    )


def _reach_m(model: Looking) -> float:
    """Up to where a data sheet would say that it sees: its display's end, or where the quoted target's chance
    has sunk to a tenth."""
    if isinstance(model, Radar):
        return model.most_range_m
    ranges = np.linspace(1.0, model.most_range_m, 8 * RANGES)
    seen = np.flatnonzero(_pd(model, ranges) >= 0.1)
    return float(round(ranges[seen[-1]])) if len(seen) else model.most_range_m


def _mean_pd(model: Looking, least_m: float, most_m: float) -> float:
    return float(np.mean(_pd(model, np.linspace(max(least_m, 1.0), most_m, RANGES))))


def _pd(model: Looking, ranges: NDArray[np.float64]) -> NDArray[np.float64]:
    signature = signature_of(QUOTED)
    assert signature is not None
    return physics.detection_probability(model, signature, ranges)
