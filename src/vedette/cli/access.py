"""``vedette user`` and ``vedette token``: who may come in, by which roles, and programs with tokens."""

from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from vedette.cli import output
from vedette.cli.access_common import (
    CONFIG,
    ConfigPath,
    PagePath,
    actor,
    ask,
    ask_new,
    door_of,
    now,
    page_link,
    show_qr,
)

if TYPE_CHECKING:
    from vedette.station.access import Doorkeeper, Principal, Secret

Name = Annotated[str, typer.Argument(help="the account: a-z, 0-9, '.', '_' and '-'")]
RoleNames = Annotated[
    list[str],
    typer.Option("--role", help="watch-officer, supervisor, analyst, technician, administrator"),
]
DAY_S = 86400.0
_TO_SET_UP = "Give it to that person; it is good once, for a day."

users = typer.Typer(no_args_is_help=True, help="Accounts of the desk: add, list, reset, disable.")
tokens = typer.Typer(no_args_is_help=True, help="Tokens of programs: add, list, revoke.")


class Account(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of ``user list``."""

    name: str
    kind: str
    roles: tuple[str, ...]
    display: str = ""
    unit: str | None = None
    disabled: bool = False
    factors: tuple[str, ...] = ()


class Shown(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that is shown this once."""

    name: str
    link: str | None = None
    token: str | None = None


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(users, name="user")
    app.add_typer(tokens, name="token")


@users.command("first")
def first(page: PagePath = None, config: ConfigPath = CONFIG) -> int:
    """The link with which the first administrator is made, good once and for an hour."""
    with door_of(config) as door:
        link = door.first_link(now())
        if link is None:
            output.say("There is an administrator already; 'vedette user list' shows who.")
            return 1
        _show_link("", page_link(door, page, "/first", link), "Open it within an hour.")
    return 0


@users.command("add")
def add(
    name: Name,
    role: RoleNames,
    display: Annotated[str, typer.Option(help="the name that others read")] = "",
    here: Annotated[bool, typer.Option("--here", help="set password and codes up at this terminal")] = False,
    page: PagePath = None,
    config: ConfigPath = CONFIG,
) -> int:
    """Add a person of the desk. Gives a link, good for a day, to set up password and code generator."""
    with door_of(config) as door:
        principal = door.people.add(actor(), name, "person", tuple(role), now(), display=display)
        if here:
            _set_up(door, principal)
        else:
            link = door.links.make("set-factors", principal, now())
            _show_link(name, page_link(door, page, "/set-up", link), _TO_SET_UP)
    return 0


@users.command("set-up")
def set_up(name: Name, config: ConfigPath = CONFIG) -> int:
    """Set password and code generator of a person up at this terminal."""
    with door_of(config) as door:
        _set_up(door, door.people.get(name))
    return 0


@users.command("list")
def list_users(config: ConfigPath = CONFIG) -> int:
    """Everybody: persons, officers and programs, one JSON line each."""
    with door_of(config) as door:
        for principal in door.people.all():
            output.write(_account(door, principal))
    return 0


@users.command("roles")
def roles(name: Name, role: RoleNames, config: ConfigPath = CONFIG) -> int:
    """Give a person these roles instead of the old ones, from the next click on."""
    with door_of(config) as door:
        output.write(_account(door, door.people.change_roles(actor(), name, tuple(role), now())))
    return 0


@users.command("disable")
def disable(name: Name, config: ConfigPath = CONFIG) -> int:
    """Shut somebody out at once: sessions, tokens and certificates. The name stays in the record."""
    with door_of(config) as door:
        output.write(_account(door, door.people.disable(actor(), name, now())))
    return 0


@users.command("enable")
def enable(name: Name, config: ConfigPath = CONFIG) -> int:
    """Let a disabled account in again. Its tokens and certificates stay revoked."""
    with door_of(config) as door:
        output.write(_account(door, door.people.enable(actor(), name, now())))
    return 0


@users.command("reset")
def reset(name: Name, page: PagePath = None, config: ConfigPath = CONFIG) -> int:
    """Password forgotten or phone lost: take all factors away and give a link for new ones."""
    with door_of(config) as door:
        link = door.reset(actor(), name, now())
        _show_link(name, page_link(door, page, "/set-up", link), _TO_SET_UP)
    return 0


@users.command("history")
def history(
    most: Annotated[int, typer.Option(help="how many entries, the newest first", min=1)] = 100,
    config: ConfigPath = CONFIG,
) -> int:
    """What happened to accounts and keys: who did what, and who was refused and why."""
    with door_of(config) as door:
        for entry in door.store.history(most):
            output.write(entry)
    return 0


@users.command("reads")
def reads(
    most: Annotated[int, typer.Option(help="how many looks, the newest first", min=1)] = 100,
    config: ConfigPath = CONFIG,
) -> int:
    """Who saw where people are: by what, from where, when, how often, and whom."""
    with door_of(config) as door:
        for look in door.reads.all(most):
            output.write(look)
    return 0


@tokens.command("add")
def make_token(
    name: Name,
    scope: Annotated[list[str], typer.Option("--scope", help="what it may do; may be repeated")],
    days: Annotated[float, typer.Option(help="how long it is good")] = 365.0,
    label: Annotated[str, typer.Option(help="what it is for")] = "",
    config: ConfigPath = CONFIG,
) -> int:
    """A token for a program, which is added if it is new. The token is shown this once."""
    with door_of(config) as door, door.store.transaction():
        known = door.people.find(name)
        program = known or door.people.add(actor(), name, "program", (), now())
        token = door.tokens.make(actor(), program, label, tuple(scope), now(), days * DAY_S)
    output.write(Shown(name=name, token=token.reveal()))
    output.say("Write it down now: it is kept nowhere.")
    return 0


@tokens.command("list")
def list_tokens(config: ConfigPath = CONFIG) -> int:
    """Every token there was, without the token itself."""
    with door_of(config) as door:
        for token in door.tokens.all():
            output.write(token)
    return 0


@tokens.command("revoke")
def revoke_token(
    number: Annotated[int, typer.Argument(help="its id in 'vedette token list'")], config: ConfigPath = CONFIG
) -> int:
    """Make a token worthless at once."""
    with door_of(config) as door:
        door.tokens.revoke(actor(), number, now())
    output.say(f"Token {number} is revoked.")
    return 0


def _set_up(door: "Doorkeeper", principal: "Principal") -> None:
    """Password, code generator and the codes on paper, at this terminal."""
    from vedette.station.access.passwords import check_password

    password = ask_new(f"Password for {principal.name}")
    check_password(password.reveal(), principal.name)
    setup = door.factors.begin_codes(principal)
    show_qr(setup.uri)
    output.say(f"For the code generator (it is a secret): {setup.uri.reveal()}")
    code = ask("The code that it shows now")
    kept = door.factors.prepare_password(principal, password.reveal())
    with door.store.transaction():
        door.factors.keep_password(actor(), principal, kept, now())
        paper = door.factors.confirm_codes(actor(), principal, code.reveal(), now())
    output.say("Codes for when the phone is lost, each good once. Write them on paper now:")
    for one in paper:
        output.say(f"    {one.reveal()}")


def _account(door: "Doorkeeper", principal: "Principal") -> Account:
    has_password = door.store.row("SELECT 1 FROM passwords WHERE principal = ?", principal.id) is not None
    factors = ["password"] if has_password else []
    factors += ["codes"] if door.factors.has_codes(principal) else []
    factors += [f"key {label}" for label in door.keys.labels(principal)]
    good = sum(1 for one in door.register.of(principal) if one.state(now()) in ("good", "expiring"))
    factors += [f"certificates {good}"] if good else []
    return Account(
        name=principal.name,
        kind=principal.kind,
        roles=principal.roles,
        display=principal.display,
        unit=principal.unit,
        disabled=principal.disabled,
        factors=tuple(factors),
    )


def _show_link(name: str, link: "Secret", advice: str) -> None:
    output.write(Shown(name=name, link=link.reveal()))
    show_qr(link)
    output.say(f"{advice} It is shown this once.")
