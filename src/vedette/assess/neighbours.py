"""An attack on a neighbour is an attack on you.

The model tells who of several is meant, which is right for the order of their risks. But people stand a
hundred metres apart and less, the course of a drone is known to degrees, and a blast does not ask who was
meant: that it means somebody next to you is nothing that speaks for your safety.
"""

import numpy as np

from vedette.assess.columns import Bools, Floats
from vedette.assess.kernels import additive, weighing
from vedette.assess.kernels import pairs as kernel
from vedette.assess.model import Model
from vedette.assess.pairs import Pairs
from vedette.assess.settings import AssessSettings
from vedette.assess.words import NAMES

_TARGET = NAMES.index("target")


def spared(pairs: Pairs, ground: Floats, model: Model, s: AssessSettings) -> Floats:
    """[pairs] nats by which "means others rather than you" lowers a pair's risk where it must not: next to a
    unit that a drone is about to reach. ``ground`` [units, figures] (`kernels.pairs`)."""
    out = np.zeros(len(pairs.row))
    who = np.flatnonzero(_beside(pairs, ground, s))
    if len(who):
        said = np.zeros(len(who))
        terms = np.flatnonzero(model.reasons == _TARGET)
        rows = pairs.features[who]
        additive.add(model.risk, terms, rows, np.arange(len(who)), 0, rows[0, :0], said)
        out[who] = np.maximum(-said, 0.0)
    return out


def _beside(pairs: Pairs, ground: Floats, s: AssessSettings) -> Bools:
    """Who stands near a unit at which the same track comes. Asked of those alone of whom the kernel tells for
    another reason than their risk, so that it never depends on what the risk was."""
    aimed = pairs.features[:, kernel.F_AIM10] > min(s.run_aim_nats, s.run_rough_aim_nats)
    told = (aimed | (pairs.nearest < s.run_sudden_m)) & (pairs.sums[:, weighing.PLAIN] > weighing.NO_RISK)
    comes = (pairs.closing > s.imminent_closing_mps) & (pairs.p50 < s.neighbour_p50_s)
    meant = told & comes & (pairs.miss < s.collision_miss_m)
    beside = np.zeros(len(pairs.row), np.bool_)
    for row in np.unique(pairs.row[meant]).tolist():
        of_track = pairs.row == row
        others, targets = np.flatnonzero(of_track & told), np.flatnonzero(of_track & meant)
        near = _within(ground[pairs.column[others]], ground[pairs.column[targets]], s.neighbour_m)
        beside[others] = near
    return beside


def _within(some: Floats, others: Floats, metres: float) -> Bools:
    """Which of ``some`` units [n, figures] are within so many metres of any of ``others`` [m, figures]."""
    near = np.zeros(len(some), np.bool_)
    for one in others:
        east, north = some[:, kernel.UE] - one[kernel.UE], some[:, kernel.UN] - one[kernel.UN]
        near |= east * east + north * north <= metres * metres
    return near
