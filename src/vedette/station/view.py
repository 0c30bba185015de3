"""The picture of the station that the console and peers show: plain structs, made from the core's state.

Everything carries its age, and what is not known is absent (law 5). Nothing here ever says "clear".
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from vedette.model import Alert, Level, Receipt, Threat
from vedette.model.detection import ObjectClass
from vedette.model.event import FeedState
from vedette.model.track import Identity, Trust
from vedette.model.unit import Mobility
from vedette.warn import DeskRates, Removal, Silence


class Ellipse(Struct, frozen=True, kw_only=True):
    """One-sigma horizontal uncertainty; ``azimuth_deg`` is of the major axis, clockwise from north."""

    semi_major_m: float
    semi_minor_m: float
    azimuth_deg: float


class TrackView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A confirmed track for a map. ``alt_m`` is in the site's datum, ``height_m`` above the site."""

    id: str
    lat_deg: float
    lon_deg: float
    course_deg: float
    speed_mps: float
    climb_mps: float
    ellipse: Ellipse
    age_s: float
    existence: float
    sidc: str
    beliefs: dict[ObjectClass, float]
    alt_m: float | None = None
    height_m: float | None = None
    identity: Identity | None = None
    trust: Trust | None = None
    trust_reasons: tuple[str, ...] = ()
    """Why it is trusted so far, in short stable words (docs/tracking.md)."""
    sensors: tuple[str, ...] = ()


class WedgeView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A direction in which ``sensor``, at this place, hears a body whose distance nobody knows: no point.

    Azimuths are clockwise from north, sigmas one standard deviation; ``ranges_m`` (from the sensor) and
    ``weights``: how likely each distance is, near to far.
    """

    id: str
    sensor: str
    lat_deg: float
    lon_deg: float
    azimuth_deg: float
    azimuth_sigma_deg: float
    azimuth_rate_dps: float
    existence: float
    age_s: float
    ranges_m: tuple[float, ...]
    weights: tuple[float, ...]
    elevation_deg: float | None = None
    elevation_sigma_deg: float | None = None


class UnitView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A protected unit; ``age_s`` since its last report. ``lat_deg`` absent = on the roster, never heard."""

    unit: str
    mobility: Mobility
    sidc: str
    callsign: str | None = None
    lat_deg: float | None = None
    lon_deg: float | None = None
    sigma_m: float | None = None
    age_s: float | None = None


class AlertView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An alert with what is known of its delivery, recipient by recipient.

    ``now`` is the threat as it stands, fresh each second: the alert's own figures are those of its last
    message. ``worst`` is the gravest level it has had.
    """

    alert: Alert
    raised: float
    worst: Level
    drones: tuple[tuple[str, Level], ...] = ()
    """Its drones now, the lead first, each with its level; the alert's own are those of its last message."""
    next_step: float | None = None
    """When the next step of its escalation is due (Unix seconds); absent = nobody is asked about it."""
    now: Threat | None = None
    receipts: tuple[Receipt, ...] = ()
    unlogged: bool = False


class FeedView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A feed's health; ``last_data`` and ``since`` are station times (Unix seconds)."""

    feed: str
    state: FeedState
    since: float
    detections: int
    quarantined: dict[str, int]
    senses: bool = False
    """True if the feed brings detections: only such a feed watches anything."""
    kinds: tuple[str, ...] = ()
    """Of what kind its sensors are (``remote-id``, ``adsb``, ``radar-3d`` ...); absent = not known."""
    last_data: float | None = None
    """The last detection or report."""
    last_heard: float | None = None
    """The last sign of life, a detection or not."""
    heard_per_s: float = 0.0
    """Intact messages a second, over the last ten."""
    behind_s: float | None = None
    """How far its times are behind the station's; negative = ahead. Absent = it states none."""
    troubles: tuple[str, ...] = ()
    """What is wrong with it though it gives data, in words."""
    reason: str | None = None


AIRCRAFT_ONLY = ("adsb",)
"""The kinds of a feed that hears manned aircraft and no drone."""


def drone_sensors(feeds: Sequence[FeedView]) -> list[FeedView]:
    """The feeds that may see a drone. Parts are counted in the place of their feed, unless it has ended:
    then they are one recording. A feed of manned aircraft watches no drones."""
    main = {feed.feed: feed for feed in feeds if "/" not in feed.feed}
    ended = {name for name, feed in main.items() if feed.state == "ended"}
    groups = {feed.feed.partition("/")[0] for feed in feeds if "/" in feed.feed} - ended
    return [
        feed
        for feed in feeds
        if feed.senses
        and feed.kinds != AIRCRAFT_ONLY
        and feed.feed not in groups
        and (feed.feed in main or feed.feed.partition("/")[0] not in ended)
    ]


class ClockView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The station's own clock: what disciplines it and how far off it may be."""

    state: Literal["synchronised", "unsynchronised", "unknown"]
    words: str
    source: str | None = None
    error_s: float | None = None


class RecordView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether the record is complete; ``waiting`` events are held in memory."""

    state: Literal["good", "degraded", "off"]
    waiting: int = 0
    unlogged: int = 0
    reason: str | None = None


class SiteView(Struct, frozen=True, kw_only=True):
    """The origin of the picture."""

    name: str
    lat_deg: float
    lon_deg: float


class PackView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One language's words in force. ``own``: the site's. ``by`` whom and ``on`` which day they were
    reviewed, as the pack says."""

    language: str
    version: int
    own: bool
    reviewed: bool
    by: str | None = None
    on: str | None = None


class WordingView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The words in force, and why a pack of the site's own is not."""

    packs: tuple[PackView, ...] = ()
    troubles: tuple[str, ...] = ()


class View(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything the console shows at station time ``at``. ``summary`` is one sentence of state."""

    at: float
    speed: float
    mode: Literal["live", "exercise"]
    site: SiteView
    summary: str
    tracks: tuple[TrackView, ...]
    units: tuple[UnitView, ...]
    alerts: tuple[AlertView, ...]
    """Open alerts first, worst and soonest first, then the last ten closed ones."""
    feeds: tuple[FeedView, ...]
    record: RecordView
    shed: dict[str, int]
    clock: ClockView = ClockView(state="unknown", words="not asked yet")
    last_track_seen: float | None = None
    wedges: tuple[WedgeView, ...] = ()
    """Directions without a place: something is there, and no alert can say for whom."""
    rates: tuple[DeskRates, ...] = ()
    silences: tuple[Silence, ...] = ()
    out_of_service: tuple[Removal, ...] = ()
    wording: WordingView = WordingView()
