"""What the console needs of a station, and nothing more."""

from typing import Protocol

from vedette.model import Alert, Receipt
from vedette.model.event import Action
from vedette.station.ports import Clock
from vedette.station.view import View


class Source(Protocol):
    """A running station (or a replay) as the console sees it. All calls return at once."""

    @property
    def clock(self) -> Clock:
        """Station time."""
        ...

    def view(self) -> View:
        """The whole picture at station time now."""
        ...

    def act(self, action: Action) -> None:
        """Something a person did at the desk; ``action.actor`` is who is signed in there."""
        ...

    def receipt(self, receipt: Receipt) -> None:
        """An officer answered for his own unit; ``receipt.by`` is who is signed in on that phone."""
        ...

    def alert(self, alert: str) -> Alert | None:
        """The latest revision of an alert, open or closed; None if the station knows none of this id."""
        ...
