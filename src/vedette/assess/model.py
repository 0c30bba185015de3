"""The model of the risk: a versioned file of additive terms, read once, and its arrays for the kernel.

Two heads of the same form: the risk that this track attacks this unit, and the chance that the unit is
watched, which is worth an advisory and no more. How the file is made: docs/threat-model.md.
"""

import functools
import importlib.resources
import itertools
import math
from typing import Any, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from vedette.assess.columns import UNKNOWN_BELIEFS, Floats
from vedette.assess.features import FEATURES, PLACES
from vedette.assess.kernels import pairs
from vedette.assess.kernels.additive import Arrays
from vedette.assess.words import reason_of
from vedette.model.detection import NonNegative
from vedette.model.errors import ConfigError

FORMAT = 1
CLASS_FEATURES = ("log_fpv", "log_multirotor", "log_fixed_wing", "log_bird", "log_aircraft")


class Term(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A function of one or two features. ``knots``: ascending, two or more for each feature; ``nats``: one
    for each knot, or for two features a row for each knot of the first. ``unknown_nats``: where one of them
    is unknown."""

    features: tuple[str, ...]
    knots: tuple[tuple[float, ...], ...]
    nats: tuple[float | tuple[float, ...], ...]
    unknown_nats: float = 0.0


class Head(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One additive model: the log-odds are ``prior_nats`` and the sum of the terms."""

    prior_nats: float
    terms: tuple[Term, ...]


class Bars(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Log-odds of the risk at which each level begins, and of being watched at which an advisory does. A
    level is kept until its log-odds have been ``down_nats`` lower for ``hold_s`` (none: as settings say)."""

    imminent_nats: float
    warning_nats: float
    advisory_nats: float
    watched_nats: float = 30.0
    down_nats: NonNegative = 1.0
    hold_s: NonNegative | None = None


class ModelFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file holds; ``trained`` says on what and by which command. ``calibration`` is in the terms
    already, and stands here for the record."""

    format: int
    version: str
    trained: dict[str, Any]
    prior_nats: float
    terms: tuple[Term, ...]
    levels: Bars
    calibration: dict[str, Any] = {}
    watched: Head | None = None


class Model(NamedTuple):
    """A file, checked, and its arrays. ``used`` [features]: what any term reads; ``neutral`` [5]: the class
    features of a body of which nothing is known; ``reasons`` [terms]: places in `words.NAMES` of each term of
    the risk."""

    file: ModelFile
    risk: Arrays
    watched: Arrays
    used: NDArray[np.bool_]
    neutral: Floats
    reasons: NDArray[np.int64]


_NOBODY = Head(prior_nats=-30.0, terms=())
"""A file without a second head watches nobody: the levels by risk and nearness stand alone."""


def read(text: str | bytes, name: str) -> Model:
    """The model of a file's content. Raises ConfigError that says what is wrong with it."""
    try:
        file = msgspec.json.decode(text, type=ModelFile)
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{name}: {error}") from None
    if file.format != FORMAT:
        raise ConfigError(f"{name}: its format is {file.format}, this version reads {FORMAT}")
    risk = Head(prior_nats=file.prior_nats, terms=file.terms)
    heads = [
        _arrays(head, f"{name}: {what}")
        for head, what in ((risk, "risk"), (file.watched or _NOBODY, "watched"))
    ]
    used = np.zeros(len(FEATURES), np.bool_)
    for head in heads:
        for place in head.feature.ravel().tolist():
            if place >= 0:
                used[place] = True
    _together(used)
    neutral = np.log(np.array(list(UNKNOWN_BELIEFS.values())))
    reasons = np.array([reason_of(term.features) for term in file.terms], np.int64)
    return Model(file, heads[0], heads[1], used, neutral, reasons)


def _together(used: NDArray[np.bool_]) -> None:
    """What the kernel computes at once is asked for at once."""
    used[pairs.WATCH] = used[[pairs.WATCH, pairs.WATCH_OTHER, pairs.WATCH_LEAD]].any()
    used[pairs.REACH15] = used[pairs.REACH15 : pairs.REACH120 + 1].any()


@functools.cache
def shipped() -> Model:
    """The model of this version."""
    path = importlib.resources.files("vedette.assess") / "model.json"
    return read(path.read_bytes(), "vedette/assess/model.json")


def _arrays(head: Head, name: str) -> Arrays:
    feature: list[tuple[int, int]] = []
    place: list[tuple[int, ...]] = []
    knots: list[float] = []
    values: list[float] = []
    for number, term in enumerate(head.terms):
        _check(term, f"{name}, term {number + 1} ({' x '.join(term.features)})")
        spots = [PLACES[one] for one in term.features]
        where: list[int] = []
        for axis in term.knots:
            where += [len(knots), len(axis)]
            knots += axis
        feature.append((spots[0], spots[1] if len(spots) > 1 else -1))
        place.append((*where, *([0, 0] if len(spots) == 1 else []), len(values)))
        values += np.array(term.nats, dtype=np.float64).ravel().tolist()
    chosen = {
        f"{alone}{kind}": _which(head, alone, kind)
        for alone in ("alone_", "")
        for kind in ("plain", "labels")
    }
    most = np.array([max(term.unknown_nats, float(np.max(term.nats))) for term in head.terms], np.float64)
    rest = np.append(np.cumsum(most[chosen["plain"]][::-1])[::-1], 0.0)
    return Arrays(
        feature=np.array(feature, np.int64).reshape(-1, 2),
        place=np.array(place, np.int64).reshape(-1, 5),
        missing=np.array([term.unknown_nats for term in head.terms], np.float64),
        knots=np.array(knots, np.float64),
        values=np.array(values, np.float64),
        prior=head.prior_nats,
        most_plain=rest,
        most_labels=math.fsum(most[chosen["labels"]].tolist()),
        **chosen,
    )


def _which(head: Head, alone: str, kind: str) -> NDArray[np.int64]:
    """The terms of one kind, those first that most often settle that a sum stays small."""

    def belongs(term: Term) -> bool:
        of_track = all(FEATURES[PLACES[one]].of == "track" for one in term.features)
        labelled = any(one in CLASS_FEATURES for one in term.features)
        return of_track == bool(alone) and labelled == (kind == "labels")

    def falls(number: int) -> float:
        term = head.terms[number]
        return float(np.max(term.nats) - np.mean(term.nats))

    which = [number for number, term in enumerate(head.terms) if belongs(term)]
    return np.array(sorted(which, key=falls, reverse=True), np.int64)


def _check(term: Term, name: str) -> None:
    if len(term.features) not in (1, 2) or len(term.knots) != len(term.features):
        raise ConfigError(f"{name}: a term has one feature or two, and knots for each")
    for one in term.features:
        if one not in PLACES:
            raise ConfigError(f"{name}: {one!r} is no feature (vedette.assess.FEATURES)")
    for axis in term.knots:
        if len(axis) < 2 or not _rising(axis):
            raise ConfigError(f"{name}: knots must rise, and be two or more")
    try:
        values = np.array(term.nats, dtype=np.float64)
    except ValueError:
        raise ConfigError(f"{name}: rows of values of unlike length") from None
    if values.shape != tuple(len(axis) for axis in term.knots):
        raise ConfigError(f"{name}: {values.shape} values for knots {tuple(map(len, term.knots))}")
    if not (np.isfinite(values).all() and np.isfinite(term.unknown_nats)):
        raise ConfigError(f"{name}: a value is not finite")


def _rising(values: tuple[float, ...]) -> bool:
    return bool(np.isfinite(values).all()) and all(a < b for a, b in itertools.pairwise(values))
