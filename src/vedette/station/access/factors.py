"""What a person signs in with: a password, the codes of a generator, and recovery codes on paper."""

import functools
import secrets

from msgspec import Struct

from vedette.model.errors import ConfigError
from vedette.station.access import passwords, totp
from vedette.station.access.principals import Principal
from vedette.station.access.secret import Secret, fingerprint, normalised_code, recovery_code
from vedette.station.access.store import Entry, Store

RECOVERY_CODES = 10


class CodeSetup(Struct, frozen=True):
    """Shown once: the address for a code generator, which holds the secret."""

    uri: Secret


class Factors:
    """Sets and checks them. Never says which one was wrong: that is the doorkeeper's affair."""

    def __init__(self, store: Store, site: str) -> None:
        self._store, self._site = store, site

    def set_password(self, actor: str, principal: Principal, password: str, now: float) -> None:
        """Raises ConfigError if it is too easy, or not for a person."""
        self.keep_password(actor, principal, self.prepare_password(principal, password), now)

    def prepare_password(self, principal: Principal, password: str) -> str:
        """What is kept of a password: the slow part, which is not for a transaction. Raises ConfigError."""
        if principal.kind != "person":
            raise ConfigError(f"{principal.name} is no person of the desk and has no password")
        passwords.check_password(password, principal.name)
        return passwords.hashed(password)

    def keep_password(self, actor: str, principal: Principal, kept: str, now: float) -> None:
        """Take into use what `prepare_password` made."""
        self._keep(principal, kept, now)
        self._store.note(Entry(at=now, actor=actor, what="password-set", about=principal.name))

    def password_matches(self, principal: Principal | None, password: str, now: float) -> bool:
        """Whether it is the password; takes as long when there is no such principal or no password."""
        kept = self._kept_password(principal)
        good = passwords.matches(password, kept or _nobody())
        if not good or kept is None or principal is None:
            return False
        if passwords.is_outdated(kept):
            self._keep(principal, passwords.hashed(password), now)
        return True

    def begin_codes(self, principal: Principal) -> CodeSetup:
        """A new code generator for a person. The old one, if there is one, counts until `confirm_codes`.
        Raises ConfigError for others."""
        if principal.kind != "person":
            raise ConfigError(f"{principal.name} is no person of the desk and needs no code generator")
        key = secrets.token_bytes(totp.KEY_BYTES)
        self._store.remember(_pending(principal), self._store.seal(key, _pending(principal)).hex())
        return CodeSetup(Secret(totp.setup_uri(key, principal.name, self._site)))

    def confirm_codes(self, actor: str, principal: Principal, code: str, now: float) -> tuple[Secret, ...]:
        """Take the new code generator into use after it has shown a right code; new recovery codes, shown
        once, replace the old ones. Raises ConfigError if the code is wrong."""
        pending = self._store.setting(_pending(principal))
        if pending is None:
            raise ConfigError(f"no code generator waits to be confirmed for {principal.name}")
        key = self._store.unseal(bytes.fromhex(pending), _pending(principal))
        counter = totp.matching_counter(key, code.strip(), now, after=-1)
        if counter is None:
            raise ConfigError("that is not the code of this minute; check that the phone's clock is right")
        with self._store.transaction():
            self._store.change("DELETE FROM settings WHERE key = ?", _pending(principal))
            self._store.change(
                "INSERT OR REPLACE INTO code_generators (principal, sealed, counter) VALUES (?, ?, ?)",
                principal.id,
                self._store.seal(key, _sealed_for(principal)),
                counter,
            )
            self._store.note(Entry(at=now, actor=actor, what="code-generator-set", about=principal.name))
            return self._new_recovery_codes(principal)

    def code_matches(self, principal: Principal | None, code: str, now: float) -> bool:
        """Whether it is a code that was not used before, of the generator or of the paper; uses it up."""
        if principal is None:
            return False
        return self._generated(principal, code.strip(), now) or self._recovered(principal, code, now)

    def has_codes(self, principal: Principal) -> bool:
        """Whether a code generator is set up."""
        found = self._store.row("SELECT 1 FROM code_generators WHERE principal = ?", principal.id)
        return found is not None

    def recovery_codes_left(self, principal: Principal) -> int:
        """How many codes on paper are still good."""
        found = self._store.row("SELECT count(*) FROM recovery_codes WHERE principal = ?", principal.id)
        return 0 if found is None else int(found[0])

    def reset(self, actor: str, principal: Principal, now: float) -> None:
        """Take all factors away: the phone with the codes is lost, or the password is forgotten."""
        with self._store.transaction():
            for table in ("passwords", "code_generators", "recovery_codes", "security_keys"):
                self._store.change(f"DELETE FROM {table} WHERE principal = ?", principal.id)
            self._store.note(Entry(at=now, actor=actor, what="factors-reset", about=principal.name))

    def _kept_password(self, principal: Principal | None) -> str | None:
        if principal is None:
            return None
        found = self._store.row("SELECT kept FROM passwords WHERE principal = ?", principal.id)
        return None if found is None else str(found[0])

    def _keep(self, principal: Principal, kept: str, now: float) -> None:
        self._store.change(
            "INSERT OR REPLACE INTO passwords (principal, kept, set_at) VALUES (?, ?, ?)",
            principal.id,
            kept,
            now,
        )

    def _generated(self, principal: Principal, code: str, now: float) -> bool:
        found = self._store.row(
            "SELECT sealed, counter FROM code_generators WHERE principal = ?", principal.id
        )
        if found is None:
            return False
        key = self._store.unseal(found[0], _sealed_for(principal))
        counter = totp.matching_counter(key, code, now, after=found[1])
        if counter is None:
            return False
        # Of two who show the same code at the same moment, one changes the row.
        return bool(
            self._store.change(
                "UPDATE code_generators SET counter = ? WHERE principal = ? AND counter < ?",
                counter,
                principal.id,
                counter,
            )
        )

    def _recovered(self, principal: Principal, code: str, now: float) -> bool:
        used = self._store.change(
            "DELETE FROM recovery_codes WHERE hash = ? AND principal = ?",
            fingerprint(normalised_code(code)),
            principal.id,
        )
        if used:
            left = f"{self.recovery_codes_left(principal)} left"
            self._store.note(
                Entry(
                    at=now, actor=principal.name, what="recovery-code-used", about=principal.name, words=left
                )
            )
        return bool(used)

    def _new_recovery_codes(self, principal: Principal) -> tuple[Secret, ...]:
        self._store.change("DELETE FROM recovery_codes WHERE principal = ?", principal.id)
        codes = tuple(recovery_code() for _ in range(RECOVERY_CODES))
        for code in codes:
            self._store.change(
                "INSERT INTO recovery_codes (hash, principal) VALUES (?, ?)",
                fingerprint(code.reveal()),
                principal.id,
            )
        return codes


def _pending(principal: Principal) -> str:
    return f"code-generator-of-{principal.id}-unconfirmed"


def _sealed_for(principal: Principal) -> str:
    return f"code-generator-of-{principal.id}"


@functools.cache
def _nobody() -> str:
    """Compared with where there is no password, so that the time taken does not tell that there is none."""
    return passwords.hashed("nobody has this password")
