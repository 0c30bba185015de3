"""What somebody should see to before it stops a warning: certificates that run out, accounts that are open.

A certificate that has run out is silence: the phone behind it is simply not there any more.
"""

from msgspec import Struct

from vedette.model.errors import ConfigError
from vedette.station.access.authority import FOLDER, Authority
from vedette.station.access.certificates import Issued
from vedette.station.access.doorkeeper import Doorkeeper

ROOT_ENDS_S = 365 * 86400.0
"""So long before its end a root is to be replaced: every certificate under it ends with it."""
FEW_CODES = 3


class Concern(Struct, frozen=True):
    """One thing, and what to do. ``urgent``: somebody is shut out now or within days."""

    what: str
    advice: str
    urgent: bool = False


def concerns(door: Doorkeeper, now: float) -> tuple[Concern, ...]:
    """Everything that somebody should see to, the urgent first."""
    found = [*_of_certificates(door, now), *_of_the_root(door, now), *_of_people(door)]
    return tuple(sorted(found, key=lambda concern: not concern.urgent))


def _of_certificates(door: Doorkeeper, now: float) -> list[Concern]:
    """Those that run out, unless the same principal, or a server of that name, has a newer one."""
    newest: dict[tuple[str, str], Issued] = {}
    for one in door.register.all():
        if one.revoked_at is None:
            newest[one.purpose, one.principal or one.subject] = one
    found = []
    for one in newest.values():
        state = one.state(now)
        if state in ("expiring", "expired"):
            days = (one.not_after - now) / 86400.0
            words = f"ends in {days:.0f} days" if state == "expiring" else "has ended"
            advice = (
                f"vedette enrol officer {one.principal}"
                if one.purpose == "officer"
                else f"vedette authority {one.purpose}"
            )
            found.append(
                Concern(f"the certificate {one.subject} ({one.purpose}) {words}", advice, days < 7.0)
            )
    return found


def _of_the_root(door: Doorkeeper, now: float) -> list[Concern]:
    try:
        authority = Authority(door.folder / FOLDER)
    except ConfigError:
        return []
    found = []
    left_s = authority.certificate.not_valid_after_utc.timestamp() - now
    if left_s < ROOT_ENDS_S:
        words = f"the site's root certificate ends in {left_s / 86400.0:.0f} days"
        found.append(
            Concern(words, "plan a new one: every phone has to be enrolled again", left_s < 30 * 86400.0)
        )
    if not authority.revoked_file.exists():
        found.append(Concern("the list of revoked certificates is gone", "vedette authority revoked", True))
    return found


def _of_people(door: Doorkeeper) -> list[Concern]:
    found = []
    administrators = len(door.people.administrators())
    if administrators == 0:
        found.append(Concern("nobody is administrator", "vedette user first"))
    elif administrators == 1:
        found.append(Concern("there is one administrator only", "add another: vedette user add"))
    for person in door.people.all():
        if person.kind != "person" or person.disabled:
            continue
        if not door.has_second_factor(person):
            found.append(Concern(f"{person.name} has no second factor", f"vedette user reset {person.name}"))
        elif door.factors.has_codes(person) and door.factors.recovery_codes_left(person) < FEW_CODES:
            found.append(
                Concern(f"{person.name} has few codes on paper left", "set the code generator up anew")
            )
    return found
