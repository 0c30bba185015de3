"""What kind of body a track is, as far as it shows without anybody's word: how fast it flies, whether it is
heard to send, how regularly a radar sees it, how high it is.

No sensor's label is used here; they are combined with it in `vedette.fuse.identity.evidence`. Only what
independent sensors measure counts: what a body says of its own motion tells nothing of its kind (DESIGN,
law 3).

Where the figures come from:

- *birds*: mean air speeds of 138 species lie between 8 and 23 m/s (T. Alerstam et al., "Flight speeds among
  bird species: allometric and phylogenetic effects", PLoS Biology 5(8) e197, 2007); small and middle-sized
  birds at 9 to 16 (C. J. Pennycuick, "Modelling the Flying Bird", 2008). They rarely stand in the air:
  kestrels, terns and hummingbirds do, others in a head wind only.
- *multirotors*: most of their time they stand or go slowly; top speeds in data sheets of camera drones are 16
  to 21 m/s. They hold their place over ground, so that wind does not move them.
- *fpv*: 5 to 20 m/s around obstacles and when searching, 20 to 45 on an attack (field notes: 56 at most).
- *fixed-wing*: small ones stall at 8 to 10 m/s and cruise at 10 to 25; larger and one-way ones at 25 to 55.
- *aircraft*: gliders 20 to 40, helicopters and light aircraft 25 to 80 m/s, jets faster.

How much of its time each spends at which speed is a judgement, and so are the probabilities of sending.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vedette.fuse.kernels import nature
from vedette.fuse.kernels.kalman import F64, Mask
from vedette.fuse.picture import EMITS, Picture
from vedette.fuse.settings import FuseSettings
from vedette.fuse.words import CLASSES

Slots = NDArray[np.int64] | slice
ALL = slice(None)
"""Of all tracks."""

EDGES_MPS = (0.0, 1.5, 4.0, 7.0, 10.0, 13.0, 16.0, 20.0, 25.0, 32.0, 42.0, 60.0, 110.0)
"""Limits of the bands of speed."""

Part = tuple[float, float, float]
"""Share of the time, and the two speeds (m/s) between which any is as likely."""

SPEEDS: dict[str, tuple[Part, ...]] = {
    "multirotor": ((0.35, 0.0, 1.5), (0.55, 0.0, 16.0), (0.10, 12.0, 23.0)),
    "fpv": ((0.05, 0.0, 5.0), (0.30, 5.0, 20.0), (0.45, 18.0, 35.0), (0.20, 30.0, 56.0)),
    "fixed-wing": ((0.40, 10.0, 25.0), (0.40, 18.0, 40.0), (0.20, 35.0, 56.0)),
    "bird": ((0.02, 0.0, 4.0), (0.10, 4.0, 8.0), (0.70, 8.0, 17.0), (0.18, 15.0, 23.0)),
    "aircraft": ((0.05, 0.0, 20.0), (0.25, 20.0, 40.0), (0.50, 30.0, 80.0), (0.20, 60.0, 110.0)),
    "unknown": ((0.80, 0.0, 60.0), (0.20, 0.0, 110.0)),
}
"""Speeds over ground of multirotors, through the air of all others."""

OVER_GROUND: Mask = np.array([name == "multirotor" for name in CLASSES])

SEEN: F64 = np.array([0.25, 0.14, 0.09, 0.37, 0.05, 0.10])
"""Before anything is learnt, of what an independent sensor sees: birds outnumber drones. A judgement, held
between that and a radar's being tuned to drones."""

SENDS: F64 = np.array([0.85, 0.70, 0.60, 0.01, 0.50, 0.50])
"""Probability that a direction finder could hear a body of this class. Drones mostly send (control, video);
those on a glass fibre or on their own do not. Birds never do: what is left is for wrong associations."""

HEIGHTS_M: tuple[tuple[float, float, float], ...] = (
    (0.95, 100.0, 500.0),
    (0.95, 100.0, 500.0),
    (0.60, 150.0, 1200.0),
    (0.85, 100.0, 700.0),
    (0.15, 150.0, 1500.0),
    (0.50, 120.0, 1500.0),
)
"""Share of low flight, and the mean heights (m) over the site of low and of high flight, both exponential.
Aircraft keep above 150 m except to land, search or rescue (SERA.5005(f)(2)); most birds stay below 200 m away
from migration (J. Shamoun-Baranes, W. Bouten, E. E. van Loon, "Integrating meteorology into research on
migration", Integrative and Comparative Biology 50(3), 2010)."""

