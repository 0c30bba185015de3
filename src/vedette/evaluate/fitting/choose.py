"""Which pairs of features get a term of their own: one after the other, by what each would gain."""

from collections.abc import Sequence

import numpy as np

from vedette.evaluate.fitting import kernels
from vedette.evaluate.fitting.draw import Sample
from vedette.evaluate.fitting.kernels import F64, U8
from vedette.evaluate.fitting.solve import sigmoid

BINS = 9
_DAMPING, _RATE, _AGAIN = 5.0, 0.4, 0.3
_LEAST_BEND = 1e-6


def choose_pairs(
    sample: Sample, odds: F64, count: int, rows: int, among: Sequence[int]
) -> list[tuple[int, int]]:
    """At most ``count`` pairs of columns. Those chosen take their part of what is left unexplained before
    the next one is chosen; a pair may win again and is then refined, not repeated. Uses ``rows`` rows."""
    step = max(1, len(odds) // rows)
    columns, happened = sample.columns[::step][:, among], sample.happened[::step]
    weights, reached = sample.weights[::step], odds[::step].copy()
    weights = weights / weights.mean()
    bins = binned(columns)
    chosen: list[tuple[int, int]] = []
    for _ in range(count):
        pull, bend = _left(reached, happened, weights)
        gains = kernels.pair_gains(bins, BINS, pull, bend, _DAMPING)
        gains[np.triu_indices(len(gains))] = -np.inf
        for pair in chosen:
            gains[pair] *= _AGAIN
        best = np.unravel_index(int(gains.argmax()), gains.shape)
        chosen.append((int(best[0]), int(best[1])))
        for a, b in chosen:
            pull, bend = _left(reached, happened, weights)
            kernels.step_in_cells(
                np.ascontiguousarray(bins[:, a]), np.ascontiguousarray(bins[:, b]), BINS,
                pull, bend, _DAMPING, _RATE, reached,
            )  # fmt: skip
    return [(among[a], among[b]) for a, b in dict.fromkeys(chosen)]


def _left(odds: F64, happened: F64, weights: F64) -> tuple[F64, F64]:
    chance = sigmoid(odds)
    return weights * (happened - chance), weights * chance * (1.0 - chance) + _LEAST_BEND


def binned(columns: kernels.F32) -> U8:
    """[rows, features] bins of equal counts, the last one for the unknown."""
    out = np.zeros(columns.shape, np.uint8)
    for place in range(columns.shape[1]):
        column = columns[:, place]
        known = ~np.isnan(column)
        out[~known, place] = BINS - 1
        if known.any():
            edges = np.unique(np.quantile(column[known], np.linspace(0.0, 1.0, BINS)[1:-1]))
            out[known, place] = np.searchsorted(edges, column[known])
    return out
