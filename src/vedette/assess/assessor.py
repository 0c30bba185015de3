"""The assessor: tracks and units in, threats out. Pure: no clock but the ``at`` it is given."""

import math
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace

import msgspec
import numpy as np
from msgspec import Struct

from vedette.assess.aircraft import least_level, lowered_rank, relief, relieved
from vedette.assess.behaviour import behaviours
from vedette.assess.columns import (
    Bools,
    Floats,
    TrackFacts,
    figures_of_tracks,
    figures_of_units,
    track_facts,
    usable,
)
from vedette.assess.coming import Coming, coming
from vedette.assess.courses import course_of
from vedette.assess.directions import Directions, HeldDirection
from vedette.assess.features import FEATURES, constants
from vedette.assess.kernels import motion, weighing
from vedette.assess.kernels import pairs as kernel
from vedette.assess.kernels.intent import INTENTS, by_class
from vedette.assess.kernels.pairs import INTENT
from vedette.assess.kernels.weighing import NO_RISK, SUMS
from vedette.assess.launch import FirstSeconds, Launches
from vedette.assess.levels import bars_of, held, logit, rank
from vedette.assess.loiter import Path, TrackHistory
from vedette.assess.lost import Lost, Shown, near
from vedette.assess.memory import UNSEEN, PairMemory, SavedMemory
from vedette.assess.model import Model, shipped
from vedette.assess.neighbours import spared
from vedette.assess.pairs import I64, Pairs
from vedette.assess.raids import Approach, Raids
from vedette.assess.rules import Weighed, weigh
from vedette.assess.runs import runs
from vedette.assess.settings import AssessSettings
from vedette.assess.tell import picked, tell
from vedette.assess.units import HeldUnit, UnitBook, UnitState
from vedette.assess.unplaced import told_as_directions
from vedette.assess.words import track_words
from vedette.model.errors import InputError
from vedette.model.launch import LaunchArea
from vedette.model.site import Site
from vedette.model.threat import LEVEL_RANK, Threat
from vedette.model.track import Frame, Track
from vedette.model.unit import UnitReport

STATE_FORMAT = 5
"""Of the bytes of `Assessor.state`; 1 did not hold what the level would be without an aircraft's word, 2 not
what the features remember, 3 not how far a track has gone, 4 not what is awaited."""

_PAIRS_AT_ONCE = 50_000
"""The kernel is given so many pairs at a time, which bounds the memory that it works in."""

Watch = Callable[[float, tuple[str, ...], tuple[str, ...], Floats], None]
"""Called with the time, the tracks, the units and [tracks, units, features] of a full assessment."""


class _Head(Struct, frozen=True):
    format: int = 1


class _Saved(Struct, frozen=True, kw_only=True):
    format: int
    units: dict[str, HeldUnit]
    paths: dict[str, Path]
    memory: SavedMemory
    counts: dict[str, int]
    directions: dict[str, dict[str, HeldDirection]] = {}
    raids: dict[str, dict[str, Approach]] = {}
    launches: dict[str, FirstSeconds] = {}
    lost: dict[str, Shown] = {}


