"""Who a stranger is, and for which unit he may read and acknowledge. The `Doorkeeper` decides; default no.

| who | unit | acknowledges |
|---|---|---|
| an officer (session of a linked phone, or certificate) | his own | yes |
| a person of the desk (session) | that of the duty that names him now | yes |
| a program (token with `view-people`) | the one it names: a display, a siren | no |
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from vedette.model import Roster
from vedette.station.access import About, Authenticated, Doorkeeper, Refused, Secret
from vedette.station.gateway.pipe import Stranger


class Admitted(NamedTuple):
    """Who it is, the unit they read for, and whether they acknowledge."""

    who: Authenticated
    unit: str
    acknowledges: bool


class Admission:
    """``roster``: who has which duty now."""

    def __init__(self, door: Doorkeeper, roster: Callable[[], Roster]) -> None:
        self._door, self._roster = door, roster

    async def admit(self, stranger: Stranger) -> Admitted:
        """Raises Refused, with words for the one at the gate."""
        now = time.time()
        who = self._known(stranger, now)
        principal = who.principal
        if principal.kind == "officer" and stranger.unit and stranger.unit != principal.unit:
            # Binds a phone that has no unit yet, and refuses one that claims another's; waits for the disk.
            who = await self._door.soon(self._door.claim_unit, who, stranger.unit, now)
        return self._decide(who, stranger, now)

    def again(self, stranger: Stranger) -> Admitted:
        """Whether somebody who was let in still would be. Raises Refused."""
        now = time.time()
        return self._decide(self._known(stranger, now), stranger, now)

    def _known(self, stranger: Stranger, now: float) -> Authenticated:
        if stranger.token is not None:
            return self._door.by_token(Secret(stranger.token), now)
        if stranger.session is not None:
            return self._door.by_session(Secret(stranger.session), now)
        if stranger.certificate is not None:
            return self._door.by_certificate(stranger.certificate, now)
        raise Refused("sign in first: this phone has shown nothing", "nothing shown at the gateway")

    def _decide(self, who: Authenticated, stranger: Stranger, now: float) -> Admitted:
        principal = who.principal
        if principal.kind == "program":
            if stranger.unit is None:
                raise Refused("a program names the unit that it shows", "no unit named")
            self._door.require(who, "view-people", now)
            return Admitted(who, stranger.unit, False)
        if principal.kind == "officer":
            if principal.unit is None:
                raise Refused("this phone has no unit yet: name one", "no unit named")
            self._door.require(who, "acknowledge-own", now, About(unit=principal.unit))
            return Admitted(who, principal.unit, True)
        self._door.require(who, "acknowledge-desk", now)
        return Admitted(who, self._duty_of(principal.name, now), True)

    def _duty_of(self, person: str, now: float) -> str:
        for duty in self._roster().duty:
            if duty.person == person and duty.begins <= now < duty.until:
                return duty.unit
        raise Refused("you have no duty now, and no unit whose alerts would be yours", "no duty now")
