"""The security keys in the store, and the questions that they answer.

A question (challenge) is not kept: it carries its own end and a mark of the station. So nobody can use up
the room for questions by asking for many. An answer is good once.
"""

import math
import secrets
import struct
from typing import Any

from msgspec import Struct

from vedette.model.errors import ConfigError
from vedette.station.access import webauthn
from vedette.station.access.principals import Principal, check_display
from vedette.station.access.refusal import Refused
from vedette.station.access.secret import fingerprint
from vedette.station.access.store import Entry, Store
from vedette.station.access.webauthn import Site, WebAuthnError, encoded

ANSWER_S = 300.0
"""How long a question is good."""
MOST_KEYS = 8
"""Of one person."""
_NONCE, _MARK = 16, 16


class KeyAnswer(Struct, frozen=True, kw_only=True):
    """What ``navigator.credentials.get`` returned: ``rawId`` and the three parts of ``response``."""

    key_id: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes


class SecurityKeys:
    """Registers security keys and checks what they sign. Needs the page's own host and origin (`Site`)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def registration_options(self, principal: Principal, site: Site, now: float) -> dict[str, Any]:
        """What the page hands to ``navigator.credentials.create`` (bytes as base64url)."""
        known = self._store.rows("SELECT id FROM security_keys WHERE principal = ?", principal.id)
        return {
            "challenge": encoded(self._question(f"create {principal.id}", now)),
            "rp": {"id": site.rp_id, "name": "Vedette"},
            "user": {
                "id": encoded(struct.pack(">Q", principal.id)),
                "name": principal.name,
                "displayName": principal.display or principal.name,
            },
            "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in webauthn.ALGORITHMS],
            "excludeCredentials": [{"type": "public-key", "id": encoded(row[0])} for row in known],
            "authenticatorSelection": {"residentKey": "required", "userVerification": "required"},
            "attestation": "none",
            "timeout": int(ANSWER_S * 1000),
        }

    def register(
        self,
        principal: Principal,
        client_data: bytes,
        attestation_object: bytes,
        label: str,
        site: Site,
        now: float,
    ) -> None:
        """Take the key that the browser made. Raises ConfigError with what is wrong."""
        if principal.kind != "person":
            raise ConfigError(f"{principal.name} is no person of the desk and has no security key")
        shown = check_display(label)
        try:
            challenge = webauthn.challenge_of(client_data)
            key = webauthn.check_registration(client_data, attestation_object, challenge, site)
        except WebAuthnError as error:
            raise ConfigError(f"the security key was not taken: {error}") from None
        with self._store.transaction():
            self._answered(challenge, f"create {principal.id}", now)
            if len(self.labels(principal)) >= MOST_KEYS:
                raise ConfigError(f"{principal.name} has {MOST_KEYS} security keys already; remove one first")
            if self._store.row("SELECT 1 FROM security_keys WHERE id = ?", key.id):
                raise ConfigError("this security key is registered already")
            self._store.change(
                "INSERT INTO security_keys (id, principal, public_key, count, label, made_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                key.id,
                principal.id,
                key.public_key,
                key.count,
                shown,
                now,
            )
            name = principal.name
            self._store.note(Entry(at=now, actor=name, what="security-key-added", about=name, words=shown))

    def sign_in_options(self, site: Site, now: float) -> dict[str, Any]:
        """What the page hands to ``navigator.credentials.get``. It names nobody: a key knows its owner."""
        return {
            "challenge": encoded(self._question("get", now)),
            "rpId": site.rp_id,
            "userVerification": "required",
            "timeout": int(ANSWER_S * 1000),
        }

    def verify(self, answer: KeyAnswer, site: Site, now: float) -> int:
        """The principal (id) whose key has signed. Raises Refused."""
        client_data, key_id = answer.client_data, answer.key_id
        row = self._store.row("SELECT principal, public_key, count FROM security_keys WHERE id = ?", key_id)
        if row is None:
            raise Refused("this security key is not known here", "an unknown security key")
        try:
            challenge = webauthn.challenge_of(client_data)
            count = webauthn.check_assertion(
                client_data, answer.authenticator_data, answer.signature, challenge, site, row[1], row[2]
            )
        except WebAuthnError as error:
            raise Refused("the security key did not fit; try again", str(error)) from None
        with self._store.transaction():
            self._answered(challenge, "get", now)
            self._store.change("UPDATE security_keys SET count = ? WHERE id = ?", count, key_id)
        return int(row[0])

    def has_any(self, principal: Principal) -> bool:
        """Whether a security key is registered."""
        return bool(self.labels(principal))

    def labels(self, principal: Principal) -> tuple[str, ...]:
        """What the keys of a person are called."""
        rows = self._store.rows(
            "SELECT label FROM security_keys WHERE principal = ? ORDER BY made_at, id", principal.id
        )
        return tuple(str(row[0]) for row in rows)

    def _question(self, purpose: str, now: float) -> bytes:
        body = secrets.token_bytes(_NONCE) + struct.pack(">d", now + ANSWER_S)
        return body + self._store.mark(f"challenge {purpose}", body)[:_MARK]

    def _answered(self, challenge: bytes, purpose: str, now: float) -> None:
        """Check that the question was ours, is not too old and was not answered before. Raises Refused."""
        body, mark = challenge[:-_MARK], challenge[-_MARK:]
        ours = len(body) == _NONCE + 8 and secrets.compare_digest(
            self._store.mark(f"challenge {purpose}", body)[:_MARK], mark
        )
        (expires,) = struct.unpack_from(">d", body, _NONCE) if ours else (-math.inf,)
        if now >= expires:
            raise Refused("that took too long; try again", "a question that was not ours, or is too old")
        change = self._store.change
        change("DELETE FROM answered WHERE expires <= ?", now)
        used = fingerprint(challenge.hex())
        if not change("INSERT OR IGNORE INTO answered (hash, expires) VALUES (?, ?)", used, expires):
            raise Refused("that was answered already; try again", "an answer that was shown twice")
