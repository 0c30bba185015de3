"""The truth table: every permission for every role, written out once more by hand."""

import itertools

import pytest

from vedette.station.access.permissions import PERMISSIONS, PROGRAM_SCOPES, TABLE, About, allowed
from vedette.station.access.principals import ROLES, Authenticated, Method, Principal

ROWS = """
                      watch supervisor analyst technician administrator officer program
view-picture            x       x         x         x          x           .       x
view-people             x       x         x         .          .           .       x
view-operators          x       x         .         .          .           .       .
view-record             .       x         x         .          .           .       .
acknowledge-own         .       .         .         .          .           x       .
acknowledge-desk        x       x         .         .          .           .       .
acknowledge-for         x       x         .         .          .           .       .
downgrade               x       x         .         .          .           .       .
disposition             x       x         .         .          .           .       .
note                    x       x         x         x          .           .       .
shelve                  x       x         .         .          .           .       .
silence                 .       x         .         .          .           .       .
out-of-service          .       x         .         x          .           .       .
drill                   .       x         .         .          .           .       .
self-test               x       x         .         x          .           .       x
export                  .       x         x         .          .           .       x
export-people           .       x         .         .          .           .       .
legal-hold              .       x         .         .          .           .       .
manage-principals       .       .         .         .          x           .       .
manage-tokens           .       .         .         .          x           .       .
enrol-officers          .       .         .         x          x           .       .
revoke-certificates     .       x         .         x          x           .       .
change-configuration    .       .         .         x          x           .       .
change-wording          .       x         .         .          .           .       .
read-access-history     .       x         .         .          x           .       .
submit-detections       .       .         .         .          .           .       x
report-positions        .       .         .         .          .           x       x
own-credentials         x       x         x         x          x           x       .
"""
TRUTH = {row.split()[0]: [cell == "x" for cell in row.split()[1:]] for row in ROWS.strip().splitlines()[1:]}
HOLDERS = (*ROLES, "program")
CELLS = list(itertools.product(PERMISSIONS, HOLDERS))


def holder(role: str, **changes: object) -> Authenticated:
    """Somebody of one role (or a program), with nothing missing."""
    kind = "program" if role == "program" else "officer" if role == "officer" else "person"
    roles = () if role == "program" else (role,)
    unit = "UNIT-1" if kind == "officer" else None
    method = {"program": "token", "officer": "certificate", "person": "password"}[kind]
    fields: dict[str, object] = {
        "principal": Principal(id=1, name="one", kind=kind, roles=roles, unit=unit),  # type: ignore[arg-type]
        "method": method,
        "second_factor": True,
        "scopes": PERMISSIONS if role == "program" else None,
    }
    return Authenticated(**{**fields, **changes})  # type: ignore[arg-type]


def test_the_table_holds_every_permission_and_no_other() -> None:
    assert set(TRUTH) == set(PERMISSIONS) == set(TABLE)


@pytest.mark.parametrize(("permission", "who"), CELLS)
def test_every_permission_for_every_role(permission: str, who: str) -> None:
    decision = allowed(holder(who), permission, About(unit="UNIT-1", level="warning"))
    assert decision.granted is TRUTH[permission][HOLDERS.index(who)], decision.reason
    assert decision.reason


@pytest.mark.parametrize("permission", ["", "acknowledge", "view_picture", "all", "*", "VIEW-PICTURE"])
@pytest.mark.parametrize("role", HOLDERS)
def test_what_is_not_in_the_table_is_refused(permission: str, role: str) -> None:
    assert not allowed(holder(role), permission).granted


@pytest.mark.parametrize(("permission", "role"), CELLS)
def test_a_disabled_account_may_nothing(permission: str, role: str) -> None:
    who = holder(role)
    principal = Principal(id=1, name="one", kind=who.principal.kind, roles=who.principal.roles, disabled=True)
    about = About(unit="UNIT-1")
    assert not allowed(holder(role, principal=principal), permission, about).granted


@pytest.mark.parametrize(("permission", "role"), CELLS)
def test_without_a_second_factor_one_may_only_set_it_up(permission: str, role: str) -> None:
    about = About(unit="UNIT-1")
    granted = allowed(holder(role, second_factor=False), permission, about).granted
    assert granted is (permission == "own-credentials" and role != "program")


def test_a_resting_desk_looks_and_does_not_touch() -> None:
    seen = {p for p in PERMISSIONS if allowed(holder("watch-officer", fresh=False), p).granted}
    assert seen == {"view-picture", "view-people", "view-operators"}


@pytest.mark.parametrize("role", ROLES)
def test_a_token_does_nothing_that_needs_a_person(role: str) -> None:
    """Also if somebody should ever give a token to a person."""
    held = holder(role, method="token", scopes=PERMISSIONS)
    granted = {p for p in PERMISSIONS if allowed(held, p, About(unit="UNIT-1")).granted}
    assert granted <= set(PROGRAM_SCOPES)
    assert not {p for p in granted if p.startswith(("acknowledge", "downgrade", "disposition"))}


def test_a_token_is_held_to_its_scopes() -> None:
    who = holder("program", scopes=("submit-detections",))
    assert [p for p in PERMISSIONS if allowed(who, p, About(unit="U")).granted] == ["submit-detections"]
    assert not any(allowed(holder("program", scopes=None), p).granted for p in PERMISSIONS)


@pytest.mark.parametrize("method", ["password", "security-key", "certificate", "phone"])
def test_a_program_comes_with_a_token_or_not_at_all(method: Method) -> None:
    who = holder("program", method=method)
    assert not any(allowed(who, p).granted for p in PERMISSIONS)


@pytest.mark.parametrize("unit", [None, "", "UNIT-2", "unit-1"])
@pytest.mark.parametrize("permission", ["acknowledge-own", "report-positions"])
def test_an_officer_speaks_for_his_own_unit_only(permission: str, unit: str | None) -> None:
    assert not allowed(holder("officer"), permission, About(unit=unit)).granted
    assert allowed(holder("officer"), permission, About(unit="UNIT-1")).granted


def test_an_officer_without_a_unit_speaks_for_none() -> None:
    principal = Principal(id=1, name="one", kind="officer", roles=("officer",))
    decision = allowed(holder("officer", principal=principal), "acknowledge-own", About(unit=None))
    assert not decision.granted
    assert "no unit" in decision.reason


@pytest.mark.parametrize("roles", [held for n in (1, 2, 5) for held in itertools.combinations(ROLES[:5], n)])
def test_nobody_puts_an_imminent_alert_aside(roles: tuple[str, ...]) -> None:
    principal = Principal(id=1, name="one", kind="person", roles=roles)  # type: ignore[arg-type]
    for permission in ("shelve", "silence", "out-of-service"):
        who = holder("supervisor", principal=principal)
        assert not allowed(who, permission, About(level="imminent")).granted


def test_two_roles_add_up() -> None:
    both = Principal(id=1, name="one", kind="person", roles=("analyst", "technician"))
    granted = {p for p in PERMISSIONS if allowed(holder("analyst", principal=both), p).granted}
    rows = [{p for p in PERMISSIONS if TRUTH[p][ROLES.index(role)]} for role in ("analyst", "technician")]
    assert granted == rows[0] | rows[1]


def test_who_runs_the_accounts_sees_no_people_and_decides_no_alert() -> None:
    granted = {p for p in PERMISSIONS if allowed(holder("administrator"), p).granted}
    assert not granted & {"view-people", "view-operators", "view-record", "export", "export-people"}
    assert not {p for p in granted if p.startswith(("acknowledge", "downgrade", "disposition", "s"))}
