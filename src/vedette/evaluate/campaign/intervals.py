"""Intervals: how far a figure from so many runs may be from the figure of all runs.

Shares: E. B. Wilson, "Probable inference", JASA 22 (158), 1927, pp. 209-212. Quantiles and differences:
the bootstrap of B. Efron, Annals of Statistics 7 (1), 1979, percentile form, encounters drawn as wholes.
Rates: exact Poisson limits by the chi-squared quantile, here in the approximation of Wilson and Hilferty
(PNAS 17 (12), 1931), good to a few per cent from one event on.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Interval = tuple[float, float]

Z95 = 1.959963984540054
DRAWS = 1000
_SEED = 20_261_122


def wilson(count: int, of: int) -> Interval:
    """The 95 % interval of a share of ``count`` in ``of``; (0, 1) of nothing."""
    if of <= 0:
        return 0.0, 1.0
    share, width = count / of, 1.0 + Z95 * Z95 / of
    middle = share + Z95 * Z95 / (2.0 * of)
    half = Z95 * math.sqrt(share * (1.0 - share) / of + Z95 * Z95 / (4.0 * of * of))
    return max(0.0, (middle - half) / width), min(1.0, (middle + half) / width)


def poisson(count: int) -> Interval:
    """The 95 % interval of the mean of a Poisson count."""
    low = 0.0 if count == 0 else count * _hilferty(count, -Z95)
    return low, (count + 1) * _hilferty(count + 1, Z95)


def _hilferty(count: int, z: float) -> float:
    return float((1.0 - 1.0 / (9.0 * count) + z / (3.0 * math.sqrt(count))) ** 3)


def bootstrap(values: Sequence[float], figure: Callable[[F64], F64]) -> Interval | None:
    """The 95 % interval of ``figure``, which takes draws [n, values] and gives [n]; None of nothing.

    The draws are the same for every set of the same size: a figure repeats to the bit, and two versions
    that are compared on the same encounters are drawn alike.
    """
    if not values:
        return None
    drawn = np.sort(figure(np.asarray(values, float)[draws(len(values))]))
    return _at(drawn, 0.025), _at(drawn, 0.975)


def draws(count: int) -> I64:
    """Indices [draws, count]: so many times as many encounters as there are, drawn with replacement."""
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([_SEED, count])))
    return generator.integers(0, count, size=(DRAWS, count))


def mean(drawn: F64) -> F64:
    """A figure for `bootstrap`: the mean of each draw."""
    return np.asarray(drawn.sum(axis=1) / drawn.shape[1])


def _at(ordered: F64, share: float) -> float:
    return float(ordered[min(int(share * len(ordered)), len(ordered) - 1)])
