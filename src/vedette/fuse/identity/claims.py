"""Is what calls itself so the body that sensors see? The arithmetic of that question.

The answer grows report by report, as a log-likelihood ratio (A. Wald, *Sequential Analysis*, 1947): that of
the reported place if the body sends it, a normal density round the place that independent sensors foretell,
over that if something else does, which is as likely anywhere within some hundred metres. The prior is even.
"""

import math
from typing import NamedTuple

import numpy as np
from msgspec import Struct, structs

from vedette.fuse.kernels import sight
from vedette.fuse.kernels.kalman import F64, STATE
from vedette.fuse.plots import Plot
from vedette.fuse.settings import FuseSettings
from vedette.fuse.sightings import NEVER
from vedette.model import Claim, Position
from vedette.model.detection import ClaimScheme, Measure

GATE = 13.82
"""Chi-square 0.999 quantile for two rows; a direction has one row and is given as much."""
BEND_MPS2 = 10.0
"""Drones turn at up to 1 g and some more, mostly for moments."""
SLACK_M = 30.0
"""Reports err, and are late."""
LEAST_STEP_S = 0.5
"""Reports may follow each other faster than their times tell."""


class Suit(Struct, frozen=True, array_like=True, gc=False):
    """A name that may be a body's: its log-odds ``bond`` after ``reports``, from ``since`` to ``time``.
    ``alien``: it was heard elsewhere before, where this body was not."""

    scheme: ClaimScheme
    id: str
    bond: float
    since: float
    time: float
    reports: int
    alien: bool = False


class Fit(NamedTuple):
    """How a reported place fits a body: squared Mahalanobis distance, log-likelihood ratio, distance."""

    d2: float
    nats: float
    metres: float


def fit(x: F64, p: F64, plot: Plot, settings: FuseSettings) -> Fit:
    """A report against the state ``x`` (6,), ``p`` (6, 6) of a body at its time, on the ground plan: heights
    have too many datums. What the report may be late by widens it along the body's way."""
    z, r = plot.place.z, plot.place.r
    lag = 0.5 * settings.claim_latency_s
    e, n = float(z[0] - x[0]), float(z[1] - x[1])
    ve, vn = lag * float(x[3]), lag * float(x[4])
    ee = float(p[0, 0] + r[0, 0]) + ve * ve
    en = float(p[0, 1] + r[0, 1]) + ve * vn
    nn = float(p[1, 1] + r[1, 1]) + vn * vn
    det = ee * nn - en * en
    d2 = (nn * e * e - 2.0 * en * e * n + ee * n * n) / det
    own = 2.0 * math.pi * math.sqrt(det)
    # Where the body's place is vaguer than the alternative, the two must not change their roles.
    other = math.pi * settings.claim_reach_m**2 + own
    return Fit(d2, math.log(other / own) - 0.5 * d2, math.hypot(e, n))


class Turn(NamedTuple):
    """By how much a direction misses a track, and what it may usually miss it by."""

    degrees: float
    usual_degrees: float


def turned(x: F64, p: F64, plot: Plot) -> Turn:
    """A direction against the state ``x`` (6,), ``p`` (6, 6) of a track; usual is the 99.98 % quantile."""
    origin, rotation = plot.sensor.origin, plot.sensor.rotation
    if origin is None or rotation is None:
        return Turn(0.0, 0.0)
    h, jacobian = np.empty(sight.ROWS), np.empty((sight.ROWS, STATE))
    sight.observe(sight.BEARING, x, origin, rotation, h, jacobian)
    spread = plot.accuracy.var[0]
    for i in range(3):
        for j in range(3):
            spread += float(jacobian[0, i] * p[i, j] * jacobian[0, j])
    off = abs(sight.wrapped(plot.values[0] - float(h[0])))
    return Turn(math.degrees(off), math.degrees(math.sqrt(GATE * max(spread, 0.0))))


def bonded(bond: float, nats: float, settings: FuseSettings) -> float:
    """The log-odds after one more report."""
    most = settings.claim_most_nats
    return min(max(bond + max(nats, -settings.claim_most_loss_nats), -most), most)


def is_bound(bond: float, settings: FuseSettings) -> bool:
    """True if the claim is the body's for all that is known."""
    return bond >= _log_odds(settings.claim_bound)


