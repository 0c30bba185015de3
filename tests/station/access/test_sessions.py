"""Sessions and tokens under a clock that tests turn: they rest, end, and never come back."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.errors import ConfigError, VedetteError
from vedette.station.access.doorkeeper import Doorkeeper
from vedette.station.access.permissions import PROGRAM_SCOPES, About, allowed
from vedette.station.access.refusal import Refused
from vedette.station.access.secret import Secret
from vedette.station.access.sessions import DESK, MOST_SESSIONS, PHONE, state_of

T0 = 1_790_000_000.0
HOUR, DAY = 3600.0, 86400.0

Desk = Any


@given(st.floats(0, 4e9), st.floats(0, 4e9), st.floats(0, 4e9), st.sampled_from([DESK, PHONE]))
def test_what_is_over_stays_over(touched: float, expires: float, now: float, terms: Any) -> None:
    state = state_of(touched, expires, now, terms)
    assert (state == "expired") is (now >= expires)
    if state == "resting":
        assert state_of(touched, expires, now + 60, terms) in ("resting", "expired")


def test_a_desk_that_nobody_touches_rests_and_still_shows_the_picture(door: Doorkeeper, desk: Desk) -> None:
    session = door.sign_in(desk.attempt(T0), T0).session
    who = door.by_session(session, T0 + 3 * HOUR)
    assert not who.fresh
    assert allowed(who, "view-picture").granted
    assert not allowed(who, "acknowledge-desk").granted


def test_touches_keep_it_awake_until_the_shift_is_over(door: Doorkeeper, desk: Desk) -> None:
    session = door.sign_in(desk.attempt(T0), T0).session
    for minute in range(0, 13 * 60, 30):
        now = T0 + 60 * minute
        assert door.by_session(session, now).fresh
        door.touch(session, now)
    with pytest.raises(Refused):
        door.by_session(session, T0 + 13 * HOUR)


def test_a_touch_does_not_wake_a_resting_desk_and_a_code_does(door: Doorkeeper, desk: Desk) -> None:
    session, now = door.sign_in(desk.attempt(T0), T0).session, T0 + 3 * HOUR
    door.touch(session, now)
    assert not door.by_session(session, now).fresh
    with pytest.raises(Refused):
        door.confirm(session, desk.attempt(now, code=Secret("000000")), now)
    assert door.confirm(session, desk.attempt(now), now).fresh
    with pytest.raises(Refused):
        door.by_session(session, T0 + 13 * HOUR)


def test_the_password_wakes_it_too_and_that_of_another_does_not(
    door: Doorkeeper, make_desk: Callable[..., Desk]
) -> None:
    anna, ben = make_desk("anna", "watch-officer"), make_desk("ben", "supervisor")
    session, now = door.sign_in(anna.attempt(T0), T0).session, T0 + 3 * HOUR
    with pytest.raises(Refused):
        door.confirm(session, ben.attempt(now), now)
    with pytest.raises(Refused):
        door.confirm(session, anna.wrong(now, code=Secret("")), now)
    assert door.confirm(session, anna.attempt(now, code=Secret("")), now).fresh


def test_a_session_that_was_ended_is_no_session(door: Doorkeeper, desk: Desk) -> None:
    session = door.sign_in(desk.attempt(T0), T0).session
    door.sign_out(session)
    for token in (session, Secret(""), Secret("vds_"), Secret("x" * 100_000), Secret("\ud800")):
        with pytest.raises(Refused):
            door.by_session(token, T0)


def test_a_person_has_only_so_many_sessions(door: Doorkeeper, desk: Desk) -> None:
    sessions = [
        door.sessions.begin(desk.principal, "password", True, T0 + n) for n in range(MOST_SESSIONS + 3)
    ]
    with pytest.raises(Refused):
        door.by_session(sessions[2], T0 + 60)
    assert door.by_session(sessions[3], T0 + 60).actor == "anna"


def test_roles_that_change_hold_from_the_next_request(door: Doorkeeper, desk: Desk) -> None:
    session = door.sign_in(desk.attempt(T0), T0).session
    door.people.change_roles("test", "anna", ("analyst",), T0 + 1)
    who = door.by_session(session, T0 + 2)
    assert not allowed(who, "acknowledge-desk").granted
    assert allowed(who, "view-record").granted


def test_a_full_disk_turns_no_desk_away(door: Doorkeeper, desk: Desk, monkeypatch: Any) -> None:
    session = door.sign_in(desk.attempt(T0), T0).session
    program = door.people.add("test", "radar", "program", (), T0)
    token = door.tokens.make("test", program, "", ("submit-detections",), T0)

    def full(sql: str, *values: object) -> int:
        raise VedetteError("database or disk is full")

    monkeypatch.setattr(door.store, "change", full)
    monkeypatch.setattr(door.store, "insert", full)
    door.touch(session, T0 + 120)
    assert door.by_session(session, T0 + 120).actor == "anna"
    assert door.by_token(token, T0 + 120).actor == "radar"
    with pytest.raises(Refused):
        door.require(door.by_session(session, T0 + 120), "drill", T0 + 120)


def test_a_phone_link_is_good_once_and_the_phone_stays_known(door: Doorkeeper) -> None:
    officer = door.people.add("test", "delta-2", "officer", ("officer",), T0, unit="UNIT-2")
    link = door.links.make("phone", officer, T0)
    who, session = door.by_phone_link(link, T0 + HOUR)
    assert (who.actor, who.via, who.principal.unit) == ("delta-2", "phone", "UNIT-2")
    with pytest.raises(Refused):
        door.by_phone_link(link, T0 + HOUR)
    weeks_later = door.by_session(session, T0 + 100 * DAY)
    assert weeks_later.fresh
    assert allowed(weeks_later, "acknowledge-own", About(unit="UNIT-2")).granted
    with pytest.raises(Refused):
        door.by_session(session, T0 + 181 * DAY)


def test_nobody_speaks_for_the_unit_of_somebody_else(door: Doorkeeper) -> None:
    for name, unit in (("delta-2", "UNIT-2"), ("delta-3", None)):
        officer = door.people.add("test", name, "officer", ("officer",), T0, unit=unit)
        who, _ = door.by_phone_link(door.links.make("phone", officer, T0), T0)
        with pytest.raises(Refused, match="UNIT"):
            door.claim_unit(who, "UNIT-2" if unit is None else "UNIT-9", T0)
    bound = door.claim_unit(who, "UNIT-3", T0)
    assert bound.principal.unit == "UNIT-3"
    assert door.claim_unit(bound, "UNIT-3", T0) == bound
    with pytest.raises(Refused):
        door.claim_unit(bound, "UNIT-4", T0)


def test_a_token_is_shown_once_and_carries_its_scopes(door: Doorkeeper) -> None:
    program = door.people.add("test", "radar", "program", (), T0)
    token = door.tokens.make("test", program, "north mast", ("view-picture", "submit-detections"), T0)
    assert token.reveal().startswith("vdt_")
    who = door.by_token(token, T0 + 1)
    assert (who.actor, who.via, who.scopes) == ("radar", "api", ("view-picture", "submit-detections"))
    (kept,) = door.tokens.all()
    assert (kept.principal, kept.label, kept.used, kept.revoked) == ("radar", "north mast", T0 + 1, False)


@pytest.mark.parametrize("why", ["revoked", "expired", "disabled", "unknown"])
def test_a_token_that_is_no_longer_good(door: Doorkeeper, why: str) -> None:
    program = door.people.add("test", "radar", "program", (), T0)
    token, now = door.tokens.make("test", program, "", ("view-picture",), T0, lasts_s=DAY), T0 + 1
    if why == "revoked":
        door.tokens.revoke("test", 1, now)
        with pytest.raises(ConfigError):
            door.tokens.revoke("test", 1, now)
    elif why == "disabled":
        door.people.disable("test", "radar", now)
    elif why == "expired":
        now = T0 + DAY
    else:
        token = Secret(token.reveal()[:-1])
    with pytest.raises(Refused):
        door.by_token(token, now)


@pytest.mark.parametrize("scope", ["acknowledge-desk", "manage-principals", "view-operators", "everything"])
def test_no_token_carries_what_only_a_person_may_do(door: Doorkeeper, scope: str) -> None:
    program = door.people.add("test", "radar", "program", (), T0)
    assert scope not in PROGRAM_SCOPES
    with pytest.raises(ConfigError, match=scope):
        door.tokens.make("test", program, "", (scope, "view-picture"), T0)


def test_tokens_are_for_programs_and_not_for_ever(door: Doorkeeper, desk: Desk) -> None:
    program = door.people.add("test", "radar", "program", (), T0)
    for principal, scopes, lasts_s in (
        (desk.principal, ("view-picture",), DAY),
        (program, (), DAY),
        (program, ("view-picture",), 1000 * DAY),
        (program, ("view-picture",), 0.0),
    ):
        with pytest.raises(ConfigError):
            door.tokens.make("test", principal, "", scopes, T0, lasts_s)
