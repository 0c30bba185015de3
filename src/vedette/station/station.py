"""The live station: clock, log, core, peers, outbox and health, in one event loop.

The order of every effect: the core decides, the decision goes to the log, the effect waits for the
disk at most 50 ms, and then it goes out, marked unlogged if the disk was slower (law 2: nothing
silences the warning).
"""

import asyncio
import contextlib
import hashlib
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

import msgspec
import structlog

from vedette.geo import LocalFrame
from vedette.model import (
    Alert,
    Detection,
    Event,
    Frame,
    InputError,
    Receipt,
    Roster,
    SensorProfile,
    Site,
    UnitReport,
)
from vedette.model.event import (
    Action,
    AlertChange,
    Body,
    Clear,
    ClockStep,
    Deliver,
    DetectionBatch,
    FeedState,
    FeedStatus,
    OperatorPosition,
    Receipts,
    RecordStatus,
    Shed,
)
from vedette.model.threat import LEVEL_RANK, Level
from vedette.record import LogError
from vedette.station import picture
from vedette.station.askew import AskewSensors
from vedette.station.clock import StationClock
from vedette.station.effects import Effects
from vedette.station.engine import Engine
from vedette.station.faults import tell_fault
from vedette.station.health import FeedHealth, Health
from vedette.station.intake import FeedIntake
from vedette.station.journal import Journal
from vedette.station.outbox import Outbox
from vedette.station.places import SensorPlaces
from vedette.station.ports import Peer
from vedette.station.postman import Postman
from vedette.station.stages import Stages
from vedette.station.strangers import Strangers
from vedette.station.timekeeping import clock_state_beside
from vedette.station.unplaced import UnplacedSensors
from vedette.station.view import ClockView, RecordView, SiteView, View, WordingView
from vedette.station.words import Speech

TICK_SLEEP_S = 0.02
MOST_INTAKES = 500
"""Kept though nothing waits in them."""
SNAPSHOT_S = 60.0
CLEANING_S = 3600.0
PICTURE_S = 0.05
CLOCK_S = 10.0
log = structlog.get_logger("station")


