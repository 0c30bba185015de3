"""The mean course of a pair by places alone: for tracks whose velocities are rough.

A tracker that must follow sharp turns states velocities that are off by metres a second, and a slow body's
course with them. Where it was ten seconds ago and where it is now are known to a few metres.
"""

from dataclasses import dataclass

import numpy as np

from vedette.assess.columns import Floats, TrackFacts
from vedette.assess.kernels import pairs as kernel
from vedette.assess.pairs import NEVER_S, Pairs


@dataclass(frozen=True, slots=True)
class Course:
    """Of every pair, [pairs], by its mean velocity relative to the unit (`kernels.motion.gone`): ``closing``
    and ``speed``, m/s; ``miss``: distance at the closest approach, m; ``due``: seconds until then."""

    closing: Floats
    speed: Floats
    miss: Floats
    due: Floats


def course_of(pairs: Pairs, facts: TrackFacts, ground: Floats) -> Course:
    """The mean course of every pair. ``ground`` [units, figures] (`kernels.pairs`)."""
    we = facts.gone_e - ground[pairs.column, kernel.UVE]
    wn = facts.gone_n - ground[pairs.column, kernel.UVN]
    closing = -(pairs.toward_e * we + pairs.toward_n * wn)
    speed = np.sqrt(we * we + wn * wn)
    across = np.abs(pairs.toward_n * we - pairs.toward_e * wn)
    miss = np.where(closing > 0.0, pairs.range * across / np.maximum(speed, 1e-3), pairs.range)
    return Course(closing, speed, miss, np.minimum(pairs.range / np.maximum(closing, 0.1), NEVER_S))
