"""The Threats of the pairs that are told of, made out of the arrays."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vedette.assess.behaviour import BEHAVIOURS
from vedette.assess.columns import Bools, Floats
from vedette.assess.geometry import NEVER_S, Geometry
from vedette.assess.risk import Risk
from vedette.assess.words import Pair, TrackWords, evidence
from vedette.geo import bearing_deg
from vedette.model.threat import Level, Threat

_LEVELS: tuple[Level, ...] = ("info", "advisory", "warning", "imminent")

_CLOSING_MPS = 1.0
"""Below this a closing speed is noise, and a time to impact would be made up."""

_CERTAIN = 1.0 - 1e-6

_Weighed = tuple[list[float], list[int]]
"""A pair's weights, and the places of them, heaviest first."""


class _Row(NamedTuple):
    """One pair's figures, in the order of `_figures`."""

    risk: float
    level: float
    behaviour: int
    east: float
    north: float
    up: float
    height_known: bool
    slant: float
    closing: float
    miss: float
    p10: float
    p50: float
    earliest: float


def tell(
    told: Bools,
    ids: Sequence[tuple[str, float]],
    units: Sequence[str],
    figures: Sequence[NDArray[Any]],
    terms: Sequence[Floats],
    words: Callable[[int], TrackWords],
    at: float,
) -> tuple[Threat, ...]:
    """One Threat for each True in ``told`` [tracks, units], row by row.

    ``ids``: name and ground speed of each track; ``words`` gives the words for the track in a row.
    ``figures`` and ``terms`` are cut to the told pairs at once: to read arrays one number at a time
    costs more than all the rest.
    """
    rows, columns = (places.tolist() for places in np.nonzero(told))
    known = {row: words(row) for row in sorted(set(rows))}
    cut = zip(*(_cut(array, told) for array in figures), strict=True)
    weights = np.stack([np.broadcast_to(term, told.shape)[told] for term in terms], axis=1)
    order = np.argsort(-np.abs(weights), axis=1, kind="stable")
    return tuple(
        _threat(_Row(*figure), ids[i], units[j], known[i], (nats, places), at)
        for i, j, figure, nats, places in zip(
            rows, columns, cut, weights.tolist(), order.tolist(), strict=True
        )
    )


def _cut(array: NDArray[Any], told: Bools) -> list[Any]:
    values: list[Any] = np.broadcast_to(array, told.shape)[told].tolist()
    return values


def figures_of(
    risk: Risk, level: Floats, behaviour: NDArray[np.int64], g: Geometry
) -> tuple[NDArray[Any], ...]:
    """The arrays that `tell` reads, in the order of `_Row`."""
    where = (g.east, g.north, g.up, g.height_known, g.slant)
    return risk.risk, level, behaviour, *where, g.closing, g.miss, g.p10, g.p50, g.earliest


def terms_of(r: Risk) -> tuple[Floats, ...]:
    """The terms that `tell` reads, in nats, in the order of `words.REASONS`."""
    drone = np.minimum(r.drone, _CERTAIN)
    odds, reach = np.log(drone / (1.0 - drone)), np.log(np.maximum(r.reach, 1.0 - _CERTAIN))
    return r.course, r.speed, r.near, r.loiter, r.dive, r.trust, odds, reach


def _threat(
    row: _Row, track: tuple[str, float], unit: str, words: TrackWords, weighed: _Weighed, at: float
) -> Threat:
    name, speed = track
    comes = row.closing > _CLOSING_MPS and row.p50 < NEVER_S
    return Threat(
        time=at,
        track=name,
        unit=unit,
        risk=min(1.0, row.risk),
        level=_LEVELS[int(row.level)],
        behaviour=BEHAVIOURS[row.behaviour],
        evidence=evidence(Pair(row.slant, row.closing, row.miss, speed), words, *weighed),
        bearing_deg=bearing_deg(row.east, row.north),
        range_m=row.slant,
        closing_mps=row.closing + 0.0,
        time_to_impact_s=(row.p10, row.p50) if comes else None,
        earliest_s=min(row.earliest, row.p10) if comes else row.earliest,
        height_m=row.up if row.height_known else None,
    )