class Station:
    """Implements `vedette.station.ports.Hub` for its peers and `console.Source` for the console."""

    def __init__(
        self, journal: Journal, clock: StationClock, peers: tuple[Peer, ...], speech: Speech | None = None
    ) -> None:
        self.clock = clock
        self.speech = Speech() if speech is None else speech
        self.peers = peers
        self.stages = Stages(clock.now)
        self.site: Site = journal.site
        self.faults: Counter[str] = Counter()
        self._journal = journal
        self._core = journal.core
        self._core.on_stage = self.stages.mark
        self._engine = Engine(
            journal.core, clock.now, journal.submit, self._effect, self._fault, journal.seq, journal.at
        )
        self._frame = LocalFrame(self.site.lat_deg, self.site.lon_deg, self.site.alt_m)
        senses = {feed: getattr(peer, "kinds", ()) for peer in peers for feed in peer.senses}
        self._health = Health(clock.now, self._feed_changed, senses, clock.speed)
        self._intakes: dict[str, FeedIntake] = {}
        self._places = SensorPlaces(
            lambda report: self._enter(report, report.profile.id),
            self._health.gone,
            (profile.id for profile in journal.core.reported),
        )
        self._unplaced = UnplacedSensors(lambda: self._core.sensors, self.trouble)
        self._askew = AskewSensors(lambda: self._core.registrations(), self.trouble)
        self._outbox: Outbox = journal.outbox
        self._postman = Postman(self._outbox, clock, peers, self.stages)
        self._effects = Effects(journal, self._outbox, self._postman, self.stages, self._went_unlogged)
        self._pictured = Frame(time=-1.0, tracks=())
        self._record = RecordStatus(state="good")
        self._unlogged: set[str] = set()
        self._raised: dict[str, float] = {}
        self._worst: dict[str, Level] = {}
        self._shed: Counter[str] = Counter()
        self._last_track: float | None = None
        self._clock_view = ClockView(state="unknown", words="not asked yet")
        self._strangers = Strangers(state.report.unit for state in self._core.units(journal.at))
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def roster(self) -> Roster:
        """Who is protected."""
        return self._core.roster

    async def run(self) -> None:
        """Watch until cancelled; then write what waits and close the log."""
        self._journal.start(self._engine, self._record_changed)
        works = {
            "ticks": self._tick,
            "health": self._look_after,
            "pictures": self._publish,
            "timekeeping": self._keep_time,
            "postman": self._postman.run,
        }
        try:
            async with asyncio.TaskGroup() as group:
                for name, work in works.items():
                    group.create_task(self._keep_going(name, work))
                for peer in self.peers:
                    group.create_task(self._guard(peer))
        finally:
            for intake in self._intakes.values():
                intake.close()
            for task in self._tasks:
                task.cancel()
            self._snapshot()
            await self._journal.close()
            self._effects.leave()

    # What peers say -----------------------------------------------------------------------------

    def detections(self, feed: str, detections: Iterable[Detection]) -> None:
        """Detections of ``feed``; a broadcast operator position is taken out and sealed apart."""
        kept = [self._without_operator(feed, detection) for detection in detections]
        self._health.data(feed, len(kept))
        if feed not in self._intakes:
            self._forget_idle()
            self._intakes[feed] = FeedIntake(
                feed,
                self._batch,
                lambda lost: self._lost(f"detections of {feed.partition('/')[0]}", lost),
                asyncio.get_running_loop(),
            )
        self._intakes[feed].add(kept)
        self._unplaced.look(feed, kept, self.clock.now())
        self._askew.look(feed, kept)

    def sensor(self, feed: str, profile: SensorProfile) -> None:
        """Where a sensor says that it stands; entered at a bounded pace."""
        if not self._places.take(profile, self.clock.now(), feed):
            self._health.quarantine(feed, "sensor-place-not-taken: too many sensors")

    def operator_position(self, position: OperatorPosition) -> None:
        """Where a drone says its operator is; written when it is new or has moved."""
        self._operator(position, position.sensor)

    def _operator(self, position: OperatorPosition, source: str) -> None:
        """``source``: by which feed it came."""
        verdict = self._strangers.operator(position, source, self.clock.now())
        if verdict == "new":
            self._enter(position, source)
        elif verdict == "too-many":
            self._shed["positions of operators"] += 1

    def unit(self, report: UnitReport) -> None:
        """Where a unit says it is."""
        source, at = report.source or "units", self.clock.now()
        self._health.data(source, 1)
        verdict = self._strangers.unit(report, source, self.roster, at)
        if verdict == "new":
            self._enter(report, source)
        elif verdict == "too-many":
            self._health.quarantine(source, "flooded: units that nobody knows")

    def receipt(self, receipt: Receipt) -> None:
        """One fact about one alert revision and one recipient."""
        self._enter(receipt, receipt.channel)
        self._outbox.fold(receipt)

    def confirmed(self, receipts: Sequence[Receipt]) -> None:
        """Facts from many recipients."""
        batch = Receipts(receipts=tuple(receipts))
        self._enter(batch, receipts[0].channel if receipts else "")
        self._outbox.fold(batch)

    def returned(self, channel: str, units: Sequence[str]) -> None:
        """These units are reached by ``channel``, perhaps again."""
        for unit in units:
            self._outbox.again(channel, unit)
        self._postman.wake()

    def alerts_of(self, unit: str) -> tuple[Alert, ...]:
        """A unit's open alerts, and where it has none, the one that ended last."""
        return self._core.alerts_of(unit)

    async def recorded(self, patience_s: float) -> bool:
        """True once all that was entered before is on the disk."""
        return await self._journal.on_disk(self._engine.seq, patience_s)

    def action(self, action: Action) -> None:
        """Something a person did."""
        self._enter(action, action.via)

    def feed(self, feed: str, state: FeedState, reason: str | None = None) -> None:
        """The state of a peer's connection. A channel that came back is told what waits."""
        self._health.report(feed, state, reason)
        self._postman.wake()

    def kind(self, feed: str, kinds: tuple[str, ...], *, senses: bool) -> None:
        """What a part of a feed is."""
        self._health.kind(feed, kinds, senses)

    def heard(
        self, feed: str, sent: float | None = None, *, due_s: float | None = None, count: int = 1
    ) -> None:
        """A sign of life."""
        self._health.heard(feed, sent, due_s, count)

    def trouble(self, feed: str, what: str, words: str | None) -> None:
        """Something is wrong with a feed that gives data."""
        self._health.trouble(feed, what, words)

    def quarantine(self, feed: str, reason: str, data: bytes) -> None:
        """Bad input: reason, length and hash are kept, the bytes are not."""
        self._health.quarantine(feed, reason)
        digest = hashlib.blake2b(data, digest_size=8).hexdigest()
        log.debug("quarantined", feed=feed, reason=reason, length=len(data), hash=digest)

    def counted(self, feed: str, reason: str, count: int) -> None:
        """``count`` pieces of bad input that a decoder has put aside."""
        self._health.quarantine(feed, reason, count)

    def picture(self) -> Frame:
        """The confirmed tracks now; made at most 20 times a second, whoever asks."""
        now = self.clock.now()
        if now - self._pictured.time >= PICTURE_S:
            self._pictured = self._core.frame(now)
        return self._pictured

    def alert(self, alert: str) -> Alert | None:
        """The latest revision of an alert."""
        return self._core.alert(alert)

    def alerts(self) -> tuple[Alert, ...]:
        """Open alerts, and those closed within the last minutes."""
        return self._core.alerts()

    def latency(self, stage: str, seconds: float) -> None:
        """One measurement of a stage by a peer."""
        self.stages.record(stage, seconds)

    # What the console asks ----------------------------------------------------------------------

    def act(self, action: Action) -> None:
        """Something a person did at the desk."""
        self.action(action)

    async def change_words(self, actor: str, via: str) -> WordingView:
        """Read the site's packs of words anew, at once in force; one that is not good leaves what was."""
        changed = await self.speech.read_anew(self._core.configure)
        if changed is not None:
            self._enter(changed, "wording")
        self.action(self.speech.note(actor, via))
        return self.speech.words.view()

    def view(self) -> View:
        """The whole picture at station time now."""
        at = self.clock.now()
        frame = self._core.frame(at)
        alerts = picture.alert_views(self._core, self._unlogged, self._raised, self._worst)
        feeds = self._health.views()
        self._last_track = at if frame.tracks else self._last_track
        seen = len(frame.tracks), picture.at_risk(alerts), self._last_track, len(frame.wedges)
        return View(
            at=at,
            speed=self.clock.speed,
            mode="live" if self.clock.speed == 1.0 and not self._simulated() else "exercise",
            site=SiteView(name=self.site.name, lat_deg=self.site.lat_deg, lon_deg=self.site.lon_deg),
            summary=picture.summary(feeds, *seen),
            tracks=tuple(picture.track_view(track, self._frame, at) for track in frame.tracks),
            units=picture.unit_views(self._core.units(at), self.roster.units),
            alerts=alerts,
            feeds=feeds,
            record=self._record_view(),
            shed=self._losses(),
            clock=self._clock_view,
            last_track_seen=self._last_track,
            rates=self._core.rates(at),
            silences=self._core.silences(),
            out_of_service=self._core.out_of_service(),
            wording=self.speech.words.view(),
            wedges=tuple(picture.wedge_view(wedge, self._frame, at) for wedge in frame.wedges),
        )

    # Inside -------------------------------------------------------------------------------------

    def _forget_idle(self) -> None:
        """Strangers may invent parts of a feed: what nothing waits in is made again when it is needed."""
        if len(self._intakes) >= MOST_INTAKES:
            self._intakes = {feed: intake for feed, intake in self._intakes.items() if not intake.idle}

    def _batch(self, batch: DetectionBatch) -> None:
        received = [d.received for d in batch.detections if d.received is not None]
        self.stages.begin(min(received) if received else None)
        self._enter(batch, batch.feed)
        self.stages.end()

    def _enter(self, body: Body, feed: str) -> None:
        try:
            self._engine.enter(body)
        except InputError as error:
            self.quarantine(feed, "unusable", str(error).encode())
        except LogError:
            # The station is stopping: the log takes nothing any more, and nobody is left to warn.
            log.debug("after the end", feed=feed)

    def _effect(self, event: Event) -> None:
        """An intent was decided: perform it once the disk has it, or after 50 ms."""
        if isinstance(event.body, AlertChange):
            self._note(event.body.alert)
            self._outbox.fold(event.body)
        elif isinstance(event.body, Deliver | Clear):
            self._note(event.body.alert)
            self._spawn(self._effects.perform(event, self.stages.cause))

    def _note(self, alert: Alert) -> None:
        """Remember when an alert was raised and the worst it has been."""
        self._raised.setdefault(alert.alert, alert.time)
        if LEVEL_RANK[alert.level] >= LEVEL_RANK[self._worst.get(alert.alert, "info")]:
            self._worst[alert.alert] = alert.level

    def _went_unlogged(self, alert: str) -> None:
        self._unlogged.add(alert)
        self._record = msgspec.structs.replace(self._record, unlogged=self._record.unlogged + 1)

    async def _tick(self) -> None:
        while True:
            self._engine.tick()
            await asyncio.sleep(TICK_SLEEP_S)

    async def _look_after(self) -> None:
        last = next_cleaning = self.clock.now()
        while True:
            await asyncio.sleep(1.0)
            self._health.check()
            self._places.due(self.clock.now())
            self._askew.due(self.clock.now())
            if self.clock.now() >= next_cleaning:
                next_cleaning = self.clock.now() + CLEANING_S
                self._journal.forget_operators(self.clock.now())
                self._forget_closed()
            step = self.clock.step()
            if step is not None:
                log.warning("the system clock was stepped", step_s=round(step, 3))
                self._enter(ClockStep(step_s=step), "clock")
            if self.clock.now() - last >= SNAPSHOT_S:
                last = self.clock.now()
                self._snapshot()

    async def _keep_time(self) -> None:
        while True:
            self._clock_view = await clock_state_beside()
            await asyncio.sleep(CLOCK_S)

    def _forget_closed(self) -> None:
        """What is remembered of alerts that the core has forgotten goes too."""
        known = {alert.alert for alert in self._core.alerts()}
        self._unlogged &= known
        self._raised = {name: at for name, at in self._raised.items() if name in known}
        self._worst = {name: level for name, level in self._worst.items() if name in known}

    async def _publish(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            frame = self.picture()
            for peer in self.peers:
                with contextlib.suppress(ConnectionError):
                    await peer.publish(frame)

    async def _keep_going(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a part of the station for ever: a fault in it is told, and it is started again."""
        while True:
            try:
                await work()
            except Exception as error:
                self.faults[name] += 1
                tell_fault("a part of the station failed and is started again", name, error)
            await asyncio.sleep(1.0)

    async def _guard(self, peer: Peer) -> None:
        """Run a peer; a fault in it takes down that peer only, says so, and it is started again."""
        while True:
            try:
                await peer.run(self)
                return
            except Exception as error:
                self.faults[peer.name] += 1
                tell_fault("a peer failed", peer.name, error)
                kind = type(error).__name__
                self.feed(peer.name, "down", f"fault in this feed's program ({kind}); starting again in 5 s")
                await asyncio.sleep(5.0)

    def _snapshot(self) -> None:
        self._journal.snapshot(self._engine, self._effects.under_way())

    def _fault(self, event: Event, error: Exception) -> None:
        """The core failed on an event: it is in the log, the station goes on and says so."""
        self.faults["core"] += 1
        tell_fault(f"the core failed on event {event.seq} ({event.kind})", "core", error)

    def _feed_changed(self, health: FeedHealth) -> None:
        status = FeedStatus(feed=health.feed, state=health.state, reason=health.reason)
        log.info("feed", feed=health.feed, state=health.state, reason=health.reason)
        self._enter(status, health.feed)

    def _record_changed(self, status: RecordStatus) -> None:
        unlogged = self._record.unlogged
        self._record = msgspec.structs.replace(status, unlogged=max(unlogged, status.unlogged))
        log.warning("record", state=status.state, reason=status.reason, waiting=status.waiting)
        self._enter(status, "record")

    def _record_view(self) -> RecordView:
        record = self._record
        waiting = self._journal.waiting if record.state == "degraded" else 0
        state = "off" if self._journal.trouble else record.state
        return RecordView(state=state, waiting=waiting, unlogged=record.unlogged, reason=record.reason)

    def _losses(self) -> dict[str, int]:
        """What was shed or failed, by words for the desk."""
        counts = self._core.counts()
        losses = {
            **self._shed,
            "older alert revisions": self._outbox.shed,
            **{f"faults of {part}": count for part, count in self.faults.items()},
            **{words: counts.get(reason, 0) for reason, words in picture.LOSSES.items()},
        }
        return {what: count for what, count in losses.items() if count}

    def _lost(self, what: str, count: int) -> None:
        self._shed[what] += count
        self._enter(Shed(what=what, count=count), what)

    def _without_operator(self, feed: str, detection: Detection) -> Detection:
        claim = detection.claim
        if claim is None or claim.operator_lat_deg is None or claim.operator_lon_deg is None:
            return detection
        position = OperatorPosition(
            time=detection.time,
            sensor=detection.sensor,
            id=claim.id,
            lat_deg=claim.operator_lat_deg,
            lon_deg=claim.operator_lon_deg,
        )
        self._operator(position, feed.partition("/")[0])
        bare = msgspec.structs.replace(claim, operator_lat_deg=None, operator_lon_deg=None)
        return msgspec.structs.replace(detection, claim=bare)

    def _simulated(self) -> bool:
        return any(getattr(peer, "simulated", False) for peer in self.peers)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
