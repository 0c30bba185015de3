"""A body that some sensors hear, and one that should hear it does not: it is likelier a ghost.

Where directions of two sensors cross that come from two bodies, nothing is. Each of the two sensors hears
"it" look after look, and would for ever: what speaks against it is the third sensor. So the odds that a body
exists that is known by directions alone are held at

    MOST  prod over s of (1 - pd_s)^(a n_s)  prod over w of (b + (1 - b) (1 - pd_w)^n_w),

with n_s the looks of a sensor of directions s, in whose view it is, since s heard it last and until anybody
did; a body that falls silent as a whole is not meant. The exponent a < 1 stands for looks of one sensor that
are not independent. The second product is over searching sensors, which have looked n_w times and not seen
it: with probability b one is blind there. Both are judgements.
"""

import math
from collections.abc import Mapping

from vedette.fuse.kernels.crossing import within
from vedette.fuse.kernels.kalman import F64
from vedette.fuse.kernels.survival import MOST_BY_EAR
from vedette.fuse.rays.eyes import arrays_of
from vedette.fuse.rays.state import Eye
from vedette.fuse.sightings import Sightings

_TEMPER = 0.7
_EARLY = 0.25
"""A look may come this share of the period too early."""
_MOST_ODDS = MOST_BY_EAR / (1.0 - MOST_BY_EAR)

Listeners = Mapping[str, tuple[Eye, float]]
"""Sensors of directions by id, and the times of their last looks."""


Watchers = Mapping[str, tuple[Eye, float]]
"""The same of searching sensors."""


def most_likely(
    place: F64, founded: float, seen: Sightings, listeners: Listeners, watchers: Watchers, blind: float
) -> float:
    """The highest existence that those who should have heard or seen a body at ``place`` (3,) leave it, which
    is known since ``founded``. ``blind``: probability that a searching sensor cannot see there after all."""
    heard = dict(seen.sensors)
    last = max(heard.values(), default=founded)
    log = math.log(_MOST_ODDS)
    for name in sorted(listeners):
        eye, looked = listeners[name]
        silence = min(looked, last) - heard.get(name, founded)
        looks = math.floor(silence / eye.period_s + _EARLY)
        if looks > 0 and within(place[0], place[1], place[2], *arrays_of(eye)):
            log += _TEMPER * looks * math.log(1.0 - eye.sees)
    for name in sorted(watchers):
        eye, looked = watchers[name]
        looks = math.floor((looked - founded) / eye.period_s + _EARLY)
        if looks > 0 and within(place[0], place[1], place[2], *arrays_of(eye)):
            log += math.log(blind + (1.0 - blind) * (1.0 - eye.sees) ** looks)
    return 1.0 / (1.0 + math.exp(-max(log, -50.0)))
