"""From what somebody shows (password and code, session, token, certificate, link) to who it is.

All that a console or a peer needs of this room: `Doorkeeper.by_session`, `by_token` and `by_certificate`
return an `Authenticated`, or raise `Refused`; `require` says whether that one may do a thing. Every refusal
stands in the history. The time is always an argument: Unix seconds, never read here.

`by_session`, `by_token`, `by_certificate`, `touch` and `require` may be called in the event loop: they read,
and what they have to write down is written by a thread (``background``). Everything else waits for the disk,
or for the hashing of a password, and goes by `soon`.
"""

import asyncio
import contextlib
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from msgspec import Struct

from vedette.model.errors import ConfigError, VedetteError
from vedette.station.access.attempts import Attempts, Bucket
from vedette.station.access.certificates import Register
from vedette.station.access.factors import CodeSetup, Factors
from vedette.station.access.lockout import ADDRESS, DEVICE, NAME
from vedette.station.access.people import People
from vedette.station.access.permissions import NOTHING, About, allowed
from vedette.station.access.principals import Authenticated, Method, Principal
from vedette.station.access.reads import Reads
from vedette.station.access.refusal import Refused, expired, wrong
from vedette.station.access.repeats import Repeats
from vedette.station.access.secret import Secret, fingerprint
from vedette.station.access.security_keys import KeyAnswer, SecurityKeys
from vedette.station.access.sessions import Sessions, authenticated
from vedette.station.access.store import Entry, Store
from vedette.station.access.tokens import Links, Tokens, by_token
from vedette.station.access.webauthn import Site

FOLDER = "access"
"""Of the state folder."""
STATION = "station"
"""Who acts in the history where it was nobody else."""
MOST_WAITING = 8
"""Sign-ins from devices that are not known that may wait for their turn."""
MOST_UNWRITTEN = 1000
"""Notes that may wait for the disk; what comes then is not noted."""


P = ParamSpec("P")
T = TypeVar("T")


class Attempt(Struct, frozen=True, kw_only=True):
    """What somebody typed, on which device, from which address. ``code``: of the generator or from paper."""

    name: str
    password: Secret
    address: str
    code: Secret = Secret("")
    device: Secret | None = None


class SignedIn(Struct, frozen=True, kw_only=True):
    """Who it is, and what the browser keeps: its session, and the mark of a known device."""

    who: Authenticated
    session: Secret
    device: Secret


