"""What is remembered of each (track, unit) pair between two frames."""

import numpy as np
from msgspec import Struct

from vedette.assess.columns import Floats

UNSEEN = -1.0
NOT_BELOW = -1.0


class SavedMemory(Struct, frozen=True, kw_only=True):
    """The memory as bytes (little-endian float64, row by row): exact, and free of this machine."""

    tracks: tuple[str, ...]
    units: tuple[str, ...]
    course: bytes
    level: bytes
    below_since: bytes
    plain: bytes
    plain_since: bytes
    told_until: bytes
    weighed: bytes


class PairMemory:
    """Arrays of shape [tracks, units], kept in step with who is there.

    ``course``: smoothed course evidence in nats. ``level``: the held level's rank, `UNSEEN` for a
    new pair. ``below_since``: station time since the pair is below its held level, or `NOT_BELOW`.
    ``plain`` and ``plain_since``: the same two as if no aircraft had said a word (see
    `vedette.assess.aircraft`). ``told_until``: a pair that was above INFO is told of until then, whatever
    its risk. ``weighed`` [tracks, 1]: when the track's pairs were weighed last, `UNSEEN` if never.
    """

    def __init__(self) -> None:
        self.tracks: tuple[str, ...] = ()
        self.units: tuple[str, ...] = ()
        self.course = self.level = self.below_since = self.told_until = np.zeros((0, 0))
        self.plain = self.plain_since = np.zeros((0, 0))
        self.weighed = np.zeros((0, 1))

    def align(self, tracks: tuple[str, ...], units: tuple[str, ...]) -> None:
        """Bring rows and columns into the order of ``tracks`` and ``units``; new pairs start afresh."""
        if (tracks, units) == (self.tracks, self.units):
            return
        rows, old_rows = _places(self.tracks, tracks)
        columns, old_columns = _places(self.units, units)

        def moved(array: Floats, fill: float) -> Floats:
            fresh = np.full((len(tracks), len(units)), fill)
            fresh[np.ix_(rows, columns)] = array[np.ix_(old_rows, old_columns)]
            return fresh

        self.course = moved(self.course, 0.0)
        self.level = moved(self.level, UNSEEN)
        self.below_since = moved(self.below_since, NOT_BELOW)
        self.plain = moved(self.plain, UNSEEN)
        self.plain_since = moved(self.plain_since, NOT_BELOW)
        self.told_until = moved(self.told_until, 0.0)
        weighed = np.full((len(tracks), 1), UNSEEN)
        weighed[rows] = self.weighed[old_rows]
        self.weighed = weighed
        self.tracks, self.units = tracks, units

    def part(self, rows: list[int]) -> "PairMemory":
        """The memory of some tracks, to be changed and `put` back."""
        some = PairMemory()
        some.tracks, some.units = tuple(self.tracks[row] for row in rows), self.units
        some.course, some.level = self.course[rows], self.level[rows]
        some.below_since, some.told_until = self.below_since[rows], self.told_until[rows]
        some.weighed = self.weighed[rows]
        some.plain, some.plain_since = self.plain[rows], self.plain_since[rows]
        return some

    def put(self, rows: list[int], some: "PairMemory") -> None:
        """Take back what `part` gave for the same rows."""
        self.course[rows], self.level[rows] = some.course, some.level
        self.below_since[rows], self.told_until[rows] = some.below_since, some.told_until
        self.weighed[rows] = some.weighed
        self.plain[rows], self.plain_since[rows] = some.plain, some.plain_since

    def save(self) -> SavedMemory:
        """Everything, exactly."""
        return SavedMemory(
            tracks=self.tracks,
            units=self.units,
            course=_bytes(self.course),
            level=_bytes(self.level),
            below_since=_bytes(self.below_since),
            plain=_bytes(self.plain),
            plain_since=_bytes(self.plain_since),
            told_until=_bytes(self.told_until),
            weighed=_bytes(self.weighed),
        )

    @classmethod
    def load(cls, saved: SavedMemory) -> "PairMemory":
        """The inverse of `save`."""
        memory = cls()
        memory.tracks, memory.units = saved.tracks, saved.units
        shape = (len(saved.tracks), len(saved.units))
        memory.course, memory.level, memory.below_since, memory.told_until = (
            np.frombuffer(data, dtype="<f8").astype(np.float64).reshape(shape)
            for data in (saved.course, saved.level, saved.below_since, saved.told_until)
        )
        memory.plain, memory.plain_since = (
            np.frombuffer(data, dtype="<f8").astype(np.float64).reshape(shape)
            for data in (saved.plain, saved.plain_since)
        )
        memory.weighed = np.frombuffer(saved.weighed, dtype="<f8").astype(np.float64).reshape(-1, 1)
        if len(memory.weighed) != len(saved.tracks):
            raise ValueError("the memory has a row too many or too few")
        return memory


def _bytes(array: Floats) -> bytes:
    return array.astype("<f8").tobytes()


def _places(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[list[int], list[int]]:
    """New places and old places of every name that is in both."""
    known = {name: place for place, name in enumerate(old)}
    both = [(place, known[name]) for place, name in enumerate(new) if name in known]
    return [place for place, _ in both], [place for _, place in both]
