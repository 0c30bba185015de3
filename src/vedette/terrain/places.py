"""Many places at once: the local frame's east and north -> latitude and longitude -> pixels of a file."""

import math

import numpy as np
from numpy.typing import NDArray

from vedette import geo
from vedette.terrain import raster_library
from vedette.terrain.elevation import Elevation

F64 = NDArray[np.float64]

_BOWRING_ROUNDS = 3


def earth_radius_m(lat_deg: float) -> float:
    """Gaussian mean radius of curvature of WGS-84, sqrt(M N): the sphere that fits best round a place
    (Torge and Mueller, Geodesy, 4th edition, 2012, chapter 4)."""
    sin_lat = math.sin(math.radians(lat_deg))
    return geo.SEMI_MINOR_M / (1.0 - geo.ECCENTRICITY_SQ * sin_lat * sin_lat)


def ground_places(frame: geo.LocalFrame, east_m: F64, north_m: F64) -> tuple[F64, F64]:
    """Latitude and longitude (degrees) of points of the frame that lie at the origin's height.

    A point that lies ``h`` higher or lower is displaced by ``h`` times its distance over the Earth's
    radius: 1.6 m for a kilometre of height at 10 km, well inside one post.
    """
    drop = (east_m * east_m + north_m * north_m) / (2.0 * earth_radius_m(frame.lat_deg))
    e, n, u = frame.axes
    ox, oy, oz = geo.geodetic_to_ecef(frame.lat_deg, frame.lon_deg, frame.alt_m)
    x = ox + e[0] * east_m + n[0] * north_m - u[0] * drop
    y = oy + e[1] * east_m + n[1] * north_m - u[1] * drop
    z = oz + e[2] * east_m + n[2] * north_m - u[2] * drop
    return _geodetic(x, y, z)


def _geodetic(x: F64, y: F64, z: F64) -> tuple[F64, F64]:
    """As `geo.ecef_to_geodetic`, for arrays and without the height."""
    across = np.hypot(x, y)
    beta = np.arctan2(z * geo.SEMI_MAJOR_M, across * geo.SEMI_MINOR_M)
    lat = beta
    for _ in range(_BOWRING_ROUNDS):
        lat = np.arctan2(
            z + geo.SECOND_ECCENTRICITY_SQ * geo.SEMI_MINOR_M * np.sin(beta) ** 3,
            across - geo.ECCENTRICITY_SQ * geo.SEMI_MAJOR_M * np.cos(beta) ** 3,
        )
        beta = np.arctan2((1.0 - geo.FLATTENING) * np.sin(lat), np.cos(lat))
    return np.degrees(lat), np.degrees(np.arctan2(y, x))


def pixels(elevation: Elevation, lat_deg: F64, lon_deg: F64) -> tuple[F64, F64]:
    """Column and row, as fractions counted from the centre of the north-western pixel."""
    t = elevation.transform
    if elevation.geographic:
        centre = t.west + 0.5 * elevation.void.shape[1] * t.dx
        x = centre + (lon_deg - centre + 180.0) % 360.0 - 180.0
        y = lat_deg
    else:
        warp = raster_library.load("rasterio.warp")
        flat = warp.transform("EPSG:4326", elevation.crs, lon_deg.ravel().tolist(), lat_deg.ravel().tolist())
        x = np.array(flat[0], np.float64).reshape(lon_deg.shape)
        y = np.array(flat[1], np.float64).reshape(lat_deg.shape)
    return (x - t.west) / t.dx - 0.5, (t.north - y) / t.dy - 0.5
