"""A store of accounts with a person, an officer and a program in it, and a clock that tests turn."""

import base64
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from vedette.station.access import authority, passwords, totp
from vedette.station.access.doorkeeper import Attempt, Doorkeeper
from vedette.station.access.principals import Principal
from vedette.station.access.secret import Secret

T0 = 1_790_000_000.0
GOOD = "seven geese over the river"


@pytest.fixture(autouse=True)
def cheap_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same function with less work: these tests are about what is decided."""
    monkeypatch.setattr(passwords, "COST", passwords.Cost(64, 1, 1))
    monkeypatch.setattr(authority, "SEALING", passwords.Cost(64, 1, 1))


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Doorkeeper]:
    keeper = Doorkeeper(tmp_path / "state", "Testfield")
    yield keeper
    keeper.close()


class Desk:
    """A person with password and code generator, as far as a browser goes."""

    def __init__(self, door: Doorkeeper, name: str, roles: tuple[str, ...], now: float = T0) -> None:
        self.door, self.name, self.password = door, name, GOOD
        self.principal: Principal = door.people.add("test", name, "person", roles, now)
        door.factors.set_password("test", self.principal, GOOD, now)
        self.key = key_of(door.factors.begin_codes(self.principal).uri)
        code = totp.hotp(self.key, self._at(now) - 1)
        self.paper = door.factors.confirm_codes("test", self.principal, code, now)
        self.device: Secret | None = None

    def _at(self, now: float) -> int:
        return totp.counter_at(now)

    def code(self, now: float) -> str:
        return totp.hotp(self.key, self._at(now))

    def attempt(self, now: float, **changes: object) -> Attempt:
        fields: dict[str, object] = {
            "name": self.name,
            "password": Secret(self.password),
            "code": Secret(self.code(now)),
            "address": "192.0.2.7",
            "device": self.device,
        }
        return Attempt(**{**fields, **changes})  # type: ignore[arg-type]

    def wrong(self, now: float, **changes: object) -> Attempt:
        return self.attempt(now, **{"password": Secret("not the password"), **changes})


def key_of(uri: Secret) -> bytes:
    """The secret in the address for a code generator."""
    text = parse_qs(urlsplit(uri.reveal()).query)["secret"][0]
    return base64.b32decode(text + "=" * (-len(text) % 8))


@pytest.fixture
def make_desk(door: Doorkeeper) -> Callable[..., Desk]:
    return lambda name, *roles, now=T0: Desk(door, name, roles, now)


@pytest.fixture
def desk(door: Doorkeeper) -> Desk:
    return Desk(door, "anna", ("watch-officer",))


@pytest.fixture
def random_text() -> Callable[[], str]:
    return lambda: secrets.token_urlsafe(24)
