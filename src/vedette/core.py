"""The deterministic core: ``step(event) -> intents``, a pure function of the sequence of events.

No clock, no I/O, no unseeded randomness: the live station, the replay of a log, the simulator and
the benchmarks all drive this same class (law 1). Events that the core itself decided (intents read
back from a log) do not move it; ``vedette.report.replay`` holds them against what it computes.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from vedette.assess import Assessor, AssessSettings
from vedette.fuse import AIRCRAFT_LETTER, FuseSettings, Ground, Grounds, Tracker, no_ground
from vedette.model import (
    ConfigError,
    Event,
    Frame,
    InputError,
    Intent,
    Registration,
    Roster,
    SensorProfile,
    Threat,
    Track,
    UnitReport,
)
from vedette.model.alert import Alert, AlertStatus, Receipt
from vedette.model.event import Action, Configure, DetectionBatch, Digest, Receipts, SensorReport, Tick
from vedette.model.launch import LaunchArea
from vedette.model.strict import decode_tree
from vedette.model.threat import Level
from vedette.warn import Bodies, Body, DeskRates, Removal, Silence, Warner, WarnSettings, Witness

SNAPSHOT_FORMAT = 3
ASSESS_PERIOD_S = 1.0
"""All threats are weighed this often: on detections, which is when there is news; and when none come in, on
the tick that is `ASSESS_GRACE_S` later."""
ASSESS_EARLY_S = 0.05
"""A scan a little before its second is not left to the next one."""
ASSESS_GRACE_S = 0.2
MOST_REPORTED_SENSORS = 256
"""Sensors without a line in the configuration whose word on their place is taken."""
_SOURCE = {
    "radar-3d": "radar",
    "radar-2d": "radar",
    "camera": "camera",
    "acoustic-array": "acoustic-array",
    "direction-finder": "direction-finder",
    "report": "broadcast",
}


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What can be set in the core's three rooms; every figure has a documented default."""

    fuse: FuseSettings = FuseSettings()
    assess: AssessSettings = AssessSettings()
    warn: WarnSettings = WarnSettings()


