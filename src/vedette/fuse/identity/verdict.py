"""How far a track's claim is to be believed, and why: what the frames say of it."""

import math
from collections.abc import Collection

from vedette.fuse.identity import claims, evidence
from vedette.fuse.picture import Dossier, Picture
from vedette.fuse.settings import FuseSettings
from vedette.fuse.sightings import NEVER
from vedette.model.track import Trust

Verdict = tuple[Trust | None, tuple[str, ...]]
_NOTHING: Verdict = (None, ())


def verdict(
    picture: Picture, slot: int, at: float, settings: FuseSettings, vouched: Collection[str] = ()
) -> Verdict:
    """The trust of a track at ``at``, None for one that claims nothing, and the reasons for it.

    Each reason is a word that does not change between versions, with a number or a sensor after a colon where
    it has one; ``docs/tracking.md`` lists them. ``vouched``: the operator's own sensors."""
    dossier = picture.dossiers[slot]
    if dossier.identity is None and not dossier.contradicted and not dossier.strangers:
        return ("ghost", ("no-body-in-view",)) if is_ghost(picture, slot, settings) else _NOTHING
    trust, against = evidence.trust_of(dossier, at, settings), _against(picture, slot, at, settings)
    if is_ghost(picture, slot, settings):
        return "ghost", ("no-body-in-view", *against)
    if trust == "contradicted" or any(reason.startswith("two-places") for reason in against):
        return "contradicted", against
    if trust != "verified" or not _tested(picture, slot, settings):
        return trust and "unverified", ()
    fresh = at - settings.agreement_life_s
    witnesses = [n for n, used in picture.sightings[slot].sensors if n in vouched and used >= fresh]
    return "verified", tuple(f"agrees-with:{name}" for name in witnesses)


def is_ghost(picture: Picture, slot: int, settings: FuseSettings) -> bool:
    """True for what reports itself where sensors that search see, again and again, nothing."""
    return bool(picture.bodily[slot] < settings.ghost_below)


def rivals(picture: Picture, slot: int, at: float, settings: FuseSettings) -> list[int]:
    """Slots of other tracks that send under the same identity at the same time, and are no ghosts. Of a body
    that was found not to send it nobody says so."""
    dossier = picture.dossiers[slot]
    if dossier.identity is None or claims.is_unbound(dossier.bond, settings):
        return []
    mine, since = _heard(dossier), at - settings.agreement_life_s
    return [
        other
        for other in picture.owners(dossier.identity)
        if other != slot
        and picture.confirmed[other]
        and not claims.is_unbound(picture.dossiers[other].bond, settings)
        and _heard(picture.dossiers[other]) >= max(since, dossier.founded)
        and mine >= picture.dossiers[other].founded
        and not is_ghost(picture, other, settings)
    ]


def _heard(dossier: Dossier) -> float:
    """When a report came last that was this track's own."""
    return dossier.reported if dossier.borne == NEVER else dossier.borne


def _tested(picture: Picture, slot: int, settings: FuseSettings) -> bool:
    """True if the claim is bound to a body. What says the same by the radio of aviation has none here: see
    `vedette.fuse.sky`."""
    return claims.is_bound(picture.dossiers[slot].bond, settings)


def _against(picture: Picture, slot: int, at: float, settings: FuseSettings) -> tuple[str, ...]:
    """What speaks against the claim."""
    dossier = picture.dossiers[slot]
    reasons = [dossier.doubt] if dossier.contradicted and dossier.doubt else []
    others = rivals(picture, slot, at, settings)
    if others:
        here = picture.x[slot]
        apart = [math.hypot(picture.x[o, 0] - here[0], picture.x[o, 1] - here[1]) for o in others]
        reasons.append(f"two-places:{max(apart):.0f}m")
    if dossier.strangers >= settings.strangers_to_contradict:
        reasons.append(f"many-names:{dossier.strangers}")
    return tuple(reasons)
