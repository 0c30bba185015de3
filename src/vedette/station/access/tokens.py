"""Tokens of programs (API), and links that are good once."""

from typing import Literal

import msgspec
from msgspec import Struct

from vedette.model.errors import ConfigError
from vedette.station.access.permissions import PROGRAM_SCOPES
from vedette.station.access.principals import Authenticated, Principal, check_display
from vedette.station.access.refusal import Refused, expired
from vedette.station.access.secret import Secret, fingerprint, random_secret
from vedette.station.access.store import Entry, Store

TOKEN, LINK = "vdt_", "vdl_"
LONGEST_S = 400 * 24 * 3600.0
USED_S = 60.0
"""The last use of a token is written down at most so often."""

Purpose = Literal["first-administrator", "set-factors", "phone"]
LINK_S: dict[Purpose, float] = {
    "first-administrator": 3600.0,
    "set-factors": 24 * 3600.0,
    "phone": 24 * 3600.0,
}
"""How long a link is good."""


class Token(Struct, frozen=True, kw_only=True):
    """What is known of a token; not the token."""

    id: int
    principal: str
    label: str
    scopes: tuple[str, ...]
    made_at: float
    expires: float
    used: float | None = None
    revoked: bool = False


class Carried(Struct, frozen=True):
    """A token that is good: its number, its principal (id), its scopes, and whether its last use should be
    written down."""

    number: int
    principal: int
    scopes: tuple[str, ...]
    note_use: bool


class Tokens:
    """Makes, finds and revokes tokens."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def make(
        self,
        actor: str,
        principal: Principal,
        label: str,
        scopes: tuple[str, ...],
        now: float,
        lasts_s: float = LONGEST_S,
    ) -> Secret:
        """A new token, shown once. Raises ConfigError: not a program's scope, or too long a life."""
        if principal.kind != "program" or principal.disabled:
            raise ConfigError(f"{principal.name} is no program: only programs that are in use have tokens")
        wrong = sorted(set(scopes) - set(PROGRAM_SCOPES))
        if wrong or not scopes:
            what = f"no token can carry {', '.join(wrong)}" if wrong else "a token needs a scope"
            raise ConfigError(f"{what}; there are {', '.join(PROGRAM_SCOPES)}")
        if not 0.0 < lasts_s <= LONGEST_S:
            raise ConfigError(f"a token lasts up to {LONGEST_S / 86400:.0f} days")
        token, shown = random_secret(TOKEN), check_display(label)
        held = tuple(scope for scope in PROGRAM_SCOPES if scope in scopes)
        with self._store.transaction():
            number = self._store.insert(
                "INSERT INTO tokens (hash, principal, label, scopes, made_at, expires)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                fingerprint(token.reveal()),
                principal.id,
                shown,
                msgspec.json.encode(held).decode(),
                now,
                now + lasts_s,
            )
            words = f"token {number}: {', '.join(held)}"
            self._store.note(Entry(at=now, actor=actor, what="token-made", about=principal.name, words=words))
        return token

    def find(self, token: str, now: float) -> Carried:
        """What a program holds. Raises Refused."""
        row = self._store.row(
            "SELECT id, principal, scopes, expires, used, revoked_at FROM tokens WHERE hash = ?",
            fingerprint(token),
        )
        if row is None or row[5] is not None or now >= row[3]:
            cause = "no such token" if row is None else f"token {row[0]} is revoked or expired"
            raise Refused("the token is not good (any more): ask for a new one", cause)
        stale = row[4] is None or now - row[4] >= USED_S
        return Carried(row[0], row[1], tuple(msgspec.json.decode(row[2])), stale)

    def revoke(self, actor: str, number: int, now: float) -> None:
        """Make a token worthless. Raises ConfigError if there is none of that number."""
        changed = self._store.change(
            "UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", now, number
        )
        if not changed:
            raise ConfigError(f"there is no token {number} that could be revoked; see 'vedette token list'")
        self._store.note(Entry(at=now, actor=actor, what="token-revoked", words=f"token {number}"))

    def all(self) -> tuple[Token, ...]:
        """Every token there was."""
        rows = self._store.rows(
            "SELECT t.id, p.name, t.label, t.scopes, t.made_at, t.expires, t.used, t.revoked_at"
            " FROM tokens t JOIN principals p ON p.id = t.principal ORDER BY t.id"
        )
        return tuple(
            Token(
                id=r[0],
                principal=r[1],
                label=r[2],
                scopes=tuple(msgspec.json.decode(r[3])),
                made_at=r[4],
                expires=r[5],
                used=r[6],
                revoked=r[7] is not None,
            )
            for r in rows
        )

    def used(self, number: int, now: float) -> None:
        """Write down when a token was used."""
        self._store.change("UPDATE tokens SET used = ? WHERE id = ?", now, number)


class Links:
    """Makes and redeems links that are good once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def make(self, purpose: Purpose, principal: Principal | None, now: float) -> Secret:
        """A new link, which replaces those of the same purpose and principal."""
        token, owner = random_secret(LINK), None if principal is None else principal.id
        with self._store.transaction():
            self._store.change("DELETE FROM links WHERE purpose = ? AND principal IS ?", purpose, owner)
            self._store.change(
                "INSERT INTO links (hash, purpose, principal, expires) VALUES (?, ?, ?, ?)",
                fingerprint(token.reveal()),
                purpose,
                owner,
                now + LINK_S[purpose],
            )
        return token

    def redeem(self, purpose: Purpose, token: str, now: float) -> int | None:
        """Use a link up; the principal it is for. Raises Refused."""
        with self._store.transaction():
            owner = self.look(purpose, token, now)
            # The one who takes the row has the link; whoever comes at the same moment finds none.
            if not self._store.change("DELETE FROM links WHERE hash = ?", fingerprint(token)):
                raise expired("the link was used")
            return owner

    def look(self, purpose: Purpose, token: str, now: float) -> int | None:
        """The principal a link is for, without using it up. Raises Refused."""
        row = self._store.row(
            "SELECT principal, expires FROM links WHERE hash = ? AND purpose = ?", fingerprint(token), purpose
        )
        if row is None or now >= row[1]:
            cause = f"no such {purpose} link" if row is None else f"the {purpose} link is too old"
            raise Refused("this link was used, or is too old: ask for a new one", cause)
        return None if row[0] is None else int(row[0])


def by_token(principal: Principal, scopes: tuple[str, ...]) -> Authenticated:
    """Who a token stands for. 256 random bits are not guessed: they count as two factors."""
    return Authenticated(principal=principal, method="token", second_factor=True, scopes=scopes)