def is_unbound(bond: float, settings: FuseSettings) -> bool:
    """True if the claim is another's, or nobody's."""
    return bond < _log_odds(settings.claim_unbound)


def suit_of(suits: tuple[Suit, ...], claim: Claim, time: float, settings: FuseSettings) -> Suit | None:
    """The suit of this name among ``suits``, if it is remembered."""
    for suit in suits:
        if (suit.scheme, suit.id) == (claim.scheme, claim.id) and fresh(suit, time, settings):
            return suit
    return None


def courted(suits: tuple[Suit, ...], claim: Claim, nats: float, time: float, settings: FuseSettings) -> Suit:
    """The suit of this name after one more report, which is the first if it is not among ``suits``."""
    suit = suit_of(suits, claim, time, settings)
    if suit is None:
        return Suit(claim.scheme, claim.id, bonded(0.0, nats, settings), time, time, 1)
    bond = bonded(suit.bond, nats, settings)
    return structs.replace(suit, bond=bond, time=time, reports=suit.reports + 1)


def with_suit(suits: tuple[Suit, ...], new: Suit, settings: FuseSettings) -> tuple[Suit, ...]:
    """The suits with this one brought up to date: the likeliest ones, sorted by name."""
    others = [s for s in suits if (s.scheme, s.id) != (new.scheme, new.id) and fresh(s, new.time, settings)]
    best = sorted([new, *others], key=lambda s: (-s.bond, -s.time, s.scheme, s.id))[: settings.suits]
    return tuple(sorted(best, key=lambda s: (s.scheme, s.id)))


def fresh(suit: Suit, now: float, settings: FuseSettings) -> bool:
    """True while a suit is remembered."""
    return now - suit.time <= settings.agreement_life_s


def jumped(said: tuple[float, float, float], plot: Plot, settings: FuseSettings) -> bool:
    """True if nothing flies from the place and time ``said`` to the report's, less three sigma."""
    z, r = plot.place.z, plot.place.r
    slack = 3.0 * math.sqrt(2.0 * float(r[0, 0] + r[1, 1]))
    way = math.hypot(float(z[0]) - said[0], float(z[1]) - said[1]) - slack
    return way > settings.impossible_speed_mps * max(plot.time - said[2], LEAST_STEP_S)


def came_along(x: F64, p: F64, time: float, said: tuple[float, float, float]) -> bool:
    """True if the body with state ``x`` (6,), ``p`` (6, 6) at ``time`` may have been at the place and time
    ``said`` before: back along its way, within three sigma and what a turn at `BEND_MPS2` makes of it."""
    back = max(time - said[2], 0.0)
    east, north = float(x[0] - back * x[3]) - said[0], float(x[1] - back * x[4]) - said[1]
    place, mixed, pace = (float(p[i, j] + p[i + 1, j + 1]) for i, j in ((0, 0), (0, 3), (3, 3)))
    spread = math.sqrt(max(place - 2.0 * back * mixed + back * back * pace, 0.0))
    return math.hypot(east, north) <= 3.0 * spread + 0.5 * BEND_MPS2 * back * back + SLACK_M


def still_since(since: float, before: Measure | None, plot: Plot) -> float:
    """Since when one place was stated to the bit, after one more report."""
    now = plot.detection.measure
    if not (isinstance(now, Position) and isinstance(before, Position)) or since == NEVER:
        return plot.time
    same = (now.lat_deg, now.lon_deg, now.alt_m) == (before.lat_deg, before.lon_deg, before.alt_m)
    return since if same else plot.time


def is_frozen(since: float, plot: Plot, settings: FuseSettings) -> bool:
    """True if the report repeats one place for too long while it states a speed. Aircraft are left out: what
    is known of one is often put together of a new velocity and an old place."""
    measure = plot.detection.measure
    if not isinstance(measure, Position) or measure.velocity_mps is None or plot.aircraft:
        return False
    moves = math.hypot(*measure.velocity_mps) > settings.frozen_least_speed_mps
    return moves and plot.time - since >= settings.frozen_s


def _log_odds(probability: float) -> float:
    return math.log(probability / (1.0 - probability))