class _State(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot's content."""

    format: int
    configure: Configure
    reported: tuple[SensorProfile, ...]
    roster: Roster
    tracker: bytes
    assessor: bytes
    warner: bytes
    second: float
    assessed_at: float
    counts: dict[str, int] = {}


class Core:
    """Fuses, assesses and warns. ``stages`` is called with a stage's name when that stage is done,
    so that a caller with a clock can time it; the core itself reads none. ``grounds`` finds the ground
    that a configuration names. ``assessor`` judges in place of the usual one until another
    configuration comes. ``digests``: tell those of each second; who keeps no log needs none, and nothing
    else depends on them."""

    def __init__(
        self,
        configure: Configure,
        stages: Callable[[str], None] | None = None,
        grounds: Grounds = no_ground,
        assessor: Assessor | None = None,
        *,
        digests: bool = True,
    ) -> None:
        settings = decode_tree(configure.settings, Settings, "settings")
        self.configure = configure
        self.settings = settings
        self.roster = Roster(version=0)
        self._reported: dict[str, SensorProfile] = {}
        self._grounds = grounds
        ground = self._ground(configure)
        self._tracker = Tracker(configure.site, configure.sensors, settings.fuse, ground=ground)
        self._assessor = Assessor(configure.site, settings.assess) if assessor is None else assessor
        self._warner = Warner(_warn_settings(configure, settings))
        self._threats: tuple[Threat, ...] = ()
        self._own_counts: Counter[str] = Counter()
        self._second = -math.inf
        self._digests_told = digests
        self._assessed_at = -math.inf
        self.on_stage = stages or (lambda name: None)
        self._handlers: dict[type, Callable[[Any, float], list[Intent]]] = {
            DetectionBatch: self._detections,
            Tick: self._tick,
            Configure: self._configure,
            SensorReport: self._sensor,
            UnitReport: self._unit,
            Roster: self._roster,
            Receipt: lambda body, at: self._warner.receipts_of((body,), at),
            Receipts: lambda body, at: self._warner.receipts_of(body.receipts, at),
            Action: lambda body, at: self._warner.action(body, at),
        }

    def step(self, event: Event) -> list[Intent]:
        """Take one event; return what is to be done because of it, in order."""
        handler = self._handlers.get(type(event.body))
        return handler(event.body, event.at) if handler else []

    def frame(self, at: float) -> Frame:
        """Confirmed tracks predicted to ``at`` (Unix seconds, station time)."""
        return self._tracker.frame(at)

    def awaited(self, at: float) -> Frame:
        """The same, and what is shown no more but was last seen coming at somebody who is warned of it."""
        return self._with_lost(self._tracker.frame(at), at)

    @property
    def sensors(self) -> tuple[SensorProfile, ...]:
        """Those of the configuration, then those that reported themselves."""
        return (*self.configure.sensors, *self._reported.values())

    @property
    def reported(self) -> tuple[SensorProfile, ...]:
        """Those that reported themselves."""
        return tuple(self._reported.values())

    @property
    def assessor(self) -> Assessor:
        """Who weighs the threats; a configuration puts another one in its place."""
        return self._assessor

    @property
    def assessed_at(self) -> float:
        """When all threats were weighed last (Unix seconds); `-inf` before."""
        return self._assessed_at

    def threats(self) -> tuple[Threat, ...]:
        """The threats of the last assessment of all tracks, made once a second."""
        return self._threats

    def launch_areas(self, at: float) -> tuple[LaunchArea, ...]:
        """Where the tracks may have been launched: for the desk, with its own permission."""
        return self._assessor.launch_areas(self._tracker.frame(at))

    def units(self, at: float) -> tuple[Any, ...]:
        """The units with their last report and its age at ``at``."""
        return self._assessor.units(at)

    def alerts(self) -> tuple[Alert, ...]:
        """Open alerts, and those closed within the last minutes."""
        return self._warner.alerts()

    def alert(self, alert: str) -> Alert | None:
        """The latest revision of an alert that is open, or closed within the last minutes."""
        return self._warner.alert(alert)

    def alerts_of(self, unit: str) -> tuple[Alert, ...]:
        """The alerts of one unit: those that are open, and where none is, the one that ended last."""
        return self._warner.alerts_of(unit)

    def receipts(self, alert: str) -> tuple[Receipt, ...]:
        """All receipts of one alert."""
        return self._warner.receipts(alert)

    def drones(self, alert: str) -> tuple[tuple[str, Level], ...]:
        """The drones of an alert, the lead first, each with its level."""
        return self._warner.drones(alert)

    def next_step(self, alert: str) -> float | None:
        """When the next step of an alert's escalation is due; None if nobody is asked about it."""
        return self._warner.next_step(alert)

    def rates(self, at: float) -> tuple[DeskRates, ...]:
        """How many alarms each desk has had to take in."""
        return self._warner.rates(at)

    def silences(self) -> tuple[Silence, ...]:
        """What makes no sound by somebody's decision."""
        return self._warner.silences()

    def out_of_service(self) -> tuple[Removal, ...]:
        """Units that are told of IMMINENT danger only, by somebody's decision."""
        return self._warner.out_of_service()

    def registrations(self) -> tuple[Registration, ...]:
        """How the sensors that could be compared with each other seem to be set up."""
        return self._tracker.registrations()

    def counts(self) -> dict[str, int]:
        """What tracker, assessor and warner could not use, by reason."""
        rooms = (self._tracker.counts, self._assessor.counts, self._warner.counts)
        return dict(sum((Counter(counts) for counts in rooms), Counter(self._own_counts)))

    def snapshot(self) -> bytes:
        """The whole state; ``Core.restore`` continues from it to the bit."""
        return msgspec.msgpack.encode(
            _State(
                format=SNAPSHOT_FORMAT,
                configure=self.configure,
                reported=tuple(self._reported.values()),
                roster=self.roster,
                tracker=self._tracker.state(),
                assessor=self._assessor.state(),
                warner=self._warner.state(),
                second=self._second,
                assessed_at=self._assessed_at,
                counts={name: self._own_counts[name] for name in sorted(self._own_counts)},
            )
        )

    @classmethod
    def restore(
        cls,
        state: bytes,
        stages: Callable[[str], None] | None = None,
        grounds: Grounds = no_ground,
    ) -> "Core":
        """A core that continues where ``snapshot`` was taken. Raises InputError if it cannot be read."""
        try:
            held = msgspec.msgpack.decode(state, type=_State)
        except msgspec.DecodeError as error:
            raise InputError(f"snapshot cannot be read: {error}; replay the log from its start") from None
        if held.format != SNAPSHOT_FORMAT:
            raise InputError(f"snapshot has format {held.format}, this version reads {SNAPSHOT_FORMAT}")
        core = cls(held.configure, stages, grounds)
        site = held.configure.site
        core.roster = held.roster
        core._reported = {profile.id: profile for profile in held.reported}
        core._tracker = core._tracker_of(held.configure, core._reported, core.settings.fuse, held.tracker)
        core._assessor = Assessor.restore(site, core.settings.assess, held.assessor)
        core._warner = Warner.restore(_warn_settings(held.configure, core.settings), held.warner)
        core._second, core._assessed_at = held.second, held.assessed_at
        core._own_counts.update(held.counts)
        return core

    def _detections(self, batch: DetectionBatch, at: float) -> list[Intent]:
        changed = self._tracker.add(batch.detections, at)
        self.on_stage("tracked")
        if at - self._assessed_at >= ASSESS_PERIOD_S - ASSESS_EARLY_S:
            intents = self._assess(at)
            self.on_stage("assessed")
            return intents
        return self._warn_of_rises(at, frozenset(changed)) if changed else []

    def _configure(self, configure: Configure, at: float) -> list[Intent]:
        """New configuration: alerts and units are carried over; tracks too, unless the origin moved."""
        settings = decode_tree(configure.settings, Settings, "settings")
        if self._only_warns_otherwise(configure, settings):
            self._warner = Warner.restore(_warn_settings(configure, settings), self._warner.state())
            self.configure, self.settings = configure, settings
            return []
        site, moved = configure.site, configure.site != self.configure.site
        named = {profile.id for profile in configure.sensors}
        # The place of a sensor was judged against the old site: it will say it again.
        kept = {} if moved else self._reported
        reported = {name: profile for name, profile in kept.items() if name not in named}
        if moved:
            ground = self._ground(configure)
            tracker = Tracker(site, configure.sensors, settings.fuse, ground=ground)
            assessor = Assessor(site, settings.assess)
        else:
            tracker = self._tracker_of(configure, reported, settings.fuse, self._tracker.state())
            assessor = Assessor.restore(site, settings.assess, self._assessor.state())
        # All or nothing: a configuration that is refused leaves the old one in force.
        self._warner = Warner.restore(_warn_settings(configure, settings), self._warner.state())
        self._tracker, self._assessor, self._reported = tracker, assessor, reported
        self.configure, self.settings = configure, settings
        return []

    def _only_warns_otherwise(self, configure: Configure, settings: Settings) -> bool:
        """Other words or other times of the warning: what is tracked and weighed need not be built anew."""
        before = replace(self.configure, settings={}), self.settings.fuse, self.settings.assess
        return before == (replace(configure, settings={}), settings.fuse, settings.assess)

    def _ground(self, configure: Configure) -> Ground | None:
        """The ground that a configuration names. Raises InputError if it is not to be found."""
        if configure.terrain is None:
            return None
        ground = self._grounds(configure.terrain)
        if ground.digest != configure.terrain:
            raise InputError(f"the ground {configure.terrain} was asked for, and {ground.digest} found")
        return ground

    def _tracker_of(
        self, configure: Configure, reported: dict[str, SensorProfile], settings: FuseSettings, state: bytes
    ) -> Tracker:
        """The tracker of ``state`` with these sensors. Raises ConfigError if one cannot be placed."""
        own = tuple(reported.values())
        ground = self._ground(configure)
        return Tracker.restore(configure.site, configure.sensors, settings, state, own, ground)

    def _sensor(self, report: SensorReport, at: float) -> list[Intent]:
        """A sensor says where it stands: the tracker's window is run again with the new place."""
        profile = report.profile
        kept = {name: known for name, known in self._reported.items() if name != report.instead_of}
        refused = self._sensor_refused(profile, kept)
        if refused is None and not self._know({**kept, profile.id: profile}):
            refused = "sensor-cannot-be-placed"
        if refused is not None:
            self._own_counts[refused] += 1
            self._know(kept)
        return []

    def _sensor_refused(self, profile: SensorProfile, kept: dict[str, SensorProfile]) -> str | None:
        if any(profile.id == configured.id for configured in self.configure.sensors):
            return "sensor-place-is-configured"
        if profile.id not in kept and len(kept) >= MOST_REPORTED_SENSORS:
            return "too-many-sensors"
        return None

    def _know(self, reported: dict[str, SensorProfile]) -> bool:
        """These sensors from now on; False, and nothing has changed, if one of them cannot be placed."""
        if reported == self._reported:
            return True
        try:
            state = self._tracker.state()
            self._tracker = self._tracker_of(self.configure, reported, self.settings.fuse, state)
        except ConfigError:
            return False
        self._reported = reported
        return True

    def _unit(self, report: UnitReport, at: float) -> list[Intent]:
        self._assessor.unit(report, at)
        return []

    def _roster(self, roster: Roster, at: float) -> list[Intent]:
        self.roster = roster
        self._warner.roster(roster)
        return []

    def _tick(self, tick: Tick, at: float) -> list[Intent]:
        self._tracker.advance(at)
        due = at - self._assessed_at >= ASSESS_PERIOD_S + ASSESS_GRACE_S
        intents = self._assess(at) if due else []
        intents += self._warner.tick(at)
        second = math.floor(at)
        if second > self._second:
            self._second = float(second)
            intents += self._digest(at) if self._digests_told else []
        return intents

    def _assess(self, at: float) -> list[Intent]:
        """Weigh and tell all threats."""
        frame = self._tracker.frame(at)
        self._threats, self._assessed_at = self._assessor.assess(frame, at), at
        bodies = self._bodies(self._with_lost(frame, at), self._threats)
        ages = {state.report.unit: state.age_s for state in self.units(at)} if self._is_grave() else None
        return self._warner.threats(self._threats, at, bodies, ages=ages)

    def _is_grave(self) -> bool:
        """Somebody on the roster may have to be told whose place nobody knows."""
        return bool(self.roster.units) and any(
            threat.level in ("warning", "imminent") for threat in self._threats
        )

    def _warn_of_rises(self, at: float, changed: frozenset[str]) -> list[Intent]:
        """Weigh the tracks that were just detected, and warn at once of threats that have risen; all
        else waits for its second."""
        frame = self._tracker.frame(at)
        risen = self._assessor.risen(frame, at, changed)
        self.on_stage("assessed")
        if not risen:
            return []
        bodies = self._bodies(self._with_lost(frame, at), risen)
        return self._warner.threats(risen, at, bodies, risen_only=True)

    def _with_lost(self, frame: Frame, at: float) -> Frame:
        """The frame, and the tracks that are not in it and of which people are warned all the same."""
        lost = self._assessor.lost(frame, at)
        return replace(frame, tracks=(*frame.tracks, *lost)) if lost else frame

    def _bodies(self, frame: Frame, threats: tuple[Threat, ...]) -> Bodies:
        """Of each body that threatens somebody: when it was last detected, how it is known, what it may be,
        and whether it is actual."""
        vouched, wanted = self._tracker.vouched, {threat.track for threat in threats}
        kinds: dict[str, str] = {profile.id: profile.type for profile in self.sensors}
        known = {
            track.id: Body(
                seen=track.updated,
                witness=_witness_of(track, vouched),
                kind=max(track.beliefs, key=track.beliefs.__getitem__, default="unknown"),
                status=self._status(track.sensors),
                existence=track.existence,
                doubted=track.trust in ("contradicted", "ghost"),
                sources=_sources_of(track.sensors, kinds, track.id),
                height_known=track.height_known,
            )
            for track in (*frame.tracks, *frame.unplaced)
            if track.id in wanted
        }
        for wedge in frame.wedges:
            known[wedge.id] = Body(
                seen=wedge.heard,
                witness="sensor" if wedge.sensor in vouched else "broadcast",
                status=self._status((wedge.sensor,)),
                existence=wedge.existence,
                sources=_sources_of((wedge.sensor,), kinds, wedge.id),
                height_known=False,
            )
        return known

    def _status(self, sensors: tuple[str, ...]) -> AlertStatus:
        """What a single sensor that is neither exercised nor tested has seen is actual, and so is what no
        sensor is named for."""
        exercise, test = self.configure.exercise, self.configure.test
        if not exercise and not test:
            return "actual"
        if "*" in exercise or (sensors and all(sensor in exercise for sensor in sensors)):
            return "exercise"
        tried = "*" in test or (sensors and all(sensor in (*exercise, *test) for sensor in sensors))
        return "test" if tried else "actual"

    def _digest(self, at: float) -> list[Intent]:
        """Both digests of DESIGN section 5, of the state as it is and of the state 8 s back.

        A state that cannot be written has no digest, which is counted; it must not cost a warning.
        """
        try:
            return [self._digests(at)]
        except (OverflowError, ValueError, TypeError) as error:
            self._own_counts[f"no-digest:{type(error).__name__}"] += 1
            return []

    def _digests(self, at: float) -> Digest:
        live = hashlib.blake2b(digest_size=16)
        for part in (self._tracker.state(), self._assessor.state(), self._warner.state()):
            live.update(len(part).to_bytes(8, "big"))
            live.update(part)
        settled_time, settled = self._tracker.settled(at)
        return Digest(
            time=self._second,
            live=live.hexdigest(),
            settled=hashlib.blake2b(settled, digest_size=16).hexdigest(),
            settled_time=settled_time,
        )


def _warn_settings(configure: Configure, settings: Settings) -> WarnSettings:
    """Who speaks in the long texts is the site, if nobody else is named."""
    source = settings.warn.source or configure.site.name
    return replace(settings.warn, source=source)


def _sources_of(sensors: tuple[str, ...], kinds: dict[str, str], track: str) -> tuple[str, ...]:
    """The kinds of these sensors, as the words of a text know them."""
    if track.startswith(AIRCRAFT_LETTER):
        return ("aviation",)
    return tuple(dict.fromkeys(_SOURCE.get(kinds.get(name, "report"), "other") for name in sensors))


def _witness_of(track: Track, vouched: frozenset[str]) -> Witness:
    if not vouched.isdisjoint(track.sensors):
        return "sensor"
    return "aviation" if track.id.startswith(AIRCRAFT_LETTER) else "broadcast"
