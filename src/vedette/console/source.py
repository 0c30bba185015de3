"""What the console needs of a station, and nothing more."""

from typing import Protocol

from vedette.model.event import Action
from vedette.station.view import View


class Source(Protocol):
    """A running station (or a replay) as the console sees it. All calls return at once."""

    def view(self) -> View:
        """The whole picture at station time now."""
        ...

    def act(self, action: Action) -> None:
        """Something a person did at the desk; ``action.actor`` is never empty."""
        ...

    def alert_exists(self, alert: str) -> bool:
        """True if the station knows an alert of this id, open or closed."""
        ...
