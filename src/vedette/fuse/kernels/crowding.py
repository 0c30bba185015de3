"""How dense the reports of a feed are that belong to no body that is known.

Reports are points of a Poisson process on the ground, whose density is learnt as that of a sensor's false
plots is (`kernels.clutter`), over the same cells round the site. Explicit loops in a fixed order, as in
`kernels.kalman`. Shapes: c cells.
"""

import math

from numba import njit

from vedette.fuse.kernels.clutter import AZIMUTHS, RANGES
from vedette.fuse.kernels.kalman import F64


@njit(cache=True, error_model="numpy")
def cell_of(east: float, north: float, reach_m: float) -> int:
    """The cell of a place; all that is farther than ``reach_m`` lies in the outermost ring."""
    turn = math.atan2(east, north) / (2.0 * math.pi)
    a = min(int((turn - math.floor(turn)) * AZIMUTHS), AZIMUTHS - 1)
    share = min(math.sqrt(east * east + north * north) / reach_m, 1.0)
    return a * RANGES + min(int(share * RANGES), RANGES - 1)


@njit(cache=True, error_model="numpy")
def faded(counts: F64, kept: float, cell: int, weight: float, out: F64) -> None:
    """Counts (c,) that have faded to the share ``kept``, and one more report of this ``weight``."""
    for c in range(len(counts)):
        out[c] = kept * counts[c]
    out[cell] += weight


@njit(cache=True, error_model="numpy")
def density(
    counts: F64, areas: F64, seconds: float, free: float, own: float, least: float, cell: int
) -> float:
    """Reports a second and square metre in a ``cell`` that are of no body, at least ``least``.

    ``counts`` (c,): those of the last ``seconds``, over ``areas`` (c,); so many that are ``free`` mean
    nothing: bodies are found by reports that were of none before. The prior mean of a cell is the density
    over the area on which the reports are spread, (sum n)^2 / sum(n^2 / area), and weighs as much as ``own``
    reports."""
    total, squares = 0.0, 0.0
    for c in range(len(counts)):
        total += counts[c]
        squares += counts[c] * counts[c] / areas[c]
    if total <= free:
        return least
    whole = max(squares / (total * seconds), least)
    there: float = (own + counts[cell]) / (own / whole + areas[cell] * seconds)
    return max(there, least)
