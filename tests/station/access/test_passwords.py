"""Passwords: what is kept of them, and which are refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.model.errors import ConfigError
from vedette.station.access import passwords
from vedette.station.access.passwords import Cost

CHEAP = Cost(64, 1, 1)
MADE = {cost: passwords.hashed("seven geese over the river", cost) for cost in (CHEAP, Cost(128, 2, 2))}


@settings(max_examples=30)
@given(st.text(max_size=60), st.text(max_size=60))
def test_only_the_password_matches(one: str, other: str) -> None:
    import unicodedata

    kept = passwords.hashed(one, CHEAP)
    same = unicodedata.normalize("NFKC", one) == unicodedata.normalize("NFKC", other)
    assert passwords.matches(one, kept)
    assert passwords.matches(other, kept) is same


def test_the_vector_of_another_implementation() -> None:
    """As argon2-cffi, which wraps the reference implementation, makes it (t=2, m=65536, p=4)."""
    kept = "$argon2id$v=19$m=65536,t=2,p=4$c29tZXNhbHQ$GpZ3sK/oH9p7VIiV56G/64Zo/8GaUw434IimaPqxwCo"
    assert passwords.matches("password", kept)
    assert not passwords.matches("passwore", kept)


def test_the_same_password_is_kept_differently_each_time() -> None:
    assert passwords.hashed("seven geese over the river", CHEAP) != MADE[CHEAP]


def test_what_is_kept_says_how_it_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(passwords.matches("seven geese over the river", kept) for kept in MADE.values())
    monkeypatch.setattr(passwords, "COST", CHEAP)
    assert [passwords.is_outdated(kept) for kept in MADE.values()] == [False, True]


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "$",
        "seven geese over the river",
        MADE[CHEAP].replace("argon2id", "argon2i"),
        MADE[CHEAP].replace("v=19", "v=16"),
        MADE[CHEAP].replace("m=64", "m=99999999"),
        MADE[CHEAP].replace("t=1", "t=0"),
        MADE[CHEAP].replace("p=1", "p=99"),
        MADE[CHEAP][:-4],
        MADE[CHEAP] + "$x",
        "$argon2id$v=19$m=64,t=1,p=1$%%%%$!!!!",
    ],
    ids=[
        "empty",
        "no-parts",
        "plain",
        "kind",
        "version",
        "memory",
        "rounds",
        "lanes",
        "cut",
        "tail",
        "base64",
    ],
)
def test_what_cannot_be_read_matches_nothing(kept: str) -> None:
    assert not passwords.matches("seven geese over the river", kept)
    assert passwords.is_outdated(kept)


@pytest.mark.parametrize(
    "password",
    ["", "short", "passwordpassword", "Anna-Anna-Anna-1", "aaaaaaaaaaaaaaaaaaaa", "qwerty123456!", "x" * 257],
)
def test_what_is_easy_to_guess_is_refused_without_being_shown(password: str) -> None:
    with pytest.raises(ConfigError) as refused:
        passwords.check_password(password, "anna")
    assert not password or password not in str(refused.value)


@pytest.mark.parametrize("password", ["seven geese over the river", "Überall liegt Schnee", "kJ8#mq!2Lz0w"])
def test_good_passwords_pass(password: str) -> None:
    passwords.check_password(password, "anna")
