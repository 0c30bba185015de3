"""Exact marginals of a group of tracks that share plots, by elimination along a frontier.

Tracks are taken one after the other. Of all joint events it then only matters which plots are taken among
those that both a track before and a track after may have: the frontier. So the sums over all joint
events come from tables of 2 ** frontier entries, forward and backward as in a hidden Markov model (Rabiner,
"A tutorial on hidden Markov models", Proc. IEEE 77(2), 1989, equations 20, 25 and 27; elimination as in
Lauritzen, Spiegelhalter, "Local computations with probabilities on graphical structures", J. Royal
Statistical Society B 50(2), 1988), whatever the number of tracks. All terms are positive: nothing cancels.

Shapes: n tracks, k plots, e edges: pairs, sorted by track; ``first`` (n + 1,) tells where each track's begin;
s tracks in a group, ``order`` (s,); tables (s, entries).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vedette.fuse.kernels.kalman import F64, Mask

I64 = NDArray[np.int64]

FRONTIER = 8
"""A judgement: a group with a wider one, or of more tracks than `LONGEST`, takes longer than belief
propagation does ..."""
LONGEST = 64
"""... and is left to that."""
_ALONE, _UNKNOWN = -1, -2
"""Places in the frontier of a plot that only one track may have, and of one that no track has met yet."""
_LEAST = 1e-250
"""Sums below this share of the largest have lost digits; so has the group then."""


@njit(cache=True, error_model="numpy")
def chain(plot: I64, before: I64, last: I64) -> None:
    """``last`` (k,): each plot's last edge, ``before`` (e,): the one before it of the same plot, or -1."""
    last[:] = -1
    for edge in range(len(plot)):
        before[edge] = last[plot[edge]]
        last[plot[edge]] = edge


@njit(cache=True, error_model="numpy")
def gather(
    start: int, first: I64, plot: I64, owner: I64, before: I64, last: I64, met: Mask, asked: Mask, group: I64
) -> int:
    """Into ``group``: all tracks that share plots with ``start`` or with each other, nearest first; returns
    how many. ``owner`` (e,): the track of each edge; ``met`` (n,) is set for them, ``asked`` (k,) for
    their plots."""
    group[0], met[start] = start, True
    size, taken = 1, 0
    while taken < size:
        t = group[taken]
        taken += 1
        for edge in range(first[t], first[t + 1]):
            other = -1 if asked[plot[edge]] else last[plot[edge]]
            asked[plot[edge]] = True
            while other >= 0:
                if not met[owner[other]]:
                    met[owner[other]] = True
                    group[size] = owner[other]
                    size += 1
                other = before[other]
    return size


@njit(cache=True, error_model="numpy")
def arrange(size: int, group: I64, first: I64, plot: I64, degree: I64, left: I64, order: I64) -> bool:
    """The order in which the frontier stays narrow: from one end of the group, always the track that opens
    the fewest plots and closes the most. False if it gets too wide. ``degree`` (k,): tracks of each plot;
    ``left`` (k,) is scratch."""
    taken = np.zeros(size, np.bool_)
    for member in range(size):
        for edge in range(first[group[member]], first[group[member] + 1]):
            left[plot[edge]] = degree[plot[edge]]
    chosen, wide = size - 1, 0
    for place in range(size):
        order[place] = group[chosen]
        taken[chosen] = True
        begin, end = first[order[place]], first[order[place] + 1]
        for edge in range(begin, end):
            wide += int(degree[plot[edge]] > 1 and left[plot[edge]] == degree[plot[edge]])
        if wide > FRONTIER:
            return False
        for edge in range(begin, end):
            left[plot[edge]] -= 1
            wide -= int(degree[plot[edge]] > 1 and left[plot[edge]] == 0)
        least = 4 * len(plot)
        for member in range(size - 1, -1, -1):
            if taken[member]:
                continue
            price, touches = 0, False
            for edge in range(first[group[member]], first[group[member] + 1]):
                q = plot[edge]
                price += int(left[q] == degree[q]) - int(left[q] == 1)
                touches |= left[q] < degree[q]
            price += 0 if touches else 2 * len(plot)
            if price < least:
                least, chosen = price, member
    return True


