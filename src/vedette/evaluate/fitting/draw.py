"""Which rows a model is fitted to, and with which weights.

One alert spoils a whole benign scene, so that a scene, not a row, is what counts: each benign scene has the
weight of one, spread over its rows, in later rounds most of it on those that look worst (hard negatives).
Each attack has the weight of two, spread over the target's rows of the last minute, those of the last 20 s
the most. The other units of an attack are negatives of little weight: they are not the target.
"""

from typing import NamedTuple

import numpy as np

from vedette.evaluate.fitting.encounters import Encounters
from vedette.evaluate.fitting.kernels import F32, F64
from vedette.evaluate.fitting.measure import peaks

HORIZON_S = 60.0
"""The risk is that of an impact on this unit within so long."""
_LEAD_S = (4.5, 20.0, 35.0, HORIZON_S)
_LEAD_WEIGHTS = (1.0, 1.0, 0.6, 0.3)
ATTACK_WEIGHT = 2.0
BYSTANDER_WEIGHT = 0.4
HARD_SHARE = 0.7


WATCHING = "surveillance"
"""The behaviour of the scenes in which a unit is watched."""


class Sample(NamedTuple):
    """``columns`` [rows, features], outcomes 0 or 1 and weights [rows] that add up to 1."""

    columns: F32
    happened: F64
    weights: F64


def draw(encounters: Encounters, count: int, odds: F64 | None, generator: np.random.Generator) -> Sample:
    """``count`` benign rows by weight, all rows of targets, and a fifth of ``count`` bystanders. ``odds``:
    what the last model made of the rows, for the hard negatives."""
    scene = encounters.scene
    hostile = encounters.hostile[scene]
    benign = _benign_weights(encounters, odds)
    worth = encounters.weight
    scenes = float(worth[~encounters.hostile].sum())
    chosen = generator.choice(len(benign), size=count, p=benign / benign.sum())
    left = encounters.impact[scene] - encounters.time
    mine = hostile & (encounters.unit == encounters.target[scene])
    coming = np.flatnonzero(mine & (left >= 0.0) & (left <= HORIZON_S))
    weight = np.array(_LEAD_WEIGHTS)[np.searchsorted(_LEAD_S, left[coming])]
    total = np.bincount(scene[coming], weight, len(encounters.outcomes))
    weight = weight * worth[scene[coming]]
    others = np.flatnonzero(hostile & (encounters.unit != encounters.target[scene]))
    others = generator.choice(others, size=count // 5) if len(others) else others
    rows = np.concatenate([chosen, coming, others])
    each = BYSTANDER_WEIGHT * encounters.hostile.sum() / max(len(others), 1)
    weights = np.concatenate([
        np.full(count, scenes / count),
        ATTACK_WEIGHT * weight / total[scene[coming]],
        np.full(len(others), each),
    ])  # fmt: skip
    happened = np.zeros(len(rows))
    happened[count : count + len(coming)] = 1.0
    return Sample(encounters.columns[rows], happened, weights)


def _benign_weights(encounters: Encounters, odds: F64 | None) -> F64:
    benign = (~encounters.hostile[encounters.scene]).astype(np.float64)
    worth = encounters.weight[encounters.scene]
    even = _in_scenes(encounters, benign)
    if odds is None:
        return worth * even
    worst = peaks(encounters, odds)
    near = np.exp(np.minimum(odds - worst[encounters.scene], 0.0))
    return worth * ((1.0 - HARD_SHARE) * even + HARD_SHARE * _in_scenes(encounters, benign * near))


def _in_scenes(encounters: Encounters, weights: F64) -> F64:
    total = np.bincount(encounters.scene, weights, len(encounters.outcomes))
    return np.asarray(weights / np.maximum(total[encounters.scene], 1e-300))


def gather(samples: list[Sample]) -> Sample:
    """All of them as one, the weights adding up to 1."""
    weights = np.concatenate([sample.weights for sample in samples])
    return Sample(
        np.concatenate([sample.columns for sample in samples]),
        np.concatenate([sample.happened for sample in samples]),
        weights / weights.sum(),
    )


def watched_rows(encounters: Encounters, count: int, generator: np.random.Generator) -> Sample | None:
    """For the second head: is this unit being watched? Positive are the rows of the target of a scene
    "surveillance" from its onset on; negative are those of benign scenes of other kinds. Each kind of scene
    has the weight of its scenes. None if there are no rows of one of the two."""
    watching = np.array([o.behaviour == WATCHING for o in encounters.outcomes], np.bool_)
    onset = np.array([np.inf if o.onset_time is None else o.onset_time for o in encounters.outcomes])
    ends = np.array([o.t1 for o in encounters.outcomes])
    scene = encounters.scene
    mine = watching[scene] & (encounters.unit == encounters.target[scene])
    mine &= encounters.time >= onset[scene] + WATCHED_AFTER_S
    mine &= encounters.time <= ends[scene] - LEAVING_S
    other = ~watching[scene] & ~encounters.hostile[scene]
    if not (mine.any() and other.any()):
        return None
    parts, weights, happened = [], [], []
    for rows, is_so in ((np.flatnonzero(mine), 1.0), (np.flatnonzero(other), 0.0)):
        even = _in_scenes(encounters, np.isin(np.arange(len(scene)), rows).astype(np.float64))[rows]
        parts.append(generator.choice(rows, size=count, p=even / even.sum()))
        weights.append(np.full(count, even.sum() / count))
        happened.append(np.full(count, is_so))
    rows = np.concatenate(parts)
    return Sample(encounters.columns[rows], np.concatenate(happened), np.concatenate(weights))


WATCHED_AFTER_S, LEAVING_S = 15.0, 40.0
"""From so long after the onset, up to so long before the end of the scene, in which it flies away."""