class Assessor:
    """Threat of every track to every unit that has reported a position.

    A unit that was never heard of has no position and is not assessed here; whoever addresses the
    warning includes it by roster, so that an unknown place is never taken for a safe one. ``counts``
    tells what input could not be used, by reason. ``on_stage`` is called with the name of what was just done.
    """

    def __init__(
        self, site: Site, settings: AssessSettings | None = None, model: Model | None = None
    ) -> None:
        self._settings = AssessSettings() if settings is None else settings
        self._model = shipped() if model is None else model
        self._bars = bars_of(self._model.file.levels, self._settings)
        self.counts: Counter[str] = Counter()
        self._book = UnitBook(site, self._settings, self.counts)
        self._history = TrackHistory(self._settings)
        self._memory = PairMemory()
        self._directions = Directions(self._settings)
        self._raids = Raids(self._settings)
        self._launches = Launches(self._settings)
        self._lost = Lost(self._settings)
        self._constants = constants(self._settings)
        self._ground: tuple[tuple[UnitState, ...], Floats] = ((), figures_of_units(()))
        self.watch: Watch | None = None
        self.on_stage: Callable[[str], None] = _ignore

    def unit(self, report: UnitReport, at: float) -> None:
        """Take a unit's report at station time ``at``; an older one than held is counted and ignored."""
        self._book.take(report, at)

    def units(self, at: float) -> tuple[UnitState, ...]:
        """Where every unit is at ``at``, and how old that is."""
        return self._book.at(at)

    def assess(self, frame: Frame, at: float) -> tuple[Threat, ...]:
        """Every (track, unit) pair with risk above ``report_risk``, sorted by (track, unit).

        A pair that was above INFO is told of for ``tell_on_s`` more while its track lives, so that who
        was warned can be told "moved away"; that it is missing then means: not seen any more. Bodies of
        which only the direction is known follow behind the tracks; those whose places are doubtful are
        weighed as tracks and told as directions (`vedette.assess.unplaced`).
        Call it, or `risen`, with ``at`` not decreasing (Unix seconds).
        """
        shown = self._usable(frame)
        missing = self._missing(shown, at)
        tracks, units = _in_order(shown, missing), self._book.at(at)
        self._launches.take(_shown(shown, frame), at)
        placed = self._weigh(tracks, list(range(len(tracks))), units, at, risen_only=False)
        threats = placed + self._directions.assess(frame.wedges, _shown(shown, frame), units, at)
        unplaced = (*frame.unplaced, *self._lost.unplaced(missing))
        self._lost.keep(frame, shown, at, self._awaited(tracks, {track.id for track in shown}, at))
        return told_as_directions(self._raids.told(threats, all_of_them=True), unplaced, units)

    def lost(self, frame: Frame, at: float) -> tuple[Track, ...]:
        """What is not in ``frame`` and is awaited all the same, as it is expected at ``at``."""
        there = (track.id for track in (*frame.tracks, *frame.unplaced))
        return tuple(self._lost.missing(there, at))

    def launch_areas(self, frame: Frame) -> tuple[LaunchArea, ...]:
        """Where the tracks of ``frame`` may have been launched. For the desk only."""
        return self._launches.areas(_shown(self._usable(frame), frame))

    def risen(self, frame: Frame, at: float, only: Collection[str]) -> tuple[Threat, ...]:
        """Of the pairs of the tracks in ``only``, those whose level has risen: for a warning at once.

        Between two full assessments nothing but a rise is news, and a track that was not detected
        again has none. The units' places are up to 0.2 s old.
        """
        shown = self._usable(frame)
        tracks = _in_order(shown, self._missing(shown, at))
        rows = [row for row, track in enumerate(tracks) if track.id in only]
        units = self._book.about(at)
        risen = self._weigh(tracks, rows, units, at, risen_only=True)
        return told_as_directions(self._raids.told(risen, all_of_them=False), frame.unplaced, units)

    def _weigh(
        self,
        tracks: tuple[Track, ...],
        rows: list[int],
        units: tuple[UnitState, ...],
        at: float,
        *,
        risen_only: bool,
    ) -> tuple[Threat, ...]:
        chosen = tuple(tracks[row] for row in rows)
        self._history.take(chosen, at)
        self._memory.align(tuple(t.id for t in tracks), tuple(u.report.unit for u in units))
        if not chosen or not units:
            return ()
        whole = len(rows) == len(tracks)
        memory = self._memory if whole else self._memory.part(rows)
        told = self._told(chosen, units, memory, at, risen_only)
        if not whole:
            self._memory.put(rows, memory)
        return told

    def _usable(self, frame: Frame) -> tuple[Track, ...]:
        tracks = (*frame.tracks, *frame.unplaced)
        good = {track.id: track for track in tracks if usable(track)}
        self.counts["track-not-usable"] += len(tracks) - len(good)
        return tuple(good[name] for name in sorted(good))

    def _missing(self, shown: tuple[Track, ...], at: float) -> list[Track]:
        return self._lost.missing((track.id for track in shown), at)

    def _awaited(self, tracks: tuple[Track, ...], shown: Collection[str], at: float) -> Callable[[str], bool]:
        """Whether somebody is warned of a track that could still be about to arrive, and no other track that
        may be of the same body keeps everybody warned."""
        memory, known = self._memory, {track.id: row for row, track in enumerate(tracks)}
        levels = np.maximum(memory.level, memory.plain)
        waits = (levels >= LEVEL_RANK["warning"]) & (memory.until >= at)
        somebody = np.asarray(waits.any(axis=1)).tolist()

        def awaited(name: str) -> bool:
            row = known.get(name)
            if row is None or not somebody[row]:
                return False
            least, gate = np.where(waits[row], levels[row], 0.0), self._settings.lost_gate_m
            return name in shown or not any(
                (levels[other] >= least).all()
                for other, track in enumerate(tracks)
                if track.id in shown and near(tracks[row], track, gate)
            )

        return awaited

    def _told(
        self,
        tracks: tuple[Track, ...],
        units: tuple[UnitState, ...],
        memory: PairMemory,
        at: float,
        risen_only: bool,
    ) -> tuple[Threat, ...]:
        stays = [(self._history.loiters(t.id, at), self._history.stayed_s(t.id, at)) for t in tracks]
        figures = figures_of_tracks(tracks, stays, at, self._settings)
        ground = self._figures_of(units)
        detected = np.array([[UNSEEN if t.updated is None else t.updated] for t in tracks])
        news = ((detected == UNSEEN) | (detected > memory.detected))[:, 0]
        pairs = self._pairs(figures, ground, news, memory, at, watched=not risen_only)
        memory.weighed[:], memory.detected[:] = at, np.maximum(detected, memory.detected)
        if not len(pairs.row):
            return ()
        loitering = [loiters for loiters, _ in stays]
        facts = track_facts(tracks, loitering, memory.motion, self._settings).of(pairs.row)
        risk, level, before = self._judge(pairs, facts, ground, news[pairs.row], memory, at)
        rises, counts = level > np.maximum(before, 0.0), risk.risk > self._settings.report_risk
        tells = rises if risen_only else counts | (memory.told_until[pairs.row, pairs.column] >= at)
        if not tells.any():
            return ()
        word = relief(pairs, facts, self._settings)
        classes = np.empty((len(tracks), INTENTS))
        for track, weights in zip(figures, classes, strict=True):
            by_class(track, weights)
        does = behaviours(pairs, facts, classes[pairs.row], self._settings)
        fits = set(pairs.row[word.fits].tolist())
        told = picked(pairs, risk, level, does, figures, ground, self._constants, np.flatnonzero(tells))
        return tell(
            told,
            self._model,
            [track.id for track in tracks],
            memory.units,
            lambda row, seen: track_words(tracks[row], stays[row][1], seen, at, fits=row in fits),
            at,
        )

    def _figures_of(self, units: tuple[UnitState, ...]) -> Floats:
        """Those of the last call if the units are the same, as they are for a fifth of a second."""
        if units != self._ground[0]:
            self._ground = (units, figures_of_units(units))
        return self._ground[1]

    def _pairs(
        self, figures: Floats, ground: Floats, news: Bools, memory: PairMemory, at: float, *, watched: bool
    ) -> Pairs:
        """The pairs that may be told of; ``memory`` is brought up to ``at``. ``figures`` of the tracks,
        ``ground`` those of the units; ``news`` [tracks]: which were detected since they were weighed last."""
        everything = watched and self.watch is not None
        asked = self._everything(at) if everything else self._asked(at)
        used = np.ones(len(FEATURES), np.bool_) if everything else self._model.used
        elapsed = np.where(memory.weighed == UNSEEN, -1.0, np.maximum(at - memory.weighed, 0.0))[:, 0]
        step = max(1, _PAIRS_AT_ONCE // len(ground))
        self.on_stage("columns")
        parts = [
            self._part(slice(first, first + step), figures, ground, elapsed, used, news, memory, asked)
            for first in range(0, len(figures), step)
        ]
        self.on_stage("kernel")
        who, sums, kept = (np.concatenate(part) for part in zip(*parts, strict=True))
        if everything and self.watch is not None:
            self.watch(at, memory.tracks, memory.units, kept.reshape(len(figures), len(ground), -1))
        row, column = np.ascontiguousarray(who[:, 0]), np.ascontiguousarray(who[:, 1])
        east = figures[row, motion.E] - ground[column, kernel.UE]
        north = figures[row, motion.N] - ground[column, kernel.UN]
        far = np.maximum(np.sqrt(east * east + north * north), 1.0)
        return Pairs(row, column, kept, sums, memory.pairs[row, column, INTENT:], east / far, north / far)

    def _part(
        self,
        some: slice,
        figures: Floats,
        ground: Floats,
        elapsed: Floats,
        used: Bools,
        news: Bools,
        memory: PairMemory,
        asked: Floats,
    ) -> tuple[I64, Floats, Floats]:
        """The same for some of the tracks: who, sums and features (`kernels.weighing`). What is not filled of
        these arrays takes no memory."""
        tracks = figures[some]
        count = len(tracks) * len(ground)
        who, sums = np.empty((count, 2), np.int64), np.empty((count, SUMS))
        kept = np.empty((count, len(FEATURES)))
        n = weighing.weigh(
            tracks, ground, elapsed[some], self._constants, memory.motion[some], memory.pairs[some],
            self._model.risk, self._model.watched, used, self._model.neutral, asked, news[some],
            memory.level[some], memory.plain[some], memory.told_until[some], memory.last[some],
            memory.until[some], who, sums, kept,
        )  # fmt: skip
        who[:n, 0] += some.start
        return who[:n].copy(), sums[:n].copy(), kept[:n].copy()

    def _asked(self, at: float) -> Floats:
        """From where on a pair is handed on: from where rules might lift it to what is told."""
        s = self._settings
        asked = np.empty(weighing.ASKED)
        bars = self._bars
        least = min(logit(s.report_risk), bars.advisory_nats, bars.warning_nats - s.near_nats)
        asked[weighing.LEAST_LOGIT] = least - max(s.contradicted_nats, 0.0) - max(bars.down_nats, 0.0)
        asked[weighing.WATCHED_LOGIT] = bars.watched_nats - max(bars.down_nats, 0.0)
        near = max(s.advisory_range_m, s.danger_radius_m, s.overhead_m)
        asked[weighing.NEAR_M] = max(near * s.hold_stretch, s.run_sudden_m)
        asked[weighing.AIM] = min(s.run_aim_nats, s.run_rough_aim_nats)
        asked[weighing.FAR_M] = s.far_m
        asked[weighing.NOW] = at
        return asked

    def _everything(self, at: float) -> Floats:
        asked = self._asked(at)
        asked[weighing.NEAR_M] = math.inf
        return asked

    def _judge(
        self,
        pairs: Pairs,
        facts: TrackFacts,
        ground: Floats,
        news: Bools,
        memory: PairMemory,
        at: float,
    ) -> tuple[Weighed, Floats, Floats]:
        """The risk of every pair, its level, and the one that it had before; ``memory`` takes the levels."""
        settings, bars, course = self._settings, self._bars, course_of(pairs, facts, ground)
        hold_s = settings.hold_s if bars.hold_s is None else bars.hold_s
        spot = (pairs.row, pairs.column)
        last = np.where(news, NO_RISK, memory.last[spot])
        run = runs(pairs, facts, course, settings)
        awaits = coming(pairs, run, news, Coming(memory.until[spot], memory.expected[spot]), at, settings)
        memory.until[spot], memory.expected[spot] = awaits.until, awaits.expected
        run = replace(run, warns=run.warns | awaits.due(news, at, settings))
        still, lifts = awaits.still(news, at), spared(pairs, ground, self._model, settings)
        plain = weigh(pairs, facts, run, last, still, lifts, bars, settings)
        memory.last[spot] = np.where(news, plain.modelled, memory.last[spot])
        word = relief(pairs, facts, settings)
        risk = relieved(plain, word, settings)

        def ranks(keep: bool) -> tuple[Floats, Floats]:
            without = rank(pairs, facts, course, plain, bars, settings, keep=keep)
            with_it = rank(pairs, facts, course, risk, bars, settings, keep=keep)
            return without, lowered_rank(word, without, with_it)

        (enter_plain, enter), (stay_plain, stay) = ranks(keep=False), ranks(keep=True)
        before = memory.level[spot]
        unsaid, memory.plain_since[spot] = held(
            memory.plain[spot], memory.plain_since[spot], enter_plain, stay_plain, at, hold_s, still
        )
        since = memory.below_since[spot]
        level, memory.below_since[spot] = held(before, since, enter, stay, at, hold_s, still)
        level = np.maximum(level, least_level(word, unsaid))
        memory.plain[spot], memory.level[spot] = unsaid, level
        until = memory.told_until[spot]
        above = np.maximum(level, unsaid) > 0.0
        memory.told_until[spot] = np.where(above, at + settings.tell_on_s, until)
        return risk, level, before

    def state(self) -> bytes:
        """All that later results depend on, exactly; the same state gives the same bytes."""
        saved = _Saved(
            format=STATE_FORMAT,
            units={name: self._book.held[name] for name in sorted(self._book.held)},
            paths={name: self._history.paths[name] for name in sorted(self._history.paths)},
            memory=self._memory.save(),
            counts={name: self.counts[name] for name in sorted(self.counts)},
            directions=self._directions.held,
            launches={name: self._launches.held[name] for name in sorted(self._launches.held)},
            lost=self._lost.held,
            raids={unit: dict(sorted(self._raids.held[unit].items())) for unit in sorted(self._raids.held)},
        )
        return msgspec.msgpack.encode(saved)

    @classmethod
    def restore(
        cls, site: Site, settings: AssessSettings | None, state: bytes, model: Model | None = None
    ) -> "Assessor":
        """The assessor that made ``state``. Raises InputError on bytes that are no state."""
        try:
            held = msgspec.msgpack.decode(state, type=_Head).format
            if held != STATE_FORMAT:
                raise ValueError(f"its format is {held}, this version reads {STATE_FORMAT}")
            saved = msgspec.msgpack.decode(state, type=_Saved)
            memory = PairMemory.load(saved.memory)
        except (msgspec.MsgspecError, ValueError) as error:
            raise InputError(f"assessor state cannot be read: {error}; replay the log instead") from None
        assessor = cls(site, settings, model)
        assessor._memory = memory
        assessor._book.held.update(saved.units)
        assessor._history.paths.update(saved.paths)
        assessor.counts.update(saved.counts)
        assessor._directions.held.update(saved.directions)
        assessor._raids.held.update(saved.raids)
        assessor._launches.held.update(saved.launches)
        assessor._lost.held.update(saved.lost)
        return assessor


def _shown(tracks: tuple[Track, ...], frame: Frame) -> tuple[Track, ...]:
    """Those of ``tracks`` whose places are shown."""
    unplaced = {track.id for track in frame.unplaced}
    return tuple(track for track in tracks if track.id not in unplaced) if unplaced else tracks


def _in_order(shown: tuple[Track, ...], missing: list[Track]) -> tuple[Track, ...]:
    return tuple(sorted((*shown, *missing), key=lambda track: track.id)) if missing else shown


def _ignore(stage: str) -> None:
    """Nobody asked."""