@njit(cache=True, error_model="numpy")
def seat(
    size: int, order: I64, first: I64, plot: I64, degree: I64, left: I64, slot: I64, closes: I64, used: I64
) -> int:
    """Give each plot its place in the frontier, ``slot`` (k,), up to the last track that may have it,
    ``closes`` (k,); ``used`` (s,): bits of the places in use at each track. Returns how many entries the
    tables need."""
    taken, ever = 0, 0
    for place in range(size):
        for edge in range(first[order[place]], first[order[place] + 1]):
            left[plot[edge]], slot[plot[edge]] = degree[plot[edge]], _UNKNOWN
    for place in range(size):
        t = order[place]
        for edge in range(first[t], first[t + 1]):
            q = plot[edge]
            if slot[q] == _UNKNOWN:
                slot[q] = _ALONE
                if degree[q] > 1:
                    bit = 0
                    while taken >> bit & 1:
                        bit += 1
                    slot[q] = bit
                    taken |= 1 << bit
        used[place] = taken
        ever |= taken
        for edge in range(first[t], first[t + 1]):
            q = plot[edge]
            left[q] -= 1
            closes[q] = place
            if left[q] == 0 and slot[q] >= 0:
                taken &= ~(1 << slot[q])
    return _span(ever)


@njit(cache=True, error_model="numpy")
def _span(used: int) -> int:
    """Entries of a table in which these bits may be set."""
    span = 1
    while span <= used:
        span <<= 1
    return span


@njit(cache=True, error_model="numpy")
def _closing(t: int, place: int, first: I64, plot: I64, slot: I64, closes: I64) -> int:
    """Bits of the plots that no track after this one may have."""
    mask = 0
    for edge in range(first[t], first[t + 1]):
        if slot[plot[edge]] >= 0 and closes[plot[edge]] == place:
            mask |= 1 << slot[plot[edge]]
    return mask


@njit(cache=True, error_model="numpy")
def _step(
    t: int, size: int, first: I64, plot: I64, weight: F64, none: F64, slot: I64, table: F64, after: F64
) -> None:
    """The sums over joint events once track ``t`` has its plot, ``after``, from those before, ``table``, over
    the track's largest weight."""
    largest, alone = none[t], none[t]
    for edge in range(first[t], first[t + 1]):
        largest = max(largest, weight[edge])
        if slot[plot[edge]] == _ALONE:
            alone += weight[edge]
    for mask in range(size):
        after[mask] = table[mask] * (alone / largest)
    for edge in range(first[t], first[t + 1]):
        place = slot[plot[edge]]
        if place >= 0:
            bit, worth = 1 << place, weight[edge] / largest
            for mask in range(size):
                if mask & bit:
                    after[mask] += table[mask ^ bit] * worth


@njit(cache=True, error_model="numpy")
def _forward(
    size: int,
    order: I64,
    first: I64,
    plot: I64,
    weight: F64,
    none: F64,
    slot: I64,
    closes: I64,
    used: I64,
    table: F64,
    after: F64,
) -> bool:
    """``table`` (s, ...): sums before each track, by the plots of the frontier that are taken; ``after``: the
    same behind it. Each is divided by its largest."""
    table[0, :] = 0.0
    table[0, 0] = 1.0
    for place in range(size):
        t, span = order[place], _span(used[place])
        _step(t, span, first, plot, weight, none, slot, table[place], after[place])
        if place + 1 == size:
            break
        gone = _closing(t, place, first, plot, slot, closes)
        following = _span(used[place] | used[place + 1])
        for mask in range(following):
            table[place + 1, mask] = 0.0
        top = 0.0
        for mask in range(span):
            kept = mask & ~gone
            table[place + 1, kept] += after[place, mask]
            top = max(top, table[place + 1, kept])
        if not _LEAST < top < np.inf:
            return False
        for mask in range(following):
            table[place + 1, mask] /= top
    return True


