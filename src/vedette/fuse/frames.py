"""A picture as the tracks that others see: the confirmed ones, predicted to one time."""

import math
from collections.abc import Collection

import numpy as np

from vedette.fuse.identity import evidence
from vedette.fuse.identity.verdict import verdict
from vedette.fuse.kernels import comparison
from vedette.fuse.kernels.kalman import F64, STATE
from vedette.fuse.picture import Dossier, Picture
from vedette.fuse.rays import support
from vedette.fuse.settings import FuseSettings
from vedette.fuse.step import Fuser
from vedette.fuse.words import CLASSES
from vedette.model import Track
from vedette.model.detection import ObjectClass

_ROWS, _COLUMNS = np.triu_indices(STATE)
"""The upper triangle, row by row."""


def tracks_of(
    picture: Picture,
    at: float,
    fuser: Fuser,
    vouched: Collection[str] | None = None,
    prior: tuple[float, ...] = evidence.PRIOR,
    now: float = -math.inf,
) -> tuple[list[Track], list[Track]]:
    """All confirmed tracks at ``at``, and apart from them those whose places are not borne out; ``prior`` is
    that of their classes. ``vouched``: the sensors for whose word the operator stands; None where nothing but
    words is known. ``now``: station time.

    A track whose last detection is later than ``at`` is taken back along its way: ``at`` is that of a scan
    that came late, after others. A detection ahead of ``now`` itself (by at most a second, see
    `vedette.fuse.settings.FUTURE_S`) is of a clock that is ahead: the track stands where that left it."""
    existences = fuser.existences(picture, at)
    least = fuser.settings.drop_existence
    likely = picture.confirmed[: picture.count] & ~(existences < least)
    hidden, shown = support.hidden(picture), np.flatnonzero(likely)
    x, p, known = fuser.predicted(picture, at)
    _put_at_height(picture, known, fuser.settings, x, p)
    _take_back(np.minimum(picture.time[: picture.count], now) - at, x, p)
    natures = fuser.natures.priors(picture, prior, shown).tolist()
    states, covariances = x[shown].tolist(), p[shown][:, _ROWS, _COLUMNS].tolist()
    tracks: tuple[list[Track], list[Track]] = [], []
    for i, (slot, existence) in enumerate(zip(shown.tolist(), existences[shown].tolist(), strict=True)):
        dossier, seen = picture.dossiers[slot], picture.sightings[slot]
        e, n, u, ve, vn, vu = states[i]
        beliefs, sober = _believed(dossier, natures[i], fuser.settings, vouched)
        fresh = at - fuser.settings.contributor_life_s
        sees = {name for name, used in seen.sensors if used >= fresh}
        trust, reasons = verdict(picture, slot, at, fuser.settings, vouched or ())
        tracks[bool(hidden[slot])].append(
            Track(
                id=dossier.id,
                enu_m=(e, n, u),
                velocity_mps=(ve, vn, vu),
                covariance=tuple(covariances[i]),
                existence=existence,
                beliefs=beliefs,
                vouched_beliefs=sober,
                identity=dossier.identity,
                trust=trust,
                trust_reasons=reasons,
                updated=float(picture.heard[slot]),
                height_known=known[slot] and evidence.height_stands(seen, at, fuser.settings),
                height_measured=known[slot]
                and not sees.isdisjoint(vouched or ())
                and evidence.height_measured(seen, at, fuser.settings),
                sensors=tuple(name for name, _ in seen.sensors if name in sees) or seen.last,
            )
        )
    return tracks


def _put_at_height(picture: Picture, known: list[bool], settings: FuseSettings, x: F64, p: F64) -> None:
    """States (n, 6) and covariances (n, 6, 6) in place: of what is known by azimuths alone, that height is
    stated which errs least."""
    for slot in picture.by_ear[: picture.count].nonzero()[0].tolist():
        if not known[slot]:
            x[slot, 2] += settings.directions_height_m - settings.prior_height_m
            p[slot, 2, 2] = settings.directions_height_sigma_m**2


def _take_back(later: F64, x: F64, p: F64) -> None:
    """States (n, 6) and covariances (n, 6, 6) in place, so many seconds (n,) earlier, where that is any."""
    for t in np.flatnonzero(later > 0.0).tolist():
        comparison.shift(t, t + 1, x[:, None], p[:, None], -float(later[t]))


def _believed(
    dossier: Dossier, nature: list[float], settings: FuseSettings, vouched: Collection[str] | None
) -> tuple[dict[ObjectClass, float], dict[ObjectClass, float] | None]:
    """Beliefs of the class, and the same without what is harmless in them by doubtful words alone."""
    if not dossier.beliefs:
        return dict(zip(CLASSES, nature, strict=True)), None
    beliefs = evidence.posterior(dossier, settings, nature)
    sober = None if vouched is None else evidence.vouched_posterior(dossier, settings, vouched, nature)
    return beliefs, sober
