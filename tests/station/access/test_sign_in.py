"""Signing in: two factors, waits that cannot lock anybody out for good, first administrator, reset."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from vedette.model.errors import ConfigError
from vedette.station.access import passwords, totp
from vedette.station.access.doorkeeper import MOST_WAITING, Attempt, Doorkeeper
from vedette.station.access.refusal import WRONG, Refused
from vedette.station.access.secret import Secret

T0 = 1_790_000_000.0
DAY = 86400.0

Desk = Any


def refused(call: Callable[..., object], *arguments: object) -> Refused:
    with pytest.raises(Refused) as caught:
        call(*arguments)
    return caught.value


def test_password_and_code_let_in(door: Doorkeeper, desk: Desk) -> None:
    signed = door.sign_in(desk.attempt(T0), T0)
    assert (signed.who.actor, signed.who.via, signed.who.second_factor) == ("anna", "console", True)
    assert door.by_session(signed.session, T0 + 1) == signed.who


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"password": Secret("eight geese over the river")}, "wrong password"),
        ({"password": Secret("")}, "wrong password"),
        ({"code": Secret("000000")}, "wrong code"),
        ({"code": Secret("")}, "wrong code"),
        ({"name": "nobody"}, "wrong password"),
        ({"name": "ANNA"}, "wrong password"),
        ({"name": "anna'; --"}, "wrong password"),
        ({"name": "\ud800" * 5000}, "wrong password"),
        ({"address": "\ud800", "name": ""}, "wrong password"),
        ({"password": Secret("x" * 10_000_000)}, "wrong password"),
    ],
)
def test_whatever_is_wrong_the_answer_is_the_same(
    door: Doorkeeper, desk: Desk, changes: dict[str, object], cause: str
) -> None:
    error = refused(door.sign_in, desk.attempt(T0, **changes), T0)
    assert str(error) == WRONG
    assert cause in door.store.history()[0].words


def test_one_who_is_not_there_costs_as_much_hashing(door: Doorkeeper, desk: Desk, monkeypatch: Any) -> None:
    calls = []
    made = passwords.matches
    monkeypatch.setattr(passwords, "matches", lambda *a: calls.append(a) or made(*a))
    refused(door.sign_in, desk.wrong(T0), T0)
    refused(door.sign_in, desk.wrong(T0, name="nobody"), T0)
    assert len(calls) == 2


def test_a_code_is_good_once(door: Doorkeeper, desk: Desk) -> None:
    door.sign_in(desk.attempt(T0), T0)
    refused(door.sign_in, desk.attempt(T0), T0 + 1)
    door.sign_in(desk.attempt(T0 + 30), T0 + 30)


def test_of_many_with_the_same_code_at_once_one_is_let_in(door: Doorkeeper, desk: Desk) -> None:
    start = threading.Barrier(8)

    def together(number: int) -> bool:
        start.wait()
        try:
            door.sign_in(desk.attempt(T0, address=f"192.0.2.{number}"), T0)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(together, range(8))) == 1


def test_the_code_is_not_used_up_by_one_without_the_password(door: Doorkeeper, desk: Desk) -> None:
    refused(door.sign_in, desk.wrong(T0), T0)
    door.sign_in(desk.attempt(T0), T0)


def test_a_code_on_paper_is_good_once_however_it_is_typed(door: Doorkeeper, desk: Desk) -> None:
    typed = Secret("  " + desk.paper[3].reveal().upper().replace("-", " "))
    door.sign_in(desk.attempt(T0, code=typed), T0)
    refused(door.sign_in, desk.attempt(T0, code=typed), T0 + 1)
    assert door.factors.recovery_codes_left(desk.principal) == 9


def test_nobody_uses_the_paper_of_somebody_else(door: Doorkeeper, make_desk: Callable[..., Desk]) -> None:
    anna, ben = make_desk("anna", "watch-officer"), make_desk("ben", "supervisor")
    refused(door.sign_in, anna.attempt(T0, code=ben.paper[0]), T0)


def test_without_a_second_factor_one_is_known_and_may_only_set_it_up(door: Doorkeeper) -> None:
    person = door.people.add("test", "carl", "person", ("supervisor",), T0)
    door.factors.set_password("test", person, "seven geese over the river", T0)
    attempt = Attempt(name="carl", password=Secret("seven geese over the river"), address="::1")
    who = door.sign_in(attempt, T0).who
    assert not who.second_factor
    door.require(who, "own-credentials", T0)
    refused(door.require, who, "acknowledge-desk", T0)


def test_wrong_attempts_make_a_stranger_wait_and_the_wait_doubles(door: Doorkeeper, desk: Desk) -> None:
    now, waits = T0, []
    for _ in range(12):
        error = refused(door.sign_in, desk.wrong(now), now)
        while error.wait_s:
            waits.append(error.wait_s)
            now += error.wait_s
            error = refused(door.sign_in, desk.wrong(now), now)
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]


def test_what_is_tried_during_a_wait_is_not_looked_at_and_makes_it_no_longer(
    door: Doorkeeper, desk: Desk, monkeypatch: Any
) -> None:
    for _ in range(10):
        now = T0 + 100 * _
        refused(door.sign_in, desk.wrong(now), now)
    monkeypatch.setattr(passwords, "matches", lambda *_: pytest.fail("it was looked at"))
    waits = [refused(door.sign_in, desk.attempt(now + s), now + s).wait_s for s in (0, 1, 5, 10)]
    assert waits == [16.0, 15.0, 11.0, 6.0]


def test_an_attacker_cannot_keep_a_watch_officer_out(door: Doorkeeper, desk: Desk) -> None:
    """Day and night, from everywhere, in her name: on her own device she gets in at the first attempt."""
    desk.device = door.sign_in(desk.attempt(T0), T0).device
    now = T0 + 60
    for number in range(300):
        for address in (f"198.51.100.{number % 250}", "192.0.2.7"):
            error = refused(door.sign_in, desk.wrong(now, device=None, address=address), now)
        now += error.wait_s
    assert error.wait_s > 100.0
    assert door.sign_in(desk.attempt(now), now).who.actor == "anna"


def test_a_stolen_mark_of_a_device_is_worth_little(door: Doorkeeper, make_desk: Callable[..., Desk]) -> None:
    anna, ben = make_desk("anna", "watch-officer"), make_desk("ben", "supervisor")
    device = door.sign_in(anna.attempt(T0), T0).device
    for second in range(6):
        refused(door.sign_in, anna.wrong(T0 + second, device=device), T0 + second)
    assert refused(door.sign_in, anna.wrong(T0 + 5, device=device), T0 + 5).wait_s == 1.0
    # Of somebody else it is no known device, but any.
    for _ in range(7):
        last = refused(door.sign_in, ben.wrong(T0 + 5, device=device, address="::2"), T0 + 5)
    assert last.wait_s == 1.0


def test_a_right_sign_in_does_not_wash_away_what_others_tried(door: Doorkeeper, desk: Desk) -> None:
    for second in range(5):
        refused(door.sign_in, desk.wrong(T0 + second, address="198.51.100.1"), T0 + second)
    door.sign_in(desk.attempt(T0 + 60), T0 + 60)
    refused(door.sign_in, desk.wrong(T0 + 90, address="198.51.100.2"), T0 + 90)
    assert refused(door.sign_in, desk.wrong(T0 + 90, address="198.51.100.2"), T0 + 90).wait_s == 1.0


def test_one_address_that_tries_many_names_is_slowed(door: Doorkeeper) -> None:
    for number in range(21):
        attempt = Attempt(name=f"name-{number}", password=Secret("x"), address="198.51.100.1")
        refused(door.sign_in, attempt, T0)
    error = refused(door.sign_in, attempt, T0)
    assert error.wait_s == 1.0


def test_a_flood_of_names_makes_no_tally_forgotten(door: Doorkeeper, desk: Desk, monkeypatch: Any) -> None:
    from vedette.station.access import attempts

    monkeypatch.setattr(attempts, "MOST_TALLIES", 20)
    for _ in range(7):
        now = T0 + 10 * _
        refused(door.sign_in, desk.wrong(now), now)
    for number in range(100):
        attempt = Attempt(name=f"name-{number}", password=Secret("x"), address=f"198.51.100.{number}")
        refused(door.sign_in, attempt, T0 + 61)
    assert refused(door.sign_in, desk.wrong(T0 + 61), T0 + 61).wait_s > 0.0
    assert door.store.rows("SELECT count(*) FROM tallies")[0][0] <= 20


def test_a_clock_that_is_set_back_makes_nobody_wait_longer(door: Doorkeeper, desk: Desk) -> None:
    for _ in range(20):
        now = T0 + 1000 * _
        refused(door.sign_in, desk.wrong(now), now)
    assert refused(door.sign_in, desk.attempt(T0), T0).wait_s <= 900.0


def test_beside_the_event_loop_strangers_are_turned_away_and_known_people_are_not(
    door: Doorkeeper, desk: Desk, monkeypatch: Any
) -> None:
    desk.device = door.sign_in(desk.attempt(T0), T0).device
    gate = threading.Event()
    matches = passwords.matches
    monkeypatch.setattr(passwords, "matches", lambda *a: gate.wait(30) and matches(*a))

    async def crowd() -> tuple[list[object], object]:
        strangers = [
            asyncio.create_task(
                door.sign_in_soon(Attempt(name=f"n{i}", password=Secret("x"), address=f"::{i}"), T0 + 60)
            )
            for i in range(MOST_WAITING + 5)
        ]
        await asyncio.sleep(0)
        anna = asyncio.create_task(door.sign_in_soon(desk.attempt(T0 + 60), T0 + 60))
        await asyncio.sleep(0)
        gate.set()
        return await asyncio.gather(*strangers, return_exceptions=True), await anna

    errors, signed = asyncio.run(crowd())
    assert sum("many are signing in" in str(error) for error in errors) == 5
    assert signed.who.actor == "anna"  # type: ignore[attr-defined]


def test_the_first_administrator_comes_by_a_link_that_is_good_once(door: Doorkeeper) -> None:
    link = door.first_link(T0)
    assert link is not None
    principal, setup = door.make_first_administrator(link, "olga", T0 + 60)
    assert principal.roles == ("administrator",)
    assert door.first_link(T0 + 61) is None
    refused(door.make_first_administrator, link, "mallory", T0 + 61)
    _, codes = door.begin_setup(setup, T0 + 62)
    key = _key(codes.uri)
    with pytest.raises(ConfigError, match="characters"):
        door.finish_setup(setup, Secret("short"), Secret(totp.hotp(key, totp.counter_at(T0 + 62))), T0 + 62)
    with pytest.raises(ConfigError, match="not the code"):
        door.finish_setup(setup, Secret("a sentence about geese"), Secret("123456"), T0 + 62)
    paper = door.finish_setup(
        setup, Secret("a sentence about geese"), Secret(totp.hotp(key, totp.counter_at(T0 + 62))), T0 + 62
    )
    assert len({code.reveal() for code in paper}) == 10
    refused(door.begin_setup, setup, T0 + 63)
    later = T0 + 120
    attempt = Attempt(
        name="olga",
        password=Secret("a sentence about geese"),
        code=Secret(totp.hotp(key, totp.counter_at(later))),
        address="::1",
    )
    door.require(door.sign_in(attempt, later).who, "manage-principals", later)


def test_links_grow_old_and_the_newest_counts(door: Doorkeeper) -> None:
    old, new = door.first_link(T0), door.first_link(T0 + 1)
    assert old is not None
    assert new is not None
    for link, now in ((old, T0 + 2), (new, T0 + 2 * 3600.0), (Secret(""), T0), (Secret("vdl_x"), T0)):
        refused(door.make_first_administrator, link, "mallory", now)
    door.make_first_administrator(new, "olga", T0 + 5)


def test_a_bad_name_does_not_use_the_first_link_up(door: Doorkeeper) -> None:
    link = door.first_link(T0)
    assert link is not None
    with pytest.raises(ConfigError):
        door.make_first_administrator(link, "Olga Petrova", T0)
    door.make_first_administrator(link, "olga", T0)


def test_a_link_of_one_purpose_is_worth_nothing_for_another(door: Doorkeeper, desk: Desk) -> None:
    link = door.first_link(T0)
    assert link is not None
    refused(door.by_phone_link, link, T0)
    refused(door.begin_setup, link, T0)


def test_a_reset_takes_everything_away_and_gives_a_link(door: Doorkeeper, desk: Desk) -> None:
    signed = door.sign_in(desk.attempt(T0), T0)
    link = door.reset("test", "anna", T0 + 1)
    refused(door.by_session, signed.session, T0 + 2)
    refused(door.sign_in, desk.attempt(T0 + 60), T0 + 60)
    principal, _ = door.begin_setup(link, T0 + 61)
    assert principal.name == "anna"


def test_a_disabled_account_is_out_at_once_and_says_nothing(door: Doorkeeper, desk: Desk) -> None:
    signed = door.sign_in(desk.attempt(T0), T0)
    door.people.disable("test", "anna", T0 + 1)
    refused(door.by_session, signed.session, T0 + 1)
    assert str(refused(door.sign_in, desk.attempt(T0 + 60), T0 + 60)) == WRONG
    door.people.enable("test", "anna", T0 + 61)
    door.sign_in(desk.attempt(T0 + 90), T0 + 90)


def test_the_store_outlives_a_restart(tmp_path: Path, door: Doorkeeper, desk: Desk) -> None:
    signed = door.sign_in(desk.attempt(T0), T0)
    door.close()
    again = Doorkeeper(tmp_path / "state", "Testfield")
    try:
        assert again.by_session(signed.session, T0 + 1) == signed.who
        refused(again.sign_in, desk.attempt(T0), T0 + 1)
    finally:
        again.close()


def test_refusals_stand_in_the_history_with_who_and_why(door: Doorkeeper, desk: Desk) -> None:
    who = door.sign_in(desk.attempt(T0), T0).who
    refused(door.require, who, "manage-principals", T0 + 1)
    entry = door.store.history()[0]
    assert (entry.what, entry.about) == ("refused", "anna")
    assert "administrator" in entry.words


def _key(uri: Secret) -> bytes:
    import base64
    from urllib.parse import parse_qs, urlsplit

    text = parse_qs(urlsplit(uri.reveal()).query)["secret"][0]
    return base64.b32decode(text + "=" * (-len(text) % 8))
