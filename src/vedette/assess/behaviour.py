"""What a track does, as seen from a unit, in the words of `model.threat.Behaviour`."""

import numpy as np
from numpy.typing import NDArray

from vedette.assess.columns import Floats, TrackFacts
from vedette.assess.kernels import intent
from vedette.assess.kernels import pairs as kernel
from vedette.assess.pairs import Pairs
from vedette.assess.settings import AssessSettings
from vedette.model.threat import Behaviour

BEHAVIOURS: tuple[Behaviour, ...] = (
    "direct-run", "dive", "drop-run", "follow", "orbit", "loiter", "near", "probing", "closing", "bird",
    "authorised", "receding", "transit", "unknown",
)  # fmt: skip

_RUN_SPEED_MPS = 8.0
_RUN_SHARE = 0.6
_RUN_DRIFT_DPS = 3.0
_MOVING_MPS = 2.0
_FALLING_MPS = 4.0
_LIKELY = 0.5
_WOUND_TURNS = 0.2
_EVEN = 0.35
_LEAVES_SHARE = 0.7
_LEAVES_MPS = 5.0
_STRAIGHT = 0.8
_WITH_IT = 0.5
_WATCH_M = 1500.0
_NEAR_M = 500.0


def behaviours(pairs: Pairs, facts: TrackFacts, classes: Floats, s: AssessSettings) -> NDArray[np.int64]:
    """Index into `BEHAVIOURS` for every pair; the first that holds.

    What it does now goes before what it has been doing: a run at the unit is told as one at once. Then comes
    the likeliest of the nine intents, ``classes`` [pairs, 9] weighed in (`kernels.intent.by_class`); to be a
    bird or one of ours must be likelier than all else together. What is left is told by its motion alone.
    """
    g = pairs
    chances = pairs.intents * classes
    chances = chances / chances.sum(axis=1, keepdims=True)
    best = np.argmax(chances, axis=1)
    aimed = g.miss < s.collision_miss_m + g.miss_sigma
    steady = (g.closing > _RUN_SHARE * g.speed) & (g.drift_dps < _RUN_DRIFT_DPS)
    comes = g.closing > np.maximum(_MOVING_MPS, 0.5 * g.speed)
    run = aimed & steady & (g.speed > _RUN_SPEED_MPS)
    features = pairs.features
    away = (g.closing < -_LEAVES_SHARE * g.speed) & (g.speed > _LEAVES_MPS)
    leaves = away & (features[:, kernel.STRAIGHT10] > _STRAIGHT)
    keeps = features[:, kernel.F_COMING30] < _LIKELY
    near = g.range < _WATCH_M
    moving = features[:, kernel.UNIT_SPEED] > 0.7
    with_it = (best == intent.FOLLOW) | (features[:, kernel.WITH_UNIT] > _WITH_IT)
    holds = [
        run & (facts.climb >= -_FALLING_MPS) & (best != intent.DROP_RUN),
        run & (facts.climb < -_FALLING_MPS),
        comes & aimed & (best == intent.DROP_RUN),
        near & keeps & moving & with_it,
        near & (features[:, kernel.F_WOUND] > _WOUND_TURNS) & (features[:, kernel.F_RANGE_CV] < _EVEN),
        ~comes & ~leaves & facts.loiters & near,
        ~leaves & (g.nearest < _NEAR_M),
        best == intent.PROBING,
        comes,
        chances[:, intent.BIRD] > _LIKELY,
        facts.verified & (chances[:, intent.AUTHORISED] > _LIKELY),
        g.closing < -_MOVING_MPS,
        best == intent.TRANSIT,
    ]
    return np.asarray(np.select(holds, list(range(len(holds))), default=len(holds)), dtype=np.int64)
