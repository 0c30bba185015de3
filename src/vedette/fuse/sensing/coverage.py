"""What a sensor sees of the bodies that are tracked: probability of detection as a function of place."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vedette.fuse.kernels import coverage, negative
from vedette.fuse.kernels.kalman import F64
from vedette.fuse.kernels.pmb import Mask2
from vedette.fuse.picture import Picture
from vedette.fuse.sensing.sensors import Sensor
from vedette.fuse.settings import FuseSettings
from vedette.terrain import Mask

_LEAST_HIT = 0.02
"""What was seen with less probability was missed."""
USUAL_PD = 0.5
"""Of a sensor that states none."""
_NO_HORIZON: NDArray[np.float32] = np.zeros((0, 0), np.float32)
_NO_VOID: NDArray[np.int32] = np.zeros(0, np.int32)
_NO_PLACE: F64 = np.zeros(6)


class Covered(NamedTuple):
    """``view`` (n,): share of each body's place that the sensor may see; ``sure`` (n,): the share that it
    sees for sure. Between them lies what voids hide, and what lies beyond the elevation model."""

    view: F64
    sure: F64


def covered(sensor: Sensor, x: F64, p: F64, mu: F64, settings: FuseSettings) -> Covered:
    """Of bodies by their models x (n, m, 6), p (n, m, 6, 6), mu (n, m). A sensor whose place is not known
    sees all; `kernels.coverage.shares` says the rest."""
    n = len(x)
    if sensor.origin is None or sensor.rotation is None:
        return Covered(np.ones(n), np.ones(n))
    view, sure = np.empty(n), np.empty(n)
    horizon, first_void, place = _mask(sensor.mask)
    coverage.shares(
        x, p, mu, sensor.origin, sensor.rotation, sensor.limits, horizon, first_void, place,
        settings.terrain_sigma_m, view, sure,
    )  # fmt: skip
    return Covered(view, sure)


def expected(
    picture: Picture, sensor: Sensor, time: float, here: Covered, settings: FuseSettings
) -> tuple[F64, F64]:
    """Probability (n,) that a sensor detects each body at ``time``, and the one that a miss is held against.

    What a searching sensor missed before counts (`kernels.coverage.expect`); whether a body that does not
    send was in view, a direction finder cannot say."""
    n, sees = picture.count, sensor.detection_probability or USUAL_PD
    if not sensor.searching:
        emits = picture.emits[:n]
        return sees * here.view * emits, sees * here.sure * emits
    pd, counts = np.empty(n), np.empty(n)
    elapsed = max(time - picture.sighted_at, 0.0)
    coverage.expect(
        n, sees, elapsed, settings.view_memory_s, here.view, here.sure, picture.sighted, pd, counts
    )
    picture.sighted_at = max(picture.sighted_at, time)
    return pd, counts


def learn_from_misses(
    picture: Picture,
    sensor: Sensor,
    time: float,
    here: Covered,
    hit: F64,
    x: F64,
    p: F64,
    mu: F64,
    settings: FuseSettings,
) -> None:
    """What a whole scan did not see, and the ground may hide, is likelier behind it: `kernels.negative`.
    ``x``, ``p``, ``mu``: the models at the time of the scan."""
    if sensor.mask is None or not sensor.searching:
        return
    horizon, first_void, place = _mask(sensor.mask)
    sees = sensor.detection_probability or USUAL_PD
    negative.missed_behind(
        time, sees, here.view, hit < _LEAST_HIT, x, p, mu, horizon, first_void, place,
        settings.terrain_sigma_m, picture.time, picture.x, picture.p, picture.xm, picture.pm, picture.mu,
    )  # fmt: skip


def _mask(mask: Mask | None) -> tuple[NDArray[np.float32], NDArray[np.int32], F64]:
    if mask is None:
        return _NO_HORIZON, _NO_VOID, _NO_PLACE
    return mask.horizon, mask.first_void, mask.place


def plots_in_view(sensor: Sensor, kind: int, z: F64, var: F64, use: Mask2, settings: FuseSettings) -> F64:
    """How much of where each plot (k,) may be the ground does not hide: see the kernel of this name."""
    view = np.ones(len(z))
    if sensor.mask is not None and sensor.origin is not None and sensor.rotation is not None:
        horizon, first_void, place = _mask(sensor.mask)
        coverage.plots_in_view(
            kind, z, var, use, sensor.origin, sensor.rotation, horizon, first_void, place,
            settings.terrain_sigma_m, view,
        )  # fmt: skip
    return view
