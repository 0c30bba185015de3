"""Who has to go when the table of tracks is full: an attacker who transmits can always fill it.

Tracks that an independent sensor has seen rank above those that were only broadcast, and confirmed ones
above tentative ones, so that a flood of invented identities displaces neither what a radar sees nor a
drone that is tracked already. Among equals the one that was not heard for longest goes: a flood does not
repeat itself, a drone does. And a table full of confirmed inventions still leaves a share to newcomers,
or the drone that comes during the flood would never be seen.
"""

import numpy as np

from vedette.fuse.kernels.kalman import Mask
from vedette.fuse.picture import Picture

_AT_ONCE = 10
"""One tentative track in so many goes at a time, for each removal costs as much as the whole table."""


def expendable(picture: Picture, now: float, *, cooperative: bool, share: float) -> Mask:
    """Which tracks to drop for one that is born at ``now``; none if all rank above it.

    ``cooperative``: the new one was only broadcast. ``share``: of the table for tentative tracks.
    """
    n = picture.count
    confirmed, independent = picture.confirmed[:n], picture.independent[:n]
    earlier = picture.time[:n] < now
    tentative = ~confirmed & ~independent
    invented = confirmed & ~independent
    if int(tentative.sum()) >= share * n and (tentative & earlier).any():
        return _stalest(picture, tentative & earlier, max(1, int(tentative.sum()) // _AT_ONCE))
    if (invented & earlier).any():
        return _stalest(picture, invented & earlier, 1)
    rest = tentative if cooperative else ~confirmed
    return _stalest(picture, rest & earlier, 1)


def _stalest(picture: Picture, candidates: Mask, number: int) -> Mask:
    """The ``number`` candidates that were heard longest ago; the order of founding decides ties."""
    gone = np.zeros(picture.count, np.bool_)
    slots = np.flatnonzero(candidates)
    order = np.argsort(picture.time[slots], kind="stable")
    gone[slots[order[:number]]] = True
    return gone
