"""What a detection says beside where: does the body exist, what is it, is its claim to be believed."""

import math
from collections.abc import Collection, Sequence

from msgspec import structs

from vedette.fuse.picture import Dossier
from vedette.fuse.plots import Plot
from vedette.fuse.sensing.sensors import Sensor
from vedette.fuse.settings import FuseSettings
from vedette.fuse.sightings import Sightings
from vedette.fuse.words import CLASSES
from vedette.model.detection import ObjectClass
from vedette.model.track import Trust

PRIOR: tuple[float, ...] = (0.35, 0.15, 0.10, 0.20, 0.05, 0.15)
"""Before any evidence, in the order of `vedette.fuse.words.CLASSES`. A judgement, not a measurement:
what a sensor tuned to small drones reports is a small drone more often than not, a bird one time in five."""

AIRCRAFT_PRIOR: tuple[float, ...] = (0.10, 0.05, 0.15, 0.05, 0.50, 0.15)
"""The same of what speaks by the radio of aviation: as likely as not what it passes for. A judgement too."""

_DRONES: tuple[ObjectClass, ...] = ("multirotor", "fpv", "fixed-wing")
_HARMLESS: tuple[ObjectClass, ...] = ("bird", "aircraft")
_CEILING = 0.9999
_MOST_WORDS = 4
"""Of one track, by sensors for which nobody vouches: whoever invents names of sensors adds no more.
A judgement: tempered words of so many still leave what motion shows."""
_ANYBODY = "*"


def strengthen(existence: float, ratio: float) -> float:
    """Bayes on the odds of existence; held below one, so that no track is ever beyond doubt."""
    odds = ratio * existence / max(1.0 - existence, 1e-12)
    return min(odds / (1.0 + odds), _CEILING)


def report_ratio(plot: Plot, settings: FuseSettings) -> float:
    """Likelihood of a report if the body exists, over that of a false one: reports have no clutter that
    could be counted, so it is a setting. (Looks of sensors are weighed by `kernels.pmb`.)"""
    if plot.claim is not None:
        return settings.report_likelihood_ratio
    return settings.anonymous_likelihood_ratio


def birth_existence(plot: Plot, settings: FuseSettings) -> float:
    """Existence that one report alone gives."""
    return settings.birth_existence_anonymous if plot.claim is None else settings.birth_existence_claimed


def posterior(
    dossier: Dossier, settings: FuseSettings, prior: Sequence[float] = PRIOR
) -> dict[ObjectClass, float]:
    """Class beliefs: ``prior`` (what motion shows, `vedette.fuse.classes`) times the tempered last word of
    each sensor, normalised.

    A sensor counts once however often it repeats itself, so that a broadcast class label repeated four
    times a second does not become a certainty.
    """
    logs = [math.log(p) for p in prior]
    for _, word in dossier.beliefs:
        logs = [a + settings.belief_temper * math.log(b) for a, b in zip(logs, word, strict=True)]
    top = max(logs)
    weights = [math.exp(value - top) for value in logs]
    total = sum(weights)
    return {name: weight / total for name, weight in zip(CLASSES, weights, strict=True)}


def vouched_posterior(
    dossier: Dossier,
    settings: FuseSettings,
    vouched: Collection[str],
    prior: Sequence[float] = PRIOR,
) -> dict[ObjectClass, float] | None:
    """The `posterior` if no sensor for which nobody vouches had called it a bird or an aircraft: whoever can
    send to an open feed can call himself a radar, and a drone a bird. None if no such sensor says a word."""
    if all(name in vouched for name, _ in dossier.beliefs):
        return None
    words = tuple((n, word if n in vouched else _not_harmless(word)) for n, word in dossier.beliefs)
    return posterior(structs.replace(dossier, beliefs=words), settings, prior)


def _not_harmless(word: tuple[float, ...]) -> tuple[float, ...]:
    """The word, which calls the body a bird or an aircraft no sooner than some kind of drone."""
    most = max(value for name, value in zip(CLASSES, word, strict=True) if name in _DRONES)
    return tuple(
        min(value, most) if name in _HARMLESS else value for name, value in zip(CLASSES, word, strict=True)
    )


def trust_of(dossier: Dossier, now: float, settings: FuseSettings) -> Trust | None:
    """How far the track's identity may be believed; None for a track that claims nothing."""
    if dossier.contradicted or dossier.strangers >= settings.strangers_to_contradict:
        return "contradicted"
    if dossier.identity is None:
        return None
    agreeing = now - min(dossier.agreed, dossier.reported) <= settings.agreement_life_s
    enough = min(dossier.agreements, dossier.reports) >= settings.verify_agreements
    return "verified" if agreeing and enough else "unverified"


def height_measured(sightings: Sightings, now: float, settings: FuseSettings) -> bool:
    """True while a height that an independent sensor measured stands, and a broadcast one is not needed."""
    return now - sightings.measured <= settings.agreement_life_s


def height_stands(sightings: Sightings, now: float, settings: FuseSettings) -> bool:
    """Whether a height may be told of. What a body says of its own height counts only as long as nothing
    independent sees it: by a lying height it could step out of the danger radius of what a radar sees."""
    seen = now - sightings.seen <= settings.contributor_life_s
    return not seen or height_measured(sightings, now, settings)


def with_word(
    words: tuple[tuple[str, tuple[float, ...]], ...], sensor: Sensor, word: tuple[float, ...] | None
) -> tuple[tuple[str, tuple[float, ...]], ...]:
    """The words with this sensor's replaced, sorted by sensor. All without a profile are one: whoever invents
    their names would else outvote everybody."""
    if word is None:
        return words
    name = sensor.id if sensor.profiled else _ANYBODY
    others = [w for w in words if w[0] != name]
    if len(others) >= _MOST_WORDS and len(others) == len(words) and not sensor.vouched:
        return words
    return tuple(sorted([*others, (name, word)]))
