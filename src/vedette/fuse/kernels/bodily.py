"""Whether there is a body where something only reports to be.

A look of a sensor that searches a region, and sees nothing where a report says that something flies, speaks
against a body there, as in `kernels.survival` a silent finder speaks against an emitter: Bayes over (exists,
has a body). Explicit loops in a fixed order, as in `kernels.kalman`. Shapes: n tracks.
"""

from numba import njit

from vedette.fuse.kernels.kalman import F64

LEAST, MOST = 1e-4, 0.9
"""Neither is ever certain: the next plot may be the body's, or a false one."""


@njit(cache=True, error_model="numpy")
def expect(n: int, now: float, fresh_s: float, heard: F64, bodily: F64, pd: F64) -> None:
    """Make of ``pd`` (n,), the probability that a look sees a body there, that of seeing anything at all.

    What fell silent more than ``fresh_s`` ago, and is not seen either, is taken to be gone: there a miss
    counts in full."""
    for t in range(n):
        if bodily[t] < 1.0 and now - heard[t] <= fresh_s:
            pd[t] *= bodily[t]


@njit(cache=True, error_model="numpy")
def search(
    n: int,
    now: float,
    whole: bool,
    fresh_s: float,
    most_pd: float,
    heard: F64,
    pd: F64,
    hit: F64,
    bodily: F64,
) -> None:
    """``bodily`` (n,) after a look that saw each track with the probability ``hit`` and would have seen a
    body there with ``pd``; 1 stays 1. ``whole``: what it has not seen by now it has missed."""
    for t in range(n):
        if bodily[t] >= 1.0 or pd[t] <= 0.0:
            continue
        missed = bodily[t]
        if whole and now - heard[t] <= fresh_s:
            sees = min(pd[t], most_pd)
            missed = bodily[t] * (1.0 - sees) / (1.0 - bodily[t] * sees)
        bodily[t] = min(max(hit[t] + (1.0 - hit[t]) * missed, LEAST), MOST)
