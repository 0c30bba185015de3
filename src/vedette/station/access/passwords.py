"""Passwords: what is good enough, and what is kept of one (Argon2id, RFC 9106).

What is kept says how it was made, so that better parameters can be used later: who signs in with an old
one gets a new one. Passwords are compared as NFKC (NIST SP 800-63B, 5.1.1.2).
"""

import base64
import hmac
import os
import unicodedata

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from msgspec import Struct

from vedette.model.errors import ConfigError

LEAST, MOST = 12, 256
_COMMON = ("password", "passwort", "contrase", "qwerty", "123456", "letmein", "welcome", "vedette", "admin")
_LEFT_OVER = 6
"""Characters that must be left when the name and what is common are taken out."""


class Cost(Struct, frozen=True):
    """Parameters of Argon2id. One lane: a station has other work for its second core."""

    memory_kib: int = 64 * 1024
    passes: int = 3
    lanes: int = 1


COST = Cost()
_SALT, _LENGTH = 16, 32
_MOST_COST = Cost(1024 * 1024, 64, 16)
"""What is kept is read from a file: it cannot ask for more than this."""


def check_password(password: str, name: str) -> None:
    """Raises ConfigError, without the password, if it is too easy for ``name``."""
    plain = _normal(password)
    if not LEAST <= len(plain) <= MOST:
        raise ConfigError(
            f"the password needs {LEAST} to {MOST} characters; a sentence is easy to keep in mind"
        )
    bare = plain.casefold()
    for part in (name.casefold(), *_COMMON):
        bare = bare.replace(part, "")
    if len(bare) < _LEFT_OVER or len(set(plain)) < _LEFT_OVER:
        raise ConfigError("the password is too easy to guess; take a sentence of your own")


def hashed(password: str, cost: Cost | None = None) -> str:
    """What to keep of a password, in the PHC string format; ``cost``: other than `COST`."""
    cost = COST if cost is None else cost
    salt = os.urandom(_SALT)
    return _written(cost, salt, _derived(password, salt, cost))


def matches(password: str, kept: str) -> bool:
    """Whether it is the password. What is kept and cannot be read matches nothing."""
    read = _read(kept)
    if read is None:
        return False
    cost, salt, digest = read
    # Nothing longer was ever kept; it is hashed all the same, so that the time taken is the same.
    password = password[: MOST + 1]
    return hmac.compare_digest(_derived(password, salt, cost), digest)


def is_outdated(kept: str) -> bool:
    """Whether it should be made anew when the password is at hand."""
    read = _read(kept)
    return read is None or read[0] != COST


def _derived(password: str, salt: bytes, cost: Cost) -> bytes:
    argon = Argon2id(
        salt=salt,
        length=_LENGTH,
        iterations=cost.passes,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    )
    return argon.derive(_normal(password).encode("utf-8", "replace"))


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _written(cost: Cost, salt: bytes, digest: bytes) -> str:
    parameters = f"m={cost.memory_kib},t={cost.passes},p={cost.lanes}"
    return f"$argon2id$v=19${parameters}${_text(salt)}${_text(digest)}"


def _read(kept: str) -> tuple[Cost, bytes, bytes] | None:
    try:
        empty, kind, version, parameters, salt, digest = kept.split("$")
        memory, passes, lanes = (int(part[2:]) for part in parameters.split(","))
        cost, parts = Cost(memory, passes, lanes), (_bytes(salt), _bytes(digest))
    except ValueError:
        return None
    known = (empty, kind, version) == ("", "argon2id", "v=19") and len(parts[1]) == _LENGTH
    bounded = 8 <= memory <= _MOST_COST.memory_kib and 1 <= passes <= _MOST_COST.passes
    return (cost, *parts) if known and bounded and 1 <= lanes <= _MOST_COST.lanes else None


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
