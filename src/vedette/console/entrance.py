"""Who comes in by HTTP or WebSocket: people and programs with accounts, or whoever opens a demo.

The console asks for nothing but this: `Entrance.who` says who sends a request, `require` whether that one may
do a thing, `saw` writes down that somebody saw where people are. Times are Unix seconds of the wall clock.
"""

import secrets
from collections.abc import Iterable
from typing import Protocol

from vedette.station.access import About, Authenticated, Doorkeeper, Principal, Refused, Secret, allowed
from vedette.station.access.credentials import authenticate, shown

Headers = Iterable[tuple[bytes, bytes]]
NOTHING = About()

DEMO = Authenticated(
    principal=Principal(
        id=0, name="demo-desk", kind="person", roles=("watch-officer", "supervisor"), display="Demo desk"
    ),
    method="demo",
    second_factor=True,
)
"""Who sits at a demo. The record says ``demo-desk``, by way of ``demo``: nobody has shown who he is."""

OPERATOR = Authenticated(
    principal=Principal(id=0, name="this-machine", kind="program"),
    method="token",
    second_factor=True,
    scopes=("view-picture",),
)
"""`vedette doctor` on the same machine: it shows a token that stands in the state folder."""


class Entrance(Protocol):
    """What the console needs to know who somebody is."""

    door: Doorkeeper | None
    """Accounts; None at a demo, which has none."""

    def who(self, headers: Headers, now: float) -> Authenticated:
        """Who sends a request with these headers. Raises Refused."""
        ...

    def require(self, who: Authenticated, permission: str, now: float, about: About = NOTHING) -> None:
        """Raises Refused, with the reason in words, if ``who`` may not do this now."""
        ...

    def refused(self, about: str, words: str, now: float) -> None:
        """Write a refusal down."""
        ...

    def saw(
        self, who: Authenticated, way: str, units: tuple[str, ...], reads: int, began: float, now: float
    ) -> None:
        """Write down that ``who`` saw where these units are."""
        ...


class DemoEntrance:
    """Everybody is the demo's watch officer. For this machine's own page and simulated people only."""

    door: Doorkeeper | None = None

    def who(self, headers: Headers, now: float) -> Authenticated:
        """The demo's watch officer."""
        return DEMO

    def require(self, who: Authenticated, permission: str, now: float, about: About = NOTHING) -> None:
        """As with accounts: also a demo does nothing that a supervisor may not do."""
        decision = allowed(who, permission, about)
        if not decision.granted:
            raise Refused(decision.reason, f"not permitted: {permission}")

    def refused(self, about: str, words: str, now: float) -> None:
        """A demo keeps no history."""

    def saw(
        self, who: Authenticated, way: str, units: tuple[str, ...], reads: int, began: float, now: float
    ) -> None:
        """A demo keeps no history."""


class AccountEntrance:
    """Accounts, tokens and phones of the site, and this machine's own `OPERATOR` by ``local``."""

    def __init__(self, door: Doorkeeper, local: Secret | None = None) -> None:
        self.door: Doorkeeper | None = door
        self._door, self._local = door, local

    def who(self, headers: Headers, now: float) -> Authenticated:
        """Who shows a session or a token. Raises Refused."""
        credentials = shown(headers)
        token = credentials.token
        if token is not None and self._local is not None and _same(token, self._local):
            return OPERATOR
        return authenticate(self._door, credentials, now)

    def require(self, who: Authenticated, permission: str, now: float, about: About = NOTHING) -> None:
        """By the permission table; a refusal stands in the history."""
        decision = allowed(who, permission, about)
        if not decision.granted:
            self._door.note_refusal(who.principal.name, f"{permission}: {decision.reason}", now)
            raise Refused(decision.reason, f"not permitted: {permission}")

    def refused(self, about: str, words: str, now: float) -> None:
        """Into the history; the same at most once a minute."""
        self._door.note_refusal(about, words, now)

    def saw(
        self, who: Authenticated, way: str, units: tuple[str, ...], reads: int, began: float, now: float
    ) -> None:
        """Into the list of looks."""
        if units:
            self._door.note_reads(who, way, units, reads, began, now)


def _same(one: Secret, other: Secret) -> bool:
    return secrets.compare_digest(one.reveal().encode("utf-8", "replace"), other.reveal().encode())
