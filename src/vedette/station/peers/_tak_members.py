"""Who is behind a connection of a phone: the officer to whom this site has given its certificate.

The handshake has checked that the site's authority signed the certificate; the register says whom it stands
for, and whether it still does. An officer speaks for one unit. A machine with a client certificate (a gateway
that brings tracks) is nobody's phone: it may report what is in the air and nothing else.
"""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from vedette.model import ConfigError, VedetteError
from vedette.station.access import About, Authenticated, Doorkeeper, Refused, allowed
from vedette.station.access.authority import FOLDER, Authority
from vedette.station.access.tls import server_context

LOOK_AGAIN_S = 30.0
"""A certificate also ends by time, which changes nothing in the register."""


class Member(Struct):
    """Who came in with the certificate ``der``; ``who`` is None for a machine. ``version``: of the register,
    when it was last asked; ``until``: when to ask again in any case (Unix seconds)."""

    der: bytes
    who: Authenticated | None
    version: int
    until: float

    @property
    def name(self) -> str | None:
        """What stands in the record for an officer."""
        return None if self.who is None else self.who.actor


class Members:
    """Asks the doorkeeper. ``peer``: the name of the listener, for the history. Times are Unix seconds."""

    def __init__(self, peer: str, door: Doorkeeper) -> None:
        self._peer, self._door = peer, door
        self._version, self._until = -1, 0.0

    def context(
        self, cafile: str | None, certfile: str | None, keyfile: str | None, refused: Callable[[str], None]
    ) -> ssl.SSLContext:
        """TLS that admits certificates of the site's authority only; ``refused`` is told of every handshake
        that failed. Raises ConfigError."""
        authority = Authority(self._door.folder / FOLDER)
        if cafile is None or not _same_certificate(Path(cafile), authority.file):
            raise ConfigError(
                f"peer {self._peer}: ca_file must be the certificate of this site's own authority"
                f" ({authority.file}): phones are admitted by what 'vedette enrol officer' gave them"
            )
        if certfile is None or keyfile is None:
            raise ConfigError(
                f"peer {self._peer}: a TLS listener needs cert_file and key_file (vedette authority server)"
            )
        context = server_context(authority, Path(certfile), Path(keyfile))
        context.sslobject_class = _told_of(refused)
        return context

    def changed(self, now: float) -> bool:
        """Whether the register may judge otherwise than the last time that this was asked."""
        try:
            version = self._door.version()
        except VedetteError:
            return False
        if version == self._version and now < self._until:
            return False
        self._version, self._until = version, now + LOOK_AGAIN_S
        return True

    def enter(self, der: bytes, now: float) -> Member:
        """Who comes in. Raises Refused."""
        version = self._door.version()
        return Member(der, self._ask(der, now), version, now + LOOK_AGAIN_S)

    def admits(self, member: Member, now: float) -> bool:
        """Whether the same one may stay. A register that cannot be read shuts nobody out who is in: a phone
        must not miss its warning because a disk failed."""
        try:
            version = self._door.version()
            if version == member.version and now < member.until:
                return True
            who = self._ask(member.der, now)
        except Refused as refused:
            self.note(member.name or "", f"cut off: {refused.cause}", now)
            return False
        except VedetteError:
            return True
        member.version, member.until = version, now + LOOK_AGAIN_S
        before, member.who = member.who, who
        if who is None or before is None:
            return who is before
        return before.principal.unit in (None, who.principal.unit)

    async def speak_for(self, member: Member, unit: str, now: float) -> None:
        """The phone says that it is ``unit``. Raises Refused: somebody else's, or a machine."""
        who = member.who
        if who is None:
            raise Refused("a machine is no unit", "a machine that claims a unit")
        if who.principal.unit == unit:
            claimed = who
        else:
            claimed = await self._door.soon(self._door.claim_unit, who, unit, now)
        for permission in ("report-positions", "acknowledge-own"):
            decision = allowed(claimed, permission, About(unit=unit))
            if not decision.granted:
                raise Refused(decision.reason, f"not permitted: {permission}")
        member.who = claimed

    def note(self, about: str, words: str, now: float) -> None:
        """Into the history of access, once a minute for the same words."""
        self._door.note_refusal(about, f"{self._peer}: {words}", now)

    def _ask(self, der: bytes, now: float) -> Authenticated | None:
        """Raises Refused."""
        if self._door.register.is_client(der, now):
            return None
        return self._door.by_certificate(der, now)


def _same_certificate(one: Path, other: Path) -> bool:
    try:
        return ssl.PEM_cert_to_DER_cert(one.read_text()) == ssl.PEM_cert_to_DER_cert(other.read_text())
    except (OSError, ValueError):
        return False


def _told_of(refused: Callable[[str], None]) -> type[ssl.SSLObject]:
    """asyncio says nothing of a handshake that fails; its TLS object knows why."""

    class Told(ssl.SSLObject):
        """Tells of a certificate that was not taken, or of none at all."""

        def do_handshake(self) -> None:
            """As the base class; the failure goes on to asyncio, which closes the connection."""
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as error:
                refused(getattr(error, "verify_message", None) or error.reason or "no TLS")
                raise

    return Told


async def every(seconds: float, work: Callable[[], None]) -> None:
    """Do it again and again, until cancelled."""
    while True:
        await asyncio.sleep(seconds)
        work()
