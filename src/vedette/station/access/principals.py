"""Who can act: persons, programs and officers, and what it means that one of them is authenticated.

A *person* works at the desk or on the station and signs in with two factors. An *officer* is outside and
is known by the certificate or the link on a phone. A *program* has a token. Names are never used again,
so that a name in the record means one and the same for ever.
"""

import re
import unicodedata
from typing import Literal, get_args

from msgspec import Struct

from vedette.model.errors import ConfigError

Kind = Literal["person", "program", "officer"]
Role = Literal["watch-officer", "supervisor", "analyst", "technician", "administrator", "officer"]
Method = Literal["password", "security-key", "token", "certificate", "phone", "demo"]

ROLES: tuple[Role, ...] = get_args(Role)
VIA: dict[Method, str] = {
    "password": "console",
    "security-key": "console",
    "token": "api",
    "certificate": "cot",
    "phone": "phone",
    "demo": "demo",
}
"""What stands in `Action.via` for each way of showing who one is."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_MOST_DISPLAY = 80
_RESERVED = frozenset({"vedette", "station", "system"})


class Principal(Struct, frozen=True, kw_only=True):
    """One who can act. ``name`` is unique for ever; ``unit`` is the unit that an officer speaks for."""

    id: int
    name: str
    kind: Kind
    roles: tuple[Role, ...] = ()
    display: str = ""
    unit: str | None = None
    disabled: bool = False


class Authenticated(Struct, frozen=True, kw_only=True):
    """A principal that has just shown who it is, and how.

    ``second_factor``: it was shown by two factors, or by one that cannot be guessed. ``fresh``: not a
    desk that nobody has touched for a while. ``scopes``: what a token is limited to (None: no limit).
    """

    principal: Principal
    method: Method
    second_factor: bool = False
    fresh: bool = True
    scopes: tuple[str, ...] | None = None

    @property
    def actor(self) -> str:
        """What stands in `Action.actor`."""
        return self.principal.name

    @property
    def via(self) -> str:
        """What stands in `Action.via`."""
        return VIA[self.method]


def is_name(text: str) -> bool:
    """Whether it can be the name of a principal."""
    return _NAME.fullmatch(text) is not None and text not in _RESERVED


def check_name(name: str) -> str:
    """``name`` if it can be that of a principal. Raises ConfigError."""
    if not is_name(name):
        raise ConfigError(
            f"{name!r} cannot be a name: 1 to 32 of a-z, 0-9, '.', '_' and '-', the first a letter or a"
            f" digit, and none of {', '.join(sorted(_RESERVED))}"
        )
    return name


def check_display(text: str) -> str:
    """``text`` as it may be shown for a name: printable and of no more than 80 characters, NFC. What could
    disguise itself on a page or in a record (control and direction characters) is a ConfigError."""
    shown = unicodedata.normalize("NFC", text.strip())
    if len(shown) > _MOST_DISPLAY or not all(char.isprintable() for char in shown):
        raise ConfigError(f"{text!r} cannot be shown: up to {_MOST_DISPLAY} printable characters")
    return shown


def check_roles(kind: Kind, roles: tuple[str, ...]) -> tuple[Role, ...]:
    """The roles in their order, each once. An officer has that role alone, a program none. Raises
    ConfigError."""
    unknown = sorted(set(roles) - set(ROLES))
    if unknown:
        raise ConfigError(f"there is no role {', '.join(unknown)}; there are {', '.join(ROLES)}")
    held = tuple(role for role in ROLES if role in roles)
    if kind == "officer" and held != ("officer",):
        raise ConfigError("an officer outside has the role officer and no other")
    if kind == "program" and held:
        raise ConfigError("a program has no role; its token says what it may do")
    if kind == "person" and (not held or "officer" in held):
        desk = ", ".join(role for role in ROLES if role != "officer")
        raise ConfigError(f"a person needs at least one role of {desk}")
    return held