_FLICKERS: F64 = np.array([0.0, 0.0, 0.0, 1.0, 0.0, 0.5])
"""How much a radar's missing a body speaks for each class: birds scatter less than what it was set up for."""

_BIRD, _AIRCRAFT = CLASSES.index("bird"), CLASSES.index("aircraft")
_HARMLESS = [_BIRD, _AIRCRAFT]
_OTHERS = [place for place in range(len(CLASSES)) if place not in _HARMLESS]
_TINY, _BELOW = 1e-300, 0.99
_STEP_MPS = 0.5
_NAMED_VOICE = 0.9
"""A body under a name that is broadcast sends, as far as that name is its own."""
_LEAST_EXISTENCE = 0.5
"""Of a track that is as likely none, nothing is learnt."""
_VAGUE_MPS = 8.0
"""Nothing is learnt of a velocity with a larger sigma than this in each component: it was hardly moved from
the rest at which it begins. A judgement."""
_LEAST_SURE = 0.95
"""Bodies less sure than this do not count among those of which some are faint. A judgement."""
_PAUSE_S = 0.45
"""More often than this nothing new is to be learnt of a class."""


@lru_cache(maxsize=16)
def speed_table(wind_sigma_mps: float) -> F64:
    """Share of time (c, b) in each band of speed over ground, or, of what the wind carries, of the speed that
    is seen when a known wind has been taken off and this much of it is not known."""
    fine = np.arange(0.5 * _STEP_MPS, EDGES_MPS[-1], _STEP_MPS)
    rows = []
    for name, ground in zip(CLASSES, OVER_GROUND.tolist(), strict=True):
        share = np.zeros(len(fine))
        for weight, low, high in SPEEDS[name]:
            within = (fine >= low) & (fine < high)
            share += weight * within / within.sum()
        if not ground:
            air = share.copy()
            nature.blown(air, wind_sigma_mps**2, fine, share)
        places = np.searchsorted(EDGES_MPS, fine, side="right") - 1
        row = [float(share[places == band].sum()) for band in range(len(EDGES_MPS) - 1)]
        rows.append([max(value, 1e-6) for value in row])
    table = np.array(rows)
    table /= table.sum(axis=1, keepdims=True)
    table.setflags(write=False)
    return table


