"""Secrets: made at random, shown once, kept as hashes, and never in a repr, a log or an error."""

import hashlib
import hmac
import secrets

RANDOM_BYTES = 32
_GROUP, _GROUPS = 4, 4
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without 0 o 1 i l: recovery codes are read from paper, by tired people."""


class Secret:
    """Text that shows itself only when it is asked to (`reveal`)."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(hidden)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, fingerprint(self._text)))

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written anywhere")


def random_secret(prefix: str = "") -> Secret:
    """A new secret of 256 random bits that can stand in a URL. The prefix lets a scanner of leaked
    secrets, and a person, see what it is."""
    return Secret(prefix + secrets.token_urlsafe(RANDOM_BYTES))


def recovery_code() -> Secret:
    """A new code of 79 random bits to be written on paper."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return Secret("-".join(groups))


def normalised_code(text: str) -> str:
    """A recovery code as it was made, however it was typed."""
    bare = "".join(char for char in text.lower() if char.isascii() and char.isalnum())
    return "-".join(bare[i : i + _GROUP] for i in range(0, len(bare), _GROUP))


def fingerprint(text: str) -> bytes:
    """What is kept of a random secret. It holds so many random bits that a fast hash is enough; finding
    it by its hash leaks nothing, for nobody can steer what a hash begins with."""
    return hashlib.sha256(b"vedette access 1\0" + text.encode("utf-8", "replace")).digest()
