"""From a score to a probability, on encounters that the fit has not seen.

Logistic calibration (J. Platt, "Probabilistic outputs for support vector machines", 1999): log-odds =
offset + slope x score. It keeps the order of risks and the sum of the terms, which an isotonic curve would
not: slope and offset are folded into the terms and the prior.
"""

from typing import NamedTuple

import numpy as np

from vedette.evaluate.fitting.draw import HORIZON_S
from vedette.evaluate.fitting.encounters import Bools, Encounters
from vedette.evaluate.fitting.kernels import F64
from vedette.evaluate.fitting.solve import sigmoid

_ROUNDS = 50
_BINS = 10


class Line(NamedTuple):
    """Log-odds = ``offset`` + ``slope`` x score."""

    slope: float
    offset: float


class Bin(NamedTuple):
    """One tenth of the risk that was said: how many rows, the mean said, the share that came true."""

    rows: int
    said: float
    happened: float


def came_true(encounters: Encounters) -> Bools:
    """[rows] whether this unit was hit within the horizon."""
    left = encounters.impact[encounters.scene] - encounters.time
    mine = encounters.unit == encounters.target[encounters.scene]
    return np.asarray(mine & (left >= 0.0) & (left <= HORIZON_S))


def line(scores: F64, happened: Bools, weights: F64 | None = None, least_slope: float = 0.1) -> Line:
    """The line of most likelihood, by Newton's method with Platt's targets, which are never 0 or 1.
    ``weights``: how much each row counts, all alike if there are none."""
    counts = np.ones(len(scores)) if weights is None else weights * (len(weights) / float(weights.sum()))
    positive = float(happened.sum())
    negative = len(happened) - positive
    goal = np.where(happened, (positive + 1.0) / (positive + 2.0), 1.0 / (negative + 2.0))
    slope, offset = 1.0, 0.0
    for _ in range(_ROUNDS):
        chance = sigmoid(offset + slope * scores)
        bend = counts * (chance * (1.0 - chance) + 1e-9)
        pull = counts * (chance - goal)
        a, b, c = float(np.sum(bend * scores**2)), float(np.sum(bend * scores)), float(np.sum(bend))
        p, q = float(np.sum(pull * scores)), float(np.sum(pull))
        bottom = a * c - b * b
        move = ((c * p - b * q) / bottom, (a * q - b * p) / bottom)
        size = max(abs(move[0]), abs(move[1]), 1.0)
        slope, offset = slope - move[0] / size, offset - move[1] / size
        if size <= 1.0 and max(abs(move[0]), abs(move[1])) < 1e-9:
            break
    return Line(max(slope, least_slope), offset)


def reliability(odds: F64, happened: Bools) -> list[Bin]:
    """What was said against what came true, by tenths of the probability."""
    said = sigmoid(odds)
    tenth = np.minimum((said * _BINS).astype(np.int64), _BINS - 1)
    out = []
    for k in range(_BINS):
        rows = tenth == k
        if rows.any():
            out.append(Bin(int(rows.sum()), round(float(said[rows].mean()), 4),
                           round(float(happened[rows].mean()), 4)))  # fmt: skip
    return out


def brier(odds: F64, happened: Bools) -> float:
    """Mean square of what was said less what happened."""
    return round(float(np.mean((sigmoid(odds) - happened) ** 2)), 6)
