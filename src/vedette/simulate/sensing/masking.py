"""What of the ground stands between a sensor and many points, for radio, light and sound.

The ray is straight in the site's frame but for refraction: over d metres it bends towards the Earth and so
passes up to k d^2 / (8 R) above the straight line. k is 1 - 3/4 for radio in the standard atmosphere (4/3
Earth, ITU-R P.310), 0.13 for light (Gauss's coefficient), 0 for sound.
"""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vedette.model.track import Vector3
from vedette.simulate.ground import Ground

F64 = NDArray[np.float64]
Ray = Literal["radio", "light", "sound"]

EARTH_RADIUS_M = 6_371_008.8
BENT: dict[Ray, float] = {"radio": 0.25, "light": 0.13, "sound": 0.0}
STEP_M = 30.0
MOST_STEPS = 200
_LEAST_STEPS = 8
_BLOCK = 200_000


def edges(ground: Ground, eye: Vector3, points: F64, ray: Ray) -> F64:
    """`physics`' ``edge`` for each row (east, north, up; metres) of ``points`` (n, 3), as seen from ``eye``.

    The ground is looked at every `STEP_M` or, beyond 6 km, at `MOST_STEPS` places of the way.
    """
    out = np.full(len(points), -np.inf)
    if ground.level or not len(points):
        return out
    way = points - np.asarray(eye)
    distance = np.sqrt(way[:, 0] ** 2 + way[:, 1] ** 2 + way[:, 2] ** 2)
    steps = np.clip(np.ceil(distance / STEP_M), _LEAST_STEPS, MOST_STEPS).astype(int)
    # By length of the way: each point's own steps, so that its answer does not depend on the others'.
    for count in np.unique(steps).tolist():
        rows = np.flatnonzero(steps == count)
        for part in np.array_split(rows, max(1, math.ceil(len(rows) * count / _BLOCK))):
            out[part] = _edges(ground, eye, way[part], distance[part], count, ray)
    return out


def _edges(ground: Ground, eye: Vector3, way: F64, distance: F64, count: int, ray: Ray) -> F64:
    share = (np.arange(count) + 0.5) / count
    east = eye[0] + way[:, :1] * share
    north = eye[1] + way[:, 1:2] * share
    reach = distance[:, None]
    bulge = BENT[ray] * reach * reach * share * (1.0 - share) / (2.0 * EARTH_RADIUS_M)
    above = ground.height_m(east, north) - (eye[2] + way[:, 2:] * share + bulge)
    near = 1.0 / (reach * share) + 1.0 / (reach * (1.0 - share))
    # Ground that is not known hides nothing: it would have to be invented.
    edge: F64 = np.max(np.where(np.isnan(above), -np.inf, above) * np.sqrt(2.0 * near), axis=1)
    return edge
