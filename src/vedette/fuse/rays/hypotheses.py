"""Bodies that may be where directions cross: a small table of their own, beside the picture's tracks.

Each is a Bernoulli with a state like a track's, and every look of a sensor of directions is taken
on all of them together by the same kernels (`kernels.pmb`), after the tracks: of a bearing only what no
track claims is left. Here, not hearing is evidence: what is supposed only because it was heard must be
heard again. One that is likely enough becomes a track (`rays.hearing`); the others fade.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vedette.fuse.keeper import Keeper
from vedette.fuse.kernels import imm, kalman, pmb, suppositions
from vedette.fuse.kernels.kalman import F64, STATE, Mask
from vedette.fuse.kernels.sight import BEARING
from vedette.fuse.looks import Rows
from vedette.fuse.rays.eyes import arrays_of
from vedette.fuse.rays.state import MODELS, NO_HYPOTHESES, Eye, Hypotheses
from vedette.fuse.sightings import Sightings

I64 = NDArray[np.int64]

HEARD = 0.1
"""A hypothesis counts as heard from this probability on: among many that share a bearing, none has more."""
_NOTHING_FORBIDDEN = np.zeros((0, 0), np.bool_)


class Heard(NamedTuple):
    """Hypotheses after a look: ``hit`` (n,): probability that each was heard, ``best`` (n,): by which
    bearing, ``unclaimed`` (k,): probability that a bearing is of none."""

    hypotheses: Hypotheses
    hit: F64
    best: I64
    unclaimed: F64


def motion_of(keeper: Keeper) -> F64:
    """The one model of motion, as a table of `kernels.imm`."""
    settings = keeper.settings
    horizontal, vertical = settings.accel_psd_horizontal_m2ps3, settings.accel_psd_vertical_m2ps3
    return np.array([[horizontal, vertical, 0.0, 1.0, settings.climb_decay_s[0]]])


def foretold(old: Hypotheses, now: float, motion: F64, keeper: Keeper) -> Hypotheses:
    """All of them at ``now``; ``motion``: `motion_of` the keeper."""
    n = old.number
    if n == 0:
        return NO_HYPOTHESES._replace(time=now)
    times = np.full(n, min(old.time, now))
    x, p = np.empty((n, MODELS, STATE)), np.empty((n, MODELS, STATE, STATE))
    mu, known = np.empty((n, MODELS)), np.empty(n, np.bool_)
    imm.predict_all(n, times, old.xm, old.pm, old.mu, old.known, now, motion, keeper.motion, x, p, mu, known)
    return Hypotheses(now, x, p, mu, old.existence, known, old.founded, old.sightings)


def visible(held: Hypotheses, eye: Eye) -> Mask:
    """Which of them the sensor should see."""
    origin, rotation, limits = arrays_of(eye)
    seen = np.empty(held.number, np.bool_)
    kalman.in_view(held.number, held.xm[:, 0], origin, rotation, limits, seen)
    return seen


def missed(held: Hypotheses, eye: Eye, sees: float) -> Hypotheses:
    """After a look of a searching sensor, in whose view a body would be seen and found by its own plots."""
    if held.number == 0 or sees <= 0.0:
        return held
    r, pd = held.existence, visible(held, eye) * sees
    return held._replace(existence=r * (1.0 - pd) / (1.0 - r * pd))


def heard(held: Hypotheses, eye: Eye, sensor: str, rows: Rows, elsewhere: F64, gates: F64) -> Heard:
    """After a look of a sensor of directions; ``held`` is of its time. ``elsewhere`` (k,): density of what is
    none of these at each bearing."""
    n, k = held.number, len(rows.z)
    hit, best = np.empty(n), np.empty(n, np.int64)
    if n == 0:
        return Heard(held, hit, best, np.ones(k))
    unclaimed = np.empty(k)
    origin, rotation, _ = arrays_of(eye)
    x, p, mu, r = held.xm.copy(), held.pm.copy(), held.mu.copy(), held.existence.copy()
    known = held.known.copy()
    pd = np.multiply(visible(held, eye), eye.sees, dtype=np.float64)
    pmb.scan(
        n, BEARING, x, p, mu, r, pd, True, origin, rotation, rows.z, rows.var, rows.use, _NOTHING_FORBIDDEN,
        elsewhere, gates, hit, best, unclaimed,
    )  # fmt: skip
    if not eye.vouched:
        np.maximum(r, held.existence, out=r)
    sightings = list(held.sightings)
    for slot in np.flatnonzero(hit > HEARD).tolist():
        raised = bool(rows.use[best[slot], 1])
        known[slot] |= raised
        sightings[slot] = sightings[slot].after(sensor, held.time, checked=True, raised=raised)
    after = Hypotheses(held.time, x, p, mu, r, known, held.founded, tuple(sightings))
    if suppositions.all_sound(x, p, r):
        return Heard(after, hit, best, unclaimed)
    good = np.isfinite(x).all(axis=(1, 2)) & np.isfinite(p).all(axis=(1, 2, 3)) & np.isfinite(r)
    return Heard(kept(after, good), hit[good], best[good], unclaimed)


def kept(held: Hypotheses, keep: Mask) -> Hypotheses:
    """Those that ``keep`` (n,) marks, in the same order."""
    slots = np.flatnonzero(keep)
    return Hypotheses(
        held.time,
        held.xm[slots],
        held.pm[slots],
        held.mu[slots],
        held.existence[slots],
        held.known[slots],
        held.founded[slots],
        tuple(held.sightings[slot] for slot in slots.tolist()),
    )


def joined(least: float, most: int, *parts: Hypotheses) -> Hypotheses:
    """All in one table that exist with a probability of ``least``, and of these the ``most`` likely ones. The
    parts hold at the same time; one of them is there."""
    number = sum(part.number for part in parts)
    if number == 0:
        return parts[0]
    x, p = np.empty((number, MODELS, STATE)), np.empty((number, MODELS, STATE, STATE))
    mu, existence, known = np.empty((number, MODELS)), np.empty(number), np.empty(number, np.bool_)
    founded, slots, left = np.empty(number), np.empty(number, np.int64), 0
    seen: list[Sightings] = []
    for part in parts:
        begin = left
        left = suppositions.keep(
            begin, least, part.xm, part.pm, part.mu, part.existence, part.known, part.founded, x, p, mu,
            existence, known, founded, slots,
        )  # fmt: skip
        seen += [part.sightings[slot] for slot in slots[begin:left].tolist()]
    held = Hypotheses(
        parts[0].time,
        x[:left],
        p[:left],
        mu[:left],
        existence[:left],
        known[:left],
        founded[:left],
        tuple(seen),
    )
    if left <= most:
        return held
    keep = np.zeros(left, np.bool_)
    keep[np.argsort(-held.existence, kind="stable")[:most]] = True
    return kept(held, keep)


def begun(
    time: float, good: I64, place: F64, spread: F64, likely: F64, known: Mask, seen: Sequence[Sightings],
    unsure: F64,
) -> Hypotheses:  # fmt: skip
    """New ones at the places ``good`` (n,) of ``place`` (e, 3) with covariances ``spread`` (e, 3, 3); no
    velocity is known: ``unsure`` (3,) are its sigmas."""
    n = len(good)
    x, p, mu = np.empty((n, MODELS, STATE)), np.empty((n, MODELS, STATE, STATE)), np.empty((n, MODELS))
    suppositions.begin(good, place, spread, unsure, x, p, mu)
    return Hypotheses(time, x, p, mu, likely, known, np.full(n, time), tuple(seen))
