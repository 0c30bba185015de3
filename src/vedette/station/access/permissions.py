"""Who may do what: one table, and nothing that is not in it.

`allowed` decides; it is a pure function of who asks, what for and about what. The roles keep duties apart:
who runs the accounts sees no people, who runs the feeds decides no alert, and who only looks afterwards
changes nothing.
"""

from typing import Literal, get_args

from msgspec import Struct

from vedette.model.threat import Level
from vedette.station.access.principals import Authenticated, Role

Permission = Literal[
    "view-picture",
    "view-people",
    "view-operators",
    "view-record",
    "acknowledge-own",
    "acknowledge-desk",
    "acknowledge-for",
    "downgrade",
    "disposition",
    "note",
    "shelve",
    "silence",
    "out-of-service",
    "drill",
    "self-test",
    "export",
    "export-people",
    "legal-hold",
    "manage-principals",
    "manage-tokens",
    "enrol-officers",
    "revoke-certificates",
    "change-configuration",
    "change-wording",
    "read-access-history",
    "submit-detections",
    "report-positions",
    "own-credentials",
]
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)


class Rule(Struct, frozen=True, kw_only=True):
    """Who has one permission.

    ``roles``: any of these. ``programs``: a token of a program may carry it. ``person``: never by a token,
    a human being must have done it. ``resting``: also from a desk that was not touched for a while.
    ``own_unit``: only about the asker's own unit. ``never_imminent``: not about an alert of that level,
    whoever asks. ``unproven``: also before a second factor is set up.
    """

    roles: tuple[Role, ...] = ()
    programs: bool = False
    person: bool = True
    resting: bool = False
    own_unit: bool = False
    never_imminent: bool = False
    unproven: bool = False


_DESK: tuple[Role, ...] = ("watch-officer", "supervisor")
_EVERY: tuple[Role, ...] = (
    "watch-officer",
    "supervisor",
    "analyst",
    "technician",
    "administrator",
    "officer",
)

TABLE: dict[Permission, Rule] = {
    "view-picture": Rule(
        roles=("watch-officer", "supervisor", "analyst", "technician", "administrator"),
        programs=True,
        person=False,
        resting=True,
    ),
    "view-people": Rule(
        roles=("watch-officer", "supervisor", "analyst"), programs=True, person=False, resting=True
    ),
    "view-operators": Rule(roles=_DESK, resting=True),
    "view-record": Rule(roles=("supervisor", "analyst")),
    "acknowledge-own": Rule(roles=("officer",), own_unit=True),
    "acknowledge-desk": Rule(roles=_DESK),
    "acknowledge-for": Rule(roles=_DESK),
    "downgrade": Rule(roles=_DESK),
    "disposition": Rule(roles=_DESK),
    "note": Rule(roles=("watch-officer", "supervisor", "analyst", "technician")),
    "shelve": Rule(roles=_DESK, never_imminent=True),
    "silence": Rule(roles=("supervisor",), never_imminent=True),
    "out-of-service": Rule(roles=("supervisor", "technician"), never_imminent=True),
    "drill": Rule(roles=("supervisor",)),
    "self-test": Rule(roles=("watch-officer", "supervisor", "technician"), programs=True, person=False),
    "export": Rule(roles=("supervisor", "analyst"), programs=True, person=False),
    "export-people": Rule(roles=("supervisor",)),
    "legal-hold": Rule(roles=("supervisor",)),
    "manage-principals": Rule(roles=("administrator",)),
    "manage-tokens": Rule(roles=("administrator",)),
    "enrol-officers": Rule(roles=("technician", "administrator")),
    "revoke-certificates": Rule(roles=("supervisor", "technician", "administrator")),
    "change-configuration": Rule(roles=("technician", "administrator")),
    "change-wording": Rule(roles=("supervisor",)),
    "read-access-history": Rule(roles=("supervisor", "administrator")),
    "submit-detections": Rule(programs=True, person=False),
    "report-positions": Rule(roles=("officer",), programs=True, person=False, own_unit=True),
    "own-credentials": Rule(roles=_EVERY, unproven=True),
}
"""Every permission. docs/access.md shows the same table, and a test holds the two together."""

PROGRAM_SCOPES: tuple[Permission, ...] = tuple(name for name in PERMISSIONS if TABLE[name].programs)
"""What a program's token can be given."""


class About(Struct, frozen=True, kw_only=True):
    """What an action is about, as far as it is known."""

    unit: str | None = None
    level: Level | None = None


class Decision(Struct, frozen=True):
    """Whether, and why in words for the person who asked."""

    granted: bool
    reason: str


NOTHING = About()


def allowed(who: Authenticated, permission: str, about: About = NOTHING) -> Decision:
    """Whether ``who`` may do this now. Whatever is not in the table is refused."""
    rule = next((TABLE[name] for name in PERMISSIONS if name == permission), None)
    if rule is None:
        return Decision(False, f"there is no permission {permission!r}")
    refusal = (
        _by_holder(who, permission, rule) or _by_proof(who, permission, rule) or _by_matter(who, rule, about)
    )
    if refusal is not None:
        return Decision(False, refusal)
    return Decision(True, f"{_described(who)} may {permission}")


def _by_holder(who: Authenticated, permission: str, rule: Rule) -> str | None:
    """Why it is not this principal's to do, or None."""
    principal = who.principal
    if principal.disabled:
        return f"the account {principal.name} is disabled"
    if who.method == "token":
        if rule.person:
            return f"{permission} needs a person, and {principal.name} came with a token"
        if who.scopes is None or permission not in who.scopes:
            return f"the token of {principal.name} does not cover {permission}"
    if principal.kind == "program":
        granted = rule.programs and who.method == "token"
        return None if granted else f"no program may {permission}"
    if not set(principal.roles) & set(rule.roles):
        holders = ", ".join(rule.roles) or "programs only"
        return f"{_described(who)} may not {permission}; that is for: {holders}"
    return None


def _by_proof(who: Authenticated, permission: str, rule: Rule) -> str | None:
    """Why more proof is needed of who it is, or None."""
    if not who.second_factor and not rule.unproven:
        return "set up a second factor first (a code generator or a security key)"
    if not who.fresh and not rule.resting:
        return f"this desk was not touched for a while: confirm who you are to {permission}"
    return None


def _by_matter(who: Authenticated, rule: Rule, about: About) -> str | None:
    """Why it cannot be done about this, or None."""
    principal = who.principal
    if rule.own_unit and principal.kind == "officer":
        if principal.unit is None:
            return f"{principal.name} has no unit yet"
        if about.unit != principal.unit:
            return f"{principal.name} speaks for unit {principal.unit} only"
    if rule.never_imminent and about.level == "imminent":
        return "an IMMINENT alert is never put aside"
    return None


def _described(who: Authenticated) -> str:
    roles = " and ".join(who.principal.roles) or who.principal.kind
    return f"{who.principal.name} ({roles})"
