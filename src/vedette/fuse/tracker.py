"""The tracker: detections in, confirmed tracks out, the same for every order of arrival.

Inside are two timelines (`vedette.fuse.timeline`), each with one canonical order of its plots: the *bodies*
that sensors see or that broadcast their place, and the *aircraft* that report themselves by ADS-B. They
are kept apart, so that a body is tracked to the bit as if there were no ADS-B, whatever is sent by it;
`vedette.fuse.sky` finds which of the two are one. What is older than 8 s (`LATE_WINDOW_S`) is counted, not
fused.

Bodies move by several models (`kernels.imm`) and are told apart from each other and from clutter by a
Poisson multi-Bernoulli filter (`kernels.pmb`). Bearings of one sensor found no track but a *wedge*, a
direction without a place; where those of several sensors cross they may found a track (`rays`). Presences
are counted under ``presence-not-fused``, and an empty scan counts only for a sensor that searches a known
region.
"""

import math
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct, structs

from vedette.fuse.frames import tracks_of
from vedette.fuse.identity import evidence
from vedette.fuse.intake import Intake
from vedette.fuse.packing import picture_bytes
from vedette.fuse.plots import Plot, Unusable
from vedette.fuse.rays.wedges import wedges_of
from vedette.fuse.registration.findings import registrations
from vedette.fuse.sensing.ground import Ground
from vedette.fuse.settings import FuseSettings, for_aircraft
from vedette.fuse.sky import Joined, Partner, Sky
from vedette.fuse.step import Fuser
from vedette.fuse.timeline import PackedTimeline, Timeline, window_start
from vedette.model import Detection, Frame, InputError, Registration, SensorProfile, Site, Track

STATE_FORMAT = 7
"""Of the bytes of `Tracker.state`; 1 had one timeline and no aircraft, 2 one model of motion, 3 sightings in
the dossiers."""

AIRCRAFT_LETTER = "A"
"""The ids of what is known by the radio of aviation alone begin so."""

_DEFAULT_SETTINGS = FuseSettings()


class _State(Struct, frozen=True, array_like=True):
    format: int
    at: float
    bodies: PackedTimeline
    aircraft: PackedTimeline
    partners: dict[str, Partner]
    compared: int
    counts: dict[str, int]


class _Head(Struct, frozen=True, array_like=True):
    """What tells the format; format 1 began with a time."""

    format: Any = None


_STATE_ENCODER = msgspec.msgpack.Encoder(order="deterministic")
_STATE_DECODER = msgspec.msgpack.Decoder(_State)
_HEAD_DECODER = msgspec.msgpack.Decoder(_Head)
_DETECTION_DECODER = msgspec.json.Decoder(Detection)


