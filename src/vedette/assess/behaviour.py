"""What a track does, as seen from a unit, in the words of `model.threat.Behaviour`."""

import numpy as np
from numpy.typing import NDArray

from vedette.assess.columns import Floats
from vedette.assess.geometry import Geometry
from vedette.assess.settings import AssessSettings
from vedette.model.threat import Behaviour

BEHAVIOURS: tuple[Behaviour, ...] = ("direct-run", "closing", "loiter", "near", "receding", "unknown")

_RUN_SPEED_MPS = 8.0
_RUN_SHARE = 0.6
_RUN_DRIFT_DPS = 3.0
_MOVING_MPS = 2.0


def behaviours(geometry: Geometry, loiters: Floats, s: AssessSettings) -> NDArray[np.int64]:
    """Index into `BEHAVIOURS` for every pair; the first that holds (field notes, "Direct run").

    ``loiters`` is 1 or 0, [tracks, 1]; what closes in is told as closing, loiterer or not.
    """
    g = geometry
    aimed = g.miss < s.collision_miss_m + g.miss_sigma
    steady = (g.closing > _RUN_SHARE * g.speed) & (g.drift_dps < _RUN_DRIFT_DPS)
    holds = [
        aimed & steady & (g.speed > _RUN_SPEED_MPS),
        g.closing > np.maximum(_MOVING_MPS, 0.5 * g.speed),
        (loiters > 0.0) & (g.range < s.loiter_range_m),
        g.nearest < s.advisory_range_m,
        g.closing < -_MOVING_MPS,
    ]
    return np.asarray(np.select(holds, list(range(len(holds))), default=len(holds)), dtype=np.int64)
