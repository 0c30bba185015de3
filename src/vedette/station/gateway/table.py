"""Who is connected: by unit, and by worker and number. Pure bookkeeping."""

from collections import OrderedDict

from vedette.station.access import Authenticated
from vedette.station.gateway.pipe import Stranger

MOST_SEEN = 64
MOST_OF_UNIT = 8
"""Connections of one unit; beyond, the oldest gives way."""

Place = tuple[int, int]
"""(worker, number of the connection there)."""
Call = tuple[int, int]
"""(revision, call) of an alert."""


class Reader:
    """One connection that was let in: whose it is, and what it has been told.

    ``showed``: what it was let in by, to be looked at again. ``acknowledges``: a person is behind it.
    """

    __slots__ = ("acknowledges", "language", "place", "seen", "showed", "unit", "who")

    def __init__(
        self, place: Place, unit: str, who: Authenticated, showed: Stranger, *, acknowledges: bool
    ) -> None:
        self.place, self.unit, self.who, self.showed = place, unit, who, showed
        self.language = showed.language
        self.acknowledges = acknowledges
        self.seen: OrderedDict[str, Call] = OrderedDict()
        for alert, revision, call in showed.seen:
            self.saw(alert, (revision, call))

    def saw(self, alert: str, call: Call) -> None:
        """It has been told."""
        before = self.seen.get(alert)
        self.seen[alert] = call if before is None else max(call, before)
        if len(self.seen) > MOST_SEEN:
            self.seen.popitem(last=False)


class Table:
    """All that are let in."""

    def __init__(self) -> None:
        self.units: dict[str, dict[Place, Reader]] = {}
        """The connections of each unit that has one."""
        self._at: dict[Place, Reader] = {}

    def __len__(self) -> int:
        return len(self._at)

    def add(self, reader: Reader) -> Reader | None:
        """One more; the one that gives way to it, if its unit has too many."""
        self._at[reader.place] = reader
        own = self.units.setdefault(reader.unit, {})
        own[reader.place] = reader
        return self.remove(next(iter(own))) if len(own) > MOST_OF_UNIT else None

    def remove(self, place: Place) -> Reader | None:
        """One that is gone."""
        reader = self._at.pop(place, None)
        if reader is not None:
            own = self.units[reader.unit]
            del own[place]
            if not own:
                del self.units[reader.unit]
        return reader

    def lose(self, worker: int) -> int:
        """All of one worker are gone; how many."""
        lost = [place for place in self._at if place[0] == worker]
        for place in lost:
            self.remove(place)
        return len(lost)

    def at(self, place: Place) -> Reader | None:
        """Who it is."""
        return self._at.get(place)

    def all(self) -> list[Reader]:
        """All of them, as they are now."""
        return list(self._at.values())
