"""Where a simulated sensor stands and which way its axes point; positions as it would measure them."""

import math

import numpy as np
from numpy.typing import NDArray

from vedette.geo import LocalFrame, SensorFrame
from vedette.model.errors import ConfigError
from vedette.model.track import Vector3
from vedette.simulate.ground import Ground
from vedette.simulate.places import SiteFrame
from vedette.simulate.sensing.catalogue import AnyModel, model_of
from vedette.simulate.sensing.plan import Sensor

F64 = NDArray[np.float64]


class Post:
    """One sensor in the world: its plan, its model, and its place. Raises ConfigError where the ground that
    it would stand on is not known.

    ``enu_m``: of the antenna in the site's frame. ``lat_deg``, ``lon_deg``, ``ellipsoid_m``: the same on
    Earth. ``facing_deg`` and ``width_deg`` bound its sector.
    """

    def __init__(self, plan: Sensor, frame: SiteFrame, ground: Ground) -> None:
        self.plan = plan
        self.id = plan.id
        self.model: AnyModel = model_of(plan.model, plan.override)
        east, north = frame.plane_m(plan)
        height = ground.height_at(east, north)
        if math.isnan(height):
            raise ConfigError(
                f"sensor {plan.id}: the elevation model knows no ground at {east:.0f} m east, {north:.0f} m "
                "north of the site: outside the model or in a void; move it, or bring the tile that covers it"
            )
        self.enu_m: Vector3 = (east, north, height + plan.agl_m)
        self.lat_deg, self.lon_deg, self.ellipsoid_m = frame.geodetic(self.enu_m)
        site = LocalFrame(*frame.geodetic((0.0, 0.0, 0.0)))
        self._rows = SensorFrame(site, self.lat_deg, self.lon_deg, self.ellipsoid_m).rotation

    def own_axes(self, vectors: F64) -> F64:
        """Vectors (..., 3) of the site's frame in the sensor's own east, north, up."""
        a, b, c = self._rows
        x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
        return np.stack(
            [
                a[0] * x + b[0] * y + c[0] * z,
                a[1] * x + b[1] * y + c[1] * z,
                a[2] * x + b[2] * y + c[2] * z,
            ],
            axis=-1,
        )

    def polar(self, places: F64) -> tuple[F64, F64, F64]:
        """Range (m), azimuth (0..360) and elevation (degrees) of places (..., 3) of the site's frame."""
        own = self.own_axes(places - np.asarray(self.enu_m))
        across = np.hypot(own[..., 0], own[..., 1])
        azimuth = np.degrees(np.arctan2(own[..., 0], own[..., 1])) % 360.0
        elevation = np.degrees(np.arctan2(own[..., 2], across))
        return np.hypot(across, own[..., 2]), azimuth, elevation

    def in_sector(self, azimuth_deg: F64, width_deg: float) -> NDArray[np.bool_]:
        """True where an azimuth lies within the sector."""
        turn = (azimuth_deg - self.plan.facing_deg + 180.0) % 360.0 - 180.0
        return np.abs(turn) <= width_deg / 2.0
