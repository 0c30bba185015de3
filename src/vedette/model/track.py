"""Track: an object the tracker holds, with covariance, existence and what is believed of it."""

from typing import Literal

from msgspec import Struct

from vedette.model.detection import ClaimScheme, ObjectClass, Probability

Trust = Literal["verified", "unverified", "contradicted", "ghost"]

Vector3 = tuple[float, float, float]


class Identity(Struct, frozen=True, gc=False, kw_only=True):
    """A claimed identity bound to a track."""

    scheme: ClaimScheme
    id: str


class Track(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One confirmed track at the frame's time.

    ``enu_m`` and ``velocity_mps``: east, north, up at the site origin. ``covariance``: the upper
    triangle, row by row, of the 6 x 6 covariance of [e, n, u, ve, vn, vu] (21 numbers, m and m/s).
    ``updated`` is the time of the last detection that was used (Unix seconds).
    """

    id: str
    enu_m: Vector3
    velocity_mps: Vector3
    covariance: tuple[float, ...]
    existence: Probability
    beliefs: dict[ObjectClass, Probability]
    identity: Identity | None = None
    trust: Trust | None = None
    trust_reasons: tuple[str, ...] = ()
    """Why, in short stable words: ``position-disagrees:400m``, ``agrees-with:radar-1`` (docs/tracking.md)."""
    updated: float | None = None
    height_known: bool = True
    """False while no sensor has given a height that the site's datum can hold: only a prior stands."""
    height_measured: bool = False
    """True while an independent sensor measures it and one for which the operator vouches sees the body: it
    is no word of the body's own."""
    sensors: tuple[str, ...] = ()
    """Who has seen it of late; where nobody has, who saw it last."""
    vouched_beliefs: dict[ObjectClass, Probability] | None = None
    """What is believed without those words "bird" and "aircraft" that come from sensors for which nobody
    vouches alone; absent where no such sensor says one."""


class Wedge(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A body of which one sensor knows the direction and nobody the distance: never to be shown as a point.

    ``origin_enu_m``: the sensor's place at the site origin. Azimuths are clockwise from north of the site;
    sigmas are standard deviations. ``heard``: time of the last bearing (Unix seconds). ``ranges_m`` and
    ``weights``: distances from the sensor at which it may be, near to far, and how likely each is; a weight
    stands for all distances up to halfway (in the logarithm) to the next one.
    """

    id: str
    sensor: str
    origin_enu_m: Vector3
    azimuth_deg: float
    azimuth_sigma_deg: float
    azimuth_rate_dps: float
    azimuth_rate_sigma_dps: float
    existence: Probability
    heard: float
    ranges_m: tuple[float, ...]
    weights: tuple[Probability, ...]
    elevation_deg: float | None = None
    elevation_sigma_deg: float | None = None


class Frame(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """All confirmed tracks, and all directions without a place, at one time (Unix seconds).

    ``unplaced``: bodies whose places the finders do not bear out. What is shown of them are their directions,
    among ``wedges``; where they may be is for the assessment alone, which must not lose one that comes."""

    time: float
    tracks: tuple[Track, ...]
    wedges: tuple[Wedge, ...] = ()
    unplaced: tuple[Track, ...] = ()
