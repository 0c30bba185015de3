"""An additive model with pairwise terms, piecewise linear between knots, as arrays of parameters."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vedette.evaluate.fitting import kernels
from vedette.evaluate.fitting.kernels import F32, F64, I64, NONE

OUTER = 0.002
"""Share of the rows beyond the first knot, and beyond the last one."""
_DIGITS = 4


class Axis(NamedTuple):
    """One feature (its place among the columns) and the knots on it, ascending, two or more."""

    feature: int
    knots: F64


class Layout(NamedTuple):
    """Which terms there are: ``axes``, and for each term the places of its axes (the second `NONE` for a term
    of one feature) and where its parameters begin; ``size`` is how many parameters there are."""

    axes: tuple[Axis, ...]
    first: I64
    second: I64
    sizes: I64
    offsets: I64
    size: int


class Additive(NamedTuple):
    """A layout with its parameters: log-odds = ``prior`` and the sum of the terms."""

    layout: Layout
    nats: F64
    prior: float

    def odds(self, rows: F32) -> F64:
        """Log-odds [rows] of the columns [rows, features]."""
        return odds_at(self, places(self.layout, rows))


def layout(rows: F32, weights: F64, singles: Sequence[int], pairs: Sequence[tuple[int, int]], fine: int,
           coarse: int) -> Layout:  # fmt: skip
    """Knots at quantiles: ``fine`` on the axis of each feature alone, ``coarse`` on those of the pairs."""
    axes = [Axis(feature, knots(rows[:, feature], weights, fine)) for feature in singles]
    first, second = list(range(len(axes))), [NONE] * len(axes)
    known: dict[int, int] = {}
    for pair in pairs:
        for feature in pair:
            if feature not in known:
                known[feature] = len(axes)
                axes.append(Axis(feature, knots(rows[:, feature], weights, coarse)))
        first.append(known[pair[0]])
        second.append(known[pair[1]])
    return arranged(tuple(axes), first, second)


def arranged(axes: tuple[Axis, ...], first: list[int], second: list[int]) -> Layout:
    """The layout of terms whose axes, by place, are ``first`` and ``second``."""
    offsets, size = [], 0
    for a, b in zip(first, second, strict=True):
        offsets.append(size)
        size += len(axes[a].knots) * (1 if b == NONE else len(axes[b].knots)) + 1
    sizes = np.array([len(axis.knots) for axis in axes], np.int64)
    return Layout(axes, np.array(first, np.int64), np.array(second, np.int64), sizes,
                  np.array(offsets, np.int64), size)  # fmt: skip


def knots(values: F32, weights: F64, count: int) -> F64:
    """At most ``count`` knots at equal shares of the weight of what is known."""
    known = ~np.isnan(values)
    if not known.any():
        return np.array([0.0, 1.0])
    order = np.argsort(values[known], kind="stable")
    ordered = values[known][order].astype(np.float64)
    heap = np.cumsum(weights[known][order])
    shares = np.linspace(OUTER, 1.0 - OUTER, count) * heap[-1]
    chosen = ordered[np.minimum(np.searchsorted(heap, shares), len(ordered) - 1)]
    rounded: F64 = np.unique(np.array([float(f"{value:.{_DIGITS}g}") for value in chosen]))
    return rounded if len(rounded) > 1 else np.array([rounded[0], rounded[0] + 1.0])


def places(layout: Layout, rows: F32) -> F32:
    """Places [rows, axes] of the columns on all axes."""
    out = np.empty((len(rows), len(layout.axes)), np.float32)
    for k, axis in enumerate(layout.axes):
        column = np.empty(len(rows), np.float32)
        kernels.place(np.ascontiguousarray(rows[:, axis.feature]), axis.knots, column)
        out[:, k] = column
    return out


def odds_at(model: Additive, where: F32) -> F64:
    """Log-odds [rows] at `places`."""
    shape, out = model.layout, np.empty(len(where))
    kernels.values(where, shape.first, shape.second, shape.sizes, shape.offsets, model.nats, model.prior, out)
    return out


def grid(layout: Layout, term: int, nats: F64) -> F64:
    """The parameters of a term as a view, [knots] or [knots, knots], without that of the unknown."""
    a, b = layout.first[term], layout.second[term]
    start = layout.offsets[term]
    if b == NONE:
        return nats[start : start + layout.sizes[a]]
    count = layout.sizes[a] * layout.sizes[b]
    return nats[start : start + count].reshape(layout.sizes[a], layout.sizes[b])


def unknown(layout: Layout, term: int) -> int:
    """Place of the parameter of a term that stands for the unknown."""
    return int(layout.offsets[term]) + int(grid(layout, term, np.empty(layout.size)).size)
