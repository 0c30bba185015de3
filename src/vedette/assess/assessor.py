"""The assessor: tracks and units in, threats out. Pure: no clock but the ``at`` it is given."""

import math
from collections import Counter
from collections.abc import Collection

import msgspec
import numpy as np
from msgspec import Struct

from vedette.assess.aircraft import Relief, least_level, lowered_rank, relief, relieved
from vedette.assess.behaviour import behaviours
from vedette.assess.columns import Floats, track_columns, unit_columns, usable
from vedette.assess.directions import Directions, HeldDirection
from vedette.assess.geometry import Geometry, relate
from vedette.assess.launch import FirstSeconds, Launches
from vedette.assess.levels import hold, hold_plain, rank
from vedette.assess.loiter import Path, TrackHistory
from vedette.assess.memory import PairMemory, SavedMemory
from vedette.assess.raids import Approach, Raids
from vedette.assess.risk import Risk, course_evidence, remember_course, weigh
from vedette.assess.settings import AssessSettings
from vedette.assess.tell import figures_of, tell, terms_of
from vedette.assess.units import HeldUnit, UnitBook, UnitState
from vedette.assess.words import track_words
from vedette.model.errors import InputError
from vedette.model.launch import LaunchArea
from vedette.model.site import Site
from vedette.model.threat import Threat
from vedette.model.track import Frame, Track
from vedette.model.unit import UnitReport

STATE_FORMAT = 2
"""Of the bytes of `Assessor.state`; 1 did not hold what the level would be without an aircraft's word."""


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


class Assessor:
    """Threat of every track to every unit that has reported a position.

    A unit that was never heard of has no position and is not assessed here; whoever addresses the
    warning includes it by roster, so that an unknown place is never taken for a safe one. ``counts``
    tells what input could not be used, by reason.
    """

    def __init__(self, site: Site, settings: AssessSettings | None = None) -> None:
        self._settings = AssessSettings() if settings is None else settings
        self.counts: Counter[str] = Counter()
        self._book = UnitBook(site, self._settings, self.counts)
        self._history = TrackHistory(self._settings)
        self._memory = PairMemory()
        self._directions = Directions(self._settings)
        self._raids = Raids(self._settings)
        self._launches = Launches(self._settings)

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
        which only the direction is known follow behind the tracks.
        Call it, or `risen`, with ``at`` not decreasing (Unix seconds).
        """
        tracks = self._usable(frame)
        units = self._book.at(at)
        self._launches.take(tracks, at)
        placed = self._weigh(tracks, list(range(len(tracks))), units, at, risen_only=False)
        threats = placed + self._directions.assess(frame.wedges, units, at)
        return self._raids.told(threats, all_of_them=True)

    def launch_areas(self, frame: Frame) -> tuple[LaunchArea, ...]:
        """Where the tracks of ``frame`` may have been launched. For the desk only."""
        return self._launches.areas(self._usable(frame))

    def risen(self, frame: Frame, at: float, only: Collection[str]) -> tuple[Threat, ...]:
        """Of the pairs of the tracks in ``only``, those whose level has risen: for a warning at once.

        Between two full assessments nothing but a rise is news, and a track that was not detected
        again has none. The units' places are up to 0.2 s old.
        """
        tracks = self._usable(frame)
        rows = [row for row, track in enumerate(tracks) if track.id in only]
        risen = self._weigh(tracks, rows, self._book.about(at), at, risen_only=True)
        return self._raids.told(risen, all_of_them=False)

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
        memory = self._memory.part(rows)
        told = self._pairs(chosen, units, memory, at, risen_only)
        self._memory.put(rows, memory)
        return told

    def _usable(self, frame: Frame) -> tuple[Track, ...]:
        good = {track.id: track for track in frame.tracks if usable(track)}
        self.counts["track-not-usable"] += len(frame.tracks) - len(good)
        return tuple(good[name] for name in sorted(good))

    def _pairs(
        self,
        tracks: tuple[Track, ...],
        units: tuple[UnitState, ...],
        memory: PairMemory,
        at: float,
        risen_only: bool,
    ) -> tuple[Threat, ...]:
        settings = self._settings
        columns = track_columns(tracks, settings)
        geometry = relate(columns, unit_columns(units), math.radians(settings.course_wobble_deg))
        remember_course(memory, course_evidence(geometry, settings), at, settings)
        loiters = np.array([[float(self._history.loiters(t.id, at))] for t in tracks])
        plain = weigh(columns, geometry, memory, loiters, settings)
        before = np.maximum(memory.level, 0.0)
        word = relief(columns, geometry, settings)
        risk = relieved(columns, plain, word, settings)
        level = self._levels(geometry, plain, risk, word, loiters, memory, at)
        memory.weighed = np.full((len(tracks), 1), at)
        memory.told_until = np.where(level > 0.0, at + settings.tell_on_s, memory.told_until)
        reported = (risk.risk > settings.report_risk) | (memory.told_until >= at)
        return tell(
            level > before if risen_only else reported,
            [(t.id, math.hypot(t.velocity_mps[0], t.velocity_mps[1])) for t in tracks],
            memory.units,
            figures_of(risk, level, behaviours(geometry, loiters, settings), geometry),
            terms_of(risk),
            lambda row: track_words(
                tracks[row], self._history.stayed_s(tracks[row].id, at), at, fits=bool(word.fits[row].any())
            ),
            at,
        )

    def _levels(
        self,
        geometry: Geometry,
        plain: Risk,
        risk: Risk,
        word: Relief,
        loiters: Floats,
        memory: PairMemory,
        at: float,
    ) -> Floats:
        """The held level of every pair: ``risk`` is with the word of aircraft in it, ``plain`` without."""
        settings = self._settings

        def ranks(keep: bool) -> tuple[Floats, Floats]:
            without = rank(geometry, plain, loiters, settings, keep=keep)
            return without, lowered_rank(word, without, rank(geometry, risk, loiters, settings, keep=keep))

        (enter_plain, enter), (stay_plain, stay) = ranks(keep=False), ranks(keep=True)
        unsaid = hold_plain(memory, enter_plain, stay_plain, at, settings.hold_s)
        memory.level = np.maximum(hold(memory, enter, stay, at, settings.hold_s), least_level(word, unsaid))
        return memory.level

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
            raids={unit: dict(sorted(self._raids.held[unit].items())) for unit in sorted(self._raids.held)},
        )
        return msgspec.msgpack.encode(saved)

    @classmethod
    def restore(cls, site: Site, settings: AssessSettings | None, state: bytes) -> "Assessor":
        """The assessor that made ``state``. Raises InputError on bytes that are no state."""
        try:
            held = msgspec.msgpack.decode(state, type=_Head).format
            if held != STATE_FORMAT:
                raise ValueError(f"its format is {held}, this version reads {STATE_FORMAT}")
            saved = msgspec.msgpack.decode(state, type=_Saved)
            memory = PairMemory.load(saved.memory)
        except (msgspec.MsgspecError, ValueError) as error:
            raise InputError(f"assessor state cannot be read: {error}; replay the log instead") from None
        assessor = cls(site, settings)
        assessor._memory = memory
        assessor._book.held.update(saved.units)
        assessor._history.paths.update(saved.paths)
        assessor.counts.update(saved.counts)
        assessor._directions.held.update(saved.directions)
        assessor._raids.held.update(saved.raids)
        assessor._launches.held.update(saved.launches)
        return assessor
