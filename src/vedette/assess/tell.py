"""The Threats of the pairs that are told of, made out of the arrays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from vedette.assess.behaviour import BEHAVIOURS
from vedette.assess.columns import Floats
from vedette.assess.features import PLACES
from vedette.assess.kernels import additive, motion
from vedette.assess.kernels import pairs as kernel
from vedette.assess.kernels.additive import Arrays
from vedette.assess.kernels.weighing import NO_RISK, PLAIN
from vedette.assess.model import Model
from vedette.assess.pairs import I64, NEVER_S, Pairs
from vedette.assess.rules import Weighed
from vedette.assess.words import NAMES, Seen, TrackWords, evidence, ordered, still_coming
from vedette.geo import bearing_deg
from vedette.model.threat import Level, Threat

_LEVELS: tuple[Level, ...] = ("info", "advisory", "warning", "imminent")

_CLOSING_MPS = 1.0
"""Below this a closing speed is noise, and a time to impact would be made up."""

_SEEN = [PLACES[name] for name in Seen._fields]
_KIND, _TRUST, _THERE, _KEPT, _FAR, _PLAIN, _TARGET = (
    NAMES.index(name) for name in ("kind", "trust", "there", "kept", "far", "plain", "target")
)


@dataclass(frozen=True, slots=True)
class Told:
    """The pairs that are told of, with all that is known of each, [pairs]. ``east`` and ``north``: from the
    unit to the track, m. ``reach`` [pairs, 4]: chances to be there within 15, 30, 60 and 120 s."""

    pairs: Pairs
    risk: Weighed
    level: Floats
    behaviour: NDArray[np.int64]
    east: Floats
    north: Floats
    reach: Floats


def picked(
    pairs: Pairs,
    risk: Weighed,
    level: Floats,
    behaviour: NDArray[np.int64],
    figures: Floats,
    ground: Floats,
    usual: Floats,
    some: I64,
) -> Told:
    """Those of the pairs that are in ``some``. ``figures`` of all tracks, ``ground`` those of all units,
    ``usual`` the kernel's constants."""
    chosen = Pairs(*(getattr(pairs, one.name)[some] for one in fields(Pairs)))
    track, unit = figures[chosen.row], ground[chosen.column]
    return Told(
        chosen,
        Weighed(*(getattr(risk, one.name)[some] for one in fields(Weighed))),
        level[some],
        behaviour[some],
        track[:, motion.E] - unit[:, kernel.UE],
        track[:, motion.N] - unit[:, kernel.UN],
        kernel.reaches(track, chosen.features, usual),
    )


def tell(
    told: Told,
    model: Model,
    ids: Sequence[str],
    units: Sequence[str],
    words: Callable[[int, Seen], TrackWords],
    at: float,
) -> tuple[Threat, ...]:
    """One Threat for each pair, in their order. ``ids`` and ``units``: the names of all tracks and units;
    ``words`` gives the words for the track in a row, of which any pair is given too."""
    pairs, risk = told.pairs, told.risk
    seen = list(map(Seen._make, zip(*(pairs.features[:, k].tolist() for k in _SEEN), strict=True)))
    rows, columns = pairs.row.tolist(), pairs.column.tolist()
    known: dict[int, TrackWords] = {}
    for row, one in zip(rows, seen, strict=True):
        if row not in known:
            known[row] = words(row, one)
    said = [
        still_coming(known[row]) if awaited else known[row]
        for row, awaited in zip(rows, risk.awaited.tolist(), strict=True)
    ]
    forced = np.zeros((len(rows), len(NAMES)), np.bool_)
    forced[:, _THERE] = [one.coasts for one in said]
    forced[:, _KIND] = [one.aircraft for one in said]
    sure = np.array([one.sure for one in said], np.bool_)
    reasons = ordered(weights_of(pairs, risk, model.risk, model.reasons), risk.nats, sure, forced)
    figures = zip(
        risk.risk.tolist(), told.level.tolist(), told.behaviour.tolist(), told.east.tolist(),
        told.north.tolist(), zip(*(told.reach[:, k].tolist() for k in range(4)), strict=True), strict=True,
    )  # fmt: skip
    out, begin = [], 0
    for n, (figure, end) in enumerate(zip(figures, reasons.ends, strict=True)):
        places, nats = reasons.places[begin:end], reasons.weights[begin:end]
        proof = evidence(seen[n], said[n], places, nats, reasons.rest[n])
        out.append(_threat(figure, seen[n], proof, (ids[rows[n]], units[columns[n]]), at))
        begin = end
    return tuple(out)


def weights_of(pairs: Pairs, risk: Weighed, head: Arrays, reasons: I64) -> Floats:
    """[pairs, reasons] nats of every reason of `words.NAMES`; ``reasons`` [terms]: of which each term is."""
    each = np.zeros((len(reasons), len(pairs.row)))
    additive.each(head, pairs.features, each)
    weights = np.zeros((len(pairs.row), len(NAMES)))
    for number, reason in enumerate(reasons.tolist()):
        weights[:, reason] += each[number]
    far = pairs.sums[:, PLAIN] <= NO_RISK
    weights[far] = 0.0
    weights[far, _FAR] = NO_RISK
    weights[:, _KIND] += risk.labels + risk.word
    weights[:, _TRUST] += risk.trust
    weights[:, _TARGET] += risk.spared
    weights[:, _THERE] += risk.existence
    weights[:, _KEPT] += risk.kept
    weights[:, _PLAIN] += risk.plain
    return weights


def _threat(
    figure: tuple[float, float, int, float, float, tuple[float, float, float, float]],
    seen: Seen,
    reasons: tuple[tuple[str, float], ...],
    names: tuple[str, str],
    at: float,
) -> Threat:
    risk, level, behaviour, east, north, reach = figure
    comes = seen.closing_mps > _CLOSING_MPS and seen.p50_s < NEVER_S
    return Threat(
        time=at,
        track=names[0],
        unit=names[1],
        risk=min(1.0, risk),
        level=_LEVELS[int(level)],
        behaviour=BEHAVIOURS[behaviour],
        evidence=reasons,
        bearing_deg=bearing_deg(east, north),
        range_m=seen.slant_m,
        closing_mps=seen.closing_mps + 0.0,
        time_to_impact_s=(seen.p10_s, seen.p50_s) if comes else None,
        earliest_s=min(seen.earliest_s, seen.p10_s) if comes else seen.earliest_s,
        height_m=None if seen.height_m != seen.height_m else seen.height_m,
        reach=reach,
    )
