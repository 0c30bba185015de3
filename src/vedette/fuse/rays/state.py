"""What the picture holds of directions. It is immutable and shared between copies: a look makes it anew."""

from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from vedette.fuse.kernels.kalman import F64, STATE, Mask
from vedette.fuse.sightings import Sightings

I64 = NDArray[np.int64]
Mask2 = NDArray[np.bool_]

MODELS = 1
"""Hypotheses live for seconds, in which one model of motion is enough."""


class Eye(Struct, frozen=True, array_like=True, cache_hash=True):
    """What a sensor can see, as plain numbers: its place and frame in the site's, its limits as in
    `kernels.kalman.in_view`, and how likely it sees what is there, and how often it looks. ``vouched``:
    its silence is evidence (`vedette.fuse.sensing.hearsay`)."""

    origin: tuple[float, ...]
    rotation: tuple[tuple[float, ...], ...]
    limits: tuple[float, ...]
    sees: float
    period_s: float
    vouched: bool = True


class Ear(NamedTuple):
    """A sensor of directions after its last look, at ``time``.

    ``z``, ``var``, ``use`` (k, ROWS): that look's bearings; ``else_`` (k,): density of clutter at each, over
    the probability that it belongs to no body that is known. ``before``, ``after``: bodies a square metre
    that it could hear and has not heard yet, before and after that look. ``chosen``: numbers of the bearings
    that are crossed with those of others. ``table`` (n, COLUMNS): its rays, as
    in `kernels.listening`."""

    eye: Eye
    time: float
    before: float
    after: float
    z: F64
    var: F64
    use: Mask2
    else_: F64
    chosen: I64
    table: F64


class Hypotheses(NamedTuple):
    """Bodies that may be where directions cross, all at one ``time``; arrays as in `picture.Picture`, with
    one model of motion for all. ``founded``: when two sensors heard it first."""

    time: float
    xm: F64
    pm: F64
    mu: F64
    existence: F64
    known: Mask
    founded: F64
    sightings: tuple[Sightings, ...]

    @property
    def number(self) -> int:
        """How many there are."""
        return len(self.existence)


NO_HYPOTHESES = Hypotheses(
    0.0,
    np.zeros((0, MODELS, STATE)),
    np.zeros((0, MODELS, STATE, STATE)),
    np.zeros((0, MODELS)),
    np.zeros(0),
    np.zeros(0, np.bool_),
    np.zeros(0),
    (),
)


class Witness(Struct, frozen=True, array_like=True, gc=False):
    """What a finder, which looked last at ``time``, says of a place (`rays.support`): looks that heard the
    body, and that should have; sums of its innovations over their sigmas, and of squared weights."""

    sensor: str
    time: float
    heard: float = 0.0
    looks: float = 0.0
    pull: float = 0.0
    square: float = 0.0


class Support(Struct, frozen=True, array_like=True):
    """How far finders bear out the place of a track; ``hidden``: it is shown as its directions.
    ``witnesses`` are sorted by sensor."""

    hidden: bool = False
    witnesses: tuple[Witness, ...] = ()


class Rays(NamedTuple):
    """``ears``: sensors of directions, ``eyes``: searching sensors, by id; ``support`` of the tracks known by
    directions alone, by id; never changed in place."""

    ears: dict[str, Ear]
    eyes: dict[str, Eye]
    hypotheses: Hypotheses
    support: dict[str, Support]


NOTHING_HEARD = Rays({}, {}, NO_HYPOTHESES, {})
