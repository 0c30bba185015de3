"""Who sees which picture, and the note that somebody saw where people are."""

from vedette.console.gate import Connection, entrance_of, place_of, wall
from vedette.console.live import Picture, without_people
from vedette.console.source import Source
from vedette.model.errors import VedetteError
from vedette.station.access import Authenticated, Refused, allowed

NOTE_S = 60.0
"""A look that lasts is written down at its beginning, and then so often."""


class Pictures:
    """The picture with people and the one without, each encoded once for all who see it."""

    def __init__(self, source: Source) -> None:
        self._whole, self._bare = Picture(source), Picture(source, shown=without_people)

    def of(self, who: Authenticated) -> Picture:
        """The picture for somebody who may see one."""
        return self._whole if allowed(who, "view-people").granted else self._bare


class Sight:
    """One client that watches the live picture: whether it still may, and whom it has seen."""

    def __init__(self, connection: Connection, who: Authenticated) -> None:
        self._connection, self._who = connection, who
        self._began = self._noted = 0.0
        self._units: tuple[str, ...] = ()
        self._looks = 0

    def still(self, picture: Picture) -> bool:
        """Whether the same picture may go on; notes whom it shows."""
        entrance, now = entrance_of(self._connection), wall()
        try:
            who = entrance.who(self._connection.scope["headers"], now)
        except Refused as refused:
            entrance.refused(self._who.actor, f"the live picture ended: {refused.cause}", now)
            return False
        except VedetteError:
            # The store cannot be read: no desk goes dark for that.
            who = self._who
        if who.actor != self._who.actor or not allowed(who, "view-picture").granted:
            return False
        if allowed(who, "view-people").granted != allowed(self._who, "view-people").granted:
            return False
        self._see(picture.units, now)
        return True

    def end(self) -> None:
        """The client has left."""
        self._note(wall())

    def _see(self, units: tuple[str, ...], now: float) -> None:
        """At once when it begins or shows others, for a station can die within the minute."""
        others = units != self._units
        if others:
            self._note(now)
            self._units, self._began = units, now
        self._looks += 1
        if others or now - self._noted >= NOTE_S:
            self._note(now)

    def _note(self, now: float) -> None:
        if self._units and self._looks:
            way = way_of(self._connection, "live picture")
            entrance_of(self._connection).saw(self._who, way, self._units, self._looks, self._began, now)
        self._looks, self._noted, self._began = 0, now, now


def way_of(connection: Connection, what: str) -> str:
    """By what, and from where."""
    return f"{what} from {place_of(connection)}"