class Tracker:
    """Fuses detections into tracks in the frame of ``site``.

    A pure function of its calls: no clock, no randomness. ``at`` is station time (Unix seconds) and is
    held where it is if a call gives less. Detections up to 1 s ahead of it are taken as they are, later
    ones at ``at``, so no sensor moves the tracker's time. ``sensors`` are the operator's, ``reported``
    those that described themselves; ``ground``: what stands round the site. Raises ConfigError for
    sensors that cannot be placed.
    """

    def __init__(
        self,
        site: Site,
        sensors: tuple[SensorProfile, ...] = (),
        settings: FuseSettings = _DEFAULT_SETTINGS,
        reported: tuple[SensorProfile, ...] = (),
        ground: Ground | None = None,
    ) -> None:
        self._intake = Intake(site, sensors, settings, reported, ground)
        self._at = -math.inf
        count, calm = self._intake.count, for_aircraft(settings)
        self._bodies = Timeline(Fuser(settings), settings, count)
        self._aircraft = Timeline(Fuser(calm), calm, count, letter=AIRCRAFT_LETTER)
        self._sky = Sky(settings)
        self._compared = 0

    @property
    def vouched(self) -> frozenset[str]:
        """The sensors that measure and that the operator configured."""
        return self._intake.vouched

    @property
    def counts(self) -> dict[str, int]:
        """What was refused, and what happened while fusing, by reason; sorted."""
        both = dict(self._intake.counts)
        for timeline in (self._bodies, self._aircraft):
            for what, number in timeline.head.tallies.items():
                both[what] = both.get(what, 0) + number
        return dict(sorted(both.items()))

    @property
    def held(self) -> int:
        """How many tracks there are, tentative ones included."""
        return self._bodies.head.count + self._aircraft.head.count

    def add(self, detections: Iterable[Detection], at: float) -> list[str]:
        """Fuse a batch; returns the sorted ids of confirmed tracks that it changed."""
        self._pass_time(at)
        bodies, aircraft = _parted(self._intake.plots(detections, self._at))
        return sorted(self._bodies.take(bodies) + self._aircraft.take(aircraft))

    def advance(self, at: float) -> None:
        """Let time pass: turn the seconds that are complete, and forget what is beyond the window."""
        self._pass_time(at)

    def frame(self, at: float) -> Frame:
        """The confirmed tracks predicted to ``at``, sorted by id, and apart from them those whose places are
        not borne out (`vedette.fuse.rays.support`). A body that was found to be an aircraft
        is one track: as the sensors measure it, under the aircraft's identity. Beliefs are then the
        sensors' own, without the aircraft's word on its class."""
        bodies, unplaced = tracks_of(
            self._bodies.head, at, self._bodies.fuser, self._intake.vouched, now=self._at
        )
        if self._aircraft.head.count:
            aircraft, _ = tracks_of(
                self._aircraft.head, at, self._aircraft.fuser, prior=evidence.AIRCRAFT_PRIOR, now=self._at
            )
            bodies = _as_one(bodies, {track.id: track for track in aircraft}, self._sky.joined())
        wedges = wedges_of(self._bodies.head, at, self._bodies.fuser.settings)
        shown, other = (tuple(sorted(some, key=lambda track: track.id)) for some in (bodies, unplaced))
        return Frame(time=at, tracks=shown, wedges=wedges, unplaced=other)

    def registrations(self) -> tuple[Registration, ...]:
        """How each sensor that measures seems to be set up, sorted by name; only those that could be compared
        with others."""
        return registrations(self._bodies.head.registers, self._bodies.fuser.settings)

    def settled(self, at: float) -> tuple[float, bytes]:
        """The last whole second that no detection can change any more, and canonical bytes of the
        pictures there: equal for every arrival order of the same detections inside the window, as long
        as none was shed (counts ``over-capacity``)."""
        self._pass_time(at)
        pictures = [picture_bytes(timeline.settled()) for timeline in (self._bodies, self._aircraft)]
        return float(window_start(self._at)), _STATE_ENCODER.encode(pictures)

    def state(self) -> bytes:
        """Everything that `restore` needs to go on bit for bit. It holds no operator's place."""
        return _STATE_ENCODER.encode(
            _State(
                format=STATE_FORMAT,
                at=self._at,
                bodies=self._bodies.pack(),
                aircraft=self._aircraft.pack(),
                partners=self._sky.partners,
                compared=self._compared,
                counts=self._intake.counts,
            )
        )

    @classmethod
    def restore(
        cls,
        site: Site,
        sensors: tuple[SensorProfile, ...],
        settings: FuseSettings,
        state: bytes,
        reported: tuple[SensorProfile, ...] = (),
        ground: Ground | None = None,
    ) -> "Tracker":
        """The tracker that `state` was taken from, bit for bit if sensors, settings and ground are the same.

        The site must be the same, for tracks live in its frame. Raises InputError for bytes that are no
        such state."""
        try:
            held = _HEAD_DECODER.decode(state).format
            if held != STATE_FORMAT:
                raise ValueError(f"its format is {held!r}, this version reads {STATE_FORMAT}")
            packed = _STATE_DECODER.decode(state)
            tracker = cls(site, sensors, settings, reported, ground)
            tracker._resume(packed)
        except (msgspec.MsgspecError, ValueError) as error:
            raise InputError(
                f"this tracker state cannot be restored ({error}): start from an older snapshot, or from "
                "the beginning of the log"
            ) from error
        return tracker

    def _resume(self, packed: _State) -> None:
        self._at = packed.at
        self._intake.counts = dict(packed.counts)
        timelines = (packed.bodies, packed.aircraft)
        # A sensor with a new profile may have said things as a repeater that it now says for itself.
        logs = _parted([plot for packed_ in timelines for plot in self._replot(packed_.log)])
        waiting = _parted([plot for packed_ in timelines for plot in self._replot(packed_.waiting)])
        self._bodies.resume(packed.bodies, packed.at, logs[0], waiting[0], self._intake.known)
        self._aircraft.resume(packed.aircraft, packed.at, logs[1], waiting[1], self._intake.known)
        self._sky.partners, self._compared = dict(packed.partners), packed.compared

    def _replot(self, contents: list[bytes]) -> list[Plot]:
        """The plots again. New settings or sensors may refuse what the old ones took: that is counted."""
        plots = []
        for content in contents:
            try:
                plots.append(self._intake.plot(_DETECTION_DECODER.decode(content), content))
            except Unusable as unusable:
                self._intake.count(str(unusable))
        return plots

    def _pass_time(self, at: float) -> None:
        if not math.isfinite(at):
            raise InputError(f"station time {at} is not a time: give Unix seconds")
        self._at = max(self._at, at)
        bodies, aircraft = self._bodies, self._aircraft
        bodies.pass_time(self._at)
        aircraft.pass_time(self._at)
        second = math.floor(self._at)
        if second > self._compared:
            self._compared = second
            self._sky.compare(second, bodies.head, bodies.fuser, aircraft.head, aircraft.fuser)


def _parted(plots: list[Plot]) -> tuple[list[Plot], list[Plot]]:
    """Plots of bodies, and what aircraft say of themselves; each in the order given."""
    aircraft = [plot for plot in plots if plot.aircraft]
    return ([plot for plot in plots if not plot.aircraft] if aircraft else plots), aircraft


def _as_one(bodies: list[Track], aircraft: dict[str, Track], joined: dict[str, Joined]) -> list[Track]:
    """All tracks, an aircraft and the body that it was found to be as one.

    What happened since they were compared last counts too: a name of its own for the body, or a second
    place for the aircraft, and they are two.
    """
    tracks = []
    for body in bodies:
        join = joined.get(body.id)
        craft = None if join is None else aircraft.get(join.aircraft)
        if join is None or craft is None or body.identity is not None or craft.trust == "contradicted":
            tracks.append(body)
        else:
            del aircraft[join.aircraft]
            tracks.append(_named(body, craft, join.verified))
    return [*tracks, *aircraft.values()]


def _named(body: Track, craft: Track, verified: bool) -> Track:
    trust = "verified" if verified and craft.identity is not None else craft.trust
    sensors = tuple(sorted(dict.fromkeys((*body.sensors, *craft.sensors))))
    return structs.replace(body, identity=craft.identity, trust=body.trust or trust, sensors=sensors)
