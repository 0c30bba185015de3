"""A picture as the tracks that others see: the confirmed ones, predicted to one time."""

from collections.abc import Collection

import numpy as np

from vedette.fuse import evidence
from vedette.fuse.kernels import STATE
from vedette.fuse.picture import Picture
from vedette.fuse.step import Fuser
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
) -> list[Track]:
    """All confirmed tracks at ``at``; ``prior`` is that of their classes. ``vouched``: the sensors for whose
    word the operator stands; None where nothing but words is known.

    A track whose last detection is ahead of ``at`` (by at most a second, see
    `vedette.fuse.settings.FUTURE_S`) stands where that detection left it."""
    x, p, known = fuser.predicted(picture, at)
    states, covariances = x.tolist(), p[:, _ROWS, _COLUMNS].tolist()
    tracks = []
    believed: dict[object, tuple[dict[ObjectClass, float], float]] = {}
    for slot, dossier in enumerate(picture.dossiers):
        existence = fuser.existence(picture, slot, at)
        if not picture.confirmed[slot] or existence < fuser.settings.drop_existence:
            continue
        e, n, u, ve, vn, vu = states[slot]
        if dossier.beliefs not in believed:
            beliefs = evidence.posterior(dossier, fuser.settings, prior)
            doubt = 0.0 if vouched is None else evidence.harmless_by_word(dossier, fuser.settings, vouched)
            believed[dossier.beliefs] = beliefs, doubt
        beliefs, doubt = believed[dossier.beliefs]
        fresh = at - fuser.settings.contributor_life_s
        tracks.append(
            Track(
                id=dossier.id,
                enu_m=(e, n, u),
                velocity_mps=(ve, vn, vu),
                covariance=tuple(covariances[slot]),
                existence=existence,
                beliefs=beliefs,
                harmless_by_word=doubt,
                identity=dossier.identity,
                trust=evidence.trust_of(dossier, at, fuser.settings),
                updated=float(picture.heard[slot]),
                height_known=known[slot] and evidence.height_stands(dossier, at, fuser.settings),
                sensors=tuple(name for name, used in dossier.sensors if used >= fresh),
            )
        )
    return tracks
