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
from vedette.fuse.kernels import imm, kalman, pmb
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


def foretold(old: Hypotheses, now: float, keeper: Keeper) -> Hypotheses:
    """All of them at ``now``."""
    n = old.number
    if n == 0:
        return NO_HYPOTHESES._replace(time=now)
    times = np.full(n, min(old.time, now))
    x, p = np.empty((n, MODELS, STATE)), np.empty((n, MODELS, STATE, STATE))
    mu, known = np.empty((n, MODELS)), np.empty(n, np.bool_)
    imm.predict_all(
        n, times, old.xm, old.pm, old.mu, old.known, now, motion_of(keeper), keeper.motion, x, p, mu, known
    )
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
    r, pd = held.existence, np.where(visible(held, eye), sees, 0.0)
    return held._replace(existence=r * (1.0 - pd) / (1.0 - r * pd))


def heard(held: Hypotheses, eye: Eye, sensor: str, rows: Rows, elsewhere: F64, gates: F64) -> Heard:
    """After a look of a sensor of directions; ``held`` is of its time. ``elsewhere`` (k,): density of what is
    none of these at each bearing."""
    n, k = held.number, len(rows.z)
    unclaimed, hit, best = np.ones(k), np.zeros(n), np.full(n, -1, np.int64)
    if n == 0:
        return Heard(held, hit, best, unclaimed)
    origin, rotation, _ = arrays_of(eye)
    x, p, mu, r = held.xm.copy(), held.pm.copy(), held.mu.copy(), held.existence.copy()
    known = held.known.copy()
    pd = np.where(visible(held, eye), eye.sees, 0.0)
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
    good = np.isfinite(x).all(axis=(1, 2)) & np.isfinite(p).all(axis=(1, 2, 3)) & np.isfinite(r)
    after = Hypotheses(held.time, x, p, mu, r, known, held.founded, tuple(sightings))
    return Heard(after if good.all() else kept(after, good), hit[good], best[good], unclaimed)


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


def joined(held: Hypotheses, *others: Hypotheses) -> Hypotheses:
    """All of them in one table; those of ``others`` hold at the same time."""
    parts = [part for part in (held, *others) if part.number]
    if len(parts) <= 1:
        return parts[0] if parts else held
    return Hypotheses(
        held.time,
        np.concatenate([part.xm for part in parts]),
        np.concatenate([part.pm for part in parts]),
        np.concatenate([part.mu for part in parts]),
        np.concatenate([part.existence for part in parts]),
        np.concatenate([part.known for part in parts]),
        np.concatenate([part.founded for part in parts]),
        tuple(seen for part in parts for seen in part.sightings),
    )


def bounded(held: Hypotheses, least: float, most: int) -> Hypotheses:
    """Those that exist with a probability of ``least``, and of these the ``most`` likely ones."""
    keep = held.existence >= least
    if int(keep.sum()) > most:
        order = np.argsort(-held.existence, kind="stable")
        keep = np.zeros(held.number, np.bool_)
        keep[order[:most]] = True
    return held if keep.all() else kept(held, keep)


def begun(
    time: float, place: F64, spread: F64, likely: F64, known: Mask, seen: Sequence[Sightings], keeper: Keeper
) -> Hypotheses:
    """New ones at ``place`` (n, 3) with covariance ``spread`` (n, 3, 3), of which no velocity is known."""
    n = len(likely)
    x, p = np.zeros((n, STATE)), np.zeros((n, STATE, STATE))
    x[:, :3], p[:, :3, :3] = place, spread
    for i in range(3):
        p[:, 3 + i, 3 + i] = keeper.unsure[i] ** 2
    mu, founded = np.ones((n, MODELS)), np.full(n, time)
    return Hypotheses(time, x[:, None], p[:, None], mu, likely, known, founded, tuple(seen))
