"""An additive model with pairwise terms (GA2M: Lou, Caruana, Gehrke, Hooker 2013), evaluated.

A term is a function of one feature or of two, linear (bilinear) between its knots and constant beyond them,
so that a sum of terms is continuous and every part of it can be told. The arrays are made by `assess.model`:

- ``feature`` [terms, 2] places of the features, the second one negative for a term of one feature;
- ``place`` [terms, 5] where the knots of both begin and how many they are, and where the values begin;
- ``missing`` [terms] the value where a feature is unknown;
- ``knots``, ``values``: all of them, one term after the other, the values of two features row by row.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vedette.assess.kernels.motion import F64

I64 = NDArray[np.int64]
Mask = NDArray[np.bool_]

_CHECKED_EVERY = 4
_SLACK = 1e-6
"""The sum of what terms come to at most is rounded otherwise than the sum of the terms."""


class Arrays(NamedTuple):
    """The terms of one head as the kernel reads them; ``plain`` and ``labels``: which terms depend on
    no class belief and which on one; ``alone_...``: those of the track alone. ``most_plain`` [plain + 1]:
    what the terms of ``plain`` from each on come to at most; ``most_labels``: what all of ``labels`` do."""

    feature: I64
    place: I64
    missing: F64
    knots: F64
    values: F64
    alone_plain: I64
    alone_labels: I64
    plain: I64
    labels: I64
    most_plain: F64
    most_labels: float
    prior: float


@njit(cache=True, error_model="numpy", inline="always")
def locate(knots: F64, begin: int, count: int, x: float) -> tuple[int, float]:
    """The last knot at or before ``x`` that has one after it, and how far ``x`` is on the way to that one."""
    low, high = begin, begin + count - 1
    if x <= knots[low]:
        return 0, 0.0
    if x >= knots[high]:
        return count - 2, 1.0
    while high - low > 1:
        middle = (low + high) >> 1
        if x < knots[middle]:
            high = middle
        else:
            low = middle
    return low - begin, (x - knots[low]) / (knots[high] - knots[low])


@njit(cache=True, error_model="numpy")
def one(head: Arrays, n: int, rows: F64, some: I64, first: int, neutral: F64, out: F64) -> None:
    """Add the nats of term ``n`` at ``some`` of ``rows`` [rows, features] to ``out`` [rows].

    ``neutral``: values that stand in for those of the features from place ``first`` on; empty for none.
    A term at a time, so that its knots stay at hand.
    """
    a, b, missing = head.feature[n, 0], head.feature[n, 1], head.missing[n]
    start, count, start_b, width, begin = head.place[n]
    knots, values = head.knots, head.values
    last = first + len(neutral)
    for row in some:
        x = neutral[a - first] if first <= a < last else rows[row, a]
        if x != x:
            out[row] += missing
            continue
        i, s = locate(knots, start, count, x)
        if b < 0:
            low = values[begin + i]
            out[row] += low + s * (values[begin + i + 1] - low)
            continue
        y = neutral[b - first] if first <= b < last else rows[row, b]
        if y != y:
            out[row] += missing
            continue
        j, r = locate(knots, start_b, width, y)
        corner = begin + i * width + j
        near = values[corner] + r * (values[corner + 1] - values[corner])
        far = values[corner + width] + r * (values[corner + width + 1] - values[corner + width])
        out[row] += near + s * (far - near)


@njit(cache=True, error_model="numpy")
def add(head: Arrays, which: I64, rows: F64, some: I64, first: int, neutral: F64, out: F64) -> None:
    """Add the terms ``which``, in their order, as `one` does."""
    for n in which:
        one(head, n, rows, some, first, neutral, out)


@njit(cache=True, error_model="numpy")
def add_while(head: Arrays, rows: F64, some: I64, live: I64, least: float, may: Mask, out: F64) -> int:
    """Add the terms ``plain`` at ``some`` of ``rows`` for as long as a row may still come to more than
    ``least``, or ``may`` [rows] matter anyway. Returns how many were added to the end; ``live`` begins with
    them, and what is in ``out`` for the others means nothing."""
    live[: len(some)] = some
    count, none = len(some), rows[0, :0]
    for k in range(len(head.plain)):
        if k % _CHECKED_EVERY == 0:
            bar, kept = least - head.most_plain[k] - _SLACK, 0
            for place in range(count):
                row = live[place]
                if may[row] or out[row] > bar:
                    live[kept] = row
                    kept += 1
            count = kept
        one(head, head.plain[k], rows, live[:count], 0, none, out)
    return count


@njit(cache=True, error_model="numpy")
def each(head: Arrays, rows: F64, out: F64) -> None:
    """Every term at every one of ``rows`` [rows, features], into ``out`` [terms, rows], which holds zeros."""
    everyone = np.arange(rows.shape[0])
    for n in range(len(head.missing)):
        one(head, n, rows, everyone, 0, rows[0, :0], out[n])
