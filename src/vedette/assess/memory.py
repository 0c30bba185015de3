"""What is remembered of each (track, unit) pair between two frames."""

import numpy as np
from msgspec import Struct

from vedette.assess.columns import Floats
from vedette.assess.kernels.motion import TRACK_MEMORY
from vedette.assess.kernels.pairs import PAIR_MEMORY
from vedette.assess.kernels.pairs import UNSEEN as NEVER_LOOKED_AT
from vedette.assess.kernels.weighing import NO_RISK, NOT_COMING

UNSEEN = -1.0
NOT_BELOW = -1.0


class SavedMemory(Struct, frozen=True, kw_only=True):
    """The memory as bytes (little-endian float64, row by row): exact, and free of this machine."""

    tracks: tuple[str, ...]
    units: tuple[str, ...]
    level: bytes
    below_since: bytes
    plain: bytes
    plain_since: bytes
    told_until: bytes
    weighed: bytes
    detected: bytes
    last: bytes
    until: bytes
    expected: bytes
    motion: bytes
    pairs: bytes


class PairMemory:
    """Arrays of shape [tracks, units], kept in step with who is there.

    ``level``: the held level's rank, `UNSEEN` for a new pair. ``below_since``: station time since the pair
    is below its held level, or `NOT_BELOW`. ``plain`` and ``plain_since``: the same two as if no aircraft
    had said a word (see `vedette.assess.aircraft`). ``told_until``: a pair that was above INFO is told of
    until then, whatever its risk. ``last``: log-odds of the risk when its track was detected last, `NO_RISK`
    for next to none. ``until`` and ``expected``: see `vedette.assess.coming`. ``weighed`` and ``detected``
    [tracks, 1]: when the track's pairs were weighed last, and when it had been detected by then, `UNSEEN` if
    never or if nobody says. ``motion`` [tracks, ...] and ``pairs`` [tracks, units, ...]: what the kernels
    remember (`kernels.motion`, `kernels.pairs`).
    """

    def __init__(self) -> None:
        self.tracks: tuple[str, ...] = ()
        self.units: tuple[str, ...] = ()
        self.level = self.below_since = self.told_until = np.zeros((0, 0))
        self.plain = self.plain_since = np.zeros((0, 0))
        self.last = self.until = self.expected = np.zeros((0, 0))
        self.weighed = self.detected = np.zeros((0, 1))
        self.motion = np.zeros((0, TRACK_MEMORY))
        self.pairs = np.zeros((0, 0, PAIR_MEMORY))

    def align(self, tracks: tuple[str, ...], units: tuple[str, ...]) -> None:
        """Bring rows and columns into the order of ``tracks`` and ``units``; new pairs start afresh."""
        if (tracks, units) == (self.tracks, self.units):
            return
        rows, old_rows = _places(self.tracks, tracks)
        columns, old_columns = _places(self.units, units)

        def moved(array: Floats, fill: float) -> Floats:
            fresh = np.full((len(tracks), len(units), *array.shape[2:]), fill)
            fresh[np.ix_(rows, columns)] = array[np.ix_(old_rows, old_columns)]
            return fresh

        self.level = moved(self.level, UNSEEN)
        self.below_since = moved(self.below_since, NOT_BELOW)
        self.plain = moved(self.plain, UNSEEN)
        self.plain_since = moved(self.plain_since, NOT_BELOW)
        self.told_until = moved(self.told_until, 0.0)
        self.pairs = moved(self.pairs, NEVER_LOOKED_AT)
        self.last = moved(self.last, NO_RISK)
        self.until = moved(self.until, NOT_COMING)
        self.expected = moved(self.expected, NOT_COMING)

        def kept(array: Floats, fill: float) -> Floats:
            fresh = np.full((len(tracks), array.shape[1]), fill)
            fresh[rows] = array[old_rows]
            return fresh

        self.weighed, self.detected = kept(self.weighed, UNSEEN), kept(self.detected, UNSEEN)
        self.motion = kept(self.motion, 0.0)
        self.tracks, self.units = tracks, units

    def part(self, rows: list[int]) -> "PairMemory":
        """The memory of some tracks, to be changed and `put` back."""
        some = PairMemory()
        some.tracks, some.units = tuple(self.tracks[row] for row in rows), self.units
        some.level = self.level[rows]
        some.below_since, some.told_until = self.below_since[rows], self.told_until[rows]
        some.weighed, some.detected = self.weighed[rows], self.detected[rows]
        some.last = self.last[rows]
        some.until, some.expected = self.until[rows], self.expected[rows]
        some.motion, some.pairs = self.motion[rows], self.pairs[rows]
        some.plain, some.plain_since = self.plain[rows], self.plain_since[rows]
        return some

    def put(self, rows: list[int], some: "PairMemory") -> None:
        """Take back what `part` gave for the same rows."""
        self.level[rows] = some.level
        self.below_since[rows], self.told_until[rows] = some.below_since, some.told_until
        self.weighed[rows], self.detected[rows] = some.weighed, some.detected
        self.last[rows] = some.last
        self.until[rows], self.expected[rows] = some.until, some.expected
        self.motion[rows], self.pairs[rows] = some.motion, some.pairs
        self.plain[rows], self.plain_since[rows] = some.plain, some.plain_since

    def save(self) -> SavedMemory:
        """Everything, exactly."""
        return SavedMemory(
            tracks=self.tracks,
            units=self.units,
            level=_bytes(self.level),
            below_since=_bytes(self.below_since),
            plain=_bytes(self.plain),
            plain_since=_bytes(self.plain_since),
            told_until=_bytes(self.told_until),
            weighed=_bytes(self.weighed),
            detected=_bytes(self.detected),
            last=_bytes(self.last),
            until=_bytes(self.until),
            expected=_bytes(self.expected),
            motion=_bytes(self.motion),
            pairs=_bytes(self.pairs),
        )

    @classmethod
    def load(cls, saved: SavedMemory) -> "PairMemory":
        """The inverse of `save`."""
        memory = cls()
        memory.tracks, memory.units = saved.tracks, saved.units
        shape = (len(saved.tracks), len(saved.units))
        memory.level, memory.below_since, memory.told_until, memory.plain, memory.plain_since = (
            _floats(data).reshape(shape)
            for data in (saved.level, saved.below_since, saved.told_until, saved.plain, saved.plain_since)
        )
        memory.last, memory.until, memory.expected = (
            _floats(data).reshape(shape) for data in (saved.last, saved.until, saved.expected)
        )
        memory.weighed = _floats(saved.weighed).reshape(-1, 1)
        memory.detected = _floats(saved.detected).reshape(memory.weighed.shape)
        memory.motion = _floats(saved.motion).reshape(len(saved.tracks), TRACK_MEMORY)
        memory.pairs = _floats(saved.pairs).reshape(*shape, PAIR_MEMORY)
        if len(memory.weighed) != len(saved.tracks):
            raise ValueError("the memory has a row too many or too few")
        return memory


def _floats(data: bytes) -> Floats:
    return np.frombuffer(data, dtype="<f8").astype(np.float64)


def _bytes(array: Floats) -> bytes:
    return array.astype("<f8").tobytes()


def _places(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[list[int], list[int]]:
    """New places and old places of every name that is in both."""
    known = {name: place for place, name in enumerate(old)}
    both = [(place, known[name]) for place, name in enumerate(new) if name in known]
    return [place for place, _ in both], [place for _, place in both]
