"""Whether what finders hear bears out the place of a body that is known by directions alone.

Such a place is a deduction: these bearings are of one body. A wrong one still takes bearings, of one body
here and of another there, and its existence stays high. Two things tell it, of each finder that should hear
it:

- *bearings of its own*: of the looks that should have heard it, the share that did, by the probability that
  a bearing is its (a bearing shared with another track is half of one). A finder that falls behind bears
  witness against the place. What nobody hears has fallen silent and is no ghost, so only the looks count
  before which somebody else had heard it;
- *whiteness*: innovations over their sigmas, v = (z - h) / sqrt(h' P h + r), have mean zero if the place is
  right (Bar-Shalom, Li, Kirubarajan 2001, 5.4.2). With w the probability that the bearing is its, and k the
  fading of memory, sum(k w v) / sqrt(1 + sum(k^2 w^2)) is about normal (D4).

A place that is borne out no more is not ended: it keeps its id and takes its bearings, but it is shown as
what is known of it, its directions (`rays.places`), until it is borne out again.
"""

import math
from collections.abc import Sequence

import numpy as np

from vedette.fuse.kernels.kalman import Mask
from vedette.fuse.picture import Picture
from vedette.fuse.rays.state import Ear, Eye, Support, Witness
from vedette.fuse.settings import FuseSettings

_PRIOR_LOOKS = 0.5
"""Before a finder was to hear a body, it counts as one that did for half a look."""
_FARTHEST = 4.0
"""Innovations count as no more than so many sigmas: beyond the gate nothing is the body's."""
_ALIVE_LOOKS = 2.5
"""A finder that has not looked for so many of its periods bears no witness."""


def testified(
    old: Support, eye: Eye, name: str, time: float, share: float, off: float, settings: FuseSettings, *,
    due: bool,
) -> Support:  # fmt: skip
    """After a look of the finder ``name``, which heard it with the probability ``share``; ``off``: the
    innovation over its sigma. ``due``: it should have heard it. A look that comes early, as of a finder that
    sends each bearing by itself, counts as the part of a period that has passed."""
    before = next((one for one in old.witnesses if one.sensor == name), Witness(name, time - eye.period_s))
    passed = max(time - before.time, 0.0)
    fade = math.exp(-passed / settings.support_memory_s)
    looks = eye.sees * min(passed / eye.period_s, 1.0) if due else 0.0
    off = min(max(off, -_FARTHEST), _FARTHEST)
    new = Witness(
        name,
        time,
        before.heard * fade + (share if due else 0.0),
        before.looks * fade + looks,
        before.pull * fade + share * off,
        before.square * fade * fade + share * share,
    )
    others = [one for one in old.witnesses if one.sensor != name]
    return Support(old.hidden, tuple(sorted([*others, new], key=lambda one: one.sensor)))


def without_the_gone(old: Support, ears: dict[str, Ear], time: float, settings: FuseSettings) -> Support:
    """Without finders that look no more."""
    kept = tuple(one for one in old.witnesses if one.sensor in ears and _looks(one, ears, time, settings))
    return old if len(kept) == len(old.witnesses) else Support(old.hidden, kept)


def _looks(one: Witness, ears: dict[str, Ear], time: float, settings: FuseSettings) -> bool:
    patience = max(settings.silent_sensor_s, _ALIVE_LOOKS * ears[one.sensor].eye.period_s)
    return time - one.time <= patience


def weakness(witnesses: Sequence[Witness], settings: FuseSettings) -> float:
    """1 and more where a place is not borne out: what the worst of the finders says of it."""
    worst = 0.0
    for one in witnesses:
        share = (one.heard + _PRIOR_LOOKS) / (one.looks + _PRIOR_LOOKS)
        lacking = (1.0 - share) / (1.0 - settings.support_least_share)
        pull = abs(one.pull) / math.sqrt(1.0 + one.square) / settings.support_most_sigmas
        worst = max(worst, lacking, pull)
    return worst


def hidden(picture: Picture) -> Mask:
    """Which tracks (n,) are shown as directions, for their places are not borne out."""
    mask = np.zeros(picture.count, np.bool_)
    for name, support in picture.rays.support.items():
        slot = picture.slots.get(name)
        if slot is not None and support.hidden:
            mask[slot] = bool(picture.by_ear[slot]) and not picture.named[slot]
    return mask
