"""Directions without a place, as others see them."""

import hashlib
import math

import numpy as np

from vedette.fuse.kernels import crossing, listening, wedge
from vedette.fuse.kernels.kalman import F64
from vedette.fuse.picture import Picture
from vedette.fuse.rays.eyes import arrays_of
from vedette.fuse.rays.hearing import CELLS, borders_of, ray_figures, searching_eyes
from vedette.fuse.rays.state import Ear
from vedette.fuse.settings import FuseSettings
from vedette.model import Wedge

LETTER = "W"
"""The ids of wedges begin so: none is a track."""
_ODD, _HEIGHTS_M = 0.3, 500.0
"""Share of bodies at heights other than the usual ones, as in `looks`, and the mean of these."""
_LEVEL = np.array([[True, False, False, False, False, False]])


def wedges_of(picture: Picture, at: float, settings: FuseSettings) -> tuple[Wedge, ...]:
    """All rays at ``at`` that are likely bodies and belong to no track, sorted by id. One that was heard
    ahead of ``at`` stands where that left it."""
    found = []
    for name, ear in sorted(picture.rays.ears.items()):
        table = ear.table[ear.table[:, listening.SHOWN] > 0.0].copy()
        if len(table) == 0 or at - ear.time > settings.silent_sensor_s:
            continue
        listening.foretell(table, at - ear.time, ray_figures(ear.eye, settings))
        found += [
            _wedge(picture, name, ear, ray, settings)
            for ray in table
            if ray[listening.EXISTENCE] >= settings.forget_existence
        ]
    return tuple(sorted(found, key=lambda wedge: wedge.id))


def _wedge(picture: Picture, name: str, ear: Ear, ray: F64, settings: FuseSettings) -> Wedge:
    way = np.empty((1, 3))
    origin, rotation, _ = arrays_of(ear.eye)
    crossing.toward(ray[None, [listening.AZIMUTH, listening.ELEVATION]], _LEVEL, rotation, way)
    borders = borders_of(ear.eye)
    raised = ray[listening.ELEVATION_VAR] >= 0.0
    return Wedge(
        id=_id(name, ray),
        sensor=name,
        origin_enu_m=(float(origin[0]), float(origin[1]), float(origin[2])),
        azimuth_deg=math.degrees(math.atan2(way[0, 0], way[0, 1])) % 360.0,
        azimuth_sigma_deg=math.degrees(math.sqrt(ray[listening.AA])),
        azimuth_rate_dps=math.degrees(ray[listening.RATE]),
        azimuth_rate_sigma_dps=math.degrees(math.sqrt(ray[listening.RR])),
        existence=float(ray[listening.EXISTENCE]),
        heard=float(ray[listening.HEARD]),
        ranges_m=tuple(np.sqrt(borders[:-1] * borders[1:]).tolist()),
        weights=tuple(_weights(picture, name, ear, ray, way[0], borders, settings).tolist()),
        elevation_deg=math.degrees(ray[listening.ELEVATION]) if raised else None,
        elevation_sigma_deg=math.degrees(math.sqrt(ray[listening.ELEVATION_VAR])) if raised else None,
    )


def _weights(
    picture: Picture, name: str, ear: Ear, ray: F64, way: F64, borders: F64, settings: FuseSettings
) -> F64:
    """How likely each range is; see `kernels.wedge`."""
    origin, height, weights = arrays_of(ear.eye)[0], settings.prior_height_m, np.empty(CELLS)
    wedge.grounds(way, origin, borders, height, *searching_eyes(picture, settings), weights)
    figures = np.array(
        [settings.birth_speed_sigma_mps, height, settings.prior_height_sigma_m, _ODD, _HEIGHTS_M]
    )
    wedge.by_motion(ray, float(origin[2]), borders, figures, weights)
    for other, heard in sorted(picture.rays.ears.items()):
        if other != name and abs(heard.time - ear.time) <= settings.crossing_apart_s:
            wedge.by_hearing(
                way, origin, borders, height, *arrays_of(heard.eye), heard.eye.sees, heard.z, heard.var,
                heard.else_, weights,
            )  # fmt: skip
    wedge.normalise(weights)
    return weights


def _id(sensor: str, ray: F64) -> str:
    """From the sensor and the ray's first bearing: every order of arrival gives the same."""
    first = f"{sensor}\0{float(ray[listening.FOUNDED]).hex()}\0{float(ray[listening.BEGAN]).hex()}"
    return LETTER + hashlib.blake2b(first.encode(), digest_size=5).hexdigest().upper()
