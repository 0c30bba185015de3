"""Whether tracks are as good as they say: NEES over many runs against its chi-square band.

Of N independent runs the sum of NEES of d dimensions has a chi-square distribution with N d degrees of
freedom, if the covariances are right; its mean has to lie between the 2.5 % and 97.5 % quantiles, over N
(Bar-Shalom, Li, Kirubarajan, *Estimation with Applications to Tracking and Navigation*, 2001, 5.4.2).
"""

import math
from collections.abc import Iterable, Sequence
from statistics import NormalDist

from msgspec import Struct

from vedette.evaluate.accuracy import Nees

DIMENSIONS = 3
SIDES = (0.025, 0.975)
LEAST_RUNS = 4
"""Of fewer the band is so wide that it says nothing."""


class Consistency(Struct, frozen=True, kw_only=True):
    """``share``: of all (second, body) of whose mean over the runs lies inside the band, the n-th body of
    each run taken as one. ``share_pooled``: the same of seconds, all bodies of all runs together, for which
    the band is much narrower. ``mean``: of all NEES (3 is right); ``median``: 2.37 is right. ``below`` and
    ``above``: on which side of the band the rest is."""

    runs: int
    pairs: int
    mean: float
    median: float
    share: float
    below: float
    above: float
    share_pooled: float


def chi_square(probability: float, degrees: int) -> float:
    """Quantile by the approximation of E. B. Wilson and M. M. Hilferty, "The distribution of chi-square",
    PNAS 17(12), 1931: within 1 % from 12 degrees of freedom on at the sides used here."""
    normal = NormalDist().inv_cdf(probability)
    share = 2.0 / (9.0 * degrees)
    return degrees * (1.0 - share + normal * math.sqrt(share)) ** 3


def band(runs: int, dimensions: int = DIMENSIONS) -> tuple[float, float]:
    """Between which values the mean NEES of so many runs lies in 95 of 100 cases."""
    degrees = runs * dimensions
    return chi_square(SIDES[0], degrees) / runs, chi_square(SIDES[1], degrees) / runs


def consistency(runs: Sequence[Sequence[Nees]], settle_s: float = 5.0) -> Consistency | None:
    """Over runs of like cases, from ``settle_s`` after each one's first pair; None if fewer than `LEAST_RUNS`
    ever gave a value at the same second."""
    values: dict[tuple[int, str], list[float]] = {}
    pooled: dict[tuple[int, str], list[float]] = {}
    for run in runs:
        begin = min((one.time for one in run), default=0.0)
        for one in run:
            second = round(one.time - begin)
            if one.time - begin >= settle_s:
                values.setdefault((second, one.body), []).append(one.value)
                pooled.setdefault((second, ""), []).append(one.value)
    many = [some for some in values.values() if len(some) >= LEAST_RUNS]
    if not many:
        return None
    every = sorted(value for some in pooled.values() for value in some)
    below, above = _beside(many)
    return Consistency(
        runs=len(runs),
        pairs=len(every),
        mean=sum(every) / len(every),
        median=every[len(every) // 2],
        share=1.0 - below - above,
        below=below,
        above=above,
        share_pooled=1.0 - sum(_beside(list(pooled.values()))),
    )


def _beside(groups: Iterable[Sequence[float]]) -> tuple[float, float]:
    """Shares of the groups whose mean lies below their band, and above it."""
    low = high = number = 0
    for some in groups:
        least, most = band(len(some))
        mean = sum(some) / len(some)
        low, high, number = low + (mean < least), high + (mean > most), number + 1
    return low / number, high / number