class Doorkeeper:
    """All of the room, over the store in ``state``/access. ``site``: its name, for code generators.
    ``background``: notes are written by a thread, as a station needs it; else at once."""

    def __init__(self, state: Path, site: str, *, background: bool = False) -> None:
        self.folder = state / FOLDER
        self.store = Store(self.folder)
        self.people, self.factors = People(self.store), Factors(self.store, site)
        self.sessions, self.tokens, self.links = Sessions(self.store), Tokens(self.store), Links(self.store)
        self.register, self.keys = Register(self.store), SecurityKeys(self.store)
        self.reads = Reads(self.store)
        self._attempts, self._repeats = Attempts(self.store), Repeats()
        # Hashing a password takes a core for a while: one at a time.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="access")
        self._clerk = ThreadPoolExecutor(1, thread_name_prefix="access-notes") if background else None
        self._waiting = self._unwritten = 0

    def close(self) -> None:
        """Write what waits and close the store."""
        self._worker.shutdown(cancel_futures=True)
        if self._clerk is not None:
            self._clerk.shutdown()
        self.store.close()

    async def soon(self, call: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """One of the calls of this room, beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(
            self._worker, partial(call, *arguments, **named)
        )

    async def sign_in_soon(self, attempt: Attempt, now: float) -> SignedIn:
        """`sign_in` beside the event loop. Raises Refused, also when too many are waiting; people on
        devices that are known are never turned away for that."""
        known = self._known(attempt, now)
        if not known and self._waiting >= MOST_WAITING:
            raise Refused(
                "many are signing in at this moment; try again in a second", "too many sign-ins", 1.0
            )
        self._waiting += not known
        try:
            return await self.soon(self.sign_in, attempt, now)
        finally:
            self._waiting -= not known

    def sign_in(self, attempt: Attempt, now: float) -> SignedIn:
        """Password and code. Takes about 0.2 s of a core and 64 MiB. Raises Refused."""
        principal = self.people.find(attempt.name)
        buckets = self._buckets(attempt, now)
        self._charge(attempt, buckets, now)
        cause = self._fault(principal, attempt, now)
        if principal is None or cause is not None:
            self._refused(attempt.name, f"sign-in from {attempt.address}: {cause or 'nobody'}", now)
            raise wrong(cause or "no such name")
        self._attempts.succeed(buckets)
        return self._admit(principal, "password", self.has_second_factor(principal), attempt.address, now)

    def confirm(self, session: Secret, attempt: Attempt, now: float) -> Authenticated:
        """Wake a resting desk by the password or by a code. Raises Refused."""
        who = self.by_session(session, now)
        if who.principal.name != attempt.name:
            raise wrong("a session of somebody else")
        buckets = self._buckets(attempt, now)
        self._charge(attempt, buckets, now)
        code, principal = attempt.code.reveal(), who.principal
        good = (bool(code) and self.factors.code_matches(principal, code, now)) or (
            not code and self.factors.password_matches(principal, attempt.password.reveal(), now)
        )
        if not good:
            self._refused(principal.name, f"confirmation from {attempt.address}", now)
            raise wrong("a wrong password or code")
        self._attempts.succeed(buckets)
        self.sessions.touch(session.reveal(), now)
        return self.by_session(session, now)

    def confirm_by_key(self, session: Secret, answer: KeyAnswer, site: Site, now: float) -> Authenticated:
        """Wake a resting desk by its person's security key. Raises Refused."""
        who = self.by_session(session, now)
        if self.keys.verify(answer, site, now) != who.principal.id:
            raise wrong("a security key of somebody else")
        self.sessions.touch(session.reveal(), now)
        return self.by_session(session, now)

    def by_session(self, session: Secret, now: float) -> Authenticated:
        """Who a browser or phone is. Raises Refused. `touch` says that a person was there."""
        held = self.sessions.find(session.reveal(), now)
        return authenticated(self._enabled(held.principal), held)

    def touch(self, session: Secret, now: float) -> None:
        """A person did something at this desk. It keeps a session awake and wakes none."""
        if self.sessions.is_due(session.reveal(), now):
            self._later(self.sessions.touch, session.reveal(), now)

    def sign_out(self, session: Secret) -> None:
        """End a session."""
        self.sessions.end(session.reveal())

    def by_token(self, token: Secret, now: float) -> Authenticated:
        """Which program it is. Raises Refused."""
        carried = self.tokens.find(token.reveal(), now)
        principal = self._enabled(carried.principal)
        if carried.note_use:
            self._later(self.tokens.used, carried.number, now)
        return by_token(principal, carried.scopes)

    def by_certificate(self, der: bytes, now: float) -> Authenticated:
        """Which officer it is by a certificate (DER) that the TLS handshake has verified. Raises Refused."""
        principal = self._enabled(self.register.admit(der, now))
        return Authenticated(principal=principal, method="certificate", second_factor=True)

    def by_phone_link(self, link: Secret, now: float) -> tuple[Authenticated, Secret]:
        """A phone opens its link: who it is, and the session that it keeps. Raises Refused."""
        number = self.links.redeem("phone", link.reveal(), now)
        if number is None:
            raise expired("a phone link for nobody")
        principal = self._enabled(number)
        session = self.sessions.begin(principal, "phone", True, now)
        self._note(principal.name, "phone-linked", principal.name, "", now)
        return self.by_session(session, now), session

    def claim_unit(self, who: Authenticated, unit: str, now: float) -> Authenticated:
        """An officer's phone says that it is ``unit``. The first claim binds, if the enrolment named no unit;
        any other is Refused: nobody speaks for somebody else."""
        # As it is now: another phone of the same officer may have claimed a unit since this one came in.
        principal = self.people.by_id(who.principal.id)
        if principal.unit is None and principal.kind == "officer":
            try:
                self.people.bind_unit(principal.name, principal.name, unit, now)
            except ConfigError as error:
                self._refused(principal.name, f"claimed a unit: {error}", now)
                raise Refused(str(error), "a unit of somebody else") from None
            principal = self.people.get(principal.name)
        elif principal.unit != unit:
            self._refused(principal.name, f"claimed unit {unit!r}", now)
            raise Refused(f"{principal.name} does not speak for {unit!r}", "a unit of somebody else")
        return Authenticated(principal=principal, method=who.method, second_factor=who.second_factor)

    def require(self, who: Authenticated, permission: str, now: float, about: About = NOTHING) -> None:
        """Raises Refused, with the reason in words, if ``who`` may not do this now."""
        decision = allowed(who, permission, about)
        if not decision.granted:
            self._refused(who.principal.name, f"{permission}: {decision.reason}", now)
            raise Refused(decision.reason, f"not permitted: {permission}")

    def note_refusal(self, about: str, words: str, now: float) -> None:
        """Write down that somebody was refused by whoever asked this room; the same at most once a minute,
        with how often. May be called in the event loop."""
        before = self._repeats.admit((about, words), now)
        if before is not None:
            self._refused(about, f"{words} (and {before} times before)" if before else words, now)

    def note_reads(
        self, who: Authenticated, way: str, units: tuple[str, ...], reads: int, began: float, now: float
    ) -> None:
        """Write down that somebody saw where these units are. May be called in the event loop."""
        self._later(self.reads.add, who.actor, way[:120], units, reads, began, now)

    def version(self) -> int:
        """Another number whenever anything in the store has changed, by whatever program."""
        return self.store.version()

    def has_second_factor(self, principal: Principal) -> bool:
        """Whether a code generator or a security key is set up."""
        return self.factors.has_codes(principal) or self.keys.has_any(principal)

    def first_link(self, now: float) -> Secret | None:
        """The link with which the first administrator is made; None if there is one already."""
        if self.people.administrators():
            return None
        return self.links.make("first-administrator", None, now)

    def make_first_administrator(self, link: Secret, name: str, now: float) -> tuple[Principal, Secret]:
        """The administrator, and the link with which he sets his factors up. Raises Refused, ConfigError."""
        with self.store.transaction():
            if self.people.administrators():
                raise Refused("there is an administrator already", "a first link after the first")
            self.links.redeem("first-administrator", link.reveal(), now)
            principal = self.people.add(STATION, name, "person", ("administrator",), now)
            return principal, self.links.make("set-factors", principal, now)

    def begin_setup(self, link: Secret, now: float) -> tuple[Principal, CodeSetup]:
        """Whom a set-up link is for, and a new code generator. The link stays good. Raises Refused."""
        principal = self._of_setup(link, now)
        return principal, self.factors.begin_codes(principal)

    def finish_setup(self, link: Secret, password: Secret, code: Secret, now: float) -> tuple[Secret, ...]:
        """Password and first code: uses the link up and returns the recovery codes. Raises Refused, or
        ConfigError (password too easy, wrong code), after which it can be tried again."""
        principal = self._of_setup(link, now)
        kept = self.factors.prepare_password(principal, password.reveal())
        with self.store.transaction():
            self.factors.keep_password(principal.name, principal, kept, now)
            codes = self.factors.confirm_codes(principal.name, principal, code.reveal(), now)
            self.links.redeem("set-factors", link.reveal(), now)
            return codes

    def reset(self, actor: str, name: str, now: float) -> Secret:
        """Take a person's factors, sessions and devices away; the link to set up new ones."""
        with self.store.transaction():
            principal = self.people.get(name)
            if principal.kind != "person":
                raise ConfigError(
                    f"{name} is no person of the desk; for an officer: vedette enrol officer {name}"
                )
            self.factors.reset(actor, principal, now)
            self.people.expel(principal)
            self._attempts.forgive([(f"name:{name}", NAME)])
            return self.links.make("set-factors", principal, now)

    def sign_in_by_key(self, answer: KeyAnswer, site: Site, address: str, now: float) -> SignedIn:
        """What a security key has signed. It cannot be guessed, so no tally is asked. Raises Refused."""
        try:
            principal = self._enabled(self.keys.verify(answer, site, now))
        except Refused as error:
            self._refused("", f"security key from {address}: {error.cause}", now)
            raise
        return self._admit(principal, "security-key", True, address, now)

    def _admit(
        self, principal: Principal, method: Method, second_factor: bool, address: str, now: float
    ) -> SignedIn:
        session = self.sessions.begin(principal, method, second_factor, now)
        device = self.sessions.know_device(principal, now)
        self._note(principal.name, "signed-in", principal.name, f"from {address}", now)
        return SignedIn(who=self.by_session(session, now), session=session, device=device)

    def _fault(self, principal: Principal | None, attempt: Attempt, now: float) -> str | None:
        """What is wrong, for the history only; None if all is right."""
        if not self.factors.password_matches(principal, attempt.password.reveal(), now):
            return "wrong password"
        if principal is None or principal.disabled or principal.kind != "person":
            return "the account is disabled"
        # The code is looked at last, and so not used up by somebody who does not know the password.
        if self.has_second_factor(principal) and not self.factors.code_matches(
            principal, attempt.code.reveal(), now
        ):
            return "wrong code, or one that was used before"
        return None

    def _charge(self, attempt: Attempt, buckets: list[Bucket], now: float) -> None:
        wait = self._attempts.charge(buckets, now)
        if wait > 0.0:
            raise Refused(f"too many wrong attempts: try again in {math.ceil(wait)} s", "must wait", wait)

    def _buckets(self, attempt: Attempt, now: float) -> list[Bucket]:
        if attempt.device is not None and self._known(attempt, now):
            return [(f"device:{fingerprint(attempt.device.reveal()).hex()}", DEVICE)]
        return [(f"name:{_plain(attempt.name)}", NAME), (f"address:{_plain(attempt.address)}", ADDRESS)]

    def _known(self, attempt: Attempt, now: float) -> bool:
        device = None if attempt.device is None else attempt.device.reveal()
        return self.sessions.knows_device(self.people.find(attempt.name), device, now)

    def _of_setup(self, link: Secret, now: float) -> Principal:
        number = self.links.look("set-factors", link.reveal(), now)
        if number is None:
            raise expired("a set-up link for nobody")
        return self._enabled(number)

    def _enabled(self, number: int) -> Principal:
        principal = self.people.by_id(number)
        if principal.disabled:
            raise expired(f"the account {principal.name} is disabled")
        return principal

    def _refused(self, about: str, words: str, now: float) -> None:
        self._later(self._note, STATION, "refused", _plain(about), _plain(words, 400), now)

    def _later(self, call: Callable[P, None], *arguments: P.args, **named: P.kwargs) -> None:
        """Write something down that nobody waits for, and without which all goes on."""

        def write() -> None:
            # The disk takes nothing: what was decided stands all the same.
            with contextlib.suppress(VedetteError):
                call(*arguments, **named)

        def wrote(_: object) -> None:
            self._unwritten -= 1

        if self._clerk is None:
            write()
        elif self._unwritten < MOST_UNWRITTEN:
            self._unwritten += 1
            self._clerk.submit(write).add_done_callback(wrote)

    def _note(self, actor: str, what: str, about: str, words: str, now: float) -> None:
        self.store.note(Entry(at=now, actor=actor, what=what, about=about, words=words))


def _plain(text: str, most: int = 64) -> str:
    """Text of a stranger as the store can hold it: bounded, and Unicode without lone surrogates."""
    return text[:most].encode("utf-8", "replace").decode()