@njit(cache=True, error_model="numpy")
def _withdraw(
    t: int,
    span: int,
    gone: int,
    first: I64,
    plot: I64,
    weight: F64,
    none: F64,
    slot: I64,
    table: F64,
    after: F64,
    behind: F64,
    to_track: F64,
    unclaimed: F64,
) -> bool:
    """Marginals of one track and of the plots that close with it. ``behind``: sums over all that comes after
    the track, by the plots that are taken once it has its own."""
    free, everything = 0.0, 0.0
    for mask in range(span):
        free += table[mask] * behind[mask]
        everything += after[mask] * behind[mask]
    if not (free > _LEAST and everything > _LEAST):
        return False
    whole = none[t]
    for edge in range(first[t], first[t + 1]):
        place = slot[plot[edge]]
        to_track[edge] = 1.0
        if place >= 0:
            bit, total, open_ = 1 << place, 0.0, 0.0
            for mask in range(span):
                if not mask & bit:
                    total += table[mask] * behind[mask | bit]
                    open_ += after[mask] * behind[mask]
            to_track[edge] = total / free
            if gone & bit:
                unclaimed[plot[edge]] = open_ / everything
        whole += weight[edge] * to_track[edge]
    for edge in range(first[t], first[t + 1]):
        if slot[plot[edge]] == _ALONE:
            others = none[t]
            for other in range(first[t], first[t + 1]):
                if other != edge:
                    others += weight[other] * to_track[other]
            unclaimed[plot[edge]] = others / whole
    return bool(whole < np.inf)


@njit(cache=True, error_model="numpy")
def settle_group(
    size: int,
    order: I64,
    first: I64,
    plot: I64,
    weight: F64,
    none: F64,
    slot: I64,
    closes: I64,
    used: I64,
    table: F64,
    after: F64,
    to_track: F64,
    unclaimed: F64,
) -> bool:
    """Marginals of all tracks in ``order``, as `propagation.marginals` gives them; False if weights are so
    far apart that digits were lost. ``slot``, ``closes``, ``used``: as by `seat`."""
    if not _forward(size, order, first, plot, weight, none, slot, closes, used, table, after):
        return False
    here, behind = np.empty(table.shape[1]), np.empty(table.shape[1])
    here[0] = 1.0
    for place in range(size - 1, -1, -1):
        t, span = order[place], _span(used[place])
        gone = _closing(t, place, first, plot, slot, closes)
        for mask in range(span):
            behind[mask] = 0.0 if mask & ~used[place] else here[mask & ~gone]
        if not _withdraw(
            t, span, gone, first, plot, weight, none, slot, table[place], after[place], behind, to_track,
            unclaimed,
        ):  # fmt: skip
            return False
        _step_back(t, span, first, plot, weight, none, slot, behind, here)
    return True


@njit(cache=True, error_model="numpy")
def _step_back(
    t: int, span: int, first: I64, plot: I64, weight: F64, none: F64, slot: I64, behind: F64, here: F64
) -> None:
    """The sums over track ``t`` and all after it, ``here``, from those after it; divided by the largest."""
    alone = none[t]
    for edge in range(first[t], first[t + 1]):
        if slot[plot[edge]] == _ALONE:
            alone += weight[edge]
    for mask in range(span):
        here[mask] = behind[mask] * alone
    for edge in range(first[t], first[t + 1]):
        place = slot[plot[edge]]
        if place >= 0:
            bit = 1 << place
            for mask in range(span):
                if not mask & bit:
                    here[mask] += behind[mask | bit] * weight[edge]
    top = 0.0
    for mask in range(span):
        top = max(top, here[mask])
    for mask in range(span):
        here[mask] /= top