class Natures:
    """Learns the nature of the tracks of a picture, and tells it."""

    def __init__(self, settings: FuseSettings) -> None:
        self._settings = settings
        self._speeds = speed_table(settings.wind_sigma_mps)
        edges = np.array(EDGES_MPS)
        self._middles: F64 = 0.5 * (edges[1:] + edges[:-1])
        self._spreads: F64 = (edges[1:] - edges[:-1]) ** 2 / 12.0
        self._wind: F64 = np.array(settings.wind_mps)
        figures = np.zeros(7)
        figures[nature.SOJOURN], figures[nature.MEMORY] = settings.speed_sojourn_s, settings.nature_memory_s
        figures[nature.ERROR], figures[nature.PAUSE] = settings.speed_error_s, _PAUSE_S
        figures[nature.BLUR] = settings.speed_blur_mps**2
        figures[nature.LEAST], figures[nature.VAGUE] = _LEAST_EXISTENCE, 2.0 * _VAGUE_MPS**2
        self._figures: F64 = figures
        self._voice_times = (settings.voice_rise_s, settings.voice_fall_s)
        self._blur = settings.speed_blur_mps**2
        self._memory = math.exp(-1.0 / settings.flicker_memory_looks)

    def looked(self, picture: Picture, time: float, n: int) -> None:
        """Learn the speeds of the first ``n`` tracks, those of them that a look of an independent sensor at
        ``time`` saw."""
        nature.look(
            n, time, picture.xm, picture.pm, picture.mu, picture.existence, picture.heard, self._speeds,
            self._middles, self._spreads, OVER_GROUND, self._wind, self._figures, picture.nature,
            picture.learnt,
        )  # fmt: skip

    def counted(self, picture: Picture, pd: F64, hit: F64) -> None:
        """Learn from a whole look of a searching sensor: the probabilities (n,) that it sees each track if
        that is what the sensor was set up for, and that it did."""
        share = self._settings.bird_detection_share
        nature.flicker(len(hit), pd, hit, share, self._memory, picture.flicker, picture.gap)

    def dimmed(self, picture: Picture, pd: F64) -> F64:
        """Probabilities (n,) of detection of each track, from those of what the sensor was set up for: one
        that was seen less regularly is a faint body, and must not be taken for one that has gone. Misses that
        no hit has followed yet say nothing of it: the body may have gone just then."""
        settings, n, out = self._settings, len(pd), np.empty(len(pd))
        before = (settings.faint_share, settings.faint_bodies)
        odds = nature.faint_odds(n, picture.existence, _LEAST_SURE, picture.flicker, *before)
        nature.dim(n, pd, settings.bird_detection_share, odds, picture.flicker, out)
        return out

    def listened(self, picture: Picture, visible: Mask, period_s: float) -> None:
        """Learn from a look of a direction finder, which it takes every ``period_s``, at the tracks that are
        ``visible`` (n,) to it."""
        rise, fall = (1.0 - math.exp(-period_s / time) for time in self._voice_times)
        nature.hark(len(visible), visible, picture.emits, rise, fall, picture.voice)

    def priors(self, picture: Picture, prior: tuple[float, ...], slots: Slots = ALL) -> F64:
        """Class beliefs (n, c) of the tracks in ``slots`` before any sensor's word: ``prior`` of what no
        independent sensor has seen."""
        n = picture.count
        xm, pm, mu = picture.xm[:n][slots], picture.pm[:n][slots], picture.mu[:n][slots]
        learnt = picture.nature[:n][slots]
        beliefs = np.empty((len(xm), len(CLASSES)))
        nature.masses(
            len(xm), xm, pm, mu, self._speeds, self._middles, self._spreads, OVER_GROUND, self._wind,
            self._blur, learnt, beliefs,
        )  # fmt: skip
        beliefs *= SEEN
        beliefs *= self._voices(picture)[slots]
        beliefs *= self._flickers(picture)[slots]
        beliefs *= self._heights(picture)[slots]
        beliefs /= beliefs.sum(axis=1, keepdims=True)
        self._hold(beliefs)
        beliefs[~picture.independent[:n][slots]] = prior
        return beliefs

    def _voices(self, picture: Picture) -> F64:
        """Likelihood (n, c) of what direction finders heard, or did not."""
        n = picture.count
        voice = np.where(picture.voice[:n] == nature.UNHEARD, EMITS, picture.voice[:n])
        voice = np.where(picture.named[:n], np.maximum(voice, _NAMED_VOICE), voice)[:, None]
        told: F64 = SENDS * voice + (1.0 - SENDS) * (1.0 - voice)
        return told

    def _flickers(self, picture: Picture) -> F64:
        """Likelihood (n, c) of how regularly searching sensors see it, bounded: their stated probability of
        detection is one figure for all distances, so that it must not decide alone."""
        most, n = self._settings.flicker_most_nats, picture.count
        record = self._settings.flicker_temper * (picture.flicker[:n] + picture.gap[:n])
        told: F64 = np.exp(np.clip(record, -most, most)[:, None] * _FLICKERS)
        return told

    def _heights(self, picture: Picture) -> F64:
        """Likelihood (n, c) of the height, where one was measured, tempered."""
        n = picture.count
        up = np.maximum(picture.x[:n, 2], 0.0)[:, None]
        share, low, high = (np.array(column) for column in zip(*HEIGHTS_M, strict=True))
        density = share * np.exp(-up / low) / low + (1.0 - share) * np.exp(-up / high) / high
        density = (density / density.max(axis=1, keepdims=True)) ** self._settings.height_temper
        told: F64 = np.where((picture.known[:n] & ~picture.reported[:n])[:, None], density, 1.0)
        return told

    def _hold(self, beliefs: F64) -> None:
        """Keep what lowers warnings within its bound, for who flies like a gull must not be taken for one.
        The likeliest class stays so: what is taken off it goes to the others, to none of them beyond it."""
        most = self._settings.harmless_by_motion
        harmless = beliefs[:, _BIRD] + beliefs[:, _AIRCRAFT]
        over = harmless > most
        if not over.any():
            return
        held, total = beliefs[over], harmless[over, None]
        held[:, _HARMLESS] *= most / total
        held[:, _OTHERS] *= (1.0 - most) / np.maximum(1.0 - total, _TINY)
        limit = held[:, _HARMLESS].max(axis=1, keepdims=True)
        limit = np.where(beliefs[over].argmax(axis=1)[:, None] == _HARMLESS, limit, 1.0).min(axis=1)[:, None]
        above = np.maximum(held[:, _OTHERS] - _BELOW * limit, 0.0)
        room = np.maximum(_BELOW * limit - held[:, _OTHERS], 0.0)
        spread = above.sum(axis=1, keepdims=True) / np.maximum(room.sum(axis=1, keepdims=True), _TINY)
        held[:, _OTHERS] += spread * room - above
        beliefs[over] = held
