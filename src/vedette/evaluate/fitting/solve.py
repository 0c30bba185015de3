"""The penalised fit: logistic loss, smooth terms, monotone where asked.

Loss: weighted mean of log(1 + exp(-y s)). Penalty: squares of first and second differences of neighbouring
knots (P-splines: Eilers & Marx, "Flexible smoothing with B-splines and penalties", Statistical Science 11(2),
1996), and for terms that must not fall (or rise) the squares of the differences that do (Bollaerts, Eilers,
van Mechelen, Statistics in Medicine 25, 2006). Minimised by L-BFGS (Nocedal & Wright, Numerical Optimization,
algorithms 7.4 and 7.5) in parameters scaled by the curvature, with a step that is halved until it descends.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from vedette.evaluate.fitting import kernels
from vedette.evaluate.fitting.additive import Additive, Layout, grid, odds_at, unknown
from vedette.evaluate.fitting.kernels import F32, F64, NONE

MEMORY = 15
_ARMIJO = 1e-4
_HALVINGS = 20
_MONOTONE = 0.002
_LEAST = 1e-9


class Smoothness(NamedTuple):
    """Weights of the penalties: differences, bends, and size (which keeps what no row touches at 0).
    ``rising``: for each feature 1 if no term may fall with it, -1 if none may rise, 0 if free."""

    differences: float
    bends: float
    size: float
    rising: tuple[int, ...]


class Data(NamedTuple):
    """Places [rows, axes], outcomes 0 or 1 and weights [rows], the weights adding up to 1."""

    places: F32
    happened: F64
    weights: F64


def fit(start: Additive, data: Data, smooth: Smoothness, rounds: int) -> Additive:
    """The model at the minimum, or after ``rounds`` steps towards it."""
    layout = start.layout
    scale = 1.0 / np.sqrt(_curvature(start, data, smooth))

    def objective(x: F64) -> tuple[float, F64]:
        loss, slope = _objective(layout, x * scale, data, smooth)
        return loss, slope * scale

    x = _descend(objective, np.append(start.nats, start.prior) / scale, rounds) * scale
    return Additive(layout, x[:-1].copy(), float(x[-1]))


def sigmoid(odds: F64) -> F64:
    """1 / (1 + exp(-odds)) without overflow."""
    e = np.exp(-np.abs(odds))
    return np.where(odds >= 0.0, 1.0, e) / (1.0 + e)


def loss_of(odds: F64, data: Data) -> float:
    """Weighted mean of the logistic loss."""
    return float(np.sum(data.weights * np.logaddexp(0.0, np.where(data.happened > 0.0, -odds, odds))))


def _objective(layout: Layout, x: F64, data: Data, smooth: Smoothness) -> tuple[float, F64]:
    model = Additive(layout, x[:-1], float(x[-1]))
    odds = odds_at(model, data.places)
    pull = data.weights * (sigmoid(odds) - data.happened)
    slope, unused = np.zeros(layout.size), np.zeros(layout.size)
    kernels.gradient(data.places, layout.first, layout.second, layout.sizes, layout.offsets,
                     pull, np.zeros(len(pull)), slope, unused)  # fmt: skip
    rough, pull_of_rough = penalty(layout, x[:-1], smooth)
    return loss_of(odds, data) + rough, np.append(slope + pull_of_rough, pull.sum())


def _curvature(model: Additive, data: Data, smooth: Smoothness) -> F64:
    layout = model.layout
    chance = sigmoid(odds_at(model, data.places))
    bend = data.weights * np.maximum(chance * (1.0 - chance), 0.02)
    unused, curve = np.zeros(layout.size), np.zeros(layout.size)
    kernels.gradient(data.places, layout.first, layout.second, layout.sizes, layout.offsets,
                     np.zeros(len(bend)), bend, unused, curve)  # fmt: skip
    stiff = 4.0 * smooth.differences + 12.0 * smooth.bends + 2.0 * smooth.size
    return np.append(curve + stiff, bend.sum()) + _LEAST


def penalty(layout: Layout, nats: F64, smooth: Smoothness) -> tuple[float, F64]:
    """The penalty of the parameters, and its gradient."""
    total, slope = smooth.size * float(np.sum(nats * nats)), 2.0 * smooth.size * nats
    for term in range(len(layout.first)):
        values, pull = grid(layout, term, nats), grid(layout, term, slope)
        for axis, place in enumerate((layout.first[term], layout.second[term])):
            if place != NONE:
                rising = smooth.rising[layout.axes[place].feature]
                total += _along(np.moveaxis(values, axis, 0), np.moveaxis(pull, axis, 0), smooth, rising)
        at = unknown(layout, term)
        total += smooth.differences * nats[at] ** 2
        slope[at] += 2.0 * smooth.differences * nats[at]
    return total, slope


def _along(values: F64, slope: F64, smooth: Smoothness, rising: int) -> float:
    """Penalty along the first axis of one term; ``slope`` is added to in place."""
    steps = np.diff(values, axis=0)
    wrong = np.minimum(rising * steps, 0.0) * rising
    push = 2.0 * smooth.differences * steps + 2.0 * _MONOTONE * wrong
    slope[1:] += push
    slope[:-1] -= push
    total = smooth.differences * float(np.sum(steps * steps)) + _MONOTONE * float(np.sum(wrong * wrong))
    if len(values) > 2:
        bends = np.diff(values, 2, axis=0)
        push = 2.0 * smooth.bends * bends
        slope[2:] += push
        slope[1:-1] -= 2.0 * push
        slope[:-2] += push
        total += smooth.bends * float(np.sum(bends * bends))
    return total


def _descend(objective: Callable[[F64], tuple[float, F64]], x: F64, rounds: int) -> F64:
    value, slope = objective(x)
    steps: list[F64] = []
    turns: list[F64] = []
    for _ in range(rounds):
        way = _direction(slope, steps, turns)
        fall = float(np.sum(way * slope))
        if fall >= -1e-12:
            break
        moved = _search(objective, x, value, way, fall)
        if moved is None:
            break
        nearer, lower, turned = moved
        if float(np.sum((nearer - x) * (turned - slope))) > 1e-14:
            steps, turns = [*steps, nearer - x][-MEMORY:], [*turns, turned - slope][-MEMORY:]
        x, value, slope = nearer, lower, turned
    return x


def _search(
    objective: Callable[[F64], tuple[float, F64]], x: F64, value: float, way: F64, fall: float
) -> tuple[F64, float, F64] | None:
    length = 1.0
    for _ in range(_HALVINGS):
        there = x + length * way
        lower, slope = objective(there)
        if lower <= value + _ARMIJO * length * fall:
            return there, lower, slope
        length *= 0.5
    return None


def _direction(slope: F64, steps: list[F64], turns: list[F64]) -> F64:
    way = -slope
    shares = []
    for step, turn in zip(reversed(steps), reversed(turns), strict=True):
        share = float(np.sum(step * way)) / float(np.sum(step * turn))
        shares.append(share)
        way = way - share * turn
    if steps:
        way = way * (float(np.sum(steps[-1] * turns[-1])) / float(np.sum(turns[-1] * turns[-1])))
    for step, turn, share in zip(steps, turns, reversed(shares), strict=True):
        way = way + (share - float(np.sum(turn * way)) / float(np.sum(step * turn))) * step
    return way


def straighten(model: Additive, rising: tuple[int, ...]) -> Additive:
    """The model with what little still falls against ``rising`` levelled: exactly monotone."""
    nats = model.nats.copy()
    for term in range(len(model.layout.first)):
        values = grid(model.layout, term, nats)
        for axis, place in enumerate((model.layout.first[term], model.layout.second[term])):
            sign = 0 if place == NONE else rising[model.layout.axes[place].feature]
            if sign > 0:
                values[:] = np.maximum.accumulate(values, axis=axis)
            elif sign < 0:
                values[:] = np.minimum.accumulate(values, axis=axis)
    return Additive(model.layout, nats, model.prior)
